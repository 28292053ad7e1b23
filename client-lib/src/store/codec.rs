//! How a value becomes bytes, in one place.
//!
//! Bytes are a format byte and a body. The format is CBOR (RFC 8949), which describes itself: MLS state outlives the
//! version of the library that wrote it, and a format that names its fields can be read by the next one. JSON, which was
//! written before, is read still; it has three to four bytes for each byte of a key. What is written to the database is
//! these bytes, encrypted ([`super::cipher`]).

use super::{
	cbor::{self, Apart, Unwritable},
	key::Key,
	StoreError,
};
use serde::{de::DeserializeOwned, Serialize};
use zeroize::Zeroizing;

/// JSON; read, but not written any more.
const JSON: u8 = 1;
/// CBOR.
const CBOR: u8 = 2;
/// CBOR without the elements of a list. Before it the count of these, their numbers, and where they belong.
const PARTS: u8 = 3;
/// The hashes of pieces of CBOR.
const PIECES: u8 = 4;

/// What a piece is named by: BLAKE3-256 of its bytes.
pub(super) type PieceHash = [u8; 32];

/// The bytes of `value`; wiped when dropped, for values are mostly secrets.
pub(super) fn encode<T: Serialize + ?Sized>(key: &Key, value: &T) -> Result<Zeroizing<Vec<u8>>, StoreError> {
	Ok(cbor::write(&[CBOR], value, None).map_err(unencodable(key))?.bytes)
}

/// The CBOR of `value`; wiped when dropped.
pub(super) fn cbor<T: Serialize + ?Sized>(value: &T) -> Result<Zeroizing<Vec<u8>>, String> {
	Ok(cbor::write(&[], value, None).map_err(|error| error.to_string())?.bytes)
}

/// The bytes of a value, a list of which is apart.
pub(super) struct Parts {
	pub main: Zeroizing<Vec<u8>>,
	/// The numbers of the elements, and their bytes, unless they stay as they were written before.
	pub elements: Vec<(u64, Option<Zeroizing<Vec<u8>>>)>,
}

/// The bytes of `value` without the elements of a list, and each of these.
pub(super) fn encode_parts<T: Serialize + ?Sized>(key: &Key, value: &T, apart: Apart<'_>) -> Result<Parts, StoreError> {
	let written = cbor::write(&[], value, Some(apart)).map_err(unencodable(key))?;
	let wrong = |reason| StoreError::Unencodable { kind: key.kind(), reason };
	let Some(elements) = written.elements else {
		return Ok(Parts { main: encode(key, value)?, elements: Vec::new() });
	};
	let number = |number: usize| u32::try_from(number).map_err(|_| wrong("it is too long".to_owned()));
	let length = elements.list.len().saturating_mul(8).saturating_add(written.bytes.len()).saturating_add(9);
	let mut main = Zeroizing::new(Vec::with_capacity(length));
	main.push(PARTS);
	main.extend_from_slice(&number(elements.list.len())?.to_be_bytes());
	elements.list.iter().for_each(|(number, _)| main.extend_from_slice(&number.to_be_bytes()));
	main.extend_from_slice(&number(elements.place)?.to_be_bytes());
	main.extend_from_slice(&written.bytes);
	let prefixed = |bytes: Zeroizing<Vec<u8>>| {
		let mut element = Zeroizing::new(Vec::with_capacity(bytes.len().saturating_add(1)));
		element.push(CBOR);
		element.extend_from_slice(&bytes);
		element
	};
	let elements = elements.list.into_iter().map(|(number, bytes)| (number, bytes.map(prefixed)));
	Ok(Parts { main, elements: elements.collect() })
}

/// A value the elements of a list of which are elsewhere.
pub(super) struct Partial<'a> {
	/// Their numbers.
	pub numbers: Vec<u64>,
	before: &'a [u8],
	after: &'a [u8],
}

/// What [`encode_parts`] made; none if the bytes are those of a whole value.
pub(super) fn partial<'a>(key: &Key, bytes: &'a [u8]) -> Result<Option<Partial<'a>>, StoreError> {
	let Some((&PARTS, rest)) = bytes.split_first() else { return Ok(None) };
	let read = || {
		let (count, rest) = rest.split_first_chunk()?;
		let count = usize::try_from(u32::from_be_bytes(*count)).ok()?;
		let (numbers, rest) = rest.split_at_checked(count.checked_mul(8)?)?;
		let (place, rest) = rest.split_first_chunk()?;
		let (before, after) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*place)).ok()?)?;
		let numbers = numbers.chunks_exact(8).filter_map(|number| Some(u64::from_be_bytes(number.try_into().ok()?)));
		Some(Partial { numbers: numbers.collect(), before, after })
	};
	let cut = || StoreError::Corrupt { kind: key.kind(), reason: "it was cut".to_owned() };
	read().map(Some).ok_or_else(cut)
}

impl Partial<'_> {
	/// The bytes of the whole value, with these elements; none if one is not of the format.
	pub(super) fn with(&self, elements: &[Zeroizing<Vec<u8>>]) -> Option<Zeroizing<Vec<u8>>> {
		let length = elements.iter().fold(0usize, |length, element| length.saturating_add(element.len()));
		let length = length.saturating_add(self.before.len()).saturating_add(self.after.len()).saturating_add(1);
		let mut whole = Zeroizing::new(Vec::with_capacity(length));
		whole.push(CBOR);
		whole.extend_from_slice(self.before);
		for element in elements {
			whole.extend_from_slice(element.strip_prefix(&[CBOR])?);
		}
		whole.extend_from_slice(self.after);
		Some(whole)
	}
}

/// Hands over the pieces of a value with their hashes; gives the bytes that name them.
pub(super) fn encode_pieces<T: Serialize + ?Sized>(
	key: &Key,
	value: &T,
	take: &mut dyn FnMut(PieceHash, &[u8]),
) -> Result<Zeroizing<Vec<u8>>, StoreError> {
	let mut main = Zeroizing::new(vec![PIECES]);
	let mut piece = |bytes: &[u8]| {
		let hash = *blake3::hash(bytes).as_bytes();
		main.extend_from_slice(&hash);
		take(hash, bytes);
	};
	cbor::write_in_pieces(value, &mut piece).map_err(unencodable(key))?;
	Ok(main)
}

/// The pieces that [`encode_pieces`] made, in order; none if the bytes are those of a whole value.
pub(super) fn pieces(key: &Key, bytes: &[u8]) -> Result<Option<Vec<PieceHash>>, StoreError> {
	let Some((&PIECES, hashes)) = bytes.split_first() else { return Ok(None) };
	let (hashes, []) = hashes.as_chunks() else {
		return Err(StoreError::Corrupt { kind: key.kind(), reason: "it was cut".to_owned() });
	};
	Ok(Some(hashes.to_vec()))
}

/// The bytes of the whole value.
pub(super) fn join(pieces: &[Zeroizing<Vec<u8>>]) -> Zeroizing<Vec<u8>> {
	let length = pieces.iter().fold(1usize, |length, piece| length.saturating_add(piece.len()));
	let mut whole = Zeroizing::new(Vec::with_capacity(length));
	whole.push(CBOR);
	pieces.iter().for_each(|piece| whole.extend_from_slice(piece));
	whole
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
