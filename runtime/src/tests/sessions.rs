//! When sessions end without a change of the set, and what fits in a block in which one does.

use super::chain::*;
use crate::{Grandpa, Header, Runtime, RuntimeCall, Session, HOUR};
use sp_core::{ed25519, sr25519, Pair};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

const FIRST: [Name; 4] = [Name::Alice, Name::Bob, Name::Charlie, Name::Dave];

/// The blocks around the end of this hour of the chain.
fn end_of_hour(chain: &mut Chain, hour: u32) -> Vec<Header> {
	chain.skip_to(hour * HOUR - 1);
	chain.blocks(5)
}

#[test]
fn a_session_that_ends_by_its_length_changes_nothing() {
	let mut chain = Chain::local();
	chain.blocks(2);
	for hour in 1..=3 {
		let headers = end_of_hour(&mut chain, hour);
		assert!(headers.iter().all(|header| announced_voters(header).is_none() && announced_authors(header).is_none()));
		chain.read(|| {
			assert_eq!(Session::current_index(), hour, "one rotation an hour");
			assert_eq!(Grandpa::current_set_id(), 0);
			assert_eq!(Grandpa::grandpa_authorities(), voters(&FIRST));
			assert_eq!(pallet_aura::Authorities::<Runtime>::get().into_inner(), authors(&FIRST));
		});
	}
}

#[test]
fn setting_the_same_set_changes_nothing() {
	let mut chain = Chain::local();
	chain.block(&[sudo(set_validators(&FIRST))]);
	let headers = chain.blocks(5);
	assert!(headers.iter().all(|header| announced_voters(header).is_none()));
	assert_eq!(chain.read(Session::current_index), 1);
	assert_eq!(chain.read(Grandpa::current_set_id), 0);
}

#[test]
fn new_keys_come_into_use_at_the_end_of_the_hour() {
	let mut chain = Chain::local();
	let aura = sr25519::Pair::from_seed(&[1; 32]);
	let grandpa = ed25519::Pair::from_seed(&[2; 32]);
	chain.block(&[replace_keys(Name::Bob, &aura, &grandpa)]);
	assert!(chain.blocks(3).iter().all(|header| announced_voters(header).is_none()));

	let headers = end_of_hour(&mut chain, 1);
	let mut expected = voters(&FIRST);
	expected[1].0 = grandpa.public().into();
	let announcements: Vec<_> =
		headers.iter().filter_map(|header| Some((header.number, announced_voters(header)?))).collect();
	assert_eq!(announcements, [(HOUR + 1, expected.clone())]);
	chain.read(|| {
		assert_eq!(Grandpa::current_set_id(), 1);
		assert_eq!(Grandpa::grandpa_authorities(), expected);
		assert_eq!(pallet_aura::Authorities::<Runtime>::get()[1], aura.public().into());
	});

	let headers = end_of_hour(&mut chain, 2);
	assert!(headers.iter().all(|header| announced_voters(header).is_none()));
	assert_eq!(chain.read(Grandpa::current_set_id), 1);
}

/// So a validator that replaces its keys in each block brings about no more than one change an hour.
#[test]
fn a_block_that_ends_a_session_has_no_room_but_for_governance() {
	let mut chain = Chain::local();
	chain.block(&[register(Name::Eve)]);
	chain.skip_to(HOUR);
	let remark = RuntimeCall::System(frame_system::Call::remark { remark: Vec::new() });
	let made = chain.attempt(&[
		(Name::Bob, remark.clone()),
		register(Name::Bob),
		sudo(set_validators(&[Name::Bob, Name::Eve])),
	]);
	let full = TransactionValidityError::Invalid(InvalidTransaction::ExhaustsResources);
	assert_eq!(made.results, [Err(full), Err(full), Ok(Ok(()))]);
	assert_eq!(made.header.number, HOUR);
	// the change takes the two blocks that follow, and then there is room
	let headers = chain.blocks(2);
	assert_eq!(announced_voters(&headers[1]), Some(voters(&[Name::Bob, Name::Eve])));
	chain.block(&[(Name::Bob, remark)]);
}
