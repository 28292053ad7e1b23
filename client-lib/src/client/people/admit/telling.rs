//! Telling the application which devices are missing, and why they do not come in: of each once.

use super::super::{
	super::{core::Core, Event},
	claim::NotAddedBecause,
};
use crate::mls::Mls;
use lockstep_primitives::{GroupId, IdentityKey};
use std::mem::discriminant;

impl<M: Mls> Core<M> {
	pub(super) fn tell_missing(&mut self, id: &GroupId, devices: &[IdentityKey]) {
		let identity = self.engine.identity().to_vec();
		for device in devices {
			let Some(group) = self.groups.get_mut(id) else { return };
			if !group.admitting.missing.contains(device) {
				group.admitting.missing.push(*device);
				let (identity, key) = (identity.clone(), device.0.to_vec());
				self.report(Event::DeviceMissing { group: *id, identity, key });
			}
		}
	}

	pub(super) fn tell_why_of_all(&mut self, id: &GroupId, reason: &NotAddedBecause) {
		let devices = self.groups.get(id).map(|group| group.admitting.devices()).unwrap_or_default();
		self.tell_why(id, &devices, reason);
	}

	/// Of each kind of reason is told once.
	pub(super) fn tell_why(&mut self, id: &GroupId, devices: &[IdentityKey], reason: &NotAddedBecause) {
		let (identity, kind) = (self.engine.identity().to_vec(), discriminant(reason));
		for device in devices {
			let Some(group) = self.groups.get_mut(id) else { return };
			let told = &mut group.admitting.told;
			if !told.iter().any(|(other, why)| other == device && discriminant(why) == kind) {
				told.push((*device, reason.clone()));
				let (identity, key) = (identity.clone(), device.0.to_vec());
				self.report(Event::DeviceNotAdded { group: *id, identity, key, reason: reason.clone() });
			}
		}
	}
}
