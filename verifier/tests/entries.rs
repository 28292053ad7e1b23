//! Attacks on the entries of a proven log; each test is named after one.

use lockstep_primitives::{EntryHash, GroupId};
use lockstep_verifier::{
	entries::{Cursor, Entry, LogError},
	group::{group_keys, prove_group, GroupError},
	layout::LayoutError,
	read_proof::ReadProofError,
	testing::{World, GROUP},
};

/// A log of six entries, and what the proven state says when the entries are read.
fn read(change: impl FnOnce(&mut Vec<Entry>)) -> Result<(), LogError> {
	let (world, _) = World::sample();
	let proven = prove_group(world.followed().head(), &world.group_proof(), &GROUP).unwrap().state.unwrap();
	let mut entries = world.log.entries.clone();
	change(&mut entries);
	let mut cursor = Cursor::start(&world.genesis, &GROUP);
	for entry in &entries {
		let before = cursor;
		if let Err(error) = cursor.admit(entry) {
			assert_eq!(cursor, before, "an error changes nothing");
			return Err(error);
		}
	}
	cursor.reaches(&proven)
}

#[test]
fn the_entries_of_the_log_are_accepted() {
	assert_eq!(read(|_| ()), Ok(()));
	assert_eq!(read(|entries| entries.iter_mut().for_each(|entry| entry.payload = None)), Ok(()));
}

#[test]
fn entries_dropped() {
	assert_eq!(read(|entries| drop(entries.pop())), Err(LogError::Length { reached: 5, proven: 6 }));
	assert_eq!(read(|entries| drop(entries.remove(2))), Err(LogError::Length { reached: 5, proven: 6 }));
	assert_eq!(read(Vec::clear), Err(LogError::Length { reached: 0, proven: 6 }));
}

#[test]
fn entries_repeated() {
	assert_eq!(read(|entries| entries.push(entries[5].clone())), Err(LogError::Length { reached: 7, proven: 6 }));
	assert!(matches!(read(|entries| entries[3] = entries[2].clone()), Err(LogError::Head { .. })));
}

#[test]
fn entries_swapped() {
	assert_eq!(read(|entries| entries.swap(1, 2)), Err(LogError::Block(2)));
	let same_block = |entries: &mut Vec<Entry>| {
		entries[2].block = entries[1].block;
		entries.swap(1, 2);
	};
	assert!(matches!(read(same_block), Err(LogError::Head { .. })));
}

#[test]
fn entries_altered() {
	let altered: [fn(&mut Entry); 6] = [
		|entry| entry.block += 1,
		|entry| entry.body.parent = EntryHash([1; 32]),
		|entry| entry.body.next_key.0[0] ^= 1,
		|entry| entry.body.endorsement.0[63] ^= 1,
		|entry| (entry.body.payload_hash.0[0] ^= 1, entry.payload = None).1,
		|entry| (entry.body.payload_len += 1, entry.payload = None).1,
	];
	for (at, alter) in altered.into_iter().enumerate() {
		assert!(matches!(read(|entries| alter(&mut entries[2])), Err(LogError::Head { .. })), "alteration {at}");
	}
}

#[test]
fn payload_altered() {
	assert_eq!(read(|entries| entries[2].payload.as_mut().unwrap()[0] ^= 1), Err(LogError::Payload(2)));
	assert_eq!(read(|entries| entries[2].payload.as_mut().unwrap().push(0)), Err(LogError::Payload(2)));
	assert_eq!(read(|entries| entries[2].payload = Some(vec![])), Err(LogError::Payload(2)));
	let swap = |entries: &mut Vec<Entry>| {
		let (one, two) = (entries[1].payload.take(), entries[2].payload.take());
		(entries[1].payload, entries[2].payload) = (two, one);
	};
	assert_eq!(read(swap), Err(LogError::Payload(1)));
}

#[test]
fn the_block_of_the_newest_entry_is_proven_too() {
	let (world, _) = World::sample();
	let mut proven = world.log.state.clone();
	proven.last_entry_at += 1;
	let mut cursor = Cursor::start(&world.genesis, &GROUP);
	for entry in &world.log.entries {
		cursor.admit(entry).unwrap();
	}
	assert!(matches!(cursor.reaches(&proven), Err(LogError::LastBlock { .. })));
}

#[test]
fn a_log_that_is_full() {
	let (world, _) = World::sample();
	let mut cursor = Cursor::start(&world.genesis, &GROUP);
	cursor.head.length = u64::MAX;
	assert_eq!(cursor.admit(&world.log.entries[0]), Err(LogError::Full));
}

#[test]
fn proof_of_another_group() {
	let (world, _) = World::sample();
	let other = GroupId([9; 32]);
	let head = *world.followed().head();
	let error = prove_group(&head, &world.group_proof(), &other).unwrap_err();
	assert!(matches!(error, GroupError::ReadProof(_)));
	// with the right nodes: there is no such group
	let proven = prove_group(&head, &world.state.prove(group_keys(&[other])), &other).unwrap();
	assert_eq!(proven.state, None);
}

#[test]
fn proof_without_the_layout() {
	// the group alone, so that a changed layout would go unnoticed
	let (world, _) = World::sample();
	let head = *world.followed().head();
	let keys = group_keys(&[GROUP]);
	for keys in [&keys[..1], &keys[..2]] {
		let error = prove_group(&head, &world.state.prove(keys), &GROUP).unwrap_err();
		assert!(matches!(error, GroupError::ReadProof(ReadProofError::Incomplete(_))));
	}
}

#[test]
fn proof_of_an_older_state() {
	let (mut world, _) = World::sample();
	let stale = world.group_proof();
	world.entry(5, b"news");
	let error = prove_group(world.followed().head(), &stale, &GROUP).unwrap_err();
	assert!(matches!(error, GroupError::ReadProof(ReadProofError::Incomplete(_))));
}

#[test]
fn another_runtime() {
	use codec::{Compact, Encode};
	let (mut world, _) = World::sample();
	world.set(lockstep_verifier::layout::LAST_RUNTIME_UPGRADE, (Compact(100u32), "other").encode());
	world.block();
	let error = prove_group(world.followed().head(), &world.group_proof(), &GROUP).unwrap_err();
	assert_eq!(error, GroupError::Layout(LayoutError::OtherRuntime("other".into())));
}

#[test]
fn a_checkpoint_without_state_root() {
	let (world, _) = World::sample();
	let mut head = *world.followed().head();
	head.state_root = None;
	assert_eq!(prove_group(&head, &world.group_proof(), &GROUP), Err(GroupError::NoStateRoot));
}
