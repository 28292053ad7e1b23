//! The `finality_*` methods: what a client needs to believe no node.

use super::errors::{error, INTERNAL, UNAVAILABLE};
use crate::finality::Proofs;
use jsonrpsee::{core::RpcResult, proc_macros::rpc};
use lockstep_primitives::{
	rpc::{GenesisProof, Links, Moment},
	BlockNumber,
};

/// Methods for clients that verify finality themselves.
#[rpc(server, namespace = "finality")]
pub trait FinalityApi {
	/// The header of block 0, and a read proof of the GRANDPA authorities in its state.
	#[method(name = "genesis")]
	fn genesis(&self) -> RpcResult<GenesisProof>;

	/// The last block of each authority set that ends above block `after`, and the newest finalized one.
	#[method(name = "links", blocking)]
	fn links(&self, after: BlockNumber) -> RpcResult<Links>;

	/// What shows when block `block` was made; `null` if it is not final, or the node has no justification of it or of
	/// one soon after it.
	#[method(name = "moment", blocking)]
	fn moment(&self, block: BlockNumber) -> RpcResult<Option<Moment>>;
}

/// Serves the methods.
pub struct Finality {
	proofs: Proofs,
}

impl Finality {
	/// Serves what `proofs` makes.
	pub fn new(proofs: Proofs) -> Self {
		Self { proofs }
	}
}

impl FinalityApiServer for Finality {
	fn genesis(&self) -> RpcResult<GenesisProof> {
		self.proofs.genesis().cloned().ok_or_else(|| {
			error(
				UNAVAILABLE,
				"this node's chain specification lacks the genesis state: ask another node, or start from a checkpoint",
			)
		})
	}

	fn links(&self, after: BlockNumber) -> RpcResult<Links> {
		self.proofs.links(after).map_err(|problem| error(INTERNAL, problem))
	}

	fn moment(&self, block: BlockNumber) -> RpcResult<Option<Moment>> {
		self.proofs.moment(block).map_err(|problem| error(INTERNAL, problem))
	}
}
