//! Operations that end in a commit: from what is wanted to what the log says.

use super::{
	command::Reply,
	core::Core,
	drive::Material,
	group::{Group, Operation, MAX_WAITING},
	intent::{self, Ended, EndedIntent, InFlight, IntentId, IntentState},
	records::Membership,
	CommitError, Committed, Event, GroupError, Outcome,
};
use crate::{
	gate::{Input, Pending, Tip},
	log::EntryHeader,
	mls::{BuildError, EngineError, Intent, Mls, Prepared},
	mutation::{self, Mutation},
	store::{Overlay, StoreError},
};
use lockstep_primitives::{rpc::HexBytes, GroupId};
use rand::RngCore;
use std::collections::BTreeMap;

/// Commits made for an operation before it is given up: so many lost races in a row are no coincidence.
const MAX_ATTEMPTS: u32 = 256;

/// What is left to do of an operation.
enum Plan {
	/// Submit this commit.
	Submit(Box<Prepared>),
	/// Nothing: others have done it.
	Satisfied,
}

impl<M: Mls> Core<M> {
	/// Takes an intent on: when this has answered `taken`, it is stored, and what comes of it is read from the log,
	/// across restarts.
	pub fn commit(
		&mut self,
		id: &GroupId,
		intent: Intent,
		once: bool,
		taken: Option<Reply<IntentId, CommitError>>,
		reply: Option<Reply<Outcome, CommitError>>,
	) {
		match self.enqueue(id, intent, once) {
			Ok(number) => {
				let waiting = self.groups.get_mut(id).and_then(|group| group.waiting.back_mut());
				if let Some(operation) = waiting {
					operation.reply = reply;
				}
				if let Some(taken) = taken {
					drop(taken.send(Ok(IntentId { group: *id, number })));
				}
				self.start_waiting(id);
			}
			Err(error) => {
				if let Some(taken) = taken {
					drop(taken.send(Err(error.clone())));
				}
				if let Some(reply) = reply {
					drop(reply.send(Err(error)));
				}
			}
		}
	}

	/// Stores an intent as the last of those that wait.
	fn enqueue(&mut self, id: &GroupId, intent: Intent, once: bool) -> Result<u64, CommitError> {
		let group = self.usable(id)?;
		if group.waiting.len() >= MAX_WAITING {
			return Err(CommitError::Busy(group.waiting.len()));
		}
		let number = group.next_intent;
		let operation = Operation::asked(number, intent, once, None);
		let next_intent = number.saturating_add(1);
		let membership = Membership { next_intent, ..group.membership(&group.gate) };
		let overlay = self.store.overlay();
		store_taken(&overlay, id, &operation)
			.and_then(|()| overlay.put(id.as_bytes(), &membership))
			.and_then(|()| overlay.commit())
			.map_err(|error| BuildError::from(EngineError::from(error)))?;
		let group = self.usable(id)?;
		group.next_intent = next_intent;
		group.waiting.push_back(operation);
		Ok(number)
	}

	/// How the intents of a group are doing, in their order: those that have not ended, and the newest that have.
	pub fn intents(&self, id: &GroupId) -> Result<Vec<(IntentId, IntentState)>, GroupError> {
		let group = self.groups.get(id).ok_or(GroupError::Unknown(*id))?;
		let halted = |error: StoreError| GroupError::Halted { group: *id, reason: error.to_string() };
		let ended = self.store.overlay().list::<EndedIntent>(id.as_bytes()).map_err(halted)?;
		let mut found: BTreeMap<u64, IntentState> = ended
			.into_iter()
			.filter_map(|(key, record)| Some((intent::number(&key)?, IntentState::Ended(record.ended))))
			.collect();
		let waiting = |operation: &Operation| IntentState::Waiting { attempts: operation.attempts };
		let committing = |operation: &Operation| IntentState::Committing { attempts: operation.attempts };
		found.extend(group.waiting.iter().filter_map(|operation| Some((operation.number?, waiting(operation)))));
		found.extend(group.current.iter().filter_map(|operation| Some((operation.number?, committing(operation)))));
		Ok(found.into_iter().map(|(number, state)| (IntentId { group: *id, number }, state)).collect())
	}

	/// Makes commits for waiting operations for as long as the gate takes them.
	pub fn start_waiting(&mut self, id: &GroupId) {
		let finalized = self.finalized;
		loop {
			let Ok(group) = self.usable(id) else { return };
			if !group.gate.takes_commit() {
				return;
			}
			let Some(operation) = group.take_due(finalized) else { return };
			self.start(id, operation);
		}
	}

	/// Makes a commit for an operation and submits it, or answers it.
	fn start(&mut self, id: &GroupId, mut operation: Operation) {
		if operation.attempts >= MAX_ATTEMPTS {
			let attempts = operation.attempts;
			return self.conclude(id, operation, Err(CommitError::Exhausted { attempts }));
		}
		match self.plan(id, &operation) {
			Ok(Plan::Submit(prepared)) => {
				operation.attempts = operation.attempts.saturating_add(1);
				if let Some(group) = self.groups.get_mut(id) {
					group.current = vec![operation];
				}
				let pending = Pending::new(prepared.parent, prepared.payload_hash, prepared.next_key);
				self.step(id, Input::Prepared(pending), Material::Prepared(&prepared));
			}
			Ok(Plan::Satisfied) => {
				let Some(group) = self.groups.get(id) else { return };
				let committed = committed(&operation, group.gate.tip(), true);
				self.conclude(id, operation, Ok(Outcome::Won(committed)));
			}
			Err(error) => self.conclude(id, operation, Err(error)),
		}
	}

	/// Ends an operation without a commit of its own.
	fn conclude(&mut self, id: &GroupId, operation: Operation, result: Result<Outcome, CommitError>) {
		let ended = match &result {
			Ok(Outcome::Won(committed)) => Ended::Done(committed.clone()),
			Ok(Outcome::Superseded { by, epoch, .. }) => Ended::Superseded { by: *by, epoch: *epoch },
			Err(error) => Ended::Failed { reason: error.to_string() },
		};
		let overlay = self.store.overlay();
		let stored = intent::end(&overlay, id, &operation, ended.clone()).and_then(|()| overlay.commit());
		if let Err(error) = stored {
			// It stays stored as it was, and is taken up when the client is opened again.
			operation.finish(Err(GroupError::Halted { group: *id, reason: error.to_string() }.into()));
			return self.halt(id, error.to_string());
		}
		self.report_ended(id, &operation, ended);
		operation.finish(result);
	}

	fn report_ended(&mut self, id: &GroupId, operation: &Operation, ended: Ended) {
		if let Some(number) = operation.number {
			self.report(Event::IntentEnded { intent: IntentId { group: *id, number }, ended });
		}
	}

	/// What to do for an operation in the group's current epoch.
	fn plan(&mut self, id: &GroupId, operation: &Operation) -> Result<Plan, CommitError> {
		let Some(intent) = self.remaining(id, operation)? else { return Ok(Plan::Satisfied) };
		let prepared = match self.engine.build_commit(&self.store.overlay(), id, &intent) {
			Err(BuildError::Proposal { reason, .. }) => {
				// Of no use to anybody: the wish to leave is repeated in the next epoch.
				tracing::debug!(group = %id, %reason, "proposals to leave cannot be committed");
				if let Some(group) = self.groups.get_mut(id) {
					group.proposals.clear();
				}
				self.engine.build_commit(&self.store.overlay(), id, &Intent::Update)?
			}
			built => built?,
		};
		let (length, max) = (prepared.payload.0.len(), self.parameters.max_payload);
		if u32::try_from(length).map_or(true, |length| length > max) {
			return Err(CommitError::TooLarge { length, max });
		}
		Ok(Plan::Submit(Box::new(prepared)))
	}

	/// What of an operation others have not done yet; `None` if nothing is left. A first attempt is taken as it is,
	/// so that what never made sense is an error.
	fn remaining(&self, id: &GroupId, operation: &Operation) -> Result<Option<Intent>, CommitError> {
		let retried = operation.attempts > 0;
		Ok(match &operation.intent {
			Intent::Remove(identities) if retried => {
				let members = self.members(id)?;
				let left: Vec<HexBytes> =
					identities.iter().filter(|identity| members.contains(&identity.0)).cloned().collect();
				(!left.is_empty()).then_some(Intent::Remove(left))
			}
			Intent::Add(packages) if retried => {
				let overlay = self.store.overlay();
				let mut left = Vec::new();
				for package in packages {
					let alone = Intent::Add(vec![package.clone()]);
					match self.engine.build_commit(&overlay, id, &alone) {
						Err(BuildError::AlreadyMember { .. }) => {}
						Err(error) => return Err(error.into()),
						Ok(_) => left.push(package.clone()),
					}
				}
				(!left.is_empty()).then_some(Intent::Add(left))
			}
			// Any commit renews the committer's keys, so that a proposal to leave can go with it.
			Intent::Update => Some(self.groups.get(id).map_or(Intent::Update, super::leave::update_or_proposals)),
			Intent::Proposals(_) => {
				let group = self.groups.get(id);
				group.filter(|group| !group.proposals.is_empty()).map(super::leave::update_or_proposals)
			}
			other => Some(other.clone()),
		})
	}

	fn members(&self, id: &GroupId) -> Result<Vec<Vec<u8>>, CommitError> {
		let view = self.engine.group(&self.store.overlay(), id).map_err(BuildError::from)?;
		Ok(view.map(|view| view.members).unwrap_or_default())
	}

	/// The tip moved: answers the operations whose commit won, or lost. Their intents ended in the write that moved it.
	pub fn settle(&mut self, id: &GroupId, entry: &EntryHeader, own: bool, dropped: bool) {
		let finalized = self.finalized;
		let Some(group) = self.groups.get_mut(id) else { return };
		let tip = *group.gate.tip();
		let mut answered = Vec::new();
		for mut operation in std::mem::take(&mut group.current).into_iter().rev() {
			match fate(&operation, &tip, own) {
				Some(ended) => answered.push((operation, ended)),
				None if mutation::is(Mutation::DropLoser) => {}
				None => {
					operation.step_back(finalized, self.random.next_u32());
					group.waiting.push_front(operation);
				}
			}
		}
		if dropped {
			self.report(Event::Superseded { group: *id, entry: entry.hash });
		}
		for (operation, ended) in answered.into_iter().rev() {
			let outcome = match &ended {
				Ended::Done(committed) => Outcome::Won(committed.clone()),
				_ => Outcome::Superseded { by: tip.entry, epoch: tip.epoch, elapsed: operation.started.elapsed() },
			};
			self.report_ended(id, &operation, ended);
			operation.finish(Ok(outcome));
		}
	}

	/// All children of the tip are invalid: commits, so that there is a valid one.
	pub fn contest(&mut self, id: &GroupId) {
		if let Some(group) = self.groups.get_mut(id) {
			tracing::info!(group = %id, "contesting an invalid entry");
			group.waiting.push_front(Operation::own(Intent::Update, true));
		}
	}
}

fn store_taken(overlay: &Overlay<'_>, id: &GroupId, operation: &Operation) -> Result<(), StoreError> {
	if mutation::is(Mutation::VolatileIntent) {
		return Ok(());
	}
	intent::store(overlay, id, operation)
}

/// How an operation ends whose commit won (`own`) or lost, now that the tip is this one; `None` if it is tried again.
pub(super) fn fate(operation: &Operation, tip: &Tip, own: bool) -> Option<Ended> {
	if own {
		Some(Ended::Done(committed(operation, tip, false)))
	} else {
		operation.once.then_some(Ended::Superseded { by: tip.entry, epoch: tip.epoch })
	}
}

/// Ends all intents of a group that has come to an end.
pub(super) fn fail_intents(
	overlay: &Overlay<'_>,
	id: &GroupId,
	group: &Group,
	why: &GroupError,
) -> Result<(), StoreError> {
	let failed = Ended::Failed { reason: why.to_string() };
	group.operations().try_for_each(|operation| intent::end(overlay, id, operation, failed.clone()))?;
	overlay.delete::<InFlight>(id.as_bytes())
}

fn committed(operation: &Operation, tip: &Tip, by_another: bool) -> Committed {
	Committed {
		epoch: tip.epoch,
		entry: tip.entry,
		block: tip.block,
		attempts: operation.attempts,
		elapsed: operation.started.elapsed(),
		by_another,
	}
}
