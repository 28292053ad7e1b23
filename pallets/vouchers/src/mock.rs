//! A runtime with this pallet alone.

use crate::Spent;
use frame_support::{derive_impl, traits::ConstU32};
use lockstep_primitives::{
	voucher::{Payment, SignedVoucher, Voucher, VoucherKind},
	GenesisHash, SponsorId, VoucherKey, VoucherSignature,
};
use sp_core::{ed25519, Pair, H256};
use sp_runtime::{traits::Convert, BuildStorage};

pub type Block = frame_system::mocking::MockBlockU32<Test>;

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
	#[runtime::pallet_index(15)]
	pub type Vouchers = crate::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
}

/// The account is the first byte of the key.
pub struct First;
impl Convert<SponsorId, u64> for First {
	fn convert(sponsor: SponsorId) -> u64 {
		sponsor.0[0].into()
	}
}

pub const LONGEST: u32 = 100;
pub const PERIOD: u32 = 10;
pub const MAX_FORGOTTEN: u32 = 4;
pub const GENESIS: GenesisHash = GenesisHash([7; 32]);

impl crate::Config for Test {
	type Sponsor = First;
	type WeightInfo = ();
	type LongestVoucher = ConstU32<LONGEST>;
	type Period = ConstU32<PERIOD>;
	type MaxForgotten = ConstU32<MAX_FORGOTTEN>;
}

pub fn new_test_ext() -> sp_io::TestExternalities {
	let config = RuntimeGenesisConfig::default();
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
	Vouchers::check_state().expect("the state is consistent");
}

pub fn go_to(block: u32) {
	for number in System::block_number() + 1..=block {
		System::initialize(&number, &H256::repeat_byte(number as u8), &Default::default());
	}
}

pub fn pair(number: u8) -> ed25519::Pair {
	ed25519::Pair::from_seed(&[number; 32])
}

pub fn voucher(number: u8, expiry: u32) -> Voucher {
	let public = |number| pair(number).public().0;
	Voucher { kind: VoucherKind::Claim, key: VoucherKey(public(number)), sponsor: SponsorId(public(200)), expiry }
}

/// The voucher, being spent for this order.
pub fn pay(voucher: Voucher, number: u8, order: &[u8]) -> Payment {
	let by = |number: u8, text: Vec<u8>| VoucherSignature(pair(number).sign(&text).0);
	let signature = by(200, voucher.signing_payload(&GENESIS));
	let spent = by(number, voucher.spending_payload(&GENESIS, order));
	Payment { voucher: SignedVoucher { voucher, signature }, spent }
}

pub fn remembered() -> usize {
	Spent::<Test>::iter().count()
}
