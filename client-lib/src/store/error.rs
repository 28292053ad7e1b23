//! What can go wrong with the store.

use std::path::{Path, PathBuf};

/// Why the store cannot be opened, read or written.
///
/// Whatever it is, what was committed before is still there and nothing of what failed is. Where the cause can pass
/// ([`Full`](Self::Full), [`ReadOnly`](Self::ReadOnly), [`Folder`](Self::Folder), [`Database`](Self::Database)), a
/// store that is open goes on when it has passed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
	/// Another process, or another client in this one, has the store open.
	#[error("the store at {} is in use; close the other client or give this one a folder of its own", path.display())]
	InUse {
		/// The folder of the store.
		path: PathBuf,
	},
	/// The store was made with, or changed to, another key. It is undamaged as far as can be told.
	#[error("the key does not open this store; give the passphrase or key that it was made with or last changed to")]
	WrongKey,
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
	/// The folder holds a database, but not a member's store.
	#[error("the folder holds a database that is not a member's store; give the client another folder")]
	Schema,
	/// The folder cannot be made or used.
	#[error("the folder {} cannot hold the store; give the client another one, or see to its permissions: {reason}", path.display())]
	Folder {
		/// The folder of the store.
		path: PathBuf,
		/// What the system says.
		reason: String,
	},
	/// The disk is full.
	#[error("the disk of the store at {} is full; nothing was written: free 16 MiB or more and try again", path.display())]
	Full {
		/// The folder of the store.
		path: PathBuf,
	},
	/// The disk is read-only.
	#[error("the disk of the store at {} is read-only; nothing was written: make it writable and try again", path.display())]
	ReadOnly {
		/// The folder of the store.
		path: PathBuf,
	},
	/// The database reports another error.
	#[error("the database cannot be read or written; check the disk: {0}")]
	Database(String),
	/// Files of the database are damaged, or writes that were reported as done are missing from them.
	#[error(
		"the database is damaged; check the disk, then restore the store from a backup or join the groups anew: {0}"
	)]
	Damaged(String),
	/// A record was damaged, moved or exchanged, or does not decode.
	///
	/// If it is of a group's MLS state, or of the keys of its epochs, the group alone is lost: a client that is open asks its
	/// members for a new leaf, and goes on in the same store. Some records a client can do without. Without others, such as that
	/// of a membership, an intent, or what waits in the inbox or outbox, it does not open: then a backup makes a new store
	/// ([`Backup::restore`](crate::Backup::restore)), or the member rejoins its groups with a store that is empty.
	#[error(
		"a stored record of kind {kind} is damaged ({reason}); if it is of a group's state, the client asks the members to \
		 readmit it; if the client does not open, restore a backup as a new store, or rejoin the groups with an empty one"
	)]
	Corrupt {
		/// What kind of record it is.
		kind: &'static str,
		/// What is wrong with it.
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
	/// Another overlay has written a group's tree or past epochs since this one began to.
	#[error("nothing was written, because another change of a group was written meanwhile; make this one again")]
	Overtaken,
}

impl StoreError {
	/// Whether the cause can pass: then a store that is open goes on when it has.
	pub(crate) fn may_pass(&self) -> bool {
		match self {
			Self::Full { .. } | Self::ReadOnly { .. } | Self::Folder { .. } | Self::Database(_) | Self::Overtaken => {
				true
			}
			Self::Faulted(first) => first.may_pass(),
			_ => false,
		}
	}

	/// What RocksDB says when it cannot be opened. Tells a held lock, which has no error code of its own, from the
	/// other reasons: there is one message for a lock held by this process and one for a lock held by another.
	pub(super) fn from_open(path: &Path, error: &rocksdb::Error) -> Self {
		let text = error.as_ref();
		if text.contains("lock hold by current process") || text.contains("While lock file") {
			return Self::InUse { path: path.to_owned() };
		}
		match Self::from_rocks(path, error) {
			// Its texts are many. Whether the folder takes a file says more.
			Self::Database(text) => super::folder::probe(path, 1).err().unwrap_or(Self::Database(text)),
			error => error,
		}
	}

	/// What RocksDB says when it is open.
	pub(super) fn from_rocks(path: &Path, error: &rocksdb::Error) -> Self {
		let (text, path) = (error.as_ref(), path.to_owned());
		// RocksDB passes on what the system says, in the C locale; it has codes for few causes.
		if text.contains("No space left on device") || text.contains("Disk quota exceeded") {
			Self::Full { path }
		} else if text.contains("Read-only file system") {
			Self::ReadOnly { path }
		} else if error.kind() == rocksdb::ErrorKind::Corruption {
			Self::Damaged(text.to_owned())
		} else {
			Self::Database(text.to_owned())
		}
	}
}
