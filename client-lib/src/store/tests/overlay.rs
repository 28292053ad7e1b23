//! Overlays and records.

use super::{keep, kept, note, open, Note, Notebook};
use crate::store::{Record, StoreError};

#[test]
fn what_is_committed_is_there_after_reopening() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let overlay = store.overlay();
	overlay.put(b"a", &note("kept")).unwrap();
	overlay.commit().unwrap();
	drop(store);
	assert_eq!(open(folder.path()).overlay().get(b"a"), Ok(Some(note("kept"))));
}

#[test]
fn what_is_dropped_never_was() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
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
	let store = open(folder.path());
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
	let store = open(folder.path());
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
	let store = open(folder.path());
	for damage in [&b""[..], b"\x01{\"text\":", b"\x01[]", b"\x02{\"text\":\"a\"}", b"\xff"] {
		keep(&store, b"a", "whole");
		assert_eq!(store.damage(Note::KIND, Some(damage)), 1);
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
fn records_of_earlier_builds_are_read() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	keep(&store, b"a", "");
	for (bytes, text) in [(&b"\x01{\"text\":\"JSON\"}"[..], "JSON"), (b"\x02\xa1\x64text\x64CBOR", "CBOR")] {
		store.damage(Note::KIND, Some(bytes));
		assert_eq!(kept(&store, b"a"), Some(note(text)));
		assert_eq!(store.overlay().list(b""), Ok(vec![(b"a".to_vec(), note(text))]));
	}
}

#[test]
fn bytes_behind_a_value_are_refused() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	keep(&store, b"a", "");
	for whole in [&b"\x01{\"text\":\"JSON\"}"[..], b"\x02\xa1\x64text\x64CBOR"] {
		for behind in [&b"\0"[..], b"\xff", b"}", whole] {
			store.damage(Note::KIND, Some(&[whole, behind].concat()));
			let error = store.overlay().get::<Note>(b"a").unwrap_err();
			assert!(matches!(error, StoreError::Corrupt { kind: "note", .. }), "{error}");
		}
	}
}

#[test]
fn an_error_never_shows_what_was_stored() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	keep(&store, b"a", "whole");
	store.damage(Note::KIND, Some(b"\x01{\"text\": 5, \"secret\": \"hunter2\"}"));
	let error = store.overlay().get::<Note>(b"a").unwrap_err();
	assert!(!error.to_string().contains("hunter2"));
}

#[test]
fn a_rolled_back_step_leaves_memory_and_disk_equal() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	keep(&store, b"a", "kept");
	let outer = store.overlay();
	let inner = outer.nested();
	let innermost = inner.nested();
	innermost.put(b"a", &note("changed")).unwrap();
	innermost.delete::<Notebook>(b"a").unwrap();
	innermost.put(b"b", &note("new")).unwrap();
	innermost.commit().unwrap();
	assert_eq!(inner.list::<Note>(b"").unwrap().len(), 2);
	drop(inner);
	assert_eq!(outer.list(b""), Ok(vec![(b"a".to_vec(), note("kept"))]));
	assert!(outer.is_clean());
	outer.commit().unwrap();
	drop(store);
	assert_eq!(open(folder.path()).overlay().list(b""), Ok(vec![(b"a".to_vec(), note("kept"))]));
}

#[test]
fn a_fault_in_a_nested_overlay_ends_there() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	keep(&store, b"a", "whole");
	store.damage(Note::KIND, Some(b"\x01[]"));
	let outer = store.overlay();
	let inner = outer.nested();
	assert!(inner.get::<Note>(b"a").is_err());
	assert!(matches!(inner.commit(), Err(StoreError::Faulted(_))));
	assert_eq!(outer.fault(), None);
	outer.put(b"a", &note("repaired")).unwrap();
	outer.commit().unwrap();
	assert_eq!(kept(&store, b"a"), Some(note("repaired")));
}
