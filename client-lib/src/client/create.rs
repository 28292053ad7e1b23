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
};
use lockstep_primitives::{extrinsic::SignedCall, BlockNumber, GroupId};

/// Finalized blocks between two submissions of the same creation.
const RESUBMIT_AFTER: BlockNumber = 4;
/// Submissions after which a creation fails, if the node had something against all of them.
const MAX_ATTEMPTS: u32 = 8;

/// A group whose entry 0 is not final yet.
pub(super) struct Creating {
	pub founding: Founding,
	pub reply: Option<Reply<GroupId, CreateError>>,
	/// Submissions that a node answered, and what it last had against them.
	pub attempts: u32,
	pub refused: Option<String>,
	/// The finalized block of the last submission.
	pub submitted_at: BlockNumber,
}

impl Creating {
	pub fn new(founding: Founding, reply: Option<Reply<GroupId, CreateError>>) -> Self {
		Self { founding, reply, attempts: 0, refused: None, submitted_at: 0 }
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
	pub fn create(&mut self, data: &GroupData, reply: Reply<GroupId, CreateError>) {
		if !self.sponsored {
			drop(reply.send(Err(CreateError::NoSponsor)));
			return;
		}
		match self.found(data) {
			Ok((id, founding)) => {
				self.creating.insert(id, Creating::new(founding, Some(reply)));
				self.follow_from_start(&id);
				self.submit_founding(&id);
			}
			Err(error) => drop(reply.send(Err(error.into()))),
		}
	}

	fn found(&mut self, data: &GroupData) -> Result<(GroupId, Founding), EngineError> {
		let overlay = self.store.overlay();
		let new = self.engine.create_group(&overlay, data)?;
		let founding = Founding { parent: new.parent, next_key: new.next_key, endorsement: new.endorsement };
		overlay.put(new.group.as_bytes(), &founding)?;
		overlay.commit()?;
		Ok((new.group, founding))
	}

	/// Submits entry 0 of a group, signed by the sponsor.
	pub fn submit_founding(&mut self, id: &GroupId) {
		let finalized = self.finalized;
		let Some(creating) = self.creating.get_mut(id) else { return };
		creating.submitted_at = finalized;
		let Founding { next_key, endorsement, .. } = creating.founding;
		let call = SignedCall::CreateGroup { group: *id, next_key, endorsement };
		self.act(Action::Create { group: *id, call });
	}

	/// A node answered to a creation, or did not.
	pub fn on_founding_submitted(&mut self, id: &GroupId, result: Result<(), SubmitError>) {
		let Some(creating) = self.creating.get_mut(id) else { return };
		match result {
			Err(SubmitError::Rpc(error)) if error.is_disconnect() => {
				tracing::debug!(%error, "a creation was not submitted");
				return;
			}
			Ok(()) => creating.refused = None,
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
			.map(|(id, creating)| (id, creating.attempts >= MAX_ATTEMPTS))
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
