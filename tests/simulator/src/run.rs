//! One run, from its seed.

use crate::{
	chain::Chain,
	flavour::{Flavour, OpenMls, StandIns},
	network::Statement,
	setup::Setup,
	world::{Happening, World},
};
use lockstep_client::{
	finality::Finalized,
	rpc::{StatementOutcome, SubmitError},
};
use lockstep_primitives::Refusal;
use std::rc::Rc;

/// Blocks in which the group must come about.
const FOUNDING: u32 = 400;

/// What a run was like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
	/// Epochs that members entered, taken together.
	pub epochs: u64,
	/// Entries that count.
	pub entries: u64,
	/// Times that a member was killed.
	pub crashes: u64,
	/// Messages that were read.
	pub messages: u64,
	/// Times that a member was cut off by a hostile one.
	pub cut_off: u64,
	/// Times that a member came back after that.
	pub readmitted: u64,
	/// Two runs of the same seed have the same.
	pub fingerprint: u64,
}

/// A promise that did not hold.
#[derive(Clone, Debug)]
pub struct Failure {
	/// The seed, with which it can be seen again.
	pub seed: u64,
	/// Which.
	pub what: String,
	/// What happened before, if the setup asked for it.
	pub trace: Vec<String>,
}

impl std::fmt::Display for Failure {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		write!(f, "seed {}: {}", self.seed, self.what)
	}
}

/// Runs a seed with members of one kind.
///
/// # Errors
/// [`Failure`], at the first promise that does not hold.
pub fn run<F: Flavour>(seed: u64, setup: &Setup) -> Result<Summary, Box<Failure>> {
	lockstep_client::mutation::set(setup.mutation);
	let mut world = World::<F>::new(seed, setup);
	world.play();
	lockstep_client::mutation::set(None);
	match world.failure.take() {
		Some(what) => Err(Box::new(Failure { seed: world.seed, what, trace: world.trace })),
		None => Ok(Summary {
			epochs: world.counts.epochs,
			entries: world.counts.entries,
			crashes: world.counts.crashes,
			messages: world.counts.messages,
			cut_off: world.counts.cut_off,
			readmitted: world.counts.readmitted,
			fingerprint: world.counts.fingerprint,
		}),
	}
}

/// Runs a seed with the stand-in, or with OpenMLS.
///
/// # Errors
/// As [`run`].
pub fn simulate(openmls: bool, seed: u64, setup: &Setup) -> Result<Summary, Box<Failure>> {
	if openmls {
		run::<OpenMls>(seed, setup)
	} else {
		run::<StandIns>(seed, setup)
	}
}

/// Runs a seed that failed once more and gives the failure with all that happened before it.
pub fn explain(openmls: bool, seed: u64, setup: &Setup) -> String {
	let setup = Setup { trace: true, ..setup.clone() };
	match simulate(openmls, seed, &setup) {
		Ok(summary) => format!("seed {seed} does not fail: {summary:?}"),
		Err(failure) => format!("{}\n{failure}", failure.trace.join("\n")),
	}
}

impl<F: Flavour> World<F> {
	fn play(&mut self) {
		self.begin();
		let mut waited = 0;
		while self.group.is_none() && waited < FOUNDING && self.failure.is_none() {
			self.block();
			waited += 1;
		}
		for _ in 0..self.setup.blocks {
			if self.failure.is_some() {
				return;
			}
			self.block();
		}
		self.calm();
		self.settle();
	}

	/// One block's time.
	pub(crate) fn block(&mut self) {
		self.now = self.now.saturating_add(1);
		if !self.quiet {
			self.operate();
			self.misbehave();
		}
		self.grow();
		while let Some(happening) = self.next() {
			self.happen(happening);
			if self.failure.is_some() {
				return;
			}
		}
		let mut order: Vec<usize> = (0..self.members.len()).collect();
		self.dice.shuffle(&mut order);
		self.notice_group();
		for member in order {
			self.live(member);
			if self.failure.is_some() {
				return;
			}
		}
	}

	/// The founder may be killed before it reports that it has made the group.
	fn notice_group(&mut self) {
		if self.group.is_none() {
			let first = self.chain.finalized().logs.keys().next().copied();
			self.group = first.filter(|group| self.members.first().is_some_and(|one| one.position(group).is_some()));
		}
	}

	/// The chain grows, forks and finalises.
	fn grow(&mut self) {
		if self.weather.reorganisation > 0 && self.dice.chance(self.weather.reorganisation) {
			let count = self.chain.reorganise(&mut self.dice);
			self.tell(|| format!("{count} blocks are replaced"));
		} else {
			self.nodes.make_block(&mut self.chain, &mut self.dice);
		}
		if self.weather.stall > 0 && self.dice.chance(self.weather.stall) {
			self.stalled_until = self.now.saturating_add(self.dice.blocks(10));
		}
		if self.stalled_until <= self.now {
			let lag = if self.quiet || self.dice.chance(700) { 1 } else { self.dice.blocks(3) };
			self.chain.finalise(self.chain.best_height().saturating_sub(lag));
			self.check_done();
		}
		self.nodes.learn(&self.chain, &self.weather, &mut self.dice);
	}

	fn happen(&mut self, happening: Happening) {
		match happening {
			Happening::Submit { member, life, node, transaction } => {
				let group = transaction.group;
				let answer = self.nodes.submit(node, transaction, &self.chain, life == 0 && self.dice.chance(400));
				let line = format!("node {node} answers m{member:02}: {answer:?}");
				self.tell(|| line);
				let answer = match answer {
					Ok(()) if self.dice.chance(self.weather.wrong_answer) => {
						Err(SubmitError::Refused(Refusal::Superseded))
					}
					Err(_) if self.dice.chance(self.weather.wrong_answer) => Ok(()),
					answer => answer,
				};
				let lost = self.dice.chance(self.weather.lost_submission);
				if !lost || self.dice.chance(500) {
					let answer = (!lost).then_some(answer);
					let way = self.way();
					self.later(way, Happening::Submitted { member, life, group, answer });
				}
			}
			Happening::Submitted { member, life, group, answer } => {
				if self.lives(member, life) {
					self.step(member, |client| client.on_submitted(group, answer));
				}
			}
			Happening::Post { member, life, node, number, statement } => {
				self.take_statement(member, life, (node, number), &statement);
			}
			Happening::Posted { member, life, number, outcome } => {
				let line = format!("m{member:02} is told of its statement {number}: {outcome:?}");
				self.tell(|| line);
				if self.lives(member, life) {
					self.tell_posted(member, number, outcome);
				}
			}
			Happening::Pass { node, statement } => {
				if self.network.store(node, statement.clone()) {
					self.offer(node, &statement);
				}
			}
			Happening::Deliver { member, statement } => {
				if self.members.get(member).is_some_and(|one| one.watches.contains(&statement.topic)) {
					let read = self.step(member, |client| client.on_statement(&statement.bytes));
					if read.is_some() {
						self.check_read(member, &statement);
					}
				}
			}
		}
	}

	/// Whether a member has not been down since: the tasks that wait for answers die with it.
	fn lives(&self, member: usize, life: u64) -> bool {
		self.members.get(member).is_some_and(|one| one.life == life && one.client.is_some())
	}

	/// A statement reaches a node.
	fn take_statement(&mut self, member: usize, life: u64, (node, number): (usize, u64), statement: &Rc<Statement>) {
		let outcome = if self.dice.chance(self.weather.wrong_answer) {
			match self.dice.below(3) {
				0 => StatementOutcome::Expired,
				1 => StatementOutcome::Full { min_expiry: 5 },
				_ => StatementOutcome::Later("no allowance".to_owned()),
			}
		} else {
			if self.network.store(node, statement.clone()) {
				self.pass_on(node, statement);
				self.offer(node, statement);
			}
			StatementOutcome::Stored
		};
		let lost = self.dice.chance(self.weather.lost_statement);
		let outcome = (!lost).then_some(outcome);
		let way = self.way();
		self.later(way, Happening::Posted { member, life, number, outcome });
	}

	fn tell_posted(&mut self, member: usize, number: u64, outcome: Option<StatementOutcome>) {
		let Some(one) = self.members.get_mut(member) else { return };
		if outcome == Some(StatementOutcome::Stored) {
			if let Some(text) = one.client.as_ref().and_then(|client| client.unsent(number)) {
				one.promises.sent.insert(text, true);
			}
		}
		self.step(member, |client| client.on_posted(number, outcome));
	}

	/// A node shows a new statement to the members that use it.
	fn offer(&mut self, node: usize, statement: &Rc<Statement>) {
		for member in 0..self.members.len() {
			let Some(one) = self.members.get(member) else { continue };
			if one.node != node || !one.watches.contains(&statement.topic) {
				continue;
			}
			if !self.dice.chance(self.weather.lost_statement) {
				let way = self.way();
				self.later(way, Happening::Deliver { member, statement: statement.clone() });
			}
			if self.dice.chance(self.weather.repeat) {
				let way = self.way();
				self.later(way, Happening::Deliver { member, statement: statement.clone() });
			}
		}
	}

	/// A member is opened if it is time, and learns what is final.
	fn live(&mut self, member: usize) {
		let Some(one) = self.members.get(member) else { return };
		match &one.client {
			None if one.down_until <= self.now => self.open(member),
			None => return,
			Some(_) if one.faulted && !self.quiet && self.dice.chance(100) => self.kill(member),
			Some(_) => {}
		}
		self.catch_up(member);
	}

	/// A member's node tells it what is final.
	fn catch_up(&mut self, member: usize) {
		let (state, height) = self.view(member);
		let Some(one) = self.members.get_mut(member).filter(|one| one.client.is_some() && one.told < height) else {
			return;
		};
		let mut entries = Vec::new();
		for (group, cursor) in &mut one.follows {
			for entry in Chain::entries(&state, group, cursor.head.length, height) {
				let entry = entry.verified();
				if let Some(after) = lockstep_client::log::LogCursor::after(&entry.header) {
					*cursor = after;
				}
				entries.push((*group, entry));
			}
		}
		one.told = height;
		// A node sends what is too much for one message in several.
		let cut = if entries.len() > 1 { self.dice.below(entries.len()) } else { 0 };
		let rest = entries.split_off(cut);
		if !entries.is_empty() {
			let part = Finalized { block: height, entries, closed: Vec::new(), complete: false };
			self.step(member, |client| client.on_finalized(part));
		}
		let part = Finalized { block: height, entries: rest, closed: Vec::new(), complete: true };
		self.step(member, |client| client.on_finalized(part));
	}

	/// What a member's node shows it as final.
	fn view(&self, member: usize) -> (Rc<crate::chain::State>, u32) {
		if lockstep_client::mutation::is(crate::Mutation::NotFinal) {
			return (self.chain.best().clone(), self.chain.best_height());
		}
		let node = self.members.get(member).map_or(0, |one| one.node);
		(self.chain.finalized().clone(), self.nodes.finalized(node))
	}
}
