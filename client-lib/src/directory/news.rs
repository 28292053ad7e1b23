//! What happened to people while one was away: told from their logs, which were judged event by event, and not by anybody's word.
//!
//! [`news`] is a pure function of a log and a position in it; [`catch_up`] reads the logs.

mod catch_up;
#[cfg(test)]
mod tests;

pub use catch_up::{catch_up, CatchUp, People};

use super::{DirectoryError, History, IdentityKey, KeyEvent, OperatorId, Step};
use lockstep_primitives::{identity::Action, BlockNumber, EntryHash, IdentityId, LogHead};

/// Something that happened to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
	/// Who.
	pub identity: IdentityId,
	/// Whether it is one's own identity.
	pub own: bool,
	/// The block that carries the event.
	pub block: BlockNumber,
	/// Its position in the person's log.
	pub index: u64,
	/// What it did.
	pub what: Happening,
	/// The position of the recovery that has overridden it since.
	pub overridden_by: Option<u64>,
}

/// What an event of an identity did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happening {
	/// The identity was created.
	Created {
		/// By its first device.
		device: IdentityKey,
	},
	/// A device was added.
	DeviceAdded {
		/// Which.
		device: IdentityKey,
		/// By which.
		by: IdentityKey,
	},
	/// A device was revoked.
	DeviceRevoked {
		/// Which.
		device: IdentityKey,
		/// Devices that it had added, directly or not, and that went with it.
		with: Vec<IdentityKey>,
		/// By which.
		by: IdentityKey,
	},
	/// A device has another key.
	KeyRotated {
		/// The one before.
		from: IdentityKey,
		/// The one that it has.
		to: IdentityKey,
	},
	/// The person's recovery key was used.
	Recovered {
		/// Which of the recovery keys, the highest being 0.
		rank: u8,
		/// The device that came in.
		device: IdentityKey,
		/// Devices that went.
		revoked: Vec<IdentityKey>,
		/// The positions of the events that were overridden by it.
		overridden: Vec<u64>,
	},
	/// The person is at home elsewhere.
	OperatorSet {
		/// Where.
		operator: Option<OperatorId>,
	},
	/// The identity has ended.
	Closed,
}

impl Happening {
	/// Whether the person has other keys since: show it to the user, for a stranger may be behind it.
	pub fn changes_keys(&self) -> bool {
		!matches!(self, Self::OperatorSet { .. })
	}
}

/// Why it is not known what happened to a person.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NewsError {
	/// The log cannot be read.
	#[error(transparent)]
	Directory(#[from] DirectoryError),
	/// The node has not got as far as one that was asked before.
	#[error(
		"the log of {identity} has {found} events, and {known} were seen before: ask again later, or another node"
	)]
	Behind {
		/// Whose.
		identity: IdentityId,
		/// How many there are.
		found: u64,
		/// How many there were.
		known: u64,
	},
	/// The log is another one than it was.
	#[error("the log of {identity} has another event in position {index} than it had: trust the chain no further")]
	OtherLog {
		/// Whose.
		identity: IdentityId,
		/// The position.
		index: u64,
		/// What was there.
		known: EntryHash,
	},
}

/// What happened to a person since the log had this head, in order; from the beginning on, without one.
///
/// # Errors
/// [`NewsError::Behind`], [`NewsError::OtherLog`].
pub fn news(history: &History, since: Option<&LogHead>) -> Result<Vec<News>, NewsError> {
	let (identity, steps) = (history.identity(), history.steps());
	let seen = match since {
		None => 0,
		Some(head) => {
			let found = history.head().length;
			if head.length > found {
				return Err(NewsError::Behind { identity, found, known: head.length });
			}
			let index = head.length.saturating_sub(1);
			let last = usize::try_from(index).ok().and_then(|index| steps.get(index));
			if head.length > 0 && last.is_none_or(|last| last.change.hash != head.hash) {
				return Err(NewsError::OtherLog { identity, index, known: head.hash });
			}
			usize::try_from(head.length).unwrap_or(usize::MAX)
		}
	};
	let overridden = overridden(steps);
	let told = steps.iter().zip(&overridden).skip(seen);
	let one = |(step, overridden_by): (&Step, &Option<u64>)| News {
		identity,
		own: false,
		block: step.block,
		index: step.event.event.index,
		what: happening(step, &overridden),
		overridden_by: *overridden_by,
	};
	Ok(told.map(one).collect())
}

/// By the recovery in which position each event was overridden.
fn overridden(steps: &[Step]) -> Vec<Option<u64>> {
	let mut by = vec![None; steps.len()];
	for step in steps {
		let (Some(from), until) = (step.change.overrides, step.event.event.index) else { continue };
		let range = usize::try_from(from).ok().zip(usize::try_from(until).ok());
		let events = range.and_then(|(from, until)| by.get_mut(from..until)).unwrap_or_default();
		events.iter_mut().filter(|by| by.is_none()).for_each(|by| *by = Some(until));
	}
	by
}

fn happening(step: &Step, overridden: &[Option<u64>]) -> Happening {
	let KeyEvent { index, author, action, .. } = &step.event.event;
	let revoked = &step.change.revoked;
	match action {
		Action::Incept { device, .. } => Happening::Created { device: device.key },
		Action::AddDevice(device) => Happening::DeviceAdded { device: device.key, by: *author },
		Action::RevokeDevice(device) => {
			let with = revoked.iter().filter(|key| *key != device).copied().collect();
			Happening::DeviceRevoked { device: *device, with, by: *author }
		}
		Action::Rotate { replaces, .. } => Happening::KeyRotated { from: *replaces, to: *author },
		Action::Recover { rank, device, .. } => {
			let by_this = overridden.iter().zip(0..).filter(|(by, _)| **by == Some(*index));
			let overridden = by_this.map(|(_, index)| index).collect();
			Happening::Recovered { rank: *rank, device: device.key, revoked: revoked.clone(), overridden }
		}
		Action::SetOperator(operator) => Happening::OperatorSet { operator: *operator },
		Action::Close => Happening::Closed,
	}
}
