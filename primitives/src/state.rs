//! What the chain keeps of a group, as the runtime API returns it.

use crate::{BlockNumber, EntryBody, EntryHash, GroupId, LogHead, OrderingKey};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A group as the chain knows it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GroupState {
	/// Length and head hash of the group's log.
	pub head: LogHead,
	/// The block that carries the newest entry.
	pub last_entry_at: BlockNumber,
	/// How many entries are open: they are what the group occupies in state.
	pub open_entries: u32,
	/// Whether any entry of this log ever had more than one child.
	pub contested: bool,
}

/// What is left of the budget of a lineage: an entry, its first child, that one's first child, and so on. Both
/// allowances refill by the block, up to their capacity; see [`OrderingParameters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Budget {
	/// Entries that may still be appended.
	pub entries: u32,
	/// Payload bytes that may still be appended.
	pub bytes: u32,
	/// The block at which these figures were right.
	pub at: BlockNumber,
}

/// An entry that may still get children.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OpenEntry {
	/// Position in the log; entry 0 is made by `create_group`.
	pub index: u64,
	/// How many entries lie between this one and entry 0 on its branch, plus one; the MLS epoch that it opens, if
	/// the members accept it.
	pub depth: u64,
	/// The key that endorses children of this entry.
	pub next_key: OrderingKey,
	/// The block that carries the entry.
	pub block: BlockNumber,
	/// The position of its extrinsic in that block.
	pub extrinsic_index: u32,
	/// How many children it has.
	pub children: u32,
	/// The block of the first child; 0 while there is none.
	pub first_child_at: BlockNumber,
	/// The block of the youngest child; 0 while there is none.
	pub last_child_at: BlockNumber,
	/// What the lineage of this entry may still append.
	pub budget: Budget,
}

/// Where the runtime found an entry in the block it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BlockEntry {
	/// The group whose log got the entry.
	pub group: GroupId,
	/// Its position in that log.
	pub index: u64,
	/// Its hash.
	pub hash: EntryHash,
	/// What the hash covers, with the head before it and the block number.
	pub body: EntryBody,
	/// The position of its extrinsic in the block.
	pub extrinsic_index: u32,
}

/// The constants of the ordering pallet that clients need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OrderingParameters {
	/// Largest payload of an entry, in bytes.
	pub max_payload: u32,
	/// Blocks before a second child is admitted; doubled for each further one.
	pub candidate_interval: BlockNumber,
	/// Blocks after its first child during which an entry can get further ones.
	pub contest_window: BlockNumber,
	/// Blocks after which a leaf goes if a younger one exists.
	pub retention: BlockNumber,
	/// Entries that a lineage may append in a burst, and those it gains with each block.
	pub entry_budget: (u32, u32),
	/// Payload bytes that a lineage may append in a burst, and those it gains with each block.
	pub byte_budget: (u32, u32),
}
