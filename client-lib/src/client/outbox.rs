//! Statements on their way to a node, with their state in memory. The statements themselves are in the store.

use crate::rpc::StatementOutcome;
use lockstep_primitives::{BlockNumber, GroupId};
use std::collections::BTreeMap;

/// Statements that may wait. More means that no node has been reached for long.
pub(super) const MAX_OUTGOING: usize = 512;
/// Bytes of them that are handed over at once, of each group; one statement may be larger.
const WINDOW_BYTES: usize = 4 * 1024 * 1024;
/// A statement of a group is posted when fewer than this many older ones wait. A message that waits longer is not encrypted
/// before its turn, and so not twice if a new epoch opens meanwhile.
const WINDOW: usize = 32;
/// Longest wait between two tries, in finalized blocks.
const MAX_WAIT: BlockNumber = 16;

/// How a statement is doing.
#[derive(Clone, Debug)]
struct State {
	group: GroupId,
	/// In bytes, about.
	size: usize,
	in_flight: bool,
	/// Nothing was handed to a node before.
	first: bool,
	tries: u32,
	/// The finalized block from which on it is tried again.
	due: BlockNumber,
	/// Its bytes, if they have just been stored.
	ready: Option<Vec<u8>>,
}

/// What to do after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
	/// It is stored: delete it.
	Done,
	/// It never will be: delete it.
	Hopeless,
	/// Try the same bytes again when it is due.
	Again,
	/// Sign it again, with an expiry that was found wanting `attempts` times.
	Renew { attempts: u32 },
	/// What the epoch's key may store is used up, by statements that expire at `floor` or later.
	Full { floor: u64 },
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Outbox {
	statements: BTreeMap<u64, State>,
	next: u64,
}

impl Outbox {
	/// How many wait.
	pub fn len(&self) -> usize {
		self.statements.len()
	}

	/// A number for a new statement.
	pub fn number(&mut self) -> u64 {
		let number = self.next;
		self.next = self.next.saturating_add(1);
		number
	}

	/// A statement of a group, of about so many bytes, is in the store.
	pub fn insert(&mut self, id: u64, group: GroupId, size: usize) {
		self.next = self.next.max(id.saturating_add(1));
		self.statements
			.insert(id, State { group, size, in_flight: false, first: false, tries: 0, due: 0, ready: None });
	}

	/// The group that a statement is of.
	pub fn group(&self, id: u64) -> Option<GroupId> {
		self.statements.get(&id).map(|state| state.group)
	}

	/// How many of a group wait.
	pub fn of(&self, group: &GroupId) -> usize {
		self.statements.values().filter(|state| state.group == *group).count()
	}

	/// A statement is in the store no longer.
	pub fn remove(&mut self, id: u64) {
		self.statements.remove(&id);
	}

	/// Whether one more of a group would be posted at once.
	pub fn has_room(&self, group: &GroupId) -> bool {
		self.of(group) < WINDOW
	}

	/// Those to be posted now, in order: of each group the oldest [`WINDOW`] only, so that none overtakes many, and no
	/// more than [`WINDOW_BYTES`] of these.
	pub fn due(&self, now: BlockNumber) -> Vec<u64> {
		let mut counts = BTreeMap::<GroupId, (usize, usize)>::new();
		let mut due = Vec::new();
		for (id, state) in &self.statements {
			let (count, bytes) = counts.entry(state.group).or_default();
			*count = count.saturating_add(1);
			*bytes = bytes.saturating_add(state.size);
			let fits = *count == 1 || (*count <= WINDOW && *bytes <= WINDOW_BYTES);
			if fits && !state.in_flight && state.due <= now {
				due.push(*id);
			}
		}
		due
	}

	/// Those of a group that wait for another try are due now.
	pub fn hurry(&mut self, group: &GroupId) {
		for state in self.statements.values_mut().filter(|state| state.group == *group) {
			(state.due, state.tries) = (0, 0);
		}
	}

	/// Whether what is under way is the first time that it is handed to a node.
	pub fn is_first(&self, id: u64) -> bool {
		self.statements.get(&id).is_some_and(|state| state.first)
	}

	/// Sets that.
	pub fn set_first(&mut self, id: u64, first: bool) {
		if let Some(state) = self.statements.get_mut(&id) {
			state.first = first;
		}
	}

	/// The bytes of a statement that was put into the store just now: it need not be read when it goes out at once.
	pub fn set_ready(&mut self, id: u64, statement: Vec<u8>) {
		if let Some(state) = self.statements.get_mut(&id) {
			state.ready = Some(statement);
		}
	}

	/// Takes those bytes, and the group. If it is not posted now, it is read when it is.
	pub fn take_ready(&mut self, id: u64) -> Option<(GroupId, Vec<u8>)> {
		let state = self.statements.get_mut(&id)?;
		Some((state.group, state.ready.take()?))
	}

	/// It was handed to the poster.
	pub fn sent(&mut self, id: u64) {
		if let Some(state) = self.statements.get_mut(&id) {
			state.in_flight = true;
		}
	}

	/// A node answered, or did not (`None`).
	pub fn answered(&mut self, id: u64, outcome: Option<&StatementOutcome>, now: BlockNumber) -> Next {
		let Some(state) = self.statements.get_mut(&id) else { return Next::Again };
		state.in_flight = false;
		let wait = BlockNumber::from(1u8).checked_shl(state.tries.min(8)).unwrap_or(MAX_WAIT).min(MAX_WAIT);
		state.tries = state.tries.saturating_add(1);
		state.due = now.saturating_add(wait);
		match outcome {
			Some(StatementOutcome::Stored) => Next::Done,
			Some(StatementOutcome::Invalid(_)) => Next::Hopeless,
			Some(StatementOutcome::Expired) => Next::Renew { attempts: state.tries },
			Some(StatementOutcome::Full { min_expiry }) => Next::Full { floor: *min_expiry },
			Some(StatementOutcome::Later(_)) | None => Next::Again,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const GROUP: GroupId = GroupId([1; 32]);

	#[test]
	fn statements_are_posted_in_order_and_once_at_a_time() {
		let mut outbox = Outbox::default();
		outbox.insert(7, GROUP, 9);
		let new = outbox.number();
		assert_eq!(new, 8);
		outbox.insert(new, GroupId([2; 32]), 9);
		assert_eq!((outbox.of(&GROUP), outbox.len()), (1, 2));
		assert_eq!(outbox.due(0), [7, 8]);
		outbox.sent(7);
		assert_eq!(outbox.due(0), [8]);
		assert_eq!(outbox.answered(7, Some(&StatementOutcome::Stored), 0), Next::Done);
		outbox.remove(7);
		assert_eq!(outbox.len(), 1);
	}

	#[test]
	fn none_overtakes_many() {
		let mut outbox = Outbox::default();
		let (count, other) = (WINDOW as u64 * 3, GroupId([2; 32]));
		(0..count).for_each(|id| outbox.insert(id, GROUP, 9));
		outbox.insert(count, other, 9);
		let first = outbox.due(0);
		assert_eq!(first, (0..WINDOW as u64).chain([count]).collect::<Vec<_>>(), "another group does not wait");
		first.iter().for_each(|id| outbox.sent(*id));
		assert!(outbox.due(0).is_empty());
		// All but the first are taken.
		outbox.answered(0, None, 0);
		(1..WINDOW as u64).for_each(|id| outbox.remove(id));
		let next = outbox.due(0);
		assert_eq!(next, (WINDOW as u64..WINDOW as u64 * 2 - 1).collect::<Vec<_>>());
		next.iter().for_each(|id| outbox.remove(*id));
		assert_eq!(outbox.due(1).len(), WINDOW);
	}

	#[test]
	fn no_more_bytes_are_under_way_than_fit() {
		let mut outbox = Outbox::default();
		(0..8).for_each(|id| outbox.insert(id, GROUP, WINDOW_BYTES / 4));
		assert_eq!(outbox.due(0), [0, 1, 2, 3]);
		(0..4).for_each(|id| outbox.sent(id));
		outbox.remove(1);
		assert_eq!(outbox.due(0), [4], "in the place of the one that a node has taken");
		let mut outbox = Outbox::default();
		(0..2).for_each(|id| outbox.insert(id, GROUP, WINDOW_BYTES + 1));
		assert_eq!(outbox.due(0), [0], "one goes, however large it is");
	}

	#[test]
	fn what_waits_for_another_try_can_be_told_to_hurry() {
		let mut outbox = Outbox::default();
		let other = GroupId([2; 32]);
		outbox.insert(0, GROUP, 9);
		outbox.insert(1, other, 9);
		for id in 0..2 {
			outbox.sent(id);
			outbox.answered(id, None, 5);
		}
		assert!(outbox.due(5).is_empty());
		outbox.hurry(&GROUP);
		assert_eq!(outbox.due(5), [0]);
	}

	#[test]
	fn an_unanswered_statement_is_tried_again_more_and_more_rarely() {
		let mut outbox = Outbox::default();
		outbox.insert(0, GROUP, 9);
		let mut now = 0;
		let mut waits = Vec::new();
		for _ in 0..7 {
			outbox.sent(0);
			assert_eq!(outbox.answered(0, None, now), Next::Again);
			let due = (now..).find(|block| outbox.due(*block) == [0]).unwrap();
			waits.push(due - now);
			now = due;
		}
		assert_eq!(waits, [1, 2, 4, 8, 16, 16, 16]);
	}

	#[test]
	fn what_the_store_has_against_it_decides() {
		let mut outbox = Outbox::default();
		outbox.insert(0, GROUP, 9);
		let mut answer = |outcome| outbox.answered(0, Some(&outcome), 0);
		assert_eq!(answer(StatementOutcome::Invalid("badProof".into())), Next::Hopeless);
		assert_eq!(answer(StatementOutcome::Expired), Next::Renew { attempts: 2 });
		assert_eq!(answer(StatementOutcome::Full { min_expiry: 9 }), Next::Full { floor: 9 });
		assert_eq!(answer(StatementOutcome::Later("noAllowance".into())), Next::Again);
		assert_eq!(outbox.answered(99, Some(&StatementOutcome::Stored), 0), Next::Again, "of an earlier run");
	}
}
