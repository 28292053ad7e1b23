//! Entries that every member must refuse, and refuse alike.

use super::{
	add, assert_agreement, assert_all_skip, group,
	hostile::{forge, forge_on, open_payload, submit_bundle, submit_payload, Crypto, Forged},
	log::{Entry, Log, ANY_KEY, GENESIS},
	remove, BundleError, Intent, InvalidReason, Member, PolicyError, SealError, Verdict,
};
use crate::mls::proposal;

/// The group goes on after a refused entry, with a commit of an honest member.
pub(super) fn goes_on(members: &mut [Member], log: &mut Log) {
	let prepared = members[1].prepare(log, &Intent::Update);
	let entry = log.append(&prepared);
	for member in members.iter_mut() {
		member.advance(log, &entry);
	}
	assert_agreement(members, log);
}

fn refused(members: &mut [Member], log: &mut Log, entry: &Entry) -> InvalidReason {
	let reason = assert_all_skip(&mut members[1..], log, entry);
	goes_on(members, log);
	reason
}

/// Refuses a commit that the hostile member "a" makes with OpenMLS, outside the engine's rules.
pub(super) fn refused_commit(forged: &Forged, members: &mut [Member], log: &mut Log) -> InvalidReason {
	let entry = forged.submit(&members[0], log);
	refused(members, log, &entry)
}

#[test]
fn garbage_is_refused() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let key = ANY_KEY;
	for payload in [&b"\0"[..], b"hello", &[7; 12], &[7; 28], &[0; 5000]] {
		let entry = submit_payload(&members[0], &mut log, payload, &key);
		let reason = refused(&mut members, &mut log, &entry);
		assert!(matches!(reason, InvalidReason::Seal(_)), "{reason}");
	}
	for bundle in [&b""[..], b"\x01", b"\x02abc", b"\x01\0\0", &[0xff; 300]] {
		let entry = submit_bundle(&members[0], &mut log, bundle, &key);
		let reason = refused(&mut members, &mut log, &entry);
		assert!(matches!(reason, InvalidReason::Bundle(_)), "{reason}");
	}
}

#[test]
fn a_payload_of_more_than_the_bound_is_refused() {
	let (mut log, mut members) = group(&["a", "b"]);
	let payload = vec![0; super::constants::MAX_PAYLOAD + 1];
	let entry = submit_payload(&members[0], &mut log, &payload, &ANY_KEY);
	assert!(matches!(refused(&mut members, &mut log, &entry), InvalidReason::Seal(SealError::TooLong { .. })));
}

#[test]
fn a_next_key_of_another_epoch_is_refused() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let mut forged = forge(&members[0], &log, &Crypto::default(), |builder| builder);
	forged.next_key.0[0] ^= 1;
	assert_eq!(refused_commit(&forged, &mut members, &mut log), InvalidReason::NextKey);
}

#[test]
fn a_commit_of_a_past_epoch_is_refused_also_when_sealed_anew() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let old = forge(&members[0], &log, &Crypto::default(), |builder| builder);
	let entry = old.submit(&members[0], &mut log);
	goes_on(&mut members, &mut log);

	let replayed = submit_payload(&members[0], &mut log, &entry.payload, &entry.next_key);
	let reason = refused(&mut members, &mut log, &replayed);
	assert_eq!(reason, InvalidReason::Seal(SealError::Unauthentic));
	let reason = refused_commit(&old, &mut members, &mut log);
	assert!(matches!(reason, InvalidReason::Epoch { found: 1, .. }), "{reason}");
}

#[test]
fn the_same_commit_in_two_entries_gets_the_same_verdict_from_all() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let forged = forge(&members[0], &log, &Crypto::default(), |builder| builder);
	let entries = [forged.submit(&members[0], &mut log), forged.submit(&members[0], &mut log)];
	for member in &members[1..] {
		for entry in &entries {
			assert!(matches!(member.judge(&log, entry), Ok(super::Verdict::Valid(_))));
		}
	}
	members.remove(0);
	for member in &mut members {
		member.advance(&log, &entries[0]);
		assert!(member.judge(&log, &entries[1]).is_err(), "it is no child of the tip any more");
	}
	assert_agreement(&mut members, &log);
}

#[test]
fn another_groups_commit_is_refused() {
	let (other_log, others) = group(&["a", "x"]);
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let forged = forge(&others[0], &other_log, &Crypto::default(), |builder| builder);
	let reason = refused_commit(&forged, &mut members, &mut log);
	assert!(matches!(reason, InvalidReason::Mls(_)), "{reason}");
}

/// "a" commits to the leave proposal of "c"; gives the proposal too.
fn leave_commit(members: &[Member], log: &Log) -> (Forged, Vec<u8>) {
	let leave = members[2].read(|engine, overlay| engine.propose_leave(overlay, &log.group)).unwrap();
	let overlay = members[0].store().overlay();
	let mut mls = members[0].engine.load(&overlay, &log.group).unwrap();
	let crypto = Crypto::default();
	let queued = proposal::process(&members[0].engine.provider(&overlay), &mut mls, &leave).unwrap();
	mls.store_pending_proposal(&overlay, queued).unwrap();
	let mut forged = forge_on(&members[0], log, &crypto, &overlay, &mut mls, |builder| builder);
	forged.proposals = vec![leave.clone()];
	(forged, leave)
}

/// Puts a proposal into a member's stored queue for good, as a careless client might.
fn keep_pending(member: &Member, log: &Log, bytes: &[u8]) {
	member.write(|engine, overlay| {
		let mut mls = engine.load(overlay, &log.group).unwrap();
		let queued = proposal::process(&engine.provider(overlay), &mut mls, bytes).unwrap();
		mls.store_pending_proposal(overlay, queued).unwrap();
	});
}

#[test]
fn a_missing_proposal_is_missing_for_all_also_for_those_who_have_it() {
	let (mut log, mut members) = group(&["a", "b", "c", "d"]);
	let (mut forged, leave) = leave_commit(&members, &log);
	keep_pending(&members[1], &log, &leave);
	forged.proposals.clear();
	refused_commit(&forged, &mut members, &mut log);
}

#[test]
fn a_member_with_proposals_of_its_own_judges_like_the_others() {
	let (mut log, mut members) = group(&["a", "b", "c", "d"]);
	let leave = members[2].read(|engine, overlay| engine.propose_leave(overlay, &log.group)).unwrap();
	keep_pending(&members[1], &log, &leave);
	keep_pending(&members[0], &log, &leave);
	// the committer's own leftovers stay out as well
	let entry = log.append(&members[0].prepare(&log, &Intent::Update));
	for member in &mut members {
		let change = member.advance(&log, &entry);
		assert!(change.removed.is_empty());
	}
	assert_agreement(&mut members, &log);
}

#[test]
fn a_bundle_carries_what_its_commit_references_and_no_more() {
	let (mut log, mut members) = group(&["a", "b", "c", "d"]);
	let (forged, leave) = leave_commit(&members, &log);
	let mut unreferenced = forge(&members[0], &log, &Crypto::default(), |builder| builder);
	unreferenced.proposals = vec![leave];
	let entries = [unreferenced.submit(&members[0], &mut log), {
		let mut twice = forged;
		twice.proposals.push(twice.proposals[0].clone());
		twice.submit(&members[0], &mut log)
	}];
	for entry in &entries {
		let reason = assert_all_skip(&mut members[1..], &log, entry);
		assert_eq!(reason, InvalidReason::Policy(PolicyError::Unreferenced));
	}
	goes_on(&mut members, &mut log);
}

#[test]
fn parts_that_do_not_belong_into_a_bundle_are_refused() {
	let (mut log, mut members) = group(&["a", "b", "c", "d"]);
	let (forged, leave) = leave_commit(&members, &log);
	let message = members[0].encrypt(&log, b"hello").bytes;
	let swapped = [
		Forged { commit: leave.clone(), proposals: vec![], ..forged.clone() },
		Forged { commit: message.clone(), ..forged.clone() },
		Forged { proposals: vec![forged.commit.clone()], ..forged.clone() },
		Forged { proposals: vec![message], ..forged.clone() },
	];
	for forged in &swapped {
		let entry = forged.submit(&members[0], &mut log);
		let reason = assert_all_skip(&mut members[1..], &log, &entry);
		assert!(matches!(reason, InvalidReason::Bundle(BundleError::Part(_) | BundleError::Encoding)), "{reason}");
	}
	goes_on(&mut members, &mut log);
}

#[test]
fn a_removed_member_endorses_nothing_and_opens_nothing() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let before = members[2].tip_keys(&log);
	let entry = log.append(&members[0].prepare(&log, &remove(&["c"])));
	for member in &mut members {
		member.advance(&log, &entry);
	}
	let removed = members.pop().unwrap();
	let keys = members[0].tip_keys(&log);
	assert_ne!(keys.ordering_key, before.ordering_key);
	let statement = keys.seal_statement(&[1; 32], b"after").unwrap();
	for old in removed.keys(&log) {
		assert_eq!(old.open_statement(&[1; 32], &statement), Err(SealError::Unauthentic));
		let hash = lockstep_primitives::payload_hash(b"anything");
		let endorsement = old.endorse(&GENESIS, &log.group, &hash, &old.ordering_key);
		let append = lockstep_primitives::extrinsic::Append {
			group: log.group,
			parent: entry.hash,
			payload: b"anything".to_vec(),
			next_key: old.ordering_key,
			endorsement,
		};
		assert!(log.try_append(&append).is_none(), "an old key endorses no child of the new entry");
	}
	goes_on(&mut members, &mut log);
}

#[test]
fn an_own_commit_sealed_anew_by_another_is_recognised() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let joiner = Member::new("d").key_package();
	let prepared = members[0].prepare(&log, &add(&[joiner]));
	let bundle = open_payload(&members[1], &log, &prepared.payload.0);
	let wrong_key = submit_bundle(&members[1], &mut log, &bundle, &ANY_KEY);
	let entry = submit_bundle(&members[1], &mut log, &bundle, &prepared.next_key);

	let judge = |entry: &Entry, own| {
		members[0].read(|engine, overlay| engine.evaluate(overlay, &log.candidate(entry), own)).unwrap()
	};
	let verdict = judge(&wrong_key, Some(&prepared));
	assert!(matches!(verdict, Verdict::PubliclyInvalid(InvalidReason::NextKey)), "{verdict:?}");
	let verdict = judge(&entry, None);
	assert!(matches!(verdict, Verdict::PrivatelyFailing(_)), "{verdict:?}");
	let Verdict::Valid(staged) = judge(&entry, Some(&prepared)) else { panic!("it is the own commit") };
	assert!(staged.is_own());
	members[0].write(|engine, overlay| engine.apply(overlay, &entry.hash, *staged)).unwrap();
	assert_all_skip(&mut members[1..], &log, &wrong_key);
	for member in &mut members[1..] {
		member.advance(&log, &entry);
	}
	assert_agreement(&mut members, &log);
}

#[test]
fn another_members_commit_is_not_taken_for_the_own_one() {
	let (mut log, mut members) = group(&["a", "b"]);
	let own = members[0].prepare(&log, &Intent::Update);
	let entry = log.append(&members[1].prepare(&log, &Intent::Update));
	let candidate = log.candidate(&entry);
	let judged = members[0].read(|engine, overlay| engine.evaluate(overlay, &candidate, Some(&own))).unwrap();
	assert!(matches!(judged, Verdict::Valid(staged) if !staged.is_own()));
}
