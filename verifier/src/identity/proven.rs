//! What the state of a final block says of an identity.

use crate::{
	chain::Head,
	group::GroupError,
	layout::{self, RuntimeVersion},
	read_proof,
};
use alloc::vec::Vec;
use lockstep_primitives::{identity::IdentityState, IdentityId, LogHead};

/// What the state of a final block says of an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenIdentity {
	/// The identity; `None` if it never was or has ended.
	pub state: Option<IdentityState>,
	/// The head of its log, if it has ended.
	pub ended: Option<LogHead>,
	/// The runtime of the block; `None` in block 0.
	pub runtime: Option<RuntimeVersion>,
}

/// The keys that a proof of an identity must cover, in order: its record, what is left of it if it has ended, the layout's
/// version, the runtime's. To be asked of a node with `state_getReadProof`.
pub fn identity_keys(identity: &IdentityId) -> Vec<Vec<u8>> {
	let mut keys = alloc::vec![layout::identity_key(identity), layout::ended_key(identity)];
	keys.extend(layout::DIRECTORY_PINNED.map(|key| key.to_vec()));
	keys
}

/// Reads an identity from the state of a final block; `proof` holds the trie nodes on the way to its [`identity_keys`].
pub fn prove_identity(head: &Head, proof: &[Vec<u8>], identity: &IdentityId) -> Result<ProvenIdentity, GroupError> {
	let root = head.state_root.ok_or(GroupError::NoStateRoot)?;
	let keys = identity_keys(identity);
	let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
	let values = read_proof::read(&root, proof, &keys)?;
	let mut values = values.iter().map(Option::as_deref);
	let (record, ended) = (values.next().flatten(), values.next().flatten());
	// Under another version the other values mean something else.
	layout::check_storage_version(values.next().flatten())?;
	let runtime = layout::runtime_version(values.next().flatten())?;
	let state = record.map(layout::identity_state).transpose()?;
	let ended = ended.map(layout::ended_head).transpose()?;
	Ok(ProvenIdentity { state, ended, runtime })
}
