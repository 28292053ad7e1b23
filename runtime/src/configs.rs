//! How each pallet is configured.

use crate::{
	database_weight::DatabaseWeight,
	governance::{KeysStay, OperatorsMajority},
	*,
};
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstBool, ConstU128, ConstU32, ConstU64, ConstU8, VariantCountOf},
	weights::{ConstantMultiplier, IdentityFee},
};
use frame_system::limits::{BlockLength, BlockWeights};
use lockstep_primitives::SponsorId;
use pallet_transaction_payment::{ConstFeeMultiplier, FungibleAdapter, Multiplier};
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_runtime::{
	traits::{Convert, ConvertInto, One, OpaqueKeys},
	Perbill,
};

/// The part of a block that ordinary extrinsics may fill.
const NORMAL_RATIO: Perbill = Perbill::from_percent(75);

/// The most validators there can be.
const MAX_VALIDATORS: u32 = 100;

parameter_types! {
	pub const BlockHashCount: BlockNumber = 2_400;
	pub const Version: RuntimeVersion = VERSION;
	pub RuntimeBlockWeights: BlockWeights =
		BlockWeights::with_sensible_defaults(MAX_BLOCK_WEIGHT, NORMAL_RATIO);
	pub RuntimeBlockLength: BlockLength = BlockLength::builder()
		.max_length(2 * 1024 * 1024)
		.modify_max_length_for_class(frame_support::dispatch::DispatchClass::Normal, |max| *max = NORMAL_RATIO * *max)
		.build();
	pub const SS58Prefix: u8 = 42;
	pub FeeMultiplier: Multiplier = Multiplier::one();
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
	type BaseCallFilter = KeysStay;
	type Block = Block;
	type BlockWeights = RuntimeBlockWeights;
	type BlockLength = RuntimeBlockLength;
	type AccountId = AccountId;
	type Nonce = Nonce;
	type Hash = Hash;
	type BlockHashCount = BlockHashCount;
	type DbWeight = DatabaseWeight;
	type ExtensionsWeightInfo = frame_system::SubstrateExtensionsWeight<Runtime>;
	type Version = Version;
	type AccountData = pallet_balances::AccountData<Balance>;
	type SS58Prefix = SS58Prefix;
	type MaxConsumers = ConstU32<16>;
}

impl pallet_timestamp::Config for Runtime {
	type Moment = u64;
	type OnTimestampSet = Aura;
	// half a slot
	type MinimumPeriod = ConstU64<{ SLOT_MILLIS / 2 }>;
	type WeightInfo = ();
}

impl pallet_aura::Config for Runtime {
	type AuthorityId = AuraId;
	type DisabledValidators = ();
	type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
	type AllowMultipleBlocksPerSlot = ConstBool<false>;
	type SlotDuration = pallet_aura::MinimumPeriodTimesTwo<Runtime>;
}

impl pallet_grandpa::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = ();
	type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
	type MaxNominators = ConstU32<0>;
	type MaxSetIdSessionEntries = ConstU64<0>;
	type KeyOwnerProof = sp_core::Void;
	type EquivocationReportSystem = ();
}

impl pallet_balances::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type Balance = Balance;
	type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
	type AccountStore = System;
	type DustRemoval = ();
	type MaxLocks = ConstU32<50>;
	type MaxReserves = ();
	type ReserveIdentifier = [u8; 8];
	type RuntimeHoldReason = RuntimeHoldReason;
	type RuntimeFreezeReason = RuntimeFreezeReason;
	type FreezeIdentifier = RuntimeFreezeReason;
	type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
	type DoneSlashHandler = ();
	type WeightInfo = pallet_balances::weights::SubstrateWeight<Runtime>;
}

impl pallet_transaction_payment::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type OnChargeTransaction = FungibleAdapter<Balances, ()>;
	type OperationalFeeMultiplier = ConstU8<5>;
	type WeightToFee = IdentityFee<Balance>;
	type LengthToFee = ConstantMultiplier<Balance, ConstU128<1_000>>;
	type FeeMultiplierUpdate = ConstFeeMultiplier<FeeMultiplier>;
	type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
}

impl pallet_sudo::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type WeightInfo = pallet_sudo::weights::SubstrateWeight<Runtime>;
}

impl pallet_ordering::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Vouchers = Vouchers;
	type VoucherWeights = VoucherWeights;
	type GroupDeposit = ConstU128<UNIT>;
	type MaxPayload = ConstU32<{ 64 * 1024 }>;
	type CandidateInterval = ConstU32<20>;
	type ContestWindow = ConstU32<DAY>;
	type Retention = ConstU32<{ 30 * DAY }>;
	type EntryCapacity = ConstU32<1_024>;
	type EntryRefill = ConstU32<1>;
	type ByteCapacity = ConstU32<{ 8 * 1024 * 1024 }>;
	type ByteRefill = ConstU32<{ 4 * 1024 }>;
	type ContestCapacity = ConstU32<64>;
	type ContestRefill = ConstU32<600>;
	type ContestEntries = ConstU32<64>;
	type ContestBytes = ConstU32<{ 1024 * 1024 }>;
	type ContestSlowdown = ConstU32<32>;
	type AppendLongevity = ConstU64<64>;
	type MaxPrunedPerBlock = ConstU32<4_096>;
	type OnEntry = statements::GrantStatements;
	type WeightInfo = pallet_ordering::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	pub VoucherWeights: (Weight, Weight) = {
		use pallet_vouchers::{weights::SubstrateWeight, WeightInfo};
		(SubstrateWeight::<Runtime>::check(), SubstrateWeight::<Runtime>::spend())
	};
}

/// A sponsor's account is its Ed25519 key.
pub struct SponsorAccount;
impl Convert<SponsorId, AccountId> for SponsorAccount {
	fn convert(sponsor: SponsorId) -> AccountId {
		sponsor.0.into()
	}
}

impl pallet_vouchers::Config for Runtime {
	type Sponsor = SponsorAccount;
	type LongestVoucher = ConstU32<{ 90 * DAY }>;
	type Period = ConstU32<DAY>;
	type MaxForgotten = ConstU32<256>;
	type WeightInfo = pallet_vouchers::weights::SubstrateWeight<Runtime>;
}

impl pallet_directory::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Vouchers = Vouchers;
	type VoucherWeights = VoucherWeights;
	type IdentityDeposit = ConstU128<UNIT>;
	type OnRevoked = KeyPackages;
	type RecoveryWindow = ConstU32<{ lockstep_primitives::identity::RECOVERY_WINDOW }>;
	type EventLongevity = ConstU64<64>;
	type WeightInfo = pallet_directory::weights::SubstrateWeight<Runtime>;
}

impl pallet_key_packages::Config for Runtime {
	type ClaimDeposit = ConstU128<{ UNIT / 10 }>;
	type PublishBurst = ConstU32<256>;
	type PublishEvery = ConstU32<300>;
	type ClaimBurst = ConstU32<200>;
	type ClaimEvery = ConstU32<30>;
	type LastResortGrace = ConstU32<DAY>;
	type LowStock = ConstU32<50>;
	type ClaimLife = ConstU32<{ lockstep_primitives::key_package::CLAIM_LIFE }>;
	type Period = ConstU32<HOUR>;
	// More than a block has claims: else what they got stays ever longer.
	type MaxForgotten = ConstU32<384>;
	type OnClaim = statements::GrantWelcomes;
	type WeightInfo = pallet_key_packages::weights::SubstrateWeight<Runtime>;
}

impl pallet_validators::Config for Runtime {
	type SetOrigin = OperatorsMajority;
	type MinValidators = ConstU32<1>;
	type MaxValidators = ConstU32<MAX_VALIDATORS>;
	type SessionLength = ConstU32<HOUR>;
	type WeightInfo = pallet_validators::weights::SubstrateWeight<Runtime>;
}

impl pallet_session::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	// a validator is its account
	type ValidatorId = AccountId;
	type ValidatorIdOf = ConvertInto;
	type ShouldEndSession = Validators;
	type NextSessionRotation = pallet_session::PeriodicSessions<ConstU32<HOUR>, ConstU32<0>>;
	type SessionManager = Validators;
	type SessionHandler = <opaque::SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
	type Keys = opaque::SessionKeys;
	// nothing reports offences yet
	type DisablingStrategy = ();
	type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
	type Currency = Balances;
	type KeyDeposit = ConstU128<UNIT>;
}

#[cfg(feature = "runtime-benchmarks")]
impl frame_system_benchmarking::Config for Runtime {}
