//! `lockstep group create`.

use crate::{
	failure::{Failure, Kind},
	job::Job,
	profile,
};
use clap::Args;
use lockstep_client::{CreateError, GroupData};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Makes a group with this identity as its only member, and prints its id
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct Create {
	/// Who pays for it: `alice`, on development chains, or a file with a seed of 64 hexadecimal digits; the profile's sponsor
	/// if left out
	#[arg(long, value_name = "alice|FILE")]
	sponsor: Option<String>,
	/// What the group is called; its members see it
	#[arg(long, value_name = "NAME", default_value = "")]
	name: String,
}

impl Create {
	/// Who pays instead of the profile's sponsor.
	pub fn sponsor(&self) -> Option<&str> {
		self.sponsor.as_deref()
	}

	/// Whether there is such an account, before anything is asked for.
	pub fn prepare(&self) -> Result<(), Failure> {
		self.sponsor().map_or(Ok(()), |named| profile::account(named).map(drop))
	}

	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		job.session.reachable(job.out).await?;
		let data = GroupData { name: self.name.clone(), ..GroupData::default() };
		let creating = job.session.client().create_group_with(data);
		let created = job.until_final("waiting for the group to be final", creating).await;
		let group = created.map_err(|failure| match failure.kind {
			Kind::Refused if failure.message == CreateError::NoSponsor.to_string() => {
				let advice =
					format!("{} group create --sponsor alice, or a file with a seed", job.session.profile().command());
				Failure::new(Kind::Refused, "somebody has to pay for a group, and this profile has no sponsor")
					.advise(advice)
			}
			_ => failure,
		})?;
		job.out.result(&group.to_string(), &json!({ "group": group }))
	}
}
