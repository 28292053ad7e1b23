//! RocksDB in a folder.
//!
//! After a failed write RocksDB refuses all others until it is told to resume, and the crate that binds it cannot
//! tell it. It is closed and opened again instead, as soon as the folder takes writes again. There is one trap: a
//! batch whose write failed may have reached the log all the same, if it was the synchronisation that failed, and
//! would then be there after opening. So what lay under its names is remembered, and is put back at that occasion.

mod open;

use super::{Backend, Batch, Entry, Visitor};
use crate::store::{folder, StoreError};
use rocksdb::{
	BottommostLevelCompaction, CompactOptions, Direction, IteratorMode, PrefixRange, ReadOptions, WriteBatch,
	WriteOptions, DB,
};
use std::{
	path::{Path, PathBuf},
	sync::{PoisonError, RwLock},
};

/// Bytes that must be free, beyond those of the write, before a database that failed is opened again: opening
/// writes the recent writes and its own records to new files. A database that is not opened can still be read.
const ROOM: usize = 4 * 1024 * 1024;
/// What RocksDB adds to each entry of a batch, and to the batch, at most.
const OVERHEAD: usize = 16;

pub(in crate::store) struct Rocks {
	path: PathBuf,
	state: RwLock<State>,
}

struct State {
	/// None after it failed, was closed, and could not be opened again yet.
	db: Option<DB>,
	health: Health,
}

enum Health {
	Well,
	/// A write failed. This puts back what it may have changed.
	Failed(Batch),
	/// A write failed, and what it may have changed could not be read.
	Unknown,
}

impl Rocks {
	/// Opens the database in this folder, or makes one.
	pub(in crate::store) fn open(path: &Path) -> Result<Self, StoreError> {
		folder::make(path)?;
		let db = open::open(path)?;
		Ok(Self { path: path.to_owned(), state: RwLock::new(State { db: Some(db), health: Health::Well }) })
	}

	/// Reads from the database. That goes on while writes fail.
	fn read<T>(&self, action: impl FnOnce(&DB) -> Result<T, StoreError>) -> Result<T, StoreError> {
		let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
		if let Some(db) = &state.db {
			return action(db);
		}
		drop(state);
		let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
		if state.db.is_none() {
			self.heal(&mut state, 0)?;
		}
		action(state.db.as_ref().ok_or_else(closed)?)
	}

	/// Does what a write does whose synchronisation fails when everything is in the log.
	#[cfg(test)]
	pub(in crate::store) fn fail_after_writing(&self, batch: Batch) {
		let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
		let db = state.db.as_ref().expect("it is open");
		let undo = undo_of(db, &batch).expect("it can be read");
		put(db, &batch).expect("it takes a write");
		state.health = Health::Failed(undo);
	}

	fn try_write(&self, state: &mut State, batch: &[Entry]) -> Result<(), StoreError> {
		let db = state.db.as_ref().ok_or_else(closed)?;
		put(db, batch).map_err(|error| {
			state.health = undo_of(db, batch).map_or(Health::Unknown, Health::Failed);
			StoreError::from_rocks(&self.path, &error)
		})
	}

	/// Opens a database anew that refuses writes, if the folder takes `size` bytes. Until then it stays as it is.
	fn heal(&self, state: &mut State, size: usize) -> Result<(), StoreError> {
		folder::probe(&self.path, size.saturating_add(ROOM))?;
		self.reopen(state)?;
		tracing::info!(path = %self.path.display(), "the store takes writes again");
		Ok(())
	}

	fn reopen(&self, state: &mut State) -> Result<(), StoreError> {
		let undo = match &state.health {
			Health::Well => &[],
			Health::Failed(undo) => undo.as_slice(),
			Health::Unknown => return Err(closed()),
		};
		// It must be closed before it can be opened: it holds the lock.
		state.db = None;
		let db = open::open(&self.path)?;
		put(&db, undo).map_err(|error| StoreError::from_rocks(&self.path, &error))?;
		*state = State { db: Some(db), health: Health::Well };
		Ok(())
	}
}

impl Backend for Rocks {
	fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
		self.read(|db| db.get(name).map_err(|error| StoreError::from_rocks(&self.path, &error)))
	}

	fn scan(&self, prefix: &[u8], visit: &mut Visitor<'_>) -> Result<(), StoreError> {
		self.read(|db| {
			// Without an end it would read on to the next record of another kind, however large that is.
			let mut options = ReadOptions::default();
			options.set_iterate_range(PrefixRange(prefix));
			for entry in db.iterator_opt(IteratorMode::From(prefix, Direction::Forward), options) {
				let (name, value) = entry.map_err(|error| StoreError::from_rocks(&self.path, &error))?;
				if !name.starts_with(prefix) {
					break;
				}
				visit(&name, &value)?;
			}
			Ok(())
		})
	}

	fn write(&self, batch: Batch) -> Result<(), StoreError> {
		let size = size_of(&batch);
		let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
		if matches!(state.health, Health::Well) && self.try_write(&mut state, &batch).is_ok() {
			return Ok(());
		}
		// It may have refused because of trouble that is over: writing to files goes on in the background.
		self.heal(&mut state, size)?;
		self.try_write(&mut state, &batch)
	}

	fn compact(&self) -> Result<(), StoreError> {
		self.read(|db| {
			db.flush().map_err(|error| StoreError::from_rocks(&self.path, &error))?;
			let mut options = CompactOptions::default();
			options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
			db.compact_range_opt(None::<&[u8]>, None::<&[u8]>, &options);
			Ok(())
		})?;
		// The list of files has the first and last name of each that ever was. It is written anew at opening.
		let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
		self.reopen(&mut state)
	}

	fn is_empty(&self) -> Result<bool, StoreError> {
		let first = |db: &DB| db.iterator(IteratorMode::Start).next().transpose();
		self.read(|db| Ok(first(db).map_err(|error| StoreError::from_rocks(&self.path, &error))?.is_none()))
	}
}

impl std::fmt::Debug for Rocks {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("Rocks").field("path", &self.path).finish_non_exhaustive()
	}
}

fn closed() -> StoreError {
	StoreError::Database("it failed in a way that it cannot recover from by itself; open the client again".to_owned())
}

fn put(db: &DB, batch: &[Entry]) -> Result<(), rocksdb::Error> {
	if batch.is_empty() {
		return Ok(());
	}
	// Not grown, so that nothing large is copied once more.
	let overhead = batch.len().saturating_mul(OVERHEAD).saturating_add(OVERHEAD);
	let mut writes = WriteBatch::with_capacity_bytes(size_of(batch).saturating_add(overhead));
	for (name, value) in batch {
		match value {
			Some(value) => writes.put(name, value),
			None => writes.delete(name),
		}
	}
	let mut options = WriteOptions::default();
	options.set_sync(true);
	db.write_opt(writes, &options)
}

/// The bytes of all names and values.
fn size_of(batch: &[Entry]) -> usize {
	let size = batch.iter().map(|(name, value)| name.len().saturating_add(value.as_ref().map_or(0, Vec::len)));
	size.fold(0, usize::saturating_add)
}

/// The batch that puts back what is now under the names of another; none if that cannot be read.
fn undo_of(db: &DB, batch: &[Entry]) -> Option<Batch> {
	batch.iter().map(|(name, _)| Some((name.clone(), db.get(name).ok()?))).collect()
}
