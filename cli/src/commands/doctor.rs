//! `lockstep doctor`.

mod groups;
mod nodes;
mod profile;
mod report;

use crate::{
	failure::{Exit, Failure},
	globals::Globals,
	output::Out,
};
use clap::Args;
use report::Report;

/// Looks for what is wrong, and says what to do about each thing
///
/// The profile and its files, the passphrase, the nodes and their finality, the clock, the store, the groups. The exit code is that of
/// the first thing that is wrong.
#[derive(Args)]
pub struct Doctor {}

impl Doctor {
	pub async fn run(&self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let mut report = Report::default();
		examine(globals, out, &mut report).await;
		out.result(&report.text(), &report.json())?;
		report.verdict()
	}
}

async fn examine(globals: &Globals, out: &Out, report: &mut Report) {
	let profile = match globals.profile() {
		Ok(profile) => profile,
		Err(failure) => return report.wrong("profile", failure),
	};
	report.fine("profile", format!("{} in {}", profile.name(), profile.folder().display()));
	profile::permissions(&profile, report);
	let secret = profile::unlock(&profile, globals, report);
	nodes::examine(&profile, out, report).await;
	if let Some(secret) = secret {
		groups::examine(profile, &secret, out, report).await;
	}
}

/// Whether a failure to open a client says something that the other checks have not said.
fn is_news(failure: &Failure, report: &Report) -> bool {
	failure.exit() != Exit::Node || !report.has(Exit::Node)
}
