//! The member's own records: everything that is not OpenMLS state.

use super::{key::Key, Overlay, StoreError};
use serde::{de::DeserializeOwned, Serialize};

/// A type that is stored as a record.
///
/// Its serialised form is on disk for years: fields may be added with `#[serde(default)]`, never renamed or given
/// another meaning; a type that must change more gets another kind.
pub trait Record: Serialize + DeserializeOwned {
	/// The name of this kind of record: unique in the store, at most 32 bytes.
	const KIND: &'static str;
}

impl Overlay<'_> {
	/// Stores `record` under `key`, in the place of any earlier one.
	///
	/// # Errors
	/// [`StoreError::Unencodable`] if it does not serialise.
	pub fn put<R: Record>(&self, key: &[u8], record: &R) -> Result<(), StoreError> {
		self.write(Key::new(R::KIND, key), record)
	}

	/// The record stored under `key`, if there is one.
	///
	/// # Errors
	/// [`StoreError::Corrupt`] if it does not decode, [`StoreError::Database`] if it cannot be read.
	pub fn get<R: Record>(&self, key: &[u8]) -> Result<Option<R>, StoreError> {
		self.read(&Key::new(R::KIND, key))
	}

	/// Deletes the record under `key`, if there is one.
	///
	/// # Errors
	/// None in this version.
	pub fn delete<R: Record>(&self, key: &[u8]) -> Result<(), StoreError> {
		self.remove(Key::new(R::KIND, key));
		Ok(())
	}

	/// The records of this kind whose keys begin with `prefix`, with their keys, in the order of the keys.
	///
	/// # Errors
	/// [`StoreError::Corrupt`] if one does not decode, [`StoreError::Database`] if they cannot be read.
	pub fn list<R: Record>(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, R)>, StoreError> {
		self.scan(&Key::new(R::KIND, prefix))
	}

	/// The same, without those that are damaged: for records that can be done without.
	///
	/// # Errors
	/// [`StoreError::Database`] if they cannot be read.
	pub fn list_readable<R: Record>(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, R)>, StoreError> {
		self.scan_readable(&Key::new(R::KIND, prefix))
	}

	/// The keys of the records of this kind whose keys begin with `prefix`, in their order, whatever the records say.
	///
	/// # Errors
	/// [`StoreError::Corrupt`] if one was moved or exchanged, [`StoreError::Database`] if they cannot be read.
	pub fn keys<R: Record>(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
		self.own_keys(&Key::new(R::KIND, prefix))
	}

	/// Deletes the records of this kind whose keys begin with `prefix`, whatever they say. One that was moved or exchanged stays:
	/// it does not open, also for nobody else.
	///
	/// # Errors
	/// [`StoreError::Database`] if it cannot be read which there are.
	pub fn delete_all<R: Record>(&self, prefix: &[u8]) -> Result<(), StoreError> {
		self.remove_all(&Key::new(R::KIND, prefix))
	}
}
