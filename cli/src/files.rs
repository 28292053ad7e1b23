//! Files that only their owner can read, and that are either whole or not there.

use crate::failure::{Failure, Kind};
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

/// Makes a file that is whole or not there, and never in the place of another.
pub fn create(path: &Path, content: &[u8]) -> Result<(), Failure> {
	absent(path)?;
	let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
	let new = path.with_file_name(format!(".{name}.{:016x}", rand::random::<u64>()));
	let written = || {
		let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
		file.write_all(content)?;
		file.sync_all()?;
		// Unlike a renaming, this fails if there is a file by now.
		std::fs::hard_link(&new, path)?;
		File::open(folder_of(path))?.sync_all()
	};
	let written = written();
	drop(std::fs::remove_file(&new));
	written.map_err(|error| Failure::file(path, &error))
}

/// Gives a folder another name.
pub fn rename(from: &Path, to: &Path) -> Result<(), Failure> {
	let renamed = std::fs::rename(from, to).and_then(|()| File::open(folder_of(to))?.sync_all());
	renamed.map_err(|error| Failure::file(to, &error))
}

/// Fails if there is something of this name.
pub fn absent(path: &Path) -> Result<(), Failure> {
	match std::fs::symlink_metadata(path) {
		Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
		Err(error) => Err(Failure::file(path, &error)),
		Ok(_) => Err(Failure::new(Kind::File, format!("{} is there already, and is not overwritten", path.display()))
			.advise("name another file")),
	}
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
	read_up_to(path, MAX_INPUT)
}

/// The same, if it has fewer bytes than `max`.
pub fn read_up_to(path: &Path, max: u64) -> Result<Vec<u8>, Failure> {
	let failed = |error| Failure::file(path, &error);
	let mut content = Vec::new();
	let length = if path == Path::new("-") {
		std::io::stdin().lock().take(max).read_to_end(&mut content)
	} else {
		File::open(path).and_then(|file| file.take(max).read_to_end(&mut content))
	};
	match length.map_err(failed)? {
		length if length as u64 == max => Err(failed(std::io::Error::other(format!("longer than {} MiB", max >> 20)))),
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
	fn a_new_file_takes_the_place_of_none() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("a");
		create(&path, b"one").unwrap();
		assert_eq!(create(&path, b"two").unwrap_err().kind, Kind::File);
		assert_eq!(std::fs::read(&path).unwrap(), b"one");
		assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
		let dangling = folder.path().join("b");
		std::os::unix::fs::symlink(folder.path().join("c"), &dangling).unwrap();
		assert_eq!(create(&dangling, b"two").unwrap_err().kind, Kind::File, "nor that of a link to nowhere");
		assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");
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
