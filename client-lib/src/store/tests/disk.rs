//! Helpers that look at a database's files and entries as somebody without the key would.

use crate::store::{backend::Batch, header, Store};
use std::{fs, path::Path};

/// Every entry but the header.
pub(super) fn entries(store: &Store) -> Vec<(Vec<u8>, Vec<u8>)> {
	let mut entries = all(store);
	entries.retain(|(name, _)| name != header::NAME);
	entries
}

/// Every entry.
pub(super) fn all(store: &Store) -> Vec<(Vec<u8>, Vec<u8>)> {
	let mut entries = Vec::new();
	let gather = &mut |name: &[u8], value: &[u8]| {
		entries.push((name.to_vec(), value.to_vec()));
		Ok(())
	};
	store.backend().scan(b"", gather).unwrap();
	entries
}

/// Puts bytes under a name, past the cipher.
pub(super) fn put(store: &Store, name: &[u8], value: &[u8]) {
	store.backend().write(vec![(name.to_vec(), Some(value.to_vec()))]).unwrap();
}

/// Writes to a database that no store has open, past everything.
pub(super) fn write_to(folder: &Path, batch: Batch) {
	let db = rocksdb::DB::open_default(folder).unwrap();
	for (name, value) in batch {
		match value {
			Some(value) => db.put(name, value).unwrap(),
			None => db.delete(name).unwrap(),
		}
	}
}

/// The files in a folder in which any of these occurs.
pub(super) fn files_with(folder: &Path, wanted: &[&[u8]]) -> Vec<String> {
	let mut found = Vec::new();
	for file in fs::read_dir(folder).unwrap() {
		let path = file.unwrap().path();
		let bytes = fs::read(&path).unwrap();
		for wanted in wanted {
			if bytes.windows(wanted.len()).any(|window| window == *wanted) {
				found.push(format!("{} in {}", String::from_utf8_lossy(wanted), path.display()));
			}
		}
	}
	found
}
