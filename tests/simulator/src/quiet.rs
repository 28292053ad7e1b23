//! The end of a run: the faults stop, and everything must come right.

use crate::{
	chain::Kind,
	flavour::Flavour,
	world::{Carried, Happening, World, NODES},
};
use lockstep_client::{simulation::Position, GroupState, IntentState};
use lockstep_primitives::GroupId;

/// Blocks within which everything must have come right: contests wait for twice as long each time.
const PATIENCE: u32 = 1500;
/// Blocks after which statements are read again.
const READ_AGAIN: u32 = 40;
/// Blocks within which all have read a message.
const READING: u32 = 12;
/// Members that speak at the end.
const SPEAKERS: usize = 8;

impl<F: Flavour> World<F> {
	/// Nothing goes wrong any more.
	pub(crate) fn calm(&mut self) {
		self.quiet = true;
		self.weather.calm();
		self.stalled_until = 0;
		self.nodes.heal();
		let now = self.now;
		for member in &mut self.members {
			if member.client.is_none() || member.faulted {
				member.kill(now);
			}
		}
		self.tell(|| "from now on nothing goes wrong".to_owned());
	}

	/// Runs on until everything has come right.
	pub(crate) fn settle(&mut self) {
		let mut wrong = None;
		for waited in 0..PATIENCE {
			if waited % READ_AGAIN == 0 {
				self.read_again();
				self.hand_over_requests();
			}
			self.block();
			if self.failure.is_some() {
				return;
			}
			wrong = self.unsettled();
			if wrong.is_none() {
				break;
			}
		}
		match (wrong, self.group) {
			(Some(what), _) => self.fail(format!("after {PATIENCE} calm blocks, {what}")),
			(None, Some(group)) => self.talk(&group),
			(None, None) => {}
		}
	}

	/// Every member gets every statement again.
	fn read_again(&mut self) {
		self.network.heal();
		for member in 0..self.members.len() {
			let topics = self.members.get(member).map(|one| one.watches.clone()).unwrap_or_default();
			for topic in topics {
				for statement in self.network.under(0, &topic) {
					self.later(0, Happening::Deliver { member, statement });
				}
			}
		}
	}

	/// The applications of those who were cut off, or were made to believe that they are out, hand their requests over to
	/// somebody who is in: their statements may be lost.
	fn hand_over_requests(&mut self) {
		let Some(group) = self.group else { return };
		for member in 0..self.members.len() {
			let cut_off = self.members.get(member).and_then(|one| one.position(&group));
			let is_cut_off = |position: Position| position.state == GroupState::Desynchronized;
			if !cut_off.is_some_and(is_cut_off) && !self.misled.contains(&member) {
				continue;
			}
			let Some(Ok(request)) = self.step(member, |client| client.rejoin(&group)) else { continue };
			let mut sponsors = self.active(&group);
			sponsors.retain(|sponsor| self.members.get(*sponsor).is_some_and(|one| one.honest));
			let Some(sponsor) = self.dice.pick(&sponsors) else { return };
			let taken = self.step(sponsor, |client| client.readmit(&group, &request));
			let taken = taken.map(|taken| taken.map_err(|error| error.to_string()));
			self.tell(|| format!("m{sponsor:02} is asked to readmit m{member:02}: {taken:?}"));
		}
	}

	/// What has not come right yet.
	fn unsettled(&self) -> Option<String> {
		let Some(group) = self.group else { return Some("there is no group".to_owned()) };
		let Some(history) = self.oracle.groups.get(&group) else { return Some("there is no log".to_owned()) };
		let tip = history.path.last()?.header;
		if self.is_dead(&group) {
			return None;
		}
		let Some(epoch) = history.epoch(&tip.hash) else { return Some("nobody is in the newest epoch".to_owned()) };
		let finalized = self.chain.finalized();
		let entries = finalized.logs.get(&group).map_or(&[][..], |log| &log.entries);
		if entries.iter().any(|entry| entry.header.parent == tip.hash) {
			return Some("nobody contests an entry that nobody can process".to_owned());
		}
		// A hostile member may have made it before the faults stopped, and it would cut members off while all speak.
		if !self.nodes.are_idle() || self.is_submitting() || !self.chain.is_final(&group) {
			return Some("a commit is under way".to_owned());
		}
		for one in self.members.iter().filter(|one| one.honest) {
			let name = &one.name;
			let Some(client) = &one.client else { return Some(format!("{name} is down")) };
			let is_in = epoch.members.iter().any(|member| member == name.as_bytes()) && !self.is_left_out(&group, name);
			let Some(position) = client.position(&group) else {
				if is_in {
					return Some(format!("{name} was added and has not joined"));
				}
				continue;
			};
			match position.state {
				GroupState::Active if position.tip.entry != tip.hash => {
					return Some(format!("{name} is in epoch {} of {}", position.tip.epoch, history.path.len() - 1));
				}
				GroupState::Active if one.promises.leaving => return Some(format!("{name} has not left")),
				GroupState::Removed if is_in => {
					return Some(format!("{name} was added again and has not joined"));
				}
				GroupState::Desynchronized if is_in => return Some(format!("{name} was not readmitted")),
				GroupState::Active | GroupState::Removed | GroupState::Desynchronized => {}
				state => return Some(format!("{name} is {state:?}")),
			}
		}
		// What has to be read from their stores, once they stand where they should.
		for one in self.members.iter().filter(|one| one.honest) {
			let name = &one.name;
			let Some(client) = &one.client else { continue };
			let Some(position) = client.position(&group) else { continue };
			let open =
				|(number, state): &(u64, IntentState)| (!matches!(state, IntentState::Ended(_))).then_some(*number);
			let intents = client.intents(&group).unwrap_or_default();
			if let Some(number) = intents.iter().find_map(open) {
				return Some(format!("intent {number} of {name} has not ended"));
			}
			if position.state == GroupState::Active && !client.outbox().is_empty() {
				return Some(format!("{name} has not sent all its messages"));
			}
			let reported =
				|number: &u64| one.promises.intents.get(&(group, *number)).is_none_or(|taken| taken.ended.is_some());
			let ended = intents.iter().map(|(number, _)| *number);
			if let Some(number) = ended.into_iter().find(|number| !reported(number)) {
				return Some(format!("the end of intent {number} of {name} was not reported"));
			}
		}
		None
	}

	/// Whether a hostile member has added this one, and was itself cut off before it could invite it: by a commit that it made
	/// outside of its client.
	fn is_left_out(&self, group: &GroupId, name: &str) -> bool {
		let Some(history) = self.oracle.groups.get(group) else { return false };
		let adds = |carried: &&Carried| carried.invited.iter().any(|invited| invited == name.as_bytes());
		let newest = history.path.iter().rev().find_map(|entry| self.carried_in(entry).filter(adds));
		let adder = newest.and_then(|carried| self.members.get(carried.member));
		adder.is_some_and(|one| {
			!one.honest && one.position(group).is_none_or(|position| position.state != GroupState::Active)
		})
	}

	/// Whether a hostile member has cut off all others: a limit of MLS. They know it, and may found another group.
	fn is_dead(&self, group: &GroupId) -> bool {
		let Some(history) = self.oracle.groups.get(group) else { return false };
		let broken = history.path.iter().any(|entry| entry.transaction.kind == Kind::Private(None));
		let active = self.active(group);
		broken && !active.into_iter().any(|member| self.members.get(member).is_some_and(|one| one.honest))
	}

	/// Members speak, and all others must read it: they are in the same epoch.
	fn talk(&mut self, group: &GroupId) {
		let mut speakers = self.active(group);
		speakers.retain(|member| self.members.get(*member).is_some_and(|one| one.honest));
		let listeners = speakers.clone();
		self.dice.shuffle(&mut speakers);
		speakers.truncate(SPEAKERS);
		let mut said = Vec::new();
		for member in speakers {
			match self.say(member, group) {
				Some(text) => said.push((member, text)),
				None => return self.fail_for(member, "it cannot speak"),
			}
		}
		for _ in 0..READING {
			self.block();
		}
		for (speaker, text) in said {
			for listener in listeners.iter().filter(|listener| **listener != speaker) {
				let heard = self.members.get(*listener).is_some_and(|one| one.promises.read.contains_key(&text));
				if !heard {
					self.fail_for(*listener, &format!("it does not read what m{speaker:02} says"));
				}
			}
		}
		self.check_all_sent(group);
	}

	/// What members that are still in were told is sent was posted at least once.
	fn check_all_sent(&mut self, group: &GroupId) {
		for member in self.active(group) {
			let Some(one) = self.members.get(member).filter(|one| one.honest) else { continue };
			let posted = |text: &Vec<u8>| {
				let mut all = self.network.all();
				all.any(|statement| statement.message.as_ref().is_some_and(|(_, _, said)| said == text))
			};
			let lost = one.promises.sent.iter().find(|(text, told)| !**told && !posted(text));
			if let Some((text, _)) = lost {
				let what = format!("its message {:?} was never posted", String::from_utf8_lossy(text));
				self.fail_for(member, &what);
			}
		}
	}

	/// A statement reaches all nodes.
	pub(crate) fn pass_on(&mut self, from: usize, statement: &std::rc::Rc<crate::network::Statement>) {
		for node in (0..NODES).filter(|node| *node != from) {
			if !self.dice.chance(self.weather.lost_statement) {
				let way = self.way();
				self.later(way, Happening::Pass { node, statement: statement.clone() });
			}
		}
	}
}
