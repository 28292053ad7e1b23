//! AWS-LC's SHA-256, AES-128-GCM and Ed25519, in the place of RustCrypto's
//! ([decision 0026](../../../docs/decisions/0026-aws-lc.md)): the same bytes and verdicts, in less time.

use aws_lc_rs::{
	aead::{Aad, LessSafeKey, Nonce, UnboundKey, AES_128_GCM},
	digest::{digest, SHA256},
	error::Unspecified,
	signature::{Ed25519KeyPair, UnparsedPublicKey, ED25519},
};
use ed25519_dalek::{Signer, SigningKey};
use openmls_traits::types::CryptoError;
use zeroize::Zeroizing;

/// SHA-256 (FIPS 180-4).
pub(super) fn sha256(data: &[u8]) -> Vec<u8> {
	digest(&SHA256, data).as_ref().to_vec()
}

/// AES-128-GCM (NIST SP 800-38D): the ciphertext, and the tag after it.
pub(super) fn seal(key: &[u8], nonce: &[u8], aad: &[u8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
	// The tag is put behind the plaintext where that lies: it must not be left behind by a vector that grows.
	let mut bytes = Vec::with_capacity(data.len().saturating_add(AES_128_GCM.tag_len()));
	bytes.extend_from_slice(data);
	let sealed = key_of(key).and_then(|key| {
		key.seal_in_place_append_tag(Nonce::try_assume_unique_for_key(nonce)?, Aad::from(aad), &mut bytes)
	});
	sealed.map_err(|_| CryptoError::CryptoLibraryError)?;
	Ok(bytes)
}

/// What [`seal`] sealed.
///
/// # Errors
/// [`CryptoError::AeadDecryptionError`] if it was not sealed so; any other is this machine's trouble, and no word on the text.
pub(super) fn open(key: &[u8], nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
	let key = key_of(key).map_err(|_| CryptoError::CryptoLibraryError)?;
	let mut bytes = sealed.to_vec();
	let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| CryptoError::InvalidLength)?;
	let opened = key.open_in_place(nonce, Aad::from(aad), &mut bytes).map(|text| text.len());
	bytes.truncate(opened.map_err(|_| CryptoError::AeadDecryptionError)?);
	Ok(bytes)
}

fn key_of(key: &[u8]) -> Result<LessSafeKey, Unspecified> {
	UnboundKey::new(&AES_128_GCM, key).map(LessSafeKey::new)
}

/// A key that signs by Ed25519 (RFC 8032), which has one signature for each text.
pub(super) struct Ed25519 {
	native: Option<Ed25519KeyPair>,
	/// For when AWS-LC refuses, which it says it may.
	seed: Zeroizing<[u8; 32]>,
}

impl Ed25519 {
	/// The key of a seed.
	pub(super) fn new(seed: &[u8; 32]) -> Self {
		Self { native: Ed25519KeyPair::from_seed_unchecked(seed).ok(), seed: Zeroizing::new(*seed) }
	}

	/// Signs.
	pub(super) fn sign(&self, text: &[u8]) -> [u8; 64] {
		let signature = self.native.as_ref().and_then(|pair| pair.try_sign(text).ok());
		let signature = signature.and_then(|signature| signature.as_ref().try_into().ok());
		signature.unwrap_or_else(|| SigningKey::from_bytes(&self.seed).sign(text).to_bytes())
	}
}

/// Whether AWS-LC finds an Ed25519 signature valid, and it is none of those that it takes and RustCrypto does not.
///
/// Both compute the same equation, without its cofactor, and compare the bytes of `R`; RustCrypto refuses points of small order
/// besides. So what is valid here is so there. What is not need not be invalid: RustCrypto has to be asked, which takes keys that
/// are not written in the one way that they should be.
pub(super) fn is_surely_valid(key: &[u8], text: &[u8], signature: &[u8]) -> bool {
	let Some(commitment) = signature.first_chunk() else { return false };
	let points = key.try_into().is_ok_and(|key| !is_of_small_order(key) && !is_of_small_order(commitment));
	points && UnparsedPublicKey::new(&ED25519, key).verify(text, signature).is_ok()
}

/// Whether this is a point of which eight times is nothing, in any way to write one.
fn is_of_small_order(point: &[u8; 32]) -> bool {
	let mut y = *point;
	let [.., last] = &mut y;
	*last &= 0x7f;
	SMALL_ORDER.contains(&y)
}

/// The `y` of the eight points of small order, two of each of these but of 1 and of -1: 0, 1, those of order 8, -1; and 0 and 1 as
/// they should not be written.
const SMALL_ORDER: [[u8; 32]; 7] = [
	[0; 32],
	ends(1, 0, 0),
	[
		0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
		0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
	],
	[
		0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
		0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
	],
	ends(0xec, 0xff, 0x7f),
	ends(0xed, 0xff, 0x7f),
	ends(0xee, 0xff, 0x7f),
];

/// The same in between, and other bytes at the ends.
const fn ends(first: u8, between: u8, last: u8) -> [u8; 32] {
	let mut bytes = [between; 32];
	bytes[0] = first;
	bytes[31] = last;
	bytes
}

#[cfg(test)]
mod signature_tests;

#[cfg(test)]
mod tests {
	use super::*;
	use openmls_rust_crypto::RustCrypto;
	use openmls_traits::{
		crypto::OpenMlsCrypto,
		types::{AeadType, HashType},
	};
	use proptest::{collection::vec, prelude::*};

	const AEAD: AeadType = AeadType::Aes128Gcm;

	proptest! {
		/// Whoever uses the one can do without the other.
		#[test]
		fn all_is_as_with_rust_crypto(
			key: [u8; 16],
			nonce: [u8; 12],
			seed: [u8; 32],
			aad in vec(any::<u8>(), 0..300),
			data in vec(any::<u8>(), 0..3000),
			at: prop::sample::Index,
		) {
			let system = RustCrypto::default();
			prop_assert_eq!(sha256(&data), system.hash(HashType::Sha2_256, &data).unwrap());
			let (key_pair, by_dalek) = (Ed25519::new(&seed), SigningKey::from_bytes(&seed).sign(&data).to_bytes());
			prop_assert!(key_pair.native.is_some());
			prop_assert_eq!(key_pair.sign(&data), by_dalek);
			prop_assert_eq!(Ed25519 { native: None, ..key_pair }.sign(&data), by_dalek);

			let sealed = seal(&key, &nonce, &aad, &data).unwrap();
			prop_assert_eq!(&sealed, &system.aead_encrypt(AEAD, &key, &data, &nonce, &aad).unwrap());
			prop_assert_eq!(open(&key, &nonce, &aad, &sealed), Ok(data));
			let mut changed = sealed.clone();
			changed[at.index(sealed.len())] ^= 1;
			for wrong in [&changed[..], &sealed[..at.index(sealed.len())]] {
				prop_assert_eq!(open(&key, &nonce, &aad, wrong), system.aead_decrypt(AEAD, &key, wrong, &nonce, &aad));
			}
		}
	}

	#[test]
	fn short_and_long_texts_are_as_with_rust_crypto() {
		let system = RustCrypto::default();
		for length in [0, 1, 15, 16, 17, 63, 64, 65, 1 << 20] {
			let data = vec![5; length];
			assert_eq!(sha256(&data), system.hash(HashType::Sha2_256, &data).unwrap());
			assert_eq!(Ed25519::new(&[7; 32]).sign(&data), SigningKey::from_bytes(&[7; 32]).sign(&data).to_bytes());
			let sealed = seal(&[1; 16], &[2; 12], b"", &data).unwrap();
			assert_eq!(sealed, system.aead_encrypt(AEAD, &[1; 16], &data, &[2; 12], b"").unwrap());
			assert_eq!(open(&[1; 16], &[2; 12], b"", &sealed), Ok(data));
		}
	}

	/// RustCrypto's panics for a nonce of another length.
	#[test]
	fn keys_and_nonces_of_other_lengths_are_errors() {
		let system = RustCrypto::default();
		for length in [0, 15, 17, 32] {
			let (key, nonce) = (vec![1; length], [2; 12]);
			assert_eq!(seal(&key, &nonce, b"", b"text"), system.aead_encrypt(AEAD, &key, b"text", &nonce, b""));
			assert_eq!(open(&key, &nonce, b"", &[3; 40]), system.aead_decrypt(AEAD, &key, &[3; 40], &nonce, b""));
		}
		for length in [0, 11, 13] {
			assert_eq!(seal(&[1; 16], &vec![2; length], b"", b"text"), Err(CryptoError::CryptoLibraryError));
			assert_eq!(open(&[1; 16], &vec![2; length], b"", &[3; 40]), Err(CryptoError::InvalidLength));
		}
	}
}
