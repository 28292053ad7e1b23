//! What a member publishes is what the directory takes.

use super::log::GENESIS;
use crate::{
	mls::{Engine, Serves},
	store::{Store, StoreKey},
};
use ed25519_dalek::{Signature, SigningKey, Verifier, VerifyingKey};
use lockstep_primitives::{
	key_package::{read, KeyPackageRefusal, MAX_KEY_PACKAGE},
	EventSignature, IdentityId, IdentityKey,
};

fn verify(key: &IdentityKey, text: &[u8], signature: &EventSignature) -> bool {
	let key = VerifyingKey::from_bytes(key.as_bytes());
	key.is_ok_and(|key| key.verify(text, &Signature::from_bytes(signature.as_bytes())).is_ok())
}

#[test]
fn a_key_package_of_this_library_is_one_for_the_directory() {
	let folder = tempfile::tempdir().unwrap();
	let store = Store::open(folder.path(), &StoreKey::from_bytes([9; 32])).unwrap();
	let (identity, seed) = (IdentityId([7; 32]), [5; 32]);
	let device = IdentityKey(SigningKey::from_bytes(&seed).verifying_key().to_bytes());
	let engine = Engine::new(identity.0.to_vec(), &seed, GENESIS).unwrap();
	let made = || engine.key_package(&store.overlay()).unwrap().bytes;
	let bytes = made();
	assert!(bytes.len() < MAX_KEY_PACKAGE as usize * 3 / 4, "{}", bytes.len());
	let package = read(&bytes, &identity, &device, verify).unwrap();
	assert_ne!(package.init_key.0, package.encryption_key);
	assert_ne!(read(&made(), &identity, &device, verify).unwrap().init_key, package.init_key);
	let refused = |bytes: &[u8], identity, device| read(bytes, &identity, &device, verify).unwrap_err();
	assert_eq!(refused(&bytes, IdentityId([8; 32]), device), KeyPackageRefusal::WrongCredential);
	assert_eq!(refused(&bytes, identity, IdentityKey([8; 32])), KeyPackageRefusal::WrongDevice);
	let last = engine.key_package_for(&store.overlay(), &engine.signer_seed(), Serves::Again).unwrap().bytes;
	assert_ne!(read(&last, &identity, &device, verify).unwrap().init_key, package.init_key);
	for at in 0..bytes.len() {
		let mut changed = bytes.clone();
		changed[at] ^= 1;
		refused(&changed, identity, device);
		refused(&bytes[..at], identity, device);
	}
}
