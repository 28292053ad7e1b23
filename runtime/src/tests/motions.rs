//! That two thirds of the operators can change the validators, and fewer cannot.

use super::chain::*;
use crate::{Grandpa, Runtime, RuntimeCall, Session, DAY};
use sp_runtime::DispatchError;

const NEW: [Name; 3] = [Name::Alice, Name::Bob, Name::Eve];

fn chain() -> Chain {
	let mut chain = Chain::local();
	chain.block(&[register(Name::Eve)]);
	chain
}

fn unchanged(chain: &mut Chain) {
	assert!(chain.blocks(3).iter().all(|header| announced_voters(header).is_none()));
	assert_eq!(chain.read(Grandpa::current_set_id), 0);
	assert_eq!(chain.read(Session::validators).len(), 4);
}

#[test]
fn three_of_four_can() {
	let mut chain = chain();
	let motion = Motion::next(&mut chain, set_validators(&NEW));
	chain.block(&[motion.propose(Name::Bob, 3)]);
	chain.block(&[motion.vote(Name::Bob, true), motion.vote(Name::Charlie, true), motion.vote(Name::Dave, true)]);
	chain.block(&[motion.close(Name::Charlie)]);
	assert_eq!(chain.motion(), Some(Ok(())));
	let headers = chain.blocks(3);
	assert_eq!(headers.iter().filter_map(announced_voters).collect::<Vec<_>>(), [voters(&NEW)]);
	assert_eq!(announced_voters(&headers[1]), Some(voters(&NEW)), "two blocks after the motion");
	assert_eq!(chain.read(Grandpa::current_set_id), 1);
	assert_eq!(chain.read(Grandpa::grandpa_authorities), voters(&NEW));
	assert_eq!(chain.read(Session::validators), accounts(&NEW));
}

#[test]
fn two_of_four_cannot() {
	let mut chain = chain();
	let motion = Motion::next(&mut chain, set_validators(&NEW));
	// the proposer chooses the threshold, but not what it is worth
	chain.block(&[motion.propose(Name::Alice, 2)]);
	chain.block(&[motion.vote(Name::Alice, true), motion.vote(Name::Bob, true), motion.close(Name::Bob)]);
	assert_eq!(chain.motion(), Some(Err(DispatchError::BadOrigin)));
	unchanged(&mut chain);
}

#[test]
fn one_cannot() {
	let mut chain = chain();
	let motion = Motion::next(&mut chain, set_validators(&NEW));
	chain.block(&[motion.propose(Name::Alice, 1)]);
	assert_eq!(chain.motion(), Some(Err(DispatchError::BadOrigin)));
	unchanged(&mut chain);
}

#[test]
fn who_is_no_operator_cannot_propose() {
	let mut chain = chain();
	let motion = Motion::next(&mut chain, set_validators(&NEW));
	let made = chain.attempt(&[motion.propose(Name::Eve, 3)]);
	let refusal = pallet_collective::Error::<Runtime, crate::governance::OperatorsCollective>::NotMember;
	assert_eq!(made.results, [Ok(Err(refusal.into()))]);
}

/// The collective would count the silent as its prime member votes, if there is one.
#[test]
fn silence_is_not_consent() {
	let mut chain = chain();
	let first = [Name::Alice, Name::Bob, Name::Charlie, Name::Dave];
	let prime = RuntimeCall::Operators(pallet_collective::Call::set_members {
		new_members: accounts(&first),
		prime: Some(Name::Alice.to_account_id()),
		old_count: 4,
	});
	chain.block(&[sudo(prime)]);
	let motion = Motion::next(&mut chain, set_validators(&NEW));
	chain.block(&[motion.propose(Name::Alice, 3), motion.vote(Name::Alice, true), motion.vote(Name::Bob, true)]);
	let made = chain.attempt(&[motion.close(Name::Alice)]);
	let refusal = pallet_collective::Error::<Runtime, crate::governance::OperatorsCollective>::TooEarly;
	assert_eq!(made.results.len(), 1);
	let Ok(Err(error)) = &made.results[0] else { panic!("it was closed: {:?}", made.results) };
	assert_eq!(*error, refusal.into());

	let next = chain.number() + 7 * DAY;
	chain.skip_to(next);
	chain.block(&[motion.close(Name::Alice)]);
	assert_eq!(chain.motion(), None, "it was not carried");
	unchanged(&mut chain);
}

#[test]
fn the_operators_can_change_who_they_are() {
	let mut chain = chain();
	let new_members = accounts(&[Name::Alice, Name::Bob, Name::Eve]);
	let call = pallet_collective::Call::set_members { new_members: new_members.clone(), prime: None, old_count: 4 };
	let motion = Motion::next(&mut chain, RuntimeCall::Operators(call));
	let votes = [Name::Alice, Name::Bob, Name::Charlie].map(|name| motion.vote(name, true));
	chain.block(&[&[motion.propose(Name::Bob, 3)], &votes[..], &[motion.close(Name::Bob)]].concat());
	assert_eq!(chain.motion(), Some(Ok(())));
	let mut expected = new_members;
	expected.sort();
	assert_eq!(chain.read(operators), expected);
}

#[test]
fn the_only_operator_of_a_development_chain_decides_alone() {
	let mut chain = Chain::development();
	chain.block(&[register(Name::Bob)]);
	let motion = Motion::next(&mut chain, set_validators(&[Name::Alice, Name::Bob]));
	chain.block(&[motion.propose(Name::Alice, 1)]);
	assert_eq!(chain.motion(), Some(Ok(())));
	let headers = chain.blocks(2);
	assert_eq!(announced_voters(&headers[1]), Some(voters(&[Name::Alice, Name::Bob])));
}
