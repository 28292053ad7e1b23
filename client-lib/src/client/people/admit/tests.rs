//! A person with a computer in a group, and with a phone that is to come in.

use super::{
	super::{ClaimVouchersError, LookedUp, PoolCommand},
	*,
};
use crate::{
	client::{parameters::PARAMETERS, Upkeep},
	directory::Seed,
	finality::{Finalized, Update},
	log::{EntryHeader, LogCursor, VerifiedEntry},
	mls::{AuthenticationService, Engine, GroupData, KnownDevices},
	simulation::MemoryDisk,
	store::{Store, StoreKey},
	voucher::{HeldVoucher, VoucherKind, VoucherRefusal},
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
	claims: Vec<OwnClaim>,
	submitted: Option<Append>,
	events: Vec<Event>,
}

impl Computer {
	/// The phone is in no group. The computer has so many vouchers.
	fn with_vouchers(count: usize) -> Self {
		let disk = MemoryDisk::new();
		let mut core = open(&disk);
		let data = GroupData { authentication: AuthenticationService::Directory, ..GroupData::default() };
		let (reply, _) = oneshot::channel();
		core.create(&data, None, reply);
		let found = core.take_actions().into_iter().find_map(|action| match action {
			Action::Create { call: SignedCall::CreateGroup { group, next_key, endorsement }, .. } => {
				Some((group, next_key, endorsement))
			}
			_ => None,
		});
		let (group, next_key, endorsement) = found.unwrap();
		let cursor = LogCursor::start(&GENESIS, &group);
		let (claims, events) = (Vec::new(), Vec::new());
		let mut computer = Self { core, disk, group, cursor, block: 0, claims, submitted: None, events };
		computer.append(cursor.head.hash, Vec::new(), next_key, endorsement);
		assert_eq!(computer.keep(vouchers(count)), Ok(count));
		let since = vec![(0, vec![key(COMPUTER), key(PHONE)])];
		let devices = KnownDevices { until: 10_000, since, rotated: Vec::new() };
		computer.core.on_looked_up(LookedUp { person: ANNA, devices });
		computer
	}

	/// The same, after it has claimed.
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

	/// Takes an entry into the log, in the next block.
	fn append(&mut self, parent: EntryHash, payload: Vec<u8>, next_key: OrderingKey, endorsement: Endorsement) {
		let hash = payload_hash(&payload);
		let payload_len = u32::try_from(payload.len()).unwrap();
		let body = EntryBody { parent, payload_hash: hash, payload_len, next_key, endorsement };
		let (index, block) = (self.cursor.head.length, self.block + 1);
		let head = self.cursor.head.append(block, &body).unwrap();
		let header = EntryHeader { index, hash: head.hash, parent, block, payload_hash: hash, next_key };
		self.cursor = LogCursor { head, block };
		self.finalize(vec![(self.group, VerifiedEntry { header, payload: Some(payload) })]);
	}

	fn win(&mut self) {
		let Append { parent, payload, next_key, endorsement, .. } = self.submitted.take().unwrap();
		self.append(parent, payload, next_key, endorsement);
	}

	fn act(&mut self) {
		for action in self.core.take_actions() {
			match action {
				Action::Claim(claim) => self.claims.push(*claim),
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

	fn is_bound(&self) -> bool {
		pool::in_use(&self.core.store.overlay(), &self.group).unwrap().is_some()
	}

	/// What came of the claim.
	fn answer(&mut self, outcome: Result<Vec<ClaimedKeyPackage>, NotClaimed>) {
		let claim = self.claims.pop().unwrap();
		let (target, block) = (ANNA, self.block);
		let outcome = outcome.map(|packages| Claimed { target, block, packages: packages.try_into().unwrap() });
		self.core.on_claimed(ClaimAnswer { group: self.group, voucher: claim.voucher.voucher().key, outcome });
		self.act();
	}

	fn fail(&mut self, reason: NotAddedBecause, spent: bool) {
		self.answer(Err(NotClaimed::Failed { reason, spent }));
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
fn only_vouchers_for_claims_are_kept_each_once_and_until_they_expire() {
	let mut computer = Computer::with_vouchers(0);
	let other = vec![voucher(VoucherKind::Claim), voucher(VoucherKind::CreateGroup)];
	assert_eq!(computer.keep(other), Err(ClaimVouchersError::OtherKind(VoucherKind::CreateGroup)));
	assert_eq!(computer.left(), 0, "none was kept");
	let one = voucher(VoucherKind::Claim);
	assert_eq!(computer.keep(vec![one.clone(), one.clone()]), Ok(1));
	assert_eq!(computer.keep(vec![one.clone()]), Ok(1));
	assert_eq!(computer.keep(vouchers(256)), Err(ClaimVouchersError::Full { max: 256 }));
	assert_eq!(computer.left(), 1);
	computer.core.finalized = one.voucher().expiry;
	assert_eq!((computer.left(), computer.keep(vec![one])), (0, Ok(0)));
	assert!(pool::free(&computer.core.store.overlay(), 0).unwrap().is_empty(), "it is deleted");
}

#[test]
fn one_that_is_in_use_is_not_kept_again() {
	let mut computer = Computer::that_claims(1);
	let same = computer.claims[0].voucher.clone();
	assert_eq!(computer.keep(vec![same]), Ok(0));
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
	let since = vec![(0, vec![key(COMPUTER), key(PHONE)]), (1, vec![key(COMPUTER)])];
	let devices = KnownDevices { until: 20_000, since, rotated: Vec::new() };
	computer.core.on_looked_up(LookedUp { person: ANNA, devices });
	computer.pass(1);
	assert!(!computer.is_bound(), "the phone was revoked");
	computer.answer(Ok(vec![package(PHONE)]));
	computer.pass(2 * AGAIN);
	assert!(computer.submitted.is_none() && computer.claims.is_empty());
}

#[test]
fn a_failure_is_told_once_and_tried_again() {
	let mut computer = Computer::that_claims(2);
	for _ in 0..2 {
		computer.fail(NotAddedBecause::GateClosed, false);
		assert_eq!((computer.left(), computer.is_bound()), (2, false), "it was not spent");
		assert_eq!(computer.told(), (0, vec![NotAddedBecause::GateClosed]));
		computer.pass(AGAIN - 1);
		assert!(computer.claims.is_empty());
		computer.pass(1);
		assert_eq!((computer.claims.len(), computer.left()), (1, 1));
	}
	let spent = NotAddedBecause::Voucher(VoucherRefusal::Spent);
	computer.fail(spent.clone(), true);
	assert_eq!((computer.left(), computer.is_bound()), (1, false));
	computer.pass(AGAIN);
	// This claim gives nothing of the phone.
	computer.answer(Ok(vec![package(COMPUTER)]));
	assert_eq!((computer.left(), computer.submitted.is_none()), (0, true));
	let reasons = vec![NotAddedBecause::GateClosed, spent, NotAddedBecause::OtherDevices];
	assert_eq!(computer.told(), (0, reasons));
	computer.pass(AGAIN);
	assert_eq!((computer.claims.len(), computer.told().0), (0, 1), "there is no voucher any more");
}

#[test]
fn a_device_without_key_packages_is_looked_at_ever_more_seldom() {
	let mut computer = Computer::that_claims(1);
	for wait in [TURN, 2 * TURN, 4 * TURN, AGAIN, AGAIN] {
		computer.fail(NotAddedBecause::NoKeyPackages, false);
		computer.pass(wait - 1);
		assert!(computer.claims.is_empty());
		computer.pass(1);
		assert_eq!(computer.claims.len(), 1);
	}
	assert_eq!(computer.told(), (0, vec![NotAddedBecause::NoKeyPackages]));
}

#[test]
fn while_it_is_not_known_what_came_of_a_claim_the_voucher_stays_bound() {
	let mut computer = Computer::that_claims(2);
	let voucher = computer.claims[0].voucher.clone();
	computer.answer(Err(NotClaimed::Unknown("no node".to_owned())));
	computer.pass(TURN);
	assert_eq!(computer.claims[0].voucher, voucher);
	assert_eq!((computer.left(), computer.told()), (1, (0, vec![])));
}

#[test]
fn a_claim_that_has_lapsed_makes_way_for_the_next_voucher() {
	let mut computer = Computer::that_claims(2);
	let old = computer.claims.pop().unwrap().voucher.voucher().key;
	let packages = vec![package(PHONE)].try_into().unwrap();
	computer.core.finalized = 50_000;
	computer.block = 50_000;
	let outcome = Ok(Claimed { target: ANNA, block: 1, packages });
	computer.core.on_claimed(ClaimAnswer { group: computer.group, voucher: old, outcome });
	computer.pass(1);
	let lapsed = NotAddedBecause::Commit(Box::new(CommitError::ClaimLapsed));
	assert_eq!(computer.told(), (0, vec![lapsed]));
	computer.pass(AGAIN);
	assert_eq!((computer.claims.len(), computer.left()), (1, 0));
	assert_ne!(computer.claims[0].voucher.voucher().key, old);
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

#[test]
fn what_somebody_has_taken_out_stays_out() {
	let mut computer = Computer::that_claims(2);
	computer.answer(Ok(vec![package(PHONE)]));
	computer.win();
	let phone = MemberDevice { identity: HexBytes(ANNA.0.to_vec()), key: HexBytes(key(PHONE).0.to_vec()) };
	computer.core.commit(&computer.group, Intent::RemoveDevices(vec![phone]), false, None, None);
	computer.act();
	computer.win();
	assert_eq!(computer.devices(), 1);
	computer.pass(2 * AGAIN);
	computer.reopen();
	computer.pass(2 * AGAIN);
	assert_eq!((computer.claims.len(), computer.left(), computer.told().0), (0, 1, 1));
}
