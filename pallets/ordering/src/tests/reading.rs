//! What the runtime API returns.

use crate::{mock::*, reading::MAX_OPEN_ENTRIES};
use frame_support::assert_ok;
use lockstep_primitives::{EntryHash, OrderingParameters};

fn indices(from: u64, limit: u32) -> Vec<u64> {
	Ordering::open_entries(GROUP, from, limit).into_iter().map(|(_, entry)| entry.index).collect()
}

#[test]
fn open_entries_come_in_log_order() {
	test(|| {
		// More than 256 of them, so that an order by the bytes of a little-endian index would show.
		let root = create(GROUP, 0);
		let mut parent = root;
		for next in 1..300 {
			parent = Commit::new(parent, next - 1, next).append().expect("admitted");
			next_block_with(frame_support::weights::Weight::zero());
			let closed = u64::from(now().saturating_sub(WINDOW));
			assert_eq!(indices(0, 1).first().copied(), Some(closed), "in block {}", now());
		}
		let newest = 299;
		let oldest = indices(0, 1)[0];
		assert_eq!(indices(0, u32::MAX), (oldest..=newest).collect::<Vec<_>>());
		assert_eq!(indices(256, 3), vec![256, 257, 258]);
		assert_eq!(indices(newest, 10), vec![newest]);
		assert_eq!(indices(newest + 1, 10), Vec::<u64>::new());
		assert_eq!(indices(u64::MAX, 10), Vec::<u64>::new());
		assert_eq!(indices(0, 0), Vec::<u64>::new());
	});
}

#[test]
fn entries_are_returned_with_their_hashes() {
	test(|| {
		let root = create(GROUP, 0);
		let child = Commit::new(root, 0, 1).append().expect("admitted");
		let expected = vec![(root, entry(GROUP, root)), (child, entry(GROUP, child))];
		assert_eq!(Ordering::open_entries(GROUP, 0, 10), expected);
	});
}

#[test]
fn the_limit_has_a_limit() {
	test(|| {
		create(GROUP, 0);
		let state = entry(GROUP, head(GROUP));
		for index in 1..u64::from(MAX_OPEN_ENTRIES) + 10 {
			let mut hash = EntryHash([9; 32]);
			hash.0[..8].copy_from_slice(&index.to_le_bytes());
			let record = crate::types::OpenRecord { entry: state, contesting: false, candidates: Default::default() };
			crate::OpenEntries::<Test>::insert(GROUP, hash, record);
			crate::Indices::<Test>::insert(GROUP, crate::types::IndexKey::from(index), hash);
		}
		assert_eq!(Ordering::open_entries(GROUP, 0, u32::MAX).len(), MAX_OPEN_ENTRIES as usize);
		let _ = crate::OpenEntries::<Test>::clear_prefix(GROUP, u32::MAX, None);
		let _ = crate::Indices::<Test>::clear_prefix(GROUP, u32::MAX, None);
		crate::Groups::<Test>::remove(GROUP);
		Allowances::set(&Default::default());
	});
}

#[test]
fn groups_are_read_apart() {
	test(|| {
		let root = create(GROUP, 0);
		create(OTHER_GROUP, 1);
		assert_eq!(Ordering::open_entries(GROUP, 0, 10).len(), 1);
		assert_eq!(Ordering::open_entry(OTHER_GROUP, root), None);
		assert_eq!(Ordering::group_count(), 2);
	});
}

#[test]
fn a_closed_group_is_gone_at_once() {
	test(|| {
		let root = create(GROUP, 0);
		skip(RETENTION);
		assert_ok!(Ordering::close_group(RuntimeOrigin::signed(SPONSOR), GROUP, None));
		assert!(crate::OpenEntries::<Test>::contains_key(GROUP, root), "it waits to be removed");
		assert_eq!(Ordering::group(GROUP), None);
		assert_eq!(Ordering::open_entry(GROUP, root), None);
		assert!(Ordering::open_entries(GROUP, 0, 10).is_empty());
		assert_eq!(Ordering::group_count(), 0);
	});
}

#[test]
fn the_constants_are_those_of_the_chain() {
	let expected = OrderingParameters {
		max_payload: MAX_PAYLOAD,
		candidate_interval: INTERVAL,
		contest_window: WINDOW,
		retention: RETENTION,
		entry_budget: (ENTRY_CAPACITY, 1),
		byte_budget: (BYTE_CAPACITY, BYTE_REFILL),
	};
	assert_eq!(Ordering::parameters(), expected);
}
