//! Members that are killed again and again while they race, and what must hold afterwards (promise P5).
//!
//! Each member is a process. It is told to commit and to send, and dies in between: at a write of its store, of each kind in
//! turn ([`WriteKind`]), right before or right after it; or whenever a kill from outside meets it. What it reported before it died is written down here, and compared with what it knows in its later lives and
//! with what the others know.

mod apart;
mod founding;

use crate::{
	members::{saying, HEARING},
	remote::{Answer, RemoteMember, Request, DIE_AT, WRITES},
	write_kinds::{DeathPoint, Deaths, WriteKind},
	Error, Network, Result,
};
use lockstep_client::WritePoint;
use lockstep_primitives::{EntryHash, GroupId};
use rand::{rngs::StdRng, Rng, SeedableRng};
use std::{
	collections::{BTreeMap, BTreeSet},
	path::PathBuf,
	time::{Duration, Instant},
};
use tokio::time::sleep;

/// The names of the members; the first founds the group.
const NAMES: [&str; 5] = ["anna", "bert", "cora", "dora", "emil"];
/// A life that is to end by a kill from outside lasts no longer than this.
const LONGEST_LIFE: Duration = Duration::from_millis(1_500);
/// In a life that is to end at a write, it is waited for so long before the member is killed all the same.
const LONGEST_WAIT: Duration = Duration::from_secs(12);
/// Between two looks at what a process does.
const LOOK: Duration = Duration::from_millis(40);
/// Of these writes some are passed before the one to die at.
const PASSED: u64 = 3;

/// The kinds of writes that members die at while they race, in any run.
const OFTEN: [WriteKind; 10] = [
	WriteKind::Opening,
	WriteKind::Verified,
	WriteKind::Intent,
	WriteKind::Commit,
	WriteKind::OwnCommitWon,
	WriteKind::Epoch,
	WriteKind::Encrypted,
	WriteKind::Posted,
	WriteKind::Read,
	WriteKind::Acknowledged,
];
/// Those that longer runs meet, too.
const RARELY: [WriteKind; 2] = [WriteKind::OwnCommitLost, WriteKind::Queued];
/// Those that founding and joining meet.
const AT_FIRST: [WriteKind; 5] =
	[WriteKind::Founding, WriteKind::Founded, WriteKind::KeyPackage, WriteKind::Invitation, WriteKind::Joined];
/// So often members live two lives more, if there are kinds that nobody died at.
const MORE: usize = 4;
/// From so many kills on a run is a long one.
const LONG: usize = 400;

/// What a member says that has too many messages waiting for a node.
const BACKLOG: &str = "messages wait for a node already";

/// What the killing came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
	/// Members killed at their writes, those of founding and joining included.
	pub at_writes: Deaths,
	/// Members killed from outside.
	pub from_outside: usize,
	/// Intents that were reported as taken; each came about.
	pub intents: usize,
	/// Messages that were reported as sent; each of the others read each of them once, unless its sender reported that it
	/// gave it up.
	pub messages: usize,
	/// Messages that were given up: no node was heard to have taken them in so many epochs.
	pub given_up: usize,
	/// The epoch in which all members ended, alike.
	pub epoch: u64,
}

/// How a member commits in a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wants {
	/// Not at all.
	Nothing,
	/// When what it wanted before has come about: others shall win, too.
	OneAtATime,
	/// As often as it can.
	More,
}

/// One member across its lives.
struct Lives {
	name: &'static str,
	/// Its place among the members.
	place: usize,
	folder: PathBuf,
	node: String,
	group: GroupId,
	/// At which writes it died.
	deaths: Deaths,
	/// The points at which it should have died in some life, and did not.
	missed: Vec<(WriteKind, WritePoint)>,
	/// The kinds to die at, if not any.
	aims: Vec<WriteKind>,
	/// Killed from outside.
	from_outside: usize,
	/// Texts that it reported as sent.
	sent: BTreeSet<String>,
	/// Texts that it was told to send.
	told: BTreeSet<String>,
	/// Intents that it reported as taken.
	taken: BTreeSet<u64>,
	/// How its intents ended.
	done: BTreeMap<u64, EntryHash>,
	/// Messages that it read, by number: sender and text.
	read: BTreeMap<u64, (String, String)>,
	/// All up to this number were reported as acknowledged.
	acknowledged: Option<u64>,
	/// Texts that it reported as given up.
	given_up: BTreeSet<String>,
	/// What its processes have in their environment.
	environment: Vec<(&'static str, String)>,
}

/// Kills the members `kills` times in all, spread over them, and checks that nothing was lost or done twice.
pub async fn kill_members(network: &Network, kills: usize, seed: u64) -> Result<Report> {
	let folder = tempfile::tempdir().map_err(Error::io("making a folder for the members"))?;
	let apart = apart::play(network, folder.path()).await?;
	let of = |(at, name): (usize, &&'static str)| {
		let node = network.url(at % network.size());
		Lives { place: at, ..Lives::new(name, folder.path().join(name), node, GroupId([0; 32])) }
	};
	let mut members: Vec<Lives> = NAMES.iter().enumerate().map(of).collect();
	let group = founding::found(&mut members).await?;
	members.iter_mut().for_each(|member| member.group = group);
	let mut randoms: Vec<_> = (0..NAMES.len()).map(|at| StdRng::seed_from_u64(seed.wrapping_add(at as u64))).collect();
	let mut lives = 0..kills.div_ceil(NAMES.len()).next_multiple_of(2);
	// Some more lives for what was not met.
	for _ in 0..=MORE {
		let lived = members.iter_mut().zip(&mut randoms).map(|(member, random)| {
			let lives = lives.clone();
			async move {
				for life in lives {
					member.one_life(life, random).await?;
				}
				Ok::<_, Error>(())
			}
		});
		futures::future::try_join_all(lived).await?;
		let missing = missing(&deaths(&members, &apart), kills);
		if missing.is_empty() {
			break;
		}
		lives = lives.end..lives.end + 2;
		members.iter_mut().for_each(|member| member.aims.clone_from(&missing));
	}
	let epoch = settle(&mut members).await?;
	check(&members)?;
	let mut report = Report { epoch, at_writes: deaths(&members, &apart), ..Report::default() };
	for member in &members {
		report.from_outside += member.from_outside;
		report.intents += member.taken.len();
		report.messages += member.sent.len();
		report.given_up += member.given_up.len();
	}
	members.iter().chain(&apart).try_for_each(Lives::knows_its_writes)?;
	let missing = missing(&report.at_writes, kills);
	if !missing.is_empty() {
		let all = &report.at_writes;
		return Err(Error::Broken(format!("nobody died at some kinds of writes: {missing:?}; of all:\n{all}")));
	}
	Ok(report)
}

/// At which writes the members died, those who were apart included.
fn deaths(members: &[Lives], apart: &[Lives]) -> Deaths {
	let mut all = Deaths::default();
	members.iter().chain(apart).for_each(|member| all.add(&member.deaths));
	all
}

/// The kinds at which members must die in so many kills, and have not: in a long run at all, and on both sides; in a short one
/// on one side of what is written often, and on both of what is not.
fn missing(deaths: &Deaths, kills: usize) -> Vec<WriteKind> {
	if kills >= LONG {
		return deaths.missing(&WriteKind::ALL);
	}
	let not_at_all = |kind: &WriteKind| WritePoint::ALL.iter().all(|side| deaths.at(*kind, *side) == 0);
	let often = AT_FIRST.into_iter().chain(OFTEN).filter(not_at_all);
	often.chain(deaths.missing(&apart::KINDS)).collect()
}

impl Lives {
	fn new(name: &'static str, folder: PathBuf, node: String, group: GroupId) -> Self {
		Self {
			name,
			place: 0,
			folder,
			node,
			group,
			deaths: Deaths::default(),
			missed: Vec::new(),
			aims: Vec::new(),
			from_outside: 0,
			sent: BTreeSet::new(),
			told: BTreeSet::new(),
			taken: BTreeSet::new(),
			done: BTreeMap::new(),
			read: BTreeMap::new(),
			acknowledged: None,
			given_up: BTreeSet::new(),
			environment: Vec::new(),
		}
	}

	/// Whether it is known of each of its writes what it was for.
	fn knows_its_writes(&self) -> Result<()> {
		let lines = std::fs::read_to_string(self.writes()).map_err(Error::io("reading what a member wrote"))?;
		let is_known = |line: &&str| WriteKind::ALL.into_iter().any(|kind| kind.to_string() == **line);
		match lines.lines().find(|line| !is_known(line)) {
			Some(line) => Err(Error::Broken(format!("nobody knows what this write is for: {line}"))),
			None => Ok(()),
		}
	}

	/// Starts it, to die at a point if one is given.
	async fn start(&self, point: Option<DeathPoint>) -> Result<RemoteMember> {
		let mut environment = self.environment.clone();
		environment.push((WRITES, self.writes().display().to_string()));
		environment.extend(point.map(|point| (DIE_AT, point.to_string())));
		RemoteMember::start(self.name, &self.folder, &self.node, &environment).await
	}

	/// The file that its processes note in what they write.
	fn writes(&self) -> PathBuf {
		self.folder.with_extension("writes")
	}

	/// From the start of a process to its sudden end.
	async fn one_life(&mut self, life: usize, random: &mut StdRng) -> Result<()> {
		// Every other life ends at a write.
		let point = life.is_multiple_of(2).then(|| self.next_point(random));
		let mut process = self.start(point).await?;
		// Otherwise when the time is over, wherever it is.
		let length = if point.is_some() { LONGEST_WAIT } else { LONGEST_LIFE.mul_f64(random.gen()) };
		let pause = if point.is_some() { LOOK } else { Duration::ZERO };
		// Without a commit of its own under way: then the epochs are those of others.
		let wants = match point {
			Some(DeathPoint { kind: WriteKind::Epoch, .. }) => Wants::Nothing,
			// What is wanted while nothing else is under way is stored with its commit.
			Some(DeathPoint { kind: WriteKind::Intent, .. }) => Wants::More,
			_ => Wants::OneAtATime,
		};
		let script = async {
			for step in 0..usize::MAX {
				if self.step(&mut process, life, step, wants).await?.is_none() {
					break;
				}
				sleep(pause).await;
			}
			Ok::<_, Error>(())
		};
		let died = tokio::select! {
			ended = script => ended.map(|()| true)?,
			() = sleep(length) => false,
		};
		match point {
			Some(DeathPoint { kind, side, .. }) if died => {
				process.has_died().await?;
				self.deaths.note(kind, side);
			}
			None if died => return Err(Error::Broken(format!("{} ended by itself", self.name))),
			Some(DeathPoint { kind, side, .. }) => {
				self.missed.push((kind, side));
				self.from_outside += 1;
			}
			None => self.from_outside += 1,
		}
		process.kill().await
	}

	/// Where to die next: where that has happened least; each member begins at another point.
	fn next_point(&self, random: &mut StdRng) -> DeathPoint {
		let any = OFTEN.iter().chain(&RARELY).copied();
		let kinds = any.filter(|kind| self.aims.is_empty() || self.aims.contains(kind));
		let mut points: Vec<_> = kinds.flat_map(|kind| WritePoint::ALL.map(|side| (kind, side))).collect();
		let first = self.place * points.len() / NAMES.len();
		points.rotate_left(first);
		let tried = |point: &(WriteKind, WritePoint)| {
			let missed = self.missed.iter().filter(|missed| *missed == point).count();
			// Again where it has not come about, before it comes about twice elsewhere.
			2 * self.deaths.at(point.0, point.1) + missed
		};
		// The first of those that are alike.
		let (kind, side) = points.into_iter().min_by_key(tried).unwrap_or((WriteKind::Opening, WritePoint::Before));
		// Some are not there several times in a life, and where there was none the first will do.
		let missed = self.missed.contains(&(kind, side));
		let rare =
			matches!(kind, WriteKind::Opening | WriteKind::Verified | WriteKind::Epoch) || RARELY.contains(&kind);
		DeathPoint { kind, after: if rare || missed { 0 } else { random.gen_range(0..PASSED) }, side }
	}

	/// One thing that a member is told, to commit among them as it `wants`; `None` if it died over it.
	async fn step(&mut self, process: &mut RemoteMember, life: usize, step: usize, wants: Wants) -> Result<Option<()>> {
		let group = self.group;
		let request = match step % 5 {
			0 => Request::Intents { group },
			1 => Request::Unread,
			2 => {
				let text = String::from_utf8_lossy(&saying(&format!("{life}.{step}"), self.name)).into_owned();
				self.told.insert(text.clone());
				Request::Send { group, text }
			}
			3 if wants == Wants::More => Request::Enqueue { group },
			3 if wants == Wants::OneAtATime && self.taken.iter().all(|number| self.done.contains_key(number)) => {
				Request::Enqueue { group }
			}
			4 => match self.read.last_key_value() {
				Some((number, _)) => Request::Acknowledge { up_to: *number },
				None => Request::Stand { group },
			},
			_ => Request::Stand { group },
		};
		let answer = match process.ask(&request).await {
			Ok(answer) => answer,
			Err(_) if process.is_over() => return Ok(None),
			// Its lives are too short to hand over what it says: it was told so, and has sent nothing.
			Err(error) if matches!(request, Request::Send { .. }) && error.to_string().contains(BACKLOG) => {
				return Ok(Some(()))
			}
			Err(error) => return Err(error),
		};
		self.note(&request, answer)?;
		Ok(Some(()))
	}

	/// Writes down what a member reported, and compares it with what it reported before.
	fn note(&mut self, request: &Request, answer: Answer) -> Result<()> {
		let broken = |what: String| Err(Error::Broken(format!("{}: {what}", self.name)));
		match (request, answer) {
			(Request::Send { text, .. }, Answer::Done) => {
				self.sent.insert(text.clone());
			}
			(Request::Acknowledge { up_to }, Answer::Done) => self.acknowledged = Some(*up_to),
			(_, Answer::Taken { number }) if !self.taken.insert(number) => {
				return broken(format!("intent {number} was taken twice"));
			}
			(_, Answer::Ended { done, failed }) => {
				if let Some((number, why)) = failed.first() {
					return broken(format!("intent {number} failed: {why}"));
				}
				for (number, entry) in done {
					let earlier = self.done.insert(number, entry);
					if earlier.is_some_and(|earlier| earlier != entry) {
						return broken(format!("intent {number} came about twice: {earlier:?}, {entry}"));
					}
				}
			}
			(_, Answer::Undelivered { texts }) => self.given_up.extend(texts),
			(_, Answer::Unread { messages }) => {
				for (number, sender, text) in messages {
					if self.acknowledged.is_some_and(|acknowledged| number <= acknowledged) {
						return broken(format!("message {number} was acknowledged, and is there again"));
					}
					let message = (sender, text);
					match self.read.insert(number, message.clone()) {
						Some(earlier) if earlier != message => {
							return broken(format!("message {number} was {earlier:?}, and is {message:?} now"));
						}
						_ => {}
					}
				}
			}
			_ => {}
		}
		Ok(())
	}
}

/// Lets all members live on until nothing is left to be done; gives the epoch in which all are, alike.
async fn settle(members: &mut [Lives]) -> Result<u64> {
	let mut processes = Vec::new();
	for member in members.iter() {
		processes.push(member.start(None).await?);
	}
	for (member, process) in members.iter_mut().zip(&mut processes) {
		let request = Request::Settle { group: member.group };
		let answer = process.ask(&request).await?;
		member.note(&request, answer)?;
	}
	let mut newest = 0;
	for (member, process) in members.iter_mut().zip(&mut processes) {
		newest = newest.max(status(process, member).await?.0);
	}
	let mut common = None;
	for (member, process) in members.iter_mut().zip(&mut processes) {
		process.ask(&Request::Reach { group: member.group, epoch: newest }).await?;
		let status = status(process, member).await?;
		match &common {
			Some(common) if *common != status => {
				return Err(Error::Broken(format!("{} is at {status:?}, others at {common:?}", member.name)));
			}
			_ => common = Some(status),
		}
	}
	// Nobody dies any more: what is said now is read by everybody, and so is what was said before.
	for (member, process) in members.iter_mut().zip(&mut processes) {
		let text = String::from_utf8_lossy(&saying("at last", member.name)).into_owned();
		member.told.insert(text.clone());
		let request = Request::Send { group: member.group, text };
		let answer = process.ask(&request).await?;
		member.note(&request, answer)?;
	}
	let said: Vec<(String, String)> =
		members.iter().flat_map(|of| of.sent.iter().map(|text| (of.name.to_owned(), text.clone()))).collect();
	let mut lost = Vec::new();
	let deadline = Instant::now() + HEARING;
	for at in 0..members.len() {
		loop {
			// What was given up is known when its sender has read the log.
			for (member, process) in members.iter_mut().zip(&mut processes) {
				let answer = process.ask(&Request::Undelivered).await?;
				member.note(&Request::Undelivered, answer)?;
			}
			let given_up: BTreeSet<(String, String)> = members
				.iter()
				.flat_map(|of| of.given_up.iter().map(|text| (of.name.to_owned(), text.clone())))
				.collect();
			let (Some(member), Some(process)) = (members.get_mut(at), processes.get_mut(at)) else { break };
			let answer = process.ask(&Request::Unread).await?;
			member.note(&Request::Unread, answer)?;
			let read: BTreeSet<&(String, String)> = member.read.values().collect();
			let is_missed = |message: &&(String, String)| {
				message.0 != member.name && !read.contains(message) && !given_up.contains(*message)
			};
			let missed: Vec<_> = said.iter().filter(is_missed).collect();
			if missed.is_empty() {
				break;
			}
			if Instant::now() > deadline {
				let never =
					|(sender, text): &(String, String)| format!("{} never read {text:?} of {sender}", member.name);
				lost.extend(missed.into_iter().map(never));
				break;
			}
			// The next look; there is no event for what another process reads.
			sleep(Duration::from_millis(250)).await;
		}
	}
	if !lost.is_empty() {
		return Err(Error::Broken(format!("of {} messages some were lost: {}", said.len(), lost.join("; "))));
	}
	for process in processes {
		process.kill().await?;
	}
	Ok(newest)
}

async fn status(process: &mut RemoteMember, member: &Lives) -> Result<(u64, EntryHash, String)> {
	match process.ask(&Request::Stand { group: member.group }).await? {
		Answer::Status { epoch, entry, authenticator } => Ok((epoch, entry, authenticator)),
		_ => Err(unexpected(member.name)),
	}
}

/// Nothing lost, nothing twice.
fn check(members: &[Lives]) -> Result<()> {
	let mut carried = BTreeMap::new();
	for member in members {
		if let Some(lost) = member.taken.iter().find(|number| !member.done.contains_key(number)) {
			return Err(Error::Broken(format!("intent {lost} of {} was lost", member.name)));
		}
		for (number, entry) in &member.done {
			if let Some((other, _)) =
				carried.insert(*entry, (member.name, number)).filter(|(name, _)| *name != member.name)
			{
				return Err(Error::Broken(format!("entry {entry} carries intents of {other} and of {}", member.name)));
			}
		}
		let mut seen = BTreeSet::new();
		for (sender, text) in member.read.values() {
			if !seen.insert((sender, text)) {
				return Err(Error::Broken(format!("{} read {text:?} of {sender} twice", member.name)));
			}
			let known = members.iter().any(|other| other.name == sender && other.told.contains(text));
			if !known {
				return Err(Error::Broken(format!("{} read {text:?} of {sender}, who never said it", member.name)));
			}
		}
	}
	Ok(())
}

fn unexpected(name: &str) -> Error {
	Error::Broken(format!("{name} answered something else than was asked"))
}
