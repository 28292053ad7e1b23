//! Overlays against a model of them, on both backends.

use super::{note, open, Note};
use crate::store::{MemoryDisk, Overlay, Record, Store};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Group(u8);

impl Record for Group {
	const KIND: &'static str = "group";
}

#[derive(Clone, Debug)]
enum Step {
	Put(Vec<u8>, u8),
	PutGroup(Vec<u8>, u8),
	Delete(Vec<u8>),
	/// A nested overlay, committed or not.
	Nested(Vec<Step>, bool),
	List(Vec<u8>),
}

/// Short keys and keys under group ids, so that they meet often.
fn key() -> impl Strategy<Value = Vec<u8>> {
	(0..3_usize, prop::collection::vec(0..2_u8, 0..3)).prop_map(|(group, rest)| match group {
		0 => rest,
		group => [vec![u8::try_from(group).unwrap_or(0); 32], rest].concat(),
	})
}

fn step() -> impl Strategy<Value = Step> {
	let flat = prop_oneof![
		4 => (key(), any::<u8>()).prop_map(|(key, value)| Step::Put(key, value)),
		1 => (key(), any::<u8>()).prop_map(|(key, value)| Step::PutGroup(key, value)),
		2 => key().prop_map(Step::Delete),
		2 => key().prop_map(Step::List),
	];
	flat.prop_recursive(3, 24, 6, |inner| {
		(prop::collection::vec(inner, 0..6), any::<bool>()).prop_map(|(steps, commit)| Step::Nested(steps, commit))
	})
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
	notes: BTreeMap<Vec<u8>, Note>,
	groups: BTreeMap<Vec<u8>, Group>,
}

fn run(overlay: &Overlay<'_>, model: &mut Model, steps: &[Step]) {
	for step in steps {
		match step {
			Step::Put(key, value) => {
				let value = note(&value.to_string());
				overlay.put(key, &value).unwrap();
				model.notes.insert(key.clone(), value);
			}
			Step::PutGroup(key, value) => {
				overlay.put(key, &Group(*value)).unwrap();
				model.groups.insert(key.clone(), Group(*value));
			}
			Step::Delete(key) => {
				overlay.delete::<Note>(key).unwrap();
				model.notes.remove(key);
			}
			Step::List(prefix) => {
				assert_eq!(overlay.get::<Note>(prefix).unwrap().as_ref(), model.notes.get(prefix));
				let expected = model.notes.iter().filter(|(key, _)| key.starts_with(prefix));
				let expected: Vec<_> = expected.map(|(key, value)| (key.clone(), value.clone())).collect();
				assert_eq!(overlay.list::<Note>(prefix).unwrap(), expected);
			}
			Step::Nested(steps, commit) => {
				let nested = overlay.nested();
				let mut inner = model.clone();
				run(&nested, &mut inner, steps);
				if *commit {
					nested.commit().unwrap();
					*model = inner;
				}
			}
		}
	}
}

fn stored(store: &Store) -> Model {
	let overlay = store.overlay();
	Model {
		notes: overlay.list(b"").unwrap().into_iter().collect(),
		groups: overlay.list(b"").unwrap().into_iter().collect(),
	}
}

fn agree(store: &Store, runs: &[(Vec<Step>, bool)]) -> Model {
	let mut model = Model::default();
	for (steps, commit) in runs {
		let overlay = store.overlay();
		let mut inner = model.clone();
		run(&overlay, &mut inner, steps);
		if *commit {
			overlay.commit().unwrap();
			model = inner;
		}
		assert_eq!(stored(store), model);
	}
	model
}

fn runs() -> impl Strategy<Value = Vec<(Vec<Step>, bool)>> {
	prop::collection::vec((prop::collection::vec(step(), 0..12), any::<bool>()), 0..4)
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn overlays_in_memory_do_what_the_model_does(runs in runs()) {
		let disk = MemoryDisk::new();
		let model = agree(&Store::in_memory(&disk, &super::key()).unwrap(), &runs);
		prop_assert_eq!(stored(&Store::in_memory(&disk.snapshot(), &super::key()).unwrap()), model);
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn overlays_on_rocksdb_do_what_the_model_does(runs in runs()) {
		let folder = tempfile::tempdir().unwrap();
		let model = agree(&open(folder.path()), &runs);
		prop_assert_eq!(stored(&open(folder.path())), model);
	}
}
