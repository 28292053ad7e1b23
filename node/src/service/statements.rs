//! The statement store and its gossip: how Welcomes, proposals and application messages travel.

use super::{FullBackend, FullClient};
use lockstep_runtime::opaque::Block;
use sc_keystore::LocalKeystore;
use sc_network::service::traits::NetworkService;
use sc_network_statement::StatementHandlerPrototype;
use sc_network_sync::SyncingService;
use sc_service::{error::Error as ServiceError, Configuration, TaskManager};
use sc_statement_store::{Config, Store};
use std::sync::Arc;

/// What the statement store needs of the node.
pub struct Parts {
	pub client: Arc<FullClient>,
	pub keystore: Arc<LocalKeystore>,
	pub handler: StatementHandlerPrototype,
	pub network: Arc<dyn NetworkService>,
	pub sync: Arc<SyncingService<Block>>,
}

/// Opens the store and starts its gossip. The store admits a statement only if its signer has an allowance in the
/// state of the chain, which the ordering of commits grants.
pub fn start(config: &Configuration, parts: Parts, tasks: &TaskManager) -> Result<Arc<Store>, ServiceError> {
	let options = Config::default();
	let (workers, rate_limit) = (options.network_workers, options.rate_limit);
	let store = Store::new_shared::<Block, FullClient, FullBackend>(
		&config.data_path,
		options,
		parts.client,
		parts.keystore,
		config.prometheus_registry(),
		Box::new(tasks.spawn_handle()),
	)
	.map_err(|error| ServiceError::Other(format!("the statement store cannot be opened: {error}")))?;
	let spawner = tasks.spawn_handle();
	let handler = parts.handler.build(
		parts.network,
		parts.sync,
		store.clone(),
		config.prometheus_registry(),
		move |worker| spawner.spawn("statement-validation", Some("statements"), worker),
		workers,
		rate_limit,
	)?;
	tasks.spawn_handle().spawn("statement-gossip", Some("statements"), handler.run());
	Ok(store)
}
