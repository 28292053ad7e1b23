//! Trouble of one member, with its store: it stops, and never judges an entry differently from the others.

use super::{
	add, assert_agreement, commit, group,
	readmission::{ask, check, readmit},
	trees::packages,
	EngineError, Intent, Log, Member, Verdict,
};
use crate::store::StoreError;

/// Every kind of record that a group's state consists of.
pub(super) const KINDS: [&str; 12] = [
	"mls tree",
	"mls tree piece",
	"mls context",
	"mls interim hash",
	"mls confirmation tag",
	"mls message secrets",
	"mls epoch secrets",
	"mls group state",
	"mls own leaf index",
	"mls join config",
	"mls epoch key pairs",
	"epoch keys",
];

#[test]
fn a_member_with_a_damaged_record_does_not_judge() {
	for kind in KINDS {
		let (mut log, mut members) = group(&["a", "b"]);
		let entry = log.append(&members[0].prepare(&log, &Intent::Update));
		for damage in [&b""[..], b"\x01", b"\x01null", b"\x01{}", b"\x01[3", b"\x07{}"] {
			assert!(members[1].store().damage(kind, Some(damage)) > 0, "there is a {kind}");
			let judged = members[1].judge(&log, &entry);
			assert!(
				matches!(judged, Err(EngineError::Store(StoreError::Corrupt { .. }))),
				"a damaged {kind} leads to {judged:?}"
			);
		}
	}
}

#[test]
fn a_member_with_a_missing_record_never_skips() {
	for kind in KINDS {
		let (mut log, mut members) = group(&["a", "b"]);
		let entry = log.append(&members[0].prepare(&log, &Intent::Update));
		assert!(members[1].store().damage(kind, None) > 0, "there is a {kind}");
		let judged = members[1].judge(&log, &entry);
		assert!(matches!(judged, Err(_) | Ok(Verdict::PrivatelyFailing(_))), "a missing {kind} leads to {judged:?}");
	}
}

/// A tree of many members is in several pieces. Each of them in turn is damaged, and it alone; then one is gone.
#[test]
fn a_member_with_one_damaged_piece_stops_in_that_group_alone_and_comes_back_with_a_new_store() {
	const PIECE: &str = "mls tree piece";
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let names: Vec<String> = (3..40).map(|number| format!("m{number}")).collect();
	commit(&mut members, &mut log, 0, &add(&packages(&names)));
	let mut other = Log::create(&mut members[1]);
	let pieces = members[0].store().records(PIECE);
	assert!(pieces.len() >= 5, "{} pieces", pieces.len());
	let entry = log.append(&members[0].prepare(&log, &Intent::Update));
	let refused = |member: &mut Member, log: &Log| {
		// A group that is loaded is not read.
		member.restart(log);
		let judged = member.judge(log, &entry);
		assert!(matches!(judged, Err(EngineError::Store(StoreError::Corrupt { kind: PIECE, .. }))), "{judged:?}");
	};
	for piece in &pieces {
		assert_eq!(members[1].store().damage_those(PIECE, |bytes| bytes == piece, Some(&b"\x02"[..])), 1);
		refused(&mut members[1], &log);
		assert_eq!(members[1].store().damage_those(PIECE, |bytes| bytes == b"\x02", Some(&piece[..])), 1);
	}
	members[1].restart(&log);
	assert!(matches!(members[1].judge(&log, &entry), Ok(Verdict::Valid(_))), "all is as it was");
	let gone = pieces.first().unwrap();
	assert_eq!(members[1].store().damage_those(PIECE, |bytes| bytes == gone, None), 1);
	refused(&mut members[1], &log);
	let update = other.append(&members[1].prepare(&other, &Intent::Update));
	assert_eq!(members[1].advance(&other, &update).epoch, 1, "its other group goes on");
	members[1].restart(&other);
	assert_eq!(members[1].view(&other).epoch, 1);

	drop(members.remove(1));
	members.iter_mut().for_each(|member| drop(member.advance(&log, &entry)));
	let mut back = Member::new("b");
	let request = ask(&back, &log);
	let intent = check(&members[0], &log, &request).intent();
	readmit(&mut members, &mut log, &intent, &mut back, &request.reference);
	assert_eq!(back.store().records(PIECE), members[0].store().records(PIECE));
	members.push(back);
	assert_agreement(&mut members, &log);
}

#[test]
fn a_member_with_a_damaged_record_builds_sends_and_reads_nothing() {
	// the keys of the path are needed to judge and to merge, which fail; not to build, send or read
	for kind in KINDS.into_iter().filter(|kind| *kind != "mls epoch key pairs") {
		let (log, mut members) = group(&["a", "b"]);
		let sent = members[0].encrypt(&log, b"hello");
		members[1].store().damage(kind, Some(b"\x01\""));
		let member = &members[1];
		let overlay = member.store().overlay();
		let built = member.engine.build_one(&overlay, &log.group, &Intent::Update);
		assert!(built.is_err(), "a damaged {kind} does not stop a commit");
		let read = member.engine.decrypt(&overlay, &log.group, &sent.bytes);
		assert!(read.is_err(), "a damaged {kind} leads to {read:?}");
		assert!(overlay.is_clean());
	}
}

#[test]
fn an_own_commit_is_not_half_merged() {
	let (mut log, mut members) = group(&["a", "b"]);
	let prepared = members[0].prepare(&log, &Intent::Update);
	let entry = log.append(&prepared);
	members[0].store().damage("mls epoch key pairs", Some(b"\x01\""));
	let overlay = members[0].store().overlay();
	let merged = members[0].engine.merge_own(&overlay, &entry.hash, &prepared);
	assert!(merged.is_err() && overlay.is_clean());
}

#[test]
fn a_damaged_key_package_is_trouble_and_not_a_bad_welcome() {
	let (mut log, mut members) = group(&["a"]);
	let mut joiner = super::Member::new("j");
	let package = joiner.key_package();
	let prepared = members[0].prepare(&log, &super::add(std::slice::from_ref(&package)));
	let entry = log.append(&prepared);
	members[0].advance(&log, &entry);
	let welcomes = members[0].welcomes(&prepared, &entry);
	joiner.store().damage("mls key package", Some(b"\x01[]"));
	let overlay = joiner.store().overlay();
	let opened = joiner.engine.open_envelope(&overlay, &package.reference, &welcomes.envelopes[0].bytes);
	assert!(
		matches!(opened, Err(super::WelcomeError::Engine(EngineError::Store(StoreError::Corrupt { .. })))),
		"{opened:?}"
	);
}

#[test]
fn an_entry_of_another_place_is_not_judged() {
	let (mut log, mut members) = group(&["a", "b"]);
	let first = log.append(&members[0].prepare(&log, &Intent::Update));
	for member in &mut members {
		member.advance(&log, &first);
	}
	let judged = members[1].judge(&log, &first);
	assert_eq!(judged.err(), Some(EngineError::NotAtEntry { tip: first.hash, asked: first.parent }));
}

#[test]
fn a_group_that_is_not_placed_yet_does_nothing() {
	let mut member = super::Member::new("a");
	let new = member.create();
	let built = member.read(|engine, overlay| engine.build_one(overlay, &new.group, &Intent::Update));
	assert_eq!(built.err(), Some(super::BuildError::Engine(EngineError::NotPlaced(new.group))));
}
