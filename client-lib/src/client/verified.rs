//! How far the client has verified the chain, for what is read beside it.

use super::{command::Command, core::Core, Client, GroupError};
use crate::{finality::Trust, mls::Mls};
use lockstep_primitives::{BlockNumber, GenesisHash};
use lockstep_verifier::FinalizedChain;

/// What is verified of a chain.
#[derive(Clone, Debug)]
pub(crate) struct Verified {
	/// Up to the block that was stored last.
	pub chain: Option<FinalizedChain>,
	/// The newest final block, which may be above that.
	pub newest: BlockNumber,
}

impl<M: Mls> Core<M> {
	pub(super) fn verified(&self) -> Result<Verified, GroupError> {
		let trust = Trust::restore(&self.store, *self.engine.genesis(), None);
		let trust = trust.map_err(|error| GroupError::Store(error.to_string()))?;
		Ok(Verified { newest: self.finalized.max(trust.number()), chain: trust.chain().cloned() })
	}
}

impl Client {
	/// The genesis of the chain that the client is of.
	pub(crate) fn genesis(&self) -> GenesisHash {
		self.genesis
	}

	/// How far the client has verified that chain.
	pub(crate) async fn verified(&self) -> Result<Verified, GroupError> {
		self.ask(Command::Verified).await.ok_or(GroupError::Closed)?
	}
}
