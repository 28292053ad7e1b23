//! The head in state is what anyone gets who hashes the bodies in order.

use crate::{mock::*, Event};
use lockstep_primitives::{payload_hash, BlockEntry, LogHead, LogKind};
use std::collections::BTreeMap;

#[test]
fn the_head_can_be_recomputed_from_the_bodies() {
	test(|| {
		let mut listed = Vec::<(u32, BlockEntry)>::new();
		let mut record = || listed.extend(Ordering::block_entries().into_iter().map(|entry| (now(), entry)));
		let root = create(GROUP, 0);
		create(OTHER_GROUP, 9);
		record();
		next_block();
		let child = Commit::new(root, 0, 1).append().expect("admitted");
		Commit::new(child, 1, 2).sized(100, 1).append().expect("admitted");
		record();
		skip(INTERVAL);
		Commit::new(root, 0, 3).append().expect("a contest is an entry like any other");
		record();

		let mut heads = BTreeMap::new();
		for (block, BlockEntry { group, index, hash, body, .. }) in listed {
			let empty = LogHead::empty(LogKind::Group, &GENESIS, group.as_bytes());
			let head = heads.entry(group).or_insert(empty);
			assert_eq!(head.length, index);
			*head = head.append(block, &body).expect("the log is not full");
			assert_eq!(head.hash, hash);
		}
		assert_eq!(heads.len(), 2);
		for (group, head) in heads {
			assert_eq!(Ordering::group(group).expect("open").head, head);
		}
	});
}

#[test]
fn what_is_listed_is_what_was_sent() {
	test(|| {
		let root = create(GROUP, 0);
		next_block();
		System::set_extrinsic_index(5);
		let commit = Commit::new(root, 0, 1).sized(77, 0);
		let hash = commit.append().expect("admitted");
		let listed = Ordering::block_entries();
		let [BlockEntry { group, index, hash: listed_hash, body, extrinsic_index }] = listed[..] else {
			panic!("one entry was appended in this block, not {}", listed.len());
		};
		assert_eq!((group, index, listed_hash, extrinsic_index), (GROUP, 1, hash, 5));
		assert_eq!((body.parent, body.payload_hash, body.payload_len), (root, payload_hash(&commit.payload), 77));
		assert_eq!((body.next_key, body.endorsement), (commit.next_key, commit.endorsement));
	});
}

#[test]
fn events_tell_the_same_order_and_nothing_more() {
	test(|| {
		let root = create(GROUP, 0);
		let child = Commit::new(root, 0, 1).append().expect("admitted");
		let grandchild = Commit::new(child, 1, 2).append().expect("admitted");
		let told: Vec<_> = System::read_events_for_pallet::<Event<Test>>();
		let appended = |index, entry, parent, depth| Event::EntryAppended {
			group: GROUP,
			index,
			entry,
			parent,
			depth,
			contested: false,
		};
		let expected = vec![
			Event::GroupCreated { group: GROUP, entry: root },
			appended(1, child, root, 1),
			appended(2, grandchild, child, 2),
		];
		assert_eq!(told, expected);
	});
}

#[test]
fn the_next_block_starts_with_an_empty_list() {
	test(|| {
		create(GROUP, 0);
		assert_eq!(Ordering::block_entries().len(), 1);
		next_block();
		assert!(Ordering::block_entries().is_empty());
	});
}

#[test]
fn equal_commits_in_different_places_make_different_entries() {
	test(|| {
		let root = create(GROUP, 0);
		let child = Commit::new(root, 0, 0).append().expect("admitted");
		let same = Commit::new(child, 0, 0).append().expect("admitted");
		assert_ne!(child, same);
	});
}
