//! Asking nodes for what the state of a final block proves.

use super::{Directory, DirectoryError};
use crate::{
	client::Verified,
	directory::IdentityExportError,
	proof::{advance_to, bytes, ExportError},
	rpc::Node,
};
use lockstep_primitives::{rpc::StateProof, GenesisHash};
use lockstep_verifier::{chain::Head, FinalityError, FinalizedChain};
use std::{
	future::Future,
	sync::{atomic::Ordering, Arc},
};

/// Something that the state of a final block says.
pub(super) trait Wanted: Sync {
	/// What a node sends beside the proof.
	type Sent: Send;
	/// What it is.
	type Is: Send;

	/// Asks a node.
	fn fetch(&self, node: &Node) -> impl Future<Output = Result<(Self::Sent, StateProof), IdentityExportError>> + Send;

	/// Reads it from the trie nodes of the proof, and judges what was sent beside it.
	fn read(
		&self,
		genesis: GenesisHash,
		head: &Head,
		state: &[Vec<u8>],
		sent: Self::Sent,
	) -> Result<Self::Is, IdentityExportError>;
}

impl Directory {
	/// From here on nothing is taken from before the newest block of a client of this chain, nor what contradicts it.
	pub(in crate::directory) async fn not_before(&self, Verified { chain, newest }: Verified) {
		self.not_before.fetch_max(newest, Ordering::Relaxed);
		let Some(chain) = chain else { return };
		let mut kept = self.chain.lock().await;
		if kept.as_ref().is_none_or(|kept| kept.head().number < chain.head().number) {
			*kept = Some(chain);
		}
	}

	/// What is wanted, as of the newest final block that a node shows, and that block. A node that sends what no honest one could
	/// is not asked again; after any other failure the next one is asked, each once.
	pub(super) async fn ask<W: Wanted>(&self, wanted: &W) -> Result<(W::Is, Head), DirectoryError> {
		let mut attempts = self.nodes.count();
		loop {
			let node = self.nodes.current().await?;
			let error = match self.ask_one(&node, wanted).await {
				Ok(read) => return Ok(read),
				Err(error) => error,
			};
			if error.is_lie() {
				self.nodes.ban(&node, &error.to_string()).await;
			} else {
				self.nodes.give_up(&node).await;
			}
			attempts = attempts.saturating_sub(1);
			if attempts == 0 {
				return Err(error.into());
			}
		}
	}

	async fn ask_one<W: Wanted>(&self, node: &Arc<Node>, wanted: &W) -> Result<(W::Is, Head), IdentityExportError> {
		let (sent, proof) = wanted.fetch(node).await?;
		let known = self.chain.lock().await.clone();
		let mut chain = match known {
			Some(chain) => chain,
			None => {
				let genesis = node.finality_genesis().await?;
				let authorities = bytes(genesis.authorities);
				FinalizedChain::from_genesis(self.genesis, &genesis.header.0, &authorities)
					.map_err(ExportError::from)?
			}
		};
		match advance_to(&mut chain, node, &proof.block).await {
			Ok(_) => {}
			Err(ExportError::Finality(FinalityError::Stale { .. })) => return Err(IdentityExportError::Behind),
			Err(error) => return Err(error.into()),
		}
		let head = *chain.head();
		let mut kept = self.chain.lock().await;
		if kept.as_ref().is_none_or(|kept| kept.head().number < head.number) {
			*kept = Some(chain);
		}
		drop(kept);
		if head.number < self.not_before.load(Ordering::Relaxed) {
			return Err(IdentityExportError::Behind);
		}
		Ok((wanted.read(self.genesis, &head, &bytes(proof.state), sent)?, head))
	}
}
