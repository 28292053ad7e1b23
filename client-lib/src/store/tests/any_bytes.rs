//! Whatever the database holds: a store opens on it, and its records are read, or there is an error.

use super::{key, Note, Notebook};
use crate::store::{
	backend::{memory::MemoryDisk, Backend},
	codec, header,
	key::Key,
	Cipher, Store,
};
use proptest::{collection::vec, prelude::*, sample::Index};

proptest! {
	#![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

	#[test]
	fn any_bytes_are_a_header_or_an_error(bytes in vec(any::<u8>(), 0..200), at: Index, byte: u8, own: bool) {
		let disk = MemoryDisk::new();
		let bytes = if own {
			// A header that was changed in one place.
			drop(Store::in_memory(&disk, &key()).unwrap());
			let mut bytes = disk.get(header::NAME).unwrap().unwrap();
			let at = at.index(bytes.len());
			bytes[at] ^= byte.max(1);
			bytes
		} else {
			bytes
		};
		disk.write(vec![(header::NAME.to_vec(), Some(bytes))]).unwrap();
		prop_assert!(Store::in_memory(&disk, &key()).is_err());
	}

	#[test]
	fn any_bytes_are_a_record_or_an_error(mut bytes in vec(any::<u8>(), 0..200), format in 0..5u8) {
		if let Some(first) = bytes.first_mut() {
			*first = format;
		}
		drop(codec::decode::<Note>(&Key::new("note", b"a"), &bytes));
		drop(codec::decode::<Notebook>(&Key::new("notebook", b"a"), &bytes));
		drop(codec::decode::<serde_json::Value>(&Key::new("any", b"a"), &bytes));
	}

	#[test]
	fn any_bytes_under_a_name_do_not_open(mut bytes in vec(any::<u8>(), 0..200), format: bool) {
		if let (true, Some(last)) = (format, bytes.last_mut()) {
			*last = 1;
		}
		let cipher = Cipher::new(&[1; 32]);
		prop_assert!(cipher.open("note", &cipher.name(Key::new("note", b"a").bytes()), bytes).is_err());
	}
}
