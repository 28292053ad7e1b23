//! What the pallet keeps in state, beyond the types that it shares with clients.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
	pallet_prelude::{ConstU32, TypeInfo},
	traits::fungible::Inspect,
	BoundedVec,
};
use lockstep_primitives::{BlockNumber, EntryHash, GroupId, GroupState, OpenEntry, OrderingKey, PayloadHash};

/// The balance type of the currency that deposits are held in.
pub type BalanceOf<T> = <<T as crate::Config>::Currency as Inspect<<T as frame_system::Config>::AccountId>>::Balance;

/// A group's record, under the id of the group.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Group<AccountId, Balance> {
	/// What clients need. It comes first, so that they can decode it from a storage proof of this one key
	/// without knowing what follows.
	pub state: GroupState,
	/// The account that pays for the group's place in state, and alone may close it.
	pub sponsor: AccountId,
	/// What is held from the sponsor until then.
	pub deposit: Balance,
	/// The contests that the group may have.
	pub contests: Contests,
}

/// A group's allowance of contests: shared by all its lineages, since whoever holds one key can start as many
/// lineages as it can contest entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Contests {
	/// How many there are left as of `at`.
	pub left: u32,
	/// The block from which the next one is being gained.
	pub at: BlockNumber,
}

/// The record of a group of `T`.
pub type GroupOf<T> = Group<<T as frame_system::Config>::AccountId, BalanceOf<T>>;

/// More children than an entry can ever have: each waits twice as long as the one before, and block numbers have
/// 32 bits.
pub const MAX_CHILDREN: u32 = 34;

/// An open entry's record, under its group and hash.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct OpenRecord {
	/// What clients need; first, for the same reason as in [`Group`].
	pub entry: OpenEntry,
	/// Whether its lineage was started by a contest, and so gains slowly.
	pub contesting: bool,
	/// One digest for each child, so that no candidate becomes a child twice. An endorsement can be read by
	/// anyone who sees the block: without this, an outsider could replay it as a contest once the interval is over.
	pub candidates: BoundedVec<CandidateDigest, ConstU32<MAX_CHILDREN>>,
}

/// Tells the candidates for one parent apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct CandidateDigest([u8; 32]);

impl CandidateDigest {
	/// The digest of the candidate with this payload and key. The endorsement is left out: the holder of a key can
	/// make any number of signatures over the same bytes.
	pub fn new(payload_hash: &PayloadHash, next_key: &OrderingKey) -> Self {
		Self(sp_io::hashing::blake2_256(&(payload_hash, next_key).encode()))
	}
}

/// A position in a log, as a storage key that sorts as the positions do: big endian, not hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct IndexKey([u8; 8]);

impl From<u64> for IndexKey {
	fn from(index: u64) -> Self {
		Self(index.to_be_bytes())
	}
}

impl From<IndexKey> for u64 {
	fn from(key: IndexKey) -> Self {
		Self::from_be_bytes(key.0)
	}
}

/// Where a first-in first-out queue starts and ends.
#[derive(
	Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct QueueBounds {
	/// Position of the oldest item.
	pub head: u64,
	/// Position of the next item to come; the queue is empty while it is not above `head`.
	pub tail: u64,
}

/// An entry that something falls due for, a constant number of blocks after `since`. The delay is not stored, so
/// that the queues stay in order when a runtime upgrade changes the constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct DueEntry {
	/// The group.
	pub group: GroupId,
	/// The entry.
	pub entry: EntryHash,
	/// The block from which the delay counts.
	pub since: BlockNumber,
}

/// A closed group whose open entries are being removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Removal {
	/// The group.
	pub group: GroupId,
	/// Every open entry below this index has been removed.
	pub from: u64,
}
