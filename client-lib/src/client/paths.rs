//! When a member renews its keys so that the paths of commits become shorter.
//!
//! A look at the tree says whether that helps ([`Mls::long_path`](crate::mls::Mls::long_path)). Whom it helps to look are
//! all members of a branch, so they take turns: the first waits for a few blocks, that not all branches renew in the same
//! one, and each other one longer, in case those before it are away.

use crate::mls::LongPath;
use lockstep_primitives::BlockNumber;

/// Finalized blocks for which a member leaves it to the one before it in its branch.
const TURN: BlockNumber = 60;
/// For how many nodes of a path the first ones wait for up to one block.
const NODES_PER_BLOCK: u32 = 8;

/// What is known of the paths in a group.
#[derive(Debug)]
pub(super) struct Paths {
	/// The epoch whose tree was looked at last.
	seen: Option<u64>,
	/// The block since which they are too long, and it has helped to renew. A renewal that loses a race ends that no more
	/// than another member's commit does.
	long_since: Option<BlockNumber>,
	/// The block at which this member renews its keys, if that still helps.
	renew_at: Option<BlockNumber>,
}

impl Paths {
	/// Of a group whose next epoch is to be looked at first: when a client is opened nothing has changed in any.
	pub fn of_epoch(epoch: u64) -> Self {
		Self { seen: Some(epoch), ..Self::unseen() }
	}

	/// Of a group that this client comes into.
	pub fn unseen() -> Self {
		Self { seen: None, long_since: None, renew_at: None }
	}

	/// Whether the tree is to be looked at: once an epoch, and before the keys are renewed.
	pub fn is_to_be_looked_at(&mut self, epoch: u64, finalized: BlockNumber) -> bool {
		let is_new = self.seen.replace(epoch) != Some(epoch);
		self.renew_at.map_or(is_new, |block| finalized >= block)
	}

	/// Takes in what is seen there; says whether the keys are to be renewed now.
	pub fn look(&mut self, long: Option<LongPath>, finalized: BlockNumber, spread: u64) -> bool {
		let was_due = self.renew_at.take().is_some();
		let Some(LongPath { nodes, turn }) = long else {
			self.long_since = None;
			return false;
		};
		let since = *self.long_since.get_or_insert(finalized);
		if was_due {
			return true;
		}
		let blocks = u64::from((nodes / NODES_PER_BLOCK).saturating_add(1));
		let extra = spread.checked_rem(blocks).and_then(|extra| BlockNumber::try_from(extra).ok());
		let turn = since.saturating_add(turn.saturating_mul(TURN));
		self.renew_at = Some(turn.max(finalized).saturating_add(extra.unwrap_or_default().max(1)));
		false
	}
}

#[cfg(test)]
mod tests;
