//! The disk in memory: what was committed is on it, and it breaks at will.

use super::{keep, kept, note, Note};
use crate::store::{MemoryDisk, Store, StoreError};

fn open(disk: &MemoryDisk) -> Store {
	Store::in_memory(disk, &super::key()).unwrap()
}

#[test]
fn a_crash_loses_what_was_not_committed_and_nothing_else() {
	let disk = MemoryDisk::new();
	let store = open(&disk);
	keep(&store, b"a", "kept");
	let overlay = store.overlay();
	overlay.put(b"a", &note("lost")).unwrap();
	let crashed = disk.snapshot();
	overlay.commit().unwrap();
	assert_eq!(kept(&open(&crashed), b"a"), Some(note("kept")));
	assert_eq!(kept(&open(&disk), b"a"), Some(note("lost")));
	assert!(!disk.is_same(&crashed) && disk.is_same(&disk.snapshot()) && disk.is_same(&disk));
}

#[test]
fn a_failed_commit_leaves_nothing_and_the_next_one_works() {
	let disk = MemoryDisk::new();
	let store = open(&disk);
	keep(&store, b"a", "kept");
	let before = disk.snapshot();
	disk.fail_writes(1, 2);
	keep(&store, b"a", "kept as well");
	let after = disk.snapshot();
	for _ in 0..2 {
		let overlay = store.overlay();
		overlay.put(b"a", &note("lost")).unwrap();
		overlay.put(b"b", &note("lost")).unwrap();
		assert!(matches!(overlay.commit(), Err(StoreError::Database(_))));
		assert_eq!(store.overlay().list(b""), Ok(vec![(b"a".to_vec(), note("kept as well"))]));
	}
	assert!(disk.is_same(&after) && !disk.is_same(&before));
	keep(&store, b"b", "kept");
	assert_eq!(disk.writes(), 4, "the header and three notes");
}

#[test]
fn a_failed_read_blocks_the_commit_of_its_overlay_only() {
	let disk = MemoryDisk::new();
	let store = open(&disk);
	keep(&store, b"a", "kept");
	for scanned in [false, true] {
		disk.fail_reads(0, 1);
		let overlay = store.overlay();
		let failed = if scanned { overlay.list::<Note>(b"").err() } else { overlay.get::<Note>(b"a").err() };
		assert!(matches!(failed, Some(StoreError::Database(_))));
		assert_eq!(overlay.get(b"a"), Ok(Some(note("kept"))), "the fault has passed");
		overlay.put(b"a", &note("half of a change")).unwrap();
		assert!(matches!(overlay.commit(), Err(StoreError::Faulted(_))));
		assert_eq!(kept(&store, b"a"), Some(note("kept")));
	}
}
