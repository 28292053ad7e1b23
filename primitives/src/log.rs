//! The one primitive: a log of entries, each hashing the one before it, with only the head in state.

use crate::{BlockNumber, EntryHash, GenesisHash};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

const LOG_TAG: &[u8] = b"lockstep/log/1";
const ENTRY_TAG: &[u8] = b"lockstep/entry/1";

/// What a log records. Part of its first head, so that logs of different kinds never share a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[repr(u8)]
pub enum LogKind {
	/// The commits of an MLS group.
	#[codec(index = 0)]
	Group = 0,
	/// The key events of an identity.
	#[codec(index = 1)]
	Identity = 1,
	/// The key events of a node operator.
	#[codec(index = 2)]
	Operator = 2,
}

/// How many entries a log has, and the hash that commits to all of them, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LogHead {
	/// Number of entries; the index of the next one.
	pub length: u64,
	/// Hash of the newest entry, or of the empty log.
	pub hash: EntryHash,
}

impl LogHead {
	/// The head of an empty log: `H("lockstep/log/1" | kind | genesis | log_id)`.
	pub fn empty(kind: LogKind, genesis: &GenesisHash, log_id: &[u8; 32]) -> Self {
		let mut hasher = blake3::Hasher::new();
		hasher.update(LOG_TAG);
		hasher.update(&[kind as u8]);
		hasher.update(genesis.as_bytes());
		hasher.update(log_id);
		Self { length: 0, hash: EntryHash(hasher.finalize().into()) }
	}

	/// The head after one more entry:
	/// `H("lockstep/entry/1" | head | index | block_number | SCALE(body))`, index as `u64` and block number as
	/// `u32`, both little endian. `None` if the log is full, after 2^64 - 1 entries.
	pub fn append(&self, block: BlockNumber, body: &impl Encode) -> Option<Self> {
		let mut hasher = blake3::Hasher::new();
		hasher.update(ENTRY_TAG);
		hasher.update(self.hash.as_bytes());
		hasher.update(&self.length.to_le_bytes());
		hasher.update(&block.to_le_bytes());
		body.using_encoded(|bytes| {
			hasher.update(bytes);
		});
		Some(Self { length: self.length.checked_add(1)?, hash: EntryHash(hasher.finalize().into()) })
	}
}
