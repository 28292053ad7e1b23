//! An own commit that has won while this client's state of the group was damaged (decision 0037).
//!
//! The client cannot merge it, and comes back by a commit of somebody else. What the own one carried is as it was wanted all the
//! same, but for its invitations: a letter holds the ratchet tree of the epoch that the commit opened, and that went with the state.
//! What tells that it has won is not of the state: which commit was pending is stored with the place in the log, and the log is read
//! up to the entry that the client comes back by. If that follows from the own commit, the group went that way.

use super::{
	commit::committed,
	core::Core,
	intent::{self, Ended, InFlight, StoredIntent},
	Committed,
};
use crate::{
	gate::{Pending, Tip},
	log::EntryHeader,
	mls::{printable, EngineError, Intent, MemberDevice, Mls},
	store::Overlay,
};
use lockstep_primitives::{EntryHash, GroupId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};

#[cfg(test)]
mod tests;

/// Members whom a commit of this client brought in, and whom nobody has told: what would have led them into the group was lost when
/// the client's state of it was damaged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error(
	"the commit has won, but the state with its invitations was damaged, and these members do not know that they are in the \
	 group: {}; remove them, and add them again by new KeyPackages",
	names(.members)
)]
#[non_exhaustive]
pub struct NotInvited {
	/// The commit.
	pub committed: Committed,
	/// Their leaves.
	pub members: Vec<MemberDevice>,
}

fn names(members: &[MemberDevice]) -> String {
	let names: BTreeSet<String> = members.iter().map(|member| printable(&member.identity.0)).collect();
	names.into_iter().collect::<Vec<_>>().join(", ")
}

/// The commit that was pending when the state was lost, as the log that is read anew shows it.
pub(super) struct OwnCommit {
	pending: Option<Pending>,
	/// The entries that carry it and all that follow from them, each with the one that carries it.
	after: HashMap<EntryHash, EntryHeader>,
}

impl OwnCommit {
	pub fn new(pending: Option<Pending>) -> Self {
		Self { pending, after: HashMap::new() }
	}

	/// The next entry. Whoever endorsed the commit may have sealed it anew, so that its hash is another; the ordering key of the
	/// epoch that it opens follows from it.
	pub fn read(&mut self, entry: &EntryHeader) {
		let Some(own) = &self.pending else { return };
		let carries = entry.parent == own.parent && entry.next_key == own.next_key;
		let by = if carries { Some(*entry) } else { self.after.get(&entry.parent).copied() };
		if let Some(by) = by {
			self.after.insert(entry.hash, by);
		}
	}

	/// It, and the entry that carries it, if this one does or follows from it.
	pub fn before(&self, entry: &EntryHash) -> Option<(&Pending, &EntryHeader)> {
		self.pending.as_ref().zip(self.after.get(entry))
	}
}

impl<M: Mls> Core<M> {
	/// Ends the intents that the own commit carried, which has opened the epoch of `won`. `overlay` has the state in which the
	/// client comes back.
	pub(super) fn end_carried(
		&self,
		overlay: &Overlay<'_>,
		id: &GroupId,
		won: &Tip,
	) -> Result<Vec<(u64, Ended)>, EngineError> {
		let carried: Option<InFlight> = overlay.if_readable(|overlay| overlay.get(id.as_bytes()))?;
		let mut all = Vec::new();
		for number in carried.unwrap_or_default().numbers {
			let stored: Option<StoredIntent> = overlay.get(&intent::key(id, number))?;
			// A new key was for the leaf that is gone.
			let Some(stored) = stored.filter(|stored| !matches!(stored.intent, Intent::Rotate { .. })) else {
				continue;
			};
			let operation = stored.take_up(number);
			let members = self.engine.as_added(overlay, id, &operation.intent)?;
			let committed = committed(&operation, won, false);
			let ended = if members.is_empty() {
				Ended::Done(committed)
			} else {
				Ended::NotInvited(NotInvited { committed, members })
			};
			intent::end(overlay, id, &operation, ended.clone())?;
			all.push((number, ended));
		}
		Ok(all)
	}
}
