//! Where a client starts to follow the chain.

use super::{FinalizedChain, Head};
use crate::{
	authorities::{Authorities, AuthorityError, AuthoritySet},
	header::{Header, HeaderError, StateRoot},
	layout,
	read_proof::{self, ReadProofError},
};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use lockstep_primitives::{BlockHash, BlockNumber, GenesisHash};

/// Something to start from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Anchor {
	/// Block 0, from any node: checked against the genesis hash.
	Genesis {
		/// The SCALE-encoded header of block 0.
		header: Vec<u8>,
		/// The trie nodes that prove `Grandpa::Authorities` in its state.
		proof: Vec<Vec<u8>>,
	},
	/// A block that the application vouches for. Nothing about it is checked but that it is of the right chain.
	Checkpoint(Checkpoint),
}

/// A final block and the set that finalizes the blocks above it, believed because the application says so.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Checkpoint {
	/// The chain.
	pub genesis: GenesisHash,
	/// The block's number.
	pub number: BlockNumber,
	/// The block's hash.
	pub hash: BlockHash,
	/// The root of the state after the block, if reads are wanted before the next final block.
	pub state_root: Option<StateRoot>,
	/// The set that finalizes the blocks above this one; if this block changes the set, the new one.
	pub set: AuthoritySet,
}

/// Why an anchor does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnchorError {
	/// The header of block 0 cannot be read.
	#[error("the genesis header: {0}")]
	Header(#[from] HeaderError),
	/// The chain of another genesis.
	#[error("the genesis is {got}, not {expected}: this is another chain, so ask a node of the right one")]
	OtherChain {
		/// The genesis asked for.
		expected: GenesisHash,
		/// The genesis received.
		got: GenesisHash,
	},
	/// The hash given as that of the genesis is that of another block.
	#[error("the genesis hash given is that of block {0}: give the hash of block 0")]
	NotBlockZero(BlockNumber),
	/// The authorities cannot be read from the state of block 0.
	#[error("the authorities at genesis: {0}")]
	ReadProof(#[from] ReadProofError),
	/// The state of block 0 has no authorities: the chain has no GRANDPA.
	#[error("the genesis names no GRANDPA authorities: this is not a chain that can be followed")]
	NoAuthorities,
	/// The list of authorities breaks a rule.
	#[error("the authorities at genesis: {0}")]
	Authorities(#[from] AuthorityError),
}

impl FinalizedChain {
	/// Starts from an anchor of the chain with this genesis.
	pub fn start(genesis: GenesisHash, anchor: &Anchor) -> Result<Self, AnchorError> {
		match anchor {
			Anchor::Genesis { header, proof } => Self::from_genesis(genesis, header, proof),
			Anchor::Checkpoint(checkpoint) if checkpoint.genesis != genesis => {
				Err(AnchorError::OtherChain { expected: genesis, got: checkpoint.genesis })
			}
			Anchor::Checkpoint(checkpoint) => Ok(Self::from_checkpoint(checkpoint.clone())),
		}
	}

	/// Starts from block 0: its header must have the genesis hash, and its state names the authorities of set 0.
	pub fn from_genesis(genesis: GenesisHash, header: &[u8], proof: &[Vec<u8>]) -> Result<Self, AnchorError> {
		let header = Header::decode(header)?;
		if header.hash.0 != genesis.0 {
			return Err(AnchorError::OtherChain { expected: genesis, got: GenesisHash(header.hash.0) });
		}
		if header.number != 0 {
			return Err(AnchorError::NotBlockZero(header.number));
		}
		let values = read_proof::read(&header.state_root, proof, &[&layout::GRANDPA_AUTHORITIES])?;
		let value = values.into_iter().next().flatten().ok_or(AnchorError::NoAuthorities)?;
		let set = AuthoritySet { id: 0, authorities: Authorities::from_storage(&value)? };
		let head = Head { number: 0, hash: header.hash, state_root: Some(header.state_root), time: header.time() };
		Ok(Self { genesis, set, previous: None, head })
	}

	/// Starts from a block that the application vouches for.
	pub fn from_checkpoint(checkpoint: Checkpoint) -> Self {
		let Checkpoint { genesis, number, hash, state_root, set } = checkpoint;
		Self { genesis, set, previous: None, head: Head { number, hash, state_root, time: None } }
	}
}
