//! Weights of `pallet_key_packages`, measured by `make weights`.
//!
//! Date 2026-11-27, 16 steps, 8 repeats, on Intel(R) Xeon(R) Processor.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens, unused_imports, missing_docs)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::{constants::RocksDbWeight, Weight}};

/// What the calls and hooks of `pallet_key_packages` cost.
pub trait WeightInfo {
	fn publish(n: u32, ) -> Weight;
	fn authorize_publish(n: u32, ) -> Weight;
	fn set_gate() -> Weight;
	fn authorize_set_gate() -> Weight;
	fn claim(d: u32, ) -> Weight;
	fn authorize_claim(d: u32, ) -> Weight;
	fn pass_gate() -> Weight;
	fn pass_over(p: u32, ) -> Weight;
	fn tidy_nothing() -> Weight;
	fn forget_claim() -> Weight;
	fn forget_block() -> Weight;
	fn forget_init_keys() -> Weight;
	fn clear_stock() -> Weight;
	fn clear_lapsed() -> Weight;
}

/// As measured, with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `Directory::Identities` (r:1 w:0)
	/// Proof: `Directory::Identities` (`max_values`: None, `max_size`: Some(4515), added: 6990, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::Stocks` (r:1 w:1)
	/// Proof: `KeyPackages::Stocks` (`max_values`: None, `max_size`: Some(110), added: 2585, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::InitKeys` (r:101 w:101)
	/// Proof: `KeyPackages::InitKeys` (`max_values`: None, `max_size`: Some(40), added: 2515, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::KeyPackages` (r:0 w:200)
	/// Proof: `KeyPackages::KeyPackages` (`max_values`: None, `max_size`: Some(578), added: 3053, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::Lapsing` (r:0 w:1)
	/// Proof: `KeyPackages::Lapsing` (`max_values`: None, `max_size`: Some(3330), added: 5805, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::LastResorts` (r:0 w:1)
	/// Proof: `KeyPackages::LastResorts` (`max_values`: None, `max_size`: Some(562), added: 3037, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[1, 101]`.
	fn publish(n: u32, ) -> Weight {
		// Minimum execution time: 351_434_000 picoseconds.
		Weight::from_parts(421_996_680, 7980)
			// Standard error: 934_101.
			.saturating_add(Weight::from_parts(15_635_932, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(102_u64))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 2515).saturating_mul(n.into()))
	}
	/// Storage: `Directory::Identities` (r:1 w:0)
	/// Proof: `Directory::Identities` (`max_values`: None, `max_size`: Some(4515), added: 6990, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::Stocks` (r:1 w:0)
	/// Proof: `KeyPackages::Stocks` (`max_values`: None, `max_size`: Some(110), added: 2585, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::InitKeys` (r:101 w:0)
	/// Proof: `KeyPackages::InitKeys` (`max_values`: None, `max_size`: Some(40), added: 2515, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[1, 101]`.
	fn authorize_publish(n: u32, ) -> Weight {
		// Minimum execution time: 235_728_000 picoseconds.
		Weight::from_parts(455_424_759, 7980)
			// Standard error: 2_542_635.
			.saturating_add(Weight::from_parts(112_284_577, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 2515).saturating_mul(n.into()))
	}
	/// Storage: `Directory::Identities` (r:1 w:0)
	/// Proof: `Directory::Identities` (`max_values`: None, `max_size`: Some(4515), added: 6990, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::Stocks` (r:1 w:1)
	/// Proof: `KeyPackages::Stocks` (`max_values`: None, `max_size`: Some(110), added: 2585, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::Gates` (r:0 w:1)
	/// Proof: `KeyPackages::Gates` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	fn set_gate() -> Weight {
		// Minimum execution time: 30_961_000 picoseconds.
		Weight::from_parts(42_247_000, 7980)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Storage: `Directory::Identities` (r:1 w:0)
	/// Proof: `Directory::Identities` (`max_values`: None, `max_size`: Some(4515), added: 6990, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::Stocks` (r:1 w:0)
	/// Proof: `KeyPackages::Stocks` (`max_values`: None, `max_size`: Some(110), added: 2585, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	fn authorize_set_gate() -> Weight {
		// Minimum execution time: 66_220_000 picoseconds.
		Weight::from_parts(79_618_000, 7980)
			.saturating_add(T::DbWeight::get().reads(3_u64))
	}
	/// Storage: `KeyPackages::Claims` (r:1 w:1)
	/// Proof: `KeyPackages::Claims` (`max_values`: None, `max_size`: Some(8889), added: 11364, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(157), added: 2632, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Vouchers::Spent` (r:1 w:0)
	/// Proof: `Vouchers::Spent` (`max_values`: None, `max_size`: Some(97), added: 2572, mode: `MaxEncodedLen`)
	/// Storage: `Directory::Identities` (r:1 w:0)
	/// Proof: `Directory::Identities` (`max_values`: None, `max_size`: Some(4515), added: 6990, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::Gates` (r:1 w:0)
	/// Proof: `KeyPackages::Gates` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::ClaimAllowances` (r:1 w:1)
	/// Proof: `KeyPackages::ClaimAllowances` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::Stocks` (r:16 w:16)
	/// Proof: `KeyPackages::Stocks` (`max_values`: None, `max_size`: Some(110), added: 2585, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::KeyPackages` (r:16 w:16)
	/// Proof: `KeyPackages::KeyPackages` (`max_values`: None, `max_size`: Some(578), added: 3053, mode: `MaxEncodedLen`)
	/// Storage: UNKNOWN KEY `0x3a73746174656d656e745f616c6c6f77616e63653ac5f5cefc8d098ff3715afd` (r:1 w:1)
	/// Proof: UNKNOWN KEY `0x3a73746174656d656e745f616c6c6f77616e63653ac5f5cefc8d098ff3715afd` (r:1 w:1)
	/// The range of component `d` is `[1, 16]`.
	fn claim(d: u32, ) -> Weight {
		// Minimum execution time: 255_937_000 picoseconds.
		Weight::from_parts(309_100_120, 12354)
			// Standard error: 675_779.
			.saturating_add(Weight::from_parts(24_763_247, 0).saturating_mul(d.into()))
			.saturating_add(T::DbWeight::get().reads(9_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(d.into())))
			.saturating_add(T::DbWeight::get().writes(5_u64))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(d.into())))
			.saturating_add(Weight::from_parts(0, 3053).saturating_mul(d.into()))
	}
	/// Storage: `KeyPackages::Claims` (r:1 w:0)
	/// Proof: `KeyPackages::Claims` (`max_values`: None, `max_size`: Some(8889), added: 11364, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:0)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:0)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(157), added: 2632, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Vouchers::Spent` (r:1 w:0)
	/// Proof: `Vouchers::Spent` (`max_values`: None, `max_size`: Some(97), added: 2572, mode: `MaxEncodedLen`)
	/// Storage: `Directory::Identities` (r:1 w:0)
	/// Proof: `Directory::Identities` (`max_values`: None, `max_size`: Some(4515), added: 6990, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::Gates` (r:1 w:0)
	/// Proof: `KeyPackages::Gates` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::ClaimAllowances` (r:1 w:0)
	/// Proof: `KeyPackages::ClaimAllowances` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::Stocks` (r:16 w:0)
	/// Proof: `KeyPackages::Stocks` (`max_values`: None, `max_size`: Some(110), added: 2585, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::KeyPackages` (r:16 w:0)
	/// Proof: `KeyPackages::KeyPackages` (`max_values`: None, `max_size`: Some(578), added: 3053, mode: `MaxEncodedLen`)
	/// The range of component `d` is `[1, 16]`.
	fn authorize_claim(d: u32, ) -> Weight {
		// Minimum execution time: 157_178_000 picoseconds.
		Weight::from_parts(178_833_521, 12354)
			// Standard error: 355_257.
			.saturating_add(Weight::from_parts(12_159_128, 0).saturating_mul(d.into()))
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(d.into())))
			.saturating_add(Weight::from_parts(0, 3053).saturating_mul(d.into()))
	}
	/// Storage: `KeyPackages::Gates` (r:1 w:0)
	/// Proof: `KeyPackages::Gates` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	fn pass_gate() -> Weight {
		// Minimum execution time: 60_215_000 picoseconds.
		Weight::from_parts(65_815_000, 3545)
			.saturating_add(T::DbWeight::get().reads(2_u64))
	}
	/// Storage: `KeyPackages::ClaimAllowances` (r:1 w:0)
	/// Proof: `KeyPackages::ClaimAllowances` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::Stocks` (r:16 w:16)
	/// Proof: `KeyPackages::Stocks` (`max_values`: None, `max_size`: Some(110), added: 2585, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::KeyPackages` (r:128 w:128)
	/// Proof: `KeyPackages::KeyPackages` (`max_values`: None, `max_size`: Some(578), added: 3053, mode: `MaxEncodedLen`)
	/// The range of component `p` is `[1, 112]`.
	fn pass_over(p: u32, ) -> Weight {
		// Minimum execution time: 37_913_000 picoseconds.
		Weight::from_parts(52_444_789, 3787)
			// Standard error: 34_962.
			.saturating_add(Weight::from_parts(10_479_005, 0).saturating_mul(p.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(p.into())))
			.saturating_add(T::DbWeight::get().writes(2_u64))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(p.into())))
			.saturating_add(Weight::from_parts(0, 3466).saturating_mul(p.into()))
	}
	/// Storage: `KeyPackages::OldestClaims` (r:1 w:0)
	/// Proof: `KeyPackages::OldestClaims` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::OldestLapsing` (r:1 w:0)
	/// Proof: `KeyPackages::OldestLapsing` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	fn tidy_nothing() -> Weight {
		// Minimum execution time: 3_714_000 picoseconds.
		Weight::from_parts(4_329_000, 1489)
			.saturating_add(T::DbWeight::get().reads(2_u64))
	}
	/// Storage: `KeyPackages::Claims` (r:1 w:1)
	/// Proof: `KeyPackages::Claims` (`max_values`: None, `max_size`: Some(8889), added: 11364, mode: `MaxEncodedLen`)
	/// Storage: UNKNOWN KEY `0x3a73746174656d656e745f616c6c6f77616e63653ac5f5cefc8d098ff3715afd` (r:1 w:1)
	/// Proof: UNKNOWN KEY `0x3a73746174656d656e745f616c6c6f77616e63653ac5f5cefc8d098ff3715afd` (r:1 w:1)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(157), added: 2632, mode: `MaxEncodedLen`)
	/// Storage: `Vouchers::Spent` (r:0 w:1)
	/// Proof: `Vouchers::Spent` (`max_values`: None, `max_size`: Some(97), added: 2572, mode: `MaxEncodedLen`)
	fn forget_claim() -> Weight {
		// Minimum execution time: 63_223_000 picoseconds.
		Weight::from_parts(72_718_000, 12354)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Storage: `KeyPackages::OldestClaims` (r:1 w:0)
	/// Proof: `KeyPackages::OldestClaims` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::ClaimsOf` (r:1 w:1)
	/// Proof: `KeyPackages::ClaimsOf` (`max_values`: None, `max_size`: Some(32782), added: 35257, mode: `MaxEncodedLen`)
	fn forget_block() -> Weight {
		// Minimum execution time: 25_922_000 picoseconds.
		Weight::from_parts(41_043_000, 36247)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `KeyPackages::OldestLapsing` (r:1 w:1)
	/// Proof: `KeyPackages::OldestLapsing` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::Lapsing` (r:2 w:1)
	/// Proof: `KeyPackages::Lapsing` (`max_values`: None, `max_size`: Some(3330), added: 5805, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::InitKeys` (r:0 w:101)
	/// Proof: `KeyPackages::InitKeys` (`max_values`: None, `max_size`: Some(40), added: 2515, mode: `MaxEncodedLen`)
	fn forget_init_keys() -> Weight {
		// Minimum execution time: 157_392_000 picoseconds.
		Weight::from_parts(214_242_000, 12600)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(103_u64))
	}
	/// Storage: `KeyPackages::Leaving` (r:2 w:1)
	/// Proof: `KeyPackages::Leaving` (`max_values`: None, `max_size`: Some(48), added: 2523, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::Stocks` (r:1 w:1)
	/// Proof: `KeyPackages::Stocks` (`max_values`: None, `max_size`: Some(110), added: 2585, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::KeyPackages` (r:0 w:100)
	/// Proof: `KeyPackages::KeyPackages` (`max_values`: None, `max_size`: Some(578), added: 3053, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::LastResorts` (r:0 w:1)
	/// Proof: `KeyPackages::LastResorts` (`max_values`: None, `max_size`: Some(562), added: 3037, mode: `MaxEncodedLen`)
	fn clear_stock() -> Weight {
		// Minimum execution time: 255_473_000 picoseconds.
		Weight::from_parts(318_277_000, 6036)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(103_u64))
	}
	/// Storage: `KeyPackages::LookedAt` (r:1 w:1)
	/// Proof: `KeyPackages::LookedAt` (`max_values`: Some(1), `max_size`: Some(32), added: 527, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::Stocks` (r:2 w:1)
	/// Proof: `KeyPackages::Stocks` (`max_values`: None, `max_size`: Some(110), added: 2585, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::KeyPackages` (r:100 w:100)
	/// Proof: `KeyPackages::KeyPackages` (`max_values`: None, `max_size`: Some(578), added: 3053, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::LastResorts` (r:0 w:1)
	/// Proof: `KeyPackages::LastResorts` (`max_values`: None, `max_size`: Some(562), added: 3037, mode: `MaxEncodedLen`)
	fn clear_lapsed() -> Weight {
		// Minimum execution time: 739_015_000 picoseconds.
		Weight::from_parts(864_549_000, 306290)
			.saturating_add(T::DbWeight::get().reads(103_u64))
			.saturating_add(T::DbWeight::get().writes(103_u64))
	}
}

/// The same for tests, with the database weights of RocksDB.
impl WeightInfo for () {
	fn publish(n: u32, ) -> Weight {
		Weight::from_parts(421_996_680, 7980)
			.saturating_add(Weight::from_parts(15_635_932, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(102_u64))
			.saturating_add(RocksDbWeight::get().writes((2_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 2515).saturating_mul(n.into()))
	}
	fn authorize_publish(n: u32, ) -> Weight {
		Weight::from_parts(455_424_759, 7980)
			.saturating_add(Weight::from_parts(112_284_577, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 2515).saturating_mul(n.into()))
	}
	fn set_gate() -> Weight {
		Weight::from_parts(42_247_000, 7980)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn authorize_set_gate() -> Weight {
		Weight::from_parts(79_618_000, 7980)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
	}
	fn claim(d: u32, ) -> Weight {
		Weight::from_parts(309_100_120, 12354)
			.saturating_add(Weight::from_parts(24_763_247, 0).saturating_mul(d.into()))
			.saturating_add(RocksDbWeight::get().reads(9_u64))
			.saturating_add(RocksDbWeight::get().reads((2_u64).saturating_mul(d.into())))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
			.saturating_add(RocksDbWeight::get().writes((2_u64).saturating_mul(d.into())))
			.saturating_add(Weight::from_parts(0, 3053).saturating_mul(d.into()))
	}
	fn authorize_claim(d: u32, ) -> Weight {
		Weight::from_parts(178_833_521, 12354)
			.saturating_add(Weight::from_parts(12_159_128, 0).saturating_mul(d.into()))
			.saturating_add(RocksDbWeight::get().reads(8_u64))
			.saturating_add(RocksDbWeight::get().reads((2_u64).saturating_mul(d.into())))
			.saturating_add(Weight::from_parts(0, 3053).saturating_mul(d.into()))
	}
	fn pass_gate() -> Weight {
		Weight::from_parts(65_815_000, 3545)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
	}
	fn pass_over(p: u32, ) -> Weight {
		Weight::from_parts(52_444_789, 3787)
			.saturating_add(Weight::from_parts(10_479_005, 0).saturating_mul(p.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(p.into())))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
			.saturating_add(RocksDbWeight::get().writes((1_u64).saturating_mul(p.into())))
			.saturating_add(Weight::from_parts(0, 3466).saturating_mul(p.into()))
	}
	fn tidy_nothing() -> Weight {
		Weight::from_parts(4_329_000, 1489)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
	}
	fn forget_claim() -> Weight {
		Weight::from_parts(72_718_000, 12354)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn forget_block() -> Weight {
		Weight::from_parts(41_043_000, 36247)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn forget_init_keys() -> Weight {
		Weight::from_parts(214_242_000, 12600)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(103_u64))
	}
	fn clear_stock() -> Weight {
		Weight::from_parts(318_277_000, 6036)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(103_u64))
	}
	fn clear_lapsed() -> Weight {
		Weight::from_parts(864_549_000, 306290)
			.saturating_add(RocksDbWeight::get().reads(103_u64))
			.saturating_add(RocksDbWeight::get().writes(103_u64))
	}
}
