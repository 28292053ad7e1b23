//! A disk in memory, for simulations: cheap to make, to copy as it would be found after a crash, and to break.

use super::StoreError;
use std::{
	collections::BTreeMap,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A disk in memory. Clones are the same disk, and outlive the stores that are opened on it.
///
/// What is on it is exactly what was committed: dropping a client and opening another one on the same disk is a
/// crash and a restart.
#[derive(Clone, Default)]
pub struct MemoryDisk(Arc<Mutex<Disk>>);

#[derive(Clone, Default)]
struct Disk {
	entries: BTreeMap<Vec<u8>, Arc<[u8]>>,
	writes: u64,
	/// How many more writes succeed, and how many fail then.
	failing: Option<(u64, u64)>,
}

impl MemoryDisk {
	/// An empty disk.
	pub fn new() -> Self {
		Self::default()
	}

	/// Lets `after` writes succeed and the `count` writes after them fail. A failing write changes nothing.
	pub fn fail_writes(&self, after: u64, count: u64) {
		self.lock().failing = Some((after, count));
	}

	/// How many writes succeeded so far: the points at which a client can have been killed.
	pub fn writes(&self) -> u64 {
		self.lock().writes
	}

	fn lock(&self) -> MutexGuard<'_, Disk> {
		// Nothing panics while it is held.
		self.0.lock().unwrap_or_else(PoisonError::into_inner)
	}

	pub(super) fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
		Ok(self.lock().entries.get(name).map(|value| value.to_vec()))
	}

	pub(super) fn scan(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
		let disk = self.lock();
		let entries = disk.entries.range(prefix.to_vec()..).take_while(|(name, _)| name.starts_with(prefix));
		Ok(entries.map(|(name, value)| (name.clone(), value.to_vec())).collect())
	}

	pub(super) fn write<'a>(
		&self,
		entries: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>,
	) -> Result<(), StoreError> {
		let mut disk = self.lock();
		match &mut disk.failing {
			Some((0, 0)) | None => {}
			Some((0, count)) => {
				*count = count.saturating_sub(1);
				return Err(StoreError::Database("a simulated fault in writing".to_owned()));
			}
			Some((after, _)) => *after = after.saturating_sub(1),
		}
		disk.writes = disk.writes.saturating_add(1);
		for (name, value) in entries {
			match value {
				Some(value) => disk.entries.insert(name.to_vec(), value.into()),
				None => disk.entries.remove(name),
			};
		}
		Ok(())
	}
}

impl std::fmt::Debug for MemoryDisk {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("MemoryDisk").field("entries", &self.lock().entries.len()).finish_non_exhaustive()
	}
}
