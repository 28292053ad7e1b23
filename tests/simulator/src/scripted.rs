//! What the simulator found once, played out step by step.

use crate::{flavour::StandIns, setup::Setup, world::World};
use lockstep_client::{GroupState, Intent};
use lockstep_primitives::{rpc::HexBytes, GroupId};

/// Three members, the first of which has a group; nothing goes wrong.
fn calm() -> (World<StandIns>, GroupId) {
	let mut world = World::new(1, &Setup::new(3, 0));
	world.calm();
	world.begin();
	blocks(&mut world, 10);
	let group = world.group.expect("the group comes about");
	(world, group)
}

fn blocks(world: &mut World<StandIns>, count: u32) {
	for _ in 0..count {
		world.block();
		assert_eq!(world.failure, None);
	}
}

fn package(world: &mut World<StandIns>, member: usize) -> Intent {
	let package = world.step(member, |client| client.key_package()).expect("it is up").expect("it has a disk");
	world.packages.insert(package.clone(), world.members[member].name.clone().into_bytes());
	Intent::Add(vec![HexBytes(package)])
}

fn name(member: usize) -> Vec<HexBytes> {
	vec![HexBytes(format!("m{member:02}").into_bytes())]
}

fn is_in_step(world: &World<StandIns>, member: usize, group: &GroupId) -> bool {
	let of = |member: usize| world.members[member].position(group);
	of(member).is_some_and(|position| position.state == GroupState::Active) && of(member) == of(0)
}

#[test]
fn an_invitation_finds_a_member_that_does_not_know_yet_that_it_is_out() {
	let (mut world, group) = calm();
	let first = package(&mut world, 1);
	world.want(0, &group, first);
	blocks(&mut world, 10);
	assert!(is_in_step(&world, 1, &group));

	let second = package(&mut world, 1);
	world.members[1].node = 2;
	world.nodes.nodes[2].cut_until = u32::MAX;
	world.want(0, &group, Intent::Remove(name(1)));
	blocks(&mut world, 10);
	world.want(0, &group, second);
	blocks(&mut world, 10);
	assert_eq!(world.members[1].position(&group).map(|position| position.tip.epoch), Some(1), "it has heard nothing");

	world.nodes.heal();
	blocks(&mut world, 10);
	assert!(is_in_step(&world, 1, &group));
}

#[test]
fn what_came_before_a_member_was_added_again_is_read_afterwards() {
	let (mut world, group) = calm();
	let first = package(&mut world, 1);
	world.want(0, &group, first);
	blocks(&mut world, 10);

	let second = package(&mut world, 1);
	world.members[1].node = 2;
	world.nodes.nodes[2].cut_until = u32::MAX;
	world.want(0, &group, Intent::Remove(name(1)));
	blocks(&mut world, 10);
	world.want(0, &group, second);
	blocks(&mut world, 10);
	let text = world.say(0, &group).expect("it can speak");
	blocks(&mut world, 10);
	assert!(!world.members[1].promises.read.contains_key(&text), "of an epoch that it has not heard of");

	world.nodes.heal();
	blocks(&mut world, 10);
	assert!(is_in_step(&world, 1, &group));
	assert!(world.members[1].promises.read.contains_key(&text));
}

#[test]
fn an_invitation_outlives_the_keys_of_the_epoch_that_it_was_signed_in() {
	let (mut world, group) = calm();
	let first = package(&mut world, 1);
	world.want(0, &group, first);
	// Whatever the node is given, it has something against it.
	world.weather.wrong_answer = 1000;
	for _ in 0..8 {
		world.want(0, &group, Intent::Update);
		blocks(&mut world, 10);
	}
	blocks(&mut world, 40);
	assert_eq!(world.members[1].position(&group), None);

	world.weather.wrong_answer = 0;
	blocks(&mut world, 40);
	assert!(is_in_step(&world, 1, &group));
}

#[test]
fn an_intent_after_coming_back_has_a_number_of_its_own() {
	let (mut world, group) = calm();
	for _ in 0..2 {
		let invitation = package(&mut world, 1);
		world.want(0, &group, invitation);
		blocks(&mut world, 10);
		world.want(1, &group, Intent::Update);
		blocks(&mut world, 10);
		world.want(0, &group, Intent::Remove(name(1)));
		blocks(&mut world, 10);
	}
	let numbers: Vec<u64> = world.members[1].promises.intents.keys().map(|(_, number)| *number).collect();
	assert_eq!(numbers, [0, 1]);
}

#[test]
fn a_member_killed_between_an_epoch_and_its_proposal_still_leaves() {
	let (mut world, group) = calm();
	let invitation = package(&mut world, 1);
	world.want(0, &group, invitation);
	blocks(&mut world, 10);
	world.weather.lost_statement = 1000;
	world.members[1].node = 2;
	world.nodes.nodes[2].cut_until = u32::MAX;
	assert!(matches!(world.step(1, |client| client.leave(&group)), Some(Ok(()))));
	world.want(0, &group, Intent::Update);
	blocks(&mut world, 10);

	// It stores the new epoch and nothing after that.
	world.members[1].faulted = true;
	world.members[1].disk.fail_writes(1, u64::MAX);
	world.nodes.heal();
	blocks(&mut world, 1);
	world.kill(1);
	world.weather.lost_statement = 0;
	blocks(&mut world, 30);
	assert_eq!(world.members[1].position(&group).map(|position| position.state), Some(GroupState::Removed));
}
