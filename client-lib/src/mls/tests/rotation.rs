//! Rotation of a member's signature key in a group.

use super::{
	add, assert_agreement, assert_all_skip, commit, group,
	hostile::{forge, open_payload, submit_bundle, Crypto},
	log::GENESIS,
	Engine, Intent, InvalidReason, Log, Member, SignerSeed, Verdict,
};
use crate::mls::signer::Of;

fn rotate(seed: u8) -> Intent {
	Intent::Rotate { seed: SignerSeed::new([seed; 32]) }
}

/// The public key that the others see on a member's leaf.
pub(super) fn key_of(seen_by: &Member, log: &Log, name: &str) -> Vec<u8> {
	let overlay = seen_by.store().overlay();
	let mls = seen_by.engine.load(&overlay, &log.group).unwrap();
	let found = mls.members().find(|member| member.credential.serialized_content() == name.as_bytes());
	found.expect("a member of that name").signature_key
}

fn stored(member: &Member, log: &Log) -> Option<Vec<u8>> {
	member.read(|_, overlay| Of::Group(&log.group).get(overlay)).unwrap().map(|seed| seed.public())
}

#[test]
fn a_member_goes_on_with_its_new_key() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let old = key_of(&members[0], &log, "b");
	for seed in [10, 11] {
		let change = commit(&mut members, &mut log, 1, &rotate(seed));
		assert_eq!(change.rotated, [b"b".to_vec()]);
		assert!(change.added.is_empty() && change.removed.is_empty());
		assert_agreement(&mut members, &log);
		let new = SignerSeed::new([seed; 32]).public();
		assert_eq!((key_of(&members[0], &log, "b"), stored(&members[1], &log)), (new.clone(), Some(new)));
		// it commits, and is restarted with the engine that it had, whose own key is the old one
		members[1].restart(&log);
		let change = commit(&mut members, &mut log, 1, &Intent::Update);
		assert!(change.rotated.is_empty());
		let leave = members[1].read(|engine, overlay| engine.propose_leave(overlay, &log.group)).unwrap();
		members[0].read(|engine, overlay| engine.inspect_proposal(overlay, &log.group, &leave)).unwrap();
	}
	assert_ne!(key_of(&members[2], &log, "b"), old);
}

#[test]
fn the_old_key_makes_no_more_commits() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	commit(&mut members, &mut log, 0, &rotate(10));
	// the thief of the old key has the group's state as well
	members[0].write(|engine, overlay| Of::Group(&log.group).keep(overlay, &engine.seed)).unwrap();
	let built = members[0].read(|engine, overlay| engine.build_one(overlay, &log.group, &Intent::Update));
	assert!(built.is_err(), "an honest engine does not even try");
	let overlay = members[0].store().overlay();
	let engine = &members[0].engine;
	let mut mls = engine.load(&overlay, &log.group).unwrap();
	let messages = mls
		.commit_builder()
		.force_self_update(true)
		.load_psks(&overlay)
		.unwrap()
		.build(&*engine.crypto, &engine.crypto, &engine.signer, |_| true)
		.unwrap()
		.stage_commit(&engine.provider(&overlay))
		.unwrap();
	let commit = messages.into_commit().to_bytes().unwrap();
	let bundle = crate::mls::bundle::CommitBundle::new(vec![], commit).encode().unwrap();
	drop(overlay);
	let entry = submit_bundle(&members[0], &mut log, &bundle, &super::log::ANY_KEY);
	let reason = assert_all_skip(&mut members[1..], &log, &entry);
	assert!(matches!(reason, InvalidReason::Mls(_)), "{reason}");
}

#[test]
fn a_lost_rotation_leaves_the_old_key_in_use() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let before = key_of(&members[0], &log, "b");
	members[1].prepare(&log, &rotate(10));
	commit(&mut members, &mut log, 0, &Intent::Update);
	assert_eq!(key_of(&members[0], &log, "b"), before);
	assert_agreement(&mut members, &log);
	commit(&mut members, &mut log, 1, &rotate(10));
	assert_agreement(&mut members, &log);
}

#[test]
fn groups_can_be_at_different_keys() {
	let (mut one, mut in_one) = group(&["a", "b"]);
	let (mut other, mut in_other) = (Log::create(&mut in_one[0]), Vec::new());
	commit(&mut in_one, &mut one, 0, &rotate(10));
	let a = in_one.remove(0);
	in_other.push(a);
	commit(&mut in_other, &mut other, 0, &Intent::Update);
	commit(&mut in_other, &mut other, 0, &rotate(11));
	let a = in_other.remove(0);
	assert_eq!(key_of(&a, &one, "a"), SignerSeed::new([10; 32]).public());
	assert_eq!(key_of(&a, &other, "a"), SignerSeed::new([11; 32]).public());
	in_one.insert(0, a);
	assert_agreement(&mut in_one, &one);
	// what belongs to a group goes with it
	in_one[0].write(|engine, overlay| engine.forget_group(overlay, &other.group)).unwrap();
	assert_eq!((stored(&in_one[0], &other), stored(&in_one[0], &one).is_some()), (None, true));
}

#[test]
fn a_rotation_sealed_anew_by_another_member_moves_the_key_too() {
	let (mut log, mut members) = group(&["a", "b"]);
	let prepared = members[0].prepare(&log, &rotate(10));
	let bundle = open_payload(&members[1], &log, &prepared.payload.0);
	let entry = submit_bundle(&members[1], &mut log, &bundle, &prepared.next_key);
	let candidate = log.candidate(&entry);
	let verdict = members[0].read(|engine, overlay| engine.evaluate(overlay, &candidate, Some(&prepared))).unwrap();
	let Verdict::Valid(staged) = verdict else { panic!("it is the own commit") };
	let change = members[0].write(|engine, overlay| engine.apply(overlay, &entry.hash, *staged)).unwrap();
	assert_eq!(change.rotated, [b"a".to_vec()]);
	members[1].advance(&log, &entry);
	assert_agreement(&mut members, &log);
}

#[test]
fn a_key_package_is_good_after_the_engine_has_got_another_key() {
	let (mut log, mut members) = group(&["a", "b"]);
	let mut joiner = Member::new("j");
	let package = joiner.key_package();
	joiner.engine = Engine::new(b"j".to_vec(), &[77; 32], GENESIS).unwrap();
	let prepared = members[0].prepare(&log, &add(std::slice::from_ref(&package)));
	let entry = log.append(&prepared);
	for member in &mut members {
		member.advance(&log, &entry);
	}
	joiner.join(&log, &package, &members[0].welcomes(&prepared, &entry));
	members.push(joiner);
	assert_agreement(&mut members, &log);
	// and it follows with a rotation
	commit(&mut members, &mut log, 2, &rotate(77));
	assert_agreement(&mut members, &log);
}

#[test]
fn a_joiner_verifies_a_welcome_of_one_who_rotates_at_the_same_time() {
	let (mut log, mut members) = group(&["a", "b"]);
	let mut joiner = Member::new("j");
	let package = joiner.key_package();
	let intents = [add(std::slice::from_ref(&package)), rotate(10)];
	let batch = members[0].read(|engine, overlay| engine.build_commit(overlay, &log.group, &intents)).unwrap();
	let prepared = batch.prepared.unwrap();
	let entry = log.append(&prepared);
	members[0].write(|engine, overlay| engine.merge_own(overlay, &entry.hash, &prepared)).unwrap();
	members[1].advance(&log, &entry);
	joiner.join(&log, &package, &members[0].welcomes(&prepared, &entry));
	members.push(joiner);
	assert_agreement(&mut members, &log);
}

#[test]
fn a_rotation_is_not_shown() {
	let intent = format!("{:?}", rotate(171));
	assert!(!intent.contains("171") && !intent.contains("abab"), "{intent}");
}

#[test]
fn a_path_whose_leaf_is_not_signed_by_its_own_key_is_skipped() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	// the new key is on the leaf, but the old one has signed it: nobody shows that it has the new one
	let credential = members[0].engine.credential_of(&SignerSeed::new([10; 32]));
	let leaf = openmls::prelude::LeafNodeParameters::builder().with_credential_with_key(credential).build();
	let forged = forge(&members[0], &log, &Crypto::default(), |builder| builder.leaf_node_parameters(leaf));
	let entry = forged.submit(&members[0], &mut log);
	let reason = assert_all_skip(&mut members[1..], &log, &entry);
	assert!(matches!(reason, InvalidReason::Mls(_)), "{reason}");
}
