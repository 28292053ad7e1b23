//! Notes what each block adds to logs when the block is imported, while its state is certain to be there.

use super::{noted::Noted, EntryIndex};
use lockstep_primitives::{
	api::{DirectoryApi, OrderingApi},
	BlockNumber,
};
use lockstep_runtime::opaque::{Block, Hash};
use sc_client_api::AuxStore;
use sc_consensus::{BlockCheckParams, BlockImport, BlockImportParams, ImportResult};
use sp_api::ProvideRuntimeApi;
use sp_consensus::Error;
use sp_runtime::traits::Header;
use std::sync::Arc;

/// A block import that keeps the entry index. A block whose entries cannot be noted is not imported: a node that
/// lost entries could not serve them.
pub struct IndexingBlockImport<I, C> {
	inner: I,
	client: Arc<C>,
	index: EntryIndex<C>,
}

impl<I: Clone, C> Clone for IndexingBlockImport<I, C> {
	fn clone(&self) -> Self {
		Self { inner: self.inner.clone(), client: self.client.clone(), index: self.index.clone() }
	}
}

impl<I, C: AuxStore> IndexingBlockImport<I, C> {
	/// Keeps `client`'s index up to date with what goes through `inner`.
	pub fn new(inner: I, client: Arc<C>) -> Self {
		Self { inner, index: EntryIndex::new(client.clone()), client }
	}
}

impl<I, C> IndexingBlockImport<I, C>
where
	C: AuxStore + ProvideRuntimeApi<Block>,
	C::Api: OrderingApi<Block> + DirectoryApi<Block>,
{
	fn note(&self, number: BlockNumber, block: Hash) -> Result<(), Error> {
		// a block that arrived with its justification may be final, and indexed, already
		if matches!(self.index.cursor(), Ok(Some((indexed, _))) if indexed >= number) {
			return Ok(());
		}
		let noted = Noted::read(&*self.client, block)
			.map_err(|error| Error::ClientImport(format!("could not read the entries of block {block:?}: {error}")))?;
		self.index
			.note_imported(&block, &noted)
			.map_err(|error| Error::ClientImport(format!("could not note the entries of block {block:?}: {error}")))
	}
}

#[async_trait::async_trait]
impl<I, C> BlockImport<Block> for IndexingBlockImport<I, C>
where
	I: BlockImport<Block, Error = Error> + Send + Sync,
	C: AuxStore + ProvideRuntimeApi<Block> + Send + Sync,
	C::Api: OrderingApi<Block> + DirectoryApi<Block>,
{
	type Error = Error;

	async fn check_block(&self, block: BlockCheckParams<Block>) -> Result<ImportResult, Error> {
		self.inner.check_block(block).await
	}

	async fn import_block(&self, block: BlockImportParams<Block>) -> Result<ImportResult, Error> {
		let (number, hash) = (*block.header.number(), block.post_hash());
		// blocks that come with their state, or without one, are not executed: there is nothing to ask
		let executed = !block.with_state() && !block.state_action.skip_execution_checks();
		let result = self.inner.import_block(block).await?;
		if let (ImportResult::Imported(_), true) = (&result, executed) {
			self.note(number, hash)?;
		}
		Ok(result)
	}
}
