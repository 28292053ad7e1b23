//! `lockstep identity passphrase`.

use crate::{
	failure::{Failure, Kind},
	globals::Globals,
	output::Out,
};
use clap::Args;
use std::path::PathBuf;

/// Changes the passphrase; store and history stay as they are
#[derive(Args)]
pub struct ChangePassphrase {
	/// Reads the new passphrase from the first line of a file, instead of asking for it
	#[arg(long, value_name = "FILE")]
	new_passphrase_file: Option<PathBuf>,
}

impl ChangePassphrase {
	pub fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let profile = globals.profile()?;
		let secret = globals.unlock(&profile)?;
		let new = match self.new_passphrase_file {
			None if globals.brings_passphrase() => {
				return Err(Failure::new(Kind::Usage, "the passphrase that is given is the present one")
					.advise("--new-passphrase-file FILE"));
			}
			file => Globals { passphrase_file: file, ..globals.clone() }.new_passphrase()?,
		};
		secret.write(&profile.secret(), Some(&new))?;
		out.note(format!("lockstep: {} has a new passphrase", profile.name()));
		out.result("", &super::json(&profile))
	}
}
