//! Waiting for shorter paths: what is too large for an entry because its path goes to too many nodes is made again for a while,
//! for members renew their keys meanwhile (decision 0038).

use super::WaitingFor;
use crate::mls::BuildError;
use lockstep_primitives::BlockNumber;
use serde::{Deserialize, Serialize};

/// Finalized blocks after which a commit whose path was too long is made again.
pub(super) const PATH_STEP: BlockNumber = 10;
/// Finalized blocks after which it is no more.
pub(super) const PATH_WAIT: BlockNumber = 1200;

/// Since when the path of a commit is too long, and how long it was when it was last made. It is stored with the intent as it is
/// when the wait begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PathWait {
	/// The finalized block in which it was first too long.
	since: BlockNumber,
	/// The nodes that the path goes to.
	nodes: u64,
	/// The length of the commit in bytes, and what it may be.
	length: usize,
	max: usize,
}

impl PathWait {
	/// The wait of a commit that cannot be made for this reason, and has waited since `before`; none if the reason is not its path.
	pub fn because_of(reason: &BuildError, before: Option<Self>, finalized: BlockNumber) -> Option<Self> {
		let BuildError::LongPath { nodes, length, max } = *reason else { return None };
		let since = before.map_or(finalized, |before| before.since);
		Some(Self { since, nodes, length, max })
	}

	/// The finalized block up to which the commit is made again.
	pub fn until(&self) -> BlockNumber {
		self.since.saturating_add(PATH_WAIT)
	}

	/// What is told of it.
	pub fn waiting_for(&self) -> WaitingFor {
		let Self { nodes, length, max, .. } = *self;
		WaitingFor::ShorterPaths { nodes, length, max, until: self.until() }
	}
}
