//! `lockstep group rejoin` and `lockstep group readmit`: how a member comes back that was cut off or lost its state.

use crate::{
	failure::{Failure, Kind},
	files,
	job::{GroupName, Job},
};
use clap::Args;
use lockstep_client::GroupId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::PathBuf;

/// Asks the members of a group to readmit this identity
///
/// A member that was cut off, or whose stored state of the group was damaged, asks by itself, and is readmitted by another member
/// whose client is open. One that has lost its state, and so knows the group no longer, hands the request to a member, who runs
/// `group readmit`. It is signed, and only good for this identity. `lockstep join` waits for what comes of it.
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct Rejoin {
	/// The group: the first digits of its id; the whole of it if this client does not know the group
	group: GroupName,
	/// Writes the request to a file instead of standard output
	#[arg(long, short, value_name = "FILE")]
	out: Option<PathBuf>,
}

impl Rejoin {
	pub fn prepare(&mut self) -> Result<(), Failure> {
		if let Some(path) = &mut self.out {
			*path = std::path::absolute(&*path).map_err(|error| Failure::file(path, &error))?;
		}
		Ok(())
	}

	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		let group = match self.group.whole() {
			Some(group) => group,
			None => job.group(&self.group).await?,
		};
		job.session.reachable(job.out).await?;
		let request = hex::encode(job.session.client().rejoin(group).await?);
		job.flush().await;
		let path = self.out.as_deref();
		let shown = match path {
			None => request.clone(),
			Some(path) => {
				files::write(path, format!("{request}\n").as_bytes())?;
				job.out.note(format!("lockstep: the request is in {}: hand it to a member", path.display()));
				String::new()
			}
		};
		job.out.result(&shown, &json!({ "group": group, "request": request, "file": path }))
	}
}

/// Readmits a member by its request, in the place of the leaf that it had
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct Readmit {
	/// The group: the first digits of its id
	group: GroupName,
	/// The file with the request; - reads it from standard input
	#[arg(value_name = "FILE")]
	file: PathBuf,
	/// What it holds.
	#[arg(skip)]
	request: Vec<u8>,
}

impl Readmit {
	pub fn prepare(&mut self) -> Result<(), Failure> {
		let content = files::read(&self.file)?;
		let digits = std::str::from_utf8(&content).map(str::trim).unwrap_or_default();
		self.request = hex::decode(digits.strip_prefix("0x").unwrap_or(digits))
			.ok()
			.filter(|request| !request.is_empty())
			.ok_or_else(|| {
				Failure::new(Kind::Usage, format!("{} does not hold a request", self.file.display()))
					.advise("ask whoever wants to come back for the output of: lockstep group rejoin GROUP")
			})?;
		Ok(())
	}

	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		let group: GroupId = job.group(&self.group).await?;
		job.session.reachable(job.out).await?;
		let readmitting = job.session.client().readmit(group, self.request.clone());
		let done = job.until_committed(group, readmitting).await?;
		// The invitation goes out now that it is.
		job.flush().await;
		super::committed(job, group, &done)
	}
}
