//! From the layout of version 1, which was not encrypted. It existed in development only.

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
