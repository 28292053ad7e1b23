//! A log in memory: it checks endorsements and hashes entries as the chain does, and nothing more.

use super::{member::Member, Candidate, GroupData, Prepared};
use ed25519_dalek::{Signature, VerifyingKey};
use lockstep_primitives::{
	endorsement_payload, extrinsic::Append, payload_hash, EntryBody, EntryHash, GenesisHash, GroupId, LogHead, LogKind,
	OrderingKey,
};

pub(super) const GENESIS: GenesisHash = GenesisHash([7; 32]);
/// An ordering key that nobody has.
pub(super) const ANY_KEY: OrderingKey = OrderingKey([5; 32]);

/// An entry as a member gets it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
	pub(super) index: u64,
	pub(super) hash: EntryHash,
	pub(super) parent: EntryHash,
	pub(super) next_key: OrderingKey,
	pub(super) payload: Vec<u8>,
}

pub(super) struct Log {
	pub(super) group: GroupId,
	head: LogHead,
	entries: Vec<Entry>,
}

impl Log {
	/// Starts the log of a group that `creator` makes, and places the creator in it.
	pub(super) fn create(creator: &mut Member) -> Self {
		Self::create_with(creator, &GroupData::default())
	}

	/// The same for a group with this data.
	pub(super) fn create_with(creator: &mut Member, data: &GroupData) -> Self {
		let new = creator.create_with(data);
		let mut log = Self {
			group: new.group,
			head: LogHead::empty(LogKind::Group, &GENESIS, new.group.as_bytes()),
			entries: Vec::new(),
		};
		assert_eq!(new.parent, log.head.hash);
		let entry = log
			.admit(
				&new.next_key,
				&Append {
					group: new.group,
					parent: new.parent,
					payload: Vec::new(),
					next_key: new.next_key,
					endorsement: new.endorsement,
				},
			)
			.expect("entry 0 is endorsed by its own key");
		creator.place(&entry);
		log
	}

	/// The newest entry.
	pub(super) fn tip(&self) -> &Entry {
		self.entries.last().expect("a log has an entry")
	}

	/// An entry as something to judge. Its block has the number of its position.
	pub(super) fn candidate<'a>(&'a self, entry: &'a Entry) -> Candidate<'a> {
		let Entry { index, parent, next_key, payload, .. } = entry;
		let block = u32::try_from(*index).expect("the log is short");
		Candidate { group: &self.group, parent, next_key, block, payload }
	}

	/// Appends an own commit, which must be endorsed by its parent's key.
	pub(super) fn append(&mut self, prepared: &Prepared) -> Entry {
		self.try_append(&prepared.append()).expect("the endorsement is good")
	}

	/// Appends an entry if its endorsement verifies under its parent's key.
	pub(super) fn try_append(&mut self, append: &Append) -> Option<Entry> {
		let key = self.entries.iter().find(|entry| entry.hash == append.parent)?.next_key;
		self.admit(&key, append)
	}

	fn admit(&mut self, key: &OrderingKey, append: &Append) -> Option<Entry> {
		let Append { group, parent, payload, next_key, endorsement } = append;
		let hash = payload_hash(payload);
		let signed = endorsement_payload(&GENESIS, group, parent, &hash, next_key);
		let key = VerifyingKey::from_bytes(key.as_bytes()).ok()?;
		key.verify_strict(&signed, &Signature::from_bytes(&endorsement.0)).ok()?;
		let body = EntryBody {
			parent: *parent,
			payload_hash: hash,
			payload_len: u32::try_from(payload.len()).ok()?,
			next_key: *next_key,
			endorsement: *endorsement,
		};
		let index = self.head.length;
		self.head = self.head.append(u32::try_from(index).ok()?, &body)?;
		let (parent, next_key) = (*parent, *next_key);
		let entry = Entry { index, hash: self.head.hash, parent, next_key, payload: payload.clone() };
		self.entries.push(entry.clone());
		Some(entry)
	}
}
