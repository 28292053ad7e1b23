//! What other pallets are told of identities.

use crate::IdentityKey;

/// Hears of device keys that have lost their place, for good.
pub trait OnRevoked {
	/// This one has, in this block. Must be cheap: an event can revoke many.
	fn on_revoked(device: &IdentityKey);
}

impl OnRevoked for () {
	fn on_revoked(_: &IdentityKey) {}
}
