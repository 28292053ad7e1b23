//! Values of which one field is a record of its own.

use super::open;
use crate::store::{key::Key, Overlay, StoreError};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Secrets {
	most: usize,
	past: Vec<Vec<u8>>,
	current: Vec<u8>,
}

fn names() -> (Key, Key) {
	(Key::new("whole", b"group"), Key::new("apart", b"group"))
}

fn secrets(past: u8, current: u8) -> Secrets {
	Secrets { most: 5, past: vec![vec![past; 100]; 5], current: vec![current; 40] }
}

fn put(overlay: &Overlay<'_>, value: &Secrets) {
	let (key, apart) = names();
	overlay.write_parts(key, apart, "past", value).unwrap();
}

fn get(overlay: &Overlay<'_>) -> Result<Option<Secrets>, StoreError> {
	let (key, apart) = names();
	overlay.read_parts(&key, &apart)
}

#[test]
fn it_is_read_as_it_was_written() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let overlay = store.overlay();
	assert_eq!(get(&overlay), Ok(None));
	put(&overlay, &secrets(1, 1));
	assert_eq!(get(&overlay), Ok(Some(secrets(1, 1))));
	overlay.commit().unwrap();
	let overlay = store.overlay();
	overlay.past_epochs_stay();
	put(&overlay, &secrets(1, 2));
	assert_eq!(get(&overlay), Ok(Some(secrets(1, 2))));
	overlay.commit().unwrap();
	let overlay = store.overlay();
	put(&overlay, &secrets(2, 2));
	overlay.commit().unwrap();
	drop(store);
	assert_eq!(get(&open(folder.path()).overlay()), Ok(Some(secrets(2, 2))));
}

#[test]
fn what_stays_is_not_written_again() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let written = |stays: bool, value: &Secrets| {
		let overlay = store.overlay();
		if stays {
			overlay.past_epochs_stay();
		}
		put(&overlay, value);
		let written = overlay.write_count();
		overlay.commit().unwrap();
		written
	};
	assert_eq!(written(true, &secrets(1, 1)), 2, "there was nothing that could stay");
	assert_eq!(written(true, &secrets(1, 2)), 1);
	assert_eq!(written(false, &secrets(1, 3)), 2);
}

#[test]
#[should_panic = "what was to stay has changed"]
fn what_is_said_to_stay_has_to() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let overlay = store.overlay();
	put(&overlay, &secrets(1, 1));
	overlay.past_epochs_stay();
	put(&overlay, &secrets(2, 1));
}

#[test]
fn what_was_written_in_one_is_read_and_then_written_in_two() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let overlay = store.overlay();
	overlay.write(names().0, &secrets(1, 1)).unwrap();
	assert_eq!(get(&overlay), Ok(Some(secrets(1, 1))));
	overlay.past_epochs_stay();
	put(&overlay, &secrets(1, 2));
	assert_eq!(overlay.write_count(), 2);
	assert_eq!(get(&overlay), Ok(Some(secrets(1, 2))));
}

#[test]
fn a_lost_or_damaged_part_is_corruption() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let overlay = store.overlay();
	put(&overlay, &secrets(1, 1));
	overlay.commit().unwrap();
	for part in ["whole", "apart"] {
		for with in [&b""[..], b"\x03", b"\x03\xff\xff\xff\xff", b"\x03\0\0\0\0\xa0", b"\x02\xa0", b"x"] {
			let before = [store.read(&names().0), store.read(&names().1)].map(|bytes| bytes.unwrap().unwrap());
			assert_eq!(store.damage(part, Some(with)), 1);
			let error = get(&store.overlay()).unwrap_err();
			assert!(matches!(error, StoreError::Corrupt { .. }), "{part} {with:?}: {error}");
			for (kind, bytes) in ["whole", "apart"].into_iter().zip(before) {
				store.damage(kind, Some(&bytes));
			}
			assert_eq!(get(&store.overlay()), Ok(Some(secrets(1, 1))));
		}
	}
	assert_eq!(store.damage("apart", None), 1);
	assert!(matches!(get(&store.overlay()), Err(StoreError::Corrupt { kind: "apart", .. })));
}
