//! A runtime with this pallet, `pallet-session`, and a session handler that takes down what it is told.

use codec::Encode;
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstU32, ConstU64, OnInitialize},
};
use frame_system::{EnsureRoot, RawOrigin};
use pallet_session::SessionHandler;
use sp_runtime::{
	impl_opaque_keys,
	testing::{TestSignature, UintAuthorityId},
	traits::{ConvertInto, OpaqueKeys},
	BuildStorage, DispatchResult, KeyTypeId, RuntimeAppPublic,
};

pub type Block = frame_system::mocking::MockBlock<Test>;

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
	#[runtime::pallet_index(2)]
	pub type Validators = crate::Pallet<Test>;
	#[runtime::pallet_index(3)]
	pub type Session = pallet_session::Pallet<Test>;
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

impl_opaque_keys! {
	pub struct Keys {
		pub dummy: UintAuthorityId,
	}
}

impl pallet_session::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type ValidatorId = u64;
	type ValidatorIdOf = ConvertInto;
	type ShouldEndSession = Validators;
	type NextSessionRotation = ();
	type SessionManager = Validators;
	type SessionHandler = TakeDown;
	type Keys = Keys;
	type DisablingStrategy = ();
	type WeightInfo = ();
	type Currency = Balances;
	type KeyDeposit = ConstU64<10>;
}

pub const MIN: u32 = 2;
pub const MAX: u32 = 4;
pub const SESSION: u64 = 10;
/// Accounts with keys: the key of each is its own number.
pub const WITH_KEYS: [u64; 6] = [1, 2, 3, 4, 5, 6];
/// An account with funds and without keys.
pub const WITHOUT_KEYS: u64 = 7;
pub const FIRST: [u64; 3] = [1, 2, 3];

parameter_types! {
	pub static MinValidators: u32 = MIN;
	pub static SessionLength: u32 = SESSION as u32;
	/// The sessions that started after the genesis.
	pub static Sessions: Vec<Started> = Vec::new();
}

impl crate::Config for Test {
	type SetOrigin = EnsureRoot<u64>;
	type WeightInfo = ();
	type MinValidators = MinValidators;
	type MaxValidators = ConstU32<MAX>;
	type SessionLength = SessionLength;
}

/// The start of a session, as consensus is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
	pub block: u64,
	pub changed: bool,
	/// The keys, by the order of the validators.
	pub keys: Vec<u64>,
}

/// Stands for Aura and GRANDPA.
pub struct TakeDown;

impl SessionHandler<u64> for TakeDown {
	const KEY_TYPE_IDS: &'static [KeyTypeId] = &[UintAuthorityId::ID];

	fn on_genesis_session<K: OpaqueKeys>(_: &[(u64, K)]) {}

	fn on_new_session<K: OpaqueKeys>(changed: bool, validators: &[(u64, K)], _: &[(u64, K)]) {
		let key = |keys: &K| keys.get::<UintAuthorityId>(UintAuthorityId::ID).expect("there is one key").0;
		let keys = validators.iter().map(|(_, keys)| key(keys)).collect();
		Sessions::mutate(|sessions| sessions.push(Started { block: now(), changed, keys }));
	}

	fn on_disabled(_: u32) {}
}

fn keys(key: u64) -> Keys {
	Keys { dummy: UintAuthorityId(key) }
}

pub fn genesis(validators: &[u64]) -> RuntimeGenesisConfig {
	let accounts = WITH_KEYS.into_iter().chain([WITHOUT_KEYS]);
	RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: accounts.map(|account| (account, 1_000)).collect(),
			..Default::default()
		},
		validators: crate::GenesisConfig { validators: validators.to_vec() },
		session: pallet_session::GenesisConfig {
			keys: WITH_KEYS.into_iter().map(|account| (account, account, keys(account))).collect(),
			..Default::default()
		},
		..Default::default()
	}
}

pub fn ext(genesis: &RuntimeGenesisConfig) -> sp_io::TestExternalities {
	let mut ext = sp_io::TestExternalities::from(genesis.build_storage().expect("the genesis is valid"));
	ext.execute_with(|| System::set_block_number(1));
	ext
}

pub fn new_test_ext() -> sp_io::TestExternalities {
	ext(&genesis(&FIRST))
}

/// Runs a test in block 1 with the validators `FIRST`, and checks the state after it.
pub fn test(run: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		run();
		Validators::check_state().expect("the state is consistent");
	});
}

pub fn now() -> u64 {
	System::block_number()
}

pub fn run_to(number: u64) {
	assert!(number >= now(), "blocks do not run backwards");
	while now() < number {
		let next = now() + 1;
		System::set_block_number(next);
		AllPalletsWithSystem::on_initialize(next);
	}
}

pub fn set(validators: &[u64]) -> DispatchResult {
	Validators::set_validators(RawOrigin::Root.into(), validators.to_vec())
}

/// Registers keys as their owner does.
pub fn set_keys(account: u64, key: u64) -> DispatchResult {
	let proof = TestSignature(key, account.encode()).encode();
	Session::set_keys(RawOrigin::Signed(account).into(), keys(key), proof)
}

pub fn purge_keys(account: u64) {
	Session::purge_keys(RawOrigin::Signed(account).into()).expect("it has keys");
}

/// A session that starts with these keys, or the expectation that it does.
pub fn started(block: u64, changed: bool, keys: &[u64]) -> Started {
	Started { block, changed, keys: keys.to_vec() }
}
