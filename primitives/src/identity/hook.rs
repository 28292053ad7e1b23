//! What other pallets are told of identities.

use crate::{IdentityId, IdentityKey};

/// Hears of what has lost its place, for good.
pub trait OnRevoked {
	/// A device key has, in this block. Must be cheap: an event can revoke many.
	fn on_revoked(device: &IdentityKey);
	/// An identity has ended, in this block, after each of its devices was revoked.
	fn on_ended(identity: &IdentityId);
}

impl OnRevoked for () {
	fn on_revoked(_: &IdentityKey) {}
	fn on_ended(_: &IdentityId) {}
}
