//! Read proofs about which the two libraries differ: each difference, and why.

use super::*;
use crate::sdk;
use lockstep_verifier::read_proof::{MAX_PROOF_BYTES, MAX_PROOF_NODES};
use sp_crypto_hashing::blake2_256;

fn only_smoldot(ours: &str, values: Values) -> Reads {
	Reads { ours: Err(ours.to_owned()), smoldot: Ok(values) }
}

/// smoldot asks that nodes hang together; we ask that each is needed for the keys. Honest nodes send no others, and what
/// is in a proof file must be bound to what it shows.
#[test]
fn nodes_that_no_key_needs_are_refused_by_us_alone() {
	let scene = Scene::new();
	let unused = only_smoldot("UnusedNode", scene.values.clone());
	// of the same state
	let others = scene.state.prove(scene.state.values.keys().take(20));
	let others: Vec<_> = others.into_iter().filter(|node| !scene.nodes.contains(node)).collect();
	assert!(others.len() > 10);
	assert_eq!(scene.after(|nodes| nodes.extend(others)), unused);
	// of another one: its root is in the proof too, and smoldot takes it for a second trie
	let mut small = State::default();
	small.set([1], [2]);
	assert_eq!(scene.after(|nodes| nodes.extend(small.prove([[1]]))), unused);
	assert_eq!(scene.after(|nodes| nodes.extend(State::default().prove([[1]]))), unused);
}

/// What proves one key may happen to show another: a short one that is inside a node on the way, or that there is none.
/// smoldot reads the truth, and so would we; but not all nodes are needed for it, so it is not the proof that was asked
/// for.
#[test]
fn a_proof_of_another_key_that_shows_this_one_too_is_refused_by_us_alone() {
	let scene = Scene::new();
	let [one, _, absent] = &scene.keys;
	let nodes = scene.state.prove([one]);
	let mut shown = 0;
	for key in scene.state.values.keys().filter(|key| *key != one).chain([absent]) {
		if scene.are_enough(&nodes, key) {
			let value = vec![scene.state.values.get(key).cloned()];
			assert_eq!(Reads::of(&scene.root, &nodes, &[key]), only_smoldot("UnusedNode", value.clone()));
			assert_eq!(Reads::of(&scene.root, &scene.state.prove([key]), &[key]), Reads::both(value));
			shown += 1;
		}
	}
	assert!(shown > 1, "{shown}");
	assert!(Reads::of(&scene.root, &scene.state.prove([absent]), &[one]).are_refused());
}

/// smoldot sets no limits of its own; the transport does. This crate has no transport.
#[test]
fn what_is_too_large_is_refused_by_us_alone() {
	let mut state = State::default();
	state.set([1], vec![7; MAX_PROOF_BYTES]);
	let value = vec![state.values.get(&[1][..]).cloned()];
	let reads = Reads::of(&state.root(), &state.prove([[1]]), &[&[1]]);
	assert_eq!(reads, only_smoldot("TooManyBytes", value));
	let mut state = State::default();
	for n in 0..=MAX_PROOF_NODES as u16 {
		state.set(n.to_be_bytes(), [&n.to_be_bytes()[..], &[7; 40]].concat());
	}
	let keys: Vec<_> = state.values.keys().map(Vec::as_slice).collect();
	let values = state.values.values().cloned().map(Some).collect();
	assert_eq!(Reads::of(&state.root(), &state.prove(&keys), &keys), only_smoldot("TooManyNodes", values));
}

/// smoldot checks that a trie has the one form that the SDK gives it. Nodes do not when they read, and neither do we:
/// these nodes are under a state root, so validators made them, and nobody else can. What is read is the same.
#[test]
fn tries_of_another_form_are_refused_by_smoldot_alone() {
	// leaves with the keys 0x01, 0x0102 below a first nibble, and the value 7
	let leaf = |partial: &[u8]| [&[0x40 | (partial.len() * 2 - 1) as u8], partial, &[4, 7][..]].concat();
	let branch = |children: &[(u8, Vec<u8>)]| {
		let bitmap: u16 = children.iter().map(|(nibble, _)| 1 << nibble).sum();
		let children = children.iter().flat_map(|(_, child)| child.encode()).collect();
		[vec![0x80], bitmap.to_le_bytes().to_vec(), children].concat()
	};
	let short = leaf(&[1]);
	let only_child = (branch(&[(0, short.clone())]), vec![], "UnusedProofEntry");
	let by_hash = branch(&[(0, blake2_256(&short).to_vec()), (5, leaf(&[2]))]);
	let short_by_hash = (by_hash, vec![short.clone()], "UnusedProofEntry");
	let damaged_elsewhere = (branch(&[(0, short.clone()), (5, vec![0x41])]), vec![], "UnusedProofEntry");
	for (root_node, others, smoldot) in [only_child, short_by_hash, damaged_elsewhere] {
		let root = StateRoot(blake2_256(&root_node));
		let nodes = [vec![root_node], others].concat();
		let reads = Reads::of(&root, &nodes, &[&[1]]);
		assert_eq!(reads, Reads { ours: Ok(vec![Some(vec![7])]), smoldot: Err(smoldot.to_owned()) }, "{nodes:x?}");
		assert_eq!(sdk::value(&root.0, &nodes, &[1]), Some(vec![7]), "nodes read the same");
	}
	// in the form that the SDK gives it, both read it
	let root_node = branch(&[(0, short), (5, leaf(&[2]))]);
	assert_eq!(Reads::of(&StateRoot(blake2_256(&root_node)), &[root_node], &[&[1]]), Reads::both(vec![Some(vec![7])]));
}
