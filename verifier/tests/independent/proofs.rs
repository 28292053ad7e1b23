//! Read proofs: honest ones, and every way to spoil one.

mod differences;
mod random;

use crate::{named, smoldot_says, Says};
use codec::Encode;
use lockstep_verifier::{
	group::group_keys,
	layout::GRANDPA_AUTHORITIES,
	read_proof,
	testing::{State, World, GROUP},
	Header, StateRoot,
};

type Values = Vec<Option<Vec<u8>>>;

/// What each library reads.
#[derive(Debug, PartialEq, Eq)]
struct Reads {
	ours: Says<Values>,
	smoldot: Says<Values>,
}

impl Reads {
	fn of(root: &StateRoot, nodes: &[Vec<u8>], keys: &[&[u8]]) -> Self {
		Self { ours: named(read_proof::read(root, nodes, keys)), smoldot: smoldot_says::values(&root.0, nodes, keys) }
	}

	fn both(values: Values) -> Self {
		Self { ours: Ok(values.clone()), smoldot: Ok(values) }
	}

	fn refused(ours: &str, smoldot: &str) -> Self {
		Self { ours: Err(ours.to_owned()), smoldot: Err(smoldot.to_owned()) }
	}

	fn are_refused(&self) -> bool {
		self.ours.is_err() && self.smoldot.is_err()
	}
}

/// Two hundred values, inline and not, at hashed keys.
fn state() -> State {
	let mut state = State::default();
	for n in 0u32..200 {
		state.set(&sp_crypto_hashing::blake2_256(&n.to_le_bytes())[..4], vec![n as u8; (n % 90) as usize]);
	}
	state
}

/// Two keys whose values are kept outside their nodes, and one without a value that continues the first.
fn keys(state: &State) -> [Vec<u8>; 3] {
	let long: Vec<_> = state.values.iter().filter(|(_, value)| value.len() > 40).map(|(key, _)| key.clone()).collect();
	[long[0].clone(), long[11].clone(), [&long[0][..], &[1]].concat()]
}

/// A state, its root, three keys, their proof and their values.
struct Scene {
	state: State,
	root: StateRoot,
	keys: [Vec<u8>; 3],
	nodes: Vec<Vec<u8>>,
	values: Values,
}

impl Scene {
	fn new() -> Self {
		let state = state();
		let keys = keys(&state);
		let values = keys.iter().map(|key| state.values.get(key).cloned()).collect();
		Self { root: state.root(), nodes: state.prove(&keys), keys, values, state }
	}

	/// What both read with other nodes.
	fn reads(&self, nodes: &[Vec<u8>]) -> Reads {
		Reads::of(&self.root, nodes, &self.keys.each_ref().map(Vec::as_slice))
	}

	/// Whether all nodes on the way to a key are among these.
	fn are_enough(&self, nodes: &[Vec<u8>], key: &[u8]) -> bool {
		self.state.prove([key]).iter().all(|node| nodes.contains(node))
	}

	/// The same, after something was done to the nodes.
	fn after(&self, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Reads {
		let mut nodes = self.nodes.clone();
		change(&mut nodes);
		assert_ne!(nodes, self.nodes);
		self.reads(&nodes)
	}
}

#[test]
fn both_read_values_and_absence() {
	let scene = Scene::new();
	assert_eq!(scene.values.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false]);
	assert_eq!(scene.reads(&scene.nodes), Reads::both(scene.values.clone()));
	assert_eq!(scene.after(|nodes| nodes.reverse()), Reads::both(scene.values.clone()), "in any order");
	for (key, value) in &scene.state.values {
		let both = Reads::both(vec![Some(value.clone())]);
		assert_eq!(Reads::of(&scene.root, &scene.state.prove([key]), &[key]), both, "{key:x?}");
		// and what is before it, after it and beside it
		for absent in [&key[..3], &[&key[..], &[0]].concat(), &[&key[..3], &[key[3] ^ 1]].concat()] {
			let both = Reads::both(vec![scene.state.values.get(absent).cloned()]);
			assert_eq!(Reads::of(&scene.root, &scene.state.prove([absent]), &[absent]), both, "{absent:x?}");
		}
	}
}

#[test]
fn both_read_the_state_of_a_chain() {
	let (world, file) = World::sample();
	let root = |number| Header::decode(world.header(number)).unwrap().state_root;
	let keys = group_keys(&[GROUP]);
	let keys: Vec<_> = keys.iter().map(Vec::as_slice).collect();
	let values = keys.iter().map(|key| world.state.values.get(*key).cloned()).collect();
	assert_eq!(Reads::of(&root(world.newest()), &file.read_proof, &keys), Reads::both(values));
	let authorities = [&GRANDPA_AUTHORITIES[..]];
	let nodes = world.genesis_state.prove(authorities);
	let set = world.judges(1).authorities().encode();
	assert_eq!(Reads::of(&root(0), &nodes, &authorities), Reads::both(vec![Some(set)]));
	// not in the state of another block
	assert!(Reads::of(&root(1), &nodes, &authorities).are_refused());
	assert!(Reads::of(&root(0), &file.read_proof, &keys).are_refused());
}

#[test]
fn both_read_an_empty_state() {
	let empty = State::default();
	for key in [&b""[..], b"key"] {
		assert_eq!(Reads::of(&empty.root(), &empty.prove([key]), &[key]), Reads::both(vec![None]));
		assert!(Reads::of(&state().root(), &empty.prove([key]), &[key]).are_refused());
		assert_eq!(Reads::of(&empty.root(), &[], &[key]), Reads::refused("Incomplete", "IncompleteProofError"));
	}
}

#[test]
fn both_refuse_an_altered_byte_wherever_it_is() {
	let scene = Scene::new();
	for at in 0..scene.nodes.len() {
		for byte in 0..scene.nodes[at].len() {
			let reads = scene.after(|nodes| nodes[at][byte] ^= 1 << (byte % 8));
			assert!(reads.are_refused(), "node {at}, byte {byte}: {reads:?}");
		}
	}
}

#[test]
fn both_refuse_nodes_that_are_cut_or_missing() {
	let scene = Scene::new();
	for at in 0..scene.nodes.len() {
		for cut in 0..scene.nodes[at].len() {
			let reads = scene.after(|nodes| nodes[at].truncate(cut));
			assert!(reads.are_refused(), "node {at}, cut at {cut}: {reads:?}");
		}
		assert!(scene.after(|nodes| nodes[at].push(0)).are_refused(), "node {at}, longer");
		assert!(scene.after(|nodes| drop(nodes.remove(at))).are_refused(), "without node {at}");
	}
	assert_eq!(scene.reads(&[]), Reads::refused("Incomplete", "IncompleteProofError"));
	// of one key alone, so that no other node is left over: what is missing is not an absence
	for key in scene.state.values.keys() {
		let nodes = scene.state.prove([key]);
		for at in 0..nodes.len() {
			let mut fewer = nodes.clone();
			fewer.remove(at);
			let reads = Reads::of(&scene.root, &fewer, &[key]);
			assert!(reads.are_refused(), "{key:x?}, without node {at}: {reads:?}");
		}
	}
}

#[test]
fn both_refuse_nodes_that_are_swapped() {
	let scene = Scene::new();
	let mut other = scene.state.clone();
	for key in &scene.keys {
		other.set(key.clone(), vec![1; 50]);
	}
	let swapped = other.prove(&scene.keys);
	for at in 0..scene.nodes.len() {
		for node in swapped.iter().filter(|node| !scene.nodes.contains(node)) {
			let reads = scene.after(|nodes| nodes[at] = node.clone());
			assert!(reads.are_refused(), "node {at}: {reads:?}");
		}
	}
	assert_eq!(scene.reads(&swapped), Reads::refused("Incomplete", "IncompleteProofError"), "all of them");
}

#[test]
fn both_refuse_what_does_not_belong() {
	let scene = Scene::new();
	let junk = Reads::refused("UnusedNode", "UnusedProofEntry");
	assert_eq!(scene.after(|nodes| nodes.push(vec![1, 2, 3])), junk);
	assert_eq!(scene.after(|nodes| nodes.push(vec![])), junk);
	for at in 0..scene.nodes.len() {
		let repeated = scene.after(|nodes| nodes.push(nodes[at].clone()));
		assert_eq!(repeated, Reads::refused("RepeatedNode", "DuplicateProofEntry"), "node {at}");
	}
}

#[test]
fn both_refuse_another_root_and_another_key() {
	let scene = Scene::new();
	let keys = scene.keys.each_ref().map(Vec::as_slice);
	let missing = Reads::refused("Incomplete", "IncompleteProofError");
	for byte in 0..32 {
		let mut root = scene.root;
		root.0[byte] ^= 1;
		assert_eq!(Reads::of(&root, &scene.nodes, &keys), missing, "byte {byte} of the root");
	}
	let mut newer = scene.state.clone();
	newer.set(keys[0], vec![1]);
	assert_eq!(Reads::of(&newer.root(), &scene.nodes, &keys), missing);
	let of_one = scene.state.prove([keys[0]]);
	let mut strangers = 0;
	for key in scene.state.values.keys().filter(|key| !scene.are_enough(&of_one, key)) {
		let reads = Reads::of(&scene.root, &of_one, &[key]);
		assert!(reads.are_refused(), "{key:x?}: {reads:?}");
		strangers += 1;
	}
	assert!(strangers > 190, "{strangers}");
}
