//! Values that are kept in pieces.

use super::open;
use crate::store::{codec::PieceHash, key::Key, Overlay, Store, StoreError};
use proptest::{collection::vec, prelude::*};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Outer {
	tree: Tree,
	hash: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Tree {
	leaves: Vec<Option<Node>>,
	bytes: Vec<u8>,
	parents: Vec<Option<Node>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Node {
	number: u64,
	key: Vec<u8>,
	deep: Vec<Vec<u16>>,
}

fn name() -> Key {
	Key::new("whole", b"group")
}

#[allow(clippy::unnecessary_wraps, reason = "what the key of a piece is made of may fail")]
fn piece(hash: &PieceHash) -> Result<Key, StoreError> {
	Ok(Key::new("piece", hash))
}

fn node(number: u64) -> Option<Node> {
	Some(Node { number, key: vec![number as u8; 32], deep: vec![vec![1; 40], vec![number as u16]] })
}

fn tree(leaves: u64) -> Outer {
	let nodes = |from: u64| (from..from + leaves).map(node).collect();
	Outer { tree: Tree { leaves: nodes(0), bytes: vec![1; 50], parents: nodes(1 << 32) }, hash: vec![3; 32] }
}

fn put(overlay: &Overlay<'_>, value: &Outer) {
	overlay.write_pieces(&name(), piece, value).unwrap();
}

fn get(overlay: &Overlay<'_>) -> Result<Option<Outer>, StoreError> {
	overlay.read_pieces(&name(), piece)
}

fn pieces(store: &Store) -> usize {
	store.overlay().scan_bytes(&Key::new("piece", b"")).len()
}

/// Writes a value, and gives how many records that changed.
fn change(store: &Store, value: &Outer) -> usize {
	let overlay = store.overlay();
	put(&overlay, value);
	assert_eq!(get(&overlay).as_ref(), Ok(&Some(value.clone())));
	let changed = overlay.write_count();
	overlay.commit().unwrap();
	assert_eq!(get(&store.overlay()).as_ref(), Ok(&Some(value.clone())));
	changed
}

#[test]
fn it_is_read_as_it_was_written_and_nothing_of_it_stays_behind() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	assert_eq!(get(&store.overlay()), Ok(None));
	for leaves in [0, 1, 15, 16, 17, 33, 1000, 16, 1] {
		change(&store, &tree(leaves));
		// Lists of 17 are cut once; the first piece reaches to the end of the first 16 leaves.
		let cuts = (leaves.max(1) - 1) / 16;
		assert_eq!(pieces(&store) as u64, 1 + 2 * cuts, "{leaves}");
	}
	drop(store);
	let store = open(folder.path());
	assert_eq!(get(&store.overlay()), Ok(Some(tree(1))));
	let overlay = store.overlay();
	put(&overlay, &tree(40));
	overlay.remove_pieces(name(), piece).unwrap();
	overlay.commit().unwrap();
	assert_eq!((get(&store.overlay()), pieces(&store)), (Ok(None), 0));
}

#[test]
fn what_is_as_it_was_is_not_written_again() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let mut value = tree(160);
	assert_eq!(change(&store, &value), 1 + 19);
	assert_eq!(change(&store, &value), 1, "the list of the pieces alone");
	value.tree.leaves[50] = None;
	assert_eq!(change(&store, &value), 1 + 2, "one goes, and one comes");
	value.tree.leaves[50] = node(7);
	value.tree.leaves[60] = None;
	value.tree.parents[159] = None;
	assert_eq!(change(&store, &value), 1 + 4);
	value.tree.leaves.extend([node(1), node(2)]);
	assert_eq!(change(&store, &value), 1 + 5, "the first has the length of the list, the last less than it had");
	value.tree.parents[..48].fill(None);
	let before = pieces(&store);
	change(&store, &value);
	assert!(pieces(&store) < before, "what is the same is there once");
	value.tree.parents[20] = node(3);
	change(&store, &value);
}

/// Several epochs in one write, the later of which go back to what the earlier had.
#[test]
fn what_went_and_came_back_in_one_write_is_there() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let (first, mut second) = (tree(100), tree(100));
	second.tree.leaves[70] = None;
	change(&store, &first);
	let outer = store.overlay();
	for value in [&second, &first, &second, &first] {
		let step = outer.nested();
		put(&step, value);
		step.commit().unwrap();
		assert_eq!(get(&outer).as_ref(), Ok(&Some(value.clone())));
	}
	outer.commit().unwrap();
	assert_eq!(get(&store.overlay()), Ok(Some(first)));
	assert_eq!(pieces(&store), 13);
}

#[test]
fn what_was_written_in_one_is_read_and_then_written_in_pieces() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let overlay = store.overlay();
	overlay.write(name(), &tree(40)).unwrap();
	assert_eq!(get(&overlay), Ok(Some(tree(40))));
	overlay.commit().unwrap();
	assert_eq!(change(&store, &tree(40)), 1 + 5);
}

#[test]
fn a_lost_or_damaged_piece_is_corruption() {
	let damaged = |kind, with: Option<&[u8]>| {
		let folder = tempfile::tempdir().unwrap();
		let store = open(folder.path());
		let overlay = store.overlay();
		put(&overlay, &tree(40));
		overlay.commit().unwrap();
		store.damage(kind, with);
		get(&store.overlay()).unwrap_err()
	};
	for with in [&b""[..], b"\x04", b"\x04abc", b"\x04abcdefghijklmnopqrstuvwxyz0123456789", b"\x02", b"x"] {
		let error = damaged("whole", Some(with));
		assert!(matches!(error, StoreError::Corrupt { .. }), "{with:?}: {error}");
	}
	for with in [None, Some(&b""[..]), Some(b"\x02\xa0")] {
		let error = damaged("piece", with);
		assert!(matches!(error, StoreError::Corrupt { kind: "piece", .. }), "{with:?}: {error}");
	}
}

fn any_tree() -> impl Strategy<Value = Outer> {
	let any_node = (any::<u64>(), vec(any::<u8>(), 0..40), vec(vec(any::<u16>(), 0..20), 0..20));
	let any_node = any_node.prop_map(|(number, key, deep)| Node { number, key, deep });
	let nodes = || vec(prop::option::weighted(0.7, any_node.clone()), 0..50);
	(nodes(), vec(any::<u8>(), 0..50), nodes(), vec(any::<u8>(), 0..50))
		.prop_map(|(leaves, bytes, parents, hash)| Outer { tree: Tree { leaves, bytes, parents }, hash })
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

	#[test]
	fn any_value_is_read_as_it_was_written(values in vec(any_tree(), 1..6)) {
		let folder = tempfile::tempdir().unwrap();
		let store = open(folder.path());
		for value in &values {
			change(&store, value);
		}
		let overlay = store.overlay();
		overlay.remove_pieces(name(), piece).unwrap();
		overlay.commit().unwrap();
		prop_assert_eq!(pieces(&store), 0);
	}
}
