//! Groups as OpenMLS has them in memory, kept by the store from one operation to the next ([`Overlay::take`]).

use super::{error::EngineError, group::mls_id, Engine};
use crate::store::Overlay;
use lockstep_primitives::GroupId;
use openmls::prelude::{MlsGroup, PublicGroup};

/// A group of this member, as its records say.
pub(super) struct Loaded {
	pub(super) mls: MlsGroup,
	/// Public state of this epoch, or of the one that this member's pending commit opens; which it is shows in its
	/// confirmation tag.
	pub(super) public: Option<PublicGroup>,
}

impl Engine {
	/// Takes a group to work with. Whoever is done with it keeps it or gives it back; it is dropped when something goes
	/// wrong, for it may then be half changed.
	///
	/// # Errors
	/// [`EngineError::NoSuchGroup`]; [`EngineError::Store`] if it cannot be read.
	pub(super) fn take(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Loaded, EngineError> {
		match overlay.take(&mls_id(group)) {
			Some(loaded) => Ok(loaded),
			None => Ok(Loaded { mls: self.load(overlay, group)?, public: None }),
		}
	}

	/// The same, of a group that this member must still be one of.
	pub(super) fn take_active(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Loaded, EngineError> {
		let loaded = self.take(overlay, group)?;
		if loaded.mls.is_active() {
			Ok(loaded)
		} else {
			Err(EngineError::Removed(*group))
		}
	}
}

impl Loaded {
	/// It is as it was taken.
	pub(super) fn give_back(self, overlay: &Overlay<'_>) {
		let id = self.mls.group_id().clone();
		overlay.give_back(&id, self);
	}

	/// What was changed in it was written to this overlay.
	pub(super) fn keep(self, overlay: &Overlay<'_>) {
		let id = self.mls.group_id().clone();
		overlay.keep(&id, self);
	}

	/// Takes out the public state of the current epoch, if it is there. The tag is made of all of the group's history, with
	/// a key that only this epoch has (RFC 9420 section 8.1): no other state has the same.
	pub(super) fn take_public(&mut self) -> Option<PublicGroup> {
		self.public.take().filter(|public| public.confirmation_tag() == self.mls.confirmation_tag())
	}
}
