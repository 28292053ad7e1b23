//! A runtime with this pallet alone, and the actions that tests are made of.

use crate::{Call, Error};
use frame_support::{
	derive_impl,
	dispatch::GetDispatchInfo,
	traits::{Authorize, ConstU32, ConstU64},
};
use frame_system::RawOrigin;
use lockstep_primitives::{
	identity::{Action, Event, IdentityRefusal, IdentityState, NewDevice, RecoveryKeys, Revoked, SignedEvent},
	voucher::{Payment, SignedVoucher, Voucher, VoucherKind},
	EventSignature, GenesisHash, IdentityId, IdentityKey, SponsorId, VoucherKey, VoucherSignature,
};
use sp_core::{ed25519, Pair, H256};
use sp_runtime::{
	testing::UintAuthorityId,
	traits::{Applyable, Checkable, Convert, Dispatchable},
	transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError, ValidTransaction},
	BuildStorage, DispatchResult,
};

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
	#[runtime::pallet_index(11)]
	pub type Directory = crate::Pallet<Test>;
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

pub const WINDOW: u32 = 256;
pub const DEPOSIT: u64 = 100;
pub const FUNDS: u64 = 1_000;
pub const SPONSOR: u64 = 1;
pub const OTHER: u64 = 2;
pub const GENESIS: GenesisHash = GenesisHash([7; 32]);

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
	type OnRevoked = ();
	type WeightInfo = ();
	type IdentityDeposit = ConstU64<DEPOSIT>;
	type RecoveryWindow = ConstU32<WINDOW>;
	type EventLongevity = ConstU64<64>;
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

/// Runs a test in block 1 of an empty chain, and checks the state after it.
pub fn test(run: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		run();
		check();
	});
}

pub fn check() {
	Directory::check_state().expect("the state is consistent");
}

pub fn now() -> u32 {
	System::block_number()
}

pub fn skip(blocks: u32) {
	for number in now() + 1..=now() + blocks {
		System::reset_events();
		System::initialize(&number, &H256::repeat_byte(number as u8), &Default::default());
	}
}

/// A key. The same number gives the same key.
pub fn pair(number: u32) -> ed25519::Pair {
	let mut seed = [0x55; 32];
	seed[..4].copy_from_slice(&number.to_le_bytes());
	ed25519::Pair::from_seed(&seed)
}

pub fn key(number: u32) -> IdentityKey {
	IdentityKey(pair(number).public().0)
}

/// A device with the key `number`, that is to go over to the key `next`.
pub fn device(number: u32, next: u32) -> NewDevice {
	NewDevice { key: key(number), next: key(next).commitment() }
}

pub fn recovery(numbers: &[u32]) -> RecoveryKeys {
	numbers.iter().map(|number| key(*number).commitment()).collect::<Vec<_>>().try_into().expect("there is room")
}

pub fn revoked(numbers: &[u32]) -> Revoked {
	numbers.iter().map(|number| key(*number)).collect::<Vec<_>>().try_into().expect("there is room")
}

pub fn sign(event: Event, author: u32, accepting: Option<u32>) -> SignedEvent {
	let by = |number: u32, text: Vec<u8>| EventSignature(pair(number).sign(&text).0);
	SignedEvent {
		signature: by(author, event.signing_payload(&GENESIS)),
		acceptance: accepting.map(|number| by(number, event.acceptance_payload(&GENESIS))),
		event,
	}
}

/// The first event of an identity with the device `number`, and the recovery keys.
pub fn inception(number: u32, next: u32, keys: &[u32]) -> SignedEvent {
	sign(Event::incept(&GENESIS, device(number, next), recovery(keys), None), number, None)
}

pub fn register(event: &SignedEvent) -> DispatchResult {
	Directory::register(RuntimeOrigin::signed(SPONSOR), event.clone())
}

pub fn state(id: IdentityId) -> IdentityState {
	Directory::identity(id).expect("it is registered")
}

/// The next event of an identity, signed.
pub fn next(id: IdentityId, author: u32, action: Action, accepting: Option<u32>) -> SignedEvent {
	let head = state(id).head;
	let event = Event { identity: id, index: head.length, previous: head.hash, author: key(author), action };
	sign(event, author, accepting)
}

pub fn call(event: &SignedEvent) -> RuntimeCall {
	RuntimeCall::Directory(Call::record { event: event.clone() })
}

/// What the pool is told.
pub fn validate(event: &SignedEvent) -> Result<ValidTransaction, IdentityRefusal> {
	let answer = call(event).authorize(TransactionSource::External).expect("record authorises itself");
	answer.map(|(valid, _)| valid).map_err(refusal)
}

/// Applies the whole extrinsic, as a block does.
pub fn record(event: &SignedEvent) -> Result<(), IdentityRefusal> {
	let extension = (frame_system::AuthorizeCall::<Test>::new(),);
	let extrinsic = Extrinsic::new_transaction(call(event), extension);
	let info = extrinsic.get_dispatch_info();
	let checked = Checkable::check(extrinsic, &frame_system::ChainContext::<Test>::default())
		.expect("a general transaction has no signature to check");
	let applied = checked.apply::<Test>(&info, 0).map_err(refusal)?;
	applied.expect("what is authorised does not fail in the same state");
	Ok(())
}

/// Asserts that it is refused: by the pool, by the block, and by dispatch with the same reason, and that nothing changes.
/// Signatures are not looked at in dispatch.
#[track_caller]
pub fn assert_refused(event: &SignedEvent, expected: IdentityRefusal) {
	let root = || sp_io::storage::root(sp_core::storage::StateVersion::V1);
	let before = root();
	assert_eq!(validate(event).map(|_| ()), Err(expected));
	assert_eq!(record(event), Err(expected));
	if !matches!(expected, IdentityRefusal::BadSignature | IdentityRefusal::BadAcceptance) {
		let dispatched = call(event).dispatch(RawOrigin::Authorized.into()).map_err(|error| error.error);
		assert_eq!(dispatched.map(|_| ()), Err(Error::<Test>::from(expected).into()));
	}
	assert_eq!(root(), before, "a refused event changes nothing");
}

fn refusal(error: TransactionValidityError) -> IdentityRefusal {
	match error {
		TransactionValidityError::Invalid(InvalidTransaction::Custom(code)) => {
			IdentityRefusal::from_code(code).expect("the code is that of a refusal")
		}
		other => panic!("unexpected answer {other:?}"),
	}
}

/// A key whose first byte names an account with funds, or one that has none.
fn sponsor(account: u64) -> ed25519::Pair {
	let seeds = (0u32..).map(|number| [number.to_le_bytes(); 8].concat());
	let mut pairs = seeds.map(|seed| ed25519::Pair::from_seed_slice(&seed).expect("32 bytes"));
	pairs.find(|pair| u64::from(pair.public().0[0]) == account).expect("there is one")
}

/// A voucher of an account, being spent for this order.
pub fn pay(account: u64, kind: VoucherKind, number: u32, expiry: u32, order: &[u8]) -> Payment {
	let sponsor = sponsor(account);
	let (key, by) = (VoucherKey(pair(number).public().0), SponsorId(sponsor.public().0));
	let voucher = Voucher { kind, key, sponsor: by, expiry };
	let signature = VoucherSignature(sponsor.sign(&voucher.signing_payload(&GENESIS)).0);
	let spent = VoucherSignature(pair(number).sign(&voucher.spending_payload(&GENESIS, order)).0);
	Payment { voucher: SignedVoucher { voucher, signature }, spent }
}
