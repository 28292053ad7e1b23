use super::*;
use lockstep_client::{
	directory::{incept, Author, Recorded, RecoveryKeys},
	GenesisHash,
};

const GENESIS: GenesisHash = GenesisHash([7; 32]);

fn file(folder: &std::path::Path) -> KeyFile {
	KeyFile { path: folder.join("device"), key: Zeroizing::new([9; 32]), command: "lockstep --profile anna".into() }
}

fn registering() -> Keyring {
	Keyring::new(Standing::Registering { recovery: RecoveryKeys::default(), operator: None })
}

fn put(history: &mut History, event: lockstep_client::directory::SignedEvent) {
	history.admit(Recorded { block: 5, event }).unwrap();
}

#[test]
fn keys_are_read_as_they_were_kept_and_by_nobody_else() {
	let folder = tempfile::tempdir().unwrap();
	let file = file(folder.path());
	let keyring = Keyring { rotating: Some(Seed::new([5; 32])), gate: Some(Seed::new([6; 32])), ..registering() };
	file.create(&keyring).unwrap();
	assert_eq!(file.create(&keyring).unwrap_err().kind, Kind::File, "none takes another's place");
	assert_eq!(file.read().unwrap(), keyring);
	let other = KeyFile { key: Zeroizing::new([8; 32]), ..file.clone() };
	assert_eq!(other.read().unwrap_err().kind, Kind::ProfileDamaged);
	let whole = std::fs::read(&file.path).unwrap();
	for seed in [&keyring.keys.current, &keyring.keys.next] {
		assert!(!whole.windows(32).any(|window| window == seed.as_bytes()), "it is sealed");
	}
	for at in 0..whole.len() {
		let mut changed = whole.clone();
		changed[at] ^= 1;
		std::fs::write(&file.path, changed).unwrap();
		assert_eq!(file.read().unwrap_err().kind, Kind::ProfileDamaged, "changed at {at}");
		std::fs::write(&file.path, &whole[..at]).unwrap();
		assert_eq!(file.read().unwrap_err().kind, Kind::ProfileDamaged, "cut at {at}");
	}
}

#[test]
fn no_seed_is_shown() {
	let keys = DeviceKeys { current: Seed::new([0xee; 32]), next: Seed::new([0xdd; 32]) };
	let keyring = Keyring { keys, gate: Some(Seed::new([0xcc; 32])), ..registering() };
	let shown = format!("{keyring:?}");
	for secret in ["238, 238", "221, 221", "204, 204", "eeee", "dddd", "cccc"] {
		assert!(!shown.contains(secret), "{shown}");
	}
}

#[test]
fn changes_of_several_at_once_are_all_kept() {
	let folder = tempfile::tempdir().unwrap();
	let file = file(folder.path());
	file.create(&registering()).unwrap();
	let (one, other) = (file.clone(), file.clone());
	let behind = std::thread::spawn(move || (0..50).for_each(|_| drop(one.change(|keyring| keyring.behind = true))));
	for number in 0..50 {
		other.change(|keyring| keyring.gate = Some(Seed::new([number; 32]))).unwrap();
	}
	behind.join().unwrap();
	let kept = file.read().unwrap();
	assert_eq!((kept.behind, kept.gate), (true, Some(Seed::new([49; 32]))));
}

#[test]
fn what_the_log_says_is_taken_in_and_nothing_else() {
	let mut keyring = registering();
	let first = incept(&GENESIS, &keyring.keys, RecoveryKeys::default(), None);
	let mut history = History::new(GENESIS, first.event.identity);
	keyring.identity = Some(first.event.identity);
	let before = keyring.clone();
	keyring.learn(&history);
	assert_eq!(keyring, before, "there is no event yet");
	assert_eq!(keyring.device_of("lockstep").unwrap_err().kind, Kind::NotADevice);
	put(&mut history, first);
	let stranger = Keyring { identity: Some(lockstep_client::directory::IdentityId([1; 32])), ..before.clone() };
	let mut same = stranger.clone();
	same.learn(&history);
	assert_eq!(same, stranger, "another's log says nothing of it");
	keyring.learn(&history);
	assert_eq!((&keyring.standing, keyring.behind), (&Standing::Device, false));

	keyring.rotating = Some(Seed::new([5; 32]));
	let (old, new) = (keyring.keys.clone(), keyring.rotated().unwrap());
	keyring.learn(&history);
	assert_eq!((&keyring.keys, keyring.rotating.is_some()), (&old, true), "it is not in the log");
	let event = Author::after(&history).rotate(&old, &new);
	put(&mut history, event);
	keyring.learn(&history);
	assert_eq!((&keyring.keys, keyring.rotating.is_none(), keyring.behind), (&new, true, true));
}
