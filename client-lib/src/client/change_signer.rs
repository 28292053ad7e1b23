//! Another signer for a store, after the device of a person has got another key.

use super::{
	records::{Home, ONLY},
	OpenError,
};
use crate::{
	mls::SignerSeed,
	store::{Store, StoreKey},
};
use lockstep_primitives::rpc::HexBytes;
use std::path::Path;

/// Has the client of a store make its KeyPackages and groups with another signature key from now on: from here on
/// [`Config::signer`](super::Config::signer) is this one. The store must not be open. Groups that it is in, and KeyPackages that it has
/// handed out, stay at the keys that they have ([`Client::rotate`](super::Client::rotate)). To do it again changes nothing.
///
/// # Errors
/// [`OpenError::Store`]; [`OpenError::OtherIdentity`] if the store is another identity's.
pub fn change_signer(
	path: impl AsRef<Path>,
	key: &StoreKey,
	identity: &[u8],
	signer: &[u8; 32],
) -> Result<(), OpenError> {
	let store = Store::open(path.as_ref(), key)?;
	let overlay = store.overlay();
	// A store that is new takes the signer that it is opened with.
	let Some(home) = overlay.get::<Home>(ONLY)? else { return Ok(()) };
	if home.identity.0 != identity {
		return Err(OpenError::OtherIdentity);
	}
	let signer = HexBytes(SignerSeed::new(*signer).public());
	if home.signer != signer {
		overlay.put(ONLY, &Home { signer, ..home })?;
		overlay.commit()?;
	}
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;
	use lockstep_primitives::{GenesisHash, OrderingParameters};

	fn home(store: &Store) -> Option<Home> {
		store.overlay().get(ONLY).unwrap()
	}

	#[test]
	fn a_store_has_one_signer_at_a_time_and_keeps_the_rest() {
		let folder = tempfile::tempdir().unwrap();
		let (path, key) = (folder.path().join("store"), StoreKey::from_bytes([3; 32]));
		change_signer(&path, &key, b"anna", &[1; 32]).unwrap();
		let store = Store::open(&path, &key).unwrap();
		assert_eq!(home(&store), None, "a new store belongs to nobody yet");
		let parameters: OrderingParameters = crate::client::parameters::PARAMETERS;
		let signer = HexBytes(SignerSeed::new([1; 32]).public());
		let first = Home { genesis: GenesisHash([7; 32]), identity: HexBytes(b"anna".to_vec()), signer, parameters };
		let overlay = store.overlay();
		overlay.put(ONLY, &first).unwrap();
		overlay.commit().unwrap();
		assert!(change_signer(&path, &key, b"anna", &[2; 32]).is_err(), "it is in use");
		drop(store);

		assert!(matches!(change_signer(&path, &key, b"bert", &[2; 32]), Err(OpenError::OtherIdentity)));
		for _ in 0..2 {
			change_signer(&path, &key, b"anna", &[2; 32]).unwrap();
			let store = Store::open(&path, &key).unwrap();
			let signer = HexBytes(SignerSeed::new([2; 32]).public());
			assert_eq!(home(&store), Some(Home { signer, ..first.clone() }));
		}
	}
}
