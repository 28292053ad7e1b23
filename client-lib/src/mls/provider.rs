//! What OpenMLS works with: RustCrypto's cryptography and randomness, and an overlay as its storage.

use crate::store::Overlay;
use openmls_rust_crypto::RustCrypto;
use openmls_traits::OpenMlsProvider;

/// The provider for one step on one overlay.
pub(super) struct Provider<'p, 'o> {
	crypto: &'p RustCrypto,
	overlay: &'p Overlay<'o>,
}

impl<'p, 'o> Provider<'p, 'o> {
	pub(super) fn new(crypto: &'p RustCrypto, overlay: &'p Overlay<'o>) -> Self {
		Self { crypto, overlay }
	}
}

impl<'o> OpenMlsProvider for Provider<'_, 'o> {
	type CryptoProvider = RustCrypto;
	type RandProvider = RustCrypto;
	type StorageProvider = Overlay<'o>;

	fn storage(&self) -> &Overlay<'o> {
		self.overlay
	}

	fn crypto(&self) -> &RustCrypto {
		self.crypto
	}

	fn rand(&self) -> &RustCrypto {
		self.crypto
	}
}
