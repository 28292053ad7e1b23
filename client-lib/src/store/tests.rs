//! The store's own promises: what is committed is there after reopening, what is not never was, and nobody without
//! the key can read or change any of it.
mod any_bytes;
mod disk;
mod encryption;
mod keeping;
mod memory;
mod migration;
mod overlay;
mod packed;
mod parts;
mod pieces;
mod property;
mod secret;
mod storage;
mod trouble;

use super::{Record, Store, StoreKey};
use serde::{Deserialize, Serialize};
use std::path::Path;

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

fn key() -> StoreKey {
	StoreKey::from_bytes([9; 32])
}

fn open(folder: &Path) -> Store {
	Store::open(folder.join("store"), &key()).expect("the store opens")
}

/// Commits one note.
fn keep(store: &Store, key: &[u8], text: &str) {
	let overlay = store.overlay();
	overlay.put(key, &note(text)).unwrap();
	overlay.commit().unwrap();
}

fn kept(store: &Store, key: &[u8]) -> Option<Note> {
	store.overlay().get(key).unwrap()
}
