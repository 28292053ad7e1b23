//! What is left of a group when its stored state is damaged: it is lost, but for what other records say.
//!
//! The member comes back as one that has lost its state (decision 0037): it asks for a new leaf, and what it joins then takes
//! the place of what is damaged.

use super::{
	error::EngineError,
	group::mls_id,
	keys::{request, EpochKeys},
	meter, Engine, Prepared,
};
use crate::store::{self, Overlay, Record, StoreError};
use lockstep_primitives::GroupId;
use openmls::prelude::MlsGroup;

impl Engine {
	/// The state of a group; nothing if there is none, or none that can be read.
	pub(super) fn readable(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Option<MlsGroup>, StoreError> {
		overlay.if_readable(|overlay| MlsGroup::load(overlay, &mls_id(group)))
	}

	/// The last epoch of a group that this member was in, as far as is known. Its state says so, and the keys that were
	/// recorded on entering do, also if it is damaged: of a member that was removed the state is in the epoch that the removal
	/// opened, and has no keys of it.
	///
	/// # Errors
	/// [`EngineError::Store`], also if neither can be read.
	pub(super) fn last_epoch(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Option<u64>, EngineError> {
		let state = self.readable(overlay, group)?;
		let by_keys = match EpochKeys::newest_epoch(&overlay.nested(), group) {
			Err(StoreError::Corrupt { .. }) if state.is_some() => None,
			newest => newest?,
		};
		let by_state = state.and_then(|mls| mls.epoch().as_u64().checked_sub(u64::from(!mls.is_active())));
		Ok(by_state.max(by_keys))
	}
}

impl EngineError {
	/// Whether what the store has of a group's state is damaged, or gone: then only a new leaf helps the member.
	pub(crate) fn is_lost_state(&self) -> bool {
		match self {
			Self::NoSuchGroup(_) => true,
			Self::Store(error) => is_damaged_state(error),
			_ => false,
		}
	}
}

impl EngineError {
	/// Whether it is trouble of the store that can pass.
	pub(crate) fn may_pass(&self) -> bool {
		matches!(self, Self::Store(error) if error.may_pass())
	}
}

/// Whether an error of the store is damage to a record that joining the group anew writes anew.
pub(crate) fn is_damaged_state(error: &StoreError) -> bool {
	match error {
		StoreError::Corrupt { kind, .. } => {
			let own = [EpochKeys::KIND, Prepared::KIND, meter::KIND];
			store::is_of_mls_group(kind) || own.contains(kind) || request::KINDS.contains(kind)
		}
		StoreError::Faulted(first) => is_damaged_state(first),
		_ => false,
	}
}
