//! The files of a profile.

use super::report::Report;
use crate::{globals::Globals, history::History, profile::Profile, secret::Secret};
use std::{os::unix::fs::PermissionsExt, path::PathBuf};

/// Whether others can read what is the owner's.
pub fn permissions(profile: &Profile, report: &mut Report) {
	let files = [
		profile.folder().to_owned(),
		profile.secret(),
		profile.history(),
		profile.marks(),
		profile.store(),
		profile.device(),
	];
	let is_open = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|facts| facts.permissions().mode() & 0o077 != 0);
	// Nobody gets to what is in a folder that is closed.
	let open: Vec<String> = match is_open(&profile.folder().to_owned()) {
		true => files.iter().filter(|path| is_open(path)).map(|path| path.display().to_string()).collect(),
		false => Vec::new(),
	};
	if open.is_empty() {
		report.fine("permissions", "the profile is for its owner alone".to_owned());
	} else {
		let advice = format!("chmod -R go-rwx '{}'", profile.folder().display());
		report.warning("permissions", format!("others can read {}", open.join(", ")), Some(advice));
	}
}

/// The secret, if it opens, and the history with it.
pub fn unlock(profile: &Profile, globals: &Globals, report: &mut Report) -> Option<Secret> {
	let secret = match globals.unlock(profile) {
		Ok(secret) => secret,
		Err(failure) => {
			report.wrong("secret", failure);
			return None;
		}
	};
	report.fine("secret", "it opens".to_owned());
	match History::check(&profile.history(), &secret.history_key()) {
		Ok(()) => {
			report.fine("history", "it can be read".to_owned());
			Some(secret)
		}
		Err(failure) => {
			report.wrong("history", failure);
			None
		}
	}
}
