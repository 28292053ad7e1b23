//! The version of the store's layout.

use super::StoreError;
use rocksdb::{IteratorMode, WriteOptions, DB};
use serde::{Deserialize, Serialize};

/// The layout that this library writes, and the newest that it reads.
const VERSION: u32 = 1;
/// Sorts before every record. Its value is plain JSON whatever the version, so that any version can read it.
const KEY: &[u8] = b"\0lockstep store";

#[derive(Serialize, Deserialize)]
struct Schema {
	version: u32,
}

/// Refuses a database of a newer layout or of something else; marks an empty one as ours.
pub(super) fn check(db: &DB) -> Result<(), StoreError> {
	match db.get(KEY)? {
		Some(bytes) => {
			let schema: Schema = serde_json::from_slice(&bytes).map_err(|_| StoreError::Schema)?;
			match schema.version {
				VERSION => Ok(()),
				found if found > VERSION => Err(StoreError::Newer { found, known: VERSION }),
				_ => Err(StoreError::Schema),
			}
		}
		None if db.iterator(IteratorMode::Start).next().is_some() => Err(StoreError::Schema),
		None => {
			let schema = serde_json::to_vec(&Schema { version: VERSION }).map_err(|_| StoreError::Schema)?;
			let mut options = WriteOptions::default();
			options.set_sync(true);
			Ok(db.put_opt(KEY, schema, &options)?)
		}
	}
}

#[cfg(test)]
pub(super) fn overwrite(db: &DB, value: &[u8]) {
	db.put(KEY, value).expect("the database takes a write");
}
