//! Bytes: the calls as clients make them, storage as clients prove it, and damaged input.

use crate::{mock::*, Call, Groups, OpenEntries};
use codec::{Decode, Encode};
use lockstep_primitives::{
	extrinsic::{Append, SignedCall, ORDERING_PALLET},
	Endorsement, EntryHash, GroupId, GroupState, OpenEntry, OrderingKey,
};

fn append() -> Append {
	Append {
		group: GROUP,
		parent: EntryHash([2; 32]),
		payload: vec![3; 200],
		next_key: OrderingKey([4; 32]),
		endorsement: Endorsement([5; 64]),
	}
}

#[test]
fn calls_have_the_bytes_that_clients_make() {
	let Append { group, parent, payload, next_key, endorsement } = append();
	let call = RuntimeCall::Ordering(Call::append { group, parent, payload, next_key, endorsement });
	assert!(append().to_extrinsic().ends_with(&call.encode()));

	let call = RuntimeCall::Ordering(Call::create_group { group, next_key, endorsement });
	assert_eq!(call.encode(), SignedCall::CreateGroup { group, next_key, endorsement }.encode());
	for release in [None, Some(endorsement)] {
		let call = RuntimeCall::Ordering(Call::close_group { group, release });
		assert_eq!(call.encode(), SignedCall::CloseGroup { group, release }.encode());
	}
	assert_eq!(call.encode().first(), Some(&ORDERING_PALLET));
}

#[test]
fn damaged_calls_are_not_calls() {
	let Append { group, parent, payload, next_key, endorsement } = append();
	let good = RuntimeCall::Ordering(Call::append { group, parent, payload, next_key, endorsement }).encode();
	for at in 0..good.len() {
		assert!(RuntimeCall::decode(&mut &good[..at]).is_err(), "cut at {at}");
	}
	// A payload length that no input can satisfy is refused before memory is set aside for it.
	let mut long = good.clone();
	long.splice(66..68, [0xfe, 0xff, 0xff, 0xff]);
	assert!(RuntimeCall::decode(&mut &long[..]).is_err());
	let mut unknown = good;
	unknown[1] = 3;
	assert!(RuntimeCall::decode(&mut &unknown[..]).is_err());
}

#[test]
fn a_group_can_be_read_from_its_storage_value() {
	test(|| {
		create(GROUP, 0);
		let value = sp_io::storage::get(&Groups::<Test>::hashed_key_for(GROUP)).expect("it is stored");
		let state = GroupState::decode(&mut &value[..]).expect("the value starts with it");
		assert_eq!(Some(state), Ordering::group(GROUP));
	});
}

#[test]
fn an_open_entry_can_be_read_from_its_storage_value() {
	test(|| {
		let root = create(GROUP, 0);
		Commit::new(root, 0, 1).append().expect("admitted");
		let value = sp_io::storage::get(&OpenEntries::<Test>::hashed_key_for(GROUP, root)).expect("it is stored");
		let entry = OpenEntry::decode(&mut &value[..]).expect("the value starts with it");
		assert_eq!(Some(entry), Ordering::open_entry(GROUP, root));
	});
}

#[test]
fn storage_keys_are_what_the_protocol_says() {
	let prefix = [sp_io::hashing::twox_128(b"Ordering"), sp_io::hashing::twox_128(b"Groups")].concat();
	let key = [prefix, sp_io::hashing::blake2_128(&GROUP.0).to_vec(), GROUP.0.to_vec()].concat();
	assert_eq!(Groups::<Test>::hashed_key_for(GROUP), key);
	assert_ne!(Groups::<Test>::hashed_key_for(GroupId([9; 32])), key);
}
