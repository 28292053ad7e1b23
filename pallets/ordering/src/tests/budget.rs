//! Quotas: what a lineage may append, how it refills, and that a dead branch does not touch the living one.

use crate::{budget, mock::*};
use frame_support::assert_ok;
use lockstep_primitives::{Budget, Refusal};

#[test]
fn entries_run_out_and_come_back() {
	test(|| {
		let mut parent = create(GROUP, 0);
		for next in 1..=ENTRY_CAPACITY {
			parent = Commit::new(parent, next - 1, next).append().expect("within the budget");
		}
		let one_more = Commit::new(parent, ENTRY_CAPACITY, 50);
		one_more.assert_refused(Refusal::OverBudget);
		next_block();
		let parent = one_more.append().expect("one entry was gained");
		Commit::new(parent, 50, 51).assert_refused(Refusal::OverBudget);
	});
}

#[test]
fn bytes_run_out_and_come_back() {
	test(|| {
		let root = create(GROUP, 0);
		let child = Commit::new(root, 0, 1).sized(MAX_PAYLOAD, 0).append().expect("within the budget");
		let left = BYTE_CAPACITY - MAX_PAYLOAD;
		assert_eq!(entry(GROUP, child).budget.bytes, left);
		Commit::new(child, 1, 2).sized(left + 1, 1).assert_refused(Refusal::OverBudget);
		next_block();
		Commit::new(child, 1, 2).sized(left + BYTE_REFILL + 1, 1).assert_refused(Refusal::OverBudget);
		assert_ok!(Commit::new(child, 1, 2).sized(left + BYTE_REFILL, 1).append());
	});
}

#[test]
fn a_budget_never_exceeds_its_capacity() {
	test(|| {
		let root = create(GROUP, 0);
		run_to(RETENTION);
		let child = Commit::new(root, 0, 1).append().expect("admitted");
		let expected = Budget { entries: ENTRY_CAPACITY - 1, bytes: BYTE_CAPACITY - 4, at: now() };
		assert_eq!(entry(GROUP, child).budget, expected);
	});
}

#[test]
fn refilling_saturates() {
	test(|| {
		let spent = Budget { entries: 0, bytes: 0, at: 0 };
		let full = budget::full::<Test>(0);
		for contesting in [false, true] {
			let refilled = budget::refill::<Test>(&spent, contesting, u32::MAX);
			assert_eq!((refilled.entries, refilled.bytes), (full.entries, full.bytes));
			let later = Budget { entries: 1, bytes: 1, at: 10 };
			assert_eq!(budget::refill::<Test>(&later, contesting, 5), later, "no gain from the past");
		}
	});
}

#[test]
fn a_dead_branch_does_not_use_up_the_living_one() {
	test(|| {
		let root = create(GROUP, 0);
		let living = Commit::new(root, 0, 1).append().expect("admitted");
		skip(INTERVAL);
		// Whoever holds key 0, perhaps a removed member, opens a branch and exhausts it.
		let mut dead = Commit::new(root, 0, 100).append().expect("admitted");
		let mut signer = 100;
		for next in 101..100 + CONTEST_ENTRIES {
			dead = Commit::new(dead, signer, next).append().expect("within its budget");
			signer = next;
		}
		Commit::new(dead, signer, 200).assert_refused(Refusal::OverBudget);
		// The members' branch has all of its own.
		let mut parent = living;
		for next in 2..2 + ENTRY_CAPACITY {
			parent = Commit::new(parent, next - 1, next).append().expect("not touched");
		}
	});
}

#[test]
fn a_hostile_first_child_does_not_use_up_the_rival() {
	test(|| {
		// The hostile entry carries the lineage on and exhausts it before the contest.
		let root = create(GROUP, 0);
		skip(INTERVAL);
		let mut hostile = root;
		let mut signer = 0;
		for next in 100..100 + ENTRY_CAPACITY {
			hostile = Commit::new(hostile, signer, next).append().expect("within the budget");
			signer = next;
		}
		Commit::new(hostile, signer, 200).assert_refused(Refusal::OverBudget);
		skip(INTERVAL);
		let mut parent = Commit::new(root, 0, 1).append().expect("a contest has a budget of its own");
		for next in 2..=CONTEST_ENTRIES {
			parent = Commit::new(parent, next - 1, next).append().expect("within its budget");
		}
	});
}

#[test]
fn a_contest_of_a_spent_lineage_has_its_own_budget() {
	test(|| {
		// The parent's lineage has too few bytes left for the rival, and does not gain enough in the interval.
		let root = create(GROUP, 0);
		let parent = Commit::new(root, 0, 1).sized(MAX_PAYLOAD, 0).append().expect("within the budget");
		assert_ok!(Commit::new(parent, 1, 100).append());
		skip(INTERVAL);
		let inherited = budget::refill::<Test>(&entry(GROUP, parent).budget, false, now());
		assert!(inherited.bytes < MAX_PAYLOAD);
		assert_ok!(Commit::new(parent, 1, 2).sized(MAX_PAYLOAD, 1).append());
	});
}

#[test]
fn groups_do_not_share_a_budget() {
	test(|| {
		let mut parent = create(GROUP, 0);
		let other = create(OTHER_GROUP, 0);
		for next in 1..=ENTRY_CAPACITY {
			parent = Commit::new(parent, next - 1, next).append().expect("within the budget");
		}
		Commit::new(parent, ENTRY_CAPACITY, 50).assert_refused(Refusal::OverBudget);
		assert_ok!(Commit::new(other, 0, 1).in_group(OTHER_GROUP, 0).append());
	});
}
