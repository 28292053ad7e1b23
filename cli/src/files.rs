//! Files that only their owner can read, and that are either whole or not there.

use crate::failure::Failure;
use std::{
	fs::{DirBuilder, File, OpenOptions},
	io::{Read, Write},
	os::unix::fs::{DirBuilderExt, OpenOptionsExt},
	path::Path,
};

/// Longest file that is read from what a user names: far more than any KeyPackage or message.
const MAX_INPUT: u64 = 1 << 20;

/// Makes a folder, and those above it, for its owner alone.
pub fn make_folder(path: &Path) -> Result<(), Failure> {
	DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| Failure::file(path, &error))
}

/// Replaces a file in one step: after a crash it has the old content or the new one.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), Failure> {
	let new = path.with_extension("new");
	let written = || {
		let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
		file.write_all(content)?;
		file.sync_all()?;
		std::fs::rename(&new, path)?;
		// The name, too, has to survive.
		File::open(folder_of(path))?.sync_all()
	};
	written().map_err(|error| Failure::file(path, &error))
}

/// Writes what was asked for to where the user wants it, which need not be a file.
pub fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
	std::fs::write(path, content).map_err(|error| Failure::file(path, &error))
}

fn folder_of(path: &Path) -> &Path {
	match path.parent() {
		Some(folder) if folder != Path::new("") => folder,
		_ => Path::new("."),
	}
}

/// Reads a file that the user named, or standard input for `-`.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
	let failed = |error| Failure::file(path, &error);
	let mut content = Vec::new();
	let length = if path == Path::new("-") {
		std::io::stdin().lock().take(MAX_INPUT).read_to_end(&mut content)
	} else {
		File::open(path).and_then(|file| file.take(MAX_INPUT).read_to_end(&mut content))
	};
	match length.map_err(failed)? {
		length if length as u64 == MAX_INPUT => Err(failed(std::io::Error::other("longer than 1 MiB"))),
		_ => Ok(content),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::os::unix::fs::PermissionsExt;

	#[test]
	fn a_file_without_a_folder_is_in_this_one() {
		assert_eq!(folder_of(Path::new("a")), Path::new("."));
		assert_eq!(folder_of(Path::new("a/b")), Path::new("a"));
		assert_eq!(folder_of(Path::new("/a")), Path::new("/"));
	}

	#[test]
	fn what_is_written_is_for_its_owner_alone() {
		let folder = tempfile::tempdir().unwrap();
		let inner = folder.path().join("a/b");
		make_folder(&inner).unwrap();
		let file = inner.join("c.json");
		replace(&file, b"one").unwrap();
		replace(&file, b"two").unwrap();
		assert_eq!(read(&file).unwrap(), b"two");
		let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
		assert_eq!((mode(&inner), mode(&file)), (0o700, 0o600));
		assert_eq!(std::fs::read_dir(&inner).unwrap().count(), 1, "nothing else is left");
	}
}
