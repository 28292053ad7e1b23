//! Runs seeds, and shows what went wrong in one of them.

use clap::{Parser, ValueEnum};
use lockstep_simulator::{explain, simulate, Mutation, Setup, Summary};
use std::{
	ops::Range,
	process::ExitCode,
	sync::{
		atomic::{AtomicU64, Ordering},
		Mutex,
	},
	time::Instant,
};

/// Simulates members, a chain and a network. The same seed gives the same run.
#[derive(Parser)]
struct Arguments {
	/// Seeds to run, from the first up to but not including the second: 0..1000.
	#[arg(long, value_parser = seeds, default_value = "0..100")]
	seeds: Range<u64>,
	/// Runs this seed alone.
	#[arg(long, conflicts_with = "seeds")]
	seed: Option<u64>,
	/// Shows everything that happens; with --seed.
	#[arg(long, requires = "seed")]
	trace: bool,
	/// Members in a run.
	#[arg(long)]
	members: Option<usize>,
	/// Blocks in which things go wrong.
	#[arg(long)]
	blocks: Option<u32>,
	/// What the members run on.
	#[arg(long, value_enum, default_value = "stand-in")]
	mls: Mls,
	/// Runs at the same time.
	#[arg(long, default_value_t = 2)]
	threads: usize,
	/// Goes on after a failure.
	#[arg(long)]
	keep_going: bool,
	/// A deliberate fault to switch on, by its name.
	#[arg(long, value_parser = mutation)]
	mutation: Option<Mutation>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mls {
	/// A stand-in for MLS: fast.
	StandIn,
	/// OpenMLS.
	Openmls,
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
	let bad = || format!("{text} is not a range of seeds: write it like 0..1000");
	let (from, to) = text.split_once("..").ok_or_else(bad)?;
	Ok(from.parse().map_err(|_| bad())?..to.parse().map_err(|_| bad())?)
}

fn mutation(name: &str) -> Result<Mutation, String> {
	let found = Mutation::ALL.into_iter().find(|mutation| format!("{mutation:?}").eq_ignore_ascii_case(name));
	found.ok_or_else(|| format!("{name} is none of {:?}", Mutation::ALL))
}

fn main() -> ExitCode {
	let arguments = Arguments::parse();
	let openmls = arguments.mls == Mls::Openmls;
	let (members, blocks) = if openmls { (8, 30) } else { (20, 50) };
	let mut setup = Setup::new(arguments.members.unwrap_or(members), arguments.blocks.unwrap_or(blocks));
	setup.trace = arguments.trace;
	setup.mutation = arguments.mutation;
	if let Some(seed) = arguments.seed {
		println!("{}", explain(openmls, seed, &setup));
		return ExitCode::SUCCESS;
	}
	let next = AtomicU64::new(arguments.seeds.start);
	let (totals, failures) = (Mutex::new((0u64, Vec::<Summary>::new())), Mutex::new(Vec::new()));
	let begin = Instant::now();
	std::thread::scope(|scope| {
		for _ in 0..arguments.threads.max(1) {
			scope.spawn(|| loop {
				let seed = next.fetch_add(1, Ordering::Relaxed);
				let stop = !arguments.keep_going && failures.lock().is_ok_and(|failures| !failures.is_empty());
				if seed >= arguments.seeds.end || stop {
					return;
				}
				match simulate(openmls, seed, &setup) {
					Ok(summary) => {
						if let Ok(mut totals) = totals.lock() {
							totals.1.push(summary);
						}
					}
					Err(failure) => {
						if let Ok(mut failures) = failures.lock() {
							failures.push(failure);
						}
					}
				}
			});
		}
	});
	let elapsed = begin.elapsed().as_secs_f64();
	let summaries = totals.into_inner().map(|(_, summaries)| summaries).unwrap_or_default();
	let mut failures = failures.into_inner().unwrap_or_default();
	failures.sort_by_key(|failure| failure.seed);
	let sum = |of: fn(&Summary) -> u64| summaries.iter().map(of).sum::<u64>();
	println!(
		"{} seeds in {elapsed:.1} s: {} entries that count, {} epochs entered, {} messages read, {} kills, {} times cut off, {} times readmitted; {} failed",
		summaries.len() + failures.len(),
		sum(|summary| summary.entries),
		sum(|summary| summary.epochs),
		sum(|summary| summary.messages),
		sum(|summary| summary.crashes),
		sum(|summary| summary.cut_off),
		sum(|summary| summary.readmitted),
		failures.len(),
	);
	for failure in failures.iter().take(20) {
		println!("{failure}");
	}
	match failures.first() {
		None => ExitCode::SUCCESS,
		Some(failure) => {
			println!(
				"see it with: simulate --seed {} --trace (and the same --mls, --members and --blocks)",
				failure.seed
			);
			ExitCode::FAILURE
		}
	}
}
