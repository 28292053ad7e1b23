//! What the fuzz targets do, with the corpus, with damaged pieces of it and with random bytes: a check that runs
//! everywhere. The targets themselves are in `fuzz/`.

use lockstep_primitives::{identity::Action, key_package::testing::Recipe, EventSignature};
use lockstep_verifier::{
	identity::{identity_keys, IdentityFile},
	layout,
	testing::{
		fuzz::{PUBLISHER, TARGETS},
		identity::{device, identity_key, identity_record, recovery, PersonLog},
		World,
	},
};
use proptest::prelude::*;
use std::{fs, path::PathBuf};

fn corpus(target: &str) -> PathBuf {
	[env!("CARGO_MANIFEST_DIR"), "fuzz", "corpus", target].iter().collect()
}

/// A person with two devices, of which one is rotated, one revoked, and a recovery.
fn identity() -> IdentityFile {
	use codec::Encode;
	let (mut world, _) = World::small();
	let mut log = PersonLog::new(world.genesis, 1);
	log.act(2, 1, Action::AddDevice(device(2, 102)), Some(2));
	log.act(2, 101, Action::Rotate { replaces: identity_key(1), next: identity_key(103).commitment() }, None);
	log.act(3, 101, Action::RevokeDevice(identity_key(2)), None);
	let (device, recovery) = (device(3, 104), recovery(&[203]));
	log.act(3, 201, Action::Recover { rank: 0, from: 3, revoked: Default::default(), device, recovery }, Some(3));
	world.set(layout::DIRECTORY_STORAGE_VERSION, 1u16.encode());
	world.set(layout::identity_key(&log.id), identity_record(&log.state()));
	let head = world.block();
	let parts = world.parts(0);
	IdentityFile {
		genesis: world.genesis,
		anchor: parts.anchor,
		links: world.links(),
		head: world.link(head),
		read_proof: world.state.prove(identity_keys(&log.id)),
		identity: log.id,
		log: log.recorded,
	}
}

/// A KeyPackage whose signatures nobody has made.
fn key_package() -> Vec<u8> {
	let (identity, device) = PUBLISHER;
	let recipe = Recipe {
		init: vec![1; 32],
		encryption: vec![2; 32],
		lifetime: (0, 0),
		leaf_extensions: vec![(0xf10c, vec![5])],
		..Recipe::new(&identity, &device, 0)
	};
	recipe.signed(|_| EventSignature([9; 64]))
}

/// Well-formed input for each target, from the small world.
fn seeds() -> Vec<(&'static str, &'static str, Vec<u8>)> {
	use codec::Encode;
	let (world, file) = World::small();
	let identity = identity();
	vec![
		("header", "set_change", file.links[0].header.clone()),
		("header", "newest", file.head.header.clone()),
		("header", "position", world.followed().encode()),
		("justification", "one_vote", file.head.justification.clone()),
		("justification", "above", World::sample().0.votes_above().encode()),
		("read_proof", "group", file.read_proof.encode()),
		("read_proof", "deep", World::new(1).group_proof().encode()),
		("proof_file", "small", file.to_bytes()),
		("identity_file", "small", identity.to_bytes()),
		("events", "five", identity.log.encode()),
		("key_package", "small", key_package()),
	]
}

/// Run with `LOCKSTEP_WRITE_VECTORS=1` after a change of the format.
#[test]
fn the_corpus_has_the_seeds() {
	for (target, name, bytes) in seeds() {
		let path = corpus(target).join(name);
		if std::env::var_os("LOCKSTEP_WRITE_VECTORS").is_some() {
			fs::create_dir_all(corpus(target)).unwrap();
			fs::write(&path, &bytes).unwrap();
		}
		assert_eq!(fs::read(&path).unwrap(), bytes, "{}", path.display());
	}
}

#[test]
fn the_corpus_panics_nowhere() {
	for (target, run) in TARGETS {
		for file in fs::read_dir(corpus(target)).unwrap() {
			let bytes = fs::read(file.unwrap().path()).unwrap();
			run(&bytes);
			for cut in 0..bytes.len() {
				run(&bytes[..cut]);
			}
		}
	}
}

fn damaged() -> impl Strategy<Value = Vec<u8>> {
	let seeds: Vec<_> = seeds().into_iter().map(|(_, _, bytes)| bytes).collect();
	let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8);
	(prop::sample::select(seeds), edits).prop_map(|(mut bytes, edits)| {
		for (at, byte) in edits {
			let at = at.index(bytes.len());
			bytes[at] = byte;
		}
		bytes
	})
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn damaged_seeds_panic_nowhere(bytes in damaged()) {
		TARGETS.iter().for_each(|(_, run)| run(&bytes));
	}

	#[test]
	fn random_bytes_panic_nowhere(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
		TARGETS.iter().for_each(|(_, run)| run(&bytes));
	}
}
