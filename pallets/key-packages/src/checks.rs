//! What must hold: of the constants, before a node starts, and of the state, always.

#[cfg(feature = "std")]
impl<T: crate::Config> crate::Pallet<T> {
	/// Panics if the runtime's constants do not fit together, for `integrity_test`.
	pub(crate) fn check_constants() {
		use crate::{claiming::Looked, types::MAX_BLOCK_CLAIMS, WeightInfo};
		use frame_support::{dispatch::DispatchClass, traits::Get};
		use lockstep_primitives::key_package::MAX_STOCK;
		use pallet_directory::WeightInfo as _;

		assert!(
			T::PublishBurst::get() > MAX_STOCK,
			"PublishBurst must hold a full stock and its last resort, or a new device cannot fill it"
		);
		assert!(T::PublishEvery::get() >= 1 && T::ClaimEvery::get() >= 1, "allowances refill by whole blocks");
		assert!(T::ClaimBurst::get() >= 1, "ClaimBurst must let somebody claim");
		assert!(T::Period::get() >= 1, "Period must be at least one block");
		assert!(T::MaxForgotten::get() >= 2, "MaxForgotten must get to the end of a period that has one thing in it");
		assert!(T::LowStock::get() < MAX_STOCK, "LowStock must be less than a stock can have");
		let weights = T::BlockWeights::get();
		let allowed = weights.get(DispatchClass::Normal).max_extrinsic.unwrap_or(weights.max_block);
		type Weights<T> = <T as crate::Config>::WeightInfo;
		let most = MAX_STOCK.saturating_add(1);
		let largest = [
			Weights::<T>::publish(most)
				.saturating_add(Weights::<T>::authorize_publish(most))
				.saturating_add(<T as pallet_directory::Config>::WeightInfo::record())
				.saturating_add(<T as pallet_directory::Config>::WeightInfo::authorize_record()),
			Weights::<T>::claim(Looked::MOST.devices)
				.saturating_add(Weights::<T>::pass_gate())
				.saturating_add(Weights::<T>::pass_over(Looked::MOST.passed)),
		];
		assert!(largest.iter().all(|weight| weight.all_lte(allowed)), "publications and claims must fit in a block");
		let normal = weights.get(DispatchClass::Normal);
		let listed =
			Weights::<T>::claim(1).saturating_add(normal.base_extrinsic).saturating_mul(MAX_BLOCK_CLAIMS.into());
		let room = normal.max_total.unwrap_or(weights.max_block);
		assert!(listed.any_gt(room), "a block must not have room for more claims than are listed of it");
		// What it takes to give is what is left of the whole.
		let mut counts = 1..=Looked::MOST.devices;
		assert!(
			counts.all(|devices| {
				Weights::<T>::claim(devices).ref_time() > Weights::<T>::authorize_claim(devices).ref_time()
			}),
			"to claim must weigh more than to authorise it"
		);
		let forgets = Weights::<T>::tidy_nothing()
			.saturating_add(Weights::<T>::forget_block())
			.saturating_add(Weights::<T>::forget_claim());
		assert!(forgets.all_lte(weights.max_block), "a block must have room to forget a claim");
	}
}

#[cfg(any(feature = "try-runtime", test))]
mod state {
	use crate::{
		Claims, ClaimsOf, Config, HoldReason, InitKeys, KeyPackages, Lapsing, LastResorts, Leaving, OldestClaims,
		OldestLapsing, Pallet, Stocks,
	};
	use alloc::collections::BTreeMap;
	use frame_support::{
		ensure,
		traits::{fungible::InspectHold, Get},
	};
	use lockstep_primitives::{
		key_package::{read, MAX_STOCK},
		voucher::Cashier,
	};
	use pallet_directory::{recording::verify, types::BalanceOf};
	use sp_runtime::traits::{Saturating, Zero};

	type Check = Result<(), &'static str>;

	impl<T: Config> Pallet<T> {
		/// Checks the whole state; says which rule does not hold.
		pub(crate) fn check_state() -> Check {
			let mut packages = 0usize;
			for (device, stock) in Stocks::<T>::iter() {
				ensure!(stock.first <= stock.next, "a stock ends before it begins");
				ensure!(stock.left() <= MAX_STOCK, "a stock has too many KeyPackages");
				ensure!(stock.allowed <= T::PublishBurst::get(), "a device may publish more than a burst");
				let is_there = Self::devices(&stock.identity).contains(&device);
				ensure!(is_there || Self::has_ended(&stock.identity, &device), "a stock is nobody's");
				for place in stock.first..stock.next {
					let stored = KeyPackages::<T>::get(device, place).ok_or("a KeyPackage is missing")?;
					let package = read(&stored.bytes, &stock.identity, &device, verify);
					let package = package.map_err(|_| "a KeyPackage is not good")?;
					let known = InitKeys::<T>::get((stock.identity, package.init_key)).map(|(lapse, _)| lapse);
					ensure!(known == Some(stored.lapse) || stored.lapse < Self::now(), "an init key is not remembered");
					packages = packages.saturating_add(1);
				}
				let last_resort = LastResorts::<T>::contains_key(device);
				ensure!(last_resort == stock.last_resort.is_some(), "a last resort is missing, or nobody's");
				ensure!(
					last_resort || stock.must_replace.is_none(),
					"a last resort that is not there is to be replaced"
				);
			}
			ensure!(KeyPackages::<T>::iter().count() == packages, "a KeyPackage is in no stock");
			ensure!(LastResorts::<T>::iter_keys().all(Stocks::<T>::contains_key), "a last resort is in no stock");
			let remembered: usize = Lapsing::<T>::iter_values().map(|keys| keys.len()).sum();
			ensure!(InitKeys::<T>::iter_values().count() == remembered, "init keys are not all to be forgotten");
			for (period, (identity, _, number), keys) in Lapsing::<T>::iter() {
				ensure!(period >= OldestLapsing::<T>::get(), "init keys are never forgotten");
				let right = |key| {
					InitKeys::<T>::get((identity, key))
						.is_some_and(|(lapse, of)| Self::period(lapse) == period && of == number)
				};
				ensure!(keys.iter().all(right), "an init key is forgotten in another period");
			}
			let listed: usize = ClaimsOf::<T>::iter_values().map(|vouchers| vouchers.len()).sum();
			ensure!(Claims::<T>::iter_keys().count() == listed, "claims are not all to be forgotten");
			let mut deposits = BTreeMap::<T::AccountId, BalanceOf<T>>::new();
			for (block, vouchers) in ClaimsOf::<T>::iter() {
				ensure!(block >= OldestClaims::<T>::get(), "a claim is never forgotten");
				ensure!(
					vouchers.iter().collect::<alloc::collections::BTreeSet<_>>().len() == vouchers.len(),
					"a claim is listed twice"
				);
				for voucher in vouchers {
					let kept = Claims::<T>::get(voucher).ok_or("a claim is missing")?;
					ensure!(kept.claimed.block == block, "a claim is forgotten with those of another block");
					ensure!(!kept.claimed.packages.is_empty(), "a claim got nothing");
					let sum = deposits.entry(T::Vouchers::sponsor(&kept.voucher(voucher))).or_insert_with(Zero::zero);
					*sum = sum.saturating_add(kept.deposit);
				}
			}
			let covered = |(sponsor, sum): (&T::AccountId, &BalanceOf<T>)| {
				T::Currency::balance_on_hold(&HoldReason::Claim.into(), sponsor) >= *sum
			};
			ensure!(deposits.iter().all(covered), "less is held from a sponsor than its claims need");
			Ok(())
		}

		/// A device that is to be cleared away, or of an identity that is closed: it may be opened again.
		fn has_ended(identity: &lockstep_primitives::IdentityId, device: &lockstep_primitives::IdentityKey) -> bool {
			let closed = pallet_directory::Pallet::<T>::identity(*identity).is_none_or(|state| state.closed);
			closed || Leaving::<T>::contains_key(device)
		}
	}
}
