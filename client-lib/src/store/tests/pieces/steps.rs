//! Trees that change step by step: each is what the one before it was, but for this and that.

use super::{any_tree, node, pieces_of, put_of, read_of, remove_of, tree, Node, Outer};
use crate::store::{
	codec::{self, PieceHash},
	key::Key,
	MemoryDisk, Store,
};
use proptest::{collection::vec, prelude::*};
use std::collections::BTreeSet;

/// Nodes in a piece.
const RUN: usize = 16;
/// No tree has more leaves.
const MOST: usize = 120;

/// A change of a list of nodes. Places are taken modulo how many there are.
#[derive(Clone, Debug)]
enum Change {
	Nodes(Vec<(usize, Option<Node>)>),
	Append(Vec<Option<Node>>),
	Truncate(usize),
	/// The nodes of two pieces change places.
	Swap(usize, usize),
	/// The nodes of one are those of the other.
	Copy(usize, usize),
	/// The tree is as it was at some time, or as one of the other group was.
	Back(usize),
	/// The tree is another one altogether.
	Other(Outer),
	/// There is none any more.
	Remove,
}

#[derive(Clone, Debug)]
struct Step {
	group: u8,
	parents: bool,
	change: Change,
	/// Whether the overlay of this step is committed into that of the write.
	kept: bool,
}

/// Of few kinds, so that pieces become equal.
fn few_nodes() -> impl Strategy<Value = Option<Node>> {
	prop::option::weighted(0.7, 0..3_u64).prop_map(|number| number.and_then(node))
}

fn change() -> impl Strategy<Value = Change> {
	let place = || any::<usize>();
	prop_oneof![
		6 => vec((place(), few_nodes()), 1..4).prop_map(Change::Nodes),
		2 => vec(few_nodes(), 1..40).prop_map(Change::Append),
		2 => (0..MOST).prop_map(Change::Truncate),
		2 => (place(), place()).prop_map(|(one, other)| Change::Swap(one, other)),
		2 => (place(), place()).prop_map(|(one, other)| Change::Copy(one, other)),
		3 => place().prop_map(Change::Back),
		1 => any_tree().prop_map(Change::Other),
		1 => Just(Change::Remove),
	]
}

fn step() -> impl Strategy<Value = Step> {
	(0..2_u8, any::<bool>(), change(), prop::bool::weighted(0.8)).prop_map(|(group, parents, change, kept)| Step {
		group,
		parents,
		change,
		kept,
	})
}

impl Step {
	/// What becomes of a tree; none if it is removed.
	fn of(&self, tree: &Outer, earlier: &[Outer]) -> Option<Outer> {
		let mut tree = tree.clone();
		let nodes = if self.parents { &mut tree.tree.parents } else { &mut tree.tree.leaves };
		let runs = nodes.len() / RUN;
		match &self.change {
			Change::Nodes(new) => {
				let length = nodes.len();
				let new = new.iter().filter(|_| length > 0);
				new.for_each(|(place, node)| nodes[place % length].clone_from(node));
			}
			Change::Append(new) => {
				nodes.extend(new.iter().cloned());
				nodes.truncate(MOST);
			}
			Change::Truncate(length) => nodes.truncate(*length),
			Change::Swap(one, other) if runs > 0 => {
				let (one, other) = ((one % runs) * RUN, (other % runs) * RUN);
				(0..RUN).for_each(|place| nodes.swap(one + place, other + place));
			}
			Change::Copy(one, other) if runs > 0 => {
				let (one, other) = ((one % runs) * RUN, (other % runs) * RUN);
				let run = nodes[one..one + RUN].to_vec();
				nodes[other..other + RUN].clone_from_slice(&run);
			}
			Change::Back(at) if !earlier.is_empty() => return Some(earlier[at % earlier.len()].clone()),
			Change::Swap(..) | Change::Copy(..) | Change::Back(_) => {}
			Change::Other(other) => return Some(other.clone()),
			Change::Remove => return None,
		}
		Some(tree)
	}
}

/// The trees of both groups.
type Trees = [Option<Outer>; 2];

/// They are read as they are, and there are their pieces, each once, and no others.
fn check(store: &Store, trees: &Trees) {
	for (group, tree) in (0..).zip(trees) {
		assert_eq!(read_of(&store.overlay(), group), Ok(tree.clone()));
		let mut expected = BTreeSet::new();
		if let Some(tree) = tree {
			let mut take = |_: PieceHash, bytes: &[u8]| {
				expected.insert(bytes.to_vec());
			};
			codec::encode_pieces(&Key::new("whole", &[group]), tree, &mut take).unwrap();
		}
		let stored = pieces_of(store, group);
		let found: BTreeSet<Vec<u8>> = stored.iter().map(|piece| piece.to_vec()).collect();
		assert_eq!(stored.len(), expected.len(), "of group {group}");
		assert!(found == expected, "the pieces of group {group} are others");
	}
}

/// Does the steps of each write in one overlay, which is committed or not.
fn run(writes: &[(Vec<Step>, bool)]) {
	let disk = MemoryDisk::new();
	let open = |disk: &MemoryDisk| Store::in_memory(disk, &crate::store::tests::key()).unwrap();
	let store = open(&disk);
	let (mut trees, mut earlier) = (Trees::default(), Vec::new());
	for (steps, committed) in writes {
		let (overlay, mut now) = (store.overlay(), trees.clone());
		for step in steps {
			let of_group = &mut now[usize::from(step.group)];
			let after = step.of(&of_group.clone().unwrap_or_else(|| tree(40)), &earlier);
			let inner = overlay.nested();
			match &after {
				Some(tree) => put_of(&inner, step.group, tree),
				None => remove_of(&inner, step.group),
			}
			assert_eq!(read_of(&inner, step.group), Ok(after.clone()));
			if step.kept {
				inner.commit().unwrap();
				earlier.extend(after.clone());
				*of_group = after;
			}
			assert_eq!(read_of(&overlay, step.group), Ok(of_group.clone()));
		}
		if *committed {
			overlay.commit().unwrap();
			trees = now;
		} else {
			drop(overlay);
		}
		check(&store, &trees);
		check(&open(&disk.snapshot()), &trees);
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn trees_that_change_step_by_step_have_their_pieces_and_no_others(
		writes in vec((vec(step(), 1..4), prop::bool::weighted(0.8)), 1..8),
	) {
		run(&writes);
	}
}

/// What is most likely to go wrong, in any case and not by chance.
#[test]
fn pieces_that_change_places_become_equal_and_come_back_are_there_as_long_as_they_are_named() {
	let step = |change| Step { group: 0, parents: false, change, kept: true };
	let blank = Change::Nodes((0..RUN).map(|place| (RUN + place, None)).collect());
	let changes = [
		Change::Other(tree(100)),
		Change::Swap(1, 3),
		Change::Copy(1, 2),
		// The piece that two places had is in one still, and then in none.
		blank,
		Change::Copy(1, 2),
		Change::Swap(1, 2),
		Change::Back(0),
		Change::Truncate(50),
		Change::Back(2),
		Change::Remove,
		Change::Back(1),
	];
	let alone: Vec<_> = changes.iter().map(|change| (vec![step(change.clone())], true)).collect();
	run(&alone);
	let together: Vec<_> = changes.iter().cloned().map(step).collect();
	run(&[(together.clone(), true), (together.clone(), false), (together, true)]);
	let other = |step: &Step| Step { group: 1, ..step.clone() };
	let both: Vec<_> = alone.iter().flat_map(|(steps, _)| [steps[0].clone(), other(&steps[0])]).collect();
	run(&both.chunks(3).map(|steps| (steps.to_vec(), true)).collect::<Vec<_>>());
}
