//! A disk in memory, for simulations: cheap to make, to copy as it would be found after a crash, and to break.

use super::{Backend, Batch, Visitor};
use crate::store::StoreError;
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
	failing_writes: Faults,
	failing_reads: Faults,
}

/// Operations that are yet to fail.
#[derive(Clone, Copy, Default)]
struct Faults {
	/// How many succeed first.
	after: u64,
	count: u64,
}

impl Faults {
	/// Whether the operation that is about to happen fails.
	fn strike(&mut self) -> bool {
		if self.count == 0 {
			return false;
		}
		if let Some(after) = self.after.checked_sub(1) {
			self.after = after;
			return false;
		}
		self.count = self.count.saturating_sub(1);
		true
	}
}

impl MemoryDisk {
	/// An empty disk.
	pub fn new() -> Self {
		Self::default()
	}

	/// Another disk with what is on this one now, and without its faults.
	pub fn snapshot(&self) -> Self {
		let entries = self.lock().entries.clone();
		Self(Arc::new(Mutex::new(Disk { entries, ..Disk::default() })))
	}

	/// Lets `after` writes succeed and the `count` writes after them fail. A failing write changes nothing.
	pub fn fail_writes(&self, after: u64, count: u64) {
		self.lock().failing_writes = Faults { after, count };
	}

	/// Lets `after` reads succeed and the `count` reads after them fail. A scan is one read.
	pub fn fail_reads(&self, after: u64, count: u64) {
		self.lock().failing_reads = Faults { after, count };
	}

	/// How many writes succeeded so far: the points at which a client can have been killed.
	pub fn writes(&self) -> u64 {
		self.lock().writes
	}

	/// Whether the same bytes are on both.
	pub fn is_same(&self, other: &Self) -> bool {
		// not both locks at once: they may be of one disk
		let entries = self.lock().entries.clone();
		entries == other.lock().entries
	}

	fn lock(&self) -> MutexGuard<'_, Disk> {
		// Nothing panics while it is held.
		self.0.lock().unwrap_or_else(PoisonError::into_inner)
	}

	fn reading(&self) -> Result<MutexGuard<'_, Disk>, StoreError> {
		let mut disk = self.lock();
		if disk.failing_reads.strike() {
			return Err(StoreError::Database("a simulated fault in reading".to_owned()));
		}
		Ok(disk)
	}
}

impl std::fmt::Debug for MemoryDisk {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("MemoryDisk").field("entries", &self.lock().entries.len()).finish_non_exhaustive()
	}
}

impl Backend for MemoryDisk {
	fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
		Ok(self.reading()?.entries.get(name).map(|value| value.to_vec()))
	}

	fn scan(&self, prefix: &[u8], visit: &mut Visitor<'_>) -> Result<(), StoreError> {
		let disk = self.reading()?;
		let mut entries = disk.entries.range(prefix.to_vec()..).take_while(|(name, _)| name.starts_with(prefix));
		entries.try_for_each(|(name, value)| visit(name, value))
	}

	fn write(&self, batch: Batch) -> Result<(), StoreError> {
		let mut disk = self.lock();
		if disk.failing_writes.strike() {
			return Err(StoreError::Database("a simulated fault in writing".to_owned()));
		}
		disk.writes = disk.writes.saturating_add(1);
		for (name, value) in batch {
			match value {
				Some(value) => disk.entries.insert(name, value.into()),
				None => disk.entries.remove(&name),
			};
		}
		Ok(())
	}

	fn compact(&self) -> Result<(), StoreError> {
		Ok(())
	}

	fn is_empty(&self) -> Result<bool, StoreError> {
		Ok(self.reading()?.entries.is_empty())
	}
}
