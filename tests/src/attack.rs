//! What a hostile member has: every ordering key of the epochs it was in, and a pen.

use crate::{rpc::NodeRpc, Error, Member, Result};
use ed25519_dalek::{Signer, SigningKey};
use jsonrpsee::core::ClientError;
use lockstep_primitives::{
	endorsement_payload, extrinsic::Append, payload_hash, Endorsement, EntryHash, GenesisHash, GroupId, OrderingKey,
};

/// An ordering key, and the entry that opened its epoch.
pub struct HeldKey {
	/// The entry.
	pub entry: EntryHash,
	/// The key.
	pub key: SigningKey,
}

/// Every ordering key that this member ever had, oldest first.
pub async fn keys(member: &Member, group: GroupId) -> Result<Vec<HeldKey>> {
	let keys = member.client().hostile_keys(group).await.map_err(Error::client(member.name()))?;
	Ok(keys.into_iter().map(|(entry, seed)| HeldKey { entry, key: SigningKey::from_bytes(&seed) }).collect())
}

/// The ordering key of the epoch this member is in.
pub async fn current_key(member: &Member, group: GroupId) -> Result<HeldKey> {
	keys(member, group).await?.pop().ok_or_else(|| Error::Broken(format!("{} holds no key", member.name())))
}

/// An ordering key that nobody derives from any epoch.
pub fn stray_key(seed: u8) -> OrderingKey {
	OrderingKey(SigningKey::from_bytes(&[seed; 32]).verifying_key().to_bytes())
}

/// An entry under `parent` with these contents, endorsed with this key, rightly or not.
pub fn endorse(
	key: &SigningKey,
	genesis: &GenesisHash,
	group: GroupId,
	parent: EntryHash,
	payload: Vec<u8>,
	next_key: OrderingKey,
) -> Append {
	let signed = endorsement_payload(genesis, &group, &parent, &payload_hash(&payload), &next_key);
	Append { group, parent, payload, next_key, endorsement: Endorsement(key.sign(&signed).to_bytes()) }
}

/// Submits an entry. What the node says, if it does not take it: the name of the chain's refusal, or the words of
/// its pool.
pub async fn submit(rpc: &NodeRpc, append: &Append) -> Result<Option<String>> {
	match rpc.submit(append.to_extrinsic()).await {
		Ok(_) => Ok(None),
		Err(Error::Rpc(ClientError::Call(error))) => {
			let name = error.data().and_then(|data| serde_json::from_str(data.get()).ok());
			Ok(Some(name.unwrap_or_else(|| error.message().to_string())))
		}
		Err(error) => Err(error),
	}
}

/// A self-update of this member in the epoch it is in: good, endorsed, not submitted.
pub async fn commit(member: &Member, group: GroupId) -> Result<Append> {
	member.client().hostile_commit(group).await.map_err(Error::client(member.name()))
}

/// What this member would seal into the payload of an entry, which it made in the epoch it is in.
pub async fn bundle(member: &Member, group: GroupId, append: &Append) -> Result<Vec<u8>> {
	member.client().hostile_open(group, append.payload.clone()).await.map_err(Error::client(member.name()))
}

/// Any bytes, sealed as the payload of a child of the epoch this member is in.
pub async fn seal(member: &Member, group: GroupId, bundle: Vec<u8>) -> Result<Vec<u8>> {
	member.client().hostile_seal(group, bundle).await.map_err(Error::client(member.name()))
}
