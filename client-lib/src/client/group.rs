//! A group in the core's memory.

use super::{
	command::Reply,
	intent::{IntentId, WaitingFor},
	path_wait::{PathWait, PATH_STEP},
	paths::Paths,
	people::{Admitting, Retiring, Unknown},
	records::Membership,
	rejoin, CommitError, GroupError, Outcome,
};
use crate::{
	delivery::Buffer,
	gate::{Gate, Mode, Tip},
	mls::{BuildError, Intent, Prepared},
};
use lockstep_primitives::{BlockNumber, GroupId};
use std::{
	collections::{BTreeMap, VecDeque},
	sync::Arc,
	time::Instant,
};

/// Operations that may wait for one group.
pub(super) const MAX_WAITING: usize = 256;
/// Operations that go into one commit.
const MAX_BATCH: usize = 32;
/// Lost races after which an operation begins to let others go first.
const PATIENCE: u32 = 4;
/// The longest such wait, in finalized blocks.
const MAX_BACKOFF: u32 = 8;

/// Something that a member wants, until the log has answered.
#[derive(Debug)]
pub(super) struct Operation {
	/// The number of its intent; none for what a client does of its own accord, which it would do again after a restart.
	pub number: Option<u64>,
	pub intent: Intent,
	/// Not made again after a lost race.
	pub once: bool,
	/// The epoch in which it was asked for: what it asked for may have come about since.
	pub epoch: u64,
	/// Commits made for it.
	pub attempts: u32,
	/// The finalized block from which on it may be tried.
	pub not_before: BlockNumber,
	/// If its commit has too long a path.
	pub path_wait: Option<PathWait>,
	/// Whether it is stored that it has.
	pub wait_stored: bool,
	/// To be tried by itself: together with others it made an invalid commit.
	pub alone: bool,
	pub started: Instant,
	/// Whether it is in the store, or need not be.
	pub stored: bool,
	/// Whoever is to be told when it is.
	pub taken: Option<Reply<IntentId, CommitError>>,
	/// Whoever waits for its end, if anybody does.
	pub reply: Option<Reply<Outcome, CommitError>>,
}

impl Operation {
	/// Something that the application wants.
	pub fn asked(number: u64, intent: Intent, once: bool, epoch: u64) -> Self {
		Self { number: Some(number), epoch, stored: false, ..Self::own(intent, once) }
	}

	/// Something that the client does of its own accord.
	pub fn own(intent: Intent, once: bool) -> Self {
		Self {
			number: None,
			intent,
			once,
			epoch: 0,
			attempts: 0,
			not_before: 0,
			path_wait: None,
			wait_stored: false,
			alone: false,
			started: Instant::now(),
			stored: true,
			taken: None,
			reply: None,
		}
	}

	/// It is in the store of this group.
	pub fn is_taken(&mut self, group: &GroupId) {
		(self.stored, self.wait_stored) = (true, self.path_wait.is_some());
		if let (Some(number), Some(taken)) = (self.number, self.taken.take()) {
			drop(taken.send(Ok(IntentId { group: *group, number })));
		}
	}

	/// Another commit won: waits for a few blocks, the longer the more often that has happened, so that not all who
	/// want something commit in the same block for ever.
	pub fn step_back(&mut self, finalized: BlockNumber, random: u32) {
		let spread = self.attempts.saturating_sub(PATIENCE).min(MAX_BACKOFF).saturating_add(1);
		let wait = random.checked_rem(spread).unwrap_or_default();
		self.not_before = finalized.saturating_add(wait);
	}

	/// Its commit cannot be made for this reason. If its path is too long, waits until others may have made it shorter; `false`
	/// if it has waited for long, or for another reason. What is to be tried once does not wait, nor does what the client does
	/// of its own accord: it will want it again.
	pub fn wait_for_path(&mut self, reason: &BuildError, finalized: BlockNumber) -> bool {
		if self.number.is_none() || self.once {
			return false;
		}
		let Some(wait) = PathWait::because_of(reason, self.path_wait, finalized) else { return false };
		self.path_wait = Some(wait);
		self.not_before = finalized.saturating_add(PATH_STEP);
		self.not_before <= wait.until()
	}

	/// What it waits for, if it does.
	pub fn waiting_for(&self) -> WaitingFor {
		self.path_wait.map_or(WaitingFor::Turn, |wait| wait.waiting_for())
	}

	/// Whether it was asked for in the epoch that this tip opened, and not tried before.
	pub fn is_new(&self, tip: &Tip) -> bool {
		self.attempts == 0 && self.epoch == tip.epoch && self.number.is_some()
	}

	pub fn finish(self, result: Result<Outcome, CommitError>) {
		if let (Some(taken), Err(error)) = (self.taken, &result) {
			drop(taken.send(Err(error.clone())));
		}
		if let Some(reply) = self.reply {
			// The application may have stopped waiting.
			drop(reply.send(result));
		} else if let Err(error) = result {
			tracing::debug!(%error, "a commit that nobody waits for did not come about");
		}
	}
}

/// A proposal to leave that another member made in this epoch.
#[derive(Clone, Debug)]
pub(super) struct LeaveProposal {
	pub bytes: Vec<u8>,
	/// The finalized block at which this client commits it, if nobody has.
	pub due: BlockNumber,
}

/// A group that the client is or was in.
#[derive(Debug)]
pub(super) struct Group {
	pub gate: Gate,
	/// Whether the log is read up to the newest finalized block, as far as is known. While it is not, nothing is posted
	/// and nothing is committed: it would be for an epoch that the others may have left long ago.
	pub caught_up: bool,
	/// Leaves to be taken out, in a group of people.
	pub retiring: Retiring,
	/// Devices of this member's person to be brought in, in a group of people.
	pub admitting: Admitting,
	pub leaving: bool,
	/// The number of the next intent.
	pub next_intent: u64,
	/// The block of the last own commit.
	pub renewed_at: BlockNumber,
	/// Messages sent since.
	pub sent: u32,
	/// What is known of how long the paths of commits are.
	pub paths: Paths,
	/// The finalized block before which the client does not renew its keys, for its path was too long.
	pub renew_not_before: BlockNumber,
	/// The newest epoch of which nodes store no more statements.
	pub full: Option<u64>,
	/// The epochs entered lately, and the blocks that opened them.
	pub opened: VecDeque<(u64, BlockNumber)>,
	/// Waiting for the gate to take a commit.
	pub waiting: VecDeque<Operation>,
	/// Those that the pending commit carries.
	pub current: Vec<Operation>,
	/// The pending commit as it is stored, since it was made; after a restart it is read when it is needed.
	pub own: Option<Arc<Prepared>>,
	/// Statements of epochs that are not open yet.
	pub buffer: Buffer,
	/// The epochs whose keys are kept, by their public ordering keys: the signers of their statements. `None` after a
	/// change, until it is asked for.
	pub signers: Option<BTreeMap<[u8; 32], u64>>,
	/// Of this epoch, by the identity that leaves.
	pub proposals: BTreeMap<Vec<u8>, LeaveProposal>,
	/// Requests to be readmitted, by the identity that asks.
	pub requests: BTreeMap<Vec<u8>, rejoin::Waiting>,
	/// What has to be known before the next entry can be judged.
	pub unknown: Option<Unknown>,
	/// The finalized block before which this client does not ask again to be readmitted: it may have gone wrong.
	pub ask_not_before: BlockNumber,
	/// Another client of this identity has its place.
	pub replaced: bool,
	/// Trouble of this client, or the group's end: it does not follow until that has passed, or until it is opened again.
	pub halted: Option<GroupError>,
}

impl Group {
	pub fn new(Membership { gate, leaving, next_intent, renewed_at, sent, replaced }: Membership) -> Self {
		let epoch = gate.tip().epoch;
		let opened = VecDeque::from([(epoch, gate.tip().block)]);
		Self {
			gate,
			caught_up: false,
			retiring: Retiring::default(),
			admitting: Admitting::default(),
			leaving,
			next_intent,
			renewed_at,
			sent,
			paths: Paths::of_epoch(epoch),
			renew_not_before: 0,
			full: None,
			opened,
			waiting: VecDeque::new(),
			own: None,
			current: Vec::new(),
			buffer: Buffer::default(),
			signers: None,
			proposals: BTreeMap::new(),
			requests: BTreeMap::new(),
			unknown: None,
			ask_not_before: 0,
			replaced,
			halted: None,
		}
	}

	/// What is stored of it, with this gate.
	pub fn membership(&self, gate: &Gate) -> Membership {
		let Self { leaving, next_intent, renewed_at, sent, replaced, .. } = *self;
		Membership { gate: gate.clone(), leaving, next_intent, renewed_at, sent, replaced }
	}

	/// Whether the client may commit something of its own accord: nothing that the application wants is waiting for its turn.
	/// What waits for shorter paths is not in the way.
	pub fn is_idle(&self) -> bool {
		let waits = |operation: &Operation| operation.path_wait.is_some();
		!self.leaving && self.gate.takes_commit() && self.waiting.iter().all(waits)
	}

	/// Whether the client follows it.
	pub fn is_followed(&self) -> bool {
		self.halted.is_none() && !self.gate.is_stopped()
	}

	/// Whether the client could not process an entry, and has its state from before that, as far as is known.
	pub fn is_cut_off(&self) -> bool {
		self.halted.is_none() && matches!(self.gate.mode(), Mode::Desynchronized(_))
	}

	/// Why nothing can be done with it, if so.
	pub fn trouble(&self, group: &GroupId) -> Option<GroupError> {
		self.halted.clone().or_else(|| trouble(&self.gate, group, self.replaced))
	}

	/// Whether it has come to an end for this client, as far as is known.
	pub fn is_over(&self, group: &GroupId) -> bool {
		matches!(self.trouble(group), Some(GroupError::Removed(_) | GroupError::Replaced(_) | GroupError::Gone(_)))
	}

	/// All operations that have not ended.
	pub fn operations(&self) -> impl Iterator<Item = &Operation> {
		self.current.iter().chain(&self.waiting)
	}

	/// Answers all operations.
	pub fn fail_all(&mut self, error: &GroupError) {
		for operation in self.current.drain(..).chain(self.waiting.drain(..)) {
			operation.finish(Err(error.clone().into()));
		}
	}

	/// Answers those that are not stored, and forgets them.
	pub fn drop_new(&mut self, error: &CommitError) {
		let waiting = std::mem::take(&mut self.waiting).into_iter();
		let (kept, new): (Vec<_>, Vec<_>) = waiting.partition(|operation| operation.stored);
		self.waiting = kept.into();
		let carried = std::mem::take(&mut self.current).into_iter();
		let (kept, carried): (Vec<_>, Vec<_>) = carried.partition(|operation| operation.stored);
		self.current = kept;
		for operation in carried.into_iter().chain(new) {
			operation.finish(Err(error.clone()));
		}
	}

	/// Puts an operation back that was taken out: before all that were given later. Of several the last one comes first.
	pub fn put_back(&mut self, operation: Operation) {
		let is_earlier =
			|other: &Operation| matches!((operation.number, other.number), (Some(own), Some(other)) if other < own);
		let at = self.waiting.iter().rposition(is_earlier).map_or(0, |at| at.saturating_add(1));
		self.waiting.insert(at, operation);
	}

	/// The operations that may be tried now, in their order; as many as go into one commit at most.
	pub fn take_due(&mut self, finalized: BlockNumber) -> Vec<Operation> {
		let mut due = Vec::new();
		for operation in std::mem::take(&mut self.waiting) {
			let goes_along = due.is_empty() || !(operation.alone || due.iter().any(|other: &Operation| other.alone));
			if operation.not_before <= finalized && due.len() < MAX_BATCH && goes_along {
				due.push(operation);
			} else {
				self.waiting.push_back(operation);
			}
		}
		self.take_earlier(&mut due);
		due
	}

	/// What waits for shorter paths is tried with what is due and was given later, for that may contradict it, and is to come
	/// after it then.
	fn take_earlier(&mut self, due: &mut Vec<Operation>) {
		let later = due.iter().filter(|operation| operation.path_wait.is_none() && !operation.alone);
		let Some(newest) = later.filter_map(|operation| operation.number).max() else { return };
		// The nearest, if there are many.
		for operation in std::mem::take(&mut self.waiting).into_iter().rev() {
			let is_earlier = operation.number.is_some_and(|number| number < newest);
			if is_earlier && operation.path_wait.is_some() && !operation.alone && due.len() < MAX_BATCH {
				let at = due.iter().position(|other| other.number > operation.number).unwrap_or(due.len());
				due.insert(at, operation);
			} else {
				self.waiting.push_front(operation);
			}
		}
	}
}

/// Why nothing can be done with a group whose gate is this, if so.
pub(super) fn trouble(gate: &Gate, group: &GroupId, replaced: bool) -> Option<GroupError> {
	match gate.mode() {
		Mode::Removed if replaced => Some(GroupError::Replaced(*group)),
		Mode::Removed => Some(GroupError::Removed(*group)),
		Mode::Desynchronized(_) => Some(GroupError::Desynchronized(*group)),
		Mode::Following | Mode::Evaluating(_) => None,
	}
}

#[cfg(test)]
mod tests {
	use super::{super::path_wait::PATH_WAIT, *};

	#[test]
	fn the_wait_after_lost_races_grows_and_is_bounded() {
		let mut operation = Operation::own(Intent::Update, false);
		let mut longest = Vec::new();
		for attempts in [1, PATIENCE, PATIENCE + 1, PATIENCE + 3, PATIENCE + 100] {
			operation.attempts = attempts;
			let waits = (0..1000).map(|random| {
				operation.step_back(50, random);
				operation.not_before - 50
			});
			longest.push(waits.max().unwrap());
		}
		assert_eq!(longest, [0, 0, 1, 3, 8]);
	}

	#[test]
	fn what_the_application_wants_waits_for_a_shorter_path_and_what_the_client_does_by_itself_does_not() {
		let long = BuildError::LongPath { nodes: 80, length: 7000, max: 6000 };
		assert!(!Operation::own(Intent::Update, false).wait_for_path(&long, 100));
		assert!(!Operation::asked(0, Intent::Update, true, 0).wait_for_path(&long, 100), "it is tried once");
		let mut operation = Operation::asked(0, Intent::Update, false, 0);
		assert!(!operation.wait_for_path(&BuildError::Empty, 99));
		assert_eq!(operation.waiting_for(), WaitingFor::Turn);
		assert!((100..=100 + PATH_WAIT - PATH_STEP).all(|block| operation.wait_for_path(&long, block)));
		assert_eq!(operation.not_before, 100 + PATH_WAIT);
		let until = 100 + PATH_WAIT;
		let waiting_for = WaitingFor::ShorterPaths { nodes: 80, length: 7000, max: 6000, until };
		assert_eq!(operation.waiting_for(), waiting_for);
		assert!(!operation.wait_for_path(&long, 100 + PATH_WAIT - PATH_STEP + 1));
	}

	#[test]
	fn an_operation_that_waits_lets_later_ones_pass() {
		let start = lockstep_primitives::EntryHash([0; 32]);
		let membership = serde_json::json!({ "gate": {
			"tip": { "entry": start, "index": 0, "epoch": 0, "block": 0 },
			"cursor": { "head": { "length": 1, "hash": start }, "block": 0 },
			"children": 0, "youngest_child_at": 0, "pending": null, "mode": "Following", "contested": false,
			"finalized": 0, "contest_at": null, "candidate_interval": 20, "random": 0
		} });
		let mut group = Group::new(serde_json::from_value(membership).unwrap());
		let mut patient = Operation::asked(0, Intent::Update, false, 0);
		patient.not_before = 9;
		group.waiting.push_back(patient);
		for number in 1..40 {
			group.waiting.push_back(Operation::asked(number, Intent::Update, false, 0));
		}
		let mut numbers = |finalized| -> Vec<u64> {
			group.take_due(finalized).into_iter().filter_map(|operation| operation.number).collect()
		};
		assert_eq!(numbers(8), (1..33).collect::<Vec<_>>(), "so many go into one commit");
		assert_eq!(numbers(8), (33..40).collect::<Vec<_>>());
		assert!(numbers(8).is_empty());
		assert_eq!(numbers(9), [0]);
		for number in 1..6 {
			let alone = number == 1 || number == 4;
			group.waiting.push_back(Operation { alone, ..Operation::asked(number, Intent::Update, false, 0) });
		}
		let mut numbers =
			|| -> Vec<u64> { group.take_due(9).into_iter().filter_map(|operation| operation.number).collect() };
		assert_eq!([numbers(), numbers(), numbers()], [vec![1], vec![2, 3, 5], vec![4]], "who is to go alone does");
	}
}
