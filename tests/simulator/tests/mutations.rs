//! The simulator has teeth: it finds each deliberate fault.

use lockstep_simulator::{simulate, Mutation, Setup};
use std::sync::Mutex;

/// Seeds within which each fault is found. Most need no more than 20.
const SEEDS: u64 = 250;
/// Seeds that find nothing when there is no fault.
const CLEAN: u64 = 60;
/// What no drawn run has the occasion for: nobody sends invitations in it that lead nowhere. A scenario finds it
/// (`a_key_package_outlives_an_invitation_that_leads_nowhere`).
const SCRIPTED: [Mutation; 1] = [Mutation::SpendOnFailure];

/// The first seed that finds a fault, and what it finds.
fn finds(mutation: Mutation) -> Option<(u64, String)> {
	let mut setup = Setup::new(10, 60);
	setup.mutation = Some(mutation);
	(0..SEEDS).find_map(|seed| simulate(false, seed, &setup).err().map(|failure| (seed, failure.what)))
}

#[test]
fn every_deliberate_fault_is_found() {
	let wanted = Mutation::ALL.into_iter().filter(|mutation| !SCRIPTED.contains(mutation));
	let (wanted, missed) = (Mutex::new(wanted), Mutex::new(Vec::new()));
	let next = || wanted.lock().expect("nobody panics").next();
	std::thread::scope(|scope| {
		for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
			scope.spawn(|| {
				while let Some(mutation) = next() {
					match finds(mutation) {
						Some((seed, what)) => println!("{mutation:?}: found by seed {seed}: {what}"),
						None => missed.lock().expect("nobody panics").push(mutation),
					}
				}
			});
		}
	});
	let missed = missed.into_inner().expect("nobody panics");
	assert!(missed.is_empty(), "not found within {SEEDS} seeds: {missed:?}");
}

#[test]
fn nothing_is_found_without_a_fault() {
	for seed in 0..CLEAN {
		let setup = Setup::new(10, 60);
		assert!(simulate(false, seed, &setup).is_ok(), "seed {seed}");
	}
}
