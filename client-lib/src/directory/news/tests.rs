//! What is told of a person whose log has everything in it.

use super::*;
use crate::directory::IdentityState;
use lockstep_primitives::GenesisHash;
use lockstep_verifier::testing::identity::{device, identity_key, recovery, PersonLog};

fn person() -> PersonLog {
	let mut log = PersonLog::new(GenesisHash([7; 32]), 2);
	log.act(3, 1, Action::AddDevice(device(2, 102)), Some(2));
	log.act(3, 2, Action::AddDevice(device(3, 103)), Some(3));
	log.act(5, 101, Action::Rotate { replaces: identity_key(1), next: identity_key(104).commitment() }, None);
	log.act(8, 101, Action::RevokeDevice(identity_key(2)), None);
	log.act(8, 101, Action::SetOperator(Some(OperatorId([9; 32]))), None);
	let recover = |from| Action::Recover {
		rank: 1,
		from,
		revoked: Default::default(),
		device: device(4, 105),
		recovery: recovery(&[203]),
	};
	log.act(9, 202, recover(4), Some(4));
	log
}

fn told(log: &PersonLog, since: Option<&LogHead>) -> Vec<(BlockNumber, u64, Happening)> {
	let told = news(&log.history, since).unwrap();
	told.into_iter().map(|news| (news.block, news.index, news.what)).collect()
}

/// The head of the log after so many events.
fn head(log: &PersonLog, length: usize) -> LogHead {
	let state: Option<&IdentityState> = length.checked_sub(1).map(|last| &log.history.steps()[last].change.state);
	state.map_or_else(|| History::new(log.genesis, log.id).head(), |state| state.head)
}

#[test]
fn everything_that_happened_is_told_in_order() {
	let (log, key) = (person(), identity_key);
	let all = [
		(2, 0, Happening::Created { device: key(1) }),
		(3, 1, Happening::DeviceAdded { device: key(2), by: key(1) }),
		(3, 2, Happening::DeviceAdded { device: key(3), by: key(2) }),
		(5, 3, Happening::KeyRotated { from: key(1), to: key(101) }),
		(8, 4, Happening::DeviceRevoked { device: key(2), with: vec![key(3)], by: key(101) }),
		(8, 5, Happening::OperatorSet { operator: Some(OperatorId([9; 32])) }),
		(9, 6, Happening::Recovered { rank: 1, device: key(4), revoked: vec![], overridden: vec![4, 5] }),
	];
	assert_eq!(told(&log, None), all);
	let overridden: Vec<_> = news(&log.history, None).unwrap().iter().map(|news| news.overridden_by).collect();
	assert_eq!(overridden, [None, None, None, None, Some(6), Some(6), None]);
	let alarming: Vec<_> = all.iter().map(|(_, _, what)| what.changes_keys()).collect();
	assert_eq!(alarming, [true, true, true, true, true, false, true]);
}

#[test]
fn nothing_is_told_twice_and_nothing_left_out() {
	let log = person();
	let all = told(&log, None);
	for length in 0..=all.len() {
		assert_eq!(told(&log, Some(&head(&log, length))), all[length..], "since {length}");
	}
}

#[test]
fn a_log_that_is_shorter_or_another_one_is_no_news() {
	let log = person();
	let mut shorter = History::new(log.genesis, log.id);
	log.recorded[..3].iter().for_each(|recorded| shorter.admit(recorded.clone()).unwrap());
	let behind = news(&shorter, Some(&head(&log, 5)));
	assert!(matches!(behind, Err(NewsError::Behind { found: 3, known: 5, .. })), "{behind:?}");
	let other = LogHead { hash: EntryHash([1; 32]), ..head(&log, 5) };
	let other = news(&log.history, Some(&other));
	assert!(matches!(other, Err(NewsError::OtherLog { index: 4, .. })), "{other:?}");
}

#[test]
fn the_end_is_told() {
	let mut log = PersonLog::new(GenesisHash([7; 32]), 2);
	log.act(4, 101, Action::Close, None);
	assert_eq!(told(&log, Some(&head(&log, 1))), [(4, 1, Happening::Closed)]);
}
