//! The task that runs a client's core: it brings in what happens, and carries out what the core wants done.

use super::{
	action::Action,
	command::Command,
	core::Core,
	people::{claim_own, compare_changes, look_for_changes, look_up_all, Reading},
	submit::{self, Submitted},
	Event, Sponsor,
};
use crate::{
	delivery::{Posted, Poster, StatementFeed},
	directory::Directory,
	finality::{FinalizedLog, Update},
	rpc::Nodes,
};
use std::sync::Arc;
use tokio::{
	sync::{broadcast, mpsc},
	time::sleep_until,
};

/// See the module.
pub(super) struct Actor {
	pub core: Core,
	pub nodes: Arc<Nodes>,
	pub sponsor: Option<Sponsor>,
	pub events: broadcast::Sender<Event>,

	pub log: Box<dyn FinalizedLog>,
	/// The connection over which the log is followed.
	pub followed: u64,
	/// What the log said last, if it waits for statements.
	pub held: Option<Update>,
	pub feed: StatementFeed,
	pub poster: Poster,
	pub commands: mpsc::Receiver<Command>,
	pub posted: mpsc::Receiver<Posted>,
	pub submitted: mpsc::Receiver<Submitted>,
	/// For the tasks that submit.
	pub submissions: mpsc::Sender<Submitted>,
	pub directory: Arc<Directory>,
	pub read: mpsc::Receiver<Reading>,
	/// For the tasks that read the logs of people.
	pub readings: mpsc::Sender<Reading>,
}

impl Actor {
	/// Runs until the client is closed.
	pub async fn run(mut self) {
		self.carry_out();
		loop {
			self.look_at_connection();
			if self.held.is_some() && self.feed.is_settled() {
				if let Some(update) = self.held.take() {
					self.core.on_update(update);
					self.carry_out();
				}
				continue;
			}
			let impatient_at = self.feed.impatient_at();
			tokio::select! {
				command = self.commands.recv() => match command {
					None | Some(Command::Close) => return,
					Some(command) => self.core.on_command(command),
				},
				Some(update) = self.log.next(), if self.held.is_none() => self.hold(update),
				statement = self.feed.next() => if let Some(statement) = statement {
					self.core.on_statement(&statement);
				},
				() = sleep_until(impatient_at), if self.held.is_some() => {}
				Some(posted) = self.posted.recv() => self.core.on_posted(&posted),
				Some(submitted) = self.submitted.recv() => self.core.on_submitted(submitted),
				Some(reading) = self.read.recv() => match reading {
					Reading::LookedUp(looked_up) => self.core.on_looked_up(looked_up),
					Reading::Changes(changes) => self.core.on_changes(changes),
					Reading::Compared(changes) => self.core.on_compared(changes),
					Reading::Claimed(answer) => self.core.on_claimed(*answer),
				},
			}
			self.carry_out();
		}
	}

	/// What the log says waits until the statements that the node has stored, and those that came before it, are read: of
	/// epochs that the log goes through, nothing could be read any more.
	fn hold(&mut self, update: Update) {
		match update {
			Update::Connected(connection) => self.followed = connection,
			Update::Finalized(mut finalized) => {
				finalized.complete &= self.followed == self.nodes.connection();
				if !finalized.entries.is_empty() {
					self.feed.look();
				}
				self.held = Some(Update::Finalized(finalized));
			}
			other => self.held = Some(other),
		}
	}

	/// Over a new connection there may be much to catch up on.
	fn look_at_connection(&mut self) {
		if self.followed != self.nodes.connection() {
			self.core.fall_behind();
		}
	}

	fn carry_out(&mut self) {
		for action in self.core.take_actions() {
			match action {
				Action::Follow(group, from) => {
					self.log.follow(group, from);
					if let Some(Update::Finalized(finalized)) = &mut self.held {
						// Of this group it says nothing.
						finalized.complete = false;
					}
				}
				Action::Forget(group) => self.log.forget(&group),
				Action::Watch(topic) => self.feed.watch(topic),
				Action::WatchAside(topic) => self.feed.watch_aside(topic),
				Action::Unwatch(topic) => self.feed.forget(&topic),
				Action::Post { number, statement } => self.poster.post(number, self.nodes.connection(), statement),
				Action::Append { group, append } => {
					let (nodes, answers) = (self.nodes.clone(), self.submissions.clone());
					tokio::spawn(async move {
						let result = submit::hand_over(&nodes, append.to_extrinsic()).await;
						// The client may be closed by now.
						drop(answers.send(Submitted { group, result }).await);
					});
				}
				Action::Create { group, call } => {
					// The core asks for it only if there is one.
					let Some(sponsor) = self.sponsor.clone() else { continue };
					let (nodes, answers) = (self.nodes.clone(), self.submissions.clone());
					tokio::spawn(async move {
						let sent = submit::submit_signed(&nodes, &sponsor, &call).await;
						let result = sent.and_then(|sent| sent.unanswered.map_or(Ok(()), |error| Err(error.into())));
						drop(answers.send(Submitted { group, result }).await);
					});
				}
				Action::Buy { group, extrinsic } => {
					let (nodes, answers) = (self.nodes.clone(), self.submissions.clone());
					tokio::spawn(async move {
						let result = submit::hand_over_once(&nodes, extrinsic).await;
						drop(answers.send(Submitted { group, result }).await);
					});
				}
				Action::LookUp { people, block } => {
					let (directory, answers) = (self.directory.clone(), self.readings.clone());
					tokio::spawn(look_up_all(directory, people, block, answers));
				}
				Action::LookForChanges { after } => {
					tokio::spawn(look_for_changes(self.directory.clone(), after, self.readings.clone()));
				}
				Action::CompareChanges { after } => {
					tokio::spawn(compare_changes(self.directory.clone(), after, self.readings.clone()));
				}
				Action::Claim(claim) => {
					tokio::spawn(claim_own(self.directory.clone(), *claim, self.readings.clone()));
				}
				// Nobody may be listening.
				Action::Report(event) => drop(self.events.send(event)),
			}
		}
	}
}
