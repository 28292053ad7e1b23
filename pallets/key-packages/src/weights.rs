//! Weights of `pallet_key_packages`: estimates, until `make weights` has measured them.

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
	fn tidy_nothing() -> Weight;
	fn forget_claim() -> Weight;
	fn forget_init_keys() -> Weight;
	fn clear_stock() -> Weight;
	fn clear_lapsed() -> Weight;
}

/// With the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn publish(n: u32, ) -> Weight { Weight::from_parts(100_000_000, 10_000).saturating_add(Weight::from_parts(50_000_000, 0).saturating_mul(n.into())) }
	fn authorize_publish(n: u32, ) -> Weight { Weight::from_parts(100_000_000, 10_000).saturating_add(Weight::from_parts(200_000_000, 0).saturating_mul(n.into())) }
	fn set_gate() -> Weight { Weight::from_parts(100_000_000, 10_000) }
	fn authorize_set_gate() -> Weight { Weight::from_parts(100_000_000, 10_000) }
	fn claim(d: u32, ) -> Weight { Weight::from_parts(100_000_000, 10_000).saturating_add(Weight::from_parts(50_000_000, 0).saturating_mul(d.into())) }
	fn authorize_claim(d: u32, ) -> Weight { Weight::from_parts(100_000_000, 10_000).saturating_add(Weight::from_parts(50_000_000, 0).saturating_mul(d.into())) }
	fn tidy_nothing() -> Weight { Weight::from_parts(10_000_000, 10_000) }
	fn forget_claim() -> Weight { Weight::from_parts(10_000_000, 10_000) }
	fn forget_init_keys() -> Weight { Weight::from_parts(100_000_000, 10_000) }
	fn clear_stock() -> Weight { Weight::from_parts(100_000_000, 10_000) }
	fn clear_lapsed() -> Weight { Weight::from_parts(100_000_000, 10_000) }
}

/// The same for tests, with the database weights of RocksDB.
impl WeightInfo for () {
	fn publish(n: u32, ) -> Weight { Weight::from_parts(100_000_000, 10_000).saturating_add(Weight::from_parts(50_000_000, 0).saturating_mul(n.into())) }
	fn authorize_publish(n: u32, ) -> Weight { Weight::from_parts(100_000_000, 10_000).saturating_add(Weight::from_parts(200_000_000, 0).saturating_mul(n.into())) }
	fn set_gate() -> Weight { Weight::from_parts(100_000_000, 10_000) }
	fn authorize_set_gate() -> Weight { Weight::from_parts(100_000_000, 10_000) }
	fn claim(d: u32, ) -> Weight { Weight::from_parts(100_000_000, 10_000).saturating_add(Weight::from_parts(50_000_000, 0).saturating_mul(d.into())) }
	fn authorize_claim(d: u32, ) -> Weight { Weight::from_parts(100_000_000, 10_000).saturating_add(Weight::from_parts(50_000_000, 0).saturating_mul(d.into())) }
	fn tidy_nothing() -> Weight { Weight::from_parts(10_000_000, 10_000) }
	fn forget_claim() -> Weight { Weight::from_parts(10_000_000, 10_000) }
	fn forget_init_keys() -> Weight { Weight::from_parts(100_000_000, 10_000) }
	fn clear_stock() -> Weight { Weight::from_parts(100_000_000, 10_000) }
	fn clear_lapsed() -> Weight { Weight::from_parts(100_000_000, 10_000) }
}
