//! Benchmarks of taking a payment and of forgetting.

use super::*;
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{traits::Get, weights::Weight};
use frame_system::pallet_prelude::BlockNumberFor;
use lockstep_primitives::{
	voucher::{Cashier, Payment, SignedVoucher, Voucher, VoucherKind},
	SponsorId, VoucherKey, VoucherSignature,
};
use sp_core::{crypto::KeyTypeId, ed25519};
use sp_runtime::SaturatedConversion;

const KEY_TYPE: KeyTypeId = KeyTypeId(*b"lock");
/// The longest order there is: the first event of an identity.
const ORDER: [u8; 1024] = [42; 1024];

fn key(number: u8) -> [u8; 32] {
	sp_io::crypto::ed25519_generate(KEY_TYPE, Some(alloc::format!("//{number}").into_bytes())).0
}

fn sign(key: &[u8; 32], text: Vec<u8>) -> VoucherSignature {
	let signature = sp_io::crypto::ed25519_sign(KEY_TYPE, &ed25519::Public::from_raw(*key), &text);
	VoucherSignature(signature.expect("the keystore holds the key").0)
}

fn payment<T: Config>() -> Payment {
	let (sponsor, key) = (key(1), key(2));
	let expiry = Pallet::<T>::now().saturating_add(1);
	let voucher = Voucher { kind: VoucherKind::Register, key: VoucherKey(key), sponsor: SponsorId(sponsor), expiry };
	let genesis = Pallet::<T>::genesis();
	Payment {
		voucher: SignedVoucher { voucher, signature: sign(&sponsor, voucher.signing_payload(&genesis)) },
		spent: sign(&key, voucher.spending_payload(&genesis, &ORDER)),
	}
}

fn after_period<T: Config>() {
	let next = Pallet::<T>::now().saturating_add(T::Period::get()).saturating_add(1);
	let next: BlockNumberFor<T> = next.saturated_into();
	frame_system::Pallet::<T>::set_block_number(next);
}

#[benchmarks]
mod benchmarks {
	use super::*;

	/// With both signatures verified.
	#[benchmark]
	fn check() {
		let payment = payment::<T>();
		let answer;

		#[block]
		{
			answer = Pallet::<T>::check(VoucherKind::Register, &payment, &ORDER);
		}

		assert!(answer.is_ok());
	}

	#[benchmark]
	fn spend() {
		let payment = payment::<T>();
		let answer;

		#[block]
		{
			answer = Pallet::<T>::spend(VoucherKind::Register, &payment, &ORDER);
		}

		assert!(answer.is_ok());
		assert!(Pallet::<T>::is_spent(&payment.voucher.voucher));
	}

	/// A period that has none goes.
	#[benchmark]
	fn forget_nothing() {
		after_period::<T>();
		let oldest = Oldest::<T>::get();

		#[block]
		{
			let _ = Pallet::<T>::forget(Weight::MAX);
		}

		assert!(Oldest::<T>::get() > oldest);
	}

	/// What one voucher takes, and its period with it.
	#[benchmark]
	fn forget_one() {
		let payment = payment::<T>();
		Pallet::<T>::spend(VoucherKind::Register, &payment, &ORDER).expect("it is good");
		Oldest::<T>::put(Pallet::<T>::period(payment.voucher.voucher.expiry));
		after_period::<T>();

		#[block]
		{
			let _ = Pallet::<T>::forget(Weight::MAX);
		}

		assert!(!Pallet::<T>::is_spent(&payment.voucher.voucher));
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_bench_ext(), crate::mock::Test);
}
