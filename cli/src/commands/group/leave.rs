//! `lockstep group leave`.

use crate::{
	failure::Failure,
	happened::Happened,
	job::{GroupName, Job},
};
use clap::Args;
use lockstep_client::{GroupError, GroupId, GroupState, LeaveError};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Asks the other members to remove this one
///
/// Another member's client commits the removal when it is open. Until then this member proposes it again in every epoch.
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct Leave {
	/// The group: the first digits of its id
	group: GroupName,
	/// Waits until it is out
	#[arg(long)]
	wait: bool,
}

impl Leave {
	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		run(job, job.group(&self.group).await?, self.wait).await
	}
}

/// Proposes to leave, and waits for the removal if that is asked for.
pub async fn run(job: &Job<'_>, group: GroupId, wait: bool) -> Result<(), Failure> {
	let reached = job.session.read_logs(job.out, job.patience()).await;
	match job.session.client().leave(group).await {
		Err(LeaveError::Group(GroupError::Removed(_))) => return removed(job, group),
		proposed => proposed?,
	}
	if !wait {
		match reached {
			Ok(()) => drop(job.flush().await),
			Err(failure) => job.out.warn(format!("it is proposed when a node can be reached: {}", failure.message)),
		}
		let text = "proposed; another member's client commits it";
		return job.out.result(text, &json!({ "group": group, "state": "leaving" }));
	}
	reached?;
	let history = job.session.history();
	let out = async {
		loop {
			let seen = history.len();
			match job.session.client().group(group).await {
				Ok(status) if status.state == GroupState::Removed => return Ok::<(), GroupError>(()),
				Ok(status) if status.state == GroupState::Replaced => return Err(GroupError::Replaced(group)),
				Ok(_) | Err(GroupError::Halted { .. }) => {}
				Err(error) => return Err(error),
			}
			history.beyond(seen).await;
			let gone =
				|happened: &Happened| matches!(happened, Happened::RemovedFromGroup { group: from } if *from == group);
			if history.since(seen).iter().any(|record| gone(&record.happened)) {
				return Ok(());
			}
		}
	};
	job.until_final("waiting for another member to commit it", out).await?;
	removed(job, group)
}

fn removed(job: &Job<'_>, group: GroupId) -> Result<(), Failure> {
	job.out.result("out of the group", &json!({ "group": group, "state": "removed" }))
}
