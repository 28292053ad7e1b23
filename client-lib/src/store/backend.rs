//! Where records end up: an ordered map of bytes that takes atomic, durable writes.
//!
//! A backend sees names and ciphertexts only. The rest of the store does not know which one it is on.

#[cfg(any(test, feature = "simulation"))]
pub(super) mod memory;
pub(super) mod rocks;

use super::StoreError;

/// A write: a name, and its new value or its deletion.
pub(super) type Entry = (Vec<u8>, Option<Vec<u8>>);

/// Writes that take effect together.
pub(super) type Batch = Vec<Entry>;

/// Takes the entries of a scan, one after the other, in the order of their names.
pub(super) type Visitor<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError> + 'a;

/// An ordered map of bytes. After an error it stays usable: what failed left nothing behind, and the next call works
/// as soon as the cause is gone.
pub(super) trait Backend: std::fmt::Debug + Send + Sync {
	/// The value under a name.
	fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

	/// Shows every entry whose name begins with `prefix`; ends with the visitor's first error.
	fn scan(&self, prefix: &[u8], visit: &mut Visitor<'_>) -> Result<(), StoreError>;

	/// Does all of a batch or nothing. It is on disk when this returns, and in no case half of it.
	fn write(&self, batch: Batch) -> Result<(), StoreError>;

	/// Rewrites the files, so that what was overwritten or deleted is in none of them.
	fn compact(&self) -> Result<(), StoreError>;

	/// Whether there is no entry at all.
	fn is_empty(&self) -> Result<bool, StoreError>;
}
