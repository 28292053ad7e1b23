//! Attacks on a justification; each test is named after one. `sdk` compares the rules with those of the SDK.

mod sdk;

use super::*;
use crate::testing::{HeaderBuilder, JustificationBuilder, Validators};
use JustificationError::*;

const ROUND: u64 = 1;

/// Headers one after another, from block 1 on.
fn blocks(count: usize) -> Vec<Vec<u8>> {
	let mut headers = vec![HeaderBuilder::genesis(crate::StateRoot([7; 32])).encode()];
	for _ in 0..count {
		headers.push(HeaderBuilder::after(&headers[headers.len() - 1]).encode());
	}
	headers.split_off(1)
}

/// Another child of the header's parent.
fn sibling(header: &[u8]) -> Vec<u8> {
	let mut bytes = header.to_vec();
	*bytes.iter_mut().nth_back(1).unwrap() ^= 1;
	bytes
}

fn target(header: &[u8]) -> Target {
	let header = crate::Header::decode(header).unwrap();
	Target { hash: header.hash, number: header.number }
}

fn verify(builder: &JustificationBuilder, set: &Validators) -> Result<(), JustificationError> {
	Justification::decode(&builder.encode())?.verify(&set.set())
}

/// Four validators, and a justification by all of them for one block.
fn good() -> (Validators, Vec<Vec<u8>>, JustificationBuilder) {
	let (set, headers) = (Validators::new(3, 4), blocks(4));
	let justification = set.justification_by(0..4, &headers[0]);
	(set, headers, justification)
}

#[test]
fn what_honest_nodes_make_is_accepted() {
	let (set, headers, all) = good();
	assert_eq!(verify(&all, &set), Ok(()));
	let three = set.justification_by(0..3, &headers[0]);
	assert_eq!(verify(&three, &set), Ok(()), "three of four are enough");
}

#[test]
fn forged_signature() {
	let (set, _, mut forged) = good();
	forged.votes[2].signature[5] ^= 1;
	assert_eq!(verify(&forged, &set), Err(BadSignature(2)));
	let mut unsigned = good().2;
	unsigned.votes[0].signature = [0; 64];
	assert_eq!(verify(&unsigned, &set), Err(BadSignature(0)));
}

#[test]
fn signatures_of_another_round() {
	let (set, _, mut other) = good();
	other.round += 1;
	assert_eq!(verify(&other, &set), Err(BadSignature(0)));
}

#[test]
fn signatures_of_another_set_id() {
	let (set, headers, _) = good();
	for id in [0, 2, 4, u64::MAX] {
		let other = set.with_id(id).justification_by(0..4, &headers[0]);
		assert_eq!(verify(&other, &set), Err(BadSignature(0)), "set id {id}");
	}
}

#[test]
fn signatures_for_another_block() {
	let (set, headers, mut other) = good();
	let wrong = target(&headers[1]);
	other.target = wrong;
	for vote in &mut other.votes {
		vote.target = wrong;
	}
	assert_eq!(verify(&other, &set), Err(BadSignature(0)));
}

#[test]
fn fewer_than_two_thirds() {
	let (set, headers, _) = good();
	let two = set.justification_by(0..2, &headers[0]);
	assert_eq!(verify(&two, &set), Err(TooLittleWeight { weight: 2, threshold: 3 }));
	let none = set.justification_by([], &headers[0]);
	assert_eq!(verify(&none, &set), Err(NoVotes));
}

#[test]
fn fewer_than_two_thirds_by_weight() {
	use crate::authorities::{Authorities, Authority, AuthoritySet};
	let (set, headers, _) = good();
	let mut list: Vec<Authority> = set.authorities().as_slice().to_vec();
	list[3].weight = 10;
	let heavy = AuthoritySet { id: set.id, authorities: Authorities::new(list).unwrap() };
	let verify = |validators: &[usize]| {
		let votes = set.justification_by(validators.iter().copied(), &headers[0]).encode();
		Justification::decode(&votes).unwrap().verify(&heavy)
	};
	assert_eq!(verify(&[0, 1, 2]), Err(TooLittleWeight { weight: 3, threshold: 9 }));
	assert_eq!(verify(&[3]), Ok(()));
}

#[test]
fn one_signature_repeated() {
	let (set, headers, _) = good();
	let mut repeated = set.justification_by(0..2, &headers[0]);
	repeated.votes.push(repeated.votes[1]);
	assert_eq!(verify(&repeated, &set), Err(RepeatedVote(2)));
	// with enough honest votes too
	let mut repeated = set.justification_by(0..4, &headers[0]);
	repeated.votes.push(repeated.votes[0]);
	assert_eq!(verify(&repeated, &set), Err(RepeatedVote(4)));
	// and the second vote of an equivocator
	let mut repeated = set.justification_by(0..4, &headers[0]);
	repeated.votes.push(resigned(&set, 0, &headers[0]));
	repeated.votes.push(repeated.votes[4]);
	assert_eq!(verify(&repeated, &set), Err(RepeatedVote(5)));
}

/// A second, different signature of one vote. Whoever has the secret can make any number of them.
fn resigned(set: &Validators, validator: usize, header: &[u8]) -> SignedPrecommit {
	use curve25519_dalek::{constants::ED25519_BASEPOINT_TABLE, scalar::Scalar};
	use sha2::{Digest, Sha512};
	let vote = set.vote(validator, target(header), ROUND);
	let seed: [u8; 32] = set.keys[validator].as_ref().try_into().unwrap();
	let expanded: [u8; 64] = Sha512::digest(seed).into();
	let mut lower: [u8; 32] = expanded[..32].try_into().unwrap();
	lower[0] &= 248;
	lower[31] &= 127;
	lower[31] |= 64;
	let nonce = Scalar::from(12_345u64);
	let commitment = (&nonce * ED25519_BASEPOINT_TABLE).compress();
	let message = vote_payload(&vote.target, ROUND, set.id);
	let hash = Sha512::new().chain_update(commitment.0).chain_update(vote.signer).chain_update(message);
	let challenge = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
	let response = nonce + challenge * Scalar::from_bytes_mod_order(lower);
	let signature = [commitment.0, response.to_bytes()].concat().try_into().unwrap();
	SignedPrecommit { signature, ..vote }
}

#[test]
fn a_vote_signed_twice_stops_nobody_and_counts_once() {
	// Nodes take two signatures of one vote for an equivocation and pass both on.
	let (set, headers, mut twice) = good();
	twice.votes.push(resigned(&set, 0, &headers[0]));
	assert_eq!(verify(&twice, &set), Ok(()));
	let mut twice = set.justification_by(0..2, &headers[0]);
	twice.votes.push(resigned(&set, 0, &headers[0]));
	assert_eq!(verify(&twice, &set), Err(TooLittleWeight { weight: 2, threshold: 3 }));
}

#[test]
fn a_third_vote() {
	let (set, headers, mut many) = good();
	many.votes.push(set.vote(0, target(&headers[1]), ROUND));
	many.ancestries.push(headers[1].clone());
	assert_eq!(verify(&many, &set), Ok(()));
	many.votes.push(set.vote(0, target(&headers[2]), ROUND));
	many.ancestries.push(headers[2].clone());
	assert_eq!(verify(&many, &set), Err(ThirdVote(5)));
}

#[test]
fn an_equivocator_counts_for_every_block_but_once() {
	let (set, headers, _) = good();
	let mut two = set.justification_by(0..2, &headers[0]);
	two.votes.push(set.vote(2, target(&headers[1]), ROUND));
	two.votes.push(set.vote(2, target(&headers[2]), ROUND));
	two.ancestries = headers[1..3].to_vec();
	assert_eq!(verify(&two, &set), Ok(()));
	two.votes.remove(1);
	assert_eq!(verify(&two, &set), Err(TooLittleWeight { weight: 2, threshold: 3 }));
}

#[test]
fn more_equivocators_than_may_be_malicious() {
	let (set, headers, mut all) = good();
	for validator in 0..2 {
		all.votes.push(resigned(&set, validator, &headers[0]));
	}
	let refused = Equivocators { weight: 2, tolerated: 1 };
	assert_eq!(verify(&all, &set), Err(refused));
	// a node cannot accuse them without their signatures
	let mut accused = all.clone();
	let last = accused.votes.len() - 1;
	accused.votes[last].signature[0] ^= 1;
	assert_eq!(verify(&accused, &set), Err(BadSignature(last)));
	all.votes.pop();
	assert_eq!(verify(&all, &set), Ok(()));
	// Two of four and one honest voter on each of two forks: both have enough weight, and nodes take one of them.
	let forks = [1, 2].map(|seed| {
		let mut fork = HeaderBuilder::after(&headers[0]);
		fork.extrinsics_root = [seed; 32];
		fork.encode()
	});
	let ballots = [(0, &forks[0]), (1, &forks[1]), (2, &forks[0]), (2, &forks[1]), (3, &headers[0]), (3, &forks[0])];
	let votes: Vec<_> = ballots.iter().map(|(validator, block)| set.vote(*validator, target(block), ROUND)).collect();
	for fork in &forks {
		let split = JustificationBuilder {
			round: ROUND,
			target: target(fork),
			votes: votes.clone(),
			ancestries: forks.to_vec(),
		};
		assert_eq!(verify(&split, &set), Err(refused));
	}
}

#[test]
fn votes_of_strangers() {
	let (set, headers, mut mixed) = good();
	mixed.votes[1] = Validators::new(9, 1).with_id(3).vote(0, target(&headers[0]), ROUND);
	assert_eq!(verify(&mixed, &set), Err(UnknownSigner(1)));
	// even if the others would do
	let mut more = set.justification_by(0..4, &headers[0]);
	more.votes.push(mixed.votes[1]);
	assert_eq!(verify(&more, &set), Err(UnknownSigner(4)));
}

#[test]
fn votes_above_the_block_need_their_headers() {
	let (set, headers, _) = good();
	let mut above = set.justification_by(0..2, &headers[0]);
	above.votes.push(set.vote(2, target(&headers[2]), ROUND));
	assert_eq!(verify(&above, &set), Err(Unconnected(2)));
	above.ancestries = vec![headers[2].clone()];
	assert_eq!(verify(&above, &set), Err(Unconnected(2)));
	above.ancestries = vec![headers[1].clone(), headers[2].clone()];
	assert_eq!(verify(&above, &set), Ok(()));
	above.ancestries.reverse();
	assert_eq!(verify(&above, &set), Ok(()), "in any order");
}

#[test]
fn votes_for_a_fork() {
	let (set, headers, _) = good();
	let fork = sibling(&headers[0]);
	let mut forked = set.justification_by(0..3, &headers[0]);
	forked.votes.push(set.vote(3, target(&fork), ROUND));
	assert_eq!(verify(&forked, &set), Err(Unconnected(3)));
	// with the fork's header, which does not lead to the block either
	forked.ancestries.push(fork);
	assert_eq!(verify(&forked, &set), Err(Unconnected(3)));
}

#[test]
fn votes_that_pass_by_the_block() {
	// all vote for block 2; the fork of block 1 that is said to be final is none of its ancestors
	let (set, headers, _) = good();
	let mut forked = set.justification_by(0..4, &headers[1]);
	forked.target = target(&sibling(&headers[0]));
	assert_eq!(verify(&forked, &set), Err(TooLittleWeight { weight: 0, threshold: 3 }));
}

#[test]
fn unused_headers() {
	let (set, headers, mut more) = good();
	more.ancestries.push(headers[1].clone());
	assert_eq!(verify(&more, &set), Err(UnusedHeaders));
	let mut base = good().2;
	base.ancestries.push(headers[0].clone());
	assert_eq!(verify(&base, &set), Err(UnusedHeaders));
}

#[test]
fn a_header_twice() {
	let (set, headers, _) = good();
	let mut above = set.justification_by(0..3, &headers[0]);
	above.votes.push(set.vote(3, target(&headers[1]), ROUND));
	above.ancestries = vec![headers[1].clone(), headers[1].clone()];
	assert_eq!(verify(&above, &set), Err(RepeatedHeader));
}

#[test]
fn numbers_that_are_not_those_of_the_headers() {
	let (set, headers, _) = good();
	let mut wrong = set.justification_by(0..3, &headers[0]);
	let above = Target { number: 9, ..target(&headers[1]) };
	wrong.votes.push(set.vote(3, above, ROUND));
	wrong.ancestries = vec![headers[1].clone()];
	assert_eq!(verify(&wrong, &set), Err(WrongNumber(3)));
	// of a block that another vote led to before
	let mut wrong = set.justification_by(0..2, &headers[0]);
	wrong.votes.push(set.vote(2, target(&headers[1]), ROUND));
	wrong.votes.push(set.vote(3, above, ROUND));
	wrong.ancestries = vec![headers[1].clone()];
	assert_eq!(verify(&wrong, &set), Err(WrongNumber(3)));
	let mut wrong = set.justification_by(0..3, &headers[0]);
	wrong.votes.push(set.vote(3, Target { number: 9, ..target(&headers[0]) }, ROUND));
	assert_eq!(verify(&wrong, &set), Err(WrongNumber(3)));
	let mut wrong = good().2;
	wrong.target.number += 1;
	assert_eq!(verify(&wrong, &set), Err(TooLittleWeight { weight: 0, threshold: 3 }));
}

#[test]
fn a_block_below_the_one_that_is_final() {
	let (set, headers, _) = good();
	let mut below = set.justification_by(0..1, &headers[0]);
	below.votes.extend(set.votes(1..4, target(&headers[1]), ROUND));
	below.ancestries = vec![headers[1].clone()];
	assert_eq!(verify(&below, &set), Err(HigherFinal));
}

#[test]
fn damaged_justifications() {
	let (set, headers, _) = good();
	let mut above = set.justification_by(0..3, &headers[0]);
	above.votes.push(set.vote(3, target(&headers[1]), ROUND));
	above.ancestries = vec![headers[1].clone()];
	let good = above.encode();
	assert!(Justification::decode(&good).is_ok());
	for cut in 0..good.len() {
		assert!(Justification::decode(&good[..cut]).is_err(), "cut at {cut}");
	}
	let longer = [&good[..], &[0]].concat();
	assert_eq!(Justification::decode(&longer), Err(Malformed(crate::Malformed::Trailing)));
}

#[test]
fn huge_justifications() {
	assert!(matches!(Justification::decode(&vec![0; MAX_JUSTIFICATION_BYTES + 1]), Err(TooLong(_))));
	// a count that no input can satisfy is refused before memory is set aside for it
	let claim = (1u64, target(&blocks(1)[0]), codec::Compact(u32::MAX)).encode();
	assert_eq!(Justification::decode(&claim), Err(Malformed(crate::Malformed::Short)));
	let (set, headers, mut many) = good();
	many.votes = vec![set.vote(0, target(&headers[0]), ROUND); MAX_PRECOMMITS + 1];
	assert_eq!(Justification::decode(&many.encode()), Err(TooManyVotes(MAX_PRECOMMITS + 1)));
}

#[test]
fn signatures_are_judged_as_nodes_do() {
	// A key and a signature of small order: ZIP 215 takes them for any message, RFC 8032 verifiers differ. What
	// nodes count, clients must count, or one validator with such a key stops all clients.
	let identity = {
		let mut point = [0u8; 32];
		point[0] = 1;
		point
	};
	let signature: [u8; 64] = [identity, [0; 32]].concat().try_into().unwrap();
	assert!(verify_ed25519(&identity, &signature, b"anything"));
	let public = sp_core::ed25519::Public::from_raw(identity);
	let theirs = sp_core::ed25519::Signature::from_raw(signature);
	assert!(<sp_core::ed25519::Pair as sp_core::Pair>::verify(&theirs, b"anything", &public));
}
