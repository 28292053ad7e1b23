//! Creating groups.

use super::{
	action::Action,
	command::Reply,
	core::Core,
	group::Group,
	records::{Founding, Membership},
	CreateError, Event,
};
use crate::{
	gate::Gate,
	log::{LogCursor, VerifiedEntry},
	mls::{EngineError, GroupData, Mls},
	rpc::SubmitError,
	voucher::HeldVoucher,
};
use lockstep_primitives::{
	extrinsic::{self, SignedCall},
	BlockNumber, GroupId,
};

/// Finalized blocks between two submissions of the same creation.
const RESUBMIT_AFTER: BlockNumber = 4;
/// Submissions after which a creation fails.
const MAX_ATTEMPTS: u32 = 8;

/// A group whose entry 0 is not final yet.
pub(super) struct Creating {
	pub founding: Founding,
	pub reply: Option<Reply<GroupId, CreateError>>,
	/// Submissions that a node answered, and what it last had against them.
	pub attempts: u32,
	pub refused: Option<String>,
	/// Whether a node may have it.
	pub accepted: bool,
	/// The finalized block of the last submission.
	pub submitted_at: BlockNumber,
}

impl Creating {
	pub fn new(founding: Founding, reply: Option<Reply<GroupId, CreateError>>) -> Self {
		// One that is resumed may have been taken before.
		let accepted = reply.is_none();
		Self { founding, reply, attempts: 0, refused: None, accepted, submitted_at: 0 }
	}

	/// Whether the group is paid for by a voucher that somebody can still bring to the chain, since a node has seen it: it must
	/// not be given up, for the group would come about without a member.
	fn may_come(&self, finalized: BlockNumber) -> bool {
		let payment = self.founding.payment.as_ref();
		self.accepted && payment.is_some_and(|payment| finalized <= payment.voucher.voucher.expiry)
	}

	fn finish(self, result: Result<GroupId, CreateError>) {
		if let Some(reply) = self.reply {
			// The application may have stopped waiting.
			drop(reply.send(result));
		}
	}
}

impl<M: Mls> Core<M> {
	/// Makes a group and submits its entry 0.
	pub fn create(&mut self, data: &GroupData, voucher: Option<&HeldVoucher>, reply: Reply<GroupId, CreateError>) {
		if voucher.is_none() && !self.sponsored {
			drop(reply.send(Err(CreateError::NoSponsor)));
			return;
		}
		match self.found(data, voucher) {
			Ok((id, founding)) => {
				self.creating.insert(id, Creating::new(founding, Some(reply)));
				self.follow_from_start(&id);
				self.submit_founding(&id);
			}
			Err(error) => drop(reply.send(Err(error.into()))),
		}
	}

	fn found(&mut self, data: &GroupData, voucher: Option<&HeldVoucher>) -> Result<(GroupId, Founding), EngineError> {
		let overlay = self.store.overlay();
		let new = self.engine.create_group(&overlay, data)?;
		let (next_key, endorsement) = (new.next_key, new.endorsement);
		let order = extrinsic::Founding { group: new.group, next_key, endorsement }.order();
		// Once it is made it can be submitted as often as need be, for this group alone.
		let payment = voucher.map(|voucher| voucher.pay(self.engine.genesis(), &order));
		let founding = Founding { parent: new.parent, next_key, endorsement, payment };
		overlay.put(new.group.as_bytes(), &founding)?;
		overlay.commit()?;
		Ok((new.group, founding))
	}

	/// Submits entry 0 of a group, signed by the sponsor or paid for by a voucher.
	pub fn submit_founding(&mut self, id: &GroupId) {
		let finalized = self.finalized;
		let Some(creating) = self.creating.get_mut(id) else { return };
		creating.submitted_at = finalized;
		let (group, Founding { next_key, endorsement, payment, .. }) = (*id, creating.founding.clone());
		self.act(match payment {
			Some(payment) => {
				let founding = extrinsic::Founding { group, next_key, endorsement };
				Action::Buy { group, extrinsic: founding.to_extrinsic(&payment) }
			}
			None => Action::Create { group, call: SignedCall::CreateGroup { group, next_key, endorsement } },
		});
	}

	/// A node answered to a creation, or did not. One whose answer was lost may have it, whatever the next ones say.
	pub fn on_founding_submitted(&mut self, id: &GroupId, result: Result<(), SubmitError>) {
		let Some(creating) = self.creating.get_mut(id) else { return };
		creating.accepted |= result.as_ref().err().is_none_or(SubmitError::may_have_been_taken);
		match result {
			Err(error @ (SubmitError::Unsent(_) | SubmitError::Unanswered(_))) => {
				tracing::debug!(%error, "a creation got no answer");
				return;
			}
			Ok(()) | Err(SubmitError::InPool) => creating.refused = None,
			// Of what it has refused once a node says only that, and not again why.
			Err(SubmitError::Pool(_)) if creating.refused.is_some() => {}
			Err(error) => creating.refused = Some(error.to_string()),
		}
		creating.attempts = creating.attempts.saturating_add(1);
	}

	/// Submits again what is not in the log: another creation of the same sponsor may have used the nonce.
	pub fn resubmit_foundings(&mut self) {
		let finalized = self.finalized;
		let due = |creating: &&mut Creating| finalized >= creating.submitted_at.saturating_add(RESUBMIT_AFTER);
		let due: Vec<(GroupId, bool)> = self
			.creating
			.iter_mut()
			.map(|(id, creating)| (*id, creating))
			.filter(|(_, creating)| due(creating))
			.map(|(id, creating)| (id, creating.attempts >= MAX_ATTEMPTS && !creating.may_come(finalized)))
			.collect();
		for (id, exhausted) in due {
			if exhausted {
				let creating = self.creating.get(&id);
				let attempts = creating.map_or(0, |creating| creating.attempts);
				let reason = creating.and_then(|creating| creating.refused.clone());
				let reason = reason.unwrap_or_else(|| "accepted, but it did not get into a block".to_owned());
				self.abandon(&id, CreateError::NotAdmitted { attempts, reason });
			} else {
				self.submit_founding(&id);
			}
		}
	}

	fn abandon(&mut self, id: &GroupId, error: CreateError) {
		tracing::warn!(group = %id, %error, "a group was not created");
		self.unfollow(id);
		let forgotten = self.forget_founding(id);
		if let Some(creating) = self.creating.remove(id) {
			creating.finish(Err(forgotten.map_or_else(CreateError::from, |()| error)));
		}
	}

	fn forget_founding(&mut self, id: &GroupId) -> Result<(), EngineError> {
		let overlay = self.store.overlay();
		self.engine.forget_group(&overlay, id)?;
		overlay.delete::<Founding>(id.as_bytes())?;
		Ok(overlay.commit()?)
	}

	/// An entry of a group that is being created: entry 0, if it is what this client submitted.
	pub fn on_founding_entry(&mut self, id: &GroupId, entry: &VerifiedEntry) {
		let Some(creating) = self.creating.get(id) else { return };
		let start = LogCursor::start(self.engine.genesis(), id);
		if entry.header.index != 0 {
			return;
		}
		if entry.header.parent != start.head.hash || entry.header.next_key != creating.founding.next_key {
			return self.abandon(id, CreateError::Taken);
		}
		let placed = self.place(id, entry);
		let Some(creating) = self.creating.remove(id) else { return };
		match placed {
			Ok(group) => {
				self.groups.insert(*id, group);
				self.watch_topic(id);
				#[cfg(feature = "hostile")]
				self.hoard_keys(id);
				self.report(Event::Created { group: *id });
				creating.finish(Ok(*id));
			}
			Err(error) => creating.finish(Err(error.into())),
		}
	}

	fn place(&mut self, id: &GroupId, entry: &VerifiedEntry) -> Result<Group, EngineError> {
		let overlay = self.store.overlay();
		self.engine.place_group(&overlay, id, &entry.header.hash)?;
		let gate = Gate::at(&entry.header, 0, false, self.parameters.candidate_interval);
		let gate = gate.ok_or(EngineError::NoSuchGroup(*id))?;
		let membership = Membership::new(gate);
		overlay.put(id.as_bytes(), &membership)?;
		overlay.delete::<Founding>(id.as_bytes())?;
		overlay.commit()?;
		Ok(Group::new(membership))
	}
}

#[cfg(all(test, feature = "simulation"))]
mod tests;
