//! KeyPackages of people's devices (`docs/protocol.md` section 14): published by them, claimed by whoever wants to add a person
//! to a group, each given out once.
//!
//! What a KeyPackage has to be is decided by a rule that clients share (`lockstep_primitives::key_package`). This pallet adds what
//! one of them does not show: that its init key was never seen, that nobody has claimed it, and how much is published and
//! claimed in how short a time. Nothing here says who claims: a claim is paid for by a voucher.
//!
//! [`publishing`] takes KeyPackages, [`claiming`] gives them out, [`tidying`] forgets those that have lapsed.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

mod allowance;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod checks;
pub mod claiming;
pub mod hook;
#[cfg(test)]
mod mock;
pub mod publishing;
#[cfg(test)]
mod tests;
pub mod tidying;
pub mod types;
pub mod weights;

pub use hook::OnClaim;
pub use pallet::*;
pub use weights::WeightInfo;

#[frame_support::pallet]
#[allow(missing_docs)] // The macro makes items of its own; each item below has its sentence.
pub mod pallet {
	use crate::{
		claiming::Looked,
		hook::OnClaim,
		types::{Allowance, InitKeysOf, Kept, Stored, MAX_BLOCK_CLAIMS},
		weights::WeightInfo,
	};
	use alloc::boxed::Box;
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;
	use lockstep_primitives::{
		identity::SignedEvent,
		key_package::{Claim, Gate, KeyPackageBytes, KeyPackageRefusal, SignedGateChange, SignedPublication, Stock},
		voucher::Payment,
		BlockNumber, IdentityId, IdentityKey, InitKey, VoucherKey,
	};
	use pallet_directory::{types::BalanceOf, WeightInfo as _};

	/// The version of the storage layout.
	pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// What the runtime decides; `integrity_test` checks that it fits together.
	#[pallet::config]
	pub trait Config:
		frame_system::Config<RuntimeEvent: From<Event<Self>>>
		+ pallet_directory::Config<RuntimeHoldReason: From<HoldReason>>
	{
		/// Hears of claims.
		type OnClaim: OnClaim;
		/// What the calls and hooks cost.
		type WeightInfo: WeightInfo;

		/// What is held from a sponsor for each claim, as long as what it got is kept: so that vouchers cost whoever signs them.
		#[pallet::constant]
		type ClaimDeposit: Get<BalanceOf<Self>>;
		/// KeyPackages that a device may publish in a burst.
		#[pallet::constant]
		type PublishBurst: Get<u32>;
		/// Blocks after which it may publish one more.
		#[pallet::constant]
		type PublishEvery: Get<u32>;
		/// Claims of one person in a burst.
		#[pallet::constant]
		type ClaimBurst: Get<u32>;
		/// Blocks after which one more is taken.
		#[pallet::constant]
		type ClaimEvery: Get<u32>;
		/// Blocks after the first claim of a last resort for which its device may publish without a new one.
		#[pallet::constant]
		type LastResortGrace: Get<u32>;
		/// The number of KeyPackages left at which [`Event::StockLow`] is emitted.
		#[pallet::constant]
		type LowStock: Get<u32>;
		/// Blocks for which what a claim got is kept, at least.
		#[pallet::constant]
		type ClaimLife: Get<u32>;
		/// Blocks whose lapsed init keys are forgotten together. To change it takes a migration.
		#[pallet::constant]
		type Period: Get<u32>;
		/// How many things of each kind one block forgets at most.
		#[pallet::constant]
		type MaxForgotten: Get<u32>;
	}

	/// Why funds are held.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// The deposit of a sponsor, one for each claim that is kept.
		Claim,
	}

	/// What the chain knows of each device that has published.
	#[pallet::storage]
	pub type Stocks<T: Config> = StorageMap<_, Blake2_128Concat, IdentityKey, Stock>;

	/// The KeyPackages of a device, by their places.
	#[pallet::storage]
	pub type KeyPackages<T: Config> = StorageDoubleMap<_, Blake2_128Concat, IdentityKey, Twox64Concat, u32, Stored>;

	/// The last resort of a device.
	#[pallet::storage]
	pub type LastResorts<T: Config> = StorageMap<_, Blake2_128Concat, IdentityKey, KeyPackageBytes>;

	/// The init keys that devices of a person have published, each with the last block of its KeyPackage and the number of the
	/// publication. Of each person apart: whoever publishes another's key keeps nobody from it.
	#[pallet::storage]
	pub type InitKeys<T: Config> = StorageMap<_, Blake2_256, (IdentityId, InitKey), (BlockNumber, u32)>;

	/// The same, by the period in which they lapse, and by person, device and number of the publication.
	#[pallet::storage]
	pub type Lapsing<T: Config> =
		StorageDoubleMap<_, Twox64Concat, u32, Blake2_128Concat, (IdentityId, IdentityKey, u32), InitKeysOf>;

	/// The oldest period whose init keys may not all be forgotten.
	#[pallet::storage]
	pub type OldestLapsing<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// Who may claim of a person, if not everybody.
	#[pallet::storage]
	pub type Gates<T: Config> = StorageMap<_, Blake2_128Concat, IdentityId, Gate>;

	/// What a person's claimants may still have.
	#[pallet::storage]
	pub type ClaimAllowances<T: Config> = StorageMap<_, Blake2_128Concat, IdentityId, Allowance>;

	/// What a claim got, by the key of its voucher. One read proof of this key proves it. As long as it is here, its voucher
	/// counts as spent by it; afterwards [`Config::Vouchers`](pallet_directory::Config::Vouchers) remembers that.
	#[pallet::storage]
	pub type Claims<T: Config> = StorageMap<_, Blake2_128Concat, VoucherKey, Kept<BalanceOf<T>>>;

	/// The claims of each block that are kept.
	#[pallet::storage]
	pub type ClaimsOf<T: Config> =
		StorageMap<_, Twox64Concat, BlockNumber, BoundedVec<VoucherKey, ConstU32<MAX_BLOCK_CLAIMS>>, ValueQuery>;

	/// The oldest block whose claims may not all be forgotten.
	#[pallet::storage]
	pub type OldestClaims<T: Config> = StorageValue<_, BlockNumber, ValueQuery>;

	/// Devices that have lost their place, and whose KeyPackages are still to be cleared away. Nobody can claim them.
	#[pallet::storage]
	pub type Leaving<T: Config> = StorageMap<_, Blake2_128Concat, IdentityKey, ()>;

	/// The device whose stock was looked at last for what has lapsed.
	#[pallet::storage]
	pub type LookedAt<T: Config> = StorageValue<_, IdentityKey>;

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A device has published KeyPackages.
		Published { identity: IdentityId, device: IdentityKey, number: u32, packages: u32, last_resort: bool },
		/// Who may claim of a person was changed.
		GateChanged { identity: IdentityId, gate: Option<Gate> },
		/// KeyPackages of a person were claimed, with this voucher.
		KeyPackagesClaimed { target: IdentityId, voucher: VoucherKey, packages: u32 },
		/// A device has few KeyPackages left: it should publish more.
		StockLow { identity: IdentityId, device: IdentityKey, left: u32 },
		/// The last resort of a device was claimed for the first time: it has to be replaced.
		LastResortUsed { identity: IdentityId, device: IdentityKey },
	}

	#[pallet::error]
	pub enum Error<T> {
		/// What is published is not taken: validation says why.
		NotTaken,
		/// Nothing is given out: validation says why.
		NotGiven,
		/// The voucher is not taken: validation says why.
		VoucherRefused,
	}

	impl<T> Error<T> {
		pub(crate) fn not_taken(_: KeyPackageRefusal) -> Self {
			Self::NotTaken
		}

		pub(crate) fn not_given(_: KeyPackageRefusal) -> Self {
			Self::NotGiven
		}
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		/// The list of the block's claims is written once, however many there are.
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			T::DbWeight::get().reads_writes(1, 1)
		}

		fn on_idle(_: BlockNumberFor<T>, limit: Weight) -> Weight {
			Self::tidy(limit)
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
		/// Publishes KeyPackages of a device.
		///
		/// A general transaction, authorised by the device's signature alone: no account, no fee. Validation refuses with
		/// `InvalidTransaction::Custom`, the code of a [`KeyPackageRefusal`]. Emits [`Event::Published`].
		#[pallet::call_index(0)]
		#[pallet::weight((
			<T as Config>::WeightInfo::publish(signed.publication.count()),
			DispatchClass::Normal,
			Pays::No
		))]
		#[pallet::authorize(|_source, signed| Self::authorize_publish(signed))]
		#[pallet::weight_of_authorize(<T as Config>::WeightInfo::authorize_publish(signed.publication.count()))]
		pub fn publish(origin: OriginFor<T>, signed: SignedPublication) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::take(&signed)
		}

		/// Changes who may claim KeyPackages of a person.
		///
		/// Authorised as [`Self::publish`] is. Emits [`Event::GateChanged`].
		#[pallet::call_index(1)]
		#[pallet::weight((<T as Config>::WeightInfo::set_gate(), DispatchClass::Normal, Pays::No))]
		#[pallet::authorize(|_source, signed| Self::authorize_set_gate(signed))]
		#[pallet::weight_of_authorize(<T as Config>::WeightInfo::authorize_set_gate())]
		pub fn set_gate(origin: OriginFor<T>, signed: SignedGateChange) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::change_gate(&signed)
		}

		/// Claims one KeyPackage of each device of a person, all or none, for whoever holds the voucher.
		///
		/// A general transaction, authorised by the voucher: no account, no fee, and no claimant. `ClaimDeposit` is held from the
		/// sponsor, who needs it free, for as long as what the claim got is kept. The voucher's order is
		/// `SCALE(claim)`. What it got is in [`Claims`] for `ClaimLife` blocks. Validation refuses with
		/// `InvalidTransaction::Custom`, the code of a [`KeyPackageRefusal`] or a
		/// [`VoucherRefusal`](lockstep_primitives::voucher::VoucherRefusal). Emits [`Event::KeyPackagesClaimed`].
		#[pallet::call_index(2)]
		#[pallet::weight((Pallet::<T>::weight_of_giving(Looked::MOST), DispatchClass::Normal, Pays::No))]
		#[pallet::authorize(|_source, claim, payment| Self::authorize_claim(claim, payment))]
		#[pallet::weight_of_authorize(Pallet::<T>::weight_of_authorizing(claim, Looked::MOST))]
		pub fn claim(origin: OriginFor<T>, claim: Claim, payment: Payment) -> DispatchResultWithPostInfo {
			ensure_authorized(origin)?;
			Self::give(&claim, &payment)
		}

		/// Records an event of an identity and publishes KeyPackages of a device that it has after that, both or neither: so a
		/// device that is rotated, or added, can be added to groups at once. Whoever sees it can submit the event alone, which is as
		/// good; then the publication is to be submitted by [`Self::publish`].
		///
		/// Authorised by the signatures in both. Validation refuses with the code of an
		/// [`IdentityRefusal`](lockstep_primitives::identity::IdentityRefusal) or a [`KeyPackageRefusal`]. Emits what
		/// [`Self::publish`] and `directory.record` emit.
		#[pallet::call_index(3)]
		#[pallet::weight((
			<T as Config>::WeightInfo::publish(signed.publication.count())
				.saturating_add(<T as pallet_directory::Config>::WeightInfo::record()),
			DispatchClass::Normal,
			Pays::No
		))]
		#[pallet::authorize(|_source, event, signed| Self::authorize_record_and_publish(event, signed))]
		#[pallet::weight_of_authorize(
			<T as Config>::WeightInfo::authorize_publish(signed.publication.count())
				.saturating_add(<T as pallet_directory::Config>::WeightInfo::authorize_record())
		)]
		pub fn record_and_publish(
			origin: OriginFor<T>,
			event: Box<SignedEvent>,
			signed: SignedPublication,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::take_both(&event, &signed)
		}
	}
}
