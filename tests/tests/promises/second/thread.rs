//! What members of ours and of mls-rs do together, around a [`Table`].

use super::{
	bytes::{bundle, lasts_for_ever},
	crypto::{public, seal, sign},
	member::{anybody, careless, member, payload_context},
	reader::Reader,
	table::{ours, seed, theirs, Table, GENESIS},
};
use ed25519_dalek::{Signature, VerifyingKey};
use lockstep_client::{GroupId, Intent};
use lockstep_primitives::{
	endorsement_payload, extrinsic::Append, key_package, payload_hash, rpc::HexBytes, Endorsement, EventSignature,
	IdentityId, IdentityKey, OrderingKey,
};

fn add(packages: &[Vec<u8>]) -> Intent {
	Intent::Add(packages.iter().cloned().map(HexBytes).collect())
}

#[test]
fn a_key_package_of_mls_rs_keeps_the_rules_of_the_directory() {
	let identity = [5; 32];
	let member = member(&identity, &seed("mira"), GENESIS);
	let (package, _) = member.key_package().unwrap();
	assert!(package.len() <= key_package::MAX_KEY_PACKAGE as usize, "{}", package.len());
	assert!(lasts_for_ever(&package));
	let device = IdentityKey(public(&seed("mira")));
	let good = |key: &IdentityKey, text: &[u8], signature: &EventSignature| {
		VerifyingKey::from_bytes(&key.0).unwrap().verify_strict(text, &Signature::from_bytes(&signature.0)).is_ok()
	};
	key_package::read(&package, &IdentityId(identity), &device, good).unwrap();
	assert!(key_package::read(&package, &IdentityId([6; 32]), &device, good).is_err(), "it is of another person");
}

#[test]
fn members_of_two_implementations_go_through_the_same_epochs() {
	let (mut mira, mut nils) = (theirs("mira"), theirs("nils"));
	let packages = [mira.key_package().unwrap(), nils.key_package().unwrap()];
	let mut boris = ours("boris");
	let of_boris = boris.client.key_package().unwrap();
	let mut table = Table::new(vec![ours("anna"), boris], vec![mira, nils]);
	// Each side lets members of the other in, and one of its own.
	table.ours_wants(0, add(&packages[..1]));
	table.theirs_commits(0, &[of_boris]);
	table.theirs_commits(0, &packages[1..]);
	table.agree_on(3);
	table.talk();
	for round in 0..10 {
		match round % 4 {
			0 => table.ours_wants(0, Intent::Update),
			1 => table.theirs_commits(0, &[]),
			2 => table.ours_wants(1, Intent::Update),
			_ => table.theirs_commits(1, &[]),
		}
		table.agree_on(4 + round);
		table.talk();
	}
}

#[test]
fn both_pass_over_what_is_invalid_for_all() {
	let mut mira = theirs("mira");
	let package = mira.key_package().unwrap();
	let mut table = Table::new(vec![ours("anna")], vec![mira]);
	table.ours_wants(0, add(&[package]));
	table.agree_on(1);
	// Endorsed by a member, and no bundle; a commit under a key that is not its own; a commit of the epoch before.
	let good = table.theirs[0].commit(&[], None).unwrap();
	let keys = table.theirs[0].member.seat().unwrap().tip().clone();
	let endorsed = |payload: Vec<u8>, next_key: OrderingKey, group: GroupId| {
		let text = endorsement_payload(&GENESIS, &group, &keys.entry, &payload_hash(&payload), &next_key);
		let endorsement = Endorsement(sign(&keys.ordering_seed, &text).unwrap());
		Append { group, parent: keys.entry, payload, next_key, endorsement }
	};
	let context = payload_context(&table.group, &keys.entry);
	let empty = seal(&keys.payload, &context, &bundle(&[], &[])).unwrap();
	let tip = table.entries.last().unwrap().header.next_key;
	for bad in [
		endorsed(b"no AEAD".to_vec(), good.next_key, table.group),
		endorsed(empty, good.next_key, table.group),
		endorsed(good.payload.clone(), OrderingKey([9; 32]), table.group),
	] {
		table.enter(bad, tip);
		table.settle();
	}
	table.agree_on(1);
	assert_eq!((table.ours[0].skipped, table.theirs[0].skipped.len()), (3, 3), "{:?}", table.theirs[0].skipped);
	table.enter(good, tip);
	table.settle();
	table.agree_on(2);
	table.talk();
}

#[test]
fn who_leaves_is_taken_out_by_a_proposal_that_both_read() {
	let (mut mira, mut boris) = (theirs("mira"), ours("boris"));
	let packages = [mira.key_package().unwrap(), boris.client.key_package().unwrap()];
	let mut table = Table::new(vec![ours("anna"), boris], vec![mira]);
	table.ours_wants(0, add(&packages));
	table.agree_on(1);
	let group = table.group;
	table.ours[1].client.leave(&group).unwrap();
	for _ in 0..300 {
		table.pass();
	}
	table.ours.pop();
	table.agree_on(2);
	assert_eq!(table.theirs[0].member.seat().unwrap().members(), [b"anna".to_vec(), b"mira".to_vec()]);
	table.talk();
}

/// The rules of mls-rs's own provider for signatures are others, and would have led it into an epoch of its own.
#[test]
fn a_signature_by_a_key_of_small_order_is_valid_for_nobody() {
	let mut mira = theirs("mira");
	let package = mira.key_package().unwrap();
	let mut table = Table::new(vec![ours("anna")], vec![mira]);
	table.ours_wants(0, add(&[package]));
	// Somebody who takes such signatures adds somebody who makes them: the commit itself is as it should be.
	let (eve, _) = anybody(b"eve", GENESIS).key_package().unwrap();
	let mut mallory = Reader::new(careless(b"mallory", &seed("mallory"), GENESIS));
	let of_mallory = mallory.key_package().unwrap();
	table.theirs_commits(0, std::slice::from_ref(&of_mallory));
	table.entries.iter().for_each(|entry| mallory.on_entry(entry.clone()));
	for statement in table.statements.clone() {
		mallory.on_statement(&statement);
		mallory.go_on(|_, _| None).unwrap();
	}
	for statement in table.statements.clone() {
		mallory.on_statement(&statement);
	}
	mallory.go_on(|_, _| None).unwrap();
	table.agree_on(2);
	assert_eq!(mallory.member.epoch().unwrap().0, 2);
	let bad = mallory.commit(&[eve], None).expect("it takes the KeyPackage");
	assert!(table.submit(bad));
	mallory.on_entry(table.entries.last().unwrap().clone());
	mallory.go_on(|_, _| None).unwrap();
	table.settle();
	assert_eq!((table.ours[0].skipped, table.theirs[0].skipped.len()), (1, 1));
	table.agree_on(2);
	assert_eq!(mallory.member.epoch().unwrap().0, 3, "it is alone there");
}
