//! Sealing with a key that all members of an epoch hold.
//!
//! A sealed text is a random 12-byte nonce and an AEAD ciphertext. Everyone in the epoch can open it, so it hides
//! contents from the chain and from nodes, and authenticates nothing but "a member of this epoch".

use super::native;
use openmls_rust_crypto::RustCrypto;
use openmls_traits::{random::OpenMlsRand, types::CryptoError};

/// Bytes of the nonce in front.
const NONCE: usize = 12;
/// Bytes of the key.
pub(super) const KEY: usize = 16;
/// What a sealed text has more than the text: the nonce, and the tag of the AEAD.
pub(super) const ADDED: usize = NONCE + 16;

/// Why a text cannot be sealed or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
	/// It is shorter than a nonce.
	#[error("the sealed text has {length} bytes, less than its nonce; drop it")]
	TooShort {
		/// Its length.
		length: usize,
	},
	/// It is longer than allowed.
	#[error("the sealed text has {length} bytes, more than the {max} allowed; drop it")]
	TooLong {
		/// Its length.
		length: usize,
		/// The bound.
		max: usize,
	},
	/// It was not sealed with this key for this place.
	#[error("the text was not sealed in this epoch, for this place; drop it")]
	Unauthentic,
	/// The library failed.
	#[error("sealing failed; report this as a defect: {0}")]
	Library(String),
}

/// Seals `text` under `key`, bound to `context`.
pub(super) fn seal(crypto: &RustCrypto, key: &[u8; KEY], context: &[u8], text: &[u8]) -> Result<Vec<u8>, SealError> {
	let library = |error: String| SealError::Library(error);
	let nonce: [u8; NONCE] = crypto.random_array().map_err(|error| library(error.to_string()))?;
	let ciphertext = native::seal(key, &nonce, context, text).map_err(|error| library(error.to_string()))?;
	Ok([&nonce[..], &ciphertext].concat())
}

/// Opens what [`seal`] made with the same key and context.
pub(super) fn open(key: &[u8; KEY], context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
	let Some((nonce, ciphertext)) = sealed.split_at_checked(NONCE) else {
		return Err(SealError::TooShort { length: sealed.len() });
	};
	native::open(key, nonce, context, ciphertext).map_err(failure)
}

fn failure(error: CryptoError) -> SealError {
	match error {
		// A wrong key, another context, a changed or a truncated text: all the same to the reader.
		CryptoError::AeadDecryptionError => SealError::Unauthentic,
		// Trouble of this machine, which is no word on the text: others can open it.
		other => SealError::Library(other.to_string()),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// A payload that does not open is invalid for all; one that this machine cannot try to open must not be.
	#[test]
	fn trouble_of_this_machine_is_no_verdict() {
		assert_eq!(failure(CryptoError::AeadDecryptionError), SealError::Unauthentic);
		for trouble in [CryptoError::CryptoLibraryError, CryptoError::InvalidLength] {
			assert!(matches!(failure(trouble), SealError::Library(_)));
		}
	}
}
