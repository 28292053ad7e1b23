//! A runtime with the directory and this pallet, and the actions that tests are made of.

use crate::{types::Stored, Call, KeyPackages};
use frame_support::{
	derive_impl,
	dispatch::GetDispatchInfo,
	traits::{Authorize, ConstU32, ConstU64},
	weights::Weight,
};
use lockstep_primitives::{
	identity::{Action, Event, NewDevice, RecoveryKeys, SignedEvent},
	key_package::{
		testing::Recipe, Claim, GateChange, KeyPackageBytes, KeyPackageRefusal, Publication, SignedGateChange,
		SignedPublication, Stock, SUITE,
	},
	voucher::{Payment, SignedVoucher, Voucher, VoucherKind},
	EventSignature, GenesisHash, IdentityId, IdentityKey, SponsorId, VoucherKey, VoucherSignature,
};
use sp_core::{ed25519, Pair, H256};
use sp_runtime::{
	testing::UintAuthorityId,
	traits::{Applyable, Checkable, Convert},
	transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError, ValidTransaction},
	BuildStorage,
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
	#[runtime::pallet_index(14)]
	pub type Directory = pallet_directory::Pallet<Test>;
	#[runtime::pallet_index(15)]
	pub type Vouchers = pallet_vouchers::Pallet<Test>;
	#[runtime::pallet_index(16)]
	pub type KeyPackagesPallet = crate::Pallet<Test>;
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

/// The account with funds signs by the key 1; whoever signs by another has none.
pub struct First;
impl Convert<SponsorId, u64> for First {
	fn convert(sponsor: SponsorId) -> u64 {
		if sponsor.0 == pair(1).public().0 {
			SPONSOR
		} else {
			2
		}
	}
}

impl pallet_vouchers::Config for Test {
	type Sponsor = First;
	type WeightInfo = ();
	type LongestVoucher = ConstU32<1_000>;
	type Period = ConstU32<100>;
	type MaxForgotten = ConstU32<4>;
}

impl pallet_directory::Config for Test {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Vouchers = Vouchers;
	type VoucherWeights = ();
	type OnRevoked = KeyPackagesPallet;
	type WeightInfo = ();
	type IdentityDeposit = ConstU64<1>;
	type RecoveryWindow = ConstU32<256>;
	type EventLongevity = ConstU64<64>;
}

pub const CLAIM_DEPOSIT: u64 = 3;
pub const BURST: u32 = 150;
pub const EVERY: u32 = 10;
pub const CLAIM_BURST: u32 = 120;
pub const CLAIM_EVERY: u32 = 5;
pub const GRACE: u32 = 20;
pub const LOW: u32 = 3;
pub const CLAIM_LIFE: u32 = 50;
pub const PERIOD: u32 = 10;
pub const MAX_FORGOTTEN: u32 = 4;

thread_local! {
	/// For how many Welcomes each claim's key is granted room.
	pub static GRANTED: std::cell::RefCell<std::collections::BTreeMap<VoucherKey, u32>> = Default::default();
}

pub struct Granted;
impl crate::OnClaim for Granted {
	fn claimed(voucher: &VoucherKey, packages: u32) {
		GRANTED.with_borrow_mut(|granted| *granted.entry(*voucher).or_default() += packages);
	}

	fn forgotten(voucher: &VoucherKey, packages: u32) {
		GRANTED.with_borrow_mut(|granted| *granted.entry(*voucher).or_default() -= packages);
	}
}

pub fn granted() -> u32 {
	GRANTED.with_borrow(|granted| granted.values().sum())
}

impl crate::Config for Test {
	type OnClaim = Granted;
	type ClaimDeposit = ConstU64<CLAIM_DEPOSIT>;
	type WeightInfo = ();
	type PublishBurst = ConstU32<BURST>;
	type PublishEvery = ConstU32<EVERY>;
	type ClaimBurst = ConstU32<CLAIM_BURST>;
	type ClaimEvery = ConstU32<CLAIM_EVERY>;
	type LastResortGrace = ConstU32<GRACE>;
	type LowStock = ConstU32<LOW>;
	type ClaimLife = ConstU32<CLAIM_LIFE>;
	type Period = ConstU32<PERIOD>;
	type MaxForgotten = ConstU32<MAX_FORGOTTEN>;
}

pub const SPONSOR: u64 = 1;
pub const FUNDS: u64 = 10_000;
pub const GENESIS: GenesisHash = GenesisHash([7; 32]);

pub fn new_test_ext() -> sp_io::TestExternalities {
	let config = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig { balances: vec![(SPONSOR, FUNDS)], ..Default::default() },
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
	KeyPackagesPallet::check_state().expect("the state is consistent");
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

fn by(number: u32, text: &[u8]) -> EventSignature {
	EventSignature(pair(number).sign(text).0)
}

fn device(number: u32) -> NewDevice {
	NewDevice { key: key(number), next: key(number + 1000).commitment() }
}

pub fn sign_event(event: Event, author: u32, accepting: Option<u32>) -> SignedEvent {
	SignedEvent {
		signature: by(author, &event.signing_payload(&GENESIS)),
		acceptance: accepting.map(|number| by(number, &event.acceptance_payload(&GENESIS))),
		event,
	}
}

/// Registers a person with the device `number`.
pub fn person(number: u32) -> IdentityId {
	let event = Event::incept(&GENESIS, device(number), RecoveryKeys::default(), None);
	let event = sign_event(event, number, None);
	Directory::register(RuntimeOrigin::signed(SPONSOR), event.clone()).expect("it can be registered");
	event.event.identity
}

/// The next event of a person, signed.
pub fn next_event(id: IdentityId, author: u32, action: Action, accepting: Option<u32>) -> SignedEvent {
	let head = Directory::identity(id).expect("it is registered").head;
	let event = Event { identity: id, index: head.length, previous: head.hash, author: key(author), action };
	sign_event(event, author, accepting)
}

pub fn record(event: &SignedEvent) {
	Directory::take(event).expect("it is good");
}

pub fn add_device(id: IdentityId, author: u32, number: u32) {
	record(&next_event(id, author, Action::AddDevice(device(number)), Some(number)));
}

/// The event by which the device `number` goes over to its next key, `number + 1000`.
pub fn rotation(id: IdentityId, number: u32) -> SignedEvent {
	let new = number + 1000;
	let action = Action::Rotate { replaces: key(number), next: key(new + 1000).commitment() };
	next_event(id, new, action, None)
}

/// A good KeyPackage of a device of a person; the same number gives the same keys.
pub fn recipe(identity: IdentityId, device: u32, number: u32) -> Recipe {
	Recipe { suites: vec![SUITE, 3], ..Recipe::new(&identity, &key(device), number) }
}

/// In its TLS form, signed by this device.
pub fn make(recipe: &Recipe, device: u32) -> Vec<u8> {
	recipe.signed(|text| by(device, text))
}

/// A KeyPackage of a device of a person.
pub fn package(identity: IdentityId, device: u32, number: u32) -> KeyPackageBytes {
	make(&recipe(identity, device, number), device).try_into().expect("it is short")
}

/// The next publication of a device: KeyPackages with these numbers, a last resort with the number given.
pub fn publication(
	identity: IdentityId,
	device: u32,
	packages: impl IntoIterator<Item = u32>,
	last_resort: Option<u32>,
) -> Publication {
	let packages: Vec<_> = packages.into_iter().map(|number| package(identity, device, number)).collect();
	Publication {
		identity,
		device: key(device),
		number: stock(device).map_or(0, |stock| stock.number),
		replace: false,
		lapse: now() + 100,
		packages: packages.try_into().expect("they are not too many"),
		last_resort: last_resort.map(|number| package(identity, device, number)),
	}
}

pub fn sign(publication: Publication, device: u32) -> SignedPublication {
	SignedPublication { signature: by(device, &publication.signing_payload(&GENESIS)), publication }
}

pub fn stock(device: u32) -> Option<Stock> {
	KeyPackagesPallet::stock(key(device)).map(|view| view.stock)
}

pub fn left(device: u32) -> u32 {
	stock(device).map_or(0, |stock| stock.left())
}

pub fn stored(device: u32) -> usize {
	KeyPackages::<Test>::iter_prefix(key(device)).map(|(_, Stored { .. })| ()).count()
}

/// Applies the whole extrinsic, as a block does.
fn apply(call: Call<Test>) -> Result<(), TransactionValidityError> {
	let extension = (frame_system::AuthorizeCall::<Test>::new(),);
	let extrinsic = Extrinsic::new_transaction(RuntimeCall::KeyPackagesPallet(call), extension);
	let info = extrinsic.get_dispatch_info();
	let checked = Checkable::check(extrinsic, &frame_system::ChainContext::<Test>::default())
		.expect("a general transaction has no signature to check");
	checked.apply::<Test>(&info, 0)?.expect("what is authorised does not fail in the same state");
	Ok(())
}

pub fn validate(call: Call<Test>) -> Result<ValidTransaction, TransactionValidityError> {
	let call = RuntimeCall::KeyPackagesPallet(call);
	let answer = call.authorize(TransactionSource::External).expect("it authorises itself");
	answer.map(|(valid, _)| valid)
}

pub fn publish_call(signed: &SignedPublication) -> Call<Test> {
	Call::publish { signed: signed.clone() }
}

/// Publishes by the whole extrinsic.
pub fn publish(signed: &SignedPublication) -> Result<(), KeyPackageRefusal> {
	apply(publish_call(signed)).map_err(refusal)
}

/// Publishes KeyPackages that must be taken.
#[track_caller]
pub fn fill(identity: IdentityId, device: u32, packages: impl IntoIterator<Item = u32>, last_resort: Option<u32>) {
	publish(&sign(publication(identity, device, packages, last_resort), device)).expect("it is good");
}

pub fn both(event: &SignedEvent, signed: &SignedPublication) -> Result<(), TransactionValidityError> {
	apply(Call::record_and_publish { event: Box::new(event.clone()), signed: signed.clone() })
}

pub fn set_gate(identity: IdentityId, device: u32, gate: Option<u32>) -> Result<(), KeyPackageRefusal> {
	let number = stock(device).map_or(0, |stock| stock.number);
	let change = GateChange { identity, device: key(device), number, gate: gate.map(key) };
	set_gate_signed(change, device)
}

pub fn set_gate_signed(change: GateChange, by_device: u32) -> Result<(), KeyPackageRefusal> {
	let signature = by(by_device, &change.signing_payload(&GENESIS));
	apply(Call::set_gate { signed: SignedGateChange { change, signature } }).map_err(refusal)
}

pub fn claim_of(target: IdentityId) -> Claim {
	Claim { target, suites: vec![SUITE].try_into().expect("it is short"), gate: None }
}

/// The claim, shown to be a contact's, for the voucher with this number.
pub fn through_gate(claim: Claim, gate: u32, voucher: u32) -> Claim {
	let text = claim.gate_payload(&GENESIS, &VoucherKey(pair(voucher).public().0));
	Claim { gate: Some(VoucherSignature(by(gate, &text).0)), ..claim }
}

/// A voucher, being spent for this claim.
pub fn pay(claim: &Claim, number: u32) -> Payment {
	pay_by(1, claim, number, now() + 500)
}

/// The same, by the sponsor with this key.
pub fn pay_by(sponsor: u32, claim: &Claim, number: u32, expiry: u32) -> Payment {
	let public = |number| pair(number).public().0;
	let voucher = Voucher {
		kind: VoucherKind::Claim,
		key: VoucherKey(public(number)),
		sponsor: SponsorId(public(sponsor)),
		expiry,
	};
	let signature = VoucherSignature(by(sponsor, &voucher.signing_payload(&GENESIS)).0);
	let spent = VoucherSignature(by(number, &voucher.spending_payload(&GENESIS, &claim.order())).0);
	Payment { voucher: SignedVoucher { voucher, signature }, spent }
}

pub fn claim_call(claim: &Claim, payment: &Payment) -> Call<Test> {
	Call::claim { claim: claim.clone(), payment: *payment }
}

/// Claims by the whole extrinsic, with the voucher of this number: what it got, each KeyPackage with whether it is a last resort.
pub fn claim(claim: &Claim, number: u32) -> Result<Vec<(KeyPackageBytes, bool)>, KeyPackageRefusal> {
	let payment = pay(claim, number);
	apply(claim_call(claim, &payment)).map_err(refusal)?;
	let claimed = KeyPackagesPallet::claimed(payment.voucher.voucher.key).expect("it is kept");
	assert_eq!((claimed.target, claimed.block), (claim.target, now()));
	Ok(claimed.packages.into_iter().map(|package| (package.bytes, package.last_resort)).collect())
}

/// Claims; what the whole extrinsic weighs before it is applied, and what it has weighed then.
pub fn weigh(claim: &Claim, payment: &Payment) -> (Weight, Weight) {
	let call = RuntimeCall::KeyPackagesPallet(claim_call(claim, payment));
	let declared = call.get_dispatch_info().call_weight.saturating_add(call.weight_of_authorize());
	let (_, unspent) = call.authorize(TransactionSource::External).expect("it authorises itself").expect("it is good");
	let authorised = call.weight_of_authorize().saturating_sub(unspent);
	let origin = frame_system::RawOrigin::Authorized.into();
	let done = KeyPackagesPallet::claim(origin, claim.clone(), *payment).expect("it was authorised");
	(declared, authorised.saturating_add(done.actual_weight.expect("it is known")))
}

pub fn pay_and_apply(claim: &Claim, payment: &Payment) -> Result<(), TransactionValidityError> {
	apply(claim_call(claim, payment))
}

/// Asserts that it is refused, by the pool and by the block, and that nothing changes.
#[track_caller]
pub fn assert_refused(signed: &SignedPublication, expected: KeyPackageRefusal) {
	let root = || sp_io::storage::root(sp_core::storage::StateVersion::V1);
	let before = root();
	assert_eq!(validate(publish_call(signed)).map(|_| ()).map_err(refusal), Err(expected));
	assert_eq!(publish(signed), Err(expected));
	assert_eq!(root(), before, "what is refused changes nothing");
}

#[track_caller]
pub fn assert_claim_refused(asked: &Claim, number: u32, expected: KeyPackageRefusal) {
	let root = || sp_io::storage::root(sp_core::storage::StateVersion::V1);
	let before = root();
	let call = claim_call(asked, &pay(asked, number));
	assert_eq!(validate(call).map(|_| ()).map_err(refusal), Err(expected));
	assert_eq!(claim(asked, number).map(|_| ()), Err(expected));
	assert_eq!(root(), before, "what is refused changes nothing");
}

pub fn code(error: TransactionValidityError) -> u8 {
	match error {
		TransactionValidityError::Invalid(InvalidTransaction::Custom(code)) => code,
		other => panic!("unexpected answer {other:?}"),
	}
}

fn refusal(error: TransactionValidityError) -> KeyPackageRefusal {
	KeyPackageRefusal::from_code(code(error)).expect("the code is that of a refusal")
}

/// What is held for claims.
pub fn held() -> u64 {
	let reason = RuntimeHoldReason::KeyPackagesPallet(crate::HoldReason::Claim);
	<Balances as frame_support::traits::fungible::InspectHold<u64>>::balance_on_hold(&reason, &SPONSOR)
}

/// What was emitted in this block.
pub fn events() -> Vec<crate::Event<Test>> {
	let all = System::events().into_iter();
	all.filter_map(|record| match record.event {
		RuntimeEvent::KeyPackagesPallet(event) => Some(event),
		_ => None,
	})
	.collect()
}
