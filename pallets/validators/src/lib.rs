//! The validators of the chain: the accounts whose session keys make blocks and vote on finality.
//!
//! An origin sets the whole set; `pallet-session` brings it about. A session ends as soon as there is something to
//! change, and otherwise every `SessionLength` blocks, so that keys which a validator has replaced come into use.
//!
//! [`sessions`] holds the rule for when a session ends and who is in the next one.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod checks;
#[cfg(test)]
mod mock;
pub mod sessions;
#[cfg(test)]
mod tests;
pub mod weights;

pub use pallet::*;
pub use weights::WeightInfo;

#[frame_support::pallet]
#[allow(missing_docs)] // The macro makes items of its own; each item below has its sentence.
pub mod pallet {
	use crate::weights::WeightInfo;
	use alloc::{collections::BTreeSet, vec::Vec};
	use frame_support::{pallet_prelude::*, traits::ValidatorRegistration};
	use frame_system::pallet_prelude::*;

	/// The version of the storage layout.
	pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// What the runtime decides. `integrity_test` checks that the constants fit together.
	#[pallet::config]
	pub trait Config:
		frame_system::Config<RuntimeEvent: From<Event<Self>>>
		+ pallet_session::Config<ValidatorId = <Self as frame_system::Config>::AccountId>
	{
		/// Who may set the validators.
		type SetOrigin: EnsureOrigin<Self::RuntimeOrigin>;
		/// What the calls cost.
		type WeightInfo: WeightInfo;

		/// The least number of validators.
		#[pallet::constant]
		type MinValidators: Get<u32>;
		/// The largest number of validators; what consensus can hold.
		#[pallet::constant]
		type MaxValidators: Get<u32>;
		/// A session ends at each block whose number is a multiple of this, and earlier if there is something to
		/// change.
		#[pallet::constant]
		type SessionLength: Get<u32>;
	}

	/// The validators as they were last set, in the order in which Aura gives them slots.
	#[pallet::storage]
	pub type Validators<T: Config> = StorageValue<_, BoundedVec<T::AccountId, T::MaxValidators>, ValueQuery>;

	/// Whether the validators were set since a session was last planned.
	#[pallet::storage]
	pub type ChangeWaits<T: Config> = StorageValue<_, bool, ValueQuery>;

	/// The validators of the first session. `pallet-session`, which must come later in the runtime, has their keys.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// The accounts. If there are none, the set is left to `pallet-session`'s own genesis.
		pub validators: Vec<T::AccountId>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			if self.validators.is_empty() {
				return;
			}
			match Pallet::<T>::admissible(self.validators.clone()) {
				Ok(validators) => Validators::<T>::put(validators),
				// there is nobody to report to but whoever makes the specification
				Err(error) => panic!("the validators of this genesis are not admissible: {error:?}"),
			}
		}
	}

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// The validators were set. They make blocks and vote after the next two blocks.
		ValidatorsSet { validators: Vec<T::AccountId> },
	}

	#[pallet::error]
	pub enum Error<T> {
		/// There must be at least `MinValidators` validators: name more.
		TooFewValidators,
		/// There must be at most `MaxValidators` validators: name fewer.
		TooManyValidators,
		/// No account may be named twice: it has one slot and one vote.
		DuplicateValidator,
		/// Every validator must have registered session keys: it has to call `session.set_keys` first. Without keys
		/// it could neither make a block nor vote, and the others would wait for it.
		NoSessionKeys,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		/// Accounts for what `should_end_session` reads in each block, for which `pallet-session` charges nothing.
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			T::DbWeight::get().reads(2)
		}

		#[cfg(feature = "std")]
		fn integrity_test() {
			Self::check_constants();
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::check_state().map_err(Into::into)
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Sets the validators, all of them, in the order in which Aura gives them slots.
		///
		/// Only `SetOrigin` may. Fails if there are fewer than `MinValidators` or more than `MaxValidators`, if one is
		/// named twice, or if one has no session keys. Setting the validators that are active already changes
		/// nothing. Emits [`Event::ValidatorsSet`].
		///
		/// If this runs in block `n`, block `n + 2` announces the new authorities: they make the blocks after it, and
		/// vote on them once it is final.
		#[pallet::call_index(0)]
		#[pallet::weight((
			<T as Config>::WeightInfo::set_validators(length(validators)),
			// there must be room for it in a block however many entries wait
			DispatchClass::Operational,
		))]
		pub fn set_validators(origin: OriginFor<T>, validators: Vec<T::AccountId>) -> DispatchResult {
			T::SetOrigin::ensure_origin(origin)?;
			let validators = Self::admissible(validators)?;
			ensure!(validators.iter().all(Self::has_keys), Error::<T>::NoSessionKeys);
			Validators::<T>::put(&validators);
			ChangeWaits::<T>::put(true);
			Self::deposit_event(Event::ValidatorsSet { validators: validators.into_inner() });
			Ok(())
		}
	}

	impl<T: Config> Pallet<T> {
		/// The validators, if their number is allowed and no two are the same.
		pub(crate) fn admissible(
			validators: Vec<T::AccountId>,
		) -> Result<BoundedVec<T::AccountId, T::MaxValidators>, Error<T>> {
			ensure!(length(&validators) >= T::MinValidators::get(), Error::<T>::TooFewValidators);
			ensure!(length(&validators) <= T::MaxValidators::get(), Error::<T>::TooManyValidators);
			let distinct = validators.iter().collect::<BTreeSet<_>>().len();
			ensure!(distinct == validators.len(), Error::<T>::DuplicateValidator);
			BoundedVec::try_from(validators).map_err(|_| Error::<T>::TooManyValidators)
		}

		/// Whether this account has registered session keys.
		pub(crate) fn has_keys(account: &T::AccountId) -> bool {
			pallet_session::Pallet::<T>::is_registered(account)
		}
	}

	/// The length of a list for its weight; one that does not fit in 32 bits never gets here.
	pub(crate) fn length<A>(list: &[A]) -> u32 {
		u32::try_from(list.len()).unwrap_or(u32::MAX)
	}
}
