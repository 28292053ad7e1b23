//! The thread: members of ours, with OpenMLS, and of mls-rs around a model chain, in this process. Each submits at most one commit at a
//! time, and the chain takes what is endorsed by its newest entry.

use super::{
	bytes::{bundle, lasts_for_ever},
	crypto::{seal, sign},
	member::{anybody, careless, member, payload_context},
	reader::Reader,
	statement::Statement,
};
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
	key_package, payload_hash,
	rpc::HexBytes,
	Endorsement, EntryBody, EventSignature, IdentityId, IdentityKey, OrderingKey, OrderingParameters,
};
use mls_rs::client_builder::MlsConfig;
use std::collections::BTreeSet;

const GENESIS: GenesisHash = GenesisHash([7; 32]);
const PARAMETERS: OrderingParameters = OrderingParameters {
	max_payload: 65_536,
	candidate_interval: 20,
	contest_window: 86_400,
	retention: 2_592_000,
	entry_budget: (1024, 1),
	byte_budget: (8_388_608, 4096),
};

fn seed(name: &str) -> [u8; 32] {
	payload_hash(name.as_bytes()).0
}

fn topic_of(bytes: &[u8]) -> [u8; 32] {
	Statement::read(bytes).expect("both read each other's statements").topic
}

struct Ours {
	client: SimulatedClient<Engine>,
	/// Where in the log it is to go on, if it follows it.
	next: Option<usize>,
	topics: BTreeSet<[u8; 32]>,
	heard: Vec<(Vec<u8>, Vec<u8>)>,
	skipped: usize,
}

fn ours(name: &str) -> Ours {
	let engine = Engine::new(name.as_bytes().to_vec(), &seed(name), GENESIS).unwrap();
	let client = SimulatedClient::open(&MemoryDisk::new(), engine, PARAMETERS, Upkeep::default(), 1).unwrap();
	Ours { client, next: None, topics: BTreeSet::new(), heard: Vec::new(), skipped: 0 }
}

fn theirs(name: &str) -> Reader<impl MlsConfig> {
	Reader::new(member(name.as_bytes(), &seed(name), GENESIS))
}

/// See the module.
struct Table<C: MlsConfig> {
	ours: Vec<Ours>,
	theirs: Vec<Reader<C>>,
	group: GroupId,
	cursor: LogCursor,
	entries: Vec<VerifiedEntry>,
	statements: Vec<Vec<u8>>,
}

impl<C: MlsConfig> Table<C> {
	/// The first of ours founds the group.
	fn new(mut ours: Vec<Ours>, theirs: Vec<Reader<C>>) -> Self {
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
	fn enter(&mut self, append: Append, endorsed_by: OrderingKey) {
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
	fn submit(&mut self, append: Append) -> bool {
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
	fn settle(&mut self) {
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
	fn pass(&mut self) {
		self.cursor.block += 1;
		let block = self.cursor.block;
		for ours in self.ours.iter_mut().filter(|ours| ours.next.is_some()) {
			ours.client.on_finalized(Finalized { block, entries: Vec::new(), closed: Vec::new(), complete: true });
		}
		self.settle();
	}

	fn ours_wants(&mut self, index: usize, intent: Intent) {
		self.ours[index].client.enqueue(&self.group, intent).unwrap();
		self.settle();
	}

	fn theirs_commits(&mut self, index: usize, key_packages: &[Vec<u8>]) {
		let append = self.theirs[index].commit(key_packages, None).unwrap();
		assert!(self.submit(append));
		self.settle();
	}

	/// All are in this epoch, and in the same state.
	fn agree_on(&self, epoch: u64) {
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
	fn talk(&mut self) {
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

fn add(packages: &[Vec<u8>]) -> Intent {
	Intent::Add(packages.iter().cloned().map(HexBytes).collect())
}

#[test]
fn a_key_package_of_mls_rs_keeps_the_rules_of_the_directory() {
	let identity = [5; 32];
	let member = member(&identity, &seed("mira"), GENESIS);
	let (package, _) = member.key_package().unwrap();
	assert!(package.len() <= key_package::MAX_KEY_PACKAGE as usize, "{}", package.len());
	assert!(lasts_for_ever(&package));
	let device = IdentityKey(super::crypto::public(&seed("mira")));
	let good = |key: &IdentityKey, text: &[u8], signature: &EventSignature| {
		VerifyingKey::from_bytes(&key.0).unwrap().verify_strict(text, &Signature::from_bytes(&signature.0)).is_ok()
	};
	key_package::read(&package, &IdentityId(identity), &device, good).unwrap();
	assert!(key_package::read(&package, &IdentityId([6; 32]), &device, good).is_err(), "it is of another person");
}

#[test]
fn members_of_two_implementations_go_through_the_same_epochs() {
	let (mut mira, mut nils) = (theirs("mira"), theirs("nils"));
	let packages = [mira.key_package().unwrap(), nils.key_package().unwrap()];
	let mut boris = ours("boris");
	let of_boris = boris.client.key_package().unwrap();
	let mut table = Table::new(vec![ours("anna"), boris], vec![mira, nils]);
	// Each side lets members of the other in, and one of its own.
	table.ours_wants(0, add(&packages[..1]));
	table.theirs_commits(0, &[of_boris]);
	table.theirs_commits(0, &packages[1..]);
	table.agree_on(3);
	table.talk();
	for round in 0..10 {
		match round % 4 {
			0 => table.ours_wants(0, Intent::Update),
			1 => table.theirs_commits(0, &[]),
			2 => table.ours_wants(1, Intent::Update),
			_ => table.theirs_commits(1, &[]),
		}
		table.agree_on(4 + round);
		table.talk();
	}
}

#[test]
fn both_pass_over_what_is_invalid_for_all() {
	let mut mira = theirs("mira");
	let package = mira.key_package().unwrap();
	let mut table = Table::new(vec![ours("anna")], vec![mira]);
	table.ours_wants(0, add(&[package]));
	table.agree_on(1);
	// Endorsed by a member, and no bundle; a commit under a key that is not its own; a commit of the epoch before.
	let good = table.theirs[0].commit(&[], None).unwrap();
	let keys = table.theirs[0].member.seat().unwrap().tip().clone();
	let endorsed = |payload: Vec<u8>, next_key: OrderingKey, group: GroupId| {
		let text = endorsement_payload(&GENESIS, &group, &keys.entry, &payload_hash(&payload), &next_key);
		let endorsement = Endorsement(sign(&keys.ordering_seed, &text).unwrap());
		Append { group, parent: keys.entry, payload, next_key, endorsement }
	};
	let context = payload_context(&table.group, &keys.entry);
	let empty = seal(&keys.payload, &context, &bundle(&[], &[])).unwrap();
	let tip = table.entries.last().unwrap().header.next_key;
	for bad in [
		endorsed(b"no AEAD".to_vec(), good.next_key, table.group),
		endorsed(empty, good.next_key, table.group),
		endorsed(good.payload.clone(), OrderingKey([9; 32]), table.group),
	] {
		table.enter(bad, tip);
		table.settle();
	}
	table.agree_on(1);
	assert_eq!((table.ours[0].skipped, table.theirs[0].skipped.len()), (3, 3), "{:?}", table.theirs[0].skipped);
	table.enter(good, tip);
	table.settle();
	table.agree_on(2);
	table.talk();
}

#[test]
fn who_leaves_is_taken_out_by_a_proposal_that_both_read() {
	let (mut mira, mut boris) = (theirs("mira"), ours("boris"));
	let packages = [mira.key_package().unwrap(), boris.client.key_package().unwrap()];
	let mut table = Table::new(vec![ours("anna"), boris], vec![mira]);
	table.ours_wants(0, add(&packages));
	table.agree_on(1);
	let group = table.group;
	table.ours[1].client.leave(&group).unwrap();
	for _ in 0..300 {
		table.pass();
	}
	table.ours.pop();
	table.agree_on(2);
	assert_eq!(table.theirs[0].member.seat().unwrap().members(), [b"anna".to_vec(), b"mira".to_vec()]);
	table.talk();
}

/// The rules of mls-rs's own provider for signatures are others, and would have led it into an epoch of its own.
#[test]
fn a_signature_by_a_key_of_small_order_is_valid_for_nobody() {
	let mut mira = theirs("mira");
	let package = mira.key_package().unwrap();
	let mut table = Table::new(vec![ours("anna")], vec![mira]);
	table.ours_wants(0, add(&[package]));
	// Somebody who takes such signatures adds somebody who makes them: the commit itself is as it should be.
	let (eve, _) = anybody(b"eve", GENESIS).key_package().unwrap();
	let mut mallory = Reader::new(careless(b"mallory", &seed("mallory"), GENESIS));
	let of_mallory = mallory.key_package().unwrap();
	table.theirs_commits(0, std::slice::from_ref(&of_mallory));
	table.entries.iter().for_each(|entry| mallory.on_entry(entry.clone()));
	for statement in table.statements.clone() {
		mallory.on_statement(&statement);
		mallory.go_on(|_, _| None).unwrap();
	}
	for statement in table.statements.clone() {
		mallory.on_statement(&statement);
	}
	mallory.go_on(|_, _| None).unwrap();
	table.agree_on(2);
	assert_eq!(mallory.member.epoch().unwrap().0, 2);
	let bad = mallory.commit(&[eve], None).expect("it takes the KeyPackage");
	assert!(table.submit(bad));
	mallory.on_entry(table.entries.last().unwrap().clone());
	mallory.go_on(|_, _| None).unwrap();
	table.settle();
	assert_eq!((table.ours[0].skipped, table.theirs[0].skipped.len()), (1, 1));
	table.agree_on(2);
	assert_eq!(mallory.member.epoch().unwrap().0, 3, "it is alone there");
}
