//! A member that was away: what it writes at once when it is back, and that it misses nothing by that.

use super::{blocks, cut, is_in_step, three, waiting};
use crate::{flavour::StandIns, world::World};
use lockstep_client::{Ended, Intent, IntentState};
use lockstep_primitives::GroupId;

const COMMITS: u64 = 12;

/// The third member hears nothing while the first one makes commits; gives what is said in every epoch that `talks`.
fn away(talks: impl Fn(u64) -> bool) -> (World<StandIns>, GroupId, Vec<Vec<u8>>) {
	let (mut world, group) = three();
	cut(&mut world, 2);
	let mut said = Vec::new();
	for number in 0..COMMITS {
		world.want(0, &group, Intent::Update);
		blocks(&mut world, 10);
		if talks(number) {
			said.push(world.say(0, &group).expect("it can speak"));
			blocks(&mut world, 2);
		}
	}
	assert_eq!(epoch(&world, &group), 2, "it has heard nothing");
	(world, group, said)
}

fn epoch(world: &World<StandIns>, group: &GroupId) -> u64 {
	world.members[2].position(group).expect("it is up").tip.epoch
}

#[test]
fn several_epochs_are_one_write_and_every_one_is_reported() {
	let (mut world, group, _) = away(|_| false);
	let (writes, epochs) = (world.members[2].disk.writes(), world.counts.epochs);
	world.nodes.heal();
	blocks(&mut world, 1);
	assert_eq!(epoch(&world, &group), 2 + COMMITS);
	// What a node sends comes in two parts at most.
	assert!(world.members[2].disk.writes() - writes <= 4, "{} writes", world.members[2].disk.writes() - writes);
	assert_eq!(world.counts.epochs - epochs, COMMITS);
	blocks(&mut world, 10);
	assert!(is_in_step(&world, 2, &group));
}

#[test]
pub(super) fn what_was_said_in_between_is_read_in_its_epoch() {
	for every in 1..=4 {
		let (mut world, group, said) = away(|number| number % every == 0);
		world.nodes.heal();
		blocks(&mut world, 10);
		assert!(is_in_step(&world, 2, &group));
		let read = &world.members[2].promises.read;
		let missed = said.iter().filter(|text| !read.contains_key(*text)).count();
		assert_eq!(missed, 0, "of {} messages, in one epoch of {every}", said.len());
	}
}

#[test]
fn a_member_killed_while_it_catches_up_goes_on_from_what_was_written_whole() {
	for written in 0..4 {
		let (mut world, group, _) = away(|_| false);
		world.members[2].faulted = true;
		world.members[2].disk.fail_writes(written, u64::MAX);
		world.nodes.heal();
		blocks(&mut world, 1);
		let reached = epoch(&world, &group);
		assert!(written > 0 || reached == 2, "nothing was written");
		// What it knows in memory is what it finds on its disk, and it does not go back behind that.
		world.kill(2);
		blocks(&mut world, 30);
		assert!(is_in_step(&world, 2, &group) && epoch(&world, &group) == 2 + COMMITS);
	}
}

#[test]
fn what_a_member_wants_meanwhile_is_done() {
	let (mut world, group, _) = away(|_| false);
	world.want(2, &group, Intent::Update);
	world.nodes.heal();
	blocks(&mut world, 40);
	assert!(is_in_step(&world, 2, &group));
	assert_eq!(epoch(&world, &group), 2 + COMMITS + 1);
}

#[test]
pub(super) fn a_member_that_wants_to_leave_says_so_in_every_epoch() {
	let (mut world, group, _) = away(|_| false);
	world.weather.lost_statement = 1000;
	assert!(matches!(world.step(2, |client| client.leave(&group)), Some(Ok(()))));
	let writes = world.members[2].disk.writes();
	world.nodes.heal();
	blocks(&mut world, 1);
	assert_eq!(epoch(&world, &group), 2 + COMMITS);
	assert!(world.members[2].disk.writes() - writes >= 2 * COMMITS, "an epoch and what it says in it");
	world.weather.lost_statement = 0;
	blocks(&mut world, 60);
	let state = world.members[2].position(&group).map(|position| position.state);
	assert_eq!(state, Some(lockstep_client::GroupState::Removed));
}

#[test]
pub(super) fn a_commit_of_its_own_that_won_meanwhile_is_answered() {
	// Where what its node sends is cut is chance.
	(0..4).for_each(own_commit_won_meanwhile);
}

fn own_commit_won_meanwhile(chance: usize) {
	let (mut world, group) = three();
	for _ in 0..chance {
		world.dice.below(2);
	}
	world.want(2, &group, Intent::Update);
	waiting(&mut world);
	cut(&mut world, 2);
	blocks(&mut world, 10);
	for _ in 0..4 {
		world.want(0, &group, Intent::Update);
		blocks(&mut world, 10);
	}
	let carried = |world: &World<StandIns>| world.members[2].client.as_ref().expect("it is up").carried(&group).len();
	assert_eq!((epoch(&world, &group), carried(&world)), (2, 1), "it has heard nothing");
	world.nodes.heal();
	blocks(&mut world, 1);
	assert_eq!((epoch(&world, &group), carried(&world)), (2 + 1 + 4, 0));
	let intents = world.members[2].client.as_ref().expect("it is up").intents(&group).expect("it is there");
	assert!(matches!(intents.as_slice(), [(0, IntentState::Ended(Ended::Done(_)))]), "{intents:?}");
}
