//! KeyPackages (RFC 9420 section 10): what others need to add this member to a group.

use super::{
	constants::{capabilities, lifetime, CIPHERSUITE},
	crypto::Crypto,
	error::EngineError,
	policy,
	public_phase::first_vector,
	signer::{self, SignerSeed},
	tls, Engine,
};
use crate::store::Overlay;
use openmls::prelude::{tls_codec::Serialize as _, KeyPackage, KeyPackageIn, ProtocolVersion};

/// A KeyPackage, made and stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKeyPackage {
	/// Its TLS form, to hand to whoever may add this member.
	pub bytes: Vec<u8>,
	/// Its KeyPackageRef (RFC 9420 section 5.2), which names the mailbox that its Welcome comes to.
	pub reference: Vec<u8>,
}

impl Engine {
	/// Makes a KeyPackage with the engine's own signature key, and stores its private keys until a Welcome uses it up.
	///
	/// Commit the overlay before the KeyPackage is handed out.
	///
	/// # Errors
	/// [`EngineError::Store`], [`EngineError::Library`].
	pub fn key_package(&self, overlay: &Overlay<'_>) -> Result<NewKeyPackage, EngineError> {
		self.key_package_with(overlay, &self.seed)
	}

	/// The same, signed with a given key.
	pub(super) fn key_package_with(
		&self,
		overlay: &Overlay<'_>,
		seed: &SignerSeed,
	) -> Result<NewKeyPackage, EngineError> {
		let step = overlay.nested();
		let bundle = KeyPackage::builder()
			.key_package_lifetime(lifetime())
			.leaf_node_capabilities(capabilities())
			.build(CIPHERSUITE, &self.provider(&step), &seed.pair(), self.credential_of(seed))
			.map_err(EngineError::library("making a KeyPackage"))?;
		let package = bundle.key_package();
		let reference = package.hash_ref(&self.crypto).map_err(EngineError::library("naming a KeyPackage"))?;
		let bytes = package.tls_serialize_detached().map_err(EngineError::library("encoding a KeyPackage"))?;
		signer::Of::Package(reference.as_slice()).keep(&step, seed)?;
		step.commit()?;
		Ok(NewKeyPackage { bytes, reference: reference.as_slice().to_vec() })
	}
}

/// Reads a KeyPackage in its TLS form and checks it: signatures, policy, and that its keys are of use.
pub(super) fn parse(crypto: &Crypto, bytes: &[u8]) -> Result<KeyPackage, String> {
	let package = tls::decode::<KeyPackageIn>(bytes).ok_or("it does not decode")?;
	let package = package.validate(crypto, ProtocolVersion::Mls10).map_err(|error| error.to_string())?;
	let leaf_key = first_vector(package.leaf_node().encryption_key()).map_err(|error| error.to_string())?;
	policy::check_key_package(&package)
		.and_then(|()| policy::check_key(package.hpke_init_key().as_slice()))
		.and_then(|()| policy::check_key(&leaf_key))
		.map_err(|error| error.to_string())?;
	Ok(package)
}
