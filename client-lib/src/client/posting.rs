//! Posting what is in the outbox: each statement when its turn comes, and a message for the epoch that is current then.

use super::{
	action::Action,
	core::Core,
	inbox::{self, SENT_AGAIN_EPOCHS},
	outbox::Next,
	records::{Outgoing, Unsent},
	undelivered::UndeliveredBecause,
};
use crate::{
	delivery::{envelope::Content, expiry, statement::Statement, Posted},
	mls::{EngineError, EpochKeys, MessageError, Mls},
	mutation::{self, Mutation},
	rpc::RpcError,
	store::{Store, StoreError},
};
use lockstep_primitives::{key_package::CLAIM_LIFE, rpc::HexBytes, topic};

/// What to do with a statement of the outbox.
enum Due {
	/// Post these bytes.
	Post(Vec<u8>),
	/// Not before the group has caught up.
	Later,
	/// It is not there any more.
	Gone,
}

impl<M: Mls> Core<M> {
	/// Hands what is due in the outbox to a node. A message of an epoch that is past is encrypted again before, so that
	/// members who have deleted the keys of that one can read it, too.
	pub fn post_due(&mut self) {
		for number in self.outbox.due(self.finalized) {
			match self.made_current(number) {
				Ok(Due::Post(statement)) => {
					self.outbox.sent(number);
					self.act(Action::Post { number, statement });
					if mutation::is(Mutation::DeleteOnPost) {
						drop(self.delete_outgoing(number));
					}
				}
				Ok(Due::Later) => {}
				Ok(Due::Gone) => self.outbox.remove(number),
				// It waits until the client is back.
				Err(error) if error.is_lost_state() => {
					if let Some(id) = self.outbox.group(number) {
						self.halt(&id, error);
					}
				}
				Err(error) if error.may_pass() => {
					tracing::error!(%error, "a statement of the outbox cannot be made ready now, and is tried again");
					self.outbox.answered(number, None, self.finalized);
				}
				Err(error) => {
					tracing::error!(%error, "a statement cannot be read from the outbox");
					self.outbox.remove(number);
				}
			}
		}
	}

	/// A statement of the outbox, made fit for the current epoch.
	fn made_current(&mut self, number: u64) -> Result<Due, EngineError> {
		if let Some((group, statement)) = self.outbox.take_ready(number) {
			let later = self.groups.get(&group).is_some_and(|group| group.is_followed() && !group.caught_up);
			return Ok(if later { Due::Later } else { Due::Post(statement) });
		}
		let read = |store: &Store| store.overlay().get::<Outgoing>(&number.to_be_bytes());
		let Some(mut outgoing) = read(&self.store)? else { return Ok(Due::Gone) };
		if outgoing.key.as_ref().is_some_and(|key| key.until.saturating_add(CLAIM_LIFE) < self.finalized) {
			tracing::warn!(group = %outgoing.group, "an invitation was given up: the key of its claim has no allowance any more");
			self.delete_outgoing(number)?;
			return Ok(Due::Gone);
		}
		let Some(group) = self.groups.get(&outgoing.group) else { return Ok(Due::Post(outgoing.statement.0)) };
		let (current, followed) = (group.gate.tip().epoch, group.is_followed());
		let Some(unsent) = &mut outgoing.unsent else {
			// What is asked for by whoever was cut off goes out in any case.
			return Ok(if followed && !group.caught_up { Due::Later } else { Due::Post(outgoing.statement.0) });
		};
		if !followed || !group.caught_up {
			return Ok(Due::Later);
		}
		if current > outgoing.epoch || outgoing.statement.0.is_empty() {
			self.send_anew(number, "")?;
			return Ok(match read(&self.store)? {
				None => Due::Gone,
				Some(outgoing) if outgoing.epoch < current || outgoing.statement.0.is_empty() => Due::Later,
				Some(outgoing) => Due::Post(outgoing.statement.0),
			});
		}
		if unsent.since.is_none() {
			// From now on a node may have it.
			unsent.since = Some(outgoing.epoch);
			self.outbox.set_first(number, true);
			let overlay = self.store.overlay();
			overlay.put(&number.to_be_bytes(), &outgoing)?;
			overlay.commit()?;
		}
		Ok(Due::Post(outgoing.statement.0))
	}

	/// The connection was gone before a statement was handed over for the first time: no node has it.
	fn not_handed_over(&mut self, number: u64) -> Result<(), EngineError> {
		let overlay = self.store.overlay();
		let Some(mut outgoing) = overlay.get::<Outgoing>(&number.to_be_bytes())? else { return Ok(()) };
		if let Some(unsent) = &mut outgoing.unsent {
			unsent.since = None;
			overlay.put(&number.to_be_bytes(), &outgoing)?;
			overlay.commit()?;
		}
		Ok(())
	}

	/// A node took a statement, or did not.
	pub fn on_posted(&mut self, posted: &Posted) {
		let first = self.outbox.is_first(posted.id);
		let unheard = first && matches!(posted.outcome, Err(RpcError::ConnectionLost));
		let next = self.outbox.answered(posted.id, posted.outcome.as_ref().ok(), self.finalized);
		self.outbox.set_first(posted.id, false);
		let changed = match next {
			Next::Again if unheard => self.not_handed_over(posted.id),
			Next::Done => self.delete_outgoing(posted.id).map_err(EngineError::from),
			Next::Hopeless => {
				tracing::warn!(outcome = ?posted.outcome, "a node will never take a statement");
				let said = posted.outcome.as_ref().map(|outcome| format!("{outcome:?}"));
				self.send_anew(posted.id, &said.unwrap_or_default())
			}
			Next::Again => {
				tracing::debug!(outcome = ?posted.outcome, "a statement was not taken");
				Ok(())
			}
			Next::Renew { attempts } => self.renew(posted.id, attempts, None),
			Next::Full { floor } => self.wait_for_room(posted.id, floor, first),
		};
		if let Err(error) = changed {
			tracing::error!(%error, "the outbox cannot be written");
		}
		self.post_due();
	}

	/// What the key of an epoch may store is used up. The nodes would displace a statement that expires sooner, which others
	/// may not have read: a message or an invitation waits for the next epoch instead, which this member opens if nobody else
	/// does ([`Self::upkeep`]). Proposals and requests, which are few and small, are of use in this epoch alone.
	fn wait_for_room(&mut self, number: u64, floor: u64, first: bool) -> Result<(), EngineError> {
		let Some(outgoing) = self.store.overlay().get::<Outgoing>(&number.to_be_bytes())? else { return Ok(()) };
		let invites = || {
			let statement = Statement::decode(&outgoing.statement.0);
			statement.is_ok_and(|statement| statement.topic != topic::group_topic(&outgoing.group))
		};
		if outgoing.key.is_some() {
			// Its key has nothing else to say.
			return self.renew(number, 1, Some(floor));
		}
		let waits = outgoing.unsent.is_some() || invites();
		let Some(group) = self.groups.get_mut(&outgoing.group).filter(|_| waits) else {
			// It lasts longer than anything else.
			return self.renew(number, 1, Some(floor));
		};
		if outgoing.unsent.is_none() && group.gate.tip().epoch > outgoing.epoch {
			return self.renew(number, 0, None);
		}
		self.leave_full_epoch(&outgoing.group, outgoing.epoch);
		// No node has it.
		if first {
			self.not_handed_over(number)
		} else {
			Ok(())
		}
	}

	pub fn delete_outgoing(&mut self, number: u64) -> Result<(), StoreError> {
		let overlay = self.store.overlay();
		overlay.delete::<Outgoing>(&number.to_be_bytes())?;
		overlay.commit()?;
		self.outbox.remove(number);
		Ok(())
	}

	/// A statement will never be taken (for what a node `said`), or nobody could read it any more: a message is encrypted
	/// again, for the current epoch, or given up; anything else is of no use in another epoch than its own.
	fn send_anew(&mut self, number: u64, said: &str) -> Result<(), EngineError> {
		let Some(outgoing) = self.store.overlay().get::<Outgoing>(&number.to_be_bytes())? else {
			return Ok(self.delete_outgoing(number)?);
		};
		let Some(unsent) = &outgoing.unsent else { return Ok(self.delete_outgoing(number)?) };
		let Some(state) = self.groups.get(&outgoing.group) else { return Ok(self.delete_outgoing(number)?) };
		if state.is_over(&outgoing.group) {
			return Ok(self.give_up(number, outgoing, UndeliveredBecause::Left)?);
		}
		if !state.is_followed() {
			// It may come back, and the message waits for that.
			return Ok(());
		}
		let current = state.gate.tip().epoch;
		if current <= outgoing.epoch && !outgoing.statement.0.is_empty() {
			return Ok(self.give_up(number, outgoing, UndeliveredBecause::Refused(said.to_owned()))?);
		}
		let since = unsent.since;
		if since.is_some_and(|since| current > since.saturating_add(SENT_AGAIN_EPOCHS)) {
			return Ok(self.give_up(number, outgoing, UndeliveredBecause::NoAnswer)?);
		}
		let Some(name) = unsent.id.0.first_chunk().copied() else { return Ok(self.delete_outgoing(number)?) };
		let framed = inbox::frame(&name, &unsent.data.0);
		let (group, unsent) = (outgoing.group, Unsent { since, ..unsent.clone() });
		let encrypted = self.store_content(&group, number, Some(unsent), |engine, overlay| {
			Ok(Content::Message(engine.encrypt(overlay, &group, &framed)?.bytes))
		});
		match encrypted {
			Ok(_) => Ok(()),
			Err(MessageError::Engine(error)) => Err(error),
			Err(MessageError::TooMany { epoch, .. }) => {
				self.leave_full_epoch(&group, epoch);
				Ok(())
			}
			Err(error) => Ok(self.give_up(number, outgoing, UndeliveredBecause::Refused(error.to_string()))?),
		}
	}

	/// Signs a statement again, with another expiry, if the epoch's keys are still there. An invitation is sealed to its
	/// reader, whoever signs it: the newest epoch does as well, and has an allowance that is not used up. But what the key of a
	/// claim signs no other key does, whatever a node says of its allowance.
	fn renew(&mut self, number: u64, attempts: u32, floor: Option<u64>) -> Result<(), EngineError> {
		let overlay = self.store.overlay();
		let Some(mut outgoing) = overlay.get::<Outgoing>(&number.to_be_bytes())? else { return Ok(()) };
		let keys = match self.engine.epoch_keys(&overlay.nested(), &outgoing.group) {
			// Those of another epoch may be what is damaged: what asks to be readmitted goes out all the same.
			Err(error) if error.is_lost_state() => {
				EpochKeys::of_epoch(&overlay, &outgoing.group, outgoing.epoch)?.into_iter().collect()
			}
			keys => keys?,
		};
		let renewed = Statement::decode(&outgoing.statement.0).ok().and_then(|statement| {
			if let Some(key) = outgoing.key.as_ref() {
				return statement.encode(expiry(0, attempts, floor), |bytes| key.sign(bytes)).ok();
			}
			let invitation = statement.topic != topic::group_topic(&outgoing.group);
			let own = |keys: &&EpochKeys| invitation || keys.epoch == outgoing.epoch;
			let keys = keys.iter().rev().find(own)?;
			outgoing.epoch = keys.epoch;
			let statement = Statement { signer: keys.ordering_key.0, ..statement };
			let expiry = expiry(self.age(&outgoing.group, keys.epoch), attempts, floor);
			statement.encode(expiry, |bytes| keys.sign(bytes)).ok()
		});
		let Some(renewed) = renewed else {
			tracing::debug!(epoch = outgoing.epoch, "a statement was given up: its epoch is long past");
			drop(overlay);
			return self.send_anew(number, "the keys of its epoch are deleted");
		};
		outgoing.statement = HexBytes(renewed);
		overlay.put(&number.to_be_bytes(), &outgoing)?;
		Ok(overlay.commit()?)
	}
}
