//! `lockstep completions`.

use crate::{cli::Cli, failure::Failure, output::Out};
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use serde_json::json;

/// Prints a completion script for a shell
///
/// For bash: lockstep completions bash > ~/.local/share/bash-completion/completions/lockstep
#[derive(Args)]
pub struct Completions {
	/// The shell
	shell: Shell,
}

impl Completions {
	pub fn run(&self, out: &Out) -> Result<(), Failure> {
		let mut script = Vec::new();
		clap_complete::generate(self.shell, &mut Cli::command(), "lockstep", &mut script);
		let script = String::from_utf8_lossy(&script);
		out.result(&script, &json!({ "shell": self.shell.to_string(), "script": script }))
	}
}
