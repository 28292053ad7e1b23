//! Overlays, records, and opening a store.

use crate::store::{schema, Record, Store, StoreError};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
	text: String,
}

impl Record for Note {
	const KIND: &'static str = "note";
}

/// A kind whose name begins with the name of the other.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Notebook(u32);

impl Record for Notebook {
	const KIND: &'static str = "notebook";
}

fn note(text: &str) -> Note {
	Note { text: text.to_owned() }
}

fn open(folder: &tempfile::TempDir) -> Store {
	Store::open(folder.path().join("store")).expect("the store opens")
}

#[test]
fn what_is_committed_is_there_after_reopening() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(&folder);
	let overlay = store.overlay();
	overlay.put(b"a", &note("kept")).unwrap();
	overlay.commit().unwrap();
	drop(store);
	assert_eq!(open(&folder).overlay().get(b"a"), Ok(Some(note("kept"))));
}

#[test]
fn what_is_dropped_never_was() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(&folder);
	let overlay = store.overlay();
	overlay.put(b"a", &note("kept")).unwrap();
	overlay.commit().unwrap();

	let overlay = store.overlay();
	overlay.put(b"a", &note("changed")).unwrap();
	overlay.put(b"b", &note("new")).unwrap();
	overlay.delete::<Note>(b"a").unwrap();
	assert_eq!(overlay.get::<Note>(b"a"), Ok(None));
	drop(overlay);
	assert_eq!(store.overlay().list(b""), Ok(vec![(b"a".to_vec(), note("kept"))]));
}

#[test]
fn a_nested_overlay_reaches_the_outer_one_only_when_committed() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(&folder);
	let outer = store.overlay();
	outer.put(b"a", &note("outer")).unwrap();

	let inner = outer.nested();
	assert_eq!(inner.get(b"a"), Ok(Some(note("outer"))));
	inner.put(b"a", &note("inner")).unwrap();
	assert_eq!(outer.get(b"a"), Ok(Some(note("outer"))));
	drop(inner);
	assert_eq!(outer.get(b"a"), Ok(Some(note("outer"))));

	let inner = outer.nested();
	inner.delete::<Note>(b"a").unwrap();
	inner.commit().unwrap();
	assert_eq!(outer.get::<Note>(b"a"), Ok(None));
	assert_eq!(store.overlay().get::<Note>(b"a"), Ok(None), "the outer overlay was not committed");
}

#[test]
fn lists_merge_all_layers_in_key_order_and_keep_kinds_apart() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(&folder);
	let base = store.overlay();
	for key in ["g/1", "g/2", "g/4", "h/1"] {
		base.put(key.as_bytes(), &note(key)).unwrap();
	}
	base.put(b"g/1", &Notebook(7)).unwrap();
	base.commit().unwrap();

	let outer = store.overlay();
	outer.delete::<Note>(b"g/2").unwrap();
	outer.put(b"g/3", &note("outer")).unwrap();
	let inner = outer.nested();
	inner.put(b"g/4", &note("inner")).unwrap();
	let listed: Vec<(Vec<u8>, Note)> = inner.list(b"g/").unwrap();
	let expected = [("g/1", "g/1"), ("g/3", "outer"), ("g/4", "inner")];
	assert_eq!(listed, expected.map(|(key, text)| (key.as_bytes().to_vec(), note(text))));
	assert_eq!(inner.list::<Notebook>(b"").unwrap(), vec![(b"g/1".to_vec(), Notebook(7))]);
}

#[test]
fn a_damaged_record_is_a_typed_error_and_blocks_the_commit() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(&folder);
	for damage in [&b""[..], b"\x01{\"text\":", b"\x01[]", b"\x02{\"text\":\"a\"}", b"\xff"] {
		let key = crate::store::key::Key::new(Note::KIND, b"a");
		store.db.put(key.bytes(), damage).unwrap();
		let overlay = store.overlay();
		let error = overlay.get::<Note>(b"a").unwrap_err();
		assert!(matches!(error, StoreError::Corrupt { kind: "note", .. }), "{error}");
		assert!(overlay.list::<Note>(b"").is_err());
		overlay.put(b"b", &note("half of a change")).unwrap();
		assert_eq!(overlay.fault(), Some(error.clone()));
		assert_eq!(overlay.commit(), Err(StoreError::Faulted(Box::new(error))));
		assert_eq!(store.overlay().get::<Note>(b"b"), Ok(None));
	}
}

#[test]
fn an_error_never_shows_what_was_stored() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(&folder);
	let key = crate::store::key::Key::new(Note::KIND, b"a");
	store.db.put(key.bytes(), b"\x01{\"text\": 5, \"secret\": \"hunter2\"}").unwrap();
	let error = store.overlay().get::<Note>(b"a").unwrap_err();
	assert!(!error.to_string().contains("hunter2"));
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_named() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(&folder);
	schema::overwrite(store.rocks(), b"{\"version\":7,\"also\":\"unknown\"}");
	drop(store);
	let error = Store::open(folder.path().join("store")).unwrap_err();
	assert_eq!(error, StoreError::Newer { found: 7, known: 1 });
	assert!(error.to_string().contains('7') && error.to_string().contains('1'));
}

#[test]
fn what_is_not_a_members_store_is_refused() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(&folder);
	for damage in [&b"?"[..], b"{}", b"{\"version\":0}"] {
		schema::overwrite(store.rocks(), damage);
		assert_eq!(schema::check(store.rocks()), Err(StoreError::Schema));
	}
	let foreign = folder.path().join("foreign");
	rocksdb::DB::open_default(&foreign).unwrap().put(b"k", b"v").unwrap();
	assert_eq!(Store::open(foreign).unwrap_err(), StoreError::Schema);
}

#[test]
fn a_store_in_use_is_refused_and_free_again_afterwards() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(&folder);
	let path = folder.path().join("store");
	assert_eq!(Store::open(&path).unwrap_err(), StoreError::InUse { path: path.clone() });
	let clone = store.clone();
	drop(store);
	assert!(Store::open(&path).is_err(), "a clone keeps it open");
	drop(clone);
	Store::open(&path).unwrap();
}

const CHILD: &str = "LOCKSTEP_TEST_STORE_IN_USE";

#[test]
fn a_store_in_use_by_another_process_is_refused() {
	if let Some(path) = std::env::var_os(CHILD) {
		// this is the other process
		assert_eq!(Store::open(&path).unwrap_err(), StoreError::InUse { path: path.into() });
		return;
	}
	let folder = tempfile::tempdir().unwrap();
	let store = open(&folder);
	let status = std::process::Command::new(std::env::current_exe().unwrap())
		.args(["--exact", "store::tests::overlay::a_store_in_use_by_another_process_is_refused"])
		.env(CHILD, folder.path().join("store"))
		.output()
		.unwrap();
	assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stdout));
	assert!(String::from_utf8_lossy(&status.stdout).contains("1 passed"));
	drop(store);
}

#[test]
fn a_path_that_cannot_hold_a_store_is_not_said_to_be_in_use() {
	let folder = tempfile::tempdir().unwrap();
	let file = folder.path().join("lock");
	std::fs::write(&file, b"").unwrap();
	assert!(matches!(Store::open(&file), Err(StoreError::Database(_))));
	assert!(matches!(Store::open(file.join("below")), Err(StoreError::Database(_))));
}
