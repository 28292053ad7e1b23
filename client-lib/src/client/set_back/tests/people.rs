//! An invitation to a group of people that was set back before their logs were asked for.

use super::{finalized, RETRY};
use crate::{
	client::{
		action::Action, command::Command, core::Core, parameters::PARAMETERS, people::LookedUp, set_back::SetBack,
		Event, Upkeep,
	},
	directory::Seed,
	finality::{Finalized, Update},
	log::{EntryHeader, LogCursor, VerifiedEntry},
	mls::{AuthenticationService, Engine, GroupData, Intent, KnownDevices},
	simulation::MemoryDisk,
	store::{Store, StoreKey},
};
use lockstep_primitives::{
	extrinsic::{Append, SignedCall},
	payload_hash,
	rpc::HexBytes,
	BlockNumber, EntryBody, GenesisHash, GroupId, IdentityId,
};
use rand::{rngs::StdRng, SeedableRng};
use std::collections::BTreeMap;
use tokio::sync::oneshot;

const GENESIS: GenesisHash = GenesisHash([7; 32]);
const ANNA: IdentityId = IdentityId([1; 32]);
const BERT: IdentityId = IdentityId([2; 32]);
/// The block of the entry that Bert is invited to.
const INVITED: BlockNumber = 2;

fn open(person: IdentityId, disk: &MemoryDisk) -> Core<Engine> {
	let store = Store::in_memory(disk, &StoreKey::from_bytes([0; 32])).unwrap();
	let engine = Engine::new(person.0.to_vec(), &person.0, GENESIS).unwrap();
	Core::restore(store, engine, PARAMETERS, true, Upkeep::default(), StdRng::seed_from_u64(1)).unwrap()
}

/// What is in a person's log.
fn log_of(person: IdentityId, until: BlockNumber) -> LookedUp {
	let since = vec![(0, vec![Seed::new(person.0).key()])];
	LookedUp { person, devices: KnownDevices { until, since, rotated: Vec::new() } }
}

/// What comes next in a group's log, in the next block.
fn next(cursor: &mut LogCursor, body: &EntryBody, payload: Vec<u8>) -> VerifiedEntry {
	let EntryBody { parent, payload_hash, next_key, .. } = *body;
	let (index, block) = (cursor.head.length, cursor.block + 1);
	let head = cursor.head.append(block, body).unwrap();
	*cursor = LogCursor { head, block };
	let header = EntryHeader { index, hash: head.hash, parent, block, payload_hash, next_key };
	VerifiedEntry { header, payload: Some(payload) }
}

fn tell(core: &mut Core<Engine>, group: GroupId, entry: VerifiedEntry) {
	let block = entry.header.block;
	core.on_update(Update::Finalized(Finalized { entries: vec![(group, entry)], ..finalized(block) }));
}

/// Anna's group of people, with Bert in it: its id, its log, and what was posted.
fn invited(key_package: Vec<u8>) -> (GroupId, Vec<VerifiedEntry>, Vec<Vec<u8>>) {
	let mut anna = open(ANNA, &MemoryDisk::new());
	[ANNA, BERT].into_iter().for_each(|person| anna.on_looked_up(log_of(person, 1000)));
	let data = GroupData { authentication: AuthenticationService::Directory, ..GroupData::default() };
	let (reply, _) = oneshot::channel();
	anna.create(&data, None, reply);
	let founded = anna.take_actions().into_iter().find_map(|action| match action {
		Action::Create { call: SignedCall::CreateGroup { group, next_key, endorsement }, .. } => {
			Some((group, next_key, endorsement))
		}
		_ => None,
	});
	let (group, next_key, endorsement) = founded.unwrap();
	let mut cursor = LogCursor::start(&GENESIS, &group);
	let parent = cursor.head.hash;
	let body = EntryBody { parent, payload_hash: payload_hash(&[]), payload_len: 0, next_key, endorsement };
	let first = next(&mut cursor, &body, Vec::new());
	tell(&mut anna, group, first.clone());

	anna.commit(&group, Intent::Add(vec![HexBytes(key_package)]), false, None, None);
	let submitted = anna.take_actions().into_iter().find_map(|action| match action {
		Action::Append { append, .. } => Some(append),
		_ => None,
	});
	let Append { parent, payload, next_key, endorsement, .. } = submitted.unwrap();
	let payload_len = u32::try_from(payload.len()).unwrap();
	let body = EntryBody { parent, payload_hash: payload_hash(&payload), payload_len, next_key, endorsement };
	let second = next(&mut cursor, &body, payload);
	assert_eq!(second.header.block, INVITED);
	tell(&mut anna, group, second.clone());
	let posted = anna.take_actions().into_iter().filter_map(|action| match action {
		Action::Post { statement, .. } => Some(statement),
		_ => None,
	});
	(group, vec![first, second], posted.collect())
}

/// Bert, who is invited, and whose disk gives nothing back when the entry of that comes.
struct Bert {
	core: Core<Engine>,
	disk: MemoryDisk,
	block: BlockNumber,
	/// How often whose log was asked for.
	asked: BTreeMap<IdentityId, usize>,
	has_joined: bool,
}

impl Bert {
	fn new() -> Self {
		let disk = MemoryDisk::new();
		let mut core = open(BERT, &disk);
		let (reply, mut answer) = oneshot::channel();
		core.on_command(Command::KeyPackage(reply));
		let (group, log, posted) = invited(answer.try_recv().unwrap().unwrap());
		// A node gives the letter when the envelope has named it.
		posted.iter().chain(&posted).for_each(|statement| core.on_statement(statement));
		let [first, second] = <[VerifiedEntry; 2]>::try_from(log).unwrap();
		tell(&mut core, group, first);
		disk.fail_reads(0, u64::MAX);
		tell(&mut core, group, second);
		disk.fail_reads(0, 0);
		assert_eq!(core.set_back.invited().count(), 1);
		let mut bert = Self { core, disk, block: INVITED, asked: BTreeMap::new(), has_joined: false };
		bert.act();
		assert!(bert.asked.is_empty() && !bert.has_joined);
		bert
	}

	fn act(&mut self) {
		for action in self.core.take_actions() {
			match action {
				Action::LookUp { people, .. } => {
					people.into_iter().for_each(|person| *self.asked.entry(person).or_default() += 1);
				}
				Action::Report(Event::Joined { .. }) => self.has_joined = true,
				_ => {}
			}
		}
	}

	/// It is tried so often.
	fn tries(&mut self, times: BlockNumber) {
		for _ in 0..times * RETRY {
			self.block += 1;
			self.core.on_update(Update::Finalized(finalized(self.block)));
			self.act();
		}
	}

	fn looked_up(&mut self, looked_up: LookedUp) {
		self.core.on_looked_up(looked_up);
		self.act();
	}
}

fn once() -> BTreeMap<IdentityId, usize> {
	[(ANNA, 1), (BERT, 1)].into()
}

#[test]
fn the_log_of_a_person_is_asked_for_once() {
	let mut bert = Bert::new();
	bert.tries(5);
	assert_eq!(bert.asked, once());
	// Somebody else has needed it up to where she was not on the chain yet.
	let mut early = log_of(ANNA, INVITED - 1);
	early.devices.since.clear();
	bert.looked_up(early);
	bert.tries(2);
	assert_eq!(bert.asked, once(), "what was asked for is still to come");
	bert.looked_up(log_of(ANNA, 1000));
	bert.looked_up(log_of(BERT, 1000));
	bert.tries(1);
	assert!(bert.has_joined);
}

#[test]
fn what_was_read_and_cannot_be_stored_is_not_asked_for_again() {
	let mut bert = Bert::new();
	bert.tries(2);
	bert.disk.fail_writes(0, u64::MAX);
	bert.looked_up(log_of(ANNA, 1000));
	bert.looked_up(log_of(BERT, 1000));
	bert.tries(3);
	assert_eq!(bert.asked, once());
	bert.disk.fail_writes(0, 0);
	bert.tries(1);
	assert!(bert.has_joined);
}

#[test]
fn of_what_was_read_of_a_person_what_goes_further_is_kept() {
	let mut set_back = SetBack::default();
	for until in [90, 100, 80] {
		set_back.add_person(log_of(ANNA, until));
	}
	let kept: Vec<BlockNumber> = set_back.people.iter().map(|kept| kept.devices.until).collect();
	assert_eq!(kept, [100]);
}
