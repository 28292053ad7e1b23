//! Which key opens a store, and what a damaged header is called.

use super::{disk, keep, kept, note, Note};
use crate::store::{change_store_key, header, MemoryDisk, Store, StoreError, StoreKey};

fn passphrase() -> StoreKey {
	StoreKey::passphrase("a passphrase")
}

/// Keys that are not [`passphrase`].
fn others() -> Vec<StoreKey> {
	let mut padded = [0; 32];
	padded[..12].copy_from_slice(b"a passphrase");
	let passphrases = ["", "A passphrase", "a passphrase "].map(StoreKey::passphrase);
	passphrases.into_iter().chain([StoreKey::from_bytes(padded)]).collect()
}

#[test]
fn the_passphrase_opens_the_store_and_no_other_key_does() {
	let disk = MemoryDisk::new();
	keep(&Store::in_memory(&disk, &passphrase()).unwrap(), b"a", "kept");
	for other in others() {
		assert_eq!(Store::in_memory(&disk, &other).unwrap_err(), StoreError::WrongKey);
	}
	assert_eq!(kept(&Store::in_memory(&disk, &passphrase()).unwrap(), b"a"), Some(note("kept")));
}

#[test]
fn given_bytes_open_the_store_and_no_other_key_does() {
	let disk = MemoryDisk::new();
	keep(&Store::in_memory(&disk, &StoreKey::from_bytes([1; 32])).unwrap(), b"a", "kept");
	for other in [StoreKey::from_bytes([2; 32]), passphrase()] {
		assert_eq!(Store::in_memory(&disk, &other).unwrap_err(), StoreError::WrongKey);
	}
	assert_eq!(kept(&Store::in_memory(&disk, &StoreKey::from_bytes([1; 32])).unwrap(), b"a"), Some(note("kept")));
}

#[test]
fn a_changed_key_opens_the_store_the_old_one_does_not_and_the_records_are_as_they_were() {
	let folder = tempfile::tempdir().unwrap();
	let store = Store::open(folder.path(), &passphrase()).unwrap();
	keep(&store, b"a", "kept");
	let records = disk::entries(&store);
	drop(store);

	let new = StoreKey::from_bytes([3; 32]);
	for other in others() {
		assert_eq!(change_store_key(folder.path(), &other, &new), Err(StoreError::WrongKey));
	}
	change_store_key(folder.path(), &passphrase(), &new).unwrap();
	assert_eq!(Store::open(folder.path(), &passphrase()).unwrap_err(), StoreError::WrongKey);
	let store = Store::open(folder.path(), &new).unwrap();
	assert_eq!(disk::entries(&store), records);
	assert_eq!(kept(&store, b"a"), Some(note("kept")));

	// of a store that is open, too, which goes on
	store.change_key(&new, &passphrase()).unwrap();
	assert_eq!(store.change_key(&new, &passphrase()), Err(StoreError::WrongKey));
	keep(&store, b"b", "later");
	drop(store);
	assert_eq!(Store::open(folder.path(), &passphrase()).unwrap().overlay().list::<Note>(b"").unwrap().len(), 2);
}

#[test]
fn a_key_change_is_one_write_of_one_record() {
	let disk = MemoryDisk::new();
	let store = Store::in_memory(&disk, &super::key()).unwrap();
	for part in 0..20 {
		keep(&store, &[part], "kept");
	}
	let (before, writes) = (disk::all(&store), disk.writes());
	store.change_key(&super::key(), &StoreKey::from_bytes([3; 32])).unwrap();
	assert_eq!(disk.writes(), writes + 1);
	let after = disk::all(&store);
	let changed: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
	assert_eq!(changed.len(), 1);
	assert_eq!(changed[0].0 .0, header::NAME);
}

#[test]
fn a_failed_key_change_leaves_the_old_key() {
	let disk = MemoryDisk::new();
	let (old, new) = (super::key(), StoreKey::from_bytes([3; 32]));
	let store = Store::in_memory(&disk, &old).unwrap();
	disk.fail_writes(0, 1);
	assert!(store.change_key(&old, &new).is_err());
	assert_eq!(Store::in_memory(&disk, &new).unwrap_err(), StoreError::WrongKey);
	Store::in_memory(&disk, &old).unwrap();
}

#[test]
fn a_damaged_header_is_not_taken_for_a_wrong_key_or_a_newer_version() {
	let disk = MemoryDisk::new();
	let store = Store::in_memory(&disk, &super::key()).unwrap();
	let (name, header) = disk::all(&store).remove(0);
	let refused = |damaged: &[u8]| {
		disk::put(&store, &name, damaged);
		let error = Store::in_memory(&disk, &super::key()).unwrap_err();
		assert!(matches!(error, StoreError::Corrupt { kind: "header", .. }), "{error}");
	};
	for bit in 0..header.len() * 8 {
		let mut damaged = header.clone();
		damaged[bit / 8] ^= 1 << (bit % 8);
		refused(&damaged);
	}
	(0..header.len()).for_each(|length| refused(&header[..length]));
	disk::put(&store, &name, &header);
	Store::in_memory(&disk, &super::key()).unwrap();
}

/// The header of a store with this key, changed, with a checksum that is right.
fn with_header(key: &StoreKey, change: impl FnOnce(String) -> String) -> StoreError {
	let disk = MemoryDisk::new();
	let store = Store::in_memory(&disk, key).unwrap();
	let (name, header) = disk::all(&store).remove(0);
	let mut header: serde_json::Value = serde_json::from_slice(&header).unwrap();
	header.as_object_mut().unwrap().remove("blake3");
	let changed = change(header.to_string());
	disk::put(&store, &name, &header::with_checksum(changed.into_bytes()));
	Store::in_memory(&disk, key).unwrap_err()
}

#[test]
fn a_newer_version_is_named_without_the_key() {
	let newer = with_header(&super::key(), |_| "{\"version\":7,\"also\":\"unknown\"}".to_owned());
	assert_eq!(newer, StoreError::Newer { found: 7, known: 4 });
	assert!(newer.to_string().contains('7') && newer.to_string().contains('4'));
	let newer = with_header(&passphrase(), |header| header.replace("\"version\":4", "\"version\":5"));
	assert_eq!(newer, StoreError::Newer { found: 5, known: 4 });
}

#[test]
fn a_header_that_was_forged_does_not_open_and_does_not_exhaust_the_machine() {
	let changed = |from: &'static str, to: &'static str| {
		with_header(&passphrase(), move |header| {
			assert!(header.contains(from), "{header}");
			header.replace(from, to)
		})
	};
	assert_eq!(changed("\"passes\":2", "\"passes\":1"), StoreError::WrongKey);
	for (from, to) in [
		("\"memory_kib\":19456", "\"memory_kib\":4294967295"),
		("\"passes\":2", "\"passes\":4294967295"),
		("\"passes\":2", "\"passes\":0"),
		("\"lanes\":1", "\"lanes\":65"),
		("\"salt\":\"0x", "\"salt\":\"0x\",\"was\":\"0x"),
		("\"magic\":\"lockstep store\"", "\"magic\":\"another\""),
		("\"version\":4", "\"version\":0"),
	] {
		let error = changed(from, to);
		assert!(matches!(error, StoreError::Corrupt { kind: "header", .. }), "{to}: {error}");
	}
}

#[test]
fn a_key_shows_nothing() {
	assert_eq!(format!("{:?} {:?}", passphrase(), StoreKey::from_bytes([1; 32])), "StoreKey StoreKey");
}
