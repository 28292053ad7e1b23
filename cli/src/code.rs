//! Texts for keys and events on their way from one device to another, by hand or in a file: a prefix that says what it is,
//! hexadecimal digits, and a check against typing errors.

use crate::{
	failure::{Failure, Kind},
	files,
};
use lockstep_client::directory::{Seed, SignedEvent};
use std::path::Path;
use zeroize::Zeroizing;

const CHECK: usize = 4;

/// What a text is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
	/// A recovery key: secret.
	Recovery,
	/// What lets contacts claim: secret.
	Gate,
	/// An event that a new device has to accept.
	Event,
}

impl What {
	fn prefix(self) -> &'static str {
		match self {
			Self::Recovery => "lockstep-recovery:",
			Self::Gate => "lockstep-gate:",
			Self::Event => "lockstep-event:",
		}
	}

	fn name(self) -> &'static str {
		match self {
			Self::Recovery => "recovery key",
			Self::Gate => "gate secret",
			Self::Event => "event of an identity",
		}
	}

	fn check(self, bytes: &[u8]) -> [u8; CHECK] {
		let mut hasher = blake3::Hasher::new_derive_key("lockstep cli 2026-11-27 codes");
		hasher.update(self.prefix().as_bytes());
		hasher.update(bytes);
		hasher.finalize().as_bytes().first_chunk().copied().unwrap_or_default()
	}

	fn text(self, bytes: &[u8]) -> Zeroizing<String> {
		let digits = Zeroizing::new(hex::encode(bytes));
		let check = hex::encode(self.check(bytes));
		// As long as it gets: nothing is left behind where it would have grown.
		let length = self.prefix().len().saturating_add(digits.len()).saturating_add(check.len());
		let mut text = Zeroizing::new(String::with_capacity(length));
		[self.prefix(), digits.as_str(), &check].iter().for_each(|part| text.push_str(part));
		text
	}

	fn bytes(self, text: &str) -> Result<Zeroizing<Vec<u8>>, String> {
		let prefix = self.prefix();
		let digits = text
			.trim()
			.strip_prefix(prefix)
			.ok_or_else(|| format!("it holds no {}, which starts with {prefix}", self.name()))?;
		let damaged = || format!("the {} in it was not copied well: copy it again, all of it", self.name());
		let mut bytes = Zeroizing::new(hex::decode(digits).map_err(|_| damaged())?);
		let (content, sum) = bytes.split_last_chunk::<CHECK>().ok_or_else(damaged)?;
		if *sum != self.check(content) {
			return Err(damaged());
		}
		let length = content.len();
		bytes.truncate(length);
		Ok(bytes)
	}
}

fn unread(path: &Path, reason: String) -> Failure {
	Failure::new(Kind::Usage, format!("{}: {reason}", path.display()))
}

/// A secret key as a text.
pub fn secret_text(what: What, key: &Seed) -> Zeroizing<String> {
	what.text(key.as_bytes())
}

/// The secret key in a file. Secrets are not taken from the command line, which others on the machine can read.
pub fn secret(what: What, path: &Path) -> Result<Seed, Failure> {
	let content = Zeroizing::new(files::read(path)?);
	let text = std::str::from_utf8(&content).unwrap_or_default();
	let bytes = what.bytes(text).map_err(|reason| unread(path, reason))?;
	let seed = <[u8; 32]>::try_from(&bytes[..]).map(Zeroizing::new);
	let seed = seed.map_err(|_| unread(path, format!("the {} in it has another length", what.name())))?;
	Ok(Seed::new(*seed))
}

/// Writes a secret key to a file for its owner alone, where there was none.
pub fn keep_secret(what: What, path: &Path, key: &Seed) -> Result<(), Failure> {
	let text = secret_text(what, key);
	let line = Zeroizing::new([text.as_bytes(), b"\n"].concat());
	files::create(path, &line)
}

/// An event as a text.
pub fn event_text(event: &SignedEvent) -> String {
	What::Event.text(&codec::Encode::encode(event)).to_string()
}

/// The event that was named: the text of it, or a file with that.
pub fn event(named: &str) -> Result<SignedEvent, Failure> {
	let text = named_text(named, What::Event.prefix())?;
	let read = What::Event.bytes(&text);
	let event =
		read.and_then(|bytes| SignedEvent::from_bytes(&bytes).ok_or_else(|| "the event in it is none".to_owned()));
	event.map_err(|reason| {
		Failure::new(Kind::Usage, format!("that is no event to accept: {reason}"))
			.advise("let the other device make it: lockstep device add CODE")
	})
}

/// What was named: itself if it begins like this, else what is in the file of this name, or on standard input for `-`.
pub fn named_text(named: &str, prefix: &str) -> Result<String, Failure> {
	if named.trim_start().starts_with(prefix) {
		return Ok(named.to_owned());
	}
	let path = Path::new(named);
	String::from_utf8(files::read(path)?).map_err(|_| unread(path, "it holds no text".to_owned()))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_secret_survives_the_way_or_is_refused_as_what_it_is() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("key");
		let key = Seed::new([7; 32]);
		keep_secret(What::Recovery, &path, &key).unwrap();
		assert_eq!(secret(What::Recovery, &path).unwrap(), key);
		assert_eq!(
			keep_secret(What::Recovery, &path, &key).unwrap_err().kind,
			Kind::File,
			"none takes another's place"
		);
		assert!(secret(What::Gate, &path).unwrap_err().message.contains("no gate secret"));
		let text = secret_text(What::Recovery, &key);
		for at in What::Recovery.prefix().len()..text.len() {
			let mut wrong = text.as_bytes().to_vec();
			wrong[at] = if wrong[at] == b'0' { b'1' } else { b'0' };
			std::fs::write(&path, &wrong).unwrap();
			assert_eq!(secret(What::Recovery, &path).unwrap_err().kind, Kind::Usage, "changed at {at}");
			std::fs::write(&path, &text.as_bytes()[..at]).unwrap();
			assert_eq!(secret(What::Recovery, &path).unwrap_err().kind, Kind::Usage, "cut at {at}");
		}
		// Well copied, and too short for a key.
		std::fs::write(&path, What::Recovery.text(&[7; 31]).as_bytes()).unwrap();
		assert!(secret(What::Recovery, &path).unwrap_err().message.contains("another length"));
	}
}
