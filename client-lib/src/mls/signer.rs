//! The signature keys of this member's leaves.
//!
//! A member can be at different keys in different groups: rotation changes them one by one, and a group that was
//! joined by an old KeyPackage starts at the key of that. So each group, and each KeyPackage that waits for its
//! Welcome, has a record of its own with the seed of its key. A record goes with what it belongs to, so that a key
//! that was rotated out is deleted and nobody has to count who else uses it.

use super::{constants::CIPHERSUITE, error::EngineError, native::Ed25519, Engine};
use crate::store::{Overlay, Record, StoreError};
use codec::{Decode, Encode};
use ed25519_dalek::SigningKey;
use lockstep_primitives::GroupId;
use openmls::prelude::{BasicCredential, CredentialWithKey, MlsGroup};
use openmls_traits::{
	signatures::{self, SignerError},
	types::SignatureScheme,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// The seed of an Ed25519 signature key (RFC 8032 section 5.1.5). Wiped when dropped; never shown.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SignerSeed([u8; 32]);

impl SignerSeed {
	/// Takes the 32 bytes of a seed.
	pub fn new(seed: [u8; 32]) -> Self {
		Self(seed)
	}

	/// The public key.
	pub fn public(&self) -> Vec<u8> {
		self.key().verifying_key().to_bytes().to_vec()
	}

	/// The seed itself.
	pub(crate) fn bytes(&self) -> &[u8; 32] {
		&self.0
	}

	pub(super) fn key(&self) -> SigningKey {
		SigningKey::from_bytes(&self.0)
	}

	/// What OpenMLS signs with.
	pub(super) fn pair(&self) -> LeafSigner {
		LeafSigner(Ed25519::new(&self.0))
	}
}

/// Signs as the member of a leaf.
pub(super) struct LeafSigner(Ed25519);

impl signatures::Signer for LeafSigner {
	fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
		Ok(self.0.sign(payload).to_vec())
	}

	fn signature_scheme(&self) -> SignatureScheme {
		CIPHERSUITE.into()
	}
}

impl Drop for SignerSeed {
	fn drop(&mut self) {
		self.0.zeroize();
	}
}

impl std::fmt::Debug for SignerSeed {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("SignerSeed").field("public", &hex::encode(self.public())).finish_non_exhaustive()
	}
}

/// The seed of the key that a group's leaf, or a KeyPackage, is signed with.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Stored(SignerSeed);

impl Record for Stored {
	const KIND: &'static str = "signer";
}

/// What a stored signature key belongs to.
#[derive(Clone, Copy)]
pub(super) enum Of<'a> {
	/// This member's leaf in a group.
	Group(&'a GroupId),
	/// A KeyPackage, by its KeyPackageRef.
	Package(&'a [u8]),
}

impl Of<'_> {
	fn key(self) -> Vec<u8> {
		match self {
			Self::Group(group) => [b"group/", &group.as_bytes()[..]].concat(),
			Self::Package(reference) => [b"package/", reference].concat(),
		}
	}

	pub(super) fn keep(self, overlay: &Overlay<'_>, seed: &SignerSeed) -> Result<(), StoreError> {
		overlay.put(&self.key(), &Stored(seed.clone()))
	}

	pub(super) fn get(self, overlay: &Overlay<'_>) -> Result<Option<SignerSeed>, StoreError> {
		Ok(overlay.get::<Stored>(&self.key())?.map(|stored| stored.0))
	}

	/// The same; nothing if the record is damaged.
	pub(super) fn readable(self, overlay: &Overlay<'_>) -> Result<Option<SignerSeed>, StoreError> {
		overlay.if_readable(|overlay| self.get(overlay))
	}

	pub(super) fn forget(self, overlay: &Overlay<'_>) -> Result<(), StoreError> {
		overlay.delete::<Stored>(&self.key())
	}
}

impl Engine {
	/// The seed of the key that this member's leaf in a group has now.
	///
	/// # Errors
	/// [`EngineError::NoSigner`] if it is neither stored, to be read, nor the engine's own.
	pub(super) fn signer_of(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		mls: &MlsGroup,
	) -> Result<SignerSeed, EngineError> {
		let leaf = mls.own_leaf_node().ok_or(EngineError::Removed(*group))?;
		let key = leaf.signature_key().as_slice();
		let stored = Of::Group(group).readable(overlay)?;
		let mut candidates = stored.into_iter().chain([self.seed.clone()]);
		candidates.find(|seed| seed.public() == key).ok_or(EngineError::NoSigner(*group))
	}

	/// This member's credential, with the key of a seed.
	pub(super) fn credential_of(&self, seed: &SignerSeed) -> CredentialWithKey {
		CredentialWithKey {
			credential: BasicCredential::new(self.identity.clone()).into(),
			signature_key: seed.public().into(),
		}
	}
}
