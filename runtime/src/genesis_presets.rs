//! Genesis states that the runtime can build by itself: `development`, one validator, and `local_testnet`, four.

use crate::{
	opaque::SessionKeys, AccountId, BalancesConfig, OperatorsConfig, RuntimeGenesisConfig, SessionConfig, SudoConfig,
	ValidatorsConfig, UNIT,
};
use alloc::{vec, vec::Vec};
use frame_support::build_struct_json_patch;
use serde_json::Value;
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// What each well-known account of a local chain holds.
const ENDOWMENT: u128 = 1_000_000 * UNIT;

/// A validator of a local chain: its account, and the keys that a node started with its name has.
struct Validator {
	account: AccountId,
	keys: SessionKeys,
}

fn validator(sr25519: Sr25519Keyring, ed25519: Ed25519Keyring) -> Validator {
	let keys = SessionKeys { aura: sr25519.public().into(), grandpa: ed25519.public().into() };
	Validator { account: sr25519.to_account_id(), keys }
}

/// Aura and GRANDPA get their first authorities from the session, and the session its validators from `Validators`.
fn genesis(validators: Vec<Validator>) -> Value {
	// One and Two are not among the well-known, but can be made validators like Eve and Ferdie
	let accounts = Sr25519Keyring::well_known()
		.chain([Sr25519Keyring::One, Sr25519Keyring::Two])
		.map(|key| key.to_account_id())
		.chain(
			Ed25519Keyring::well_known()
				.chain([Ed25519Keyring::One, Ed25519Keyring::Two])
				.map(|key| key.to_account_id()),
		)
		.collect::<Vec<AccountId>>();
	let members = validators.iter().map(|validator| validator.account.clone()).collect::<Vec<_>>();
	build_struct_json_patch!(RuntimeGenesisConfig {
		balances: BalancesConfig {
			balances: accounts.into_iter().map(|account| (account, ENDOWMENT)).collect::<Vec<_>>(),
		},
		validators: ValidatorsConfig { validators: members.clone() },
		session: SessionConfig {
			keys: validators
				.into_iter()
				.map(|Validator { account, keys }| (account.clone(), account, keys))
				.collect::<Vec<_>>(),
		},
		operators: OperatorsConfig { members },
		sudo: SudoConfig { key: Some(Sr25519Keyring::Alice.to_account_id()) },
	})
}

/// One validator, Alice, who is the only operator.
pub fn development() -> Value {
	genesis(vec![validator(Sr25519Keyring::Alice, Ed25519Keyring::Alice)])
}

/// Four validators, who are the operators: Alice, Bob, Charlie, Dave.
pub fn local_testnet() -> Value {
	genesis(vec![
		validator(Sr25519Keyring::Alice, Ed25519Keyring::Alice),
		validator(Sr25519Keyring::Bob, Ed25519Keyring::Bob),
		validator(Sr25519Keyring::Charlie, Ed25519Keyring::Charlie),
		validator(Sr25519Keyring::Dave, Ed25519Keyring::Dave),
	])
}

/// The preset with this name, as JSON.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
	let patch = match id.as_ref() {
		DEV_RUNTIME_PRESET => development(),
		LOCAL_TESTNET_RUNTIME_PRESET => local_testnet(),
		_ => return None,
	};
	serde_json::to_vec(&patch).ok()
}

/// The names of all presets.
pub fn preset_names() -> Vec<PresetId> {
	vec![PresetId::from(DEV_RUNTIME_PRESET), PresetId::from(LOCAL_TESTNET_RUNTIME_PRESET)]
}
