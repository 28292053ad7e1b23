//! Groups that stay loaded: what is in memory is what is on disk, or nothing.

use super::{add, assert_agreement, commit, group, remove, trees::packages, Intent, Log, Member, Verdict};
use crate::mls::{group::mls_id, loaded::Loaded};
use lockstep_primitives::PayloadHash;

/// Whether this member's store keeps its group loaded; if it does, it must be as it is on disk. A pending commit, which no
/// record has, is dropped for that.
fn is_loaded(member: &Member, log: &Log) -> bool {
	let overlay = member.store().overlay();
	let Some(mut loaded) = overlay.take::<_, Loaded>(&mls_id(&log.group)) else { return false };
	assert_eq!(loaded.mls.pending_commit().is_some(), loaded.pending.is_some());
	loaded.drop_pending(&overlay).unwrap();
	let on_disk = member.engine.load(&overlay, &log.group).unwrap();
	assert_eq!(format!("{:?}", loaded.mls), format!("{on_disk:?}"), "{}", member.name());
	assert_eq!(loaded.mls.epoch_authenticator().as_slice(), on_disk.epoch_authenticator().as_slice());
	loaded.give_back(&overlay);
	true
}

/// The payload of the commit that is pending in the group that this member's store keeps loaded.
fn pending(member: &Member, log: &Log) -> Option<PayloadHash> {
	let overlay = member.store().overlay();
	let loaded = overlay.take::<_, Loaded>(&mls_id(&log.group))?;
	let pending = loaded.pending;
	loaded.give_back(&overlay);
	pending
}

#[test]
fn a_group_that_stays_loaded_is_as_it_is_on_disk_after_every_operation() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let mut joiner = Member::new("d");
	for round in 0..4_u8 {
		let intent = if round == 1 { add(&[joiner.key_package()]) } else { Intent::Update };
		let prepared = members[0].prepare(&log, &intent);
		match round {
			0 => assert!(is_loaded(&members[0], &log), "after making a commit"),
			_ => assert_eq!(pending(&members[0], &log), Some(prepared.payload_hash)),
		}
		let entry = log.append(&prepared);
		for member in &mut members {
			if round < 2 {
				drop(member.judge(&log, &entry).ok());
				is_loaded(member, &log);
			}
			member.advance(&log, &entry);
			assert!(is_loaded(member, &log), "after a commit");
		}
		for number in 0..3 {
			let sent = members[1].encrypt(&log, &[number]);
			assert!(is_loaded(&members[1], &log), "after sending");
			members[2].decrypt(&log, &sent.bytes).unwrap();
			assert!(is_loaded(&members[2], &log), "after reading");
		}
		let oldest = members[0].view(&log).epoch.saturating_sub(1);
		members[0].write(|engine, overlay| engine.forget_past_epochs(overlay, &log.group, oldest)).unwrap();
		assert!(is_loaded(&members[0], &log), "after forgetting");
	}
}

#[test]
fn a_pending_commit_opens_the_epoch_that_the_kept_one_does() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let joiner = &packages(&["d".to_owned()])[..];
	for intent in [Intent::Update, add(joiner), remove(&["d"]), remove(&["c"])] {
		let prepared = members[0].prepare(&log, &intent);
		let entry = log.append(&prepared);
		assert_eq!(pending(&members[0], &log), Some(prepared.payload_hash));
		let merged = [true, false].map(|is_pending| {
			assert_eq!(pending(&members[0], &log).is_some(), is_pending);
			let overlay = members[0].store().overlay();
			let change = members[0].engine.merge_own(&overlay, &entry.hash, &prepared).unwrap();
			let group = members[0].engine.load(&overlay, &log.group).unwrap();
			let loaded: Loaded = overlay.take(&mls_id(&log.group)).unwrap();
			assert_eq!(format!("{:?}", loaded.mls), format!("{group:?}"));
			// What is done on an overlay that is dropped is not done, and the group in memory with it.
			(change, format!("{group:?}"))
		});
		assert_eq!(merged[0], merged[1]);
		for member in &mut members {
			member.advance(&log, &entry);
		}
		if intent == remove(&["c"]) {
			members.truncate(2);
		}
		assert_agreement(&mut members, &log);
	}
}

#[test]
fn a_commit_that_is_not_the_pending_one_is_not_taken_for_it() {
	let (mut log, mut members) = group(&["a", "b"]);
	let first = members[0].prepare(&log, &Intent::Update);
	let second = members[0].prepare(&log, &Intent::Update);
	assert_eq!(pending(&members[0], &log), Some(second.payload_hash));
	let entry = log.append(&first);
	members[1].advance(&log, &entry);
	members[0].write(|engine, overlay| engine.merge_own(overlay, &entry.hash, &first)).unwrap();
	assert_eq!(pending(&members[0], &log), None);
	assert_agreement(&mut members, &log);
	// Nor is one of another member.
	let own = members[0].prepare(&log, &Intent::Update);
	let entry = log.append(&members[1].prepare(&log, &Intent::Update));
	assert_eq!(pending(&members[0], &log), Some(own.payload_hash));
	for member in &mut members {
		member.advance(&log, &entry);
	}
	assert_agreement(&mut members, &log);
}

/// One that was made after the other one was judged.
#[test]
fn a_pending_commit_does_not_get_into_a_record_with_the_commit_of_another() {
	let (mut log, mut members) = group(&["a", "b"]);
	let entry = log.append(&members[1].prepare(&log, &Intent::Update));
	let Verdict::Valid(staged) = members[0].judge(&log, &entry).unwrap() else { panic!("it is valid") };
	let own = members[0].prepare(&log, &Intent::Update);
	assert_eq!(pending(&members[0], &log), Some(own.payload_hash));
	members[0].write(|engine, overlay| engine.apply(overlay, &entry.hash, *staged)).unwrap();
	assert_eq!(pending(&members[0], &log), None);
	let on_disk = members[0].read(|engine, overlay| engine.load(overlay, &log.group)).unwrap();
	assert!(on_disk.pending_commit().is_none());
	assert!(is_loaded(&members[0], &log));
	members[1].advance(&log, &entry);
	assert_agreement(&mut members, &log);
}

#[test]
fn who_looks_at_a_group_leaves_its_pending_commit_and_who_changes_it_does_not() {
	let (log, mut members) = group(&["a", "b"]);
	let prepared = members[0].prepare(&log, &Intent::Update);
	members[0].view(&log);
	assert_eq!(pending(&members[0], &log), Some(prepared.payload_hash));
	let sent = members[0].encrypt(&log, b"meanwhile");
	assert_eq!(pending(&members[0], &log), None);
	assert!(is_loaded(&members[0], &log));
	members[1].decrypt(&log, &sent.bytes).unwrap();
}

#[test]
fn a_group_whose_change_is_dropped_is_loaded_again() {
	let (mut log, mut members) = group(&["a", "b"]);
	let entry = log.append(&members[0].prepare(&log, &Intent::Update));
	let before = members[1].view(&log);
	let Verdict::Valid(staged) = members[1].judge(&log, &entry).unwrap() else { panic!("it is valid") };
	let overlay = members[1].store().overlay();
	let change = members[1].engine.apply(&overlay, &entry.hash, *staged).unwrap();
	assert_eq!(change.epoch, before.epoch + 1);
	drop(overlay);
	assert!(!is_loaded(&members[1], &log));
	assert_eq!(members[1].view(&log), before);
	members[1].advance(&log, &entry);
	assert!(is_loaded(&members[1], &log));
	assert_eq!(members[1].view(&log).epoch, change.epoch);
}

#[test]
fn a_message_whose_key_was_used_on_a_dropped_overlay_can_be_read_still() {
	let (log, mut members) = group(&["a", "b"]);
	let sent = members[0].encrypt(&log, b"hello");
	let overlay = members[1].store().overlay();
	members[1].engine.decrypt(&overlay, &log.group, &sent.bytes).unwrap();
	drop(overlay);
	assert!(!is_loaded(&members[1], &log));
	members[1].decrypt(&log, &sent.bytes).unwrap();
}

#[test]
fn records_of_a_loaded_group_that_somebody_else_writes_are_read() {
	let (log, members) = group(&["a", "b"]);
	members[1].view(&log);
	assert!(is_loaded(&members[1], &log));
	members[1].store().damage("mls group state", Some(b"\x02\xff"));
	let overlay = members[1].store().overlay();
	assert!(members[1].engine.group(&overlay, &log.group).is_err());
}

/// In groups of few all of the tree is one piece.
#[test]
fn an_epoch_of_a_large_group_writes_few_pieces_of_its_tree_and_the_group_is_as_it_is_in_memory() {
	const PIECES: &str = "mls tree piece";
	let (mut log, mut members) = group(&["a", "b"]);
	let names: Vec<String> = (2..100).map(|number| format!("m{number}")).collect();
	let packages = packages(&names);
	commit(&mut members, &mut log, 0, &add(&packages[..97]));
	let mut before = members[0].store().records(PIECES);
	assert!(before.len() > 8, "{} pieces of 100 members", before.len());
	for (committer, intent) in [
		(1, Intent::Update),
		(0, Intent::Update),
		(0, remove(&["m50"])),
		(1, add(&packages[97..])),
		(0, Intent::Update),
	] {
		commit(&mut members, &mut log, committer, &intent);
		for member in &mut members {
			assert!(is_loaded(member, &log));
			let now = member.store().records(PIECES);
			let new = now.difference(&before).count();
			// A leaf and the seven nodes of its path are in at most five, the last is new in any case; another leaf in one more.
			assert!((1..=7).contains(&new), "{new} of {} are new", now.len());
		}
		before = members[0].store().records(PIECES);
		assert_eq!(members[1].store().records(PIECES), before, "all have the same tree");
	}
	members[0].write(|engine, overlay| engine.forget_group(overlay, &log.group)).unwrap();
	assert!(members[0].store().records(PIECES).is_empty());
}
