//! Several intents in one commit.

use super::{
	add, appoint, assert_agreement, commit, dismiss, group, group_of, hex, log::GENESIS, refusal, remove, rename,
	strict, Batch, BuildError, Engine, GroupChange, Intent, InvalidReason, Log, Member, NewKeyPackage, Placed,
	PolicyError, SignerSeed,
};
use crate::mls::{
	constants::{MAX_COMMIT, MAX_IDENTITY},
	BundleError,
};

fn build(member: &Member, log: &Log, intents: &[Intent]) -> Batch {
	member.read(|engine, overlay| engine.build_commit(overlay, &log.group, intents)).unwrap()
}

fn leaving(member: &Member, log: &Log) -> Intent {
	let leave = member.read(|engine, overlay| engine.propose_leave(overlay, &log.group)).unwrap();
	Intent::Proposals(vec![hex(&leave)])
}

/// Appends the commit of a batch; all follow it.
fn win(members: &mut [Member], log: &mut Log, committer: usize, batch: &Batch) -> super::EpochChange {
	let prepared = batch.prepared.as_ref().expect("something is included");
	let entry = log.append(prepared);
	let own = members[committer].write(|engine, overlay| engine.merge_own(overlay, &entry.hash, prepared)).unwrap();
	for (index, member) in members.iter_mut().enumerate() {
		if index != committer {
			member.advance(log, &entry);
		}
	}
	own
}

fn satisfied(member: &Member, log: &Log, intent: &Intent) -> bool {
	member.read(|engine, overlay| engine.satisfied(overlay, &log.group, intent)).unwrap()
}

/// A KeyPackage of someone whose store is not needed.
fn package(identity: &[u8], seed: u8) -> NewKeyPackage {
	let engine = Engine::new(identity.to_vec(), &[seed; 32], GENESIS).unwrap();
	let store = Member::new("store");
	let overlay = store.store().overlay();
	engine.key_package(&overlay).unwrap()
}

#[test]
fn one_commit_does_it_all() {
	let (mut log, mut members) = group(&["a", "b", "c", "d"]);
	let mut joiner = Member::new("e");
	let key_package = joiner.key_package();
	let intents = [
		add(std::slice::from_ref(&key_package)),
		Intent::Update,
		remove(&["c"]),
		rename("ours"),
		leaving(&members[3], &log),
		Intent::Rotate { seed: SignerSeed::new([10; 32]) },
		appoint("b"),
	];
	for intent in &intents {
		assert!(!satisfied(&members[0], &log, intent), "{intent:?}");
	}
	let batch = build(&members[0], &log, &intents);
	assert_eq!(batch.placed, vec![Placed::Included; 7]);
	let change = win(&mut members, &mut log, 0, &batch);
	assert_eq!((change.added, change.removed), (vec![b"e".to_vec()], vec![b"c".to_vec(), b"d".to_vec()]));
	assert_eq!(change.rotated, [b"a".to_vec()]);
	assert_eq!(change.data.map(|data| (data.name, data.administrators.len())), Some(("ours".into(), 2)));
	let welcomes = members[0].welcomes(batch.prepared.as_ref().unwrap(), &log.tip().clone());
	members.truncate(2);
	joiner.join(&log, &key_package, &welcomes);
	members.push(joiner);
	assert_agreement(&mut members, &log);
	// now it is so
	for (index, intent) in intents.iter().enumerate() {
		assert_eq!(satisfied(&members[0], &log, intent), index != 1 && index != 4, "{intent:?}");
	}
	let again = build(&members[0], &log, &intents);
	assert!(matches!(
		again.placed[..],
		[
			Placed::Satisfied(BuildError::AlreadyMember { .. }),
			Placed::Included,
			Placed::Satisfied(BuildError::NotAMember { .. }),
			Placed::Satisfied(BuildError::Unchanged),
			Placed::Refused(BuildError::Proposal { index: 0, .. }),
			Placed::Satisfied(BuildError::Unchanged),
			Placed::Satisfied(BuildError::Unchanged),
		]
	));
}

#[test]
fn an_intent_that_makes_no_sense_does_not_keep_out_the_others() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let intents = [
		rename("ours"),
		Intent::Add(vec![hex(b"no KeyPackage")]),
		remove(&["a"]),
		Intent::Proposals(vec![hex(b"no proposal")]),
		rename(&"x".repeat(1000)),
		Intent::Remove(vec![]),
		Intent::GroupData(GroupChange::default()),
		appoint("nobody"),
		remove(&["c"]),
	];
	let batch = build(&members[0], &log, &intents);
	assert!(
		matches!(
			&batch.placed[..],
			[
				Placed::Included,
				Placed::Refused(BuildError::KeyPackage { index: 0, .. }),
				Placed::Refused(BuildError::RemovesItself),
				Placed::Refused(BuildError::Proposal { index: 0, .. }),
				Placed::Refused(BuildError::GroupData(_)),
				Placed::Refused(BuildError::Empty),
				Placed::Refused(BuildError::Empty),
				Placed::Refused(BuildError::Refused(InvalidReason::Policy(PolicyError::StrangeAdministrator { .. }))),
				Placed::Included,
			]
		),
		"{:?}",
		batch.placed
	);
	let change = win(&mut members, &mut log, 0, &batch);
	assert_eq!(change.removed, [b"c".to_vec()]);
	members.pop();
	assert_agreement(&mut members, &log);
	let nothing = build(&members[0], &log, &intents[1..4]);
	assert!(nothing.prepared.is_none());
	assert_eq!(nothing.placed.len(), 3);
}

#[test]
fn what_is_asked_for_twice_is_done_once() {
	let (mut log, mut members) = group(&["a", "b", "c", "d"]);
	let intents = [
		remove(&["c"]),
		remove(&["c", "nobody"]),
		leaving(&members[3], &log),
		leaving(&members[3], &log),
		remove(&["d"]),
		add(&[package(b"e", 1)]),
		add(&[package(b"e", 2)]),
		rename("ours"),
		rename("ours"),
		Intent::Rotate { seed: SignerSeed::new([10; 32]) },
		Intent::Rotate { seed: SignerSeed::new([10; 32]) },
	];
	let batch = build(&members[0], &log, &intents);
	assert_eq!(batch.placed, vec![Placed::Included; intents.len()]);
	let change = win(&mut members, &mut log, 0, &batch);
	assert_eq!((change.removed.len(), change.added.len()), (2, 1));
	members.truncate(2);
	assert_agreement(&mut members, &log);
}

#[test]
fn a_removal_goes_along_with_the_leaving_of_the_same_member_in_either_order() {
	// even where the committer has no right to remove: the proposal takes none
	let (log, members) = group_of(&strict(), &["a", "b", "c"]);
	let leave = leaving(&members[2], &log);
	for intents in [[remove(&["c"]), leave.clone()], [leave, remove(&["c"])]] {
		let batch = build(&members[1], &log, &intents);
		assert_eq!(batch.placed, [Placed::Included, Placed::Included]);
		assert_eq!(batch.prepared.unwrap().removed, [hex(b"c")]);
	}
}

#[test]
fn what_contradicts_itself_waits_for_the_next_commit() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let again = package(b"c", 7);
	let intents = [
		remove(&["c"]),
		add(std::slice::from_ref(&again)),
		add(&[package(b"d", 1)]),
		remove(&["d"]),
		Intent::Rotate { seed: SignerSeed::new([10; 32]) },
		Intent::Rotate { seed: SignerSeed::new([11; 32]) },
	];
	let (placed, deferred) = (Placed::Included, Placed::Deferred);
	let batch = build(&members[0], &log, &intents);
	let expected = [&placed, &deferred, &placed, &deferred, &placed, &deferred];
	assert_eq!(batch.placed.iter().collect::<Vec<_>>(), expected);
	win(&mut members, &mut log, 0, &batch);
	members.pop();
	let rest = [intents[1].clone(), intents[3].clone(), intents[5].clone()];
	let batch = build(&members[0], &log, &rest);
	assert_eq!(batch.placed, vec![placed; 3]);
	let change = win(&mut members, &mut log, 0, &batch);
	assert_eq!((change.added, change.removed), (vec![b"c".to_vec()], vec![b"d".to_vec()]));
	assert_agreement(&mut members, &log);
}

#[test]
fn changes_of_the_data_add_up() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let batch =
		build(&members[0], &log, &[appoint("b"), rename("first"), dismiss("a"), rename("second"), appoint("c")]);
	assert_eq!(batch.placed, vec![Placed::Included; 5]);
	let data = win(&mut members, &mut log, 0, &batch).data.unwrap();
	assert_eq!((&data.name[..], data.administrators), ("second", [b"b".to_vec(), b"c".to_vec()].into()));
}

#[test]
fn keys_that_are_in_use_keep_out_their_owner_only() {
	let (log, members) = group(&["a", "b"]);
	// the same signature key under two names: MLS takes one of them (RFC 9420 section 7.3)
	let (one, two) = (add(&[package(b"x", 3)]), add(&[package(b"y", 3)]));
	let batch = build(&members[0], &log, &[one.clone(), rename("ours"), two.clone()]);
	assert_eq!(batch.placed, [Placed::Included, Placed::Included, Placed::Deferred]);
	assert_eq!(batch.prepared.unwrap().added, [hex(b"x")]);
	// and a key that is in the tree already
	let stolen = Engine::new(b"z".to_vec(), blake3::hash(b"b").as_bytes(), GENESIS).unwrap();
	let store = Member::new("store");
	let stolen = stolen.key_package(&store.store().overlay()).unwrap();
	let batch = build(&members[0], &log, &[add(&[stolen]), one, rename("ours")]);
	assert!(matches!(&batch.placed[..], [Placed::Refused(BuildError::Mls(_)), Placed::Included, Placed::Included]));
}

#[test]
fn what_does_not_fit_waits_and_what_never_fits_is_refused() {
	let (log, members) = group(&["a", "b"]);
	let packages: Vec<NewKeyPackage> = (0..150u8)
		.map(|n| {
			let mut identity = vec![b'x'; MAX_IDENTITY];
			identity[0] = n;
			package(&identity, n)
		})
		.collect();
	let batch = build(&members[0], &log, &[add(&packages[..70]), add(&packages[70..140]), rename("ours")]);
	assert_eq!(batch.placed, [Placed::Included, Placed::Deferred, Placed::Included]);
	assert!(batch.prepared.unwrap().payload.0.len() <= MAX_COMMIT);
	let refused = refusal(&members[0], &log, &add(&packages));
	assert!(matches!(refused, BuildError::Bundle(BundleError::TooLarge { max: MAX_COMMIT, .. })), "{refused:?}");
}

#[test]
fn those_who_are_in_already_are_passed_over() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let change = commit(&mut members, &mut log, 0, &add(&[package(b"b", 1), package(b"d", 2)]));
	assert_eq!(change.added, [b"d".to_vec()]);
	let change = commit(&mut members, &mut log, 0, &remove(&["nobody", "d"]));
	assert_eq!(change.removed, [b"d".to_vec()]);
}
