//! `lockstep group update`.

use crate::{
	failure::Failure,
	job::{GroupName, Job},
};
use clap::Args;
use lockstep_client::{GroupId, Intent};
use serde::{Deserialize, Serialize};

/// Renews this member's keys in a group, and so those of the group
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct Update {
	/// The group: the first digits of its id
	group: GroupName,
}

impl Update {
	pub fn group(&self) -> &GroupName {
		&self.group
	}
}

/// Renews the keys.
pub async fn run(job: &Job<'_>, group: GroupId) -> Result<(), Failure> {
	super::commit(job, group, Intent::Update).await
}
