//! Invitations to people whose KeyPackages were claimed: nothing that leads to them has the group's signature.

use super::parameters::PARAMETERS;
use crate::{
	delivery::statement::Statement,
	finality::Finalized,
	log::{EntryHeader, LogCursor, VerifiedEntry},
	mls::{Engine, EnvelopeKey, Intent, SignerSeed},
	rpc::StatementOutcome,
	simulation::{Action, MemoryDisk, SimulatedClient},
	Ended, Event, GenesisHash, GroupId, Upkeep,
};
use lockstep_primitives::{
	extrinsic::{Append, SignedCall},
	key_package::CLAIM_LIFE,
	payload_hash,
	rpc::HexBytes,
	BlockNumber, Endorsement, EntryBody, EntryHash, OrderingKey,
};

const GENESIS: GenesisHash = GenesisHash([7; 32]);
const UNTIL: BlockNumber = 50;

pub(super) fn engine(name: &str) -> Engine {
	let seed = *blake3::hash(name.as_bytes()).as_bytes();
	Engine::new(name.as_bytes().to_vec(), &seed, GENESIS).unwrap()
}

pub(super) fn open(name: &str, disk: &MemoryDisk) -> SimulatedClient<Engine> {
	SimulatedClient::open(disk, engine(name), PARAMETERS, Upkeep::default(), 1).unwrap()
}

fn envelope_key() -> EnvelopeKey {
	EnvelopeKey { seed: SignerSeed::new([42; 32]), until: UNTIL }
}

/// A group of one, and its log.
pub(super) struct Founder {
	pub client: SimulatedClient<Engine>,
	disk: MemoryDisk,
	pub group: GroupId,
	cursor: LogCursor,
	pub log: Vec<VerifiedEntry>,
	/// Statements that were handed to a node, by their numbers.
	posted: Vec<(u64, Statement)>,
	/// The same, as bytes.
	pub sent: Vec<Vec<u8>>,
	submitted: Option<Append>,
	ended: Vec<Ended>,
}

impl Founder {
	pub fn new() -> Self {
		let disk = MemoryDisk::new();
		let mut client = open("founder", &disk);
		client.create();
		let found = client.take_actions().into_iter().find_map(|action| match action {
			Action::Create { call: SignedCall::CreateGroup { group, next_key, endorsement }, .. } => {
				Some((group, next_key, endorsement))
			}
			_ => None,
		});
		let (group, next_key, endorsement) = found.unwrap();
		let cursor = LogCursor::start(&GENESIS, &group);
		let (log, posted, sent, ended) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
		let mut founder = Self { client, disk, group, cursor, log, posted, sent, submitted: None, ended };
		founder.append(cursor.head.hash, Vec::new(), next_key, endorsement);
		founder
	}

	/// Takes an entry into the log, in the next block.
	pub fn append(&mut self, parent: EntryHash, payload: Vec<u8>, next_key: OrderingKey, endorsement: Endorsement) {
		let hash = payload_hash(&payload);
		let payload_len = u32::try_from(payload.len()).unwrap();
		let body = EntryBody { parent, payload_hash: hash, payload_len, next_key, endorsement };
		let (index, block) = (self.cursor.head.length, self.cursor.block + 1);
		let head = self.cursor.head.append(block, &body).unwrap();
		let header = EntryHeader { index, hash: head.hash, parent, block, payload_hash: hash, next_key };
		self.cursor = LogCursor { head, block };
		let entry = VerifiedEntry { header, payload: Some(payload) };
		self.log.push(entry.clone());
		let entries = vec![(self.group, entry)];
		self.client.on_finalized(Finalized { block, entries, closed: Vec::new(), complete: true });
		self.act();
	}

	fn pass(&mut self, block: BlockNumber) {
		self.client.on_finalized(Finalized { block, entries: Vec::new(), closed: Vec::new(), complete: true });
		self.act();
	}

	pub fn act(&mut self) {
		for action in self.client.take_actions() {
			match action {
				Action::Append { append, .. } => self.submitted = Some(append),
				Action::Post { number, statement } => {
					self.posted.push((number, Statement::decode(&statement).unwrap()));
					self.sent.push(statement);
				}
				Action::Report(Event::IntentEnded { ended, .. }) => self.ended.push(ended),
				_ => {}
			}
		}
	}

	/// Wants the owners of KeyPackages in the group: of these as they were claimed, of those as they were handed over.
	pub fn want(&mut self, claimed: &[Vec<u8>], handed: &[Vec<u8>]) {
		let hex = |list: &[Vec<u8>]| list.iter().cloned().map(HexBytes).collect();
		let (group, envelope_key) = (self.group, envelope_key());
		self.client.enqueue(&group, Intent::AddClaimed { key_packages: hex(claimed), envelope_key }).unwrap();
		if !handed.is_empty() {
			self.act();
			self.win();
			self.client.enqueue(&group, Intent::Add(hex(handed))).unwrap();
		}
		self.act();
	}

	pub fn win(&mut self) {
		let Append { parent, payload, next_key, endorsement, .. } = self.submitted.take().unwrap();
		self.append(parent, payload, next_key, endorsement);
	}

	/// Who has signed what lies in a mailbox, and the numbers of that in the outbox.
	fn signers(&self, mailbox: &[u8; 32]) -> Vec<(u64, [u8; 32])> {
		let here = self.posted.iter().filter(|(_, statement)| statement.topic == *mailbox);
		here.map(|(number, statement)| (*number, statement.signer)).collect()
	}
}

/// A KeyPackage, and the topic of its mailbox.
fn package(name: &str) -> (Vec<u8>, [u8; 32]) {
	let mut client = open(name, &MemoryDisk::new());
	let bytes = client.key_package().unwrap();
	let mailbox = client.take_actions().into_iter().find_map(|action| match action {
		Action::Watch(topic) => Some(topic),
		_ => None,
	});
	(bytes, mailbox.unwrap())
}

#[test]
fn the_group_signs_nothing_that_leads_from_a_claim_to_it() {
	let mut founder = Founder::new();
	let ((one, mailbox_of_one), (two, mailbox_of_two)) = (package("one"), package("two"));
	founder.want(&[one], &[two]);
	founder.win();
	let claim = envelope_key().public();
	let [(_, signer)] = founder.signers(&mailbox_of_one)[..] else { panic!("one envelope") };
	assert_eq!(signer, claim);
	let [(_, signer)] = founder.signers(&mailbox_of_two)[..] else { panic!("one envelope") };
	assert_ne!(signer, claim, "nobody has paid for the other");
	let by_claim = founder.posted.iter().filter(|(_, statement)| statement.signer == claim);
	assert_eq!(by_claim.count(), 1, "nor is anything else signed by the claim's key");
}

#[test]
fn whatever_nodes_say_no_other_key_signs_instead() {
	let mut founder = Founder::new();
	let (one, mailbox) = package("one");
	founder.want(&[one], &[]);
	founder.win();
	let claim = envelope_key().public();
	let outcomes = [
		Some(StatementOutcome::Later("noAllowance".into())),
		Some(StatementOutcome::Expired),
		Some(StatementOutcome::Full { min_expiry: 1 << 40 }),
		None,
	];
	let mut block = founder.cursor.block;
	for outcome in outcomes.into_iter().cycle().take(12) {
		let (number, _) = *founder.signers(&mailbox).last().unwrap();
		founder.client.on_posted(number, outcome);
		founder.act();
		let before = founder.signers(&mailbox).len();
		while founder.signers(&mailbox).len() == before && block < UNTIL + 200 {
			block += 1;
			founder.pass(block);
		}
	}
	let signers = founder.signers(&mailbox);
	assert!(signers.len() > 6, "{signers:?}");
	assert!(signers.iter().all(|(_, signer)| *signer == claim));
	// The key has no allowance any more, whatever happens: it is given up.
	let (number, _) = *signers.last().unwrap();
	founder.client.on_posted(number, None);
	founder.act();
	let posted = founder.signers(&mailbox).len();
	(1..40).for_each(|later| founder.pass(UNTIL + CLAIM_LIFE + later));
	assert_eq!(founder.signers(&mailbox).len(), posted);
}

#[test]
fn a_claim_that_is_too_old_is_not_begun() {
	let mut founder = Founder::new();
	let (one, _) = package("one");
	founder.pass(UNTIL);
	founder.want(std::slice::from_ref(&one), &[]);
	assert!(founder.submitted.is_some(), "in the last block it is");
	let mut founder = Founder::new();
	founder.pass(UNTIL + 1);
	founder.want(&[one], &[]);
	assert_eq!((founder.submitted.is_none(), founder.ended.len()), (true, 1));
	assert!(matches!(&founder.ended[0], Ended::Failed { reason } if reason.contains("claim new ones")));
}

#[test]
fn the_key_is_still_there_after_a_restart() {
	let mut founder = Founder::new();
	let (one, mailbox) = package("one");
	founder.want(&[one], &[]);
	founder.win();
	let [(_, signer)] = founder.signers(&mailbox)[..] else { panic!("one envelope") };
	founder.posted.clear();
	founder.client = open("elsewhere", &MemoryDisk::new());
	founder.client = open("founder", &founder.disk);
	founder.pass(founder.cursor.block + 1);
	let [(number, again)] = founder.signers(&mailbox)[..] else { panic!("it was in no node") };
	assert_eq!(again, signer);
	founder.client.on_posted(number, Some(StatementOutcome::Expired));
	founder.act();
	(2..40).for_each(|later| founder.pass(founder.cursor.block + later));
	assert!(founder.signers(&mailbox).iter().all(|(_, signer)| *signer == envelope_key().public()));
}
