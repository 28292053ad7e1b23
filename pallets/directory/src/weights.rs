//! Weights of `pallet_directory`.

use frame_support::weights::Weight;

/// What the calls of `pallet_directory` cost.
pub trait WeightInfo {
	/// [`Call::register`](crate::Call::register).
	fn register() -> Weight;
	/// [`Call::record`](crate::Call::record).
	fn record() -> Weight;
	/// Authorising it.
	fn authorize_record() -> Weight;
	/// [`Call::reclaim`](crate::Call::reclaim).
	fn reclaim() -> Weight;
}

/// For tests: nothing costs anything.
#[cfg(test)]
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
