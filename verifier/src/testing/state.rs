//! States, as tries with read proofs. Tests compare the roots with those of `sp-trie`.

use crate::{crypto::blake2_256, header::StateRoot, trie};
use alloc::{
	collections::{BTreeMap, BTreeSet},
	vec,
	vec::Vec,
};
use codec::{Compact, Encode};
use core::cell::RefCell;

/// Values longer than this are kept outside their nodes (state version 1).
const LONGEST_INLINE_VALUE: usize = 32;

/// A state: values by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
	/// The values.
	pub values: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl State {
	/// Sets a value.
	pub fn set(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
		self.values.insert(key.into(), value.into());
	}

	/// Removes a value.
	pub fn remove(&mut self, key: &[u8]) {
		self.values.remove(key);
	}

	/// The root of the trie of layout 1.
	pub fn root(&self) -> StateRoot {
		self.build().0
	}

	/// The trie nodes on the way to the keys, whether these have values or not.
	pub fn prove<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) -> Vec<Vec<u8>> {
		let (root, nodes) = self.build();
		let used = RefCell::new(BTreeSet::new());
		for key in keys {
			let found = trie::lookup(&root.0, key.as_ref(), |hash| {
				used.borrow_mut().insert(*hash);
				nodes.get(hash).map(Vec::as_slice)
			});
			assert!(found.is_ok(), "the trie is whole");
		}
		let used = used.into_inner();
		used.iter().map(|hash| nodes[hash].clone()).collect()
	}

	/// The root, and all nodes and long values by hash.
	fn build(&self) -> (StateRoot, BTreeMap<[u8; 32], Vec<u8>>) {
		let mut nodes = BTreeMap::new();
		let items: Vec<_> = self.values.iter().map(|(key, value)| (nibbles(key), value.as_slice())).collect();
		let root = if items.is_empty() { vec![0] } else { node(&items, 0, &mut nodes) };
		let hash = blake2_256(&root);
		nodes.insert(hash, root);
		(StateRoot(hash), nodes)
	}
}

fn nibbles(key: &[u8]) -> Vec<u8> {
	key.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).collect()
}

/// Encodes the node above some items, of whose keys the first `depth` nibbles are used up.
fn node(items: &[(Vec<u8>, &[u8])], depth: usize, nodes: &mut BTreeMap<[u8; 32], Vec<u8>>) -> Vec<u8> {
	let (first, last) = (&items[0].0[depth..], &items[items.len() - 1].0[depth..]);
	let common = first.iter().zip(last).take_while(|(a, b)| a == b).count();
	let partial = &first[..common];
	let at = depth + common;
	let value = (items[0].0.len() == at).then_some(items[0].1);
	let hashed = value.is_some_and(|value| value.len() > LONGEST_INLINE_VALUE);

	let leaf = items.len() == 1;
	let mut bytes = match (leaf, value.is_some(), hashed) {
		(true, _, false) => head(0b0100_0000, 6, partial),
		(true, _, true) => head(0b0010_0000, 5, partial),
		(false, false, _) => head(0b1000_0000, 6, partial),
		(false, true, false) => head(0b1100_0000, 6, partial),
		(false, true, true) => head(0b0001_0000, 4, partial),
	};
	let below = if value.is_some() { &items[1..] } else { items };
	let children: Vec<Vec<_>> =
		(0..16).map(|nibble| below.iter().filter(|item| item.0[at] == nibble).cloned().collect()).collect();
	if !leaf {
		let bit = |(nibble, items): (usize, &Vec<_>)| u16::from(!items.is_empty()) << nibble;
		bytes.extend(children.iter().enumerate().map(bit).sum::<u16>().to_le_bytes());
	}
	if let Some(value) = value {
		if hashed {
			let hash = blake2_256(value);
			nodes.insert(hash, value.to_vec());
			bytes.extend(hash);
		} else {
			bytes.extend(value.encode());
		}
	}
	for items in children.iter().filter(|items| !items.is_empty()) {
		let child = node(items, at + 1, nodes);
		if child.len() < 32 {
			bytes.extend(child.encode());
		} else {
			let hash = blake2_256(&child);
			nodes.insert(hash, child);
			bytes.extend(hash.to_vec().encode());
		}
	}
	bytes
}

/// The kind and length of a node's partial key, and the key itself.
fn head(kind: u8, bits: u32, partial: &[u8]) -> Vec<u8> {
	let full = (1usize << bits) - 1;
	let mut bytes = Vec::new();
	if partial.len() < full {
		bytes.push(kind | partial.len() as u8);
	} else {
		bytes.push(kind | full as u8);
		let mut rest = partial.len() - full;
		while rest >= 255 {
			bytes.push(255);
			rest -= 255;
		}
		bytes.push(rest as u8);
	}
	let (odd, pairs) = partial.split_at(partial.len() % 2);
	bytes.extend(odd);
	bytes.extend(pairs.chunks(2).map(|pair| pair[0] << 4 | pair[1]));
	bytes
}

/// What `System::LastRuntimeUpgrade` holds.
pub(super) fn runtime_value(spec_version: u32, spec_name: &str) -> Vec<u8> {
	(Compact(spec_version), spec_name).encode()
}
