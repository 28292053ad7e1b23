//! `lockstep group remove`.

use crate::{
	failure::{Failure, Kind},
	job::{GroupName, Job},
	name,
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
	/// Whether these are identities, before anything is asked for.
	pub fn prepare(&self) -> Result<(), Failure> {
		self.identities().map(drop)
	}

	fn identities(&self) -> Result<Vec<Vec<u8>>, Failure> {
		let parsed: Result<_, String> = self.identities.iter().map(|text| name::parse(text)).collect();
		parsed.map_err(|reason| Failure::new(Kind::Usage, reason))
	}

	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		run(job, job.group(&self.group).await?, self.identities()?).await
	}
}

/// Removes the members of these identities.
pub async fn run(job: &Job<'_>, group: GroupId, identities: Vec<Vec<u8>>) -> Result<(), Failure> {
	job.session.reachable(job.out).await?;
	let removing = job.session.client().remove(group, identities);
	let done = job.until_committed(group, removing).await?;
	super::committed(job, group, &done)
}
