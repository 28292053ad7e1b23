//! Weights of `pallet_key_packages`, measured by `make weights`.
//!
//! Date 2026-11-27, 10 steps, 6 repeats, on AMD EPYC.

// `claim`, `authorize_claim`, `pass_over`, `forget_claim` and `forget_block` are not measured yet since claims were made cheaper.
// Their computing is the sum of what the parts took when they were measured before, which did more (seven KeyPackages passed over
// of each device, the gate verified twice, three records); `forget_block` is a guess. Reads and writes are counted.
// `make weights` measures them and takes this away.

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
		// Minimum execution time: 431_731_000 picoseconds.
		Weight::from_parts(446_369_491, 7980)
			// Standard error: 117_553.
			.saturating_add(Weight::from_parts(17_887_701, 0).saturating_mul(n.into()))
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
		// Minimum execution time: 178_054_000 picoseconds.
		Weight::from_parts(113_686_609, 7980)
			// Standard error: 169_539.
			.saturating_add(Weight::from_parts(89_229_918, 0).saturating_mul(n.into()))
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
		// Minimum execution time: 38_567_000 picoseconds.
		Weight::from_parts(43_074_000, 7980)
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
		// Minimum execution time: 60_650_000 picoseconds.
		Weight::from_parts(64_496_000, 7980)
			.saturating_add(T::DbWeight::get().reads(3_u64))
	}
	/// Not measured yet: see the top.
	fn claim(d: u32, ) -> Weight {
		Weight::from_parts(458_639_000, 12302)
			.saturating_add(Weight::from_parts(121_141_000, 0).saturating_mul(d.into()))
			.saturating_add(T::DbWeight::get().reads(9_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(d.into())))
			.saturating_add(T::DbWeight::get().writes(5_u64))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(d.into())))
			.saturating_add(Weight::from_parts(0, 24424).saturating_mul(d.into()))
	}
	/// Not measured yet: see the top.
	fn authorize_claim(d: u32, ) -> Weight {
		Weight::from_parts(239_502_000, 12302)
			.saturating_add(Weight::from_parts(44_045_000, 0).saturating_mul(d.into()))
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(d.into())))
			.saturating_add(Weight::from_parts(0, 24424).saturating_mul(d.into()))
	}
	fn pass_gate() -> Weight {
		Weight::from_parts(100_000_000, 3545)
			.saturating_add(T::DbWeight::get().reads(2_u64))
	}
	/// Not measured yet: see the top.
	fn pass_over(p: u32, ) -> Weight {
		Weight::from_parts(77_096_000, 12302)
			.saturating_add(Weight::from_parts(17_306_000, 0).saturating_mul(p.into()))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(p.into())))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(p.into())))
			.saturating_add(Weight::from_parts(0, 3053).saturating_mul(p.into()))
	}
	/// Storage: `KeyPackages::OldestClaims` (r:1 w:0)
	/// Proof: `KeyPackages::OldestClaims` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::OldestLapsing` (r:1 w:0)
	/// Proof: `KeyPackages::OldestLapsing` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	fn tidy_nothing() -> Weight {
		// Minimum execution time: 4_486_000 picoseconds.
		Weight::from_parts(5_247_000, 1489)
			.saturating_add(T::DbWeight::get().reads(2_u64))
	}
	/// Not measured yet: see the top.
	fn forget_claim() -> Weight {
		Weight::from_parts(156_431_000, 12302)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Not measured yet: see the top.
	fn forget_block() -> Weight {
		Weight::from_parts(300_000_000, 12302)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Storage: `KeyPackages::OldestLapsing` (r:1 w:1)
	/// Proof: `KeyPackages::OldestLapsing` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::Lapsing` (r:2 w:1)
	/// Proof: `KeyPackages::Lapsing` (`max_values`: None, `max_size`: Some(3330), added: 5805, mode: `MaxEncodedLen`)
	/// Storage: `KeyPackages::InitKeys` (r:0 w:101)
	/// Proof: `KeyPackages::InitKeys` (`max_values`: None, `max_size`: Some(40), added: 2515, mode: `MaxEncodedLen`)
	fn forget_init_keys() -> Weight {
		// Minimum execution time: 233_346_000 picoseconds.
		Weight::from_parts(242_310_000, 12600)
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
		// Minimum execution time: 351_842_000 picoseconds.
		Weight::from_parts(359_403_000, 6036)
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
		// Minimum execution time: 967_355_000 picoseconds.
		Weight::from_parts(986_975_000, 306290)
			.saturating_add(T::DbWeight::get().reads(103_u64))
			.saturating_add(T::DbWeight::get().writes(103_u64))
	}
}

/// The same for tests, with the database weights of RocksDB.
impl WeightInfo for () {
	fn publish(n: u32, ) -> Weight {
		Weight::from_parts(446_369_491, 7980)
			.saturating_add(Weight::from_parts(17_887_701, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(102_u64))
			.saturating_add(RocksDbWeight::get().writes((2_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 2515).saturating_mul(n.into()))
	}
	fn authorize_publish(n: u32, ) -> Weight {
		Weight::from_parts(113_686_609, 7980)
			.saturating_add(Weight::from_parts(89_229_918, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 2515).saturating_mul(n.into()))
	}
	fn set_gate() -> Weight {
		Weight::from_parts(43_074_000, 7980)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn authorize_set_gate() -> Weight {
		Weight::from_parts(64_496_000, 7980)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
	}
	fn claim(d: u32, ) -> Weight {
		Weight::from_parts(458_639_000, 12302)
			.saturating_add(Weight::from_parts(121_141_000, 0).saturating_mul(d.into()))
			.saturating_add(RocksDbWeight::get().reads(9_u64))
			.saturating_add(RocksDbWeight::get().reads((2_u64).saturating_mul(d.into())))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
			.saturating_add(RocksDbWeight::get().writes((2_u64).saturating_mul(d.into())))
			.saturating_add(Weight::from_parts(0, 24424).saturating_mul(d.into()))
	}
	fn authorize_claim(d: u32, ) -> Weight {
		Weight::from_parts(239_502_000, 12302)
			.saturating_add(Weight::from_parts(44_045_000, 0).saturating_mul(d.into()))
			.saturating_add(RocksDbWeight::get().reads(8_u64))
			.saturating_add(RocksDbWeight::get().reads((2_u64).saturating_mul(d.into())))
			.saturating_add(Weight::from_parts(0, 24424).saturating_mul(d.into()))
	}
	fn pass_gate() -> Weight {
		Weight::from_parts(100_000_000, 3545)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
	}
	fn pass_over(p: u32, ) -> Weight {
		Weight::from_parts(77_096_000, 12302)
			.saturating_add(Weight::from_parts(17_306_000, 0).saturating_mul(p.into()))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(p.into())))
			.saturating_add(RocksDbWeight::get().writes((1_u64).saturating_mul(p.into())))
			.saturating_add(Weight::from_parts(0, 3053).saturating_mul(p.into()))
	}
	fn tidy_nothing() -> Weight {
		Weight::from_parts(5_247_000, 1489)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
	}
	fn forget_claim() -> Weight {
		Weight::from_parts(156_431_000, 12302)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn forget_block() -> Weight {
		Weight::from_parts(300_000_000, 12302)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn forget_init_keys() -> Weight {
		Weight::from_parts(242_310_000, 12600)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(103_u64))
	}
	fn clear_stock() -> Weight {
		Weight::from_parts(359_403_000, 6036)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(103_u64))
	}
	fn clear_lapsed() -> Weight {
		Weight::from_parts(986_975_000, 306290)
			.saturating_add(RocksDbWeight::get().reads(103_u64))
			.saturating_add(RocksDbWeight::get().writes(103_u64))
	}
}
