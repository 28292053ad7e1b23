//! `lockstep group members`.

use crate::{
	failure::Failure,
	job::{GroupName, Job},
	name,
};
use clap::Args;
use lockstep_client::GroupId;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Who is in a group
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct Members {
	/// The group: the first digits of its id
	group: GroupName,
}

impl Members {
	pub fn group(&self) -> &GroupName {
		&self.group
	}
}

/// Shows who is in a group, in the order of their leaves.
pub async fn run(job: &Job<'_>, group: GroupId) -> Result<(), Failure> {
	let status = job.session.client().group(group).await?;
	let members: Vec<String> = status.members.iter().map(|member| name::show(member)).collect();
	job.out.result(&members.join("\n"), &json!({ "group": group, "epoch": status.epoch, "members": members }))
}
