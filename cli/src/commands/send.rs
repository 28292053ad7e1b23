//! `lockstep send`.

use crate::{
	failure::{Failure, Kind},
	files,
	job::{GroupName, Job},
};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::Path;

/// Sends a message to a group
///
/// The message is stored first. If no node takes it in time, it goes out with the next command that opens the profile.
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct Send {
	/// The group: the first digits of its id
	group: GroupName,
	/// What to say; - reads it from standard input
	#[arg(allow_hyphen_values = true)]
	text: String,
	/// The bytes of it.
	#[arg(skip)]
	data: Vec<u8>,
}

impl Send {
	pub fn prepare(&mut self) -> Result<(), Failure> {
		let data = match self.text.as_str() {
			"-" => files::read(Path::new("-"))?,
			text => text.as_bytes().to_vec(),
		};
		if data.is_empty() {
			return Err(Failure::new(Kind::Usage, "there is nothing to send"));
		}
		self.data = data;
		Ok(())
	}

	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		let group = job.group(&self.group).await?;
		let bytes = self.data.len();
		// What is sent in an epoch that is long past is read by nobody. Without a node, later is better than not at all.
		let reached = job.session.read_logs(job.out, job.patience()).await;
		let epoch = job.session.send(group, self.data.clone(), job.out).await?;
		let handed_over = match &reached {
			Ok(()) => job.flush().await,
			Err(failure) => {
				job.out.warn(format!("it waits in the store until a node takes it: {}", failure.message));
				false
			}
		};
		let json = json!({ "group": group, "epoch": epoch, "bytes": bytes, "handedOver": handed_over });
		job.out.result("", &json)
	}
}
