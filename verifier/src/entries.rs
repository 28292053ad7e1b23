//! Entries of a group's log, checked up to a proven head.
//!
//! What is missing, altered, out of order or of another log does not hash to the head.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use lockstep_primitives::{
	payload_hash, BlockNumber, EntryBody, EntryHash, GenesisHash, GroupId, GroupState, LogHead, LogKind,
};

/// An entry as it is sent or stored.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Entry {
	/// The block that carries it.
	pub block: BlockNumber,
	/// What its hash covers, with the head before it and the block number.
	pub body: EntryBody,
	/// The sealed commit bundle; whoever checks only the chain of keys can do without.
	pub payload: Option<Vec<u8>>,
}

/// Why entries are not those of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
	/// The bytes are not those that the entry endorses.
	#[error("the payload of entry {0} does not have the hash or length that the entry names: ask another node")]
	Payload(u64),
	/// The entry was put into a block lower than that of an earlier entry.
	#[error("entry {0} names a block below the one of the entry before it: ask another node")]
	Block(u64),
	/// 2^64 - 1 entries.
	#[error("the log is full: found the group anew")]
	Full,
	/// Too few or too many entries.
	#[error("the entries reach up to {reached}, and the proven log has {proven}: ask another node for all of them")]
	Length {
		/// The length of the log that the entries make.
		reached: u64,
		/// The length in state.
		proven: u64,
	},
	/// Entries that were altered, swapped or repeated, or are of another log.
	#[error("the entries hash to {reached}, and the proven head is {proven}: ask another node")]
	Head {
		/// The head that the entries make.
		reached: EntryHash,
		/// The head in state.
		proven: EntryHash,
	},
	/// The block of the newest entry is not the one in state.
	#[error("the newest entry names block {reached}, and the state says {proven}: ask another node")]
	LastBlock {
		/// The block that the entry names.
		reached: BlockNumber,
		/// The block in state.
		proven: BlockNumber,
	},
}

/// A position in a log: everything before it has been hashed. Whether the entries are those of the chain is known only
/// when [`Self::reaches`] compares it with a proven head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Cursor {
	/// Length and hash of the log so far.
	pub head: LogHead,
	/// The block of the newest entry; 0 before the first.
	pub block: BlockNumber,
}

impl Cursor {
	/// The start of a group's log.
	pub fn start(genesis: &GenesisHash, group: &GroupId) -> Self {
		Self { head: LogHead::empty(LogKind::Group, genesis, group.as_bytes()), block: 0 }
	}

	/// Adds the next entry and returns its hash. On an error the cursor stays where it is.
	pub fn admit(&mut self, entry: &Entry) -> Result<EntryHash, LogError> {
		let Entry { block, body, payload } = entry;
		let index = self.head.length;
		if *block < self.block {
			return Err(LogError::Block(index));
		}
		if let Some(payload) = payload {
			let length = u32::try_from(payload.len()).map_err(|_| LogError::Payload(index))?;
			if length != body.payload_len || payload_hash(payload) != body.payload_hash {
				return Err(LogError::Payload(index));
			}
		}
		let head = self.head.append(*block, body).ok_or(LogError::Full)?;
		*self = Self { head, block: *block };
		Ok(head.hash)
	}

	/// Checks that the entries so far are all that the state knows of, and the very same.
	pub fn reaches(&self, proven: &GroupState) -> Result<(), LogError> {
		let Self { head, block } = self;
		if head.length != proven.head.length {
			return Err(LogError::Length { reached: head.length, proven: proven.head.length });
		}
		if head.hash != proven.head.hash {
			return Err(LogError::Head { reached: head.hash, proven: proven.head.hash });
		}
		if *block != proven.last_entry_at {
			return Err(LogError::LastBlock { reached: *block, proven: proven.last_entry_at });
		}
		Ok(())
	}
}
