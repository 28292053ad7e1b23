//! What a group remembers of the devices of this member's person: which were taken out of it, and what was spent on those that it
//! lacks.

use super::super::core::Core;
use crate::{
	mls::{EpochChange, Intent, KnownDevices, MemberDevice, Mls},
	store::{Overlay, Record, StoreError},
};
use lockstep_primitives::{GroupId, IdentityId, IdentityKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Devices that are remembered, of either sort; the oldest go.
const MOST: usize = 256;
/// Vouchers that are spent in vain, for a group and a key of a device: no more are.
pub(super) const MOST_SPENT: u32 = 3;

/// See the module. By the group's id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OwnDevices {
	/// Those that were taken out while the person stayed.
	taken_out: Vec<IdentityKey>,
	/// How many vouchers came to nothing.
	#[serde(default)]
	spent: Vec<(IdentityKey, u32)>,
}

impl Record for OwnDevices {
	const KIND: &'static str = "own devices of a group";
}

impl OwnDevices {
	/// What is remembered of a group. A damaged record says nothing: a group does not halt for what only this is about.
	pub(super) fn of(overlay: &Overlay<'_>, id: &GroupId) -> Result<Self, StoreError> {
		// A transaction of its own: one that has failed to read something writes nothing any more.
		match overlay.nested().get::<Self>(id.as_bytes()) {
			Ok(known) => Ok(known.unwrap_or_default()),
			Err(error @ StoreError::Corrupt { .. }) => {
				tracing::warn!(group = %id, %error, "which devices were taken out of a group is forgotten");
				Ok(Self::default())
			}
			Err(error) => Err(error),
		}
	}

	fn store(mut self, overlay: &Overlay<'_>, id: &GroupId) -> Result<(), StoreError> {
		self.taken_out.drain(..self.taken_out.len().saturating_sub(MOST));
		self.spent.drain(..self.spent.len().saturating_sub(MOST));
		overlay.put(id.as_bytes(), &self)
	}

	/// Those that were taken out, by whatever keys they have by now.
	pub(super) fn taken_out(&self, overlay: &Overlay<'_>, me: IdentityId) -> Result<BTreeSet<IdentityKey>, StoreError> {
		let mut taken_out: BTreeSet<IdentityKey> = self.taken_out.iter().copied().collect();
		if !taken_out.is_empty() {
			let known = overlay.get::<KnownDevices>(&me.0)?;
			let heirs =
				|known: KnownDevices| self.taken_out.iter().flat_map(|key| known.heirs(key)).collect::<Vec<_>>();
			taken_out.extend(known.map(heirs).unwrap_or_default());
		}
		Ok(taken_out)
	}

	/// How many vouchers were spent on a device in vain.
	pub(super) fn spent(&self, device: &IdentityKey) -> u32 {
		self.spent.iter().find(|(other, _)| other == device).map_or(0, |(_, spent)| *spent)
	}
}

/// So many more vouchers were spent in vain on these devices.
pub(super) fn count_spent(
	overlay: &Overlay<'_>,
	id: &GroupId,
	devices: &[IdentityKey],
	vouchers: u32,
) -> Result<(), StoreError> {
	if devices.is_empty() || vouchers == 0 {
		return Ok(());
	}
	let mut own = OwnDevices::of(overlay, id)?;
	for device in devices {
		let spent = own.spent(device).saturating_add(vouchers);
		own.spent.retain(|(other, _)| other != device);
		own.spent.push((*device, spent));
	}
	own.store(overlay, id)
}

pub(super) fn key_of(device: &MemberDevice) -> Option<IdentityKey> {
	device.key.0.as_slice().try_into().map(IdentityKey).ok()
}

/// Those of the person `me` that a commit has taken out.
fn gone(me: &[u8], change: &EpochChange) -> Vec<IdentityKey> {
	change.devices_removed.iter().filter(|device| device.identity.0 == me).filter_map(key_of).collect()
}

/// Somebody wanted these devices of the person `me` out of the group: they are not brought in again by themselves.
pub(in crate::client) fn remember_taken_out(
	overlay: &Overlay<'_>,
	id: &GroupId,
	me: &[u8],
	change: &EpochChange,
) -> Result<(), StoreError> {
	let gone = gone(me, change);
	if gone.is_empty() {
		return Ok(());
	}
	let mut own = OwnDevices::of(overlay, id)?;
	own.taken_out.retain(|device| !gone.contains(device));
	own.taken_out.extend(gone);
	own.store(overlay, id)
}

impl<M: Mls> Core<M> {
	/// Whether a commit has taken out a device of this member's person.
	pub(in crate::client) fn takes_out_own(&self, change: &EpochChange) -> bool {
		!gone(self.engine.identity(), change).is_empty()
	}

	/// A device of this member's person was taken out: what is to be added by this client's own accord is looked at anew, since it
	/// may be that one.
	pub(in crate::client) fn forget_own_adds(&mut self, id: &GroupId) {
		let me = self.person();
		if let Some(group) = self.groups.get_mut(id) {
			group.waiting.retain(|operation| {
				operation.number.is_some() || !matches!(operation.intent, Intent::AddClaimed { .. })
			});
			me.into_iter().for_each(|me| group.retiring.suspect(me));
		}
	}
}
