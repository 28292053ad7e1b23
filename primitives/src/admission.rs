//! When an entry may get one more child. The chain applies this rule; members use it to know when a contest is due.

use crate::BlockNumber;

/// The first block that may carry a further child of an entry which has `children` of them, the youngest in block
/// `last_child_at`: `interval` blocks after it, doubled for each child after the first.
///
/// Any block will do for the first child. Saturates at the last block number, which is "never".
pub fn next_candidate_at(last_child_at: BlockNumber, children: u32, interval: BlockNumber) -> BlockNumber {
	let Some(doublings) = children.checked_sub(1) else {
		return 0;
	};
	let factor = 1u32.checked_shl(doublings).unwrap_or(BlockNumber::MAX);
	last_child_at.saturating_add(interval.saturating_mul(factor))
}

/// The first block in which an entry is closed: `window` blocks after the block of its first child.
pub fn closes_at(first_child_at: BlockNumber, window: BlockNumber) -> BlockNumber {
	first_child_at.saturating_add(window)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_leaf_takes_a_child_at_once() {
		assert_eq!(next_candidate_at(100, 0, 20), 0);
	}

	#[test]
	fn each_further_child_waits_twice_as_long() {
		assert_eq!(next_candidate_at(100, 1, 20), 120);
		assert_eq!(next_candidate_at(100, 2, 20), 140);
		assert_eq!(next_candidate_at(100, 3, 20), 180);
	}

	#[test]
	fn many_children_saturate() {
		assert_eq!(next_candidate_at(100, 33, 20), BlockNumber::MAX);
		assert_eq!(next_candidate_at(100, u32::MAX, 1), BlockNumber::MAX);
		assert_eq!(closes_at(u32::MAX, 5), u32::MAX);
	}
}
