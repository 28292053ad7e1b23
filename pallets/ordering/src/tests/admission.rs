//! Every refusal, and the attacks that the endorsement keeps out.

use crate::{mock::*, Event, Groups};
use frame_support::{assert_noop, assert_ok, traits::Authorize};
use lockstep_primitives::{EntryHash, GenesisHash, GroupId, Refusal};
use sp_runtime::{transaction_validity::TransactionSource, DispatchError};

#[test]
fn a_child_of_an_open_entry_is_admitted() {
	test(|| {
		let root = create(GROUP, 0);
		next_block();
		System::set_extrinsic_index(2);
		let child = Commit::new(root, 0, 1).append().expect("admitted");
		let opened = entry(GROUP, child);
		assert_eq!((opened.index, opened.depth, opened.block, opened.extrinsic_index), (1, 1, now(), 2));
		assert_eq!(opened.next_key, public(&key(1)));
		let parent = entry(GROUP, root);
		assert_eq!((parent.children, parent.first_child_at, parent.last_child_at), (1, now(), now()));
		let state = Ordering::group(GROUP).expect("open");
		assert_eq!((state.head.length, state.last_entry_at, state.open_entries, state.contested), (2, 2, 2, false));
		let event =
			Event::EntryAppended { group: GROUP, index: 1, entry: child, parent: root, depth: 1, contested: false };
		System::assert_has_event(event.into());
	});
}

#[test]
fn unknown_group() {
	test(|| {
		let root = create(GROUP, 0);
		Commit::new(root, 0, 1).in_group(OTHER_GROUP, 0).assert_refused(Refusal::UnknownGroup);
	});
}

#[test]
fn size() {
	test(|| {
		let root = create(GROUP, 0);
		Commit::new(root, 0, 1).sized(0, 0).assert_refused(Refusal::PayloadEmpty);
		Commit::new(root, 0, 1).sized(MAX_PAYLOAD + 1, 0).assert_refused(Refusal::PayloadTooLarge);
		// Size comes first: it needs no read of the state.
		Commit::new(root, 0, 1).sized(0, 0).in_group(OTHER_GROUP, 0).assert_refused(Refusal::PayloadEmpty);
		assert_ok!(Commit::new(root, 0, 1).sized(MAX_PAYLOAD, 0).append());
	});
}

#[test]
fn a_parent_that_never_was() {
	test(|| {
		let root = create(GROUP, 0);
		Commit::new(EntryHash([9; 32]), 0, 1).assert_refused(Refusal::ParentNotOpen);
		Commit::new(empty_head(GROUP), 0, 1).assert_refused(Refusal::ParentNotOpen);
		// An entry of one group is no parent in another.
		let other = create(OTHER_GROUP, 0);
		Commit::new(other, 0, 1).assert_refused(Refusal::ParentNotOpen);
		Commit::new(root, 0, 1).in_group(OTHER_GROUP, 0).assert_refused(Refusal::ParentNotOpen);
	});
}

#[test]
fn wrong_key() {
	test(|| {
		let root = create(GROUP, 0);
		Commit::new(root, 9, 1).assert_refused(Refusal::BadEndorsement);
		// The key that the entry itself names endorses nothing but children of that entry.
		Commit::new(root, 1, 1).assert_refused(Refusal::BadEndorsement);
		let child = Commit::new(root, 0, 1).append().expect("admitted");
		// The key of an earlier epoch is no key of a later one.
		Commit::new(child, 0, 2).assert_refused(Refusal::BadEndorsement);
		assert_ok!(Commit::new(child, 1, 2).append());
	});
}

#[test]
fn replay_from_another_group() {
	test(|| {
		// The worst case: the same keys in both groups.
		let here = create(GROUP, 0);
		let there = create(OTHER_GROUP, 0);
		let original = Commit::new(there, 0, 1).in_group(OTHER_GROUP, 0);
		assert_ok!(original.append());
		let replay = Commit { group: GROUP, parent: here, ..original };
		replay.assert_refused(Refusal::BadEndorsement);
	});
}

#[test]
fn replay_from_another_chain() {
	test(|| {
		let root = create(GROUP, 0);
		let mut commit = Commit::new(root, 0, 1);
		commit.genesis = GenesisHash([8; 32]);
		commit.endorsed(0).assert_refused(Refusal::BadEndorsement);
	});
}

#[test]
fn the_genesis_is_known_for_ever() {
	test(|| {
		// FRAME forgets old block hashes when a block ends, all but that of block 0.
		let root = create(GROUP, 0);
		for _ in 0..20 {
			System::finalize();
			next_block();
		}
		assert_eq!(System::block_hash(1), Default::default(), "an old hash is forgotten");
		assert_ok!(Commit::new(root, 0, 1).append());
	});
}

#[test]
fn replay_from_another_parent() {
	test(|| {
		// Both entries name the same key, so that nothing but the parent in the signature keeps them apart.
		let root = create(GROUP, 0);
		let original = Commit::new(root, 0, 0);
		let child = original.append().expect("admitted");
		let replay = Commit { parent: child, ..original };
		replay.assert_refused(Refusal::BadEndorsement);
	});
}

#[test]
fn an_endorsement_covers_payload_and_key() {
	test(|| {
		let root = create(GROUP, 0);
		let good = Commit::new(root, 0, 1);
		let swapped = Commit { payload: vec![1, 2, 3], ..good.clone() };
		swapped.assert_refused(Refusal::BadEndorsement);
		let stolen = Commit { next_key: public(&key(66)), ..good.clone() };
		stolen.assert_refused(Refusal::BadEndorsement);
		for bit in [0, 255, 256, 511] {
			let mut damaged = good.clone();
			damaged.endorsement.0[bit / 8] ^= 1 << (bit % 8);
			damaged.assert_refused(Refusal::BadEndorsement);
		}
		assert_ok!(good.append());
	});
}

#[test]
fn a_full_log() {
	test(|| {
		let root = create(GROUP, 0);
		let fill = |length| {
			Groups::<Test>::mutate(GROUP, |record| record.as_mut().expect("open").state.head.length = length);
		};
		fill(u64::MAX);
		Commit::new(root, 0, 1).assert_refused(Refusal::LogFull);
		fill(1);
	});
}

#[test]
fn the_cheap_questions_come_first() {
	test(|| {
		let root = create(GROUP, 0);
		assert_ok!(Commit::new(root, 0, 1).append());
		// Superseded and badly signed: the signature is not looked at.
		Commit::new(root, 9, 2).assert_refused(Refusal::Superseded);
		Commit::new(EntryHash([9; 32]), 9, 2).assert_refused(Refusal::ParentNotOpen);
		Commit::new(root, 9, 2).in_group(GroupId([9; 32]), 9).assert_refused(Refusal::UnknownGroup);
	});
}

#[test]
fn dispatch_needs_an_authorised_origin() {
	test(|| {
		let root = create(GROUP, 0);
		let Commit { group, parent, payload, next_key, endorsement, .. } = Commit::new(root, 0, 1);
		for origin in [RuntimeOrigin::none(), RuntimeOrigin::root(), RuntimeOrigin::signed(SPONSOR)] {
			assert_noop!(
				Ordering::append(origin, group, parent, payload.clone(), next_key, endorsement),
				DispatchError::BadOrigin
			);
		}
	});
}

#[test]
fn other_calls_do_not_authorise_themselves() {
	test(|| {
		let endorsement = self_endorsement(GENESIS, GROUP, &key(0));
		let create = crate::Call::<Test>::create_group { group: GROUP, next_key: public(&key(0)), endorsement };
		assert!(create.authorize(TransactionSource::External).is_none());
		let close = crate::Call::<Test>::close_group { group: GROUP, release: None };
		assert!(close.authorize(TransactionSource::External).is_none());
	});
}
