//! Values made of records, kept in memory so that they need not be made again.
//!
//! To read a group of a hundred members from its records takes longer than most of what is done with it. So whoever has
//! worked with such a value may leave it behind, and the next one takes it instead of reading the records. A kept value
//! is exactly what the records say, by these rules:
//!
//! - It is taken out to be worked with. If the work fails, or its overlay is dropped, the value goes with it, and the
//!   next one reads the records: memory is never ahead of the disk.
//! - It comes back with the write of what was changed in it, when that has succeeded ([`Overlay::keep`]), or unchanged
//!   ([`Overlay::give_back`]).
//! - A record that is written or deleted under a value's key makes the value void, whoever does it.
//! - If anything else was written to the store since an overlay began, what it brings back is not kept.

use super::{key, key::Key, Overlay};
use serde::Serialize;
use std::{any::Any, collections::BTreeMap};

/// A value of a type that only its maker knows.
pub(super) type Value = Box<dyn Any + Send>;

/// Values by what the own keys of their records are.
pub(super) type Values = BTreeMap<Vec<u8>, Value>;

/// The most values that a store keeps; the one that came back first goes. A member talks in few groups at a time.
pub(super) const MOST: usize = 8;

/// The kept values of a store.
#[derive(Default)]
pub(super) struct Kept {
	values: BTreeMap<Vec<u8>, (u64, Value)>,
	/// Counts writes to the store.
	writes: u64,
	/// Counts those with values in them that are kept in several records.
	several: u64,
	/// Counts values that came back.
	returns: u64,
}

impl Kept {
	/// How many writes there have been.
	pub(super) fn writes(&self) -> u64 {
		self.writes
	}

	/// How many there have been with values in them that are kept in several records.
	pub(super) fn several(&self) -> u64 {
		self.several
	}

	/// Whether an overlay may be written that has counted so many of these, or has none of them: then it is the next one.
	pub(super) fn is_next(&mut self, counted: Option<u64>) -> bool {
		let Some(counted) = counted else { return true };
		let is_next = counted == self.several;
		self.several = self.several.wrapping_add(u64::from(is_next));
		is_next
	}

	pub(super) fn take(&mut self, key: &[u8]) -> Option<Value> {
		self.values.remove(key).map(|(_, value)| value)
	}

	/// Keeps a value as it was taken, unless something was written since.
	pub(super) fn give_back(&mut self, key: Vec<u8>, value: Value, since: u64) {
		if self.writes == since {
			self.put(key, value);
		}
	}

	/// The records under these keys were written, or may have been; if they were, by an overlay that began at `since` and
	/// leaves these values.
	pub(super) fn written<'a>(&mut self, keys: impl Iterator<Item = &'a Vec<u8>>, since: u64, left: Option<Values>) {
		keys.for_each(|key| drop(self.values.remove(key::split(key).1)));
		let alone = self.writes == since;
		self.writes = self.writes.wrapping_add(1);
		if let Some(left) = left.filter(|_| alone) {
			left.into_iter().for_each(|(key, value)| self.put(key, value));
		}
	}

	fn put(&mut self, key: Vec<u8>, value: Value) {
		self.returns = self.returns.wrapping_add(1);
		self.values.insert(key, (self.returns, value));
		if self.values.len() > MOST {
			let oldest = self.values.iter().min_by_key(|(_, (returned, _))| *returned).map(|(key, _)| key.clone());
			oldest.and_then(|oldest| self.values.remove(&oldest));
		}
	}
}

/// The own key of the records that a value is made of. None if there can be no such record.
fn name<K: Serialize + ?Sized>(of: &K) -> Option<Vec<u8>> {
	Some(Key::of("kept", of).ok()?.own().to_vec())
}

impl Overlay<'_> {
	/// Takes what was kept of the records under `of`, as they are in this overlay. It is the caller's then: to be brought
	/// back by [`Self::keep`] or [`Self::give_back`], or dropped.
	pub(crate) fn take<K: Serialize + ?Sized, T: Any>(&self, of: &K) -> Option<T> {
		self.take_value(&name(of)?)?.downcast().ok().map(|value| *value)
	}

	/// Keeps what the records under `of` say after what was written to this overlay, once that is committed.
	pub(crate) fn keep<K: Serialize + ?Sized, T: Any + Send>(&self, of: &K, value: T) {
		if let Some(name) = name(of) {
			self.keep_value(name, Box::new(value));
		}
	}

	/// Brings back what [`Self::take`] gave on this overlay or one within it, unchanged.
	pub(crate) fn give_back<K: Serialize + ?Sized, T: Any + Send>(&self, of: &K, value: T) {
		if let Some(name) = name(of) {
			self.give_value_back(name, Box::new(value));
		}
	}
}
