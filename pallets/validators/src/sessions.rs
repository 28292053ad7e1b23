//! When a session ends, and who is in the next one.
//!
//! `pallet-session` plans one session ahead: the rotation that ends a session activates what the one before has
//! planned, and plans anew. A change takes two rotations: the first plans it, the second makes it effective. Both
//! happen in the blocks right after the one that made the change. A rotation that plans nothing new tells Aura and
//! GRANDPA of no change, so that the number of GRANDPA's set counts changes and not sessions.

use crate::{length, ChangeWaits, Config, Pallet, Validators};
use alloc::vec::Vec;
use frame_support::traits::Get;
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_session::{SessionManager, ShouldEndSession};
use sp_runtime::traits::UniqueSaturatedInto;
use sp_staking::SessionIndex;

const LOG_TARGET: &str = "runtime::validators";

impl<T: Config> ShouldEndSession<BlockNumberFor<T>> for Pallet<T> {
	/// A session ends if the validators were set (this plans them), if a change has been planned (this makes it
	/// effective), and every `SessionLength` blocks (this plans what validators have changed of their keys).
	fn should_end_session(now: BlockNumberFor<T>) -> bool {
		let now: u64 = now.unique_saturated_into();
		ChangeWaits::<T>::get()
			|| pallet_session::QueuedChanged::<T>::get()
			|| now.checked_rem(u64::from(T::SessionLength::get())) == Some(0)
	}
}

impl<T: Config> SessionManager<T::AccountId> for Pallet<T> {
	/// The validators, if they were set and are not those of the session that starts now.
	///
	/// Any list counts as a change of authorities, even one that is the same as before; hence `None` otherwise.
	fn new_session(_: SessionIndex) -> Option<Vec<T::AccountId>> {
		if !ChangeWaits::<T>::take() {
			return None;
		}
		let mut validators = Validators::<T>::get().into_inner();
		// Who has removed its keys since the set was made cannot be in it. It must not take the others with it, and
		// a set that is too small, or empty, would end finality for good.
		validators.retain(Self::has_keys);
		if length(&validators) < T::MinValidators::get() {
			log::error!(target: LOG_TARGET, "too few validators have session keys; the set is not changed");
			return None;
		}
		(validators != pallet_session::Validators::<T>::get()).then_some(validators)
	}

	/// The validators of the genesis, or `None` if it leaves them to `pallet-session`.
	fn new_session_genesis(_: SessionIndex) -> Option<Vec<T::AccountId>> {
		let validators = Validators::<T>::get().into_inner();
		// `pallet-session` would go on without them, and nobody would notice before finality stands still
		assert!(validators.iter().all(Self::has_keys), "a validator of this genesis has no session keys");
		(!validators.is_empty()).then_some(validators)
	}

	fn start_session(_: SessionIndex) {}

	fn end_session(_: SessionIndex) {}
}
