//! What the store costs: encryption beside serialisation, a durable commit, opening.
//!
//! `cargo bench -p lockstep-client --features simulation --bench store`

use criterion::{criterion_group, criterion_main, Criterion, Throughput};
use lockstep_client::{
	simulation::{MemoryDisk, Record, Store},
	StoreKey,
};
use serde::{Deserialize, Serialize};
use std::{hint::black_box, time::Duration};

/// Stands for what OpenMLS stores for a group of 100: its tree has some 60 KB, which its serialisation writes as
/// numbers.
#[derive(Serialize, Deserialize)]
struct Tree {
	nodes: Vec<Node>,
}

#[derive(Serialize, Deserialize)]
struct Node {
	encryption_key: Vec<u8>,
	signature_key: Vec<u8>,
	parent_hash: Vec<u8>,
	credential: Vec<u8>,
	signature: Vec<u8>,
}

impl Record for Tree {
	const KIND: &'static str = "tree";
}

/// Stands for a membership and for the keys of an epoch.
#[derive(Serialize, Deserialize)]
struct Small(Vec<u8>);

impl Record for Small {
	const KIND: &'static str = "small";
}

#[derive(Serialize, Deserialize)]
struct Keys(Vec<u8>);

impl Record for Keys {
	const KIND: &'static str = "keys";
}

fn bytes(seed: usize, length: usize) -> Vec<u8> {
	let mut bytes = vec![0; length];
	blake3::Hasher::new().update(&seed.to_be_bytes()).finalize_xof().fill(&mut bytes);
	bytes
}

fn tree(members: usize) -> Tree {
	let node = |seed| Node {
		encryption_key: bytes(seed, 65),
		signature_key: bytes(seed, 65),
		parent_hash: bytes(seed, 32),
		credential: bytes(seed, 64),
		signature: bytes(seed, 70),
	};
	Tree { nodes: (0..2 * members).map(node).collect() }
}

fn key() -> StoreKey {
	StoreKey::from_bytes([9; 32])
}

fn commit<R: Record>(store: &Store, record: &R) {
	let overlay = store.overlay();
	overlay.put(&[1; 32], record).expect("it encodes");
	overlay.commit().expect("the disk takes it");
}

fn commits(criterion: &mut Criterion) {
	let record = tree(100);
	let json = serde_json::to_vec(&record).expect("it encodes");
	let mut group = criterion.benchmark_group("a group of 100");
	group.throughput(Throughput::Bytes(json.len() as u64));
	group.bench_function("serde_json alone", |bencher| bencher.iter(|| serde_json::to_vec(black_box(&record))));
	let in_memory = Store::in_memory(&MemoryDisk::new(), &key()).expect("it opens");
	group.bench_function("commit in memory", |bencher| bencher.iter(|| commit(&in_memory, black_box(&record))));
	let folder = tempfile::tempdir().expect("a folder");
	let on_disk = Store::open(folder.path(), &key()).expect("it opens");
	group.bench_function("commit on disk", |bencher| bencher.iter(|| commit(&on_disk, black_box(&record))));
	group.bench_function("serde_json reads", |bencher| {
		bencher.iter(|| serde_json::from_slice::<Tree>(black_box(&json)).expect("it decodes"));
	});
	group.bench_function("read in memory", |bencher| {
		bencher.iter(|| in_memory.overlay().get::<Tree>(&[1; 32]).expect("it is readable"));
	});
	group.finish();

	let small = Small(bytes(0, 300));
	criterion
		.bench_function("small commit in memory", |bencher| bencher.iter(|| commit(&in_memory, black_box(&small))));
	criterion.bench_function("small commit on disk", |bencher| bencher.iter(|| commit(&on_disk, black_box(&small))));
}

fn openings(criterion: &mut Criterion) {
	let folder = tempfile::tempdir().expect("a folder");
	let store = Store::open(folder.path(), &key()).expect("it opens");
	let ids: Vec<Vec<u8>> = (0..1_000).map(|group| bytes(group, 32)).collect();
	for id in &ids {
		let overlay = store.overlay();
		overlay.put(id, &Small(bytes(0, 200))).expect("it encodes");
		for epoch in 0..3_u64 {
			overlay.put(&[&id[..], &epoch.to_be_bytes()].concat(), &Keys(bytes(0, 100))).expect("it encodes");
		}
		overlay.put(id, &tree(2)).expect("it encodes");
		overlay.commit().expect("the disk takes it");
	}
	drop(store);
	// As a client does: every membership, and the keys of each group.
	criterion.bench_function("open a store with 1,000 groups", |bencher| {
		bencher.iter(|| {
			let store = Store::open(folder.path(), &key()).expect("it opens");
			let overlay = store.overlay();
			let groups = overlay.list::<Small>(b"").expect("it is readable");
			groups.iter().map(|(id, _)| overlay.list::<Keys>(id).expect("it is readable").len()).sum::<usize>()
		});
	});

	let passphrase = StoreKey::passphrase("a passphrase");
	let disk = MemoryDisk::new();
	drop(Store::in_memory(&disk, &passphrase));
	criterion.bench_function("open with a passphrase", |bencher| bencher.iter(|| Store::in_memory(&disk, &passphrase)));
	criterion.bench_function("open with a key, in memory", |bencher| {
		bencher.iter(|| Store::in_memory(&MemoryDisk::new(), &key()));
	});
}

criterion_group! {
	name = benches;
	config = Criterion::default().sample_size(20).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
	targets = commits, openings
}
criterion_main!(benches);
