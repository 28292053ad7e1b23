//! Trouble with a real folder: it has a name, loses nothing that was reported as done, and ends with its cause.

use super::{keep, kept, note, open, Note};
use crate::store::{
	backend::{rocks::Rocks, Backend},
	Store, StoreError,
};
use std::{
	fs,
	path::{Path, PathBuf},
	process::{Command, Output},
};

/// More than a block of RocksDB's log, in which damage is noticed block by block.
const LONG: usize = 100_000;

/// The log of recent writes.
fn write_ahead_log(store: &Path) -> PathBuf {
	let logs = fs::read_dir(store).unwrap().map(|file| file.unwrap().path());
	logs.filter(|path| path.extension().is_some_and(|end| end == "log")).max().expect("there is a log")
}

/// A copy of the folder with the log changed.
fn with_log(folder: &Path, change: impl FnOnce(&mut Vec<u8>)) -> tempfile::TempDir {
	let copy = tempfile::tempdir().unwrap();
	let (from, to) = (folder.join("store"), copy.path().join("store"));
	fs::create_dir(&to).unwrap();
	for file in fs::read_dir(&from).unwrap() {
		let path = file.unwrap().path();
		fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
	}
	let log = write_ahead_log(&to);
	let mut bytes = fs::read(&log).unwrap();
	change(&mut bytes);
	fs::write(&log, bytes).unwrap();
	copy
}

/// A folder with three commits, the last of two records. Gives the length of the log after each.
fn three_commits() -> (tempfile::TempDir, [usize; 3]) {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let length =
		|| usize::try_from(fs::metadata(write_ahead_log(&folder.path().join("store"))).unwrap().len()).unwrap();
	keep(&store, b"a", &"1".repeat(LONG));
	let first = length();
	keep(&store, b"b", &"2".repeat(LONG));
	let second = length();
	let overlay = store.overlay();
	overlay.put(b"a", &note("3")).unwrap();
	overlay.put(b"c", &note(&"3".repeat(LONG))).unwrap();
	overlay.commit().unwrap();
	let third = length();
	drop(store);
	(folder, [first, second, third])
}

fn is_as_after_the_second(store: &Store) {
	let notes = store.overlay().list::<Note>(b"").unwrap();
	assert_eq!(notes.len(), 2);
	assert!(notes[0].1.text.starts_with('1') && notes[1].1.text.starts_with('2'));
}

#[test]
fn a_torn_write_never_was_and_the_one_before_it_is_there() {
	let (folder, [_, second, third]) = three_commits();
	for end in [second, second + 1, second + 7, second + 50, second + LONG / 2, third - 1] {
		let torn = with_log(folder.path(), |log| log.truncate(end));
		let store = open(torn.path());
		is_as_after_the_second(&store);
		keep(&store, b"d", "later");
		drop(store);
		assert_eq!(open(torn.path()).overlay().list::<Note>(b"").unwrap().len(), 3);
	}
}

#[test]
fn a_last_write_that_reached_the_disk_in_part_never_was() {
	let (folder, [_, second, third]) = three_commits();
	for hole in [second + 10..second + 20, second + 40_000..second + 50_000, third - 30..third] {
		let torn = with_log(folder.path(), |log| log[hole].fill(0));
		is_as_after_the_second(&open(torn.path()));
	}
}

#[test]
fn a_store_that_lost_writes_which_were_reported_is_refused() {
	let (folder, [first, ..]) = three_commits();
	for at in [first / 2, first + 100] {
		let damaged = with_log(folder.path(), |log| log[at] ^= 1);
		let path = damaged.path().join("store");
		for _ in 0..2 {
			let refused = Store::open(&path, &super::key());
			assert!(matches!(refused, Err(StoreError::Damaged(_))), "{refused:?}");
		}
	}
}

#[test]
fn a_batch_that_failed_and_is_in_the_log_all_the_same_is_undone() {
	let folder = tempfile::tempdir().unwrap();
	let entry = |name: &str, value: &str| (name.as_bytes().to_vec(), Some(value.as_bytes().to_vec()));
	let rocks = Rocks::open(folder.path()).unwrap();
	rocks.write(vec![entry("changed", "before"), entry("deleted", "before")]).unwrap();
	rocks.fail_after_writing(vec![entry("changed", "after"), (b"deleted".to_vec(), None), entry("made", "after")]);
	rocks.write(vec![entry("next", "done")]).unwrap();
	let text = |name: &str| rocks.get(name.as_bytes()).unwrap().map(|value| String::from_utf8(value).unwrap());
	assert_eq!(text("changed").as_deref(), Some("before"));
	assert_eq!(text("deleted").as_deref(), Some("before"));
	assert_eq!(text("made"), None);
	assert_eq!(text("next").as_deref(), Some("done"));
}

#[test]
fn a_store_in_use_is_refused_and_free_again_afterwards() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let path = folder.path().join("store");
	assert_eq!(Store::open(&path, &super::key()).unwrap_err(), StoreError::InUse { path: path.clone() });
	let clone = store.clone();
	drop(store);
	assert!(Store::open(&path, &super::key()).is_err(), "a clone keeps it open");
	drop(clone);
	Store::open(&path, &super::key()).unwrap();
}

const CHILD: &str = "LOCKSTEP_TEST_STORE_IN_USE";

#[test]
fn a_store_in_use_by_another_process_is_refused() {
	if let Some(path) = std::env::var_os(CHILD) {
		// this is the other process
		assert_eq!(Store::open(&path, &super::key()).unwrap_err(), StoreError::InUse { path: path.into() });
		return;
	}
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let status = Command::new(std::env::current_exe().unwrap())
		.args(["--exact", "store::tests::trouble::a_store_in_use_by_another_process_is_refused"])
		.env(CHILD, folder.path().join("store"))
		.output()
		.unwrap();
	assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stdout));
	assert!(String::from_utf8_lossy(&status.stdout).contains("1 passed"));
	drop(store);
}

#[test]
fn a_folder_that_cannot_be_made_is_named_and_can_be_when_the_cause_is_gone() {
	let folder = tempfile::tempdir().unwrap();
	let file = folder.path().join("lock");
	fs::write(&file, b"").unwrap();
	for path in [file.clone(), file.join("below")] {
		let refused = Store::open(&path, &super::key()).unwrap_err();
		assert!(matches!(&refused, StoreError::Folder { path: named, .. } if *named == path), "{refused}");
	}
	fs::remove_file(&file).unwrap();
	Store::open(file.join("below"), &super::key()).unwrap();
}

/// A disk of some megabytes. Mounting it takes root.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
	fn new() -> Option<Self> {
		let folder = tempfile::tempdir().unwrap();
		let mounted = mount(&["-t", "tmpfs", "-o", "size=48m", "lockstep-test"], folder.path());
		mounted.status.success().then_some(Self(folder)).or_else(|| {
			println!("skipped: no disk can be mounted: {}", String::from_utf8_lossy(&mounted.stderr));
			None
		})
	}

	fn path(&self) -> &Path {
		self.0.path()
	}

	fn remount(&self, how: &str) {
		let done = mount(&["-o", &format!("remount,{how}")], self.path());
		assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
	}
}

impl Drop for SmallDisk {
	fn drop(&mut self) {
		drop(Command::new("umount").arg("-l").arg(self.path()).output());
	}
}

fn mount(options: &[&str], folder: &Path) -> Output {
	Command::new("mount").args(options).arg(folder).output().unwrap()
}

/// Leaves no space on the disk of this file.
fn fill(file: &Path) {
	let mut filler = fs::File::create(file).unwrap();
	while std::io::Write::write_all(&mut filler, &[1; 4096]).is_ok() {}
}

#[test]
fn a_full_disk_loses_nothing_and_the_store_goes_on_when_there_is_space() {
	let Some(disk) = SmallDisk::new() else { return };
	let store = open(disk.path());
	keep(&store, b"a", "kept");
	let filler = disk.path().join("filler");
	let mut count = 0_u32;
	for round in 0..3 {
		fill(&filler);
		// what RocksDB has reserved is used up first
		let failed = (0..200).find_map(|_| {
			let overlay = store.overlay();
			overlay.put(&count.to_be_bytes(), &note(&"x".repeat(LONG))).unwrap();
			overlay.put(b"a", &note(&format!("{round} {count}"))).unwrap();
			overlay.commit().map(|()| count += 1).err()
		});
		assert_eq!(failed, Some(StoreError::Full { path: disk.path().join("store") }), "after {count} commits");
		let whole = |store: &Store| {
			assert_eq!(kept(store, &count.to_be_bytes()), None);
			assert_eq!(store.overlay().list::<Note>(b"").unwrap().len() as u32, count + 1);
			let last = kept(store, b"a").unwrap().text;
			assert!(last == "kept" || last.ends_with(&format!(" {}", count.saturating_sub(1))), "{last} after {count}");
		};
		whole(&store);
		let overlay = store.overlay();
		overlay.put(b"a", &note("lost")).unwrap();
		assert!(matches!(overlay.commit(), Err(StoreError::Full { .. })), "still");
		whole(&store);

		fs::remove_file(&filler).unwrap();
		keep(&store, b"a", &format!("again {}", count.saturating_sub(1)));
		whole(&store);
	}
	drop(store);
	let store = open(disk.path());
	assert_eq!(kept(&store, b"a"), Some(note(&format!("again {}", count.saturating_sub(1)))));
	assert_eq!(store.overlay().list::<Note>(b"").unwrap().len() as u32, count + 1);
}

#[test]
fn a_store_does_not_open_on_a_full_disk_and_does_when_there_is_space() {
	let Some(disk) = SmallDisk::new() else { return };
	keep(&open(disk.path()), b"a", "kept");
	let filler = disk.path().join("filler");
	fill(&filler);
	let path = disk.path().join("store");
	for path in [path.clone(), disk.path().join("new")] {
		assert_eq!(Store::open(&path, &super::key()).unwrap_err(), StoreError::Full { path });
	}
	fs::remove_file(&filler).unwrap();
	assert_eq!(kept(&open(disk.path()), b"a"), Some(note("kept")));
	Store::open(disk.path().join("new"), &super::key()).unwrap();
}

#[test]
fn a_read_only_store_is_refused_and_opens_when_it_is_writable() {
	let Some(disk) = SmallDisk::new() else { return };
	keep(&open(disk.path()), b"a", "kept");
	disk.remount("ro");
	for path in [disk.path().join("store"), disk.path().join("new")] {
		assert_eq!(Store::open(&path, &super::key()).unwrap_err(), StoreError::ReadOnly { path });
	}
	disk.remount("rw");
	assert_eq!(kept(&open(disk.path()), b"a"), Some(note("kept")));
}
