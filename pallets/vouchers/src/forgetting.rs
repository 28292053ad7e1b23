//! Forgetting vouchers that have expired, in bounded work.

use crate::{Config, Oldest, Pallet, Spent, WeightInfo};
use frame_support::{
	traits::Get,
	weights::{Weight, WeightMeter},
};

impl<T: Config> Pallet<T> {
	/// Forgets vouchers of the oldest period that is over, for `on_idle`.
	pub(crate) fn forget(limit: Weight) -> Weight {
		let mut meter = WeightMeter::with_limit(limit);
		if meter.try_consume(T::WeightInfo::forget_nothing()).is_err() {
			return meter.consumed();
		}
		let (oldest, current) = (Oldest::<T>::get(), Self::period(Self::now()));
		if oldest >= current {
			return meter.consumed();
		}
		// The keys of a period are read one by one, so that no more are removed than were paid for.
		let mut forgotten = 0u32;
		for voucher in Spent::<T>::iter_key_prefix(oldest) {
			if forgotten >= T::MaxForgotten::get() || meter.try_consume(T::WeightInfo::forget_one()).is_err() {
				return meter.consumed();
			}
			Spent::<T>::remove(oldest, voucher);
			forgotten = forgotten.saturating_add(1);
		}
		Oldest::<T>::put(oldest.saturating_add(1));
		meter.consumed()
	}
}
