//! Joining by invitation: reading the log up to the invitation's entry, and checking that they agree.

use super::{
	action::Action,
	core::Core,
	group::Group,
	intent::{self, InFlight},
	joining::Joining,
	letters::{Awaited, Named},
	paths::Paths,
	records::{Invited, Mailbox, Membership},
	rejoin::Asked,
	returning::Restored,
	set_back::Found,
	Ended, Event, IntentId, InvitationError,
};
use crate::{
	delivery::{envelope, statement::Statement},
	gate::Gate,
	log::{LogCursor, VerifiedEntry},
	mls::{EngineError, Invitation, Joined, Mls, Prepared, WelcomeError},
	mutation::{self, Mutation},
	store::StoreError,
};
use lockstep_primitives::{rpc::HexBytes, topic, BlockNumber, GroupId, IdentityId};
use std::collections::BTreeSet;

/// Finalized blocks to wait for the invitation's entry.
const MAX_WAIT: BlockNumber = 600;

/// What became of something in a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
	/// It was used, or is of no use.
	Done,
	/// It may be of use later: it is not remembered as seen.
	Later,
}

/// A group that was joined, and what it is stored as.
struct Entered {
	group: Group,
	joined: Joined,
	/// Intents of an earlier membership that a commit of this client's own has brought about.
	ended: Vec<(u64, Ended)>,
}

/// Why joining did not come about.
enum JoinFailure {
	/// The invitation is no good.
	Invitation(InvitationError),
	/// It cannot be judged before the logs of these people are known.
	Unknown(BTreeSet<IdentityId>),
	/// Trouble of this client: the invitation is kept, and tried again.
	Engine(EngineError),
}

impl From<WelcomeError> for JoinFailure {
	fn from(error: WelcomeError) -> Self {
		match error {
			WelcomeError::Engine(error) => Self::Engine(error),
			error => Self::Invitation(error.into()),
		}
	}
}

impl From<EngineError> for JoinFailure {
	fn from(error: EngineError) -> Self {
		Self::Engine(error)
	}
}

impl From<StoreError> for JoinFailure {
	fn from(error: StoreError) -> Self {
		Self::Engine(error.into())
	}
}

impl<M: Mls> Core<M> {
	/// Something arrived in a mailbox: an envelope, which names a letter.
	pub fn on_envelope(&mut self, reference: &[u8], statement: &Statement, hash: [u8; 32]) {
		let overlay = self.store.overlay();
		let opened = envelope::unwrap(&statement.data)
			.map_err(|_| WelcomeError::Malformed)
			.and_then(|sealed| self.engine.open_envelope(&overlay, reference, sealed));
		drop(overlay);
		match opened {
			Ok(key) => {
				let signer = statement.signer;
				let awaited = Awaited { key, reference: reference.to_vec(), signer, named_by: hash };
				let Named::New(topic, dropped) = self.letters.insert(awaited) else { return };
				if let Some(Awaited { key, named_by, .. }) = dropped {
					self.seen.forget(&named_by);
					self.act(Action::Unwatch(key.topic()));
				}
				self.act(Action::WatchAside(topic));
			}
			Err(WelcomeError::Engine(error)) if error.may_pass() => {
				tracing::error!(%error, "what arrived in a mailbox cannot be opened now, and is read again");
				self.seen.forget(&hash);
				self.set_back.add_mailboxes();
			}
			Err(error) => tracing::debug!(%error, "what arrived in a mailbox is no invitation"),
		}
	}

	/// Something arrived where a letter is to lie.
	pub fn on_letter(&mut self, awaited: &Awaited, statement: &Statement) -> Use {
		let opened = envelope::unwrap(&statement.data)
			.map_err(|error| error.to_string())
			.and_then(|sealed| self.engine.open_letter(&awaited.key, sealed).map_err(|error| error.to_string()));
		let topic = awaited.key.topic();
		let used = match opened {
			Ok(invitation) => self.consider(invitation, &awaited.reference, topic),
			Err(error) => {
				// The letter itself may come yet.
				tracing::debug!(%error, "what was posted in the place of a letter is not that");
				return Use::Done;
			}
		};
		if used == Use::Done {
			self.forget_letter(&topic);
		}
		used
	}

	fn forget_letter(&mut self, topic: &[u8; 32]) {
		self.letters.remove(topic);
		self.act(Action::Unwatch(*topic));
	}

	/// Reads mailboxes and letters again: an invitation may have come before the client knew that it was out of the group.
	pub fn read_mailboxes(&mut self) {
		for topic in self.mailboxes.keys().copied().collect::<Vec<_>>() {
			self.act(Action::Watch(topic));
		}
		for topic in self.letters.topics() {
			self.act(Action::WatchAside(topic));
		}
	}

	/// Starts to check an invitation from the letter under this topic, unless the client is in the group, or on its way into it.
	fn consider(&mut self, invitation: Invitation, reference: &[u8], letter: [u8; 32]) -> Use {
		let id = invitation.group;
		let mailbox = self.store.overlay().get::<Mailbox>(reference).ok().flatten();
		if mailbox.is_some_and(|mailbox| mailbox.joined.contains(&invitation.entry)) {
			return Use::Done;
		}
		if self.set_back.invited().any(|other| other.invitation == invitation) {
			return Use::Done;
		}
		if self.has_place(&id) {
			// It has not, once the log has been read: it was removed, and added again since.
			return Use::Later;
		}
		let invited = Invited { invitation, key_package_ref: HexBytes(reference.to_vec()) };
		if self.joining.contains_key(&id) {
			return self.consider_another(invited, letter);
		}
		if self.creating.contains_key(&id) {
			return Use::Done;
		}
		// One that trouble has set back stays the one that is stored.
		if !self.set_back.invited().any(|other| other.invitation.group == id) {
			let overlay = self.store.overlay();
			if let Err(error) = overlay.put(id.as_bytes(), &invited).and_then(|()| overlay.commit()) {
				// It goes on in memory: nobody brings the letter again. A client that is opened anew reads its mailboxes.
				tracing::error!(group = %id, %error, "an invitation cannot be stored");
			}
		}
		self.resume_joining(invited);
		Use::Done
	}

	/// Whether the client is in a group as far as its log tells, and no invitation is to take its place there.
	fn has_place(&self, id: &GroupId) -> bool {
		self.groups.get(id).is_some_and(|group| !group.gate.is_stopped()) && !self.wants_back(id)
	}

	/// Another invitation to a group that one leads to already. It may lead where that one does not, or later.
	fn consider_another(&mut self, invited: Invited, letter: [u8; 32]) -> Use {
		let Invitation { group: id, entry, .. } = invited.invitation;
		let Some(joining) = self.joining.get_mut(&id) else { return Use::Later };
		if joining.all().any(|other| other.invitation == invited.invitation) {
			return Use::Done;
		}
		if !joining.gives_way_to(&entry) {
			if !joining.depths.contains_key(&entry) {
				let letters = &self.letters;
				joining.put_off.retain(|_, topic| letters.get(topic).is_some());
				joining.put_off.insert(entry, letter);
			}
			return Use::Later;
		}
		let parked = self.joining.remove(&id).map(Box::new);
		self.resume_joining(invited);
		if let Some(joining) = self.joining.get_mut(&id) {
			joining.parked = parked;
		}
		Use::Done
	}

	/// Reads the log of an invitation's group from its start.
	pub fn resume_joining(&mut self, invited: Invited) {
		let id = invited.invitation.group;
		let start = LogCursor::start(self.engine.genesis(), &id);
		let pending = self.groups.get(&id).and_then(|group| group.gate.pending().copied());
		let mut joining = Joining::new(invited, start, pending);
		if let Some(earlier) = self.joining.remove(&id) {
			(joining.put_off, joining.parked) = (earlier.put_off, earlier.parked);
		}
		self.joining.insert(id, joining);
		self.follow_from_start(&id);
	}

	/// An entry of a group that this client is invited to.
	pub fn on_earlier_entry(&mut self, id: &GroupId, entry: &VerifiedEntry) {
		let start = LogCursor::start(self.engine.genesis(), id).head.hash;
		let Some(joining) = self.joining.get_mut(id).filter(|joining| joining.unknown.is_none()) else { return };
		let Some(depth) = joining.read(entry, &start) else { return };
		let Invitation { entry: named, index, .. } = joining.invited.invitation;
		// One that names another place for it is no good, wherever that is.
		let is_there = entry.header.index >= index || entry.header.hash == named;
		let (invited, contested) = (&joining.invited, joining.contested);
		let found = is_there.then(|| {
			let (invited, won) = (invited.clone(), joining.won());
			Found { invited, header: entry.header, depth, contested, won }
		});
		if let Some(letter) = joining.put_off.remove(&entry.header.hash) {
			self.act(Action::WatchAside(letter));
		}
		let Some(found) = found else { return };
		match self.join(&found) {
			Ok(entered) => self.has_joined(&found, entered),
			Err(JoinFailure::Invitation(reason)) => self.drop_invitation(id, reason),
			Err(JoinFailure::Unknown(people)) => self.look_up_to_join(id, people, entry.header.block),
			Err(JoinFailure::Engine(error)) => {
				// Other trouble than that of the disk is not waited out: it is tried again when the client is opened anew.
				let is_kept = error.may_pass();
				tracing::error!(group = %id, %error, is_kept, "an invitation cannot be accepted now");
				if is_kept {
					self.set_back.add(found);
				}
				self.go_on_without(id);
				// Others do not wait for it.
				self.read_mailboxes();
			}
		}
	}

	/// Tries an invitation again that trouble of this client has set back. What else leads to the group goes on beside it.
	pub fn join_after_trouble(&mut self, found: Found) {
		let id = found.invited.invitation.group;
		if self.has_place(&id) {
			return self.keep_if_ahead(found);
		}
		match self.join(&found) {
			Ok(entered) => {
				self.has_joined(&found, entered);
				// The log was not read on meanwhile, or for something else.
				self.follow(&id);
			}
			Err(JoinFailure::Invitation(reason)) => {
				self.keep_invited(&id);
				self.report(Event::InvitationFailed { group: id, reason });
				self.read_mailboxes();
			}
			Err(JoinFailure::Unknown(people)) => {
				let block = found.header.block;
				// It may have asked at the last try.
				let people = self.set_back.ask_for(people, block);
				if !people.is_empty() {
					self.act(Action::LookUp { people, block });
				}
				self.set_back.add(found);
			}
			Err(JoinFailure::Engine(error)) if error.may_pass() => {
				tracing::debug!(group = %id, %error, "an invitation cannot be accepted yet");
				self.set_back.add(found);
			}
			Err(JoinFailure::Engine(error)) => {
				tracing::error!(group = %id, %error, "an invitation cannot be accepted before the client is opened anew");
			}
		}
	}

	/// Another invitation has led to where this one does. If the client is removed before the entry of this one, this one may lead
	/// back from there; if it is a member still when it has read that entry, this one leads nowhere.
	fn keep_if_ahead(&mut self, found: Found) {
		let id = found.invited.invitation.group;
		let read = self.groups.get(&id).map_or(0, |group| group.gate.cursor().head.length);
		if found.header.index >= read {
			return self.set_back.add(found);
		}
		tracing::debug!(group = %id, "an invitation is dropped: the client is a member, and has read on");
		self.keep_invited(&id);
	}

	/// The client is in: from this entry on it reads the log as a member.
	fn has_joined(&mut self, found: &Found, entered: Entered) {
		let (id, Entered { group, joined, ended }) = (&found.invited.invitation.group, entered);
		self.joining.remove(id);
		self.restored.remove(id);
		self.set_back.accepted(found, joined.serves_again);
		if !joined.serves_again {
			self.forget_mailbox(&joined.key_package_ref);
		}
		let earlier = self.groups.insert(*id, group);
		if let (Some(group), Some(earlier)) = (self.groups.get_mut(id), earlier) {
			// What came early for an epoch of this membership. It is remembered as seen.
			group.buffer = earlier.buffer;
		}
		self.watch_topic(id);
		#[cfg(feature = "hostile")]
		self.hoard_keys(id);
		self.report(Event::Joined { group: *id, epoch: joined.epoch, contested: found.contested });
		for (number, ended) in ended {
			self.report(Event::IntentEnded { intent: IntentId { group: *id, number }, ended });
		}
		self.read_buffered(id);
		self.leave_on(id);
		self.post_due();
	}

	/// What was tried is not under way any more: goes on with what waited meanwhile, if something did.
	fn go_on_without(&mut self, id: &GroupId) {
		let parked = self.joining.remove(id).and_then(|tried| tried.parked);
		if let Some(parked) = parked {
			self.act(Action::Follow(*id, parked.head));
			self.joining.insert(*id, *parked);
		} else {
			self.follow_as_before(id);
		}
	}

	/// Another invitation to a group has come to nothing: one that is left is stored in its place, if there is any.
	fn keep_invited(&self, id: &GroupId) {
		let under_way = self.joining.get(id).map(|joining| joining.parked.as_deref().unwrap_or(joining));
		let set_back = self.set_back.invited().find(|invited| invited.invitation.group == *id);
		let overlay = self.store.overlay();
		let kept = match set_back.or(under_way.map(|joining| &joining.invited)) {
			Some(invited) => overlay.put(id.as_bytes(), invited),
			None => overlay.delete::<Invited>(id.as_bytes()),
		};
		if let Err(error) = kept.and_then(|()| overlay.commit()) {
			// A client that is opened anew tries it once more.
			tracing::error!(group = %id, %error, "an invitation cannot be deleted");
		}
	}

	/// Nothing is joined any more: only what the client is in, or was restored, is followed.
	fn follow_as_before(&mut self, id: &GroupId) {
		if self.groups.get(id).is_some_and(Group::is_followed) {
			return;
		}
		self.unfollow(id);
		if let Some(restored) = self.restored.get_mut(id) {
			// Its log was not read on meanwhile.
			restored.fresh = true;
		}
		self.follow_restored(id);
	}

	/// Joins in one write, if the Welcome leads to what the entry says.
	fn join(&mut self, found: &Found) -> Result<Entered, JoinFailure> {
		let Found { invited, header, depth, contested, won } = found;
		let mismatch = |what| JoinFailure::Invitation(InvitationError::Mismatch(what));
		let id = &invited.invitation.group;
		if header.hash != invited.invitation.entry {
			return Err(mismatch("it names an entry that is not in the log"));
		}
		if header.index != invited.invitation.index {
			return Err(mismatch("it names another place of its entry in the log"));
		}
		let overlay = self.store.overlay();
		let earlier: Option<Membership> = overlay.get(id.as_bytes())?;
		// What is left of an earlier membership gives way.
		let joined = self.engine.rejoin(&overlay, &invited.invitation)?;
		if self.restored.get(id).is_some_and(|restored| joined.epoch <= restored.epoch) {
			return Err(mismatch("its epoch is not later than that of the backup, or of the state that is damaged"));
		}
		if earlier.as_ref().is_some_and(|earlier| earlier.is_past(joined.epoch)) {
			// The state tells the same, and may be gone.
			return Err(mismatch("its epoch is not later than the one that this member was in"));
		}
		if joined.epoch != *depth {
			return Err(mismatch("its epoch is not the depth of its entry"));
		}
		if joined.ordering_key != header.next_key {
			return Err(mismatch("its ordering key is not the one that its entry names"));
		}
		let unknown = self.engine.unknown_members(&overlay, id, header.block)?;
		if !unknown.is_empty() {
			return Err(JoinFailure::Unknown(unknown));
		}
		let stale = earlier.as_ref().filter(|_| mutation::is(Mutation::StaleReset));
		let depth = stale.map_or(*depth, |earlier| earlier.gate.tip().epoch.saturating_add(1));
		let gate = Gate::at(header, depth, *contested, self.parameters.candidate_interval);
		// Another one may be pending by now.
		let pending = earlier.as_ref().and_then(|earlier| earlier.gate.pending().copied());
		let won = won.filter(|(own, _)| pending.as_ref() == Some(own));
		let mut membership = Membership::new(gate.ok_or_else(|| mismatch("the log is full"))?);
		if let Some(earlier) = earlier {
			// An intent of an earlier membership keeps its number, and its end is remembered.
			membership.next_intent = earlier.next_intent;
			membership.leaving = earlier.leaving && !earlier.was_removed();
		}
		let mut group = Group::new(membership.clone());
		group.paths = Paths::default();
		let ended = match won {
			Some((_, won)) => self.end_carried(&overlay, id, &won)?,
			None => Vec::new(),
		};
		// After damage the others have not ended: they go on.
		intent::take_up_stored(&overlay, id, &mut group)?;
		overlay.put(id.as_bytes(), &membership)?;
		overlay.delete::<Prepared>(id.as_bytes())?;
		overlay.delete::<InFlight>(id.as_bytes())?;
		overlay.delete::<Invited>(id.as_bytes())?;
		overlay.delete::<Asked>(id.as_bytes())?;
		overlay.delete::<Restored>(id.as_bytes())?;
		if joined.serves_again {
			let mut mailbox: Mailbox = overlay.get(&joined.key_package_ref)?.unwrap_or_default();
			mailbox.accept(header.hash);
			overlay.put(&joined.key_package_ref, &mailbox)?;
		} else {
			overlay.delete::<Mailbox>(&joined.key_package_ref)?;
		}
		overlay.commit()?;
		Ok(Entered { group, joined, ended })
	}

	pub(super) fn forget_mailbox(&mut self, reference: &[u8]) {
		let topic = topic::mailbox_topic(reference);
		self.mailboxes.remove(&topic);
		self.act(Action::Unwatch(topic));
		for letter in self.letters.for_package(reference) {
			self.forget_letter(&letter);
		}
	}

	/// An invitation came to nothing. The KeyPackage can still be used for another one.
	fn drop_invitation(&mut self, id: &GroupId, reason: InvitationError) {
		let dropped = self.joining.get(id).filter(|_| mutation::is(Mutation::SpendOnFailure));
		if let Some(reference) = dropped.map(|dropped| dropped.invited.key_package_ref.0.clone()) {
			self.forget_mailbox(&reference);
		}
		self.go_on_without(id);
		// If another one goes on, that is the one that is stored.
		if !self.joining.contains_key(id) {
			self.keep_invited(id);
		}
		self.report(Event::InvitationFailed { group: *id, reason });
		self.read_mailboxes();
	}

	/// Gives up invitations whose entry does not become final.
	pub fn drop_overdue_invitations(&mut self) {
		let finalized = self.finalized;
		let mut overdue = Vec::new();
		for (id, joining) in self.joining.iter_mut().filter(|(_, joining)| joining.unknown.is_none()) {
			let waited = finalized.saturating_sub(*joining.since.get_or_insert(finalized));
			if waited > MAX_WAIT {
				overdue.push((*id, joining.invited.invitation.entry, waited));
			}
		}
		for (id, entry, waited) in overdue {
			self.drop_invitation(&id, InvitationError::NotFinal { entry, waited });
		}
	}
}
