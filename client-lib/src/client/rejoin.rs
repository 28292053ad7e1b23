//! Coming back: a member that was cut off, or has lost its state, asks to be readmitted, and another one commits that
//! (decision 0016).
//!
//! The request goes to the group's topic if this client still has the keys of an epoch, and is given to the application in
//! any case, which can hand it to a member by other means. A member that receives one checks it and, when it is its turn,
//! takes on the intent to readmit whoever asks. The intent names the leaf that it replaces, and so comes about once.

use super::{
	core::Core,
	group::{Group, Operation},
	records::Mailbox,
	returning::Restored,
	CommitError, Event, GroupError, RejoinAskError,
};
use crate::{
	delivery::envelope::Content,
	mls::{BuildError, EngineError, EpochKeys, Intent, Mls, RejoinError, RejoinRequest, Voice},
	store::{Overlay, Record, StoreError},
};
use lockstep_primitives::{BlockNumber, EntryHash, GroupId};
use serde::{Deserialize, Serialize};

/// Finalized blocks between the turns of two members to answer a request, as for proposals to leave.
const TURN: BlockNumber = 4;
/// Requests that a member keeps for its turn.
const MAX_REQUESTS: usize = 64;
/// Finalized blocks after which a client that was not readmitted may ask again by itself.
const ASK_AGAIN: BlockNumber = 60;
/// How often it does: then there is nobody who answers, or nobody who may.
const MAX_ASKED: u32 = 5;
/// Finalized blocks after which it is seen again whether to ask: what kept a client from it may last.
const TRY_AGAIN: BlockNumber = 20;

/// This client has asked to be readmitted to a group, by the group's id.
///
/// It counts how often, from when the client was last in the group: it is gone when the client joins anew, or goes on with the
/// log, and when a client that was in the group is cut off or loses its state. Between these nothing sets it back, so that damage
/// done again and again, or to a client that is cut off already, has it ask no more than [`MAX_ASKED`] times for each readmission.
/// Damage to this record alone has the count begin anew.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Asked {
	pub times: u32,
	/// The finalized block of the last time.
	pub at: BlockNumber,
}

impl Record for Asked {
	const KIND: &'static str = "asked to rejoin";
}

impl Asked {
	/// Whether it is time to ask again, or to give up.
	pub fn is_due(&self, finalized: BlockNumber) -> bool {
		finalized >= self.at.saturating_add(ASK_AGAIN.saturating_mul(self.times))
	}

	/// What was asked for in a group. A record that is damaged is none: it is made anew when the client asks again.
	///
	/// # Errors
	/// Other trouble of the store: then nobody knows.
	pub fn of(overlay: &Overlay<'_>, id: &GroupId) -> Result<Option<Self>, StoreError> {
		overlay.if_readable(|overlay| overlay.get(id.as_bytes()))
	}

	/// What was asked for before does not count any more.
	pub fn forget(overlay: &Overlay<'_>, id: &GroupId) -> Result<(), StoreError> {
		// Where nothing was asked for nothing is deleted: this is part of each new epoch.
		let asked = overlay.nested().get::<Self>(id.as_bytes());
		if matches!(asked, Ok(None)) {
			return Ok(());
		}
		overlay.delete::<Self>(id.as_bytes())
	}

	/// Whether it was asked for as often as the client does by itself.
	pub fn was_last(&self) -> bool {
		self.times >= MAX_ASKED
	}
}

/// A request of another member that waits for this member's turn.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
	pub request: RejoinRequest,
	/// The finalized block at which this client answers it, if nobody has.
	pub due: BlockNumber,
}

impl<M: Mls> Core<M> {
	/// Asks the members of a group to readmit this client. Gives the request, for the application to hand over where
	/// statements do not get through. `newest` is the newest entry of the log as far as is known, for a client that has
	/// no state of the group.
	pub fn ask_to_rejoin(&mut self, id: &GroupId, newest: Option<EntryHash>) -> Result<Vec<u8>, RejoinAskError> {
		self.ask(id, newest).map(|(request, _)| request)
	}

	/// The same; tells also whether the request goes to the members by itself.
	fn ask(&mut self, id: &GroupId, newest: Option<EntryHash>) -> Result<(Vec<u8>, bool), RejoinAskError> {
		if self.groups.get(id).is_some_and(Group::is_followed) {
			// It may not have come across it yet that its state is damaged.
			let view = self.engine.group(&self.store.overlay(), id);
			match view.and_then(|view| view.ok_or(EngineError::NoSuchGroup(*id))) {
				Err(error) if error.is_lost_state() => self.halt(id, error),
				_ => return Err(RejoinAskError::StillIn(*id)),
			}
		}
		let state = self.groups.get(id);
		let cut_off = state.is_some_and(Group::is_cut_off);
		// One that was removed may ask, too: the commit that removed it may be invalid for all others (`docs/threat-model.md`).
		// If it is not, they refuse.
		let gone = |trouble: &GroupError| matches!(trouble, GroupError::Gone(_));
		if let Some(gone) = state.and_then(|group| group.trouble(id)).filter(gone) {
			return Err(gone.into());
		}
		let restored = self.restored.get(id);
		if restored.is_some_and(|restored| restored.closed) {
			return Err(GroupError::Gone(*id).into());
		}
		let known = restored.map(|restored| restored.cursor);
		let known = known.or(state.map(|group| *group.gate.cursor())).map(|cursor| cursor.head.hash);
		let entry = newest.or(known).ok_or(RejoinAskError::NoEntry(*id))?;
		let store = self.store.clone();
		let overlay = store.overlay();
		let request = self.engine.rejoin_request(&overlay, id, &entry)?;
		if cut_off && !request.from_state {
			// Its state was damaged since. It has not followed the log, and without a leaf only the newest entry will do.
			let loss = self.loss(id);
			self.halt(id, loss);
			if newest.is_none() {
				return Err(GroupError::Returning(*id).into());
			}
		}
		let restored = self.restored.get(id).cloned();
		let times = Asked::of(&overlay, id).map_err(EngineError::from)?.map_or(0, |asked| asked.times);
		let asked = Asked { times: times.saturating_add(1), at: self.finalized };
		let stored = overlay
			.put(&request.reference, &Mailbox::default())
			.and_then(|()| overlay.put(id.as_bytes(), &asked))
			.and_then(|()| match restored {
				// With the count: if it could not be stored before, it would be found out again, and the count begin anew.
				Some(restored) => overlay.put(id.as_bytes(), &Restored { unanswered: false, ..restored }),
				None => Ok(()),
			})
			.and_then(|()| overlay.commit());
		stored.map_err(EngineError::from)?;
		if let Some(restored) = self.restored.get_mut(id) {
			restored.unanswered = false;
		}
		self.watch_mailbox(request.reference);
		let posted = if EpochKeys::newest_to_ask(&store.overlay(), id).is_ok_and(|keys| keys.is_some()) {
			let content = Content::Rejoin(request.bytes.clone());
			self.post_content(id, None, |_, _| Ok(content)).map(|()| true)
		} else {
			match Voice::kept(&store.overlay(), id) {
				Ok(Some(voice)) => self.speak(id, &voice, request.bytes.clone()).map(|()| true),
				Ok(None) => Ok(false),
				Err(error) => {
					tracing::error!(group = %id, %error, "what a rejoin request is posted with cannot be read");
					Ok(false)
				}
			}
		};
		let posted = posted.unwrap_or_else(|error| {
			tracing::warn!(group = %id, %error, "a rejoin request cannot be posted; hand it over");
			false
		});
		Ok((request.bytes, posted))
	}

	/// Why the state of a group is lost.
	fn loss(&self, id: &GroupId) -> EngineError {
		let view = self.engine.group(&self.store.overlay(), id);
		view.err().filter(EngineError::is_lost_state).unwrap_or(EngineError::NoSuchGroup(*id))
	}

	/// Asks again, now and then, for as long as nobody has answered. What is wrong with the count of one group stays with that group.
	pub fn ask_again(&mut self) {
		let is_out = |(id, group): &(&GroupId, &Group)| group.is_cut_off() && !self.joining.contains_key(*id);
		let out: Vec<GroupId> = self.groups.iter().filter(is_out).map(|(id, _)| *id).collect();
		let finalized = self.finalized;
		for id in out {
			let Some(group) = self.groups.get_mut(&id).filter(|group| group.ask_not_before <= finalized) else {
				continue;
			};
			group.ask_not_before = finalized.saturating_add(TRY_AGAIN);
			let asked = Asked::of(&self.store.overlay(), &id);
			match asked {
				Ok(None) => self.ask_by_itself(&id),
				Ok(Some(asked)) if asked.was_last() || !asked.is_due(finalized) => {}
				Ok(Some(_)) => {
					if let Err(error) = self.ask_to_rejoin(&id, None) {
						tracing::warn!(group = %id, %error, "rejoining cannot be asked for");
					}
				}
				Err(error) => tracing::error!(group = %id, %error, "what was asked for cannot be read"),
			}
		}
	}

	/// Another member asks to be readmitted.
	pub fn on_rejoin_request(&mut self, id: &GroupId, bytes: &[u8]) {
		match self.check_request(id, bytes) {
			Ok(request) => self.keep_request(id, request),
			Err(RejoinError::Engine(error)) => self.halt(id, error),
			Err(error) => tracing::debug!(group = %id, %error, "a rejoin request is of no use"),
		}
	}

	fn check_request(&self, id: &GroupId, bytes: &[u8]) -> Result<RejoinRequest, RejoinError> {
		let group = self.groups.get(id).ok_or(EngineError::NoSuchGroup(*id))?;
		self.engine.check_rejoin(&self.store.overlay(), id, bytes, &group.gate.cursor().head.hash)
	}

	fn keep_request(&mut self, id: &GroupId, request: RejoinRequest) {
		let view = match self.engine.group(&self.store.overlay(), id) {
			Ok(Some(view)) => view,
			Ok(None) => return,
			Err(error) => return self.halt(id, error),
		};
		let finalized = self.finalized;
		let Some(group) = self.groups.get_mut(id) else { return };
		if group.leaving || group.requests.len() >= MAX_REQUESTS {
			return;
		}
		let turn = super::leave::turn_of(&view, &request.client, id);
		let turn = BlockNumber::try_from(turn).unwrap_or(BlockNumber::MAX);
		let due = finalized.saturating_add(turn.saturating_mul(TURN));
		group.requests.entry(request.client.clone()).or_insert(Waiting { request, due });
		self.answer_requests(id);
	}

	/// Takes on the intents to readmit those whose turn has come, as far as they are still wanting.
	pub fn answer_requests(&mut self, id: &GroupId) {
		let finalized = self.finalized;
		let Ok(group) = self.usable(id) else { return };
		let due = |waiting: &Waiting| waiting.due <= finalized;
		let clients: Vec<Vec<u8>> =
			group.requests.iter().filter(|(_, waiting)| due(waiting)).map(|(client, _)| client.clone()).collect();
		for client in clients {
			let Ok(group) = self.usable(id) else { return };
			let Some(Waiting { request, .. }) = group.requests.remove(&client) else { continue };
			let intent = request.intent();
			match self.engine.satisfied(&self.store.overlay(), id, &intent) {
				Ok(true) => {}
				Ok(false) => self.readmit_if_new(id, intent),
				Err(error) => return self.halt(id, error),
			}
		}
	}

	fn readmit_if_new(&mut self, id: &GroupId, intent: Intent) {
		let Ok(group) = self.usable(id) else { return };
		let known = group.operations().any(|operation: &Operation| operation.intent == intent);
		if !known {
			self.commit(id, intent, false, None, None);
		}
	}

	/// The intent that answers a request which the application was given.
	pub fn readmission(&self, id: &GroupId, bytes: &[u8]) -> Result<Intent, CommitError> {
		match self.check_request(id, bytes) {
			Ok(request) => Ok(request.intent()),
			Err(RejoinError::Engine(error)) => Err(BuildError::from(error).into()),
			Err(error) => Err(CommitError::Rejoin(error)),
		}
	}

	/// Whether an invitation is to take this client's place in a group that it is in, as far as its log tells: its state there is
	/// damaged, or it has stopped for other trouble and was told to ask.
	pub fn wants_back(&self, id: &GroupId) -> bool {
		match self.groups.get(id).and_then(|group| group.halted.as_ref()) {
			Some(GroupError::Returning(_)) => true,
			Some(GroupError::Halted { .. }) => {
				let asked = Asked::of(&self.store.overlay(), id);
				asked.is_ok_and(|asked| asked.is_some())
			}
			_ => false,
		}
	}

	/// A member that could not process an entry asks at once to be readmitted, and so does a client that was restored, or whose
	/// state is damaged.
	pub fn ask_by_itself(&mut self, id: &GroupId) {
		match self.ask(id, None) {
			Ok((_, posted)) => self.report(Event::AskedToRejoin { group: *id, posted }),
			Err(error) => tracing::warn!(group = %id, %error, "rejoining cannot be asked for"),
		}
	}
}
