//! What trouble of the store has set back: it is kept in memory, and tried again every so many finalized blocks.

use super::{core::Core, group::Group, open::stored_group, people::LookedUp, records::Invited, Event, GroupError};
use crate::{
	gate::{Pending, Tip},
	log::EntryHeader,
	mls::Mls,
};
use lockstep_primitives::{BlockNumber, GroupId, IdentityId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Finalized blocks between two tries. The trouble may last.
const RETRY: BlockNumber = 20;
/// Invitations to one group that are kept; the oldest go. A client that is opened anew reads its mailboxes anew.
const MAX_KEPT: usize = 4;

/// An invitation whose entry is in the log, with what the log says: it need not be read again.
#[derive(Clone, Debug)]
pub(super) struct Found {
	pub invited: Invited,
	/// The entry.
	pub header: EntryHeader,
	/// How many entries lie between it and entry 0, plus one.
	pub depth: u64,
	/// Whether any entry up to it was contested.
	pub contested: bool,
	/// The own commit that was pending, and what it has opened, if the entry follows from that.
	pub won: Option<(Pending, Tip)>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct SetBack {
	/// The oldest first.
	invitations: VecDeque<Found>,
	/// Groups that were followed.
	groups: BTreeSet<GroupId>,
	/// Whether something in a mailbox could not be opened.
	mailboxes: bool,
	/// What was read of people for whom something waits.
	people: Vec<LookedUp>,
	/// Whose logs an invitation has asked for, each with the block up to which, until that is stored.
	reading: BTreeMap<IdentityId, BlockNumber>,
	/// The finalized block of the last try, or the first one since there is something to try.
	since: Option<BlockNumber>,
}

impl SetBack {
	/// Keeps an invitation.
	pub fn add(&mut self, found: Found) {
		let id = found.invited.invitation.group;
		let is_of_group = |kept: &Found| kept.invited.invitation.group == id;
		if self.invitations.iter().filter(|kept| is_of_group(kept)).count() >= MAX_KEPT {
			if let Some(oldest) = self.invitations.iter().position(is_of_group) {
				self.invitations.remove(oldest);
			}
		}
		self.invitations.push_back(found);
	}

	/// Keeps a group.
	pub fn add_group(&mut self, id: GroupId) {
		self.groups.insert(id);
	}

	/// Has the mailboxes read again.
	pub fn add_mailboxes(&mut self) {
		self.mailboxes = true;
	}

	/// Keeps what was read of a person, in the place of what was read before, unless that goes further.
	pub fn add_person(&mut self, looked_up: LookedUp) {
		let goes_further =
			|kept: &LookedUp| kept.person == looked_up.person && kept.devices.until > looked_up.devices.until;
		if self.people.iter().any(goes_further) {
			return;
		}
		self.people.retain(|kept| kept.person != looked_up.person);
		self.people.push(looked_up);
	}

	/// Those of these people whose logs no invitation has asked for yet. Now one has, up to this block.
	pub fn ask_for(&mut self, mut people: BTreeSet<IdentityId>, block: BlockNumber) -> BTreeSet<IdentityId> {
		people.retain(|person| !self.asks_for(person));
		self.reading.extend(people.iter().map(|person| (*person, block)));
		people
	}

	/// Whether an invitation has asked for the log of a person.
	pub fn asks_for(&self, person: &IdentityId) -> bool {
		self.reading.contains_key(person)
	}

	/// A person's log was read up to this block, and that is stored.
	pub fn learn(&mut self, person: &IdentityId, until: BlockNumber) {
		if self.reading.get(person).is_some_and(|block| until >= *block) {
			self.reading.remove(person);
		}
	}

	/// The invitations.
	pub fn invited(&self) -> impl Iterator<Item = &Invited> {
		self.invitations.iter().map(|found| &found.invited)
	}

	/// This one was accepted: others to its group that lead to earlier entries are of no use, nor are those whose KeyPackage is
	/// used up by it.
	pub fn accepted(&mut self, accepted: &Found, serves_again: bool) {
		let Invited { invitation, key_package_ref } = &accepted.invited;
		self.invitations.retain(|kept| {
			let is_later = kept.header.index > accepted.header.index;
			let has_package = serves_again || kept.invited.key_package_ref != *key_package_ref;
			kept.invited.invitation.group != invitation.group || (is_later && has_package)
		});
	}

	fn is_empty(&self) -> bool {
		self.invitations.is_empty() && self.groups.is_empty() && !self.mailboxes && self.people.is_empty()
	}
}

impl<M: Mls> Core<M> {
	/// A block is final: tries again what is due.
	pub fn try_set_back(&mut self) {
		let finalized = self.finalized;
		if self.set_back.is_empty() {
			self.set_back.since = None;
			return;
		}
		let since = *self.set_back.since.get_or_insert(finalized);
		if finalized < since.saturating_add(RETRY) {
			return;
		}
		self.set_back.since = Some(finalized);
		for looked_up in std::mem::take(&mut self.set_back.people) {
			self.on_looked_up(looked_up);
		}
		// First of what leads to the same group: with the group there it is of no use.
		for id in std::mem::take(&mut self.set_back.groups) {
			self.follow_after_trouble(id);
		}
		if std::mem::take(&mut self.set_back.mailboxes) {
			self.read_mailboxes();
		}
		for _ in 0..self.set_back.invitations.len() {
			let Some(found) = self.set_back.invitations.pop_front() else { return };
			self.join_after_trouble(found);
		}
	}

	/// Follows a group again, from what is stored, as a client does that is opened anew, if the trouble has passed that stopped it.
	fn follow_after_trouble(&mut self, id: GroupId) {
		let is_halted = |group: &Group| matches!(group.halted, Some(GroupError::Halted { .. }));
		if !self.groups.get(&id).is_some_and(is_halted) {
			return;
		}
		if self.joining.contains_key(&id) {
			// It was asked for, and may come to nothing.
			return self.set_back.add_group(id);
		}
		let stored = stored_group(self.store.overlay(), &id);
		match stored {
			Ok(mut group) => {
				if let Some(stopped) = self.groups.remove(&id) {
					// They are remembered as seen.
					group.buffer = stopped.buffer;
					if stopped.gate.tip() == group.gate.tip() {
						(group.proposals, group.requests) = (stopped.proposals, stopped.requests);
					}
				}
				self.groups.insert(id, group);
				self.report(Event::Resumed { group: id });
				self.follow(&id);
				self.leave_on(&id);
			}
			Err(error) if error.may_pass() => self.set_back.add_group(id),
			Err(error) => self.halt(&id, error),
		}
	}
}

#[cfg(test)]
mod tests;
