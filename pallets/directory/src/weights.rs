//! Weights of `pallet_directory`, until they are measured by `make weights`.

#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::weights::Weight;

/// What the calls and hooks of `pallet_directory` cost.
pub trait WeightInfo {
	fn register() -> Weight;
	fn record() -> Weight;
	fn authorize_record() -> Weight;
	fn reclaim() -> Weight;
}

pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn register() -> Weight {
		Weight::from_parts(1_000_000_000, 0)
	}
	fn record() -> Weight {
		Weight::from_parts(1_000_000_000, 0)
	}
	fn authorize_record() -> Weight {
		Weight::from_parts(1_000_000_000, 0)
	}
	fn reclaim() -> Weight {
		Weight::from_parts(1_000_000_000, 0)
	}
}

impl WeightInfo for () {
	fn register() -> Weight {
		Weight::zero()
	}
	fn record() -> Weight {
		Weight::zero()
	}
	fn authorize_record() -> Weight {
		Weight::zero()
	}
	fn reclaim() -> Weight {
		Weight::zero()
	}
}
