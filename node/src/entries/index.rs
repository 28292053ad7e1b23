//! The records of the index, and how they are read and written.

use super::noted::Noted;
use codec::{Decode, Encode};
use lockstep_primitives::{extrinsic::Append, rpc, BlockNumber, EntryBody, GroupId, IdentityId};
use lockstep_runtime::opaque::{Block, Hash};
use sc_client_api::{AuxStore, BlockBackend, HeaderBackend};
use sp_blockchain::{Error, Result};
use std::{collections::BTreeSet, sync::Arc};

const BLOCK: &[u8] = b"lockstep/block/2/";
const ENTRY: &[u8] = b"lockstep/entry/1/";
const EVENT: &[u8] = b"lockstep/event/1/";
const CHANGED: &[u8] = b"lockstep/changed/1/";
const NEWEST_CHANGED: &[u8] = b"lockstep/changed-newest/1";
const OLDEST_CHANGED: &[u8] = b"lockstep/changed-oldest/1";
const CURSOR: &[u8] = b"lockstep/cursor/1";
const SKIPPED: &[u8] = b"lockstep/skipped/1";

/// Blocks that are looked at for one question.
const MOST_BLOCKS: usize = 4096;

/// Where an entry is, and what the log's hash covers of it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct Located {
	block: BlockNumber,
	extrinsic_index: u32,
	body: EntryBody,
}

/// Whose logs have events in a finalized block.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct Changed {
	identities: Vec<IdentityId>,
	/// The newest block before it in which logs have events, of those that were noted.
	before: Option<BlockNumber>,
}

/// The index, in the auxiliary column of the node's database.
pub struct EntryIndex<C> {
	client: Arc<C>,
}

impl<C> Clone for EntryIndex<C> {
	fn clone(&self) -> Self {
		Self { client: self.client.clone() }
	}
}

fn block_key(block: &Hash) -> Vec<u8> {
	[BLOCK, block.as_ref()].concat()
}

fn entry_key(group: &GroupId, index: u64) -> Vec<u8> {
	[ENTRY, group.as_ref(), &index.to_be_bytes()].concat()
}

fn changed_key(block: BlockNumber) -> Vec<u8> {
	[CHANGED, &block.to_be_bytes()].concat()
}

fn event_key(identity: &IdentityId, index: u64) -> Vec<u8> {
	[EVENT, identity.as_ref(), &index.to_be_bytes()].concat()
}

impl<C: AuxStore> EntryIndex<C> {
	/// The index in this client's database.
	pub fn new(client: Arc<C>) -> Self {
		Self { client }
	}

	fn get<T: Decode>(&self, key: &[u8]) -> Result<Option<T>> {
		self.client
			.get_aux(key)?
			.map(|bytes| {
				T::decode(&mut &bytes[..])
					.map_err(|error| Error::Backend(format!("a record of the entry index is damaged: {error}")))
			})
			.transpose()
	}

	/// Notes what an imported block added to logs.
	pub fn note_imported(&self, block: &Hash, noted: &Noted) -> Result<()> {
		self.client.insert_aux(&[(&block_key(block)[..], &noted.encode()[..])], &[])
	}

	/// What an imported block added to logs; `None` if that was not noted.
	pub fn imported(&self, block: &Hash) -> Result<Option<Noted>> {
		self.get(&block_key(block))
	}

	/// Makes the entries of a finalized block available, and moves the cursor to it, in one write; with it, that those of
	/// the blocks up to `skipped` are not known.
	pub fn note_finalized(&self, at: (BlockNumber, Hash), noted: &Noted, skipped: Option<BlockNumber>) -> Result<()> {
		let mut records = vec![(CURSOR.to_vec(), at.encode())];
		records.extend(skipped.map(|skipped| (SKIPPED.to_vec(), skipped.encode())));
		for entry in &noted.entries {
			let located = Located { block: at.0, extrinsic_index: entry.extrinsic_index, body: entry.body };
			records.push((entry_key(&entry.group, entry.index), located.encode()));
		}
		for signed in &noted.events {
			let key = event_key(&signed.event.identity, signed.event.index);
			records.push((key, (at.0, signed.encode()).encode()));
		}
		if self.get::<BlockNumber>(OLDEST_CHANGED)?.is_none() {
			records.push((OLDEST_CHANGED.to_vec(), at.0.encode()));
		}
		if !noted.events.is_empty() {
			let identities: BTreeSet<IdentityId> = noted.events.iter().map(|signed| signed.event.identity).collect();
			let changed = Changed { identities: identities.into_iter().collect(), before: self.get(NEWEST_CHANGED)? };
			records.push((changed_key(at.0), changed.encode()));
			records.push((NEWEST_CHANGED.to_vec(), at.0.encode()));
		}
		let insert: Vec<_> = records.iter().map(|(key, value)| (&key[..], &value[..])).collect();
		self.client.insert_aux(&insert, &[&block_key(&at.1)[..]])
	}

	/// A finalized event of an identity. `None` if its log is not that long.
	pub fn event(&self, identity: &IdentityId, index: u64) -> Result<Option<rpc::RecordedEvent>> {
		let found: Option<(BlockNumber, Vec<u8>)> = self.get(&event_key(identity, index))?;
		Ok(found.map(|(block, event)| rpc::RecordedEvent { index, block, event: rpc::HexBytes(event) }))
	}

	/// The identities whose logs have events in the finalized blocks above `after`, up to `until`; `None` if they are more than
	/// `most`, or not all of these blocks were noted, or too many of them would have to be looked at.
	pub fn changed(&self, after: BlockNumber, until: BlockNumber, most: usize) -> Result<Option<BTreeSet<IdentityId>>> {
		let oldest = self.get::<BlockNumber>(OLDEST_CHANGED)?;
		let has_skipped = self.skipped()?.is_some_and(|skipped| skipped > after);
		if has_skipped || oldest.is_none_or(|oldest| oldest > after.saturating_add(1)) {
			return Ok(None);
		}
		let mut identities = BTreeSet::new();
		let mut next = self.get::<BlockNumber>(NEWEST_CHANGED)?;
		let mut looked_at = 0usize;
		while let Some(block) = next.filter(|block| *block > after) {
			let Some(changed) = self.get::<Changed>(&changed_key(block))? else { return Ok(None) };
			looked_at = looked_at.saturating_add(1);
			// What came after `until` is for the next question.
			if block <= until {
				identities.extend(changed.identities);
			}
			if identities.len() > most || looked_at > MOST_BLOCKS {
				return Ok(None);
			}
			next = changed.before;
		}
		Ok(Some(identities))
	}

	/// Forgets blocks that can no longer be finalized.
	pub fn note_stale(&self, blocks: impl Iterator<Item = Hash>) -> Result<()> {
		let keys: Vec<_> = blocks.map(|block| block_key(&block)).collect();
		let keys: Vec<_> = keys.iter().map(|key| &key[..]).collect();
		self.client.insert_aux(&[], &keys)
	}

	/// The newest block whose entries are not known, if there is one.
	pub fn skipped(&self) -> Result<Option<BlockNumber>> {
		self.get(SKIPPED)
	}

	/// The last block whose entries are available, if any.
	pub fn cursor(&self) -> Result<Option<(BlockNumber, Hash)>> {
		self.get(CURSOR)
	}
}

impl<C> EntryIndex<C>
where
	C: AuxStore + HeaderBackend<Block> + BlockBackend<Block>,
{
	/// A finalized entry, with its payload from the block body if the node still has that. `None` if the log is not that
	/// long.
	pub fn entry(&self, group: &GroupId, index: u64) -> Result<Option<rpc::Entry>> {
		let Some(Located { block, extrinsic_index, body }) = self.get(&entry_key(group, index))? else {
			return Ok(None);
		};
		let payload = if body.payload_len == 0 {
			// entry 0, which has no commit
			Some(Vec::new())
		} else {
			self.payload(block, extrinsic_index)?
		};
		Ok(Some(rpc::Entry { index, block, body, payload: payload.map(rpc::HexBytes) }))
	}

	/// The payload of the entry that an extrinsic appended; `None` if the block's body was pruned.
	fn payload(&self, block: BlockNumber, extrinsic_index: u32) -> Result<Option<Vec<u8>>> {
		let Some(hash) = self.client.hash(block)? else { return Ok(None) };
		let Some(extrinsics) = self.client.block_body(hash)? else { return Ok(None) };
		let append = usize::try_from(extrinsic_index)
			.ok()
			.and_then(|at| extrinsics.get(at))
			.and_then(|extrinsic| Append::from_extrinsic(&extrinsic.encode()))
			.ok_or_else(|| {
				Error::Backend(format!("extrinsic {extrinsic_index} of block {block} is not the entry's"))
			})?;
		Ok(Some(append.payload))
	}
}
