//! How a value becomes the bytes that are stored, in one place.
//!
//! A stored value is a format byte and a body. There is one format, self-describing JSON in the clear: MLS state
//! outlives the version of the library that wrote it, and a format that names its fields can be read by the next
//! one. Encryption at rest is another format byte: it belongs into [`Codec::seal`] and [`Codec::open`] and nowhere
//! else, with `kind` and `key` as what the ciphertext is bound to.

use super::{key::Key, StoreError};
use serde::{de::DeserializeOwned, Serialize};
use zeroize::Zeroizing;

/// JSON, in the clear.
const JSON: u8 = 1;

/// Encodes and decodes stored values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Codec;

impl Codec {
	/// The bytes to store for `value`; wiped when dropped, for values are mostly secrets.
	pub(super) fn encode<T: Serialize + ?Sized>(self, key: &Key, value: &T) -> Result<Zeroizing<Vec<u8>>, StoreError> {
		let mut body = Zeroizing::new(Vec::new());
		serde_json::to_writer(&mut *body, value)
			.map_err(|error| StoreError::Unencodable { kind: key.kind(), reason: error.to_string() })?;
		Ok(self.seal(&body))
	}

	/// The value stored as `bytes` under `key`.
	pub(super) fn decode<T: DeserializeOwned>(self, key: &Key, bytes: &[u8]) -> Result<T, StoreError> {
		let corrupt = |reason: String| StoreError::Corrupt { kind: key.kind(), reason };
		let body = self.open(bytes).map_err(|reason| corrupt(reason.to_owned()))?;
		// the position is named, the content never: it may be a secret
		serde_json::from_slice(body)
			.map_err(|error| corrupt(format!("line {}, column {}", error.line(), error.column())))
	}

	fn seal(self, body: &[u8]) -> Zeroizing<Vec<u8>> {
		let mut bytes = Zeroizing::new(Vec::with_capacity(body.len().saturating_add(1)));
		bytes.push(JSON);
		bytes.extend_from_slice(body);
		bytes
	}

	fn open(self, bytes: &[u8]) -> Result<&[u8], &'static str> {
		match bytes.split_first() {
			Some((&JSON, body)) => Ok(body),
			Some(_) => Err("an unknown storage format"),
			None => Err("an empty value"),
		}
	}
}
