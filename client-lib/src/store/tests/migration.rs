//! What is found in a folder: nothing, a store of this or another version, something else.

use super::{disk, keep, note, open, Note, Notebook};
use crate::store::{backend::Backend, header, MemoryDisk, Record, Store, StoreError};
use std::path::Path;

const OLD_HEADER: &[u8] = b"{\"version\":1}";

fn entry(kind: &str, own: &[u8], value: &str) -> (Vec<u8>, Option<Vec<u8>>) {
	let name = [&[u8::try_from(kind.len()).unwrap()], kind.as_bytes(), own].concat();
	(name, Some([&[1], value.as_bytes()].concat()))
}

/// A store as version 1 wrote it.
fn old_store(folder: &Path, notes: usize) {
	let mut batch = vec![(header::NAME.to_vec(), Some(OLD_HEADER.to_vec()))];
	batch.push(entry(Notebook::KIND, b"", "7"));
	for number in 0..notes {
		batch.push(entry(Note::KIND, number.to_string().as_bytes(), &format!("{{\"text\":\"secret {number}\"}}")));
	}
	std::fs::create_dir_all(folder).unwrap();
	disk::write_to(folder, batch);
}

#[test]
fn a_store_of_version_1_is_encrypted_when_it_is_opened() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("store");
	old_store(&path, 200);
	let plain: [&[u8]; 3] = [b"secret", b"note", b"text"];
	assert!(!disk::files_with(&path, &plain).is_empty());
	for _ in 0..2 {
		let store = open(folder.path());
		assert_eq!(store.overlay().get(b""), Ok(Some(Notebook(7))));
		let notes = store.overlay().list::<Note>(b"").unwrap();
		assert_eq!(notes.len(), 200);
		assert_eq!(notes.first(), Some(&(b"0".to_vec(), note("secret 0"))));
		assert!(disk::entries(&store).iter().all(|(name, _)| name.len() == 48));
		// the files that held it are rewritten, too
		assert_eq!(disk::files_with(&path, &plain), Vec::<String>::new());
	}
	let other = crate::store::StoreKey::from_bytes([1; 32]);
	assert_eq!(Store::open(path, &other).unwrap_err(), StoreError::WrongKey);
}

#[test]
fn a_migration_is_one_write() {
	let disk = MemoryDisk::new();
	let backend: &dyn Backend = &disk;
	backend
		.write(vec![(header::NAME.to_vec(), Some(OLD_HEADER.to_vec())), entry("note", b"a", "{\"text\":\"x\"}")])
		.unwrap();
	let before = disk.snapshot();
	disk.fail_writes(0, 1);
	assert!(Store::in_memory(&disk, &super::key()).is_err());
	assert!(disk.is_same(&before));
	let store = Store::in_memory(&disk, &super::key()).unwrap();
	assert_eq!(disk.writes(), 2);
	assert_eq!(super::kept(&store, b"a"), Some(note("x")));
}

/// A store as an earlier version wrote it: with this note, in JSON.
fn json_store(text: &str, version: u32) -> MemoryDisk {
	let disk = MemoryDisk::new();
	let store = Store::in_memory(&disk, &super::key()).unwrap();
	keep(&store, b"a", "");
	store.damage(Note::KIND, Some(format!("\x01{{\"text\":\"{text}\"}}").as_bytes()));
	disk::put(&store, header::NAME, &header_of_version(&disk, version));
	disk
}

/// The header on a disk, as if it were of another version.
fn header_of_version(disk: &MemoryDisk, version: u32) -> Vec<u8> {
	let header = disk.get(header::NAME).unwrap().expect("it has a header");
	let mut header: serde_json::Value = serde_json::from_slice(&header).unwrap();
	header.as_object_mut().unwrap().remove("blake3");
	header["version"] = version.into();
	header::with_checksum(header.to_string().into_bytes())
}

fn version(disk: &MemoryDisk) -> u32 {
	let header: serde_json::Value = serde_json::from_slice(&disk.get(header::NAME).unwrap().unwrap()).unwrap();
	header["version"].as_u64().unwrap().try_into().unwrap()
}

#[test]
fn a_store_of_an_earlier_version_opens_as_it_is_and_tells_older_libraries_that_it_is_newer() {
	for earlier in [2, 3] {
		let disk = json_store("written before", earlier);
		let before = disk.writes();
		let store = Store::in_memory(&disk, &super::key()).unwrap();
		assert_eq!(super::kept(&store, b"a"), Some(note("written before")));
		assert_eq!((version(&disk), disk.writes()), (4, before + 1), "the header is all that was written");
		keep(&store, b"a", "written now");
		drop(store);
		let store = Store::in_memory(&disk, &super::key()).unwrap();
		assert_eq!(super::kept(&store, b"a"), Some(note("written now")));
		assert_eq!(disk.writes(), before + 2, "the header was raised once");
	}
}

#[test]
fn nobody_without_the_key_raises_the_version_and_a_write_that_fails_leaves_it() {
	let disk = json_store("written before", 2);
	let before = disk.snapshot();
	let other = crate::store::StoreKey::from_bytes([1; 32]);
	assert_eq!(Store::in_memory(&disk, &other).unwrap_err(), StoreError::WrongKey);
	disk.fail_writes(0, 1);
	assert!(matches!(Store::in_memory(&disk, &super::key()), Err(StoreError::Database(_))));
	assert!(disk.is_same(&before));
	let store = Store::in_memory(&disk, &super::key()).unwrap();
	assert_eq!((version(&disk), super::kept(&store, b"a")), (4, Some(note("written before"))));
}

#[test]
fn what_is_not_a_members_store_is_refused() {
	let folder = tempfile::tempdir().unwrap();
	let foreign = folder.path().join("foreign");
	std::fs::create_dir(&foreign).unwrap();
	disk::write_to(&foreign, vec![(b"k".to_vec(), Some(b"v".to_vec()))]);
	assert_eq!(Store::open(&foreign, &super::key()).unwrap_err(), StoreError::Schema);

	let store = open(folder.path());
	for damage in
		[&b""[..], b"?", b"{}", b"{\"version\":0}", b"{\"version\":2}", b"{\"version\":3}", b"{\"version\":7}"]
	{
		disk::put(&store, header::NAME, damage);
		let found = header::find(store.backend());
		assert!(matches!(found, Err(StoreError::Corrupt { kind: "header", .. })), "{found:?}");
	}
}
