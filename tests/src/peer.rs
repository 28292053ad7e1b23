//! A node's network key, and the peer id that follows from it.

use ed25519_dalek::SigningKey;

/// Protobuf framing of an Ed25519 public key of libp2p: key type 1, then 32 bytes.
const PUBLIC_KEY_FRAME: [u8; 4] = [0x08, 0x01, 0x12, 0x20];
/// Multihash "identity" over 36 bytes: short keys are not hashed.
const IDENTITY_HASH: [u8; 2] = [0x00, 0x24];

/// A node's network key. Known before the node runs, so that others can be told whom to expect.
#[derive(Clone, Debug)]
pub struct PeerKey(SigningKey);

impl PeerKey {
	/// The key with this seed.
	pub fn from_seed(seed: [u8; 32]) -> Self {
		Self(SigningKey::from_bytes(&seed))
	}

	/// The seed in hexadecimal, as `--node-key` takes it.
	pub fn argument(&self) -> String {
		hex::encode(self.0.to_bytes())
	}

	/// The peer id, as multiaddresses write it.
	pub fn id(&self) -> String {
		let public = self.0.verifying_key().to_bytes();
		let bytes = [&IDENTITY_HASH[..], &PUBLIC_KEY_FRAME, &public].concat();
		bs58::encode(bytes).into_string()
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_known_key_has_its_known_peer_id() {
		let mut seed = [0; 32];
		seed[31] = 1;
		assert_eq!(PeerKey::from_seed(seed).id(), "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp");
	}
}
