//! Payloads that a node has deleted: another may have them.
//!
//! All else of an entry is served for ever, so that a log can be checked, and joined in, without them. Only a member that
//! is in front of such an entry needs its payload, and asks each node before it does without.

use lockstep_primitives::GroupId;
use std::collections::BTreeMap;

/// Times that each node is asked again while some cannot be reached.
const ROUNDS: usize = 3;

/// Which payloads nodes were found to lack.
#[derive(Debug, Default)]
pub(super) struct Absent(BTreeMap<GroupId, Lacking>);

/// Of one group.
#[derive(Debug, Default)]
struct Lacking {
	/// The highest index that each node lacks. They delete the oldest first.
	nodes: BTreeMap<String, u64>,
	/// Times that another node was asked since the log went on.
	moves: usize,
}

impl Absent {
	/// A node lacks the payloads of these entries. True if another one of `nodes` may have one, and is to be asked.
	pub fn look_elsewhere(&mut self, node: &str, nodes: &[String], bare: &[(GroupId, u64)]) -> bool {
		let mut first = BTreeMap::new();
		for (group, index) in bare {
			let lacking = self.0.entry(*group).or_default();
			let highest = lacking.nodes.entry(node.to_owned()).or_default();
			*highest = (*index).max(*highest);
			first.entry(*group).or_insert(*index);
		}
		let mut elsewhere = false;
		for (group, index) in first {
			let Some(lacking) = self.0.get_mut(&group) else { continue };
			let may_have = |url: &String| lacking.nodes.get(url).is_none_or(|highest| *highest < index);
			if nodes.iter().any(may_have) && lacking.moves < nodes.len().saturating_mul(ROUNDS) {
				lacking.moves = lacking.moves.saturating_add(1);
				elsewhere = true;
			}
		}
		elsewhere
	}

	/// The log of this group has gone on.
	pub fn went_on(&mut self, group: &GroupId) {
		if let Some(lacking) = self.0.get_mut(group) {
			lacking.moves = 0;
		}
	}

	/// Forgets what is not about these groups.
	pub fn retain(&mut self, followed: impl Fn(&GroupId) -> bool) {
		self.0.retain(|group, _| followed(group));
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const GROUP: GroupId = GroupId([1; 32]);

	fn bare(indices: std::ops::Range<u64>) -> Vec<(GroupId, u64)> {
		indices.map(|index| (GROUP, index)).collect()
	}

	fn nodes() -> Vec<String> {
		["one", "two", "three"].map(str::to_owned).to_vec()
	}

	#[test]
	fn each_node_is_asked_once_and_then_it_is_done_without() {
		let mut absent = Absent::default();
		assert!(!absent.look_elsewhere("one", &nodes(), &[]), "nothing is missing");
		assert!(absent.look_elsewhere("one", &nodes(), &bare(4..9)));
		assert!(absent.look_elsewhere("two", &nodes(), &bare(4..9)));
		assert!(!absent.look_elsewhere("three", &nodes(), &bare(4..9)));
		absent.went_on(&GROUP);
		assert!(!absent.look_elsewhere("three", &nodes(), &bare(5..9)), "the others lack these, too");
		assert!(absent.look_elsewhere("three", &nodes(), &bare(9..10)), "of this one they have said nothing");
	}

	#[test]
	fn the_only_node_is_not_left() {
		let alone = ["one".to_owned()];
		assert!(!Absent::default().look_elsewhere("one", &alone, &bare(4..9)));
	}

	#[test]
	fn a_node_that_cannot_be_reached_is_not_waited_for_for_ever() {
		let mut absent = Absent::default();
		let times = (0..100).take_while(|_| absent.look_elsewhere("one", &nodes(), &bare(4..9))).count();
		assert_eq!(times, 9);
		absent.went_on(&GROUP);
		assert!(absent.look_elsewhere("one", &nodes(), &bare(20..21)), "it may be there again");
	}
}
