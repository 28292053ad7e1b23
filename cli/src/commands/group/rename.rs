//! `lockstep group rename`.

use crate::{
	failure::Failure,
	job::{GroupName, Job},
};
use clap::Args;
use lockstep_client::{GroupChange, GroupId, Intent};
use serde::{Deserialize, Serialize};

/// Gives a group another name, for all its members
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct Rename {
	/// The group: the first digits of its id
	group: GroupName,
	/// The new name
	name: String,
}

impl Rename {
	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		run(job, job.group(&self.group).await?, self.name.clone()).await
	}
}

/// Gives the group this name.
pub async fn run(job: &Job<'_>, group: GroupId, name: String) -> Result<(), Failure> {
	let change = GroupChange { name: Some(name), ..GroupChange::default() };
	super::commit(job, group, Intent::GroupData(change)).await
}
