//! What OpenMLS works with: RustCrypto's cryptography and randomness, and an overlay as its storage.

use super::crypto::Crypto;
use crate::store::Overlay;
use openmls_rust_crypto::RustCrypto;
use openmls_traits::{random::OpenMlsRand, OpenMlsProvider};

/// Where random numbers come from.
#[derive(Default)]
pub(super) struct Random {
	system: RustCrypto,
	/// In the place of the system, for simulations that can be repeated.
	#[cfg(feature = "simulation")]
	seeded: Option<std::sync::Mutex<rand::rngs::StdRng>>,
}

impl Random {
	#[cfg(feature = "simulation")]
	pub(super) fn seeded(seed: u64) -> Self {
		use rand::SeedableRng;
		Self { seeded: Some(std::sync::Mutex::new(rand::rngs::StdRng::seed_from_u64(seed))), ..Self::default() }
	}

	/// Fills `bytes` from the seed, if there is one.
	#[cfg(feature = "simulation")]
	fn fill_from_seed(&self, bytes: &mut [u8]) -> bool {
		use rand::RngCore;
		let Some(seeded) = &self.seeded else { return false };
		seeded.lock().unwrap_or_else(std::sync::PoisonError::into_inner).fill_bytes(bytes);
		true
	}
}

impl OpenMlsRand for Random {
	type Error = <RustCrypto as OpenMlsRand>::Error;

	fn random_array<const N: usize>(&self) -> Result<[u8; N], Self::Error> {
		#[cfg(feature = "simulation")]
		{
			let mut bytes = [0; N];
			if self.fill_from_seed(&mut bytes) {
				return Ok(bytes);
			}
		}
		self.system.random_array()
	}

	fn random_vec(&self, len: usize) -> Result<Vec<u8>, Self::Error> {
		#[cfg(feature = "simulation")]
		{
			let mut bytes = vec![0; len];
			if self.fill_from_seed(&mut bytes) {
				return Ok(bytes);
			}
		}
		self.system.random_vec(len)
	}
}

/// The provider for one step on one overlay.
pub(super) struct Provider<'p, 'o> {
	crypto: &'p Crypto,
	random: &'p Random,
	overlay: &'p Overlay<'o>,
}

impl<'p, 'o> Provider<'p, 'o> {
	pub(super) fn new(crypto: &'p Crypto, random: &'p Random, overlay: &'p Overlay<'o>) -> Self {
		Self { crypto, random, overlay }
	}
}

impl<'o> OpenMlsProvider for Provider<'_, 'o> {
	type CryptoProvider = Crypto;
	type RandProvider = Random;
	type StorageProvider = Overlay<'o>;

	fn storage(&self) -> &Overlay<'o> {
		self.overlay
	}

	fn crypto(&self) -> &Crypto {
		self.crypto
	}

	fn rand(&self) -> &Random {
		self.random
	}
}
