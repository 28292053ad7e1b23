//! The task that owns a client's store and groups.

use super::{
	command::Command,
	create::Creating,
	event::Event,
	group::Group,
	join::Joining,
	outbox::Outbox,
	records::{Evidence, Mailbox, MAX_EVIDENCE_KEPT, ONLY},
	status::{GroupState, GroupStatus},
	submit::Submitted,
	GroupError, KeyPackageError, Sponsor,
};
use crate::{
	delivery::{Posted, Poster, Seen, StatementFeed},
	finality::{Finalized, FinalizedLog, Misbehaviour, Update},
	gate::{self, Input, Mode},
	log::LogCursor,
	mls::{Engine, EngineError},
	rpc::Nodes,
	store::Store,
};
use lockstep_primitives::{rpc::HexBytes, topic, BlockNumber, GroupId, OrderingParameters};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{broadcast, mpsc};

/// See the module.
pub(super) struct Actor {
	pub store: Store,
	pub engine: Engine,
	pub nodes: Arc<Nodes>,
	pub parameters: OrderingParameters,
	pub sponsor: Option<Sponsor>,
	pub events: broadcast::Sender<Event>,

	pub log: Box<dyn FinalizedLog>,
	pub feed: StatementFeed,
	pub poster: Poster,
	pub commands: mpsc::Receiver<Command>,
	pub posted: mpsc::Receiver<Posted>,
	pub submitted: mpsc::Receiver<Submitted>,
	/// For the tasks that submit.
	pub submissions: mpsc::Sender<Submitted>,

	/// The newest finalized block.
	pub finalized: BlockNumber,
	pub groups: BTreeMap<GroupId, Group>,
	pub creating: BTreeMap<GroupId, Creating>,
	pub joining: BTreeMap<GroupId, Joining>,
	/// KeyPackageRefs by topic.
	pub mailboxes: BTreeMap<[u8; 32], Vec<u8>>,
	/// Groups by topic.
	pub topics: BTreeMap<[u8; 32], GroupId>,
	pub outbox: Outbox,
	/// The number of the next piece of evidence.
	pub evidence: u64,
	pub seen: Seen,
	#[cfg(feature = "hostile")]
	pub hoard: super::hostile::Hoard,
}

impl Actor {
	/// Runs until the client is closed.
	pub async fn run(mut self) {
		loop {
			tokio::select! {
				command = self.commands.recv() => match command {
					None | Some(Command::Close) => return,
					Some(command) => self.on_command(command),
				},
				Some(update) = self.log.next() => self.on_update(update),
				Some(statement) = self.feed.next() => self.on_statement(&statement),
				Some(posted) = self.posted.recv() => self.on_posted(&posted),
				Some(submitted) = self.submitted.recv() => self.on_submitted(submitted),
			}
		}
	}

	fn on_command(&mut self, command: Command) {
		match command {
			Command::KeyPackage(reply) => drop(reply.send(self.key_package())),
			Command::Create(reply) => self.create(reply),
			Command::Commit { group, intent, once, reply } => self.commit(&group, intent, once, reply),
			Command::Leave { group, reply } => drop(reply.send(self.leave(&group))),
			Command::Send { group, data, reply } => drop(reply.send(self.send(&group, &data))),
			Command::Evidence(reply) => drop(reply.send(Ok(self.evidence_kept()))),
			Command::Groups(reply) => drop(reply.send(self.groups.keys().copied().collect())),
			Command::Status { group, reply } => drop(reply.send(self.status(&group))),
			#[cfg(feature = "hostile")]
			Command::Hostile(command) => self.on_hostile(command),
			Command::Close => {}
		}
	}

	fn on_update(&mut self, update: Update) {
		match update {
			Update::Finalized(finalized) => self.on_finalized(finalized),
			Update::Verified(position) => {
				if let Err(error) = position.keep(&self.store) {
					tracing::warn!(%error, "the verified position cannot be stored");
				}
			}
			Update::Lied(misbehaviour) => self.on_lie(misbehaviour),
			Update::Outdated(reason) => {
				let followed: Vec<GroupId> =
					self.groups.iter().filter(|(_, group)| group.is_followed()).map(|(id, _)| *id).collect();
				for id in followed {
					self.halt(&id, reason.clone());
				}
				self.report(Event::Outdated { reason });
			}
		}
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
		for (id, entry) in finalized.entries {
			if self.groups.get(&id).is_some_and(Group::is_followed) {
				self.on_entry(&id, &entry);
			} else if self.creating.contains_key(&id) {
				self.on_founding_entry(&id, &entry);
			} else {
				self.on_earlier_entry(&id, &entry);
			}
		}
		for id in finalized.closed {
			if self.groups.get(&id).is_some_and(Group::is_followed) {
				self.end(&id, GroupError::Gone(id), Event::GroupClosed { group: id });
			}
		}
		if !finalized.complete {
			return;
		}
		self.finalized = self.finalized.max(finalized.block);
		let followed: Vec<GroupId> =
			self.groups.iter().filter(|(_, group)| group.is_followed()).map(|(id, _)| *id).collect();
		for id in followed {
			self.on_entry_free_block(&id);
			self.commit_due_proposals(&id);
		}
		self.resubmit_foundings();
		self.drop_overdue_invitations();
		self.post_due();
	}

	/// Brings a group's gate up to the finalized block.
	pub fn on_entry_free_block(&mut self, id: &GroupId) {
		self.step(id, Input::Finalized(self.finalized), super::drive::Material::None);
	}

	fn key_package(&mut self) -> Result<Vec<u8>, KeyPackageError> {
		let overlay = self.store.overlay();
		let package = self.engine.key_package(&overlay)?;
		overlay.put(&package.reference, &Mailbox {}).map_err(EngineError::from)?;
		overlay.commit().map_err(EngineError::from)?;
		self.watch_mailbox(package.reference);
		Ok(package.bytes)
	}

	pub fn watch_mailbox(&mut self, reference: Vec<u8>) {
		let topic = topic::mailbox_topic(&reference);
		self.mailboxes.insert(topic, reference);
		self.feed.watch(topic);
	}

	/// Starts to follow a group's log and statements, from its gate's position on.
	pub fn follow(&mut self, id: &GroupId) {
		let Some(group) = self.groups.get_mut(id).filter(|group| group.is_followed()) else { return };
		(group.gate, _) = gate::step(group.gate.clone(), Input::Random(rand::random()));
		group.gate.set_candidate_interval(self.parameters.candidate_interval);
		let from = *group.gate.cursor();
		self.log.follow(*id, from);
		self.watch_topic(id);
	}

	/// Follows a group's log from its start.
	pub fn follow_from_start(&mut self, id: &GroupId) {
		self.log.follow(*id, LogCursor::start(self.engine.genesis(), id));
	}

	pub fn watch_topic(&mut self, id: &GroupId) {
		let topic = topic::group_topic(id);
		self.topics.insert(topic, *id);
		self.feed.watch(topic);
	}

	/// Stops following a group's log and statements.
	pub fn unfollow(&mut self, id: &GroupId) {
		let topic = topic::group_topic(id);
		self.log.forget(id);
		self.feed.forget(&topic);
		self.topics.remove(&topic);
	}

	/// A group that is there to work with.
	pub fn usable(&mut self, id: &GroupId) -> Result<&mut Group, GroupError> {
		let group = self.groups.get_mut(id).ok_or(GroupError::Unknown(*id))?;
		match group.trouble(id) {
			Some(trouble) => Err(trouble),
			None => Ok(group),
		}
	}

	/// Stops following a group because of trouble of this client. Its state is as it was before the trouble.
	pub fn halt(&mut self, id: &GroupId, reason: String) {
		tracing::error!(group = %id, %reason, "following a group was stopped");
		self.end(id, GroupError::Halted { group: *id, reason: reason.clone() }, Event::Halted { group: *id, reason });
	}

	/// Stops following a group; whoever asks for something in it is told why.
	fn end(&mut self, id: &GroupId, why: GroupError, event: Event) {
		if let Some(group) = self.groups.get_mut(id) {
			group.halted = Some(why);
		}
		self.stop(id, event);
	}

	fn status(&self, id: &GroupId) -> Result<GroupStatus, GroupError> {
		let group = self.groups.get(id).ok_or(GroupError::Unknown(*id))?;
		let halted = |reason: String| GroupError::Halted { group: *id, reason };
		let view = self.engine.group(&self.store.overlay(), id).map_err(|error| halted(error.to_string()))?;
		let view = view.ok_or_else(|| halted("the group's MLS state is missing".to_owned()))?;
		let (state, epoch) = match group.gate.mode() {
			Mode::Removed => (GroupState::Removed, view.epoch),
			Mode::Desynchronized(_) => (GroupState::Desynchronized, view.epoch),
			Mode::Following | Mode::Evaluating(_) => match group.halted {
				None => (GroupState::Active, group.gate.tip().epoch),
				Some(GroupError::Gone(_)) => (GroupState::Closed, view.epoch),
				Some(_) => (GroupState::Halted, view.epoch),
			},
		};
		Ok(GroupStatus {
			group: *id,
			epoch,
			entry: group.gate.tip().entry,
			log_length: group.gate.cursor().head.length,
			members: view.members,
			epoch_authenticator: view.authenticator,
			finalized: self.finalized,
			contested: group.gate.is_contested(),
			state,
		})
	}

	/// Tells whoever listens.
	pub fn report(&self, event: Event) {
		// Nobody may be listening.
		drop(self.events.send(event));
	}
}
