//! What leaves the state, when, and in what a block can bear.

use crate::{
	mock::*, types::QueueBounds, CloseBounds, CloseQueue, OpenEntries, RemovalBounds, RetentionBounds, WeightInfo,
};
use frame_support::{assert_ok, weights::Weight};
use lockstep_primitives::{EntryHash, GroupId, Refusal};

fn stored(entry: EntryHash) -> bool {
	OpenEntries::<Test>::contains_key(GROUP, entry)
}

/// Enough for looking, and for one item.
fn one_item() -> Weight {
	let most = <()>::prune_closing().max(<()>::prune_retained()).max(<()>::prune_removed());
	<()>::prune_nothing().saturating_add(most)
}

fn queued<Bounds: frame_support::storage::StorageValue<QueueBounds, Query = QueueBounds>>() -> u64 {
	let QueueBounds { head, tail } = Bounds::get();
	tail - head
}

#[test]
fn an_entry_leaves_when_its_window_is_over() {
	test(|| {
		let root = create(GROUP, 0);
		skip(10);
		let child = Commit::new(root, 0, 1).append().expect("admitted");
		let closes = now() + WINDOW;
		run_to(closes);
		assert!(stored(root));
		next_block();
		assert!(!stored(root));
		assert!(stored(child));
		assert_eq!(Ordering::group(GROUP).expect("open").open_entries, 1);
	});
}

#[test]
fn a_log_of_any_length_keeps_the_entries_of_the_window() {
	test(|| {
		let root = create(GROUP, 0);
		grow(root, 0, 1, 4 * WINDOW);
		let open = Ordering::group(GROUP).expect("open").open_entries;
		assert!(open <= WINDOW + 2, "{open} entries are open");
		assert!(queued::<CloseBounds<Test>>() <= u64::from(WINDOW) + 1);
		assert!(queued::<RetentionBounds<Test>>() <= u64::from(RETENTION) + 1);
	});
}

#[test]
fn the_newest_entry_never_leaves() {
	test(|| {
		let root = create(GROUP, 0);
		let child = Commit::new(root, 0, 1).append().expect("admitted");
		run_to(3 * RETENTION);
		assert!(!stored(root));
		assert!(stored(child));
		assert_ok!(Commit::new(child, 1, 2).append());
	});
}

#[test]
fn an_old_leaf_leaves_if_there_is_a_younger_one() {
	test(|| {
		let root = create(GROUP, 0);
		let older = Commit::new(root, 0, 1).append().expect("admitted");
		let born = now();
		skip(INTERVAL);
		let younger = Commit::new(root, 0, 2).append().expect("admitted");
		run_to(born + RETENTION);
		assert!(stored(older));
		next_block();
		assert!(!stored(older));
		run_to(3 * RETENTION);
		assert!(stored(younger));
		assert_eq!(Ordering::group(GROUP).expect("open").open_entries, 1);
	});
}

#[test]
fn a_leaf_that_got_a_child_is_no_old_leaf() {
	test(|| {
		let root = create(GROUP, 0);
		let older = Commit::new(root, 0, 1).append().expect("admitted");
		let born = now();
		skip(INTERVAL);
		assert_ok!(Commit::new(root, 0, 2).append());
		// In the last block before it would go.
		run_to(born + RETENTION - 1);
		let saved = Commit::new(older, 1, 3).append().expect("it is open");
		run_to(born + RETENTION + 2);
		assert!(stored(older), "its contest window counts now");
		assert!(stored(saved));
		run_to(born + RETENTION + WINDOW + 1);
		assert!(!stored(older));
		assert!(stored(saved));
	});
}

#[test]
fn a_closed_group_leaves_little_by_little() {
	test(|| {
		let root = create(GROUP, 0);
		let mut parent = root;
		for next in 1..=ENTRY_CAPACITY {
			parent = Commit::new(parent, next - 1, next).append().expect("admitted");
		}
		// Nothing is pruned in the meantime.
		run_unpruned_to(now() + RETENTION);
		assert_ok!(Ordering::close_group(RuntimeOrigin::signed(SPONSOR), GROUP, None));
		assert!(OpenEntries::<Test>::iter().count() > 1);
		let mut before = OpenEntries::<Test>::iter().count();
		for _ in 0..100 {
			next_block_with(one_item());
			let after = OpenEntries::<Test>::iter().count();
			assert!(after + 1 >= before, "one item a block");
			before = after;
			check();
		}
		assert_eq!(before, 0);
		assert_eq!(queued::<RemovalBounds<Test>>(), 0);
		assert_eq!(crate::Indices::<Test>::iter().count(), 0);
	});
}

#[test]
fn many_entries_of_a_closed_group_leave_in_log_order_and_once_each() {
	test(|| {
		let mut parent = create(GROUP, 0);
		let mut signer = 0;
		for next in 1..=30 {
			parent = Commit::new(parent, signer, next).append().expect("admitted");
			signer = next;
			next_block_with(Weight::zero());
		}
		run_unpruned_to(now() + RETENTION);
		assert_ok!(Ordering::close_group(RuntimeOrigin::signed(SPONSOR), GROUP, None));
		MaxPruned::set(4);
		while OpenEntries::<Test>::iter().count() > 0 {
			let before = OpenEntries::<Test>::iter().count();
			next_block();
			assert!(before - OpenEntries::<Test>::iter().count() <= 4);
			check();
		}
	});
}

#[test]
fn no_weight_no_work() {
	test(|| {
		let root = create(GROUP, 0);
		assert_ok!(Commit::new(root, 0, 1).append());
		run_unpruned_to(now() + WINDOW);
		for limit in [Weight::zero(), Weight::from_parts(1, 1), <()>::prune_nothing()] {
			let used = next_block_with(limit);
			assert!(used.all_lte(limit));
			assert!(stored(root));
		}
		let used = next_block_with(one_item());
		assert!(used.all_lte(one_item()));
		assert!(!stored(root));
	});
}

#[test]
fn a_block_prunes_no_more_than_it_may() {
	test(|| {
		for number in 0..5 {
			let group = GroupId([100 + number; 32]);
			let root = create(group, 0);
			assert_ok!(Commit::new(root, 0, 1).in_group(group, 0).append());
		}
		run_unpruned_to(now() + WINDOW);
		let count = || OpenEntries::<Test>::iter().count();
		assert_eq!(count(), 10);
		MaxPruned::set(2);
		next_block();
		assert_eq!(count(), 8);
		next_block_with(<()>::prune_nothing().saturating_add(<()>::prune_closing()));
		assert_eq!(count(), 7, "the weight was the tighter bound");
		next_block();
		next_block();
		assert_eq!(count(), 5);
	});
}

#[test]
fn no_queue_starves_another() {
	test(|| {
		// Something is due in each of the queues, in a block that has time for one item.
		let closing = create(GROUP, 0);
		assert_ok!(Commit::new(closing, 0, 1).append());
		let closed = create(OTHER_GROUP, 0);
		run_unpruned_to(now() + RETENTION);
		assert_ok!(Ordering::close_group(RuntimeOrigin::signed(SPONSOR), OTHER_GROUP, None));
		let lengths =
			|| [queued::<CloseBounds<Test>>(), queued::<RetentionBounds<Test>>(), queued::<RemovalBounds<Test>>()];
		let before = lengths();
		let entries = OpenEntries::<Test>::iter().count();
		for _ in 0..3 {
			next_block_with(one_item());
		}
		let after = lengths();
		assert_eq!((after[0], after[1]), (before[0] - 1, before[1] - 1));
		assert!(!OpenEntries::<Test>::contains_key(OTHER_GROUP, closed));
		assert_eq!(OpenEntries::<Test>::iter().count(), entries - 2);
	});
}

#[test]
fn a_full_backlog_does_not_hold_back_admission_rules() {
	test(|| {
		// However late the pruning, a closed entry takes no child and a leaf stays usable.
		let root = create(GROUP, 0);
		let child = Commit::new(root, 0, 1).append().expect("admitted");
		run_unpruned_to(now() + 2 * RETENTION);
		assert!(stored(root));
		Commit::new(root, 0, 2).assert_refused(Refusal::ParentNotOpen);
		assert_ok!(Commit::new(child, 1, 2).append());
	});
}

#[test]
fn a_gap_in_a_queue_is_passed_over() {
	test(|| {
		let root = create(GROUP, 0);
		let other = create(OTHER_GROUP, 0);
		assert_ok!(Commit::new(root, 0, 1).append());
		assert_ok!(Commit::new(other, 0, 1).in_group(OTHER_GROUP, 0).append());
		let damaged = CloseQueue::<Test>::take(0);
		assert!(damaged.is_some());
		skip(WINDOW + 1);
		assert_eq!(queued::<CloseBounds<Test>>(), 0);
		assert!(!OpenEntries::<Test>::contains_key(OTHER_GROUP, other));
		// What the lost item stood for is found by the check of the state.
		assert!(Ordering::check_state().is_err());
		CloseBounds::<Test>::mutate(|bounds| bounds.tail += 1);
		CloseQueue::<Test>::insert(2, damaged.expect("it was there"));
		next_block();
	});
}

#[test]
fn the_hooks_count_entries_that_name_the_same_key() {
	test(|| {
		// A hostile member names the key of another entry. Neither closing takes away what the other gave.
		let root = create(GROUP, 0);
		let child = Commit::new(root, 0, 0).append().expect("any key can be named");
		let count = || Allowances::get().get(&public(&key(0)).0).copied();
		assert_eq!(count(), Some(2));
		skip(WINDOW + 1);
		assert!(!stored(root));
		assert_eq!(count(), Some(1));
		assert!(stored(child));
	});
}

#[test]
#[should_panic(expected = "MaxPrunedPerBlock")]
fn constants_that_do_not_fit_together_stop_the_node() {
	MaxPruned::set(0);
	Ordering::check_constants();
}
