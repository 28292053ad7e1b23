//! `lockstep identity backup`.
//!
//! Where another process has the profile open, that one makes the backup. It seals it under a key that is derived from the
//! profile's secret: what passes through the socket is of use to nobody who could not open the secret. It is opened here,
//! and sealed under the passphrase of the backup.

use crate::{
	commands::Online,
	failure::{Failure, Kind},
	files,
	globals::{self, Globals},
	job::Job,
	output::Out,
	profile::Profile,
	remote,
	secret::Secret,
	session::Session,
};
use clap::Args;
use lockstep_client::{Backup, StoreKey};
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};
use std::{
	io::Write,
	path::PathBuf,
	sync::{Arc, Mutex, PoisonError},
	time::Duration,
};

/// The version of what this program notes in a backup.
const VERSION: u32 = 1;

/// Writes a backup of this identity to a file: for a device that is lost
///
/// It holds the signature keys, the groups, the nodes and the sponsor's name, sealed under a passphrase of its own; no messages, no
/// history, and nothing that opens a message. `identity restore` makes a profile of it, which asks the members of each group for a new
/// place; this one stops there when it gets it. Groups that are joined later, and keys that are rotated in later, need a new backup.
#[derive(Args)]
pub struct MakeBackup {
	/// The file; there must be none of this name
	#[arg(value_name = "FILE")]
	file: PathBuf,
	/// Reads the passphrase of the backup from the first line of a file, instead of asking for it
	#[arg(long, env = "LOCKSTEP_BACKUP_PASSPHRASE_FILE", value_name = "FILE")]
	backup_passphrase_file: Option<PathBuf>,
	/// Seals the backup under no passphrase; for profiles only whose secret lies in the clear
	#[arg(long, conflicts_with = "backup_passphrase_file")]
	insecure_no_passphrase: bool,
}

/// What a backup says for this program.
#[derive(Serialize, Deserialize)]
pub struct Note {
	version: u32,
	pub nodes: Vec<String>,
	pub sponsor: Option<String>,
}

impl Note {
	/// As it stands in a backup.
	pub fn read(bytes: &[u8]) -> Result<Self, Failure> {
		let note: Self = serde_json::from_slice(bytes).map_err(|error| {
			Failure::new(Kind::File, format!("the backup was not made by `lockstep`: {error}"))
				.advise("restore it with the program that made it")
		})?;
		match note.version {
			VERSION => Ok(note),
			version => {
				let message = format!("the note in the backup has version {version}, this program knows {VERSION}");
				Err(Failure::new(Kind::File, message).advise("use a newer `lockstep`"))
			}
		}
	}
}

/// The key of backups that are sealed under no passphrase: everybody has it.
pub fn no_passphrase() -> StoreKey {
	StoreKey::from_bytes(*b"lockstep backup of a dev profile")
}

impl MakeBackup {
	pub async fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let profile = globals.profile()?;
		if profile.facts().person.is_some() {
			return Err(Failure::new(
				Kind::Refused,
				"a person's device has no backup: its keys are good in one place, and another device is as good",
			)
			.advise("lockstep device offer on the other machine; or keep a recovery key: lockstep identity recover"));
		}
		// Before anybody is asked for a passphrase.
		files::absent(&self.file)?;
		if self.insecure_no_passphrase && Secret::takes_passphrase(&profile.secret())? {
			return Err(Failure::new(
				Kind::Usage,
				"this profile has a passphrase, and a backup without one would undo that",
			)
			.advise("leave out --insecure-no-passphrase"));
		}
		let secret = globals.unlock(&profile)?;
		let key = match self.insecure_no_passphrase {
			true => no_passphrase(),
			false => StoreKey::passphrase(&globals::new_backup_passphrase(self.backup_passphrase_file.as_deref())?),
		};
		let note =
			Note { version: VERSION, nodes: profile.facts().nodes.clone(), sponsor: profile.facts().sponsor.clone() };
		let note = serde_json::to_vec(&note).map_err(|error| Failure::new(Kind::Failed, error))?;
		let command = profile.command();
		let backup = made(profile, &secret, globals, out).await.map_err(|failure| failure.in_profile(&command))?;
		let sealed = backup.seal(note, &key)?;
		files::create(&self.file, &sealed)?;
		if self.insecure_no_passphrase {
			out.warn("the backup lies in the clear: whoever reads the file can be this identity");
		}
		let groups: Vec<String> = backup.groups().map(|group| format!("0x{}", group.group)).collect();
		out.note(format!("lockstep: a backup with {} groups is in {}", groups.len(), self.file.display()));
		out.result("", &json!({ "file": self.file, "bytes": sealed.len(), "groups": groups }))
	}
}

/// Has the client make a backup: in the process that has it open, or else in this one.
async fn made(profile: Profile, secret: &Secret, globals: &Globals, out: &Out) -> Result<Backup, Failure> {
	let shown = Memory::default();
	let quiet = Out::to(true, shown.clone(), std::io::sink());
	let command = Online::Backup(Export {});
	match remote::forward(&profile, &command, globals.patience(), &quiet).await {
		Some(done) => done?,
		None => {
			let session =
				Session::open(profile, secret, None, globals.patience().unwrap_or(Duration::ZERO), out).await?;
			let done =
				command.run(&Job { session: &session, out: &quiet, timeout: None, lasting: false, asker: None }).await;
			session.close().await;
			done?;
		}
	}
	let answer = shown.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
	let answer: Value = serde_json::from_slice(&answer).map_err(|error| Failure::new(Kind::Failed, error))?;
	let file = answer.get("backup").and_then(Value::as_str).and_then(|digits| hex::decode(digits).ok());
	let file =
		file.ok_or_else(|| Failure::new(Kind::Failed, "the `lockstep` that has the profile open gave no backup"))?;
	Ok(Backup::open(&file, &StoreKey::from_bytes(secret.transfer_key()))?)
}

/// The part of it that needs an open client. It is no command of its own.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Export {}

impl Export {
	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		let key = StoreKey::from_bytes(*job.session.transfer_key());
		let backup = job.session.client().export_backup(&key, Vec::new()).await?;
		job.out.result("", &json!({ "backup": hex::encode(backup) }))
	}
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
	fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
		self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
		Ok(bytes.len())
	}

	fn flush(&mut self) -> std::io::Result<()> {
		Ok(())
	}
}
