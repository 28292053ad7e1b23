//! Chain specifications that the node knows by name.

use lockstep_runtime::WASM_BINARY;
use sc_service::ChainType;

/// A chain specification.
pub type ChainSpec = sc_service::GenericChainSpec;

fn named(name: &str, id: &str, chain_type: ChainType, preset: &str) -> Result<ChainSpec, String> {
	let code = WASM_BINARY.ok_or("this node was built without a runtime; build it without SKIP_WASM_BUILD")?;
	Ok(ChainSpec::builder(code, None)
		.with_name(name)
		.with_id(id)
		.with_protocol_id("lockstep")
		.with_chain_type(chain_type)
		.with_genesis_config_preset_name(preset)
		.build())
}

/// `dev`: one validator, Alice.
pub fn development() -> Result<ChainSpec, String> {
	named("Lockstep development", "lockstep_dev", ChainType::Development, sp_genesis_builder::DEV_RUNTIME_PRESET)
}

/// `local`: four validators, Alice, Bob, Charlie and Dave.
pub fn local() -> Result<ChainSpec, String> {
	named("Lockstep local", "lockstep_local", ChainType::Local, sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET)
}
