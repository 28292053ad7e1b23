//! When a member renews its keys so that the paths of commits become shorter.
//!
//! A look at the tree says whether that helps ([`Mls::long_path`](crate::mls::Mls::long_path)). Whom it helps to look are
//! all members of a branch, so they take turns: the first waits for a few blocks, that not all branches renew in the same
//! one, and each other one longer, in case those before it are away.

use crate::mls::LongPath;
use lockstep_primitives::BlockNumber;

/// Finalized blocks within which the tree of a new epoch is looked at: a client that was away finds one in many groups, and
/// does not read all of them at once.
const LOOK: u64 = 16;
/// Finalized blocks for which a member leaves it to the one before it in its branch, besides those that branches wait.
const TURN: BlockNumber = 60;
/// For how many nodes of a path branches wait for up to one block: a commit takes a few to be final, and one that comes
/// meanwhile is made anew.
const NODES_PER_BLOCK: u32 = 4;
/// Finalized blocks after which a member that wanted to renew its keys looks whether it has.
const AGAIN: BlockNumber = 60;
/// Finalized blocks for which a member that has renewed its keys for this leaves it to others, whatever those do.
const REST: BlockNumber = 600;

/// What is known of the paths in a group.
#[derive(Debug, Default)]
pub(super) struct Paths {
	/// The newest epoch that is known.
	epoch: Option<u64>,
	/// The block at which the tree is looked at next; until there is a new epoch not at all, if there is none.
	look_at: Option<BlockNumber>,
	/// If paths are still too long then, this member renews its keys.
	planned: bool,
	/// The block since which they are too long and it helps to renew: where a renewal loses a race, those whose turn it was
	/// have had it.
	long_since: Option<BlockNumber>,
	/// The block in which this member last wanted to renew its keys.
	tried_at: Option<BlockNumber>,
}

/// Where a group stands when its tree is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
	/// The newest final block.
	pub finalized: BlockNumber,
	/// The one that opened this epoch.
	pub opened: BlockNumber,
	/// The one of the last own commit.
	pub renewed: BlockNumber,
	/// Differs from client to client, and from group to group.
	pub spread: u64,
}

impl Paths {
	/// Of a group that was stored in this epoch: its tree is looked at in the next one, not of every group when a client is opened.
	pub fn of_epoch(epoch: u64) -> Self {
		Self { epoch: Some(epoch), ..Self::default() }
	}

	/// Takes in which epoch it is; says whether the tree is to be looked at.
	pub fn is_time(&mut self, epoch: u64, finalized: BlockNumber, spread: u64) -> bool {
		if self.epoch.replace(epoch) != Some(epoch) && !self.planned {
			let soon = finalized.saturating_add(part(spread, LOOK));
			self.look_at = Some(self.look_at.map_or(soon, |block| block.min(soon)));
		}
		self.look_at.is_some_and(|block| finalized >= block)
	}

	/// Takes in what is seen there; says whether the keys are to be renewed now.
	pub fn look(&mut self, long: Option<LongPath>, at: Moment) -> bool {
		let was_planned = std::mem::take(&mut self.planned);
		self.look_at = None;
		let Some(LongPath { nodes, turn }) = long else {
			self.long_since = None;
			return false;
		};
		let since = *self.long_since.get_or_insert(at.opened);
		if was_planned {
			self.tried_at = Some(at.finalized);
			self.look_at = Some(at.finalized.saturating_add(AGAIN));
			return true;
		}
		let blocks = (nodes / NODES_PER_BLOCK).saturating_add(1);
		let turn = since.saturating_add(turn.saturating_mul(TURN.saturating_add(blocks)));
		let has_renewed = self.tried_at.is_some_and(|block| at.renewed >= block);
		let rested = if has_renewed { at.renewed.saturating_add(REST) } else { 0 };
		let wait = part(at.spread, blocks.into()).max(1);
		self.look_at = Some(turn.max(rested).max(at.finalized).saturating_add(wait));
		self.planned = true;
		false
	}
}

/// One of so many blocks.
fn part(spread: u64, blocks: u64) -> BlockNumber {
	spread.checked_rem(blocks).and_then(|part| BlockNumber::try_from(part).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
