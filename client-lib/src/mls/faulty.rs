//! Honest cryptography with one fault: what a hostile member makes broken commits with. For tests only.

use super::crypto::{pass_on, pass_on_symmetric};
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

	/// Counts a call of what the fault is in; gives how many there were before.
	pub(super) fn call(&self) -> usize {
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

	fn verify_signature(&self, alg: SignatureScheme, data: &[u8], pk: &[u8], sig: &[u8]) -> Result<(), CryptoError> {
		self.honest.verify_signature(alg, data, pk, sig)
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
	pass_on!(honest);
	pass_on_symmetric!(honest);
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
