//! What breaks clients of this kind (`docs/what-breaks-others.md`): each played out once as it must go, and once with the
//! mistake switched on, which must be noticed.

use super::{all_of, blocks, calm, catching_up, cut, done, intents, is_in_step, name, package, recovery, waiting};
use crate::{flavour::StandIns, world::World};
use lockstep_client::{
	mutation::{self, Mutation},
	Ended, GroupState, Intent, IntentState,
};
use lockstep_primitives::{EntryHash, GroupId};
use std::panic::catch_unwind;

/// The entries that count.
fn path(world: &World<StandIns>, group: &GroupId) -> Vec<EntryHash> {
	world.oracle.groups[group].path.iter().map(|entry| entry.header.hash).collect()
}

fn epoch(world: &World<StandIns>, member: usize, group: &GroupId) -> u64 {
	world.members[member].position(group).expect("it is up").tip.epoch
}

#[test]
fn two_removals_asked_for_at_once_both_come_about() {
	let (mut world, group) = all_of(4);
	world.want(0, &group, Intent::Remove(name(2)));
	world.want(0, &group, Intent::Remove(name(3)));
	blocks(&mut world, 40);
	assert_eq!(done(&world, 0, &group), 5, "three additions and both removals: {:?}", intents(&world, 0, &group));
	for member in [2, 3] {
		let state = world.members[member].position(&group).map(|position| position.state);
		assert_eq!(state, Some(GroupState::Removed));
	}
	assert!(is_in_step(&world, 1, &group));
}

#[test]
fn a_removal_that_another_member_was_faster_with_is_done_and_not_done_again() {
	let (mut world, group) = all_of(4);
	world.want(0, &group, Intent::Remove(name(3)));
	world.want(1, &group, Intent::Remove(name(3)));
	blocks(&mut world, 40);
	assert_eq!((done(&world, 0, &group), done(&world, 1, &group)), (4, 1));
	assert_eq!(path(&world, &group).len(), 5, "one commit removes it");
}

/// The disk takes so many writes of an epoch that others opened, and then the member is killed.
fn killed_in_an_epoch_of_others(after: u64) {
	let (mut world, group) = all_of(3);
	cut(&mut world, 2);
	world.want(0, &group, Intent::Update);
	blocks(&mut world, 10);
	world.want(2, &group, Intent::Update);
	blocks(&mut world, 10);
	world.members[2].faulted = true;
	world.members[2].disk.fail_writes(after, u64::MAX);
	world.nodes.heal();
	blocks(&mut world, 1);
	world.kill(2);
	blocks(&mut world, 40);
	assert!(is_in_step(&world, 2, &group));
	assert_eq!((epoch(&world, 2, &group), done(&world, 2, &group)), (2 + 2, 1));
}

#[test]
fn a_kill_at_any_write_leaves_position_and_state_together() {
	(0..3).for_each(killed_in_an_epoch_of_others);
}

#[test]
fn a_kill_at_any_write_of_an_own_commit_leaves_position_and_state_together() {
	for after in 0..3 {
		let (mut world, group) = all_of(2);
		world.want(0, &group, Intent::Update);
		waiting(&mut world);
		// The next thing that it writes is that its commit has won.
		world.members[0].faulted = true;
		while path(&world, &group).len() == 2 {
			world.members[0].disk.fail_writes(after, u64::MAX);
			blocks(&mut world, 1);
		}
		world.kill(0);
		blocks(&mut world, 40);
		assert!(is_in_step(&world, 1, &group));
		assert_eq!((epoch(&world, 0, &group), done(&world, 0, &group)), (2, 2));
	}
}

#[test]
fn a_member_whose_disk_fails_knows_no_more_than_is_on_it() {
	let (mut world, group) = all_of(3);
	cut(&mut world, 2);
	world.want(0, &group, Intent::Update);
	blocks(&mut world, 10);
	world.members[2].faulted = true;
	world.members[2].disk.fail_writes(0, 1);
	world.nodes.heal();
	blocks(&mut world, 1);
	assert_eq!(epoch(&world, 2, &group), 2, "it could not store the next epoch");
	let status = world.members[2].client.as_ref().expect("it is up").status(&group).expect("it can be read");
	assert_eq!((status.epoch, status.state), (2, GroupState::Halted));
	world.kill(2);
	blocks(&mut world, 20);
	assert!(is_in_step(&world, 2, &group));
}

#[test]
fn a_member_killed_between_submission_and_answer_finds_in_the_log_what_came_of_it() {
	let (mut world, group) = all_of(2);
	world.want(0, &group, Intent::Update);
	waiting(&mut world);
	world.members[0].kill(world.now + 12);
	blocks(&mut world, 10);
	assert_eq!(path(&world, &group).len(), 3, "it came about while the member was down");
	blocks(&mut world, 30);
	assert!(is_in_step(&world, 1, &group));
	assert_eq!((path(&world, &group).len(), done(&world, 0, &group)), (3, 2), "once");
}

#[test]
fn what_waits_behind_a_commit_outlives_a_kill() {
	let (mut world, group) = all_of(2);
	world.want(0, &group, Intent::Update);
	world.want(0, &group, Intent::Update);
	world.kill(0);
	blocks(&mut world, 50);
	assert_eq!((path(&world, &group).len(), done(&world, 0, &group)), (4, 3));
	assert!(is_in_step(&world, 1, &group));
}

#[test]
fn a_member_killed_before_its_submission_arrived_makes_it_again() {
	let (mut world, group) = all_of(2);
	world.weather.lost_submission = 1000;
	world.want(0, &group, Intent::Update);
	world.kill(0);
	world.weather.lost_submission = 0;
	blocks(&mut world, 30);
	assert_eq!((path(&world, &group).len(), done(&world, 0, &group)), (3, 2));
	assert!(is_in_step(&world, 1, &group));
}

#[test]
fn a_lost_race_does_not_block_what_is_wanted_next() {
	let (mut world, group) = all_of(3);
	for _ in 0..3 {
		for member in 0..3 {
			world.want(member, &group, Intent::Update);
		}
		blocks(&mut world, 40);
	}
	assert_eq!([0, 1, 2].map(|member| done(&world, member, &group)), [2 + 3, 3, 3]);
	assert!(is_in_step(&world, 1, &group) && is_in_step(&world, 2, &group));
}

#[test]
fn a_commit_that_a_node_refuses_and_takes_all_the_same_is_merged() {
	let (mut world, group) = all_of(2);
	// To whatever it takes, the node says that it was refused.
	world.weather.wrong_answer = 1000;
	world.want(0, &group, Intent::Update);
	blocks(&mut world, 30);
	assert_eq!((path(&world, &group).len(), done(&world, 0, &group)), (3, 2), "it was in a block");
	assert!(is_in_step(&world, 1, &group));
}

#[test]
fn a_node_that_takes_a_commit_moves_nobody() {
	let (mut world, group) = all_of(3);
	(0..3).for_each(|member| world.members[member].node = member);
	// Both nodes say that they have taken the commit, and one of them loses.
	world.stalled_until = u32::MAX;
	world.want(0, &group, Intent::Update);
	world.want(1, &group, Intent::Update);
	blocks(&mut world, 10);
	assert_eq!([0, 1, 2].map(|member| epoch(&world, member, &group)), [2; 3], "nothing of it is final");
	world.stalled_until = 0;
	blocks(&mut world, 30);
	assert_eq!((done(&world, 0, &group), done(&world, 1, &group)), (2 + 1, 1));
	assert!(is_in_step(&world, 1, &group) && is_in_step(&world, 2, &group));
}

#[test]
fn blocks_that_are_replaced_before_they_are_final_move_nobody() {
	let (mut world, group) = all_of(3);
	(0..3).for_each(|member| world.members[member].node = member);
	world.stalled_until = u32::MAX;
	world.want(0, &group, Intent::Update);
	world.want(1, &group, Intent::Update);
	while world.chain.is_final(&group) {
		blocks(&mut world, 1);
	}
	blocks(&mut world, 2);
	assert_eq!([0, 1, 2].map(|member| epoch(&world, member, &group)), [2; 3]);
	// The commit that was first is in none of the blocks that take the place of these, and the other may come in.
	let (dropped, _) = world.chain.drop_newest(usize::MAX);
	for _ in 0..=dropped {
		world.chain.produce(&[]);
	}
	blocks(&mut world, 10);
	world.stalled_until = 0;
	blocks(&mut world, 40);
	assert_eq!((done(&world, 0, &group), done(&world, 1, &group)), (2 + 1, 1));
	assert!(is_in_step(&world, 1, &group) && is_in_step(&world, 2, &group));
}

#[test]
fn nobody_is_invited_by_a_commit_that_loses() {
	let (mut world, group) = calm();
	let first = package(&mut world, 1);
	world.want(0, &group, first);
	blocks(&mut world, 10);
	let addition = package(&mut world, 2);
	world.members[0].node = 0;
	world.members[1].node = 1;
	world.want(1, &group, Intent::Update);
	waiting(&mut world);
	// Its commit comes too late; the one that it makes then adds the member.
	world.want(0, &group, addition);
	blocks(&mut world, 40);
	assert_eq!((done(&world, 0, &group), done(&world, 1, &group)), (2, 1));
	assert!(is_in_step(&world, 2, &group));
}

#[test]
fn a_key_package_outlives_an_invitation_that_leads_nowhere() {
	let (mut world, group) = calm();
	let addition = package(&mut world, 1);
	let Intent::Add(packages) = &addition else { panic!("it adds") };
	world.spoiled.insert(1);
	let hostile = world.members[0].client.as_ref().expect("it is up");
	let statements = hostile.hostile_invitation(&group, &packages[0].0).expect("it can be made");
	// The letter is looked for when the envelope has named it.
	for statement in statements.into_iter().rev() {
		world.hand_over(1, statement);
	}
	blocks(&mut world, 10);
	assert_eq!(world.members[1].position(&group), None);
	world.want(0, &group, addition);
	blocks(&mut world, 20);
	assert!(is_in_step(&world, 1, &group));
}

#[test]
fn a_member_that_was_away_commits_nothing_before_it_has_read_the_log_to_its_end() {
	let (mut world, group) = all_of(3);
	cut(&mut world, 2);
	for _ in 0..12 {
		world.want(0, &group, Intent::Update);
		blocks(&mut world, 10);
	}
	// It commits on an epoch that is long over, for all that it knows. A commit on any of those in between fails the run.
	world.want(2, &group, Intent::Update);
	world.nodes.heal();
	blocks(&mut world, 30);
	assert!(is_in_step(&world, 2, &group));
	let IntentState::Ended(Ended::Done(committed)) = &intents(&world, 2, &group)[0] else { panic!("it is done") };
	assert_eq!((committed.epoch, committed.attempts), (2 + 12 + 1, 2));
}

/// Each scenario, and the mistakes that it is there for.
const SCENARIOS: [(Mutation, fn()); 23] = [
	(Mutation::ReplacePending, two_removals_asked_for_at_once_both_come_about),
	(Mutation::DropLoser, a_removal_that_another_member_was_faster_with_is_done_and_not_done_again),
	(Mutation::CursorFirst, a_kill_at_any_write_leaves_position_and_state_together),
	(Mutation::MergeFirst, a_kill_at_any_write_leaves_position_and_state_together),
	(Mutation::CursorFirst, a_kill_at_any_write_of_an_own_commit_leaves_position_and_state_together),
	(Mutation::MergeFirst, a_kill_at_any_write_of_an_own_commit_leaves_position_and_state_together),
	(Mutation::MemoryFirst, a_member_whose_disk_fails_knows_no_more_than_is_on_it),
	(Mutation::ForgetInFlight, a_member_killed_between_submission_and_answer_finds_in_the_log_what_came_of_it),
	(Mutation::VolatileIntent, what_waits_behind_a_commit_outlives_a_kill),
	(Mutation::SubmitOnce, a_member_killed_before_its_submission_arrived_makes_it_again),
	(Mutation::KeepPending, a_lost_race_does_not_block_what_is_wanted_next),
	(Mutation::DropLoser, a_lost_race_does_not_block_what_is_wanted_next),
	(Mutation::DropOnRefusal, a_commit_that_a_node_refuses_and_takes_all_the_same_is_merged),
	(Mutation::MergeUnanswered, a_node_that_takes_a_commit_moves_nobody),
	(Mutation::NotFinal, blocks_that_are_replaced_before_they_are_final_move_nobody),
	(Mutation::EarlyWelcome, nobody_is_invited_by_a_commit_that_loses),
	(Mutation::SpendOnFailure, a_key_package_outlives_an_invitation_that_leads_nowhere),
	(Mutation::CommitBehind, a_member_that_was_away_commits_nothing_before_it_has_read_the_log_to_its_end),
	(Mutation::ReadmitAlways, recovery::a_member_comes_back_once_however_many_answer_its_request),
	(Mutation::StaleReset, recovery::a_member_that_was_cut_off_comes_back_to_where_the_others_are),
	(Mutation::ReadOnBusy, catching_up::a_commit_of_its_own_that_won_meanwhile_is_answered),
	(Mutation::ReadOnBusy, catching_up::a_member_that_wants_to_leave_says_so_in_every_epoch),
	(Mutation::ReadOnUnread, catching_up::what_was_said_in_between_is_read_in_its_epoch),
];

#[test]
fn each_of_these_notices_the_mistake_that_it_is_there_for() {
	let mut unnoticed = Vec::new();
	for (at, (mutation, scenario)) in SCENARIOS.into_iter().enumerate() {
		mutation::set(Some(mutation));
		let played = catch_unwind(scenario);
		mutation::set(None);
		if played.is_ok() {
			unnoticed.push((at, mutation));
		}
	}
	assert!(unnoticed.is_empty(), "{unnoticed:?}");
}

#[test]
fn what_cannot_be_stored_is_not_taken_on_and_the_group_goes_on() {
	let (mut world, group) = all_of(2);
	let before = (done(&world, 0, &group), epoch(&world, 0, &group));
	for _ in 0..2 {
		let one = &mut world.members[0];
		let client = one.client.as_mut().expect("it is up");
		one.disk.fail_writes(0, 1);
		let taken = client.enqueue(&group, Intent::Update);
		one.disk.fail_writes(0, 0);
		assert!(taken.as_ref().is_err_and(|error| error.to_string().contains("a simulated fault")), "{taken:?}");
		let status = client.status(&group).expect("it can be read");
		assert_eq!((status.state, status.epoch), (GroupState::Active, before.1));
		assert!(client.intents(&group).expect("they can be read").iter().all(|(_, state)| is_ended(state)));
		assert!(client.take_actions().is_empty(), "nothing is sent");
		blocks(&mut world, 10);
	}
	world.want(0, &group, Intent::Update);
	blocks(&mut world, 20);
	assert!(is_in_step(&world, 1, &group));
	assert_eq!((done(&world, 0, &group), epoch(&world, 0, &group)), (before.0 + 1, before.1 + 1));
}

fn is_ended(state: &IntentState) -> bool {
	matches!(state, IntentState::Ended(_))
}
