//! Weights for `pallet_ordering`: estimates on the safe side, until the benchmarks have run.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]
#![allow(dead_code)]

use frame_support::{traits::Get, weights::{Weight, constants::RocksDbWeight}};
use core::marker::PhantomData;

/// Weight functions needed for `pallet_ordering`.
pub trait WeightInfo {
	fn create_group() -> Weight;
	fn append(p: u32, ) -> Weight;
	fn authorize_append(p: u32, ) -> Weight;
	fn close_group() -> Weight;
	fn prune_nothing() -> Weight;
	fn prune_closing() -> Weight;
	fn prune_retained() -> Weight;
	fn prune_removed() -> Weight;
}

/// Weights for `pallet_ordering` using the Substrate node and recommended hardware.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn create_group() -> Weight {
		Weight::from_parts(150_000_000, 16_000)
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().writes(9_u64))
	}
	/// The range of component `p` is `[1, 65536]`.
	fn append(p: u32, ) -> Weight {
		Weight::from_parts(80_000_000, 16_000)
			.saturating_add(Weight::from_parts(4_000, 0).saturating_mul(p.into()))
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(9_u64))
	}
	/// The range of component `p` is `[1, 65536]`.
	fn authorize_append(p: u32, ) -> Weight {
		Weight::from_parts(120_000_000, 16_000)
			.saturating_add(Weight::from_parts(4_000, 0).saturating_mul(p.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
	}
	fn close_group() -> Weight {
		Weight::from_parts(150_000_000, 16_000)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	fn prune_nothing() -> Weight {
		Weight::from_parts(10_000_000, 8_000)
			.saturating_add(T::DbWeight::get().reads(6_u64))
	}
	fn prune_closing() -> Weight {
		Weight::from_parts(40_000_000, 8_000)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	fn prune_retained() -> Weight {
		Weight::from_parts(40_000_000, 8_000)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	fn prune_removed() -> Weight {
		Weight::from_parts(40_000_000, 8_000)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
}

// For backwards compatibility and tests.
impl WeightInfo for () {
	fn create_group() -> Weight {
		Weight::from_parts(150_000_000, 16_000)
			.saturating_add(RocksDbWeight::get().reads(8_u64))
			.saturating_add(RocksDbWeight::get().writes(9_u64))
	}
	/// The range of component `p` is `[1, 65536]`.
	fn append(p: u32, ) -> Weight {
		Weight::from_parts(80_000_000, 16_000)
			.saturating_add(Weight::from_parts(4_000, 0).saturating_mul(p.into()))
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(9_u64))
	}
	/// The range of component `p` is `[1, 65536]`.
	fn authorize_append(p: u32, ) -> Weight {
		Weight::from_parts(120_000_000, 16_000)
			.saturating_add(Weight::from_parts(4_000, 0).saturating_mul(p.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
	}
	fn close_group() -> Weight {
		Weight::from_parts(150_000_000, 16_000)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	fn prune_nothing() -> Weight {
		Weight::from_parts(10_000_000, 8_000)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
	}
	fn prune_closing() -> Weight {
		Weight::from_parts(40_000_000, 8_000)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	fn prune_retained() -> Weight {
		Weight::from_parts(40_000_000, 8_000)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	fn prune_removed() -> Weight {
		Weight::from_parts(40_000_000, 8_000)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
}
