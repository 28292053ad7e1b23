//! `lockstep chat`.

mod line;

use crate::{
	commands::read::Reader,
	failure::{Failure, Kind},
	job::{GroupName, Job},
};
use clap::Args;
use line::Line;
use lockstep_client::GroupId;
use serde::{Deserialize, Serialize};
use std::io::IsTerminal;
use tokio::io::{AsyncBufReadExt, BufReader};

/// A conversation: prints what is said in a group, and sends the lines of standard input
///
/// Waits for an invitation first if this identity is not in the group yet. A line that begins with `/` is a command; `/help`
/// lists them. It ends with standard input, `/quit` or Ctrl-C. Meanwhile other commands of the same profile run in this process.
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct Chat {
	/// The group: the first digits of its id; may be left out if there is one only
	group: Option<GroupName>,
	/// Begins with so many records that were read before
	#[arg(long, value_name = "N", default_value_t = 10)]
	last: usize,
}

impl Chat {
	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		let group = super::join::wait(job, self.group.as_ref()).await?;
		let history = job.session.history();
		let mut reader = Reader::new(Some(group), self.last);
		if let Err(failure) = job.session.reachable(job.out).await {
			job.out.warn(format!("{}; going on when one is", failure.message));
		}
		job.out.note(format!("lockstep: group {group}; /help lists commands"));
		reader.show(job)?;
		// Whoever types sees it already.
		reader.without_own = std::io::stdin().is_terminal() && !job.out.is_json();
		let mut lines = BufReader::new(tokio::io::stdin()).lines();
		loop {
			let line = tokio::select! {
				() = history.beyond(reader.next) => {
					reader.show(job)?;
					continue;
				}
				line = lines.next_line() => line.map_err(|error| Failure::new(Kind::File, format!("standard input: {error}")))?,
			};
			let line = match line.as_deref().map(str::parse::<Line>) {
				None | Some(Ok(Line::Quit)) => break,
				Some(Ok(line)) => line,
				Some(Err(reason)) => {
					job.out.warn(reason);
					continue;
				}
			};
			// What others say is shown while a commit is under way.
			let mut doing = std::pin::pin!(line.run(job, group));
			let done = loop {
				tokio::select! {
					done = &mut doing => break done,
					() = history.beyond(reader.next) => reader.show(job)?,
				}
			};
			match done {
				Err(failure) if failure.kind == Kind::OutputClosed => return Err(failure),
				Err(failure) => job.out.failure(&failure),
				Ok(()) => {}
			}
		}
		reader.show(job)?;
		job.session.flush(job.out).await;
		reader.show(job)
	}
}

impl Line {
	/// Does what the line says.
	async fn run(&self, job: &Job<'_>, group: GroupId) -> Result<(), Failure> {
		use super::group;
		let quiet = job.out.without_results();
		// What comes of a commit is an event, and shown as that.
		let quietly = Job { out: &quiet, lasting: true, ..*job };
		match self {
			Self::Nothing | Self::Quit => Ok(()),
			Self::Say(text) => job.session.send(group, text.clone().into_bytes(), job.out).await.map(drop),
			Self::Help => {
				job.out.note(line::HELP);
				Ok(())
			}
			Self::Update => group::update::run(&quietly, group).await,
			Self::Rotate => group::rotate::run(&quietly, group).await,
			Self::Rename(name) => group::rename::run(&quietly, group, name.clone()).await,
			Self::Members => group::members::run(job, group).await,
			Self::Add(path) => group::add::run(&quietly, group, vec![super::key_package::read(path)?]).await,
			Self::Remove(identity) => group::remove::run(&quietly, group, vec![identity.clone()]).await,
			Self::Leave => group::leave::run(&Job { lasting: true, ..*job }, group, false).await,
		}
	}
}
