//! Benchmark of setting the validators, at its worst: all of them new.

use super::*;
use alloc::vec::Vec;
use codec::Decode;
use frame_benchmarking::v2::*;
use frame_support::traits::{EnsureOrigin, Get};
use sp_runtime::traits::TrailingZeroInput;

/// An account with session keys. The call looks only at whether there are any, so all zeros will do.
fn validator<T: Config>(number: u32) -> T::AccountId {
	let account: T::AccountId = account("validator", number, 0);
	let keys = T::Keys::decode(&mut TrailingZeroInput::zeroes()).expect("keys are fixed-length byte strings");
	pallet_session::NextKeys::<T>::insert(&account, keys);
	account
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn set_validators(
		n: Linear<{ T::MinValidators::get() }, { T::MaxValidators::get() }>,
	) -> Result<(), BenchmarkError> {
		let origin = T::SetOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let validators: Vec<_> = (0..n).map(validator::<T>).collect();

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, validators);

		assert_eq!(length(&Validators::<T>::get()), n);
		assert!(ChangeWaits::<T>::get());
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
