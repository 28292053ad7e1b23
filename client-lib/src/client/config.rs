//! What a client is opened with.

use super::Upkeep;
use crate::StoreKey;
use ed25519_dalek::{Signer, SigningKey};
use lockstep_primitives::GenesisHash;
use lockstep_verifier::Checkpoint;
use std::path::PathBuf;

/// Who a client is, where it keeps its state, and which nodes it talks to.
#[derive(Clone)]
pub struct Config {
	/// Folder of the client's store; made if it does not exist. One client at a time.
	pub path: PathBuf,
	/// What the store is encrypted with. A new store takes it; later it must be the same, until it is changed with
	/// [`change_store_key`](crate::change_store_key).
	pub key: StoreKey,
	/// WebSocket URLs of nodes (`ws://host:port`). One is followed at a time, and compared with another now and then; the
	/// next is followed when that one is silent, behind, or lies. One that is honest and reachable is enough.
	pub nodes: Vec<String>,
	/// The identity that the other members see: a basic credential (RFC 9420 section 5.3), 1 to 256 bytes. It must
	/// not change during the life of a store.
	pub identity: Vec<u8>,
	/// Seed of the Ed25519 key that signs this member's leaves and messages.
	pub signer: [u8; 32],
	/// The account that pays for groups this client creates; not needed otherwise.
	pub sponsor: Option<Sponsor>,
	/// Genesis of the chain that the nodes must be of: all that has to be trusted. Without it the first node decides,
	/// once, and the store remembers; give it wherever a node may be hostile.
	pub genesis: Option<GenesisHash>,
	/// A final block that the application vouches for, to start from instead of the genesis: needed when the chain
	/// changed its validators by force, and saves a new client the way from the genesis. It names the chain, as
	/// `genesis` does.
	pub checkpoint: Option<Checkpoint>,
	/// What the client does of its own accord; the default suits most.
	pub upkeep: Upkeep,
}

impl std::fmt::Debug for Config {
	/// Without the store's key and the signer's seed.
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("Config")
			.field("path", &self.path)
			.field("key", &self.key)
			.field("nodes", &self.nodes)
			.field("identity", &self.identity)
			.field("sponsor", &self.sponsor)
			.field("genesis", &self.genesis)
			.field("checkpoint", &self.checkpoint)
			.field("upkeep", &self.upkeep)
			.finish_non_exhaustive()
	}
}

/// An account with a balance: deposits for groups are held from it.
#[derive(Clone)]
pub struct Sponsor(SigningKey);

impl Sponsor {
	/// The account whose Ed25519 key has this seed.
	pub fn from_seed(seed: [u8; 32]) -> Self {
		Self(SigningKey::from_bytes(&seed))
	}

	/// The well-known development account Alice, which is rich on `dev` and `local` chains and known to everybody.
	pub fn alice() -> Self {
		Self::from_seed([
			0xab, 0xf8, 0xe5, 0xbd, 0xbe, 0x30, 0xc6, 0x56, 0x56, 0xc0, 0xa3, 0xcb, 0xd1, 0x81, 0xff, 0x8a, 0x56, 0x29,
			0x4a, 0x69, 0xdf, 0xed, 0xd2, 0x79, 0x82, 0xaa, 0xce, 0x4a, 0x76, 0x90, 0x91, 0x15,
		])
	}

	/// The account's id: its public key.
	pub fn account(&self) -> [u8; 32] {
		self.0.verifying_key().to_bytes()
	}

	pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
		self.0.sign(message).to_bytes()
	}
}

impl std::fmt::Debug for Sponsor {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		write!(f, "Sponsor({})", hex::encode(self.account()))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn alice_is_the_account_that_every_development_chain_endows() {
		let account = hex::encode(Sponsor::alice().account());
		assert_eq!(account, "88dc3417d5058ec4b4503e0c12ea1a0a89be200fe98922423d4334014fa6b0ee");
	}

	#[test]
	fn secrets_are_not_shown() {
		let config = Config {
			path: "/tmp/x".into(),
			key: StoreKey::passphrase("open sesame"),
			nodes: Vec::new(),
			identity: b"alice".to_vec(),
			signer: [0xee; 32],
			sponsor: Some(Sponsor::from_seed([0xdd; 32])),
			genesis: None,
			checkpoint: None,
			upkeep: Upkeep::default(),
		};
		let shown = format!("{config:?}");
		assert!(!shown.contains("238, 238") && !shown.contains("dddddd"), "{shown}");
		let bytes = "111, 112, 101, 110";
		assert!(!shown.contains("sesame") && !shown.contains(bytes) && shown.contains("key: StoreKey"), "{shown}");
	}
}
