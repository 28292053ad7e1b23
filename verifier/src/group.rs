//! A group's log head, proven from a final block.

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

/// The keys that a proof of a group must cover, in order: the group, the layout's version, the runtime's. To be asked
/// of a node with `state_getReadProof`.
pub fn group_keys(group: &GroupId) -> [Vec<u8>; 3] {
	[layout::group_key(group), layout::ORDERING_STORAGE_VERSION.to_vec(), layout::LAST_RUNTIME_UPGRADE.to_vec()]
}

/// Reads a group from the state of a final block; `proof` holds the trie nodes on the way to [`group_keys`].
pub fn prove_group(head: &Head, proof: &[Vec<u8>], group: &GroupId) -> Result<ProvenGroup, GroupError> {
	let root = head.state_root.ok_or(GroupError::NoStateRoot)?;
	let keys = group_keys(group);
	let values = read_proof::read(&root, proof, &keys.each_ref().map(Vec::as_slice))?;
	let mut values = values.iter().map(Option::as_deref);
	let mut next = || values.next().flatten();
	let (record, storage_version, runtime) = (next(), next(), next());
	// The version comes first: under another one the other values mean something else.
	layout::check_storage_version(storage_version)?;
	let runtime = layout::runtime_version(runtime)?;
	let state = record.map(layout::group_state).transpose()?;
	Ok(ProvenGroup { state, runtime })
}
