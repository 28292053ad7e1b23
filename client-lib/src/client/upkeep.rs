//! What a client does of its own accord: renewing its keys, for its own sake and for shorter paths ([`super::paths`]), and deleting
//! those of past epochs.
//!
//! All go by finalized blocks, and only when the log has been read up to the newest of them: a client that was away
//! for long first catches up, and does not commit on an epoch that is over.

use super::{
	core::Core,
	group::{Group, Operation},
	paths::Moment,
};
use crate::mls::{Intent, Mls};
use lockstep_primitives::{BlockNumber, GroupId};

/// When a client renews its keys by itself, and how long it keeps those of past epochs. Nobody else depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upkeep {
	/// Renew the own keys after so many messages sent since the last own commit.
	pub update_after_messages: u32,
	/// Renew them after so many finalized blocks since the last own commit, plus up to an eighth, which differs from
	/// member to member.
	pub update_after_blocks: BlockNumber,
	/// Renew them where the path of a commit would be encrypted to more than so many nodes, and that makes the paths of most
	/// others shorter, as in a group that one member has just filled: one member of each branch does, within minutes, or
	/// later if those before it are away. `u32::MAX` if never.
	pub longest_path: u32,
	/// Delete the keys of an epoch so many finalized blocks after it ended, so that messages that are late can still be
	/// read for as long. Those of the fifth epoch before the current one go in any case.
	pub past_epochs_kept: BlockNumber,
}

impl Default for Upkeep {
	/// After 500 messages or a day, or for paths to more than 64 nodes; ten minutes (at a block a second).
	fn default() -> Self {
		Self { update_after_messages: 500, update_after_blocks: 86_400, longest_path: 64, past_epochs_kept: 600 }
	}
}

impl Upkeep {
	/// Whether the keys of this member are to be renewed. They are, too, if nodes store no more messages of this epoch.
	fn update_is_due(&self, group: &Group, finalized: BlockNumber, spread: u64) -> bool {
		let eighth = u64::from(self.update_after_blocks).checked_div(8).unwrap_or_default();
		let extra = spread.checked_rem(eighth.saturating_add(1)).unwrap_or_default();
		let extra = BlockNumber::try_from(extra).unwrap_or_default();
		let due = group.renewed_at.saturating_add(self.update_after_blocks).saturating_add(extra);
		let full = group.full == Some(group.gate.tip().epoch);
		full || group.sent >= self.update_after_messages || finalized >= due
	}
}

impl<M: Mls> Core<M> {
	/// A block is final, and the log of the group was read up to it.
	pub fn upkeep(&mut self, id: &GroupId) {
		let (finalized, upkeep, spread) = (self.finalized, self.upkeep, self.spread);
		let Ok(group) = self.usable(id) else { return };
		let idle = group.is_idle() && finalized >= group.renew_not_before;
		if idle && upkeep.update_is_due(group, finalized, spread) {
			group.waiting.push_back(Operation::own(Intent::Update, true));
			self.start_waiting(id);
		} else if idle && upkeep.longest_path != u32::MAX {
			self.shorten_paths(id);
		}
		self.forget_past_epochs(id);
	}

	/// Looks at the tree when there is a new epoch, and renews the own keys if its paths are too long and it is this member's
	/// turn.
	fn shorten_paths(&mut self, id: &GroupId) {
		let (finalized, limit) = (self.finalized, self.upkeep.longest_path);
		let of_group = id.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
		let spread = self.spread.wrapping_add(of_group);
		let Ok(group) = self.usable(id) else { return };
		let tip = *group.gate.tip();
		if !group.paths.is_time(tip.epoch, finalized, spread) {
			return;
		}
		let at = Moment { finalized, opened: tip.block, renewed: group.renewed_at, spread };
		let long = match self.engine.long_path(&self.store.overlay(), id, limit) {
			Ok(long) => long,
			Err(error) if error.is_lost_state() => return self.halt(id, error),
			// Whatever it is, it does not keep the group from going on.
			Err(error) => {
				tracing::warn!(group = %id, %error, "how long paths are cannot be seen");
				None
			}
		};
		let Ok(group) = self.usable(id) else { return };
		if group.paths.look(long, at) {
			group.waiting.push_back(Operation::own(Intent::Update, true));
			self.start_waiting(id);
		}
	}

	/// Deletes the keys of epochs that ended long enough ago.
	fn forget_past_epochs(&mut self, id: &GroupId) {
		let (finalized, kept) = (self.finalized, self.upkeep.past_epochs_kept);
		let Ok(group) = self.usable(id) else { return };
		let over = |opened: &BlockNumber| finalized >= opened.saturating_add(kept);
		// The newest epoch whose opening, which ended the one before it, lies long enough back.
		let Some((epoch, _)) = group.opened.iter().rev().find(|(_, opened)| over(opened)).copied() else { return };
		group.opened.retain(|(other, _)| *other > epoch);
		group.signers = None;
		let overlay = self.store.overlay();
		let forgotten = self.engine.forget_past_epochs(&overlay, id, epoch);
		if let Err(error) = forgotten.and_then(|()| Ok(overlay.commit()?)) {
			self.halt(id, error);
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::client::records::Membership;

	fn group(renewed_at: BlockNumber, sent: u32) -> Group {
		let start = lockstep_primitives::EntryHash([0; 32]);
		let membership = serde_json::json!({
			"gate": {
				"tip": { "entry": start, "index": 0, "epoch": 0, "block": 0 },
				"cursor": { "head": { "length": 1, "hash": start }, "block": 0 },
				"children": 0, "youngest_child_at": 0, "pending": null, "mode": "Following", "contested": false,
				"finalized": 0, "contest_at": null, "candidate_interval": 20, "random": 0
			},
			"renewed_at": renewed_at, "sent": sent
		});
		Group::new(serde_json::from_value::<Membership>(membership).unwrap())
	}

	#[test]
	fn keys_are_renewed_after_so_many_messages_or_blocks() {
		let upkeep =
			Upkeep { update_after_messages: 3, update_after_blocks: 800, past_epochs_kept: 0, ..Upkeep::default() };
		assert!(!upkeep.update_is_due(&group(50, 2), 849, 0));
		assert!(upkeep.update_is_due(&group(50, 3), 50, 0));
		assert!(upkeep.update_is_due(&group(50, 0), 850, 0));
		let mut full = group(50, 0);
		full.full = Some(0);
		assert!(upkeep.update_is_due(&full, 50, 0), "a new epoch has room");
		full.full = Some(1);
		assert!(!upkeep.update_is_due(&full, 50, 0), "it is another epoch");
	}

	#[test]
	fn members_do_not_all_renew_their_keys_in_the_same_block() {
		let upkeep =
			Upkeep { update_after_messages: 3, update_after_blocks: 800, past_epochs_kept: 0, ..Upkeep::default() };
		let due = |spread| (850..).find(|block| upkeep.update_is_due(&group(50, 0), *block, spread)).unwrap();
		let dues: std::collections::BTreeSet<_> = (0..1000).map(due).collect();
		assert_eq!((dues.first(), dues.last(), dues.len()), (Some(&850), Some(&950), 101));
	}
}
