//! What a verified file shows.

use super::{moments::Powers, ProofFile};
use crate::{chain::Head, layout::RuntimeVersion};
use alloc::vec::Vec;
use lockstep_primitives::{BlockNumber, EntryHash, GenesisHash, GroupId, GroupState, OrderingKey, PayloadHash};

/// The chain of key rotations of a group, as a verified file shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotations {
	/// The chain.
	pub genesis: GenesisHash,
	/// The group.
	pub group: GroupId,
	/// The final block in whose state the log ends with the last of the entries.
	pub head: Head,
	/// The id of the authority set in power after that block.
	pub set: u64,
	/// The runtime of that block.
	pub runtime: Option<RuntimeVersion>,
	/// The group in that block.
	pub state: GroupState,
	/// The entries, in log order, up to the end of the log.
	///
	/// That an entry is here means that the chain admitted it, endorsed by the key of its parent. Where a parent has
	/// several children, which of them the members follow depends on payloads that only members can read.
	pub entries: Vec<Rotation>,
}

/// One entry: the holder of one key names the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
	/// Position in the log.
	pub index: u64,
	/// The entry's hash: the log head that it made.
	pub hash: EntryHash,
	/// The entry whose key endorsed this one; for entry 0, the head of the empty log.
	pub parent: EntryHash,
	/// The key whose holder endorsed this entry, verified. For entry 0 it is the new key itself. `None` for a first
	/// entry whose parent is before the file: the chain checked its endorsement, this file does not show it.
	pub endorsed_by: Option<OrderingKey>,
	/// The key of the epoch that the entry opens.
	pub new_key: OrderingKey,
	/// The block that carries the entry.
	pub block: BlockNumber,
	/// When that block was made.
	pub when: When,
	/// BLAKE3-256 of the sealed commit.
	pub payload_hash: PayloadHash,
	/// Length of the sealed commit, in bytes.
	pub payload_len: u32,
	/// The sealed commit, if the file has it.
	pub payload: Option<Vec<u8>>,
}

/// When a block was made, in milliseconds since the Unix epoch: what its author claimed and two thirds of the
/// validators did not find to be ahead of their clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
	/// Exactly in the slot that starts then.
	At(u64),
	/// Between the times of other blocks. Times grow with the blocks.
	Between {
		/// Not before this, if there is an earlier block with a time in the file.
		after: Option<u64>,
		/// Not after this; the time of the head, if nothing closer is shown.
		before: Option<u64>,
	},
}

impl When {
	fn of(block: BlockNumber, powers: &Powers) -> Self {
		if let Some(time) = powers.times.get(&block) {
			return Self::At(*time);
		}
		let after = powers.times.range(..block).next_back().map(|(_, time)| *time);
		let before = powers.times.range(block..).next().map(|(_, time)| *time);
		Self::Between { after, before }
	}
}

pub(super) fn collect(
	file: &ProofFile,
	hashes: &[EntryHash],
	endorsers: &[Option<OrderingKey>],
	powers: &Powers,
) -> Vec<Rotation> {
	let entries = file.entries.iter().zip(hashes).zip(endorsers);
	let rotations = (file.from.length..).zip(entries).map(|(index, ((entry, hash), endorsed_by))| Rotation {
		index,
		hash: *hash,
		parent: entry.body.parent,
		endorsed_by: *endorsed_by,
		new_key: entry.body.next_key,
		block: entry.block,
		when: When::of(entry.block, powers),
		payload_hash: entry.body.payload_hash,
		payload_len: entry.body.payload_len,
		payload: entry.payload.clone(),
	});
	rotations.collect()
}
