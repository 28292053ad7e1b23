use super::*;
use crate::store::{MemoryDisk, Store, StoreKey};
use lockstep_primitives::{identity::NewDevice, GenesisHash};
use lockstep_verifier::testing::identity::{device, identity_key, recovery, PersonLog};
use std::{iter, ops::Range};

fn key(name: u8) -> IdentityKey {
	IdentityKey([name; 32])
}

#[test]
fn devices_are_those_of_the_newest_state_up_to_the_block() {
	let since = vec![(5, vec![key(1)]), (9, vec![key(1), key(2)]), (12, vec![key(2)]), (20, vec![])];
	let known = KnownDevices { until: 30, since, rotated: Vec::new() };
	let at = |block| known.at(block).to_vec();
	assert_eq!((at(4), at(5), at(8)), (vec![], vec![key(1)], vec![key(1)]));
	assert_eq!((at(9), at(12), at(19)), (vec![key(1), key(2)], vec![key(2)], vec![key(2)]));
	assert_eq!((at(20), at(30)), (vec![], vec![]), "one that has ended");
	assert!(known.ever(&key(1), 30) && !known.ever(&key(2), 8) && !known.ever(&key(3), 30));
}

#[test]
fn a_device_with_another_key_is_not_revoked() {
	let since = vec![
		(5, vec![key(1), key(9)]),
		(9, vec![key(2), key(9)]),
		(12, vec![key(3), key(9)]),
		(20, vec![key(9)]),
		(25, vec![key(1), key(4)]),
	];
	let rotated = vec![(key(1), key(2)), (key(2), key(3)), (key(3), key(1)), (key(8), key(9))];
	let known = KnownDevices { until: 30, since, rotated };
	for block in [5, 9, 12, 19] {
		assert!(!known.is_revoked(&key(1), block), "{block}");
	}
	assert!(known.is_revoked(&key(1), 20) && known.is_revoked(&key(1), 24), "its heirs, too");
	assert!(!known.is_revoked(&key(1), 25), "a recovery has brought it back");
	assert!(!known.is_revoked(&key(7), 30), "it was no device");
	assert_eq!((known.revoked_at(&key(9)), known.revoked_at(&key(1))), (Some(25), None));
	let known = KnownDevices { until: 22, ..known };
	assert_eq!((known.revoked_at(&key(3)), known.revoked_at(&key(2))), (Some(20), Some(20)));
}

const GENESIS: GenesisHash = GenesisHash([7; 32]);

fn recover(rank: u8, from: u64, device: NewDevice, keys: &[u64]) -> Action {
	Action::Recover { rank, from, revoked: Default::default(), device, recovery: recovery(keys) }
}

/// Whoever has the key 1 adds the device 66, which gets the key 166, revokes 2, and takes the lower of the recovery keys to bring
/// in 77. The higher one overrides all of that, and brings in 5. Nothing happens in block 20, or after it.
fn recovered() -> PersonLog {
	let mut log = PersonLog::new(GENESIS, 2);
	log.act(4, 1, Action::AddDevice(device(2, 102)), Some(2));
	log.act(6, 1, Action::AddDevice(device(66, 166)), Some(66));
	let rotate = Action::Rotate { replaces: identity_key(66), next: identity_key(176).commitment() };
	log.act(8, 166, rotate, None);
	log.act(10, 1, Action::RevokeDevice(identity_key(2)), None);
	log.act(12, 202, recover(1, 5, device(77, 177), &[203]), Some(77));
	log.act(15, 201, recover(0, 2, device(5, 105), &[204, 205]), Some(5));
	log
}

fn known(history: &History, until: BlockNumber) -> KnownDevices {
	KnownDevices { until, ..KnownDevices::of(history) }
}

/// In which blocks the key was a device's, and in which it was that of a revoked one.
fn blocks(known: &KnownDevices, key: u64) -> (Vec<BlockNumber>, Vec<BlockNumber>) {
	let key = identity_key(key);
	let had = (0..20).filter(|block| known.at(*block).contains(&key)).collect();
	(had, (0..20).filter(|block| known.is_revoked(&key, *block)).collect())
}

fn these(had: Range<BlockNumber>, revoked: Range<BlockNumber>) -> (Vec<BlockNumber>, Vec<BlockNumber>) {
	(had.collect(), revoked.collect())
}

#[test]
fn what_a_recovery_overrides_was_so_until_then() {
	let known = known(&recovered().history, 20);
	assert_eq!(blocks(&known, 1), these(2..20, 0..0));
	assert_eq!(blocks(&known, 2), these(4..10, 10..20), "what was revoked stays so");
	assert_eq!(blocks(&known, 66), these(6..8, 15..20), "it had another key meanwhile");
	assert_eq!(blocks(&known, 166), these(8..15, 15..20));
	assert_eq!(blocks(&known, 77), these(12..15, 15..20));
	assert_eq!(blocks(&known, 5), these(15..20, 0..0));
	let since = [1, 2, 66, 166, 77, 5].map(|key| known.revoked_at(&identity_key(key)));
	assert_eq!(since, [None, Some(10), Some(15), Some(15), Some(15), None]);
	assert_eq!(known.rotated, [(identity_key(66), identity_key(166))], "whatever became of that");
}

#[test]
fn a_rotation_that_is_overridden_takes_the_device_along() {
	let mut log = PersonLog::new(GENESIS, 2);
	let rotate = Action::Rotate { replaces: identity_key(1), next: identity_key(111).commitment() };
	log.act(8, 101, rotate, None);
	log.act(12, 201, recover(0, 1, device(5, 105), &[203]), Some(5));
	let known = known(&log.history, 20);
	// Its leaf, which has the old key still, is to be taken out as soon as the new key is none of a device, and no sooner.
	assert_eq!(blocks(&known, 1), these(2..8, 12..20));
	assert_eq!(blocks(&known, 101), these(8..12, 12..20));
	assert_eq!(known.revoked_at(&identity_key(1)), Some(12));
}

#[test]
fn what_is_overridden_in_its_own_block_never_was() {
	let mut log = PersonLog::new(GENESIS, 2);
	log.act(9, 1, Action::AddDevice(device(66, 166)), Some(66));
	log.act(9, 201, recover(0, 1, device(5, 105), &[203]), Some(5));
	let known = known(&log.history, 20);
	assert_eq!(known.since, [(2, vec![identity_key(1)]), (9, vec![identity_key(1), identity_key(5)])]);
	assert_eq!(blocks(&known, 66), these(0..0, 0..0));
	assert!(!known.ever(&identity_key(66), 20));
}

#[test]
fn an_end_that_is_overridden_gives_the_device_back() {
	let mut log = PersonLog::new(GENESIS, 2);
	log.act(8, 101, Action::Close, None);
	log.act(12, 201, recover(0, 1, device(5, 105), &[203]), Some(5));
	let known = known(&log.history, 20);
	let (had, revoked) = blocks(&known, 1);
	assert_eq!(had, (2..8).chain(12..20).collect::<Vec<_>>());
	assert_eq!(revoked, [8, 9, 10, 11]);
	assert_eq!(known.revoked_at(&identity_key(1)), None);
}

/// Members that know a log as far as it goes in the block of an entry say the same of a leaf as those that read it years later.
#[test]
fn leaves_are_judged_alike_before_and_after_a_recovery() {
	let log = recovered();
	let store = Store::in_memory(&MemoryDisk::new(), &StoreKey::from_bytes([0; 32])).unwrap();
	let judge = |known: &KnownDevices, key: u64, block: BlockNumber| {
		let overlay = store.overlay();
		overlay.put(&log.id.0, known).unwrap();
		let key = identity_key(key);
		let leaf = Binding { identity: &log.id.0, key: &key.0 };
		let counts = |when| match check(&overlay, iter::once(leaf), when) {
			Ok(()) => true,
			Err(Stop::Invalid(_)) => false,
			Err(stop) => panic!("{stop:?}"),
		};
		let is_revoked = is_revoked(&overlay, leaf, When::In(block)).unwrap();
		(counts(When::In(block)), counts(When::UpTo(block)), is_revoked)
	};
	let later = known(&log.history, 1_000_000);
	let mut history = History::new(log.genesis, log.id);
	for (index, recorded) in log.recorded.iter().enumerate() {
		history.admit(recorded.clone()).unwrap();
		let until = log.recorded.get(index + 1).map_or(20, |next| next.block - 1);
		let then = known(&history, until);
		for (block, key) in (0..=until).flat_map(|block| [1, 2, 66, 166, 77, 5].map(|key| (block, key))) {
			assert_eq!(judge(&then, key, block), judge(&later, key, block), "{key} in {block}, known up to {until}");
		}
	}
	// In the block of its entry, and for a joiner; whether everybody may take it out.
	assert_eq!(judge(&later, 66, 5), (false, false, false));
	assert_eq!(judge(&later, 66, 7), (true, true, false));
	assert_eq!(judge(&later, 66, 14), (false, true, false));
	assert_eq!(judge(&later, 166, 14), (true, true, false));
	assert_eq!(judge(&later, 166, 15), (false, true, true));
}
