//! Operations that end in a commit: from what is wanted to what the log says.

use super::{
	command::Reply,
	core::Core,
	drive::{DriveError, Material},
	group::{Group, Operation, MAX_WAITING},
	intent::{self, Ended, EndedIntent, InFlight, IntentId, IntentState},
	path_wait::PATH_STEP,
	CommitError, Committed, Event, GroupError, Outcome,
};
use crate::{
	gate::{Input, Pending, Tip},
	log::EntryHeader,
	mls::{Batch, BuildError, EngineError, Intent, InvalidReason, Mls, Placed, Prepared},
	mutation::{self, Mutation},
	store::{Overlay, StoreError},
};
use lockstep_primitives::GroupId;
use rand::RngCore;
use std::{collections::BTreeMap, sync::Arc};

/// Commits made for an operation before it is given up: so many lost races in a row are no coincidence.
const MAX_ATTEMPTS: u32 = 256;

/// What came of building a commit.
struct Tried {
	batch: Batch,
	/// If proposals to leave were to go into it, and its path is too long for that: what is said of it.
	proposals: Option<BuildError>,
}

impl<M: Mls> Core<M> {
	/// Takes an intent on: when this has answered `taken`, it is stored, and what comes of it is read from the log,
	/// across restarts. If it cannot be stored nothing has changed.
	pub fn commit(
		&mut self,
		id: &GroupId,
		intent: Intent,
		once: bool,
		taken: Option<Reply<IntentId, CommitError>>,
		reply: Option<Reply<Outcome, CommitError>>,
	) {
		if let Err(error) = self.enqueue(id, intent, once) {
			if let Some(taken) = taken {
				drop(taken.send(Err(error.clone())));
			}
			if let Some(reply) = reply {
				drop(reply.send(Err(error)));
			}
			return;
		}
		let Some(group) = self.groups.get_mut(id) else { return };
		let alone = group.waiting.len() == 1;
		if let Some(operation) = group.waiting.back_mut() {
			(operation.taken, operation.reply) = (taken, reply);
		}
		// If its commit can be made at once, both are stored in one write.
		if alone && group.caught_up && group.gate.takes_commit() && !mutation::is(Mutation::VolatileIntent) {
			self.start_waiting(id);
			self.store_waiting(id);
		} else {
			self.store_waiting(id);
			self.start_waiting(id);
		}
	}

	/// Puts an intent behind those that wait.
	fn enqueue(&mut self, id: &GroupId, intent: Intent, once: bool) -> Result<(), CommitError> {
		let group = self.usable(id)?;
		if group.waiting.len() >= MAX_WAITING {
			return Err(CommitError::Busy(group.waiting.len()));
		}
		let operation = Operation::asked(group.next_intent, intent, once, group.gate.tip().epoch);
		group.next_intent = group.next_intent.saturating_add(1);
		group.waiting.push_back(operation);
		Ok(())
	}

	/// Stores the intents that wait and are not stored yet. If that fails they were not taken on.
	fn store_waiting(&mut self, id: &GroupId) {
		let overlay = self.store.overlay();
		let Some(group) = self.groups.get_mut(id) else { return };
		let mut new = group.waiting.iter().filter(|operation| !operation.stored).peekable();
		if new.peek().is_none() {
			return;
		}
		let stored = new
			.try_for_each(|operation| store_taken(&overlay, id, operation))
			.and_then(|()| overlay.put(id.as_bytes(), &group.membership(&group.gate)))
			.and_then(|()| overlay.commit());
		match stored {
			Ok(()) => {
				let new = group.waiting.iter_mut().filter(|operation| !operation.stored);
				new.for_each(|operation| operation.is_taken(id));
			}
			Err(error) => group.drop_new(&refused(error)),
		}
	}

	/// How the intents of a group are doing, in their order: those that have not ended, and the newest that have.
	pub fn intents(&self, id: &GroupId) -> Result<Vec<(IntentId, IntentState)>, GroupError> {
		let group = self.groups.get(id).ok_or_else(|| self.absent(id))?;
		let halted = |error: StoreError| GroupError::Halted { group: *id, reason: error.to_string() };
		let ended = self.store.overlay().list::<EndedIntent>(id.as_bytes()).map_err(halted)?;
		let mut found: BTreeMap<u64, IntentState> = ended
			.into_iter()
			.filter_map(|(key, record)| Some((intent::number(&key)?, IntentState::Ended(record.ended))))
			.collect();
		let waiting = |operation: &Operation| IntentState::Waiting {
			attempts: operation.attempts,
			waiting_for: operation.waiting_for(),
		};
		let committing = |operation: &Operation| IntentState::Committing { attempts: operation.attempts };
		found.extend(group.waiting.iter().filter_map(|operation| Some((operation.number?, waiting(operation)))));
		found.extend(group.current.iter().filter_map(|operation| Some((operation.number?, committing(operation)))));
		Ok(found.into_iter().map(|(number, state)| (IntentId { group: *id, number }, state)).collect())
	}

	/// Makes commits for waiting operations for as long as the gate takes them: one commit of all that go into one. None
	/// before the log is read to its end: the epoch may be over, and what is wanted may have come about.
	pub fn start_waiting(&mut self, id: &GroupId) {
		let finalized = self.finalized;
		loop {
			let Ok(group) = self.usable(id) else { return };
			let behind = !group.caught_up && !mutation::is(Mutation::CommitBehind);
			if behind || !group.gate.takes_commit() {
				return;
			}
			let due = group.take_due(finalized);
			if due.is_empty() {
				return;
			}
			self.start(id, due);
		}
	}

	/// Makes a commit for operations and submits it, or answers them. Those that do not go along wait on, at the front.
	fn start(&mut self, id: &GroupId, operations: Vec<Operation>) {
		let (exhausted, operations): (Vec<_>, Vec<_>) =
			operations.into_iter().partition(|operation| operation.attempts >= MAX_ATTEMPTS);
		for operation in exhausted {
			let attempts = operation.attempts;
			self.conclude(id, operation, Err(CommitError::Exhausted { attempts }));
		}
		let finalized = self.finalized;
		let is_late = |operation: &Operation| operation.intent.until().is_some_and(|until| until < finalized);
		let (late, operations): (Vec<_>, Vec<_>) = operations.into_iter().partition(is_late);
		for operation in late {
			self.conclude(id, operation, Err(CommitError::ClaimLapsed));
		}
		let (Tried { batch, proposals }, operations) = match self.batch(id, operations) {
			Ok(tried) => tried,
			Err((CommitError::Build(BuildError::Engine(error)), operations)) if error.is_lost_state() => {
				// Those that are stored wait until the client is back.
				if let Some(group) = self.groups.get_mut(id) {
					operations.into_iter().rev().for_each(|operation| group.put_back(operation));
				}
				return self.halt(id, error);
			}
			Err((error, operations)) => {
				for operation in operations {
					self.conclude(id, operation, Err(error.clone()));
				}
				return;
			}
		};
		let Some(tip) = self.groups.get(id).map(|group| *group.gate.tip()) else { return };
		let (mut carried, mut deferred) = (Vec::new(), Vec::new());
		let mut own = operations.iter().zip(&batch.placed).filter(|(operation, _)| operation.number.is_none());
		if own.any(|(_, placed)| too_long(placed).is_some()) || proposals.is_some() {
			if let Some(group) = self.groups.get_mut(id) {
				group.renew_not_before = finalized.saturating_add(PATH_STEP);
			}
		}
		// What contradicts something that waits for shorter paths is to come after it.
		let waits = |(operation, _): &(&Operation, &Placed)| operation.number.is_some() && !operation.once;
		let mut asked = operations.iter().zip(&batch.placed).filter(waits);
		let before_it = proposals.or(asked.find_map(|(_, placed)| too_long(placed)).cloned());
		for (mut operation, placed) in operations.into_iter().zip(batch.placed) {
			let placed = match (placed, &before_it) {
				(Placed::Deferred, Some(_)) if operation.number.is_none() => {
					operation.not_before = finalized.saturating_add(PATH_STEP);
					Placed::Deferred
				}
				(Placed::Deferred, Some(reason)) => Placed::Refused(reason.clone()),
				(placed, _) => placed,
			};
			match placed {
				Placed::Included => {
					operation.attempts = operation.attempts.saturating_add(1);
					operation.path_wait = None;
					carried.push(operation);
				}
				Placed::Deferred => deferred.push(operation),
				// What never made sense is an error; what has come about since it was asked for is done.
				Placed::Satisfied(reason) if operation.is_new(&tip) => {
					self.conclude(id, operation, Err(reason.into()));
				}
				Placed::Satisfied(_) => {
					let committed = committed(&operation, &tip, true);
					self.conclude(id, operation, Ok(Outcome::Won(committed)));
				}
				Placed::Refused(reason) if operation.wait_for_path(&reason, finalized) => {
					deferred.push(operation);
				}
				Placed::Refused(reason) => self.conclude(id, operation, Err(reason.into())),
			}
		}
		self.keep_path_waits(id, &mut deferred);
		let Some(group) = self.groups.get_mut(id) else { return };
		deferred.into_iter().rev().for_each(|operation| group.put_back(operation));
		if let Some(prepared) = batch.prepared {
			group.current = carried;
			let Prepared { parent, payload_hash, next_key, conditional, .. } = prepared;
			let pending = Pending { conditional, ..Pending::new(parent, payload_hash, next_key) };
			match self.transact(id, Input::Prepared(pending), Material::Prepared(&prepared)) {
				Ok(done) => {
					if let Some(group) = self.groups.get_mut(id) {
						group.own = Some(Arc::new(prepared));
					}
					self.follow_up(id, done);
				}
				Err(error) => self.not_made(id, error),
			}
		}
	}

	/// Stores of these operations that they have begun to wait for shorter paths. If that fails it is tried again when they are.
	fn keep_path_waits(&self, id: &GroupId, operations: &mut [Operation]) {
		// Those that are not stored at all are about to be.
		let is_new =
			|operation: &&mut Operation| operation.stored && operation.path_wait.is_some() && !operation.wait_stored;
		let new: Vec<&mut Operation> = operations.iter_mut().filter(is_new).collect();
		if new.is_empty() {
			return;
		}
		let overlay = self.store.overlay();
		let stored = new.iter().try_for_each(|operation| store_taken(&overlay, id, operation));
		match stored.and_then(|()| overlay.commit()) {
			Ok(()) => new.into_iter().for_each(|operation| operation.wait_stored = true),
			Err(error) => tracing::warn!(group = %id, %error, "what intents wait for cannot be stored"),
		}
	}

	/// A commit could not be stored, and nothing has changed. Intents that would have been taken on with it were not; if it
	/// carried others, the group waits for the trouble to end.
	fn not_made(&mut self, id: &GroupId, error: DriveError) {
		let Some(group) = self.groups.get_mut(id) else { return };
		match &error {
			DriveError::Store(error) | DriveError::Engine(EngineError::Store(error)) => {
				group.drop_new(&refused(error.clone()));
			}
			_ => return self.halt(id, error),
		}
		// What the client wanted of its own accord it will want again.
		group.current.retain(|operation| operation.number.is_some());
		if !group.current.is_empty() || error.is_lost_state() {
			self.halt(id, error);
		}
	}

	/// One commit of these operations, and of the proposals to leave that wait; what became of each is in the order of
	/// the operations given back.
	fn batch(
		&mut self,
		id: &GroupId,
		mut operations: Vec<Operation>,
	) -> Result<(Tried, Vec<Operation>), (CommitError, Vec<Operation>)> {
		loop {
			let proposals = self.groups.get(id).and_then(super::leave::proposals);
			let intents: Vec<Intent> = operations.iter().map(|operation| operation.intent.clone()).collect();
			let with: Vec<Intent> = intents.iter().cloned().chain(proposals.clone()).collect();
			let mut batch = match self.engine.build_commit(&self.store.overlay(), id, &with) {
				Ok(batch) => batch,
				Err(error) => return Err((BuildError::from(error).into(), operations)),
			};
			let mut long = None;
			if proposals.is_some() {
				let placed = batch.placed.pop();
				long = placed.as_ref().and_then(too_long).cloned();
				if let Some(Placed::Refused(reason)) = placed.filter(|placed| too_long(placed).is_none()) {
					// Of no use to anybody: the wish to leave is repeated in the next epoch.
					tracing::debug!(group = %id, %reason, "proposals to leave cannot be committed");
					if let Some(group) = self.groups.get_mut(id) {
						group.proposals.clear();
					}
				}
			}
			let length = batch.prepared.as_ref().map_or(0, |prepared| prepared.payload.0.len());
			let max = self.parameters.max_payload;
			if u32::try_from(length).is_ok_and(|length| length <= max) {
				return Ok((Tried { batch, proposals: long }, operations));
			}
			// Fewer go into one that the chain admits.
			match operations.len() {
				0 | 1 => return Err((CommitError::TooLarge { length, max }, operations)),
				many => {
					let rest = operations.split_off(many.div_ceil(2));
					if let Some(group) = self.groups.get_mut(id) {
						rest.into_iter().rev().for_each(|operation| group.put_back(operation));
					}
				}
			}
		}
	}

	/// Ends an operation without a commit of its own.
	fn conclude(&mut self, id: &GroupId, mut operation: Operation, result: Result<Outcome, CommitError>) {
		let ended = match &result {
			Ok(Outcome::Won(committed)) => Ended::Done(committed.clone()),
			Ok(Outcome::Superseded { by, epoch, .. }) => Ended::Superseded { by: *by, epoch: *epoch },
			Err(error) => Ended::Failed { reason: error.to_string() },
		};
		let overlay = self.store.overlay();
		let membership = self.groups.get(id).filter(|_| !operation.stored).map(|group| group.membership(&group.gate));
		let stored = intent::end(&overlay, id, &operation, ended.clone())
			.and_then(|()| membership.map_or(Ok(()), |membership| overlay.put(id.as_bytes(), &membership)))
			.and_then(|()| overlay.commit());
		if let Err(error) = stored {
			if !operation.stored {
				return operation.finish(Err(refused(error)));
			}
			// It stays stored as it was, and is taken up when the trouble has passed.
			operation.finish(Err(GroupError::Halted { group: *id, reason: error.to_string() }.into()));
			return self.halt(id, error);
		}
		operation.is_taken(id);
		self.report_ended(id, &operation, ended);
		operation.finish(result);
	}

	fn report_ended(&mut self, id: &GroupId, operation: &Operation, ended: Ended) {
		if let Some(number) = operation.number {
			self.report(Event::IntentEnded { intent: IntentId { group: *id, number }, ended });
		}
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
					group.put_back(operation);
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

	/// The own commit got into the log, and is invalid there, for this reason. What it carried by itself has failed; of several
	/// wishes it is not known which was to blame, so each is tried again, by itself.
	pub fn take_back(&mut self, id: &GroupId, reason: InvalidReason) {
		let Some(group) = self.groups.get_mut(id) else { return };
		let mut carried = std::mem::take(&mut group.current);
		if carried.len() > 1 {
			for mut operation in carried.into_iter().rev() {
				operation.alone = true;
				group.put_back(operation);
			}
		} else if let Some(operation) = carried.pop() {
			self.conclude(id, operation, Err(BuildError::Refused(reason).into()));
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

/// What is told to whoever wanted something that could not be stored.
fn refused(error: StoreError) -> CommitError {
	BuildError::from(EngineError::from(error)).into()
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

pub(super) fn committed(operation: &Operation, tip: &Tip, by_another: bool) -> Committed {
	Committed {
		epoch: tip.epoch,
		entry: tip.entry,
		block: tip.block,
		attempts: operation.attempts,
		elapsed: operation.started.elapsed(),
		by_another,
	}
}

/// If its path is too long: what is said of that.
fn too_long(placed: &Placed) -> Option<&BuildError> {
	match placed {
		Placed::Refused(reason @ BuildError::LongPath { .. }) => Some(reason),
		_ => None,
	}
}
