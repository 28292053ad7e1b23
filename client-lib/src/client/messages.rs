//! Messages and other statements: posting them from the outbox, and reading those of others.

use super::{
	core::Core,
	group::Group,
	inbox,
	join::Use,
	outbox::MAX_OUTGOING,
	records::{Membership, Outgoing, Unsent},
	SendError,
};
use crate::{
	delivery::{
		envelope::{self, Content},
		expiry,
		statement::{Statement, StatementError, MAX_DATA},
		Seen,
	},
	mls::{
		constants::MAX_LETTER, EngineError, Envelope, EnvelopeKey, EpochKeys, MessageError, Mls, RequestKey, Welcomes,
	},
	store::Overlay,
};
use lockstep_primitives::{rpc::HexBytes, topic, GroupId};
use rand::RngCore;

/// Largest message, in bytes. Encrypted and sealed, it has to fit into what nodes send each other at once, which is 1 MiB.
pub const MAX_MESSAGE: usize = 1_000_000;
/// A commit is not made if its letter would not fit into a statement, with the version in front.
const _: () = assert!(MAX_LETTER < MAX_DATA);
/// Bytes of statements that wait for their epochs, in all groups.
const MAX_BUFFERED: usize = 64 * 1024 * 1024;

/// A statement by a member of the epoch of `keys`, which is so many seconds old.
fn signed(
	group: &GroupId,
	keys: &EpochKeys,
	sign: impl FnOnce(&[u8]) -> [u8; 64],
	age: u64,
	topic: [u8; 32],
	sealed: &[u8],
) -> Result<Outgoing, StatementError> {
	let statement = Statement { signer: keys.ordering_key.0, topic, data: envelope::wrap(sealed) };
	let statement = statement.encode(expiry(age, 0, None), sign)?;
	Ok(Outgoing { group: *group, epoch: keys.epoch, statement: HexBytes(statement), unsent: None, key: None })
}

/// An envelope that is signed with the key of a claim: nothing in it says which group it is from.
fn signed_by_claim(
	group: &GroupId,
	keys: &EpochKeys,
	key: &EnvelopeKey,
	topic: [u8; 32],
	sealed: &[u8],
) -> Result<Outgoing, StatementError> {
	let statement = Statement { signer: key.public(), topic, data: envelope::wrap(sealed) };
	let statement = statement.encode(expiry(0, 0, None), |bytes| key.sign(bytes))?;
	let (epoch, statement, key) = (keys.epoch, HexBytes(statement), Some(key.clone()));
	Ok(Outgoing { group: *group, epoch, statement, unsent: None, key })
}

/// The letter to the joiners and the envelopes on their way to their mailboxes, by whoever has just opened the epoch of
/// `keys`. What leads from the directory to the letter has another signer.
pub(super) fn invitations(
	group: &GroupId,
	keys: &EpochKeys,
	welcomes: &Welcomes,
) -> Result<Vec<Outgoing>, StatementError> {
	let sign = keys.signer();
	let signed = |topic, bytes: &[u8]| signed(group, keys, &sign, 0, topic, bytes);
	let letter = signed(welcomes.topic, &welcomes.letter);
	let envelope = |envelope: &Envelope| {
		let mailbox = topic::mailbox_topic(&envelope.key_package_ref);
		match &envelope.key {
			Some(key) => signed_by_claim(group, keys, key, mailbox, &envelope.bytes),
			None => signed(mailbox, &envelope.bytes),
		}
	};
	std::iter::once(letter).chain(welcomes.envelopes.iter().map(envelope)).collect()
}

impl<M: Mls> Core<M> {
	/// Sends an application message in the current epoch.
	pub fn send(&mut self, id: &GroupId, data: &[u8]) -> Result<(), SendError> {
		if data.len() > MAX_MESSAGE {
			return Err(SendError::TooLarge { length: data.len(), max: MAX_MESSAGE });
		}
		let mut name = [0; inbox::ID];
		self.random.fill_bytes(&mut name);
		let unsent = Unsent { id: HexBytes(name.to_vec()), data: HexBytes(data.to_vec()), since: None };
		let group = self.usable(id)?;
		let epoch = group.gate.tip().epoch;
		let caught_up = group.caught_up;
		let later =
			|| Outgoing { group: *id, epoch, statement: HexBytes(Vec::new()), unsent: Some(unsent.clone()), key: None };
		if !caught_up || !self.outbox.has_room(id) {
			// It is encrypted when its turn comes.
			return self.queue(later());
		}
		let (framed, waiting) = (inbox::frame(&name, data), later());
		let sent = self.send_content(id, Some(unsent), |engine, overlay| {
			Ok(Content::Message(engine.encrypt(overlay, id, &framed)?.bytes))
		});
		match sent {
			Err(SendError::Message(MessageError::TooMany { .. })) => {
				self.leave_full_epoch(id, epoch);
				self.queue(waiting)
			}
			Err(SendError::Message(MessageError::Engine(error))) if error.is_lost_state() => {
				self.halt(id, error);
				self.queue(waiting)
			}
			sent => sent,
		}
	}

	/// Nothing more can be said in this epoch: [`Self::upkeep`] opens the next, unless somebody else does.
	pub(super) fn leave_full_epoch(&mut self, id: &GroupId, epoch: u64) {
		tracing::debug!(group = %id, epoch, "an epoch takes no more messages");
		if let Some(group) = self.groups.get_mut(id) {
			group.full = Some(epoch);
		}
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
		let size = self.store_content(id, number, unsent, make)?;
		self.outbox.insert(number, *id, size);
		self.outbox.set_first(number, true);
		self.post_due();
		Ok(())
	}

	/// Puts a message, or what is a statement already, into the outbox as it is.
	pub(super) fn queue(&mut self, outgoing: Outgoing) -> Result<(), SendError> {
		if self.outbox.len() >= MAX_OUTGOING {
			return Err(SendError::Backlog(self.outbox.len()));
		}
		let number = self.outbox.number();
		let store = self.store.clone();
		let overlay = store.overlay();
		let stored = overlay.put(&number.to_be_bytes(), &outgoing).and_then(|()| overlay.commit());
		stored.map_err(|error| SendError::from(MessageError::from(EngineError::from(error))))?;
		self.outbox.insert(number, outgoing.group, outgoing.size());
		self.outbox.set_first(number, true);
		Ok(())
	}

	/// How old an epoch is, in seconds, by the blocks that are final: the same for all members, about.
	pub(super) fn age(&self, id: &GroupId, epoch: u64) -> u64 {
		let tip = self.groups.get(id).map(|group| group.gate.tip()).filter(|tip| tip.epoch == epoch);
		u64::from(tip.map_or(0, |tip| self.finalized.saturating_sub(tip.block)))
	}

	pub(super) fn store_content(
		&mut self,
		id: &GroupId,
		number: u64,
		unsent: Option<Unsent>,
		make: impl FnOnce(&M, &Overlay<'_>) -> Result<Content, MessageError>,
	) -> Result<usize, MessageError> {
		let overlay = self.store.overlay();
		let content = make(&self.engine, &overlay)?;
		let current = self.groups.get(id).map(|group| group.gate.tip().epoch);
		let (keys, request_key) = match &content {
			// By any that can be read: it goes out when something cannot.
			Content::Rejoin(_) => EpochKeys::newest_to_ask(&overlay, id)?.unzip(),
			Content::Message(_) | Content::Proposal(_) => {
				(current.map(|epoch| EpochKeys::of_epoch(&overlay, id, epoch)).transpose()?.flatten(), None)
			}
		};
		let keys = match keys {
			Some(keys) => keys,
			// The client was cut off: its newest epoch is another than that of the log.
			None => self.engine.epoch_keys(&overlay, id)?.pop().ok_or(EngineError::NotPlaced(*id))?,
		};
		let topic = topic::group_topic(id);
		let library = |error: String| EngineError::Library { during: "sealing a statement", reason: error };
		let sealed = match &content {
			Content::Rejoin(_) => request_key.ok_or(EngineError::NotPlaced(*id))?.seal(&topic, &content.encode()),
			Content::Message(_) | Content::Proposal(_) => keys.seal_statement(&topic, &content.encode()),
		};
		let sealed = sealed.map_err(|error| library(error.to_string()))?;
		let age = self.age(id, keys.epoch);
		let mut outgoing =
			signed(id, &keys, keys.signer(), age, topic, &sealed).map_err(|error| library(error.to_string()))?;
		let sent = u32::from(unsent.is_some());
		let Some(group) = self.groups.get_mut(id) else { return Err(EngineError::NotPlaced(*id).into()) };
		// If it is handed to a node now.
		let since = group.caught_up.then_some(keys.epoch);
		outgoing.unsent = unsent.map(|unsent| Unsent { since: unsent.since.or(since), ..unsent });
		overlay.put(&number.to_be_bytes(), &outgoing).map_err(EngineError::from)?;
		let sent = group.sent.saturating_add(sent);
		let membership = Membership { sent, ..group.membership(&group.gate) };
		overlay.put(id.as_bytes(), &membership).map_err(EngineError::from)?;
		overlay.commit().map_err(EngineError::from)?;
		group.sent = sent;
		Ok(outgoing.size())
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
		let letter = self.letters.get(&statement.topic).cloned();
		let group = self.topics.get(&statement.topic).copied();
		let hash = Seen::hash(bytes);
		if (mailbox.is_none() && letter.is_none() && group.is_none()) || !self.seen.insert(hash) {
			return;
		}
		if let Some(reference) = mailbox {
			self.on_envelope(&reference, &statement, hash);
		} else if let Some(awaited) = letter {
			if self.on_letter(&awaited, &statement) == Use::Later {
				self.seen.forget(&hash);
			}
		} else if let Some(id) = group {
			self.read(&id, statement, hash);
		}
	}

	/// Reads what waited for the epoch that was just opened, or joined in.
	pub fn read_buffered(&mut self, id: &GroupId) {
		let Some(group) = self.groups.get_mut(id) else { return };
		let newest = EpochKeys::of_epoch(&self.store.overlay(), id, group.gate.tip().epoch);
		let Some(newest) = newest.unwrap_or_default() else { return };
		for (statement, hash) in group.buffer.take(&newest.ordering_key.0) {
			self.read(id, statement, hash);
		}
	}

	/// Keeps a statement of an epoch that is not open yet, within bounds for the group and for all groups. Those that have to
	/// go for it were not read, and are new when they come again.
	fn keep_for_later(&mut self, id: &GroupId, statement: Statement, hash: [u8; 32]) {
		let Some(group) = self.groups.get_mut(id) else { return };
		let mut gone = group.buffer.keep(statement, hash);
		let bytes = self.groups.values().map(|group| group.buffer.bytes());
		let mut all = bytes.fold(0, usize::saturating_add);
		while all > MAX_BUFFERED {
			let largest = self.groups.values_mut().max_by_key(|group| group.buffer.bytes());
			let Some((hash, bytes)) = largest.and_then(|group| group.buffer.drop_oldest()) else { break };
			gone.push(hash);
			all = all.saturating_sub(bytes);
		}
		gone.iter().for_each(|gone| self.seen.forget(gone));
	}

	/// Reads a statement under a group's topic.
	fn read(&mut self, id: &GroupId, statement: Statement, hash: [u8; 32]) {
		self.read_now(id, statement, hash);
		if !self.groups.get(id).is_some_and(Group::is_followed) {
			// It was not read, or what it says was not stored: it is new when the trouble has passed.
			self.seen.forget(&hash);
		}
	}

	fn read_now(&mut self, id: &GroupId, statement: Statement, hash: [u8; 32]) {
		let Some(group) = self.groups.get(id).filter(|group| group.is_followed()) else { return };
		let current = group.gate.tip().epoch;
		let keys = match self.keys_of(id, &statement.signer) {
			Ok(keys) => keys,
			Err(error) => return self.halt(id, error),
		};
		let keys = keys.as_ref();
		let sealed = envelope::unwrap(&statement.data).unwrap_or_default();
		let opened = keys
			.and_then(|keys| keys.open_statement(&statement.topic, sealed).ok())
			.or_else(|| self.open_request(id, &statement, sealed));
		match (opened.and_then(|opened| Content::decode(&opened).ok()), keys) {
			// From whoever was cut off: of an epoch that is past, mostly, and perhaps long past.
			(Some(Content::Rejoin(bytes)), _) => self.on_rejoin_request(id, &bytes),
			(Some(Content::Message(bytes)), Some(_)) => self.receive(id, &bytes),
			(Some(Content::Proposal(bytes)), Some(keys)) if keys.epoch == current => self.on_proposal(id, bytes),
			(Some(_), _) => {}
			(None, Some(_)) => tracing::debug!(group = %id, "a statement does not open"),
			(None, None) => self.keep_for_later(id, statement, hash),
		}
	}

	/// The keys of the epoch whose members sign statements with this key, if they are kept.
	fn keys_of(&mut self, id: &GroupId, signer: &[u8; 32]) -> Result<Option<EpochKeys>, EngineError> {
		let overlay = self.store.overlay();
		let Some(group) = self.groups.get_mut(id) else { return Ok(None) };
		if group.signers.is_none() {
			let keys = self.engine.epoch_keys(&overlay, id)?;
			group.signers = Some(keys.iter().map(|keys| (keys.ordering_key.0, keys.epoch)).collect());
		}
		let epoch = group.signers.as_ref().and_then(|signers| signers.get(signer).copied());
		epoch.map_or(Ok(None), |epoch| EpochKeys::of_epoch(&overlay, id, epoch))
	}

	/// What is in a statement, if it is a rejoin request. Their keys are kept for longer than the others of an epoch.
	fn open_request(&self, id: &GroupId, statement: &Statement, sealed: &[u8]) -> Option<Vec<u8>> {
		match RequestKey::of_signer(&self.store.overlay(), id, &statement.signer) {
			Ok(key) => key?.open(&statement.topic, sealed).ok(),
			Err(error) => {
				tracing::error!(group = %id, %error, "the keys of rejoin requests cannot be read");
				None
			}
		}
	}
}
