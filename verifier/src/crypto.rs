//! Hashes and signatures, with the rules that nodes apply.

use blake2::{digest::consts::U32, Blake2b, Digest};
use ed25519_zebra::{Signature, VerificationKey};

/// BLAKE2b with an output of 256 bits: what the SDK hashes headers and trie nodes with.
pub(crate) fn blake2_256(bytes: &[u8]) -> [u8; 32] {
	Blake2b::<U32>::digest(bytes).into()
}

/// BLAKE2b with an output of 128 bits, as in the storage keys of `Blake2_128Concat`.
pub(crate) fn blake2_128(bytes: &[u8]) -> [u8; 16] {
	Blake2b::<blake2::digest::consts::U16>::digest(bytes).into()
}

/// Whether an Ed25519 signature is good by the rules of ZIP 215.
///
/// These are the rules of the nodes, and no stricter ones will do: a validator could make a signature that nodes
/// count and clients do not, and so stop every client at will.
pub(crate) fn verify_ed25519(key: &[u8; 32], signature: &[u8; 64], message: &[u8]) -> bool {
	VerificationKey::try_from(*key).is_ok_and(|key| key.verify(&Signature::from(*signature), message).is_ok())
}
