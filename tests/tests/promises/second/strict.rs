//! mls-rs's RustCrypto, but for one thing: which signatures are valid (section 1). That provider takes what RFC 8032's equation holds
//! for, also by keys of small order, for which anybody can make signatures; ours does not. A group whose members differ in that can be
//! forked by a hostile one.

use ed25519_dalek::{Signature, VerifyingKey};
use mls_rs::{
	crypto::{HpkeCiphertext, HpkePsk, HpkePublicKey, HpkeSecretKey, SignaturePublicKey, SignatureSecretKey},
	error::{AnyError, IntoAnyError},
	CipherSuite, CipherSuiteProvider, CryptoProvider,
};
use mls_rs_crypto_rustcrypto::RustCryptoProvider;
use zeroize::Zeroizing;

type Inner = <RustCryptoProvider as CryptoProvider>::CipherSuiteProvider;

/// What makes a suite of the provider.
#[derive(Clone)]
pub struct Provider {
	inner: RustCryptoProvider,
	strict: bool,
}

impl Provider {
	/// With this suite alone.
	pub fn new(suite: CipherSuite) -> Self {
		Self { inner: RustCryptoProvider::with_enabled_cipher_suites(vec![suite]), strict: true }
	}

	/// As mls-rs has it, and with a signature by a key of small order for whoever has it: for the test that shows the difference.
	pub fn careless(suite: CipherSuite) -> Self {
		Self { strict: false, ..Self::new(suite) }
	}
}

impl CryptoProvider for Provider {
	type CipherSuiteProvider = Strict;

	fn supported_cipher_suites(&self) -> Vec<CipherSuite> {
		self.inner.supported_cipher_suites()
	}

	fn cipher_suite_provider(&self, suite: CipherSuite) -> Option<Strict> {
		Some(Strict { inner: self.inner.cipher_suite_provider(suite)?, strict: self.strict })
	}
}

/// A key of small order: the neutral element. `[S]B = R + [k]A` holds for S = 0 and R = A, whatever k is.
pub const SMALL_ORDER: [u8; 32] = {
	let mut key = [0; 32];
	key[0] = 1;
	key
};

/// Why a signature is not valid, or what RustCrypto says.
#[derive(Debug)]
pub enum Failed {
	Signature,
	Inner(<Inner as CipherSuiteProvider>::Error),
}

impl IntoAnyError for Failed {
	fn into_dyn_error(self) -> Result<Box<dyn std::error::Error + Send + Sync>, Self> {
		match self {
			Self::Signature => Ok("the signature is not valid".into()),
			Self::Inner(error) => Ok(Box::<AnyError>::new(error.into_any_error())),
		}
	}
}

#[derive(Clone)]
pub struct Strict {
	inner: Inner,
	strict: bool,
}

/// Calls the method of the same name.
macro_rules! as_it_does {
	($(fn $name:ident(&self $(, $argument:ident: $type:ty)*) -> $result:ty;)*) => {
		$(
			fn $name(&self $(, $argument: $type)*) -> Result<$result, Failed> {
				self.inner.$name($($argument),*).map_err(Failed::Inner)
			}
		)*
	};
}

impl CipherSuiteProvider for Strict {
	type Error = Failed;
	type HpkeContextS = <Inner as CipherSuiteProvider>::HpkeContextS;
	type HpkeContextR = <Inner as CipherSuiteProvider>::HpkeContextR;

	fn verify(&self, key: &SignaturePublicKey, signature: &[u8], data: &[u8]) -> Result<(), Failed> {
		if !self.strict {
			return self.inner.verify(key, signature, data).map_err(Failed::Inner);
		}
		let key = <[u8; 32]>::try_from(key.as_bytes()).map_err(|_| Failed::Signature)?;
		let key = VerifyingKey::from_bytes(&key).map_err(|_| Failed::Signature)?;
		let signature = Signature::from_slice(signature).map_err(|_| Failed::Signature)?;
		key.verify_strict(data, &signature).map_err(|_| Failed::Signature)
	}

	fn sign(&self, key: &SignatureSecretKey, data: &[u8]) -> Result<Vec<u8>, Failed> {
		if !self.strict && key.as_bytes().ends_with(&SMALL_ORDER) {
			return Ok([SMALL_ORDER, [0; 32]].concat());
		}
		self.inner.sign(key, data).map_err(Failed::Inner)
	}

	fn cipher_suite(&self) -> CipherSuite {
		self.inner.cipher_suite()
	}

	fn aead_key_size(&self) -> usize {
		self.inner.aead_key_size()
	}

	fn aead_nonce_size(&self) -> usize {
		self.inner.aead_nonce_size()
	}

	fn kdf_extract_size(&self) -> usize {
		self.inner.kdf_extract_size()
	}

	as_it_does! {
		fn hash(&self, data: &[u8]) -> Vec<u8>;
		fn mac(&self, key: &[u8], data: &[u8]) -> Vec<u8>;
		fn aead_seal(&self, key: &[u8], data: &[u8], aad: Option<&[u8]>, nonce: &[u8]) -> Vec<u8>;
		fn aead_open(&self, key: &[u8], text: &[u8], aad: Option<&[u8]>, nonce: &[u8]) -> Zeroizing<Vec<u8>>;
		fn kdf_extract(&self, salt: &[u8], ikm: &[u8]) -> Zeroizing<Vec<u8>>;
		fn kdf_expand(&self, prk: &[u8], info: &[u8], length: usize) -> Zeroizing<Vec<u8>>;
		fn hpke_seal(&self, to: &HpkePublicKey, info: &[u8], aad: Option<&[u8]>, text: &[u8]) -> HpkeCiphertext;
		fn hpke_seal_psk(&self, to: &HpkePublicKey, info: &[u8], aad: Option<&[u8]>, text: &[u8], psk: HpkePsk<'_>) -> HpkeCiphertext;
		fn hpke_open(&self, text: &HpkeCiphertext, key: &HpkeSecretKey, public: &HpkePublicKey, info: &[u8], aad: Option<&[u8]>) -> Zeroizing<Vec<u8>>;
		fn hpke_open_psk(&self, text: &HpkeCiphertext, key: &HpkeSecretKey, public: &HpkePublicKey, info: &[u8], aad: Option<&[u8]>, psk: HpkePsk<'_>) -> Zeroizing<Vec<u8>>;
		fn hpke_setup_s(&self, to: &HpkePublicKey, info: &[u8]) -> (Vec<u8>, Self::HpkeContextS);
		fn hpke_setup_r(&self, kem: &[u8], key: &HpkeSecretKey, public: &HpkePublicKey, info: &[u8]) -> Self::HpkeContextR;
		fn kem_derive(&self, ikm: &[u8]) -> (HpkeSecretKey, HpkePublicKey);
		fn kem_generate(&self) -> (HpkeSecretKey, HpkePublicKey);
		fn kem_public_key_validate(&self, key: &HpkePublicKey) -> ();
		fn random_bytes(&self, out: &mut [u8]) -> ();
		fn signature_key_generate(&self) -> (SignatureSecretKey, SignaturePublicKey);
		fn signature_key_derive_public(&self, key: &SignatureSecretKey) -> SignaturePublicKey;
	}
}
