//! When to submit, to submit again and to contest, in finalized blocks.

use super::Gate;
use crate::mutation::{self, Mutation};
use lockstep_primitives::{admission, BlockNumber};

/// Finalized blocks after which a submission that is not in the log is made again. Inclusion and finality normally
/// take two.
pub const RESUBMIT_AFTER: BlockNumber = 4;
/// A contest that needs a new commit starts up to this many blocks, exclusive, after the chain would admit it, at
/// random. The first one in wins, and the rest, who see it final two blocks later, stay quiet.
pub const CONTEST_SPREAD: BlockNumber = 6;

impl Gate {
	/// From which block on the chain admits another child of the tip.
	pub(super) fn admitted_from(&self) -> BlockNumber {
		admission::next_candidate_at(self.youngest_child_at, self.children, self.candidate_interval)
	}

	/// Whether a block that is made now can carry another child: the next one can be no lower than this.
	fn is_admitted(&self, from: BlockNumber) -> bool {
		self.finalized.saturating_add(1) >= from
	}

	/// Whether to submit the pending commit now; `Some(true)` if it was submitted before.
	pub(super) fn submission_is_due(&self) -> Option<bool> {
		let pending = self.pending?;
		if !self.is_admitted(self.admitted_from()) {
			return None;
		}
		match pending.submitted_at {
			None => Some(false),
			Some(_) if mutation::is(Mutation::SubmitOnce) => None,
			Some(at) => (self.finalized >= at.saturating_add(RESUBMIT_AFTER)).then_some(true),
		}
	}

	/// The next submission is due in [`RESUBMIT_AFTER`] finalized blocks.
	pub(super) fn postpone_submission(&mut self) {
		let now = self.finalized;
		if let Some(pending) = &mut self.pending {
			pending.submitted_at = Some(now);
		}
	}

	/// Whether to build a commit against children that are all invalid.
	pub(super) fn contest_is_due(&self) -> bool {
		self.contest_at.is_some_and(|at| self.is_admitted(at))
	}

	/// The tip got a child that does not count.
	pub(super) fn count_child(&mut self, block: BlockNumber) {
		self.children = self.children.saturating_add(1);
		self.youngest_child_at = block;
		let wait = self.draw() % u64::from(CONTEST_SPREAD);
		let wait = BlockNumber::try_from(wait).unwrap_or(0);
		self.contest_at = Some(self.admitted_from().saturating_add(wait));
	}

	/// The next random number (SplitMix64): spread is wanted here, not secrecy.
	fn draw(&mut self) -> u64 {
		self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut mixed = self.random;
		mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		mixed ^ (mixed >> 31)
	}
}
