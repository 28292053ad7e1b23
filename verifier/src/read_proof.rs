//! Storage read proofs: values of the state under a root, from the trie nodes on the way to them.

#[cfg(test)]
mod tests;

use crate::{
	crypto::blake2_256,
	header::StateRoot,
	trie::{self, LookupError, NodeHash},
};
use alloc::{collections::BTreeMap, vec::Vec};

/// The most nodes that a proof may have.
pub const MAX_PROOF_NODES: usize = 1_024;

/// The most bytes that the nodes of a proof may have together.
pub const MAX_PROOF_BYTES: usize = 1024 * 1024;

/// A storage key, for people to read.
#[derive(Clone, PartialEq, Eq)]
pub struct StorageKey(pub Vec<u8>);

impl core::fmt::Display for StorageKey {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		f.write_str("0x")?;
		self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
	}
}

impl core::fmt::Debug for StorageKey {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		write!(f, "StorageKey({self})")
	}
}

/// Why a proof does not show the values asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadProofError {
	/// More than [`MAX_PROOF_NODES`].
	#[error("the read proof has {0} nodes, more than the 1024 that are looked at: ask another node")]
	TooManyNodes(usize),
	/// More than [`MAX_PROOF_BYTES`].
	#[error("the read proof has {0} bytes, more than the 1048576 that are looked at: ask another node")]
	TooManyBytes(usize),
	/// One node twice.
	#[error("trie node {0} of the read proof is in it twice: ask another node")]
	RepeatedNode(usize),
	/// A node that is on the way to none of the keys.
	#[error("a trie node of the read proof is on the way to none of the keys asked for: ask another node")]
	UnusedNode,
	/// The proof shows neither that the key has a value nor that it has none.
	#[error(
		"the read proof lacks a trie node on the way to key {0}, or is of another state: ask another node, or for a \
		 newer block"
	)]
	Incomplete(StorageKey),
	/// A node that is authenticated but not a node of this kind of trie.
	#[error("a trie node on the way to key {0} is not one that this version knows: update the library")]
	Malformed(StorageKey),
}

/// Reads `keys` from the state under `root`, given all trie nodes on the way to them, in any order, and no others.
///
/// One answer a key, in the order of `keys`: the value, or `None` where the proof shows that there is none.
pub fn read(root: &StateRoot, nodes: &[Vec<u8>], keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, ReadProofError> {
	let mut found = index(nodes)?;
	let mut values = Vec::with_capacity(keys.len());
	for key in keys {
		let value = trie::lookup(&root.0, key, |hash| {
			found.get_mut(hash).map(|node| {
				node.used = true;
				node.bytes
			})
		});
		let value = value.map_err(|error| match error {
			LookupError::Missing => ReadProofError::Incomplete(StorageKey(key.to_vec())),
			LookupError::Malformed => ReadProofError::Malformed(StorageKey(key.to_vec())),
		})?;
		values.push(value.map(<[u8]>::to_vec));
	}
	if found.values().any(|node| !node.used) {
		return Err(ReadProofError::UnusedNode);
	}
	Ok(values)
}

struct ProofNode<'a> {
	bytes: &'a [u8],
	used: bool,
}

fn index(nodes: &[Vec<u8>]) -> Result<BTreeMap<NodeHash, ProofNode<'_>>, ReadProofError> {
	if nodes.len() > MAX_PROOF_NODES {
		return Err(ReadProofError::TooManyNodes(nodes.len()));
	}
	let bytes = nodes.iter().fold(0usize, |sum, node| sum.saturating_add(node.len()));
	if bytes > MAX_PROOF_BYTES {
		return Err(ReadProofError::TooManyBytes(bytes));
	}
	let mut found = BTreeMap::new();
	for (at, node) in nodes.iter().enumerate() {
		if found.insert(blake2_256(node), ProofNode { bytes: node, used: false }).is_some() {
			return Err(ReadProofError::RepeatedNode(at));
		}
	}
	Ok(found)
}
