//! Coming back from a backup: in each of its groups a restored client asks the members for a new leaf (decision 0020). So does a
//! client whose stored state of a group is damaged, in that group (decision 0037).
//!
//! It has no state of such a group that is of use, so it reads no commit and no message of it, only how far the log is: a request that
//! names the newest entry is good whatever became of the leaf. It asks by itself a bounded number of times
//! ([`rejoin`](super::rejoin)), and once a group has readmitted it never again. So of clients that come from one backup, or
//! run beside the one that it was made of, each takes the place of the others once, or as often as it asked before it heard of that, and the last one keeps it.

use super::{
	core::Core,
	intent,
	records::{Outgoing, ONLY},
	rejoin::Asked,
	status::{GroupState, GroupStatus},
	Event, GroupError, SendError,
};
use crate::{
	delivery::{
		envelope::{self, Content},
		expiry,
		statement::Statement,
	},
	log::{LogCursor, VerifiedEntry},
	mls::{EngineError, GroupData, MessageError, Mls, Voice},
	store::{Record, StoreError},
};
use lockstep_primitives::{rpc::HexBytes, topic, GroupId};
use serde::{Deserialize, Serialize};

/// A group that this client knows from a backup, or whose state is damaged, and that it has not come back to yet, by its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Restored {
	/// How far its log was read. What was read since the client was opened is stored when it asks.
	pub cursor: LogCursor,
	/// The epoch at the time of the backup, or the last one before the damage: a Welcome leads to a later one.
	pub epoch: u64,
	/// What it was called.
	pub name: String,
	/// The client has asked as often as it does, and nobody has readmitted it.
	#[serde(default)]
	pub unanswered: bool,
	/// The group was closed on the chain since.
	#[serde(default)]
	pub closed: bool,
	/// That was just found out, and how long the log is by now is not known yet.
	#[serde(skip)]
	pub fresh: bool,
}

impl Record for Restored {
	const KIND: &'static str = "restored";
}

impl Restored {
	pub fn new(cursor: LogCursor, epoch: u64, name: String) -> Self {
		Self { cursor, epoch, name, unanswered: false, closed: false, fresh: false }
	}
}

impl<M: Mls> Core<M> {
	/// Takes up what is in the store.
	pub fn take_up_restored(&mut self) -> Result<(), StoreError> {
		let listed = self.store.overlay().list::<Restored>(ONLY)?;
		for (key, restored) in listed {
			let Ok(id) = <[u8; 32]>::try_from(&key[..]).map(GroupId) else { continue };
			self.restored.insert(id, restored);
		}
		Ok(())
	}

	/// What is stored of a group's state is damaged: from here on it is one that was not come back to.
	pub fn lose_state(&mut self, id: &GroupId) {
		let Some(group) = self.groups.get(id) else { return };
		let (cursor, epoch, was_in) = (*group.gate.cursor(), group.gate.tip().epoch, group.is_followed());
		// It may be of use for that much.
		let view = self.engine.group(&self.store.overlay(), id).ok().flatten();
		let name = view.map(|view| view.data.name).unwrap_or_default();
		let restored = Restored { fresh: true, ..Restored::new(cursor, epoch, name) };
		let overlay = self.store.overlay();
		// In one write. What one that was out already had asked for counts on: it asks so often for each readmission, and no more.
		let counted = if was_in { Asked::forget(&overlay, id) } else { Ok(()) };
		let stored = counted.and_then(|()| overlay.put(id.as_bytes(), &restored)).and_then(|()| overlay.commit());
		self.restored.insert(*id, restored);
		if let Err(error) = stored {
			// It is found out again after a restart.
			tracing::error!(group = %id, %error, "that a group's state is lost cannot be stored");
		}
	}

	/// Follows the log of a group that was not come back to, unless something else of this client does.
	pub fn follow_restored(&mut self, id: &GroupId) {
		let open = self.restored.get(id).filter(|restored| !restored.closed);
		if let Some(restored) = open.filter(|_| !self.joining.contains_key(id)) {
			let from = restored.cursor;
			self.act(super::action::Action::Follow(*id, from));
		}
	}

	/// An entry of such a group.
	pub fn on_entry_of_restored(&mut self, id: &GroupId, entry: &VerifiedEntry) {
		let Some(restored) = self.restored.get_mut(id) else { return };
		if entry.header.index == restored.cursor.head.length {
			restored.cursor = LogCursor::after(&entry.header).unwrap_or(restored.cursor);
		}
	}

	/// Such a group was closed on the chain.
	pub fn close_restored(&mut self, id: &GroupId) {
		let Some(restored) = self.restored.get_mut(id) else { return };
		if !std::mem::replace(&mut restored.closed, true) {
			self.keep_restored(id);
			self.act(super::action::Action::Forget(*id));
			if let Some(group) = self.groups.get_mut(id) {
				// Since the damage they wait in the store alone.
				if let Err(error) = intent::take_up_stored(&self.store.overlay(), id, group) {
					tracing::error!(group = %id, %error, "intents cannot be read");
				}
				self.close_group(id);
			} else {
				self.report(Event::GroupClosed { group: *id });
			}
		}
	}

	/// The logs are read to the newest finalized block: asks where it is time to.
	pub fn ask_for_restored(&mut self) {
		let open = self.restored.iter().filter(|(id, restored)| !restored.closed && !self.joining.contains_key(id));
		let open: Vec<GroupId> = open.map(|(id, _)| *id).collect();
		for id in open {
			let fresh = self.restored.get_mut(&id).map(|restored| std::mem::take(&mut restored.fresh));
			if fresh == Some(true) {
				continue;
			}
			let asked = match Asked::of(&self.store.overlay(), &id) {
				Ok(asked) => asked,
				Err(error) => {
					tracing::error!(group = %id, %error, "what was asked for cannot be read");
					continue;
				}
			};
			match asked {
				Some(asked) if !asked.is_due(self.finalized) => {}
				Some(asked) if asked.was_last() => self.stop_asking(&id, asked.times),
				_ => self.ask_by_itself(&id),
			}
		}
	}

	fn stop_asking(&mut self, id: &GroupId, times: u32) {
		let Some(restored) = self.restored.get_mut(id) else { return };
		if !std::mem::replace(&mut restored.unanswered, true) {
			self.keep_restored(id);
			self.report(Event::NotReadmitted { group: *id, times });
		}
	}

	fn keep_restored(&self, id: &GroupId) {
		let Some(restored) = self.restored.get(id) else { return };
		let overlay = self.store.overlay();
		if let Err(error) = overlay.put(id.as_bytes(), restored).and_then(|()| overlay.commit()) {
			// It is found out again after a restart.
			tracing::error!(group = %id, %error, "how a restored group is doing cannot be stored");
		}
	}

	/// Posts a request with the voice that came with the backup, in the place of any earlier one.
	pub fn speak(&mut self, id: &GroupId, voice: &Voice, request: Vec<u8>) -> Result<(), SendError> {
		let library = |error: String| {
			MessageError::from(EngineError::Library { during: "sealing a rejoin request", reason: error })
		};
		let topic = topic::group_topic(id);
		let sealed = voice.seal(&topic, &Content::Rejoin(request).encode());
		let sealed = sealed.map_err(|error| library(error.to_string()))?;
		let statement = Statement { signer: voice.signer().0, topic, data: envelope::wrap(&sealed) };
		let statement = statement.encode(expiry(0, 0, None), |bytes| voice.sign(bytes));
		let statement = HexBytes(statement.map_err(|error| library(error.to_string()))?);
		let stored = |error: StoreError| MessageError::from(EngineError::from(error));
		let earlier = self.store.overlay().list::<Outgoing>(ONLY).map_err(stored)?;
		for (key, _) in earlier.iter().filter(|(_, outgoing)| outgoing.group == *id) {
			if let Some(number) = key.first_chunk() {
				self.delete_outgoing(u64::from_be_bytes(*number)).map_err(stored)?;
			}
		}
		self.queue(Outgoing { group: *id, epoch: voice.epoch, statement, unsent: None, key: None })?;
		self.post_due();
		Ok(())
	}

	/// Why there is nothing to work with in a group that this client does not have.
	pub fn absent(&self, id: &GroupId) -> GroupError {
		match self.restored.get(id) {
			None => GroupError::Unknown(*id),
			Some(restored) if restored.closed => GroupError::Gone(*id),
			Some(_) => GroupError::Returning(*id),
		}
	}

	/// Where the client stands in a group that it has not come back to.
	pub fn status_of_restored(&self, id: &GroupId) -> Option<GroupStatus> {
		let restored = self.restored.get(id)?;
		let state = match restored {
			Restored { closed: true, .. } => GroupState::Closed,
			Restored { unanswered: true, .. } => GroupState::NotReadmitted,
			_ => GroupState::Returning,
		};
		Some(GroupStatus {
			group: *id,
			epoch: restored.epoch,
			entry: restored.cursor.head.hash,
			log_length: restored.cursor.head.length,
			members: Vec::new(),
			devices: Vec::new(),
			data: GroupData { name: restored.name.clone(), ..GroupData::default() },
			epoch_authenticator: Vec::new(),
			finalized: self.finalized,
			contested: false,
			state,
			caught_up: false,
			unposted: self.outbox.of(id),
		})
	}
}
