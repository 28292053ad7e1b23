//! What must hold after every step.

use crate::{
	chain::{Entry, Kind},
	flavour::Flavour,
	member::Known,
	network::Statement,
	oracle::Epoch,
	world::{Carried, World},
};
use lockstep_client::{log::LogCursor, Ended, GroupState, IntentState};
use lockstep_primitives::{EntryHash, GroupId};

impl<F: Flavour> World<F> {
	/// Looks at where a member stands: P1, P2, and that the position in the log and the MLS state belong together.
	pub(crate) fn check(&mut self, member: usize, reopened: bool) {
		let Some(group) = self.group.or_else(|| self.chain.finalized().logs.keys().next().copied()) else { return };
		let Some(one) = self.members.get(member) else { return };
		let Some(position) = one.position(&group) else {
			if one.known.contains_key(&group) {
				self.fail_for(member, "it does not know its group any more");
			}
			return;
		};
		let known = one.known.get(&group).copied();
		if !reopened && known.is_some_and(|known| known.position == position) {
			return;
		}
		self.cut_off_once |= position.state == GroupState::Desynchronized;
		if !one.honest {
			return;
		}
		let status = one.client.as_ref().map(|client| client.status(&group));
		let seen = self.chain.finalized().clone();
		let height = self.nodes.finalized(one.node).max(one.told).max(one.seen);
		let faulted = one.faulted;
		let came_back = known
			.is_some_and(|known| !matches!(known.position.state, GroupState::Active | GroupState::Halted))
			&& matches!(position.state, GroupState::Active | GroupState::Halted);
		let joined = match known {
			Some(known) if !came_back => known.joined,
			_ => position.tip.epoch,
		};
		if came_back {
			if known.is_some_and(|known| known.position.state == GroupState::Desynchronized) {
				self.counts.readmitted = self.counts.readmitted.saturating_add(1);
			}
			if let Some(one) = self.members.get_mut(member) {
				one.promises.leaving = false;
			}
		}
		if let Some(one) = self.members.get_mut(member) {
			one.known.insert(group, Known { position, joined });
		}
		self.note(position.tip.index ^ (u64::try_from(member).unwrap_or(0) << 32));
		let tip = position.tip;
		let index = usize::try_from(tip.index).unwrap_or(usize::MAX);
		let entry = seen.logs.get(&group).and_then(|log| log.entries.get(index));
		let Some(entry) = entry.filter(|entry| entry.header.hash == tip.entry && entry.header.block <= height) else {
			return self.fail_for(member, "its epoch was opened by an entry that is not final");
		};
		let header = entry.header;
		let misled = position.state == GroupState::Removed && entry.transaction.kind == Kind::WrongKey;
		if misled {
			self.misled.insert(member);
			self.cut_off_once = true;
			return;
		}
		self.misled.remove(&member);
		let place = self.oracle.groups.get(&group).and_then(|history| history.place(&tip.entry));
		if place != Some(tip.epoch) {
			return self.fail_for(
				member,
				&format!("it is in epoch {} by entry {}, which opened {place:?}", tip.epoch, tip.index),
			);
		}
		if let Some(before) = known.filter(|_| !came_back).map(|known| known.position.tip) {
			if before.index > tip.index {
				return self.fail_for(member, &format!("it went back from entry {} to {}", before.index, tip.index));
			}
		}
		match status {
			Some(Ok(status)) if matches!(position.state, GroupState::Active | GroupState::Halted) => {
				let found = Epoch { authenticator: status.epoch_authenticator, members: status.members };
				if status.epoch != tip.epoch {
					return self.fail_for(member, "its MLS state is not in the epoch of its position");
				}
				let me = self.members.get(member).map(|one| one.name.clone().into_bytes()).unwrap_or_default();
				if !found.members.contains(&me) {
					return self.fail_for(member, "it goes on in a group that it is no member of");
				}
				let agreed = self.oracle.groups.entry(group).or_default().agree(header.hash, found);
				if let Err(what) = agreed {
					self.fail_for(member, &what);
				}
			}
			Some(Err(error)) if !faulted => self.fail_for(member, &format!("its state cannot be read: {error}")),
			_ => {}
		}
	}

	/// A client that was opened again knows all that it has promised.
	pub(crate) fn check_reopened(&mut self, member: usize) {
		let Some(group) = self.group else { return };
		let Some(one) = self.members.get_mut(member) else { return };
		let Some(client) = &one.client else { return };
		let mut broken = None;
		for (_, given_up) in client.undelivered().unwrap_or_default() {
			one.promises.sent.insert(given_up.data, true);
		}
		for (number, message) in client.unread().unwrap_or_default() {
			if let Err(what) = one.promises.reads(number, &message.data) {
				broken.get_or_insert(what);
			}
		}
		let unread: Vec<u64> = client.unread().unwrap_or_default().into_iter().map(|(number, _)| number).collect();
		for (text, number) in &one.promises.read {
			if *number >= one.promises.acknowledged && !unread.contains(number) {
				broken.get_or_insert(format!("the message {:?} is lost", String::from_utf8_lossy(text)));
			}
		}
		if let Some(position) = client.position(&group) {
			let active = position.state == GroupState::Active;
			let intents = client.intents(&group).unwrap_or_default();
			let ended: Vec<(u64, Ended)> = intents
				.iter()
				.filter_map(|(number, state)| match state {
					IntentState::Ended(ended) => Some((*number, ended.clone())),
					_ => None,
				})
				.collect();
			for ((of, number), taken) in &one.promises.intents {
				if *of == group && taken.ended.is_none() && intents.iter().all(|(other, _)| other != number) {
					broken.get_or_insert(format!("intent {number} ({:?}) is lost", taken.intent));
				}
			}
			let outbox = client.outbox();
			for (text, told) in &one.promises.sent {
				if active && !told && !outbox.contains(text) {
					broken.get_or_insert(format!("the message {:?} is lost", String::from_utf8_lossy(text)));
				}
			}
			for (number, ended) in ended {
				self.on_ended(member, &group, number, &ended);
			}
		}
		if let Some(what) = broken {
			self.fail_for(member, &what);
		}
	}

	/// An intent has ended.
	pub(crate) fn on_ended(&mut self, member: usize, group: &GroupId, number: u64, ended: &Ended) {
		// Clients answer requests to be readmitted of their own accord, and such intents have numbers too.
		let own = self.cut_off_once;
		let Some(one) = self.members.get_mut(member) else { return };
		if let Err(what) = one.promises.ends(*group, number, ended, own) {
			return self.fail_for(member, &what);
		}
		let Ended::Done(committed) = ended else { return };
		let place = self.oracle.groups.get(group).and_then(|history| history.place(&committed.entry));
		let carrier = self.done.get(&(member, number));
		if place.is_none() || (!committed.by_another && carrier != Some(&committed.entry)) {
			self.fail_for(member, &format!("intent {number} is said to be done by an entry that did not do it"));
		}
	}

	/// Entries have come to count: which intents are done by them?
	pub(crate) fn check_done(&mut self) {
		let finalized = self.chain.finalized().clone();
		for entry in self.oracle.read(&finalized) {
			self.counts.entries = self.counts.entries.saturating_add(1);
			self.note(entry.header.index);
			self.tell(|| format!("entry {} of {:?} counts", entry.header.index, entry.transaction.kind));
			let Some(Carried { member, intents, .. }) = self.carried_in(&entry).cloned() else { continue };
			for number in intents {
				if self.done.insert((member, number), entry.header.hash).is_some() {
					self.fail_for(member, &format!("intent {number} was done twice"));
				}
			}
		}
	}

	/// What an entry carries, if its commit is an honest member's, whoever endorsed it.
	pub(crate) fn carried_in(&self, entry: &Entry) -> Option<&Carried> {
		let hash = match entry.transaction.kind {
			Kind::Resealed(hash) => hash,
			_ => entry.header.payload_hash,
		};
		self.carried.get(&hash)
	}

	/// A member starts to read a log in the middle: what it has read must be what is there.
	pub(crate) fn check_cursor(&mut self, member: usize, group: &GroupId, from: &LogCursor) {
		let Some(before) = from.head.length.checked_sub(1) else { return };
		let index = usize::try_from(before).unwrap_or(usize::MAX);
		let finalized = self.chain.finalized().clone();
		let entry = finalized.logs.get(group).and_then(|log| log.entries.get(index));
		if entry.is_none_or(|entry| entry.header.hash != from.head.hash) {
			self.fail_for(member, "it has read what is not final");
		}
	}

	/// A member commits: on the newest entry that counts, of those that its node has shown it, or on one that it knows from
	/// before: its node may be behind the one that it had.
	pub(crate) fn check_commit(&mut self, member: usize, group: &GroupId, parent: &EntryHash) {
		let told = self.members.get(member).map_or(0, |one| one.told);
		let path = self.oracle.groups.get(group).map_or(&[][..], |history| &history.path);
		let newest = path.iter().rposition(|entry| entry.header.block <= told);
		let parent = path.iter().rposition(|entry| entry.header.hash == *parent);
		if newest.is_some() && parent < newest {
			self.fail_for(member, "it commits on an epoch that is over");
		}
	}

	/// A member stops because it cannot process an entry: there must be one that was made for that.
	pub(crate) fn check_cut_off(&mut self, member: usize, group: &GroupId) {
		let Some(tip) = self.members.get(member).and_then(|one| one.position(group)) else { return };
		let finalized = self.chain.finalized().clone();
		let entries = finalized.logs.get(group).map_or(&[][..], |log| &log.entries);
		let victim = |kind: &Kind| match kind {
			Kind::Private(Some(victims)) => victims.contains(&member),
			Kind::Private(None) => true,
			_ => false,
		};
		let made = entries.iter().any(|entry| entry.header.parent == tip.tip.entry && victim(&entry.transaction.kind));
		if !made {
			self.fail_for(member, "it is cut off, but every entry was good for it");
		}
	}

	/// A member passes over an entry: nobody must be able to process it.
	pub(crate) fn check_skipped(&mut self, member: usize, group: &GroupId, hash: &EntryHash, why: &str) {
		let finalized = self.chain.finalized().clone();
		let log = finalized.logs.get(group);
		let entry = log.and_then(|log| log.entries.iter().rev().find(|entry| entry.header.hash == *hash));
		match entry.map(|entry| &entry.transaction.kind) {
			Some(Kind::Bad | Kind::WrongKey) => {}
			Some(kind) => {
				let what = format!("it passes over a good entry, {kind:?}: {why}");
				self.fail_for(member, &what);
			}
			None => self.fail_for(member, "it passes over an entry that is not final"),
		}
	}

	/// A Welcome goes out: the entry whose key signs it counts, and a commit of this member that adds the invitee does,
	/// up to there.
	pub(crate) fn check_invitation(&mut self, member: usize, invitee: usize, entry: Option<EntryHash>) {
		let name = self.members.get(invitee).map(|one| one.name.clone().into_bytes()).unwrap_or_default();
		let history = self.group.and_then(|group| self.oracle.groups.get(&group));
		let place = history.zip(entry).and_then(|(history, entry)| history.place(&entry));
		let until = place.and_then(|place| usize::try_from(place).ok()).map_or(0, |place| place.saturating_add(1));
		let path = history.and_then(|history| history.path.get(..until)).unwrap_or_default();
		let adds = |carried: &Carried| carried.member == member && carried.invited.contains(&name);
		if !path.iter().any(|entry| self.carried_in(entry).is_some_and(adds)) {
			self.fail_for(member, "it invites somebody whose commit is not final");
		}
	}

	/// A message is reported: somebody sent it.
	pub(crate) fn check_message(&mut self, member: usize, group: &GroupId, sender: &[u8], text: &[u8]) {
		let from = self.members.iter().find(|one| one.name.as_bytes() == sender);
		if from.is_none_or(|one| !one.promises.sent.contains_key(text)) || Some(*group) != self.group {
			self.fail_for(member, "it reads a message that its sender did not send");
		}
	}

	/// A statement was handed to a member: if it has the keys of its epoch, it has read it now.
	pub(crate) fn check_read(&mut self, member: usize, statement: &Statement) {
		let Some((group, epoch, text)) = &statement.message else { return };
		let Some(one) = self.members.get(member).filter(|one| !one.faulted && member != statement.from) else { return };
		let Some(known) = one.known.get(group).filter(|known| known.position.state == GroupState::Active) else {
			return;
		};
		let current = known.position.tip.epoch;
		let readable = *epoch >= known.joined && *epoch <= current && epoch.saturating_add(5) >= current;
		if one.client.is_some() && readable && !one.promises.read.contains_key(text) {
			let what = format!("it got a message of epoch {epoch} in epoch {current} and did not read it");
			self.fail_for(member, &what);
		}
	}
}
