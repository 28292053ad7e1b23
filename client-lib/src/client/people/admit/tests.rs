//! A person with a computer in a group, and with a phone that is to come in.

mod failures;
mod others;
mod turns;
mod vouchers;

use super::{
	super::{ClaimVoucherFit, ClaimVouchersError, LookedUp, PoolCommand},
	*,
};
use crate::{
	client::{parameters::PARAMETERS, people::devices, Event, GroupState, Upkeep},
	directory::Seed,
	finality::{Finalized, Update},
	log::{EntryHeader, LogCursor, VerifiedEntry},
	mls::{AuthenticationService, Engine, EnvelopeKey, GroupData, KnownDevices, MemberDevice, SignerSeed},
	simulation::MemoryDisk,
	store::{Store, StoreKey},
	voucher::{HeldVoucher, Voucher, VoucherKind},
	Sponsor,
};
use lockstep_primitives::{
	extrinsic::{Append, SignedCall},
	key_package::ClaimedKeyPackage,
	payload_hash, BlockNumber, Endorsement, EntryBody, EntryHash, GenesisHash, IdentityId, OrderingKey,
};
use rand::{rngs::StdRng, SeedableRng};

const GENESIS: GenesisHash = GenesisHash([7; 32]);
const ANNA: IdentityId = IdentityId([1; 32]);
const COMPUTER: [u8; 32] = [11; 32];
const PHONE: [u8; 32] = [12; 32];
const TABLET: [u8; 32] = [13; 32];

fn key(seed: [u8; 32]) -> IdentityKey {
	Seed::new(seed).key()
}

fn engine(seed: [u8; 32]) -> Engine {
	Engine::new(ANNA.0.to_vec(), &seed, GENESIS).unwrap()
}

fn store(disk: &MemoryDisk) -> Store {
	Store::in_memory(disk, &StoreKey::from_bytes([0; 32])).unwrap()
}

fn open(disk: &MemoryDisk) -> Core<Engine> {
	let random = StdRng::seed_from_u64(1);
	Core::restore(store(disk), engine(COMPUTER), PARAMETERS, true, Upkeep::default(), random).unwrap()
}

/// A KeyPackage of a device, as it is claimed.
fn package(seed: [u8; 32]) -> ClaimedKeyPackage {
	let store = store(&MemoryDisk::new());
	let package = engine(seed).key_package(&store.overlay()).unwrap();
	ClaimedKeyPackage { device: key(seed), last_resort: false, bytes: package.bytes.try_into().unwrap() }
}

fn voucher(kind: VoucherKind) -> HeldVoucher {
	HeldVoucher::issue(&Sponsor::alice(), &GENESIS, kind, 0)
}

fn vouchers(count: usize) -> Vec<HeldVoucher> {
	(0..count).map(|_| voucher(VoucherKind::Claim)).collect()
}

/// The client on the computer, in a group of people of its own, and what it wanted done.
struct Computer {
	core: Core<Engine>,
	disk: MemoryDisk,
	group: GroupId,
	cursor: LogCursor,
	block: BlockNumber,
	/// How often the log of the person was read.
	read: BlockNumber,
	claims: Vec<OwnClaim>,
	/// Whose logs it wanted read.
	looks_up: Vec<IdentityId>,
	submitted: Option<Append>,
	events: Vec<Event>,
}

impl Computer {
	/// The computer is alone in its group, and has read nobody's log.
	fn alone() -> Self {
		let disk = MemoryDisk::new();
		let (core, group) = (open(&disk), GroupId([0; 32]));
		let cursor = LogCursor::start(&GENESIS, &group);
		let (claims, looks_up, events) = (Vec::new(), Vec::new(), Vec::new());
		let mut computer =
			Self { core, disk, group, cursor, block: 0, read: 0, claims, looks_up, submitted: None, events };
		computer.found();
		computer
	}

	/// The phone is in no group. The computer has so many vouchers.
	fn with_vouchers(count: usize) -> Self {
		let mut computer = Self::alone();
		assert_eq!(computer.keep(vouchers(count)), Ok(count));
		computer.knows(&[(0, &[COMPUTER, PHONE])], &[]);
		computer
	}

	/// Founds a group, which is the one that it goes on in.
	fn found(&mut self) {
		let data = GroupData { authentication: AuthenticationService::Directory, ..GroupData::default() };
		let (reply, _) = oneshot::channel();
		self.core.create(&data, None, reply);
		let found = self.core.take_actions().into_iter().find_map(|action| match action {
			Action::Create { call: SignedCall::CreateGroup { group, next_key, endorsement }, .. } => {
				Some((group, next_key, endorsement))
			}
			_ => None,
		});
		let (group, next_key, endorsement) = found.unwrap();
		(self.group, self.cursor) = (group, LogCursor::start(&GENESIS, &group));
		self.append(self.cursor.head.hash, Vec::new(), next_key, endorsement);
	}

	/// The person's log is read: from these blocks on it has these devices, and those have other keys by now.
	fn knows(&mut self, since: &[(BlockNumber, &[[u8; 32]])], rotated: &[([u8; 32], [u8; 32])]) {
		let keys = |seeds: &[[u8; 32]]| -> Vec<IdentityKey> { seeds.iter().map(|seed| key(*seed)).collect() };
		let since = since.iter().map(|(block, devices)| (*block, keys(devices))).collect();
		let rotated = rotated.iter().map(|(old, new)| (key(*old), key(*new))).collect();
		self.read += 1;
		let until = 100_000 + self.read;
		self.core.on_looked_up(LookedUp { person: ANNA, devices: KnownDevices { until, since, rotated } });
	}

	/// One with so many vouchers that has claimed.
	fn that_claims(count: usize) -> Self {
		let mut computer = Self::with_vouchers(count);
		computer.pass(1);
		assert_eq!(computer.claims.len(), 1);
		computer
	}

	fn reopen(&mut self) {
		self.core = open(&self.disk);
		self.claims.clear();
		self.events.clear();
	}

	fn finalize(&mut self, entries: Vec<(GroupId, VerifiedEntry)>) {
		self.block += 1;
		let finalized = Finalized { block: self.block, entries, closed: Vec::new(), complete: true };
		self.core.on_update(Update::Finalized(finalized));
		self.act();
	}

	fn pass(&mut self, blocks: BlockNumber) {
		(0..blocks).for_each(|_| self.finalize(Vec::new()));
	}

	/// So many blocks pass, of which only the last is heard of.
	fn jump(&mut self, blocks: BlockNumber) {
		self.block += blocks - 1;
		self.pass(1);
	}

	/// An entry that continues the log, in the next block.
	fn extend(
		&mut self,
		parent: EntryHash,
		payload: Vec<u8>,
		next_key: OrderingKey,
		endorsement: Endorsement,
	) -> (GroupId, VerifiedEntry) {
		let hash = payload_hash(&payload);
		let payload_len = u32::try_from(payload.len()).unwrap();
		let body = EntryBody { parent, payload_hash: hash, payload_len, next_key, endorsement };
		let (index, block) = (self.cursor.head.length, self.block + 1);
		let head = self.cursor.head.append(block, &body).unwrap();
		let header = EntryHeader { index, hash: head.hash, parent, block, payload_hash: hash, next_key };
		self.cursor = LogCursor { head, block };
		(self.group, VerifiedEntry { header, payload: Some(payload) })
	}

	/// Takes an entry into the log, in the next block.
	fn append(&mut self, parent: EntryHash, payload: Vec<u8>, next_key: OrderingKey, endorsement: Endorsement) {
		let entry = self.extend(parent, payload, next_key, endorsement);
		self.finalize(vec![entry]);
	}

	fn win(&mut self) {
		let Append { parent, payload, next_key, endorsement, .. } = self.submitted.take().unwrap();
		self.append(parent, payload, next_key, endorsement);
	}

	fn act(&mut self) {
		for action in self.core.take_actions() {
			match action {
				Action::Claim(claim) => self.claims.push(*claim),
				Action::LookUp { people, .. } => self.looks_up.extend(people),
				Action::Append { append, .. } => self.submitted = Some(append),
				Action::Report(event) => self.events.push(event),
				_ => {}
			}
		}
	}

	fn keep(&mut self, vouchers: Vec<HeldVoucher>) -> Result<usize, ClaimVouchersError> {
		let (reply, mut answer) = oneshot::channel();
		self.core.on_pool(PoolCommand::Keep(vouchers, reply));
		answer.try_recv().unwrap()
	}

	fn left(&mut self) -> usize {
		let (reply, mut answer) = oneshot::channel();
		self.core.on_pool(PoolCommand::Count(reply));
		answer.try_recv().unwrap().unwrap()
	}

	fn look_at(&mut self, vouchers: Vec<HeldVoucher>) -> Vec<ClaimVoucherFit> {
		let (reply, mut answer) = oneshot::channel();
		self.core.on_pool(PoolCommand::LookAt(vouchers, reply));
		answer.try_recv().unwrap().unwrap()
	}

	fn keep_fitting(
		&mut self,
		vouchers: Vec<HeldVoucher>,
	) -> Result<(Vec<ClaimVoucherFit>, usize), ClaimVouchersError> {
		let (reply, mut answer) = oneshot::channel();
		self.core.on_pool(PoolCommand::KeepFitting(vouchers, reply));
		answer.try_recv().unwrap()
	}

	fn list(&mut self) -> Vec<Voucher> {
		let (reply, mut answer) = oneshot::channel();
		self.core.on_pool(PoolCommand::List(reply));
		answer.try_recv().unwrap().unwrap()
	}

	fn is_bound(&self) -> bool {
		bound::in_use(&self.core.store.overlay(), &self.group).unwrap().is_some()
	}

	/// What came of the claim.
	fn answer(&mut self, outcome: Result<Vec<ClaimedKeyPackage>, NotClaimed>) {
		let claim = self.claims.pop().unwrap();
		let (target, block) = (ANNA, self.block);
		let outcome = outcome.map(|packages| Claimed { target, block, packages: packages.try_into().unwrap() });
		self.core.on_claimed(ClaimAnswer { group: claim.group, voucher: claim.voucher.voucher().key, outcome });
		self.act();
	}

	fn fail(&mut self, reason: NotAddedBecause, voucher: VoucherIs) {
		self.answer(Err(NotClaimed::Failed { reason, voucher }));
	}

	/// After how many blocks the next claim comes, if it does by then.
	fn claims_after(&mut self, most: BlockNumber) -> Option<BlockNumber> {
		assert!(self.claims.is_empty());
		(1..=most).find(|_| {
			self.pass(1);
			!self.claims.is_empty()
		})
	}

	/// How often it was told that the phone is not there, and why it does not come.
	fn told(&self) -> (usize, Vec<NotAddedBecause>) {
		let is_missing = |event: &&Event| matches!(event, Event::DeviceMissing { .. });
		let reason = |event: &Event| match event {
			Event::DeviceNotAdded { key: device, reason, .. } if *device == key(PHONE).0 => Some(reason.clone()),
			_ => None,
		};
		(self.events.iter().filter(is_missing).count(), self.events.iter().filter_map(reason).collect())
	}

	fn devices(&self) -> usize {
		self.core.status(&self.group).unwrap().devices.len()
	}
}

#[test]
fn a_voucher_is_bound_before_the_claim_and_is_the_same_after_a_restart() {
	let mut computer = Computer::that_claims(2);
	let claim = computer.claims[0].clone();
	assert_eq!((claim.group, claim.person, &claim.devices[..]), (computer.group, ANNA, &[key(PHONE)][..]));
	assert_eq!((computer.left(), computer.is_bound()), (1, true));
	for _ in 0..3 {
		computer.reopen();
		computer.pass(1);
		assert_eq!(computer.claims, std::slice::from_ref(&claim), "what it perhaps got it gets again");
		assert_eq!(computer.left(), 1);
	}
	computer.pass(2 * AGAIN);
	assert_eq!((computer.claims.len(), computer.told()), (1, (0, vec![])), "one at a time");
}

#[test]
fn nothing_is_claimed_with_a_voucher_that_could_not_be_bound() {
	let mut computer = Computer::with_vouchers(1);
	computer.disk.fail_writes(0, 1);
	computer.pass(1);
	computer.disk.fail_writes(0, 0);
	assert_eq!((computer.claims.len(), computer.left()), (0, 1));
	computer.pass(AGAIN);
	assert_eq!((computer.claims.len(), computer.left()), (1, 0));
}

#[test]
fn a_device_comes_in_once() {
	let mut computer = Computer::that_claims(2);
	computer.answer(Ok(vec![package(COMPUTER), package(PHONE)]));
	computer.pass(3);
	assert!(computer.claims.is_empty() && computer.is_bound());
	computer.win();
	let added = |event: &&Event| matches!(event, Event::DeviceAdded { key: device, .. } if *device == key(PHONE).0);
	assert_eq!((computer.events.iter().filter(added).count(), computer.devices()), (1, 2));
	computer.pass(3 * AGAIN);
	assert!(computer.claims.is_empty() && computer.submitted.is_none(), "it is there");
	assert_eq!((computer.left(), computer.is_bound(), computer.told()), (1, false, (0, vec![])));
}

#[test]
fn so_it_does_if_the_client_is_killed_while_its_commit_is_on_the_way() {
	let mut computer = Computer::that_claims(2);
	computer.answer(Ok(vec![package(PHONE)]));
	let submitted = computer.submitted.clone();
	computer.reopen();
	computer.pass(2);
	assert!(computer.claims.is_empty(), "the commit decides first");
	computer.submitted = submitted;
	computer.win();
	computer.pass(2 * AGAIN);
	assert_eq!((computer.claims.len(), computer.devices(), computer.is_bound()), (0, 2, false));
}

#[test]
fn an_answer_that_comes_too_late_adds_nothing() {
	let mut computer = Computer::that_claims(1);
	computer.knows(&[(0, &[COMPUTER, PHONE]), (1, &[COMPUTER])], &[]);
	computer.pass(1);
	assert!(!computer.is_bound(), "the phone was revoked");
	computer.answer(Ok(vec![package(PHONE)]));
	computer.pass(2 * AGAIN);
	assert!(computer.submitted.is_none() && computer.claims.is_empty());
}

#[test]
fn without_a_voucher_the_application_is_told_and_with_the_first_it_goes_on() {
	let mut computer = Computer::with_vouchers(0);
	computer.pass(3 * AGAIN);
	assert_eq!((computer.claims.len(), computer.told()), (0, (1, vec![])));
	assert_eq!(computer.keep(vouchers(1)), Ok(1));
	computer.pass(1);
	assert_eq!(computer.claims.len(), 1);
}

/// The phone was brought in, and taken out again.
fn with_phone_taken_out(damage: bool) -> Computer {
	let mut computer = Computer::that_claims(2);
	computer.answer(Ok(vec![package(PHONE)]));
	computer.win();
	let phone = MemberDevice { identity: HexBytes(ANNA.0.to_vec()), key: HexBytes(key(PHONE).0.to_vec()) };
	if damage {
		let overlay = computer.core.store.overlay();
		devices::count_spent(&overlay, &computer.group, &[key(TABLET)], 1).unwrap();
		overlay.commit().unwrap();
		assert_eq!(computer.core.store.damage("own devices of a group", Some(&[2, 0xff])), 1);
	}
	computer.core.commit(&computer.group, Intent::RemoveDevices(vec![phone]), false, None, None);
	computer.act();
	computer.win();
	assert_eq!(computer.devices(), 1);
	computer
}

#[test]
fn what_somebody_has_taken_out_stays_out() {
	let mut computer = with_phone_taken_out(false);
	computer.pass(2 * AGAIN);
	computer.reopen();
	computer.pass(2 * AGAIN);
	assert_eq!((computer.claims.len(), computer.left(), computer.told().0), (0, 1, 1));
	// By whatever key.
	computer.knows(&[(0, &[COMPUTER, PHONE]), (1, &[COMPUTER, [22; 32]])], &[(PHONE, [22; 32])]);
	computer.pass(2 * AGAIN);
	assert_eq!((computer.claims.len(), computer.left(), computer.told().0), (0, 1, 2));
}

#[test]
fn a_group_does_not_halt_for_what_it_remembers_of_devices() {
	let mut computer = with_phone_taken_out(true);
	computer.pass(2 * AGAIN);
	assert_eq!(computer.core.status(&computer.group).unwrap().state, GroupState::Active);
	computer.reopen();
	computer.pass(2 * AGAIN);
	assert_eq!((computer.claims.len(), computer.told().0), (0, 1), "what comes after is remembered");
}

#[test]
fn what_waits_to_be_added_by_itself_is_called_off() {
	let mut computer = Computer::that_claims(1);
	let intent = || Intent::AddClaimed {
		key_packages: Vec::new(),
		envelope_key: EnvelopeKey { seed: SignerSeed::new([1; 32]), until: 9 },
	};
	let id = computer.group;
	let waiting = |computer: &mut Computer| computer.core.groups.get(&id).unwrap().waiting.len();
	let group = computer.core.groups.get_mut(&id).unwrap();
	group.waiting.push_back(Operation::own(intent(), false));
	group.waiting.push_back(Operation::own(Intent::Update, false));
	group.waiting.push_back(Operation::asked(7, intent(), false, 0));
	assert_eq!(waiting(&mut computer), 3);
	computer.core.forget_own_adds(&id);
	assert_eq!(waiting(&mut computer), 2);
}
