use super::*;
use crate::{
	group::GroupError,
	layout,
	proof_file::{FileAnchor, ProofError},
	testing::{
		identity::{device, identity_key, identity_record, recovery, sign, PersonLog},
		World,
	},
};
use codec::Encode;
use lockstep_primitives::{
	identity::{Action, Event, IdentityRefusal, NewDevice},
	BlockHash, BlockNumber, IdentityId,
};
use std::{vec, vec::Vec};

/// A person with three devices, one of which was rotated, one revoked, and one overridden by a recovery.
fn person(world: &World) -> PersonLog {
	let mut log = PersonLog::new(world.genesis, 2);
	log.act(3, 1, Action::AddDevice(device(2, 102)), Some(2));
	log.act(3, 2, Action::AddDevice(device(3, 103)), Some(3));
	log.act(5, 101, Action::Rotate { replaces: identity_key(1), next: identity_key(104).commitment() }, None);
	log.act(8, 101, Action::RevokeDevice(identity_key(3)), None);
	let recover = Action::Recover {
		rank: 0,
		from: 4,
		revoked: Default::default(),
		device: device(4, 105),
		recovery: recovery(&[203]),
	};
	log.act(9, 201, recover, Some(4));
	log
}

/// A chain with that person in its state, and the file that shows it.
fn sample() -> (World, PersonLog, IdentityFile) {
	let (mut world, _) = World::small();
	let log = person(&world);
	while world.newest() < 9 {
		world.block();
	}
	let file = shown(&mut world, &log);
	(world, log, file)
}

/// Puts what the log makes into the state, and makes the file of it.
fn shown(world: &mut World, log: &PersonLog) -> IdentityFile {
	world.set(layout::identity_key(&log.id), identity_record(&log.state()));
	file(world, log.id, log.recorded.clone())
}

fn file(world: &mut World, identity: IdentityId, log: Vec<Recorded>) -> IdentityFile {
	world.set(layout::DIRECTORY_STORAGE_VERSION, 1u16.encode());
	let head = world.block();
	let parts = world.parts(0);
	IdentityFile {
		genesis: world.genesis,
		anchor: parts.anchor,
		links: world.links(),
		head: world.link(head),
		read_proof: world.state.prove(identity_keys(&identity)),
		identity,
		log,
	}
}

fn verified(world: &World, file: &IdentityFile) -> Result<History, IdentityFileError> {
	verify_identity(world.genesis, &file.to_bytes()).map(|(history, _)| history)
}

#[test]
fn a_file_shows_who_had_which_devices_when() {
	let (world, log, file) = sample();
	let (history, head) = verify_identity(world.genesis, &file.to_bytes()).unwrap();
	assert_eq!((head.number, history.until()), (world.newest(), world.newest()));
	assert_eq!(history.steps(), log.history.steps());
	let had = |key: u64| -> Vec<BlockNumber> {
		(0..20).filter(|block| history.has_device_at(&identity_key(key), *block)).collect()
	};
	assert_eq!(had(1), [2, 3, 4]);
	assert_eq!(had(101), [5, 6, 7, 8, 9, 10]);
	assert_eq!(had(2), [3, 4, 5, 6, 7, 8, 9, 10]);
	assert_eq!(had(3), [3, 4, 5, 6, 7], "what is overridden takes nothing back");
	assert_eq!(had(4), [9, 10]);
	assert_eq!(world.newest(), 10, "nothing is known of later blocks");
	assert_eq!(history.at(1), None);
	assert_eq!(history.steps().iter().filter_map(|step| step.change.overrides).collect::<Vec<_>>(), [4]);
}

/// A file has one encoding, and so has each event in it.
#[test]
fn a_file_in_another_encoding_is_damaged() {
	let (world, log, file) = sample();
	let good = file.to_bytes();
	let read = |bytes: &[u8]| verify_identity(world.genesis, bytes).map(|(history, _)| history.head());
	assert_eq!(read(&good), Ok(log.history.head()));
	assert_eq!(read(&[&good[..], &[0]].concat()), Err(IdentityFileError::Damaged), "something comes after it");
	// The log ends the file. It begins with how many events there are; in the first one, the recovery keys are behind the block,
	// identity, index, previous, author, kind and device.
	let events = good.len() - file.log.encoded_size();
	let keys = events + 1 + 4 + 32 + 8 + 32 + 32 + 1 + 64;
	for (at, length) in [(events, 6u8), (keys, 2)] {
		assert_eq!(good[at], length << 2, "there is a length");
		// In two bytes, and in four.
		for longer in [vec![(length << 2) | 1, 0], vec![(length << 2) | 2, 0, 0, 0]] {
			let altered = [&good[..at], &longer, &good[at + 1..]].concat();
			assert_eq!(read(&altered), Err(IdentityFileError::Damaged), "{longer:?} at {at}");
		}
	}
}

#[test]
fn no_event_can_be_left_out_put_elsewhere_or_altered() {
	let (mut world, log, file) = sample();
	let with = |change: &dyn Fn(&mut Vec<Recorded>)| {
		let mut changed = file.clone();
		change(&mut changed.log);
		verified(&world, &changed).unwrap_err()
	};
	let log_error = |error| match error {
		IdentityFileError::Log(error) => error,
		other => panic!("{other}"),
	};
	for at in 0..log.recorded.len() - 1 {
		let error = log_error(with(&|log| drop(log.remove(at))));
		assert_eq!(error, HistoryError::Length { reached: 5, proven: 6 }, "without {at}");
		// As many as there are.
		let error = log_error(with(&|log| {
			log.remove(at);
			log.push(log[4].clone());
		}));
		assert!(matches!(error, HistoryError::Refused { .. }), "without {at}: {error}");
	}
	let error = log_error(with(&|log| drop(log.pop())));
	assert_eq!(error, HistoryError::Length { reached: 5, proven: 6 });
	let error = log_error(with(&|log| log.clear()));
	assert_eq!(error, HistoryError::Length { reached: 0, proven: 6 });
	// The hash covers the block: the events after it do not follow, or the head is another.
	for at in 0..log.recorded.len() {
		let error = log_error(with(&|log| log[at].block += 1));
		assert!(!matches!(error, HistoryError::State), "{at}: {error}");
	}
	assert_eq!(
		log_error(with(&|log| log[0].block = 1)),
		HistoryError::Refused { index: 1, refusal: IdentityRefusal::BadPrevious }
	);
	assert_eq!(log_error(with(&|log| log[5].block = 7)), HistoryError::Block(5));
	assert!(matches!(log_error(with(&|log| log[5].block = 10)), HistoryError::Head { .. }));
	assert!(matches!(log_error(with(&|log| log.swap(1, 2))), HistoryError::Refused { index: 1, .. }));

	// Of another person, or of nobody.
	let other = PersonLog::new(log.genesis, 3);
	assert_ne!(other.history.head(), log.history.head());
	let error = verified(&world, &IdentityFile { log: other.recorded.clone(), ..file.clone() });
	assert!(matches!(error, Err(IdentityFileError::Log(_))));
	let nobody = IdentityId([7; 32]);
	let unknown = self::file(&mut world, nobody, Vec::new());
	assert_eq!(verified(&world, &unknown), Err(IdentityFileError::Unknown(nobody)));
	let error = verified(&world, &IdentityFile { identity: nobody, ..file });
	assert!(matches!(error, Err(IdentityFileError::ReadProof(GroupError::ReadProof(_)))), "{error:?}");
}

/// Whoever has all validators can write anything into the state. It does not make a device out of a key that no device of
/// the person has signed for.
#[test]
fn the_validators_alone_bring_in_no_device() {
	let (mut world, _) = World::small();
	let honest = PersonLog::new(world.genesis, 2);
	let head = honest.history.head();
	let thief = device(66, 166);
	let event = |author: u64, action| Event {
		identity: honest.id,
		index: head.length,
		previous: head.hash,
		author: identity_key(author),
		action,
	};
	let forged = [
		// in the name of the device, signed by another key; by the new device itself; without its consent
		(sign(&honest.genesis, event(1, Action::AddDevice(thief)), 66, Some(66)), IdentityRefusal::BadSignature),
		(sign(&honest.genesis, event(66, Action::AddDevice(thief)), 66, Some(66)), IdentityRefusal::NotAuthorised),
		(sign(&honest.genesis, event(1, Action::AddDevice(thief)), 1, Some(1)), IdentityRefusal::BadAcceptance),
		(
			sign(&honest.genesis, event(66, Action::Rotate { replaces: identity_key(1), next: thief.next }), 66, None),
			IdentityRefusal::NotAuthorised,
		),
	];
	for (event, refusal) in forged {
		// The state as it would be, had the event been good.
		let mut state = honest.state();
		state.head = state.head.append(3, &event).unwrap();
		state.devices[0].key = identity_key(66);
		world.set(layout::identity_key(&honest.id), identity_record(&state));
		let log = [honest.recorded.clone(), vec![Recorded { block: 3, event }]].concat();
		let file = file(&mut world, honest.id, log);
		let expected = HistoryError::Refused { index: 1, refusal };
		assert_eq!(verified(&world, &file), Err(IdentityFileError::Log(expected)));
	}
	// The log as it is, and another state.
	let mut state = honest.state();
	state.devices[0].key = identity_key(66);
	world.set(layout::identity_key(&honest.id), identity_record(&state));
	let file = file(&mut world, honest.id, honest.recorded.clone());
	assert_eq!(verified(&world, &file), Err(IdentityFileError::Log(HistoryError::State)));
}

#[test]
fn an_identity_that_has_ended_is_shown_to_have() {
	let (mut world, _) = World::small();
	let mut log = PersonLog::new(world.genesis, 2);
	let open = log.history.head();
	log.act(4, 101, Action::Close, None);
	world.set(layout::ended_key(&log.id), log.history.head().encode());
	let ended = file(&mut world, log.id, log.recorded.clone());
	let history = verified(&world, &ended).unwrap();
	assert!(history.newest().unwrap().closed);
	assert!(history.has_device_at(&identity_key(1), 3) && !history.has_device_at(&identity_key(1), 4));
	// One that was not closed has not.
	world.set(layout::ended_key(&log.id), open.encode());
	let open = file(&mut world, log.id, log.recorded[..1].to_vec());
	assert_eq!(verified(&world, &open), Err(IdentityFileError::Log(HistoryError::State)));
}

/// A log that is longer than the chain's is refused whatever is in it, and before that is looked at.
#[test]
fn nobody_is_kept_busy_with_a_log_that_is_too_long() {
	let (world, log, mut file) = sample();
	let garbage = Recorded { block: 0, event: log.recorded[0].event.clone() };
	file.log.extend((0..1000).map(|_| garbage.clone()));
	let expected = HistoryError::Length { reached: 1006, proven: 6 };
	assert_eq!(verified(&world, &file), Err(IdentityFileError::Log(expected)));
}

/// Two thirds of the validators can say of the newest events that they were in other blocks, but not in later ones than
/// that whose state shows them.
#[test]
fn an_event_lies_below_the_block_that_shows_it() {
	let (mut world, _) = World::small();
	let mut log = PersonLog::new(world.genesis, 2);
	log.act(world.newest() + 1, 1, Action::SetOperator(None), None);
	assert!(verified(&world.clone(), &shown(&mut world, &log)).is_ok());
	let index = log.history.head().length;
	log.act(world.newest() + 2, 1, Action::SetOperator(None), None);
	let file = shown(&mut world, &log);
	let head = world.newest();
	let expected = HistoryError::Beyond { index, block: head + 1, head };
	assert_eq!(verified(&world, &file), Err(IdentityFileError::Log(expected)));
}

#[test]
fn an_identity_is_open_or_has_ended() {
	let (mut world, log, _) = sample();
	world.set(layout::ended_key(&log.id), log.history.head().encode());
	let file = shown(&mut world, &log);
	assert_eq!(verified(&world, &file), Err(IdentityFileError::Log(HistoryError::State)));
}

#[test]
fn a_layout_that_is_not_known_stops_the_reader() {
	let (mut world, log, _) = sample();
	world.set(layout::DIRECTORY_STORAGE_VERSION, 2u16.encode());
	let head = world.block();
	let (header, proof) = (world.link(head), world.state.prove(identity_keys(&log.id)));
	let parts = world.parts(0);
	let file = IdentityFile {
		genesis: world.genesis,
		anchor: parts.anchor,
		links: world.links(),
		head: header,
		read_proof: proof,
		identity: log.id,
		log: log.recorded,
	};
	let error = verified(&world, &file);
	assert!(matches!(error, Err(IdentityFileError::ReadProof(GroupError::Layout(_)))), "{error:?}");
}

#[test]
fn damaged_files_are_refused() {
	let (world, log, file) = sample();
	let good = file.to_bytes();
	let check = |bytes: &[u8]| match verify_identity(world.genesis, bytes) {
		Ok((history, _)) => assert_eq!(history.steps(), log.history.steps()),
		Err(error) => assert!(!std::format!("{error}").is_empty()),
	};
	for cut in 0..good.len() {
		assert!(verify_identity(world.genesis, &good[..cut]).is_err(), "cut at {cut}");
	}
	assert_eq!(verify_identity(world.genesis, &[&good[..], &[0]].concat()), Err(IdentityFileError::Damaged));
	// All of the events, and some of what is before them: other tests do that.
	let events = file.log.encode().len() + 32;
	for at in (0..good.len()).filter(|at| *at < 64 || *at + events >= good.len()) {
		let mut flipped = good.clone();
		flipped[at] ^= 1 << (at % 8);
		check(&flipped);
	}
	let mut other = good.clone();
	other[17] = 2;
	assert_eq!(verify_identity(world.genesis, &other), Err(IdentityFileError::Version(2)));
	assert_eq!(verify_identity(world.genesis, b"lockstep-proof"), Err(IdentityFileError::NotAProof));
	let elsewhere = lockstep_primitives::GenesisHash([8; 32]);
	let error = verify_identity(elsewhere, &good);
	assert!(matches!(error, Err(IdentityFileError::Block(ProofError::OtherChain { .. }))));
	let unsure = IdentityFile { anchor: FileAnchor::Checkpoint { number: 0, hash: BlockHash([0; 32]) }, ..file };
	let error = verified(&world, &unsure);
	assert!(matches!(error, Err(IdentityFileError::Block(ProofError::UnknownCheckpoint { .. }))));
}

#[test]
fn a_key_that_comes_back_within_the_log_is_refused() {
	let (world, _) = World::small();
	let mut log = PersonLog::new(world.genesis, 2);
	log.act(3, 1, Action::AddDevice(device(2, 102)), Some(2));
	log.act(4, 1, Action::RevokeDevice(identity_key(2)), None);
	let again = log.next(1, Action::AddDevice(NewDevice { ..device(2, 105) }), Some(2));
	let refused = log.history.admit(Recorded { block: 5, event: again });
	assert_eq!(refused, Err(HistoryError::Refused { index: 3, refusal: IdentityRefusal::KeyUsed }));
	assert_eq!(log.history.steps().len(), 3);
}
