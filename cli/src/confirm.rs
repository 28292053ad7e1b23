//! Asking before something that cannot be undone.

use crate::failure::{Failure, Kind};
use clap::Args;
use std::io::{BufRead, IsTerminal, Write};

/// `--yes`.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Confirm {
	/// Does not ask whether it is meant
	#[arg(long, short)]
	yes: bool,
}

impl Confirm {
	/// Whether the user means it. Without a terminal to ask on, `--yes` has to say so.
	pub fn ask(self, question: &str) -> Result<(), Failure> {
		if self.yes {
			return Ok(());
		}
		let (mut notes, input) = (std::io::stderr().lock(), std::io::stdin());
		if !notes.is_terminal() || !input.is_terminal() {
			return Err(Failure::new(Kind::Usage, format!("this has to be confirmed: {question}")).advise("--yes"));
		}
		let asked = write!(notes, "{question} [y/N] ").and_then(|()| notes.flush());
		asked.map_err(|error| Failure::new(Kind::File, format!("standard error: {error}")))?;
		let mut answer = String::new();
		input
			.lock()
			.read_line(&mut answer)
			.map_err(|error| Failure::new(Kind::File, format!("standard input: {error}")))?;
		match answer.trim().to_ascii_lowercase().as_str() {
			"y" | "yes" => Ok(()),
			_ => Err(Failure::new(Kind::Failed, "nothing was done, as you said")),
		}
	}
}
