//! A member with Lockstep: the core of the client on an encrypted store, without the network.

use super::{
	log::{Log, GENESIS},
	Member,
};
use lockstep_client::{
	finality::Finalized,
	rpc::StatementOutcome,
	simulation::{Action, Engine, MemoryDisk, SimulatedClient},
	Event, GroupId, Intent, StoreKey, Upkeep,
};
use lockstep_primitives::{
	extrinsic::{Append, SignedCall},
	rpc::HexBytes,
	OrderingParameters,
};
use std::{cell::RefCell, path::Path, rc::Rc};

pub const PARAMETERS: OrderingParameters = OrderingParameters {
	max_payload: 65_536,
	candidate_interval: 20,
	contest_window: 86_400,
	retention: 2_592_000,
	entry_budget: (1024, 1),
	byte_budget: (8_388_608, 4096),
};

/// Nothing is done of its own accord, so that what is measured is what was asked for.
const NEVER: Upkeep = Upkeep {
	update_after_messages: u32::MAX,
	update_after_blocks: 1_000_000_000,
	longest_path: u32::MAX,
	past_epochs_kept: 1_000_000_000,
};

pub fn engine(name: &str) -> Engine {
	let mut seed = [0; 32];
	blake3::Hasher::new().update(name.as_bytes()).finalize_xof().fill(&mut seed);
	Engine::new(name.as_bytes().to_vec(), &seed, GENESIS).expect("the names are short")
}

pub fn key() -> StoreKey {
	StoreKey::from_bytes([9; 32])
}

/// See the module.
pub struct Ours {
	client: SimulatedClient<Engine>,
	log: Rc<RefCell<Option<Log>>>,
	appended: Option<Append>,
	founded: Option<SignedCall>,
	posted: Vec<(u64, Vec<u8>)>,
	/// What goes with its newest commit.
	welcomes: Rc<RefCell<Vec<Vec<u8>>>>,
	read: u64,
	/// Groups that it has asked to follow.
	followed: usize,
}

/// A commit is in the log; the Welcomes travel beside it.
#[derive(Clone)]
pub struct Entry {
	finalized: Finalized,
	/// As many as are posted at once; the others when these are taken.
	welcomes: Rc<RefCell<Vec<Vec<u8>>>>,
}

impl Ours {
	/// A member with its store in a folder, who has founded a group.
	pub fn found(folder: &Path) -> Self {
		let mut founder = Self::open(folder, Rc::default());
		founder.create();
		founder
	}

	/// The founder again, from what is in its folder.
	pub fn open(folder: &Path, log: Rc<RefCell<Option<Log>>>) -> Self {
		let client = SimulatedClient::open_in(folder, &key(), engine("founder"), PARAMETERS, NEVER, 1);
		Self::with(client.expect("it opens"), log)
	}

	fn with(client: SimulatedClient<Engine>, log: Rc<RefCell<Option<Log>>>) -> Self {
		let (posted, welcomes) = (Vec::new(), Rc::default());
		let mut member = Self { client, log, appended: None, founded: None, posted, welcomes, read: 0, followed: 0 };
		member.act();
		member
	}

	/// The log that its group has.
	pub fn log(&self) -> Rc<RefCell<Option<Log>>> {
		self.log.clone()
	}

	/// Creates a group, up to where its entry 0 is final; its log is the one that this member works on from then on.
	pub fn create(&mut self) {
		self.client.create();
		self.act();
		let Some(SignedCall::CreateGroup { group, next_key, endorsement }) = self.founded.take() else {
			panic!("no group was submitted");
		};
		let log = Log::new(group, next_key, endorsement);
		let finalized = log.finalized(0);
		self.log = Rc::new(RefCell::new(Some(log)));
		self.client.on_finalized(finalized);
		self.act();
		assert!(self.client.position(&group).is_some(), "the group is there");
	}

	fn group(&self) -> GroupId {
		self.log.borrow().as_ref().expect("a group").group()
	}

	fn act(&mut self) {
		for action in self.client.take_actions() {
			match action {
				Action::Append { append, .. } => self.appended = Some(append),
				Action::Create { call, .. } => self.founded = Some(call),
				Action::Post { number, statement } => self.posted.push((number, statement)),
				Action::Report(Event::Message { number, .. }) => self.read = number + 1,
				Action::Follow(..) => self.followed += 1,
				_ => {}
			}
		}
	}

	fn commit(&mut self, intent: Intent) -> Entry {
		let group = self.group();
		self.client.enqueue(&group, intent).expect("it is taken");
		self.act();
		let append = self.appended.take().expect("a commit was made");
		let finalized = {
			let mut log = self.log.borrow_mut();
			let log = log.as_mut().expect("a group");
			log.take(append);
			log.finalized(log.newest())
		};
		self.client.on_finalized(finalized.clone());
		self.act();
		let posted = self.posted.iter().map(|(_, statement)| statement.clone());
		self.welcomes = Rc::new(RefCell::new(posted.collect()));
		Entry { finalized, welcomes: self.welcomes.clone() }
	}

	/// What is final from an entry on, all at once.
	pub fn catch_up(&mut self, finalized: Finalized) {
		self.client.on_finalized(finalized);
		self.act();
	}

	/// How many groups it is in.
	pub fn groups(&self) -> usize {
		self.followed
	}

	pub fn epoch(&self) -> u64 {
		self.client.position(&self.group()).expect("it is in the group").tip.epoch
	}
}

impl Member for Ours {
	type Commit = Entry;

	fn outside(&self, name: &str) -> Self {
		let client = SimulatedClient::open(&MemoryDisk::new(), engine(name), PARAMETERS, NEVER, 1);
		Self::with(client.expect("it opens"), self.log.clone())
	}

	fn key_package(&mut self) -> Vec<u8> {
		let package = self.client.key_package().expect("it is made");
		self.act();
		package
	}

	fn join(&mut self, commit: &Entry) {
		// The letter is looked for when the envelope has named it.
		for statement in commit.welcomes.borrow().iter().rev() {
			self.client.on_statement(statement);
		}
		let log = self.log.borrow().as_ref().expect("a group").finalized(0);
		self.client.on_finalized(log);
		self.act();
		assert!(self.client.position(&self.group()).is_some(), "it has joined");
	}

	fn add(&mut self, packages: Vec<Vec<u8>>) -> Entry {
		self.commit(Intent::Add(packages.into_iter().map(HexBytes).collect()))
	}

	fn remove(&mut self, names: Vec<String>) -> Entry {
		self.commit(Intent::Remove(names.into_iter().map(|name| HexBytes(name.into_bytes())).collect()))
	}

	fn update(&mut self) -> Entry {
		self.commit(Intent::Update)
	}

	fn process(&mut self, commit: &Entry) {
		self.client.on_finalized(commit.finalized.clone());
		self.act();
	}

	fn encrypt(&mut self, data: &[u8]) -> Vec<u8> {
		let group = self.group();
		self.client.send(&group, data).expect("it is sent");
		self.act();
		self.posted.last().expect("it was posted").1.clone()
	}

	fn decrypt(&mut self, bytes: &[u8]) {
		let before = self.read;
		self.client.on_statement(bytes);
		self.act();
		assert!(self.read > before, "a message was read");
	}

	fn rest(&mut self) {
		if self.read > 0 {
			self.client.acknowledge(self.read).expect("it is stored");
		}
		// What a node has taken makes room for what waits.
		while !self.posted.is_empty() {
			for (number, _) in std::mem::take(&mut self.posted) {
				self.client.on_posted(number, Some(StatementOutcome::Stored));
			}
			self.act();
			self.welcomes.borrow_mut().extend(self.posted.iter().map(|(_, statement)| statement.clone()));
		}
		self.act();
	}

	fn has_long_path(&self, limit: u32) -> bool {
		self.client.long_path(&self.group(), limit).expect("it is readable")
	}

	fn size(&self) -> usize {
		self.client.status(&self.group()).expect("it is in the group").members.len()
	}
}
