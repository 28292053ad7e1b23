//! Members of ours, with OpenMLS, and of mls-rs around a model chain, in this process. Each submits at most one commit at a
//! time, and the chain takes what is endorsed by its newest entry.

use super::{member::member, reader::Reader, statement::Statement};
use ed25519_dalek::{Signature, VerifyingKey};
use lockstep_client::{
	finality::Finalized,
	log::{EntryHeader, LogCursor, VerifiedEntry},
	rpc::StatementOutcome,
	simulation::{Action, Engine, MemoryDisk, SimulatedClient},
	Event, GenesisHash, GroupId, Intent, Upkeep,
};
use lockstep_primitives::{
	endorsement_payload,
	extrinsic::{Append, SignedCall},
	payload_hash, EntryBody, OrderingKey, OrderingParameters,
};
use mls_rs::client_builder::MlsConfig;
use std::collections::BTreeSet;

pub const GENESIS: GenesisHash = GenesisHash([7; 32]);
const PARAMETERS: OrderingParameters = OrderingParameters {
	max_payload: 65_536,
	candidate_interval: 20,
	contest_window: 86_400,
	retention: 2_592_000,
	entry_budget: (1024, 1),
	byte_budget: (8_388_608, 4096),
};

pub fn seed(name: &str) -> [u8; 32] {
	payload_hash(name.as_bytes()).0
}

fn topic_of(bytes: &[u8]) -> [u8; 32] {
	Statement::read(bytes).expect("both read each other's statements").topic
}

pub struct Ours {
	pub client: SimulatedClient<Engine>,
	/// Where in the log it is to go on, if it follows it.
	next: Option<usize>,
	topics: BTreeSet<[u8; 32]>,
	heard: Vec<(Vec<u8>, Vec<u8>)>,
	pub skipped: usize,
}

pub fn ours(name: &str) -> Ours {
	let engine = Engine::new(name.as_bytes().to_vec(), &seed(name), GENESIS).unwrap();
	let client = SimulatedClient::open(&MemoryDisk::new(), engine, PARAMETERS, Upkeep::default(), 1).unwrap();
	Ours { client, next: None, topics: BTreeSet::new(), heard: Vec::new(), skipped: 0 }
}

pub fn theirs(name: &str) -> Reader<impl MlsConfig> {
	Reader::new(member(name.as_bytes(), &seed(name), GENESIS))
}

/// See the module.
pub struct Table<C: MlsConfig> {
	pub ours: Vec<Ours>,
	pub theirs: Vec<Reader<C>>,
	pub group: GroupId,
	cursor: LogCursor,
	pub entries: Vec<VerifiedEntry>,
	pub statements: Vec<Vec<u8>>,
}

impl<C: MlsConfig> Table<C> {
	/// The first of ours founds the group.
	pub fn new(mut ours: Vec<Ours>, theirs: Vec<Reader<C>>) -> Self {
		ours[0].client.create();
		let actions = ours[0].client.take_actions();
		let found = actions.iter().find_map(|action| match action {
			Action::Create { call: SignedCall::CreateGroup { group, next_key, endorsement }, .. } => {
				Some((*group, *next_key, *endorsement))
			}
			_ => None,
		});
		let (group, next_key, endorsement) = found.unwrap();
		let cursor = LogCursor::start(&GENESIS, &group);
		let mut table = Self { ours, theirs, group, cursor, entries: Vec::new(), statements: Vec::new() };
		actions.into_iter().for_each(|action| table.act(0, action));
		table.enter(Append { group, parent: cursor.head.hash, payload: Vec::new(), next_key, endorsement }, next_key);
		table.settle();
		table
	}

	/// An entry, in the next block.
	pub fn enter(&mut self, append: Append, endorsed_by: OrderingKey) {
		let Append { parent, payload, next_key, endorsement, .. } = append;
		let hash = payload_hash(&payload);
		let text = endorsement_payload(&GENESIS, &self.group, &parent, &hash, &next_key);
		let key = VerifyingKey::from_bytes(&endorsed_by.0).unwrap();
		key.verify_strict(&text, &Signature::from_bytes(&endorsement.0)).expect("it is endorsed by its parent's key");
		let payload_len = u32::try_from(payload.len()).unwrap();
		let body = EntryBody { parent, payload_hash: hash, payload_len, next_key, endorsement };
		let (index, block) = (self.cursor.head.length, self.cursor.block + 1);
		let head = self.cursor.head.append(block, &body).unwrap();
		let header = EntryHeader { index, hash: head.hash, parent, block, payload_hash: hash, next_key };
		self.cursor = LogCursor { head, block };
		let entry = VerifiedEntry { header, payload: Some(payload) };
		for theirs in &mut self.theirs {
			theirs.on_entry(entry.clone());
			theirs.finalized = block;
		}
		self.entries.push(entry);
	}

	/// Submits a commit, which loses if it is not of the newest entry's epoch.
	pub fn submit(&mut self, append: Append) -> bool {
		let tip = self.entries.last().unwrap().header;
		let wins = append.parent == tip.hash;
		if wins {
			self.enter(append, tip.next_key);
		}
		wins
	}

	fn post(&mut self, statement: Vec<u8>) {
		let topic = topic_of(&statement);
		for ours in &mut self.ours {
			if ours.topics.contains(&topic) {
				ours.client.on_statement(&statement);
			}
		}
		for theirs in &mut self.theirs {
			// What it has not asked for yet it is given when it asks.
			if theirs.has_asked(&topic) {
				theirs.on_statement(&statement);
			}
		}
		self.statements.push(statement);
	}

	fn act(&mut self, index: usize, action: Action) {
		let ours = &mut self.ours[index];
		match action {
			Action::Follow(_, from) => ours.next = Some(usize::try_from(from.head.length).unwrap()),
			Action::Watch(topic) | Action::WatchAside(topic) => {
				ours.topics.insert(topic);
				let known = self.statements.iter().filter(|bytes| topic_of(bytes) == topic);
				known.for_each(|statement| ours.client.on_statement(statement));
			}
			Action::Append { group, append } => {
				self.submit(append);
				self.ours[index].client.on_submitted(group, Some(Ok(())));
			}
			Action::Post { number, statement } => {
				ours.client.on_posted(number, Some(StatementOutcome::Stored));
				self.post(statement);
			}
			Action::Report(Event::Message { sender, data, .. }) => ours.heard.push((sender, data)),
			Action::Report(Event::Skipped { .. }) => ours.skipped += 1,
			_ => {}
		}
	}

	/// Lets everything happen that has to.
	pub fn settle(&mut self) {
		loop {
			let mut quiet = true;
			for index in 0..self.ours.len() {
				let (block, ours) = (self.cursor.block, &mut self.ours[index]);
				if let Some(next) = ours.next.as_mut().filter(|next| **next < self.entries.len()) {
					let entries = self.entries[*next..].iter().map(|entry| (self.group, entry.clone())).collect();
					*next = self.entries.len();
					ours.client.on_finalized(Finalized { block, entries, closed: Vec::new(), complete: true });
				}
				for action in ours.client.take_actions() {
					quiet = false;
					self.act(index, action);
				}
			}
			for index in 0..self.theirs.len() {
				self.theirs[index].go_on(|_, _| None).expect("it follows");
				for topic in self.theirs[index].new_topics() {
					quiet = false;
					let known = self.statements.iter().filter(|bytes| topic_of(bytes) == topic);
					known.for_each(|statement| self.theirs[index].on_statement(statement));
				}
				for statement in std::mem::take(&mut self.theirs[index].outbox) {
					quiet = false;
					self.post(statement);
				}
			}
			if quiet {
				return;
			}
		}
	}

	/// A block without an entry.
	pub fn pass(&mut self) {
		self.cursor.block += 1;
		let block = self.cursor.block;
		for ours in self.ours.iter_mut().filter(|ours| ours.next.is_some()) {
			ours.client.on_finalized(Finalized { block, entries: Vec::new(), closed: Vec::new(), complete: true });
		}
		self.settle();
	}

	pub fn ours_wants(&mut self, index: usize, intent: Intent) {
		self.ours[index].client.enqueue(&self.group, intent).unwrap();
		self.settle();
	}

	pub fn theirs_commits(&mut self, index: usize, key_packages: &[Vec<u8>]) {
		let append = self.theirs[index].commit(key_packages, None).unwrap();
		assert!(self.submit(append));
		self.settle();
	}

	/// All are in this epoch, and in the same state.
	pub fn agree_on(&self, epoch: u64) {
		let mut states = BTreeSet::new();
		for ours in &self.ours {
			let status = ours.client.status(&self.group).unwrap();
			states.insert((status.epoch, status.epoch_authenticator));
		}
		states.extend(self.theirs.iter().map(|theirs| theirs.member.epoch().unwrap()));
		let epochs: Vec<u64> = states.iter().map(|(epoch, _)| *epoch).collect();
		assert_eq!(epochs, [epoch], "one epoch, one authenticator");
	}

	/// Each says something, and all others hear it.
	pub fn talk(&mut self) {
		let text = |from: &str, index: usize| format!("{from} {index}").into_bytes();
		for index in 0..self.ours.len() {
			self.ours[index].client.send(&self.group, &text("ours", index)).unwrap();
			self.settle();
		}
		for index in 0..self.theirs.len() {
			self.theirs[index].say(&text("theirs", index)).unwrap();
			self.settle();
		}
		let all = |from: &'static str, count: usize| (0..count).map(move |index| text(from, index));
		let said: Vec<_> = all("ours", self.ours.len()).chain(all("theirs", self.theirs.len())).collect();
		let heard = self.ours.iter_mut().map(|ours| std::mem::take(&mut ours.heard));
		let heard: Vec<_> =
			heard.chain(self.theirs.iter_mut().map(|theirs| std::mem::take(&mut theirs.heard))).collect();
		for (listener, heard) in heard.into_iter().enumerate() {
			let heard: Vec<_> = heard.into_iter().map(|(_, data)| data).collect();
			let by_others = said.iter().enumerate().filter(|(speaker, _)| *speaker != listener);
			assert_eq!(heard, by_others.map(|(_, data)| data.clone()).collect::<Vec<_>>(), "{listener}");
		}
	}
}
