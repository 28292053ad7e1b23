//! One member: its client, its disk, and what its application remembers.

use crate::{flavour::Flavour, promises::Promises};
use lockstep_client::{
	log::LogCursor,
	simulation::{MemoryDisk, Position, SimulatedClient},
};
use lockstep_primitives::{BlockNumber, GroupId};
use std::collections::{BTreeMap, BTreeSet};

/// Where a member was when it was last looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
	pub(crate) position: Position,
	/// The epoch that it joined in.
	pub(crate) joined: u64,
}

pub(crate) struct Member<F: Flavour> {
	pub(crate) name: String,
	/// The node that it uses.
	pub(crate) node: usize,
	pub(crate) honest: bool,
	pub(crate) disk: MemoryDisk,
	/// `None` while it is down.
	pub(crate) client: Option<SimulatedClient<F::Mls>>,
	pub(crate) down_until: BlockNumber,
	/// How often it was opened.
	pub(crate) life: u64,
	/// A write failed in this life.
	pub(crate) faulted: bool,
	pub(crate) follows: BTreeMap<GroupId, LogCursor>,
	pub(crate) watches: BTreeSet<[u8; 32]>,
	/// The newest final block that it was told of in this life.
	pub(crate) told: BlockNumber,
	/// The newest final block that it was told of in earlier lives.
	pub(crate) seen: BlockNumber,
	pub(crate) known: BTreeMap<GroupId, Known>,
	pub(crate) promises: Promises,
	/// The block in which it was last invited.
	pub(crate) invited_at: Option<BlockNumber>,
	/// Messages that it sent.
	pub(crate) spoke: u64,
}

impl<F: Flavour> Member<F> {
	pub(crate) fn new(name: String, node: usize, honest: bool) -> Self {
		Self {
			name,
			node,
			honest,
			disk: MemoryDisk::new(),
			client: None,
			down_until: 0,
			life: 0,
			faulted: false,
			follows: BTreeMap::new(),
			watches: BTreeSet::new(),
			told: 0,
			seen: 0,
			known: BTreeMap::new(),
			promises: Promises::default(),
			invited_at: None,
			spoke: 0,
		}
	}

	/// It is killed: what is not on its disk is gone.
	pub(crate) fn kill(&mut self, until: BlockNumber) {
		self.client = None;
		self.down_until = until;
		self.disk.fail_writes(0, 0);
	}

	/// Where it stands in a group; `None` if it is down or was never in.
	pub(crate) fn position(&self, group: &GroupId) -> Option<Position> {
		self.client.as_ref()?.position(group)
	}
}
