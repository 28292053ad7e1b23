//! The world of one run, and its time.

use crate::{
	chain::{Chain, Transaction},
	dice::Dice,
	flavour::Flavour,
	member::Member,
	network::{Network, Statement},
	nodes::Nodes,
	oracle::Oracle,
	setup::{Setup, Weather},
};
use lockstep_client::rpc::{StatementOutcome, SubmitError};
use lockstep_primitives::{BlockNumber, GroupId, PayloadHash};
use std::{collections::BTreeMap, rc::Rc};

/// Nodes of the chain.
pub(crate) const NODES: usize = 3;

/// Something on its way.
pub(crate) enum Happening {
	/// A submission reaches a node.
	Submit { member: usize, life: u64, node: usize, transaction: Rc<Transaction> },
	/// The answer to a submission.
	Submitted { member: usize, life: u64, group: GroupId, answer: Option<Result<(), SubmitError>> },
	/// A statement reaches a node.
	Post { member: usize, life: u64, node: usize, number: u64, statement: Rc<Statement> },
	/// The answer to a statement.
	Posted { member: usize, life: u64, number: u64, outcome: Option<StatementOutcome> },
	/// A statement reaches another node.
	Pass { node: usize, statement: Rc<Statement> },
	/// A statement reaches a member.
	Deliver { member: usize, statement: Rc<Statement> },
}

/// What an honest member's commit carries.
#[derive(Clone, Debug)]
pub(crate) struct Carried {
	pub(crate) member: usize,
	pub(crate) intents: Vec<u64>,
	/// The identities whose KeyPackages it adds: each is due a Welcome.
	pub(crate) invited: Vec<Vec<u8>>,
}

/// What counts of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
	pub(crate) epochs: u64,
	pub(crate) entries: u64,
	pub(crate) crashes: u64,
	pub(crate) messages: u64,
	pub(crate) cut_off: u64,
	pub(crate) readmitted: u64,
	/// Differs if two runs differ.
	pub(crate) fingerprint: u64,
}

/// A run.
pub(crate) struct World<F: Flavour> {
	pub(crate) seed: u64,
	pub(crate) setup: Setup,
	pub(crate) weather: Weather,
	pub(crate) dice: Dice,
	pub(crate) now: BlockNumber,
	pub(crate) chain: Chain,
	pub(crate) stalled_until: BlockNumber,
	pub(crate) nodes: Nodes,
	pub(crate) network: Network,
	pub(crate) oracle: Oracle,
	pub(crate) members: Vec<Member<F>>,
	pub(crate) group: Option<GroupId>,
	/// Owners of mailboxes, by topic.
	pub(crate) mailboxes: BTreeMap<[u8; 32], usize>,
	/// What commits carry, by payload hash.
	pub(crate) carried: BTreeMap<PayloadHash, Carried>,
	/// Whose a KeyPackage is.
	pub(crate) packages: BTreeMap<Vec<u8>, Vec<u8>>,
	/// Intents that an entry which counts carried.
	pub(crate) done: BTreeMap<(usize, u64), lockstep_primitives::EntryHash>,
	/// Members that wrongly believe that they were removed.
	pub(crate) misled: std::collections::BTreeSet<usize>,
	/// Members to whom a hostile one has sent an invitation that leads nowhere.
	pub(crate) spoiled: std::collections::BTreeSet<usize>,
	/// Some member was cut off, and has asked to be readmitted.
	pub(crate) cut_off_once: bool,
	pub(crate) deeds: u32,
	queue: BTreeMap<(BlockNumber, u64, u64), Happening>,
	sequence: u64,
	pub(crate) counts: Counts,
	pub(crate) trace: Vec<String>,
	pub(crate) failure: Option<String>,
	pub(crate) quiet: bool,
}

impl<F: Flavour> World<F> {
	pub(crate) fn new(seed: u64, setup: &Setup) -> Self {
		let mut dice = Dice::new(seed);
		let weather = Weather::draw(&mut dice, setup);
		let hostile = weather.hostile;
		// The first, who makes the group, is honest.
		let members = (0..setup.members)
			.map(|at| Member::new(format!("m{at:02}"), dice.below(NODES), at == 0 || at > hostile))
			.collect();
		Self {
			seed,
			setup: setup.clone(),
			weather,
			dice,
			now: 0,
			chain: Chain::new(),
			stalled_until: 0,
			nodes: Nodes::new(NODES),
			network: Network::new(NODES),
			oracle: Oracle::default(),
			members,
			group: None,
			mailboxes: BTreeMap::new(),
			carried: BTreeMap::new(),
			packages: BTreeMap::new(),
			done: BTreeMap::new(),
			misled: std::collections::BTreeSet::new(),
			spoiled: std::collections::BTreeSet::new(),
			cut_off_once: false,
			deeds: 0,
			queue: BTreeMap::new(),
			sequence: 0,
			counts: Counts::default(),
			trace: Vec::new(),
			failure: None,
			quiet: false,
		}
	}

	/// A promise does not hold.
	pub(crate) fn fail(&mut self, what: String) {
		self.tell(|| format!("FAILED: {what}"));
		self.failure.get_or_insert(what);
	}

	/// A promise of a member does not hold. Hostile members are promised nothing.
	pub(crate) fn fail_for(&mut self, member: usize, what: &str) {
		let Some(of) = self.members.get(member).filter(|member| member.honest) else { return };
		let what = format!("block {}, {}: {what}", self.now, of.name);
		self.fail(what);
	}

	/// A line of the trace.
	pub(crate) fn tell(&mut self, what: impl FnOnce() -> String) {
		if self.setup.trace {
			self.trace.push(format!("{:>4}  {}", self.now, what()));
		}
	}

	/// Something that is part of what a run is.
	pub(crate) fn note(&mut self, what: u64) {
		let mixed = self.counts.fingerprint ^ what.wrapping_mul(0x9e37_79b9_7f4a_7c15);
		self.counts.fingerprint = mixed.rotate_left(23).wrapping_mul(0xbf58_476d_1ce4_e5b9);
	}

	/// After so many blocks something happens; what happens in the same block does so in any order.
	pub(crate) fn later(&mut self, blocks: u32, happening: Happening) {
		self.sequence = self.sequence.wrapping_add(1);
		let order = self.dice.number();
		self.queue.insert((self.now.saturating_add(blocks), order, self.sequence), happening);
	}

	/// Whether a transaction is on its way to a node.
	pub(crate) fn is_submitting(&self) -> bool {
		self.queue.values().any(|happening| matches!(happening, Happening::Submit { .. }))
	}

	/// The next thing that happens in this block.
	pub(crate) fn next(&mut self) -> Option<Happening> {
		let first = self.queue.first_entry()?;
		(first.key().0 <= self.now).then(|| first.remove())
	}

	/// How long something is on its way.
	pub(crate) fn way(&mut self) -> u32 {
		let most = self.weather.delay;
		if self.dice.chance(600) {
			0
		} else {
			self.dice.blocks(most)
		}
	}
}
