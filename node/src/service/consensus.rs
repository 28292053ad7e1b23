//! Block production (Aura) and finality (GRANDPA).

use super::{FullClient, NodeBlockImport, SelectChain, JUSTIFICATION_PERIOD};
use lockstep_runtime::opaque::Block;
use prometheus_endpoint::Registry;
use sc_consensus_aura::{SlotProportion, StartAuraParams};
use sc_consensus_grandpa::{GrandpaParams, LinkHalf, SharedVoterState};
use sc_network::{service::traits::NetworkService, NotificationService, ProtocolName};
use sc_network_sync::SyncingService;
use sc_service::{config::Role, error::Error as ServiceError, TaskManager};
use sc_telemetry::Telemetry;
use sc_transaction_pool::TransactionPoolHandle;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_aura::{
	inherents::InherentDataProvider as SlotProvider,
	sr25519::{AuthorityId as AuraId, AuthorityPair as AuraPair},
	SlotDuration,
};
use sp_keystore::KeystorePtr;
use sp_timestamp::InherentDataProvider as TimeProvider;
use std::{sync::Arc, time::Duration};

/// The part of a slot that making a block may take: what is left is for the others, who must receive and execute
/// the block before the next slot.
const PROPOSAL_SLOT_PORTION: f32 = 0.5;

/// What a block says of time: its slot, and the clock.
pub fn inherents(slot_duration: SlotDuration) -> (SlotProvider, TimeProvider) {
	let time = TimeProvider::from_system_time();
	(SlotProvider::from_timestamp_and_slot_duration(*time, slot_duration), time)
}

/// What it takes to run consensus.
pub struct Consensus {
	pub role: Role,
	pub force_authoring: bool,
	pub grandpa: bool,
	pub gossip_duration: Duration,
	pub name: String,
	pub registry: Option<Registry>,
	pub keystore: KeystorePtr,
	pub client: Arc<FullClient>,
	pub select_chain: SelectChain,
	pub pool: Arc<TransactionPoolHandle<Block, FullClient>>,
	pub block_import: NodeBlockImport,
	pub grandpa_link: LinkHalf<Block, FullClient, SelectChain>,
	pub grandpa_protocol: ProtocolName,
	pub grandpa_notifications: Box<dyn NotificationService>,
	pub network: Arc<dyn NetworkService>,
	pub sync: Arc<SyncingService<Block>>,
}

impl Consensus {
	/// Starts making blocks, if this node is a validator, and taking part in finality. Both are essential: the node
	/// stops if one of them does.
	pub fn start(self, tasks: &TaskManager, telemetry: Option<&Telemetry>) -> Result<(), ServiceError> {
		if self.role.is_authority() {
			let proposer_factory = sc_basic_authorship::ProposerFactory::new(
				tasks.spawn_handle(),
				self.client.clone(),
				self.pool.clone(),
				self.registry.as_ref(),
				telemetry.map(|telemetry| telemetry.handle()),
			);
			let slot_duration = sc_consensus_aura::slot_duration::<AuraId, _, _>(&*self.client)?;
			let aura = sc_consensus_aura::start_aura::<AuraPair, _, _, _, _, _, _, _, _, _, _>(StartAuraParams {
				slot_duration,
				client: self.client.clone(),
				select_chain: self.select_chain,
				block_import: self.block_import,
				proposer_factory,
				create_inherent_data_providers: move |_, ()| async move { Ok(inherents(slot_duration)) },
				force_authoring: self.force_authoring,
				backoff_authoring_blocks: None::<()>,
				keystore: self.keystore.clone(),
				sync_oracle: self.sync.clone(),
				justification_sync_link: self.sync.clone(),
				block_proposal_slot_portion: SlotProportion::new(PROPOSAL_SLOT_PORTION),
				max_block_proposal_slot_portion: None,
				telemetry: telemetry.map(|telemetry| telemetry.handle()),
				compatibility_mode: Default::default(),
			})?;
			tasks.spawn_essential_handle().spawn_blocking("aura", Some("block-authoring"), aura);
		}
		if !self.grandpa {
			return Ok(());
		}
		let voter = sc_consensus_grandpa::run_grandpa_voter(GrandpaParams {
			config: sc_consensus_grandpa::Config {
				gossip_duration: self.gossip_duration,
				justification_generation_period: JUSTIFICATION_PERIOD,
				observer_enabled: false,
				local_role: self.role,
				name: Some(self.name),
				keystore: self.role.is_authority().then_some(self.keystore),
				telemetry: telemetry.map(|telemetry| telemetry.handle()),
				protocol_name: self.grandpa_protocol,
			},
			link: self.grandpa_link,
			network: self.network,
			sync: self.sync,
			notification_service: self.grandpa_notifications,
			// vote for the best block itself: rules that lag behind it cost two seconds of every commit
			voting_rule: (),
			prometheus_registry: self.registry,
			shared_voter_state: SharedVoterState::empty(),
			telemetry: telemetry.map(|telemetry| telemetry.handle()),
			offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(self.pool),
		})?;
		tasks.spawn_essential_handle().spawn_blocking("grandpa-voter", None, voter);
		Ok(())
	}
}
