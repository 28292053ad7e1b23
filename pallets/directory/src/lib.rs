//! Who people are: one log of key events for each identity, its head in state (`docs/protocol.md` section 12).
//!
//! An identity is what its events make of it, by rules that this pallet shares with whoever reads the log later
//! (`lockstep_primitives::identity`). The pallet adds what one log cannot see: that a device key is used once in all of
//! them, who pays, and when the state of an identity that has ended can go.
//!
//! People need no account and pay no fee: an event is authorised by the signatures that it carries. A sponsor, an account,
//! registers the identity and has a deposit held until it has ended.
//!
//! [`registering`] begins identities, [`recording`] takes events, [`ending`] lets identities go.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod checks;
pub mod ending;
#[cfg(test)]
mod mock;
pub mod recording;
pub mod registering;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;

pub use pallet::*;
pub use weights::WeightInfo;

#[frame_support::pallet]
#[allow(missing_docs)] // The macro makes items of its own; each item below has its sentence.
pub mod pallet {
	use crate::{
		recording::Signatures,
		types::{BalanceOf, IdentityOf},
		weights::WeightInfo,
	};
	use alloc::vec::Vec;
	use frame_support::{pallet_prelude::*, traits::fungible::MutateHold};
	use frame_system::pallet_prelude::*;
	use lockstep_primitives::{
		identity::{IdentityRefusal, OnRevoked, SignedEvent},
		voucher::{Cashier, Payment},
		EntryHash, IdentityId, IdentityKey, LogHead,
	};
	use sp_core::H256;

	/// The version of the storage layout.
	pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// What the runtime decides; `integrity_test` checks that it fits together.
	#[pallet::config]
	pub trait Config: frame_system::Config<Hash = H256, RuntimeEvent: From<Event<Self>>> {
		/// Holds the deposits.
		type Currency: MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>;
		/// The runtime's hold reasons.
		type RuntimeHoldReason: From<HoldReason>;
		/// Takes vouchers.
		type Vouchers: Cashier<Self::AccountId>;
		/// What it costs to check a voucher, and to spend it.
		type VoucherWeights: Get<(Weight, Weight)>;
		/// Hears of devices that have lost their place.
		type OnRevoked: OnRevoked;
		/// What the calls cost.
		type WeightInfo: WeightInfo;

		/// What is held from a sponsor for each identity.
		#[pallet::constant]
		type IdentityDeposit: Get<BalanceOf<Self>>;
		/// Blocks for which a recovery key can override an event.
		#[pallet::constant]
		type RecoveryWindow: Get<u32>;
		/// Blocks for which the pool may keep an event before it asks again.
		#[pallet::constant]
		type EventLongevity: Get<u64>;
	}

	/// Why funds are held.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// The deposit of a sponsor, one for each of its identities.
		Identity,
	}

	/// The identities. The value starts with what clients need, an `IdentityState`: one read proof of this key proves the
	/// head of the log and the devices.
	#[pallet::storage]
	pub type Identities<T: Config> = CountedStorageMap<_, Blake2_128Concat, IdentityId, IdentityOf<T>>;

	/// The heads of the logs of identities that have ended, for ever: none begins again.
	#[pallet::storage]
	pub type Ended<T: Config> = StorageMap<_, Blake2_128Concat, IdentityId, LogHead>;

	/// Every device key that an identity has or had, for ever: a key is used once.
	#[pallet::storage]
	pub type UsedKeys<T: Config> = StorageMap<_, Blake2_128Concat, IdentityKey, IdentityId>;

	/// The events that the current block has recorded, in order, whole: for the nodes, which keep them. Taken away at the start
	/// of the next block; what fits into a block bounds it.
	#[pallet::storage]
	#[pallet::unbounded]
	pub type BlockEvents<T: Config> = StorageValue<_, Vec<SignedEvent>, ValueQuery>;

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An identity was registered; `entry` is the first event of its log.
		IdentityRegistered { identity: IdentityId, entry: EntryHash },
		/// An event was recorded.
		EventRecorded { identity: IdentityId, index: u64, entry: EntryHash },
		/// A device key has its place from now on: of a device that was added, or rotated.
		DeviceAdded { identity: IdentityId, key: IdentityKey },
		/// A device key has lost its place, for good.
		DeviceRevoked { identity: IdentityId, key: IdentityKey },
		/// The events from `from` up to the one at `by` are overridden.
		EventsOverridden { identity: IdentityId, from: u64, by: u64 },
		/// An identity was closed: nothing but a recovery opens it again.
		IdentityClosed { identity: IdentityId },
		/// An identity has ended for good.
		IdentityEnded { identity: IdentityId },
	}

	#[pallet::error]
	pub enum Error<T> {
		/// No identity has this id: publish its first event.
		UnknownIdentity,
		/// The identity exists already.
		IdentityExists,
		/// The id is not the hash of the first event.
		WrongId,
		/// The event is for another position: read the log and sign it for the next one.
		BadSequence,
		/// Another event came first: read the log and sign it anew.
		BadPrevious,
		/// The first event of a log, and no other, makes the identity.
		BadInception,
		/// The identity has ended.
		Closed,
		/// The author has no place in the identity, or another than this takes.
		NotAuthorised,
		/// The identity has no device with this key.
		UnknownDevice,
		/// A device revokes itself and those that it added: use a recovery key for others.
		NotAdded,
		/// Revoking would leave no device, or closing leaves others.
		LastDevice,
		/// The key was used before: make a new one.
		KeyUsed,
		/// The identity has as many devices or recovery keys as it may have.
		TooMany,
		/// Too many events of this identity in too short a time: wait, or recover.
		TooSoon,
		/// The identity has no recovery key of this rank.
		NoSuchRank,
		/// What is to be overridden is too old, or not in the log.
		TooLate,
		/// A recovery key of the same or a higher rank was used since.
		Outranked,
		/// A recovery has to name the recovery key that comes after its own.
		NoSuccessor,
		/// The new device has to accept, and nobody else.
		BadAcceptance,
		/// The signature does not verify under the author's key.
		BadSignature,
		/// The log cannot take another event.
		LogFull,
		/// Only the sponsor may have the deposit back.
		NotSponsor,
		/// The identity is open, or can still be recovered: wait for `RecoveryWindow` blocks after it was closed.
		NotEnded,
		/// The voucher is not taken: validation says why.
		VoucherRefused,
	}

	impl<T> From<IdentityRefusal> for Error<T> {
		fn from(refusal: IdentityRefusal) -> Self {
			match refusal {
				IdentityRefusal::UnknownIdentity => Self::UnknownIdentity,
				IdentityRefusal::IdentityExists => Self::IdentityExists,
				IdentityRefusal::WrongId => Self::WrongId,
				IdentityRefusal::BadSequence => Self::BadSequence,
				IdentityRefusal::BadPrevious => Self::BadPrevious,
				IdentityRefusal::BadInception => Self::BadInception,
				IdentityRefusal::Closed => Self::Closed,
				IdentityRefusal::NotAuthorised => Self::NotAuthorised,
				IdentityRefusal::UnknownDevice => Self::UnknownDevice,
				IdentityRefusal::NotAdded => Self::NotAdded,
				IdentityRefusal::LastDevice => Self::LastDevice,
				IdentityRefusal::KeyUsed => Self::KeyUsed,
				IdentityRefusal::TooMany => Self::TooMany,
				IdentityRefusal::TooSoon => Self::TooSoon,
				IdentityRefusal::NoSuchRank => Self::NoSuchRank,
				IdentityRefusal::TooLate => Self::TooLate,
				IdentityRefusal::Outranked => Self::Outranked,
				IdentityRefusal::NoSuccessor => Self::NoSuccessor,
				IdentityRefusal::BadAcceptance => Self::BadAcceptance,
				IdentityRefusal::BadSignature => Self::BadSignature,
				IdentityRefusal::LogFull => Self::LogFull,
			}
		}
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			BlockEvents::<T>::kill();
			T::DbWeight::get().writes(1)
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
		/// Registers an identity by its first event; the caller becomes its sponsor and has `IdentityDeposit` held.
		///
		/// Fails if the event is none, if the identity exists or has ended, if a key was used before, or if the caller
		/// lacks the funds. Emits [`Event::IdentityRegistered`] and [`Event::DeviceAdded`].
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::register())]
		pub fn register(origin: OriginFor<T>, event: SignedEvent) -> DispatchResult {
			let sponsor = ensure_signed(origin)?;
			Self::found(sponsor, &event, Signatures::Verify)
		}

		/// Records the next event of an identity.
		///
		/// A general transaction, authorised by the event's signatures alone: no account, no fee. Validation refuses with
		/// `InvalidTransaction::Custom`, the code of an [`IdentityRefusal`]. Emits [`Event::EventRecorded`], and one event
		/// for each device key that comes or goes.
		#[pallet::call_index(1)]
		#[pallet::weight((T::WeightInfo::record(), DispatchClass::Normal, Pays::No))]
		#[pallet::authorize(|_source, event| Self::authorize_record(event))]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_record())]
		pub fn record(origin: OriginFor<T>, event: SignedEvent) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::take(&event)
		}

		/// Returns the deposit of an identity that was closed so long ago that no recovery key can open it again. What is
		/// left of it is the head of its log.
		///
		/// Only the sponsor may. Emits [`Event::IdentityEnded`].
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::reclaim())]
		pub fn reclaim(origin: OriginFor<T>, identity: IdentityId) -> DispatchResult {
			let caller = ensure_signed(origin)?;
			Self::end(&caller, &identity)
		}

		/// Registers an identity at the cost of whoever gave the voucher away: that account becomes its sponsor, and has
		/// `IdentityDeposit` held.
		///
		/// A general transaction, authorised by the voucher and the event's signature: no account, no fee. The voucher's order is
		/// `SCALE(event)`. Validation refuses with `InvalidTransaction::Custom`, the code of an [`IdentityRefusal`] or a
		/// [`VoucherRefusal`](lockstep_primitives::voucher::VoucherRefusal). Emits [`Event::IdentityRegistered`] and
		/// [`Event::DeviceAdded`].
		#[pallet::call_index(3)]
		#[pallet::weight((
			T::WeightInfo::register_by_voucher().saturating_add(T::VoucherWeights::get().1),
			DispatchClass::Normal,
			Pays::No
		))]
		#[pallet::authorize(|_source, event, payment| Self::authorize_registration(event, payment))]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_register_by_voucher().saturating_add(T::VoucherWeights::get().0))]
		pub fn register_by_voucher(origin: OriginFor<T>, event: SignedEvent, payment: Payment) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::found_by_voucher(&event, &payment)
		}
	}
}
