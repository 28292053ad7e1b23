//! What goes into the gate and what comes out.

use super::Pending;
use crate::log::EntryHeader;
use lockstep_primitives::{BlockNumber, EntryHash};

/// What can happen to a gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
	/// The log continues with this entry, which is final and verified.
	Entry(EntryHeader),
	/// The answer to [`Effect::Evaluate`].
	Verdict {
		/// The entry judged.
		entry: EntryHash,
		/// What it is.
		verdict: Verdict,
	},
	/// This block is final, and every entry up to it has been given before.
	Finalized(BlockNumber),
	/// The member built a commit on the tip and stores it in the same write as the state that follows.
	///
	/// The answer is [`Effect::Reject`] if the commit must not be kept: see
	/// [`Gate::takes_commit`](super::Gate::takes_commit).
	Prepared(Pending),
	/// A node refused the submission. Only a hint: what became of it is read from the log.
	Refused,
	/// Randomness for waits. Give it once after loading a gate.
	Random(u64),
}

/// What a member found a candidate to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
	/// The commit opens the next epoch.
	Valid {
		/// It removes this member.
		removes_me: bool,
	},
	/// It is the member's own pending commit, which somebody sealed and endorsed anew, with the right key.
	Own,
	/// Every member finds it invalid, from what all of them know.
	PubliclyInvalid,
	/// It fails on what only this member knows: others may have accepted it.
	PrivatelyFailing,
}

/// What the driver has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
	/// Judge this candidate and answer with [`Input::Verdict`].
	Evaluate(EntryHeader),
	/// Merge the own pending commit, which won with this entry. Durable.
	MergeOwn(EntryHeader),
	/// Apply the commit of this entry, which was just found valid. Durable.
	Apply(EntryHeader),
	/// The tip moved: `epoch` is current, opened by `entry`.
	Advance {
		/// The entry that opened the epoch.
		entry: EntryHeader,
		/// The MLS epoch, which is the entry's depth.
		epoch: u64,
		/// The commit is the member's own.
		own: bool,
	},
	/// This entry does not count.
	Skip {
		/// The entry.
		entry: EntryHeader,
		/// Why.
		reason: SkipReason,
	},
	/// Delete the own pending commit: it can no longer win. Durable.
	DropPending,
	/// Do not store the commit just given: the gate takes none now.
	Reject,
	/// Submit the own pending commit.
	Submit {
		/// It was submitted before.
		again: bool,
	},
	/// Build a self-update on the tip and give it as [`Input::Prepared`]: all children of the tip are invalid.
	Contest,
	/// The gate stops for good.
	Stop(Stop),
}

/// Why an entry does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SkipReason {
	/// Its parent is not the tip: it lost a race, or descends from an entry that was skipped.
	NotFromTip,
	/// Its commit is invalid for every member.
	PubliclyInvalid,
}

/// Why a gate stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
	/// The commit of this entry could not be processed, but others may have accepted it: rejoin.
	Desynchronized(EntryHeader),
	/// The member was removed from the group.
	Removed,
}
