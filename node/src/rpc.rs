//! The RPC methods that the node serves, beside those that every Substrate node has.

mod directory;
mod errors;
mod finality;
mod one_at_a_time;
mod ordering;

use crate::{
	entries::{EntryIndex, Finalized},
	finality::Proofs,
	metrics::Metrics,
	service::FullClient,
};
use directory::{Directory, DirectoryRpcServer};
use finality::{Finality, FinalityApiServer};
use jsonrpsee::RpcModule;
use lockstep_runtime::opaque::Block;
use ordering::{Ordering, OrderingApiServer};
use sc_rpc::statement::{StatementApiServer, StatementStore};
use sc_rpc::SubscriptionTaskExecutor;
use sc_rpc_spec_v2::statement::{StatementSpec, StatementSpecApiServer};
use sc_transaction_pool::TransactionPoolHandle;
use std::sync::Arc;
use tokio::sync::watch;

/// What the methods work on.
pub struct Deps {
	/// The client.
	pub client: Arc<FullClient>,
	/// The transaction pool.
	pub pool: Arc<TransactionPoolHandle<Block, FullClient>>,
	/// The statement store.
	pub statements: Arc<sc_statement_store::Store>,
	/// What shows that blocks are final.
	pub proofs: Proofs,
	/// Up to where entries are available.
	pub finalized: watch::Receiver<Finalized>,
	/// Where refusals are counted.
	pub metrics: Metrics,
	/// Runs subscriptions.
	pub executor: SubscriptionTaskExecutor,
}

/// All methods.
pub fn create(deps: Deps) -> Result<RpcModule<()>, Box<dyn std::error::Error + Send + Sync>> {
	use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
	use substrate_frame_rpc_system::{System, SystemApiServer};

	let Deps { client, pool, statements, proofs, finalized, metrics, executor } = deps;
	let mut module = RpcModule::new(());
	module.merge(System::new(client.clone(), pool.clone()).into_rpc())?;
	module.merge(TransactionPayment::new(client.clone()).into_rpc())?;
	module.merge(StatementStore::new(statements.clone(), executor.clone()).into_rpc())?;
	module.merge(StatementSpec::new(statements, executor.clone()).into_rpc())?;
	let index = EntryIndex::new(client.clone());
	module.merge(Finality::new(proofs.clone()).into_rpc())?;
	let directory = Directory::new(client.clone(), index.clone(), proofs.clone(), finalized.clone());
	module.merge(directory.into_rpc())?;
	module.merge(Ordering::new(client, pool, index, proofs, finalized, metrics, executor).into_rpc())?;
	Ok(module)
}
