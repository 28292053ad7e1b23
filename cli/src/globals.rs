//! Options that every command takes, and what they lead to.

use crate::{
	failure::{Failure, Kind},
	files,
	profile::Profile,
	secret::{Passphrase, Secret},
};
use clap::Args;
use std::{
	io::IsTerminal,
	path::{Path, PathBuf},
	time::Duration,
};
use zeroize::Zeroizing;

/// Where a passphrase may be given beside the prompt and the file.
const PASSPHRASE: &str = "LOCKSTEP_PASSPHRASE";
/// How else those of profiles and of backups are given.
const PROFILES: &str = "give --passphrase-file FILE, or set LOCKSTEP_PASSPHRASE";
const BACKUPS: &str = "give --backup-passphrase-file FILE";

/// Options that every command takes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Options of every command")]
pub struct Globals {
	/// The profile to work with: a name, or the path of its folder
	///
	/// It need not be named if there is one profile only.
	#[arg(long, global = true, env = "LOCKSTEP_PROFILE", value_name = "NAME|PATH")]
	pub profile: Option<String>,
	/// Prints JSON: one object, or one on each line for what goes on
	#[arg(long, global = true)]
	pub json: bool,
	/// Reads the passphrase from the first line of a file
	///
	/// Else it is taken from the variable LOCKSTEP_PASSPHRASE, or asked for.
	#[arg(long, global = true, env = "LOCKSTEP_PASSPHRASE_FILE", value_name = "FILE")]
	pub passphrase_file: Option<PathBuf>,
	/// Waits so long, and no longer
	///
	/// For finality, 300 s if it is not given; and for a node that can be reached, which without it is not waited for.
	#[arg(long, global = true, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
	pub timeout: Option<u64>,
}

impl Globals {
	/// The profile that is named, or the only one.
	pub fn profile(&self) -> Result<Profile, Failure> {
		Profile::find(self.profile.as_deref().filter(|name| !name.is_empty()))
	}

	/// `--timeout`.
	pub fn patience(&self) -> Option<Duration> {
		self.timeout.map(Duration::from_secs)
	}

	/// The secret of a profile.
	pub fn unlock(&self, profile: &Profile) -> Result<Secret, Failure> {
		Secret::read(&profile.secret(), || match self.given()? {
			Some(passphrase) => Ok(passphrase),
			None => ask(&format!("Passphrase of {}: ", profile.name()), PROFILES),
		})
	}

	/// A passphrase for something new: it is asked for twice.
	pub fn new_passphrase(&self) -> Result<Passphrase, Failure> {
		let passphrase = match self.given()? {
			Some(passphrase) => passphrase,
			None => ask_twice("New passphrase: ", PROFILES)?,
		};
		not_empty(passphrase)
	}

	/// Whether a passphrase comes with the command, so that none is asked for.
	pub fn brings_passphrase(&self) -> bool {
		self.passphrase_file.is_some() || std::env::var_os(PASSPHRASE).is_some()
	}

	/// The passphrase that came with the command.
	fn given(&self) -> Result<Option<Passphrase>, Failure> {
		if let Some(path) = &self.passphrase_file {
			return first_line(path).map(Some);
		}
		Ok(std::env::var(PASSPHRASE).ok().map(Zeroizing::new))
	}
}

/// The passphrase of a backup that there is: from the first line of a file, or asked for.
pub fn backup_passphrase(file: Option<&Path>) -> Result<Passphrase, Failure> {
	match file {
		Some(path) => first_line(path),
		None => ask("Passphrase of the backup: ", BACKUPS),
	}
}

/// The passphrase of a new backup: the same, but it is asked for twice.
pub fn new_backup_passphrase(file: Option<&Path>) -> Result<Passphrase, Failure> {
	not_empty(match file {
		Some(path) => first_line(path)?,
		None => ask_twice("Passphrase of the backup: ", BACKUPS)?,
	})
}

fn first_line(path: &Path) -> Result<Passphrase, Failure> {
	let file = Zeroizing::new(files::read(path)?);
	let text = std::str::from_utf8(&file)
		.map_err(|_| Failure::new(Kind::NoPassphrase, format!("{} does not hold text", path.display())))?;
	Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

fn not_empty(passphrase: Passphrase) -> Result<Passphrase, Failure> {
	match passphrase.is_empty() {
		true => Err(Failure::new(Kind::NoPassphrase, "the passphrase is empty").advise("choose a longer one")),
		false => Ok(passphrase),
	}
}

fn ask_twice(prompt: &str, otherwise: &str) -> Result<Passphrase, Failure> {
	let passphrase = ask(prompt, otherwise)?;
	if *ask("The same again: ", otherwise)? != *passphrase {
		return Err(Failure::new(Kind::NoPassphrase, "the two passphrases are not the same"));
	}
	Ok(passphrase)
}

/// Asks on the terminal. Without one it has to come `otherwise`.
fn ask(prompt: &str, otherwise: &str) -> Result<Passphrase, Failure> {
	let unasked = |reason: String| Failure::new(Kind::NoPassphrase, reason).advise(otherwise);
	if !std::io::stderr().is_terminal() {
		return Err(unasked("a passphrase is needed, and there is no terminal to ask for it".to_owned()));
	}
	let answer = rpassword::prompt_password(prompt);
	answer.map(Zeroizing::new).map_err(|error| unasked(format!("the passphrase cannot be asked for: {error}")))
}
