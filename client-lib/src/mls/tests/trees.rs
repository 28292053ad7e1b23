//! Ratchet trees as they are written beside a Welcome: byte for byte as OpenMLS writes a copy.

use super::{
	add, assert_agreement, commit, group,
	log::{Log, GENESIS},
	remove, Engine, EngineError, Intent, Member, NewKeyPackage, Prepared,
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

/// The unmerged leaves of a parent: the last of its fields (RFC 9420 section 7.1), each of which has fewer than 64 bytes here.
fn unmerged(parent: &ParentNode) -> Vec<u32> {
	fn field(bytes: &[u8]) -> (&[u8], &[u8]) {
		let (length, rest) = bytes.split_first().unwrap();
		assert!(*length < 64, "its length is one byte");
		rest.split_at(usize::from(*length))
	}
	let bytes = parent.tls_serialize_detached().unwrap();
	let (_key, rest) = field(&bytes);
	let (_hash, rest) = field(rest);
	let (leaves, rest) = field(rest);
	assert!(rest.is_empty());
	leaves.chunks(4).map(|leaf| u32::from_be_bytes(leaf.try_into().unwrap())).collect()
}

/// The parents of a group that have unmerged leaves, with these.
fn with_unmerged(member: &Member, log: &Log) -> Vec<(u32, Vec<u32>)> {
	let mls = member.read(|engine, overlay| engine.load(overlay, &log.group)).unwrap();
	let parents = mls.treesync().full_parents().map(|(index, parent)| (index.u32(), unmerged(parent)));
	parents.filter(|(_, leaves)| !leaves.is_empty()).collect()
}

fn place(members: &[Member], name: &str) -> usize {
	members.iter().position(|member| member.name() == name).unwrap()
}

/// One member adds others, who join by the letter; and all have the same tree, which is the one in it.
fn join(members: &mut Vec<Member>, log: &mut Log, committer: &str, names: &[&str]) {
	let mut joiners: Vec<Member> = names.iter().map(|name| Member::new(name)).collect();
	let packages: Vec<NewKeyPackage> = joiners.iter_mut().map(Member::key_package).collect();
	let committer = place(members, committer);
	let prepared = members[committer].prepare(log, &add(&packages));
	let entry = log.append(&prepared);
	members.iter_mut().for_each(|member| drop(member.advance(log, &entry)));
	let welcomes = members[committer].welcomes(&prepared, &entry);
	let written = tree(&members[committer], log);
	for (joiner, package) in joiners.iter_mut().zip(&packages) {
		assert_eq!(joiner.open_welcome(package, &welcomes).tree.0, written);
		joiner.join(log, package, &welcomes);
	}
	members.extend(joiners);
	assert!(members.iter().all(|member| tree(member, log) == written));
}

/// One member removes others, and all who stay have the same tree; gives how long that is.
fn part(members: &mut Vec<Member>, log: &mut Log, committer: &str, names: &[&str]) -> usize {
	let committer = place(members, committer);
	commit(members, log, committer, &remove(names));
	members.retain(|member| !names.contains(&member.name().as_str()));
	let written = tree(&members[0], log);
	assert!(members.iter().all(|member| tree(member, log) == written));
	written.len()
}

/// A parent of one half has unmerged leaves, and those below it have some of these: whoever commits is in the other half.
#[test]
fn unmerged_leaves_at_several_levels_are_in_the_tree_that_a_joiner_joins_by() {
	let (mut log, mut members) = group(&["a", "b", "c", "d", "e", "f", "g", "h"]);
	// With "r" the tree gets its other half, and with people who never come.
	let mut r = Member::new("r");
	let mut others = vec![r.key_package()];
	others.extend(packages(&(9..16).map(|number| format!("p{number}")).collect::<Vec<_>>()));
	let prepared = members[0].prepare(&log, &add(&others));
	let entry = log.append(&prepared);
	members.iter_mut().for_each(|member| drop(member.advance(&log, &entry)));
	r.join(&log, &others[0], &members[0].welcomes(&prepared, &entry));
	members.push(r);
	let full = part(&mut members, &mut log, "r", &["b", "d", "g"]);
	for committer in ["a", "e", "r"] {
		let committer = place(&members, committer);
		commit(&mut members, &mut log, committer, &Intent::Update);
		tree(&members[0], &log);
	}
	assert_eq!(with_unmerged(&members[0], &log), []);

	// They come to the leaves 1, 3 and 6. Of the parents 1 is above the leaves 0 to 3, 5 above 4 to 7, and 3 above both.
	join(&mut members, &mut log, "r", &["i"]);
	assert_eq!(with_unmerged(&members[0], &log), [(1, vec![1]), (3, vec![1])]);
	join(&mut members, &mut log, "r", &["j", "k"]);
	assert_eq!(with_unmerged(&members[0], &log), [(1, vec![1, 3]), (3, vec![1, 3, 6]), (5, vec![6])]);
	// A removal leaves blank what is above the leaf, and the rest as it is.
	part(&mut members, &mut log, "r", &["j"]);
	assert_eq!(with_unmerged(&members[0], &log), [(5, vec![6])]);
	join(&mut members, &mut log, "r", &["l"]);
	assert_eq!(with_unmerged(&members[0], &log), [(5, vec![6])]);
	// The other half goes: the tree has half its size.
	let gone = ["r", "p9", "p10", "p11", "p12", "p13", "p14", "p15", "l"];
	let half = part(&mut members, &mut log, "a", &gone);
	assert!(half < full);
	assert_eq!(with_unmerged(&members[0], &log), [(5, vec![6])]);
	join(&mut members, &mut log, "a", &["m"]);
	assert_eq!(with_unmerged(&members[0], &log), [(5, vec![6])]);
	// Who was unmerged commits, and is so no more.
	let committer = place(&members, "k");
	commit(&mut members, &mut log, committer, &Intent::Update);
	assert_eq!(with_unmerged(&members[0], &log), []);
	join(&mut members, &mut log, "k", &["n"]);
	assert_agreement(&mut members, &log);
}

/// What it needs for that is in its store: the commit, and the group in pieces.
#[test]
fn an_inviter_that_is_restarted_before_or_after_it_learns_that_it_has_won_sends_the_same_tree() {
	let (mut log, mut members) = group(&["a", "b"]);
	let names: Vec<String> = (2..40).map(|number| format!("m{number}")).collect();
	commit(&mut members, &mut log, 0, &add(&packages(&names)));
	for (restarts, name) in [([true, false], "i"), ([false, true], "j"), ([true, true], "k")] {
		let mut joiner = Member::new(name);
		let package = joiner.key_package();
		let entry = log.append(&members[0].prepare(&log, &add(std::slice::from_ref(&package))));
		for restarted in restarts {
			if restarted {
				members[0].restart(&log);
			}
			if members[0].view(&log).epoch < entry.index {
				members.iter_mut().for_each(|member| drop(member.advance(&log, &entry)));
			}
		}
		let stored: Prepared = members[0].read(|_, overlay| overlay.get(log.group.as_bytes())).unwrap().unwrap();
		let welcomes = members[0].welcomes(&stored, &entry);
		assert_eq!(joiner.open_welcome(&package, &welcomes).tree.0, tree(&members[1], &log));
		joiner.join(&log, &package, &welcomes);
		members.push(joiner);
		commit(&mut members, &mut log, 1, &Intent::Update);
	}
	assert_agreement(&mut members, &log);
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
