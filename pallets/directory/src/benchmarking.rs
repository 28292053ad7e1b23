//! Benchmarks of the calls, and of the authorisation of an event.
//!
//! Each is measured at its worst: with the signatures verified, and an identity whose state is as long as it gets. Keys live
//! in the keystore of the benchmark's host, since a runtime cannot sign, and are the same in each run.

use super::*;
use crate::recording::Signatures;
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{
	pallet_prelude::{Authorize, TransactionSource},
	traits::{
		fungible::{Inspect, Mutate},
		Get,
	},
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use lockstep_primitives::{
	identity::{
		Action, Device, Event as KeyEvent, NewDevice, Recent, RecoveryKeys, Revoked, SignedEvent, Undo, MAX_DEVICES,
	},
	BlockNumber, EventSignature, IdentityId, IdentityKey,
};
use sp_core::{crypto::KeyTypeId, ed25519};
use sp_runtime::{traits::Saturating, SaturatedConversion};

const KEY_TYPE: KeyTypeId = KeyTypeId(*b"lock");

/// The key with this number.
fn key(number: u8) -> IdentityKey {
	IdentityKey(sp_io::crypto::ed25519_generate(KEY_TYPE, Some(alloc::format!("//{number}").into_bytes())).0)
}

fn sign<T: Config>(event: KeyEvent, author: &IdentityKey, accepting: Option<&IdentityKey>) -> SignedEvent {
	let by = |key: &IdentityKey, text: Vec<u8>| {
		let signature = sp_io::crypto::ed25519_sign(KEY_TYPE, &ed25519::Public::from_raw(key.0), &text);
		EventSignature(signature.expect("the keystore holds the key").0)
	};
	let genesis = Pallet::<T>::genesis();
	SignedEvent {
		signature: by(author, event.signing_payload(&genesis)),
		acceptance: accepting.map(|key| by(key, event.acceptance_payload(&genesis))),
		event,
	}
}

fn recovery(first: u8, count: u8) -> RecoveryKeys {
	let keys: Vec<_> = (first..first.saturating_add(count)).map(|number| key(number).commitment()).collect();
	RecoveryKeys::try_from(keys).expect("there is room")
}

fn inception<T: Config>() -> SignedEvent {
	let device = NewDevice { key: key(1), next: key(2).commitment() };
	let event = KeyEvent::incept(&Pallet::<T>::genesis(), device, recovery(10, 4), None);
	sign::<T>(event, &device.key, None)
}

fn sponsor<T: Config>() -> T::AccountId
where
	T::Currency: Mutate<T::AccountId>,
{
	let sponsor: T::AccountId = whitelisted_caller();
	let funds = T::Currency::minimum_balance().saturating_add(T::IdentityDeposit::get()).saturating_mul(4u32.into());
	T::Currency::set_balance(&sponsor, funds);
	sponsor
}

fn registered<T: Config>() -> (T::AccountId, IdentityId)
where
	T::Currency: Mutate<T::AccountId>,
{
	let (sponsor, first) = (sponsor::<T>(), inception::<T>());
	let id = first.event.identity;
	Pallet::<T>::register(RawOrigin::Signed(sponsor.clone()).into(), first).expect("it can be registered");
	(sponsor, id)
}

/// Makes the state of an identity as long as it gets: devices, each added by the one before, and recent events that added
/// or rotated them.
fn crowd<T: Config>(id: &IdentityId) {
	Identities::<T>::mutate(id, |record| {
		let state = &mut record.as_mut().expect("it is registered").state;
		let block: BlockNumber = Pallet::<T>::now();
		let device = |number: u32| Device {
			number,
			key: IdentityKey([number as u8; 32]),
			next: key(2).commitment(),
			added_by: number.checked_sub(1),
			since: block,
		};
		for number in 1..MAX_DEVICES {
			let _ = state.devices.try_push(device(number));
		}
		state.next_number = MAX_DEVICES;
		for index in 1..=55 {
			let _ = state.recent.try_push(Recent { index, block, undo: Undo::Device(1) });
		}
		state.head.length = 56;
	});
}

/// A recovery that overrides all of that.
fn recovered<T: Config>(id: &IdentityId) -> SignedEvent {
	let head = Identities::<T>::get(id).expect("it is registered").state.head;
	let device = NewDevice { key: key(3), next: key(4).commitment() };
	let revoked = (1..MAX_DEVICES).map(|number| IdentityKey([number as u8; 32])).collect::<Vec<_>>();
	let action = Action::Recover {
		rank: 0,
		from: 1,
		revoked: Revoked::try_from(revoked).expect("there is room"),
		device,
		recovery: recovery(20, 4),
	};
	let author = key(10);
	let event = KeyEvent { identity: *id, index: head.length, previous: head.hash, author, action };
	sign::<T>(event, &author, Some(&device.key))
}

#[benchmarks(where T::Currency: Mutate<T::AccountId>)]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn register() {
		let (sponsor, first) = (sponsor::<T>(), inception::<T>());
		let id = first.event.identity;

		#[extrinsic_call]
		_(RawOrigin::Signed(sponsor), first);

		assert!(Identities::<T>::contains_key(id));
	}

	/// A recovery of an identity that has all it can have.
	#[benchmark]
	fn record() {
		let (_, id) = registered::<T>();
		crowd::<T>(&id);
		let event = recovered::<T>(&id);

		#[extrinsic_call]
		_(RawOrigin::Authorized, event);

		assert_eq!(Identities::<T>::get(id).expect("it is there").state.devices.len(), 2);
	}

	/// The same, with two signatures.
	#[benchmark]
	fn authorize_record() {
		let (_, id) = registered::<T>();
		crowd::<T>(&id);
		let call = Call::<T>::record { event: recovered::<T>(&id) };
		let answer;

		#[block]
		{
			answer = call.authorize(TransactionSource::External);
		}

		assert!(answer.is_some_and(|answer| answer.is_ok()));
	}

	#[benchmark]
	fn reclaim() {
		let (sponsor, id) = registered::<T>();
		let head = Identities::<T>::get(id).expect("it is registered").state.head;
		let author = key(2);
		let (index, previous) = (head.length, head.hash);
		let event = KeyEvent { identity: id, index, previous, author, action: Action::Close };
		let close = sign::<T>(event, &author, None);
		Pallet::<T>::record(RawOrigin::Authorized.into(), close).expect("it can be closed");
		let now = frame_system::Pallet::<T>::block_number();
		let after: BlockNumberFor<T> = T::RecoveryWindow::get().saturating_add(1).saturated_into();
		frame_system::Pallet::<T>::set_block_number(now.saturating_add(after));

		#[extrinsic_call]
		_(RawOrigin::Signed(sponsor), id);

		assert!(Ended::<T>::contains_key(id));
	}

	/// Without the voucher, which its own pallet measures.
	#[benchmark]
	fn register_by_voucher() {
		let (sponsor, first) = (sponsor::<T>(), inception::<T>());

		#[block]
		{
			Pallet::<T>::found(sponsor, &first, Signatures::Verified).expect("it can be registered");
		}

		assert!(Identities::<T>::contains_key(first.event.identity));
	}

	/// The same.
	#[benchmark]
	fn authorize_register_by_voucher() {
		let (sponsor, first) = (sponsor::<T>(), inception::<T>());
		let answer;

		#[block]
		{
			answer = Pallet::<T>::can_found(&first, &sponsor);
		}

		assert!(answer.is_ok());
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_bench_ext(), crate::mock::Test);
}
