//! KeyPackages (RFC 9420 section 10): what others need to add this member to a group.

use super::{
	constants::{capabilities, last_resort_capabilities, lifetime, CIPHERSUITE},
	crypto::Crypto,
	error::EngineError,
	invitation, policy,
	public_phase::first_vector,
	signer::{self, SignerSeed},
	tls, Engine,
};
use crate::store::Overlay;
use openmls::prelude::{tls_codec::Serialize as _, KeyPackage, KeyPackageIn, ProtocolVersion};
use openmls_traits::storage::StorageProvider;

/// A KeyPackage, made and stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKeyPackage {
	/// Its TLS form, to hand to whoever may add this member.
	pub bytes: Vec<u8>,
	/// Its KeyPackageRef (RFC 9420 section 5.2), which names the mailbox that its Welcome comes to.
	pub reference: Vec<u8>,
}

/// How often a KeyPackage serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serves {
	/// For one group: its private keys are used up by the first Welcome.
	Once,
	/// For any number, as a last resort: it says so by an extension (`last_resort`, 0x000a, of draft-ietf-mls-extensions), and
	/// its private keys stay until they are [forgotten](Engine::forget_key_package).
	Again,
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
		self.key_package_for(overlay, seed, Serves::Once)
	}

	/// The same, signed with a given key, for one group or for any number.
	///
	/// # Errors
	/// As [`Self::key_package`].
	pub fn key_package_for(
		&self,
		overlay: &Overlay<'_>,
		seed: &SignerSeed,
		serves: Serves,
	) -> Result<NewKeyPackage, EngineError> {
		let step = overlay.nested();
		let builder = KeyPackage::builder().key_package_lifetime(lifetime());
		let builder = match serves {
			Serves::Once => builder.leaf_node_capabilities(capabilities()),
			Serves::Again => builder.leaf_node_capabilities(last_resort_capabilities()).mark_as_last_resort(),
		};
		let bundle = builder
			.build(CIPHERSUITE, &self.provider(&step), &seed.pair(), self.credential_of(seed))
			.map_err(EngineError::library("making a KeyPackage"))?;
		let package = bundle.key_package();
		let reference = package.hash_ref(&self.crypto).map_err(EngineError::library("naming a KeyPackage"))?;
		let bytes = package.tls_serialize_detached().map_err(EngineError::library("encoding a KeyPackage"))?;
		signer::Of::Package(reference.as_slice()).keep(&step, seed)?;
		step.commit()?;
		Ok(NewKeyPackage { bytes, reference: reference.as_slice().to_vec() })
	}

	/// Deletes the private keys of a KeyPackage: no Welcome to it can be opened any more. One that is not there is no error.
	///
	/// # Errors
	/// [`EngineError::Store`].
	pub fn forget_key_package(&self, overlay: &Overlay<'_>, key_package_ref: &[u8]) -> Result<(), EngineError> {
		let step = overlay.nested();
		if let Some(reference) = invitation::reference(key_package_ref) {
			step.delete_key_package(&reference)?;
		}
		signer::Of::Package(key_package_ref).forget(&step)?;
		Ok(step.commit()?)
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
