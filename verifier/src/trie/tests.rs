//! The reader and the builder of tries, compared with `sp-trie`.

use super::*;
use crate::{crypto::blake2_256, read_proof, testing::State, StateRoot};
use alloc::{collections::BTreeSet, vec::Vec};
use core::cell::RefCell;
use hash_db::{AsHashDB, HashDB, HashDBRef, Prefix, EMPTY_PREFIX};
use proptest::prelude::*;
use sp_core::{Blake2Hasher, H256};
use sp_trie::{
	trie_types::{TrieDBMutBuilderV0, TrieDBMutBuilderV1},
	LayoutV0, LayoutV1, MemoryDB, TrieConfiguration, TrieMut,
};

/// Takes note of what `sp-trie` reads: these are the nodes that a node of the network sends as a read proof.
struct Recording<'a> {
	db: &'a MemoryDB<Blake2Hasher>,
	read: RefCell<BTreeSet<H256>>,
}

impl HashDBRef<Blake2Hasher, Vec<u8>> for Recording<'_> {
	fn get(&self, key: &H256, prefix: Prefix) -> Option<Vec<u8>> {
		let _ = prefix;
		self.read.borrow_mut().insert(*key);
		HashDB::get(self.db, key, EMPTY_PREFIX)
	}

	fn contains(&self, key: &H256, prefix: Prefix) -> bool {
		HashDBRef::get(self, key, prefix).is_some()
	}
}

impl AsHashDB<Blake2Hasher, Vec<u8>> for Recording<'_> {
	fn as_hash_db(&self) -> &dyn HashDB<Blake2Hasher, Vec<u8>> {
		unreachable!("read only")
	}
	fn as_hash_db_mut<'a>(&'a mut self) -> &'a mut (dyn HashDB<Blake2Hasher, Vec<u8>> + 'a) {
		unreachable!("read only")
	}
}

fn empty() -> MemoryDB<Blake2Hasher> {
	MemoryDB::new(&[0])
}

/// The state in a trie of the SDK's.
fn sdk_trie(state: &State, v1: bool) -> (MemoryDB<Blake2Hasher>, H256) {
	let mut db = empty();
	let mut root = H256::default();
	if v1 {
		let mut trie = TrieDBMutBuilderV1::<Blake2Hasher>::new(&mut db, &mut root).build();
		for (key, value) in &state.values {
			trie.insert(key, value).unwrap();
		}
	} else {
		let mut trie = TrieDBMutBuilderV0::<Blake2Hasher>::new(&mut db, &mut root).build();
		for (key, value) in &state.values {
			trie.insert(key, value).unwrap();
		}
	}
	(db, root)
}

/// The value, and the nodes that were read to find it, according to the SDK.
fn sdk_read(db: &MemoryDB<Blake2Hasher>, root: &H256, key: &[u8]) -> (Option<Vec<u8>>, Vec<Vec<u8>>) {
	let recording = Recording { db, read: RefCell::default() };
	let value = sp_trie::read_trie_value::<LayoutV1<Blake2Hasher>, _>(&recording, root, key, None, None).unwrap();
	let nodes = recording.read.into_inner().iter().map(|hash| HashDB::get(db, hash, EMPTY_PREFIX).unwrap()).collect();
	(value, nodes)
}

/// Keys that share prefixes, so that there are branches with values, deep branches and inline nodes.
fn key() -> impl Strategy<Value = Vec<u8>> {
	prop_oneof![
		4 => prop::collection::vec(prop::sample::select(&[0u8, 1, 0x10, 0x11, 0xff][..]), 0..5),
		1 => prop::collection::vec(any::<u8>(), 1..6),
		1 => (0u8..3, 30usize..200).prop_map(|(last, length)| [vec![7; length], vec![last]].concat()),
	]
}

fn state() -> impl Strategy<Value = State> {
	prop::collection::btree_map(key(), prop::collection::vec(any::<u8>(), 0..70), 0..30)
		.prop_map(|values| State { values })
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn roots_and_reads_are_those_of_the_sdk(state in state(), others in prop::collection::vec(key(), 5), v1: bool) {
		let (db, root) = sdk_trie(&state, v1);
		let items: Vec<_> = state.values.iter().collect();
		if v1 {
			prop_assert_eq!(LayoutV1::<Blake2Hasher>::trie_root(items), root);
			prop_assert_eq!(state.root().0, root.0);
		} else {
			prop_assert_eq!(LayoutV0::<Blake2Hasher>::trie_root(items), root);
		}
		let root = StateRoot(root.0);
		for key in state.values.keys().chain(&others) {
			let (value, nodes) = sdk_read(&db, &H256(root.0), key);
			prop_assert_eq!(&value, &state.values.get(key).cloned());
			// what the SDK reads is what we need: no more and no less
			prop_assert_eq!(read_proof::read(&root, &nodes, &[key]), Ok(vec![value]));
			for missing in 0..nodes.len() {
				let mut fewer = nodes.clone();
				fewer.remove(missing);
				prop_assert!(read_proof::read(&root, &fewer, &[key]).is_err());
			}
		}
	}

	#[test]
	fn the_sdk_reads_what_the_builder_proves(state in state(), key in key()) {
		let nodes = state.prove([&key]);
		let mut db = empty();
		for node in &nodes {
			db.insert(EMPTY_PREFIX, node);
		}
		let root = H256(state.root().0);
		let value = sp_trie::read_trie_value::<LayoutV1<Blake2Hasher>, _>(&db, &root, &key, None, None).unwrap();
		prop_assert_eq!(value, state.values.get(&key).cloned());
	}

	/// No bytes make the reader panic, and what it reads from damaged nodes the SDK reads too.
	#[test]
	fn damaged_nodes(state in state(), key in key(), at: prop::sample::Index, bit in 0u8..8) {
		let mut nodes = state.prove([&key]);
		let root = state.root();
		let top = nodes.iter().position(|node| blake2_256(node) == root.0).unwrap();
		let node = &mut nodes[top];
		let at = at.index(node.len());
		node[at] ^= 1 << bit;
		// under the root of the damaged node, so that it is looked at
		let root = StateRoot(blake2_256(node));
		let ours = lookup(&root.0, &key, |hash| nodes.iter().find(|node| blake2_256(node) == *hash).map(Vec::as_slice));
		if let Ok(value) = ours {
			let mut db = empty();
			for node in &nodes {
				db.insert(EMPTY_PREFIX, node);
			}
			let theirs =
				sp_trie::read_trie_value::<LayoutV1<Blake2Hasher>, _>(&db, &H256(root.0), &key, None, None);
			let theirs = theirs.ok().flatten();
			prop_assert_eq!(theirs.as_deref(), value);
		}
	}

	#[test]
	fn any_bytes(node in prop::collection::vec(any::<u8>(), 0..300), key in key()) {
		let root = blake2_256(&node);
		let _ = lookup(&root, &key, |hash| (*hash == root).then_some(&node[..]));
	}
}

#[test]
fn a_node_has_one_form() {
	let root_of = |node: &[u8]| blake2_256(node);
	let read =
		|node: &[u8], key: &[u8]| lookup(&root_of(node), key, |_| Some(node)).map(|value| value.map(<[u8]>::to_vec));
	// a leaf with the key 0x12 and the value 7
	assert_eq!(read(&[0x42, 0x12, 4, 7], &[0x12]), Ok(Some(vec![7])));
	assert_eq!(read(&[0x42, 0x12, 4, 7], &[0x13]), Ok(None));
	assert_eq!(read(&[0x42, 0x12, 4, 7], &[0x12, 0]), Ok(None));
	// something after its end; a padding that is not 0; no child; a kind that is not known; the empty trie and more
	for bad in [&[0x42, 0x12, 4, 7, 0][..], &[0x41, 0x12, 4, 7], &[0x80, 0, 0], &[0x01], &[0x0f], &[0, 0], &[]] {
		assert_eq!(read(bad, &[0x12]), Err(LookupError::Malformed), "{bad:x?}");
	}
	assert_eq!(read(&[0], &[0x12]), Ok(None));
}
