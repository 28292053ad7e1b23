//! What the presets say.

use super::chain::*;
use crate::{Aura, Balances, Grandpa, Session, UNIT};

fn agree(mut chain: Chain, names: &[Name]) {
	chain.read(|| {
		assert_eq!(pallet_validators::Validators::<crate::Runtime>::get().into_inner(), accounts(names));
		assert_eq!(Session::validators(), accounts(names));
		assert_eq!(Grandpa::grandpa_authorities(), voters(names));
		assert_eq!(Grandpa::current_set_id(), 0);
		assert_eq!(pallet_aura::Authorities::<crate::Runtime>::get().into_inner(), authors(names));
		assert_eq!(Aura::authorities_len(), names.len());
		let mut members = accounts(names);
		members.sort();
		assert_eq!(operators(), members);
		for name in [Name::Eve, Name::Ferdie, Name::One, Name::Two] {
			assert_eq!(Balances::free_balance(name.to_account_id()), 1_000_000 * UNIT, "{name}");
		}
	});
}

#[test]
fn the_development_chain_has_one_validator() {
	agree(Chain::development(), &[Name::Alice]);
}

#[test]
fn the_local_chain_has_four() {
	agree(Chain::local(), &[Name::Alice, Name::Bob, Name::Charlie, Name::Dave]);
}
