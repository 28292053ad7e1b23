//! The gate's state.

use crate::{
	log::{EntryHeader, LogCursor},
	mutation::{self, Mutation},
};
use lockstep_primitives::{BlockNumber, EntryHash, OrderingKey, PayloadHash};
use serde::{Deserialize, Serialize};

/// The entry that opened the member's current epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tip {
	/// The entry.
	pub entry: EntryHash,
	/// Its position in the log.
	pub index: u64,
	/// The MLS epoch: how many entries lie between this one and entry 0 on its branch, plus one.
	pub epoch: u64,
	/// The block that carries it.
	pub block: BlockNumber,
}

/// The member's own commit that waits for its place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
	/// The entry it was built on.
	pub parent: EntryHash,
	/// BLAKE3-256 of its sealed bundle.
	pub payload_hash: PayloadHash,
	/// The ordering key of the epoch that it opens.
	pub next_key: OrderingKey,
	/// The finalized height at the newest submission; `None` before the first.
	pub submitted_at: Option<BlockNumber>,
	/// Whether the block that it gets into has a say in its verdict: then it is judged like those of others.
	#[serde(default)]
	pub conditional: bool,
}

impl Pending {
	/// A commit that was just built.
	pub fn new(parent: EntryHash, payload_hash: PayloadHash, next_key: OrderingKey) -> Self {
		Self { parent, payload_hash, next_key, submitted_at: None, conditional: false }
	}

	/// Whether an entry is this commit.
	pub fn is(&self, entry: &EntryHeader) -> bool {
		self.payload_hash == entry.payload_hash && self.next_key == entry.next_key
	}
}

/// What the gate is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
	/// Waiting for the log to continue.
	Following,
	/// Waiting for the verdict on this candidate.
	Evaluating(EntryHeader),
	/// Stopped: this candidate failed on what only this member knows.
	Desynchronized(EntryHeader),
	/// Stopped: the member was removed.
	Removed,
}

/// A member's position in the log of one group. Serialised with the member's records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
	pub(super) tip: Tip,
	pub(super) cursor: LogCursor,
	/// Children of the tip read so far. None of them counts, or the tip would have moved.
	pub(super) children: u32,
	pub(super) youngest_child_at: BlockNumber,
	pub(super) pending: Option<Pending>,
	pub(super) mode: Mode,
	pub(super) contested: bool,
	pub(super) finalized: BlockNumber,
	pub(super) contest_at: Option<BlockNumber>,
	/// A parameter of the chain, in blocks.
	pub(super) candidate_interval: BlockNumber,
	pub(super) random: u64,
}

impl Gate {
	/// A gate whose tip is `entry`, the newest entry read so far, which opened `epoch`.
	///
	/// `contested` tells whether any entry before had two children, `candidate_interval` is the chain's parameter.
	/// `None` if the log is full.
	pub fn at(entry: &EntryHeader, epoch: u64, contested: bool, candidate_interval: BlockNumber) -> Option<Self> {
		Some(Self {
			tip: Tip { entry: entry.hash, index: entry.index, epoch, block: entry.block },
			cursor: LogCursor::after(entry)?,
			children: 0,
			youngest_child_at: 0,
			pending: None,
			mode: Mode::Following,
			contested,
			finalized: entry.block,
			contest_at: None,
			candidate_interval,
			random: 0,
		})
	}

	/// The entry that opened the current epoch.
	pub fn tip(&self) -> &Tip {
		&self.tip
	}

	/// How far the log has been read.
	pub fn cursor(&self) -> &LogCursor {
		&self.cursor
	}

	/// What the gate is doing.
	pub fn mode(&self) -> &Mode {
		&self.mode
	}

	/// The member's own commit on the tip.
	pub fn pending(&self) -> Option<&Pending> {
		self.pending.as_ref()
	}

	/// Whether any entry read so far has more than one child.
	pub fn is_contested(&self) -> bool {
		self.contested
	}

	/// The newest finalized block that the gate was told of.
	pub fn finalized(&self) -> BlockNumber {
		self.finalized
	}

	/// Whether the gate stopped for good.
	pub fn is_stopped(&self) -> bool {
		matches!(self.mode, Mode::Desynchronized(_) | Mode::Removed)
	}

	/// Whether a commit can be built on the tip now.
	pub fn takes_commit(&self) -> bool {
		let free = self.pending.is_none() || mutation::is(Mutation::ReplacePending);
		self.mode == Mode::Following && free
	}

	/// Follows a change of the chain's parameter.
	pub fn set_candidate_interval(&mut self, blocks: BlockNumber) {
		self.candidate_interval = blocks;
	}

	pub(super) fn read(&mut self, cursor: LogCursor, branches: bool) {
		self.cursor = cursor;
		self.contested |= branches;
	}

	pub(super) fn advance_to(&mut self, entry: EntryHeader) {
		let epoch = self.tip.epoch.saturating_add(1);
		self.tip = Tip { entry: entry.hash, index: entry.index, epoch, block: entry.block };
		self.children = 0;
		self.youngest_child_at = 0;
		self.contest_at = None;
	}
}
