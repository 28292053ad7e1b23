//! `create_group` and `create_group_by_voucher`: what they make, and what they refuse.

use crate::{mock::*, Call, Error, Event, HoldReason, OpenEntries};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::GetDispatchInfo,
	traits::{fungible::InspectHold, Authorize},
};
use lockstep_primitives::{
	extrinsic::Founding,
	payload_hash,
	voucher::{Payment, VoucherRefusal},
	Budget, Endorsement, EntryHash, GenesisHash, GroupId, OpenEntry, Refusal,
};
use sp_runtime::{
	traits::{Applyable, Checkable, Dispatchable},
	transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError},
	DispatchError, TokenError,
};

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

/// What the pool is told, and what the block does.
fn buy(group: GroupId, number: u32, endorsement: Endorsement, payment: &Payment) -> Result<(), u8> {
	let call = Call::create_group_by_voucher { group, next_key: public(&key(number)), endorsement, payment: *payment };
	let call = RuntimeCall::Ordering(call);
	let validity = call.authorize(TransactionSource::External).expect("it authorises itself");
	let code = |error| match error {
		TransactionValidityError::Invalid(InvalidTransaction::Custom(code)) => code,
		other => panic!("unexpected answer {other:?}"),
	};
	validity.map_err(code)?;
	let extrinsic = Extrinsic::new_transaction(call, (frame_system::AuthorizeCall::<Test>::new(),));
	let info = extrinsic.get_dispatch_info();
	let checked = Checkable::check(extrinsic, &frame_system::ChainContext::<Test>::default()).expect("no signature");
	checked.apply::<Test>(&info, 0).map_err(code)?.expect("what is authorised does not fail in the same state");
	Ok(())
}

fn order(group: GroupId, number: u32) -> (Endorsement, Vec<u8>) {
	let (next_key, endorsement) = (public(&key(number)), self_endorsement(GENESIS, group, &key(number)));
	(endorsement, Founding { group, next_key, endorsement }.order())
}

#[test]
fn a_voucher_creates_a_group_at_the_cost_of_whoever_gave_it_away() {
	test(|| {
		let (endorsement, wanted) = order(GROUP, 0);
		assert_eq!(buy(GROUP, 0, endorsement, &pay(SPONSOR, 901, 50, &wanted)), Ok(()));
		assert_eq!(Balances::balance_on_hold(&HoldReason::Group.into(), &SPONSOR), DEPOSIT);
		assert_eq!(Balances::free_balance(SPONSOR), FUNDS - DEPOSIT, "no fee");
		let first = head(GROUP);
		assert_ok!(Commit::new(first, 0, 1).append());
		// The same voucher for another group, in this block and a later one; and another voucher for the same group.
		let (other, elsewhere) = order(OTHER_GROUP, 0);
		let again = pay(SPONSOR, 901, 50, &elsewhere);
		assert_eq!(buy(OTHER_GROUP, 0, other, &again), Err(VoucherRefusal::Spent.code()));
		next_block();
		assert_eq!(buy(OTHER_GROUP, 0, other, &again), Err(VoucherRefusal::Spent.code()));
		let exists = Err(Refusal::GroupExists.code());
		assert_eq!(buy(GROUP, 0, endorsement, &pay(SPONSOR, 902, 50, &wanted)), exists);
		assert_eq!(buy(OTHER_GROUP, 0, other, &pay(SPONSOR, 902, 50, &elsewhere)), Ok(()));
	});
}

#[test]
fn whatever_is_refused_spends_no_voucher_and_holds_nothing() {
	test(|| {
		let (endorsement, wanted) = order(GROUP, 0);
		let root = || sp_io::storage::root(sp_core::storage::StateVersion::V1);
		let before = root();
		let refused = |endorsement, payment: &Payment, code: u8| {
			assert_eq!(buy(GROUP, 0, endorsement, payment), Err(code));
			assert_eq!(root(), before);
		};
		let good = pay(SPONSOR, 901, 50, &wanted);
		let forged = self_endorsement(GENESIS, GROUP, &key(1));
		let wrong = Founding { group: GROUP, next_key: public(&key(0)), endorsement: forged }.order();
		refused(forged, &pay(SPONSOR, 901, 50, &wrong), Refusal::BadEndorsement.code());
		let (_, elsewhere) = order(OTHER_GROUP, 0);
		refused(endorsement, &pay(SPONSOR, 901, 50, &elsewhere), VoucherRefusal::BadSpending.code());
		refused(endorsement, &pay(99, 901, 50, &wanted), VoucherRefusal::NoFunds.code());
		refused(endorsement, &pay(SPONSOR, 901, 0, &wanted), VoucherRefusal::Expired.code());
		refused(endorsement, &pay(SPONSOR, 901, 102, &wanted), VoucherRefusal::TooLong.code());
		assert_eq!(buy(GROUP, 0, endorsement, &good), Ok(()));
	});
}

#[test]
fn only_what_was_authorised_creates_a_group_by_voucher() {
	test(|| {
		let (endorsement, wanted) = order(GROUP, 0);
		let payment = pay(99, 901, 50, &wanted);
		for origin in [RuntimeOrigin::none(), RuntimeOrigin::root(), RuntimeOrigin::signed(SPONSOR)] {
			let created = Ordering::create_group_by_voucher(origin, GROUP, public(&key(0)), endorsement, payment);
			assert_noop!(created, DispatchError::BadOrigin);
		}
		// What fails all the same takes nothing with it.
		let call =
			Call::<Test>::create_group_by_voucher { group: GROUP, next_key: public(&key(0)), endorsement, payment };
		let failed = RuntimeCall::Ordering(call).dispatch(frame_system::RawOrigin::Authorized.into());
		assert_eq!(failed.map(drop).map_err(|error| error.error), Err(TokenError::FundsUnavailable.into()));
		assert!(!Vouchers::is_spent(&payment.voucher.voucher));
	});
}

/// The pool holds one use of a voucher, and one creation of a group.
#[test]
fn in_the_pool_a_voucher_is_used_once() {
	test(|| {
		let tags = |group, voucher| {
			let (endorsement, wanted) = order(group, 0);
			let (next_key, payment) = (public(&key(0)), pay(SPONSOR, voucher, 50, &wanted));
			let call = Call::create_group_by_voucher { group, next_key, endorsement, payment };
			let answer = RuntimeCall::Ordering(call).authorize(TransactionSource::External);
			answer.expect("it authorises itself").expect("it is good").0.provides
		};
		let common = |a: Vec<Vec<u8>>, b: Vec<Vec<u8>>| a.iter().filter(|tag| b.contains(tag)).count();
		assert_eq!(common(tags(GROUP, 901), tags(OTHER_GROUP, 901)), 1);
		assert_eq!(common(tags(GROUP, 901), tags(GROUP, 902)), 1);
		assert_eq!(common(tags(GROUP, 901), tags(OTHER_GROUP, 902)), 0);
	});
}
