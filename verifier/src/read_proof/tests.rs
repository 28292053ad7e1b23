//! Attacks on a read proof; each test is named after one.

use super::*;
use crate::testing::State;
use ReadProofError::*;

fn state() -> State {
	let mut state = State::default();
	for n in 0u32..200 {
		let key = sp_crypto_hashing::blake2_256(&n.to_le_bytes());
		state.set(&key[..4], vec![n as u8; (n % 90) as usize]);
	}
	state
}

fn keys(state: &State) -> (Vec<u8>, Vec<u8>) {
	let mut keys = state.values.iter().filter(|(_, value)| value.len() > 40).map(|(key, _)| key.clone());
	(keys.next().unwrap(), keys.nth(10).unwrap())
}

#[test]
fn values_and_absence_are_proven() {
	let state = state();
	let (one, two) = keys(&state);
	let absent = [&one[..], &[1]].concat();
	let asked = [&one[..], &absent, &two, &one];
	let values = read(&state.root(), &state.prove(asked), &asked).unwrap();
	let (first, second) = (state.values.get(&one).cloned(), state.values.get(&two).cloned());
	assert_eq!(values, [first.clone(), None, second, first]);
	assert_eq!(read(&state.root(), &[], &[]), Ok(vec![]));
	let empty = State::default();
	assert_eq!(read(&empty.root(), &empty.prove([&one]), &[&one]), Ok(vec![None]));
}

#[test]
fn forged_value() {
	let state = state();
	let (one, _) = keys(&state);
	let honest = state.prove([&one]);
	for at in 0..honest.len() {
		for byte in 0..honest[at].len() {
			let mut forged = honest.clone();
			forged[at][byte] ^= 1;
			assert!(read(&state.root(), &forged, &[&one]).is_err(), "node {at}, byte {byte}");
		}
	}
}

#[test]
fn proof_of_another_state() {
	let (state, mut other) = (state(), state());
	let (one, _) = keys(&state);
	other.set(one.clone(), vec![1]);
	let proof = other.prove([&one]);
	assert_eq!(read(&other.root(), &proof, &[&one]), Ok(vec![Some(vec![1])]));
	assert_eq!(read(&state.root(), &proof, &[&one]), Err(Incomplete(StorageKey(one))));
}

#[test]
fn truncated_proof() {
	let state = state();
	let (one, two) = keys(&state);
	let honest = state.prove([&one, &two]);
	for missing in 0..honest.len() {
		let mut fewer = honest.clone();
		fewer.remove(missing);
		assert!(matches!(read(&state.root(), &fewer, &[&one, &two]), Err(Incomplete(_))), "without node {missing}");
	}
	// the error names the key that is not shown
	let proof = state.prove([&one]);
	assert_eq!(read(&state.root(), &proof, &[&one, &two]), Err(Incomplete(StorageKey(two))));
	assert_eq!(read(&state.root(), &[], &[&one]), Err(Incomplete(StorageKey(one))));
}

#[test]
fn proof_of_another_key() {
	let state = state();
	let (one, two) = keys(&state);
	let error = read(&state.root(), &state.prove([&two]), &[&one]).unwrap_err();
	assert_eq!(error, Incomplete(StorageKey(one)));
}

#[test]
fn swapped_proofs() {
	// two proofs, each given for the other's key
	let state = state();
	let (one, two) = keys(&state);
	let (for_one, for_two) = (state.prove([&one]), state.prove([&two]));
	assert!(read(&state.root(), &for_two, &[&one]).is_err());
	assert!(read(&state.root(), &for_one, &[&two]).is_err());
	// the order of nodes means nothing
	let mut nodes = state.prove([&one, &two]);
	nodes.reverse();
	assert!(read(&state.root(), &nodes, &[&one, &two]).is_ok());
}

#[test]
fn unused_nodes() {
	let state = state();
	let (one, two) = keys(&state);
	assert_eq!(read(&state.root(), &state.prove([&one, &two]), &[&one]), Err(UnusedNode));
	let mut junk = state.prove([&one]);
	junk.push(vec![1, 2, 3]);
	assert_eq!(read(&state.root(), &junk, &[&one]), Err(UnusedNode));
}

#[test]
fn repeated_nodes() {
	let state = state();
	let (one, _) = keys(&state);
	let mut nodes = state.prove([&one]);
	nodes.push(nodes[0].clone());
	assert_eq!(read(&state.root(), &nodes, &[&one]), Err(RepeatedNode(nodes.len() - 1)));
}

#[test]
fn huge_proofs() {
	let state = state();
	let (one, _) = keys(&state);
	let many = vec![vec![]; MAX_PROOF_NODES + 1];
	assert_eq!(read(&state.root(), &many, &[&one]), Err(TooManyNodes(MAX_PROOF_NODES + 1)));
	let long = vec![vec![0; MAX_PROOF_BYTES], vec![0]];
	assert_eq!(read(&state.root(), &long, &[&one]), Err(TooManyBytes(MAX_PROOF_BYTES + 1)));
}

#[test]
fn a_node_that_hashes_right_but_is_none() {
	// only whoever made the state can do this: a runtime with another kind of trie
	let node = vec![0x0f, 1, 2];
	let root = StateRoot(blake2_256(&node));
	assert_eq!(read(&root, &[node], &[b"key"]), Err(Malformed(StorageKey(b"key".to_vec()))));
}
