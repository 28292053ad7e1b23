//! What must hold: of the constants, before a node starts, and of the state, always.

#[cfg(feature = "std")]
impl<T: crate::Config> crate::Pallet<T> {
	/// Panics if the runtime's constants do not fit together, for `integrity_test`.
	pub(crate) fn check_constants() {
		use crate::WeightInfo;
		use frame_support::{dispatch::DispatchClass, traits::Get};
		use lockstep_primitives::identity::MAX_RECENT;

		assert!(
			T::RecoveryWindow::get() >= MAX_RECENT.saturating_mul(4),
			"RecoveryWindow must be well longer than the events in it take, or a thief outlasts it"
		);
		assert!(T::EventLongevity::get() >= 1, "EventLongevity must be at least one block");
		let weights = T::BlockWeights::get();
		let largest = T::WeightInfo::record().saturating_add(T::WeightInfo::authorize_record());
		let allowed = weights.get(DispatchClass::Normal).max_extrinsic.unwrap_or(weights.max_block);
		assert!(largest.all_lte(allowed), "an event must fit in a block by its weight");
	}
}

#[cfg(any(feature = "try-runtime", test))]
mod state {
	use crate::{types::BalanceOf, Config, Ended, HoldReason, Identities, Pallet, UsedKeys};
	use alloc::collections::BTreeMap;
	use frame_support::{ensure, traits::fungible::InspectHold};
	use sp_runtime::traits::{Saturating, Zero};

	type Check = Result<(), &'static str>;

	impl<T: Config> Pallet<T> {
		/// Checks the whole state; says which rule does not hold.
		pub(crate) fn check_state() -> Check {
			ensure!(
				Identities::<T>::iter_keys().count() == Identities::<T>::count() as usize,
				"identity count is wrong"
			);
			let mut deposits = BTreeMap::<T::AccountId, BalanceOf<T>>::new();
			for (id, record) in Identities::<T>::iter() {
				ensure!(!Ended::<T>::contains_key(id), "an identity has ended and is there");
				let sum = deposits.entry(record.sponsor).or_insert_with(Zero::zero);
				*sum = sum.saturating_add(record.deposit);
				let state = record.state;
				let mut last = None;
				for device in &state.devices {
					ensure!(last < Some(device.number), "devices are not in the order of their numbers");
					ensure!(device.number < state.next_number, "a device has a number of the future");
					ensure!(device.since <= Self::now(), "a device is of the future");
					ensure!(UsedKeys::<T>::get(device.key) == Some(id), "a device's key is not counted as used");
					let parent = device.added_by;
					ensure!(parent < Some(device.number), "a device was added by a later one");
					let is_there = |number: u32| state.devices.iter().any(|other| other.number == number);
					ensure!(parent.is_none_or(is_there), "a device has outlived the one that added it");
					last = Some(device.number);
				}
				ensure!(state.recoveries.iter().all(|block| *block <= Self::now()), "a recovery is of the future");
				let mut previous = 0;
				for recent in &state.recent {
					ensure!(recent.index > previous, "recent events are not in order");
					ensure!(recent.index < state.head.length, "a recent event lies beyond the head");
					previous = recent.index;
				}
			}
			let covered = |(sponsor, sum): (&T::AccountId, &BalanceOf<T>)| {
				T::Currency::balance_on_hold(&HoldReason::Identity.into(), sponsor) >= *sum
			};
			ensure!(deposits.iter().all(covered), "less is held from a sponsor than its identities need");
			Ok(())
		}
	}
}
