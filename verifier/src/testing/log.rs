//! Group logs whose secret keys are known.

use super::validators::{public, secret};
use crate::entries::{Cursor, Entry};
use alloc::{vec, vec::Vec};
use codec::Encode;
use lockstep_primitives::{
	endorsement_payload, payload_hash, BlockNumber, Endorsement, EntryBody, EntryHash, GenesisHash, GroupId,
	GroupState, OrderingKey,
};

/// The keys of a group's epochs are secrets of this family, numbered by the entries.
const FAMILY: u64 = 1 << 32;

/// What the ordering pallet stores of a group: the state, and what clients do not know.
pub fn group_record(state: &GroupState) -> Vec<u8> {
	(state, [9u8; 32], 1_000_000_000_000u128, (64u32, 0u32)).encode()
}

/// A log that starts with entry 0, each entry endorsed by its parent's key.
#[derive(Clone, Debug)]
pub struct GroupLog {
	/// The chain.
	pub genesis: GenesisHash,
	/// The group.
	pub group: GroupId,
	/// The entries.
	pub entries: Vec<Entry>,
	/// The hashes of the entries.
	pub hashes: Vec<EntryHash>,
	/// What the chain keeps.
	pub state: GroupState,
	cursor: Cursor,
}

impl GroupLog {
	/// A log with entry 0, in a block.
	pub fn new(genesis: GenesisHash, group: GroupId, block: BlockNumber) -> Self {
		let mut log = Self::without_entries(genesis, group);
		log.push(log.cursor.head.hash, 0, Vec::new(), block);
		log
	}

	/// A log that no chain has: it has no entry 0 yet.
	pub fn without_entries(genesis: GenesisHash, group: GroupId) -> Self {
		let cursor = Cursor::start(&genesis, &group);
		let state = GroupState { head: cursor.head, last_entry_at: 0, open_entries: 0, contested: false };
		Self { genesis, group, entries: vec![], hashes: vec![], state, cursor }
	}

	/// Appends a child of entry `parent`, in a block. Its index.
	pub fn append(&mut self, parent: usize, payload: impl Into<Vec<u8>>, block: BlockNumber) -> usize {
		self.state.contested |= self.entries.iter().any(|entry| entry.body.parent == self.hashes[parent]);
		self.push(self.hashes[parent], parent as u64, payload.into(), block)
	}

	fn push(&mut self, parent: EntryHash, endorser: u64, payload: Vec<u8>, block: BlockNumber) -> usize {
		let index = self.entries.len();
		let next_key = OrderingKey(public(&secret(FAMILY, index as u64)));
		let hash = payload_hash(&payload);
		let signed = endorsement_payload(&self.genesis, &self.group, &parent, &hash, &next_key);
		let endorsement = Endorsement(secret(FAMILY, endorser).sign(&signed).to_bytes());
		let payload_len = payload.len() as u32;
		let body = EntryBody { parent, payload_hash: hash, payload_len, next_key, endorsement };
		self.put(Entry { block, body, payload: Some(payload) });
		index
	}

	/// Appends an entry as it is, whether the chain would admit it or not.
	pub fn put(&mut self, entry: Entry) {
		self.state.last_entry_at = entry.block;
		self.state.open_entries += 1;
		self.hashes.push(self.cursor.admit(&entry).expect("blocks in order"));
		self.entries.push(entry);
		self.state.head = self.cursor.head;
	}
}
