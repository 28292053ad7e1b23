//! The rules, compared with the SDK's: `finality_grandpa::validate_commit` as the judge of votes, and around it what
//! `sc_consensus_grandpa::GrandpaJustification::verify_with_voter_set` does.

use super::*;
use finality_grandpa::{validate_commit, voter_set::VoterSet, Chain, Commit, Error, Precommit};
use proptest::prelude::*;
use std::collections::{BTreeSet, HashMap};

type Hash = [u8; 32];

struct AncestryChain(HashMap<Hash, Hash>);

impl Chain<Hash, u32> for AncestryChain {
	fn ancestry(&self, base: Hash, block: Hash) -> Result<Vec<Hash>, Error> {
		let mut route = Vec::new();
		let mut current = block;
		while current != base {
			current = *self.0.get(&current).ok_or(Error::NotDescendent)?;
			route.push(current);
		}
		route.pop();
		Ok(route)
	}
}

/// `verify_with_voter_set`, less the signatures.
fn sdk_accepts(builder: &JustificationBuilder, set: &Validators) -> bool {
	let parents = builder.ancestries.iter().map(|bytes| {
		let header = crate::Header::decode(bytes).unwrap();
		(header.hash.0, header.parent.0)
	});
	let chain = AncestryChain(parents.collect());
	let precommits = builder.votes.iter().map(|vote| finality_grandpa::SignedPrecommit {
		precommit: Precommit { target_hash: vote.target.hash.0, target_number: vote.target.number },
		signature: vote.signature.to_vec(),
		id: vote.signer,
	});
	let commit = Commit {
		target_hash: builder.target.hash.0,
		target_number: builder.target.number,
		precommits: precommits.collect(),
	};
	let voters = VoterSet::new(set.authorities().as_slice().iter().map(|one| (one.key, one.weight))).unwrap();
	if !validate_commit(&commit, &voters, &chain).is_ok_and(|result| result.is_valid()) {
		return false;
	}
	let base = commit.precommits.iter().min_by_key(|vote| vote.precommit.target_number).unwrap();
	let base = base.precommit.target_hash;
	let mut visited = BTreeSet::new();
	for vote in &commit.precommits {
		if vote.precommit.target_hash == base {
			continue;
		}
		let Ok(route) = chain.ancestry(base, vote.precommit.target_hash) else { return false };
		visited.insert(vote.precommit.target_hash);
		visited.extend(route);
	}
	visited == chain.0.keys().copied().collect()
}

/// A tree of blocks: block `n + 1` is a child of one of the blocks before it.
fn tree(parents: &[prop::sample::Index]) -> Vec<Vec<u8>> {
	let mut headers = blocks(1);
	for (n, parent) in parents.iter().enumerate() {
		let parent = headers[parent.index(headers.len())].clone();
		let mut header = HeaderBuilder::after(&parent);
		header.extrinsics_root = [n as u8; 32];
		headers.push(header.encode());
	}
	headers
}

/// The headers that an honest node sends along: `GrandpaJustification::from_commit`.
fn ancestries(headers: &[Vec<u8>], votes: &[SignedPrecommit]) -> Vec<Vec<u8>> {
	let by_hash: HashMap<_, _> = headers.iter().map(|bytes| (target(bytes).hash, bytes)).collect();
	let Some(base) = votes.iter().map(|vote| vote.target).min_by_key(|target| target.number) else { return vec![] };
	let mut seen = BTreeSet::new();
	let mut sent = Vec::new();
	for vote in votes {
		let mut hash = vote.target.hash;
		while let Some(bytes) = by_hash.get(&hash).filter(|_| hash != base.hash) {
			if seen.insert(hash) {
				sent.push(bytes.to_vec());
			}
			hash = crate::Header::decode(bytes).unwrap().parent;
		}
	}
	sent
}

#[derive(Clone, Debug)]
struct Case {
	parents: Vec<prop::sample::Index>,
	/// For each validator, what it votes for.
	votes: Vec<Vec<prop::sample::Index>>,
	target: prop::sample::Index,
	/// Changes what an honest node would send along: leave out one, or add one.
	damage: Option<(bool, prop::sample::Index)>,
}

fn case() -> impl Strategy<Value = Case> {
	let index = any::<prop::sample::Index>;
	let ballots = prop_oneof![
		1 => prop::collection::vec(index(), 0),
		12 => prop::collection::vec(index(), 1),
		2 => prop::collection::vec(index(), 2),
	];
	let votes = prop::collection::vec(ballots, 1..7);
	let damage = prop::option::weighted(0.2, (any::<bool>(), index()));
	(prop::collection::vec(index(), 0..4), votes, index(), damage).prop_map(|(parents, votes, target, damage)| Case {
		parents,
		votes,
		target,
		damage,
	})
}

fn build(case: &Case) -> (Validators, JustificationBuilder) {
	let headers = tree(&case.parents);
	let set = Validators::new(1, case.votes.len() as u64);
	let mut votes = Vec::new();
	for (validator, ballots) in case.votes.iter().enumerate() {
		let blocks: BTreeSet<_> = ballots.iter().map(|at| at.index(headers.len())).collect();
		votes.extend(blocks.into_iter().map(|at| set.vote(validator, target(&headers[at]), ROUND)));
	}
	let mut sent = ancestries(&headers, &votes);
	match &case.damage {
		Some((true, at)) => {
			let header = &headers[at.index(headers.len())];
			if !sent.contains(header) {
				sent.push(header.clone());
			}
		}
		Some((false, at)) if !sent.is_empty() => {
			sent.remove(at.index(sent.len()));
		}
		_ => {}
	}
	let builder = JustificationBuilder {
		round: ROUND,
		target: target(&headers[case.target.index(headers.len())]),
		votes,
		ancestries: sent,
	};
	(set, builder)
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

	/// Votes over random trees of blocks, with equivocations, forks, missing and unused headers: the same verdict.
	#[test]
	fn the_verdict_is_that_of_the_sdk(case in case()) {
		let (set, builder) = build(&case);
		let decoded = Justification::decode(&builder.encode()).unwrap();
		let ours = decoded.check_votes(&set.authorities());
		let theirs = sdk_accepts(&builder, &set);
		prop_assert!(theirs || ours.is_err());
		// If more equivocate than may be malicious, two blocks that exclude each other can both have enough weight: the
		// SDK's verdict depends on the order of the votes, and we refuse.
		let voters: BTreeSet<_> = builder.votes.iter().map(|vote| vote.signer).collect();
		let equivocators = (builder.votes.len() - voters.len()) as u64;
		if equivocators <= set.authorities().total() - set.authorities().threshold() {
			prop_assert_eq!(ours.is_ok(), theirs, "{:?}", ours);
		}
	}
}

/// The comparison is worth something only if both verdicts occur often, also with equivocations and forks.
#[test]
fn the_comparison_sees_both_verdicts() {
	use proptest::{strategy::ValueTree, test_runner::TestRunner};
	let mut runner = TestRunner::deterministic();
	let (mut good, mut bad, mut equivocated) = (0, 0, 0);
	for _ in 0..1_000 {
		let case = case().new_tree(&mut runner).unwrap().current();
		let (set, builder) = build(&case);
		if sdk_accepts(&builder, &set) {
			good += 1;
			equivocated += usize::from(builder.votes.len() > set.keys.len());
		} else {
			bad += 1;
		}
	}
	assert!(good > 100 && bad > 100 && equivocated > 5, "{good} good, {bad} bad, {equivocated} with equivocations");
}
