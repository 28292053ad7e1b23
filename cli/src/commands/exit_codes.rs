//! `lockstep exit-codes`.

use crate::{
	failure::{Exit, Failure, Kind},
	output::Out,
};
use clap::Args;
use serde_json::json;

/// What the exit codes of every command mean
#[derive(Args)]
#[command(long_about = table())]
pub struct ExitCodes {}

impl ExitCodes {
	pub fn run(&self, out: &Out) -> Result<(), Failure> {
		let codes = Exit::ALL.map(|(exit, meaning)| {
			let kinds = Kind::ALL.into_iter().filter(|kind| kind.exit() == exit).map(Kind::name);
			json!({ "code": exit as u8, "meaning": meaning, "kinds": kinds.collect::<Vec<_>>() })
		});
		out.result(&table(), &json!({ "exitCodes": codes }))
	}
}

fn table() -> String {
	let rows = Exit::ALL.map(|(exit, meaning)| format!("{:>3}  {meaning}", exit as u8));
	format!("What the exit codes of every command mean\n\n{}", rows.join("\n"))
}
