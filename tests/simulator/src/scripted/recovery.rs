//! Coming back: once, and to where the others are.

use super::{all_of, blocks, cut, is_in_step, submit};
use crate::{chain::Kind, flavour::StandIns, world::World};
use lockstep_client::{GroupState, Intent};
use lockstep_primitives::GroupId;

/// The hostile second of four members cuts off the third, which hears nothing of it yet.
fn cut_off() -> (World<StandIns>, GroupId) {
	let (mut world, group) = all_of(4);
	world.members[1].honest = false;
	cut(&mut world, 2);
	let broken = world.members[1].client.as_ref().unwrap().hostile_private(&group, vec!["m02".to_owned()]);
	submit(&mut world, 1, Kind::Private(Some(vec![2])), broken.unwrap());
	blocks(&mut world, 10);
	(world, group)
}

fn length(world: &World<StandIns>, group: &GroupId) -> usize {
	world.oracle.groups[group].path.len()
}

#[test]
pub(super) fn a_member_comes_back_once_however_many_answer_its_request() {
	let (mut world, group) = cut_off();
	// What it posts gets lost; its application hands the request to two members at once.
	world.weather.lost_statement = 1000;
	world.nodes.heal();
	blocks(&mut world, 1);
	let state = world.members[2].position(&group).map(|position| position.state);
	assert_eq!(state, Some(GroupState::Desynchronized));
	let request = world.step(2, |client| client.rejoin(&group)).unwrap().unwrap();
	let before = length(&world, &group);
	for member in [0, 3] {
		world.step(member, |client| client.readmit(&group, &request)).unwrap().unwrap();
	}
	world.weather.lost_statement = 0;
	blocks(&mut world, 60);
	assert!(is_in_step(&world, 2, &group));
	assert_eq!((length(&world, &group), world.counts.readmitted), (before + 1, 1));
	blocks(&mut world, 60);
	assert_eq!(length(&world, &group), before + 1, "nobody adds it again");
}

#[test]
pub(super) fn a_member_that_was_cut_off_comes_back_to_where_the_others_are() {
	let (mut world, group) = cut_off();
	for _ in 0..12 {
		world.want(0, &group, Intent::Update);
		blocks(&mut world, 10);
	}
	let newest = u64::try_from(length(&world, &group)).unwrap() - 1;
	world.nodes.heal();
	blocks(&mut world, 50);
	assert!(is_in_step(&world, 2, &group));
	let epoch = world.members[2].position(&group).map(|position| position.tip.epoch);
	assert_eq!(epoch, Some(newest + 1), "by the commit that readmits it, and no other");
}
