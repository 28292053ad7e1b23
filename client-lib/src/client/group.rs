//! A group in the actor's memory.

use super::{command::Reply, records::Membership, CommitError, GroupError, Outcome};
use crate::{
	delivery::Buffer,
	gate::{Gate, Mode},
	mls::Intent,
};
use lockstep_primitives::{BlockNumber, GroupId};
use std::{
	collections::{BTreeMap, VecDeque},
	time::Instant,
};

/// Operations that may wait for one group.
pub(super) const MAX_WAITING: usize = 256;

/// Something that a member wants, until the log has answered.
#[derive(Debug)]
pub(super) struct Operation {
	pub intent: Intent,
	/// Not made again after a lost race.
	pub once: bool,
	/// Commits made for it.
	pub attempts: u32,
	pub started: Instant,
	/// Nobody waits for what a client does of its own accord.
	pub reply: Option<Reply<Outcome, CommitError>>,
}

impl Operation {
	pub fn new(intent: Intent, once: bool, reply: Option<Reply<Outcome, CommitError>>) -> Self {
		Self { intent, once, attempts: 0, started: Instant::now(), reply }
	}

	pub fn finish(self, result: Result<Outcome, CommitError>) {
		if let Some(reply) = self.reply {
			// The application may have stopped waiting.
			drop(reply.send(result));
		} else if let Err(error) = result {
			tracing::debug!(%error, "a commit of the client's own accord did not come about");
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
	pub leaving: bool,
	/// Waiting for the gate to take a commit.
	pub waiting: VecDeque<Operation>,
	/// The one whose commit is pending. None for a commit that was restored from the store.
	pub current: Option<Operation>,
	/// Statements of epochs that are not open yet.
	pub buffer: Buffer,
	/// Of this epoch, by the identity that leaves.
	pub proposals: BTreeMap<Vec<u8>, LeaveProposal>,
	/// Trouble of this client, or the group's end: it does not follow until it is opened again.
	pub halted: Option<GroupError>,
}

impl Group {
	pub fn new(Membership { gate, leaving }: Membership) -> Self {
		Self {
			gate,
			leaving,
			waiting: VecDeque::new(),
			current: None,
			buffer: Buffer::default(),
			proposals: BTreeMap::new(),
			halted: None,
		}
	}

	/// What is stored of it, with this gate.
	pub fn membership(&self, gate: &Gate) -> Membership {
		Membership { gate: gate.clone(), leaving: self.leaving }
	}

	/// Whether the client follows it.
	pub fn is_followed(&self) -> bool {
		self.halted.is_none() && !self.gate.is_stopped()
	}

	/// Why nothing can be done with it, if so.
	pub fn trouble(&self, group: &GroupId) -> Option<GroupError> {
		if let Some(why) = &self.halted {
			return Some(why.clone());
		}
		match self.gate.mode() {
			Mode::Removed => Some(GroupError::Removed(*group)),
			Mode::Desynchronized(_) => Some(GroupError::Desynchronized(*group)),
			Mode::Following | Mode::Evaluating(_) => None,
		}
	}

	/// Ends all operations.
	pub fn fail_all(&mut self, error: &GroupError) {
		for operation in self.current.take().into_iter().chain(self.waiting.drain(..)) {
			operation.finish(Err(error.clone().into()));
		}
	}
}
