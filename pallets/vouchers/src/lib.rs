//! Vouchers: one-time rights that sponsors give away (`docs/protocol.md` section 13).
//!
//! What a voucher is worth is decided by a rule that clients share (`lockstep_primitives::voucher`). This pallet adds what one
//! voucher does not show: that it was spent. It remembers that until the voucher has expired, and no longer. It sells nothing
//! itself: other pallets ask it by [`Cashier`](lockstep_primitives::voucher::Cashier), and hold deposits from whom it names.
//!
//! [`till`] takes payments, [`forgetting`] forgets those that have expired.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod checks;
pub mod forgetting;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
pub mod till;
pub mod weights;

pub use pallet::*;
pub use weights::WeightInfo;

#[frame_support::pallet]
#[allow(missing_docs)] // The macro makes items of its own; each item below has its sentence.
pub mod pallet {
	use crate::weights::WeightInfo;
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;
	use lockstep_primitives::{voucher::Voucher, SponsorId};
	use sp_core::H256;
	use sp_runtime::traits::Convert;

	/// The version of the storage layout.
	pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// What the runtime decides; `integrity_test` checks that it fits together.
	#[pallet::config]
	pub trait Config: frame_system::Config<Hash = H256> {
		/// The account of a sponsor.
		type Sponsor: Convert<SponsorId, Self::AccountId>;
		/// What taking and forgetting costs.
		type WeightInfo: WeightInfo;

		/// For how many blocks a voucher can be good at most. The chain remembers for as long that it was spent.
		#[pallet::constant]
		type LongestVoucher: Get<u32>;
		/// Blocks whose vouchers are forgotten together. To change it takes a migration: what was spent is found by it.
		#[pallet::constant]
		type Period: Get<u32>;
		/// How many one block forgets at most.
		#[pallet::constant]
		type MaxForgotten: Get<u32>;
	}

	/// The vouchers that were spent, by the period in which they expire.
	#[pallet::storage]
	pub type Spent<T: Config> = StorageDoubleMap<_, Twox64Concat, u32, Blake2_128Concat, Voucher, ()>;

	/// The oldest period whose vouchers may not all be forgotten.
	#[pallet::storage]
	pub type Oldest<T: Config> = StorageValue<_, u32, ValueQuery>;

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_idle(_: BlockNumberFor<T>, limit: Weight) -> Weight {
			Self::forget(limit)
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
}
