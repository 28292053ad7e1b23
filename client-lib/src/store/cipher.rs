//! What a record looks like in the database: a name that says nothing, and a ciphertext bound to it.
//!
//! **Names.** A name is three keyed hashes of 16 bytes: of the record's kind, of its kind with the first
//! [`GROUP`] bytes of its key, and of all of it. Records of a kind are one range, and so are those of a kind under a
//! group id, which are the two that are listed.
//!
//! **Values.** XChaCha20-Poly1305 with a random nonce of 24 bytes: a batch of records can be encrypted without
//! keeping count of anything. The record's key, which its name does not give back, follows the value inside. The
//! associated data is a tag, the kind and the name, and the name is a hash of the full key: a value that is moved,
//! exchanged or changed does not open.

use super::key::{self, Key};
use chacha20poly1305::{
	aead::{AeadInPlace, KeyInit},
	Tag, XChaCha20Poly1305, XNonce,
};
use rand::RngCore;
use zeroize::Zeroizing;

/// Length of a key.
pub(super) const KEY: usize = 32;
/// Bytes of a record's key that a range can be of: a group id.
const GROUP: usize = 32;
const HASH: usize = 16;
const NONCE: usize = 24;
const TAG: usize = 16;
/// The only format of values.
const FORMAT: u8 = 1;

const NAMES: &str = "lockstep store 2 2026-11-24 names of records";
const VALUES: &str = "lockstep store 2 2026-11-24 values of records";
const VALUE: &[u8] = b"lockstep/store/2/value";

/// Encrypts and decrypts the records of one store.
pub(super) struct Cipher {
	names: Zeroizing<[u8; KEY]>,
	values: XChaCha20Poly1305,
}

impl Cipher {
	/// With keys derived from this one.
	pub(super) fn new(data_key: &[u8; KEY]) -> Self {
		let values = Zeroizing::new(blake3::derive_key(VALUES, data_key));
		Self {
			names: Zeroizing::new(blake3::derive_key(NAMES, data_key)),
			values: XChaCha20Poly1305::new((&*values).into()),
		}
	}

	/// The name under which the database has the record with this key.
	pub(super) fn name(&self, key: &[u8]) -> Vec<u8> {
		let (kind, own) = key::split(key);
		let group = own.get(..GROUP).unwrap_or(own);
		let head = key.get(..key.len().saturating_sub(own.len()).saturating_add(group.len())).unwrap_or(key);
		[self.hash(b'k', kind), self.hash(b'g', head), self.hash(b'o', key)].concat()
	}

	/// What the names of all records begin with whose keys begin with `prefix`. Other names may begin with it, too.
	pub(super) fn range(&self, prefix: &Key) -> Vec<u8> {
		let mut name = self.name(prefix.bytes());
		name.truncate(if prefix.own().len() < GROUP { HASH } else { 2 * HASH });
		name
	}

	fn hash(&self, part: u8, of: &[u8]) -> [u8; HASH] {
		let mut hasher = blake3::Hasher::new_keyed(&self.names);
		hasher.update(&[part]).update(of);
		let mut hash = [0; HASH];
		hasher.finalize_xof().fill(&mut hash);
		hash
	}

	/// Encrypts the value of the record with this key. None if it is too long for the cipher, at 256 GB.
	pub(super) fn seal(&self, key: &[u8], name: &[u8], value: &[u8]) -> Option<Vec<u8>> {
		let (kind, own) = key::split(key);
		let inside = value.len().checked_add(own.len())?.checked_add(4)?;
		// Not grown, so that no part of it stays behind in the clear.
		let mut bytes = Vec::with_capacity(inside.checked_add(TAG + NONCE + 1)?);
		bytes.extend_from_slice(value);
		bytes.extend_from_slice(own);
		bytes.extend_from_slice(&u32::try_from(own.len()).ok()?.to_be_bytes());
		let mut nonce = XNonce::default();
		rand::thread_rng().fill_bytes(&mut nonce);
		let tag = self.values.encrypt_in_place_detached(&nonce, &associated(kind, name), &mut bytes).ok()?;
		bytes.extend_from_slice(&tag);
		bytes.extend_from_slice(&nonce);
		bytes.push(FORMAT);
		Some(bytes)
	}

	/// Decrypts what lies under a name: the record's own key, and its value.
	pub(super) fn open(&self, kind: &str, name: &[u8], sealed: Vec<u8>) -> Result<Opened, &'static str> {
		let mut bytes = Zeroizing::new(sealed);
		match bytes.last() {
			Some(&FORMAT) => {}
			Some(_) => return Err("an unknown encryption format"),
			None => return Err("an empty value"),
		}
		let short = "it was cut";
		let inside = bytes.len().checked_sub(TAG + NONCE + 1).ok_or(short)?;
		let (inner, outer) = bytes.split_at_mut_checked(inside).ok_or(short)?;
		let (tag, rest) = outer.split_at_checked(TAG).ok_or(short)?;
		let nonce = rest.get(..NONCE).ok_or(short)?;
		let associated = associated(kind.as_bytes(), name);
		self.values
			.decrypt_in_place_detached(XNonce::from_slice(nonce), &associated, inner, Tag::from_slice(tag))
			.map_err(|_| "it was changed, or moved from another key")?;
		bytes.truncate(inside);
		let (before, length) = bytes.split_last_chunk::<4>().ok_or(short)?;
		let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| short)?;
		let at = before.len().checked_sub(length).ok_or(short)?;
		let own = before.get(at..).ok_or(short)?.to_vec();
		bytes.truncate(at);
		Ok(Opened { own, value: bytes })
	}
}

/// A decrypted record.
pub(super) struct Opened {
	/// Its own key, without its kind.
	pub(super) own: Vec<u8>,
	/// Its value; wiped when dropped.
	pub(super) value: Zeroizing<Vec<u8>>,
}

fn associated(kind: &[u8], name: &[u8]) -> Vec<u8> {
	// The name has one length, so that the parts cannot be taken for others.
	[VALUE, name, kind].concat()
}
