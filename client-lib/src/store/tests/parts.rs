//! Values a list of which is kept element by element.

use super::open;
use crate::store::{key::Key, parts::List, Overlay, StoreError};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Secrets {
	most: usize,
	past: Vec<Epoch>,
	current: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Epoch {
	number: u64,
	secrets: Vec<Vec<u8>>,
}

fn name() -> Key {
	Key::new("whole", b"group")
}

fn list() -> List<impl Fn(u64) -> Result<Key, StoreError>> {
	List { field: "past", number: "number", key: |number| Ok(Key::new("apart", &number.to_be_bytes())) }
}

/// With past epochs of these numbers.
fn secrets(past: &[u64], current: u8) -> Secrets {
	let epoch = |number: &u64| Epoch { number: *number, secrets: vec![vec![*number as u8; 40]; 3] };
	Secrets { most: 5, past: past.iter().map(epoch).collect(), current: vec![current; 40] }
}

fn put(overlay: &Overlay<'_>, value: &Secrets) {
	overlay.write_parts(&name(), &list(), value).unwrap();
}

fn get(overlay: &Overlay<'_>) -> Result<Option<Secrets>, StoreError> {
	overlay.read_parts(&name(), &list())
}

#[test]
fn it_is_read_as_it_was_written() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	assert_eq!(get(&store.overlay()), Ok(None));
	let numbers: [&[u64]; 6] = [&[], &[1], &[1, 300], &[300, 1 << 40, u64::MAX], &[u64::MAX], &[]];
	for (current, numbers) in numbers.into_iter().enumerate() {
		let overlay = store.overlay();
		overlay.past_epochs_stay();
		let value = secrets(numbers, current as u8);
		put(&overlay, &value);
		assert_eq!(get(&overlay), Ok(Some(value.clone())));
		overlay.commit().unwrap();
		assert_eq!(get(&store.overlay()), Ok(Some(value)));
		assert_eq!(store.overlay().scan::<Epoch>(&Key::new("apart", b"")).unwrap().len(), numbers.len());
	}
	drop(store);
	let store = open(folder.path());
	assert_eq!(get(&store.overlay()), Ok(Some(secrets(&[], 5))));
	let overlay = store.overlay();
	put(&overlay, &secrets(&[1, 2], 6));
	overlay.remove_parts(name(), &list()).unwrap();
	overlay.commit().unwrap();
	assert_eq!(get(&store.overlay()), Ok(None));
	assert!(store.overlay().scan::<Epoch>(&Key::new("apart", b"")).unwrap().is_empty());
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
	assert_eq!(written(true, &secrets(&[1, 2], 1)), 3, "there was nothing that could stay");
	assert_eq!(written(true, &secrets(&[1, 2], 2)), 1);
	assert_eq!(written(true, &secrets(&[2, 3], 3)), 3, "one goes, and one comes");
	assert_eq!(written(false, &secrets(&[2, 3], 4)), 3);
}

#[test]
#[should_panic = "what was to stay has changed"]
fn what_is_said_to_stay_has_to() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let overlay = store.overlay();
	put(&overlay, &secrets(&[1], 1));
	overlay.past_epochs_stay();
	let mut other = secrets(&[1], 1);
	other.past[0].secrets.pop();
	put(&overlay, &other);
}

#[test]
fn what_was_written_in_one_is_read_and_then_written_in_parts() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let overlay = store.overlay();
	overlay.write(name(), &secrets(&[1, 2], 1)).unwrap();
	assert_eq!(get(&overlay), Ok(Some(secrets(&[1, 2], 1))));
	overlay.past_epochs_stay();
	put(&overlay, &secrets(&[1, 2], 2));
	assert_eq!(overlay.write_count(), 3);
	assert_eq!(get(&overlay), Ok(Some(secrets(&[1, 2], 2))));
}

#[test]
fn of_two_overlays_that_write_the_parts_of_a_group_only_one_is_committed() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let (first, second) = (store.overlay(), store.overlay());
	put(&first, &secrets(&[1], 1));
	put(&second, &secrets(&[2], 2));
	first.commit().unwrap();
	assert_eq!(second.commit(), Err(StoreError::Overtaken));
	assert_eq!(get(&store.overlay()), Ok(Some(secrets(&[1], 1))));
	assert_eq!(store.overlay().scan::<Epoch>(&Key::new("apart", b"")).unwrap().len(), 1);
}

#[test]
fn a_lost_or_damaged_part_is_corruption() {
	let value = secrets(&[1], 1);
	for part in ["whole", "apart"] {
		for with in [&b""[..], b"\x03", b"\x03\xff\xff\xff\xff", b"\x03\0\0\0\0\xff\xff\xff\xff\xa0", b"\x02\xa0", b"x"]
		{
			let folder = tempfile::tempdir().unwrap();
			let store = open(folder.path());
			let overlay = store.overlay();
			put(&overlay, &value);
			overlay.commit().unwrap();
			assert_eq!(store.damage(part, Some(with)), 1);
			let error = get(&store.overlay()).unwrap_err();
			assert!(matches!(error, StoreError::Corrupt { .. }), "{part} {with:?}: {error}");
		}
	}
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let overlay = store.overlay();
	put(&overlay, &value);
	overlay.commit().unwrap();
	assert_eq!(store.damage("apart", None), 1);
	assert!(matches!(get(&store.overlay()), Err(StoreError::Corrupt { kind: "apart", .. })));
}
