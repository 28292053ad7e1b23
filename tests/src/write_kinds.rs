//! What a client writes to its store, by what the write is for: each kind is a moment at which a kill is another test.

use lockstep_client::WritePoint;
use std::{collections::BTreeMap, fmt, str::FromStr};

/// A kind of write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WriteKind {
	/// Whose store it is, and what the chain is like: at each opening.
	Opening,
	/// How far finality was verified.
	Verified,
	/// What a node was caught with.
	Evidence,
	/// A group that is to be created.
	Founding,
	/// The group is in the log.
	Founded,
	/// A KeyPackage, and the mailbox that it makes.
	KeyPackage,
	/// An invitation came.
	Invitation,
	/// An invitation came to nothing.
	InvitationDropped,
	/// A group was joined.
	Joined,
	/// A request to be readmitted.
	RejoinRequest,
	/// An intent was taken on.
	Intent,
	/// A commit was built, and is about to be submitted.
	Commit,
	/// An own commit won: it opens the epoch, and its intents have ended.
	OwnCommitWon,
	/// An own commit lost: another opens the epoch.
	OwnCommitLost,
	/// Another member's commit opens the epoch.
	Epoch,
	/// Where the log was read up to, without an epoch.
	Position,
	/// An intent ended without a commit of its own.
	IntentEnded,
	/// A message or proposal was encrypted, and is about to be posted.
	Encrypted,
	/// A message waits to be encrypted, or what is known of its way changed.
	Queued,
	/// A node has taken a statement.
	Posted,
	/// A message was given up.
	GivenUp,
	/// The application has dealt with messages that were given up.
	Dismissed,
	/// A message was read.
	Read,
	/// The application has messages that were read.
	Acknowledged,
	/// Keys of past epochs were deleted.
	KeysDeleted,
	/// Nothing but what a message that was known already, or is of no use, used up.
	UsedUp,
}

impl WriteKind {
	/// All of them.
	pub const ALL: [Self; 26] = [
		Self::Opening,
		Self::Verified,
		Self::Evidence,
		Self::Founding,
		Self::Founded,
		Self::KeyPackage,
		Self::Invitation,
		Self::InvitationDropped,
		Self::Joined,
		Self::RejoinRequest,
		Self::Intent,
		Self::Commit,
		Self::OwnCommitWon,
		Self::OwnCommitLost,
		Self::Epoch,
		Self::Position,
		Self::IntentEnded,
		Self::Encrypted,
		Self::Queued,
		Self::Posted,
		Self::GivenUp,
		Self::Dismissed,
		Self::Read,
		Self::Acknowledged,
		Self::KeysDeleted,
		Self::UsedUp,
	];

	/// What a write is that changes records of these kinds, each with whether it deletes some. `None` if it is like none of
	/// those that are known here.
	pub fn of(changes: &[(&str, bool)]) -> Option<Self> {
		let puts = |kind: &str| changes.contains(&(kind, false));
		let deletes = |kind: &str| changes.contains(&(kind, true));
		let own = [
			"home",
			"verified",
			"evidence",
			"founding",
			"invited",
			"mailbox",
			"asked to rejoin",
			"prepared",
			"epoch keys",
			"ended intent",
			"intent",
			"in flight",
			"undelivered",
			"inbox",
			"outgoing",
			"membership",
		];
		Some(match () {
			() if puts("home") => Self::Opening,
			() if puts("verified") => Self::Verified,
			() if puts("evidence") => Self::Evidence,
			() if puts("founding") => Self::Founding,
			() if deletes("founding") => Self::Founded,
			() if puts("invited") => Self::Invitation,
			() if deletes("invited") && puts("membership") => Self::Joined,
			() if deletes("invited") => Self::InvitationDropped,
			() if puts("asked to rejoin") => Self::RejoinRequest,
			() if puts("mailbox") => Self::KeyPackage,
			() if puts("prepared") => Self::Commit,
			() if puts("epoch keys") && deletes("prepared") && puts("ended intent") => Self::OwnCommitWon,
			() if puts("epoch keys") && deletes("prepared") => Self::OwnCommitLost,
			() if puts("epoch keys") => Self::Epoch,
			() if puts("ended intent") => Self::IntentEnded,
			() if puts("intent") => Self::Intent,
			() if puts("undelivered") => Self::GivenUp,
			() if deletes("undelivered") => Self::Dismissed,
			() if puts("inbox") => Self::Read,
			() if deletes("inbox") => Self::Acknowledged,
			() if puts("outgoing") && puts("membership") => Self::Encrypted,
			() if puts("outgoing") => Self::Queued,
			() if deletes("outgoing") => Self::Posted,
			() if deletes("epoch keys") => Self::KeysDeleted,
			() if puts("membership") => Self::Position,
			() if own.iter().all(|kind| !puts(kind) && !deletes(kind)) => Self::UsedUp,
			() => return None,
		})
	}
}

impl fmt::Display for WriteKind {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		fmt::Debug::fmt(self, f)
	}
}

/// A point at which a process dies: a kind of write, how many of the kind it passes before, and on which side of the write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeathPoint {
	/// The kind.
	pub kind: WriteKind,
	/// How many of them come first.
	pub after: u64,
	/// Before it is written, or when it is.
	pub side: WritePoint,
}

impl fmt::Display for DeathPoint {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{}:{}:{:?}", self.kind, self.after, self.side)
	}
}

impl FromStr for DeathPoint {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let bad = || format!("{text} is no point at which to die");
		let mut parts = text.split(':');
		let kind = parts.next().and_then(|name| WriteKind::ALL.into_iter().find(|kind| kind.to_string() == name));
		let after = parts.next().and_then(|after| after.parse().ok());
		let side = match parts.next() {
			Some("Before") => WritePoint::Before,
			Some("After") => WritePoint::After,
			_ => return Err(bad()),
		};
		Ok(Self { kind: kind.ok_or_else(bad)?, after: after.ok_or_else(bad)?, side })
	}
}

/// How often members died at each kind of write: right before it, and right after.
#[derive(Clone, Debug, Default)]
pub struct Deaths(BTreeMap<WriteKind, [usize; 2]>);

impl Deaths {
	/// One more.
	pub fn note(&mut self, kind: WriteKind, side: WritePoint) {
		let [before, after] = self.0.entry(kind).or_default();
		*(if side == WritePoint::Before { before } else { after }) += 1;
	}

	/// Those of another member.
	pub fn add(&mut self, other: &Self) {
		for (kind, [before, after]) in &other.0 {
			let sum = self.0.entry(*kind).or_default();
			sum[0] += before;
			sum[1] += after;
		}
	}

	/// Those at one kind of write, on one side.
	pub fn at(&self, kind: WriteKind, side: WritePoint) -> usize {
		let [before, after] = self.0.get(&kind).copied().unwrap_or_default();
		if side == WritePoint::Before {
			before
		} else {
			after
		}
	}

	/// All of them.
	pub fn total(&self) -> usize {
		self.0.values().flatten().sum()
	}

	/// The kinds, of these, at which nobody died on one of the sides.
	pub fn missing(&self, of: &[WriteKind]) -> Vec<WriteKind> {
		let met = |kind: &WriteKind| self.0.get(kind).is_some_and(|sides| sides.iter().all(|count| *count > 0));
		of.iter().copied().filter(|kind| !met(kind)).collect()
	}
}

impl fmt::Display for Deaths {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		for kind in WriteKind::ALL {
			let [before, after] = self.0.get(&kind).copied().unwrap_or_default();
			writeln!(f, "{:<18} {before:>4} before {after:>4} after", kind.to_string())?;
		}
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_point_survives_the_environment() {
		for kind in WriteKind::ALL {
			let point = DeathPoint { kind, after: 3, side: WritePoint::After };
			assert_eq!(point.to_string().parse(), Ok(point));
		}
		assert!("Commit:x:After".parse::<DeathPoint>().is_err() && "Commit".parse::<DeathPoint>().is_err());
	}

	#[test]
	fn what_is_written_tells_what_it_is_for() {
		let kind = |changes: &[(&str, bool)]| WriteKind::of(changes);
		assert_eq!(kind(&[("intent", false), ("membership", false)]), Some(WriteKind::Intent));
		let won = [("ended intent", false), ("epoch keys", false), ("membership", false), ("prepared", true)];
		assert_eq!(kind(&won), Some(WriteKind::OwnCommitWon));
		assert_eq!(kind(&won[1..]), Some(WriteKind::OwnCommitLost));
		assert_eq!(kind(&[("mls/MessageSecrets", false)]), Some(WriteKind::UsedUp));
		assert_eq!(kind(&[("in flight", true)]), None, "nothing that is known");
	}

	#[test]
	fn a_kind_is_met_when_it_is_on_both_sides() {
		let mut deaths = Deaths::default();
		deaths.note(WriteKind::Commit, WritePoint::Before);
		assert_eq!(deaths.missing(&[WriteKind::Commit]), [WriteKind::Commit]);
		deaths.note(WriteKind::Commit, WritePoint::After);
		assert!(deaths.missing(&[WriteKind::Commit]).is_empty() && deaths.total() == 2);
	}
}
