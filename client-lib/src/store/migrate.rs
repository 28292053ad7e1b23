//! From earlier layouts. All existed in development only.
//!
//! Version 1 was not encrypted. Version 2 had JSON in its records, which are read as they are and become CBOR when they are
//! written next. Version 3 had each ratchet tree in one record; it is read as it is, and in pieces when it is written next.

use super::{
	backend::{Backend, Batch},
	cipher::Cipher,
	header::{self, Header},
	secret::StoreKey,
	StoreError,
};

/// Encrypts every record, in one write. Whatever key is given becomes the store's.
///
/// Deleted records stay in the database's files until those are rewritten, which is asked for here. What the disk
/// keeps of deleted files is beyond reach.
pub(super) fn from_version_1(backend: &dyn Backend, key: &StoreKey) -> Result<Cipher, StoreError> {
	let data_key = header::new_data_key();
	let cipher = Cipher::new(&data_key);
	let header = Header::wrap(&data_key, key)?.encode()?;
	let mut batch = Batch::new();
	backend.scan(b"", &mut |old, value| {
		if old != header::NAME {
			let name = cipher.name(old);
			let too_long = || StoreError::Unencodable { kind: "any", reason: "it is too long".to_owned() };
			let sealed = cipher.seal(old, &name, value).ok_or_else(too_long)?;
			batch.push((old.to_vec(), None));
			batch.push((name, Some(sealed)));
		}
		Ok(())
	})?;
	batch.push((header::NAME.to_vec(), Some(header)));
	backend.write(batch)?;
	if let Err(error) = backend.compact() {
		tracing::warn!(%error, "old files of the store may hold records that are not encrypted for some time");
	}
	Ok(cipher)
}

/// Says in the header that there may be records now which a library of an earlier version cannot read. It will then ask for a
/// newer one, instead of taking them for damaged.
pub(super) fn raise(backend: &dyn Backend, header: Header) -> Result<(), StoreError> {
	match header.raised() {
		Some(raised) => backend.write(vec![(header::NAME.to_vec(), Some(raised.encode()?))]),
		None => Ok(()),
	}
}
