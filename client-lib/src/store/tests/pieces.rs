//! Values that are kept in pieces.

mod steps;

use super::{keep, kept, note, open};
use crate::store::{codec::PieceHash, key::Key, MemoryDisk, Overlay, Store, StoreError};
use proptest::{collection::vec, prelude::*};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

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

/// The key of a piece of a group's value: the same piece of two groups is two records.
fn piece_of(group: u8) -> impl Fn(&PieceHash) -> Result<Key, StoreError> {
	move |hash| Ok(Key::new("piece", &[&[group][..], hash].concat()))
}

fn name_of(group: u8) -> Key {
	Key::new("whole", &[group])
}

fn put_of(overlay: &Overlay<'_>, group: u8, value: &Outer) {
	overlay.write_pieces(&name_of(group), piece_of(group), value).unwrap();
}

fn read_of(overlay: &Overlay<'_>, group: u8) -> Result<Option<Outer>, StoreError> {
	overlay.read_pieces(&name_of(group), piece_of(group))
}

fn remove_of(overlay: &Overlay<'_>, group: u8) {
	overlay.remove_pieces(name_of(group), piece_of(group)).unwrap();
}

fn pieces_of(store: &Store, group: u8) -> Vec<Zeroizing<Vec<u8>>> {
	store.overlay().scan_bytes(&Key::new("piece", &[group]))
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

/// Each piece in turn is damaged or gone, and it alone.
#[test]
fn one_piece_that_is_lost_or_damaged_is_the_trouble_of_its_group_alone_until_that_is_forgotten() {
	let disk = MemoryDisk::new();
	let open = |disk: &MemoryDisk| Store::in_memory(disk, &super::key()).unwrap();
	let store = open(&disk);
	let overlay = store.overlay();
	put_of(&overlay, 0, &tree(40));
	put_of(&overlay, 1, &tree(41));
	overlay.commit().unwrap();
	let whole = pieces_of(&store, 0);
	assert_eq!(whole.len(), 5);
	for at in 0..whole.len() {
		// The last is another piece of the same group: what each of them is, its name says.
		let other = &whole[(at + 1) % whole.len()];
		for with in [None, Some(&b""[..]), Some(&whole[at][1..]), Some(&other[..])] {
			let store = open(&disk.snapshot());
			let hash = *blake3::hash(&whole[at]).as_bytes();
			damage(&store, &piece_of(0)(&hash).unwrap(), with);
			let reason = if with.is_none() { "it is missing" } else { "it is another one" };
			let corrupt = StoreError::Corrupt { kind: "piece", reason: reason.to_owned() };
			let overlay = store.overlay();
			assert_eq!(read_of(&overlay, 0), Err(corrupt.clone()), "piece {at}");
			assert_eq!(read_of(&overlay, 1), Ok(Some(tree(41))));
			assert_eq!(overlay.commit(), Err(StoreError::Faulted(Box::new(corrupt))));
			// Another group goes on, and the group comes back when what is left of it was deleted.
			let overlay = store.overlay();
			put_of(&overlay, 1, &tree(50));
			remove_of(&overlay, 0);
			overlay.commit().unwrap();
			assert_eq!((read_of(&store.overlay(), 0), pieces_of(&store, 0).len()), (Ok(None), 0));
			let overlay = store.overlay();
			put_of(&overlay, 0, &tree(40));
			overlay.commit().unwrap();
			assert_eq!(read_of(&store.overlay(), 0), Ok(Some(tree(40))));
			assert_eq!(read_of(&store.overlay(), 1), Ok(Some(tree(50))));
			assert_eq!(pieces_of(&store, 0), whole);
		}
	}
}

/// Writes a record past whatever looks after it.
fn damage(store: &Store, key: &Key, with: Option<&[u8]>) {
	let overlay = store.overlay();
	match with {
		Some(bytes) => overlay.put_bytes(key, Zeroizing::new(bytes.to_vec())),
		None => overlay.remove(key.clone()),
	}
	overlay.commit().unwrap();
}

/// The later one would delete what the list of the first names, and leave out what only it has.
#[test]
fn of_two_overlays_that_write_the_tree_of_a_group_only_one_is_committed() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let (before, mut one, mut other) = (tree(100), tree(100), tree(100));
	one.tree.leaves[20] = None;
	other.tree.leaves[70] = None;
	change(&store, &before);
	for nested in [false, true] {
		let (first, second) = (store.overlay(), store.overlay());
		put(&first, &one);
		if nested {
			let inner = second.nested();
			put(&inner, &other);
			inner.commit().unwrap();
		} else {
			put(&second, &other);
		}
		second.put(b"with it", &note("lost")).unwrap();
		first.commit().unwrap();
		assert_eq!(second.commit(), Err(StoreError::Overtaken));
		assert_eq!(get(&store.overlay()), Ok(Some(one.clone())));
		assert_eq!((kept(&store, b"with it"), pieces(&store)), (None, 13), "nothing of it was written");
		// It is made again, from what is there now.
		change(&store, &other);
		change(&store, &before);
	}
	let (first, second) = (store.overlay(), store.overlay());
	first.remove_pieces(name(), piece).unwrap();
	put(&second, &one);
	first.commit().unwrap();
	assert_eq!(second.commit(), Err(StoreError::Overtaken));
	assert_eq!((get(&store.overlay()), pieces(&store)), (Ok(None), 0));
}

#[test]
fn other_overlays_may_be_open_beside_one_that_writes_a_tree() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let (one, mut other) = (tree(100), tree(100));
	other.tree.leaves[70] = None;
	// One that was opened before another was committed, and writes the tree only then.
	let (late, dropped) = (store.overlay(), store.overlay());
	put(&dropped, &other);
	change(&store, &one);
	put(&late, &other);
	// What writes something else is in nobody's way.
	keep(&store, b"a", "beside it");
	let beside = store.overlay();
	beside.put(b"b", &note("beside it, too")).unwrap();
	late.commit().unwrap();
	beside.commit().unwrap();
	drop(dropped);
	assert_eq!(get(&store.overlay()), Ok(Some(other)));
	assert!(kept(&store, b"a").is_some() && kept(&store, b"b").is_some());
	// One within that was dropped has written nothing.
	let outer = store.overlay();
	put(&outer.nested(), &tree(3));
	outer.put(b"c", &note("without the tree")).unwrap();
	change(&store, &one);
	outer.commit().unwrap();
	assert_eq!((get(&store.overlay()), kept(&store, b"c").is_some()), (Ok(Some(one)), true));
}

/// The disk refuses a write: the next one is not held to what that had counted on.
#[test]
fn after_a_write_that_failed_the_tree_is_written_again() {
	let disk = MemoryDisk::new();
	let store = Store::in_memory(&disk, &super::key()).unwrap();
	change(&store, &tree(40));
	disk.fail_writes(0, 1);
	let overlay = store.overlay();
	put(&overlay, &tree(50));
	assert!(matches!(overlay.commit(), Err(StoreError::Database(_))));
	assert_eq!(get(&store.overlay()), Ok(Some(tree(40))));
	change(&store, &tree(50));
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
