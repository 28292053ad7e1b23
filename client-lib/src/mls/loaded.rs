//! Groups as OpenMLS has them in memory, kept by the store from one operation to the next ([`Overlay::take`]).

use super::{error::EngineError, group::mls_id, Engine};
use crate::store::Overlay;
use lockstep_primitives::{GroupId, PayloadHash};
use openmls::prelude::{MlsGroup, PublicGroup};

/// A group of this member, as its records say.
pub(super) struct Loaded {
	pub(super) mls: MlsGroup,
	/// Public state of this epoch, or of the one that this member's pending commit opens; which it is shows in its
	/// confirmation tag.
	pub(super) public: Option<PublicGroup>,
	/// The commit that is pending in `mls`, though in no record of it: this member's newest, by its payload. If it wins it need
	/// not be decoded. Only who merges it, and who changes nothing, gets to see a group with it.
	pub(super) pending: Option<PayloadHash>,
}

impl Engine {
	/// Takes a group to work with. Whoever is done with it keeps it or gives it back; it is dropped when something goes
	/// wrong, for it may then be half changed.
	///
	/// # Errors
	/// [`EngineError::NoSuchGroup`]; [`EngineError::Store`] if it cannot be read.
	pub(super) fn take(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Loaded, EngineError> {
		let mut loaded = self.take_as_it_is(overlay, group)?;
		loaded.drop_pending(overlay)?;
		Ok(loaded)
	}

	/// The same, with the commit that may be pending: to read, or to merge that.
	pub(super) fn take_as_it_is(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Loaded, EngineError> {
		match overlay.take(&mls_id(group)) {
			Some(loaded) => Ok(loaded),
			None => Ok(Loaded { mls: self.load(overlay, group)?, public: None, pending: None }),
		}
	}

	/// The same, of a group that this member must still be one of.
	pub(super) fn take_active(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Loaded, EngineError> {
		active(self.take(overlay, group)?, group)
	}

	/// [`Self::take_as_it_is`], of a group that this member must still be one of.
	pub(super) fn take_active_as_it_is(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Loaded, EngineError> {
		active(self.take_as_it_is(overlay, group)?, group)
	}
}

fn active(loaded: Loaded, group: &GroupId) -> Result<Loaded, EngineError> {
	if loaded.mls.is_active() {
		Ok(loaded)
	} else {
		Err(EngineError::Removed(*group))
	}
}

impl Loaded {
	/// Drops the pending commit, if there is one. No record changes by it, for none has it.
	pub(super) fn drop_pending(&mut self, overlay: &Overlay<'_>) -> Result<(), EngineError> {
		match self.pending.take() {
			Some(_) => Ok(self.mls.clear_pending_commit(&overlay.nested())?),
			None => Ok(()),
		}
	}

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
