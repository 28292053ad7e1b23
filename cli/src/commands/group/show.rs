//! `lockstep group show`.

use crate::{
	commands::status::GroupView,
	failure::Failure,
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
		job.session.read_logs_if_possible(job.out).await;
		let view = GroupView::from(job.status(&self.group).await?);
		job.out.result(&view.text(), &view)
	}
}
