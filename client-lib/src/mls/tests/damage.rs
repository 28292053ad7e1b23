//! A member whose stored state of a group is damaged comes back as one that has lost it: in the same store, and no further back
//! than it was.

use super::{
	assert_agreement, commit, group,
	log::GENESIS,
	readmission::{ask, check, invited_twice, readmit},
	trouble::KINDS,
	Engine, EngineError, GroupData, Intent, Log, Member, NewKeyPackage, WelcomeError,
};
use crate::store::{MemoryDisk, Store, StoreError, StoreKey};
use lockstep_primitives::EntryHash;

/// Further kinds of records that are of one group.
const MORE: [&str; 5] = ["mls past epoch", "mls resumption psks", "message count", "request key", "request signer"];

/// No value of any format.
const BROKEN: &[u8] = b"\x01\"";

/// A group of two, of which the second is given apart: with a past epoch, and a message that was read.
fn two() -> (Log, Vec<Member>, Member) {
	let (mut log, mut members) = group(&["a", "b"]);
	commit(&mut members, &mut log, 0, &Intent::Update);
	let sent = members[0].encrypt(&log, b"hello");
	members[1].decrypt(&log, &sent.bytes).unwrap();
	let back = members.pop().unwrap();
	(log, members, back)
}

/// Damages a kind of record, or deletes all of it; then the member comes back, and its other group is as it was.
fn comes_back(kind: &'static str, with: Option<&[u8]>) {
	let (mut log, mut members, mut back) = two();
	assert!(back.store().damage(kind, with) > 0, "there is a {kind}");
	let mut other = Log::create(&mut back);
	// A group that is loaded is not read.
	back.restart(&log);
	let request = ask(&back, &log);
	let checked = check(&members[0], &log, &request);
	assert!(!checked.new_key, "after damage to {kind} it asks with its own key");
	readmit(&mut members, &mut log, &checked.intent(), &mut back, &request.reference);
	members.push(back);
	assert_agreement(&mut members, &log);
	commit(&mut members, &mut log, 1, &Intent::Update);
	assert_agreement(&mut members, &log);
	let update = other.append(&members[1].prepare(&other, &Intent::Update));
	assert_eq!(members[1].advance(&other, &update).epoch, 1, "its other group goes on after damage to {kind}");
}

#[test]
fn whatever_record_is_damaged_a_member_comes_back_in_the_same_store() {
	for kind in KINDS.into_iter().chain(MORE).chain(["signer"]) {
		comes_back(kind, Some(BROKEN));
	}
}

#[test]
fn whatever_record_is_missing_a_member_comes_back_in_the_same_store() {
	for kind in KINDS.into_iter().chain(MORE).chain(["signer"]) {
		comes_back(kind, None);
	}
}

#[test]
fn a_damaged_group_is_forgotten_whole() {
	for kind in KINDS.into_iter().chain(MORE) {
		let (log, _, member) = two();
		member.store().damage(kind, Some(BROKEN));
		member.write(|engine, overlay| engine.forget_group(overlay, &log.group)).unwrap();
		for left in KINDS.into_iter().chain(MORE) {
			assert!(member.store().records(left).is_empty(), "with a damaged {kind}, {left} stays");
		}
		assert_eq!(member.read(|engine, overlay| engine.group(overlay, &log.group)), Ok(None));
	}
}

/// The state does not tell any more which epoch the member was in; the keys of its epochs do, and their places, if they too are
/// damaged.
#[test]
fn an_old_welcome_sets_nobody_back_whose_state_is_damaged_or_gone() {
	const STATE: &str = "mls group state";
	type Damage = (&'static str, Option<&'static [u8]>);
	let cases: [&[Damage]; 4] = [
		&[(STATE, Some(BROKEN))],
		&[(STATE, None)],
		&[(STATE, Some(BROKEN)), ("epoch keys", Some(BROKEN))],
		&[("epoch keys", None)],
	];
	for damages in cases {
		let (_, _, joiner, invitations) = invited_twice();
		let newer = joiner.write(|engine, overlay| engine.rejoin(overlay, &invitations[1])).unwrap();
		for (kind, with) in damages {
			assert!(joiner.store().damage(kind, *with) > 0);
		}
		let stale = Err(WelcomeError::Stale { invited: newer.epoch - 2, stored: newer.epoch });
		let overlay = joiner.store().overlay();
		assert_eq!(joiner.engine.rejoin(&overlay, &invitations[0]), stale, "{damages:?}");
		let is_readable = damages.iter().all(|(kind, _)| *kind != STATE);
		let joined = joiner.engine.join(&overlay, &invitations[0]);
		assert_eq!(joined, if is_readable { Err(WelcomeError::AlreadyMember) } else { stale }, "{damages:?}");
		assert!(overlay.is_clean() && overlay.fault().is_none());
	}
}

#[test]
fn a_damaged_state_gives_way_to_a_new_one_and_a_good_one_does_not() {
	let (mut log, mut members, back) = two();
	let request = ask(&back, &log);
	let checked = check(&members[0], &log, &request);
	let prepared = members[0].prepare(&log, &checked.intent());
	let entry = log.append(&prepared);
	members[0].advance(&log, &entry);
	let welcomes = members[0].welcomes(&prepared, &entry);
	let package = NewKeyPackage { bytes: Vec::new(), reference: request.reference };
	let invitation = back.open_welcome(&package, &welcomes);
	let refused = back.read(|engine, overlay| engine.join(overlay, &invitation));
	assert_eq!(refused, Err(WelcomeError::AlreadyMember));
	back.store().damage("mls tree", Some(BROKEN));
	back.write(|engine, overlay| engine.join(overlay, &invitation)).unwrap();
	members.push(back);
	assert_agreement(&mut members, &log);
}

/// Which passes, or has to be seen to: the state is there still.
#[test]
fn a_disk_that_cannot_be_read_is_not_taken_for_damage() {
	let disk = MemoryDisk::new();
	let store = Store::in_memory(&disk, &StoreKey::from_bytes([9; 32])).unwrap();
	let engine = Engine::new(b"a".to_vec(), &[1; 32], GENESIS).unwrap();
	let overlay = store.overlay();
	let (group, entry) = (engine.create_group(&overlay, &GroupData::default()).unwrap().group, EntryHash([1; 32]));
	engine.place_group(&overlay, &group, &entry).unwrap();
	overlay.commit().unwrap();
	for after in 0..12 {
		disk.fail_reads(after, 1);
		let asked = engine.rejoin_request(&store.overlay(), &group, &entry);
		assert!(matches!(asked, Err(EngineError::Store(StoreError::Database(_)))), "read {after}: {asked:?}");
	}
	disk.fail_reads(0, 0);
	assert!(engine.rejoin_request(&store.overlay(), &group, &entry).is_ok());
}
