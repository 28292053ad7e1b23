//! Benchmarks of the calls, of their authorisation, and of what idle blocks forget.
//!
//! Each is measured at its worst: with all signatures verified, and KeyPackages as long as one of this library is. Keys live in
//! the keystore of the benchmark's host, since a runtime cannot sign.

use super::*;
use crate::{
	claiming::MAX_PASSED,
	types::{Stored, MAX_BLOCK_CLAIMS},
};
use alloc::vec::Vec;
use frame_benchmarking::{benchmarking::add_to_whitelist, v2::*};
use frame_support::{
	pallet_prelude::{Authorize, TransactionSource},
	traits::{
		fungible::{Inspect, Mutate},
		Get,
	},
	weights::WeightMeter,
	BoundedVec,
};
use frame_system::RawOrigin;
use lockstep_primitives::{
	identity::{Device, Event as KeyEvent, NewDevice, RecoveryKeys, SignedEvent, MAX_DEVICES},
	key_package::{
		testing::Recipe, Claim, GateChange, KeyPackageBytes, Publication, SignedGateChange, SignedPublication,
		MAX_STOCK, SUITE,
	},
	voucher::{Cashier, Payment, SignedVoucher, Voucher, VoucherKind},
	EventSignature, IdentityId, IdentityKey, InitKey, SponsorId, VoucherKey, VoucherSignature,
};
use sp_core::{crypto::KeyTypeId, ed25519};
use sp_runtime::traits::Saturating;

const KEY_TYPE: KeyTypeId = KeyTypeId(*b"lock");

/// The key with this number.
fn key(number: u8) -> IdentityKey {
	IdentityKey(sp_io::crypto::ed25519_generate(KEY_TYPE, Some(alloc::format!("//{number}").into_bytes())).0)
}

fn by(key: &IdentityKey, text: &[u8]) -> EventSignature {
	let signature = sp_io::crypto::ed25519_sign(KEY_TYPE, &ed25519::Public::from_raw(key.0), text);
	EventSignature(signature.expect("the keystore holds the key").0)
}

fn hash(domain: &[u8], number: u32) -> [u8; 32] {
	sp_io::hashing::blake2_256(&[domain, &number.to_le_bytes()].concat())
}

/// A good KeyPackage of a device, with keys of its own.
fn package(identity: &IdentityId, device: &IdentityKey, number: u32) -> KeyPackageBytes {
	let bytes = Recipe::new(identity, device, number).signed(|text| by(device, text));
	bytes.try_into().expect("it is short")
}

/// A person with as many devices as one can have; only the first can sign.
fn person<T: Config>() -> (IdentityId, IdentityKey)
where
	T::Currency: Mutate<T::AccountId>,
{
	let sponsor: T::AccountId = whitelisted_caller();
	let funds = T::Currency::minimum_balance().saturating_add(T::IdentityDeposit::get()).saturating_mul(4u32.into());
	T::Currency::set_balance(&sponsor, funds);
	let device = NewDevice { key: key(1), next: key(2).commitment() };
	let genesis = Pallet::<T>::genesis();
	let event = KeyEvent::incept(&genesis, device, RecoveryKeys::default(), None);
	let identity = event.identity;
	let signature = by(&device.key, &event.signing_payload(&genesis));
	let first = SignedEvent { event, signature, acceptance: None };
	pallet_directory::Pallet::<T>::register(RawOrigin::Signed(sponsor).into(), first).expect("it can be registered");
	pallet_directory::Identities::<T>::mutate(identity, |record| {
		let state = &mut record.as_mut().expect("it is registered").state;
		for number in 1..MAX_DEVICES {
			let key = IdentityKey(hash(b"device", number));
			let next = device.next;
			let _ = state.devices.try_push(Device { number, key, next, added_by: Some(0), since: 0 });
		}
		state.next_number = MAX_DEVICES;
	});
	(identity, device.key)
}

/// So many KeyPackages in one publication, the last one as last resort.
fn publication<T: Config>(
	identity: IdentityId,
	device: IdentityKey,
	first: u32,
	count: u32,
	replace: bool,
) -> SignedPublication {
	let made = |number| package(&identity, &device, number);
	let packages: Vec<_> = (first..first + count - 1).map(made).collect();
	let publication = Publication {
		identity,
		device,
		number: Stocks::<T>::get(device).map_or(0, |stock| stock.number),
		replace,
		lapse: Pallet::<T>::now().saturating_add(1_000),
		packages: packages.try_into().expect("they are not too many"),
		last_resort: Some(made(first + count - 1)),
	};
	SignedPublication { signature: by(&device, &publication.signing_payload(&Pallet::<T>::genesis())), publication }
}

/// A full stock that is to be replaced by as many as `count`.
fn to_replace<T: Config>(count: u32) -> SignedPublication
where
	T::Currency: Mutate<T::AccountId>,
{
	let (identity, device) = person::<T>();
	let full = publication::<T>(identity, device, 0, MAX_STOCK + 1, false);
	Pallet::<T>::take(&full).expect("it is good");
	Stocks::<T>::mutate(device, |stock| {
		if let Some(stock) = stock {
			stock.allowed = T::PublishBurst::get();
		}
	});
	publication::<T>(identity, device, 1_000, count, true)
}

/// A person with so many devices, each with a stock, of which so many KeyPackages, in all, have lapsed and lie before the others.
fn target<T: Config>(devices: u32, mut lapsed: u32) -> IdentityId
where
	T::Currency: Mutate<T::AccountId>,
{
	let (identity, device) = person::<T>();
	let stored = Stored { bytes: package(&identity, &device, 0), lapse: Pallet::<T>::now().saturating_add(1_000) };
	pallet_directory::Identities::<T>::mutate(identity, |record| {
		record.as_mut().expect("it is registered").state.devices.truncate(devices as usize);
	});
	for device in Pallet::<T>::devices(&identity) {
		let stock = lockstep_primitives::key_package::Stock {
			identity,
			number: 1,
			first: 0,
			next: MAX_STOCK,
			last_resort: None,
			must_replace: None,
			allowed: 0,
			allowed_at: 0,
		};
		Stocks::<T>::insert(device, stock);
		let before = lapsed.min(MAX_PASSED - 1);
		lapsed -= before;
		(0..before).for_each(|place| {
			KeyPackages::<T>::insert(device, place, Stored { lapse: 0, ..stored.clone() });
		});
		KeyPackages::<T>::insert(device, before, stored.clone());
	}
	frame_system::Pallet::<T>::set_block_number(2u32.into());
	// Written once for all claims of a block: `on_initialize` has paid for it.
	add_to_whitelist(ClaimsOf::<T>::hashed_key_for(2u32).into());
	identity
}

/// A claim of a person, through its gate if it is to have one, and what pays for it.
fn claim_of<T: Config>(target: IdentityId, gated: bool) -> (Claim, Payment)
where
	T::Currency: Mutate<T::AccountId>,
{
	let genesis = Pallet::<T>::genesis();
	let (sponsor, voucher) = (key(4), key(5));
	let mut claim = Claim { target, suites: alloc::vec![SUITE].try_into().expect("it is short"), gate: None };
	if gated {
		Gates::<T>::insert(target, key(3));
		let text = claim.gate_payload(&genesis, &VoucherKey(voucher.0));
		claim.gate = Some(VoucherSignature(by(&key(3), &text).0));
	}
	let signed = |key: &IdentityKey, text: &[u8]| VoucherSignature(by(key, text).0);
	let voucher_of = Voucher {
		kind: VoucherKind::Claim,
		key: VoucherKey(voucher.0),
		sponsor: SponsorId(sponsor.0),
		expiry: Pallet::<T>::now().saturating_add(T::ClaimLife::get()).saturating_add(100),
	};
	let spent = signed(&voucher, &voucher_of.spending_payload(&genesis, &claim.order()));
	let signature = signed(&sponsor, &voucher_of.signing_payload(&genesis));
	let funds = T::Currency::minimum_balance().saturating_add(T::ClaimDeposit::get()).saturating_mul(4u32.into());
	T::Currency::set_balance(&T::Vouchers::sponsor(&voucher_of), funds);
	(claim, Payment { voucher: SignedVoucher { voucher: voucher_of, signature }, spent })
}

fn gate_change<T: Config>() -> SignedGateChange
where
	T::Currency: Mutate<T::AccountId>,
{
	let (identity, device) = person::<T>();
	let change = GateChange { identity, device, number: 0, gate: Some(key(3)) };
	SignedGateChange { signature: by(&device, &change.signing_payload(&Pallet::<T>::genesis())), change }
}

fn meter() -> WeightMeter {
	WeightMeter::with_limit(frame_support::weights::Weight::MAX)
}

#[benchmarks(where T::Currency: Mutate<T::AccountId>)]
mod benchmarks {
	use super::*;

	/// In the place of a full stock.
	#[benchmark]
	fn publish(n: Linear<1, { MAX_STOCK + 1 }>) {
		let signed = to_replace::<T>(n);
		let device = signed.publication.device;

		#[extrinsic_call]
		_(RawOrigin::Authorized, signed);

		assert_eq!(Stocks::<T>::get(device).expect("it is there").left(), n - 1);
	}

	#[benchmark]
	fn authorize_publish(n: Linear<1, { MAX_STOCK + 1 }>) {
		let call = Call::<T>::publish { signed: to_replace::<T>(n) };
		let answer;

		#[block]
		{
			answer = call.authorize(TransactionSource::External);
		}

		assert!(answer.is_some_and(|answer| answer.is_ok()));
	}

	#[benchmark]
	fn set_gate() {
		let signed = gate_change::<T>();

		#[extrinsic_call]
		_(RawOrigin::Authorized, signed);

		assert!(Gates::<T>::contains_key(signed.change.identity));
	}

	#[benchmark]
	fn authorize_set_gate() {
		let call = Call::<T>::set_gate { signed: gate_change::<T>() };
		let answer;

		#[block]
		{
			answer = call.authorize(TransactionSource::External);
		}

		assert!(answer.is_some_and(|answer| answer.is_ok()));
	}

	/// The whole of it, authorised and dispatched, as it is in a block.
	#[benchmark]
	fn claim(d: Linear<1, MAX_DEVICES>) {
		let (asked, payment) = claim_of::<T>(target::<T>(d, 0), false);
		let voucher = payment.voucher.voucher.key;
		let call = Call::<T>::claim { claim: asked.clone(), payment };
		let (authorised, given);

		#[block]
		{
			authorised = call.authorize(TransactionSource::External);
			given = Pallet::<T>::claim(RawOrigin::Authorized.into(), asked, payment);
		}

		assert!(authorised.is_some_and(|answer| answer.is_ok()) && given.is_ok());
		assert_eq!(Pallet::<T>::claimed(voucher).expect("it is kept").packages.len() as u32, d);
	}

	#[benchmark]
	fn authorize_claim(d: Linear<1, MAX_DEVICES>) {
		let (asked, payment) = claim_of::<T>(target::<T>(d, 0), false);
		let call = Call::<T>::claim { claim: asked, payment };
		let answer;

		#[block]
		{
			answer = call.authorize(TransactionSource::External);
		}

		assert!(answer.is_some_and(|answer| answer.is_ok()));
	}

	/// What a gate costs beside that.
	#[benchmark]
	fn pass_gate() {
		let (asked, payment) = claim_of::<T>(target::<T>(1, 0), true);
		let passed;

		#[block]
		{
			passed = Pallet::<T>::pass_gate(&asked, &payment.voucher.voucher.key);
		}

		assert!(passed.is_ok());
	}

	/// KeyPackages that have lapsed, twice looked at, and cleared away: with the stocks in which they are.
	#[benchmark]
	fn pass_over(p: Linear<1, { MAX_DEVICES * (MAX_PASSED - 1) }>) {
		let identity = target::<T>(p.div_ceil(MAX_PASSED - 1), p);
		let devices = Pallet::<T>::devices(&identity);
		let given;

		#[block]
		{
			let _ = Pallet::<T>::pick(&identity, &devices);
			let picked = Pallet::<T>::pick(&identity, &devices);
			given = picked.map(|picked| picked.picks.into_iter().filter_map(Pallet::<T>::hand_out).count());
		}

		assert_eq!(given.ok(), Some(devices.len()));
		assert!(!KeyPackages::<T>::contains_key(devices[0], 0));
	}

	#[benchmark]
	fn tidy_nothing() {
		#[block]
		{
			Pallet::<T>::tidy(<T as Config>::WeightInfo::tidy_nothing());
		}
	}

	/// A claim that got as much as one can.
	#[benchmark]
	fn forget_claim() {
		let (asked, payment) = claim_of::<T>(target::<T>(MAX_DEVICES, 0), false);
		let voucher = payment.voucher.voucher.key;
		Pallet::<T>::give(&asked, &payment).expect("it can be met");
		let block = Pallet::<T>::now().saturating_add(T::ClaimLife::get()).saturating_add(1);
		frame_system::Pallet::<T>::set_block_number(block.into());

		#[block]
		{
			Pallet::<T>::forget_claim(&voucher);
		}

		assert!(!Claims::<T>::contains_key(voucher));
	}

	/// One with as many claims as there can be in one, of which none is forgotten yet.
	#[benchmark]
	fn forget_block() {
		let vouchers: Vec<_> = (0..MAX_BLOCK_CLAIMS).map(|number| VoucherKey(hash(b"voucher", number))).collect();
		ClaimsOf::<T>::insert(0, BoundedVec::truncate_from(vouchers));
		frame_system::Pallet::<T>::set_block_number(T::ClaimLife::get().saturating_add(1).into());
		let mut meter = WeightMeter::with_limit(<T as Config>::WeightInfo::forget_block());

		#[block]
		{
			Pallet::<T>::forget_claims(&mut meter);
		}

		assert_eq!(ClaimsOf::<T>::decode_len(0), Some(MAX_BLOCK_CLAIMS as usize));
	}

	/// All of a publication.
	#[benchmark]
	fn forget_init_keys() {
		let device = IdentityKey([1; 32]);
		let keys: Vec<InitKey> = (0..=MAX_STOCK).map(|number| InitKey(hash(b"init", number))).collect();
		let identity = IdentityId([2; 32]);
		keys.iter().for_each(|key| InitKeys::<T>::insert((identity, key), (1, 0)));
		Lapsing::<T>::insert(0, (identity, device, 0), crate::types::InitKeysOf::try_from(keys).expect("they fit"));
		frame_system::Pallet::<T>::set_block_number(T::Period::get().saturating_mul(2).into());

		#[block]
		{
			Pallet::<T>::forget_init_keys(&mut meter());
		}

		assert_eq!(InitKeys::<T>::iter_values().count(), 0);
	}

	/// A full one.
	#[benchmark]
	fn clear_stock() {
		let signed = to_replace::<T>(1);
		let device = signed.publication.device;
		Leaving::<T>::insert(device, ());

		#[block]
		{
			Pallet::<T>::clear_leaving(&mut meter());
		}

		assert!(!Stocks::<T>::contains_key(device));
	}

	/// A full one.
	#[benchmark]
	fn clear_lapsed() {
		let signed = to_replace::<T>(1);
		let device = signed.publication.device;
		frame_system::Pallet::<T>::set_block_number(signed.publication.lapse.saturating_add(1).into());

		#[block]
		{
			Pallet::<T>::clear_lapsed(&mut meter());
		}

		let stock = Stocks::<T>::get(device).expect("it is there");
		assert_eq!((stock.left(), stock.last_resort), (0, None));
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_bench_ext(), crate::mock::Test);
}
