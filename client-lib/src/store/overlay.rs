//! A transaction: writes in memory over reads from the database.

use super::{codec, key::Key, Store, StoreError};
use serde::{de::DeserializeOwned, Serialize};
use std::{cell::RefCell, collections::BTreeMap};
use zeroize::Zeroizing;

/// The writes of an overlay by the bytes of their keys; `None` is a deletion.
pub(super) type Writes = BTreeMap<Vec<u8>, Option<Zeroizing<Vec<u8>>>>;

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
}

enum Below<'a> {
	Store(&'a Store),
	Overlay(&'a Overlay<'a>),
}

impl<'a> Overlay<'a> {
	pub(super) fn on_store(store: &'a Store) -> Self {
		Self::new(Below::Store(store))
	}

	/// A transaction within this one: [`Self::commit`] moves its writes into this overlay, dropping it leaves this
	/// one as it was.
	pub fn nested(&'a self) -> Overlay<'a> {
		Self::new(Below::Overlay(self))
	}

	fn new(below: Below<'a>) -> Self {
		Self { below, writes: RefCell::default(), fault: RefCell::default() }
	}

	/// Writes everything to what lies below: to the database in one synchronous batch, which is on disk when this
	/// returns, or into the outer overlay.
	///
	/// # Errors
	/// [`StoreError::Faulted`] if a read or write of this overlay failed before; [`StoreError::Full`],
	/// [`StoreError::ReadOnly`] or another if the batch cannot be written. In either case nothing was: the change can
	/// be made again, from what is stored, when the cause is gone.
	pub fn commit(self) -> Result<(), StoreError> {
		if let Some(fault) = self.fault.take() {
			return Err(StoreError::Faulted(Box::new(fault)));
		}
		let writes = self.writes.into_inner();
		match self.below {
			Below::Overlay(outer) => {
				outer.writes.borrow_mut().extend(writes);
				Ok(())
			}
			Below::Store(_) if writes.is_empty() => Ok(()),
			Below::Store(store) => store.write(&writes),
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

	pub(super) fn write<T: Serialize + ?Sized>(&self, key: Key, value: &T) -> Result<(), StoreError> {
		let bytes = self.noting(codec::encode(&key, value))?;
		self.writes.borrow_mut().insert(key.bytes().to_vec(), Some(bytes));
		Ok(())
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
		self.noting(self.collect(prefix, &mut found))?;
		let present = found.into_iter().filter_map(|(key, value)| Some((prefix.sibling(&key), value?)));
		present.map(|(key, value)| Ok((key.own().to_vec(), self.noting(codec::decode(&key, &value))?))).collect()
	}

	/// The bytes under a key, from the uppermost overlay that wrote it.
	fn bytes(&self, key: &Key) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
		if let Some(value) = self.writes.borrow().get(key.bytes()) {
			return Ok(value.clone());
		}
		match self.below {
			Below::Overlay(outer) => outer.bytes(key),
			Below::Store(store) => store.read(key),
		}
	}

	/// Gathers the entries under `prefix` from the bottom up, so that later writes cover earlier ones.
	fn collect(&self, prefix: &Key, found: &mut Writes) -> Result<(), StoreError> {
		match self.below {
			Below::Overlay(outer) => outer.collect(prefix, found)?,
			Below::Store(store) => store.scan(prefix, found)?,
		}
		let writes = self.writes.borrow();
		let own = writes.range(prefix.bytes().to_vec()..).take_while(|(key, _)| key.starts_with(prefix.bytes()));
		found.extend(own.map(|(key, value)| (key.clone(), value.clone())));
		Ok(())
	}

	/// Remembers the first failure, and passes the result on.
	fn noting<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
		if let Err(error) = &result {
			self.fault.borrow_mut().get_or_insert_with(|| error.clone());
		}
		result
	}
}

impl std::fmt::Debug for Overlay<'_> {
	/// Counts only: what is in an overlay is mostly secret.
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("Overlay").field("writes", &self.writes.borrow().len()).finish_non_exhaustive()
	}
}
