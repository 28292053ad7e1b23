//! Where finalized entries come from.
//!
//! The rest of the crate knows only [`FinalizedLog`]. [`VerifiedLog`] implements it and believes no node: the genesis
//! hash, or a position that was verified before, leads to the authorities of GRANDPA; their votes to a header; its
//! state root, by a read proof, to the heads of logs; and those to the entries, by hash. Only then an entry is given
//! out. The verification itself is `lockstep_verifier`, which knows no network.

mod absent;
mod compare;
mod follow;
mod heads;
mod lie;
#[cfg(test)]
mod tests;
mod trust;
mod waiting;
mod wishes;

pub use follow::VerifiedLog;
pub use lie::{Lie, Misbehaviour, MAX_EVIDENCE};
pub use trust::Position;
pub(crate) use trust::Trust;

use crate::log::{LogCursor, VerifiedEntry};
use async_trait::async_trait;
use lockstep_primitives::{BlockNumber, GroupId};

/// Entries that are final, and how far finality has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finalized {
	/// The newest finalized block.
	pub block: BlockNumber,
	/// Entries in log order, group by group.
	pub entries: Vec<(GroupId, VerifiedEntry)>,
	/// Groups that were there and are not any more: they were closed, and nothing will come of them.
	pub closed: Vec<GroupId>,
	/// Whether these are all that there are up to `block`; if not, more follow at once.
	pub complete: bool,
}

/// What is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
	/// What follows comes over this connection ([`Node::connection`](crate::rpc::Node::connection)).
	Connected(u64),
	/// Finality has gone on.
	Finalized(Finalized),
	/// To be stored, so that a client that is opened again need not start from the genesis.
	Verified(Position),
	/// A node was caught lying; it is not asked again.
	Lied(Misbehaviour),
	/// The chain cannot be read by this library: it was upgraded, or changed its validators by force. Nothing more
	/// will come.
	Outdated(String),
}

/// The finalized entries of some groups.
///
/// Whatever implements this vouches that each entry it gives is in a finalized block and is the next one of its
/// group's log.
#[async_trait]
pub trait FinalizedLog: Send {
	/// Follows a group's log from a position on; starts again from there if it is followed already.
	fn follow(&mut self, group: GroupId, from: LogCursor);

	/// Stops following a group. Entries that are on their way may still come.
	fn forget(&mut self, group: &GroupId);

	/// The next entries, and at the latest the next finalized block. Waits for as long as there is none; `None` when
	/// there will never be one. Nothing is lost if the future is dropped.
	async fn next(&mut self) -> Option<Update>;
}
