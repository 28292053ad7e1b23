use super::*;
use crate::testing::World;
use When::*;

#[test]
fn a_sample_shows_the_rotations() {
	let (world, file) = World::sample();
	let rotations = verify(world.genesis, &file.to_bytes()).unwrap();
	assert_eq!((rotations.genesis, rotations.group), (world.genesis, crate::testing::GROUP));
	assert_eq!((rotations.head.number, rotations.set), (world.newest(), 3));
	assert_eq!(rotations.state, world.log.state);
	assert!(rotations.state.contested);
	assert_eq!(rotations.runtime.unwrap().spec_version, 100);
	let time = |block: u32| (crate::testing::SLOT_ZERO + u64::from(block)) * 1000;
	assert_eq!(rotations.entries.len(), 6);
	for (index, (rotation, entry)) in rotations.entries.iter().zip(&world.log.entries).enumerate() {
		assert_eq!((rotation.index, rotation.hash), (index as u64, world.log.hashes[index]));
		assert_eq!((rotation.parent, rotation.block), (entry.body.parent, entry.block));
		assert_eq!((rotation.new_key, &rotation.payload), (entry.body.next_key, &entry.payload));
		let parent = [0, 0, 1, 1, 2, 4][index];
		assert_eq!(rotation.endorsed_by, Some(world.log.entries[parent].body.next_key), "entry {index}");
		match rotation.when {
			At(at) => assert_eq!(at, time(entry.block)),
			Between { after, before } => {
				assert!(before.unwrap() >= time(entry.block));
				assert!(after.is_none_or(|after| after < time(entry.block)));
			}
		}
	}
	let exact: Vec<_> = rotations.entries.iter().map(|rotation| matches!(rotation.when, At(_))).collect();
	assert_eq!(exact, [false, true, true, false, false, true]);
}

#[test]
fn a_single_entry_and_its_parent() {
	let (world, _) = World::sample();
	// entry 5 is the child of entry 4, that of entry 2, which is none of the file's business
	let file = crate::build::build(&world.trust(), world.parts(5)).unwrap();
	let rotations = verify(world.genesis, &file).unwrap();
	let shown: Vec<_> = rotations.entries.iter().map(|one| (one.index, one.endorsed_by.is_some())).collect();
	assert_eq!(shown, [(4, false), (5, true)]);
	// entry 4 needs entry 2, and with it comes entry 3, whose parent is entry 1
	let file = crate::build::build(&world.trust(), world.parts(4)).unwrap();
	let rotations = verify(world.genesis, &file).unwrap();
	let shown: Vec<_> = rotations.entries.iter().map(|one| (one.index, one.endorsed_by.is_some())).collect();
	assert_eq!(shown, [(1, false), (2, true), (3, true), (4, true), (5, true)]);
	let missing = crate::build::build(&world.trust(), world.parts(6));
	assert_eq!(missing, Err(crate::build::BuildError::NoEntry(6)));
}

#[test]
fn a_file_from_a_checkpoint() {
	let (world, _) = World::sample();
	let mut chain = world.chain();
	chain.catch_up(&world.links()[..1]).unwrap();
	let trust = Trust::Checkpoint(chain.checkpoint());
	let mut parts = world.parts(0);
	parts.anchor = FileAnchor::Checkpoint { number: chain.head().number, hash: chain.head().hash };
	parts.links.remove(0);
	// a block below the anchor: its headers lead up to it
	let block = world.log.entries[1].block;
	let headers = (block..=chain.head().number).map(|number| world.header(number).to_vec()).collect();
	parts.moments = vec![Moment { headers, justification: None }];
	let file = crate::build::build(&trust, parts).unwrap();
	let rotations = verify(trust, &file).unwrap();
	assert!(matches!(rotations.entries[1].when, At(_)));
	// the genesis alone is not enough for such a file
	let error = verify(world.genesis, &file).unwrap_err();
	assert_eq!(error, ProofError::UnknownCheckpoint { number: chain.head().number, hash: chain.head().hash });
	let other = Trust::Checkpoint(world.followed().checkpoint());
	assert!(matches!(verify(other, &file), Err(ProofError::UnknownCheckpoint { .. })));
	// but whoever has a checkpoint can verify a file from the genesis
	let (world, file) = World::sample();
	assert!(verify(Trust::Checkpoint(world.followed().checkpoint()), &file.to_bytes()).is_ok());
}

#[test]
fn a_closed_group_has_no_proof() {
	let (mut world, _) = World::sample();
	world.state.values.remove(&crate::layout::group_key(&crate::testing::GROUP));
	world.set(b"something".to_vec(), b"else".to_vec());
	world.block();
	let error = crate::build::build(&world.trust(), world.parts(0)).unwrap_err();
	assert_eq!(error, crate::build::BuildError::Invalid(ProofError::NoGroup));
}

#[test]
fn a_layout_from_the_future() {
	let (mut world, _) = World::sample();
	world.set(crate::layout::ORDERING_STORAGE_VERSION, 2u16.encode());
	world.block();
	let error = crate::build::build(&world.trust(), world.parts(0)).unwrap_err();
	let newer = crate::layout::LayoutError::Newer { found: 2, known: 1 };
	assert_eq!(error, crate::build::BuildError::Invalid(ProofError::ReadProof(newer.into())));
}

#[test]
fn payloads_are_optional() {
	let (world, mut file) = World::sample();
	for entry in &mut file.entries {
		entry.payload = None;
	}
	let rotations = verify(world.genesis, &file.to_bytes()).unwrap();
	assert!(rotations.entries.iter().all(|rotation| rotation.payload.is_none()));
}
