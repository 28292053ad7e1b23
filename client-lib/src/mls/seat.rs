//! A member's seat in a group: what shows the others that it is this member, so that they give it a new leaf.
//!
//! It is what a backup carries of a group (decision 0020). With it one asks to be readmitted, and does nothing else: it
//! opens no message and no commit, of any epoch, and has no private key of the leaf.

use super::{
	keys::Voice,
	rejoin::{own_leaf, LastLeaf},
	signer::{self, SignerSeed},
	Engine, EngineError,
};
use crate::store::{Overlay, StoreError};
use codec::{Decode, Encode};
use lockstep_primitives::GroupId;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Seat {
	/// The seed of the signature key of its leaf.
	pub signer: SignerSeed,
	/// The public encryption key of the leaf; empty if it is not known.
	pub leaf: Vec<u8>,
	/// What a request is posted with, for as long as the chain has the epoch that it is of.
	pub voice: Option<Voice>,
}

impl Seat {
	/// Keeps it in a store that has no state of the group, for [`Engine::rejoin_request`] to use.
	///
	/// # Errors
	/// [`StoreError`].
	pub fn keep(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<(), StoreError> {
		signer::Of::Group(group).keep(overlay, &self.signer)?;
		if !self.leaf.is_empty() {
			overlay.put(group.as_bytes(), &LastLeaf::new(self.leaf.clone()))?;
		}
		self.voice.as_ref().map_or(Ok(()), |voice| overlay.put(group.as_bytes(), voice))
	}

	/// What [`Self::keep`] kept; `signer` is the key if none was.
	pub(super) fn kept(overlay: &Overlay<'_>, group: &GroupId, signer: &SignerSeed) -> Result<Self, EngineError> {
		Ok(Self {
			signer: signer::Of::Group(group).readable(overlay)?.unwrap_or_else(|| signer.clone()),
			leaf: LastLeaf::readable(overlay, group)?.map(LastLeaf::into_key).unwrap_or_default(),
			// Where a state is damaged, its keys may be there still.
			voice: Voice::kept(overlay, group)?
				.map_or_else(|| Voice::newest(overlay, group), |voice| Ok(Some(voice)))?,
		})
	}
}

impl Engine {
	/// The seed of the key that signs new KeyPackages.
	pub fn signer_seed(&self) -> SignerSeed {
		self.seed.clone()
	}

	/// This member's seat in a group. `None` if it was removed from it. Of a group of which the store has no state it is
	/// the one that was restored, and of one whose state is damaged what can be read of it.
	///
	/// # Errors
	/// [`EngineError::Store`], [`EngineError::Library`]; [`EngineError::NoSigner`] if the key of the leaf is not stored.
	pub fn seat(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Option<Seat>, EngineError> {
		match self.readable(overlay, group)? {
			Some(mls) if mls.is_active() => Ok(Some(Seat {
				signer: self.signer_of(overlay, group, &mls)?,
				leaf: own_leaf(&mls).unwrap_or_default(),
				voice: Voice::newest(overlay, group)?,
			})),
			Some(_) => Ok(None),
			None => Seat::kept(overlay, group, &self.seed).map(Some),
		}
	}
}
