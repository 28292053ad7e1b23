//! What is told of several people at once.

use super::*;
use crate::directory::{Action, KeyEvent, Recorded, RecoveryKeys};
use lockstep_primitives::GenesisHash;
use lockstep_verifier::testing::identity::{device, sign, PersonLog};

const GENESIS: GenesisHash = GenesisHash([7; 32]);

/// A person whose first device, with the key `number`, creates the identity in the first of these blocks, and adds a device in each
/// of the others.
fn person(number: u64, blocks: &[BlockNumber]) -> PersonLog {
	let (first, others) = blocks.split_first().unwrap();
	let event = KeyEvent::incept(&GENESIS, device(number, number + 100), RecoveryKeys::default(), None);
	let id = event.identity;
	let mut log = PersonLog { genesis: GENESIS, id, recorded: Vec::new(), history: History::new(GENESIS, id) };
	log.put(Recorded { block: *first, event: sign(&GENESIS, event, number, None) });
	for (block, new) in others.iter().zip(number * 10..) {
		log.act(*block, number, Action::AddDevice(device(new, new + 100)), Some(new));
	}
	log
}

/// Of three people, the one with the lowest id first, what each does in these blocks.
fn three(blocks: [&[BlockNumber]; 3]) -> [PersonLog; 3] {
	let mut numbers = [1, 2, 3];
	numbers.sort_by_key(|number| person(*number, &[1]).id);
	let [a, b, c] = numbers;
	[person(a, blocks[0]), person(b, blocks[1]), person(c, blocks[2])]
}

/// They act in turns, and all of them in block 6; the last one begins.
fn in_turns() -> [PersonLog; 3] {
	three([&[4, 6, 6, 9], &[3, 5, 6], &[2, 6, 8]])
}

/// All of it: the block, who, and the position in that log.
const IN_ORDER: [(BlockNumber, usize, u64); 10] =
	[(2, 2, 0), (3, 1, 0), (4, 0, 0), (5, 1, 1), (6, 0, 1), (6, 0, 2), (6, 1, 2), (6, 2, 1), (8, 2, 2), (9, 0, 3)];

/// The log, as the state of this block shows it.
fn read(log: &PersonLog, until: BlockNumber) -> (IdentityId, Result<History, DirectoryError>) {
	let mut history = log.history.clone();
	history.reaches(&log.proven(), until).unwrap();
	(log.id, Ok(history))
}

/// What was told of these people, as in [`IN_ORDER`].
fn told(found: &CatchUp, logs: &[PersonLog; 3]) -> Vec<(BlockNumber, usize, u64)> {
	let who = |one: &News| logs.iter().position(|log| log.id == one.identity).unwrap();
	found.news.iter().map(|one| (one.block, who(one), one.index)).collect()
}

/// The first of them is oneself, and of everybody all is wanted.
fn everything(logs: &[PersonLog; 3]) -> People {
	People { own: Some(logs[0].id), contacts: logs.iter().map(|log| log.id).collect(), since: Some(0) }
}

#[test]
fn what_several_did_is_told_block_by_block_however_their_logs_come() {
	let logs = in_turns();
	for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
		let come = order.into_iter().map(|at| read(&logs[at], 10));
		let found = gather(&everything(&logs), &BTreeMap::new(), come);
		assert_eq!(told(&found, &logs), IN_ORDER, "{order:?}");
		assert!(found.news.iter().all(|one| one.own == (one.identity == logs[0].id)));
		assert_eq!((found.until, found.unread.len()), (Some(10), 0));
	}
}

/// Two logs are of block 10, and one is of an earlier one: what comes after that is told when it is known what this one did.
#[test]
fn of_two_calls_the_second_tells_later_blocks() {
	let logs = in_turns();
	let people = everything(&logs);
	for (until, early, count) in [(3, &[3][..], 2), (4, &[3][..], 3), (5, &[3, 5][..], 4)] {
		let [_, behind, _] = three([&[1], early, &[1]]);
		let come = [read(&logs[0], 10), read(&behind, until), read(&logs[2], 10)];
		let first = gather(&people, &BTreeMap::new(), come.into_iter());
		assert_eq!((told(&first, &logs), first.until), (IN_ORDER[..count].to_vec(), Some(until)));
		let second = gather(&people, &first.heads, logs.iter().map(|log| read(log, 10)));
		assert_eq!(told(&second, &logs), IN_ORDER[count..], "after block {until}");
		let third = gather(&people, &second.heads, logs.iter().map(|log| read(log, 11)));
		assert_eq!((third.news.len(), third.until), (0, Some(11)));
	}
}

#[test]
fn one_log_that_cannot_be_read_keeps_none_back() {
	let logs = in_turns();
	let (people, missing) = (everything(&logs), logs[1].id);
	let come = [read(&logs[0], 10), (missing, Err(DirectoryError::Unknown(missing))), read(&logs[2], 10)];
	let first = gather(&people, &BTreeMap::new(), come.into_iter());
	let (of_it, of_others): (Vec<_>, Vec<_>) = IN_ORDER.into_iter().partition(|(_, who, _)| *who == 1);
	assert_eq!((told(&first, &logs), first.until), (of_others, Some(10)));
	assert!(matches!(&first.unread[..], [(who, NewsError::Directory(_))] if *who == missing), "{first:?}");
	let second = gather(&people, &first.heads, logs.iter().map(|log| read(log, 10)));
	assert_eq!(told(&second, &logs), of_it, "next time");
}

#[test]
fn of_a_new_contact_only_what_is_wanted_is_told() {
	let logs = in_turns();
	for (since, from) in [(None, BlockNumber::MAX), (Some(5), 6), (Some(0), 0)] {
		let people = People { since, ..everything(&logs) };
		let found = gather(&people, &BTreeMap::new(), logs.iter().map(|log| read(log, 10)));
		let wanted: Vec<_> = IN_ORDER.into_iter().filter(|(block, who, _)| *who == 0 || *block >= from).collect();
		assert_eq!(told(&found, &logs), wanted, "since {since:?}");
		let next = gather(&people, &found.heads, logs.iter().map(|log| read(log, 10)));
		assert_eq!(next.news, []);
	}
}
