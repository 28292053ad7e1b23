//! Where a profile is: under its name in the user's data folder, or in a folder that the user names.

use crate::failure::{Failure, Kind};
use std::path::{Path, PathBuf};

/// The folder of a profile that may or may not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
	/// As the user would name it.
	name: String,
	folder: PathBuf,
}

impl Place {
	/// A name, or a path: that is what has a `/` in it.
	pub fn named(named: &str) -> Result<Self, Failure> {
		if named.contains('/') || named == "." || named == ".." {
			let folder = std::path::absolute(named).map_err(|error| Failure::file(Path::new(named), &error))?;
			return Ok(Self { name: quoted(&folder.to_string_lossy()), folder });
		}
		let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
		if named.is_empty() || named.starts_with(['.', '-']) || !named.bytes().all(plain) {
			let message = format!("{named:?} cannot be the name of a profile: letters, digits, `.`, `-` and `_` can");
			return Err(Failure::new(Kind::Usage, message).advise("name the folder instead: --profile ./PATH"));
		}
		Ok(Self { name: named.to_owned(), folder: data_home()?.join(named) })
	}

	/// As the user would name it.
	pub fn name(&self) -> &str {
		&self.name
	}

	/// The folder.
	pub fn folder(&self) -> &Path {
		&self.folder
	}

	/// A folder beside it that nobody else has, for a profile that is being made.
	pub fn beside(&self) -> Option<Self> {
		let name = self.folder.file_name()?.to_string_lossy().into_owned();
		let folder = self.folder.with_file_name(format!(".{name}.restoring-{:016x}", rand::random::<u64>()));
		Some(Self { name: self.name.clone(), folder })
	}

	/// The file that says whose profile it is.
	pub fn facts(&self) -> PathBuf {
		self.folder.join("profile.json")
	}

	/// The file with the secret.
	pub fn secret(&self) -> PathBuf {
		self.folder.join("secret.json")
	}
}

/// Where profiles are that have names.
pub fn data_home() -> Result<PathBuf, Failure> {
	let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
	let home = folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local/share")));
	let home = home.ok_or_else(|| {
		Failure::new(Kind::Usage, "neither XDG_DATA_HOME nor HOME names a folder").advise("name one: --profile ./PATH")
	})?;
	Ok(home.join("lockstep"))
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
	let plain = |char: char| char.is_ascii_alphanumeric() || "/._-+,:@%".contains(char);
	if path.chars().all(plain) {
		path.to_owned()
	} else {
		format!("'{}'", path.replace('\'', r"'\''"))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_has_a_slash_is_a_path_and_the_rest_a_name() {
		assert_eq!(Place::named("/a/b").unwrap().folder(), Path::new("/a/b"));
		assert!(Place::named("./b").unwrap().folder().is_absolute());
		assert!(Place::named("anna").unwrap().folder().ends_with("lockstep/anna"));
		for name in ["", ".hidden", "--json", "a b", "\u{e4}", "a\nb"] {
			assert_eq!(Place::named(name).unwrap_err().kind, Kind::Usage, "{name:?}");
		}
	}

	#[test]
	fn a_path_in_advice_can_be_pasted_into_a_shell() {
		assert_eq!(Place::named("/a/b").unwrap().name(), "/a/b");
		assert_eq!(Place::named("/a b/it's").unwrap().name(), r"'/a b/it'\''s'");
	}
}
