//! Durable intents: what a member wants of a group, stored before anything is sent, until the log has answered.
//!
//! An intent is waiting, or carried by the pending commit, or ended. It ends in the same write as what ends it: the
//! commit that carries it is merged, or has won when the member comes back from damage, the epoch in which it came about
//! by another's commit is entered, the group ends.
//! So a client that is killed anywhere finds each intent in exactly one of these states.

use super::{
	carried::NotInvited,
	group::{Group, Operation},
	path_wait::PathWait,
	Committed,
};
use crate::{
	mls::Intent,
	store::{Overlay, Record, StoreError},
};
use lockstep_primitives::{BlockNumber, EntryHash, GroupId};
use serde::{Deserialize, Serialize};

/// Ended intents of a group whose end is remembered.
const REMEMBERED: u64 = 64;

/// The name of an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IntentId {
	/// The group.
	pub group: GroupId,
	/// The intents of one member in one group are numbered in the order in which they were given.
	pub number: u64,
}

/// How an intent is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IntentState {
	/// It is to be tried, or to be tried again.
	Waiting {
		/// Commits that were made for it and lost.
		attempts: u32,
		/// What it waits for.
		waiting_for: WaitingFor,
	},
	/// A commit that carries it was made, and the log has not answered yet.
	Committing {
		/// Commits that were made for it, this one included.
		attempts: u32,
	},
	/// It ended.
	Ended(Ended),
}

/// What an intent waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitingFor {
	/// Its turn: the log has to be read to its end, another commit of this client is under way, or others are let go first after
	/// lost races.
	Turn,
	/// Members to renew their keys. Its commit takes more bytes than it may, because of its path
	/// ([`BuildError::LongPath`](crate::BuildError::LongPath)), and is made again every 10 final blocks; or it contradicts one
	/// of which that is so, and is to come after it. The figures are of when it was last made, or, until it is made again after
	/// the client was opened, of when the wait began.
	ShorterPaths {
		/// The nodes that its path goes to: in the tree as it was before the commit.
		nodes: u64,
		/// The length of the commit, in bytes as it is sealed.
		length: usize,
		/// The bound of that.
		max: usize,
		/// The final block after which it is not made again: the intent fails when the next time would be later. It is the same
		/// when the client is opened again; one that is opened later makes it once more.
		until: BlockNumber,
	},
}

/// How an intent ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Ended {
	/// What it asked for is so.
	Done(Committed),
	/// It was to be tried once, and another commit won.
	Superseded {
		/// The entry that won.
		by: EntryHash,
		/// The epoch that it opened.
		epoch: u64,
	},
	/// The commit that carries it has won, but whom it added was sent no invitation, for the state of the group was damaged meanwhile.
	NotInvited(NotInvited),
	/// It makes no sense any more, or the group came to an end.
	Failed {
		/// Why, for people.
		reason: String,
	},
}

/// An intent that has not ended, by [`key`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredIntent {
	pub intent: Intent,
	pub once: bool,
	pub epoch: u64,
	pub attempts: u32,
	/// As it was when the wait began.
	#[serde(default)]
	pub path_wait: Option<PathWait>,
}

impl Record for StoredIntent {
	const KIND: &'static str = "intent";
}

impl StoredIntent {
	/// What is to be done for it.
	pub fn take_up(self, number: u64) -> Operation {
		let Self { intent, once, epoch, attempts, path_wait } = self;
		Operation {
			attempts,
			path_wait,
			wait_stored: path_wait.is_some(),
			stored: true,
			..Operation::asked(number, intent, once, epoch)
		}
	}
}

/// Takes up the intents of a group that have not ended and are not in memory.
pub(super) fn take_up_stored(overlay: &Overlay<'_>, id: &GroupId, group: &mut Group) -> Result<(), StoreError> {
	for (key, stored) in overlay.list::<StoredIntent>(id.as_bytes())? {
		let Some(number) = number(&key) else { continue };
		if group.operations().all(|operation| operation.number != Some(number)) {
			group.waiting.push_back(stored.take_up(number));
		}
	}
	Ok(())
}

/// How an intent ended, by [`key`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct EndedIntent {
	pub ended: Ended,
}

impl Record for EndedIntent {
	const KIND: &'static str = "ended intent";
}

/// The numbers of the intents that the pending commit of a group carries, by the group's id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct InFlight {
	pub numbers: Vec<u64>,
}

impl Record for InFlight {
	const KIND: &'static str = "in flight";
}

/// Big endian, so that intents lie in their order.
pub(super) fn key(group: &GroupId, number: u64) -> Vec<u8> {
	[&group.as_bytes()[..], &number.to_be_bytes()].concat()
}

/// The number in a key.
pub(super) fn number(key: &[u8]) -> Option<u64> {
	Some(u64::from_be_bytes(*key.last_chunk()?))
}

/// The group and the number in a key.
pub(super) fn of_key(key: &[u8]) -> Option<(GroupId, u64)> {
	Some((GroupId(*key.first_chunk()?), number(key)?))
}

/// Stores what is to survive of an operation.
pub(super) fn store(overlay: &Overlay<'_>, group: &GroupId, operation: &Operation) -> Result<(), StoreError> {
	let Some(number) = operation.number else { return Ok(()) };
	let Operation { once, epoch, attempts, path_wait, .. } = *operation;
	let intent = operation.intent.clone();
	overlay.put(&key(group, number), &StoredIntent { intent, once, epoch, attempts, path_wait })
}

/// Ends an operation's intent; the end of the newest ones is remembered.
pub(super) fn end(
	overlay: &Overlay<'_>,
	group: &GroupId,
	operation: &Operation,
	ended: Ended,
) -> Result<(), StoreError> {
	let Some(number) = operation.number else { return Ok(()) };
	overlay.delete::<StoredIntent>(&key(group, number))?;
	overlay.put(&key(group, number), &EndedIntent { ended })?;
	match number.checked_sub(REMEMBERED) {
		Some(old) => overlay.delete::<EndedIntent>(&key(group, old)),
		None => Ok(()),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_intent_that_was_stored_without_what_it_waits_for_waits_for_its_turn() {
		let stored = serde_json::json!({ "intent": "Update", "once": false, "epoch": 3, "attempts": 2 });
		let operation = serde_json::from_value::<StoredIntent>(stored).unwrap().take_up(7);
		assert_eq!((operation.number, operation.epoch, operation.attempts), (Some(7), 3, 2));
		assert_eq!(operation.waiting_for(), WaitingFor::Turn);
	}
}
