//! RustCrypto's cryptography, with another X25519 ([`hpke`]), hash, AEAD and Ed25519 ([`native`]), which does not verify a signature twice.
//!
//! A commit is judged with public state and then with this member's own (decision 0011), and an own commit before it is
//! submitted and when it is merged: OpenMLS verifies the same signatures each time. Whether a signature is valid depends on
//! the scheme, the key, the text and the signature alone, so those that were are remembered, by a hash of all four.

use super::{hpke, native};
use openmls::prelude::tls_codec::SecretVLBytes;
use openmls_rust_crypto::RustCrypto;
use openmls_traits::{
	crypto::OpenMlsCrypto,
	types::{
		AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeCiphertext, HpkeConfig, HpkeKeyPair,
		KemOutput, SignatureScheme,
	},
};
use std::{
	collections::{HashSet, VecDeque},
	ops::Deref,
	sync::{Mutex, PoisonError},
};

/// Signatures that are remembered: those of a commit that adds many members.
const REMEMBERED: usize = 256;

/// What goes before what is hashed.
const DOMAIN: &str = "lockstep client 2026-11-26 verified signatures";

/// What a provider of cryptography, one with a fault in tests among them, leaves to the one within it.
macro_rules! pass_on {
	($inner:ident) => {
		fn supports(&self, suite: Ciphersuite) -> Result<(), CryptoError> {
			self.$inner.supports(suite)
		}
		fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
			self.$inner.supported_ciphersuites()
		}
		fn hkdf_extract(&self, hash: HashType, salt: &[u8], ikm: &[u8]) -> Result<SecretVLBytes, CryptoError> {
			self.$inner.hkdf_extract(hash, salt, ikm)
		}
		fn hkdf_expand(
			&self,
			hash: HashType,
			prk: &[u8],
			info: &[u8],
			len: usize,
		) -> Result<SecretVLBytes, CryptoError> {
			self.$inner.hkdf_expand(hash, prk, info, len)
		}
		fn signature_key_gen(&self, alg: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
			self.$inner.signature_key_gen(alg)
		}
		fn sign(&self, alg: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
			self.$inner.sign(alg, data, key)
		}
		fn hpke_setup_sender_and_export(
			&self,
			config: HpkeConfig,
			pk_r: &[u8],
			info: &[u8],
			context: &[u8],
			length: usize,
		) -> Result<(KemOutput, ExporterSecret), CryptoError> {
			self.$inner.hpke_setup_sender_and_export(config, pk_r, info, context, length)
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
			self.$inner.hpke_setup_receiver_and_export(config, enc, sk_r, info, context, length)
		}
	};
}
#[cfg(any(test, feature = "simulation"))]
pub(super) use pass_on;

/// The hash and the AEAD.
#[cfg(any(test, feature = "simulation"))]
macro_rules! pass_on_symmetric {
	($inner:ident) => {
		fn hash(&self, hash: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
			self.$inner.hash(hash, data)
		}
		fn aead_encrypt(
			&self,
			alg: AeadType,
			k: &[u8],
			data: &[u8],
			n: &[u8],
			aad: &[u8],
		) -> Result<Vec<u8>, CryptoError> {
			self.$inner.aead_encrypt(alg, k, data, n, aad)
		}
		fn aead_decrypt(
			&self,
			alg: AeadType,
			k: &[u8],
			data: &[u8],
			n: &[u8],
			aad: &[u8],
		) -> Result<Vec<u8>, CryptoError> {
			self.$inner.aead_decrypt(alg, k, data, n, aad)
		}
	};
}
#[cfg(any(test, feature = "simulation"))]
pub(super) use pass_on_symmetric;

/// See the module.
#[derive(Default)]
pub(super) struct Crypto {
	system: RustCrypto,
	verified: Mutex<Verified>,
}

/// The newest signatures that were found valid.
#[derive(Default)]
struct Verified {
	known: HashSet<[u8; 32]>,
	order: VecDeque<[u8; 32]>,
}

impl Verified {
	fn add(&mut self, name: [u8; 32]) {
		if self.known.insert(name) {
			self.order.push_back(name);
		}
		while self.order.len() > REMEMBERED {
			if let Some(oldest) = self.order.pop_front() {
				self.known.remove(&oldest);
			}
		}
	}
}

/// A hash of everything that decides whether a signature is valid.
fn name(scheme: SignatureScheme, data: &[u8], key: &[u8], signature: &[u8]) -> [u8; 32] {
	let mut hasher = blake3::Hasher::new_derive_key(DOMAIN);
	hasher.update(&(scheme as u16).to_be_bytes());
	for part in [key, signature, data] {
		hasher.update(&(part.len() as u64).to_be_bytes()).update(part);
	}
	hasher.finalize().into()
}

/// All that is neither about signatures nor HPKE, a hash or an AEAD is the system's.
impl Deref for Crypto {
	type Target = RustCrypto;

	fn deref(&self) -> &RustCrypto {
		&self.system
	}
}

impl OpenMlsCrypto for Crypto {
	fn verify_signature(
		&self,
		scheme: SignatureScheme,
		data: &[u8],
		key: &[u8],
		signature: &[u8],
	) -> Result<(), CryptoError> {
		let name = name(scheme, data, key, signature);
		// Nothing panics while it is held.
		if self.verified.lock().unwrap_or_else(PoisonError::into_inner).known.contains(&name) {
			return Ok(());
		}
		let is_valid = scheme == SignatureScheme::ED25519 && native::is_surely_valid(key, data, signature);
		if !is_valid {
			self.system.verify_signature(scheme, data, key, signature)?;
		}
		self.verified.lock().unwrap_or_else(PoisonError::into_inner).add(name);
		Ok(())
	}

	fn hmac(&self, hash: HashType, key: &[u8], message: &[u8]) -> Result<SecretVLBytes, CryptoError> {
		self.system.hmac(hash, key, message)
	}
	fn hpke_seal(
		&self,
		config: HpkeConfig,
		pk_r: &[u8],
		info: &[u8],
		aad: &[u8],
		ptxt: &[u8],
	) -> Result<HpkeCiphertext, CryptoError> {
		if hpke::is_ours(&config) {
			return hpke::seal(pk_r, info, aad, ptxt);
		}
		self.system.hpke_seal(config, pk_r, info, aad, ptxt)
	}
	fn hpke_open(
		&self,
		config: HpkeConfig,
		input: &HpkeCiphertext,
		sk_r: &[u8],
		info: &[u8],
		aad: &[u8],
	) -> Result<Vec<u8>, CryptoError> {
		if hpke::is_ours(&config) {
			return hpke::open(input, sk_r, info, aad);
		}
		self.system.hpke_open(config, input, sk_r, info, aad)
	}
	fn derive_hpke_keypair(&self, config: HpkeConfig, ikm: &[u8]) -> Result<HpkeKeyPair, CryptoError> {
		if hpke::is_ours(&config) {
			return hpke::derive_key_pair(ikm);
		}
		self.system.derive_hpke_keypair(config, ikm)
	}
	fn hash(&self, hash: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
		match hash {
			HashType::Sha2_256 => Ok(native::sha256(data)),
			other => self.system.hash(other, data),
		}
	}
	fn aead_encrypt(&self, alg: AeadType, k: &[u8], data: &[u8], n: &[u8], aad: &[u8]) -> Result<Vec<u8>, CryptoError> {
		match alg {
			AeadType::Aes128Gcm => native::seal(k, n, aad, data),
			other => self.system.aead_encrypt(other, k, data, n, aad),
		}
	}
	fn aead_decrypt(&self, alg: AeadType, k: &[u8], data: &[u8], n: &[u8], aad: &[u8]) -> Result<Vec<u8>, CryptoError> {
		match alg {
			AeadType::Aes128Gcm => native::open(k, n, aad, data),
			other => self.system.aead_decrypt(other, k, data, n, aad),
		}
	}
	pass_on!(system);
}

#[cfg(test)]
mod tests {
	use super::*;

	const SCHEME: SignatureScheme = SignatureScheme::ED25519;

	fn signed(crypto: &Crypto, data: &[u8]) -> (Vec<u8>, Vec<u8>) {
		let (private, public) = crypto.signature_key_gen(SCHEME).unwrap();
		(public, crypto.sign(SCHEME, data, &private).unwrap())
	}

	fn remembered(crypto: &Crypto) -> usize {
		crypto.verified.lock().unwrap().known.len()
	}

	#[test]
	fn only_what_is_valid_is_remembered_and_only_as_it_is() {
		let crypto = Crypto::default();
		let (key, signature) = signed(&crypto, b"text");
		let mut wrong = signature.clone();
		wrong[3] ^= 1;
		assert!(crypto.verify_signature(SCHEME, b"text", &key, &wrong).is_err());
		assert_eq!(remembered(&crypto), 0);
		for _ in 0..2 {
			crypto.verify_signature(SCHEME, b"text", &key, &signature).unwrap();
			assert_eq!(remembered(&crypto), 1);
			assert!(crypto.verify_signature(SCHEME, b"text", &key, &wrong).is_err());
			assert!(crypto.verify_signature(SCHEME, b"texu", &key, &signature).is_err());
			let (other, _) = signed(&crypto, b"text");
			assert!(crypto.verify_signature(SCHEME, b"text", &other, &signature).is_err());
			assert!(crypto.verify_signature(SignatureScheme::ED448, b"text", &key, &signature).is_err());
		}
	}

	/// Whatever is moved from one part to the next, the name is another.
	#[test]
	fn the_parts_of_a_name_are_told_apart() {
		let names = [
			name(SCHEME, b"c", b"a", b"b"),
			name(SCHEME, b"bc", b"a", b""),
			name(SCHEME, b"c", b"ab", b""),
			name(SCHEME, b"c", b"", b"ab"),
			name(SignatureScheme::ED448, b"c", b"a", b"b"),
		];
		assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
	}

	#[test]
	fn the_oldest_are_forgotten() {
		let crypto = Crypto::default();
		let (private, public) = crypto.signature_key_gen(SCHEME).unwrap();
		for number in 0..REMEMBERED as u32 + 5 {
			let data = number.to_be_bytes();
			let signature = crypto.sign(SCHEME, &data, &private).unwrap();
			crypto.verify_signature(SCHEME, &data, &public, &signature).unwrap();
		}
		assert_eq!(remembered(&crypto), REMEMBERED);
	}
}
