//! How a value becomes bytes, in one place.
//!
//! Bytes are a format byte and a body. The format is CBOR (RFC 8949), which describes itself: MLS state outlives the
//! version of the library that wrote it, and a format that names its fields can be read by the next one. JSON, which was
//! written before, is read still; it has three to four bytes for each byte of a key. What is written to the database is
//! these bytes, encrypted ([`super::cipher`]).

use super::{
	cbor::{self, Field, Unwritable},
	key::Key,
	StoreError,
};
use serde::{de::DeserializeOwned, Serialize};
use zeroize::{Zeroize, Zeroizing};

/// JSON; read, but not written any more.
const JSON: u8 = 1;
/// CBOR.
const CBOR: u8 = 2;
/// CBOR without one field, and before it the place of that field, in four bytes.
const PARTS: u8 = 3;
/// Length of what is before the CBOR then.
const PLACED: usize = 5;

/// The bytes of `value`; wiped when dropped, for values are mostly secrets.
pub(super) fn encode<T: Serialize + ?Sized>(key: &Key, value: &T) -> Result<Zeroizing<Vec<u8>>, StoreError> {
	Ok(cbor::write(&[CBOR], value, None).map_err(unencodable(key))?.bytes)
}

/// The CBOR of `value`; wiped when dropped.
pub(super) fn cbor<T: Serialize + ?Sized>(value: &T) -> Result<Zeroizing<Vec<u8>>, String> {
	Ok(cbor::write(&[], value, None).map_err(|error| error.to_string())?.bytes)
}

/// The bytes of a value in two parts.
pub(super) struct Parts {
	pub main: Zeroizing<Vec<u8>>,
	/// One field; none if it was left out.
	pub apart: Option<Zeroizing<Vec<u8>>>,
}

/// The bytes of `value`, with one field apart, or left out because it is known to be what it was when it was written last.
pub(super) fn encode_parts<T: Serialize + ?Sized>(key: &Key, value: &T, field: Field) -> Result<Parts, StoreError> {
	let written = cbor::write(&[PARTS, 0, 0, 0, 0], value, Some(field)).map_err(unencodable(key))?;
	let mut main = written.bytes;
	let missing = || StoreError::Unencodable { kind: key.kind(), reason: format!("it has no field {}", field.name) };
	let range = written.field.ok_or_else(missing)?;
	let place = u32::try_from(range.start).map_err(|_| missing())?;
	let apart = (!field.left_out).then(|| Zeroizing::new(main.get(range.clone()).unwrap_or_default().to_vec()));
	if !field.left_out {
		main.copy_within(range.end.., range.start);
		let length = main.len().saturating_sub(range.len());
		if let Some(rest) = main.get_mut(length..) {
			rest.zeroize();
		}
		main.truncate(length);
	}
	if let Some(head) = main.get_mut(1..PLACED) {
		head.copy_from_slice(&place.to_be_bytes());
	}
	Ok(Parts { main, apart })
}

/// Whether these bytes lack a field, which is kept apart.
pub(super) fn is_partial(bytes: &[u8]) -> bool {
	bytes.first() == Some(&PARTS)
}

/// The bytes of a value with the field that was apart.
pub(super) fn whole(key: &Key, main: &[u8], apart: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
	let put_together = || {
		let (head, _) = main.split_at_checked(PLACED)?;
		let place = u32::from_be_bytes(head.get(1..)?.try_into().ok()?);
		let (before, after) = main.split_at_checked(usize::try_from(place).ok()?)?;
		let mut bytes = Zeroizing::new(Vec::with_capacity(main.len().saturating_add(apart.len())));
		bytes.push(CBOR);
		bytes.extend_from_slice(before.get(PLACED..)?);
		bytes.extend_from_slice(apart);
		bytes.extend_from_slice(after);
		Some(bytes)
	};
	put_together().ok_or_else(|| StoreError::Corrupt { kind: key.kind(), reason: "it was cut".to_owned() })
}

fn unencodable(key: &Key) -> impl FnOnce(Unwritable) -> StoreError {
	let kind = key.kind();
	move |error| StoreError::Unencodable { kind, reason: error.to_string() }
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

/// Room for most texts within a value, which are names.
const PASSING: usize = 1024;
