//! Statements on their way to a node, with their state in memory. The statements themselves are in the store.

use crate::rpc::StatementOutcome;
use lockstep_primitives::BlockNumber;
use std::collections::BTreeMap;

/// Statements that may wait. More means that no node has been reached for long.
pub(super) const MAX_OUTGOING: usize = 512;
/// Longest wait between two tries, in finalized blocks.
const MAX_WAIT: BlockNumber = 16;

/// How a statement is doing.
#[derive(Clone, Copy, Debug, Default)]
struct State {
	in_flight: bool,
	tries: u32,
	/// The finalized block from which on it is tried again.
	due: BlockNumber,
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
	/// Sign it again, with an expiry that was found wanting `attempts` times, above `floor`.
	Renew { attempts: u32, floor: Option<u64> },
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

	/// Whether none waits.
	pub fn is_empty(&self) -> bool {
		self.statements.is_empty()
	}

	/// A number for a new statement.
	pub fn number(&mut self) -> u64 {
		let number = self.next;
		self.next = self.next.saturating_add(1);
		number
	}

	/// A statement is in the store.
	pub fn insert(&mut self, id: u64) {
		self.next = self.next.max(id.saturating_add(1));
		self.statements.insert(id, State::default());
	}

	/// A statement is in the store no longer.
	pub fn remove(&mut self, id: u64) {
		self.statements.remove(&id);
	}

	/// Those to be posted now, in order.
	pub fn due(&self, now: BlockNumber) -> Vec<u64> {
		self.statements.iter().filter(|(_, state)| !state.in_flight && state.due <= now).map(|(id, _)| *id).collect()
	}

	/// Whether a node may have it.
	pub fn is_in_flight(&self, id: u64) -> bool {
		self.statements.get(&id).is_some_and(|state| state.in_flight)
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
			Some(StatementOutcome::Expired) => Next::Renew { attempts: state.tries, floor: None },
			Some(StatementOutcome::Full { min_expiry }) => Next::Renew { attempts: 0, floor: Some(*min_expiry) },
			Some(StatementOutcome::Later(_)) | None => Next::Again,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn statements_are_posted_in_order_and_once_at_a_time() {
		let mut outbox = Outbox::default();
		outbox.insert(7);
		let new = outbox.number();
		assert_eq!(new, 8);
		outbox.insert(new);
		assert_eq!(outbox.due(0), [7, 8]);
		outbox.sent(7);
		assert_eq!(outbox.due(0), [8]);
		assert_eq!(outbox.answered(7, Some(&StatementOutcome::Stored), 0), Next::Done);
		outbox.remove(7);
		assert_eq!(outbox.len(), 1);
	}

	#[test]
	fn an_unanswered_statement_is_tried_again_more_and_more_rarely() {
		let mut outbox = Outbox::default();
		outbox.insert(0);
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
		outbox.insert(0);
		let mut answer = |outcome| outbox.answered(0, Some(&outcome), 0);
		assert_eq!(answer(StatementOutcome::Invalid("badProof".into())), Next::Hopeless);
		assert_eq!(answer(StatementOutcome::Expired), Next::Renew { attempts: 2, floor: None });
		assert_eq!(answer(StatementOutcome::Full { min_expiry: 9 }), Next::Renew { attempts: 0, floor: Some(9) });
		assert_eq!(answer(StatementOutcome::Later("noAllowance".into())), Next::Again);
		assert_eq!(outbox.answered(99, Some(&StatementOutcome::Stored), 0), Next::Again, "of an earlier run");
	}
}
