//! `lockstep group`.

pub mod add;
mod create;
pub mod leave;
mod list;
pub mod members;
mod rejoin;
pub mod remove;
pub mod rename;
pub mod rotate;
mod show;
pub mod update;

use crate::{failure::Failure, job::Job};
use clap::Subcommand;
use lockstep_client::{Committed, GroupId, Intent};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Makes groups, changes who is in them, and shows where this identity stands
#[derive(Clone, Debug, Subcommand, Serialize, Deserialize)]
pub enum Group {
	Create(create::Create),
	List(list::List),
	Show(show::Show),
	Members(members::Members),
	Add(add::Add),
	Remove(remove::Remove),
	Leave(leave::Leave),
	Update(update::Update),
	Rotate(rotate::Rotate),
	Rename(rename::Rename),
	Rejoin(rejoin::Rejoin),
	Readmit(rejoin::Readmit),
}

impl Group {
	pub fn prepare(&mut self) -> Result<(), Failure> {
		match self {
			Self::Create(command) => command.prepare(),
			Self::Add(command) => command.prepare(),
			Self::Remove(command) => command.prepare(),
			Self::Rejoin(command) => command.prepare(),
			Self::Readmit(command) => command.prepare(),
			_ => Ok(()),
		}
	}

	/// Whether it says who pays.
	pub fn says_who_pays(&self) -> bool {
		matches!(self, Self::Create(command) if command.says_who_pays())
	}

	/// Who pays instead of the profile's sponsor.
	pub fn sponsor(&self) -> Option<&str> {
		match self {
			Self::Create(command) => command.sponsor(),
			_ => None,
		}
	}

	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		match self {
			Self::Create(command) => command.run(job).await,
			Self::List(command) => command.run(job).await,
			Self::Show(command) => command.run(job).await,
			Self::Members(command) => {
				job.session.read_logs_if_possible(job.out).await;
				members::run(job, job.group(command.group()).await?).await
			}
			Self::Add(command) => command.run(job).await,
			Self::Remove(command) => command.run(job).await,
			Self::Leave(command) => command.run(job).await,
			Self::Update(command) => update::run(job, job.group(command.group()).await?).await,
			Self::Rotate(command) => command.run(job).await,
			Self::Rename(command) => command.run(job).await,
			Self::Rejoin(command) => command.run(job).await,
			Self::Readmit(command) => command.run(job).await,
		}
	}
}

/// Commits an intent, and shows what came of it.
async fn commit(job: &Job<'_>, group: GroupId, intent: Intent) -> Result<(), Failure> {
	job.session.reachable(job.out).await?;
	let committing = job.session.client().commit(group, intent);
	let done = job.until_committed(group, committing).await?;
	committed(job, group, &done)
}

/// Shows what came of a commit.
fn committed(job: &Job<'_>, group: GroupId, done: &Committed) -> Result<(), Failure> {
	let Committed { epoch, entry, block, attempts, elapsed, by_another } = done;
	let by = if *by_another { ", by another member's commit" } else { "" };
	let json = json!({
		"group": group,
		"epoch": epoch,
		"entry": entry,
		"block": block,
		"attempts": attempts,
		"elapsedMs": u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
		"byAnother": by_another,
	});
	job.out.result(&format!("epoch {epoch}, final in block {block}{by}"), &json)
}
