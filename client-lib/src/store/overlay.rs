//! A transaction: writes in memory over reads from the database.

use super::{
	codec,
	kept::{Value, Values},
	key::{self, Key},
	Store, StoreError,
};
use serde::{de::DeserializeOwned, Serialize};
use std::{
	cell::{Cell, RefCell},
	collections::BTreeMap,
};
use zeroize::Zeroizing;

/// The writes of an overlay by the bytes of their keys; `None` is a deletion.
pub(super) type Writes = BTreeMap<Vec<u8>, Option<Zeroizing<Vec<u8>>>>;

/// What becomes of a search that meets a record which does not open.
pub(super) type Unopened = fn(StoreError) -> Result<(), StoreError>;

/// A transaction on a [`Store`], or on another overlay.
///
/// Reads see its own writes first. Nothing reaches what lies below before [`Self::commit`]; dropping the overlay
/// discards everything. It is the storage that OpenMLS gets, so that MLS state and the member's own records change
/// together or not at all.
///
/// After a read or write has failed the overlay refuses to commit: OpenMLS swallows some storage errors, and what it
/// wrote afterwards may be half of a change. [`Self::fault`] says what failed.
pub struct Overlay<'a> {
	below: Below<'a>,
	writes: RefCell<Writes>,
	fault: RefCell<Option<StoreError>>,
	/// Values that are what the records in this overlay say ([`super::kept`]).
	kept: RefCell<Values>,
	/// The writes to the store before the outermost overlay began.
	since: u64,
	/// See [`Overlay::past_epochs_stay`](Self::past_epochs_stay).
	pub(super) elements_stay: Cell<bool>,
	/// See [`Self::counts_on_records`].
	counted: Cell<Option<u64>>,
}

enum Below<'a> {
	Store(&'a Store),
	Overlay(&'a Overlay<'a>),
}

impl<'a> Overlay<'a> {
	pub(super) fn on_store(store: &'a Store) -> Self {
		Self::new(Below::Store(store), store.kept().writes())
	}

	/// A transaction within this one: [`Self::commit`] moves its writes into this overlay, dropping it leaves this
	/// one as it was.
	pub fn nested(&'a self) -> Overlay<'a> {
		Self::new(Below::Overlay(self), self.since)
	}

	fn new(below: Below<'a>, since: u64) -> Self {
		Self {
			below,
			writes: RefCell::default(),
			fault: RefCell::default(),
			kept: RefCell::default(),
			since,
			elements_stay: Cell::default(),
			counted: Cell::default(),
		}
	}

	/// Writes everything to what lies below: to the database in one synchronous batch, which is on disk when this
	/// returns, or into the outer overlay.
	///
	/// # Errors
	/// [`StoreError::Faulted`] if a read or write of this overlay failed before; [`StoreError::Overtaken`] if it is one of two
	/// that must not both be committed ([`Store::overlay`]); [`StoreError::Full`], [`StoreError::ReadOnly`] or another if the
	/// batch cannot be written. In either case nothing was: the change can be made again, from what is stored, when the cause
	/// is gone.
	pub fn commit(self) -> Result<(), StoreError> {
		if let Some(fault) = self.fault.take() {
			return Err(StoreError::Faulted(Box::new(fault)));
		}
		let (writes, kept) = (self.writes.into_inner(), self.kept.into_inner());
		match self.below {
			Below::Overlay(outer) => {
				let mut outer_kept = outer.kept.borrow_mut();
				writes.keys().for_each(|key| drop(outer_kept.remove(key::split(key).1)));
				outer_kept.extend(kept);
				outer.writes.borrow_mut().extend(writes);
				outer.counted.set([outer.counted.get(), self.counted.get()].into_iter().flatten().min());
				Ok(())
			}
			Below::Store(_) if writes.is_empty() => Ok(()),
			Below::Store(store) => store.write(&writes, self.since, self.counted.get(), kept),
		}
	}

	/// What is written next is right only for the records that are there now: those of a value that is kept in several are deleted
	/// and left by what its first one says. So nobody else may write such a value before this overlay is committed.
	pub(super) fn counts_on_records(&self) {
		if self.counted.get().is_none() {
			self.counted.set(Some(self.store().kept().several()));
		}
	}

	fn store(&self) -> &Store {
		match self.below {
			Below::Store(store) => store,
			Below::Overlay(outer) => outer.store(),
		}
	}

	/// The first read or write of this overlay that failed, if any did.
	pub fn fault(&self) -> Option<StoreError> {
		self.fault.borrow().clone()
	}

	/// Whether nothing was written to this overlay.
	#[cfg(test)]
	pub(crate) fn is_clean(&self) -> bool {
		self.writes.borrow().is_empty()
	}

	/// How many records were written to this overlay, or deleted.
	#[cfg(test)]
	pub(super) fn write_count(&self) -> usize {
		self.writes.borrow().len()
	}

	pub(super) fn write<T: Serialize + ?Sized>(&self, key: Key, value: &T) -> Result<(), StoreError> {
		let bytes = self.noting(codec::encode(&key, value))?;
		self.put_bytes(&key, bytes);
		Ok(())
	}

	pub(super) fn put_bytes(&self, key: &Key, bytes: Zeroizing<Vec<u8>>) {
		self.writes.borrow_mut().insert(key.bytes().to_vec(), Some(bytes));
	}

	pub(super) fn remove(&self, key: Key) {
		self.writes.borrow_mut().insert(key.bytes().to_vec(), None);
	}

	pub(super) fn read<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, StoreError> {
		let bytes = self.noting(self.bytes(key))?;
		bytes.map(|bytes| self.noting(codec::decode(key, &bytes))).transpose()
	}

	/// The record under `key`, which another record says is there.
	pub(super) fn require<T: DeserializeOwned>(&self, key: &Key) -> Result<T, StoreError> {
		let missing = || StoreError::Corrupt { kind: key.kind(), reason: "it is missing".to_owned() };
		let value = self.read(key)?;
		self.noting(value.ok_or_else(missing))
	}

	/// The records whose keys begin with `prefix`: own key and value.
	pub(super) fn scan<T: DeserializeOwned>(&self, prefix: &Key) -> Result<Vec<(Vec<u8>, T)>, StoreError> {
		let mut found = Writes::new();
		self.noting(self.collect(prefix, &mut found, Err))?;
		let present = found.into_iter().filter_map(|(key, value)| Some((prefix.sibling(&key), value?)));
		present.map(|(key, value)| Ok((key.own().to_vec(), self.noting(codec::decode(&key, &value))?))).collect()
	}

	/// The same, without those that do not open or decode.
	pub(super) fn scan_readable<T: DeserializeOwned>(&self, prefix: &Key) -> Result<Vec<(Vec<u8>, T)>, StoreError> {
		let mut found = Writes::new();
		self.noting(self.collect(prefix, &mut found, pass_over))?;
		let present = found.into_iter().filter_map(|(key, value)| Some((prefix.sibling(&key), value?)));
		let readable = present.filter_map(|(key, value)| match codec::decode(&key, &value) {
			Ok(record) => Some((key.own().to_vec(), record)),
			Err(error) => {
				tracing::warn!(%error, "a record is passed over");
				None
			}
		});
		Ok(readable.collect())
	}

	/// The own keys of the records whose keys begin with `prefix`, whatever these hold.
	pub(super) fn own_keys(&self, prefix: &Key) -> Result<Vec<Vec<u8>>, StoreError> {
		let mut found = Writes::new();
		self.noting(self.collect(prefix, &mut found, Err))?;
		let present = found.into_iter().filter(|(_, value)| value.is_some());
		Ok(present.map(|(key, _)| prefix.sibling(&key).own().to_vec()).collect())
	}

	/// Deletes the records whose keys begin with `prefix`, whatever they hold. Those that do not open stay.
	pub(super) fn remove_all(&self, prefix: &Key) -> Result<(), StoreError> {
		let mut found = Writes::new();
		self.noting(self.collect(prefix, &mut found, pass_over))?;
		self.writes.borrow_mut().extend(found.into_keys().map(|key| (key, None)));
		Ok(())
	}

	/// What a read gives, or nothing if what it reads is damaged ([`StoreError::Corrupt`]): for what can be done without. It is
	/// read in a transaction of its own, for one that has failed to read something writes nothing any more.
	pub(crate) fn if_readable<T>(
		&self,
		read: impl FnOnce(&Overlay<'_>) -> Result<Option<T>, StoreError>,
	) -> Result<Option<T>, StoreError> {
		match read(&self.nested()) {
			Err(error @ StoreError::Corrupt { .. }) => pass_over(error).map(|()| None),
			read => read,
		}
	}

	/// The bytes of the records whose keys begin with `prefix`.
	#[cfg(test)]
	pub(super) fn scan_bytes(&self, prefix: &Key) -> Vec<Zeroizing<Vec<u8>>> {
		let mut found = Writes::new();
		self.collect(prefix, &mut found, Err).expect("the database is readable");
		found.into_values().flatten().collect()
	}

	/// The bytes under a key, from the uppermost overlay that wrote it.
	pub(super) fn bytes(&self, key: &Key) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
		if let Some(value) = self.writes.borrow().get(key.bytes()) {
			return Ok(value.clone());
		}
		match self.below {
			Below::Overlay(outer) => outer.bytes(key),
			Below::Store(store) => store.read(key),
		}
	}

	/// Gathers the entries under `prefix` from the bottom up, so that later writes cover earlier ones.
	fn collect(&self, prefix: &Key, found: &mut Writes, unopened: Unopened) -> Result<(), StoreError> {
		match self.below {
			Below::Overlay(outer) => outer.collect(prefix, found, unopened)?,
			Below::Store(store) => store.scan(prefix, found, unopened)?,
		}
		let writes = self.writes.borrow();
		let own = writes.range(prefix.bytes().to_vec()..).take_while(|(key, _)| key.starts_with(prefix.bytes()));
		found.extend(own.map(|(key, value)| (key.clone(), value.clone())));
		Ok(())
	}

	/// Takes a kept value from the uppermost overlay that has it, unless its records were written since.
	pub(super) fn take_value(&self, name: &[u8]) -> Option<Value> {
		if let Some(value) = self.kept.borrow_mut().remove(name) {
			return Some(value);
		}
		if self.has_written(name) {
			return None;
		}
		match self.below {
			Below::Overlay(outer) => outer.take_value(name),
			Below::Store(store) => store.kept().take(name),
		}
	}

	pub(super) fn keep_value(&self, name: Vec<u8>, value: Value) {
		self.kept.borrow_mut().insert(name, value);
	}

	/// Lets a value down to where its records were written last.
	pub(super) fn give_value_back(&self, name: Vec<u8>, value: Value) {
		match self.below {
			_ if self.has_written(&name) => self.keep_value(name, value),
			Below::Overlay(outer) => outer.give_value_back(name, value),
			Below::Store(store) => store.kept().give_back(name, value, self.since),
		}
	}

	fn has_written(&self, name: &[u8]) -> bool {
		self.writes.borrow().keys().any(|key| key::split(key).1 == name)
	}

	/// Remembers the first failure, and passes the result on.
	pub(super) fn noting<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
		if let Err(error) = &result {
			self.fault.borrow_mut().get_or_insert_with(|| error.clone());
		}
		result
	}
}

/// Goes on without a record that is damaged.
fn pass_over(error: StoreError) -> Result<(), StoreError> {
	tracing::warn!(%error, "a record is passed over");
	Ok(())
}

impl std::fmt::Debug for Overlay<'_> {
	/// Counts only: what is in an overlay is mostly secret.
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("Overlay").field("writes", &self.writes.borrow().len()).finish_non_exhaustive()
	}
}
