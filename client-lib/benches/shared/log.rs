//! The log of one group, every entry of which is final as soon as it is in it.

use lockstep_client::{
	finality::Finalized,
	log::{EntryHeader, LogCursor, VerifiedEntry},
	GenesisHash, GroupId,
};
use lockstep_primitives::{extrinsic::Append, payload_hash, Endorsement, EntryBody, EntryHash, LogHead, OrderingKey};

pub const GENESIS: GenesisHash = GenesisHash([7; 32]);

/// See the module.
pub struct Log {
	group: GroupId,
	cursor: LogCursor,
	entries: Vec<VerifiedEntry>,
}

impl Log {
	/// A log with entry 0 in it.
	pub fn new(group: GroupId, next_key: OrderingKey, endorsement: Endorsement) -> Self {
		let cursor = LogCursor::start(&GENESIS, &group);
		let mut log = Self { group, cursor, entries: Vec::new() };
		log.append(cursor.head.hash, Vec::new(), next_key, endorsement);
		log
	}

	pub fn group(&self) -> GroupId {
		self.group
	}

	/// Takes a commit on, in a block of its own.
	pub fn take(&mut self, append: Append) {
		self.append(append.parent, append.payload, append.next_key, append.endorsement);
	}

	fn append(&mut self, parent: EntryHash, payload: Vec<u8>, next_key: OrderingKey, endorsement: Endorsement) {
		let hash = payload_hash(&payload);
		let payload_len = u32::try_from(payload.len()).expect("it is short");
		let body = EntryBody { parent, payload_hash: hash, payload_len, next_key, endorsement };
		let (index, block) = (self.cursor.head.length, self.cursor.block + 1);
		let head: LogHead = self.cursor.head.append(block, &body).expect("the log is not full");
		let header = EntryHeader { index, hash: head.hash, parent, block, payload_hash: hash, next_key };
		self.entries.push(VerifiedEntry { header, payload: Some(payload) });
		self.cursor = LogCursor { head, block };
	}

	/// What is final from an entry on.
	pub fn finalized(&self, from: u64) -> Finalized {
		let from = usize::try_from(from).expect("it is small");
		let entries = self.entries.iter().skip(from).map(|entry| (self.group, entry.clone())).collect();
		Finalized { block: self.cursor.block, entries, closed: Vec::new(), complete: true }
	}

	/// The newest entry.
	pub fn newest(&self) -> u64 {
		self.cursor.head.length - 1
	}
}
