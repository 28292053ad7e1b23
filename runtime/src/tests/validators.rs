//! That a change of the validators reaches consensus: once, in one block, without delay.

use super::chain::*;
use crate::{Aura, Grandpa, Runtime, RuntimeCall, Session};
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_consensus_grandpa::AuthorityList;
use sp_runtime::DispatchError;

const FIRST: [Name; 4] = [Name::Alice, Name::Bob, Name::Charlie, Name::Dave];
const OTHERS: [Name; 4] = [Name::Eve, Name::Ferdie, Name::One, Name::Two];

/// A local chain on which all names have session keys.
fn chain() -> Chain {
	let mut chain = Chain::local();
	let header = chain.block(&OTHERS.map(register));
	assert_eq!(announced_voters(&header), None, "keys of others are no change");
	chain
}

/// What consensus has in the state: the number of the set, the voters, the authors.
fn consensus(chain: &mut Chain) -> (u64, AuthorityList, Vec<AuraId>) {
	chain.read(|| {
		let authors = pallet_aura::Authorities::<Runtime>::get().into_inner();
		(Grandpa::current_set_id(), Grandpa::grandpa_authorities(), authors)
	})
}

#[test]
fn the_set_changes_three_times_and_each_change_is_announced_once_without_delay() {
	let mut chain = chain();
	let sets: [&[Name]; 3] = [
		// one is exchanged, then nearly all with one more, then back
		&[Name::Alice, Name::Bob, Name::Charlie, Name::Eve],
		&[Name::Two, Name::Eve, Name::Ferdie, Name::One, Name::Alice],
		&FIRST,
	];
	for (changes, set) in (1..).zip(sets) {
		let mut headers = vec![chain.block(&[sudo(set_validators(set))])];
		let changed_at = chain.number();
		headers.push(chain.block(&[]));
		assert_eq!(consensus(&mut chain).0, changes - 1, "one block later nothing has changed yet");
		headers.extend(chain.blocks(10));

		let announcements: Vec<_> =
			headers.iter().filter_map(|header| Some((header.number, announced_voters(header)?))).collect();
		assert_eq!(announcements, [(changed_at + 2, voters(set))]);
		let announcements: Vec<_> =
			headers.iter().filter_map(|header| Some((header.number, announced_authors(header)?))).collect();
		assert_eq!(announcements, [(changed_at + 2, authors(set))]);
		assert_eq!(consensus(&mut chain), (changes, voters(set), authors(set)));
		assert_eq!(chain.read(Session::validators), accounts(set));
		assert_eq!(chain.read(Aura::authorities_len), set.len());
	}
}

#[test]
fn a_refused_set_changes_nothing() {
	let mut chain = Chain::local();
	// Eve has no keys on this chain yet
	let header = chain.block(&[sudo(set_validators(&[Name::Alice, Name::Eve]))]);
	let mut headers = chain.blocks(3);
	headers.push(header);
	assert!(headers.iter().all(|header| announced_voters(header).is_none()));
	assert_eq!(consensus(&mut chain), (0, voters(&FIRST), authors(&FIRST)));
}

#[test]
fn an_account_alone_cannot_change_the_set() {
	let mut chain = chain();
	let made = chain.attempt(&[(Name::Bob, set_validators(&[Name::Bob]))]);
	assert_eq!(made.results, [Ok(Err(DispatchError::BadOrigin))]);
}

#[test]
fn keys_are_registered_by_who_has_them() {
	let mut chain = Chain::local();
	// a proof that was made for somebody else
	let (_, call) = register(Name::Eve);
	let made = chain.attempt(&[(Name::Ferdie, call.clone())]);
	assert_eq!(made.results, [Ok(Err(pallet_session::Error::<Runtime>::InvalidProof.into()))]);
	chain.block(&[(Name::Eve, call)]);
	assert_eq!(chain.read(|| Session::load_keys(&Name::Eve.to_account_id())), Some(session_keys(Name::Eve)));
}

#[test]
fn keys_can_be_replaced_and_not_removed() {
	let mut chain = Chain::local();
	let purge = RuntimeCall::Session(pallet_session::Call::purge_keys {});
	let made = chain.attempt(&[(Name::Dave, purge)]);
	assert_eq!(made.results, [Ok(Err(frame_system::Error::<Runtime>::CallFiltered.into()))]);
	assert!(chain.read(|| Session::load_keys(&Name::Dave.to_account_id())).is_some());
}
