//! Rejoin requests that are no good.

use super::{
	commit, group, hostile::submit_payload, log::GENESIS, member::Outcome, readmission::ask, refusal, remove, rename,
	Engine, Intent, Log, Member, RejoinError, RejoinRequest, SignerSeed,
};
use codec::Encode;
use ed25519_dalek::Signer;
use lockstep_primitives::{EntryHash, GenesisHash, GroupId, OrderingKey};
use proptest::{collection::vec, prelude::*};

fn check(member: &Member, log: &Log, bytes: &[u8]) -> Result<RejoinRequest, RejoinError> {
	member.read(|engine, overlay| engine.check_rejoin(overlay, &log.group, bytes, &log.tip().hash))
}

fn named(identity: &[u8]) -> Vec<u8> {
	identity.to_vec()
}

/// A request in its parts, encoded by hand as the protocol says.
struct Parts {
	genesis: GenesisHash,
	group: GroupId,
	identity: Vec<u8>,
	newest: EntryHash,
	replaces: Vec<u8>,
	key_package: Vec<u8>,
	seed: SignerSeed,
}

impl Parts {
	/// A good request of "b", who has lost its state.
	fn good(log: &Log) -> Self {
		let mut device = Member::new("b");
		Self {
			genesis: GENESIS,
			group: log.group,
			identity: b"b".to_vec(),
			newest: log.tip().hash,
			replaces: vec![],
			key_package: device.key_package().bytes,
			seed: SignerSeed::new(*blake3::hash(b"b").as_bytes()),
		}
	}

	fn statement(&self) -> Vec<u8> {
		let Self { genesis, group, identity, newest, replaces, key_package, .. } = self;
		[
			&[1][..],
			genesis.as_ref(),
			group.as_ref(),
			&identity.encode(),
			newest.as_ref(),
			&replaces.encode(),
			&key_package.encode(),
		]
		.concat()
	}

	fn bytes(&self) -> Vec<u8> {
		let statement = self.statement();
		let signature = self.seed.key().sign(&[b"lockstep/rejoin/1", &statement[..]].concat());
		[statement, signature.to_bytes().to_vec()].concat()
	}
}

#[test]
fn the_encoding_of_a_request_is_fixed() {
	let (log, members) = group(&["a", "b"]);
	let checked = check(&members[0], &log, &Parts::good(&log).bytes()).unwrap();
	assert_eq!((checked.identity, checked.new_key), (b"b".to_vec(), false));
}

#[test]
fn a_member_that_was_removed_is_not_readmitted() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let before = ask(&members[1], &log);
	commit(&mut members, &mut log, 0, &remove(&["b"]));
	let after = ask(&members[1], &log);
	let lost = Parts::good(&log).bytes();
	for bytes in [before.bytes, after.bytes, lost] {
		assert_eq!(check(&members[0], &log, &bytes), Err(RejoinError::NotAMember { identity: named(b"b") }));
	}
}

#[test]
fn a_removal_that_counts_for_its_victim_alone_is_undone() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let prepared = members[0].prepare(&log, &remove(&["b"]));
	// a good commit, endorsed by somebody else under a key that its epoch does not have
	let entry = submit_payload(&members[0], &mut log, &prepared.payload.0, &OrderingKey([7; 32]));
	assert!(
		matches!(members[1].follow(&log, &entry), Outcome::Advanced(change) if change.removed_me && !change.replaced_me)
	);
	assert!(matches!(members[2].follow(&log, &entry), Outcome::Skipped(_)));
	let request = ask(&members[1], &log);
	let prepared = members[2].prepare(&log, &rename("ours"));
	let entry = log.append(&prepared);
	members[2].advance(&log, &entry);
	assert_eq!(check(&members[2], &log, &request.bytes).unwrap().identity, b"b", "it names the leaf that it had");
}

#[test]
fn nobody_asks_in_the_name_of_another() {
	let (log, members) = group(&["a", "b", "c"]);
	let signature = Err(RejoinError::Signature { identity: named(b"b") });
	let mut parts = Parts::good(&log);
	parts.seed = SignerSeed::new(*blake3::hash(b"c").as_bytes());
	assert_eq!(check(&members[0], &log, &parts.bytes()), signature);
	// a KeyPackage of another member's
	let mut parts = Parts::good(&log);
	parts.key_package = Member::new("x").key_package().bytes;
	assert!(matches!(check(&members[0], &log, &parts.bytes()), Err(RejoinError::KeyPackage(_))));
	// a good request with another KeyPackage put in
	let mut bytes = Parts::good(&log).bytes();
	let parts = Parts { key_package: Member::new("b").key_package().bytes, ..Parts::good(&log) };
	let tail = bytes.split_off(bytes.len() - 64);
	assert_eq!(check(&members[0], &log, &[parts.statement(), tail].concat()), signature);
}

#[test]
fn the_key_that_was_rotated_out_asks_for_nothing() {
	let (mut log, mut members) = group(&["a", "b"]);
	commit(&mut members, &mut log, 1, &Intent::Rotate { seed: SignerSeed::new([10; 32]) });
	let old = Parts::good(&log).bytes();
	assert_eq!(check(&members[0], &log, &old), Err(RejoinError::Signature { identity: named(b"b") }));
	let request = ask(&members[1], &log);
	assert!(!check(&members[0], &log, &request.bytes).unwrap().new_key, "it asks with the key that it has there");
}

#[test]
fn a_request_is_for_one_group_on_one_chain() {
	let (log, members) = group(&["a", "b"]);
	let elsewhere = Parts { group: GroupId([1; 32]), ..Parts::good(&log) };
	assert_eq!(check(&members[0], &log, &elsewhere.bytes()), Err(RejoinError::OtherGroup));
	let elsewhere = Parts { genesis: GenesisHash([1; 32]), ..Parts::good(&log) };
	assert_eq!(check(&members[0], &log, &elsewhere.bytes()), Err(RejoinError::OtherChain));
	// a request of the same member in another group that both are in
	let (other, others) = group(&["a", "b"]);
	let request = ask(&others[1], &other);
	assert_eq!(check(&members[0], &log, &request.bytes), Err(RejoinError::OtherGroup));
}

/// Who has no state cannot tell whether the newest entry is the one that counts.
#[test]
fn a_request_that_names_the_newest_entry_is_good_though_that_has_lost() {
	let (log, members) = group(&["a", "b"]);
	let loser = EntryHash([9; 32]);
	let request = Parts { newest: loser, ..Parts::good(&log) }.bytes();
	let check = |head: &EntryHash| {
		members[0].read(|engine, overlay| engine.check_rejoin(overlay, &log.group, &request, head)).map(|_| ())
	};
	assert_eq!(check(&loser), Ok(()));
	assert_eq!(check(&log.tip().hash), Err(RejoinError::Lapsed { identity: named(b"b") }), "not if there is no such");
}

#[test]
fn a_request_lapses_when_it_is_answered_and_when_the_member_goes_on() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let lapsed = Err(RejoinError::Lapsed { identity: named(b"b") });
	let lost = Parts::good(&log).bytes();
	let cut_off = ask(&members[1], &log).bytes;
	// a commit that has nothing to do with the member
	commit(&mut members, &mut log, 0, &rename("ours"));
	assert_eq!(check(&members[0], &log, &lost), lapsed, "it may be an old one; the member asks again");
	let checked = check(&members[0], &log, &cut_off).unwrap();
	// the member lives on
	commit(&mut members, &mut log, 1, &Intent::Update);
	assert_eq!(check(&members[0], &log, &cut_off), lapsed);
	assert!(matches!(refusal(&members[0], &log, &checked.intent()), super::BuildError::OtherLeaf { .. }));
	// the member is readmitted, and its first act is a commit
	let (lost, cut_off) = (Parts::good(&log).bytes(), ask(&members[1], &log).bytes);
	let checked = check(&members[0], &log, &cut_off).unwrap();
	commit(&mut members, &mut log, 0, &checked.intent());
	for request in [&lost, &cut_off] {
		assert_eq!(check(&members[0], &log, request), lapsed);
		assert_eq!(check(&members[2], &log, request), lapsed);
	}
	members.remove(1);
	commit(&mut members, &mut log, 0, &Intent::Update);
	assert_eq!(check(&members[0], &log, &lost), lapsed);
}

#[test]
fn a_key_package_with_a_new_key_is_told_apart() {
	let (log, members) = group(&["a", "b"]);
	let engine = Engine::new(b"b".to_vec(), &[77; 32], GENESIS).unwrap();
	let store = Member::new("store");
	let package = engine.key_package(&store.store().overlay()).unwrap();
	let parts = Parts { key_package: package.bytes, ..Parts::good(&log) };
	assert!(check(&members[0], &log, &parts.bytes()).unwrap().new_key);
}

#[test]
fn changed_requests_are_errors() {
	let (log, members) = group(&["a", "b"]);
	let good = Parts::good(&log).bytes();
	for length in 0..good.len() {
		assert!(check(&members[0], &log, &good[..length]).is_err());
	}
	for position in 0..good.len() {
		let mut changed = good.clone();
		changed[position] ^= 1 << (position % 8);
		assert!(check(&members[0], &log, &changed).is_err(), "byte {position}");
	}
	assert_eq!(check(&members[0], &log, &[&good[..], b"\0"].concat()), Err(RejoinError::Malformed));
	// the length of the identity, 1, in a longer form than it needs
	let longer = [&good[..65], b"\x05\0", &good[66..]].concat();
	assert_eq!(good[65..67], *b"\x04b");
	assert_eq!(check(&members[0], &log, &longer), Err(RejoinError::Malformed));
	assert_eq!(check(&members[0], &log, &[2]), Err(RejoinError::Version(2)));
	assert_eq!(check(&members[0], &log, &vec![1; 1 << 20]), Err(RejoinError::Malformed));
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

	#[test]
	fn any_bytes_are_a_request_or_an_error(bodies in vec(vec(any::<u8>(), 0..300), 20)) {
		let (log, members) = group(&["a"]);
		for mut bytes in bodies {
			if let Some(first) = bytes.first_mut() {
				*first = 1;
			}
			prop_assert!(check(&members[0], &log, &bytes).is_err());
		}
	}

	#[test]
	fn any_statement_of_a_member_is_a_request_or_an_error(
		replaces in vec(any::<u8>(), 0..40), cut: prop::sample::Index, flip in 0..=255u8, at: prop::sample::Index,
	) {
		let (log, members) = group(&["a", "b"]);
		let mut parts = Parts { replaces, ..Parts::good(&log) };
		let position = at.index(parts.key_package.len());
		parts.key_package[position] ^= flip;
		prop_assert_eq!(check(&members[0], &log, &parts.bytes()).is_ok(), flip == 0);
		parts.key_package.truncate(cut.index(parts.key_package.len()));
		prop_assert!(check(&members[0], &log, &parts.bytes()).is_err());
	}
}
