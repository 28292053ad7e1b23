//! How a value becomes bytes, in one place.
//!
//! Bytes are a format byte and a body. There is one format, self-describing JSON: MLS state outlives the version of
//! the library that wrote it, and a format that names its fields can be read by the next one. What is written to the
//! database is these bytes, encrypted ([`super::cipher`]).

use super::{key::Key, StoreError};
use serde::{de::DeserializeOwned, Serialize};
use std::io;
use zeroize::Zeroizing;

/// JSON.
const JSON: u8 = 1;

/// The bytes of `value`; wiped when dropped, for values are mostly secrets.
pub(super) fn encode<T: Serialize + ?Sized>(key: &Key, value: &T) -> Result<Zeroizing<Vec<u8>>, StoreError> {
	let mut bytes = Wiping(Zeroizing::new(Vec::with_capacity(FIRST)));
	bytes.append(&[JSON]);
	serde_json::to_writer(&mut bytes, value)
		.map_err(|error| StoreError::Unencodable { kind: key.kind(), reason: error.to_string() })?;
	Ok(bytes.0)
}

/// The value of bytes that were under `key`.
pub(super) fn decode<T: DeserializeOwned>(key: &Key, bytes: &[u8]) -> Result<T, StoreError> {
	let corrupt = |reason: String| StoreError::Corrupt { kind: key.kind(), reason };
	let body = match bytes.split_first() {
		Some((&JSON, body)) => body,
		Some(_) => return Err(corrupt("an unknown storage format".to_owned())),
		None => return Err(corrupt("an empty value".to_owned())),
	};
	// the position is named, the content never: it may be a secret
	serde_json::from_slice(body).map_err(|error| corrupt(format!("line {}, column {}", error.line(), error.column())))
}

/// Room for most values.
const FIRST: usize = 1024;

/// Bytes that are wiped when dropped, and when they move to grow. A `Vec` leaves a copy behind each time.
struct Wiping(Zeroizing<Vec<u8>>);

impl Wiping {
	fn append(&mut self, bytes: &[u8]) {
		let needed = self.0.len().saturating_add(bytes.len());
		if needed > self.0.capacity() {
			let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(self.0.capacity().saturating_mul(4))));
			larger.extend_from_slice(&self.0);
			self.0 = larger;
		}
		self.0.extend_from_slice(bytes);
	}
}

impl io::Write for Wiping {
	fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
		self.append(bytes);
		Ok(bytes.len())
	}

	fn flush(&mut self) -> io::Result<()> {
		Ok(())
	}
}
