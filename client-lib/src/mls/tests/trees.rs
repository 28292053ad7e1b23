//! Ratchet trees as they are written beside a Welcome: byte for byte as OpenMLS writes a copy.

use super::{
	add, commit, group,
	log::{Log, GENESIS},
	remove, Engine, EngineError, Intent, Member, NewKeyPackage,
};
use crate::mls::ratchet_tree;
use openmls::prelude::{tls_codec::Serialize, ParentNode, RatchetTreeIn};

/// The tree of a group as this member has it.
pub(super) fn tree(member: &Member, log: &Log) -> Vec<u8> {
	let mls = member.read(|engine, overlay| engine.load(overlay, &log.group)).unwrap();
	let exported = mls.export_ratchet_tree();
	let bytes = exported.tls_serialize_detached().unwrap();
	assert_eq!(ratchet_tree::encode(mls.treesync()).unwrap(), bytes);
	assert_eq!(ratchet_tree::encoded_len(mls.treesync()), bytes.len());
	assert_eq!(ratchet_tree::decode(&bytes).unwrap(), Some(RatchetTreeIn::from(exported)));
	bytes
}

pub(super) fn packages(names: &[String]) -> Vec<NewKeyPackage> {
	let elsewhere = Member::new("elsewhere");
	let overlay = elsewhere.store().overlay();
	let package = |name: &String| {
		let engine = Engine::new(name.as_bytes().to_vec(), blake3::hash(name.as_bytes()).as_bytes(), GENESIS).unwrap();
		engine.key_package(&overlay).unwrap()
	};
	names.iter().map(package).collect()
}

#[test]
fn trees_of_all_sizes_are_written_as_openmls_writes_them() {
	let (mut log, mut members) = group(&["a"]);
	tree(&members[0], &log);
	let names: Vec<String> = (1..40).map(|number| format!("m{number}")).collect();
	let packages = packages(&names);
	for package in &packages[..17] {
		commit(&mut members, &mut log, 0, &add(std::slice::from_ref(package)));
		tree(&members[0], &log);
	}
	commit(&mut members, &mut log, 0, &add(&packages[17..]));
	let full = tree(&members[0], &log);
	// Blank leaves within, and at the end, where places are left off; with the last of these the tree has half its size.
	let going: [&[&str]; 6] =
		[&["m39"], &["m37", "m38"], &["m3"], &["m8", "m9", "m10", "m11"], &["m33", "m34", "m35"], &["m32", "m36"]];
	for names in going {
		commit(&mut members, &mut log, 0, &remove(names));
		assert!(tree(&members[0], &log).len() < full.len());
	}
	// One comes to a place that was left, and one stays at the end alone.
	commit(&mut members, &mut log, 0, &add(&packages[38..]));
	tree(&members[0], &log);
	let view = members[0].view(&log);
	let others = view.members.iter().map(|name| std::str::from_utf8(name).unwrap());
	let others: Vec<&str> = others.filter(|name| !["a", "m31"].contains(name)).collect();
	commit(&mut members, &mut log, 0, &remove(&others));
	tree(&members[0], &log);
	commit(&mut members, &mut log, 0, &remove(&["m31"]));
	tree(&members[0], &log);
}

/// Whether a parent has an unmerged leaf: they are the last of its fields.
fn has_unmerged(parent: &ParentNode) -> bool {
	let bytes = parent.tls_serialize_detached().unwrap();
	(0..8).any(|leaf| bytes.ends_with(&[4, 0, 0, 0, leaf]))
}

#[test]
fn unmerged_leaves_are_written_too() {
	let (mut log, mut members) = group(&["a", "b", "c", "d", "e", "f", "g", "h"]);
	commit(&mut members, &mut log, 0, &remove(&["g"]));
	members.remove(6);
	// The last two leaves' parent stays blank, and the one above it is not.
	for committer in 0..members.len() {
		commit(&mut members, &mut log, committer, &Intent::Update);
		tree(&members[0], &log);
	}
	commit(&mut members, &mut log, 0, &add(&packages(&["z".to_owned()])));
	let mls = members[0].read(|engine, overlay| engine.load(overlay, &log.group)).unwrap();
	assert!(mls.treesync().full_parents().any(|(_, parent)| has_unmerged(parent)));
	let trees: Vec<Vec<u8>> = members.iter().map(|member| tree(member, &log)).collect();
	assert!(trees.iter().all(|tree| *tree == trees[0]));
}

#[test]
fn the_tree_of_a_welcome_is_that_of_the_epoch_which_its_commit_opens_or_none() {
	let (mut log, mut members) = group(&["a", "b"]);
	let names = ["j".to_owned()];
	let prepared = members[0].prepare(&log, &add(&packages(&names)));
	let opened = |member: &Member| member.read(|engine, overlay| engine.opened_tree(overlay, &prepared));
	let before = opened(&members[0]).unwrap();
	let entry = log.append(&prepared);
	members.iter_mut().for_each(|member| drop(member.advance(&log, &entry)));
	assert_eq!((opened(&members[0]).unwrap(), tree(&members[0], &log)), (before.clone(), before));
	commit(&mut members, &mut log, 1, &Intent::Update);
	assert!(matches!(opened(&members[0]), Err(EngineError::Library { .. })), "the group has gone on");
}

#[test]
fn a_commit_that_has_lost_has_no_tree() {
	let (mut log, mut members) = group(&["a", "b"]);
	let lost = members[0].prepare(&log, &add(&packages(&["j".to_owned()])));
	commit(&mut members[1..], &mut log, 0, &Intent::Update);
	let entry = log.tip().clone();
	members[0].advance(&log, &entry);
	let tree = members[0].read(|engine, overlay| engine.opened_tree(overlay, &lost));
	assert!(matches!(tree, Err(EngineError::Library { .. })), "the epoch has the same number, and is another");
}
