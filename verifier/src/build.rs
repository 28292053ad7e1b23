//! Makes proof files from what a node sends.
//!
//! Nothing here is believed either: a file is handed out only after it was verified as its readers will verify it.

use crate::{
	entries::{Cursor, Entry, LogError},
	proof_file::{FileAnchor, Moment, ProofError, ProofFile, Trust},
	Link,
};
use alloc::{collections::BTreeMap, vec::Vec};
use lockstep_primitives::{EntryHash, GenesisHash, GroupId};

/// The parts of a proof, as they were collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
	/// Where the proof starts.
	pub anchor: FileAnchor,
	/// The last block of each authority set between the anchor and the head, in order.
	pub links: Vec<Link>,
	/// The final block whose state is read.
	pub head: Link,
	/// The trie nodes on the way to [`group_keys`](crate::group::group_keys) in that state.
	pub read_proof: Vec<Vec<u8>>,
	/// The group.
	pub group: GroupId,
	/// The whole log, from entry 0 to the newest in that state. Payloads go into the file where they are given.
	pub log: Vec<Entry>,
	/// Index of the first entry that the file is to show with its endorsement.
	pub from: u64,
	/// When blocks with entries were made, in any order. Those of blocks whose entries do not get into the file are
	/// left out.
	pub moments: Vec<Moment>,
}

/// Why there is no file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
	/// There are not as many entries.
	#[error("the log has no entry {0}: ask for one that it has")]
	NoEntry(u64),
	/// The entries given make no log.
	#[error("the entries make no log: {0}")]
	Log(#[from] LogError),
	/// The file would not verify.
	#[error("the parts do not make a valid proof: {0}")]
	Invalid(#[from] ProofError),
}

/// Makes a file that `trust` can verify. It starts at `from` or as far before it as the parents of the entries reach.
pub fn build(trust: &Trust, parts: Parts) -> Result<Vec<u8>, BuildError> {
	let Parts { anchor, links, head, read_proof, group, log, from, moments } = parts;
	let genesis = trust.genesis();
	let first = first_entry(&genesis, &group, &log, from)?;
	let mut cursor = Cursor::start(&genesis, &group);
	for entry in log.iter().take(first) {
		cursor.admit(entry)?;
	}
	let entries: Vec<_> = log.into_iter().skip(first).collect();
	let mut by_block = BTreeMap::new();
	for moment in moments {
		let number = moment.headers.first().and_then(|header| crate::Header::decode(header).ok()).map(|it| it.number);
		if let Some(number) = number.filter(|number| entries.iter().any(|entry| entry.block == *number)) {
			by_block.insert(number, moment);
		}
	}
	let moments = by_block.into_values().collect();
	let file = ProofFile { genesis, anchor, links, head, read_proof, group, from: cursor.head, entries, moments };
	file.verify(trust)?;
	Ok(file.to_bytes())
}

/// How far back a file must go so that the parents of all its entries but the first are in it, and that of entry
/// `from` too.
fn first_entry(genesis: &GenesisHash, group: &GroupId, log: &[Entry], from: u64) -> Result<usize, BuildError> {
	let from = usize::try_from(from).map_err(|_| BuildError::NoEntry(from))?;
	if from >= log.len() {
		return Err(BuildError::NoEntry(u64::try_from(from).unwrap_or(u64::MAX)));
	}
	let mut cursor = Cursor::start(genesis, group);
	let mut positions: BTreeMap<EntryHash, usize> = BTreeMap::new();
	let mut parents = Vec::with_capacity(log.len());
	for (at, entry) in log.iter().enumerate() {
		parents.push(positions.get(&entry.body.parent).copied().unwrap_or_default());
		positions.insert(cursor.admit(entry)?, at);
	}
	// The parent of the entry asked for must be in; its own may be out if no later entry needs it.
	let mut first = parents.iter().skip(from).copied().min().unwrap_or_default().min(from);
	loop {
		let needed = parents.iter().skip(first.saturating_add(1)).copied().min().unwrap_or(first);
		if needed >= first {
			return Ok(first);
		}
		first = needed;
	}
}
