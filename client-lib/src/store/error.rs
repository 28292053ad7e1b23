//! What can go wrong with the store.

use std::path::{Path, PathBuf};

/// Why the store cannot be opened, read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
	/// Another process, or another client in this one, has the store open.
	#[error("the store at {} is in use; close the other client or give this one a folder of its own", path.display())]
	InUse {
		/// The folder of the store.
		path: PathBuf,
	},
	/// A newer version of this library wrote the store.
	#[error(
		"the store has schema version {found}, this library knows versions up to {known}; open it with a newer version"
	)]
	Newer {
		/// The version that the store has.
		found: u32,
		/// The newest version that this library knows.
		known: u32,
	},
	/// The folder holds a database, but not a member's store, or one whose first record is damaged.
	#[error("the folder holds a database that is not a member's store; give the client another folder")]
	Schema,
	/// The database reports an error.
	#[error("the database cannot be read or written; check the disk: {0}")]
	Database(String),
	/// A record does not decode.
	#[error(
		"a stored record of kind {kind} is damaged; restore the store from a backup or join the group anew: {reason}"
	)]
	Corrupt {
		/// What kind of record it is.
		kind: &'static str,
		/// What does not decode.
		reason: String,
	},
	/// A record cannot be encoded.
	#[error("a record of kind {kind} cannot be stored; report this as a defect: {reason}")]
	Unencodable {
		/// What kind of record it is.
		kind: &'static str,
		/// What does not encode.
		reason: String,
	},
	/// An earlier read or write of the same overlay failed, so that its writes may be incomplete.
	#[error("nothing was written, because an earlier step of the same change failed: {0}")]
	Faulted(Box<StoreError>),
}

impl StoreError {
	/// Tells a held lock, which has no error code of its own, from the other reasons for which a database does not
	/// open: RocksDB has one message for a lock held by this process and one for a lock held by another.
	pub(super) fn from_open(path: &Path, error: rocksdb::Error) -> Self {
		let text = error.to_string();
		if text.contains("lock hold by current process") || text.contains("While lock file") {
			Self::InUse { path: path.to_owned() }
		} else {
			Self::Database(text)
		}
	}
}

impl From<rocksdb::Error> for StoreError {
	fn from(error: rocksdb::Error) -> Self {
		Self::Database(error.to_string())
	}
}
