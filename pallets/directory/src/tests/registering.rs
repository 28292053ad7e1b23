//! `register` and `register_by_voucher`: what they make, and what they refuse.

use crate::{mock::*, Call, Error, Event as Happened, HoldReason, Identities};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::GetDispatchInfo,
	traits::{fungible::InspectHold, Authorize},
};
use frame_system::RawOrigin;
use lockstep_primitives::{
	identity::{Action, IdentityRefusal, SignedEvent},
	voucher::{Payment, VoucherKind, VoucherRefusal},
};
use sp_runtime::{
	traits::{Applyable, Checkable, Dispatchable},
	transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError},
	DispatchError, TokenError,
};

#[test]
fn the_first_event_makes_an_identity_and_its_sponsor_pays() {
	test(|| {
		let first = inception(1, 101, &[201]);
		let id = first.event.identity;
		assert_ok!(register(&first));
		let state = state(id);
		assert_eq!((state.head.length, state.devices.len(), state.recent.len()), (1, 1, 0));
		assert_eq!(Balances::balance_on_hold(&HoldReason::Identity.into(), &SPONSOR), DEPOSIT);
		System::assert_has_event(Happened::IdentityRegistered { identity: id, entry: state.head.hash }.into());
		System::assert_has_event(Happened::DeviceAdded { identity: id, key: key(1) }.into());
	});
}

#[test]
fn an_identity_is_registered_once_and_a_key_is_in_one() {
	test(|| {
		let first = inception(1, 101, &[201]);
		assert_ok!(register(&first));
		assert_noop!(register(&first), Error::<Test>::IdentityExists);
		// the same key in another identity, and in another place of it
		assert_noop!(register(&inception(1, 102, &[])), Error::<Test>::KeyUsed);
		let other = inception(2, 102, &[]);
		assert_ok!(register(&other));
		let stolen = next(other.event.identity, 2, Action::AddDevice(device(1, 103)), Some(1));
		assert_refused(&stolen, IdentityRefusal::KeyUsed);
	});
}

#[test]
fn what_is_no_first_event_registers_nothing() {
	test(|| {
		let mut forged = inception(1, 101, &[201]);
		forged.signature.0[5] ^= 1;
		assert_noop!(register(&forged), Error::<Test>::BadSignature);
		let mut named = inception(1, 101, &[201]);
		named.event.identity.0[0] ^= 1;
		assert_noop!(register(&named), Error::<Test>::WrongId);
		let mut other = inception(1, 101, &[201]);
		other.event.action = Action::Close;
		assert_noop!(register(&other), Error::<Test>::BadInception);
		assert_eq!(Identities::<Test>::count(), 0);
	});
}

#[test]
fn only_an_account_with_funds_registers() {
	test(|| {
		let first = inception(1, 101, &[201]);
		let by = |origin| Directory::register(origin, first.clone());
		assert_noop!(by(RuntimeOrigin::signed(99)), TokenError::FundsUnavailable);
		for origin in [RuntimeOrigin::none(), RuntimeOrigin::root(), frame_system::RawOrigin::Authorized.into()] {
			assert_noop!(by(origin), DispatchError::BadOrigin);
		}
	});
}

/// What the pool is told, and what the block does.
fn buy(first: &SignedEvent, payment: &Payment) -> Result<(), u8> {
	let call = RuntimeCall::Directory(Call::register_by_voucher { event: first.clone(), payment: *payment });
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

fn bought(first: &SignedEvent, voucher: u32) -> Payment {
	pay(SPONSOR, VoucherKind::Register, voucher, 50, &first.order())
}

#[test]
fn a_voucher_registers_at_the_cost_of_whoever_gave_it_away() {
	test(|| {
		let first = inception(1, 101, &[201]);
		assert_eq!(buy(&first, &bought(&first, 901)), Ok(()));
		let record = Identities::<Test>::get(first.event.identity).expect("it is registered");
		assert_eq!((record.sponsor, record.deposit), (SPONSOR, DEPOSIT));
		assert_eq!(Balances::balance_on_hold(&HoldReason::Identity.into(), &SPONSOR), DEPOSIT);
		assert_eq!(Balances::free_balance(SPONSOR), FUNDS - DEPOSIT, "no fee");
		assert_eq!(Directory::block_events(), [first]);
		// The same voucher for somebody else, in this block and a later one.
		let second = inception(2, 102, &[]);
		assert_eq!(buy(&second, &bought(&second, 901)), Err(VoucherRefusal::Spent.code()));
		skip(1);
		assert_eq!(buy(&second, &bought(&second, 901)), Err(VoucherRefusal::Spent.code()));
		assert_eq!(buy(&second, &bought(&second, 902)), Ok(()));
	});
}

#[test]
fn whatever_is_refused_spends_no_voucher_and_holds_nothing() {
	test(|| {
		let first = inception(1, 101, &[201]);
		let payment = bought(&first, 901);
		let root = || sp_io::storage::root(sp_core::storage::StateVersion::V1);
		let before = root();
		let refused = |first: &SignedEvent, payment: &Payment, code: u8| {
			assert_eq!(buy(first, payment), Err(code));
			assert_eq!(root(), before);
		};
		let mut forged = first.clone();
		forged.signature.0[0] ^= 1;
		refused(&forged, &bought(&forged, 901), IdentityRefusal::BadSignature.code());
		let other = inception(2, 102, &[]);
		refused(&other, &payment, VoucherRefusal::BadSpending.code());
		let group = pay(SPONSOR, VoucherKind::CreateGroup, 901, 50, &first.order());
		refused(&first, &group, VoucherRefusal::WrongKind.code());
		let poor = pay(99, VoucherKind::Register, 901, 50, &first.order());
		refused(&first, &poor, VoucherRefusal::NoFunds.code());
		refused(&first, &pay(SPONSOR, VoucherKind::Register, 901, 0, &first.order()), VoucherRefusal::Expired.code());

		assert_ok!(register(&first));
		assert_eq!(buy(&first, &payment), Err(IdentityRefusal::IdentityExists.code()));
		// What was refused can be spent on something else.
		assert_eq!(buy(&other, &bought(&other, 901)), Ok(()));
	});
}

/// What is authorised and fails all the same, as when the state has changed since, takes nothing with it.
#[test]
fn a_dispatch_that_fails_gives_the_voucher_back() {
	test(|| {
		let first = inception(1, 101, &[201]);
		let payment = pay(99, VoucherKind::Register, 901, 50, &first.order());
		let call = RuntimeCall::Directory(Call::register_by_voucher { event: first.clone(), payment });
		let failed = call.dispatch(RawOrigin::Authorized.into()).map_err(|error| error.error);
		assert_eq!(failed.map(drop), Err(TokenError::FundsUnavailable.into()));
		assert!(!Vouchers::is_spent(&payment.voucher.voucher));
		for origin in [RuntimeOrigin::none(), RuntimeOrigin::root(), RuntimeOrigin::signed(SPONSOR)] {
			assert_noop!(
				Directory::register_by_voucher(origin, first.clone(), bought(&first, 901)),
				DispatchError::BadOrigin
			);
		}
	});
}

/// The pool holds one use of a voucher, and one event for a place.
#[test]
fn in_the_pool_a_voucher_is_used_once() {
	test(|| {
		let tags = |first: &SignedEvent, voucher| {
			let payment = bought(first, voucher);
			let call = RuntimeCall::Directory(Call::register_by_voucher { event: first.clone(), payment });
			let answer = call.authorize(TransactionSource::External).expect("it authorises itself");
			answer.expect("it is good").0.provides
		};
		let (first, second) = (inception(1, 101, &[201]), inception(2, 102, &[]));
		let common = |a: Vec<Vec<u8>>, b: Vec<Vec<u8>>| a.iter().filter(|tag| b.contains(tag)).count();
		assert_eq!(common(tags(&first, 901), tags(&second, 901)), 1);
		assert_eq!(common(tags(&first, 901), tags(&first, 902)), 1);
		assert_eq!(common(tags(&first, 901), tags(&second, 902)), 0);
	});
}
