//! Orders the commits of MLS groups (RFC 9420): one log a group, its head in state.
//!
//! An entry of a group's log says: "the holder of the key of entry `parent` endorses this commit, and names the
//! key of the epoch that it opens." The first commit for an epoch wins; a rival is refused until the winner is old
//! enough to be contested, so that an entry that the members cannot process does not lock the group (RFC 9750
//! section 5.3). The pallet sees hashes, keys, sizes and times. It knows no member and reads no commit.
//!
//! Members need no account and pay no fee: an append is authorised by the endorsement that it carries. A sponsor,
//! an account, creates the group and has a deposit held until it closes it.
//!
//! [`admission`] holds the rule for entries, [`closing`] the one for closing a group, [`pruning`] what leaves the
//! state, [`reading`] what the runtime API returns.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

pub mod admission;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod budget;
mod checks;
pub mod closing;
pub mod founding;
mod growth;
mod hooks;
#[cfg(test)]
mod mock;
pub mod pruning;
mod queue;
pub mod reading;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;

pub use hooks::OnOpenEntry;
pub use pallet::*;
pub use weights::WeightInfo;

#[frame_support::pallet]
#[allow(missing_docs)] // The macro makes items of its own; each item below has its sentence.
pub mod pallet {
	use crate::{
		admission::{Candidate, Signature},
		hooks::OnOpenEntry,
		types::{BalanceOf, DueEntry, GroupOf, IndexKey, OpenRecord, QueueBounds, Removal},
		weights::WeightInfo,
	};
	use alloc::vec::Vec;
	use frame_support::{pallet_prelude::*, traits::fungible::MutateHold};
	use frame_system::pallet_prelude::*;
	use lockstep_primitives::{
		extrinsic::Founding,
		voucher::{Cashier, Payment},
		BlockEntry, Endorsement, EntryHash, GroupId, OrderingKey, Refusal,
	};
	use sp_core::H256;

	/// The version of the storage layout.
	pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// What the runtime decides. Block counts and sizes are constants of the chain that clients read through the
	/// runtime API; `integrity_test` checks that they fit together.
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
		/// Told which ordering keys have an open entry.
		type OnEntry: OnOpenEntry;
		/// What the calls cost.
		type WeightInfo: WeightInfo;

		/// What is held from a sponsor for each group.
		#[pallet::constant]
		type GroupDeposit: Get<BalanceOf<Self>>;
		/// Largest payload of an entry, in bytes.
		#[pallet::constant]
		type MaxPayload: Get<u32>;
		/// Blocks before an entry may get a second child; doubled for each further one.
		#[pallet::constant]
		type CandidateInterval: Get<u32>;
		/// Blocks after its first child during which an entry may get further ones.
		#[pallet::constant]
		type ContestWindow: Get<u32>;
		/// Blocks after which an entry without children goes if a younger one exists, and after which the sponsor
		/// may close a group in which nothing was appended.
		#[pallet::constant]
		type Retention: Get<u32>;
		/// Entries that a lineage may append at once.
		#[pallet::constant]
		type EntryCapacity: Get<u32>;
		/// Entries that a lineage gains with each block.
		#[pallet::constant]
		type EntryRefill: Get<u32>;
		/// Payload bytes that a lineage may append at once.
		#[pallet::constant]
		type ByteCapacity: Get<u32>;
		/// Payload bytes that a lineage gains with each block.
		#[pallet::constant]
		type ByteRefill: Get<u32>;
		/// Contests that a group may have at once: children of parents that have one already.
		#[pallet::constant]
		type ContestCapacity: Get<u32>;
		/// Blocks after which a group gains one more contest.
		#[pallet::constant]
		type ContestRefill: Get<u32>;
		/// Entries that a lineage which a contest starts may append at once, the first included. It refills up to
		/// `EntryCapacity`.
		#[pallet::constant]
		type ContestEntries: Get<u32>;
		/// Payload bytes that such a lineage may append at once. They refill up to `ByteCapacity`.
		#[pallet::constant]
		type ContestBytes: Get<u32>;
		/// Blocks in which such a lineage gains what others gain in one.
		#[pallet::constant]
		type ContestSlowdown: Get<u32>;
		/// Blocks for which the pool may keep an append before it asks again.
		#[pallet::constant]
		type AppendLongevity: Get<u64>;
		/// Queue items that one block handles at most. Each append makes two items, so this should be well above
		/// twice the number of appends that fit in a block.
		#[pallet::constant]
		type MaxPrunedPerBlock: Get<u32>;
	}

	/// Why funds are held.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// The deposit of a sponsor, one for each of its groups.
		Group,
	}

	/// The groups that are open. The value starts with what clients need, a `GroupState`: one read proof of this
	/// key proves the head of the log.
	#[pallet::storage]
	pub type Groups<T: Config> = CountedStorageMap<_, Blake2_128Concat, GroupId, GroupOf<T>>;

	/// The entries that may get children, by group and hash. The value starts with an `OpenEntry`.
	#[pallet::storage]
	pub type OpenEntries<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, GroupId, Blake2_128Concat, EntryHash, OpenRecord>;

	/// The hashes of the open entries by group and index, in log order: the keys sort as the indices do.
	#[pallet::storage]
	pub type Indices<T: Config> = StorageDoubleMap<_, Blake2_128Concat, GroupId, Identity, IndexKey, EntryHash>;

	/// The ids of closed groups, for ever: an id is used once.
	#[pallet::storage]
	pub type ClosedGroups<T: Config> = StorageMap<_, Blake2_128Concat, GroupId, ()>;

	/// Where the queue of entries with a child starts and ends.
	#[pallet::storage]
	pub type CloseBounds<T: Config> = StorageValue<_, QueueBounds, ValueQuery>;
	/// Entries with a child, in the order of their first ones.
	#[pallet::storage]
	pub type CloseQueue<T: Config> = StorageMap<_, Twox64Concat, u64, DueEntry>;

	/// Where the queue of all entries starts and ends.
	#[pallet::storage]
	pub type RetentionBounds<T: Config> = StorageValue<_, QueueBounds, ValueQuery>;
	/// All entries younger than `Retention`, in the order of their blocks.
	#[pallet::storage]
	pub type RetentionQueue<T: Config> = StorageMap<_, Twox64Concat, u64, DueEntry>;

	/// Where the queue of closed groups starts and ends.
	#[pallet::storage]
	pub type RemovalBounds<T: Config> = StorageValue<_, QueueBounds, ValueQuery>;
	/// Closed groups that still have entries in state.
	#[pallet::storage]
	pub type RemovalQueue<T: Config> = StorageMap<_, Twox64Concat, u64, Removal>;

	/// The entries that this block appended. They can be read in the state after the block; the next one clears
	/// them.
	#[pallet::storage]
	#[pallet::unbounded]
	pub type BlockEntries<T: Config> = StorageValue<_, Vec<BlockEntry>, ValueQuery>;

	/// What happened. Nothing here names a member: an endorsement is by whoever held the key.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A group was created; `entry` is entry 0 of its log.
		GroupCreated { group: GroupId, entry: EntryHash },
		/// An entry was appended. `contested` says that its parent had a child already.
		EntryAppended { group: GroupId, index: u64, entry: EntryHash, parent: EntryHash, depth: u64, contested: bool },
		/// A group was closed: its log has ended.
		GroupClosed { group: GroupId },
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The payload is larger than `MaxPayload`: make the commit smaller.
		PayloadTooLarge,
		/// The payload is empty: an entry endorses a commit.
		PayloadEmpty,
		/// No open group has this id: create it first.
		UnknownGroup,
		/// The parent is not an open entry of this group: look at the log for the newest one.
		ParentNotOpen,
		/// Another entry came first: look at the log.
		Superseded,
		/// The lineage has used up its budget, or the group its allowance of contests: wait some blocks.
		OverBudget,
		/// The endorsement does not verify: sign what `endorsement_payload` returns with the parent's key, or with
		/// `next_key` itself to create a group.
		BadEndorsement,
		/// The log cannot take another entry: found the group anew.
		LogFull,
		/// A group with this id is open: draw another id.
		GroupExists,
		/// A group had this id once: draw another id.
		GroupIdUsed,
		/// Only the sponsor may close a group.
		NotSponsor,
		/// Entries were appended too recently: wait until nothing was for `Retention` blocks, or bring a release
		/// after `ContestWindow` blocks.
		GroupActive,
		/// The release does not verify: sign what `release_payload` returns with the newest entry's key.
		BadRelease,
		/// The voucher is not taken: validation says why.
		VoucherRefused,
	}

	impl<T> From<Refusal> for Error<T> {
		fn from(refusal: Refusal) -> Self {
			match refusal {
				Refusal::PayloadTooLarge => Self::PayloadTooLarge,
				Refusal::PayloadEmpty => Self::PayloadEmpty,
				Refusal::UnknownGroup => Self::UnknownGroup,
				Refusal::ParentNotOpen => Self::ParentNotOpen,
				Refusal::Superseded => Self::Superseded,
				Refusal::OverBudget => Self::OverBudget,
				Refusal::BadEndorsement => Self::BadEndorsement,
				Refusal::LogFull => Self::LogFull,
				Refusal::GroupExists => Self::GroupExists,
				Refusal::GroupIdUsed => Self::GroupIdUsed,
			}
		}
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			BlockEntries::<T>::kill();
			T::DbWeight::get().writes(1)
		}

		fn on_idle(_: BlockNumberFor<T>, limit: Weight) -> Weight {
			Self::prune(limit)
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
		/// Creates a group; the caller becomes its sponsor and has `GroupDeposit` held.
		///
		/// `next_key` is the ordering key of epoch 0. It endorses entry 0 itself, which proves that the creator
		/// holds it: the parent is the head of the empty log, the payload is empty.
		///
		/// Fails if the id is or ever was in use, if the endorsement does not verify, or if the caller lacks the
		/// funds. Emits [`Event::GroupCreated`].
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::create_group())]
		pub fn create_group(
			origin: OriginFor<T>,
			group: GroupId,
			next_key: OrderingKey,
			endorsement: Endorsement,
		) -> DispatchResult {
			let sponsor = ensure_signed(origin)?;
			let founding = Founding { group, next_key, endorsement };
			Self::found(sponsor, &founding, Signature::Verify)
		}

		/// Appends an entry: the holder of `parent`'s key endorses the commit sealed in `payload` and names the key
		/// of the epoch that it opens.
		///
		/// A general transaction, authorised by `endorsement` alone: no account, no fee. Validation refuses with
		/// `InvalidTransaction::Custom`, the code of a [`Refusal`]. Emits [`Event::EntryAppended`].
		#[pallet::call_index(1)]
		#[pallet::weight((T::WeightInfo::append(length(payload)), DispatchClass::Normal, Pays::No))]
		#[pallet::authorize(|_source, group, parent, payload, next_key, endorsement| {
			Self::authorize_append(&Candidate { group, parent, payload, next_key, endorsement })
		})]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_append(length(payload)))]
		pub fn append(
			origin: OriginFor<T>,
			group: GroupId,
			parent: EntryHash,
			payload: Vec<u8>,
			next_key: OrderingKey,
			endorsement: Endorsement,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			let candidate = Candidate {
				group: &group,
				parent: &parent,
				payload: &payload,
				next_key: &next_key,
				endorsement: &endorsement,
			};
			let admission = Self::admit(&candidate, Signature::Verified).map_err(Error::<T>::from)?;
			Self::grow(&group, admission);
			Ok(())
		}

		/// Closes a group and returns the deposit. Its id cannot be used again, and its entries leave the state.
		///
		/// Only the sponsor may, and only a group that has ended: one in which nothing was appended for `Retention`
		/// blocks, or for `ContestWindow` blocks if `release`, a signature by the newest entry's key over
		/// `release_payload`, shows that a member agrees. Emits [`Event::GroupClosed`].
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::close_group())]
		pub fn close_group(origin: OriginFor<T>, group: GroupId, release: Option<Endorsement>) -> DispatchResult {
			let caller = ensure_signed(origin)?;
			Self::close(&caller, &group, release.as_ref())
		}

		/// Creates a group at the cost of whoever gave the voucher away: that account becomes its sponsor, and has
		/// `GroupDeposit` held. Nothing says who creates it.
		///
		/// A general transaction, authorised by the voucher and `endorsement`: no account, no fee. The voucher's order is
		/// `SCALE(group, next_key, endorsement)`. Validation refuses with `InvalidTransaction::Custom`, the code of a
		/// [`Refusal`] or a [`VoucherRefusal`](lockstep_primitives::voucher::VoucherRefusal). Emits [`Event::GroupCreated`].
		#[pallet::call_index(3)]
		#[pallet::weight((
			T::WeightInfo::create_group_by_voucher().saturating_add(T::VoucherWeights::get().1),
			DispatchClass::Normal,
			Pays::No
		))]
		#[pallet::authorize(|_source, group, next_key, endorsement, payment| {
			Self::authorize_founding(&Founding { group: *group, next_key: *next_key, endorsement: *endorsement }, payment)
		})]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_create_group_by_voucher().saturating_add(T::VoucherWeights::get().0))]
		pub fn create_group_by_voucher(
			origin: OriginFor<T>,
			group: GroupId,
			next_key: OrderingKey,
			endorsement: Endorsement,
			payment: Payment,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			let founding = Founding { group, next_key, endorsement };
			Self::found_by_voucher(&founding, &payment)
		}
	}

	/// The length of a payload for its weight; one that does not fit in 32 bits never gets here.
	fn length(payload: &[u8]) -> u32 {
		u32::try_from(payload.len()).unwrap_or(u32::MAX)
	}
}
