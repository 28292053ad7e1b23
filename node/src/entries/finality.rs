//! Makes the entries of a block available once the block is finalized, and tells subscribers.

use super::{noted::Noted, EntryIndex};
use crate::metrics::Metrics;
use futures::StreamExt;
use lockstep_primitives::{
	api::{DirectoryApi, OrderingApi},
	BlockNumber,
};
use lockstep_runtime::opaque::{Block, Hash};
use sc_client_api::{AuxStore, BlockchainEvents, HeaderBackend};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::Result;
use std::sync::Arc;
use tokio::sync::watch;

const LOG_TARGET: &str = "lockstep";

/// The last finalized block whose entries are available.
pub type Finalized = (BlockNumber, Hash);

struct Follower<C> {
	client: Arc<C>,
	index: EntryIndex<C>,
	metrics: Metrics,
	tell: watch::Sender<Finalized>,
}

impl<C> Follower<C>
where
	C: AuxStore + HeaderBackend<Block> + ProvideRuntimeApi<Block>,
	C::Api: OrderingApi<Block> + DirectoryApi<Block>,
{
	/// What a block added to logs: as noted at its import, or, if the node died between the two, from its state. `None` if it
	/// is not known: blocks that a warp sync skipped have no state here.
	fn noted(&self, block: Hash) -> Result<Option<Noted>> {
		if let Some(noted) = self.index.imported(&block)? {
			return Ok(Some(noted));
		}
		match Noted::read(&*self.client, block) {
			Ok(noted) => Ok(Some(noted)),
			Err(error) => {
				log::debug!(target: LOG_TARGET, "no entries of block {block:?} are known: {error}");
				Ok(None)
			}
		}
	}

	/// Takes over every block from the cursor up to the finalized one, and tells of that one: it is the one that
	/// has a justification.
	fn catch_up(&self) -> Result<()> {
		let info = self.client.info();
		let finalized = info.finalized_number;
		let next = self.index.cursor()?.map_or(0, |(number, _)| number.saturating_add(1));
		let mut skipped = None;
		for number in next..=finalized {
			let Some(hash) = self.client.hash(number)? else {
				skipped = Some(number);
				continue;
			};
			let noted = self.noted(hash)?;
			if noted.is_none() {
				skipped = Some(number);
			}
			let noted = noted.unwrap_or_default();
			self.index.note_finalized((number, hash), &noted, skipped.take())?;
			self.metrics.appended(noted.entries.len());
			self.metrics.recorded(noted.events.len());
		}
		self.tell.send_replace((finalized, info.finalized_hash));
		if let Ok(count) = self.client.runtime_api().group_count(info.finalized_hash) {
			self.metrics.groups(count);
		}
		if let Ok(count) = self.client.runtime_api().identity_count(info.finalized_hash) {
			self.metrics.identities(count);
		}
		Ok(())
	}
}

/// A task that follows finality until the node stops, and the place where it tells of its progress.
pub fn follow<C>(
	client: Arc<C>,
	metrics: Metrics,
) -> Result<(impl std::future::Future<Output = ()> + Send, watch::Receiver<Finalized>)>
where
	C: AuxStore + HeaderBackend<Block> + ProvideRuntimeApi<Block> + BlockchainEvents<Block> + 'static,
	C: Send + Sync,
	C::Api: OrderingApi<Block> + DirectoryApi<Block>,
{
	let index = EntryIndex::new(client.clone());
	let start = index.cursor()?.unwrap_or((0, client.info().genesis_hash));
	let (tell, told) = watch::channel(start);
	let mut notifications = client.finality_notification_stream();
	let follower = Follower { client, index, metrics, tell };
	let task = async move {
		loop {
			if let Err(error) = follower.catch_up() {
				// an essential task: the node stops rather than serve a log with holes
				log::error!(target: LOG_TARGET, "the entry index cannot be kept: {error}");
				return;
			}
			let Some(notification) = notifications.next().await else { return };
			let stale = notification.stale_blocks.iter().map(|block| block.hash);
			if let Err(error) = follower.index.note_stale(stale) {
				log::warn!(target: LOG_TARGET, "could not forget stale blocks: {error}");
			}
		}
	};
	Ok((task, told))
}
