//! `lockstep group show`.

use crate::{
	commands::status::GroupView,
	failure::{Failure, Kind},
	job::{GroupName, Job},
};
use clap::Args;
use serde::{Deserialize, Serialize};

/// Where this identity stands in a group
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct Show {
	/// The group: the first digits of its id
	group: GroupName,
}

impl Show {
	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		let view = GroupView::from(job.status(&self.group).await?);
		let json = serde_json::to_value(&view).map_err(|error| Failure::new(Kind::Failed, error))?;
		job.out.result(&view.text(), &json)
	}
}
