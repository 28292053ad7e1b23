//! Driving the gate: its effects are applied together with its new state, in one write.

mod many;

use super::{
	action::Action,
	commit,
	core::Core,
	event::SkippedBecause,
	group::{self, Group},
	inbox,
	intent::{self, InFlight},
	records::{Membership, Outgoing},
	Ended, Event, GroupError, IntentId,
};
use crate::{
	gate::{self, Effect, Gate, Input, SkipReason, Stop},
	log::{EntryHeader, VerifiedEntry},
	mls::{self, Candidate, EngineError, EpochChange, InvalidReason, Mls, Prepared, PrivateReason, Staged},
	mutation::{self, Mutation},
	store::{Overlay, Store, StoreError},
};
use lockstep_primitives::{extrinsic::Append, GroupId};
use std::collections::{BTreeMap, VecDeque};

/// What an input comes with, for the effects to work on.
#[derive(Clone, Copy)]
pub(super) enum Material<'a> {
	None,
	/// With [`Input::Entry`].
	Payload(&'a [u8]),
	/// With [`Input::Prepared`].
	Prepared(&'a Prepared),
}

/// Trouble of this client: it stops following, and has changed nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum DriveError {
	#[error(transparent)]
	Engine(#[from] EngineError),
	#[error(transparent)]
	Store(#[from] StoreError),
	#[error("the store does not hold {0} any more; restore it from a backup or be invited again")]
	Lost(&'static str),
	#[error("the group's MLS state is not the one of its position in the log; restore the store or be invited again")]
	Apart,
}

/// What a step did, and what is to be done now that it is stored.
#[derive(Default)]
pub(super) struct Done {
	pub advanced: Option<(EntryHeader, EpochChange, bool)>,
	pub skipped: Vec<(EntryHeader, SkippedBecause)>,
	/// The own pending commit is gone without having won.
	pub dropped: bool,
	/// Submit the own pending commit; `true` if it was before.
	pub submit: Option<bool>,
	/// The call that submits it, if it was made in this step.
	pub append: Option<Append>,
	pub contest: bool,
	pub stopped: Option<Stop>,
	pub private: Option<PrivateReason>,
	/// Numbers of statements that were put into the outbox.
	pub outgoing: Vec<u64>,
}

impl<M: Mls> Core<M> {
	/// An entry that continues the log of a group.
	pub fn on_entry(&mut self, id: &GroupId, entry: &VerifiedEntry) {
		self.step(id, Input::Entry(entry.header), Material::Payload(&entry.payload));
	}

	/// Runs one input through a group's gate.
	pub fn step(&mut self, id: &GroupId, input: Input, material: Material<'_>) {
		match self.transact(id, input, material) {
			Ok(done) => self.follow_up(id, done),
			Err(error) => self.halt(id, error.to_string()),
		}
	}

	/// The gate's step and everything durable in it, in one write. On an error nothing has changed.
	fn transact(&mut self, id: &GroupId, input: Input, material: Material<'_>) -> Result<Done, DriveError> {
		let Some(group) = self.groups.get_mut(id) else { return Ok(Done::default()) };
		let (gate, effects) = gate::step(group.gate.clone(), input);
		if effects.is_empty() && !matches!(material, Material::Prepared(_)) {
			// A new finalized block, mostly. Not worth a write: it is learned again after a restart.
			group.gate = gate;
			return Ok(Done::default());
		}
		let overlay = self.store.overlay();
		let mut step =
			Step { id, gate, effects: effects.into(), material, staged: None, won: None, done: Done::default() };
		let mut invitations = BTreeMap::new();
		while let Some(effect) = step.effects.pop_front() {
			step.apply(&self.engine, &overlay, &effect)?;
			if let (Effect::Submit { again: false }, true) = (&effect, mutation::is(Mutation::EarlyWelcome)) {
				for outgoing in step.early_welcomes(&self.engine, &overlay)? {
					invitations.insert(self.outbox.number(), outgoing);
				}
			}
			if let Effect::MergeOwn(entry) = effect {
				for outgoing in step.release_welcomes(&self.engine, &overlay, &entry)? {
					invitations.insert(self.outbox.number(), outgoing);
				}
			}
		}
		let made = step.to_keep().map(Prepared::append);
		if let Some(prepared) = step.to_keep() {
			overlay.put(id.as_bytes(), prepared)?;
			let numbers = group.current.iter().filter_map(|operation| operation.number).collect();
			overlay.put(id.as_bytes(), &InFlight { numbers })?;
			group.current.iter().try_for_each(|operation| intent::store(&overlay, id, operation))?;
		}
		step.end_intents(&overlay, group)?;
		if step.done.advanced.is_some() {
			inbox::forget_heard(&overlay, id, step.gate.tip().epoch)?;
		}
		for (number, outgoing) in &invitations {
			overlay.put(&number.to_be_bytes(), outgoing)?;
		}
		let mut membership = group.membership(&step.gate);
		if let Some((entry, _, true)) = &step.done.advanced {
			(membership.renewed_at, membership.sent) = (entry.block, 0);
		}
		if mutation::is(Mutation::MemoryFirst) {
			group.gate = step.gate.clone();
		}
		commit_together(&self.store, overlay, id, &membership)?;
		if step.done.advanced.is_some() {
			group.opened.push_back((step.gate.tip().epoch, step.gate.tip().block));
			group.signers = None;
		}
		(group.gate, group.renewed_at, group.sent) = (step.gate, membership.renewed_at, membership.sent);
		step.done.outgoing = invitations.into_keys().collect();
		step.done.append = made;
		Ok(step.done)
	}
}

/// The end of a step: its position in the log, with everything else that it changed.
fn commit_together(
	store: &Store,
	overlay: Overlay<'_>,
	id: &GroupId,
	membership: &Membership,
) -> Result<(), StoreError> {
	if mutation::is(Mutation::MergeFirst) {
		overlay.commit()?;
		let second = store.overlay();
		second.put(id.as_bytes(), membership)?;
		return second.commit();
	}
	if mutation::is(Mutation::CursorFirst) {
		let first = store.overlay();
		first.put(id.as_bytes(), membership)?;
		first.commit()?;
	}
	overlay.put(id.as_bytes(), membership)?;
	overlay.commit()
}

/// A step on its way.
struct Step<'a, M: Mls> {
	id: &'a GroupId,
	gate: Gate,
	effects: VecDeque<Effect>,
	material: Material<'a>,
	staged: Option<Box<M::Staged>>,
	/// The own commit that was merged.
	won: Option<Box<Prepared>>,
	done: Done,
}

impl<M: Mls> Step<'_, M> {
	fn apply(&mut self, engine: &M, overlay: &Overlay<'_>, effect: &Effect) -> Result<(), DriveError> {
		match effect {
			Effect::Evaluate(entry) => self.evaluate(engine, overlay, entry)?,
			Effect::Apply(entry) => {
				let staged = self.staged.take().ok_or(DriveError::Lost("the verdict on an entry"))?;
				let change = engine.apply(overlay, &entry.hash, *staged)?;
				self.done.advanced = Some((*entry, change, false));
			}
			Effect::MergeOwn(entry) => {
				let prepared = own_commit(overlay, self.id)?;
				let change = engine.merge_own(overlay, &entry.hash, &prepared)?;
				self.won = Some(Box::new(prepared));
				self.done.advanced = Some((*entry, change, true));
			}
			Effect::Advance { .. } => {}
			Effect::Skip { entry, reason } => {
				let because = match reason {
					SkipReason::NotFromTip => SkippedBecause::NotFromTip,
					// The verdict left its own account.
					SkipReason::PubliclyInvalid => return Ok(()),
				};
				self.done.skipped.push((*entry, because));
			}
			Effect::DropPending => {
				overlay.delete::<Prepared>(self.id.as_bytes())?;
				self.done.dropped = true;
			}
			// The gate was asked before the commit was made: the two have come apart.
			Effect::Reject => return Err(DriveError::Apart),
			Effect::Submit { again } => self.done.submit = Some(*again),
			Effect::Contest => self.done.contest = true,
			Effect::Stop(stop) => self.done.stopped = Some(*stop),
		}
		Ok(())
	}

	/// Ends the intents that this step has decided, in its write.
	fn end_intents(&self, overlay: &Overlay<'_>, group: &Group) -> Result<(), StoreError> {
		if self.done.stopped.is_some() {
			if let Some(trouble) = group::trouble(&self.gate, self.id) {
				commit::fail_intents(overlay, self.id, group, &trouble)?;
			}
		} else if self.done.submit == Some(false) && mutation::is(Mutation::FinishOnSubmit) {
			for operation in &group.current {
				if let Some(ended) = commit::fate(operation, self.gate.tip(), true) {
					intent::end(overlay, self.id, operation, ended)?;
				}
			}
		} else if let Some((_, _, own)) = &self.done.advanced {
			for operation in &group.current {
				if let Some(ended) = commit::fate(operation, self.gate.tip(), *own) {
					intent::end(overlay, self.id, operation, ended)?;
				}
			}
			overlay.delete::<InFlight>(self.id.as_bytes())?;
		}
		Ok(())
	}

	/// The commit that was given with the input and taken by the gate.
	fn to_keep(&self) -> Option<&Prepared> {
		match self.material {
			Material::Prepared(prepared) => Some(prepared),
			_ => None,
		}
	}

	fn evaluate(&mut self, engine: &M, overlay: &Overlay<'_>, entry: &EntryHeader) -> Result<(), DriveError> {
		let Material::Payload(payload) = self.material else {
			return Err(DriveError::Lost("the payload of an entry"));
		};
		let candidate = Candidate { group: self.id, parent: &entry.parent, next_key: &entry.next_key, payload };
		let own = self.gate.pending().map(|_| own_commit(overlay, self.id)).transpose()?;
		let verdict = match engine.evaluate(overlay, &candidate, own.as_ref())? {
			mls::Verdict::Valid(staged) if staged.is_own() => gate::Verdict::Own,
			mls::Verdict::Valid(staged) => {
				let removes_me = staged.removes_me();
				self.staged = Some(staged);
				gate::Verdict::Valid { removes_me }
			}
			mls::Verdict::PubliclyInvalid(reason) => self.refuse(entry, reason),
			mls::Verdict::PrivatelyFailing(reason) => {
				self.done.private = Some(reason);
				gate::Verdict::PrivatelyFailing
			}
		};
		let (gate, effects) = gate::step(self.gate.clone(), Input::Verdict { entry: entry.hash, verdict });
		self.gate = gate;
		self.effects.extend(effects);
		Ok(())
	}

	fn refuse(&mut self, entry: &EntryHeader, reason: InvalidReason) -> gate::Verdict {
		self.done.skipped.push((*entry, SkippedBecause::Invalid(reason)));
		gate::Verdict::PubliclyInvalid
	}

	/// The Welcomes of the own commit that has just won, signed with the key of the epoch that it opened: that key
	/// has an allowance since the entry is in the log. The commit itself is done with.
	fn release_welcomes(
		&self,
		engine: &M,
		overlay: &Overlay<'_>,
		entry: &EntryHeader,
	) -> Result<Vec<Outgoing>, DriveError> {
		let prepared = self.won.as_ref().ok_or(DriveError::Lost("the client's own commit"))?;
		let keys = engine.keys_of_epoch(overlay, self.id, self.gate.tip().epoch)?;
		let keys = keys.ok_or(DriveError::Lost("the keys of the epoch"))?;
		let mut outgoing = Vec::new();
		for envelope in engine.welcomes(prepared, &entry.hash, entry.index)? {
			match super::messages::invitation(self.id, &keys, &envelope) {
				Ok(invitation) => outgoing.push(invitation),
				Err(error) => tracing::error!(%error, "an invitation cannot be sent"),
			}
		}
		overlay.delete::<Prepared>(self.id.as_bytes())?;
		Ok(outgoing)
	}
}

impl<M: Mls> Step<'_, M> {
	/// A deliberate fault: invitations to an epoch that may never be.
	fn early_welcomes(&self, engine: &M, overlay: &Overlay<'_>) -> Result<Vec<Outgoing>, DriveError> {
		let Material::Prepared(prepared) = self.material else { return Ok(Vec::new()) };
		let keys = engine.epoch_keys(overlay, self.id)?.pop().ok_or(DriveError::Lost("the keys of the epoch"))?;
		let envelopes = engine.welcomes(prepared, &prepared.parent, self.gate.cursor().head.length)?;
		let sealed = envelopes.iter().map(|envelope| super::messages::invitation(self.id, &keys, envelope));
		Ok(sealed.filter_map(Result::ok).collect())
	}
}

fn own_commit(overlay: &Overlay<'_>, id: &GroupId) -> Result<Prepared, DriveError> {
	overlay.get::<Prepared>(id.as_bytes())?.ok_or(DriveError::Lost("the client's own commit"))
}

impl<M: Mls> Core<M> {
	/// What a step asks for beyond the store: events, answers, the next submission.
	fn follow_up(&mut self, id: &GroupId, done: Done) {
		let group = *id;
		self.report_skipped(id, done.skipped);
		for number in done.outgoing {
			self.outbox.insert(number, group);
		}
		if let Some((entry, change, own)) = done.advanced {
			let removed_me = change.removed_me;
			if !removed_me {
				self.report_epoch(id, &entry, change, own);
				self.settle(id, &entry, own, done.dropped);
				self.enter_epoch(id);
			}
		}
		match done.stopped {
			Some(Stop::Removed) => self.stop(id, Event::RemovedFromGroup { group }),
			Some(Stop::Desynchronized(_)) => {
				let reason = done.private.unwrap_or(PrivateReason::OwnCommit);
				self.stop(id, Event::Desynchronized { group, reason });
				self.on_cut_off(id);
			}
			None => {}
		}
		if let Some(again) = done.submit {
			self.submit_commit(id, done.append.filter(|_| !again), again);
		}
		if done.contest {
			self.contest(id);
		}
		self.start_waiting(id);
		self.post_due();
	}

	fn report_skipped(&mut self, id: &GroupId, skipped: Vec<(EntryHeader, SkippedBecause)>) {
		for (entry, reason) in skipped {
			self.report(Event::Skipped { group: *id, entry: entry.hash, reason });
		}
	}

	fn report_epoch(&mut self, id: &GroupId, entry: &EntryHeader, change: EpochChange, own: bool) {
		let (group, epoch) = (*id, change.epoch);
		self.report(Event::EpochAdvanced {
			group,
			epoch,
			entry: entry.hash,
			block: entry.block,
			own,
			authenticator: change.authenticator,
		});
		for identity in change.added {
			self.report(Event::MemberAdded { group, epoch, identity });
		}
		for identity in change.removed {
			self.report(Event::MemberRemoved { group, epoch, identity });
		}
		for identity in change.readmitted {
			self.report(Event::MemberReadmitted { group, epoch, identity });
		}
		for identity in change.rotated {
			self.report(Event::KeyChanged { group, epoch, identity });
		}
		if let Some(data) = change.data {
			self.report(Event::GroupDataChanged { group, epoch, data });
		}
	}

	/// What a new epoch brings with it: proposals of the last one are void, statements of this one can be read.
	fn enter_epoch(&mut self, id: &GroupId) {
		let Some(group) = self.groups.get_mut(id) else { return };
		group.proposals.clear();
		let leaving = group.leaving;
		#[cfg(feature = "hostile")]
		self.hoard_keys(id);
		self.read_buffered(id);
		if leaving {
			if let Err(error) = self.propose_leave(id) {
				tracing::warn!(group = %id, %error, "leaving could not be proposed again");
			}
		}
	}

	/// Nothing will come of a group, or not before the client is opened again: answers what is under way in it.
	pub fn stop(&mut self, id: &GroupId, event: Event) {
		let mut ended = Vec::new();
		if let Some(group) = self.groups.get_mut(id) {
			if let Some(trouble) = group.trouble(id) {
				// After trouble of this client its intents are still stored, and taken up again.
				if !matches!(trouble, GroupError::Halted { .. }) {
					ended.extend(group.operations().filter_map(|operation| operation.number));
				}
				let reason = trouble.to_string();
				group.fail_all(&trouble);
				for number in ended {
					let intent = IntentId { group: *id, number };
					self.act(Action::Report(Event::IntentEnded {
						intent,
						ended: Ended::Failed { reason: reason.clone() },
					}));
				}
			}
		}
		if self.groups.get(id).is_some_and(|group| group.is_over(id)) {
			self.give_up_all(id);
		}
		self.unfollow(id);
		self.report(event);
		self.read_mailboxes();
	}
}
