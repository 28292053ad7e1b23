//! `lockstep key-package`.

use crate::{
	failure::{Failure, Kind},
	files,
	job::Job,
};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Makes a KeyPackage, to be handed to a member who will add this identity to a group
///
/// Each is good for one group. It is not secret, but whoever passes it on must be trusted to pass on the right one.
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct KeyPackage {
	/// Writes it to a file instead of standard output
	#[arg(long, short, value_name = "FILE")]
	out: Option<PathBuf>,
}

impl KeyPackage {
	pub fn prepare(&mut self) -> Result<(), Failure> {
		if let Some(path) = &mut self.out {
			*path = std::path::absolute(&*path).map_err(|error| Failure::file(path, &error))?;
		}
		Ok(())
	}

	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		let package = hex::encode(job.session.client().key_package().await?);
		let path = self.out.as_deref();
		let shown = match path {
			None => package.clone(),
			Some(path) => {
				files::write(path, format!("{package}\n").as_bytes())?;
				job.out.note(format!("lockstep: a KeyPackage is in {}: hand it to a member", path.display()));
				String::new()
			}
		};
		job.out.result(&shown, &json!({ "keyPackage": package, "file": path }))
	}
}

/// A KeyPackage from a file: its digits, or the bytes of its TLS form.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
	parse(files::read(path)?).ok_or_else(|| {
		Failure::new(Kind::Usage, format!("{} does not hold a KeyPackage", path.display()))
			.advise("ask its owner for the output of: lockstep key-package")
	})
}

fn parse(content: Vec<u8>) -> Option<Vec<u8>> {
	match std::str::from_utf8(&content).map(str::trim) {
		Ok("") => None,
		// The TLS form begins with a version, 0x0001, which no text does.
		Ok(text) if !text.starts_with('\0') => hex::decode(text.strip_prefix("0x").unwrap_or(text)).ok(),
		_ => Some(content),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_key_package_is_read_as_digits_or_as_bytes() {
		assert_eq!(parse(b"0x0001ff\n".to_vec()), Some(vec![0, 1, 0xff]));
		assert_eq!(parse(b"  0001FF ".to_vec()), Some(vec![0, 1, 0xff]));
		assert_eq!(parse(vec![0, 1, 0xff]), Some(vec![0, 1, 0xff]));
		assert_eq!(parse(vec![0, 1, 0, 1]), Some(vec![0, 1, 0, 1]));
		assert_eq!(parse(b"hello".to_vec()), None);
		assert_eq!(parse(b"\n".to_vec()), None);
	}
}
