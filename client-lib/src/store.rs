//! A member's store: one RocksDB database that holds the MLS state and the member's own records.
//!
//! All changes go through an [`Overlay`], a transaction whose writes stay in memory until
//! [`Overlay::commit`] puts them into the database as one synchronous batch. MLS state, log position
//! and everything else that must move together does so by being written to the same overlay.

mod codec;
mod error;
mod key;
#[cfg(feature = "simulation")]
mod memory;
mod overlay;
mod provider;
mod record;
mod schema;
#[cfg(test)]
mod tests;
mod writes;

pub use error::StoreError;
#[cfg(feature = "simulation")]
pub use memory::MemoryDisk;
pub use overlay::Overlay;
pub use record::Record;
#[cfg(feature = "hostile")]
pub use writes::{on_write, WritePoint};

use codec::Codec;
use rocksdb::{BlockBasedOptions, Cache, Direction, IteratorMode, LogLevel, Options, WriteBatch, WriteOptions, DB};
use std::{path::Path, sync::Arc};

/// Bytes of recent writes held in memory before they are flushed to a file. A member writes a few
/// hundred kilobytes per epoch; the default of 64 MiB would be most of a client's memory.
const WRITE_BUFFER: usize = 2 * 1024 * 1024;
/// Bytes of blocks cached for reading. The state of an active group is read again and again, and is small.
const BLOCK_CACHE: usize = 2 * 1024 * 1024;
/// Files kept open; a member's database has a handful.
const MAX_OPEN_FILES: i32 = 64;
/// Size at which the log of recent writes forces a flush.
const MAX_WAL: u64 = 8 * 1024 * 1024;
/// Size and number of RocksDB's own log files, which it otherwise never deletes.
const INFO_LOG: (usize, usize) = (256 * 1024, 2);

/// The database of one client. Clones share it; it closes with the last one.
#[derive(Clone)]
pub struct Store {
	db: Backend,
	codec: Codec,
}

impl Store {
	/// Opens the database in the folder `path`, which is created if it does not exist.
	///
	/// # Errors
	/// [`StoreError::InUse`] while another process (or another `Store` of this one) has it open,
	/// [`StoreError::Newer`] if a newer version wrote it, [`StoreError::Schema`] if the folder holds a database
	/// that is not a member's store, [`StoreError::Database`] if it cannot be read or written.
	pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
		let path = path.as_ref();
		let db = DB::open(&options(), path).map_err(|error| StoreError::from_open(path, error))?;
		schema::check(&db)?;
		Ok(Self { db: Backend::Rocks(Arc::new(db)), codec: Codec })
	}

	/// Opens the store on a disk in memory, or makes one there.
	///
	/// # Errors
	/// None in this version.
	#[cfg(feature = "simulation")]
	pub fn in_memory(disk: &MemoryDisk) -> Result<Self, StoreError> {
		Ok(Self { db: Backend::Memory(disk.clone()), codec: Codec })
	}

	/// A new transaction on this store.
	///
	/// Overlays do not see each other's writes. A client uses one at a time: two that are committed one
	/// after the other both take effect, the later one winning where they wrote the same record.
	pub fn overlay(&self) -> Overlay<'_> {
		Overlay::on_store(self)
	}

	#[cfg(test)]
	pub(crate) fn rocks(&self) -> &DB {
		match &self.db {
			Backend::Rocks(db) => db,
			#[cfg(feature = "simulation")]
			Backend::Memory(_) => panic!("the store is in memory"),
		}
	}

	/// Overwrites every record of a kind, or deletes it; gives how many there were.
	#[cfg(test)]
	pub(crate) fn damage(&self, kind: &'static str, with: Option<&[u8]>) -> usize {
		let prefix = key::Key::new(kind, b"");
		let found = self.db.scan(prefix.bytes()).expect("the database is readable");
		let writes = found.iter().map(|(name, _)| (name.as_slice(), with));
		self.db.write(writes).expect("the database takes a write");
		found.len()
	}
}

/// What the records are on.
#[derive(Clone)]
enum Backend {
	Rocks(Arc<DB>),
	#[cfg(feature = "simulation")]
	Memory(MemoryDisk),
}

impl Backend {
	fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
		match self {
			Self::Rocks(db) => Ok(db.get(name)?),
			#[cfg(feature = "simulation")]
			Self::Memory(disk) => disk.get(name),
		}
	}

	/// The entries whose names begin with `prefix`.
	fn scan(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
		match self {
			Self::Rocks(db) => {
				let mut found = Vec::new();
				for entry in db.iterator(IteratorMode::From(prefix, Direction::Forward)) {
					let (name, value) = entry?;
					if !name.starts_with(prefix) {
						break;
					}
					found.push((name.into_vec(), value.into_vec()));
				}
				Ok(found)
			}
			#[cfg(feature = "simulation")]
			Self::Memory(disk) => disk.scan(prefix),
		}
	}

	/// Does all of it or nothing.
	fn write<'a>(&self, entries: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>) -> Result<(), StoreError> {
		match self {
			Self::Rocks(db) => {
				let mut batch = WriteBatch::default();
				for (name, value) in entries {
					match value {
						Some(value) => batch.put(name, value),
						None => batch.delete(name),
					}
				}
				let mut options = WriteOptions::default();
				options.set_sync(true);
				Ok(db.write_opt(batch, &options)?)
			}
			#[cfg(feature = "simulation")]
			Self::Memory(disk) => disk.write(entries),
		}
	}
}

impl std::fmt::Debug for Store {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("Store").finish_non_exhaustive()
	}
}

fn options() -> Options {
	let mut table = BlockBasedOptions::default();
	table.set_block_cache(&Cache::new_lru_cache(BLOCK_CACHE));
	table.set_cache_index_and_filter_blocks(true);
	let mut options = Options::default();
	options.create_if_missing(true);
	options.set_block_based_table_factory(&table);
	options.set_write_buffer_size(WRITE_BUFFER);
	options.set_max_write_buffer_number(2);
	options.set_max_total_wal_size(MAX_WAL);
	options.set_max_open_files(MAX_OPEN_FILES);
	options.set_max_file_opening_threads(1);
	options.set_max_background_jobs(2);
	options.set_log_level(LogLevel::Warn);
	options.set_max_log_file_size(INFO_LOG.0);
	options.set_keep_log_file_num(INFO_LOG.1);
	options.set_stats_dump_period_sec(0);
	options
}
