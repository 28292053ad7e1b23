//! `lockstep identity restore`.

use super::backup::{no_passphrase, Note};
use crate::{
	failure::{Failure, Kind},
	files,
	globals::{self, Globals},
	output::Out,
	profile::{Facts, Place, Profile},
	secret::Secret,
};
use clap::Args;
use lockstep_client::{Backup, StoreKey};
use serde_json::json;
use std::path::PathBuf;

/// Longest backup, in bytes, and one more.
const MAX_BACKUP: u64 = (16 << 20) + 1;

/// Makes a profile of a backup, for a new device
///
/// When it is opened, it asks the members of each group for a new place: one whose client is open gives it, and the device that
/// had the place stops there. `lockstep join GROUP` waits for that.
#[derive(Args)]
pub struct Restore {
	/// The name of the profile that is made; there must be none of this name. The identity is that of the backup
	#[arg(value_name = "NAME|PATH")]
	name: String,
	/// The file that `identity backup` wrote
	#[arg(value_name = "FILE")]
	file: PathBuf,
	/// URL of a node, ws://HOST:PORT, instead of those in the backup; several can be given
	#[arg(long, value_name = "URL", value_parser = super::node_url)]
	node: Vec<String>,
	/// Reads the passphrase of the backup from the first line of a file, instead of asking for it
	#[arg(long, env = "LOCKSTEP_BACKUP_PASSPHRASE_FILE", value_name = "FILE")]
	backup_passphrase_file: Option<PathBuf>,
	/// Keeps the secret of the new profile in the clear; only for backups that were sealed under no passphrase
	#[arg(long)]
	insecure_no_passphrase: bool,
}

impl Restore {
	pub fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let place = Place::named(&self.name)?;
		Profile::vacant(&place)?;
		let file = files::read_up_to(&self.file, MAX_BACKUP)?;
		let takes_passphrase = Backup::takes_passphrase(&file)?;
		if takes_passphrase && self.insecure_no_passphrase {
			return Err(Failure::new(
				Kind::Usage,
				"this backup has a passphrase, and a profile without one would undo that",
			)
			.advise("leave out --insecure-no-passphrase"));
		}
		let key = match takes_passphrase {
			true => StoreKey::passphrase(&globals::backup_passphrase(self.backup_passphrase_file.as_deref())?),
			false => no_passphrase(),
		};
		let backup = Backup::open(&file, &key)?;
		let note = Note::read(backup.note())?;
		let identity = String::from_utf8(backup.identity().to_vec()).map_err(|_| {
			Failure::new(Kind::File, "the identity in the backup is no text, so `lockstep` did not make it")
		})?;
		let passphrase = if self.insecure_no_passphrase { None } else { Some(globals.new_passphrase()?) };
		let nodes = if self.node.is_empty() { note.nodes } else { self.node };
		let facts = Facts { genesis: Some(backup.genesis()), sponsor: note.sponsor, ..Facts::new(identity, nodes) };
		let secret = Secret::with_signer(backup.signer());
		let profile = Profile::make(place, facts, &secret, passphrase.as_ref(), |new| {
			Ok(backup.restore(new.store(), &StoreKey::from_bytes(secret.store_key()))?)
		})?;
		if self.insecure_no_passphrase {
			out.warn("the secret of this identity lies in the clear: whoever reads the folder can be it");
		}
		let groups: Vec<String> = backup.groups().map(|group| format!("0x{}", group.group)).collect();
		out.note(format!(
			"lockstep: {} groups to come back to; a member whose client is open lets this identity in again: {} join GROUP",
			groups.len(),
			profile.command()
		));
		let mut json = super::json(&profile);
		if let Some(object) = json.as_object_mut() {
			object.insert("groups".to_owned(), json!(groups));
		}
		out.result(&super::text(&profile), &json)
	}
}
