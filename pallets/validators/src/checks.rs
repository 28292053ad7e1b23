//! What must hold: of the constants, before a node starts, and of the state, always.

#[cfg(feature = "std")]
impl<T: crate::Config> crate::Pallet<T> {
	/// Panics if the runtime's constants do not fit together, for `integrity_test`.
	pub(crate) fn check_constants() {
		use crate::{Config, WeightInfo};
		use frame_support::{dispatch::DispatchClass, traits::Get};

		let (least, most) = (T::MinValidators::get(), T::MaxValidators::get());
		assert!(least >= 1, "MinValidators must be at least 1: without validators there are no blocks");
		assert!(least <= most, "MinValidators must not be more than MaxValidators");
		assert!(
			T::SessionLength::get() >= 3,
			"SessionLength must leave blocks between rotations, since each of them takes up a whole block"
		);
		let weights = T::BlockWeights::get();
		let allowed = weights.get(DispatchClass::Operational).max_extrinsic.unwrap_or(weights.max_block);
		let largest = <T as Config>::WeightInfo::set_validators(most);
		assert!(largest.all_lte(allowed), "setting MaxValidators validators must fit in a block");
	}
}

#[cfg(any(feature = "try-runtime", test))]
impl<T: crate::Config> crate::Pallet<T> {
	/// Checks the whole state; says which rule does not hold.
	pub(crate) fn check_state() -> Result<(), &'static str> {
		use crate::{ChangeWaits, Validators};
		use frame_support::ensure;

		let validators = Validators::<T>::get().into_inner();
		if validators.is_empty() {
			ensure!(!ChangeWaits::<T>::get(), "a change to nobody waits");
			return Ok(());
		}
		ensure!(Self::admissible(validators.clone()).is_ok(), "the validators are too few, too many, or repeated");
		ensure!(validators.iter().all(Self::has_keys), "a validator has no session keys");
		let settled = !ChangeWaits::<T>::get() && !pallet_session::QueuedChanged::<T>::get();
		ensure!(
			!settled || pallet_session::Validators::<T>::get() == validators,
			"the session has other validators, and no change is under way"
		);
		Ok(())
	}
}
