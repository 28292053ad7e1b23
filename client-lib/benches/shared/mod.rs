//! What the benchmarks of the client share: members with and without Lockstep that do the same, and groups of them.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

pub mod grow;
pub mod log;
pub mod ours;
pub mod raw;
pub mod table;

use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What a member of either kind does. All of it is the whole of the operation: from bytes to bytes, and with everything
/// stored that is to be stored.
pub trait Member: Sized {
	/// A commit, and the Welcome that goes with it.
	type Commit;

	/// A member that is in no group yet.
	fn outside(&self, name: &str) -> Self;
	/// Its KeyPackage.
	fn key_package(&mut self) -> Vec<u8>;
	/// Joins by the Welcome that came with a commit.
	fn join(&mut self, commit: &Self::Commit);
	/// Adds members, and goes to the next epoch.
	fn add(&mut self, packages: Vec<Vec<u8>>) -> Self::Commit;
	/// Removes members, and goes to the next epoch.
	fn remove(&mut self, names: Vec<String>) -> Self::Commit;
	/// Renews its keys, and goes to the next epoch.
	fn update(&mut self) -> Self::Commit;
	/// Goes to the epoch that the commit of another opens.
	fn process(&mut self, commit: &Self::Commit);
	/// Encrypts a message.
	fn encrypt(&mut self, data: &[u8]) -> Vec<u8>;
	/// Reads the message of another.
	fn decrypt(&mut self, bytes: &[u8]);
	/// Does what comes after an operation and nobody waits for: a node takes statements, messages are acknowledged.
	fn rest(&mut self) {}
	/// Whether its path would be encrypted to more nodes than this, and its renewal would help that.
	fn has_long_path(&self, limit: u32) -> bool;
	/// How many members its group has.
	fn size(&self) -> usize;
}

/// Where stores lie: in memory, where to sync is nothing, so that what a client does itself is measured; or on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
	/// A file system in memory.
	Memory,
	/// The folder for temporary files.
	Disk,
}

/// The file system in memory that Linux always has.
const MEMORY: &str = "/dev/shm";

impl Place {
	pub fn folder(self) -> TempDir {
		let parent = match self {
			Self::Memory if Path::new(MEMORY).is_dir() => PathBuf::from(MEMORY),
			_ => std::env::temp_dir(),
		};
		tempfile::Builder::new().prefix("lockstep-bench").tempdir_in(parent).expect("a folder")
	}
}

/// Copies the files of a closed store.
pub fn copy(from: &Path, to: &Path) {
	for entry in std::fs::read_dir(from).expect("a folder") {
		let entry = entry.expect("it is readable");
		std::fs::copy(entry.path(), to.join(entry.file_name())).expect("it can be copied");
	}
}
