//! The runtime of a Lockstep chain: Aura blocks of one second, GRANDPA finality, and the ordering of MLS commits.

#![cfg_attr(not(feature = "std"), no_std)]
// `construct_runtime` and `impl_runtime_apis` expand to deep types.
#![recursion_limit = "256"]

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
#[macro_use]
mod benches {
	frame_benchmarking::define_benchmarks!(
		[frame_system, SystemBench::<Runtime>]
		[pallet_directory, Directory]
		[pallet_key_packages, KeyPackages]
		[pallet_ordering, Ordering]
		[pallet_validators, Validators]
		[pallet_vouchers, Vouchers]
	);
}

mod apis;
mod configs;
mod database_weight;
pub mod genesis_presets;
mod governance;
mod statements;

use alloc::vec::Vec;
use frame_support::weights::{constants::WEIGHT_REF_TIME_PER_SECOND, Weight};
pub use frame_system::Call as SystemCall;
pub use pallet_directory;
pub use pallet_ordering;
use sp_runtime::{
	generic, impl_opaque_keys,
	traits::{BlakeTwo256, IdentifyAccount, Verify},
	MultiAddress, MultiSignature,
};
use sp_version::RuntimeVersion;

pub use apis::{api, RuntimeApi};

/// Opaque types, for the parts of the node that must survive a runtime upgrade.
pub mod opaque {
	use super::*;
	use sp_runtime::traits::Hash as HashT;
	pub use sp_runtime::OpaqueExtrinsic as UncheckedExtrinsic;

	/// Opaque block header type.
	pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
	/// Opaque block type.
	pub type Block = generic::Block<Header, UncheckedExtrinsic>;
	/// Opaque block hash type.
	pub type Hash = <BlakeTwo256 as HashT>::Output;

	impl_opaque_keys! {
		/// The keys of a validator.
		pub struct SessionKeys {
			/// Makes blocks.
			pub aura: crate::Aura,
			/// Votes on finality.
			pub grandpa: crate::Grandpa,
		}
	}
}

/// Which runtime this is.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
	spec_name: alloc::borrow::Cow::Borrowed("lockstep"),
	impl_name: alloc::borrow::Cow::Borrowed("lockstep"),
	authoring_version: 1,
	spec_version: 4,
	impl_version: 1,
	apis: apis::RUNTIME_API_VERSIONS,
	// a literal, as the macro demands; the tests hold it against `lockstep_primitives::extrinsic`
	transaction_version: 1,
	system_version: 1,
};

/// Length of a slot, and so the time between blocks, in milliseconds.
pub const SLOT_MILLIS: u64 = 1_000;
/// Blocks in an hour.
pub const HOUR: BlockNumber = 3_600;
/// Blocks in a day.
pub const DAY: BlockNumber = 86_400;

/// Time that executing a full block may take. A block is made, sent and executed again by everybody within its
/// slot, and voted on; well below two thirds of the slot leaves room for that.
pub const MAX_BLOCK_WEIGHT: Weight = Weight::from_parts(WEIGHT_REF_TIME_PER_SECOND.saturating_mul(2) / 5, u64::MAX);

/// One token, in its smallest unit.
pub const UNIT: Balance = 1_000_000_000_000;
/// A thousandth of a token.
pub const MILLI_UNIT: Balance = UNIT / 1_000;
/// The least an account may hold.
pub const EXISTENTIAL_DEPOSIT: Balance = MILLI_UNIT;

/// Signature of an account.
pub type Signature = MultiSignature;
/// An account: the public key, or a hash of it.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// How an extrinsic names an account.
pub type Address = MultiAddress<AccountId, ()>;
/// Amounts of tokens.
pub type Balance = u128;
/// Number of extrinsics that an account has signed.
pub type Nonce = u32;
/// A hash, as blocks have it.
pub type Hash = sp_core::H256;
/// Height of a block.
pub type BlockNumber = lockstep_primitives::BlockNumber;
/// Header of a block.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;

/// What an extrinsic passes through before it is dispatched. `AuthorizeCall` comes first: it authorises entries by
/// the endorsement that they carry; what follows applies to accounts, and lets the others pass.
/// `lockstep_primitives::extrinsic` pins how this is encoded.
pub type TxExtension = (
	frame_system::AuthorizeCall<Runtime>,
	frame_system::CheckNonZeroSender<Runtime>,
	frame_system::CheckSpecVersion<Runtime>,
	frame_system::CheckTxVersion<Runtime>,
	frame_system::CheckGenesis<Runtime>,
	frame_system::CheckEra<Runtime>,
	frame_system::CheckNonce<Runtime>,
	frame_system::CheckWeight<Runtime>,
	pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
	frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
	frame_system::WeightReclaim<Runtime>,
);

/// An extrinsic as it comes in a block.
pub type UncheckedExtrinsic = generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;

/// Executes blocks.
pub type Executive =
	frame_executive::Executive<Runtime, Block, frame_system::ChainContext<Runtime>, Runtime, AllPalletsWithSystem>;

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
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Runtime;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;

	#[runtime::pallet_index(1)]
	pub type Timestamp = pallet_timestamp;

	#[runtime::pallet_index(2)]
	pub type Aura = pallet_aura;

	#[runtime::pallet_index(3)]
	pub type Grandpa = pallet_grandpa;

	#[runtime::pallet_index(4)]
	pub type Balances = pallet_balances;

	#[runtime::pallet_index(5)]
	pub type TransactionPayment = pallet_transaction_payment;

	#[runtime::pallet_index(6)]
	pub type Sudo = pallet_sudo;

	#[runtime::pallet_index(10)]
	pub type Ordering = pallet_ordering;

	// before `Session`, whose genesis asks it for the validators
	#[runtime::pallet_index(11)]
	pub type Validators = pallet_validators;

	#[runtime::pallet_index(12)]
	pub type Session = pallet_session;

	#[runtime::pallet_index(13)]
	pub type Operators = pallet_collective::Pallet<Runtime, Instance1>;

	#[runtime::pallet_index(14)]
	pub type Directory = pallet_directory;

	#[runtime::pallet_index(15)]
	pub type Vouchers = pallet_vouchers;

	#[runtime::pallet_index(16)]
	pub type KeyPackages = pallet_key_packages;
}

#[cfg(test)]
mod tests;
