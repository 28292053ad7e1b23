//! Taking out the leaves of devices that were revoked.
//!
//! Every member sees the same, and one is enough. So members have turns: first the other devices of the same person, then the
//! rest by a hash, the first at once and then ever more of them at a time. Whoever comes too late finds that it is done.

use super::super::{
	action::Action,
	core::Core,
	group::{Group, Operation},
	leave::turn_among,
	records::{Home, ONLY},
	GroupError,
};
use crate::mls::{EpochChange, GroupView, Intent, MemberDevice, Mls, SignerSeed};
use lockstep_primitives::{rpc::HexBytes, BlockNumber, GroupId, IdentityId};
use std::collections::BTreeSet;

/// Finalized blocks between two turns: until all have heard of it, and the first commit is final.
pub(super) const TURN: BlockNumber = 8;
/// Finalized blocks after which a commit that has come to nothing is tried again.
pub(super) const AGAIN: BlockNumber = 60;

/// What a group knows of this.
#[derive(Debug, Default)]
pub(in crate::client) struct Retiring {
	/// Whose logs are to be compared with the group's leaves.
	suspects: Suspects,
	/// Leaves to be taken out, each with the block of this member's turn.
	due: Vec<(MemberDevice, BlockNumber)>,
	/// This member's leaf has a key that is none of its device any more, and the client has the one that is: the block in which the
	/// leaf is given that, again if nothing came of it.
	renew: Option<BlockNumber>,
}

#[derive(Debug)]
enum Suspects {
	Everybody,
	Only(BTreeSet<IdentityId>),
}

impl Default for Suspects {
	/// A group that was just opened or joined.
	fn default() -> Self {
		Self::Everybody
	}
}

impl Retiring {
	/// Somebody's log, or leaves, may have changed.
	pub fn suspect(&mut self, person: IdentityId) {
		if let Suspects::Only(people) = &mut self.suspects {
			people.insert(person);
		}
	}
}

/// After how many blocks it is this member's turn.
pub(super) fn wait(
	view: &GroupView,
	revoked: &[(MemberDevice, BlockNumber)],
	device: &MemberDevice,
	group: &GroupId,
) -> BlockNumber {
	let is_out = |one: &MemberDevice| revoked.iter().any(|(revoked, _)| revoked == one);
	let clients = view.devices.iter().zip(&view.clients).filter(|(one, _)| !is_out(one));
	let (own, others): (Vec<_>, Vec<_>) = clients.partition(|(one, _)| one.identity == device.identity);
	let names = |clients: Vec<(&MemberDevice, &Vec<u8>)>| clients.into_iter().map(|(_, name)| name.clone()).collect();
	let (own, others): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (names(own), names(others));
	let turn = |among: &[Vec<u8>]| turn_among(&view.me, &[], among, (group, view.epoch));
	let turn = if own.contains(&view.me) { turn(&own) } else { own.len().saturating_add(turn(&others)) };
	// Twice as many with each turn.
	TURN.saturating_mul(turn.checked_ilog2().map_or(0, |twice| twice.saturating_add(1)))
}

/// Whether a device is this member's.
fn is_mine(device: &MemberDevice, view: &GroupView) -> bool {
	[&device.identity.0[..], &device.key.0].concat() == view.me
}

impl<M: Mls> Core<M> {
	/// Somebody's log was read again.
	pub(super) fn suspect(&mut self, person: IdentityId) {
		self.groups.values_mut().for_each(|group| group.retiring.suspect(person));
	}

	/// Who has just come in may have been revoked since.
	pub(in crate::client) fn suspect_newcomers(&mut self, id: &GroupId, change: &EpochChange) {
		let Some(group) = self.groups.get_mut(id) else { return };
		let devices = change.devices_added.iter().map(|device| &device.identity.0);
		let identities = change.added.iter().chain(&change.readmitted).chain(&change.rotated);
		for identity in identities.chain(devices) {
			if let Ok(person) = identity.as_slice().try_into() {
				group.retiring.suspect(IdentityId(person));
			}
		}
	}

	/// The person whose device this client is; none if its identity is a name.
	pub(super) fn person(&self) -> Option<IdentityId> {
		self.engine.identity().try_into().map(IdentityId).ok()
	}

	/// Goes over to another signature key.
	pub(in crate::client) fn change_signer(&mut self, seed: SignerSeed) -> Result<(), GroupError> {
		let overlay = self.store.overlay();
		let stored = overlay.get::<Home>(ONLY).and_then(|home| {
			let home = home.map(|home| Home { signer: HexBytes(seed.public()), ..home });
			home.map_or(Ok(()), |home| overlay.put(ONLY, &home))?;
			overlay.commit()
		});
		stored.map_err(|error| GroupError::Store(error.to_string()))?;
		self.engine.change_signer(seed);
		if let Some(me) = self.person() {
			let block = self.finalized;
			self.suspect(me);
			self.act(Action::LookUp { people: [me].into(), block });
		}
		Ok(())
	}

	/// A block is final, and the log of the group was read up to it: takes out what it is this member's turn to take out.
	pub(in crate::client) fn retire(&mut self, id: &GroupId) {
		if !self.usable(id).is_ok_and(|group| group.caught_up) {
			return;
		}
		self.compare_with_logs(id);
		let finalized = self.finalized;
		let Ok(group) = self.usable(id) else { return };
		if !group.is_idle() {
			return;
		}
		if group.retiring.renew.is_some_and(|due| due <= finalized) {
			group.retiring.renew = Some(finalized.saturating_add(AGAIN));
			let seed = self.engine.signer_seed();
			if let Some(group) = self.groups.get_mut(id) {
				group.waiting.push_back(Operation::own(Intent::Rotate { seed }, false));
			}
			return self.start_waiting(id);
		}
		let mut devices = Vec::new();
		for (device, due) in group.retiring.due.iter_mut().filter(|(_, due)| *due <= finalized) {
			*due = finalized.saturating_add(AGAIN);
			devices.push(device.clone());
		}
		for device in devices {
			// Each by itself: one that cannot go, such as the last administrator's last, keeps no other.
			let intent = Intent::RemoveDevices(vec![device.clone()]);
			let is_out = self.engine.satisfied(&self.store.overlay(), id, &intent);
			let Some(group) = self.groups.get_mut(id) else { return };
			match is_out {
				Ok(true) => group.retiring.due.retain(|(other, _)| *other != device),
				Ok(false) => group.waiting.push_back(Operation::own(intent, true)),
				Err(error) => return self.halt(id, error),
			}
		}
		self.start_waiting(id);
	}

	fn compare_with_logs(&mut self, id: &GroupId) {
		let Some(group) = self.groups.get_mut(id).filter(|group| Group::is_followed(group)) else { return };
		let of = match std::mem::replace(&mut group.retiring.suspects, Suspects::Only(BTreeSet::new())) {
			Suspects::Only(people) if people.is_empty() => return,
			Suspects::Only(people) => Some(people),
			Suspects::Everybody => None,
		};
		let overlay = self.store.overlay();
		let found = self.engine.standing(&overlay, id, of.as_ref()).and_then(|standing| {
			let view = self.engine.group(&overlay, id)?;
			Ok((standing, view))
		});
		drop(overlay);
		let (standing, view) = match found {
			Ok((standing, Some(view))) => (standing, view),
			Ok((_, None)) => return,
			Err(error) => return self.halt(id, error),
		};
		let me = self.person();
		let Some(group) = self.groups.get_mut(id) else { return };
		// What was found before of those who were not looked at now stays.
		let looked_at = |device: &MemberDevice| match &of {
			None => true,
			Some(of) => of.iter().any(|person| person.0[..] == device.identity.0),
		};
		let mut due: Vec<_> = group.retiring.due.iter().filter(|(device, _)| !looked_at(device)).cloned().collect();
		for (device, since) in &standing.revoked {
			if !is_mine(device, &view) {
				due.push((device.clone(), since.saturating_add(wait(&view, &standing.revoked, device, id))));
			}
		}
		group.retiring.due = due;
		let is_looked_at = |me: IdentityId| of.as_ref().is_none_or(|of| of.contains(&me));
		if me.is_some_and(is_looked_at) {
			let before = group.retiring.renew;
			group.retiring.renew = standing.outdated.then(|| before.unwrap_or_default());
			self.found_missing(id, &view, &standing);
			if standing.unread {
				self.read_own_log();
			}
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::mls::GroupData;
	use lockstep_primitives::rpc::HexBytes;

	fn device(person: u8, key: u8) -> MemberDevice {
		MemberDevice { identity: HexBytes(vec![person]), key: HexBytes(vec![key]) }
	}

	fn view(devices: &[MemberDevice], me: usize) -> GroupView {
		let name = |device: &MemberDevice| [&device.identity.0[..], &device.key.0].concat();
		GroupView {
			epoch: 3,
			authenticator: Vec::new(),
			members: devices.iter().map(|device| device.identity.0.clone()).collect(),
			devices: devices.to_vec(),
			clients: devices.iter().map(name).collect(),
			me: name(&devices[me]),
			data: GroupData::default(),
			active: true,
			ordering_key: None,
		}
	}

	#[test]
	fn one_is_first_and_it_is_another_device_of_the_person_if_there_is_one() {
		let mut devices: Vec<MemberDevice> = (0..9).map(|person| device(person, person)).collect();
		devices.extend([device(4, 40), device(4, 41)]);
		let revoked = vec![(devices[4].clone(), 7), (devices[5].clone(), 8)];
		let waits = |of: usize| -> Vec<BlockNumber> {
			let members = (0..devices.len()).filter(|me| *me != 4 && *me != 5);
			members.map(|me| wait(&view(&devices, me), &revoked, &devices[of], &GroupId([1; 32]))).collect()
		};
		let first = |waits: &[BlockNumber]| waits.iter().filter(|wait| **wait == 0).count();
		let own = waits(4);
		// The last two are the other devices of the same person.
		assert_eq!((first(&own), own[7].min(own[8]), own[7].max(own[8])), (1, 0, TURN));
		let others = waits(5);
		assert_eq!((first(&others), others.iter().max()), (1, Some(&(TURN * 4))), "{others:?}");
	}

	#[test]
	fn of_a_persons_devices_one_is_first_to_bring_in_another() {
		let devices = [device(1, 1), device(4, 40), device(4, 41), device(2, 2)];
		let waits = |me| wait(&view(&devices, me), &[], &device(4, 42), &GroupId([1; 32]));
		let (one, other) = (waits(1), waits(2));
		assert_eq!((one.min(other), one.max(other)), (0, TURN));
		// One that was revoked has no turn before the others.
		let revoked = [(devices[1].clone(), 7)];
		assert_eq!(wait(&view(&devices, 2), &revoked, &device(4, 42), &GroupId([1; 32])), 0);
	}
}
