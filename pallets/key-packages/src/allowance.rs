//! How often something may be done: a burst, and one more after so many blocks.

use crate::types::Allowance;
use lockstep_primitives::BlockNumber;

impl Allowance {
	/// All of it.
	pub(crate) fn full(burst: u32, now: BlockNumber) -> Self {
		Self { left: burst, at: now }
	}

	/// With what it has gained until `now`. Blocks that make no whole step count later.
	pub(crate) fn refilled(self, burst: u32, every: u32, now: BlockNumber) -> Self {
		let steps = now.saturating_sub(self.at).checked_div(every).unwrap_or_default();
		let left = self.left.saturating_add(steps);
		if left >= burst {
			return Self::full(burst, now);
		}
		Self { left, at: self.at.saturating_add(steps.saturating_mul(every)) }
	}

	/// After so many; `None` if that is too many.
	pub(crate) fn after(self, times: u32) -> Option<Self> {
		Some(Self { left: self.left.checked_sub(times)?, ..self })
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn it_refills_step_by_step_and_no_further() {
		let spent = Allowance::full(5, 100).after(5).unwrap();
		assert_eq!(spent.after(1), None);
		assert_eq!(spent.refilled(5, 10, 109).left, 0);
		let one = spent.refilled(5, 10, 119);
		assert_eq!((one.left, one.at), (1, 110));
		assert_eq!(one.refilled(5, 10, 120).left, 2);
		assert_eq!(one.refilled(5, 10, u32::MAX), Allowance::full(5, u32::MAX));
		assert_eq!(spent.refilled(5, 0, 200).left, 0);
	}
}
