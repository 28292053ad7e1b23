//! What it costs to open a client that is in many groups, and to catch up after a long absence.
//!
//! `make bench`, or `cargo bench -p lockstep-client --features simulation --bench open`; it ends with a table.

mod shared;

use criterion::{Criterion, SamplingMode};
use shared::{
	copy,
	grow::{grow, Tree},
	ours::Ours,
	raw::Raw,
	table, Member, Place,
};
use std::{
	rc::Rc,
	time::{Duration, Instant},
};

const GROUPS: usize = 1000;
const MEMBERS: usize = 100;
const EPOCHS: u64 = 1000;

const OPEN: &str = "open a store with 1000 groups";
const CATCH_UP: &str = "1000 epochs of catch-up in a group of 100";
const RAW: &str = "raw";
const OURS: &str = "ours";
const DISK: &str = "ours on disk";

/// A member who is in many groups of two.
fn opening(criterion: &mut Criterion) {
	let memory = Place::Memory.folder();
	let mut founder = Ours::found(memory.path());
	for number in 0..GROUPS {
		if number > 0 {
			founder.create();
		}
		let package = founder.outside(&format!("member {number:05}")).key_package();
		founder.add(vec![package]);
		founder.rest();
	}
	drop(founder);
	let disk = Place::Disk.folder();
	copy(memory.path(), disk.path());
	let mut group = criterion.benchmark_group(OPEN);
	for (side, folder) in [(OURS, &memory), (DISK, &disk)] {
		group.bench_function(side, |bencher| {
			bencher.iter_custom(|times| {
				let open = |_| {
					let start = Instant::now();
					let client = Ours::open(folder.path(), Rc::default());
					let time = start.elapsed();
					assert_eq!(client.groups(), GROUPS);
					time
				};
				(0..times).map(open).sum()
			});
		});
	}
	group.finish();
}

/// A member who was away while another made commits.
fn catching_up(criterion: &mut Criterion) {
	let mut raw = Raw::found();
	let mut second = grow(&mut raw, MEMBERS, Tree::Renewed);
	let commits: Vec<_> = (0..EPOCHS).map(|_| second.update()).collect();
	let folder = Place::Memory.folder();
	let mut ours = Ours::found(folder.path());
	let mut second = grow(&mut ours, MEMBERS, Tree::Renewed);
	ours.rest();
	let (log, epoch) = (ours.log(), ours.epoch());
	drop(ours);
	(0..EPOCHS).for_each(|_| drop(second.update()));
	let missed = log.borrow().as_ref().expect("a group").finalized(epoch + 1);
	assert_eq!(u64::try_from(missed.entries.len()), Ok(EPOCHS));

	let mut group = criterion.benchmark_group(CATCH_UP);
	group.sample_size(10).sampling_mode(SamplingMode::Flat).warm_up_time(Duration::from_millis(1));
	group.bench_function(RAW, |bencher| {
		let once = |_| {
			let mut raw = raw.again();
			let start = Instant::now();
			commits.iter().for_each(|commit| raw.process(commit));
			start.elapsed()
		};
		bencher.iter_custom(|times| (0..times).map(once).sum());
	});
	for (side, place) in [(OURS, Place::Memory), (DISK, Place::Disk)] {
		group.bench_function(side, |bencher| {
			let once = |_| {
				let copied = place.folder();
				copy(folder.path(), copied.path());
				let mut ours = Ours::open(copied.path(), log.clone());
				let missed = missed.clone();
				let start = Instant::now();
				ours.catch_up(missed);
				let time = start.elapsed();
				assert_eq!(ours.epoch(), epoch + EPOCHS);
				time
			};
			bencher.iter_custom(|times| (0..times).map(once).sum());
		});
	}
	group.finish();
}

fn print_table() {
	println!("\n| | raw | ours | on disk | limit |");
	println!("| --- | ---: | ---: | ---: | --- |");
	let held = |held| if held { "held" } else { "NOT HELD" };
	let [raw, ours, disk] = [RAW, OURS, DISK].map(|side| table::median(OPEN, side));
	if let Some(time) = disk {
		let [raw, ours, disk] = [raw, ours, disk].map(table::shown);
		println!("| {OPEN} | {raw} | {ours} | {disk} | 200 ms: {} |", held(time < 200.0));
	}
	let [raw, ours, disk] = [RAW, OURS, DISK].map(|side| table::median(CATCH_UP, side));
	if let (Some(before), Some(after)) = (raw, ours) {
		let speed = before / after;
		let [raw, ours, disk] = [raw, ours, disk].map(table::shown);
		println!(
			"| {CATCH_UP} | {raw} | {ours} | {disk} | 80% of raw's speed: {:.0}%, {} |",
			100.0 * speed,
			held(speed >= 0.8)
		);
	}
	println!("\nTimes are medians in milliseconds.");
}

fn main() {
	let criterion = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(300));
	let criterion = criterion.measurement_time(Duration::from_secs(2)).without_plots();
	let mut criterion = criterion.output_directory(&table::folder()).configure_from_args();
	opening(&mut criterion);
	catching_up(&mut criterion);
	criterion.final_summary();
	print_table();
}
