//! `lockstep events`.

use crate::{failure::Failure, happened::Record, job::Job, output::Out};
use clap::Args;
use serde::{Deserialize, Serialize};

/// Prints everything that the client reports: epochs, members, messages, lies of nodes
///
/// Without `--follow`, what is new until the client is where the chain is. It does not mark anything as read.
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct Events {
	/// Goes on until it is interrupted
	#[arg(long, short)]
	follow: bool,
	/// Begins with what happened before
	#[arg(long)]
	all: bool,
}

impl Events {
	/// Whether it goes on until it is interrupted.
	pub fn follows(&self) -> bool {
		self.follow
	}

	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		let history = job.session.history();
		let mut next = if self.all { 0 } else { history.len() };
		let caught_up = if self.follow { Ok(()) } else { job.session.catch_up(job.out, job.patience()).await };
		loop {
			for record in history.since(next) {
				show(&record, job.out)?;
				next = next.saturating_add(1);
			}
			if !self.follow {
				return caught_up;
			}
			history.beyond(next).await;
		}
	}
}

fn show(record: &Record, out: &Out) -> Result<(), Failure> {
	let text = match record.happened.group() {
		Some(group) => format!("{group} {}", record.happened.text()),
		None => record.happened.text(),
	};
	out.result(&text, record)
}
