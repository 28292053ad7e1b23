//! P4, the chain's part: a removed member holds the keys of the epochs it was in, and no later one.

use crate::mock::*;
use frame_support::assert_ok;
use lockstep_primitives::Refusal;

/// A group in which the commit of entry 3 removed a member that knows the keys 0, 1 and 2. Returns the entries.
fn removal() -> Vec<lockstep_primitives::EntryHash> {
	let mut entries = vec![create(GROUP, 0)];
	for next in 1..=3 {
		next_block();
		let parent = *entries.last().expect("there is entry 0");
		entries.push(Commit::new(parent, next - 1, next).append().expect("admitted"));
	}
	entries
}

#[test]
fn no_key_that_it_had_endorses_in_the_new_epoch() {
	test(|| {
		let entries = removal();
		for old in 0..=2 {
			Commit::new(entries[3], old, 66).assert_refused(Refusal::BadEndorsement);
		}
	});
}

#[test]
fn it_cannot_contest_its_removal_before_the_interval() {
	test(|| {
		let entries = removal();
		for (epoch, entry) in (0..).zip(&entries[..3]) {
			Commit::new(*entry, epoch, 66).assert_refused(Refusal::Superseded);
		}
	});
}

#[test]
fn once_its_epochs_are_closed_its_keys_are_worthless() {
	test(|| {
		let entries = removal();
		skip(WINDOW);
		for (epoch, entry) in (0..).zip(&entries[..3]) {
			Commit::new(*entry, epoch, 66).assert_refused(Refusal::ParentNotOpen);
		}
		assert_ok!(Commit::new(entries[3], 3, 4).append());
	});
}

#[test]
fn a_branch_of_its_own_neither_delays_nor_starves_the_members() {
	test(|| {
		let entries = removal();
		skip(INTERVAL);
		// It contests its removal as soon as it may, and appends as fast as it may.
		let mut dead = Commit::new(entries[2], 2, 100).append().expect("its epoch is not closed yet");
		let (mut living, mut signer) = (entries[3], 100);
		for step in 0..20 {
			living = Commit::new(living, 3 + step, 4 + step).append().expect("not delayed");
			match Commit::new(dead, signer, 101 + step).append() {
				Ok(entry) => (dead, signer) = (entry, 101 + step),
				Err(refusal) => assert_eq!(refusal, Refusal::OverBudget),
			}
			assert_eq!(entry(GROUP, living).depth, u64::from(step) + 4);
			next_block();
		}
		assert!(signer > 100 + 20 / CONTEST_SLOWDOWN, "the attack is one");
		// The members' branch was never contested: entry 3 has one child.
		assert_eq!(entry(GROUP, entries[3]).children, 1);
	});
}
