//! `create_group`: what it makes, and what it refuses.

use crate::{mock::*, Error, Event, HoldReason, OpenEntries};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use lockstep_primitives::{payload_hash, Budget, Endorsement, EntryHash, GenesisHash, OpenEntry};
use sp_runtime::{DispatchError, TokenError};

fn create_by(sponsor: u64, number: u32, endorsement: Endorsement) -> sp_runtime::DispatchResult {
	Ordering::create_group(RuntimeOrigin::signed(sponsor), GROUP, public(&key(number)), endorsement)
}

#[test]
fn entry_zero_opens_epoch_zero() {
	test(|| {
		run_to(4);
		System::set_extrinsic_index(3);
		let first = create(GROUP, 0);
		let state = Ordering::group(GROUP).expect("the group is open");
		assert_eq!((state.head.length, state.last_entry_at, state.open_entries, state.contested), (1, 4, 1, false));
		let expected = OpenEntry {
			index: 0,
			depth: 0,
			next_key: public(&key(0)),
			block: 4,
			extrinsic_index: 3,
			children: 0,
			first_child_at: 0,
			last_child_at: 0,
			budget: Budget { entries: ENTRY_CAPACITY, bytes: BYTE_CAPACITY, at: 4 },
		};
		assert_eq!(entry(GROUP, first), expected);
		let listed = Ordering::block_entries();
		let body = listed.first().expect("entry 0 is listed").body;
		assert_eq!((body.parent, body.payload_hash, body.payload_len), (empty_head(GROUP), payload_hash(&[]), 0));
		System::assert_has_event(Event::GroupCreated { group: GROUP, entry: first }.into());
	});
}

#[test]
fn the_sponsor_pays_a_deposit_for_each_group() {
	test(|| {
		create(GROUP, 0);
		create(OTHER_GROUP, 1);
		assert_eq!(Balances::balance_on_hold(&HoldReason::Group.into(), &SPONSOR), 2 * DEPOSIT);
		assert_eq!(Balances::free_balance(SPONSOR), FUNDS - 2 * DEPOSIT);
		assert_eq!(Ordering::group_count(), 2);
	});
}

#[test]
fn a_sponsor_without_funds_is_refused() {
	test(|| {
		let endorsement = self_endorsement(GENESIS, GROUP, &key(0));
		assert_noop!(create_by(99, 0, endorsement), TokenError::FundsUnavailable);
	});
}

#[test]
fn the_creator_must_hold_the_key() {
	test(|| {
		// Endorsed by another key than the one it names.
		assert_noop!(create_by(SPONSOR, 0, self_endorsement(GENESIS, GROUP, &key(1))), Error::<Test>::BadEndorsement);
		// Made for another group, and for another chain.
		let elsewhere = self_endorsement(GENESIS, OTHER_GROUP, &key(0));
		assert_noop!(create_by(SPONSOR, 0, elsewhere), Error::<Test>::BadEndorsement);
		let elsewhere = self_endorsement(GenesisHash([8; 32]), GROUP, &key(0));
		assert_noop!(create_by(SPONSOR, 0, elsewhere), Error::<Test>::BadEndorsement);
		assert_noop!(create_by(SPONSOR, 0, Endorsement([0; 64])), Error::<Test>::BadEndorsement);
	});
}

#[test]
fn an_open_group_cannot_be_created_again() {
	test(|| {
		create(GROUP, 0);
		let endorsement = self_endorsement(GENESIS, GROUP, &key(1));
		assert_noop!(create_by(OTHER, 1, endorsement), Error::<Test>::GroupExists);
	});
}

#[test]
fn only_an_account_creates_groups() {
	test(|| {
		let endorsement = self_endorsement(GENESIS, GROUP, &key(0));
		for origin in [RuntimeOrigin::none(), RuntimeOrigin::root(), frame_system::RawOrigin::Authorized.into()] {
			assert_noop!(Ordering::create_group(origin, GROUP, public(&key(0)), endorsement), DispatchError::BadOrigin);
		}
	});
}

#[test]
fn groups_have_logs_of_their_own() {
	test(|| {
		let first = create(GROUP, 0);
		let second = create(OTHER_GROUP, 0);
		assert_ne!(first, second);
		assert!(OpenEntries::<Test>::get(GROUP, second).is_none());
		assert_ok!(Commit::new(first, 0, 1).append());
		assert_eq!(head(OTHER_GROUP), second);
		assert_ne!(head(GROUP), EntryHash([0; 32]));
	});
}
