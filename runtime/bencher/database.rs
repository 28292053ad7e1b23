//! Measures what the node's database takes for each key that a block reads or writes, for `scripts/weights`.
//!
//! As the node has it: ParityDB on disk, the state kept for so many blocks, each block final as soon as it is there, so that all
//! that is ever written for it is counted, with the new root of its state. Reads are of keys that no cache holds but the database's own
//! and the system's. Values are as long as those of this chain, and lie apart from their keys, as they do there.

use clap::Parser;
use rand::{rngs::StdRng, seq::SliceRandom, Rng, RngCore, SeedableRng};
use sc_client_api::{Backend as _, BlockImportOperation, NewBlockState, StateBackend, TrieCacheContext};
use sc_client_db::{Backend, BlocksPruning, DatabaseSettings, DatabaseSource, PruningMode};
use sp_runtime::{
	generic,
	traits::{BlakeTwo256, Header as _},
	OpaqueExtrinsic, StateVersion, Storage,
};
use std::{
	path::PathBuf,
	thread::sleep,
	time::{Duration, Instant},
};

type Header = generic::Header<u32, BlakeTwo256>;
type Block = generic::Block<Header, OpaqueExtrinsic>;
type Hash = sp_core::H256;

/// Bytes of a key: the hashed names of a pallet and an item, a hash of 16 bytes, and 32 that are hashed.
const KEY: usize = 80;
/// Bytes of values: from those of a stock of KeyPackages to those of a KeyPackage.
const VALUE: std::ops::Range<usize> = 60..600;
/// Keys that are written at a time while the state grows.
const STEP: usize = 50_000;
const SEED: u64 = 9420;

#[derive(Parser)]
struct Arguments {
	/// Where the database is made; a folder that is not there yet.
	#[arg(long)]
	path: PathBuf,
	/// How many keys the state has.
	#[arg(long, default_value_t = 1_000_000)]
	keys: usize,
	/// How many of them a block writes.
	#[arg(long, default_value_t = 2_000)]
	writes: usize,
	/// How many blocks are measured.
	#[arg(long, default_value_t = 100)]
	blocks: usize,
	/// Milliseconds between two blocks, as on the chain: what the database does in them takes no time of a block.
	#[arg(long, default_value_t = 500)]
	pause: u64,
	/// Where the weights are written.
	#[arg(long)]
	output: Option<PathBuf>,
}

type Problem = Box<dyn std::error::Error>;
type Change = (Vec<u8>, Option<Vec<u8>>);

fn open(path: PathBuf) -> Result<Backend<Block>, Problem> {
	let settings = DatabaseSettings {
		trie_cache_maximum_size: None,
		state_pruning: Some(PruningMode::blocks_pruning(256)),
		source: DatabaseSource::ParityDb { path },
		blocks_pruning: BlocksPruning::KeepAll,
		pruning_filters: Vec::new(),
		metrics_registry: None,
	};
	Ok(Backend::new(settings, 100)?)
}

fn key(number: usize) -> Vec<u8> {
	let mut key = vec![0; KEY];
	// The names of ten items.
	StdRng::seed_from_u64(u64::try_from(number % 10).unwrap_or_default()).fill_bytes(&mut key[..32]);
	StdRng::seed_from_u64(SEED ^ u64::try_from(number).unwrap_or_default()).fill_bytes(&mut key[32..]);
	key
}

fn change(number: usize, random: &mut StdRng) -> Change {
	let mut value = vec![0; random.gen_range(VALUE)];
	random.fill_bytes(&mut value);
	(key(number), Some(value))
}

/// The first block, with nothing in its state.
fn first(backend: &Backend<Block>) -> Result<Header, Problem> {
	let mut operation = backend.begin_operation()?;
	let root = operation.set_genesis_state(Storage::default(), true, StateVersion::V1)?;
	let header = Header::new(0, Hash::zero(), root, Hash::zero(), Default::default());
	operation.set_block_data(header.clone(), Some(Vec::new()), None, None, NewBlockState::Final, true)?;
	backend.commit_operation(operation)?;
	Ok(header)
}

/// A block that makes these changes.
fn next(backend: &Backend<Block>, parent: &Header, changes: Vec<Change>) -> Result<Header, Problem> {
	let before = parent.hash();
	let mut operation = backend.begin_operation()?;
	backend.begin_state_operation(&mut operation, before)?;
	let delta = changes.iter().map(|(key, value)| (&key[..], value.as_deref()));
	let state = backend.state_at(before, TrieCacheContext::Trusted)?;
	let (root, transaction) = state.storage_root(delta, StateVersion::V1);
	operation.update_db_storage(transaction)?;
	operation.update_storage(changes, Vec::new())?;
	let header = Header::new(parent.number() + 1, Hash::zero(), root, before, Default::default());
	operation.set_block_data(header.clone(), Some(Vec::new()), None, None, NewBlockState::Final, true)?;
	backend.commit_operation(operation)?;
	Ok(header)
}

/// Of figures in nanoseconds: their mean, and what five of a hundred are above.
fn figures(mut all: Vec<u64>) -> (u64, u64) {
	all.sort_unstable();
	let count = u64::try_from(all.len()).unwrap_or(u64::MAX).max(1);
	(all.iter().sum::<u64>() / count, all.get(all.len() * 95 / 100).copied().unwrap_or_default())
}

fn nanoseconds(since: Instant) -> u64 {
	u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

fn main() -> Result<(), Problem> {
	let Arguments { path, keys, writes, blocks, pause, output } = Arguments::parse();
	let mut random = StdRng::seed_from_u64(SEED);
	let mut head = {
		let backend = open(path.clone())?;
		let mut head = first(&backend)?;
		let numbers: Vec<usize> = (0..keys).collect();
		for step in numbers.chunks(STEP) {
			head = next(&backend, &head, step.iter().map(|number| change(*number, &mut random)).collect())?;
		}
		head
	};
	// Opened anew: nothing of it is in memory but what the system has.
	let backend = open(path)?;
	let mut numbers: Vec<usize> = (0..keys).collect();
	numbers.shuffle(&mut random);
	let mut order = numbers.iter().cycle().copied();

	let (mut read, mut written) = (Vec::new(), Vec::new());
	for _ in 0..blocks {
		sleep(Duration::from_millis(pause));
		let state = backend.state_at(head.hash(), TrieCacheContext::Trusted)?;
		for number in order.by_ref().take(writes) {
			let key = key(number);
			let start = Instant::now();
			let value = state.storage(&key)?;
			read.push(nanoseconds(start));
			value.ok_or("a key is missing")?;
		}
		drop(state);
		let changes = order.by_ref().take(writes).map(|number| change(number, &mut random)).collect();
		let start = Instant::now();
		head = next(&backend, &head, changes)?;
		written.push(nanoseconds(start) / u64::try_from(writes)?.max(1));
	}
	let ((read, late_read), (write, late_write)) = (figures(read), figures(written));
	eprintln!("read {read} ns ({late_read} ns), write {write} ns ({late_write} ns): means, and what five of a hundred are above");
	if let Some(output) = output {
		// To the next microsecond.
		let [read, write] = [read, write].map(|nanoseconds| nanoseconds.div_ceil(1_000));
		let text = format!(
			"//! What the node's database takes for each key that is read or written, measured by `make weights`.
//!
//! ParityDB, in a state of {keys} keys and blocks that each write {writes} of them; means of {blocks} blocks.

use frame_support::{{
	parameter_types,
	weights::{{constants::WEIGHT_REF_TIME_PER_MICROS, RuntimeDbWeight}},
}};

parameter_types! {{
	pub const DatabaseWeight: RuntimeDbWeight =
		RuntimeDbWeight {{ read: {read} * WEIGHT_REF_TIME_PER_MICROS, write: {write} * WEIGHT_REF_TIME_PER_MICROS }};
}}
"
		);
		std::fs::write(output, text)?;
	}
	Ok(())
}
