//! Checks entries against the head of their group's log.
//!
//! A node sends entries whole, or without a payload that it has deleted. [`LogCursor::admit`] recomputes the hash chain from them, by the rules of
//! [`lockstep_verifier::entries`], so that an entry that is missing, altered, out of order or of another group's log
//! does not get past it. That the head itself is final is for [`finality`](crate::finality) to prove.

use lockstep_primitives::{
	rpc, BlockNumber, EntryHash, GenesisHash, GroupId, LogHead, LogKind, OrderingKey, PayloadHash,
};
use lockstep_verifier::entries::{self, Cursor};
use serde::{Deserialize, Serialize};

/// What the gate needs to know of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryHeader {
	/// Position in the log.
	pub index: u64,
	/// The log head that the entry made: its name.
	pub hash: EntryHash,
	/// The entry whose epoch the commit was made in.
	pub parent: EntryHash,
	/// The block that carries it.
	pub block: BlockNumber,
	/// BLAKE3-256 of the sealed commit bundle.
	pub payload_hash: PayloadHash,
	/// The ordering key of the epoch that the commit opens.
	pub next_key: OrderingKey,
}

/// An entry that continues the log it was checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedEntry {
	/// Its header.
	pub header: EntryHeader,
	/// The sealed commit bundle, whose hash the header names; empty for entry 0. `None` if no node has it any more.
	pub payload: Option<Vec<u8>>,
}

/// Why an entry does not continue a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
	/// An entry was left out, repeated or moved.
	#[error("the log continues with entry {expected}, but the node sent entry {got}: ask another node")]
	Index {
		/// Index of the entry that comes next.
		expected: u64,
		/// Index of the entry received.
		got: u64,
	},
	/// It does not fit what comes before it.
	#[error(transparent)]
	Entry(#[from] entries::LogError),
}

/// A position in a group's log: everything before it has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogCursor {
	/// Length and hash of the log read so far.
	pub head: LogHead,
	/// The block of the newest entry read; 0 before the first.
	pub block: BlockNumber,
}

impl LogCursor {
	/// The start of a group's log.
	pub fn start(genesis: &GenesisHash, group: &GroupId) -> Self {
		Self { head: LogHead::empty(LogKind::Group, genesis, group.as_bytes()), block: 0 }
	}

	/// Right after an entry that was checked before.
	pub fn after(entry: &EntryHeader) -> Option<Self> {
		let head = LogHead { length: entry.index.checked_add(1)?, hash: entry.hash };
		Some(Self { head, block: entry.block })
	}

	/// Checks that `entry` is the next one and moves past it. On an error the cursor stays where it is.
	pub fn admit(&mut self, entry: rpc::Entry) -> Result<VerifiedEntry, LogError> {
		let rpc::Entry { index, block, body, payload } = entry;
		if index != self.head.length {
			return Err(LogError::Index { expected: self.head.length, got: index });
		}
		let mut cursor = Cursor { head: self.head, block: self.block };
		// Entry 0 has no commit: its payload is empty and has the hash of the empty string, like any other payload.
		let entry = entries::Entry { block, body, payload: payload.map(|payload| payload.0) };
		let hash = cursor.admit(&entry)?;
		let entries::Entry { body, payload, .. } = entry;
		let header = EntryHeader {
			index,
			hash,
			parent: body.parent,
			block,
			payload_hash: body.payload_hash,
			next_key: body.next_key,
		};
		*self = Self { head: cursor.head, block };
		Ok(VerifiedEntry { header, payload })
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use lockstep_primitives::{payload_hash, rpc::HexBytes, Endorsement, EntryBody};

	const GENESIS: GenesisHash = GenesisHash([1; 32]);
	const GROUP: GroupId = GroupId([2; 32]);

	fn entry(index: u64, parent: EntryHash, block: BlockNumber, payload: &[u8]) -> rpc::Entry {
		let body = EntryBody {
			parent,
			payload_hash: payload_hash(payload),
			payload_len: payload.len() as u32,
			next_key: OrderingKey([7; 32]),
			endorsement: Endorsement([8; 64]),
		};
		rpc::Entry { index, block, body, payload: Some(HexBytes(payload.to_vec())) }
	}

	#[test]
	fn entries_chain_to_the_head_that_the_chain_computes() {
		let mut cursor = LogCursor::start(&GENESIS, &GROUP);
		let first = entry(0, cursor.head.hash, 5, b"");
		let expected = cursor.head.append(5, &first.body).unwrap();
		let verified = cursor.admit(first).unwrap();
		assert_eq!(verified.header.hash, expected.hash);
		assert_eq!(cursor.head, expected);
		assert_eq!(LogCursor::after(&verified.header), Some(cursor));
		cursor.admit(entry(1, expected.hash, 5, b"commit")).unwrap();
		assert_eq!(cursor.head.length, 2);
	}

	#[test]
	fn what_does_not_continue_the_log_is_refused_and_moves_nothing() {
		let mut cursor = LogCursor::start(&GENESIS, &GROUP);
		cursor.admit(entry(0, cursor.head.hash, 5, b"")).unwrap();
		let before = cursor;
		let good = entry(1, cursor.head.hash, 6, b"commit");

		let repeated = rpc::Entry { index: 0, ..good.clone() };
		assert_eq!(cursor.admit(repeated), Err(LogError::Index { expected: 1, got: 0 }));
		let ahead = rpc::Entry { index: 2, ..good.clone() };
		assert_eq!(cursor.admit(ahead), Err(LogError::Index { expected: 1, got: 2 }));
		let swapped = rpc::Entry { payload: Some(HexBytes(b"commot".to_vec())), ..good.clone() };
		assert_eq!(cursor.admit(swapped), Err(entries::LogError::Payload(1).into()));
		let mut long = good.clone();
		long.body.payload_len += 1;
		assert_eq!(cursor.admit(long), Err(entries::LogError::Payload(1).into()));
		let early = rpc::Entry { block: 4, ..good.clone() };
		assert_eq!(cursor.admit(early), Err(entries::LogError::Block(1).into()));
		assert_eq!(cursor, before);
		cursor.admit(good).unwrap();
	}

	#[test]
	fn the_payload_may_be_missing_and_changes_no_name() {
		let mut cursor = LogCursor::start(&GENESIS, &GROUP);
		cursor.admit(entry(0, cursor.head.hash, 5, b"")).unwrap();
		let whole = entry(1, cursor.head.hash, 6, b"commit");
		let bare = rpc::Entry { payload: None, ..whole.clone() };
		let (mut one, mut other) = (cursor, cursor);
		let (whole, bare) = (one.admit(whole).unwrap(), other.admit(bare).unwrap());
		assert_eq!((whole.header, one), (bare.header, other));
		assert_eq!((whole.payload, bare.payload), (Some(b"commit".to_vec()), None));
	}

	#[test]
	fn every_field_of_an_entry_moves_the_head() {
		let start = LogCursor::start(&GENESIS, &GROUP);
		let head = |entry: rpc::Entry| {
			let mut cursor = start;
			cursor.admit(entry).unwrap().header.hash
		};
		let good = entry(0, start.head.hash, 5, b"x");
		let mut parent = good.clone();
		parent.body.parent = EntryHash([9; 32]);
		let mut key = good.clone();
		key.body.next_key = OrderingKey([9; 32]);
		let mut endorsement = good.clone();
		endorsement.body.endorsement = Endorsement([9; 64]);
		let block = rpc::Entry { block: 6, ..good.clone() };
		for other in [parent, key, endorsement, block, entry(0, start.head.hash, 5, b"y")] {
			assert_ne!(head(other), head(good.clone()));
		}
	}

	#[test]
	fn logs_of_other_groups_and_chains_start_elsewhere() {
		let start = LogCursor::start(&GENESIS, &GROUP);
		assert_ne!(start, LogCursor::start(&GenesisHash([3; 32]), &GROUP));
		assert_ne!(start, LogCursor::start(&GENESIS, &GroupId([3; 32])));
	}
}
