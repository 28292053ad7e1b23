//! Weights of `pallet_ordering`, measured by `make weights`.
//!
//! Date 2026-11-27, 50 steps, 20 repeats, on Intel(R) Xeon(R) Processor.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens, unused_imports, missing_docs)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::{constants::RocksDbWeight, Weight}};

/// What the calls and hooks of `pallet_ordering` cost.
pub trait WeightInfo {
	fn create_group() -> Weight;
	fn append(p: u32, ) -> Weight;
	fn authorize_append(p: u32, ) -> Weight;
	fn close_group() -> Weight;
	fn prune_nothing() -> Weight;
	fn prune_closing() -> Weight;
	fn prune_retained() -> Weight;
	fn prune_removed() -> Weight;
	fn create_group_by_voucher() -> Weight;
	fn authorize_create_group_by_voucher() -> Weight;
}

/// As measured, with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `Ordering::Groups` (r:1 w:1)
	/// Proof: `Ordering::Groups` (`max_values`: None, `max_size`: Some(153), added: 2628, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::ClosedGroups` (r:1 w:0)
	/// Proof: `Ordering::ClosedGroups` (`max_values`: None, `max_size`: Some(48), added: 2523, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(157), added: 2632, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::CounterForGroups` (r:1 w:1)
	/// Proof: `Ordering::CounterForGroups` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::RetentionBounds` (r:1 w:1)
	/// Proof: `Ordering::RetentionBounds` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::BlockEntries` (r:1 w:1)
	/// Proof: `Ordering::BlockEntries` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
	/// Storage: UNKNOWN KEY `0x3a73746174656d656e745f616c6c6f77616e63653affe0b81700cedadde9deba` (r:1 w:1)
	/// Proof: UNKNOWN KEY `0x3a73746174656d656e745f616c6c6f77616e63653affe0b81700cedadde9deba` (r:1 w:1)
	/// Storage: `Ordering::Indices` (r:0 w:1)
	/// Proof: `Ordering::Indices` (`max_values`: None, `max_size`: Some(88), added: 2563, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::OpenEntries` (r:0 w:1)
	/// Proof: `Ordering::OpenEntries` (`max_values`: None, `max_size`: Some(1266), added: 3741, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::RetentionQueue` (r:0 w:1)
	/// Proof: `Ordering::RetentionQueue` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
	fn create_group() -> Weight {
		// Minimum execution time: 139_628_000 picoseconds.
		Weight::from_parts(196_495_000, 3622)
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().writes(9_u64))
	}
	/// Storage: `Ordering::Groups` (r:1 w:1)
	/// Proof: `Ordering::Groups` (`max_values`: None, `max_size`: Some(153), added: 2628, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::OpenEntries` (r:1 w:2)
	/// Proof: `Ordering::OpenEntries` (`max_values`: None, `max_size`: Some(1266), added: 3741, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::CloseBounds` (r:1 w:1)
	/// Proof: `Ordering::CloseBounds` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::RetentionBounds` (r:1 w:1)
	/// Proof: `Ordering::RetentionBounds` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::BlockEntries` (r:1 w:1)
	/// Proof: `Ordering::BlockEntries` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
	/// Storage: UNKNOWN KEY `0x3a73746174656d656e745f616c6c6f77616e63653abf3a763d817cee09bf785b` (r:1 w:1)
	/// Proof: UNKNOWN KEY `0x3a73746174656d656e745f616c6c6f77616e63653abf3a763d817cee09bf785b` (r:1 w:1)
	/// Storage: `Ordering::Indices` (r:0 w:1)
	/// Proof: `Ordering::Indices` (`max_values`: None, `max_size`: Some(88), added: 2563, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::CloseQueue` (r:0 w:1)
	/// Proof: `Ordering::CloseQueue` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::RetentionQueue` (r:0 w:1)
	/// Proof: `Ordering::RetentionQueue` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
	/// The range of component `p` is `[1, 65536]`.
	fn append(p: u32, ) -> Weight {
		// Minimum execution time: 60_271_000 picoseconds.
		Weight::from_parts(90_347_578, 4731)
			// Standard error: 107.
			.saturating_add(Weight::from_parts(5_497, 0).saturating_mul(p.into()))
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(10_u64))
	}
	/// Storage: `Ordering::Groups` (r:1 w:0)
	/// Proof: `Ordering::Groups` (`max_values`: None, `max_size`: Some(153), added: 2628, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::OpenEntries` (r:1 w:0)
	/// Proof: `Ordering::OpenEntries` (`max_values`: None, `max_size`: Some(1266), added: 3741, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// The range of component `p` is `[1, 65536]`.
	fn authorize_append(p: u32, ) -> Weight {
		// Minimum execution time: 83_737_000 picoseconds.
		Weight::from_parts(128_987_515, 4731)
			// Standard error: 114.
			.saturating_add(Weight::from_parts(3_124, 0).saturating_mul(p.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
	}
	/// Storage: `Ordering::Groups` (r:1 w:1)
	/// Proof: `Ordering::Groups` (`max_values`: None, `max_size`: Some(153), added: 2628, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::OpenEntries` (r:1 w:0)
	/// Proof: `Ordering::OpenEntries` (`max_values`: None, `max_size`: Some(1266), added: 3741, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(157), added: 2632, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::CounterForGroups` (r:1 w:1)
	/// Proof: `Ordering::CounterForGroups` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::RemovalBounds` (r:1 w:1)
	/// Proof: `Ordering::RemovalBounds` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::RemovalQueue` (r:0 w:1)
	/// Proof: `Ordering::RemovalQueue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::ClosedGroups` (r:0 w:1)
	/// Proof: `Ordering::ClosedGroups` (`max_values`: None, `max_size`: Some(48), added: 2523, mode: `MaxEncodedLen`)
	fn close_group() -> Weight {
		// Minimum execution time: 127_248_000 picoseconds.
		Weight::from_parts(155_473_000, 4731)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Storage: `Ordering::RetentionBounds` (r:1 w:0)
	/// Proof: `Ordering::RetentionBounds` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::RetentionQueue` (r:1 w:0)
	/// Proof: `Ordering::RetentionQueue` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::RemovalBounds` (r:1 w:0)
	/// Proof: `Ordering::RemovalBounds` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::CloseBounds` (r:1 w:0)
	/// Proof: `Ordering::CloseBounds` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::CloseQueue` (r:1 w:0)
	/// Proof: `Ordering::CloseQueue` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
	fn prune_nothing() -> Weight {
		// Minimum execution time: 15_173_000 picoseconds.
		Weight::from_parts(18_457_000, 3549)
			.saturating_add(T::DbWeight::get().reads(5_u64))
	}
	/// Storage: `Ordering::CloseBounds` (r:1 w:1)
	/// Proof: `Ordering::CloseBounds` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::CloseQueue` (r:1 w:1)
	/// Proof: `Ordering::CloseQueue` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::OpenEntries` (r:1 w:1)
	/// Proof: `Ordering::OpenEntries` (`max_values`: None, `max_size`: Some(1266), added: 3741, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::Groups` (r:1 w:1)
	/// Proof: `Ordering::Groups` (`max_values`: None, `max_size`: Some(153), added: 2628, mode: `MaxEncodedLen`)
	/// Storage: UNKNOWN KEY `0x3a73746174656d656e745f616c6c6f77616e63653affe0b81700cedadde9deba` (r:1 w:1)
	/// Proof: UNKNOWN KEY `0x3a73746174656d656e745f616c6c6f77616e63653affe0b81700cedadde9deba` (r:1 w:1)
	/// Storage: `Ordering::Indices` (r:0 w:1)
	/// Proof: `Ordering::Indices` (`max_values`: None, `max_size`: Some(88), added: 2563, mode: `MaxEncodedLen`)
	fn prune_closing() -> Weight {
		// Minimum execution time: 32_192_000 picoseconds.
		Weight::from_parts(53_977_000, 5297)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Storage: `Ordering::RetentionBounds` (r:1 w:1)
	/// Proof: `Ordering::RetentionBounds` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::RetentionQueue` (r:1 w:1)
	/// Proof: `Ordering::RetentionQueue` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::OpenEntries` (r:1 w:1)
	/// Proof: `Ordering::OpenEntries` (`max_values`: None, `max_size`: Some(1266), added: 3741, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::Groups` (r:1 w:1)
	/// Proof: `Ordering::Groups` (`max_values`: None, `max_size`: Some(153), added: 2628, mode: `MaxEncodedLen`)
	/// Storage: UNKNOWN KEY `0x3a73746174656d656e745f616c6c6f77616e63653abf3a763d817cee09bf785b` (r:1 w:1)
	/// Proof: UNKNOWN KEY `0x3a73746174656d656e745f616c6c6f77616e63653abf3a763d817cee09bf785b` (r:1 w:1)
	/// Storage: `Ordering::Indices` (r:0 w:1)
	/// Proof: `Ordering::Indices` (`max_values`: None, `max_size`: Some(88), added: 2563, mode: `MaxEncodedLen`)
	fn prune_retained() -> Weight {
		// Minimum execution time: 35_728_000 picoseconds.
		Weight::from_parts(57_810_000, 4731)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Storage: `Ordering::RemovalBounds` (r:1 w:0)
	/// Proof: `Ordering::RemovalBounds` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::RemovalQueue` (r:1 w:1)
	/// Proof: `Ordering::RemovalQueue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::Indices` (r:2 w:1)
	/// Proof: `Ordering::Indices` (`max_values`: None, `max_size`: Some(88), added: 2563, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::OpenEntries` (r:1 w:1)
	/// Proof: `Ordering::OpenEntries` (`max_values`: None, `max_size`: Some(1266), added: 3741, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::Groups` (r:1 w:1)
	/// Proof: `Ordering::Groups` (`max_values`: None, `max_size`: Some(153), added: 2628, mode: `MaxEncodedLen`)
	/// Storage: UNKNOWN KEY `0x3a73746174656d656e745f616c6c6f77616e63653affe0b81700cedadde9deba` (r:1 w:1)
	/// Proof: UNKNOWN KEY `0x3a73746174656d656e745f616c6c6f77616e63653affe0b81700cedadde9deba` (r:1 w:1)
	fn prune_removed() -> Weight {
		// Minimum execution time: 41_503_000 picoseconds.
		Weight::from_parts(59_450_000, 6116)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Storage: `Ordering::Groups` (r:1 w:1)
	/// Proof: `Ordering::Groups` (`max_values`: None, `max_size`: Some(153), added: 2628, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::ClosedGroups` (r:1 w:0)
	/// Proof: `Ordering::ClosedGroups` (`max_values`: None, `max_size`: Some(48), added: 2523, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(157), added: 2632, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::CounterForGroups` (r:1 w:1)
	/// Proof: `Ordering::CounterForGroups` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::RetentionBounds` (r:1 w:1)
	/// Proof: `Ordering::RetentionBounds` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::BlockEntries` (r:1 w:1)
	/// Proof: `Ordering::BlockEntries` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
	/// Storage: UNKNOWN KEY `0x3a73746174656d656e745f616c6c6f77616e63653affe0b81700cedadde9deba` (r:1 w:1)
	/// Proof: UNKNOWN KEY `0x3a73746174656d656e745f616c6c6f77616e63653affe0b81700cedadde9deba` (r:1 w:1)
	/// Storage: `Ordering::Indices` (r:0 w:1)
	/// Proof: `Ordering::Indices` (`max_values`: None, `max_size`: Some(88), added: 2563, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::OpenEntries` (r:0 w:1)
	/// Proof: `Ordering::OpenEntries` (`max_values`: None, `max_size`: Some(1266), added: 3741, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::RetentionQueue` (r:0 w:1)
	/// Proof: `Ordering::RetentionQueue` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
	fn create_group_by_voucher() -> Weight {
		// Minimum execution time: 79_414_000 picoseconds.
		Weight::from_parts(113_812_000, 3622)
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().writes(9_u64))
	}
	/// Storage: `Ordering::Groups` (r:1 w:0)
	/// Proof: `Ordering::Groups` (`max_values`: None, `max_size`: Some(153), added: 2628, mode: `MaxEncodedLen`)
	/// Storage: `Ordering::ClosedGroups` (r:1 w:0)
	/// Proof: `Ordering::ClosedGroups` (`max_values`: None, `max_size`: Some(48), added: 2523, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:0)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(157), added: 2632, mode: `MaxEncodedLen`)
	fn authorize_create_group_by_voucher() -> Weight {
		// Minimum execution time: 68_337_000 picoseconds.
		Weight::from_parts(81_394_000, 3622)
			.saturating_add(T::DbWeight::get().reads(4_u64))
	}
}

/// The same for tests, with the database weights of RocksDB.
impl WeightInfo for () {
	fn create_group() -> Weight {
		Weight::from_parts(196_495_000, 3622)
			.saturating_add(RocksDbWeight::get().reads(8_u64))
			.saturating_add(RocksDbWeight::get().writes(9_u64))
	}
	fn append(p: u32, ) -> Weight {
		Weight::from_parts(90_347_578, 4731)
			.saturating_add(Weight::from_parts(5_497, 0).saturating_mul(p.into()))
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(10_u64))
	}
	fn authorize_append(p: u32, ) -> Weight {
		Weight::from_parts(128_987_515, 4731)
			.saturating_add(Weight::from_parts(3_124, 0).saturating_mul(p.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
	}
	fn close_group() -> Weight {
		Weight::from_parts(155_473_000, 4731)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	fn prune_nothing() -> Weight {
		Weight::from_parts(18_457_000, 3549)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
	}
	fn prune_closing() -> Weight {
		Weight::from_parts(53_977_000, 5297)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	fn prune_retained() -> Weight {
		Weight::from_parts(57_810_000, 4731)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	fn prune_removed() -> Weight {
		Weight::from_parts(59_450_000, 6116)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn create_group_by_voucher() -> Weight {
		Weight::from_parts(113_812_000, 3622)
			.saturating_add(RocksDbWeight::get().reads(8_u64))
			.saturating_add(RocksDbWeight::get().writes(9_u64))
	}
	fn authorize_create_group_by_voucher() -> Weight {
		Weight::from_parts(81_394_000, 3622)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
	}
}
