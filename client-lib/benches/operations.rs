//! What a member's operations cost, beside the same operations of raw OpenMLS with its store in memory.
//!
//! `make bench`, or `cargo bench -p lockstep-client --features simulation --bench operations`; it ends with a table.
//!
//! Ours is the whole of an operation: from what the application asks for to what it is told, with everything that is
//! written on the way, encrypted, in RocksDB. It is measured twice: on a file system in memory, where to sync is nothing,
//! and on the disk. The difference is the disk's, and is reported apart.
//!
//! The sides take turns, so that a machine whose speed changes changes it for all of them. Each has a thread of its own, and
//! with that a heap of its own, as glibc has it while there are few threads: none allocates in what another has freed.

mod shared;

use criterion::Criterion;
use shared::{
	grow::{grow, Tree},
	ours::Ours,
	raw::Raw,
	table, Member, Place,
};
use std::{
	collections::HashMap,
	fs::File,
	io::Write,
	sync::mpsc::{channel, Receiver, Sender},
	thread::JoinHandle,
	time::{Duration, Instant},
};
use tempfile::TempDir;

const SIZES: [usize; 4] = [2, 10, 100, 1000];
/// Sizes at which a group that was filled by one member has another path.
const FILLED: [usize; 2] = [100, 1000];
/// Groups that are measured: their size, and the shape of their tree.
fn groups() -> impl Iterator<Item = (usize, Tree)> {
	let renewed = SIZES.into_iter().map(|size| (size, Tree::Renewed));
	let filled = |tree| FILLED.into_iter().map(move |size| (size, tree));
	renewed.chain(filled(Tree::Filled)).chain(filled(Tree::Sparse))
}

/// Sizes that are measured on the disk, too.
const ON_DISK: [usize; 2] = [2, 100];
/// Messages in one epoch, well below what a member may send in one.
const PER_EPOCH: u64 = 1000;
const MESSAGE: [u8; 1024] = [42; 1024];

/// Those come last after which the second member is no more in the same epoch.
const IN_A_GROUP: [&str; 7] = ["encrypt", "decrypt", "process commit", "update", "remove", "add 1", "add 10"];
/// Those in which a path is encrypted.
const WITH_A_PATH: [&str; 4] = ["update", "remove", "add 1", "add 10"];

/// None of them: a side that is told this makes its group, and measures nothing.
const READY: &str = "be ready";

const OPERATIONS: [&str; 8] = ["create", "add 1", "add 10", "remove", "update", "encrypt", "decrypt", "process commit"];
/// What each may take, in milliseconds.
const CEILINGS: [Option<f64>; 8] =
	[Some(50.0), Some(20.0), Some(100.0), Some(15.0), None, Some(5.0), Some(3.0), Some(30.0)];

const RAW: usize = 0;
const OURS: usize = 1;
const DISK: usize = 2;

/// What each side took, in milliseconds, turn by turn.
#[derive(Default)]
struct Turns(Vec<[Option<f64>; 3]>);

type Measured = HashMap<String, Turns>;

impl Turns {
	/// Keeps the times of a turn; gives their sum.
	fn take(&mut self, times: [Option<Duration>; 3]) -> Duration {
		self.0.push(times.map(|time| time.map(|time| time.as_secs_f64() * 1e3)));
		times.into_iter().flatten().sum()
	}

	fn median(&self, side: usize) -> Option<f64> {
		let times: Vec<f64> = self.0.iter().filter_map(|turn| turn[side]).collect();
		(!times.is_empty()).then(|| table::quantile(times, 0.5))
	}

	/// Within what bounds half of the ratios of one turn lie, ours to raw.
	fn quarters(&self) -> [f64; 2] {
		let ratios: Vec<f64> = self.0.iter().filter_map(|turn| Some(turn[OURS]? / turn[RAW]?)).collect();
		[0.25, 0.75].map(|part| table::quantile(ratios.clone(), part))
	}
}

/// A group's founder, who is measured, and its second member.
struct Pair<M: Member> {
	founder: M,
	second: M,
	newcomers: u64,
	messages: u64,
}

impl<M: Member> Pair<M> {
	fn new(mut founder: M, size: usize, tree: Tree) -> Self {
		let second = grow(&mut founder, size, tree);
		Self { founder, second, newcomers: 0, messages: 0 }
	}

	/// Some who are to be added: names and KeyPackages.
	fn newcomers(&mut self, count: u64) -> (Vec<String>, Vec<Vec<u8>>) {
		let names: Vec<String> =
			(self.newcomers..self.newcomers + count).map(|number| format!("newcomer {number:09}")).collect();
		self.newcomers += count;
		let packages = names.iter().map(|name| self.founder.outside(name).key_package()).collect();
		(names, packages)
	}

	/// A new epoch in time, before there are too many messages in one.
	fn count_message(&mut self) {
		self.messages += 1;
		if self.messages.is_multiple_of(PER_EPOCH) {
			let renewed = self.founder.update();
			self.second.process(&renewed);
		}
	}

	/// The time that an operation takes once. What is made ready for it, and what is put back after it, is not in it.
	fn once(&mut self, operation: &str) -> Duration {
		match operation {
			READY => Duration::ZERO,
			"add 1" => self.add(1),
			"add 10" => self.add(10),
			"remove" => {
				let (names, packages) = self.newcomers(1);
				self.founder.add(packages);
				self.founder.rest();
				timed(|| self.founder.remove(names))
			}
			"update" => timed(|| self.founder.update()),
			"encrypt" => {
				self.count_message();
				let time = timed(|| self.founder.encrypt(&MESSAGE));
				self.founder.rest();
				time
			}
			"decrypt" => {
				self.count_message();
				let message = self.second.encrypt(&MESSAGE);
				self.second.rest();
				let time = timed(|| self.founder.decrypt(&message));
				self.founder.rest();
				time
			}
			"process commit" => {
				let commit = self.second.update();
				timed(|| self.founder.process(&commit))
			}
			other => panic!("{other} is no operation"),
		}
	}

	fn add(&mut self, count: u64) -> Duration {
		let (names, packages) = self.newcomers(count);
		let time = timed(|| self.founder.add(packages));
		self.founder.rest();
		self.founder.remove(names);
		time
	}
}

/// A side in a thread of its own, which does what it is told by name, and says how long that took.
struct Side {
	tell: Option<Sender<&'static str>>,
	told: Receiver<Duration>,
	thread: Option<JoinHandle<()>>,
}

impl Side {
	/// What does it is made in the thread, when it is first needed: large groups take their time.
	fn new<F: FnMut(&str) -> Duration>(make: impl FnOnce() -> F + Send + 'static) -> Self {
		let ((tell, orders), (answer, told)) = (channel(), channel());
		let work = move || {
			let mut orders = orders.into_iter();
			let Some(first) = orders.next() else { return };
			let mut once = make();
			for operation in std::iter::once(first).chain(orders) {
				if answer.send(once(operation)).is_err() {
					return;
				}
			}
		};
		Self { tell: Some(tell), told, thread: Some(std::thread::spawn(work)) }
	}

	/// A side of a group.
	fn of<M: Member>(founder: impl FnOnce() -> M + Send + 'static, size: usize, tree: Tree) -> Self {
		Self::new(move || {
			let mut pair = Pair::new(founder(), size, tree);
			move |operation: &str| pair.once(operation)
		})
	}

	fn once(&self, operation: &'static str) -> Duration {
		self.tell.as_ref().expect("it is told until it is dropped").send(operation).expect("the side lives");
		self.told.recv().expect("the side lives")
	}
}

impl Drop for Side {
	fn drop(&mut self) {
		self.tell = None;
		let ended = self.thread.take().expect("it is waited for once").join();
		assert!(ended.is_ok() || std::thread::panicking(), "a side has failed");
	}
}

fn timed<T>(operation: impl FnOnce() -> T) -> Duration {
	let start = Instant::now();
	let result = operation();
	let time = start.elapsed();
	drop(result);
	time
}

fn creations(criterion: &mut Criterion) -> Turns {
	let mut turns = Turns::default();
	criterion.bench_function("create", |bencher| {
		let raw = Side::new(|| {
			let mut raw = Raw::found();
			move |_: &str| timed(|| raw.create())
		});
		bencher.iter_custom(|times| {
			// A member of few groups: that of thousands is the other benchmark's.
			let (memory, disk) = (creator(Place::Memory), creator(Place::Disk));
			let turn = |_| turns.take([&raw, &memory, &disk].map(|side| Some(side.once("create"))));
			(0..times).map(turn).sum()
		});
	});
	turns
}

/// A side that creates groups with a store in a folder of its own.
fn creator(place: Place) -> Side {
	Side::new(move || {
		let folder = place.folder();
		let mut ours = Ours::found(folder.path());
		move |_: &str| {
			let _ = &folder;
			timed(|| ours.create())
		}
	})
}

/// What an operation is called in a group.
fn named(operation: &str, size: usize, tree: Tree) -> String {
	match tree {
		Tree::Renewed => format!("{operation} of {size}"),
		Tree::Filled => format!("{operation} of {size} filled"),
		Tree::Sparse => format!("{operation} of {size} sparse"),
	}
}

fn commits_and_messages(criterion: &mut Criterion, (size, tree): (usize, Tree), measured: &mut Measured) {
	let (memory, disk) = (Place::Memory.folder(), Place::Disk.folder());
	let ours = |folder: &TempDir| {
		let path = folder.path().to_owned();
		Side::of(move || Ours::found(&path), size, tree)
	};
	let on_disk = ON_DISK.contains(&size) && tree == Tree::Renewed;
	let (raw, in_memory) = (Side::of(Raw::found, size, tree), ours(&memory));
	let on_disk = on_disk.then(|| ours(&disk));
	let operations = if tree == Tree::Renewed { IN_A_GROUP.as_slice() } else { WITH_A_PATH.as_slice() };
	for operation in operations {
		let name = named(operation, size, tree);
		let mut group = criterion.benchmark_group(&name);
		if size == 1000 {
			group.sample_size(10).measurement_time(Duration::from_secs(5));
		}
		let mut turns = Turns::default();
		let mut is_ready = false;
		group.bench_function("in turn", |bencher| {
			// To make a group is no part of the time that an operation is expected to take.
			if !std::mem::replace(&mut is_ready, true) {
				let sides = [Some(&raw), Some(&in_memory), on_disk.as_ref()];
				for side in sides.into_iter().flatten() {
					side.once(READY);
				}
			}
			let mut turn = |_| {
				turns.take([
					Some(raw.once(operation)),
					Some(in_memory.once(operation)),
					on_disk.as_ref().map(|side| side.once(operation)),
				])
			};
			bencher.iter_custom(|times| (0..times).map(&mut turn).sum());
		});
		group.finish();
		measured.insert(name, turns);
	}
}

/// What the disk takes to sync the smallest of writes.
fn sync(criterion: &mut Criterion) {
	let folder = Place::Disk.folder();
	let mut file = File::create(folder.path().join("file")).expect("a file");
	criterion.benchmark_group("disk").bench_function("sync", |bencher| {
		bencher.iter(|| {
			file.write_all(&[0; 64]).expect("it is written");
			file.sync_data().expect("it is synced");
		});
	});
}

fn print_table(measured: &Measured) {
	println!("\n| operation | members, tree | raw | ours | ratio | quarters of the ratios | more | on disk | limits |");
	println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |");
	for (operation, ceiling) in OPERATIONS.iter().zip(CEILINGS) {
		for (size, tree) in groups().filter(|(size, _)| *operation != "create" || *size == 2) {
			let name = if *operation == "create" { "create".to_owned() } else { named(operation, size, tree) };
			let Some(turns) = measured.get(&name) else { continue };
			let (Some(raw), Some(ours)) = (turns.median(RAW), turns.median(OURS)) else { continue };
			let disk = turns.median(DISK);
			let (ratio, more) = (ours / raw, ours - raw);
			let mut limits = Vec::new();
			match size {
				2 => limits.push(("2 ms more", more <= 2.0)),
				100 => limits.push(("1.5 times", ratio <= 1.5)),
				_ => {}
			}
			let below = ceiling.map(|ceiling| (format!("{ceiling} ms"), disk.unwrap_or(ours) < ceiling));
			let limits = limits.into_iter().map(|(name, held)| (name.to_owned(), held)).chain(below);
			let limits: Vec<String> =
				limits.map(|(name, held)| format!("{name}: {}", if held { "held" } else { "NOT HELD" })).collect();
			let [low, high] = turns.quarters();
			println!(
				"| {operation} | {size}{} | {} | {} | {ratio:.2} | {low:.2} to {high:.2} | {} | {} | {} |",
				match tree {
					Tree::Renewed => "",
					Tree::Filled => ", filled",
					Tree::Sparse => ", sparse",
				},
				table::shown(Some(raw)),
				table::shown(Some(ours)),
				table::shown(Some(more)),
				table::shown(disk),
				limits.join(", ")
			);
		}
	}
	println!(
		"\nTimes are medians in milliseconds. One sync of the disk: {} ms.",
		table::shown(table::median("disk", "sync"))
	);
}

fn main() {
	let criterion = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(300));
	let criterion = criterion.measurement_time(Duration::from_millis(1500)).without_plots();
	let mut criterion = criterion.output_directory(&table::folder()).configure_from_args();
	sync(&mut criterion);
	let mut measured = Measured::default();
	measured.insert("create".to_owned(), creations(&mut criterion));
	for group in groups() {
		commits_and_messages(&mut criterion, group, &mut measured);
	}
	criterion.final_summary();
	print_table(&measured);
}
