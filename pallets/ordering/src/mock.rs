//! A runtime with this pallet alone, and the actions that tests are made of.

use crate::{admission::Signature, Call, Error, OnOpenEntry};
use frame_support::{
	derive_impl,
	dispatch::GetDispatchInfo,
	parameter_types,
	traits::{Authorize, ConstU32, ConstU64, Hooks},
	weights::Weight,
};
use frame_system::RawOrigin;
use lockstep_primitives::{
	endorsement_payload, payload_hash,
	voucher::{Payment, SignedVoucher, Voucher, VoucherKind},
	Endorsement, EntryHash, GenesisHash, GroupId, LogHead, LogKind, OpenEntry, OrderingKey, Refusal, SponsorId,
	VoucherKey, VoucherSignature,
};
use sp_core::{ed25519, Pair, H256};
use sp_runtime::{
	testing::UintAuthorityId,
	traits::{Applyable, Checkable, Convert, Dispatchable},
	transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError, ValidTransaction},
	BuildStorage, DispatchError, DispatchResult,
};
use std::collections::BTreeMap;

pub type TxExtension = (frame_system::AuthorizeCall<Test>,);
pub type Header = sp_runtime::generic::Header<u32, sp_runtime::traits::BlakeTwo256>;
pub type Extrinsic = sp_runtime::generic::UncheckedExtrinsic<u64, RuntimeCall, UintAuthorityId, TxExtension>;
pub type Block = sp_runtime::generic::Block<Header, Extrinsic>;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system::Pallet<Test>;
	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances::Pallet<Test>;
	#[runtime::pallet_index(10)]
	pub type Ordering = crate::Pallet<Test>;
	#[runtime::pallet_index(15)]
	pub type Vouchers = pallet_vouchers::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<u64>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
}

pub const INTERVAL: u32 = 5;
pub const WINDOW: u32 = 60;
pub const RETENTION: u32 = 200;
pub const MAX_PAYLOAD: u32 = 256;
pub const ENTRY_CAPACITY: u32 = 3;
pub const BYTE_CAPACITY: u32 = 400;
pub const BYTE_REFILL: u32 = 20;
pub const CONTEST_CAPACITY: u32 = 4;
pub const CONTEST_REFILL: u32 = 30;
pub const CONTEST_ENTRIES: u32 = 2;
pub const CONTEST_BYTES: u32 = 300;
pub const CONTEST_SLOWDOWN: u32 = 4;
pub const DEPOSIT: u64 = 100;
pub const FUNDS: u64 = 1_000;

parameter_types! {
	pub static MaxPruned: u32 = 50;
	/// How many open entries name each key, as the hooks told it. In storage, so that it is rolled back with it.
	pub storage Allowances: BTreeMap<[u8; 32], u32> = BTreeMap::new();
}

/// Counts the calls by key.
pub struct CountKeys;

impl OnOpenEntry for CountKeys {
	fn opened(key: &OrderingKey) {
		let mut counts = Allowances::get();
		*counts.entry(key.0).or_default() += 1;
		Allowances::set(&counts);
	}

	fn closed(key: &OrderingKey) {
		let mut counts = Allowances::get();
		let count = counts.get_mut(&key.0).expect("closed() follows opened()");
		*count -= 1;
		if *count == 0 {
			counts.remove(&key.0);
		}
		Allowances::set(&counts);
	}
}

/// The account is the first byte of the key.
pub struct First;
impl Convert<SponsorId, u64> for First {
	fn convert(sponsor: SponsorId) -> u64 {
		sponsor.0[0].into()
	}
}

impl pallet_vouchers::Config for Test {
	type Sponsor = First;
	type WeightInfo = ();
	type LongestVoucher = ConstU32<100>;
	type Period = ConstU32<10>;
	type MaxForgotten = ConstU32<4>;
}

impl crate::Config for Test {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Vouchers = Vouchers;
	type VoucherWeights = ();
	type OnEntry = CountKeys;
	type WeightInfo = ();
	type GroupDeposit = ConstU64<DEPOSIT>;
	type MaxPayload = ConstU32<MAX_PAYLOAD>;
	type CandidateInterval = ConstU32<INTERVAL>;
	type ContestWindow = ConstU32<WINDOW>;
	type Retention = ConstU32<RETENTION>;
	type EntryCapacity = ConstU32<ENTRY_CAPACITY>;
	type EntryRefill = ConstU32<1>;
	type ByteCapacity = ConstU32<BYTE_CAPACITY>;
	type ByteRefill = ConstU32<BYTE_REFILL>;
	type ContestCapacity = ConstU32<CONTEST_CAPACITY>;
	type ContestRefill = ConstU32<CONTEST_REFILL>;
	type ContestEntries = ConstU32<CONTEST_ENTRIES>;
	type ContestBytes = ConstU32<CONTEST_BYTES>;
	type ContestSlowdown = ConstU32<CONTEST_SLOWDOWN>;
	type AppendLongevity = ConstU64<64>;
	type MaxPrunedPerBlock = MaxPruned;
}

pub const SPONSOR: u64 = 1;
pub const OTHER: u64 = 2;
pub const GENESIS: GenesisHash = GenesisHash([7; 32]);
pub const GROUP: GroupId = GroupId([1; 32]);
pub const OTHER_GROUP: GroupId = GroupId([2; 32]);
pub const NO_LIMIT: Weight = Weight::MAX;

/// Runs a test in block 1 of an empty chain, and checks the state after it.
pub fn test(run: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		run();
		check();
	});
}

pub fn new_test_ext() -> sp_io::TestExternalities {
	let balances = vec![(SPONSOR, FUNDS), (OTHER, FUNDS)];
	let config = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig { balances, ..Default::default() },
		..Default::default()
	};
	let mut ext = sp_io::TestExternalities::from(config.build_storage().expect("the genesis is valid"));
	ext.execute_with(|| System::initialize(&1, &H256(GENESIS.0), &Default::default()));
	ext
}

/// The same with a keystore, since benchmarks sign through the host.
#[cfg(feature = "runtime-benchmarks")]
pub fn new_bench_ext() -> sp_io::TestExternalities {
	use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
	let mut ext = new_test_ext();
	ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
	ext
}

/// Fails if any invariant of the state does not hold, or if the hooks were not called once for each change.
pub fn check() {
	Ordering::check_state().expect("the state is consistent");
	let mut counts = BTreeMap::<[u8; 32], u32>::new();
	for record in crate::OpenEntries::<Test>::iter_values() {
		*counts.entry(record.entry.next_key.0).or_default() += 1;
	}
	assert_eq!(Allowances::get(), counts, "the hooks count the open entries");
}

pub fn now() -> u32 {
	System::block_number()
}

/// Ends this block with `limit` left for `on_idle`, and starts the next one.
pub fn next_block_with(limit: Weight) -> Weight {
	let used = Ordering::on_idle(now(), limit);
	let number = now() + 1;
	// `System::finalize` is left out: it computes the state root, which is what a test of many blocks would
	// spend its time on.
	System::reset_events();
	System::initialize(&number, &H256::repeat_byte(number as u8), &Default::default());
	Ordering::on_initialize(number);
	used
}

pub fn next_block() {
	next_block_with(NO_LIMIT);
}

pub fn run_to(number: u32) {
	assert!(number >= now(), "blocks do not run backwards");
	while now() < number {
		next_block();
	}
}

pub fn skip(blocks: u32) {
	run_to(now() + blocks);
}

/// Runs to a block with no weight left for pruning on the way.
pub fn run_unpruned_to(number: u32) {
	assert!(number >= now(), "blocks do not run backwards");
	while now() < number {
		next_block_with(Weight::zero());
	}
}

/// A key of an epoch. The same number gives the same key.
pub fn key(number: u32) -> ed25519::Pair {
	let mut seed = [0x55; 32];
	seed[..4].copy_from_slice(&number.to_le_bytes());
	ed25519::Pair::from_seed(&seed)
}

pub fn public(pair: &ed25519::Pair) -> OrderingKey {
	OrderingKey(pair.public().0)
}

pub fn sign(pair: &ed25519::Pair, message: &[u8]) -> Endorsement {
	Endorsement(pair.sign(message).0)
}

/// The head of the group's empty log.
pub fn empty_head(group: GroupId) -> EntryHash {
	LogHead::empty(LogKind::Group, &GENESIS, group.as_bytes()).hash
}

/// The endorsement of entry 0, made on chain `genesis`.
pub fn self_endorsement(genesis: GenesisHash, group: GroupId, pair: &ed25519::Pair) -> Endorsement {
	let parent = LogHead::empty(LogKind::Group, &genesis, group.as_bytes()).hash;
	sign(pair, &endorsement_payload(&genesis, &group, &parent, &payload_hash(&[]), &public(pair)))
}

/// Creates a group whose epoch 0 has the key `key(number)`; returns entry 0.
pub fn create(group: GroupId, number: u32) -> EntryHash {
	let pair = key(number);
	let endorsement = self_endorsement(GENESIS, group, &pair);
	Ordering::create_group(RuntimeOrigin::signed(SPONSOR), group, public(&pair), endorsement)
		.expect("the group can be created");
	head(group)
}

/// The newest entry of a group.
pub fn head(group: GroupId) -> EntryHash {
	Ordering::group(group).expect("the group is open").head.hash
}

pub fn entry(group: GroupId, hash: EntryHash) -> OpenEntry {
	Ordering::open_entry(group, hash).expect("the entry is open")
}

/// An append as its maker has it, before it goes anywhere.
#[derive(Clone, Debug)]
pub struct Commit {
	pub genesis: GenesisHash,
	pub group: GroupId,
	pub parent: EntryHash,
	pub payload: Vec<u8>,
	pub next_key: OrderingKey,
	pub endorsement: Endorsement,
}

impl Commit {
	/// A commit that names `key(next)`, endorsed with `key(signer)`. Its payload is short, and differs with `next`.
	pub fn new(parent: EntryHash, signer: u32, next: u32) -> Self {
		Self {
			genesis: GENESIS,
			group: GROUP,
			parent,
			payload: next.to_le_bytes().to_vec(),
			next_key: public(&key(next)),
			endorsement: Endorsement([0; 64]),
		}
		.endorsed(signer)
	}

	/// Endorses it as it is now.
	pub fn endorsed(mut self, signer: u32) -> Self {
		let hash = payload_hash(&self.payload);
		let message = endorsement_payload(&self.genesis, &self.group, &self.parent, &hash, &self.next_key);
		self.endorsement = sign(&key(signer), &message);
		self
	}

	/// The same with a payload of `length` bytes, endorsed again.
	pub fn sized(mut self, length: u32, signer: u32) -> Self {
		self.payload = vec![0xab; length as usize];
		self.endorsed(signer)
	}

	/// The same in another group, endorsed again.
	pub fn in_group(mut self, group: GroupId, signer: u32) -> Self {
		self.group = group;
		self.endorsed(signer)
	}

	pub fn call(&self) -> RuntimeCall {
		RuntimeCall::Ordering(Call::append {
			group: self.group,
			parent: self.parent,
			payload: self.payload.clone(),
			next_key: self.next_key,
			endorsement: self.endorsement,
		})
	}

	/// What the pool is told.
	pub fn validate(&self) -> Result<ValidTransaction, Refusal> {
		let answer = self.call().authorize(TransactionSource::External).expect("append authorises itself");
		answer.map(|(valid, _)| valid).map_err(refusal)
	}

	/// Dispatches the call as if the pool and the block had authorised it.
	pub fn dispatch(&self) -> DispatchResult {
		self.call().dispatch(RawOrigin::Authorized.into()).map(|_| ()).map_err(|error| error.error)
	}

	/// Applies the whole extrinsic, as a block does. `Ok` is the new entry.
	pub fn append(&self) -> Result<EntryHash, Refusal> {
		let extension = (frame_system::AuthorizeCall::<Test>::new(),);
		let extrinsic = Extrinsic::new_transaction(self.call(), extension);
		let info = extrinsic.get_dispatch_info();
		let checked = Checkable::check(extrinsic, &frame_system::ChainContext::<Test>::default())
			.expect("a general transaction has no signature to check");
		checked
			.apply::<Test>(&info, self.payload.len())
			.map_err(refusal)?
			.expect("what is authorised does not fail in the same state");
		Ok(head(self.group))
	}

	/// Asserts that it is refused: by the pool, by the block, and by dispatch with the same reason, and that
	/// nothing changes. A bad endorsement is not looked at in dispatch.
	#[track_caller]
	pub fn assert_refused(&self, expected: Refusal) {
		let before = root();
		assert_eq!(self.validate().map(|_| ()), Err(expected));
		assert_eq!(self.append(), Err(expected));
		if expected != Refusal::BadEndorsement {
			assert_eq!(self.dispatch(), Err(error(expected)));
		}
		assert_eq!(root(), before, "a refused entry changes nothing");
	}

	/// What admission says.
	pub fn admits(&self) -> bool {
		let Self { group, parent, payload, next_key, endorsement, .. } = self;
		Ordering::admit(
			&crate::admission::Candidate { group, parent, payload, next_key, endorsement },
			Signature::Verify,
		)
		.is_ok()
	}
}

/// The pallet's error for a refusal.
pub fn error(refusal: Refusal) -> DispatchError {
	Error::<Test>::from(refusal).into()
}

fn refusal(error: TransactionValidityError) -> Refusal {
	match error {
		TransactionValidityError::Invalid(InvalidTransaction::Custom(code)) => {
			Refusal::from_code(code).expect("the code is that of a refusal")
		}
		other => panic!("unexpected answer {other:?}"),
	}
}

/// The root of the whole state.
pub fn root() -> Vec<u8> {
	sp_io::storage::root(sp_core::storage::StateVersion::V1)
}

/// Appends `count` entries after `parent`, one a block, each the first child of the one before. Signed with
/// `key(signer)`, `key(first)`, ... Returns the newest.
pub fn grow(parent: EntryHash, signer: u32, first: u32, count: u32) -> EntryHash {
	let mut parent = parent;
	let mut signer = signer;
	for next in first..first + count {
		parent = Commit::new(parent, signer, next).append().expect("the entry is admitted");
		signer = next;
		next_block();
	}
	parent
}

/// A key whose first byte names an account.
fn sponsor(account: u64) -> ed25519::Pair {
	let seeds = (0u32..).map(|number| [number.to_le_bytes(); 8].concat());
	let mut pairs = seeds.map(|seed| ed25519::Pair::from_seed_slice(&seed).expect("32 bytes"));
	pairs.find(|pair| u64::from(pair.public().0[0]) == account).expect("there is one")
}

/// A voucher of an account, being spent for this order.
pub fn pay(account: u64, number: u32, expiry: u32, order: &[u8]) -> Payment {
	let (sponsor, pair) = (sponsor(account), key(number));
	let (kind, by) = (VoucherKind::CreateGroup, SponsorId(sponsor.public().0));
	let voucher = Voucher { kind, key: VoucherKey(pair.public().0), sponsor: by, expiry };
	let signature = VoucherSignature(sponsor.sign(&voucher.signing_payload(&GENESIS)).0);
	let spent = VoucherSignature(pair.sign(&voucher.spending_payload(&GENESIS, order)).0);
	Payment { voucher: SignedVoucher { voucher, signature }, spent }
}
