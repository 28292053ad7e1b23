//! Groups whose members are people of the directory: a leaf counts if its key is a device of its identity in the block of the entry
//! that brings it in. Blocks have the numbers of the entries here.

use super::{
	add, assert_agreement, assert_all_skip, commit, constants,
	hostile::{forge, leaf_key, Crypto, Fault, HostileProvider},
	log::GENESIS,
	policies::forge_rotation,
	refusal, remove, AuthenticationService, BuildError, Engine, Entry, GroupData, Intent, InvalidReason, KnownDevices,
	Log, Member, NewKeyPackage, Outcome, PolicyError, SignerSeed, WelcomeError,
};
use crate::mls::public_phase::first_vector;
use lockstep_primitives::{BlockNumber, IdentityId, IdentityKey};
use openmls::prelude::KeyPackage;
use std::collections::BTreeSet;

/// An identity of 32 bytes.
pub(super) fn id(name: &str) -> String {
	format!("{name:.<32}")
}

pub(super) fn person(name: &str) -> IdentityId {
	IdentityId(id(name).into_bytes().try_into().unwrap())
}

pub(super) fn key_of(seed: &[u8; 32]) -> IdentityKey {
	IdentityKey(SignerSeed::new(*seed).public().try_into().unwrap())
}

/// The key that a member of this name has.
pub(super) fn key(name: &str) -> IdentityKey {
	key_of(blake3::hash(id(name).as_bytes()).as_bytes())
}

/// Tells members what a person's log says.
pub(super) fn tell(members: &[Member], name: &str, until: BlockNumber, since: &[(BlockNumber, &[IdentityKey])]) {
	let since = since.iter().map(|(block, devices)| (*block, devices.to_vec())).collect();
	let known = KnownDevices { until, since, rotated: Vec::new() };
	for member in members {
		member.write(|_, overlay| overlay.put(&person(name).0, &known)).unwrap();
	}
}

pub(super) fn of_people() -> GroupData {
	GroupData { authentication: AuthenticationService::Directory, ..GroupData::default() }
}

/// A group of people who know of each other up to block 100.
pub(super) fn group(names: &[&str]) -> (Log, Vec<Member>) {
	group_with(&of_people(), names)
}

/// The same, with this data.
pub(super) fn group_with(data: &GroupData, names: &[&str]) -> (Log, Vec<Member>) {
	let mut members: Vec<Member> = names.iter().map(|name| Member::new(&id(name))).collect();
	for name in names {
		tell(&members, name, 100, &[(0, &[key(name)])]);
	}
	let mut log = Log::create_with(&mut members[0], data);
	let mut joiners = members.split_off(1);
	let packages: Vec<NewKeyPackage> = joiners.iter_mut().map(Member::key_package).collect();
	let prepared = members[0].prepare(&log, &add(&packages));
	let entry = log.append(&prepared);
	members[0].advance(&log, &entry);
	let welcomes = members[0].welcomes(&prepared, &entry);
	for (joiner, package) in joiners.iter_mut().zip(&packages) {
		joiner.join(&log, package, &welcomes);
		assert_eq!(strangers(joiner, &log, 100), Ok(BTreeSet::new()));
	}
	members.extend(joiners);
	assert_agreement(&mut members, &log);
	(log, members)
}

fn strangers(member: &Member, log: &Log, block: BlockNumber) -> Result<BTreeSet<IdentityId>, WelcomeError> {
	member.read(|engine, overlay| engine.unknown_members(overlay, &log.group, block))
}

pub(super) fn not_a_device(name: &str) -> InvalidReason {
	InvalidReason::Policy(PolicyError::NotADevice { identity: id(name).into_bytes() })
}

/// All wait for the logs of the same people, and nothing has changed.
pub(super) fn assert_all_wait(members: &mut [Member], log: &Log, entry: &Entry, names: &[&str]) {
	let people: BTreeSet<IdentityId> = names.iter().map(|name| person(name)).collect();
	for member in members {
		let before = member.view(log);
		match member.follow(log, entry) {
			Outcome::Waiting(waited_for) => assert_eq!(waited_for, people),
			other => panic!("{} says {other:?}", member.name()),
		}
		assert_eq!(member.view(log), before);
	}
}

#[test]
fn a_device_of_that_block_is_let_in_as_soon_as_that_is_known() {
	let (mut log, mut members) = group(&["a", "b"]);
	let mut joiner = Member::new(&id("j"));
	let package = joiner.key_package();
	// The one who adds knows nothing of the joiner either.
	let prepared = members[0].prepare(&log, &add(std::slice::from_ref(&package)));
	let entry = log.append(&prepared);
	let block = u32::try_from(entry.index).unwrap();
	assert_all_wait(&mut members, &log, &entry, &["j"]);
	tell(&members, "j", block - 1, &[(0, &[key("j")])]);
	assert_all_wait(&mut members, &log, &entry, &["j"]);
	// It has gone since, and was a device in that block: the verdict is the same years later.
	tell(&members, "j", 100, &[(1, &[key("j")]), (block + 1, &[])]);
	members.iter_mut().for_each(|member| drop(member.advance(&log, &entry)));
	joiner.join(&log, &package, &members[0].welcomes(&prepared, &entry));
	members.push(joiner);
	assert_agreement(&mut members, &log);
}

#[test]
fn what_is_no_device_in_that_block_is_refused_by_all() {
	let logs: [&[(BlockNumber, &[IdentityKey])]; 4] = [
		// Not on the chain, another key, removed in that very block, added a block later.
		&[],
		&[(0, &[key("a")])],
		&[(0, &[key("j")]), (2, &[])],
		&[(0, &[]), (3, &[key("j")])],
	];
	for since in logs {
		let (mut log, mut members) = group(&["a", "b", "c"]);
		let package = Member::new(&id("j")).key_package();
		let prepared = members[0].prepare(&log, &add(&[package]));
		let entry = log.append(&prepared);
		assert_eq!(entry.index, 2);
		tell(&members, "j", 2, since);
		// The one who made the commit, too.
		assert_eq!(assert_all_skip(&mut members, &log, &entry), not_a_device("j"), "{since:?}");
		members[0].lose_prepared();
		commit(&mut members, &mut log, 1, &Intent::Update);
		assert_agreement(&mut members, &log);
	}
}

#[test]
fn who_is_no_device_any_more_commits_nothing() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	// "b" does not know it yet, and makes a commit.
	let prepared = members[1].prepare(&log, &Intent::Update);
	let entry = log.append(&prepared);
	tell(&members, "b", 100, &[(0, &[key("b")]), (2, &[])]);
	assert_eq!(assert_all_skip(&mut members, &log, &entry), not_a_device("b"));
	members[1].lose_prepared();
	// Now it does. That it has no device at all can be undone; that it has another in its place cannot.
	members[1].read(|engine, overlay| engine.build_one(overlay, &log.group, &Intent::Update)).unwrap();
	tell(&members, "b", 100, &[(0, &[key("b")]), (2, &[key_of(&[7; 32])])]);
	assert_eq!(refusal(&members[1], &log, &Intent::Update), BuildError::Refused(not_a_device("b")));
	// The others can put it out.
	commit(&mut members[..1], &mut log, 0, &remove(&[&id("b")]));
}

#[test]
fn a_commit_that_leaves_its_makers_leaf_as_it_is_needs_a_device_too() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let package = Member::new(&id("j")).key_package();
	let package = crate::mls::key_package::parse(&members[1].engine.crypto, &package.bytes).unwrap();
	let forged = forge(&members[1], &log, &Crypto::default(), |builder| {
		builder.force_self_update(false).propose_adds([package])
	});
	let entry = forged.submit(&members[1], &mut log);
	tell(&members, "j", 100, &[(0, &[key("j")])]);
	tell(&members, "b", 100, &[(0, &[key("b")]), (2, &[])]);
	assert_eq!(assert_all_skip(&mut members, &log, &entry), not_a_device("b"));
}

/// A KeyPackage under the identity of a person, with another's signature key, and this encryption key in its leaf.
fn impostor(name: &str, encryption_key: &[u8]) -> KeyPackage {
	let engine = Engine::new(id(name).into_bytes(), &[99; 32], GENESIS).unwrap();
	let store = Member::new("a place for keys");
	let made = (0..2).map(|turn| {
		let crypto = Crypto::with(Fault::OtherPublicKey(turn, encryption_key.to_vec()));
		let overlay = store.store().overlay();
		let provider = HostileProvider { crypto: &crypto, overlay: &overlay };
		let builder = KeyPackage::builder().key_package_lifetime(constants::lifetime());
		let builder = builder.leaf_node_capabilities(constants::capabilities());
		builder.build(constants::CIPHERSUITE, &provider, &engine.signer, engine.credential()).unwrap()
	});
	let packages = made.map(|bundle| bundle.into_key_package());
	// One of the two key pairs is the leaf's.
	let mut with_it =
		packages.filter(|package| first_vector(package.leaf_node().encryption_key()).unwrap() == encryption_key);
	with_it.next().expect("one of the keys is the leaf's")
}

#[test]
fn a_key_that_is_in_the_tree_does_not_get_a_leaf_past_the_check() {
	// The key of a parent node, which every member knows.
	let (mut log, mut members) = group(&["a", "b", "c"]);
	commit(&mut members, &mut log, 0, &Intent::Update);
	let parent = {
		let overlay = members[0].store().overlay();
		let mls = members[0].engine.load(&overlay, &log.group).unwrap();
		let (_, node) = mls.treesync().full_parents().next().expect("a commit has a path");
		first_vector(node).unwrap()
	};
	tell(&members, "j", 100, &[(0, &[key("j")])]);
	let package = impostor("j", &parent);
	let forged = forge(&members[0], &log, &Crypto::default(), |builder| builder.propose_adds([package]));
	let entry = forged.submit(&members[0], &mut log);
	assert_eq!(assert_all_skip(&mut members[1..], &log, &entry), not_a_device("j"));

	// That of the leaf which the same commit removes, in its place and under its name.
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let removed = leaf_key(&members, &log, &id("c"));
	let package = impostor("c", &removed);
	let index = members[0].read(|engine, overlay| {
		let mls = engine.load(overlay, &log.group).unwrap();
		let mut all = mls.members();
		all.find(|member| member.credential.serialized_content() == id("c").as_bytes()).unwrap().index
	});
	let forged = forge(&members[0], &log, &Crypto::default(), |builder| {
		builder.propose_adds([package]).propose_removals([index])
	});
	let entry = forged.submit(&members[0], &mut log);
	assert_eq!(assert_all_skip(&mut members[1..2], &log, &entry), not_a_device("c"));
}

#[test]
fn a_rotation_leads_to_a_device_or_nowhere() {
	let (mut log, mut members) = group(&["a", "b"]);
	let rotate = |seed: u8| Intent::Rotate { seed: SignerSeed::new([seed; 32]) };
	// What is known of a log may be old: the one who makes the commit does not refuse a key that is new to it.
	members[1].read(|engine, overlay| engine.build_one(overlay, &log.group, &rotate(7))).unwrap();
	let thief = Engine::new(id("b").into_bytes(), &[7; 32], GENESIS).unwrap();
	let entry = forge_rotation(&members[1], &log, &thief).submit(&members[1], &mut log);
	assert_eq!(assert_all_skip(&mut members, &log, &entry), not_a_device("b"));
	tell(&members, "b", 100, &[(0, &[key("b")]), (2, &[key_of(&[7; 32])])]);
	// The old key is none any more, so to renew the rest of the leaf is not enough.
	assert_eq!(refusal(&members[1], &log, &Intent::Update), BuildError::Refused(not_a_device("b")));
	commit(&mut members, &mut log, 1, &rotate(7));
	assert_agreement(&mut members, &log);
}

#[test]
fn names_are_no_people() {
	let (mut log, mut members) = group(&["a", "b"]);
	let package = Member::new("just a name").key_package();
	let refused = refusal(&members[0], &log, &add(std::slice::from_ref(&package)));
	let reason = InvalidReason::Policy(PolicyError::NotADevice { identity: b"just a name".to_vec() });
	assert_eq!(refused, BuildError::Refused(reason.clone()));
	let package = crate::mls::key_package::parse(&members[0].engine.crypto, &package.bytes).unwrap();
	let forged = forge(&members[0], &log, &Crypto::default(), |builder| builder.propose_adds([package]));
	let entry = forged.submit(&members[0], &mut log);
	assert_eq!(assert_all_skip(&mut members[1..], &log, &entry), reason);
}

#[test]
fn who_vouches_for_members_is_fixed() {
	for (data, other) in [(of_people(), GroupData::default()), (GroupData::default(), of_people())] {
		let (mut log, mut members) = match data.authentication {
			AuthenticationService::Directory => group(&["a", "b", "c"]),
			AuthenticationService::Application => super::group_of(&data, &["a", "b", "c"]),
		};
		let extensions = other.to_extensions().unwrap();
		let forged = forge(&members[0], &log, &Crypto::default(), |builder| {
			builder.propose_group_context_extensions(extensions).unwrap()
		});
		let entry = forged.submit(&members[0], &mut log);
		let reason = assert_all_skip(&mut members[1..], &log, &entry);
		assert_eq!(reason, InvalidReason::Policy(PolicyError::Authentication));
	}
}

#[test]
fn a_joiner_looks_at_every_leaf() {
	let (log, members) = group(&["a", "b"]);
	let joined = &members[1..];
	tell(joined, "a", 0, &[]);
	assert_eq!(strangers(&members[1], &log, 5), Ok([person("a")].into()));
	// A device once, and gone: whoever let it in has seen it there.
	tell(joined, "a", 9, &[(0, &[key("a")]), (4, &[])]);
	assert_eq!(strangers(&members[1], &log, 5), Ok(BTreeSet::new()));
	for since in [&[][..], &[(0, &[key("b")][..])], &[(6, &[key("a")][..])]] {
		tell(joined, "a", 9, since);
		let stranger = WelcomeError::Policy(PolicyError::NotADevice { identity: id("a").into_bytes() });
		assert_eq!(strangers(&members[1], &log, 5), Err(stranger), "{since:?}");
	}
}
