//! Bringing in the devices of this member's own person that a group lacks.
//!
//! Their KeyPackages are claimed with a voucher that the application has given for this ([`pool`](super::pool)). The person's
//! devices in the group have turns, as for taking out ([`retire`](super::retire)): the first at once, then the others. What was
//! claimed is added by a commit that is made anew after a lost race, and holds only what the group lacks then. A device that
//! somebody has taken out, and that was not revoked, is left to the application, and so is one on which three vouchers were spent
//! in vain.

mod telling;

use super::{
	super::{action::Action, core::Core, group::Operation, CommitError, Outcome},
	bound::{self, doubled, Claiming},
	claim::{ClaimAnswer, NotAddedBecause, NotClaimed, OwnClaim, VoucherIs},
	devices::{key_of, OwnDevices, MOST_SPENT},
	retire::{wait, AGAIN, TURN},
};
use crate::{
	mls::{policy::PolicyError, BuildError, GroupView, Intent, InvalidReason, Mls, Standing},
	store::StoreError,
};
use lockstep_primitives::{key_package::Claimed, rpc::HexBytes, BlockNumber, GroupId, IdentityKey, VoucherKey};
use tokio::sync::oneshot;

/// After how many claims of which nothing is known the application is told.
const MOST_UNKNOWN: u32 = 3;

/// What a group knows of this.
#[derive(Debug, Default)]
pub(in crate::client) struct Admitting {
	/// Devices that have no leaf, and are to be brought in.
	due: Vec<Due>,
	/// Those of which was told that they have none.
	missing: Vec<IdentityKey>,
	/// Those of which was told why they do not come in.
	told: Vec<(IdentityKey, NotAddedBecause)>,
	/// How often in a row nothing came of it, and nothing was spent.
	in_vain: u32,
	/// What comes of the commit that adds them.
	commit: Option<oneshot::Receiver<Result<Outcome, CommitError>>>,
}

/// A device that is to be brought in.
#[derive(Clone, Copy, Debug)]
struct Due {
	device: IdentityKey,
	/// The block of this member's turn.
	at: BlockNumber,
	/// How much later that is than the first one's. It stays so, or the members would meet.
	wait: BlockNumber,
}

impl Admitting {
	fn devices(&self) -> Vec<IdentityKey> {
		self.due.iter().map(|due| due.device).collect()
	}

	/// What is to be brought in is found out anew.
	pub(super) fn start_anew(&mut self) {
		self.due.clear();
	}

	/// Whether anything is due, and nothing under way.
	fn is_due(&self, finalized: BlockNumber) -> bool {
		self.commit.is_none() && self.due.iter().any(|due| due.at <= finalized)
	}
}

/// What a commit that failed says of the voucher with which its KeyPackages were claimed; `None` if that was not to blame.
fn blames(error: &CommitError) -> Option<VoucherIs> {
	match error {
		// One of the devices was revoked: the same claim gives what is left.
		CommitError::Build(BuildError::Refused(InvalidReason::Policy(PolicyError::NotADevice { .. }))) => {
			Some(VoucherIs::Doubted)
		}
		CommitError::Build(BuildError::Engine(_) | BuildError::LongPath { .. }) => None,
		CommitError::Build(_) | CommitError::ClaimLapsed | CommitError::TooLarge { .. } => Some(VoucherIs::Spent),
		_ => None,
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
		let Some(me) = self.person() else { return Ok(()) };
		let overlay = self.store.overlay();
		let bound = bound::in_use(&overlay, id)?;
		let own = OwnDevices::of(&overlay, id)?;
		let taken_out = own.taken_out(&overlay, me)?;
		drop(overlay);
		let has_voucher = !standing.missing.is_empty() && (bound.is_some() || self.has_free()?);
		let finalized = self.finalized;
		let Some(group) = self.groups.get_mut(id) else { return Ok(()) };
		// A device that was revoked commits nothing, and one that has another key by now has to give its leaf that one first.
		let i_may = !standing.stale;
		let before = std::mem::take(&mut group.admitting.due);
		let (mut lacks, mut by_hand) = (Vec::new(), Vec::new());
		for device in &standing.missing {
			let Some(key) = key_of(device) else { continue };
			lacks.push(key);
			let spent = own.spent(&key);
			let comes = i_may && !taken_out.contains(&key) && spent < MOST_SPENT;
			if !comes || !has_voucher {
				by_hand.push(key);
			}
			if !comes {
				continue;
			}
			let due = before.iter().find(|due| due.device == key).copied().unwrap_or_else(|| {
				let wait = wait(view, &standing.revoked, device, id);
				let at = match &bound {
					// What was begun before a restart goes on.
					Some(bound) if bound.is_for_any(&[key]) => bound.not_before(),
					_ => {
						group.admitting.in_vain = 0;
						let again = spent.checked_sub(1).map_or(0, |times| doubled(AGAIN, times));
						finalized.saturating_add(wait).saturating_add(again)
					}
				};
				Due { device: key, at, wait }
			});
			group.admitting.due.push(due);
		}
		let missing = group.admitting.devices();
		group.admitting.told.retain(|(device, _)| missing.contains(device));
		group.admitting.missing.retain(|device| lacks.contains(device));
		self.tell_missing(id, &by_hand);
		if i_may && bound.is_some_and(|bound| !bound.is_for_any(&missing)) {
			self.voucher_is_spent(id, 0)?;
		}
		Ok(())
	}

	/// There are vouchers where there were none, or claims are signed otherwise: turns begin anew.
	pub(super) fn look_for_missing_again(&mut self) {
		let Some(me) = self.person() else { return };
		let claiming = self.claims.now.map(|claiming| claiming.group);
		for (id, group) in &mut self.groups {
			if Some(*id) != claiming && group.admitting.commit.is_none() {
				group.admitting.start_anew();
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
		let (finalized, is_claiming) = (self.finalized, self.claims.now.is_some());
		let Ok(group) = self.usable(id) else { return Ok(()) };
		if is_claiming || !group.is_idle() || !group.admitting.is_due(finalized) {
			return Ok(());
		}
		let devices = group.admitting.devices();
		let Some(person) = self.person() else { return Ok(()) };
		let Some((voucher, fresh)) = self.take_voucher(id, &devices)? else {
			self.tell_missing(id, &devices);
			self.put_off(id, AGAIN);
			return Ok(());
		};
		let gate = self.claim_gate()?;
		self.claims.now = Some(Claiming { group: *id, fresh });
		self.act(Action::Claim(Box::new(OwnClaim { group: *id, person, devices, voucher, gate })));
		Ok(())
	}

	/// A claim came to an end.
	pub fn on_claimed(&mut self, answer: ClaimAnswer) {
		let fresh = self.claims.now.take().is_some_and(|claiming| claiming.fresh);
		let id = answer.group;
		let taken = match answer.outcome {
			Ok(claimed) => self.add_own(&id, &answer.voucher, &claimed),
			Err(NotClaimed::Unknown(said)) => {
				tracing::debug!(group = %id, %said, "it is not known what came of a claim");
				let times = self.look_later(&id);
				if times >= MOST_UNKNOWN {
					self.tell_why_of_all(&id, &NotAddedBecause::Unanswered(said));
				}
				Ok(())
			}
			Err(NotClaimed::Failed { reason, voucher }) => self.not_added(&id, &reason, voucher, fresh),
		};
		if let Err(error) = taken {
			tracing::error!(group = %id, %error, "the vouchers for devices that the group lacks cannot be used");
			self.put_off(&id, AGAIN);
		}
	}

	/// Adds those devices that the group lacks, and no others.
	fn add_own(&mut self, id: &GroupId, voucher: &VoucherKey, claimed: &Claimed) -> Result<(), StoreError> {
		let bound = bound::in_use(&self.store.overlay(), id)?.filter(|bound| bound.key() == *voucher);
		// Without one the devices have come in meanwhile.
		let Some(held) = bound.map(|bound| bound.held()) else { return Ok(()) };
		let Ok(group) = self.usable(id) else { return Ok(()) };
		let missing = group.admitting.devices();
		// What it is about may have changed in entries that were not looked at as a whole yet. The same claim gives the same again.
		if group.leaving || !group.caught_up || missing.is_empty() {
			return Ok(());
		}
		let wanted = claimed.packages.iter().filter(|package| missing.contains(&package.device));
		let (given, key_packages): (Vec<IdentityKey>, Vec<HexBytes>) =
			wanted.map(|package| (package.device, HexBytes(package.bytes.to_vec()))).unzip();
		let left: Vec<IdentityKey> = missing.into_iter().filter(|device| !given.contains(device)).collect();
		if given.is_empty() {
			return self.not_added(id, &NotAddedBecause::OtherDevices, VoucherIs::Spent, false);
		}
		// For the others there is to be another one.
		self.voucher_is_for(id, given)?;
		let Ok(group) = self.usable(id) else { return Ok(()) };
		let (reply, commit) = oneshot::channel();
		let intent = Intent::AddClaimed { key_packages, envelope_key: held.envelope_key(claimed) };
		group.waiting.push_back(Operation { reply: Some(reply), ..Operation::own(intent, false) });
		group.admitting.commit = Some(commit);
		group.admitting.in_vain = 0;
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
			// It could not be stored, or was called off, and is made again if need be.
			Err(oneshot::error::TryRecvError::Closed) => None,
			Ok(ended) => ended.err(),
		};
		group.admitting.commit = None;
		match ended.and_then(|error| Some((blames(&error)?, error))) {
			Some((voucher, error)) => self.not_added(id, &NotAddedBecause::Commit(Box::new(error)), voucher, false),
			None => Ok(()),
		}
	}

	/// Nothing came of it. `fresh` says that the voucher had never been shown before.
	fn not_added(
		&mut self,
		id: &GroupId,
		reason: &NotAddedBecause,
		voucher: VoucherIs,
		fresh: bool,
	) -> Result<(), StoreError> {
		self.tell_why_of_all(id, reason);
		match voucher {
			VoucherIs::NotShown => {
				if fresh {
					self.give_back_voucher(id)?;
				}
				// A new device publishes KeyPackages when it is opened for the first time.
				self.look_later(id);
			}
			VoucherIs::Doubted => {
				let again = self.voucher_is_refused(id, reason)?;
				self.put_off(id, again);
			}
			VoucherIs::Spent => self.voucher_is_spent(id, 1)?,
		}
		Ok(())
	}

	/// Looks again after ever more blocks; gives how often in a row that was.
	fn look_later(&mut self, id: &GroupId) -> u32 {
		let Some(group) = self.groups.get_mut(id) else { return 0 };
		let twice = doubled(TURN, group.admitting.in_vain.saturating_add(1));
		group.admitting.in_vain = group.admitting.in_vain.saturating_add(1);
		let times = group.admitting.in_vain;
		self.put_off(id, twice.min(AGAIN));
		times
	}

	/// Nothing is claimed for a group for so many blocks, and by this member for as many more as it waits for the others.
	fn put_off(&mut self, id: &GroupId, blocks: BlockNumber) {
		let again = self.finalized.saturating_add(blocks);
		if let Some(group) = self.groups.get_mut(id) {
			let later = |due: &Due| due.at.max(again.saturating_add(due.wait));
			group.admitting.due.iter_mut().for_each(|due| due.at = later(due));
		}
	}
}

#[cfg(test)]
mod tests;
