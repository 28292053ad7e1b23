//! What shows others that blocks are final, and what is in their state: the authorities of the genesis, the last
//! block of each authority set, and the justification that every finalized round leaves in the database.

use crate::service::FullClient;
use codec::Encode;
use lockstep_primitives::{
	rpc::{GenesisProof, HeadProof, HexBytes, Justified, Links, Moment, StateProof, MAX_LINKS},
	BlockNumber, GroupId,
};
use lockstep_runtime::opaque::Hash;
use lockstep_verifier::layout;
use sc_client_api::{BlockBackend, HeaderBackend, ProofProvider};
use sc_consensus_grandpa::SharedAuthoritySet;
use sc_service::ChainSpec;
use sp_blockchain::{Error, Result};
use sp_consensus_grandpa::GRANDPA_ENGINE_ID;
use sp_core::storage::StateVersion;
use sp_runtime::traits::BlakeTwo256;
use sp_state_machine::{prove_read, InMemoryBackend};
use sp_trie::StorageProof;
use std::sync::Arc;

/// Blocks after one in which a justification is looked for. Rounds finalize a few blocks at a time.
const MAX_MOMENT: usize = 256;

/// Makes proofs from what the node has.
#[derive(Clone)]
pub struct Proofs {
	client: Arc<FullClient>,
	authorities: SharedAuthoritySet<Hash, BlockNumber>,
	genesis: Arc<Option<GenesisProof>>,
}

impl Proofs {
	/// For the chain of this specification.
	pub fn new(
		client: Arc<FullClient>,
		authorities: SharedAuthoritySet<Hash, BlockNumber>,
		spec: &dyn ChainSpec,
	) -> Result<Self> {
		let genesis = genesis(&client, spec)?;
		if genesis.is_none() {
			log::warn!(
				target: "lockstep",
				"the chain specification does not make this chain's genesis state: clients of this node need a checkpoint"
			);
		}
		Ok(Self { client, authorities, genesis: Arc::new(genesis) })
	}

	/// What the genesis hash commits to; `None` if the specification leaves the genesis state out.
	pub fn genesis(&self) -> Option<&GenesisProof> {
		self.genesis.as_ref().as_ref()
	}

	/// A block with its justification, if there is one: rounds finalize several blocks at once, and leave a
	/// justification for the last of them.
	pub fn justified(&self, block: Hash) -> Result<Option<Justified>> {
		let justification =
			self.client.justifications(block)?.and_then(|all| all.into_justification(GRANDPA_ENGINE_ID));
		let (Some(justification), Some(header)) = (justification, self.client.header(block)?) else {
			return Ok(None);
		};
		Ok(Some(Justified { header: HexBytes(header.encode()), justification: HexBytes(justification) }))
	}

	/// The headers from a finalized block to the next one that has a justification; `None` if there is none yet, or the
	/// block is not final.
	pub fn moment(&self, block: BlockNumber) -> Result<Option<Moment>> {
		let newest = self.client.info().finalized_number;
		let mut headers = Vec::new();
		for number in (block..=newest).take(MAX_MOMENT) {
			let Some(hash) = self.client.hash(number)? else { return Ok(None) };
			if let Some(Justified { header, justification }) = self.justified(hash)? {
				headers.push(header);
				return Ok(Some(Moment { headers, justification }));
			}
			let Some(header) = self.client.header(hash)? else { return Ok(None) };
			headers.push(HexBytes(header.encode()));
		}
		Ok(None)
	}

	/// The way from a block to the newest one, from authority set to authority set.
	pub fn links(&self, after: BlockNumber) -> Result<Links> {
		let changes = self.authorities.authority_set_changes();
		let ends = changes.iter_from(after).ok_or_else(|| {
			Error::Backend(format!("this node does not know the authority sets after block {after}: ask another"))
		})?;
		let mut links = Vec::new();
		for (_, number) in ends {
			if links.len() == MAX_LINKS {
				return Ok(Links { links, more: true });
			}
			let missing = || Error::Backend(format!("this node has no justification of block {number}: ask another"));
			let hash = self.client.hash(*number)?.ok_or_else(missing)?;
			links.push(self.justified(hash)?.ok_or_else(missing)?);
		}
		let info = self.client.info();
		let newest = changes.iter_from(after).and_then(|ends| ends.last()).map_or(after, |(_, number)| *number);
		if info.finalized_number > newest {
			links.extend(self.justified(info.finalized_hash)?);
		}
		Ok(Links { links, more: false })
	}

	/// Proof of a block, and of some of its state. `None` if it has no justification.
	pub fn state(&self, block: Hash, keys: &[Vec<u8>]) -> Result<Option<StateProof>> {
		let Some(justified) = self.justified(block)? else { return Ok(None) };
		let state = self.client.read_proof(block, &mut keys.iter().map(Vec::as_slice))?;
		Ok(Some(StateProof { block: justified, state: nodes(state) }))
	}

	/// Proof of a block, and of the heads of some groups in its state. `None` if it has no justification.
	pub fn head(&self, block: Hash, groups: Vec<GroupId>) -> Result<Option<HeadProof>> {
		let Some(justified) = self.justified(block)? else { return Ok(None) };
		let mut keys: Vec<Vec<u8>> = groups.iter().map(layout::group_key).collect();
		keys.extend(layout::PINNED.map(|key| key.to_vec()));
		let state = self.client.read_proof(block, &mut keys.iter().map(Vec::as_slice))?;
		Ok(Some(HeadProof { block: justified, groups, state: nodes(state) }))
	}
}

fn nodes(proof: StorageProof) -> Vec<HexBytes> {
	proof.into_iter_nodes().map(HexBytes).collect()
}

/// Builds the genesis state once more, in memory, since the database has pruned it.
fn genesis(client: &FullClient, spec: &dyn ChainSpec) -> Result<Option<GenesisProof>> {
	let Some(header) = client.header(client.info().genesis_hash)? else { return Ok(None) };
	let Ok(storage) = spec.as_storage_builder().build_storage() else { return Ok(None) };
	let version = StateVersion::try_from(lockstep_runtime::VERSION.system_version).unwrap_or(StateVersion::V1);
	let state = InMemoryBackend::<BlakeTwo256>::from((storage, version));
	if state.root() != &header.state_root {
		return Ok(None);
	}
	let proof = prove_read(state, [layout::GRANDPA_AUTHORITIES])
		.map_err(|error| Error::Backend(format!("the genesis state cannot be read: {error}")))?;
	Ok(Some(GenesisProof { header: HexBytes(header.encode()), authorities: nodes(proof) }))
}
