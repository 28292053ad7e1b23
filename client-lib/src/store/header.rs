//! The first record: which layout the store has, and its data key, wrapped.
//!
//! It is JSON in the clear, so that every version of this library can read it and ask for the right secret. From
//! version 2 on, whatever the version, it ends with the hash of what precedes: a damaged header is told from a wrong
//! key, and a damaged version from a newer one.

use super::{
	backend::Backend,
	cipher::{Cipher, KEY},
	secret::{Source, StoreKey},
	StoreError,
};
use chacha20poly1305::{aead::AeadInPlace, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use lockstep_primitives::rpc::HexBytes;
use rand::{rngs::OsRng, RngCore};
use serde::{de::IgnoredAny, Deserialize, Serialize};
use zeroize::Zeroizing;

/// The layout that this library writes, and the newest that it reads.
pub(super) const VERSION: u32 = 4;
/// The layout without encryption.
const IN_THE_CLEAR: u32 = 1;
/// The layout whose records are all JSON. It is read as it is; a library that writes and knows no other could not read the
/// records of this one.
const JSON_ONLY: u32 = 2;
/// Names of records are hashes; this is the only one in the clear.
pub(super) const NAME: &[u8] = b"\0lockstep store";
/// What errors call it.
pub(super) const KIND: &str = "header";
const MAGIC: &str = "lockstep store";
const WRAPPING: &[u8] = b"lockstep/store/2/data key";

/// What is where the header should be.
#[derive(Debug)]
pub(super) enum Found {
	/// Nothing, in an empty database.
	Nothing,
	/// The header of a store whose records are not encrypted.
	InTheClear,
	/// A header.
	Header(Header),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Header {
	magic: String,
	version: u32,
	/// What the wrapping key is made from.
	key: Source,
	nonce: HexBytes,
	/// The data key, encrypted with the wrapping key.
	data_key: HexBytes,
}

/// What can be said of a header of any version.
#[derive(Deserialize)]
struct AnyHeader {
	version: u32,
	/// Those that are encrypted have one, so that a damaged version does not make one of these pass for one in the clear.
	data_key: Option<IgnoredAny>,
}

/// Looks at the header, without a key.
///
/// # Errors
/// [`StoreError::Newer`] if a newer version wrote it, [`StoreError::Schema`] if the database is of something else,
/// [`StoreError::Corrupt`] if it is damaged.
pub(super) fn find(backend: &dyn Backend) -> Result<Found, StoreError> {
	let Some(bytes) = backend.get(NAME)? else {
		return if backend.is_empty()? { Ok(Found::Nothing) } else { Err(StoreError::Schema) };
	};
	let any: AnyHeader = serde_json::from_slice(&bytes).map_err(|_| corrupt("it is no header"))?;
	if any.version == IN_THE_CLEAR && any.data_key.is_none() {
		return Ok(Found::InTheClear);
	}
	checked(&bytes).ok_or_else(|| corrupt("its checksum is wrong"))?;
	if any.version > VERSION {
		return Err(StoreError::Newer { found: any.version, known: VERSION });
	}
	let header: Header = serde_json::from_slice(&bytes).map_err(|_| corrupt("it does not decode"))?;
	if header.magic != MAGIC || !(JSON_ONLY..=VERSION).contains(&header.version) {
		return Err(corrupt("it is of another version than it says"));
	}
	Ok(Found::Header(header))
}

impl Header {
	/// The same with the version that this library writes; `None` if it has that one.
	pub(super) fn raised(self) -> Option<Self> {
		(self.version < VERSION).then_some(Self { version: VERSION, ..self })
	}

	/// A header that wraps a data key.
	pub(super) fn wrap(data_key: &[u8; KEY], key: &StoreKey) -> Result<Self, StoreError> {
		let mut nonce = XNonce::default();
		OsRng.fill_bytes(&mut nonce);
		let source = key.new_source();
		let cipher = XChaCha20Poly1305::new((&*key.wrapping_key(&source)?).into());
		let mut wrapped = data_key.to_vec();
		let tag = cipher
			.encrypt_in_place_detached(&nonce, &associated(&source)?, &mut wrapped)
			.map_err(|_| StoreError::Unencodable { kind: KIND, reason: "the cipher fails".to_owned() })?;
		wrapped.extend_from_slice(&tag);
		let nonce = HexBytes(nonce.to_vec());
		Ok(Self { magic: MAGIC.to_owned(), version: VERSION, key: source, nonce, data_key: HexBytes(wrapped) })
	}

	/// The data key.
	pub(super) fn unwrap(&self, key: &StoreKey) -> Result<Zeroizing<[u8; KEY]>, StoreError> {
		let length = || corrupt("a length is wrong");
		let nonce = <[u8; 24]>::try_from(self.nonce.0.as_slice()).map_err(|_| length())?;
		let (wrapped, tag) = self.data_key.0.split_first_chunk::<KEY>().ok_or_else(length)?;
		let tag = <[u8; 16]>::try_from(tag).map_err(|_| length())?;
		let mut data_key = Zeroizing::new(*wrapped);
		let cipher = XChaCha20Poly1305::new((&*key.wrapping_key(&self.key)?).into());
		// The checksum holds, so it is not the header that is damaged.
		cipher
			.decrypt_in_place_detached(
				&XNonce::from(nonce),
				&associated(&self.key)?,
				&mut data_key[..],
				&Tag::from(tag),
			)
			.map_err(|_| StoreError::WrongKey)?;
		Ok(data_key)
	}

	/// As it is stored, under [`NAME`].
	pub(super) fn encode(&self) -> Result<Vec<u8>, StoreError> {
		let json = serde_json::to_vec(self).map_err(|error| unencodable(&error))?;
		Ok(with_checksum(json))
	}
}

/// A new data key.
pub(super) fn new_data_key() -> Zeroizing<[u8; KEY]> {
	let mut data_key = Zeroizing::new([0; KEY]);
	OsRng.fill_bytes(&mut data_key[..]);
	data_key
}

/// Makes an empty database a store.
pub(super) fn create(backend: &dyn Backend, key: &StoreKey) -> Result<Cipher, StoreError> {
	let data_key = new_data_key();
	let header = Header::wrap(&data_key, key)?.encode()?;
	backend.write(vec![(NAME.to_vec(), Some(header))])?;
	Ok(Cipher::new(&data_key))
}

fn associated(source: &Source) -> Result<Vec<u8>, StoreError> {
	let source = serde_json::to_vec(source).map_err(|error| unencodable(&error))?;
	Ok([WRAPPING, &source].concat())
}

fn corrupt(reason: &str) -> StoreError {
	StoreError::Corrupt { kind: KIND, reason: reason.to_owned() }
}

fn unencodable(error: &serde_json::Error) -> StoreError {
	StoreError::Unencodable { kind: KIND, reason: error.to_string() }
}

/// What stands between a header and its checksum, which is the last of its fields.
const BEFORE: &[u8] = b",\"blake3\":\"";
const AFTER: &[u8] = b"\"}";

/// A JSON object, completed by a field with the hash of what precedes that field.
pub(super) fn with_checksum(mut json: Vec<u8>) -> Vec<u8> {
	// the closing brace
	json.pop();
	let hash = blake3::hash(&json).to_hex();
	[&json, BEFORE, hash.as_bytes(), AFTER].concat()
}

/// The JSON before the checksum, if that is right.
fn checked(bytes: &[u8]) -> Option<&[u8]> {
	let rest = bytes.strip_suffix(AFTER)?;
	let (rest, hash) = rest.split_at_checked(rest.len().checked_sub(2 * blake3::OUT_LEN)?)?;
	let json = rest.strip_suffix(BEFORE)?;
	(blake3::hash(json).to_hex().as_bytes() == hash).then_some(json)
}
