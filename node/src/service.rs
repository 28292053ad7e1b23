//! Puts the node together.

mod consensus;
mod statements;

use crate::{
	cli::LockstepArgs,
	entries::{self, IndexingBlockImport},
	finality::Proofs,
	metrics::Metrics,
	rpc,
};
use lockstep_runtime::{
	opaque::{Block, Hash},
	RuntimeApi,
};
use sc_client_api::{Backend, HeaderBackend};
use sc_consensus_aura::{slot_duration, ImportQueueParams};
use sc_network::NetworkBackend;
use sc_service::{error::Error as ServiceError, Configuration, PartialComponents, TaskManager, WarpSyncConfig};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_aura::sr25519::{AuthorityId as AuraId, AuthorityPair as AuraPair};
use std::sync::Arc;

/// The client.
pub type FullClient = sc_service::TFullClient<
	Block,
	RuntimeApi,
	sc_executor::WasmExecutor<(sp_io::SubstrateHostFunctions, sp_statement_store::runtime_api::HostFunctions)>,
>;
/// The database behind it.
pub type FullBackend = sc_service::TFullBackend<Block>;
/// The longest chain is the best, among those that contain the last finalized block.
pub type SelectChain = sc_consensus::LongestChain<FullBackend, Block>;
type GrandpaBlockImport = sc_consensus_grandpa::GrandpaBlockImport<FullBackend, Block, FullClient, SelectChain>;
/// How blocks get into the node.
pub type NodeBlockImport = IndexingBlockImport<GrandpaBlockImport, FullClient>;

/// What [`new_partial`] makes beside the usual.
pub struct Extras {
	/// Imports blocks and notes their entries.
	pub block_import: NodeBlockImport,
	/// Joins block import with the GRANDPA voter.
	pub grandpa_link: sc_consensus_grandpa::LinkHalf<Block, FullClient, SelectChain>,
	/// Telemetry, if it is on.
	pub telemetry: Option<Telemetry>,
}

/// The parts of the node that commands other than `run` need too.
pub type Partial = PartialComponents<
	FullClient,
	FullBackend,
	SelectChain,
	sc_consensus::DefaultImportQueue<Block>,
	sc_transaction_pool::TransactionPoolHandle<Block, FullClient>,
	Extras,
>;

/// A block justification at every block: what clients verify finality with.
pub const JUSTIFICATION_PERIOD: u32 = 1;

/// Makes the client, the pool and the import queue, and starts nothing.
pub fn new_partial(config: &Configuration) -> Result<Partial, ServiceError> {
	let telemetry = config
		.telemetry_endpoints
		.clone()
		.filter(|endpoints| !endpoints.is_empty())
		.map(|endpoints| -> Result<_, sc_telemetry::Error> {
			let worker = TelemetryWorker::new(16)?;
			let telemetry = worker.handle().new_telemetry(endpoints);
			Ok((worker, telemetry))
		})
		.transpose()?;
	let executor = sc_service::new_wasm_executor(&config.executor);
	let (client, backend, keystore_container, task_manager) = sc_service::new_full_parts::<Block, RuntimeApi, _>(
		config,
		telemetry.as_ref().map(|(_, telemetry)| telemetry.handle()),
		executor,
		Vec::new(),
	)?;
	let client = Arc::new(client);
	let telemetry = telemetry.map(|(worker, telemetry)| {
		task_manager.spawn_handle().spawn("telemetry", None, worker.run());
		telemetry
	});

	let select_chain = sc_consensus::LongestChain::new(backend.clone());
	let transaction_pool = Arc::from(
		sc_transaction_pool::Builder::new(
			task_manager.spawn_essential_handle(),
			client.clone(),
			config.role.is_authority().into(),
		)
		.with_options(config.transaction_pool.clone())
		.with_prometheus(config.prometheus_registry())
		.build(),
	);

	let (grandpa_block_import, grandpa_link) = sc_consensus_grandpa::block_import(
		client.clone(),
		JUSTIFICATION_PERIOD,
		&client,
		select_chain.clone(),
		telemetry.as_ref().map(|telemetry| telemetry.handle()),
	)?;
	let block_import = IndexingBlockImport::new(grandpa_block_import.clone(), client.clone());

	let slot_duration = slot_duration::<AuraId, _, _>(&*client)?;
	let import_queue = sc_consensus_aura::import_queue::<AuraPair, _, _, _, _, _>(ImportQueueParams {
		block_import: block_import.clone(),
		justification_import: Some(Box::new(grandpa_block_import)),
		client: client.clone(),
		create_inherent_data_providers: move |_, ()| async move { Ok(consensus::inherents(slot_duration)) },
		spawner: &task_manager.spawn_essential_handle(),
		registry: config.prometheus_registry(),
		check_for_equivocation: Default::default(),
		telemetry: telemetry.as_ref().map(|telemetry| telemetry.handle()),
		compatibility_mode: Default::default(),
	})?;

	Ok(PartialComponents {
		client,
		backend,
		task_manager,
		import_queue,
		keystore_container,
		select_chain,
		transaction_pool,
		other: Extras { block_import, grandpa_link, telemetry },
	})
}

/// Starts the node.
pub fn new_full<N: NetworkBackend<Block, Hash>>(
	config: Configuration,
	args: LockstepArgs,
) -> Result<TaskManager, ServiceError> {
	let PartialComponents {
		client,
		backend,
		mut task_manager,
		import_queue,
		keystore_container,
		select_chain,
		transaction_pool,
		other: Extras { block_import, grandpa_link, mut telemetry },
	} = new_partial(&config)?;
	let genesis = client.info().genesis_hash;
	let prometheus_registry = config.prometheus_registry().cloned();

	let mut net_config = sc_network::config::FullNetworkConfiguration::<Block, Hash, N>::new(
		&config.network,
		prometheus_registry.clone(),
	);
	let notification_metrics = N::register_notification_metrics(config.prometheus_registry());
	let grandpa_protocol = sc_consensus_grandpa::protocol_standard_name(&genesis, &config.chain_spec);
	let (grandpa_config, grandpa_notifications) = sc_consensus_grandpa::grandpa_peers_set_config::<_, N>(
		grandpa_protocol.clone(),
		notification_metrics.clone(),
		net_config.peer_store_handle(),
	);
	net_config.add_notification_protocol(grandpa_config);
	let (statement_handler, statement_config) = sc_network_statement::StatementHandlerPrototype::new::<_, Block, N>(
		genesis,
		config.chain_spec.fork_id(),
		notification_metrics.clone(),
		net_config.peer_store_handle(),
	);
	net_config.add_notification_protocol(statement_config);

	let authorities = grandpa_link.shared_authority_set().clone();
	let proofs = Proofs::new(client.clone(), authorities.clone(), &*config.chain_spec)?;
	let warp_sync = Arc::new(sc_consensus_grandpa::warp_proof::NetworkProvider::new(
		backend.clone(),
		authorities,
		Default::default(),
	));
	let (network, system_rpc_tx, tx_handler_controller, sync_service, _bitswap) =
		sc_service::build_network(sc_service::BuildNetworkParams {
			config: &config,
			net_config,
			client: client.clone(),
			transaction_pool: transaction_pool.clone(),
			spawn_handle: task_manager.spawn_handle(),
			spawn_essential_handle: task_manager.spawn_essential_handle(),
			import_queue,
			block_announce_validator_builder: None,
			warp_sync_config: Some(WarpSyncConfig::WithProvider(warp_sync)),
			block_relay: None,
			metrics: notification_metrics,
			gap_sync_body_policy: None,
		})?;

	if config.offchain_worker.enabled {
		let workers = sc_offchain::OffchainWorkers::new(sc_offchain::OffchainWorkerOptions {
			runtime_api_provider: client.clone(),
			is_validator: config.role.is_authority(),
			keystore: Some(keystore_container.keystore()),
			offchain_db: backend.offchain_storage(),
			transaction_pool: Some(OffchainTransactionPoolFactory::new(transaction_pool.clone())),
			network_provider: Arc::new(network.clone()),
			enable_http_requests: false,
			custom_extensions: |_| vec![],
		})?;
		task_manager.spawn_handle().spawn(
			"offchain-workers-runner",
			"offchain-worker",
			workers.run(client.clone(), task_manager.spawn_handle()),
		);
	}

	let statements = statements::start(
		&config,
		statements::Parts {
			client: client.clone(),
			keystore: keystore_container.local_keystore(),
			handler: statement_handler,
			network: network.clone(),
			sync: sync_service.clone(),
		},
		&task_manager,
	)?;

	let metrics = Metrics::register(config.prometheus_registry())?;
	let (follow, finalized) = entries::follow(client.clone(), metrics.clone())?;
	task_manager.spawn_essential_handle().spawn("lockstep-entries", None, follow);

	let consensus = consensus::Consensus {
		role: config.role,
		force_authoring: config.force_authoring,
		grandpa: !config.disable_grandpa,
		gossip_duration: args.gossip_duration(&config.chain_spec.chain_type()),
		name: config.network.node_name.clone(),
		registry: prometheus_registry,
		keystore: keystore_container.keystore(),
		client: client.clone(),
		select_chain,
		pool: transaction_pool.clone(),
		block_import,
		grandpa_link,
		grandpa_protocol,
		grandpa_notifications,
		network: network.clone(),
		sync: sync_service.clone(),
	};

	let rpc_builder = {
		let (client, pool, statements) = (client.clone(), transaction_pool.clone(), statements);
		Box::new(move |executor| {
			let deps = rpc::Deps {
				client: client.clone(),
				pool: pool.clone(),
				statements: statements.clone(),
				proofs: proofs.clone(),
				finalized: finalized.clone(),
				metrics: metrics.clone(),
				executor,
			};
			rpc::create(deps).map_err(Into::into)
		})
	};
	sc_service::spawn_tasks(sc_service::SpawnTasksParams {
		config,
		client,
		backend,
		task_manager: &mut task_manager,
		keystore: keystore_container.keystore(),
		transaction_pool,
		rpc_builder,
		network: Arc::new(network),
		system_rpc_tx,
		tx_handler_controller,
		sync_service,
		telemetry: telemetry.as_mut(),
		tracing_execute_block: None,
	})?;

	consensus.start(&task_manager, telemetry.as_ref())?;
	Ok(task_manager)
}
