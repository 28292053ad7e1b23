//! Weights of `pallet_directory`, measured by `make weights`.
//!
//! Date 2026-11-27, 50 steps, 20 repeats, on Intel(R) Xeon(R) Processor.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens, unused_imports, missing_docs)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::{constants::RocksDbWeight, Weight}};

/// What the calls and hooks of `pallet_directory` cost.
pub trait WeightInfo {
	fn register() -> Weight;
	fn record() -> Weight;
	fn authorize_record() -> Weight;
	fn reclaim() -> Weight;
	fn register_by_voucher() -> Weight;
	fn authorize_register_by_voucher() -> Weight;
}

/// As measured, with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `Directory::Identities` (r:1 w:1)
	/// Proof: `Directory::Identities` (`max_values`: None, `max_size`: Some(4515), added: 6990, mode: `MaxEncodedLen`)
	/// Storage: `Directory::Ended` (r:1 w:0)
	/// Proof: `Directory::Ended` (`max_values`: None, `max_size`: Some(88), added: 2563, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Directory::UsedKeys` (r:1 w:1)
	/// Proof: `Directory::UsedKeys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(157), added: 2632, mode: `MaxEncodedLen`)
	/// Storage: `Directory::CounterForIdentities` (r:1 w:1)
	/// Proof: `Directory::CounterForIdentities` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Directory::BlockEvents` (r:1 w:1)
	/// Proof: `Directory::BlockEvents` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
	fn register() -> Weight {
		// Minimum execution time: 148_426_000 picoseconds.
		Weight::from_parts(219_550_000, 7980)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Storage: `Directory::Identities` (r:1 w:1)
	/// Proof: `Directory::Identities` (`max_values`: None, `max_size`: Some(4515), added: 6990, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Directory::UsedKeys` (r:1 w:1)
	/// Proof: `Directory::UsedKeys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// Storage: `Directory::BlockEvents` (r:1 w:1)
	/// Proof: `Directory::BlockEvents` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
	/// Storage: `KeyPackages::Leaving` (r:0 w:15)
	/// Proof: `KeyPackages::Leaving` (`max_values`: None, `max_size`: Some(48), added: 2523, mode: `MaxEncodedLen`)
	fn record() -> Weight {
		// Minimum execution time: 171_038_000 picoseconds.
		Weight::from_parts(272_747_000, 7980)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(18_u64))
	}
	/// Storage: `Directory::Identities` (r:1 w:0)
	/// Proof: `Directory::Identities` (`max_values`: None, `max_size`: Some(4515), added: 6990, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Directory::UsedKeys` (r:1 w:0)
	/// Proof: `Directory::UsedKeys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	fn authorize_record() -> Weight {
		// Minimum execution time: 150_025_000 picoseconds.
		Weight::from_parts(196_296_000, 7980)
			.saturating_add(T::DbWeight::get().reads(3_u64))
	}
	/// Storage: `Directory::Identities` (r:1 w:1)
	/// Proof: `Directory::Identities` (`max_values`: None, `max_size`: Some(4515), added: 6990, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(157), added: 2632, mode: `MaxEncodedLen`)
	/// Storage: `Directory::CounterForIdentities` (r:1 w:1)
	/// Proof: `Directory::CounterForIdentities` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::Gates` (r:0 w:1)
	/// Proof: `KeyPackages::Gates` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::ClaimAllowances` (r:0 w:1)
	/// Proof: `KeyPackages::ClaimAllowances` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::Leaving` (r:0 w:1)
	/// Proof: `KeyPackages::Leaving` (`max_values`: None, `max_size`: Some(48), added: 2523, mode: `MaxEncodedLen`)
	/// Storage: `Directory::Ended` (r:0 w:1)
	/// Proof: `Directory::Ended` (`max_values`: None, `max_size`: Some(88), added: 2563, mode: `MaxEncodedLen`)
	fn reclaim() -> Weight {
		// Minimum execution time: 75_188_000 picoseconds.
		Weight::from_parts(92_730_000, 7980)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(7_u64))
	}
	/// Storage: `Directory::Identities` (r:1 w:1)
	/// Proof: `Directory::Identities` (`max_values`: None, `max_size`: Some(4515), added: 6990, mode: `MaxEncodedLen`)
	/// Storage: `Directory::Ended` (r:1 w:0)
	/// Proof: `Directory::Ended` (`max_values`: None, `max_size`: Some(88), added: 2563, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Directory::UsedKeys` (r:1 w:1)
	/// Proof: `Directory::UsedKeys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(157), added: 2632, mode: `MaxEncodedLen`)
	/// Storage: `Directory::CounterForIdentities` (r:1 w:1)
	/// Proof: `Directory::CounterForIdentities` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Directory::BlockEvents` (r:1 w:1)
	/// Proof: `Directory::BlockEvents` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
	fn register_by_voucher() -> Weight {
		// Minimum execution time: 82_884_000 picoseconds.
		Weight::from_parts(99_643_000, 7980)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Storage: `Directory::Identities` (r:1 w:0)
	/// Proof: `Directory::Identities` (`max_values`: None, `max_size`: Some(4515), added: 6990, mode: `MaxEncodedLen`)
	/// Storage: `Directory::Ended` (r:1 w:0)
	/// Proof: `Directory::Ended` (`max_values`: None, `max_size`: Some(88), added: 2563, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Directory::UsedKeys` (r:1 w:0)
	/// Proof: `Directory::UsedKeys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:0)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(157), added: 2632, mode: `MaxEncodedLen`)
	fn authorize_register_by_voucher() -> Weight {
		// Minimum execution time: 79_211_000 picoseconds.
		Weight::from_parts(99_119_000, 7980)
			.saturating_add(T::DbWeight::get().reads(5_u64))
	}
}

/// The same for tests, with the database weights of RocksDB.
impl WeightInfo for () {
	fn register() -> Weight {
		Weight::from_parts(219_550_000, 7980)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn record() -> Weight {
		Weight::from_parts(272_747_000, 7980)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(18_u64))
	}
	fn authorize_record() -> Weight {
		Weight::from_parts(196_296_000, 7980)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
	}
	fn reclaim() -> Weight {
		Weight::from_parts(92_730_000, 7980)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(7_u64))
	}
	fn register_by_voucher() -> Weight {
		Weight::from_parts(99_643_000, 7980)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn authorize_register_by_voucher() -> Weight {
		Weight::from_parts(99_119_000, 7980)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
	}
}
