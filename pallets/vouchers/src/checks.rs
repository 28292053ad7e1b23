//! What must hold: of the constants, before a node starts, and of the state, always.

#[cfg(feature = "std")]
impl<T: crate::Config> crate::Pallet<T> {
	/// Panics if the runtime's constants do not fit together, for `integrity_test`.
	pub(crate) fn check_constants() {
		use crate::WeightInfo;
		use frame_support::traits::Get;

		assert!(T::Period::get() >= 1, "Period must be at least one block");
		assert!(T::LongestVoucher::get() >= T::Period::get(), "LongestVoucher must be at least a Period");
		assert!(T::MaxForgotten::get() >= 1, "MaxForgotten must be at least one, or none is ever forgotten");
		let one = T::WeightInfo::forget_nothing().saturating_add(T::WeightInfo::forget_one());
		assert!(one.all_lte(T::BlockWeights::get().max_block), "a block must be able to forget a voucher");
	}
}

#[cfg(any(feature = "try-runtime", test))]
impl<T: crate::Config> crate::Pallet<T> {
	/// Checks the whole state; says which rule does not hold.
	pub(crate) fn check_state() -> Result<(), &'static str> {
		use crate::{Oldest, Spent};
		use frame_support::{ensure, traits::Get};

		let oldest = Oldest::<T>::get();
		ensure!(oldest <= Self::period(Self::now()), "a period that is not over was forgotten");
		for (period, voucher, ()) in Spent::<T>::iter() {
			ensure!(period == Self::period(voucher.expiry), "a voucher is in another period than that of its expiry");
			ensure!(period >= oldest, "a voucher is in a period that was forgotten");
			let last = Self::now().saturating_add(T::LongestVoucher::get());
			ensure!(voucher.expiry <= last, "a voucher lasts longer than any may");
		}
		Ok(())
	}
}
