//! Operations that end in a commit: from what is wanted to what the log says.

use super::{
	actor::Actor,
	command::Reply,
	drive::Material,
	group::{Operation, MAX_WAITING},
	CommitError, Committed, Event, Outcome,
};
use crate::{
	gate::{Input, Pending},
	log::EntryHeader,
	mls::{BuildError, Intent, Prepared},
};
use lockstep_primitives::{rpc::HexBytes, GroupId};

/// What is left to do of an operation.
enum Plan {
	/// Submit this commit.
	Submit(Box<Prepared>),
	/// Nothing: others have done it.
	Satisfied,
}

impl Actor {
	/// Takes an operation on.
	pub fn commit(&mut self, id: &GroupId, intent: Intent, once: bool, reply: Reply<Outcome, CommitError>) {
		let operation = Operation::new(intent, once, Some(reply));
		match self.usable(id) {
			Ok(group) if group.waiting.len() >= MAX_WAITING => {
				let waiting = group.waiting.len();
				operation.finish(Err(CommitError::Busy(waiting)));
			}
			Ok(group) => {
				group.waiting.push_back(operation);
				self.start_waiting(id);
			}
			Err(trouble) => operation.finish(Err(trouble.into())),
		}
	}

	/// Makes commits for waiting operations for as long as the gate takes them.
	pub fn start_waiting(&mut self, id: &GroupId) {
		loop {
			let Ok(group) = self.usable(id) else { return };
			if !group.gate.takes_commit() {
				return;
			}
			let Some(operation) = group.waiting.pop_front() else { return };
			self.start(id, operation);
		}
	}

	/// Makes a commit for an operation and submits it, or answers it.
	fn start(&mut self, id: &GroupId, mut operation: Operation) {
		match self.plan(id, &operation) {
			Ok(Plan::Submit(prepared)) => {
				operation.attempts = operation.attempts.saturating_add(1);
				if let Some(group) = self.groups.get_mut(id) {
					group.current = Some(operation);
				}
				let pending = Pending::new(prepared.parent, prepared.payload_hash, prepared.next_key);
				self.step(id, Input::Prepared(pending), Material::Prepared(&prepared));
			}
			Ok(Plan::Satisfied) => {
				let Some(group) = self.groups.get(id) else { return };
				let tip = *group.gate.tip();
				let committed = Committed {
					epoch: tip.epoch,
					entry: tip.entry,
					block: tip.block,
					attempts: operation.attempts,
					elapsed: operation.started.elapsed(),
					by_another: true,
				};
				operation.finish(Ok(Outcome::Won(committed)));
			}
			Err(error) => operation.finish(Err(error)),
		}
	}

	/// What to do for an operation in the group's current epoch.
	fn plan(&mut self, id: &GroupId, operation: &Operation) -> Result<Plan, CommitError> {
		let Some(intent) = self.remaining(id, operation)? else { return Ok(Plan::Satisfied) };
		let prepared = match self.engine.build_one(&self.store.overlay(), id, &intent) {
			Err(BuildError::Proposal { reason, .. }) => {
				// Of no use to anybody: the wish to leave is repeated in the next epoch.
				tracing::debug!(group = %id, %reason, "proposals to leave cannot be committed");
				if let Some(group) = self.groups.get_mut(id) {
					group.proposals.clear();
				}
				self.engine.build_one(&self.store.overlay(), id, &Intent::Update)?
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
					match self.engine.build_one(&overlay, id, &alone) {
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

	/// The tip moved: answers the operation whose commit won, or lost.
	pub fn settle(&mut self, id: &GroupId, entry: &EntryHeader, own: bool, dropped: bool) {
		let Some(group) = self.groups.get_mut(id) else { return };
		let epoch = group.gate.tip().epoch;
		if own {
			if let Some(operation) = group.current.take() {
				let committed = Committed {
					epoch,
					entry: entry.hash,
					block: entry.block,
					attempts: operation.attempts,
					elapsed: operation.started.elapsed(),
					by_another: false,
				};
				operation.finish(Ok(Outcome::Won(committed)));
			}
			return;
		}
		if !dropped {
			return;
		}
		match group.current.take() {
			Some(operation) if operation.once => {
				let elapsed = operation.started.elapsed();
				operation.finish(Ok(Outcome::Superseded { by: entry.hash, epoch, elapsed }));
			}
			Some(operation) => group.waiting.push_front(operation),
			None => {}
		}
		self.report(Event::Superseded { group: *id, entry: entry.hash });
	}

	/// All children of the tip are invalid: commits, so that there is a valid one.
	pub fn contest(&mut self, id: &GroupId) {
		if let Some(group) = self.groups.get_mut(id) {
			tracing::info!(group = %id, "contesting an invalid entry");
			group.waiting.push_front(Operation::new(Intent::Update, true, None));
		}
	}
}
