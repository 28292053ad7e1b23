//! The `directory_*` methods: the logs of identities, and KeyPackages. All of them speak of finalized blocks only.

use super::errors::{error, INTERNAL, UNAVAILABLE};
use crate::{
	entries::{EntryIndex, Finalized},
	finality::Proofs,
	service::FullClient,
};
use jsonrpsee::{core::RpcResult, proc_macros::rpc};
use lockstep_primitives::{
	api::DirectoryApi,
	rpc::{ChangedIdentities, FinalizedBlock, IdentityLog, KeyPackagesProof, MAX_CHANGED, MAX_EVENTS},
	BlockHash, BlockNumber, IdentityId, IdentityKey, InitKey, VoucherKey,
};
use lockstep_runtime::opaque::Block;
use lockstep_verifier::{
	identity::identity_keys,
	key_packages::{claim_keys, stock_keys},
};
use sp_api::{ApiExt, ProvideRuntimeApi};
use std::sync::Arc;
use tokio::sync::watch;

/// Methods for whoever wants to know who a person is.
#[rpc(server, namespace = "directory")]
pub trait DirectoryRpc {
	/// The log of an identity from position `from` on, a part of it if it is long, with what shows that it is all of it.
	#[method(name = "log", blocking)]
	fn log(&self, identity: IdentityId, from: u64) -> RpcResult<IdentityLog>;

	/// The identities whose logs have events in finalized blocks above this one.
	#[method(name = "changed", blocking)]
	fn changed(&self, after: BlockNumber) -> RpcResult<ChangedIdentities>;

	/// What shows what a device of a person has published, the person's gate, and in which publication this init key was.
	#[method(name = "stock", blocking)]
	fn stock(
		&self,
		identity: IdentityId,
		device: IdentityKey,
		init_key: Option<InitKey>,
	) -> RpcResult<KeyPackagesProof>;

	/// What shows what was claimed with a voucher.
	#[method(name = "claim", blocking)]
	fn claim(&self, voucher: VoucherKey) -> RpcResult<KeyPackagesProof>;
}

/// Serves the methods.
pub struct Directory {
	client: Arc<FullClient>,
	index: EntryIndex<FullClient>,
	proofs: Proofs,
	finalized: watch::Receiver<Finalized>,
}

impl Directory {
	/// Serves what `index` holds.
	pub fn new(
		client: Arc<FullClient>,
		index: EntryIndex<FullClient>,
		proofs: Proofs,
		finalized: watch::Receiver<Finalized>,
	) -> Self {
		Self { client, index, proofs, finalized }
	}

	fn proof(&self, keys: &[Vec<u8>]) -> RpcResult<KeyPackagesProof> {
		let (number, hash) = *self.finalized.borrow();
		let at = FinalizedBlock { number, hash: BlockHash(hash.0) };
		let proof = self.proofs.state(hash, keys).map_err(|problem| error(INTERNAL, problem))?;
		Ok(KeyPackagesProof { at, proof })
	}
}

impl DirectoryRpcServer for Directory {
	fn changed(&self, after: BlockNumber) -> RpcResult<ChangedIdentities> {
		let (number, hash) = *self.finalized.borrow();
		let at = FinalizedBlock { number, hash: BlockHash(hash.0) };
		let changed = self.index.changed(after, number, MAX_CHANGED).map_err(|problem| error(INTERNAL, problem))?;
		Ok(ChangedIdentities { at, identities: changed.map(|identities| identities.into_iter().collect()) })
	}

	fn stock(
		&self,
		identity: IdentityId,
		device: IdentityKey,
		init_key: Option<InitKey>,
	) -> RpcResult<KeyPackagesProof> {
		self.proof(&stock_keys(&identity, &device, init_key.as_ref()))
	}

	fn claim(&self, voucher: VoucherKey) -> RpcResult<KeyPackagesProof> {
		self.proof(&claim_keys(&voucher))
	}

	fn log(&self, identity: IdentityId, from: u64) -> RpcResult<IdentityLog> {
		let internal = |problem: sp_blockchain::Error| error(INTERNAL, problem);
		let (number, hash) = *self.finalized.borrow();
		let at = FinalizedBlock { number, hash: BlockHash(hash.0) };
		let mut events = Vec::new();
		let mut next = from;
		// One that came after `at` is not in its state.
		while let Some(event) =
			self.index.event(&identity, next).map_err(internal)?.filter(|event| event.block <= number)
		{
			if events.len() == MAX_EVENTS {
				return Ok(IdentityLog { at, events, more: true, proof: None });
			}
			events.push(event);
			next = next.saturating_add(1);
		}
		// A node that started in the middle of the chain (warp sync) lacks older events.
		let api = self.client.runtime_api();
		let problem = |problem: sp_api::ApiError| error(INTERNAL, problem);
		if !api.has_api::<dyn DirectoryApi<Block>>(hash).map_err(problem)? {
			return Err(error(UNAVAILABLE, "the chain's runtime has no identities yet: ask again after its upgrade"));
		}
		let head = api.identity_head(hash, identity).map_err(problem)?;
		if head.is_some_and(|head| head.length > next) {
			let missing =
				format!("event {next} of identity {identity} lies before this node's first block: ask another");
			return Err(error(UNAVAILABLE, missing));
		}
		let proof = self.proofs.state(hash, &identity_keys(&identity)).map_err(internal)?;
		Ok(IdentityLog { at, events, more: false, proof })
	}
}
