//! What a block has added to logs.

use codec::{Decode, Encode};
use lockstep_primitives::{
	api::{DirectoryApi, OrderingApi},
	identity::SignedEvent,
	BlockEntry,
};
use lockstep_runtime::opaque::{Block, Hash};
use sp_api::{ApiError, ApiExt, ProvideRuntimeApi};

/// The entries and the events of a block, each in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Noted {
	/// Of groups' logs.
	pub entries: Vec<BlockEntry>,
	/// Of identities' logs.
	pub events: Vec<SignedEvent>,
}

impl Noted {
	/// What the state of a block says.
	pub fn read<C>(client: &C, block: Hash) -> Result<Self, ApiError>
	where
		C: ProvideRuntimeApi<Block>,
		C::Api: OrderingApi<Block> + DirectoryApi<Block>,
	{
		let api = client.runtime_api();
		let entries = api.block_entries(block)?;
		// Runtimes before version 3 have no identities.
		let events = match api.has_api::<dyn DirectoryApi<Block>>(block)? {
			true => api.block_events(block)?,
			false => Vec::new(),
		};
		Ok(Self { entries, events })
	}
}
