//! What the state of a final block says of groups: their log heads.

use crate::{
	chain::Head,
	layout::{self, LayoutError, RuntimeVersion},
	read_proof::{self, ReadProofError},
};
use alloc::vec::Vec;
use lockstep_primitives::{GroupId, GroupState};

/// What the state of a final block says of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenGroup {
	/// The group; `None` if it never was or is closed.
	pub state: Option<GroupState>,
	/// The runtime of the block; `None` in block 0.
	pub runtime: Option<RuntimeVersion>,
}

/// Why a proof does not show a group.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
	/// The position is a checkpoint whose state root was not given.
	#[error("the state root of the checkpoint is not known: advance to a final block first")]
	NoStateRoot,
	/// The read proof is not one of these keys.
	#[error(transparent)]
	ReadProof(#[from] ReadProofError),
	/// The values are not understood.
	#[error(transparent)]
	Layout(#[from] LayoutError),
}

/// What the state of a final block says of several groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenGroups {
	/// The groups, in the order asked for; `None` for one that never was or is closed.
	pub states: Vec<Option<GroupState>>,
	/// The runtime of the block; `None` in block 0.
	pub runtime: Option<RuntimeVersion>,
}

/// The keys that a proof of groups must cover, in order: the groups, the layout's version, the runtime's. To be asked
/// of a node with `state_getReadProof`.
pub fn group_keys(groups: &[GroupId]) -> Vec<Vec<u8>> {
	groups.iter().map(layout::group_key).chain(layout::PINNED.map(|key| key.to_vec())).collect()
}

/// Reads groups from the state of a final block; `proof` holds the trie nodes on the way to [`group_keys`].
pub fn prove_groups(head: &Head, proof: &[Vec<u8>], groups: &[GroupId]) -> Result<ProvenGroups, GroupError> {
	let root = head.state_root.ok_or(GroupError::NoStateRoot)?;
	let keys = group_keys(groups);
	let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
	let values = read_proof::read(&root, proof, &keys)?;
	let (records, pinned) = values.split_at_checked(groups.len()).unwrap_or_default();
	let mut pinned = pinned.iter().map(Option::as_deref);
	// The version comes first: under another one the other values mean something else.
	layout::check_storage_version(pinned.next().flatten())?;
	let runtime = layout::runtime_version(pinned.next().flatten())?;
	let state = |record: &Option<Vec<u8>>| record.as_deref().map(layout::group_state).transpose();
	let states = records.iter().map(state).collect::<Result<_, _>>()?;
	Ok(ProvenGroups { states, runtime })
}

/// Reads one group from the state of a final block; `proof` holds the trie nodes on the way to its [`group_keys`].
pub fn prove_group(head: &Head, proof: &[Vec<u8>], group: &GroupId) -> Result<ProvenGroup, GroupError> {
	let ProvenGroups { states, runtime } = prove_groups(head, proof, core::slice::from_ref(group))?;
	Ok(ProvenGroup { state: states.into_iter().next().flatten(), runtime })
}
