//! One step of a gate: its effects, applied to a transaction that holds everything durable in it.

use super::{Done, DriveError, Material};
use crate::{
	client::{
		commit,
		event::SkippedBecause,
		group::{self, Group},
		intent::{self, InFlight},
		messages,
		records::Outgoing,
	},
	gate::{self, Effect, Gate, Input, SkipReason},
	log::EntryHeader,
	mls::{self, Candidate, EpochKeys, InvalidReason, Mls, Prepared, PrivateReason, Staged},
	mutation::{self, Mutation},
	store::{Overlay, StoreError},
};
use lockstep_primitives::GroupId;
use std::{collections::VecDeque, sync::Arc};

/// A step on its way.
pub(super) struct Step<'a, M: Mls> {
	id: &'a GroupId,
	pub gate: Gate,
	effects: VecDeque<Effect>,
	material: Material<'a>,
	staged: Option<Box<M::Staged>>,
	/// This client's own commit, once it was read.
	own: Option<Arc<Prepared>>,
	/// Welcomes that go out with it, and are to be put into the outbox.
	pub invitations: Vec<Outgoing>,
	pub done: Done,
}

impl<'a, M: Mls> Step<'a, M> {
	/// What the gate of a group has answered to an input that came with `material`.
	pub fn new(id: &'a GroupId, group: &Group, gate: Gate, effects: Vec<Effect>, material: Material<'a>) -> Self {
		let (effects, done) = (effects.into(), Done::default());
		let pending = group.gate.pending();
		let is_pending = |own: &Arc<Prepared>| pending.is_some_and(|it| it.payload_hash == own.payload_hash);
		let own = group.own.clone().filter(is_pending);
		Self { id, gate, effects, material, staged: None, own, invitations: Vec::new(), done }
	}

	/// Applies the effects, and those that they lead to, to `overlay`.
	pub fn run(&mut self, engine: &M, overlay: &Overlay<'_>) -> Result<(), DriveError> {
		while let Some(effect) = self.effects.pop_front() {
			self.apply(engine, overlay, &effect)?;
		}
		Ok(())
	}

	fn apply(&mut self, engine: &M, overlay: &Overlay<'_>, effect: &Effect) -> Result<(), DriveError> {
		match effect {
			Effect::Evaluate(entry) => self.evaluate(engine, overlay, entry)?,
			Effect::Apply(entry) => {
				let staged = self.staged.take().ok_or(DriveError::Lost("the verdict on an entry"))?;
				let change = engine.apply(overlay, &entry.hash, *staged)?;
				self.done.replaced = change.replaced_me;
				self.done.advanced = Some((*entry, change, false));
			}
			Effect::MergeOwn(entry) => {
				let prepared = self.own.take().map_or_else(|| own_commit(overlay, self.id).map(Arc::new), Ok)?;
				let change = engine.merge_own(overlay, &entry.hash, &prepared)?;
				self.done.advanced = Some((*entry, change, true));
				self.release_welcomes(engine, overlay, entry, &prepared)?;
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
				self.own = None;
				self.done.dropped = true;
			}
			// The gate was asked before the commit was made: the two have come apart.
			Effect::Reject => return Err(DriveError::Apart),
			Effect::Submit { again } => {
				self.done.submit = Some(*again);
				if !again && mutation::is(Mutation::EarlyWelcome) {
					self.early_welcomes(engine, overlay)?;
				}
			}
			Effect::Contest => self.done.contest = true,
			Effect::Stop(stop) => self.done.stopped = Some(*stop),
		}
		Ok(())
	}

	/// Ends the intents that this step has decided, in its write.
	pub fn end_intents(&self, overlay: &Overlay<'_>, group: &Group) -> Result<(), StoreError> {
		if self.done.stopped.is_some() {
			if let Some(trouble) = group::trouble(&self.gate, self.id, self.done.replaced) {
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
		} else if self.done.dropped {
			overlay.delete::<InFlight>(self.id.as_bytes())?;
		}
		Ok(())
	}

	/// The commit that was given with the input and taken by the gate.
	pub fn to_keep(&self) -> Option<&Prepared> {
		match self.material {
			Material::Prepared(prepared) => Some(prepared),
			_ => None,
		}
	}

	fn evaluate(&mut self, engine: &M, overlay: &Overlay<'_>, entry: &EntryHeader) -> Result<(), DriveError> {
		let Material::Payload(payload) = self.material else {
			return Err(DriveError::Lost("the payload of an entry"));
		};
		let Some(payload) = payload else {
			// The others have read it, and went where it leads or passed it over: nothing here tells which.
			self.done.private = Some(PrivateReason::NoPayload);
			self.judged(entry, gate::Verdict::PrivatelyFailing);
			return Ok(());
		};
		let candidate =
			Candidate { group: self.id, parent: &entry.parent, next_key: &entry.next_key, block: entry.block, payload };
		if self.own.is_none() && self.gate.pending().is_some() {
			self.own = Some(Arc::new(own_commit(overlay, self.id)?));
		}
		let verdict = match engine.evaluate(overlay, &candidate, self.own.as_deref())? {
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
			mls::Verdict::Unknown(people) => return Err(DriveError::Unknown { people, block: entry.block }),
		};
		self.judged(entry, verdict);
		Ok(())
	}

	/// Tells the gate what a candidate is.
	fn judged(&mut self, entry: &EntryHeader, verdict: gate::Verdict) {
		let (gate, effects) = gate::step(self.gate.clone(), Input::Verdict { entry: entry.hash, verdict });
		self.gate = gate;
		self.effects.extend(effects);
	}

	fn refuse(&mut self, entry: &EntryHeader, reason: InvalidReason) -> gate::Verdict {
		self.done.skipped.push((*entry, SkippedBecause::Invalid(reason)));
		gate::Verdict::PubliclyInvalid
	}

	/// The Welcomes of the own commit that has just won, signed with the key of the epoch that it opened: that key
	/// has an allowance since the entry is in the log. The commit itself is done with.
	fn release_welcomes(
		&mut self,
		engine: &M,
		overlay: &Overlay<'_>,
		entry: &EntryHeader,
		own: &Prepared,
	) -> Result<(), DriveError> {
		// The tip is this entry already.
		let keys = EpochKeys::of_epoch(overlay, self.id, self.gate.tip().epoch)?;
		let keys = keys.ok_or(DriveError::Lost("the keys of the epoch"))?;
		if let Some(welcomes) = engine.welcomes(overlay, own, &entry.hash, entry.index)? {
			match messages::invitations(self.id, &keys, &welcomes) {
				Ok(invitations) => self.invitations.extend(invitations),
				Err(error) => tracing::error!(%error, "invitations cannot be sent"),
			}
		}
		overlay.delete::<Prepared>(self.id.as_bytes())?;
		Ok(())
	}
}

impl<M: Mls> Step<'_, M> {
	/// A deliberate fault: invitations to an epoch that may never be.
	fn early_welcomes(&mut self, engine: &M, overlay: &Overlay<'_>) -> Result<(), DriveError> {
		let Material::Prepared(prepared) = self.material else { return Ok(()) };
		let keys = engine.epoch_keys(overlay, self.id)?.pop().ok_or(DriveError::Lost("the keys of the epoch"))?;
		let index = self.gate.cursor().head.length;
		if let Some(welcomes) = engine.welcomes(overlay, prepared, &prepared.parent, index)? {
			self.invitations.extend(messages::invitations(self.id, &keys, &welcomes).unwrap_or_default());
		}
		Ok(())
	}
}

fn own_commit(overlay: &Overlay<'_>, id: &GroupId) -> Result<Prepared, DriveError> {
	overlay.get::<Prepared>(id.as_bytes())?.ok_or(DriveError::Lost("the client's own commit"))
}
