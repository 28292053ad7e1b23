//! What names a record: in overlays as it is here, in the database by a hash ([`super::cipher`]).
//!
//! A key is the kind of the record, as a length byte and that many bytes of its name, and then the record's own
//! key. The length keeps one kind from being a prefix of another, so that the records of a kind are one range.

use super::StoreError;
use serde::Serialize;

/// The key of a record, and the name of its kind for error messages.
#[derive(Clone, Debug)]
pub(super) struct Key {
	kind: &'static str,
	bytes: Vec<u8>,
	/// Length of what precedes the record's own key in `bytes`.
	head: usize,
}

impl Key {
	/// The key of the record of this kind under `own`.
	pub(super) fn new(kind: &'static str, own: &[u8]) -> Self {
		// kinds are names in this crate's source; a longer one would still get a key of its own
		let length = u8::try_from(kind.len()).unwrap_or(u8::MAX);
		let mut bytes = Vec::with_capacity(kind.len().saturating_add(own.len()).saturating_add(1));
		bytes.push(length);
		bytes.extend_from_slice(kind.as_bytes());
		let head = bytes.len();
		bytes.extend_from_slice(own);
		Self { kind, bytes, head }
	}

	/// The key of the record of this kind under the serialised form of `own`.
	pub(super) fn of<K: Serialize + ?Sized>(kind: &'static str, own: &K) -> Result<Self, StoreError> {
		let own =
			serde_json::to_vec(own).map_err(|error| StoreError::Unencodable { kind, reason: error.to_string() })?;
		Ok(Self::new(kind, &own))
	}

	/// What the keys of this kind begin with that are under serialised tuples of `first` and more.
	pub(super) fn of_all<K: Serialize + ?Sized>(kind: &'static str, first: &K) -> Result<Self, StoreError> {
		let mut key = Self::of(kind, &(first,))?;
		// In JSON one bracket ends a tuple, and a comma goes on with it.
		key.bytes.pop();
		key.bytes.push(b',');
		Ok(key)
	}

	/// The name of the record's kind.
	pub(super) fn kind(&self) -> &'static str {
		self.kind
	}

	/// All of it.
	pub(super) fn bytes(&self) -> &[u8] {
		&self.bytes
	}

	/// The key of another record of the same kind, as [`Self::bytes`] gave it.
	pub(super) fn sibling(&self, bytes: &[u8]) -> Self {
		Self { kind: self.kind, bytes: bytes.to_vec(), head: self.head }
	}

	/// The bytes of the record of the same kind under `own`.
	pub(super) fn beside(&self, own: &[u8]) -> Vec<u8> {
		[self.bytes.get(..self.head).unwrap_or_default(), own].concat()
	}

	/// The record's own key, without its kind.
	pub(super) fn own(&self) -> &[u8] {
		self.bytes.get(self.head..).unwrap_or_default()
	}
}

/// The kind and the own key of [`Key::bytes`].
pub(super) fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
	let split = bytes.split_first().and_then(|(length, rest)| rest.split_at_checked(usize::from(*length)));
	split.unwrap_or((bytes, &[]))
}
