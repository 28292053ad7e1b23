//! Messages and other statements: posting them from the outbox, and reading those of others.

use super::{
	action::Action,
	core::Core,
	inbox,
	join::Use,
	outbox::{Next, MAX_OUTGOING},
	records::{Membership, Outgoing, Unsent, ONLY},
	SendError,
};
use crate::{
	delivery::{
		envelope::{self, Content},
		expiry,
		statement::{Statement, StatementError},
		Posted,
	},
	mls::{EngineError, EpochKeys, MessageError, Mls, WelcomeEnvelope},
	mutation::{self, Mutation},
	store::{Overlay, StoreError},
};
use lockstep_primitives::{rpc::HexBytes, topic, GroupId};
use rand::RngCore;

/// Largest message, in bytes: it has to fit, encrypted and sealed, into the allowance of an epoch many times.
pub const MAX_MESSAGE: usize = 32 * 1024;

/// A statement by a member of the epoch of `keys`.
fn signed(group: &GroupId, keys: &EpochKeys, topic: [u8; 32], sealed: &[u8]) -> Result<Outgoing, StatementError> {
	let statement = Statement { signer: keys.ordering_key.0, topic, data: envelope::wrap(sealed) };
	let statement = statement.encode(expiry(0, None), |bytes| keys.sign(bytes))?;
	Ok(Outgoing { group: *group, epoch: keys.epoch, statement: HexBytes(statement), unsent: None })
}

/// The keys of the epoch whose ordering key this is: the current one, mostly, or one that is kept.
fn keys_of_signer<M: Mls>(
	engine: &M,
	overlay: &Overlay<'_>,
	group: &GroupId,
	current: u64,
	signer: &[u8; 32],
) -> Result<Option<EpochKeys>, EngineError> {
	let is_of = |keys: &EpochKeys| keys.ordering_key.0 == *signer;
	match engine.keys_of_epoch(overlay, group, current)?.filter(is_of) {
		Some(keys) => Ok(Some(keys)),
		None => Ok(engine.epoch_keys(overlay, group)?.into_iter().find(is_of)),
	}
}

/// An invitation on its way to the mailbox of a joiner.
pub(super) fn invitation(
	group: &GroupId,
	keys: &EpochKeys,
	envelope: &WelcomeEnvelope,
) -> Result<Outgoing, StatementError> {
	signed(group, keys, topic::mailbox_topic(&envelope.key_package_ref), &envelope.bytes)
}

impl<M: Mls> Core<M> {
	/// Sends an application message in the current epoch.
	pub fn send(&mut self, id: &GroupId, data: &[u8]) -> Result<(), SendError> {
		if data.len() > MAX_MESSAGE {
			return Err(SendError::TooLarge { length: data.len(), max: MAX_MESSAGE });
		}
		let mut name = [0; inbox::ID];
		self.random.fill_bytes(&mut name);
		let unsent = Unsent { id: HexBytes(name.to_vec()), data: HexBytes(data.to_vec()) };
		let framed = inbox::frame(&name, data);
		self.send_content(id, Some(unsent), |engine, overlay| {
			Ok(Content::Message(engine.encrypt(overlay, id, &framed)?.bytes))
		})
	}

	/// Seals contents for the current epoch and puts them into the outbox, in one write with what making them changed.
	pub fn send_content(
		&mut self,
		id: &GroupId,
		unsent: Option<Unsent>,
		make: impl FnOnce(&M, &Overlay<'_>) -> Result<Content, MessageError>,
	) -> Result<(), SendError> {
		self.usable(id)?;
		self.post_content(id, unsent, make)
	}

	/// As [`Self::send_content`], also in a group that this client cannot follow any more.
	pub fn post_content(
		&mut self,
		id: &GroupId,
		unsent: Option<Unsent>,
		make: impl FnOnce(&M, &Overlay<'_>) -> Result<Content, MessageError>,
	) -> Result<(), SendError> {
		if self.outbox.len() >= MAX_OUTGOING {
			return Err(SendError::Backlog(self.outbox.len()));
		}
		let number = self.outbox.number();
		self.store_content(id, number, unsent, make)?;
		self.outbox.insert(number);
		self.post_due();
		Ok(())
	}

	fn store_content(
		&mut self,
		id: &GroupId,
		number: u64,
		unsent: Option<Unsent>,
		make: impl FnOnce(&M, &Overlay<'_>) -> Result<Content, MessageError>,
	) -> Result<(), MessageError> {
		let overlay = self.store.overlay();
		let content = make(&self.engine, &overlay)?;
		let current = self.groups.get(id).map(|group| group.gate.tip().epoch);
		let keys = current.map(|epoch| self.engine.keys_of_epoch(&overlay, id, epoch)).transpose()?.flatten();
		let keys = match keys {
			Some(keys) => keys,
			// The client was cut off: its newest epoch is another than that of the log.
			None => self.engine.epoch_keys(&overlay, id)?.pop().ok_or(EngineError::NotPlaced(*id))?,
		};
		let topic = topic::group_topic(id);
		let library = |error: String| EngineError::Library { during: "sealing a statement", reason: error };
		let sealed = keys.seal_statement(&topic, &content.encode()).map_err(|error| library(error.to_string()))?;
		let mut outgoing = signed(id, &keys, topic, &sealed).map_err(|error| library(error.to_string()))?;
		let sent = u32::from(unsent.is_some());
		outgoing.unsent = unsent;
		overlay.put(&number.to_be_bytes(), &outgoing).map_err(EngineError::from)?;
		let Some(group) = self.groups.get_mut(id) else { return Err(EngineError::NotPlaced(*id).into()) };
		let sent = group.sent.saturating_add(sent);
		let membership = Membership { sent, ..group.membership(&group.gate) };
		overlay.put(id.as_bytes(), &membership).map_err(EngineError::from)?;
		overlay.commit().map_err(EngineError::from)?;
		group.sent = sent;
		Ok(())
	}

	/// Hands what is due in the outbox to a node.
	pub fn post_due(&mut self) {
		for number in self.outbox.due(self.finalized) {
			match self.store.overlay().get::<Outgoing>(&number.to_be_bytes()) {
				Ok(Some(outgoing)) => {
					self.outbox.sent(number);
					self.act(Action::Post { number, statement: outgoing.statement.0 });
					if mutation::is(Mutation::DeleteOnPost) {
						drop(self.delete_outgoing(number));
					}
				}
				Ok(None) => self.outbox.remove(number),
				Err(error) => {
					tracing::error!(%error, "a statement cannot be read from the outbox");
					self.outbox.remove(number);
				}
			}
		}
	}

	/// A node took a statement, or did not.
	pub fn on_posted(&mut self, posted: &Posted) {
		let next = self.outbox.answered(posted.id, posted.outcome.as_ref().ok(), self.finalized);
		let changed = match next {
			Next::Done => self.delete_outgoing(posted.id).map_err(EngineError::from),
			Next::Hopeless => {
				tracing::warn!(outcome = ?posted.outcome, "a statement was given up");
				self.send_anew(posted.id)
			}
			Next::Again => {
				tracing::debug!(outcome = ?posted.outcome, "a statement was not taken");
				Ok(())
			}
			Next::Renew { attempts, floor } => self.renew(posted.id, expiry(attempts, floor)),
		};
		if let Err(error) = changed {
			tracing::error!(%error, "the outbox cannot be written");
		}
		self.post_due();
	}

	fn delete_outgoing(&mut self, number: u64) -> Result<(), StoreError> {
		let overlay = self.store.overlay();
		overlay.delete::<Outgoing>(&number.to_be_bytes())?;
		overlay.commit()?;
		self.outbox.remove(number);
		Ok(())
	}

	/// A statement will never be taken, or nobody could read it any more: a message is encrypted again, for the current
	/// epoch; anything else is of no use in another epoch than its own.
	fn send_anew(&mut self, number: u64) -> Result<(), EngineError> {
		let outgoing = self.store.overlay().get::<Outgoing>(&number.to_be_bytes())?;
		let current = outgoing.as_ref().and_then(|outgoing| self.groups.get(&outgoing.group));
		let current = current.filter(|group| group.is_followed()).map(|group| group.gate.tip().epoch);
		let anew = outgoing.filter(|outgoing| current.is_some_and(|current| current > outgoing.epoch));
		let Some(Outgoing { group, unsent: Some(unsent), .. }) = anew else {
			return Ok(self.delete_outgoing(number)?);
		};
		let Some(name) = unsent.id.0.first_chunk().copied() else { return Ok(self.delete_outgoing(number)?) };
		let framed = inbox::frame(&name, &unsent.data.0);
		let encrypted = self.store_content(&group, number, Some(unsent), |engine, overlay| {
			Ok(Content::Message(engine.encrypt(overlay, &group, &framed)?.bytes))
		});
		match encrypted {
			Ok(()) => Ok(()),
			Err(MessageError::Engine(error)) => Err(error),
			Err(error) => {
				tracing::error!(%error, "a message cannot be encrypted again");
				Ok(self.delete_outgoing(number)?)
			}
		}
	}

	/// The group is in a new epoch: what could not be posted in an earlier one is encrypted again, so that members who
	/// have deleted the keys of that one can read it, too.
	pub fn send_unsent_anew(&mut self, id: &GroupId) {
		if self.outbox.is_empty() {
			return;
		}
		let waiting = match self.store.overlay().list::<Outgoing>(ONLY) {
			Ok(outgoing) => outgoing,
			Err(error) => return self.halt(id, error.to_string()),
		};
		for (key, outgoing) in waiting {
			let Some(number) = key.first_chunk().map(|key| u64::from_be_bytes(*key)) else { continue };
			if outgoing.group == *id && outgoing.unsent.is_some() && !self.outbox.is_in_flight(number) {
				if let Err(error) = self.send_anew(number) {
					return self.halt(id, error.to_string());
				}
			}
		}
	}

	/// Signs a statement again, with another expiry, if the epoch's keys are still there. An invitation is sealed to its
	/// reader, whoever signs it: the newest epoch does as well.
	fn renew(&mut self, number: u64, expiry: u64) -> Result<(), EngineError> {
		let overlay = self.store.overlay();
		let Some(mut outgoing) = overlay.get::<Outgoing>(&number.to_be_bytes())? else { return Ok(()) };
		let keys = self.engine.epoch_keys(&overlay, &outgoing.group)?;
		let renewed = Statement::decode(&outgoing.statement.0).ok().and_then(|statement| {
			let invitation = statement.topic != topic::group_topic(&outgoing.group);
			let own = keys.iter().find(|keys| keys.epoch == outgoing.epoch);
			let keys = own.or_else(|| keys.last().filter(|_| invitation))?;
			outgoing.epoch = keys.epoch;
			let statement = Statement { signer: keys.ordering_key.0, ..statement };
			statement.encode(expiry, |bytes| keys.sign(bytes)).ok()
		});
		let Some(renewed) = renewed else {
			tracing::debug!(epoch = outgoing.epoch, "a statement was given up: its epoch is long past");
			drop(overlay);
			return self.send_anew(number);
		};
		outgoing.statement = HexBytes(renewed);
		overlay.put(&number.to_be_bytes(), &outgoing)?;
		Ok(overlay.commit()?)
	}

	/// A statement arrived: anything, from anybody, any number of times.
	pub fn on_statement(&mut self, bytes: &[u8]) {
		let statement = match Statement::decode(bytes) {
			Ok(statement) => statement,
			Err(error) => {
				tracing::debug!(%error, "a statement was dropped");
				return;
			}
		};
		let mailbox = self.mailboxes.get(&statement.topic).cloned();
		let group = self.topics.get(&statement.topic).copied();
		if (mailbox.is_none() && group.is_none()) || !self.seen.insert(bytes) {
			return;
		}
		if let Some(reference) = mailbox {
			if self.on_invitation(&reference, &statement) == Use::Later {
				self.seen.forget(bytes);
			}
		} else if let Some(id) = group {
			self.read(&id, statement);
		}
	}

	/// Reads what waited for the epoch that was just opened.
	pub fn read_buffered(&mut self, id: &GroupId) {
		let Some(group) = self.groups.get_mut(id) else { return };
		let newest = self.engine.keys_of_epoch(&self.store.overlay(), id, group.gate.tip().epoch);
		let Some(newest) = newest.unwrap_or_default() else { return };
		for statement in group.buffer.take(&newest.ordering_key.0) {
			self.read(id, statement);
		}
	}

	/// Reads a statement under a group's topic.
	fn read(&mut self, id: &GroupId, statement: Statement) {
		let Some(group) = self.groups.get_mut(id).filter(|group| group.is_followed()) else { return };
		let current = group.gate.tip().epoch;
		let keys = match keys_of_signer(&self.engine, &self.store.overlay(), id, current, &statement.signer) {
			Ok(Some(keys)) => keys,
			Ok(None) => return group.buffer.keep(statement),
			Err(error) => return self.halt(id, error.to_string()),
		};
		let opened = envelope::unwrap(&statement.data)
			.ok()
			.and_then(|sealed| keys.open_statement(&statement.topic, sealed).ok())
			.and_then(|opened| Content::decode(&opened).ok());
		match opened {
			Some(Content::Message(bytes)) => self.receive(id, &bytes),
			Some(Content::Proposal(bytes)) if keys.epoch == current => self.on_proposal(id, bytes),
			Some(Content::Proposal(_)) => {}
			// From whoever was cut off: of an epoch that is past, mostly.
			Some(Content::Rejoin(bytes)) => self.on_rejoin_request(id, &bytes),
			None => tracing::debug!(group = %id, "a statement does not open"),
		}
	}
}
