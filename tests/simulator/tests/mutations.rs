//! The simulator has teeth: it finds each deliberate fault.

use lockstep_simulator::{simulate, Mutation, Setup};

/// Seeds within which each fault is found.
const SEEDS: u64 = 60;

/// The first seed that finds a fault, and what it finds.
fn finds(mutation: Mutation) -> Option<(u64, String)> {
	let mut setup = Setup::new(10, 60);
	setup.mutation = Some(mutation);
	(0..SEEDS).find_map(|seed| simulate(false, seed, &setup).err().map(|failure| (seed, failure.what)))
}

#[test]
fn every_deliberate_fault_is_found() {
	let mut missed = Vec::new();
	for mutation in Mutation::ALL {
		match finds(mutation) {
			Some((seed, what)) => println!("{mutation:?}: found by seed {seed}: {what}"),
			None => missed.push(mutation),
		}
	}
	assert!(missed.is_empty(), "not found within {SEEDS} seeds: {missed:?}");
}

#[test]
fn nothing_is_found_without_a_fault() {
	for seed in 0..SEEDS {
		let setup = Setup::new(10, 60);
		assert!(simulate(false, seed, &setup).is_ok(), "seed {seed}");
	}
}
