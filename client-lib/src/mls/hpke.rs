//! HPKE (RFC 9180) of the one ciphersuite, with AWS-LC's X25519: the same as RustCrypto's in what it takes and gives, in less
//! than half of the time ([decision 0026](../../../docs/decisions/0026-aws-lc.md)). Most of what a commit to many members
//! costs is X25519.

use aws_lc_rs::agreement::{agree, PrivateKey, UnparsedPublicKey, X25519};
use hpke_rs::{Hpke, HpkeError, Mode};
use hpke_rs_crypto::{
	error::Error,
	types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm},
	HpkeCrypto,
};
use hpke_rs_rust_crypto::HpkeRustCrypto;
use openmls_traits::types::{
	CryptoError, HpkeAeadType, HpkeCiphertext, HpkeConfig, HpkeKdfType, HpkeKemType, HpkeKeyPair,
};
use std::cell::RefCell;
use zeroize::Zeroizing;

/// Whether this is what the one ciphersuite asks for.
pub(super) fn is_ours(config: &HpkeConfig) -> bool {
	matches!(config, HpkeConfig(HpkeKemType::DhKem25519, HpkeKdfType::HkdfSha256, HpkeAeadType::AesGcm128))
}

fn hpke() -> Hpke<Mixed> {
	Hpke::new(Mode::Base, KemAlgorithm::DhKem25519, KdfAlgorithm::HkdfSha256, AeadAlgorithm::Aes128Gcm)
}

/// The errors are those of RustCrypto's provider.
pub(super) fn seal(key: &[u8], info: &[u8], aad: &[u8], plain: &[u8]) -> Result<HpkeCiphertext, CryptoError> {
	let _kept = Kept::begin();
	let (kem_output, ciphertext) = hpke().seal(&key.into(), info, aad, plain, None, None, None).map_err(error)?;
	Ok(HpkeCiphertext { kem_output: kem_output.into(), ciphertext: ciphertext.into() })
}

/// The same.
pub(super) fn open(sealed: &HpkeCiphertext, key: &[u8], info: &[u8], aad: &[u8]) -> Result<Vec<u8>, CryptoError> {
	let (enc, ciphertext) = (sealed.kem_output.as_slice(), sealed.ciphertext.as_slice());
	let opened = hpke().open(enc, &key.into(), info, aad, ciphertext, None, None, None);
	opened.map_err(|_| CryptoError::HpkeDecryptionError)
}

/// The same.
pub(super) fn derive_key_pair(ikm: &[u8]) -> Result<HpkeKeyPair, CryptoError> {
	let (private, public) = hpke().derive_key_pair(ikm).map_err(error)?.into_keys();
	Ok(HpkeKeyPair { private: private.as_slice().into(), public: public.as_slice().into() })
}

fn error(error: HpkeError) -> CryptoError {
	match error {
		HpkeError::InvalidInput => CryptoError::InvalidLength,
		_ => CryptoError::CryptoLibraryError,
	}
}

thread_local! {
	/// See [`Kept`].
	static EPHEMERAL: RefCell<Option<Ephemeral>> = const { RefCell::new(None) };
}

/// The ephemeral key of a text that is being sealed, once it is known.
#[derive(Default)]
struct Ephemeral(Option<(Zeroizing<Vec<u8>>, PrivateKey)>);

/// While this lives, the key whose public half was asked for last is kept: AWS-LC computes that half for each key that it takes,
/// and HPKE gives it the ephemeral one twice. It is wiped at the end; no other key is kept.
struct Kept;

impl Kept {
	fn begin() -> Self {
		EPHEMERAL.set(Some(Ephemeral::default()));
		Self
	}

	/// Keeps a key, if one is to be kept.
	fn put(bytes: &[u8], key: PrivateKey) {
		EPHEMERAL.with_borrow_mut(|kept| {
			if let Some(Ephemeral(kept)) = kept {
				*kept = Some((Zeroizing::new(bytes.to_vec()), key));
			}
		});
	}

	/// Takes it out, if it is this one.
	fn take(bytes: &[u8]) -> Option<PrivateKey> {
		let kept = EPHEMERAL.with_borrow_mut(|kept| kept.as_mut().and_then(|Ephemeral(kept)| kept.take()));
		kept.filter(|(of, _)| of.as_slice() == bytes).map(|(_, key)| key)
	}
}

impl Drop for Kept {
	fn drop(&mut self) {
		EPHEMERAL.set(None);
	}
}

/// AWS-LC's X25519, and RustCrypto's everything else.
#[derive(Debug)]
struct Mixed;

impl Mixed {
	fn private(key: &[u8]) -> Result<PrivateKey, Error> {
		PrivateKey::from_private_key(&X25519, key).map_err(|_| Error::KemInvalidSecretKey)
	}
}

impl HpkeCrypto for Mixed {
	type HpkePrng = <HpkeRustCrypto as HpkeCrypto>::HpkePrng;

	fn name() -> String {
		"RustCrypto with the X25519 of AWS-LC".to_owned()
	}

	/// A shared secret of zeros is an error (RFC 9180 section 7.1.4).
	fn dh(_: KemAlgorithm, public: &[u8], private: &[u8]) -> Result<Vec<u8>, Error> {
		let public = UnparsedPublicKey::new(&X25519, public);
		let key = Kept::take(private).map_or_else(|| Self::private(private), Ok)?;
		agree(&key, public, Error::KemInvalidPublicKey, |secret| Ok(secret.to_vec()))
	}

	fn secret_to_public(_: KemAlgorithm, private: &[u8]) -> Result<Vec<u8>, Error> {
		let key = Self::private(private)?;
		let public = key.compute_public_key().map_err(|_| Error::KemInvalidSecretKey)?;
		Kept::put(private, key);
		Ok(public.as_ref().to_vec())
	}

	fn supports_kdf(algorithm: KdfAlgorithm) -> Result<(), Error> {
		HpkeRustCrypto::supports_kdf(algorithm)
	}

	/// [`Mixed::dh`] knows one.
	fn supports_kem(algorithm: KemAlgorithm) -> Result<(), Error> {
		match algorithm {
			KemAlgorithm::DhKem25519 => Ok(()),
			_ => Err(Error::UnknownKemAlgorithm),
		}
	}

	fn supports_aead(algorithm: AeadAlgorithm) -> Result<(), Error> {
		HpkeRustCrypto::supports_aead(algorithm)
	}

	fn prng() -> Self::HpkePrng {
		HpkeRustCrypto::prng()
	}

	fn kdf_extract(algorithm: KdfAlgorithm, salt: &[u8], ikm: &[u8]) -> Result<Vec<u8>, Error> {
		HpkeRustCrypto::kdf_extract(algorithm, salt, ikm)
	}

	fn kdf_expand(algorithm: KdfAlgorithm, prk: &[u8], info: &[u8], size: usize) -> Result<Vec<u8>, Error> {
		HpkeRustCrypto::kdf_expand(algorithm, prk, info, size)
	}

	fn kem_key_gen(algorithm: KemAlgorithm, prng: &mut Self::HpkePrng) -> Result<(Vec<u8>, Vec<u8>), Error> {
		HpkeRustCrypto::kem_key_gen(algorithm, prng)
	}

	fn kem_key_gen_derand(algorithm: KemAlgorithm, seed: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Error> {
		HpkeRustCrypto::kem_key_gen_derand(algorithm, seed)
	}

	fn kem_encaps(
		algorithm: KemAlgorithm,
		public: &[u8],
		prng: &mut Self::HpkePrng,
	) -> Result<(Vec<u8>, Vec<u8>), Error> {
		HpkeRustCrypto::kem_encaps(algorithm, public, prng)
	}

	fn kem_decaps(algorithm: KemAlgorithm, sealed: &[u8], private: &[u8]) -> Result<Vec<u8>, Error> {
		HpkeRustCrypto::kem_decaps(algorithm, sealed, private)
	}

	fn dh_validate_sk(algorithm: KemAlgorithm, private: &[u8]) -> Result<Vec<u8>, Error> {
		HpkeRustCrypto::dh_validate_sk(algorithm, private)
	}

	fn aead_seal(
		algorithm: AeadAlgorithm,
		key: &[u8],
		nonce: &[u8],
		aad: &[u8],
		plain: &[u8],
	) -> Result<Vec<u8>, Error> {
		HpkeRustCrypto::aead_seal(algorithm, key, nonce, aad, plain)
	}

	fn aead_open(
		algorithm: AeadAlgorithm,
		key: &[u8],
		nonce: &[u8],
		aad: &[u8],
		sealed: &[u8],
	) -> Result<Vec<u8>, Error> {
		HpkeRustCrypto::aead_open(algorithm, key, nonce, aad, sealed)
	}
}

#[cfg(test)]
mod tests;
