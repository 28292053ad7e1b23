//! Further children: when they are admitted, how long they wait, and that nobody makes them but holders of the key.

use crate::{mock::*, Event};
use frame_support::assert_ok;
use lockstep_primitives::{Budget, Endorsement, Refusal};

#[test]
fn a_rival_is_refused_at_once() {
	test(|| {
		let root = create(GROUP, 0);
		assert_ok!(Commit::new(root, 0, 1).append());
		Commit::new(root, 0, 2).assert_refused(Refusal::Superseded);
	});
}

#[test]
fn a_contest_is_admitted_when_the_interval_is_over() {
	test(|| {
		let root = create(GROUP, 0);
		next_block();
		let winner = Commit::new(root, 0, 1).append().expect("admitted");
		let rival = Commit::new(root, 0, 2);
		skip(INTERVAL - 1);
		rival.assert_refused(Refusal::Superseded);
		next_block();
		let second = rival.append().expect("admitted");

		assert!(Ordering::group(GROUP).expect("open").contested);
		let parent = entry(GROUP, root);
		assert_eq!((parent.children, parent.first_child_at, parent.last_child_at), (2, 2, 2 + INTERVAL));
		assert_eq!((entry(GROUP, winner).depth, entry(GROUP, second).depth), (1, 1));
		let event =
			Event::EntryAppended { group: GROUP, index: 2, entry: second, parent: root, depth: 1, contested: true };
		System::assert_has_event(event.into());
	});
}

#[test]
fn each_further_candidate_waits_twice_as_long() {
	test(|| {
		let root = create(GROUP, 0);
		assert_ok!(Commit::new(root, 0, 1).append());
		for (next, wait) in [(2, INTERVAL), (3, 2 * INTERVAL), (4, 4 * INTERVAL)] {
			skip(wait - 1);
			Commit::new(root, 0, next).assert_refused(Refusal::Superseded);
			next_block();
			assert_ok!(Commit::new(root, 0, next).append());
		}
		assert_eq!(entry(GROUP, root).children, 4);
	});
}

#[test]
fn a_contest_comes_too_late_when_the_window_is_over() {
	test(|| {
		let root = create(GROUP, 0);
		assert_ok!(Commit::new(root, 0, 1).append());
		let first_child_at = now();
		run_to(first_child_at + WINDOW - 1);
		assert!(Commit::new(root, 0, 2).admits());
		next_block();
		Commit::new(root, 0, 2).assert_refused(Refusal::ParentNotOpen);
	});
}

#[test]
fn the_window_is_over_on_time_even_if_nothing_was_pruned() {
	test(|| {
		let root = create(GROUP, 0);
		assert_ok!(Commit::new(root, 0, 1).append());
		run_unpruned_to(now() + WINDOW);
		assert!(crate::OpenEntries::<Test>::contains_key(GROUP, root), "it has not been pruned");
		Commit::new(root, 0, 2).assert_refused(Refusal::ParentNotOpen);
		assert_eq!(Ordering::open_entry(GROUP, root), None);
	});
}

#[test]
fn the_window_counts_from_the_first_child() {
	test(|| {
		let root = create(GROUP, 0);
		assert_ok!(Commit::new(root, 0, 1).append());
		let first_child_at = now();
		skip(INTERVAL);
		assert_ok!(Commit::new(root, 0, 2).append());
		run_to(first_child_at + WINDOW);
		Commit::new(root, 0, 3).assert_refused(Refusal::ParentNotOpen);
	});
}

#[test]
fn a_leaf_stays_open_however_old_it_is() {
	test(|| {
		let root = create(GROUP, 0);
		run_to(2 * RETENTION + WINDOW);
		assert_ok!(Commit::new(root, 0, 1).append());
	});
}

#[test]
fn an_outsider_cannot_contest_with_a_replay() {
	test(|| {
		// The endorsement is public once it is in a block. Were it good for a second child, anyone could use up the
		// candidates of every entry and make each honest contest wait.
		let root = create(GROUP, 0);
		let winner = Commit::new(root, 0, 1);
		assert_ok!(winner.append());
		skip(INTERVAL);
		winner.assert_refused(Refusal::Superseded);
		let rival = Commit::new(root, 0, 2);
		assert_ok!(rival.append());
		skip(2 * INTERVAL);
		winner.assert_refused(Refusal::Superseded);
		rival.assert_refused(Refusal::Superseded);
		// Another signature over the same bytes makes it no other candidate.
		let resigned = Commit { endorsement: Endorsement([3; 64]), ..winner };
		resigned.assert_refused(Refusal::Superseded);
		assert_ok!(Commit::new(root, 0, 3).append());
	});
}

#[test]
fn a_candidate_differs_by_payload_or_key() {
	test(|| {
		let root = create(GROUP, 0);
		let first = Commit::new(root, 0, 1);
		assert_ok!(first.append());
		skip(INTERVAL);
		let other_payload = Commit { payload: vec![9], ..first.clone() }.endorsed(0);
		assert_ok!(other_payload.append());
		skip(2 * INTERVAL);
		let other_key = Commit { next_key: public(&key(9)), ..first }.endorsed(0);
		assert_ok!(other_key.append());
	});
}

#[test]
fn a_contesting_child_starts_a_lineage() {
	test(|| {
		let root = create(GROUP, 0);
		assert_ok!(Commit::new(root, 0, 1).append());
		skip(INTERVAL);
		let rival = Commit::new(root, 0, 2).append().expect("admitted");
		let budget = Budget { entries: CONTEST_ENTRIES - 1, bytes: CONTEST_BYTES - 4, at: now() };
		assert_eq!(entry(GROUP, rival).budget, budget);
		// And is a parent like any other.
		assert_ok!(Commit::new(rival, 2, 3).append());
	});
}

#[test]
fn a_hostile_first_child_delays_by_the_interval_and_no_more() {
	test(|| {
		// P3: the hostile child, its own children, and whatever follows them do not touch the parent's clock.
		let root = create(GROUP, 0);
		let mut hostile = Commit::new(root, 0, 100).append().expect("admitted");
		let mut signer = 100;
		for next in 101..101 + INTERVAL {
			next_block();
			hostile = Commit::new(hostile, signer, next).append().expect("admitted");
			signer = next;
		}
		assert_ok!(Commit::new(root, 0, 1).append());
	});
}

#[test]
fn keys_that_are_no_points_are_no_keys() {
	test(|| {
		// A member may name any 32 bytes. An entry that names no point of the curve gets no children.
		let root = create(GROUP, 0);
		let mut commit = Commit::new(root, 0, 1);
		commit.next_key.0 = [0xff; 32];
		let child = commit.endorsed(0).append().expect("admitted");
		Commit::new(child, 1, 2).assert_refused(Refusal::BadEndorsement);
	});
}
