//! Steps of members: something happens to a client, and what it wants done is carried out, or it is killed.

use crate::{
	chain::{Entry, Kind, Transaction, PARAMETERS},
	flavour::Flavour,
	network::Statement,
	world::{Carried, Happening, World},
};
use lockstep_client::{
	simulation::{Action, SimulatedClient, Statement as Decoded},
	Event, Intent, SkippedBecause, Upkeep,
};
use lockstep_primitives::{extrinsic::SignedCall, topic, BlockNumber};
use std::rc::Rc;

/// Keys of past epochs are kept as long as there may be, and nobody renews because of the time. Paths to more than half of
/// the members are long.
const UPKEEP: Upkeep =
	Upkeep { update_after_messages: 40, update_after_blocks: 1_000_000, longest_path: 4, past_epochs_kept: 1_000_000 };
/// The longest that a member is down, in blocks.
const DOWN: BlockNumber = 8;

impl<F: Flavour> World<F> {
	/// Does something with a member's client, if it is up. The answer counts even if the client was killed right after
	/// it gave it: the application has it.
	pub(crate) fn step<R>(&mut self, member: usize, what: impl FnOnce(&mut SimulatedClient<F::Mls>) -> R) -> Option<R> {
		self.step_then(member, what, |_, _| {})
	}

	/// The same; `then` is done with the answer before anything else comes of the step.
	pub(crate) fn step_then<R>(
		&mut self,
		member: usize,
		what: impl FnOnce(&mut SimulatedClient<F::Mls>) -> R,
		then: impl FnOnce(&mut Self, &R),
	) -> Option<R> {
		let killed = self.weather.crash > 0 && self.dice.chance(self.weather.crash);
		let writes = u64::try_from(self.dice.below(3)).unwrap_or(0);
		let full = !killed && self.weather.disk > 0 && self.dice.chance(self.weather.disk);
		let one = self.members.get_mut(member)?;
		let client = one.client.as_mut()?;
		if killed {
			one.disk.fail_writes(writes, u64::MAX);
		} else if full {
			one.disk.fail_writes(writes, 1);
			one.faulted = true;
		}
		let answer = what(client);
		let actions = client.take_actions();
		one.disk.fail_writes(0, 0);
		then(self, &answer);
		if killed {
			self.kill(member);
			return Some(answer);
		}
		self.check(member, false);
		self.carry_out(member, actions);
		Some(answer)
	}

	/// Kills a member; it is opened again some blocks later.
	pub(crate) fn kill(&mut self, member: usize) {
		let until = self.now.saturating_add(self.dice.blocks(DOWN));
		self.counts.crashes = self.counts.crashes.saturating_add(1);
		if let Some(one) = self.members.get_mut(member) {
			one.kill(until);
			let name = one.name.clone();
			self.tell(|| format!("{name} is killed, and down until {until}"));
		}
	}

	/// Opens a member on what is on its disk.
	pub(crate) fn open(&mut self, member: usize) {
		let (engine, waits) = (self.dice.number(), self.dice.number());
		let Some(one) = self.members.get_mut(member) else { return };
		one.life = one.life.saturating_add(1);
		one.seen = one.seen.max(one.told);
		(one.faulted, one.told) = (false, 0);
		one.follows.clear();
		one.watches.clear();
		let opened = SimulatedClient::open(&one.disk, F::engine(&one.name, engine), PARAMETERS, UPKEEP, waits);
		match opened {
			Ok(mut client) => {
				let actions = client.take_actions();
				one.client = Some(client);
				let name = one.name.clone();
				self.tell(|| format!("{name} is opened"));
				self.check(member, true);
				self.check_reopened(member);
				self.carry_out(member, actions);
			}
			Err(error) => self.fail_for(member, &format!("it does not open: {error}")),
		}
	}

	/// Carries out what a client wants, up to where it is killed.
	fn carry_out(&mut self, member: usize, actions: Vec<Action>) {
		let survives = if self.weather.crash > 0 && !actions.is_empty() && self.dice.chance(self.weather.crash) {
			self.dice.below(actions.len())
		} else {
			usize::MAX
		};
		for (at, action) in actions.into_iter().enumerate() {
			if at >= survives {
				return self.kill(member);
			}
			self.act(member, action);
		}
	}

	fn act(&mut self, member: usize, action: Action) {
		let Some(one) = self.members.get_mut(member) else { return };
		let (life, node) = (one.life, one.node);
		match action {
			Action::Follow(group, from) => {
				one.follows.insert(group, from);
				one.told = 0;
				self.check_cursor(member, &group, &from);
			}
			Action::Forget(group) => drop(one.follows.remove(&group)),
			Action::Watch(topic) | Action::WatchAside(topic) => {
				one.watches.insert(topic);
				let groups = self.oracle.groups.keys();
				if groups.into_iter().all(|group| topic::group_topic(group) != topic) {
					self.mailboxes.entry(topic).or_insert(member);
				}
				for statement in self.network.under(node, &topic) {
					let way = self.way();
					self.later(way, Happening::Deliver { member, statement });
				}
			}
			Action::Unwatch(topic) => drop(one.watches.remove(&topic)),
			Action::Post { number, statement } => self.post(member, number, statement),
			Action::Append { group, append } => {
				let wants = one.client.as_ref().map(|client| client.carried(&group)).unwrap_or_default();
				let lockstep_primitives::extrinsic::Append { group, parent, payload, next_key, endorsement } = append;
				let transaction = Transaction::new(member, Kind::Good, group, parent, payload, next_key, endorsement);
				self.check_commit(member, &group, &parent);
				let carried = self.carried_by(member, wants);
				let line = format!("m{member:02} submits a commit on {parent:?} for its intents {:?}", carried.intents);
				self.carried.entry(transaction.payload_hash).or_insert(carried);
				self.tell(|| line);
				self.submit(member, life, node, transaction);
			}
			Action::Create { group, call: SignedCall::CreateGroup { next_key, endorsement, .. } } => {
				let parent = lockstep_client::log::LogCursor::start(&crate::chain::GENESIS, &group).head.hash;
				let transaction =
					Transaction::new(member, Kind::Founding, group, parent, Vec::new(), next_key, endorsement);
				self.submit(member, life, node, transaction);
			}
			Action::Create { .. }
			| Action::Buy { .. }
			| Action::LookUp { .. }
			| Action::LookForChanges { .. }
			| Action::CompareChanges { .. }
			| Action::Claim(_) => {}
			Action::Report(event) => self.on_event(member, event),
		}
	}

	/// What a commit for these intents carries.
	fn carried_by(&self, member: usize, wants: Vec<(u64, Intent)>) -> Carried {
		let (mut intents, mut invited) = (Vec::new(), Vec::new());
		for (number, intent) in wants {
			intents.push(number);
			match intent {
				Intent::Add(packages) => {
					invited.extend(packages.iter().filter_map(|package| self.packages.get(&package.0).cloned()));
				}
				Intent::Readmit { identity, .. } => invited.push(identity.0),
				_ => {}
			}
		}
		Carried { member, intents, invited }
	}

	fn submit(&mut self, member: usize, life: u64, node: usize, transaction: std::rc::Rc<Transaction>) {
		let way = self.way();
		if self.dice.chance(self.weather.lost_submission) {
			let group = transaction.group;
			if self.dice.chance(500) {
				self.later(way, Happening::Submitted { member, life, group, answer: None });
			}
		} else {
			self.later(way, Happening::Submit { member, life, node, transaction });
		}
	}

	/// Hands a statement to a node.
	fn post(&mut self, member: usize, number: u64, bytes: Vec<u8>) {
		let Some(one) = self.members.get(member) else { return };
		let (life, node) = (one.life, one.node);
		let Ok(Decoded { signer, topic, .. }) = Decoded::decode(&bytes) else {
			return self.fail_for(member, "it posts what is no statement");
		};
		let text = one.client.as_ref().and_then(|client| client.unsent(number));
		let group = self.oracle.groups.keys().find(|group| topic::group_topic(group) == topic).copied();
		let opened = self.group.and_then(|group| {
			let history = self.oracle.groups.get(&group);
			let counts =
				|entry: &&Rc<Entry>| history.is_some_and(|history| history.place(&entry.header.hash).is_some());
			let state = self.chain.finalized();
			state.naming(&group, &signer).find(counts).or_else(|| state.naming(&group, &signer).next()).cloned()
		});
		if let Some(invitee) = self.mailboxes.get(&topic).copied() {
			self.tell(|| format!("m{member:02} posts an invitation for m{invitee:02}, number {number}"));
			self.check_invitation(member, invitee, opened.as_ref().map(|entry| entry.header.hash));
		}
		let epoch = group
			.zip(opened)
			.and_then(|(group, entry)| Some((group, self.oracle.groups.get(&group)?.place(&entry.header.hash)?)));
		let message = epoch.zip(text).map(|((group, epoch), text)| (group, epoch, text));
		let statement = std::rc::Rc::new(Statement { from: member, topic, bytes, message });
		let way = self.way();
		if self.dice.chance(self.weather.lost_statement) {
			self.later(way, Happening::Posted { member, life, number, outcome: None });
		} else {
			self.later(way, Happening::Post { member, life, node, number, statement });
		}
	}

	/// A client reports something.
	fn on_event(&mut self, member: usize, event: Event) {
		let name = self.members.get(member).map(|one| one.name.clone()).unwrap_or_default();
		if !matches!(event, Event::MemberAdded { .. } | Event::MemberRemoved { .. }) {
			self.tell(|| format!("{name} reports {event:?}"));
		}
		match event {
			Event::Created { group } => self.group = self.group.or(Some(group)),
			Event::EpochAdvanced { .. } => self.counts.epochs = self.counts.epochs.saturating_add(1),
			Event::Message { number, group, sender, data, .. } => {
				self.counts.messages = self.counts.messages.saturating_add(1);
				self.check_message(member, &group, &sender, &data);
				let read = self.members.get_mut(member).map_or(Ok(()), |one| one.promises.reads(number, &data));
				if let Err(what) = read {
					self.fail_for(member, &what);
				}
			}
			Event::Undelivered { data, .. } => {
				if let Some(one) = self.members.get_mut(member) {
					one.promises.sent.insert(data, true);
				}
			}
			Event::IntentEnded { intent, ended } => self.on_ended(member, &intent.group, intent.number, &ended),
			Event::Halted { reason, .. } if self.members.get(member).is_some_and(|one| !one.faulted) => {
				self.fail_for(member, &format!("it halts without trouble of its own: {reason}"));
			}
			Event::Desynchronized { group, .. } => {
				self.counts.cut_off = self.counts.cut_off.saturating_add(1);
				self.check_cut_off(member, &group);
			}
			Event::InvitationFailed { reason, .. } if !self.spoiled.contains(&member) => {
				self.fail_for(member, &format!("an invitation came to nothing: {reason}"));
			}
			Event::Skipped { group, entry, reason: SkippedBecause::Invalid(reason) } => {
				self.check_skipped(member, &group, &entry, &reason.to_string());
			}
			_ => {}
		}
	}
}
