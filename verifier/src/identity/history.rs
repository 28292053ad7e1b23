//! A log of an identity, judged event by event.

use super::ProvenIdentity;
use crate::crypto::verify_ed25519;
use alloc::{collections::BTreeSet, vec::Vec};
use codec::{Decode, Encode};
use lockstep_primitives::{
	identity::{judge, judge_inception, Change, IdentityRefusal, IdentityState, Place, SignedEvent, RECOVERY_WINDOW},
	BlockNumber, EntryHash, EventSignature, GenesisHash, IdentityId, IdentityKey, LogHead, LogKind,
};

/// An event as it is sent or stored.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Recorded {
	/// The block that carries it.
	pub block: BlockNumber,
	/// The event with its signatures.
	pub event: SignedEvent,
}

/// An event, and what it has made of the identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
	/// The block that carries it.
	pub block: BlockNumber,
	/// The event with its signatures.
	pub event: SignedEvent,
	/// The identity after it, and what came and went.
	pub change: Change,
}

/// Why events are not those of an identity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
	/// The event was put into a block lower than that of an earlier one.
	#[error("event {0} names a block below the one of the event before it: ask another node")]
	Block(u64),
	/// No chain that keeps the rules has recorded the event.
	#[error("event {index} is against the rules ({refusal}): ask another node")]
	Refused {
		/// The event's position.
		index: u64,
		/// The rule.
		refusal: IdentityRefusal,
	},
	/// Too few or too many events.
	#[error("the events reach up to {reached}, and the proven log has {proven}: ask another node for all of them")]
	Length {
		/// The length of the log that the events make.
		reached: u64,
		/// The length in state.
		proven: u64,
	},
	/// Events that were altered, or are of another log, or were said to be in other blocks.
	#[error("the events hash to {reached}, and the proven head is {proven}: ask another node")]
	Head {
		/// The head that the events make.
		reached: EntryHash,
		/// The head in state.
		proven: EntryHash,
	},
	/// The event was put into a block above the one whose state shows the log.
	#[error("event {index} names block {block}, above block {head} that the log is proven in: ask another node")]
	Beyond {
		/// The event's position.
		index: u64,
		/// The block that it names.
		block: BlockNumber,
		/// The final block.
		head: BlockNumber,
	},
	/// The log is the same, and the chain says that it makes something else.
	#[error("the chain has made something else of these events than the rules do: update the library, or trust the chain no further")]
	State,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
	genesis: GenesisHash,
	identity: IdentityId,
	steps: Vec<Step>,
	/// The device keys that have come in.
	used: BTreeSet<IdentityKey>,
	/// The block up to which this is all of it.
	until: BlockNumber,
}

fn verify(key: &IdentityKey, text: &[u8], signature: &EventSignature) -> bool {
	verify_ed25519(key.as_bytes(), signature.as_bytes(), text)
}

impl History {
	/// Before the first event.
	pub fn new(genesis: GenesisHash, identity: IdentityId) -> Self {
		Self { genesis, identity, steps: Vec::new(), used: BTreeSet::new(), until: 0 }
	}

	/// The identity of a whole log, as the state of the final block `head` shows it. A log that is longer or shorter than that
	/// is refused before it is looked at.
	///
	/// # Errors
	/// [`HistoryError`].
	pub fn of(
		genesis: GenesisHash,
		identity: IdentityId,
		log: Vec<Recorded>,
		proven: &ProvenIdentity,
		head: BlockNumber,
	) -> Result<Self, HistoryError> {
		let mut history = Self::new(genesis, identity);
		let (reached, expected) = (u64::try_from(log.len()).unwrap_or(u64::MAX), history.proven_head(proven).length);
		if reached != expected {
			return Err(HistoryError::Length { reached, proven: expected });
		}
		log.into_iter().try_for_each(|recorded| history.admit(recorded))?;
		history.reaches(proven, head)?;
		Ok(history)
	}

	fn proven_head(&self, proven: &ProvenIdentity) -> LogHead {
		let empty = || LogHead::empty(LogKind::Identity, &self.genesis, &self.identity.0);
		proven.state.as_ref().map(|state| state.head).or(proven.ended).unwrap_or_else(empty)
	}

	/// Takes up the next event. Whether it is the chain's is known only after [`Self::reaches`].
	///
	/// # Errors
	/// [`HistoryError::Block`], [`HistoryError::Refused`]; then nothing has changed.
	pub fn admit(&mut self, recorded: Recorded) -> Result<(), HistoryError> {
		let Recorded { block, event } = recorded;
		let index = self.head().length;
		if self.steps.last().is_some_and(|last| last.block > block) {
			return Err(HistoryError::Block(index));
		}
		let place = Place { genesis: &self.genesis, identity: &self.identity, block, window: RECOVERY_WINDOW };
		// A key of this log that comes again is seen here; one of another log is not.
		let is_used = |key: &IdentityKey| self.used.contains(key);
		let change = match self.newest() {
			None => judge_inception(&place, &event, is_used, verify),
			Some(state) => judge(&place, state, &event, is_used, verify),
		};
		let change = change.map_err(|refusal| HistoryError::Refused { index, refusal })?;
		self.used.extend(change.added);
		self.until = block;
		self.steps.push(Step { block, event, change });
		Ok(())
	}

	/// Checks that these are all events that the chain has recorded up to the final block `head`, whose state is given, in the
	/// blocks in which it has, and that the chain has made of them what the rules do.
	///
	/// # Errors
	/// [`HistoryError::Length`], [`HistoryError::Head`], [`HistoryError::Beyond`], [`HistoryError::State`].
	pub fn reaches(&mut self, proven: &ProvenIdentity, head: BlockNumber) -> Result<(), HistoryError> {
		let (reached, expected) = (self.head(), self.proven_head(proven));
		if reached.length != expected.length {
			return Err(HistoryError::Length { reached: reached.length, proven: expected.length });
		}
		if reached.hash != expected.hash {
			return Err(HistoryError::Head { reached: reached.hash, proven: expected.hash });
		}
		if let Some(last) = self.steps.last().filter(|last| last.block > head) {
			return Err(HistoryError::Beyond { index: last.event.event.index, block: last.block, head });
		}
		let same = match (&proven.state, &proven.ended) {
			(Some(state), None) => self.newest() == Some(state),
			(None, Some(_)) => self.newest().is_some_and(|state| state.closed),
			(None, None) => true,
			(Some(_), Some(_)) => false,
		};
		if !same {
			return Err(HistoryError::State);
		}
		self.until = head;
		Ok(())
	}

	/// The final block up to which this is all that happened; before [`Self::reaches`], that of the newest event.
	pub fn until(&self) -> BlockNumber {
		self.until
	}

	/// The chain.
	pub fn genesis(&self) -> GenesisHash {
		self.genesis
	}

	/// Whose log it is.
	pub fn identity(&self) -> IdentityId {
		self.identity
	}

	/// The events, and what each has made of the identity.
	pub fn steps(&self) -> &[Step] {
		&self.steps
	}

	/// The identity after all events; `None` before the first.
	pub fn newest(&self) -> Option<&IdentityState> {
		self.steps.last().map(|step| &step.change.state)
	}

	/// The identity at the end of a block; `None` if it was not there yet, and for blocks above [`Self::until`], of which
	/// nothing is known.
	pub fn at(&self, block: BlockNumber) -> Option<&IdentityState> {
		if block > self.until {
			return None;
		}
		let until = self.steps.partition_point(|step| step.block <= block);
		let last = self.steps.get(until.checked_sub(1)?)?;
		Some(&last.change.state)
	}

	/// Whether a device of the identity is known to have this key at the end of a block. Not if the identity was closed by then: it has
	/// no devices that count.
	pub fn has_device_at(&self, key: &IdentityKey, block: BlockNumber) -> bool {
		self.at(block).is_some_and(|state| !state.closed && state.device(key).is_some())
	}

	/// Whether a device of the identity is known to have had this key at some moment of a block: before its first event, or after one
	/// of them.
	pub fn had_device_in(&self, key: &IdentityKey, block: BlockNumber) -> bool {
		let has = |state: &IdentityState| !state.closed && state.device(key).is_some();
		let before = block.checked_sub(1).and_then(|before| self.at(before)).filter(|_| block <= self.until);
		let within = self.steps.iter().filter(|step| step.block == block);
		before.is_some_and(has) || within.map(|step| &step.change.state).any(has)
	}

	/// The head of the log.
	pub fn head(&self) -> LogHead {
		let empty = || LogHead::empty(LogKind::Identity, &self.genesis, &self.identity.0);
		self.newest().map_or_else(empty, |state| state.head)
	}

	/// The log as it is stored.
	pub fn recorded(&self) -> Vec<Recorded> {
		self.steps.iter().map(|step| Recorded { block: step.block, event: step.event.clone() }).collect()
	}
}
