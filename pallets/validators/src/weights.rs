//! Weights of `pallet_validators`, measured by `make weights`.
//!
//! Date 2026-11-27, 50 steps, 20 repeats, on Intel(R) Xeon(R) Processor.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens, unused_imports, missing_docs)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::{constants::RocksDbWeight, Weight}};

/// What the calls and hooks of `pallet_validators` cost.
pub trait WeightInfo {
	fn set_validators(n: u32, ) -> Weight;
}

/// As measured, with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `Session::NextKeys` (r:100 w:0)
	/// Proof: `Session::NextKeys` (`max_values`: None, `max_size`: None, mode: `Measured`)
	/// Storage: `Validators::Validators` (r:0 w:1)
	/// Proof: `Validators::Validators` (`max_values`: Some(1), `max_size`: Some(3202), added: 3697, mode: `MaxEncodedLen`)
	/// Storage: `Validators::ChangeWaits` (r:0 w:1)
	/// Proof: `Validators::ChangeWaits` (`max_values`: Some(1), `max_size`: Some(1), added: 496, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[1, 100]`.
	fn set_validators(n: u32, ) -> Weight {
		// Minimum execution time: 13_285_000 picoseconds.
		Weight::from_parts(24_164_151, 1191)
			// Standard error: 20_078.
			.saturating_add(Weight::from_parts(3_866_475, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(2_u64))
			.saturating_add(Weight::from_parts(0, 2553).saturating_mul(n.into()))
	}
}

/// The same for tests, with the database weights of RocksDB.
impl WeightInfo for () {
	fn set_validators(n: u32, ) -> Weight {
		Weight::from_parts(24_164_151, 1191)
			.saturating_add(Weight::from_parts(3_866_475, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
			.saturating_add(Weight::from_parts(0, 2553).saturating_mul(n.into()))
	}
}
