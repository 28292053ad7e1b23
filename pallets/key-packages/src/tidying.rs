//! Forgetting what has lapsed, in bounded work.

use crate::{
	hook::OnClaim, weights::WeightInfo, Claims, ClaimsOf, Config, HoldReason, InitKeys, KeyPackages, Lapsing,
	LastResorts, Leaving, LookedAt, OldestClaims, OldestLapsing, Pallet, Stocks,
};
use frame_support::{
	defensive,
	traits::{fungible::MutateHold, tokens::Precision, Get},
	weights::{Weight, WeightMeter},
};
use lockstep_primitives::{key_package::Stock, voucher::Cashier, IdentityKey, VoucherKey};

impl<T: Config> Pallet<T> {
	/// Forgets what is due, for `on_idle`: each kind of thing up to `MaxForgotten`, as far as the weight goes.
	pub(crate) fn tidy(limit: Weight) -> Weight {
		let mut meter = WeightMeter::with_limit(limit);
		if meter.try_consume(<T as Config>::WeightInfo::tidy_nothing()).is_ok() {
			Self::forget_claims(&mut meter);
			Self::forget_init_keys(&mut meter);
			Self::clear_leaving(&mut meter);
			Self::clear_lapsed(&mut meter);
		}
		meter.consumed()
	}

	/// Claims of blocks that are `ClaimLife` blocks ago, the oldest block first.
	pub(crate) fn forget_claims(meter: &mut WeightMeter) {
		let (first, kept) = (OldestClaims::<T>::get(), Self::now().saturating_sub(T::ClaimLife::get()));
		let mut oldest = first;
		let mut claims = T::MaxForgotten::get();
		for _ in 0..T::MaxForgotten::get() {
			if oldest >= kept || meter.try_consume(<T as Config>::WeightInfo::forget_block()).is_err() {
				break;
			}
			let mut left = ClaimsOf::<T>::take(oldest);
			while claims > 0 && meter.can_consume(<T as Config>::WeightInfo::forget_claim()) {
				let Some(voucher) = left.pop() else { break };
				meter.consume(<T as Config>::WeightInfo::forget_claim());
				claims = claims.saturating_sub(1);
				Self::forget_claim(&voucher);
			}
			if !left.is_empty() {
				ClaimsOf::<T>::insert(oldest, left);
				break;
			}
			oldest = oldest.saturating_add(1);
		}
		if oldest != first {
			OldestClaims::<T>::put(oldest);
		}
	}

	/// Forgets what a claim got, and not that its voucher was spent.
	pub(crate) fn forget_claim(voucher: &VoucherKey) {
		let Some(kept) = Claims::<T>::take(voucher) else { return };
		T::OnClaim::forgotten(voucher, u32::try_from(kept.claimed.packages.len()).unwrap_or_default());
		let spent = kept.voucher(*voucher);
		T::Vouchers::remember(&spent);
		// The hold is one sum for all of the sponsor's claims. If something else has taken from it, what is left is returned.
		let (reason, sponsor) = (HoldReason::Claim.into(), T::Vouchers::sponsor(&spent));
		if T::Currency::release(&reason, &sponsor, kept.deposit, Precision::BestEffort).is_err() {
			defensive!("a deposit that is held can be released");
		}
	}

	/// Init keys of the oldest period that is over.
	pub(crate) fn forget_init_keys(meter: &mut WeightMeter) {
		let (oldest, current) = (OldestLapsing::<T>::get(), Self::period(Self::now()));
		if oldest >= current {
			return;
		}
		let mut publications = Lapsing::<T>::iter_prefix(oldest);
		for _ in 0..T::MaxForgotten::get() {
			if meter.try_consume(<T as Config>::WeightInfo::forget_init_keys()).is_err() {
				return;
			}
			let Some((publication, keys)) = publications.next() else {
				OldestLapsing::<T>::put(oldest.saturating_add(1));
				return;
			};
			keys.iter().for_each(|key| InitKeys::<T>::remove((publication.0, key)));
			Lapsing::<T>::remove(oldest, publication);
		}
	}

	/// Stocks of devices that have lost their place.
	pub(crate) fn clear_leaving(meter: &mut WeightMeter) {
		for _ in 0..T::MaxForgotten::get() {
			if meter.try_consume(<T as Config>::WeightInfo::clear_stock()).is_err() {
				return;
			}
			let Some(device) = Leaving::<T>::iter_keys().next() else { return };
			if let Some(stock) = Stocks::<T>::take(device) {
				(stock.first..stock.next).for_each(|place| KeyPackages::<T>::remove(device, place));
			}
			LastResorts::<T>::remove(device);
			Leaving::<T>::remove(device);
		}
	}

	/// KeyPackages that have lapsed, and last resorts, of the devices whose turn it is.
	pub(crate) fn clear_lapsed(meter: &mut WeightMeter) {
		for _ in 0..T::MaxForgotten::get() {
			if meter.try_consume(<T as Config>::WeightInfo::clear_lapsed()).is_err() {
				return;
			}
			let next = match LookedAt::<T>::get() {
				Some(device) => Stocks::<T>::iter_from(Stocks::<T>::hashed_key_for(device)).next(),
				None => Stocks::<T>::iter().next(),
			};
			let Some((device, stock)) = next else {
				// From the beginning in the next block.
				LookedAt::<T>::kill();
				return;
			};
			LookedAt::<T>::put(device);
			let kept = Self::without_lapsed(&device, stock);
			if kept != stock {
				Stocks::<T>::insert(device, kept);
			}
		}
	}

	fn without_lapsed(device: &IdentityKey, mut stock: Stock) -> Stock {
		let now = Self::now();
		while stock.first < stock.next
			&& KeyPackages::<T>::get(device, stock.first).is_none_or(|stored| stored.lapse < now)
		{
			KeyPackages::<T>::remove(device, stock.first);
			stock.first = stock.first.saturating_add(1);
		}
		if stock.last_resort.is_some_and(|lapse| lapse < now) {
			LastResorts::<T>::remove(device);
			stock.last_resort = None;
			stock.must_replace = None;
		}
		stock
	}
}
