//! Weights of `pallet_vouchers`, measured by `make weights`.
//!
//! Date 2026-11-27, 50 steps, 20 repeats, on Intel(R) Xeon(R) Processor.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens, unused_imports, missing_docs)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::{constants::RocksDbWeight, Weight}};

/// What the calls and hooks of `pallet_vouchers` cost.
pub trait WeightInfo {
	fn check() -> Weight;
	fn spend() -> Weight;
	fn forget_nothing() -> Weight;
	fn forget_one() -> Weight;
}

/// As measured, with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Vouchers::Spent` (r:1 w:0)
	/// Proof: `Vouchers::Spent` (`max_values`: None, `max_size`: Some(97), added: 2572, mode: `MaxEncodedLen`)
	fn check() -> Weight {
		// Minimum execution time: 109_713_000 picoseconds.
		Weight::from_parts(122_676_000, 3562)
			.saturating_add(T::DbWeight::get().reads(2_u64))
	}
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Vouchers::Spent` (r:1 w:1)
	/// Proof: `Vouchers::Spent` (`max_values`: None, `max_size`: Some(97), added: 2572, mode: `MaxEncodedLen`)
	fn spend() -> Weight {
		// Minimum execution time: 17_495_000 picoseconds.
		Weight::from_parts(21_997_000, 3562)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Vouchers::Oldest` (r:1 w:1)
	/// Proof: `Vouchers::Oldest` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Vouchers::Spent` (r:1 w:0)
	/// Proof: `Vouchers::Spent` (`max_values`: None, `max_size`: Some(97), added: 2572, mode: `MaxEncodedLen`)
	fn forget_nothing() -> Weight {
		// Minimum execution time: 7_441_000 picoseconds.
		Weight::from_parts(8_299_000, 3562)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Vouchers::Oldest` (r:1 w:1)
	/// Proof: `Vouchers::Oldest` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Vouchers::Spent` (r:2 w:1)
	/// Proof: `Vouchers::Spent` (`max_values`: None, `max_size`: Some(97), added: 2572, mode: `MaxEncodedLen`)
	fn forget_one() -> Weight {
		// Minimum execution time: 15_266_000 picoseconds.
		Weight::from_parts(26_055_000, 6134)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
}

/// The same for tests, with the database weights of RocksDB.
impl WeightInfo for () {
	fn check() -> Weight {
		Weight::from_parts(122_676_000, 3562)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
	}
	fn spend() -> Weight {
		Weight::from_parts(21_997_000, 3562)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn forget_nothing() -> Weight {
		Weight::from_parts(8_299_000, 3562)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn forget_one() -> Weight {
		Weight::from_parts(26_055_000, 6134)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
}
