//! Values a list of which is kept element by element.
//!
//! The message secrets of a group are those of its epoch and of five past ones, each with the list of its members. A message changes
//! the first, a commit adds one; with the others they are a hundred times as long as what changed. So each past epoch is a record of its own.

use super::{
	cbor::Apart,
	codec::{self, Partial},
	key::Key,
	Overlay, StoreError,
};
use serde::{de::DeserializeOwned, Serialize};

/// How a value is taken apart.
pub(super) struct List<K: Fn(u64) -> Result<Key, StoreError>> {
	/// The name of the list.
	pub field: &'static str,
	/// The first field of its elements, which are told apart by it.
	pub number: &'static str,
	/// The key of the element with a number.
	pub key: K,
}

impl Overlay<'_> {
	/// From now on, what is written to this overlay leaves the secrets of past epochs that are stored as they are: some may be added
	/// and some deleted. They need not be written again.
	pub fn past_epochs_stay(&self) {
		self.elements_stay.set(true);
	}

	/// Writes a value and the elements of its list.
	pub(super) fn write_parts<T: Serialize + ?Sized, K: Fn(u64) -> Result<Key, StoreError>>(
		&self,
		key: &Key,
		list: &List<K>,
		value: &T,
	) -> Result<(), StoreError> {
		self.counts_on_records();
		let before = self.numbers(key)?;
		let stays = |number: u64| self.elements_stay.get() && before.contains(&number);
		let apart = Apart { field: list.field, number: list.number, stays: &stays };
		let parts = self.noting(codec::encode_parts(key, value, apart))?;
		#[cfg(test)]
		self.check_parts(key, list, value, &parts)?;
		for number in before.iter().filter(|number| !parts.elements.iter().any(|(kept, _)| kept == *number)) {
			self.remove((list.key)(*number)?);
		}
		for (number, bytes) in parts.elements {
			if let Some(bytes) = bytes {
				self.put_bytes(&(list.key)(number)?, bytes);
			}
		}
		self.put_bytes(key, parts.main);
		Ok(())
	}

	/// Reads what [`Self::write_parts`] wrote, or what was written in one.
	pub(super) fn read_parts<T: DeserializeOwned, K: Fn(u64) -> Result<Key, StoreError>>(
		&self,
		key: &Key,
		list: &List<K>,
	) -> Result<Option<T>, StoreError> {
		let Some(main) = self.noting(self.bytes(key))? else { return Ok(None) };
		let Some(partial) = self.noting(codec::partial(key, &main))? else {
			return self.noting(codec::decode(key, &main)).map(Some);
		};
		let element = |number: &u64| {
			let element = (list.key)(*number)?;
			let missing = || StoreError::Corrupt { kind: element.kind(), reason: "it is missing".to_owned() };
			self.bytes(&element)?.ok_or_else(missing)
		};
		let elements = self.noting(partial.numbers.iter().map(element).collect::<Result<Vec<_>, StoreError>>())?;
		let odd = || StoreError::Corrupt { kind: key.kind(), reason: "an element of an unknown format".to_owned() };
		let whole = self.noting(partial.with(&elements).ok_or_else(odd))?;
		self.noting(codec::decode(key, &whole)).map(Some)
	}

	/// Deletes a value and the elements of its list.
	pub(super) fn remove_parts<K: Fn(u64) -> Result<Key, StoreError>>(
		&self,
		key: Key,
		list: &List<K>,
	) -> Result<(), StoreError> {
		self.counts_on_records();
		for number in self.numbers(&key)? {
			self.remove((list.key)(number)?);
		}
		self.remove(key);
		Ok(())
	}

	/// The numbers of the elements that are stored.
	fn numbers(&self, key: &Key) -> Result<Vec<u64>, StoreError> {
		let Some(main) = self.noting(self.bytes(key))? else { return Ok(Vec::new()) };
		let numbers = codec::partial(key, &main).map(|partial| partial.map(|Partial { numbers, .. }| numbers));
		Ok(self.noting(numbers)?.unwrap_or_default())
	}

	/// What is said to stay is what is stored.
	#[cfg(test)]
	fn check_parts<T: Serialize + ?Sized, K: Fn(u64) -> Result<Key, StoreError>>(
		&self,
		key: &Key,
		list: &List<K>,
		value: &T,
		parts: &codec::Parts,
	) -> Result<(), StoreError> {
		let all = codec::encode_parts(key, value, Apart { field: list.field, number: list.number, stays: &|_| false })?;
		assert_eq!(parts.main, all.main);
		for ((number, bytes), (_, full)) in parts.elements.iter().zip(&all.elements) {
			let bytes = bytes.clone().or(self.bytes(&(list.key)(*number)?)?);
			assert_eq!(&bytes, full, "what was to stay has changed: {number}");
		}
		Ok(())
	}
}
