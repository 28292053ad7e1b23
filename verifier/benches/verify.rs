//! What it costs to believe no node.
//!
//! `cargo bench -p lockstep-verifier`. The goals, on a machine with two cores: a justification of 100 validators in
//! less than 10 ms, a read proof in less than 1 ms, catching up over 100,000 blocks with three changes of authorities
//! in less than 2 s and with less than 1 MiB; an identity log of 1,000 events in less than 200 ms.

use codec::{Decode, Encode};
use criterion::{criterion_group, criterion_main, Criterion};
use lockstep_primitives::identity::Action;
use lockstep_verifier::{
	chain::{Anchor, FinalizedChain, Link},
	group::prove_group,
	identity::{identity_keys, verify_identity, History, IdentityFile, Recorded},
	justification::Justification,
	layout,
	proof_file::verify,
	testing::{
		identity::{identity_key, identity_record, PersonLog},
		HeaderBuilder, Log, World, GROUP,
	},
};
use std::hint::black_box;

fn justification(bench: &mut Criterion) {
	let mut world = World::new(100);
	world.block();
	let bytes = world.link(world.newest()).justification;
	let set = world.validators.set();
	println!("a justification of 100 validators has {} bytes", bytes.len());
	bench.bench_function("justification of 100 validators", |bench| {
		bench.iter(|| Justification::decode(black_box(&bytes)).unwrap().verify(&set).unwrap());
	});
}

fn read_proof(bench: &mut Criterion) {
	let mut world = World::new(4);
	for account in 0u32..20_000 {
		world.state.set(spread_key(account), vec![1; 80]);
	}
	world.set(b"another".to_vec(), b"value".to_vec());
	world.block();
	let (chain, proof) = (world.followed(), world.group_proof());
	println!("a read proof of a group in a state of 20,000 values has {} bytes", proof.concat().len());
	bench.bench_function("read proof of a group", |bench| {
		bench.iter(|| prove_group(chain.head(), black_box(&proof), &GROUP).unwrap());
	});
}

/// Keys spread like hashes.
fn spread_key(account: u32) -> Vec<u8> {
	let spread = |n: u64| (u64::from(account) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(n as u32 * 13);
	(0..4).flat_map(|n| spread(n).to_be_bytes()).collect()
}

/// 100,000 blocks with three changes of authorities, of four and of 100 validators.
fn catch_up(bench: &mut Criterion) {
	for validators in [4, 100] {
		let mut world = World::new(validators);
		let mut links: Vec<Link> = Vec::new();
		for _ in 0..3 {
			world.blocks(25_000);
			links.push(world.rotate(validators));
		}
		world.blocks(25_000);
		links.push(world.link(world.newest()));
		assert!(world.newest() >= 100_000);

		let anchor = world.anchor();
		let Anchor::Genesis { header, proof } = &anchor else { unreachable!("it is") };
		let links_bytes: usize = links.iter().map(|link| link.header.len() + link.justification.len()).sum();
		let bytes = links_bytes + header.len() + proof.concat().len() + world.group_proof().concat().len();
		println!("catching up over {} blocks of {validators} validators takes {bytes} bytes", world.newest());
		assert!(bytes < 1024 * 1024);
		let group_proof = world.group_proof();
		bench.bench_function(&format!("catch-up over 100,000 blocks of {validators} validators"), |bench| {
			bench.iter(|| {
				let mut chain = FinalizedChain::start(world.genesis, black_box(&anchor)).unwrap();
				chain.catch_up(black_box(&links)).unwrap();
				prove_group(chain.head(), black_box(&group_proof), &GROUP).unwrap()
			});
		});
	}
}

fn proof_file(bench: &mut Criterion) {
	let (world, file) = World::sample();
	let bytes = file.to_bytes();
	println!("the sample proof file has {} bytes", bytes.len());
	bench.bench_function("proof file of six entries", |bench| {
		bench.iter(|| verify(world.genesis, black_box(&bytes)).unwrap());
	});
}

/// A log of 1,000 rotations of one device, judged as it is in the portable form; and the whole file of it, as on a chain of 100
/// validators. The first event and the last are years apart: of the blocks in between none is made.
fn identity(bench: &mut Criterion) {
	let mut world = World::new(100);
	let mut log = PersonLog::new(world.genesis, 2);
	for number in 0..999u64 {
		let replaces = identity_key(if number == 0 { 1 } else { 100 + number });
		let next = identity_key(102 + number).commitment();
		let block = 10_000 * (number as u32 + 1);
		log.act(block, 101 + number, Action::Rotate { replaces, next }, None);
	}
	let (proven, head) = (log.proven(), 10_000_000);
	let bytes = log.recorded.encode();
	println!("the log of an identity of 1,000 events has {} bytes", bytes.len());
	bench.bench_function("identity of 1,000 events", |bench| {
		bench.iter(|| {
			let recorded = Vec::<Recorded>::decode(&mut &black_box(&bytes)[..]).unwrap();
			History::of(world.genesis, log.id, recorded, &proven, head).unwrap()
		});
	});

	world.set(layout::identity_key(&log.id), identity_record(&log.state()));
	world.set(layout::DIRECTORY_STORAGE_VERSION, 1u16.encode());
	let header = HeaderBuilder { number: head, ..world.next() }.log(Log::Seal(vec![5; 64])).encode();
	let justification = world.validators.justify(&header);
	let file = IdentityFile {
		genesis: world.genesis,
		anchor: world.parts(0).anchor,
		links: Vec::new(),
		head: Link { header, justification },
		read_proof: world.state.prove(identity_keys(&log.id)),
		identity: log.id,
		log: log.recorded,
	};
	let bytes = file.to_bytes();
	println!("the portable proof of it has {} bytes", bytes.len());
	bench.bench_function("portable proof of an identity of 1,000 events", |bench| {
		bench.iter(|| verify_identity(world.genesis, black_box(&bytes)).unwrap());
	});
}

criterion_group! {
	name = benches;
	config = Criterion::default().sample_size(20);
	targets = justification, read_proof, catch_up, proof_file, identity
}
criterion_main!(benches);
