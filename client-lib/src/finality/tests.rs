//! The heads: what a lying or forgetful node can and cannot do to them.

use super::{
	heads::{Heads, Released},
	wishes::{Wanted, Wishes},
	Lie,
};
use crate::log::LogCursor;
use lockstep_primitives::{
	payload_hash,
	rpc::{Entry, HexBytes, Position},
	BlockNumber, Endorsement, EntryBody, GenesisHash, GroupId, LogHead, OrderingKey,
};
use std::collections::BTreeMap;

const GROUP: GroupId = GroupId([1; 32]);

fn start() -> LogCursor {
	LogCursor::start(&GenesisHash([0; 32]), &GROUP)
}

fn entry(index: u64) -> Entry {
	let body = EntryBody {
		parent: start().head.hash,
		payload_hash: payload_hash(b"x"),
		payload_len: 1,
		next_key: OrderingKey([2; 32]),
		endorsement: Endorsement([3; 64]),
	};
	Entry { index, block: 5, body, payload: Some(HexBytes(b"x".to_vec())) }
}

fn wishes(turn: u64) -> Wishes {
	Wishes { turn, groups: [(GROUP, Wanted { turn, from: start() })].into() }
}

/// The head after some entries.
fn head(length: u64) -> LogHead {
	(0..length).fold(start().head, |head, index| head.append(5, &entry(index).body).unwrap())
}

fn proof(head: Option<LogHead>) -> BTreeMap<GroupId, Option<LogHead>> {
	[(GROUP, head)].into()
}

/// Heads that have been sent these entries.
fn sent(indices: &[u64]) -> (Heads, Result<(), Lie>) {
	let mut heads = Heads::default();
	heads.adopt(&wishes(1));
	let mut released = Released::default();
	let result = indices.iter().try_for_each(|index| heads.admit(GROUP, entry(*index), &mut released));
	assert!(released.entries.is_empty(), "nothing is given out without a proof");
	(heads, result)
}

fn prove(heads: &mut Heads, head: Option<LogHead>, at: BlockNumber) -> Result<usize, Lie> {
	let mut released = Released::default();
	heads.prove(&proof(head), at, &mut released).map(|()| released.entries.len())
}

#[test]
fn entries_are_given_out_when_their_head_is_proven_and_once() {
	let (mut heads, result) = sent(&[0, 1]);
	assert_eq!(result, Ok(()));
	assert_eq!(prove(&mut heads, Some(head(2)), 6), Ok(2));
	assert_eq!(prove(&mut heads, Some(head(2)), 7), Ok(0));
	assert_eq!(heads.restart(), [Position { group: GROUP, from: 2 }]);
}

#[test]
fn another_node_is_asked_for_what_the_last_one_did_not_prove() {
	let (mut heads, _) = sent(&[0, 1]);
	assert_eq!(heads.restart(), [Position { group: GROUP, from: 0 }]);
	assert!(!heads.adopt(&wishes(1)), "the same wish again");
	assert_eq!(prove(&mut heads, Some(start().head), 6), Ok(0), "what was sent before does not count");
	assert!(heads.adopt(&wishes(2)), "to be read from the start again");
}

#[test]
fn entries_left_out_swapped_or_repeated_are_no_log() {
	for indices in [&[1][..], &[0, 2], &[0, 0], &[0, 2, 1]] {
		assert!(matches!(sent(indices).1, Err(Lie::Entries { group: GROUP, .. })), "{indices:?}");
	}
}

#[test]
fn entries_withheld_at_the_end_are_noticed() {
	let (mut heads, _) = sent(&[0]);
	assert_eq!(prove(&mut heads, Some(head(2)), 6), Err(Lie::LeftOut(GROUP)));
}

#[test]
fn entries_that_the_chain_does_not_have_are_noticed() {
	let (mut heads, _) = sent(&[0, 1]);
	assert_eq!(prove(&mut heads, Some(head(1)), 6), Err(Lie::OtherEntries(GROUP)));
	let (mut heads, _) = sent(&[0, 1]);
	let other = LogHead { hash: head(1).hash, ..head(2) };
	assert_eq!(prove(&mut heads, Some(other), 6), Err(Lie::OtherEntries(GROUP)));
}

#[test]
fn a_group_that_is_never_proven_is_noticed() {
	let (mut heads, _) = sent(&[0]);
	let mut released = Released::default();
	let none = BTreeMap::new();
	assert_eq!(heads.prove(&none, 10, &mut released), Ok(()), "its turn may come");
	assert_eq!(heads.prove(&none, 10_000, &mut released), Err(Lie::Unproven(GROUP)));
	assert!(released.entries.is_empty());
}

#[test]
fn a_node_that_is_behind_what_is_known_is_no_liar() {
	let (mut heads, _) = sent(&[0, 1]);
	assert_eq!(prove(&mut heads, Some(head(2)), 6), Ok(2));
	heads.restart();
	let mut released = Released::default();
	for head in [Some(head(1)), None] {
		assert_eq!(heads.prove(&proof(head), 4, &mut released), Ok(()), "block 4 is below the entries' block");
	}
	assert!(released.entries.is_empty() && released.closed.is_empty());
	assert_eq!(prove(&mut heads, Some(head(1)), 6), Err(Lie::OtherEntries(GROUP)), "of their block it is a lie");
}

#[test]
fn of_a_group_that_is_not_there_yet_nothing_is_said() {
	let (mut heads, _) = sent(&[0]);
	let mut released = Released::default();
	assert_eq!(heads.prove(&proof(None), 6, &mut released), Ok(()));
	assert!(released.entries.is_empty() && released.closed.is_empty());
}

#[test]
fn a_group_that_was_there_and_is_gone_is_closed() {
	let (mut heads, _) = sent(&[0]);
	assert_eq!(prove(&mut heads, Some(head(1)), 6), Ok(1));
	let mut released = Released::default();
	assert_eq!(heads.prove(&proof(None), 7, &mut released), Ok(()));
	assert_eq!(released.closed, [GROUP]);
}

#[test]
fn groups_that_are_not_followed_are_left_out() {
	let (mut heads, _) = sent(&[]);
	let mut released = Released::default();
	assert_eq!(heads.admit(GroupId([9; 32]), entry(0), &mut released), Ok(()));
	assert!(heads.adopt(&Wishes::default()) || heads.restart().is_empty());
}

#[test]
fn many_entries_are_read_twice_and_given_out_the_second_time() {
	let mut heads = Heads::default();
	heads.adopt(&wishes(1));
	let big = |index| {
		let payload = vec![index as u8; 1 << 20];
		let mut entry = entry(index);
		entry.body.payload_hash = payload_hash(&payload);
		entry.body.payload_len = payload.len() as u32;
		Entry { payload: Some(HexBytes(payload)), ..entry }
	};
	let count = 40;
	let head = (0..count).fold(start().head, |head, index| head.append(5, &big(index).body).unwrap());
	let mut released = Released::default();
	(0..count).for_each(|index| heads.admit(GROUP, big(index), &mut released).unwrap());
	heads.prove(&proof(Some(head)), 6, &mut released).unwrap();
	assert!(released.again && released.entries.is_empty());
	assert_eq!(heads.restart(), [Position { group: GROUP, from: 0 }]);
	let mut released = Released::default();
	heads.admit(GROUP, big(0), &mut released).unwrap();
	assert_eq!(released.entries.len(), 1, "its name is known");
	assert_eq!(heads.restart(), [Position { group: GROUP, from: 1 }]);
	let other = entry(1);
	assert_eq!(heads.admit(GROUP, other, &mut released), Err(Lie::OtherEntries(GROUP)));
}
