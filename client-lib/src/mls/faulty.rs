//! Honest cryptography with one fault: what a hostile member makes broken commits with. For tests only.

use crate::store::Overlay;
use openmls::prelude::tls_codec::SecretVLBytes;
use openmls_rust_crypto::RustCrypto;
use openmls_traits::{
	crypto::OpenMlsCrypto,
	types::{
		AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeCiphertext, HpkeConfig, HpkeKeyPair,
		KemOutput, SignatureScheme,
	},
	OpenMlsProvider,
};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where the cryptography that a hostile member uses departs from the honest one.
#[derive(Default)]
#[cfg_attr(not(test), allow(dead_code))]
pub(super) enum Fault {
	/// Nowhere.
	#[default]
	None,
	/// What is encrypted to this HPKE key is replaced: with this text, correctly encrypted, ...
	OtherText(Vec<u8>, Vec<u8>),
	/// ... or with this ciphertext.
	OtherCiphertext(Vec<u8>, HpkeCiphertext),
	/// The n-th text that is encrypted with HPKE is replaced: those who need it cannot process the commit.
	NthText(usize),
	/// The n-th HPKE key pair has this public key instead of its own.
	OtherPublicKey(usize, Vec<u8>),
	/// The n-th MAC has its first bit flipped.
	WrongMac(usize),
}

/// Honest cryptography with one fault.
#[derive(Default)]
pub(super) struct Crypto {
	pub(super) honest: RustCrypto,
	fault: Fault,
	calls: AtomicUsize,
}

impl Crypto {
	pub(super) fn with(fault: Fault) -> Self {
		Self { fault, ..Self::default() }
	}

	fn call(&self) -> usize {
		self.calls.fetch_add(1, Ordering::Relaxed)
	}
}

impl OpenMlsCrypto for Crypto {
	fn hpke_seal(
		&self,
		config: HpkeConfig,
		pk_r: &[u8],
		info: &[u8],
		aad: &[u8],
		ptxt: &[u8],
	) -> Result<HpkeCiphertext, CryptoError> {
		match &self.fault {
			Fault::OtherText(key, text) if key == pk_r => self.honest.hpke_seal(config, pk_r, info, aad, text),
			Fault::OtherCiphertext(key, ciphertext) if key == pk_r => Ok(ciphertext.clone()),
			Fault::NthText(turn) if self.call() == *turn => self.honest.hpke_seal(config, pk_r, info, aad, &[3; 32]),
			_ => self.honest.hpke_seal(config, pk_r, info, aad, ptxt),
		}
	}

	fn derive_hpke_keypair(&self, config: HpkeConfig, ikm: &[u8]) -> Result<HpkeKeyPair, CryptoError> {
		let mut pair = self.honest.derive_hpke_keypair(config, ikm)?;
		if let Fault::OtherPublicKey(turn, public) = &self.fault {
			if self.call() == *turn {
				pair.public = public.clone();
			}
		}
		Ok(pair)
	}

	fn hmac(&self, hash_type: HashType, key: &[u8], message: &[u8]) -> Result<SecretVLBytes, CryptoError> {
		let mac = self.honest.hmac(hash_type, key, message)?;
		match self.fault {
			Fault::WrongMac(turn) if self.call() == turn => {
				let mut bytes = mac.as_slice().to_vec();
				bytes[0] ^= 1;
				Ok(bytes.into())
			}
			_ => Ok(mac),
		}
	}

	fn supports(&self, suite: Ciphersuite) -> Result<(), CryptoError> {
		self.honest.supports(suite)
	}
	fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
		self.honest.supported_ciphersuites()
	}
	fn hkdf_extract(&self, hash: HashType, salt: &[u8], ikm: &[u8]) -> Result<SecretVLBytes, CryptoError> {
		self.honest.hkdf_extract(hash, salt, ikm)
	}
	fn hkdf_expand(&self, hash: HashType, prk: &[u8], info: &[u8], len: usize) -> Result<SecretVLBytes, CryptoError> {
		self.honest.hkdf_expand(hash, prk, info, len)
	}
	fn hash(&self, hash: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
		self.honest.hash(hash, data)
	}
	fn aead_encrypt(&self, alg: AeadType, k: &[u8], data: &[u8], n: &[u8], aad: &[u8]) -> Result<Vec<u8>, CryptoError> {
		self.honest.aead_encrypt(alg, k, data, n, aad)
	}
	fn aead_decrypt(&self, alg: AeadType, k: &[u8], data: &[u8], n: &[u8], aad: &[u8]) -> Result<Vec<u8>, CryptoError> {
		self.honest.aead_decrypt(alg, k, data, n, aad)
	}
	fn signature_key_gen(&self, alg: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
		self.honest.signature_key_gen(alg)
	}
	fn verify_signature(&self, alg: SignatureScheme, data: &[u8], pk: &[u8], sig: &[u8]) -> Result<(), CryptoError> {
		self.honest.verify_signature(alg, data, pk, sig)
	}
	fn sign(&self, alg: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
		self.honest.sign(alg, data, key)
	}
	fn hpke_open(
		&self,
		config: HpkeConfig,
		input: &HpkeCiphertext,
		sk_r: &[u8],
		info: &[u8],
		aad: &[u8],
	) -> Result<Vec<u8>, CryptoError> {
		self.honest.hpke_open(config, input, sk_r, info, aad)
	}
	fn hpke_setup_sender_and_export(
		&self,
		config: HpkeConfig,
		pk_r: &[u8],
		info: &[u8],
		context: &[u8],
		length: usize,
	) -> Result<(KemOutput, ExporterSecret), CryptoError> {
		self.honest.hpke_setup_sender_and_export(config, pk_r, info, context, length)
	}
	fn hpke_setup_receiver_and_export(
		&self,
		config: HpkeConfig,
		enc: &[u8],
		sk_r: &[u8],
		info: &[u8],
		context: &[u8],
		length: usize,
	) -> Result<ExporterSecret, CryptoError> {
		self.honest.hpke_setup_receiver_and_export(config, enc, sk_r, info, context, length)
	}
}

/// OpenMLS's provider with hostile cryptography.
pub(super) struct HostileProvider<'p, 'o> {
	pub(super) crypto: &'p Crypto,
	pub(super) overlay: &'p Overlay<'o>,
}

impl<'o> OpenMlsProvider for HostileProvider<'_, 'o> {
	type CryptoProvider = Crypto;
	type RandProvider = RustCrypto;
	type StorageProvider = Overlay<'o>;

	fn storage(&self) -> &Overlay<'o> {
		self.overlay
	}
	fn crypto(&self) -> &Crypto {
		self.crypto
	}
	fn rand(&self) -> &RustCrypto {
		&self.crypto.honest
	}
}
