//! `lockstep group rotate`.

use crate::{
	failure::{Failure, Kind},
	job::{GroupName, Job},
};
use clap::Args;
use lockstep_client::{GroupId, Intent, SignerSeed};
use serde::{Deserialize, Serialize};

/// Gives this member another signature key in a group
///
/// The old key is of no use there from then on, to whoever may have it; all keys of the group are renewed as well. The other
/// members are told that the key of this identity changed.
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct Rotate {
	/// The group: the first digits of its id
	group: GroupName,
}

impl Rotate {
	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		run(job, job.group(&self.group).await?).await
	}
}

/// Changes the key to a new, random one, which is kept in the store. That of a person is the device's, in all groups.
pub async fn run(job: &Job<'_>, group: GroupId) -> Result<(), Failure> {
	if job.session.device().is_ok() {
		return Err(Failure::new(Kind::Refused, "the signature key of a person is that of the device, in every group")
			.advise(format!("{} device rotate", job.session.profile().command())));
	}
	super::commit(job, group, Intent::Rotate { seed: SignerSeed::new(rand::random()) }).await
}
