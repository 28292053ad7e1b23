//! Nothing can be read, moved, exchanged or changed without the key.

use super::{disk, keep, kept, note, open, Note, Notebook};
use crate::store::{key::Key, Record, Store, StoreError};

const IDENTITY: &[u8] = b"anna@example.org";
const SECRET: &[u8] = b"correct horse battery staple";
const GROUP: [u8; 32] = *b"a group id that is 32 bytes long";

fn under_group(rest: u8) -> Vec<u8> {
	[&GROUP[..], &[rest]].concat()
}

#[track_caller]
fn is_corrupt(store: &Store, key: &[u8]) {
	let overlay = store.overlay();
	let read = overlay.get::<Note>(key);
	assert!(matches!(read, Err(StoreError::Corrupt { kind: "note", .. })), "{read:?}");
	assert!(matches!(store.overlay().list::<Note>(b""), Err(StoreError::Corrupt { kind: "note", .. })));
	assert!(overlay.commit().is_err());
}

#[test]
fn no_file_of_the_database_holds_plaintext() {
	let folder = tempfile::tempdir().unwrap();
	let text = String::from_utf8(SECRET.to_vec()).unwrap();
	let wanted = [IDENTITY, SECRET, &GROUP, b"note", b"mls ", b"text", &[9; 32]];
	for round in 0..3 {
		let store = open(folder.path());
		keep(&store, IDENTITY, &text);
		for part in 0..50 {
			keep(&store, &under_group(part), &format!("{text} {round} {part}"));
		}
		let overlay = store.overlay();
		overlay.put(&GROUP, &Notebook(1)).unwrap();
		overlay.delete::<Note>(&under_group(7)).unwrap();
		overlay.commit().unwrap();
		assert_eq!(disk::files_with(&folder.path().join("store"), &wanted), Vec::<String>::new());
		if round == 1 {
			store.backend().compact().unwrap();
		}
		drop(store);
		assert_eq!(disk::files_with(&folder.path().join("store"), &wanted), Vec::<String>::new());
	}
	assert_eq!(kept(&open(folder.path()), IDENTITY), Some(note(&text)));
}

#[test]
fn the_search_for_plaintext_finds_it() {
	let folder = tempfile::tempdir().unwrap();
	disk::write_to(folder.path(), vec![(b"name".to_vec(), Some(SECRET.to_vec()))]);
	assert_eq!(disk::files_with(folder.path(), &[SECRET]).len(), 1);
}

#[test]
fn two_stores_and_two_writes_have_nothing_in_common() {
	let folder = tempfile::tempdir().unwrap();
	let (first, second) = (open(&folder.path().join("1")), open(&folder.path().join("2")));
	keep(&first, b"a", "same");
	keep(&second, b"a", "same");
	let (one, other) = (disk::entries(&first), disk::entries(&second));
	assert!(one[0].0 != other[0].0 && one[0].1 != other[0].1);
	keep(&first, b"a", "same");
	let again = disk::entries(&first);
	assert!(one[0].0 == again[0].0 && one[0].1 != again[0].1, "a nonce is used once");
}

#[test]
fn a_value_under_another_key_is_corrupt() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let mut other = GROUP;
	other[0] ^= 1;
	for (from, to) in [(GROUP.to_vec(), other.to_vec()), (under_group(1), under_group(2)), (vec![], vec![0])] {
		keep(&store, &from, "of one");
		let value = disk::entries(&store).pop().unwrap().1;
		keep(&store, &to, "of the other");
		let name = store.0.cipher.name(Key::new(Note::KIND, &to).bytes());
		disk::put(&store, &name, &value);
		is_corrupt(&store, &to);
		clear(&store);
	}
}

#[test]
fn values_that_changed_places_between_groups_are_corrupt() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	keep(&store, &GROUP, "of one group");
	keep(&store, &[7; 32], "of the other");
	let entries = disk::entries(&store);
	disk::put(&store, &entries[0].0, &entries[1].1);
	disk::put(&store, &entries[1].0, &entries[0].1);
	is_corrupt(&store, &GROUP);
	is_corrupt(&store, &[7; 32]);
}

#[test]
fn one_that_does_not_open_is_passed_over_where_it_can_be_done_without() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	keep(&store, &under_group(1), "whole");
	keep(&store, &under_group(2), "exchanged");
	let name = |part| store.0.cipher.name(Key::new(Note::KIND, &under_group(part)).bytes());
	let (from, to) = (name(1), name(2));
	let (_, value) = disk::entries(&store).into_iter().find(|(name, _)| *name == from).unwrap();
	disk::put(&store, &to, &value);
	let overlay = store.overlay();
	assert!(matches!(overlay.nested().keys::<Note>(&GROUP), Err(StoreError::Corrupt { .. })));
	let read = overlay.list_readable::<Note>(&GROUP).unwrap();
	assert_eq!(read, [(under_group(1), note("whole"))]);
	overlay.delete_all::<Note>(&GROUP).unwrap();
	overlay.commit().unwrap();
	assert_eq!(kept(&store, &under_group(1)), None);
	let left = disk::entries(&store).into_iter().filter(|(name, _)| *name == from || *name == to);
	assert_eq!(left.count(), 1, "nobody knows what it was, or whose");
	keep(&store, &under_group(2), "new");
	assert_eq!(kept(&store, &under_group(2)), Some(note("new")));
}

#[test]
fn a_value_of_another_kind_is_corrupt() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let overlay = store.overlay();
	overlay.put(b"a", &Notebook(1)).unwrap();
	overlay.commit().unwrap();
	let value = disk::entries(&store).pop().unwrap().1;
	let name = store.0.cipher.name(Key::new(Note::KIND, b"a").bytes());
	disk::put(&store, &name, &value);
	is_corrupt(&store, b"a");
	assert_eq!(store.overlay().get(b"a"), Ok(Some(Notebook(1))));
}

#[test]
fn a_value_with_any_bit_flipped_or_any_length_cut_is_corrupt() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	keep(&store, b"a", "x");
	let (name, value) = disk::entries(&store).pop().unwrap();
	for bit in 0..value.len() * 8 {
		let mut damaged = value.clone();
		damaged[bit / 8] ^= 1 << (bit % 8);
		disk::put(&store, &name, &damaged);
		is_corrupt(&store, b"a");
	}
	for length in 0..value.len() {
		disk::put(&store, &name, &value[..length]);
		is_corrupt(&store, b"a");
		disk::put(&store, &name, &value[length + 1..]);
		is_corrupt(&store, b"a");
	}
	disk::put(&store, &name, &[&value[..], &[1]].concat());
	is_corrupt(&store, b"a");
	disk::put(&store, &name, &value);
	assert_eq!(kept(&store, b"a"), Some(note("x")));
}

#[test]
fn a_name_is_no_longer_and_no_other_for_whatever_is_in_the_key() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let keys: Vec<Vec<u8>> = (0..70).map(|length| vec![b'k'; length]).collect();
	for key in &keys {
		keep(&store, key, "text");
	}
	let entries = disk::entries(&store);
	assert_eq!(entries.len(), keys.len());
	assert!(entries.iter().all(|(name, _)| name.len() == 48));
	for length in 0..70 {
		let listed = store.overlay().list::<Note>(&keys[length]).unwrap();
		let listed: Vec<Vec<u8>> = listed.into_iter().map(|(key, _)| key).collect();
		assert_eq!(listed, keys[length..], "in the order of the keys, those that begin with the prefix");
	}
}

#[test]
fn the_records_of_a_group_are_one_range() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	for part in 0..10 {
		keep(&store, &under_group(part), "of the group");
		keep(&store, &[part; 32], "of another");
	}
	let range = store.0.cipher.range(&Key::new(Note::KIND, &GROUP));
	let mut seen = 0;
	let count = &mut |_: &[u8], _: &[u8]| {
		seen += 1;
		Ok(())
	};
	store.backend().scan(&range, count).unwrap();
	assert_eq!(seen, 10);
}

/// Deletes every record, readable or not.
fn clear(store: &Store) {
	let batch = disk::entries(store).into_iter().map(|(name, _)| (name, None)).collect();
	store.backend().write(batch).unwrap();
}
