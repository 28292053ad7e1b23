//! `register`: what it makes, and what it refuses.

use crate::{mock::*, Error, Event as Happened, HoldReason, Identities};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use lockstep_primitives::identity::Action;
use sp_runtime::{DispatchError, TokenError};

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
		assert_refused(&stolen, lockstep_primitives::identity::IdentityRefusal::KeyUsed);
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
