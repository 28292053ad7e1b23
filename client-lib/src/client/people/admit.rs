//! Bringing in the devices of this member's own person that a group lacks.
//!
//! Their KeyPackages are claimed with a voucher that the application has given for this ([`pool`]). The person's devices in the
//! group have turns, as for taking out ([`retire`](super::retire)): the first at once, then the others. What was claimed is added
//! by a commit that is made anew after a lost race, and holds only what the group lacks then. A device that somebody has taken out,
//! and that was not revoked, is left to the application.

use super::{
	super::{action::Action, core::Core, group::Operation, CommitError, Event, Outcome},
	claim::{ClaimAnswer, NotAddedBecause, NotClaimed, OwnClaim},
	pool,
	retire::{wait, AGAIN, TURN},
};
use crate::{
	mls::{BuildError, EpochChange, GroupView, Intent, MemberDevice, Mls, Standing},
	store::{Overlay, Record, StoreError},
};
use lockstep_primitives::{key_package::Claimed, rpc::HexBytes, BlockNumber, GroupId, IdentityKey, VoucherKey};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// Devices that were taken out of a group and are remembered; the oldest go.
const MOST_TAKEN_OUT: usize = 256;

/// What a group knows of this.
#[derive(Debug, Default)]
pub(in crate::client) struct Admitting {
	/// Devices that have no leaf, each with the block of this member's turn.
	due: Vec<(IdentityKey, BlockNumber)>,
	/// Those of which was told that they have none.
	missing: Vec<IdentityKey>,
	/// Those of which was told why they do not come in.
	told: Vec<(IdentityKey, NotAddedBecause)>,
	/// How often there was nothing to claim.
	in_vain: u32,
	/// What comes of the commit that adds them.
	commit: Option<oneshot::Receiver<Result<Outcome, CommitError>>>,
}

impl Admitting {
	fn devices(&self) -> Vec<IdentityKey> {
		self.due.iter().map(|(device, _)| *device).collect()
	}
}

/// The devices of this member's person that were taken out of a group while the person stayed, by the group's id.
#[derive(Debug, Default, Serialize, Deserialize)]
struct TakenOut {
	devices: Vec<IdentityKey>,
}

impl Record for TakenOut {
	const KIND: &'static str = "devices taken out";
}

fn key_of(device: &MemberDevice) -> Option<IdentityKey> {
	device.key.0.as_slice().try_into().map(IdentityKey).ok()
}

/// Somebody wanted these devices of the person `me` out of the group: they are not brought in again by themselves.
pub(in crate::client) fn remember_taken_out(
	overlay: &Overlay<'_>,
	id: &GroupId,
	me: &[u8],
	change: &EpochChange,
) -> Result<(), StoreError> {
	let mine = change.devices_removed.iter().filter(|device| device.identity.0 == me);
	let gone: Vec<IdentityKey> = mine.filter_map(key_of).collect();
	if gone.is_empty() {
		return Ok(());
	}
	let mut taken_out: TakenOut = overlay.get(id.as_bytes())?.unwrap_or_default();
	taken_out.devices.extend(gone);
	let excess = taken_out.devices.len().saturating_sub(MOST_TAKEN_OUT);
	taken_out.devices.drain(..excess);
	overlay.put(id.as_bytes(), &taken_out)
}

/// Whether what was claimed is of no use, for this commit failed with it.
fn is_in_vain(error: &CommitError) -> bool {
	match error {
		CommitError::Build(reason) => !matches!(reason, BuildError::Engine(_)),
		CommitError::ClaimLapsed | CommitError::TooLarge { .. } => true,
		_ => false,
	}
}

impl<M: Mls> Core<M> {
	/// The leaves of this member's person were compared with its log.
	pub(super) fn found_missing(&mut self, id: &GroupId, view: &GroupView, standing: &Standing) {
		if let Err(error) = self.note_missing(id, view, standing) {
			tracing::error!(group = %id, %error, "the vouchers for devices that the group lacks cannot be read");
		}
	}

	fn note_missing(&mut self, id: &GroupId, view: &GroupView, standing: &Standing) -> Result<(), StoreError> {
		let overlay = self.store.overlay();
		let taken_out = overlay.get::<TakenOut>(id.as_bytes())?.unwrap_or_default().devices;
		let bound = pool::in_use(&overlay, id)?;
		let lacks_any = !standing.missing.is_empty();
		let has_voucher = bound.is_some() || lacks_any && !pool::free(&overlay, self.finalized)?.is_empty();
		drop(overlay);
		let finalized = self.finalized;
		let Some(group) = self.groups.get_mut(id) else { return Ok(()) };
		// A device that was revoked commits nothing, and one that has another key by now has to give its leaf that one first.
		let i_may = !standing.stale;
		let before = std::mem::take(&mut group.admitting.due);
		let mut by_hand = Vec::new();
		for device in &standing.missing {
			let Some(key) = key_of(device) else { continue };
			let comes = i_may && !taken_out.contains(&key);
			if !comes || !has_voucher {
				by_hand.push(key);
			}
			if !comes {
				continue;
			}
			let due = match before.iter().find(|(other, _)| *other == key) {
				Some((_, due)) => *due,
				// What was begun before a restart goes on.
				None if bound.is_some() => finalized,
				None => {
					group.admitting.in_vain = 0;
					finalized.saturating_add(wait(view, &standing.revoked, device, id))
				}
			};
			group.admitting.due.push((key, due));
		}
		let missing = group.admitting.devices();
		self.tell_missing(id, &by_hand);
		if i_may && bound.is_some_and(|bound| !bound.is_for_any(&missing)) {
			self.release_voucher(id, true)?;
		}
		Ok(())
	}

	/// There are vouchers where there were none: turns begin anew.
	pub(super) fn look_for_missing_again(&mut self) {
		let Some(me) = self.person() else { return };
		let claiming = self.claiming;
		for (id, group) in &mut self.groups {
			if Some(*id) != claiming && group.admitting.commit.is_none() {
				group.admitting.due.clear();
				group.retiring.suspect(me);
			}
		}
	}

	/// A block is final, and the log of the group was read up to it: claims for the devices that it is this member's turn to
	/// bring in.
	pub(in crate::client) fn admit(&mut self, id: &GroupId) {
		if !self.usable(id).is_ok_and(|group| group.caught_up) {
			return;
		}
		if let Err(error) = self.hear_of_commit(id).and_then(|()| self.claim_due(id)) {
			tracing::error!(group = %id, %error, "the vouchers for devices that the group lacks cannot be used");
			self.put_off(id, AGAIN);
		}
	}

	fn claim_due(&mut self, id: &GroupId) -> Result<(), StoreError> {
		let (finalized, is_claiming) = (self.finalized, self.claiming.is_some());
		let Ok(group) = self.usable(id) else { return Ok(()) };
		let is_due = group.admitting.due.iter().any(|(_, due)| *due <= finalized) && group.admitting.commit.is_none();
		let is_idle = !group.leaving && group.gate.takes_commit() && group.waiting.is_empty();
		if is_claiming || !is_due || !is_idle {
			return Ok(());
		}
		let devices = group.admitting.devices();
		let Some(person) = self.person() else { return Ok(()) };
		let Some(voucher) = self.take_voucher(id, &devices)? else {
			self.tell_missing(id, &devices);
			self.put_off(id, AGAIN);
			return Ok(());
		};
		let gate = self.claim_gate()?;
		self.claiming = Some(*id);
		self.act(Action::Claim(Box::new(OwnClaim { group: *id, person, devices, voucher, gate })));
		Ok(())
	}

	/// A claim came to an end.
	pub fn on_claimed(&mut self, answer: ClaimAnswer) {
		self.claiming = None;
		let id = answer.group;
		let taken = match answer.outcome {
			Ok(claimed) => self.add_own(&id, &answer.voucher, &claimed),
			Err(NotClaimed::Unknown(said)) => {
				tracing::debug!(group = %id, %said, "it is not known what came of a claim");
				self.put_off(&id, TURN);
				Ok(())
			}
			Err(NotClaimed::Failed { reason, spent }) => self.not_added(&id, &reason, spent),
		};
		if let Err(error) = taken {
			tracing::error!(group = %id, %error, "the vouchers for devices that the group lacks cannot be used");
			self.put_off(&id, AGAIN);
		}
	}

	/// Adds those devices that the group lacks, and no others.
	fn add_own(&mut self, id: &GroupId, voucher: &VoucherKey, claimed: &Claimed) -> Result<(), StoreError> {
		let bound = pool::in_use(&self.store.overlay(), id)?.filter(|bound| bound.key() == *voucher);
		// Without one the devices have come in meanwhile.
		let Some(held) = bound.map(|bound| bound.held()) else { return Ok(()) };
		let Ok(group) = self.usable(id) else { return Ok(()) };
		let missing = group.admitting.devices();
		let wanted = claimed.packages.iter().filter(|package| missing.contains(&package.device));
		let key_packages: Vec<HexBytes> = wanted.map(|package| HexBytes(package.bytes.to_vec())).collect();
		if key_packages.is_empty() {
			return self.not_added(id, &NotAddedBecause::OtherDevices, true);
		}
		let (reply, commit) = oneshot::channel();
		let intent = Intent::AddClaimed { key_packages, envelope_key: held.envelope_key(claimed) };
		group.waiting.push_back(Operation { reply: Some(reply), ..Operation::own(intent, false) });
		group.admitting.commit = Some(commit);
		let is_left = |device: &IdentityKey| claimed.packages.iter().all(|package| package.device != *device);
		let left: Vec<IdentityKey> = missing.into_iter().filter(is_left).collect();
		self.tell_why(id, &left, &NotAddedBecause::OtherDevices);
		self.put_off(id, AGAIN);
		self.start_waiting(id);
		Ok(())
	}

	/// Looks what came of the commit.
	fn hear_of_commit(&mut self, id: &GroupId) -> Result<(), StoreError> {
		let Some(group) = self.groups.get_mut(id) else { return Ok(()) };
		let Some(commit) = &mut group.admitting.commit else { return Ok(()) };
		let ended = match commit.try_recv() {
			Err(oneshot::error::TryRecvError::Empty) => return Ok(()),
			// It could not be stored, and is made again.
			Err(oneshot::error::TryRecvError::Closed) => None,
			Ok(ended) => ended.err(),
		};
		group.admitting.commit = None;
		match ended.filter(is_in_vain) {
			Some(error) => self.not_added(id, &NotAddedBecause::Commit(Box::new(error)), true),
			None => Ok(()),
		}
	}

	fn not_added(&mut self, id: &GroupId, reason: &NotAddedBecause, spent: bool) -> Result<(), StoreError> {
		self.release_voucher(id, spent)?;
		let Some(group) = self.groups.get_mut(id) else { return Ok(()) };
		let devices = group.admitting.devices();
		let again = if *reason == NotAddedBecause::NoKeyPackages {
			// A new device publishes them when it is opened for the first time.
			let twice = BlockNumber::saturating_pow(2, group.admitting.in_vain);
			group.admitting.in_vain = group.admitting.in_vain.saturating_add(1);
			TURN.saturating_mul(twice).min(AGAIN)
		} else {
			AGAIN
		};
		self.tell_why(id, &devices, reason);
		self.put_off(id, again);
		Ok(())
	}

	/// Nothing is claimed for a group for so many blocks.
	fn put_off(&mut self, id: &GroupId, blocks: BlockNumber) {
		let again = self.finalized.saturating_add(blocks);
		if let Some(group) = self.groups.get_mut(id) {
			group.admitting.due.iter_mut().for_each(|(_, due)| *due = again);
		}
	}

	fn tell_missing(&mut self, id: &GroupId, devices: &[IdentityKey]) {
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

	fn tell_why(&mut self, id: &GroupId, devices: &[IdentityKey], reason: &NotAddedBecause) {
		let identity = self.engine.identity().to_vec();
		for device in devices {
			let Some(group) = self.groups.get_mut(id) else { return };
			let told = (*device, reason.clone());
			if !group.admitting.told.contains(&told) {
				group.admitting.told.push(told);
				let (identity, key) = (identity.clone(), device.0.to_vec());
				self.report(Event::DeviceNotAdded { group: *id, identity, key, reason: reason.clone() });
			}
		}
	}
}

#[cfg(test)]
mod tests;
