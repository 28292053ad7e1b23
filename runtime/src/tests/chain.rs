//! A chain without a node: blocks are made by `Executive` from the genesis of a preset, with extrinsics as they come
//! from outside.

use crate::{
	genesis_presets::get_preset, opaque::SessionKeys, AccountId, BlockNumber, Executive, Hash, Header, Runtime,
	RuntimeCall, RuntimeEvent, RuntimeGenesisConfig, System, UncheckedExtrinsic, SLOT_MILLIS, VERSION,
};
use codec::{Compact, Decode, Encode};
use frame_support::storage::with_transaction_unchecked;
use serde_json::Value;
use sp_consensus_aura::{sr25519::AuthorityId as AuraId, Slot, AURA_ENGINE_ID};
use sp_consensus_grandpa::{AuthorityList, ConsensusLog, GRANDPA_ENGINE_ID};
use sp_core::{ed25519, sr25519, Pair};
use sp_genesis_builder::PresetId;
use sp_io::hashing::blake2_256;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::{
	traits::{BlakeTwo256, Hash as _, Header as _},
	ApplyExtrinsicResult, BuildStorage, Digest, DigestItem, DispatchError, TransactionOutcome,
};

/// A name of a local chain.
pub type Name = Sr25519Keyring;

/// A state, and the block that it is the state of.
pub struct Chain {
	ext: sp_io::TestExternalities,
	genesis: Hash,
	best: Header,
	slot: u64,
}

/// A block that was made.
pub struct Made {
	pub header: Header,
	/// What became of the extrinsics that it was asked to include.
	pub results: Vec<ApplyExtrinsicResult>,
}

impl Chain {
	pub fn new(preset: &str) -> Self {
		let patch = get_preset(&PresetId::from(preset)).expect("there is such a preset");
		let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).expect("it is JSON");
		merge(&mut config, serde_json::from_slice(&patch).expect("it is JSON"));
		let config: RuntimeGenesisConfig = serde_json::from_value(config).expect("it is a genesis");
		let ext = sp_io::TestExternalities::from(config.build_storage().expect("it can be built"));
		let best = Header::new(0, Hash::default(), Hash::default(), Hash::default(), Digest::default());
		Self { ext, genesis: best.hash(), best, slot: 1_000 }
	}

	pub fn development() -> Self {
		Self::new(sp_genesis_builder::DEV_RUNTIME_PRESET)
	}

	pub fn local() -> Self {
		Self::new(sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET)
	}

	/// Reads the state.
	pub fn read<R>(&mut self, read: impl FnOnce() -> R) -> R {
		self.ext.execute_with(read)
	}

	/// The chain's genesis.
	pub fn genesis(&self) -> Hash {
		self.genesis
	}

	pub fn number(&self) -> BlockNumber {
		self.best.number
	}

	/// Makes a block with these calls, whatever becomes of them.
	pub fn attempt(&mut self, calls: &[(Name, RuntimeCall)]) -> Made {
		let genesis = self.genesis;
		self.make(calls.iter(), |(name, call)| {
			signed(*name, System::account_nonce(name.to_account_id()), genesis, &call.encode())
		})
	}

	/// Makes a block with extrinsics as they come from outside, whatever becomes of them.
	pub fn include(&mut self, extrinsics: &[Vec<u8>]) -> Made {
		self.make(extrinsics.iter(), Vec::clone)
	}

	/// Makes a block with an extrinsic of each of these, which sees what those before it did.
	fn make<T>(&mut self, from: impl Iterator<Item = T>, extrinsic: impl Fn(T) -> Vec<u8>) -> Made {
		self.slot += 1;
		let slot = DigestItem::PreRuntime(AURA_ENGINE_ID, Slot::from(self.slot).encode());
		let digest = Digest { logs: vec![slot] };
		let header = Header::new(self.best.number + 1, Hash::default(), Hash::default(), self.best.hash(), digest);
		let time = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: self.slot * SLOT_MILLIS });
		let made = self.ext.execute_with(|| {
			Executive::initialize_block(&header);
			Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(time)).expect("valid").expect("dispatched");
			let results = from
				.map(|each| apply(UncheckedExtrinsic::decode(&mut &extrinsic(each)[..]).expect("decodes")))
				.collect();
			Made { header: Executive::finalize_block(), results }
		});
		self.best = made.header.clone();
		made
	}

	/// Makes a block in which all of these calls succeed.
	pub fn block(&mut self, calls: &[(Name, RuntimeCall)]) -> Header {
		let made = self.attempt(calls);
		for (result, call) in made.results.iter().zip(calls) {
			assert_eq!(*result, Ok(Ok(())), "{call:?}");
		}
		made.header
	}

	/// Makes empty blocks.
	pub fn blocks(&mut self, count: usize) -> Vec<Header> {
		(0..count).map(|_| self.block(&[])).collect()
	}

	/// Goes on as if all blocks below `next` had been made, empty.
	pub fn skip_to(&mut self, next: BlockNumber) {
		assert!(next > self.best.number, "blocks do not run backwards");
		self.best.number = next - 1;
		self.ext.execute_with(|| System::set_block_number(next - 1));
	}

	/// What the motion that the last block closed has led to: `None` if it was not carried.
	pub fn motion(&mut self) -> Option<Result<(), DispatchError>> {
		self.read(|| {
			System::events().into_iter().find_map(|record| match record.event {
				RuntimeEvent::Operators(pallet_collective::Event::Executed { result, .. }) => Some(result),
				_ => None,
			})
		})
	}
}

/// Includes an extrinsic, and leaves no trace of one that is refused, as the block builder does.
fn apply(extrinsic: UncheckedExtrinsic) -> ApplyExtrinsicResult {
	with_transaction_unchecked(|| match Executive::apply_extrinsic(extrinsic) {
		Ok(outcome) => TransactionOutcome::Commit(Ok(outcome)),
		Err(refusal) => TransactionOutcome::Rollback(Err(refusal)),
	})
}

fn merge(base: &mut Value, patch: Value) {
	match (base, patch) {
		(Value::Object(base), Value::Object(patch)) => {
			for (key, value) in patch {
				merge(base.entry(key).or_insert(Value::Null), value);
			}
		}
		(base, patch) => *base = patch,
	}
}

/// An extrinsic of format 4, encoded by hand as a program that does not link the runtime has to.
fn signed(name: Name, nonce: u32, genesis: Hash, call: &[u8]) -> Vec<u8> {
	// immortal; nonce; no tip; no metadata hash
	let extension = (0u8, Compact(nonce), Compact(0u128), 0u8).encode();
	let implicit = (VERSION.spec_version, VERSION.transaction_version, genesis, genesis, 0u8).encode();
	let payload = [call, &extension, &implicit].concat();
	let signature = if payload.len() > 256 { name.sign(&blake2_256(&payload)) } else { name.sign(&payload) };
	let mut bytes = vec![0x84, 0x00];
	bytes.extend(name.to_account_id().encode());
	bytes.push(0x01);
	bytes.extend(signature.0);
	bytes.extend(extension);
	bytes.extend(call);
	bytes.encode()
}

/// The key with which a node of this name votes.
pub fn grandpa(name: Name) -> Ed25519Keyring {
	<&str>::from(name).parse().expect("both keyrings have the same names")
}

/// The session keys that a node of this name has.
pub fn session_keys(name: Name) -> SessionKeys {
	SessionKeys { aura: name.public().into(), grandpa: grandpa(name).public().into() }
}

/// Registers the keys that a node of this name has.
pub fn register(name: Name) -> (Name, RuntimeCall) {
	replace_keys(name, &name.pair(), &grandpa(name).pair())
}

/// Registers these keys.
pub fn replace_keys(name: Name, aura: &sr25519::Pair, grandpa: &ed25519::Pair) -> (Name, RuntimeCall) {
	let keys = SessionKeys { aura: aura.public().into(), grandpa: grandpa.public().into() };
	let statement = [&b"POP_"[..], name.to_account_id().as_ref()].concat();
	let proof = (aura.sign(&statement), grandpa.sign(&statement)).encode();
	(name, RuntimeCall::Session(pallet_session::Call::set_keys { keys, proof }))
}

/// Sets the validators; has to come from `SetOrigin`.
pub fn set_validators(names: &[Name]) -> RuntimeCall {
	let validators = accounts(names);
	RuntimeCall::Validators(pallet_validators::Call::set_validators { validators })
}

/// The call, by way of sudo.
pub fn sudo(call: RuntimeCall) -> (Name, RuntimeCall) {
	(Name::Alice, RuntimeCall::Sudo(pallet_sudo::Call::sudo { call: Box::new(call) }))
}

/// A motion of the operators, by its steps.
pub struct Motion {
	call: RuntimeCall,
	index: u32,
}

impl Motion {
	/// The next motion of this chain.
	pub fn next(chain: &mut Chain, call: RuntimeCall) -> Self {
		let index =
			chain.read(pallet_collective::ProposalCount::<Runtime, crate::governance::OperatorsCollective>::get);
		Self { call, index }
	}

	fn hash(&self) -> Hash {
		BlakeTwo256::hash_of(&self.call)
	}

	fn length(&self) -> u32 {
		self.call.encoded_size() as u32
	}

	pub fn propose(&self, by: Name, threshold: u32) -> (Name, RuntimeCall) {
		let proposal = Box::new(self.call.clone());
		let call = pallet_collective::Call::propose { threshold, proposal, length_bound: self.length() };
		(by, RuntimeCall::Operators(call))
	}

	pub fn vote(&self, by: Name, approve: bool) -> (Name, RuntimeCall) {
		let call = pallet_collective::Call::vote { proposal: self.hash(), index: self.index, approve };
		(by, RuntimeCall::Operators(call))
	}

	pub fn close(&self, by: Name) -> (Name, RuntimeCall) {
		let call = pallet_collective::Call::close {
			proposal_hash: self.hash(),
			index: self.index,
			proposal_weight_bound: crate::governance::MaxMotionWeight::get(),
			length_bound: self.length(),
		};
		(by, RuntimeCall::Operators(call))
	}
}

/// The members of the collective.
pub fn operators() -> Vec<AccountId> {
	pallet_collective::Members::<Runtime, crate::governance::OperatorsCollective>::get()
}

pub fn accounts(names: &[Name]) -> Vec<AccountId> {
	names.iter().map(|name| name.to_account_id()).collect()
}

/// The keys of these validators, as GRANDPA lists them.
pub fn voters(names: &[Name]) -> AuthorityList {
	names.iter().map(|name| (grandpa(*name).public().into(), 1)).collect()
}

/// The keys of these validators, as Aura lists them.
pub fn authors(names: &[Name]) -> Vec<AuraId> {
	names.iter().map(|name| name.public().into()).collect()
}

/// The voters that a header announces. Fails if it says anything else to GRANDPA than one scheduled change without
/// delay: clients refuse all else.
pub fn announced_voters(header: &Header) -> Option<AuthorityList> {
	let mut logs = header.digest.logs.iter().filter_map(|log| match log {
		DigestItem::Consensus(id, bytes) if *id == GRANDPA_ENGINE_ID => {
			Some(ConsensusLog::<BlockNumber>::decode(&mut &bytes[..]).expect("GRANDPA can read it"))
		}
		_ => None,
	});
	let log = logs.next()?;
	assert!(logs.next().is_none(), "more than one thing is said to GRANDPA in block {}", header.number);
	let ConsensusLog::ScheduledChange(change) = log else { panic!("not a scheduled change: {log:?}") };
	assert_eq!(change.delay, 0, "a change with a delay in block {}", header.number);
	Some(change.next_authorities)
}

/// The authors that a header announces.
pub fn announced_authors(header: &Header) -> Option<Vec<AuraId>> {
	header.digest.logs.iter().find_map(|log| match log {
		DigestItem::Consensus(id, bytes) if *id == AURA_ENGINE_ID => {
			let log = sp_consensus_aura::ConsensusLog::<AuraId>::decode(&mut &bytes[..]).expect("Aura can read it");
			let sp_consensus_aura::ConsensusLog::AuthoritiesChange(authors) = log else {
				panic!("not a change of authors")
			};
			Some(authors)
		}
		_ => None,
	})
}
