//! `lockstep group add`.

use crate::{
	commands::key_package,
	failure::Failure,
	job::{GroupName, Job},
};
use clap::Args;
use lockstep_client::GroupId;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Adds the owners of KeyPackages to a group
///
/// It returns when they are members; each is sent an invitation, and joins when its client is open.
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct Add {
	/// The group: the first digits of its id
	group: GroupName,
	/// Files with KeyPackages, one each; - reads one from standard input
	#[arg(required = true, value_name = "FILE")]
	files: Vec<PathBuf>,
	/// What the files hold.
	#[arg(skip)]
	key_packages: Vec<Vec<u8>>,
}

impl Add {
	pub fn prepare(&mut self) -> Result<(), Failure> {
		self.key_packages = self.files.iter().map(|path| key_package::read(path)).collect::<Result<_, _>>()?;
		Ok(())
	}

	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		run(job, job.group(&self.group).await?, self.key_packages.clone()).await
	}
}

/// Adds the owners of these KeyPackages.
pub async fn run(job: &Job<'_>, group: GroupId, key_packages: Vec<Vec<u8>>) -> Result<(), Failure> {
	job.session.reachable(job.out).await?;
	let adding = job.session.client().add(group, key_packages);
	let done = job.until_final("waiting for the commit to be final", adding).await?;
	// The invitations go out now that it is.
	job.flush().await;
	super::committed(job, group, &done)
}
