//! The GRANDPA keys of the validators of local chains. Everybody knows them: that is what such chains are for.

use blake2::{digest::consts::U32, Blake2b, Digest};
use codec::Encode;
use ed25519_zebra::SigningKey;

/// The secret of the development phrase.
const ROOT: [u8; 32] = [
	0xfa, 0xc7, 0x95, 0x9d, 0xbf, 0xe7, 0x2f, 0x05, 0x2e, 0x5a, 0x0c, 0x3c, 0x8d, 0x65, 0x30, 0xf2, 0x02, 0xb0, 0x2f,
	0xd8, 0xf9, 0xf5, 0xca, 0x35, 0x80, 0xec, 0x8d, 0xeb, 0x77, 0x97, 0x47, 0x9e,
];

/// The key that a node has under a name (`//Alice`, `//Bob`), for Ed25519.
pub fn ed25519(name: &str) -> SigningKey {
	let mut code = [0u8; 32];
	code.iter_mut().zip(name.encode()).for_each(|(to, from)| *to = from);
	let seed: [u8; 32] = Blake2b::<U32>::digest(("Ed25519HDKD", ROOT, code).encode()).into();
	SigningKey::from(seed)
}

/// The keys of the four validators, in the order of [`VALIDATORS`](crate::network::VALIDATORS).
pub fn validators() -> Vec<SigningKey> {
	["Alice", "Bob", "Charlie", "Dave"].map(ed25519).into()
}

#[cfg(test)]
mod tests {
	use super::*;
	use ed25519_zebra::VerificationKeyBytes;
	use lockstep_client::Sponsor;

	#[test]
	fn alice_is_alice() {
		let key: [u8; 32] = VerificationKeyBytes::from(&ed25519("Alice")).into();
		assert_eq!(key, Sponsor::alice().account());
	}
}
