//! Recovery keys: they go to the user, and are not kept.

use crate::{
	code::{self, What},
	failure::{Failure, Kind},
	files,
	output::Out,
};
use clap::Args;
use lockstep_client::directory::{KeyCommitment, Seed};
use std::path::{Path, PathBuf};

/// What is to become of the recovery key of a new identity.
#[derive(Args)]
pub struct ForRecovery {
	/// Writes the recovery key to this file, for you to keep apart: whoever has it can take the identity over. `-` prints it
	#[arg(long, value_name = "FILE", conflicts_with = "no_recovery")]
	recovery_file: Option<PathBuf>,
	/// Makes no recovery key: what is done with a stolen device cannot be taken back, and who loses the last one loses the identity
	#[arg(long)]
	no_recovery: bool,
}

impl ForRecovery {
	/// Whether it says what is to become of it.
	pub fn wanted(&self, out: &Out) -> Result<(), Failure> {
		let usage = |message: &str, advice: &str| Err(Failure::new(Kind::Usage, message).advise(advice));
		match &self.recovery_file {
			None if self.no_recovery => Ok(()),
			None => usage(
				"a recovery key has to go somewhere apart from this machine",
				"--recovery-file FILE, or --recovery-file - to have it printed; or --no-recovery",
			),
			Some(path) if is_printed(path) && out.is_json() => {
				usage("with --json a recovery key is not printed", "--recovery-file FILE")
			}
			Some(path) if is_printed(path) => Ok(()),
			Some(path) => files::absent(path),
		}
	}

	/// Fails if it says something where there is none.
	pub fn unused(&self) -> Result<(), Failure> {
		match self.recovery_file.is_some() || self.no_recovery {
			true => Err(Failure::new(Kind::Usage, "an identity that is a name has no recovery key")
				.advise("leave that out, or --register the identity as a person's")),
			false => Ok(()),
		}
	}
}

fn is_printed(path: &Path) -> bool {
	path == Path::new("-")
}

/// Makes a key and hands it out, before anything is sent that it can override. Nothing else of it stays than what it is known by.
pub fn new_key(wanted: &ForRecovery, out: &Out) -> Result<Option<KeyCommitment>, Failure> {
	wanted.recovery_file.as_deref().map(|path| hand_out(path, out)).transpose()
}

/// Makes a key, and writes it to a file, or prints it for `-`.
pub fn hand_out(path: &Path, out: &Out) -> Result<KeyCommitment, Failure> {
	let key = Seed::random();
	if is_printed(path) {
		let text = code::secret_text(What::Recovery, &key);
		out.write(&text)?;
		out.write("\n")?;
		out.note("lockstep: this is the recovery key. It is not shown again, and not kept here: write it down");
	} else {
		code::keep_secret(What::Recovery, path, &key)?;
		out.note(format!("lockstep: the recovery key is in {}: move it away from this machine", path.display()));
	}
	Ok(key.commitment())
}
