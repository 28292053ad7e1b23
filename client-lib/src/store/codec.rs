//! How a value becomes bytes, in one place.
//!
//! Bytes are a format byte and a body. The format is CBOR (RFC 8949), which describes itself: MLS state outlives the
//! version of the library that wrote it, and a format that names its fields can be read by the next one. JSON, which was
//! written before, is read still; it has three to four bytes for each byte of a key. What is written to the database is
//! these bytes, encrypted ([`super::cipher`]).

use super::{key::Key, StoreError};
use serde::{de::DeserializeOwned, Serialize};
use std::io;
use zeroize::Zeroizing;

/// JSON; read, but not written any more.
const JSON: u8 = 1;
/// CBOR.
const CBOR: u8 = 2;

/// The bytes of `value`; wiped when dropped, for values are mostly secrets.
pub(super) fn encode<T: Serialize + ?Sized>(key: &Key, value: &T) -> Result<Zeroizing<Vec<u8>>, StoreError> {
	after(&[CBOR], value).map_err(|reason| StoreError::Unencodable { kind: key.kind(), reason })
}

/// The CBOR of `value`; wiped when dropped.
pub(super) fn cbor<T: Serialize + ?Sized>(value: &T) -> Result<Zeroizing<Vec<u8>>, String> {
	after(&[], value)
}

/// The CBOR of `value` after these bytes.
fn after<T: Serialize + ?Sized>(before: &[u8], value: &T) -> Result<Zeroizing<Vec<u8>>, String> {
	let mut bytes = Wiping(Zeroizing::new(Vec::with_capacity(FIRST)));
	bytes.append(before);
	ciborium::into_writer(value, &mut bytes).map_err(|error| error.to_string())?;
	Ok(bytes.0)
}

/// The value of bytes that were under `key`.
pub(super) fn decode<T: DeserializeOwned>(key: &Key, bytes: &[u8]) -> Result<T, StoreError> {
	let corrupt = |reason: String| StoreError::Corrupt { kind: key.kind(), reason };
	// the position is named, the content never: it may be a secret
	match bytes.split_first() {
		Some((&CBOR, body)) => from_cbor(body).map_err(|left| {
			let position = body.len().saturating_sub(left);
			corrupt(format!("it does not decode beyond byte {position} of {}", body.len()))
		}),
		Some((&JSON, body)) => serde_json::from_slice(body)
			.map_err(|error| corrupt(format!("line {}, column {}", error.line(), error.column()))),
		Some(_) => Err(corrupt("an unknown storage format".to_owned())),
		None => Err(corrupt("an empty value".to_owned())),
	}
}

/// Decodes all of the bytes; else says how many were left.
pub(super) fn from_cbor<T: DeserializeOwned>(body: &[u8]) -> Result<T, usize> {
	let mut rest = body;
	// Text and bytes pass through it.
	let mut passing = Zeroizing::new([0; PASSING]);
	match ciborium::de::from_reader_with_buffer(&mut rest, &mut *passing) {
		Ok(value) if rest.is_empty() => Ok(value),
		_ => Err(rest.len()),
	}
}

/// Room for most values.
const FIRST: usize = 1024;
/// Room for most texts within a value, which are names.
const PASSING: usize = 1024;

/// Bytes that are wiped when dropped, and when they move to grow. A `Vec` leaves a copy behind each time.
struct Wiping(Zeroizing<Vec<u8>>);

impl Wiping {
	#[inline]
	fn append(&mut self, bytes: &[u8]) {
		if bytes.len() > self.0.capacity().saturating_sub(self.0.len()) {
			self.grow(bytes.len());
		}
		self.0.extend_from_slice(bytes);
	}

	#[cold]
	fn grow(&mut self, by: usize) {
		let needed = self.0.len().saturating_add(by);
		let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(self.0.capacity().saturating_mul(4))));
		larger.extend_from_slice(&self.0);
		self.0 = larger;
	}
}

impl io::Write for Wiping {
	#[inline]
	fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
		self.append(bytes);
		Ok(bytes.len())
	}

	#[inline]
	fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
		self.append(bytes);
		Ok(())
	}

	fn flush(&mut self) -> io::Result<()> {
		Ok(())
	}
}
