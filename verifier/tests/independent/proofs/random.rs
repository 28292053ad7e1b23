//! Read proofs of random states.

use super::*;
use proptest::{prelude::*, sample::Index};

/// Keys that share prefixes, so that there are branches with values, deep branches and inline nodes.
fn key() -> impl Strategy<Value = Vec<u8>> {
	prop_oneof![
		4 => prop::collection::vec(prop::sample::select(&[0u8, 1, 0x10, 0x11, 0xff][..]), 0..5),
		1 => prop::collection::vec(any::<u8>(), 1..6),
		1 => (0u8..3, 30usize..200).prop_map(|(last, length)| [vec![7; length], vec![last]].concat()),
	]
}

fn random_state() -> impl Strategy<Value = State> {
	prop::collection::btree_map(key(), prop::collection::vec(any::<u8>(), 0..70), 0..30)
		.prop_map(|values| State { values })
}

#[derive(Clone, Debug)]
enum Damage {
	Drop(Index),
	Cut(Index, Index),
	Alter(Index, Index, u8),
	/// A node of the second state in the place of one.
	Swap(Index, Index),
	Repeat(Index),
	Junk(Vec<u8>),
	OtherRoot,
}

fn damage() -> impl Strategy<Value = Damage> {
	let index = any::<Index>;
	prop_oneof![
		index().prop_map(Damage::Drop),
		(index(), index()).prop_map(|(node, length)| Damage::Cut(node, length)),
		(index(), index(), 0u8..8).prop_map(|(node, byte, bit)| Damage::Alter(node, byte, bit)),
		(index(), index()).prop_map(|(node, other)| Damage::Swap(node, other)),
		index().prop_map(Damage::Repeat),
		prop::collection::vec(any::<u8>(), 0..60).prop_map(Damage::Junk),
		Just(Damage::OtherRoot),
	]
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn both_read_the_same_from_random_states(state in random_state(), others in prop::collection::vec(key(), 5)) {
		let root = state.root();
		let keys: Vec<_> = state.values.keys().chain(&others).map(Vec::as_slice).collect();
		let value = |key: &[u8]| state.values.get(key).cloned();
		let whole = state.prove(&keys);
		let all = Reads::both(keys.iter().map(|key| value(key)).collect());
		prop_assert_eq!(Reads::of(&root, &whole, &keys), all);
		for key in keys {
			let nodes = state.prove([key]);
			prop_assert_eq!(Reads::of(&root, &nodes, &[key]), Reads::both(vec![value(key)]));
			// with all nodes smoldot reads the same, and we see that most are not needed
			let reads = Reads::of(&root, &whole, &[key]);
			prop_assert_eq!(reads.smoldot, Ok(vec![value(key)]));
			let ours = if nodes.len() == whole.len() { Ok(vec![value(key)]) } else { Err("UnusedNode".to_owned()) };
			prop_assert_eq!(reads.ours, ours);
		}
	}

	#[test]
	fn both_refuse_damaged_proofs_of_random_states(
		state in random_state(),
		second in random_state(),
		keys in prop::collection::vec(key(), 1..4),
		damage in damage(),
	) {
		let honest = state.prove(&keys);
		let (mut root, mut nodes) = (state.root(), honest.clone());
		match &damage {
			Damage::Drop(at) => drop(nodes.remove(at.index(honest.len()))),
			Damage::Cut(at, length) => {
				let node = &mut nodes[at.index(honest.len())];
				node.truncate(length.index(node.len()));
			}
			Damage::Alter(at, byte, bit) => {
				let node = &mut nodes[at.index(honest.len())];
				let byte = byte.index(node.len());
				node[byte] ^= 1 << bit;
			}
			Damage::Swap(at, other) => {
				let others = second.prove(&keys);
				nodes[at.index(honest.len())] = other.get(&others).clone();
			}
			Damage::Repeat(at) => nodes.push(at.get(&honest).clone()),
			Damage::Junk(junk) => nodes.push([&[1], &junk[..]].concat()),
			Damage::OtherRoot => root = second.root(),
		}
		// both states may be empty, or have a node in common
		prop_assume!(root != state.root() || nodes != honest);
		let keys: Vec<_> = keys.iter().map(Vec::as_slice).collect();
		let reads = Reads::of(&root, &nodes, &keys);
		prop_assert!(reads.are_refused(), "{:?}: {:?}", damage, reads);
	}
}
