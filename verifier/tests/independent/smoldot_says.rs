//! smoldot's verdicts, in the shape in which ours are compared with them.

use crate::{named, Says};
use codec::Encode;
use lockstep_verifier::authorities::AuthoritySet;
use smoldot::{
	finality::verify::{verify_justification, JustificationVerifyConfig},
	header::{self, DigestItemRef, GrandpaConsensusLogRef, GrandpaScheduledChangeRef},
	trie::proof_decode,
};

/// Block numbers have 32 bits.
const NUMBER_BYTES: usize = 4;

/// Those who vote, as smoldot has them: it knows no weights.
pub struct Voters {
	pub set_id: u64,
	pub keys: Vec<[u8; 32]>,
}

impl From<&AuthoritySet> for Voters {
	fn from(set: &AuthoritySet) -> Self {
		Self { set_id: set.id, keys: set.authorities.as_slice().iter().map(|one| one.key).collect() }
	}
}

/// Whether a justification is good.
pub fn justification(bytes: &[u8], voters: &Voters) -> Says<()> {
	named(verify_justification(JustificationVerifyConfig {
		justification: bytes,
		block_number_bytes: NUMBER_BYTES,
		authorities_set_id: voters.set_id,
		authorities_list: voters.keys.iter().map(|key| &key[..]),
		// for its hash tables and its batch of signatures; the verdict is the same with any
		randomness_seed: [7; 32],
	}))
}

/// The values of some keys in the state under a root.
pub fn values(root: &[u8; 32], nodes: &[Vec<u8>], keys: &[&[u8]]) -> Says<Vec<Option<Vec<u8>>>> {
	let proof = named(proof_decode::decode_and_verify_proof(proof_decode::Config { proof: nodes.encode() }))?;
	let value = |key: &&[u8]| named(proof.storage_value(root, key)).map(|found| found.map(|(value, _)| value.to_vec()));
	keys.iter().map(value).collect()
}

/// A change of the authorities, as a header announces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
	pub next: Vec<([u8; 32], u64)>,
	pub delay: u64,
	/// The best finalized block, of a change that is forced.
	pub forced: Option<u64>,
}

impl Change {
	fn new(change: GrandpaScheduledChangeRef, forced: Option<u64>) -> Self {
		let next = change.next_authorities.map(|one| (*one.public_key, one.weight.get())).collect();
		Self { next, delay: change.delay, forced }
	}
}

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
	pub hash: [u8; 32],
	pub parent: [u8; 32],
	pub number: u64,
	pub state_root: [u8; 32],
	pub extrinsics_root: [u8; 32],
	pub slot: Option<u64>,
	pub change: Option<Change>,
	pub runtime_updated: bool,
}

/// Reads a header.
pub fn header(bytes: &[u8]) -> Says<Seen> {
	let header = named(header::decode(bytes, NUMBER_BYTES))?;
	// smoldot hashes what it encodes again, and can hash bytes as they came
	assert_eq!(header.hash(NUMBER_BYTES), header::hash_from_scale_encoded_header(bytes));
	let changes: Vec<_> = header
		.digest
		.logs()
		.filter_map(|item| match item {
			DigestItemRef::GrandpaConsensus(GrandpaConsensusLogRef::ScheduledChange(change)) => {
				Some(Change::new(change, None))
			}
			DigestItemRef::GrandpaConsensus(GrandpaConsensusLogRef::ForcedChange { reset_block_height, change }) => {
				Some(Change::new(change, Some(reset_block_height)))
			}
			_ => None,
		})
		.collect();
	// its documentation of both: a forced change takes precedence, and of each kind the first
	let change = changes.iter().find(|change| change.forced.is_some()).or(changes.first()).cloned();
	Ok(Seen {
		hash: header.hash(NUMBER_BYTES),
		parent: *header.parent_hash,
		number: header.number,
		state_root: *header.state_root,
		extrinsics_root: *header.extrinsics_root,
		slot: header.digest.aura_pre_runtime().map(|aura| aura.slot_number),
		change,
		runtime_updated: header.digest.has_runtime_environment_updated(),
	})
}
