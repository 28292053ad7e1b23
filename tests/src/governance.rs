//! What the root of a local chain can do: change the validators.

use crate::{rpc::NodeRpc, Error, Result};
use blake2::{digest::consts::U32, Blake2b, Digest};
use codec::{Compact, Decode, Encode};
use jsonrpsee::core::ClientError;
use lockstep_primitives::{extrinsic::TRANSACTION_VERSION, rpc::HexBytes};
use serde_json::{json, Value};
use sp_core::{sr25519, Pair};

/// `Sudo::sudo`, of the call that follows.
const SUDO: [u8; 2] = [6, 0];
/// `Validators::set_validators`.
const SET_VALIDATORS: [u8; 2] = [11, 0];

/// A key of the development phrase.
fn pair(name: &str) -> Result<sr25519::Pair> {
	sr25519::Pair::from_string(&format!("//{name}"), None)
		.map_err(|error| Error::Broken(format!("no key for {name}: {error:?}")))
}

/// Has the root, Alice, make these accounts the validators. Returns when the extrinsic is in the pool.
pub async fn set_validators(rpc: &NodeRpc, names: &[&str]) -> Result<()> {
	let root = pair("Alice")?;
	let accounts: Vec<[u8; 32]> = names.iter().map(|name| Ok(pair(name)?.public().0)).collect::<Result<_>>()?;
	let call = (SUDO, SET_VALIDATORS, accounts).encode();
	let extrinsic = signed(rpc, &root, call).await?;
	match rpc.submit(extrinsic).await {
		Err(Error::Rpc(ClientError::Call(error))) => Err(Error::Broken(format!("the chain refuses it: {error}"))),
		other => other.map(drop),
	}
}

/// A signed extrinsic with this call: immortal, without a tip.
async fn signed(rpc: &NodeRpc, signer: &sr25519::Pair, call: Vec<u8>) -> Result<Vec<u8>> {
	let account = signer.public().0;
	let nonce: HexBytes = rpc
		.request("state_call", vec![json!("AccountNonceApi_account_nonce"), json!(HexBytes(account.to_vec()))])
		.await?;
	let nonce = u32::decode(&mut &nonce.0[..])
		.map_err(|error| Error::Answer { method: "state_call", detail: error.to_string() })?;
	let version: Value = rpc.request("state_getRuntimeVersion", Vec::new()).await?;
	let spec_version = version["specVersion"].as_u64().and_then(|version| u32::try_from(version).ok());
	let spec_version =
		spec_version.ok_or(Error::Answer { method: "state_getRuntimeVersion", detail: version.to_string() })?;
	let genesis = rpc.genesis().await?;

	let extension = (0u8, Compact(nonce), 0u8, 0u8).encode();
	let mut payload = [&call[..], &extension].concat();
	payload.extend((spec_version, TRANSACTION_VERSION, genesis, genesis, 0u8).encode());
	if payload.len() > 256 {
		payload = Blake2b::<U32>::digest(&payload).to_vec();
	}
	let signature = signer.sign(&payload).0;
	let body = [&[0x84, 0][..], &account, &[1], &signature, &extension, &call].concat();
	Ok(body.encode())
}
