//! `lockstep group list`.

use crate::{commands::status::groups, failure::Failure, job::Job};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The groups that this identity is or was in
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct List {}

impl List {
	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		job.session.read_logs_if_possible(job.out).await;
		let groups = groups(job.session).await;
		let lines: Vec<String> = groups.iter().map(|group| group.line()).collect();
		job.out.result(&lines.join("\n"), &json!({ "groups": groups }))
	}
}
