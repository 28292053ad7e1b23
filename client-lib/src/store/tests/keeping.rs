//! Values kept in memory are what their records say, or are not there.

use super::{keep, note, Note};
use crate::store::{kept, MemoryDisk, Overlay, Store, StoreError};

/// The own key of the notes that the kept values of these tests are made of: as a value is named.
const NAME: &[u8] = b"1";
const VALUE: u32 = 1;

fn open() -> (MemoryDisk, Store) {
	let disk = MemoryDisk::new();
	let store = Store::in_memory(&disk, &super::key()).unwrap();
	(disk, store)
}

/// Writes a note, and leaves its text behind in the same commit.
fn write(overlay: &Overlay<'_>, text: &str) {
	overlay.put(NAME, &note(text)).unwrap();
	overlay.keep(&VALUE, text.to_owned());
}

/// A store with a note, and its text kept.
fn store() -> (MemoryDisk, Store) {
	let (disk, store) = open();
	let overlay = store.overlay();
	write(&overlay, "first");
	overlay.commit().unwrap();
	(disk, store)
}

fn take(overlay: &Overlay<'_>) -> Option<String> {
	overlay.take(&VALUE)
}

#[test]
fn what_a_commit_left_is_taken_once_and_given_back() {
	let (_, store) = store();
	let overlay = store.overlay();
	assert_eq!(take(&overlay).as_deref(), Some("first"));
	assert_eq!(take(&overlay), None, "it is with who took it");
	assert_eq!(overlay.take::<_, u32>(&VALUE), None);
	overlay.give_back(&VALUE, "first".to_owned());
	drop(overlay);
	assert_eq!(take(&store.overlay()).as_deref(), Some("first"));
}

#[test]
fn what_was_changed_in_an_overlay_that_is_dropped_is_not_kept() {
	for nested in [false, true] {
		let (_, store) = store();
		let outer = store.overlay();
		let inner = outer.nested();
		let overlay = if nested { &inner } else { &outer };
		assert_eq!(take(overlay).as_deref(), Some("first"));
		write(overlay, "second");
		drop(inner);
		drop(outer);
		assert_eq!(take(&store.overlay()), None, "the next one reads the record");
		assert_eq!(super::kept(&store, NAME), Some(note("first")));
	}
}

#[test]
fn what_a_nested_overlay_left_goes_down_with_its_writes() {
	let (_, store) = store();
	let outer = store.overlay();
	let inner = outer.nested();
	write(&inner, "second");
	inner.commit().unwrap();
	assert_eq!(take(&outer).as_deref(), Some("second"));
	// It is what the record in this overlay says, not the one below: it stays up here.
	outer.give_back(&VALUE, "second".to_owned());
	assert_eq!(take(&store.overlay()).as_deref(), Some("first"));
	outer.commit().unwrap();
	assert_eq!(take(&store.overlay()).as_deref(), Some("second"));
}

#[test]
fn a_record_that_somebody_writes_or_deletes_makes_the_value_void() {
	for deleted in [false, true] {
		let (_, store) = store();
		let other = store.overlay();
		if deleted {
			other.delete::<Note>(NAME).unwrap();
		} else {
			other.put(NAME, &note("foreign")).unwrap();
		}
		assert_eq!(take(&other), None, "where it was written");
		assert_eq!(take(&other.nested()), None, "and above");
		other.commit().unwrap();
		assert_eq!(take(&store.overlay()), None, "and below, once it is committed");
	}
}

#[test]
fn a_record_that_is_written_above_what_a_nested_overlay_left_makes_it_void() {
	let (_, store) = store();
	let outer = store.overlay();
	write(&outer, "second");
	let inner = outer.nested();
	inner.put(NAME, &note("third")).unwrap();
	inner.commit().unwrap();
	assert_eq!(take(&outer), None);
	outer.commit().unwrap();
	assert_eq!(take(&store.overlay()), None);
	assert_eq!(super::kept(&store, NAME), Some(note("third")));
}

#[test]
fn a_value_that_was_taken_before_a_foreign_write_does_not_come_back() {
	let (_, store) = store();
	let overlay = store.overlay();
	let value = take(&overlay).unwrap();
	keep(&store, NAME, "foreign");
	overlay.give_back(&VALUE, value);
	assert_eq!(take(&store.overlay()), None);

	let (_, store) = self::store();
	let overlay = store.overlay();
	write(&overlay, "second");
	keep(&store, b"another", "foreign");
	overlay.commit().unwrap();
	assert_eq!(take(&store.overlay()), None, "it may be made of what was written meanwhile");
}

#[test]
fn a_write_that_fails_drops_what_it_would_have_left_and_what_was_there() {
	let (disk, store) = store();
	disk.fail_writes(0, 1);
	let overlay = store.overlay();
	write(&overlay, "second");
	assert!(matches!(overlay.commit(), Err(StoreError::Database(_))));
	assert_eq!(take(&store.overlay()), None);
	assert_eq!(super::kept(&store, NAME), Some(note("first")));
}

#[test]
fn an_overlay_that_failed_leaves_nothing() {
	let (disk, store) = store();
	disk.fail_reads(0, 1);
	let overlay = store.overlay();
	assert_eq!(take(&overlay).as_deref(), Some("first"));
	assert!(overlay.get::<Note>(NAME).is_err());
	write(&overlay, "second");
	assert!(matches!(overlay.commit(), Err(StoreError::Faulted(_))));
	assert_eq!(take(&store.overlay()), None);
}

#[test]
fn so_many_are_kept_and_the_oldest_go() {
	let (_, store) = open();
	let many = u32::try_from(kept::MOST).unwrap() + 1;
	for number in 0..many {
		let overlay = store.overlay();
		overlay.put(number.to_string().as_bytes(), &note("of many")).unwrap();
		overlay.keep(&number, number);
		overlay.commit().unwrap();
	}
	let overlay = store.overlay();
	let found: Vec<u32> = (0..many).filter_map(|number| overlay.take(&number)).collect();
	assert_eq!(found, (1..many).collect::<Vec<_>>());
}
