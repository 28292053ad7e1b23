//! What this client has verified of the chain.

use super::Lie;
use crate::store::{Record, Store, StoreError};
use codec::{Decode, Encode};
use lockstep_primitives::{
	rpc::{GenesisProof, HeadProof, HexBytes, Justified},
	BlockNumber, GenesisHash, GroupId, LogHead,
};
use lockstep_verifier::{prove_groups, Checkpoint, FinalityError, FinalizedChain, GroupError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Blocks after which the position is stored anew. A client that is opened again verifies these once more.
const KEEP_EVERY: BlockNumber = 256;
const ONLY: &[u8] = b"";

/// A position in the finalized chain that was verified, to be stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position(
	/// SCALE, with its version inside.
	HexBytes,
);

impl Position {
	/// As [`Self::into_bytes`] gave them.
	pub(crate) fn of_bytes(bytes: Vec<u8>) -> Self {
		Self(HexBytes(bytes))
	}

	/// In SCALE.
	pub(crate) fn into_bytes(self) -> Vec<u8> {
		self.0 .0
	}

	/// Stores it. If that fails the same blocks are verified once more after a restart.
	pub(crate) fn keep(&self, store: &Store) -> Result<(), StoreError> {
		let overlay = store.overlay();
		overlay.put(ONLY, self)?;
		overlay.commit()
	}
}

impl Record for Position {
	const KIND: &'static str = "verified";
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
	genesis: GenesisHash,
	chain: Option<FinalizedChain>,
	/// The newest block as a node sent it, if it was verified since the client was opened.
	newest: Option<Justified>,
	kept: BlockNumber,
}

/// What a message of a node comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
	/// It cannot be true.
	Lie(Lie),
	/// It may be true, but not together with what was verified before.
	Conflict {
		lie: Lie,
		/// That, if the client has seen its votes since it was opened.
		known: Option<Box<Justified>>,
	},
	/// It is true, and this library cannot go on from there.
	Outdated(String),
}

impl Trust {
	/// Takes up what the store remembers, or the application's checkpoint if that is further; else it starts from the
	/// genesis, as soon as a node has shown what that is.
	///
	/// The checkpoint has to be of this genesis.
	pub fn restore(store: &Store, genesis: GenesisHash, checkpoint: Option<Checkpoint>) -> Result<Self, StoreError> {
		let stored = store.overlay().get::<Position>(ONLY)?;
		let chain = stored.and_then(|stored| FinalizedChain::decode(&mut &stored.0 .0[..]).ok());
		let mut chain = chain.filter(|chain| chain.genesis() == genesis);
		if let Some(checkpoint) = checkpoint {
			if chain.as_ref().is_none_or(|chain| chain.head().number < checkpoint.number) {
				chain = Some(FinalizedChain::from_checkpoint(checkpoint));
			}
		}
		let kept = chain.as_ref().map_or(0, |chain| chain.head().number);
		Ok(Self { genesis, chain, newest: None, kept })
	}

	/// The chain as far as it is verified.
	pub fn chain(&self) -> Option<&FinalizedChain> {
		self.chain.as_ref()
	}

	/// Whether there is anything to go on from.
	pub fn has_begun(&self) -> bool {
		self.chain.is_some()
	}

	/// The newest verified block; 0 before there is any.
	pub fn number(&self) -> BlockNumber {
		self.chain.as_ref().map_or(0, |chain| chain.head().number)
	}

	/// Starts from the genesis, if this is it.
	pub fn begin(&mut self, proof: &GenesisProof) -> Result<(), Problem> {
		let chain = FinalizedChain::from_genesis(self.genesis, &proof.header.0, &bytes(&proof.authorities))
			.map_err(|error| Problem::Lie(Lie::Genesis(error.to_string())))?;
		self.chain = Some(chain);
		Ok(())
	}

	/// Moves to a block, if its votes are good. False if the block lies below the newest one: it may well be final.
	pub fn advance(&mut self, block: &Justified) -> Result<bool, Problem> {
		let Some(chain) = &mut self.chain else { return Ok(false) };
		match chain.advance(&block.header.0, &block.justification.0) {
			Ok(_) => {
				self.newest = Some(block.clone());
				Ok(true)
			}
			Err(FinalityError::Stale { .. }) => Ok(false),
			Err(
				error @ (FinalityError::ForcedChange(_) | FinalityError::DelayedChange { .. } | FinalityError::SetIds),
			) => Err(Problem::Outdated(error.to_string())),
			Err(error @ FinalityError::Conflict { .. }) => Err(Problem::Conflict {
				lie: Lie::Conflict(error.to_string()),
				known: self.newest.clone().map(Box::new),
			}),
			Err(error) => Err(Problem::Lie(Lie::Finality(error.to_string()))),
		}
	}

	/// The heads of logs in the state of the newest block, which is the one that the proof is of.
	pub fn heads(&self, proof: &HeadProof) -> Result<BTreeMap<GroupId, Option<LogHead>>, Problem> {
		// Only a block that was verified has been proven to be the one that the proof is of.
		let Some(chain) = &self.chain else { return Ok(BTreeMap::new()) };
		let proven = prove_groups(chain.head(), &bytes(&proof.state), &proof.groups).map_err(|error| match error {
			GroupError::Layout(error) => Problem::Outdated(error.to_string()),
			error => Problem::Lie(Lie::State(error.to_string())),
		})?;
		let heads = proven.states.into_iter().map(|state| state.map(|state| state.head));
		Ok(proof.groups.iter().copied().zip(heads).collect())
	}

	/// The position, if it is worth storing: when it was last stored long ago, or at once if `now`.
	pub fn take_position(&mut self, now: bool) -> Option<Position> {
		let number = self.number();
		if number == self.kept || !now && number.saturating_sub(self.kept) < KEEP_EVERY {
			return None;
		}
		self.kept = number;
		self.chain.as_ref().map(|chain| Position(HexBytes(chain.encode())))
	}
}

fn bytes(nodes: &[HexBytes]) -> Vec<Vec<u8>> {
	nodes.iter().map(|node| node.0.clone()).collect()
}
