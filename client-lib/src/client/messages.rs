//! Messages and other statements: posting them from the outbox, and reading those of others.

use super::{
	actor::Actor,
	outbox::{Next, MAX_OUTGOING},
	records::Outgoing,
	Event, SendError,
};
use crate::{
	delivery::{
		envelope::{self, Content},
		expiry,
		statement::{Statement, StatementError},
		Posted,
	},
	mls::{Engine, EngineError, EpochKeys, MessageError, Received, WelcomeEnvelope},
	store::{Overlay, StoreError},
};
use lockstep_primitives::{rpc::HexBytes, topic, GroupId};

/// Largest message, in bytes: it has to fit, encrypted and sealed, into the allowance of an epoch many times.
pub const MAX_MESSAGE: usize = 32 * 1024;

/// A statement by a member of the epoch of `keys`.
fn signed(group: &GroupId, keys: &EpochKeys, topic: [u8; 32], sealed: &[u8]) -> Result<Outgoing, StatementError> {
	let statement = Statement { signer: keys.ordering_key.0, topic, data: envelope::wrap(sealed) };
	let statement = statement.encode(expiry(0, None), |bytes| keys.sign(bytes))?;
	Ok(Outgoing { group: *group, epoch: keys.epoch, statement: HexBytes(statement) })
}

/// An invitation on its way to the mailbox of a joiner.
pub(super) fn invitation(
	group: &GroupId,
	keys: &EpochKeys,
	envelope: &WelcomeEnvelope,
) -> Result<Outgoing, StatementError> {
	signed(group, keys, topic::mailbox_topic(&envelope.key_package_ref), &envelope.bytes)
}

impl Actor {
	/// Sends an application message in the current epoch.
	pub fn send(&mut self, id: &GroupId, data: &[u8]) -> Result<(), SendError> {
		if data.len() > MAX_MESSAGE {
			return Err(SendError::TooLarge { length: data.len(), max: MAX_MESSAGE });
		}
		self.send_content(id, |engine, overlay| Ok(Content::Message(engine.encrypt(overlay, id, data)?.bytes)))
	}

	/// Seals contents for the current epoch and puts them into the outbox, in one write with what making them changed.
	pub fn send_content(
		&mut self,
		id: &GroupId,
		make: impl FnOnce(&Engine, &Overlay<'_>) -> Result<Content, MessageError>,
	) -> Result<(), SendError> {
		self.usable(id)?;
		if self.outbox.len() >= MAX_OUTGOING {
			return Err(SendError::Backlog(self.outbox.len()));
		}
		let number = self.outbox.number();
		self.store_content(id, number, make)?;
		self.outbox.insert(number);
		self.post_due();
		Ok(())
	}

	fn store_content(
		&mut self,
		id: &GroupId,
		number: u64,
		make: impl FnOnce(&Engine, &Overlay<'_>) -> Result<Content, MessageError>,
	) -> Result<(), MessageError> {
		let overlay = self.store.overlay();
		let content = make(&self.engine, &overlay)?;
		let keys = self.engine.epoch_keys(&overlay, id)?.pop().ok_or(EngineError::NotPlaced(*id))?;
		let topic = topic::group_topic(id);
		let library = |error: String| EngineError::Library { during: "sealing a statement", reason: error };
		let sealed = keys.seal_statement(&topic, &content.encode()).map_err(|error| library(error.to_string()))?;
		let outgoing = signed(id, &keys, topic, &sealed).map_err(|error| library(error.to_string()))?;
		overlay.put(&number.to_be_bytes(), &outgoing).map_err(EngineError::from)?;
		if let Some(group) = self.groups.get(id) {
			overlay.put(id.as_bytes(), &group.membership(&group.gate)).map_err(EngineError::from)?;
		}
		Ok(overlay.commit().map_err(EngineError::from)?)
	}

	/// Hands what is due in the outbox to the poster.
	pub fn post_due(&mut self) {
		for number in self.outbox.due(self.finalized) {
			match self.store.overlay().get::<Outgoing>(&number.to_be_bytes()) {
				Ok(Some(outgoing)) => {
					if !self.poster.post(number, outgoing.statement.0) {
						return;
					}
					self.outbox.sent(number);
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
				self.delete_outgoing(posted.id).map_err(EngineError::from)
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

	/// Signs a statement again, with another expiry, if the epoch's keys are still there.
	fn renew(&mut self, number: u64, expiry: u64) -> Result<(), EngineError> {
		let overlay = self.store.overlay();
		let Some(mut outgoing) = overlay.get::<Outgoing>(&number.to_be_bytes())? else { return Ok(()) };
		let keys = self.engine.epoch_keys(&overlay, &outgoing.group)?;
		let keys = keys.iter().find(|keys| keys.epoch == outgoing.epoch);
		let renewed = keys.and_then(|keys| {
			let statement = Statement::decode(&outgoing.statement.0).ok()?;
			statement.encode(expiry, |bytes| keys.sign(bytes)).ok()
		});
		let Some(renewed) = renewed else {
			tracing::warn!(epoch = outgoing.epoch, "a statement was given up: its epoch is long past");
			drop(overlay);
			return Ok(self.delete_outgoing(number)?);
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
			self.on_invitation(&reference, &statement);
		} else if let Some(id) = group {
			self.read(&id, statement);
		}
	}

	/// Reads what waited for the epoch that was just opened.
	pub fn read_buffered(&mut self, id: &GroupId) {
		let keys = self.engine.epoch_keys(&self.store.overlay(), id).unwrap_or_default();
		let Some(newest) = keys.last() else { return };
		let Some(group) = self.groups.get_mut(id) else { return };
		for statement in group.buffer.take(&newest.ordering_key.0) {
			self.read(id, statement);
		}
	}

	/// Reads a statement under a group's topic.
	fn read(&mut self, id: &GroupId, statement: Statement) {
		let Some(group) = self.groups.get_mut(id).filter(|group| group.is_followed()) else { return };
		let current = group.gate.tip().epoch;
		let keys = match self.engine.epoch_keys(&self.store.overlay(), id) {
			Ok(keys) => keys,
			Err(error) => return self.halt(id, error.to_string()),
		};
		let Some(keys) = keys.iter().find(|keys| keys.ordering_key.0 == statement.signer) else {
			return group.buffer.keep(statement);
		};
		let opened = envelope::unwrap(&statement.data)
			.ok()
			.and_then(|sealed| keys.open_statement(&statement.topic, sealed).ok())
			.and_then(|opened| Content::decode(&opened).ok());
		match opened {
			Some(Content::Message(bytes)) => self.receive(id, &bytes),
			Some(Content::Proposal(bytes)) if keys.epoch == current => self.on_proposal(id, bytes),
			Some(Content::Proposal(_)) => {}
			None => tracing::debug!(group = %id, "a statement does not open"),
		}
	}

	fn receive(&mut self, id: &GroupId, bytes: &[u8]) {
		let overlay = self.store.overlay();
		let received = self.engine.decrypt(&overlay, id, bytes).and_then(|received| {
			overlay.commit().map_err(EngineError::from)?;
			Ok(received)
		});
		match received {
			Ok(Received::Message { sender, epoch, data }) => {
				self.report(Event::Message { group: *id, epoch, sender, data });
			}
			Ok(Received::Own { .. }) => {}
			Err(MessageError::Engine(error)) => self.halt(id, error.to_string()),
			Err(error) => tracing::debug!(group = %id, %error, "a message was dropped"),
		}
	}
}
