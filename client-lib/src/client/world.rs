//! Anna, Bert, and whoever comes in later, on one log and one node: for tests of what becomes of them when a store is damaged.

use super::{claimed::engine, parameters::PARAMETERS, GroupState};
use crate::{
	delivery::statement::Statement,
	finality::Finalized,
	log::{EntryHeader, LogCursor, VerifiedEntry},
	mls::{Engine, Intent},
	rpc::StatementOutcome,
	simulation::{Action, SimulatedClient},
	store::{Store, StoreKey},
	Event, GenesisHash, GroupId, Upkeep,
};
use lockstep_primitives::{
	extrinsic::{Append, SignedCall},
	payload_hash,
	rpc::HexBytes,
	BlockNumber, Endorsement, EntryBody, EntryHash, OrderingKey,
};
use std::collections::BTreeSet;
use tempfile::TempDir;

const GENESIS: GenesisHash = GenesisHash([7; 32]);
pub(super) const ANNA: usize = 0;
pub(super) const BERT: usize = 1;
/// The keys of epochs, with which statements are signed.
pub(super) const KEYS: &str = "epoch keys";
/// No value of any format.
pub(super) const BROKEN: &[u8] = b"\x01\"";

pub(super) fn key() -> StoreKey {
	StoreKey::from_bytes([0; 32])
}

pub(super) struct Member {
	pub name: &'static str,
	pub folder: TempDir,
	/// `None` while it is closed.
	pub client: Option<SimulatedClient<Engine>>,
	/// From which entry on it follows the log.
	pub follows: Option<u64>,
	pub watches: BTreeSet<[u8; 32]>,
	pub told: Vec<Event>,
}

impl Member {
	fn new(name: &'static str) -> Self {
		let (folder, told) = (tempfile::tempdir().unwrap(), Vec::new());
		Self { name, folder, client: None, follows: None, watches: BTreeSet::new(), told }
	}
}

/// Anna's group with Bert in it, its log, and a node with statements.
pub(super) struct World {
	pub members: Vec<Member>,
	pub group: GroupId,
	pub cursor: LogCursor,
	pub log: Vec<VerifiedEntry>,
	pub pool: Vec<Append>,
	pub statements: Vec<Vec<u8>>,
	pub block: BlockNumber,
	/// No statement that is handed to the node arrives.
	pub deaf: bool,
	/// No commit of Bert's does.
	pub loses: bool,
	/// Of the next client that is opened.
	pub seed: u64,
	/// Of clients that are opened from now on.
	pub upkeep: Upkeep,
}

fn topic(statement: &[u8]) -> [u8; 32] {
	Statement::decode(statement).unwrap().topic
}

impl World {
	pub fn new() -> Self {
		let group = GroupId([0; 32]);
		let mut world = Self {
			members: vec![Member::new("anna"), Member::new("bert")],
			group,
			cursor: LogCursor::start(&GENESIS, &group),
			log: Vec::new(),
			pool: Vec::new(),
			statements: Vec::new(),
			block: 1,
			deaf: false,
			loses: false,
			seed: 0,
			upkeep: Upkeep::default(),
		};
		world.open(ANNA);
		world.open(BERT);
		world.client(ANNA).create();
		world.serve();
		world.until("the group", |world| world.count(ANNA, |event| matches!(event, Event::Created { .. })) == 1);
		let package = world.client(BERT).key_package().unwrap();
		let group = world.group;
		world.client(ANNA).enqueue(&group, Intent::Add(vec![HexBytes(package)])).unwrap();
		world.until("joining", |world| world.joined(BERT) == 1);
		world
	}

	/// Somebody else is there, and in no group; gives where.
	pub fn meet(&mut self, name: &'static str) -> usize {
		self.members.push(Member::new(name));
		let at = self.members.len() - 1;
		self.open(at);
		at
	}

	pub fn open(&mut self, at: usize) {
		self.seed += 1;
		let member = &mut self.members[at];
		let (folder, engine) = (member.folder.path(), engine(member.name));
		let client = SimulatedClient::open_in(folder, &key(), engine, PARAMETERS, self.upkeep, self.seed);
		member.client = Some(client.unwrap());
		self.serve();
	}

	pub fn close(&mut self, at: usize) {
		let member = &mut self.members[at];
		(member.client, member.follows) = (None, None);
		member.watches.clear();
	}

	/// Damages the records of a kind in the store of a client that is closed meanwhile.
	pub fn damage_closed(&mut self, at: usize, kind: &'static str, with: Option<&[u8]>) {
		self.close(at);
		let store = Store::open(self.members[at].folder.path(), &key()).unwrap();
		assert!(store.damage(kind, with) > 0, "there is a {kind}");
		drop(store);
		self.open(at);
	}

	pub fn client(&mut self, at: usize) -> &mut SimulatedClient<Engine> {
		self.members[at].client.as_mut().unwrap()
	}

	/// Does what the clients ask for, until they ask for nothing more.
	pub fn serve(&mut self) {
		for _ in 0..1000 {
			let mut is_quiet = true;
			for at in 0..self.members.len() {
				let actions = self.members[at].client.as_mut().map(SimulatedClient::take_actions).unwrap_or_default();
				for action in actions {
					is_quiet = false;
					self.carry_out(at, action);
				}
			}
			if is_quiet {
				return;
			}
		}
		panic!("they ask for more and more");
	}

	pub fn carry_out(&mut self, at: usize, action: Action) {
		match action {
			Action::Follow(_, from) => self.members[at].follows = Some(from.head.length),
			Action::Forget(_) => self.members[at].follows = None,
			Action::Watch(wanted) | Action::WatchAside(wanted) => {
				self.members[at].watches.insert(wanted);
				let stored: Vec<Vec<u8>> =
					self.statements.iter().filter(|bytes| topic(bytes) == wanted).cloned().collect();
				stored.iter().for_each(|bytes| self.client(at).on_statement(bytes));
			}
			Action::Unwatch(wanted) => {
				self.members[at].watches.remove(&wanted);
			}
			Action::Post { number, statement } => {
				let outcome = (!self.deaf).then_some(StatementOutcome::Stored);
				if !self.deaf && !self.statements.contains(&statement) {
					let place = topic(&statement);
					for member in self.members.iter_mut().filter(|member| member.watches.contains(&place)) {
						member.client.iter_mut().for_each(|client| client.on_statement(&statement));
					}
					self.statements.push(statement);
				}
				self.client(at).on_posted(number, outcome);
			}
			Action::Append { append, .. } if at == ANNA || !self.loses => self.pool.push(append),
			Action::Create { call: SignedCall::CreateGroup { group, next_key, endorsement }, .. }
				if self.log.is_empty() =>
			{
				(self.group, self.cursor) = (group, LogCursor::start(&GENESIS, &group));
				self.append(self.cursor.head.hash, Vec::new(), next_key, endorsement);
			}
			Action::Report(event) => self.members[at].told.push(event),
			_ => {}
		}
	}

	/// Takes an entry into the log, in the newest block.
	pub fn append(&mut self, parent: EntryHash, payload: Vec<u8>, next_key: OrderingKey, endorsement: Endorsement) {
		let hash = payload_hash(&payload);
		let payload_len = u32::try_from(payload.len()).unwrap();
		let body = EntryBody { parent, payload_hash: hash, payload_len, next_key, endorsement };
		let (index, block) = (self.cursor.head.length, self.block);
		let head = self.cursor.head.append(block, &body).unwrap();
		let header = EntryHeader { index, hash: head.hash, parent, block, payload_hash: hash, next_key };
		self.cursor = LogCursor { head, block };
		self.log.push(VerifiedEntry { header, payload: Some(payload) });
	}

	/// So many blocks pass; the last one has what was submitted.
	pub fn blocks(&mut self, count: BlockNumber) {
		self.block += count;
		for Append { parent, payload, next_key, endorsement, .. } in std::mem::take(&mut self.pool) {
			self.append(parent, payload, next_key, endorsement);
		}
		let length = self.log.len();
		for member in &mut self.members {
			let Some(client) = &mut member.client else { continue };
			let from = member.follows.map_or(length, |from| usize::try_from(from).unwrap());
			let entries = self.log[from..].iter().map(|entry| (self.group, entry.clone())).collect();
			member.follows = member.follows.and(u64::try_from(length).ok());
			client.on_finalized(Finalized { block: self.block, entries, closed: Vec::new(), complete: true });
		}
		self.serve();
	}

	pub fn until(&mut self, what: &str, there: impl Fn(&Self) -> bool) {
		for _ in 0..300 {
			if there(self) {
				return;
			}
			self.blocks(1);
		}
		let told: Vec<&Vec<Event>> = self.members.iter().map(|member| &member.told).collect();
		panic!("{what} did not come: {told:?}");
	}

	pub fn count(&self, at: usize, wanted: impl Fn(&Event) -> bool) -> usize {
		self.members[at].told.iter().filter(|event| wanted(event)).count()
	}

	pub fn joined(&self, at: usize) -> usize {
		self.count(at, |event| matches!(event, Event::Joined { .. }))
	}

	pub fn heard(&self, at: usize, said: &[u8]) -> bool {
		self.count(at, |event| matches!(event, Event::Message { data, .. } if data == said)) == 1
	}

	pub fn stands(&self, at: usize) -> Option<GroupState> {
		let client = self.members[at].client.as_ref()?;
		client.status(&self.group).ok().map(|status| status.state)
	}

	/// Each hears the other.
	pub fn talk(&mut self, text: &str) {
		let group = self.group;
		for at in [ANNA, BERT] {
			let said = format!("{text} of {at}").into_bytes();
			self.client(at).send(&group, &said).unwrap();
			self.until(text, |world| world.heard(1 - at, &said));
		}
	}
}
