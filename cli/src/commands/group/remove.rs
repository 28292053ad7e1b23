//! `lockstep group remove`.

use crate::{
	failure::Failure,
	job::{GroupName, Job},
};
use clap::Args;
use lockstep_client::GroupId;
use serde::{Deserialize, Serialize};

/// Removes members from a group
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct Remove {
	/// The group: the first digits of its id
	group: GroupName,
	/// The identities of the members, as `group members` shows them
	#[arg(required = true, value_name = "IDENTITY")]
	identities: Vec<String>,
}

impl Remove {
	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		let parsed: Result<Vec<Vec<u8>>, String> = self.identities.iter().map(|text| super::identity(text)).collect();
		let identities = parsed.map_err(|reason| Failure::new(crate::failure::Kind::Usage, reason))?;
		run(job, job.group(&self.group).await?, identities).await
	}
}

/// Removes the members of these identities.
pub async fn run(job: &Job<'_>, group: GroupId, identities: Vec<Vec<u8>>) -> Result<(), Failure> {
	job.session.reachable(job.out).await?;
	let removing = job.session.client().remove(group, identities);
	let done = job.until_final("waiting for the commit to be final", removing).await?;
	super::committed(job, group, &done)
}
