//! A few hundred fixed seeds, and some that are new each time. `simulate` runs as many others as are wanted.

use lockstep_simulator::{explain, simulate, Setup};
use std::sync::atomic::{AtomicU64, Ordering};

/// Runs so many seeds from one on, on all processors; shows what happened in the first that fails.
fn all_hold(openmls: bool, first: u64, count: u64, setup: &Setup) {
	let next = AtomicU64::new(0);
	let threads = std::thread::available_parallelism().map_or(1, usize::from);
	let mut failed: Vec<u64> = std::thread::scope(|scope| {
		let workers: Vec<_> = (0..threads)
			.map(|_| {
				scope.spawn(|| {
					let mut failed = Vec::new();
					loop {
						let seed = next.fetch_add(1, Ordering::Relaxed);
						if seed >= count || !failed.is_empty() {
							return failed;
						}
						let seed = first.wrapping_add(seed);
						if simulate(openmls, seed, setup).is_err() {
							failed.push(seed);
						}
					}
				})
			})
			.collect();
		workers.into_iter().flat_map(|worker| worker.join().expect("a run does not panic")).collect()
	});
	failed.sort_unstable();
	if let Some(seed) = failed.first() {
		panic!("{}", explain(openmls, *seed, setup));
	}
}

#[test]
fn the_promises_hold_for_twenty_members_with_a_stand_in() {
	all_hold(false, 0, 200, &Setup::new(20, 50));
}

#[test]
fn the_promises_hold_for_few_members() {
	all_hold(false, 0, 100, &Setup::new(3, 60));
}

#[test]
fn the_promises_hold_for_eight_members_with_openmls() {
	all_hold(true, 0, 24, &Setup::new(8, 30));
}

/// A seed that nobody has chosen.
fn fresh() -> u64 {
	use std::hash::{BuildHasher, RandomState};
	// Half of the range, so that those that follow it are seeds, too.
	RandomState::new().hash_one(()) / 2
}

#[test]
fn the_promises_hold_for_fresh_seeds() {
	for (openmls, count, setup) in [(false, 60, Setup::new(20, 50)), (true, 16, Setup::new(8, 30))] {
		let first = fresh();
		let (mls, members) = (if openmls { "openmls" } else { "stand-in" }, setup.members);
		println!(
			"fresh: simulate --mls {mls} --members {members} --blocks {} --seeds {first}..{}",
			setup.blocks,
			first + count
		);
		all_hold(openmls, first, count, &setup);
	}
}

#[test]
fn seeds_that_failed_once_hold() {
	for seed in [1410, 6015, 10_003, 60_697, 7_517_287, 489_067_211_197_256] {
		all_hold(false, seed, 1, &Setup::new(20, 50));
	}
	for seed in [220, 221, 596] {
		all_hold(true, seed, 1, &Setup::new(8, 30));
	}
}

#[test]
fn a_seed_gives_the_same_run_each_time() {
	for seed in 0..10 {
		let setup = Setup::new(12, 60);
		let (one, other) = (simulate(false, seed, &setup), simulate(false, seed, &setup));
		assert_eq!(one.map_err(|failure| failure.what), other.map_err(|failure| failure.what));
	}
	for seed in 0..3 {
		let setup = Setup::new(5, 30);
		let (one, other) = (simulate(true, seed, &setup), simulate(true, seed, &setup));
		assert_eq!(one.map_err(|failure| failure.what), other.map_err(|failure| failure.what));
	}
}
