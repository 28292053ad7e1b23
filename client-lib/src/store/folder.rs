//! The folder of a store: making it, and finding out why it takes no writes.

use super::StoreError;
use std::{
	fs::{self, File},
	io::{self, ErrorKind, Write},
	path::Path,
};

/// A file that is there only while the folder is tried out.
const PROBE: &str = "lockstep-probe";

/// Makes the folder, if it does not exist.
pub(super) fn make(path: &Path) -> Result<(), StoreError> {
	fs::create_dir_all(path).map_err(|error| failure(path, &error))
}

/// Whether the folder takes a file of `size` bytes, and if not, why.
pub(super) fn probe(path: &Path, size: usize) -> Result<(), StoreError> {
	let file = path.join(PROBE);
	let written = write(&file, size);
	let removed = fs::remove_file(&file);
	written.and(removed).map_err(|error| failure(path, &error))
}

fn write(path: &Path, size: usize) -> io::Result<()> {
	let mut file = File::create(path)?;
	// Not `set_len`, which would take no space.
	let block = [0x5a; 64 * 1024];
	let mut left = size;
	while left > 0 {
		let part = block.get(..left.min(block.len())).unwrap_or(&block);
		file.write_all(part)?;
		left = left.saturating_sub(part.len());
	}
	file.sync_all()
}

fn failure(path: &Path, error: &io::Error) -> StoreError {
	let path = path.to_owned();
	match error.kind() {
		ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => StoreError::Full { path },
		ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly { path },
		_ => StoreError::Folder { path, reason: error.to_string() },
	}
}
