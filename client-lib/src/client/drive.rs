//! Driving the gate: its effects are applied together with its new state, in one write.

mod many;
mod step;

use super::{
	action::Action,
	core::Core,
	event::SkippedBecause,
	inbox,
	intent::{self, InFlight},
	people::remember_taken_out,
	records::{Membership, Outgoing},
	rejoin::Asked,
	Ended, Event, GroupError, IntentId,
};
use crate::{
	gate::{self, Input, Stop},
	log::{EntryHeader, VerifiedEntry},
	mls::{is_damaged_state, EngineError, EpochChange, MemberDevice, Mls, Prepared, PrivateReason},
	mutation::{self, Mutation},
	store::{Overlay, Store, StoreError},
};
use lockstep_primitives::{extrinsic::Append, BlockNumber, GroupId, IdentityId};
use std::collections::{BTreeMap, BTreeSet};
use step::Step;

/// What an input comes with, for the effects to work on.
#[derive(Clone, Copy)]
pub(super) enum Material<'a> {
	None,
	/// With [`Input::Entry`]; `None` if no node has it any more.
	Payload(Option<&'a [u8]>),
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
	/// Not trouble: an entry cannot be judged before the logs of these people are known.
	#[error("the logs of {} people have to be read up to block {block}", people.len())]
	Unknown { people: BTreeSet<IdentityId>, block: BlockNumber },
	#[error("the group's MLS state is not the one of its position in the log; restore the store or be invited again")]
	Apart,
	#[error("{0}")]
	Outdated(String),
}

impl DriveError {
	/// Whether what the store has of the group's state is damaged, or gone.
	pub fn is_lost_state(&self) -> bool {
		match self {
			Self::Engine(error) => error.is_lost_state(),
			Self::Store(error) => is_damaged_state(error),
			_ => false,
		}
	}

	/// Whether it is trouble of the store that can pass.
	pub fn may_pass(&self) -> bool {
		match self {
			Self::Engine(error) => error.may_pass(),
			Self::Store(error) => error.may_pass(),
			_ => false,
		}
	}
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
	/// What removed this member gave its place to another client of the same identity.
	pub replaced: bool,
	pub private: Option<PrivateReason>,
	/// Statements that were put into the outbox, by their numbers.
	pub outgoing: BTreeMap<u64, Outgoing>,
}

impl Done {
	/// Whether trouble for which this client may have asked to be readmitted has passed, for it goes on with the log, or other
	/// trouble has begun.
	fn is_new_start(&self) -> bool {
		self.advanced.is_some() || matches!(self.stopped, Some(Stop::Desynchronized(_)))
	}
}

impl<M: Mls> Core<M> {
	/// An entry that continues the log of a group.
	pub fn on_entry(&mut self, id: &GroupId, entry: &VerifiedEntry) {
		self.step(id, Input::Entry(entry.header), Material::Payload(entry.payload.as_deref()));
	}

	/// Runs one input through a group's gate.
	pub fn step(&mut self, id: &GroupId, input: Input, material: Material<'_>) {
		match self.transact(id, input, material) {
			Ok(done) => self.follow_up(id, done),
			Err(error) => self.not_read(id, error),
		}
	}

	/// An entry could not be read.
	fn not_read(&mut self, id: &GroupId, error: DriveError) {
		match error {
			DriveError::Unknown { people, block } => self.look_up(id, people, block),
			error => self.halt(id, error),
		}
	}

	/// The gate's step and everything durable in it, in one write. On an error nothing has changed.
	pub(super) fn transact(&mut self, id: &GroupId, input: Input, material: Material<'_>) -> Result<Done, DriveError> {
		let Some(group) = self.groups.get_mut(id) else { return Ok(Done::default()) };
		let (gate, effects) = gate::step(group.gate.clone(), input);
		if effects.is_empty() && !matches!(material, Material::Prepared(_)) {
			// A new finalized block, mostly. Not worth a write: it is learned again after a restart.
			group.gate = gate;
			return Ok(Done::default());
		}
		let overlay = self.store.overlay();
		let mut step = Step::new(id, group, gate, effects, material);
		step.run(&self.engine, &overlay)?;
		let invitations = std::mem::take(&mut step.invitations);
		let invitations: BTreeMap<u64, Outgoing> =
			invitations.into_iter().map(|outgoing| (self.outbox.number(), outgoing)).collect();
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
		if let Some((_, change, _)) = &step.done.advanced {
			remember_taken_out(&overlay, id, self.engine.identity(), change)?;
		}
		if step.done.is_new_start() {
			Asked::forget(&overlay, id)?;
		}
		for (number, outgoing) in &invitations {
			overlay.put(&number.to_be_bytes(), outgoing)?;
		}
		let mut membership = group.membership(&step.gate);
		membership.replaced |= step.done.replaced;
		if let Some((entry, _, true)) = &step.done.advanced {
			(membership.renewed_at, membership.sent) = (entry.block, 0);
		}
		if mutation::is(Mutation::MemoryFirst) {
			group.gate = step.gate.clone();
		}
		commit_together(&self.store, overlay, id, &membership)?;
		if made.is_some() {
			group.current.iter_mut().for_each(|operation| operation.is_taken(id));
		}
		if step.done.advanced.is_some() {
			group.opened.push_back((step.gate.tip().epoch, step.gate.tip().block));
			group.signers = None;
		}
		(group.gate, group.renewed_at, group.sent) = (step.gate, membership.renewed_at, membership.sent);
		group.replaced = membership.replaced;
		if group.gate.pending().is_none() {
			group.own = None;
		}
		step.done.outgoing = invitations;
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

impl<M: Mls> Core<M> {
	/// What a step asks for beyond the store: events, answers, the next submission.
	pub(super) fn follow_up(&mut self, id: &GroupId, done: Done) {
		let group = *id;
		let refused = done.skipped.last().filter(|_| done.dropped).and_then(|(_, because)| match because {
			SkippedBecause::Invalid(reason) => Some(reason.clone()),
			SkippedBecause::NotFromTip => None,
		});
		self.report_skipped(id, done.skipped);
		for (number, outgoing) in done.outgoing {
			self.outbox.insert(number, group, outgoing.size());
			self.outbox.set_ready(number, outgoing.statement.0);
		}
		let has_advanced = done.advanced.is_some();
		if let Some((entry, change, own)) = done.advanced {
			let removed_me = change.removed_me;
			if !removed_me {
				let takes_out_own = self.takes_out_own(&change);
				self.report_epoch(id, &entry, change, own);
				self.settle(id, &entry, own, done.dropped);
				if takes_out_own {
					self.forget_own_adds(id);
				}
				self.enter_epoch(id);
			}
		}
		if let Some(reason) = refused.filter(|_| !has_advanced && done.stopped.is_none()) {
			self.take_back(id, reason);
		}
		match done.stopped {
			Some(Stop::Removed) if done.replaced => self.stop(id, Event::Replaced { group }),
			Some(Stop::Removed) => self.stop(id, Event::RemovedFromGroup { group }),
			Some(Stop::Desynchronized(_)) => {
				let reason = done.private.unwrap_or(PrivateReason::OwnCommit);
				self.stop(id, Event::Desynchronized { group, reason });
				self.ask_by_itself(id);
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
		self.suspect_newcomers(id, &change);
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
		for MemberDevice { identity, key } in change.devices_added {
			self.report(Event::DeviceAdded { group, epoch, identity: identity.0, key: key.0 });
		}
		for MemberDevice { identity, key } in change.devices_removed {
			self.report(Event::DeviceRemoved { group, epoch, identity: identity.0, key: key.0 });
		}
		if let Some(data) = change.data {
			self.report(Event::GroupDataChanged { group, epoch, data });
		}
	}

	/// What a new epoch brings with it: proposals of the last one are void, statements of this one can be read.
	fn enter_epoch(&mut self, id: &GroupId) {
		let Some(group) = self.groups.get_mut(id) else { return };
		group.proposals.clear();
		// What waits for room has it now.
		self.outbox.hurry(id);
		#[cfg(feature = "hostile")]
		self.hoard_keys(id);
		self.read_buffered(id);
		self.leave_on(id);
	}

	/// Nothing will come of a group, or not before trouble has passed: answers what is under way in it.
	pub fn stop(&mut self, id: &GroupId, event: Event) {
		let mut ended = Vec::new();
		if let Some(group) = self.groups.get_mut(id) {
			if let Some(trouble) = group.trouble(id) {
				// After trouble of this client its intents are still stored, and taken up again.
				if !matches!(trouble, GroupError::Halted { .. } | GroupError::Returning(_)) {
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
