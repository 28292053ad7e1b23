//! What the protocol seals, signs and exports, with the cryptography of mls-rs.

use super::strict::{Provider, Strict};
use crate::person::broken;
use lockstep_tests::{Error, Result};
use mls_rs::client_builder::MlsConfig;
use mls_rs::{
	crypto::SignatureSecretKey, error::IntoAnyError, CipherSuite, CipherSuiteProvider, CryptoProvider, Group,
};

/// The one suite (section 1).
pub const SUITE: CipherSuite = CipherSuite::CURVE25519_AES128;

/// Bytes of the nonce in front of what is sealed.
const NONCE: usize = 12;

pub fn suite() -> Strict {
	Provider::new(SUITE).cipher_suite_provider(SUITE).expect("the provider has the suite")
}

pub fn crypto(error: impl IntoAnyError) -> Error {
	broken(error.into_any_error())
}

/// `nonce | AEAD(key, nonce, context, text)`.
pub fn seal(key: &[u8; 16], context: &[u8], text: &[u8]) -> Result<Vec<u8>> {
	let nonce = suite().random_bytes_vec(NONCE).map_err(crypto)?;
	let sealed = suite().aead_seal(key, text, Some(context), &nonce).map_err(crypto)?;
	Ok([nonce, sealed].concat())
}

/// What was sealed with this key for this context.
pub fn open(key: &[u8; 16], context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
	let (nonce, ciphertext) = sealed.split_at_checked(NONCE)?;
	Some(suite().aead_open(key, ciphertext, Some(context), nonce).ok()?.to_vec())
}

/// The Ed25519 key of a seed, as mls-rs wants it: the seed and the public key.
pub fn signer(seed: &[u8; 32]) -> SignatureSecretKey {
	[&seed[..], &public(seed)].concat().into()
}

pub fn public(seed: &[u8; 32]) -> [u8; 32] {
	ed25519_dalek::SigningKey::from_bytes(seed).verifying_key().to_bytes()
}

pub fn sign(seed: &[u8; 32], text: &[u8]) -> Result<[u8; 64]> {
	let signature = suite().sign(&signer(seed), text).map_err(crypto)?;
	signature.try_into().map_err(|_| broken("a signature has 64 bytes"))
}

pub fn random<const N: usize>() -> Result<[u8; N]> {
	let mut bytes = [0; N];
	suite().random_bytes(&mut bytes).map_err(crypto)?;
	Ok(bytes)
}

/// `MLS-Exporter(label, group_id, N)` of the epoch that a group is in.
pub fn export<C: MlsConfig, const N: usize>(mls: &Group<C>, label: &str) -> Result<[u8; N]> {
	let secret = mls.export_secret(label.as_bytes(), mls.group_id(), N).map_err(broken)?;
	secret.as_bytes().try_into().map_err(|_| broken("an exported secret of another length"))
}
