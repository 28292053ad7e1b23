//! The epoch gate: decides, from the log alone, which commit opens a member's next epoch.
//!
//! A pure state machine. [`step`] takes a state and an input and gives the next state and what is to be done; it
//! knows no sockets, clocks, disks or MLS. The driver applies the durable part of all effects of one step together
//! with the new state, in one write, so that the position in the log and the MLS state never part.
//!
//! # The rule
//! The log is read entry by entry. An entry whose parent is the tip (the entry that opened the current epoch) is a
//! candidate; any other entry is passed over, and so are all its descendants. The first candidate, in log order,
//! that is valid becomes the tip:
//! - A *publicly invalid* candidate is invalid for every member: it is skipped, and the next child of the tip is
//!   looked at.
//! - A *privately failing* candidate may be valid for others. The member stops and has to rejoin. It never takes a
//!   sibling: that would be a second history.
//!
//! An answer from a node moves nothing: a refusal delays the next submission, no more.
//!
//! # Contests
//! An entry that nobody can process must not lock the group. While all children of the tip are publicly invalid, a
//! member endorses a rival as soon as the chain admits one ([`admission::next_candidate_at`]): the commit that it
//! already has at hand, or else a self-update, after a random wait of a few blocks, so that not all members commit
//! at once.

mod input;
mod state;
mod timing;

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;

pub use input::{Effect, Input, SkipReason, Stop, Verdict};
pub use state::{Gate, Mode, Pending, Tip};
pub use timing::{CONTEST_SPREAD, RESUBMIT_AFTER};

use crate::{
	log::{EntryHeader, LogCursor},
	mutation::{self, Mutation},
};
#[allow(unused_imports, reason = "named in the documentation")]
use lockstep_primitives::admission;

/// One step: the state after `input`, and what is to be done because of it, in order.
///
/// Total: every input is accepted in every state. What does not fit (an entry that was read before or that leaves
/// a gap, a verdict nobody asked for) changes nothing.
pub fn step(mut gate: Gate, input: Input) -> (Gate, Vec<Effect>) {
	let mut effects = Vec::new();
	match input {
		Input::Random(seed) => gate.random = seed,
		// A stopped gate stays where it is, whatever comes.
		_ if gate.is_stopped() => {}
		Input::Entry(entry) => on_entry(&mut gate, entry, &mut effects),
		Input::Verdict { entry, verdict } => on_verdict(&mut gate, entry, verdict, &mut effects),
		Input::Finalized(block) => on_finalized(&mut gate, block, &mut effects),
		Input::Prepared(pending) => on_prepared(&mut gate, pending, &mut effects),
		Input::Refused if mutation::is(Mutation::DropOnRefusal) => drop_pending(&mut gate, &mut effects),
		Input::Refused => gate.postpone_submission(),
	}
	(gate, effects)
}

fn on_entry(gate: &mut Gate, entry: EntryHeader, effects: &mut Vec<Effect>) {
	if entry.index != gate.cursor.head.length {
		return;
	}
	// The same candidate again, after a restart in the middle of its evaluation.
	if let Mode::Evaluating(candidate) = &gate.mode {
		if *candidate == entry {
			effects.push(Effect::Evaluate(entry));
		}
		return;
	}
	let Some(cursor) = LogCursor::after(&entry) else { return };
	// Each entry of an uncontested log is the child of the one before it. The first that is not shows that some
	// entry has two children.
	let branches = entry.parent != gate.cursor.head.hash;
	if entry.parent != gate.tip.entry {
		gate.read(cursor, branches);
		effects.push(Effect::Skip { entry, reason: SkipReason::NotFromTip });
		return;
	}
	match gate.pending {
		Some(own)
			if (own.is(&entry) && !own.conditional)
				|| (mutation::is(Mutation::OwnWithoutKey) && own.payload_hash == entry.payload_hash) =>
		{
			gate.read(cursor, branches);
			effects.push(Effect::MergeOwn(entry));
			open_epoch(gate, entry, true, false, effects);
		}
		_ => {
			// The cursor stays in front of the candidate until there is a verdict.
			gate.mode = Mode::Evaluating(entry);
			effects.push(Effect::Evaluate(entry));
		}
	}
}

fn on_verdict(gate: &mut Gate, hash: lockstep_primitives::EntryHash, verdict: Verdict, effects: &mut Vec<Effect>) {
	let Mode::Evaluating(entry) = gate.mode else { return };
	if entry.hash != hash {
		return;
	}
	let Some(cursor) = LogCursor::after(&entry) else { return };
	let branches = entry.parent != gate.cursor.head.hash;
	match verdict {
		Verdict::Valid { removes_me } => {
			gate.mode = Mode::Following;
			gate.read(cursor, branches);
			effects.push(Effect::Apply(entry));
			open_epoch(gate, entry, false, removes_me, effects);
		}
		// The same commit, sealed anew by whoever endorsed it.
		Verdict::Own if gate.pending.is_some() => {
			gate.mode = Mode::Following;
			gate.read(cursor, branches);
			effects.push(Effect::MergeOwn(entry));
			open_epoch(gate, entry, true, false, effects);
		}
		Verdict::PubliclyInvalid => {
			gate.mode = Mode::Following;
			gate.read(cursor, branches);
			if gate.pending.is_some_and(|own| own.is(&entry)) {
				drop_pending(gate, effects);
			}
			skip_candidate(gate, entry, SkipReason::PubliclyInvalid, effects);
		}
		Verdict::PrivatelyFailing if passes_over_private(gate) => {
			gate.mode = Mode::Following;
			gate.read(cursor, branches);
			if !mutation::is(Mutation::SiblingAfterPrivate) {
				skip_candidate(gate, entry, SkipReason::PubliclyInvalid, effects);
			}
		}
		Verdict::PrivatelyFailing | Verdict::Own => {
			gate.mode = Mode::Desynchronized(entry);
			drop_pending(gate, effects);
			effects.push(Effect::Stop(Stop::Desynchronized(entry)));
		}
	}
}

/// Deliberate faults only.
fn passes_over_private(gate: &Gate) -> bool {
	mutation::is(Mutation::SkipPrivate)
		|| mutation::is(Mutation::SiblingAfterPrivate)
		|| (mutation::is(Mutation::SkipPrivateFirst) && gate.children == 0)
}

/// The tip moves to `entry`.
fn open_epoch(gate: &mut Gate, entry: EntryHeader, own: bool, removes_me: bool, effects: &mut Vec<Effect>) {
	if own {
		// It was merged: there is nothing left to drop.
		gate.pending = None;
	}
	if !mutation::is(Mutation::KeepPending) {
		drop_pending(gate, effects);
	}
	gate.advance_to(entry);
	effects.push(Effect::Advance { entry, epoch: gate.tip.epoch, own });
	if removes_me && !mutation::is(Mutation::IgnoreRemoval) {
		gate.mode = Mode::Removed;
		effects.push(Effect::Stop(Stop::Removed));
	}
}

fn skip_candidate(gate: &mut Gate, entry: EntryHeader, reason: SkipReason, effects: &mut Vec<Effect>) {
	gate.count_child(entry.block);
	effects.push(Effect::Skip { entry, reason });
}

fn drop_pending(gate: &mut Gate, effects: &mut Vec<Effect>) {
	if gate.pending.take().is_some() {
		effects.push(Effect::DropPending);
	}
}

fn on_finalized(gate: &mut Gate, block: lockstep_primitives::BlockNumber, effects: &mut Vec<Effect>) {
	gate.finalized = gate.finalized.max(block);
	if gate.mode != Mode::Following {
		return;
	}
	if gate.pending.is_some() {
		submit_if_due(gate, effects);
	} else if gate.contest_is_due() && !mutation::is(Mutation::NeverContest) {
		// Due again after a while, in case that the driver cannot build a commit now.
		gate.contest_at = Some(gate.finalized.saturating_add(RESUBMIT_AFTER));
		effects.push(Effect::Contest);
	}
}

fn on_prepared(gate: &mut Gate, pending: Pending, effects: &mut Vec<Effect>) {
	// A commit that was submitted is never replaced while its parent is the tip: it may already be in a block.
	let taken = gate.pending.is_some() && !mutation::is(Mutation::ReplacePending);
	if taken || gate.mode != Mode::Following || pending.parent != gate.tip.entry {
		effects.push(Effect::Reject);
		return;
	}
	gate.pending = Some(Pending { submitted_at: None, ..pending });
	submit_if_due(gate, effects);
}

fn submit_if_due(gate: &mut Gate, effects: &mut Vec<Effect>) {
	if let Some(again) = gate.submission_is_due() {
		gate.postpone_submission();
		effects.push(Effect::Submit { again });
	}
}
