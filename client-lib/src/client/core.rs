//! The core of a client: its store and groups, and what follows from each thing that happens.
//!
//! Synchronous and without sockets or tasks: inputs are method calls, outputs are [`Action`]s, taken by
//! [`Core::take_actions`]. The [`Actor`](super::actor::Actor) feeds it from the network, the simulator from a model of one.

use super::{
	action::Action,
	command::Command,
	commit,
	create::Creating,
	drive::DriveError,
	event::Event,
	group::Group,
	inbox::Inbox,
	joining::Joining,
	letters::Letters,
	outbox::Outbox,
	people::{Claims, Watch},
	records::{Evidence, Mailbox, MAX_EVIDENCE_KEPT, ONLY},
	returning::Restored,
	set_back::SetBack,
	status::{GroupState, GroupStatus},
	GroupError, KeyPackageError, Upkeep,
};
use crate::{
	delivery::Seen,
	finality::{Finalized, Misbehaviour, Update},
	gate::{self, Input, Mode},
	log::LogCursor,
	mls::{Engine, EngineError, Mls},
	mutation::{self, Mutation},
	store::Store,
};
use lockstep_primitives::{rpc::HexBytes, topic, BlockNumber, GroupId, OrderingParameters};
use rand::{rngs::StdRng, RngCore};
use std::collections::{BTreeMap, HashSet};

/// See the module.
pub(crate) struct Core<M: Mls = Engine> {
	pub store: Store,
	pub engine: M,
	pub parameters: OrderingParameters,
	/// Whether somebody pays for groups that this client creates.
	pub sponsored: bool,
	pub upkeep: Upkeep,
	/// Differs from client to client.
	pub spread: u64,
	/// For waits; never for keys.
	pub random: StdRng,
	pub actions: Vec<Action>,

	/// The newest finalized block.
	pub finalized: BlockNumber,
	pub groups: BTreeMap<GroupId, Group>,
	pub creating: BTreeMap<GroupId, Creating>,
	pub joining: BTreeMap<GroupId, Joining>,
	/// What trouble of the store has set back.
	pub set_back: SetBack,
	/// Known from a backup, and not come back to.
	pub restored: BTreeMap<GroupId, Restored>,
	/// KeyPackageRefs by topic.
	pub mailboxes: BTreeMap<[u8; 32], Vec<u8>>,
	/// What was announced in them.
	pub letters: Letters,
	/// Groups by topic.
	pub topics: BTreeMap<[u8; 32], GroupId>,
	pub inbox: Inbox,
	pub outbox: Outbox,
	/// What is heard of people's logs.
	pub watch: Watch,
	/// Claims of KeyPackages of this client's own person.
	pub claims: Claims,
	/// The number of the next piece of evidence.
	pub evidence: u64,
	pub seen: Seen,
	/// The final block after which the next private keys of a KeyPackage are due to be deleted.
	pub keys_due: Option<BlockNumber>,
	#[cfg(feature = "hostile")]
	pub hoard: super::hostile::Hoard,
}

impl<M: Mls> Core<M> {
	/// What is to be done now, in order.
	pub fn take_actions(&mut self) -> Vec<Action> {
		std::mem::take(&mut self.actions)
	}

	pub(super) fn act(&mut self, action: Action) {
		self.actions.push(action);
	}

	pub fn on_command(&mut self, command: Command) {
		match command {
			Command::KeyPackage(reply) => drop(reply.send(self.key_package())),
			Command::Stock(command) => self.on_stock(command),
			Command::Positions(command) => self.on_positions(command),
			Command::Pool(command) => self.on_pool(command),
			Command::Verified(reply) => drop(reply.send(self.verified())),
			Command::Create(data, voucher, reply) => self.create(&data, voucher.as_ref(), reply),
			Command::Commit { group, intent, once, reply } => self.commit(&group, intent, once, None, Some(reply)),
			Command::Enqueue { group, intent, reply } => self.commit(&group, intent, false, Some(reply), None),
			Command::Intents { group, reply } => drop(reply.send(self.intents(&group))),
			Command::Rejoin { group, newest, reply } => drop(reply.send(self.ask_to_rejoin(&group, newest))),
			Command::Readmit { group, request, reply } => match self.readmission(&group, &request) {
				Ok(intent) => self.commit(&group, intent, false, None, Some(reply)),
				Err(error) => drop(reply.send(Err(error))),
			},
			Command::ChangeSigner(seed, reply) => drop(reply.send(self.change_signer(seed))),
			Command::Leave { group, reply } => drop(reply.send(self.leave(&group))),
			Command::Send { group, data, reply } => drop(reply.send(self.send(&group, &data))),
			Command::Unread(reply) => {
				drop(reply.send(self.unread().map_err(|error| GroupError::Store(error.to_string()))));
			}
			Command::Acknowledge { up_to, reply } => drop(reply.send(self.acknowledge(up_to))),
			Command::Undelivered(reply) => drop(reply.send(self.undelivered())),
			Command::Dismiss { up_to, reply } => drop(reply.send(self.dismiss(up_to))),
			Command::Evidence(reply) => drop(reply.send(Ok(self.evidence_kept()))),
			Command::Groups(reply) => {
				let restored = self.restored.keys().filter(|id| !self.groups.contains_key(id));
				drop(reply.send(self.groups.keys().chain(restored).copied().collect()));
			}
			Command::Backup(reply) => drop(reply.send(self.backup())),
			Command::Status { group, reply } => drop(reply.send(self.status(&group))),
			#[cfg(feature = "hostile")]
			Command::Hostile(command) => self.on_hostile(command),
			Command::Close => {}
		}
	}

	pub fn on_update(&mut self, update: Update) {
		match update {
			Update::Finalized(finalized) => self.on_finalized(finalized),
			Update::Verified(position) => {
				if let Err(error) = position.keep(&self.store) {
					tracing::warn!(%error, "the verified position cannot be stored");
				}
			}
			Update::Lied(misbehaviour) => self.on_lie(misbehaviour),
			Update::Connected(_) => self.fall_behind(),
			Update::Outdated(reason) => {
				let followed: Vec<GroupId> =
					self.groups.iter().filter(|(_, group)| group.is_followed()).map(|(id, _)| *id).collect();
				for id in followed {
					self.halt(&id, DriveError::Outdated(reason.clone()));
				}
				self.report(Event::Outdated { reason });
			}
		}
	}

	/// There may be entries that nothing is known of yet.
	pub fn fall_behind(&mut self) {
		self.groups.values_mut().for_each(|group| group.caught_up = false);
	}

	/// Keeps what a node was caught with.
	fn on_lie(&mut self, misbehaviour: Misbehaviour) {
		let number = self.evidence;
		self.evidence = number.wrapping_add(1);
		let overlay = self.store.overlay();
		let record = Evidence {
			node: misbehaviour.node.clone(),
			lie: misbehaviour.lie.to_string(),
			sent: HexBytes(misbehaviour.evidence),
		};
		let slot = (number % MAX_EVIDENCE_KEPT).to_be_bytes();
		if let Err(error) = overlay.put(&slot, &record).and_then(|()| overlay.commit()) {
			tracing::error!(%error, "the evidence of a lie cannot be stored");
		}
		self.report(Event::NodeLied { node: misbehaviour.node, lie: misbehaviour.lie });
	}

	fn evidence_kept(&self) -> Vec<Evidence> {
		let kept = self.store.overlay().list::<Evidence>(ONLY).unwrap_or_default();
		kept.into_iter().map(|(_, evidence)| evidence).collect()
	}

	fn on_finalized(&mut self, finalized: Finalized) {
		for (id, _) in &finalized.entries {
			// Until the last of them is read: more than one may be there, and more may follow.
			if let Some(group) = self.groups.get_mut(id).filter(|_| !mutation::is(Mutation::CommitBehind)) {
				group.caught_up = false;
			}
		}
		let mut entries = finalized.entries.as_slice();
		while let Some((id, entry)) = entries.first() {
			let mut taken = 1;
			if self.groups.get(id).is_some_and(Group::is_followed) {
				taken = self.on_entries(entries).max(1);
			} else if self.creating.contains_key(id) {
				self.on_founding_entry(id, entry);
			} else if self.joining.contains_key(id) {
				self.on_earlier_entry(id, entry);
			} else {
				self.on_entry_of_restored(id, entry);
			}
			entries = entries.get(taken..).unwrap_or_default();
		}
		for id in finalized.closed {
			if self.groups.get(&id).is_some_and(Group::is_followed) {
				self.close_group(&id);
			} else {
				self.close_restored(&id);
			}
		}
		if !finalized.complete && !mutation::is(Mutation::CommitBehind) {
			return;
		}
		self.finalized = self.finalized.max(finalized.block);
		let is_read = |group: &Group| group.is_followed() && group.unknown.is_none();
		let read: Vec<GroupId> = self.groups.iter().filter(|(_, group)| is_read(group)).map(|(id, _)| *id).collect();
		for id in read {
			if let Some(group) = self.groups.get_mut(&id) {
				group.caught_up = true;
				group.buffer.expire(self.finalized);
			}
			self.on_entry_free_block(&id);
			self.start_waiting(&id);
			self.commit_due_proposals(&id);
			self.answer_requests(&id);
			self.upkeep(&id);
			self.retire(&id);
			self.admit(&id);
		}
		self.look_for_changes();
		self.resubmit_foundings();
		self.drop_overdue_invitations();
		self.try_set_back();
		self.drop_overdue_key_packages();
		self.ask_again();
		self.ask_for_restored();
		self.post_due();
	}

	/// Brings a group's gate up to the finalized block.
	pub fn on_entry_free_block(&mut self, id: &GroupId) {
		self.step(id, Input::Finalized(self.finalized), super::drive::Material::None);
	}

	fn key_package(&mut self) -> Result<Vec<u8>, KeyPackageError> {
		let overlay = self.store.overlay();
		let package = self.engine.key_package(&overlay)?;
		overlay.put(&package.reference, &Mailbox::default()).map_err(EngineError::from)?;
		overlay.commit().map_err(EngineError::from)?;
		self.watch_mailbox(package.reference);
		Ok(package.bytes)
	}

	pub fn watch_mailbox(&mut self, reference: Vec<u8>) {
		let topic = topic::mailbox_topic(&reference);
		self.mailboxes.insert(topic, reference);
		self.act(Action::Watch(topic));
	}

	/// Starts to follow a group's log and statements, from its gate's position on.
	pub fn follow(&mut self, id: &GroupId) {
		let Some(group) = self.groups.get_mut(id).filter(|group| group.is_followed()) else { return };
		(group.gate, _) = gate::step(group.gate.clone(), Input::Random(self.random.next_u64()));
		group.gate.set_candidate_interval(self.parameters.candidate_interval);
		group.caught_up = false;
		let from = *group.gate.cursor();
		self.act(Action::Follow(*id, from));
		self.watch_topic(id);
	}

	/// Follows a group's log from its start.
	pub fn follow_from_start(&mut self, id: &GroupId) {
		self.act(Action::Follow(*id, LogCursor::start(self.engine.genesis(), id)));
	}

	pub fn watch_topic(&mut self, id: &GroupId) {
		let topic = topic::group_topic(id);
		self.topics.insert(topic, *id);
		self.act(Action::Watch(topic));
	}

	/// Stops following a group's log and statements.
	pub fn unfollow(&mut self, id: &GroupId) {
		let topic = topic::group_topic(id);
		self.act(Action::Forget(*id));
		self.act(Action::Unwatch(topic));
		self.topics.remove(&topic);
	}

	/// A group that is there to work with.
	pub fn usable(&mut self, id: &GroupId) -> Result<&mut Group, GroupError> {
		if !self.groups.contains_key(id) {
			return Err(self.absent(id));
		}
		let group = self.groups.get_mut(id).ok_or(GroupError::Unknown(*id))?;
		match group.trouble(id) {
			Some(trouble) => Err(trouble),
			None => Ok(group),
		}
	}

	/// Stops following a group because of trouble of this client. Its state is as it was before the trouble; if it is the state
	/// that is damaged, the client goes for a new one, and if the trouble can pass, it tries to go on.
	pub fn halt(&mut self, id: &GroupId, error: impl Into<DriveError>) {
		if self.groups.get(id).is_some_and(|group| matches!(group.halted, Some(GroupError::Returning(_)))) {
			return;
		}
		let error = error.into();
		let (group, reason) = (*id, error.to_string());
		tracing::error!(%group, %reason, "following a group was stopped");
		let event = Event::Halted { group, reason: reason.clone() };
		if error.is_lost_state() {
			self.lose_state(id);
			self.end(id, GroupError::Returning(group), event);
			self.follow_restored(id);
		} else {
			if error.may_pass() {
				self.set_back.add_group(group);
			}
			self.end(id, GroupError::Halted { group, reason }, event);
		}
	}

	/// A group was closed on the chain.
	pub fn close_group(&mut self, id: &GroupId) {
		let gone = GroupError::Gone(*id);
		if let Some(group) = self.groups.get(id) {
			let overlay = self.store.overlay();
			if let Err(error) = commit::fail_intents(&overlay, id, group, &gone).and_then(|()| overlay.commit()) {
				tracing::error!(group = %id, %error, "the end of intents cannot be stored");
			}
		}
		self.end(id, gone, Event::GroupClosed { group: *id });
	}

	/// Stops following a group; whoever asks for something in it is told why.
	fn end(&mut self, id: &GroupId, why: GroupError, event: Event) {
		if let Some(group) = self.groups.get_mut(id) {
			group.halted = Some(why);
		}
		self.stop(id, event);
	}

	pub fn status(&self, id: &GroupId) -> Result<GroupStatus, GroupError> {
		if let Some(status) = self.status_of_restored(id) {
			return Ok(status);
		}
		let group = self.groups.get(id).ok_or(GroupError::Unknown(*id))?;
		let halted = |reason: String| GroupError::Halted { group: *id, reason };
		let view = self.engine.group(&self.store.overlay(), id).map_err(|error| halted(error.to_string()))?;
		let view = view.ok_or_else(|| halted("the group's MLS state is missing".to_owned()))?;
		let (state, epoch) = match group.gate.mode() {
			Mode::Removed if group.replaced => (GroupState::Replaced, view.epoch),
			Mode::Removed => (GroupState::Removed, view.epoch),
			Mode::Desynchronized(_) => (GroupState::Desynchronized, view.epoch),
			Mode::Following | Mode::Evaluating(_) => match group.halted {
				None => (GroupState::Active, group.gate.tip().epoch),
				Some(GroupError::Gone(_)) => (GroupState::Closed, view.epoch),
				Some(_) => (GroupState::Halted, view.epoch),
			},
		};
		let mut members: Vec<Vec<u8>> = Vec::new();
		let mut seen = HashSet::new();
		members.extend(view.members.into_iter().filter(|identity| seen.insert(identity.clone())));
		Ok(GroupStatus {
			group: *id,
			epoch,
			entry: group.gate.tip().entry,
			log_length: group.gate.cursor().head.length,
			members,
			devices: view.devices,
			data: view.data,
			epoch_authenticator: view.authenticator,
			finalized: self.finalized,
			contested: group.gate.is_contested(),
			state,
			caught_up: group.caught_up,
			unposted: self.outbox.of(id),
		})
	}

	/// Tells whoever listens.
	pub fn report(&mut self, event: Event) {
		self.act(Action::Report(event));
	}
}
