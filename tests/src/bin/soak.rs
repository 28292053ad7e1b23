//! Memory under steady commits: a node's, and a client's.
//!
//! Five members, each a process of its own, in one group on four validators; they commit in turn, one commit after
//! the other, without a pause.

use clap::Parser;
use lockstep_primitives::GroupId;
use lockstep_tests::{
	deadline::asked_to_end,
	figures::slope,
	machine::{Machine, Resident},
	remote::{Answer, RemoteMember, Request},
	table::Table,
	Error, Members, Network, Result,
};
use std::time::{Duration, Instant};

/// Between two looks at the memory.
const LOOK: Duration = Duration::from_secs(15);
/// A client of one group of five has to stay under this.
const CLIENT_LIMIT_MIB: f64 = 60.0;

/// Memory of nodes and clients under steady commits
#[derive(Parser)]
struct Arguments {
	/// How long it runs
	#[arg(long, default_value_t = 20)]
	minutes: u64,
	/// How much of that is warm-up, and left out of the figures
	#[arg(long, default_value_t = 4)]
	warm_up: u64,
}

/// The memory of one process over time, in minutes since the start.
struct Course {
	name: String,
	pid: u32,
	points: Vec<(f64, Resident)>,
}

impl Course {
	fn look(&mut self, minutes: f64) {
		if let Some(resident) = Resident::of(self.pid) {
			self.points.push((minutes, resident));
		}
	}

	/// One kind of memory after the warm-up: minutes and MiB.
	fn after(&self, warm_up: f64, kind: impl Fn(&Resident) -> f64) -> Vec<(f64, f64)> {
		let warm = self.points.iter().filter(|(minutes, _)| *minutes >= warm_up);
		warm.map(|(minutes, resident)| (*minutes, kind(resident))).collect()
	}
}

#[tokio::main]
async fn main() -> Result<()> {
	tokio::select! {
		ended = soak() => ended,
		() = asked_to_end() => Err(Error::Broken("interrupted".into())),
	}
}

async fn soak() -> Result<()> {
	let Arguments { minutes, warm_up } = Arguments::parse();
	let network = Network::start().await?;
	let folder = tempfile::tempdir().map_err(Error::io("making a folder for the members"))?;
	let founders = Members::open(&network, &["founder"]).await?;
	let mut processes = Vec::new();
	for (index, name) in ["anna", "boris", "chiara", "dmitri"].into_iter().enumerate() {
		processes.push(RemoteMember::start(name, &folder.path().join(name), &network.url(index), &[]).await?);
	}
	let group = founders[0].found().await?;
	let mut key_packages = Vec::new();
	for process in &mut processes {
		key_packages.push(key_package(process).await?);
	}
	let committed = founders[0].add(group, key_packages).await?;
	for process in &mut processes {
		process.ask(&Request::Reach { group, epoch: committed.epoch }).await?;
	}

	let nodes = (0..network.size()).filter_map(|index| Some((format!("node {index}"), network.pid(index)?)));
	let clients =
		processes.iter().enumerate().filter_map(|(index, process)| Some((format!("client {index}"), process.pid()?)));
	let mut courses: Vec<Course> =
		nodes.chain(clients).map(|(name, pid)| Course { name, pid, points: Vec::new() }).collect();
	println!("{}", Machine::here());
	let commits = run(&mut processes, group, &mut courses, Duration::from_secs(minutes * 60)).await?;
	println!("{commits} commits in {minutes} minutes; the first {warm_up} are warm-up\n");
	let over = report(&courses, warm_up as f64);
	founders.close().await;
	drop(processes);
	network.finish().await?;
	match over {
		Some(client) => Err(Error::Broken(format!("{client} uses more than {CLIENT_LIMIT_MIB} MiB"))),
		None => Ok(()),
	}
}

async fn key_package(process: &mut RemoteMember) -> Result<Vec<u8>> {
	match process.ask(&Request::KeyPackage).await? {
		Answer::KeyPackage { bytes } => {
			hex::decode(bytes).map_err(|error| Error::Broken(format!("a KeyPackage that is not hexadecimal: {error}")))
		}
		other => Err(Error::Broken(format!("{other:?} in place of a KeyPackage"))),
	}
}

/// Commits in turn until the time is over, and looks at the memory meanwhile. Returns the number of commits.
async fn run(processes: &mut [RemoteMember], group: GroupId, courses: &mut [Course], limit: Duration) -> Result<usize> {
	let start = Instant::now();
	let (mut commits, mut next_look) = (0, start);
	while start.elapsed() < limit {
		for process in processes.iter_mut() {
			process.ask(&Request::Update { group }).await?;
			commits += 1;
			if Instant::now() >= next_look {
				next_look += LOOK;
				let minutes = start.elapsed().as_secs_f64() / 60.0;
				courses.iter_mut().for_each(|course| course.look(minutes));
				let now: Vec<String> = courses
					.iter()
					.filter_map(|course| {
						let Resident { own, files } = course.points.last()?.1;
						Some(format!("{} {own:.0}+{files:.0}", course.name))
					})
					.collect();
				println!("{minutes:6.2} min  {commits:5} commits  MiB (own+files): {}", now.join(", "));
			}
		}
	}
	Ok(commits)
}

/// Prints the figures; names the first client that is over its limit.
fn report(courses: &[Course], warm_up: f64) -> Option<String> {
	let mut table = Table::new(["MiB", "own, first", "last", "most", "a minute", "files, first", "last", "a minute"]);
	let mut over = None;
	let ends = |points: &[(f64, f64)]| {
		let of = |point: Option<&(f64, f64)>| format!("{:.1}", point.map_or(0.0, |point| point.1));
		(of(points.first()), of(points.last()), format!("{:.2}", slope(points)))
	};
	for course in courses {
		let (own, files) = (course.after(warm_up, |mib| mib.own), course.after(warm_up, |mib| mib.files));
		let most = course.after(warm_up, |mib| mib.own + mib.files).iter().map(|(_, mib)| *mib).fold(0.0, f64::max);
		let most_own = own.iter().map(|(_, mib)| *mib).fold(0.0, f64::max);
		let ((own_first, own_last, own_slope), (files_first, files_last, files_slope)) = (ends(&own), ends(&files));
		table.row([
			course.name.clone(),
			own_first,
			own_last,
			format!("{most_own:.1}"),
			own_slope,
			files_first,
			files_last,
			files_slope,
		]);
		if course.name.starts_with("client") && most > CLIENT_LIMIT_MIB && over.is_none() {
			over = Some(course.name.clone());
		}
	}
	println!("{table}");
	over
}
