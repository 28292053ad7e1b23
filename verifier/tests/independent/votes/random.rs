//! Votes of random sets over random trees of blocks.

use super::*;
use proptest::{
	prelude::*,
	sample::Index,
	test_runner::{Config, TestRunner},
};
use std::{cell::Cell, collections::BTreeSet};

/// What happens to what an honest node would send.
#[derive(Clone, Debug)]
enum Damage {
	None,
	Forge(Index, Index),
	Round,
	SetId,
	Outsider(Index),
	RepeatVote(Index),
	DropHeader(Index),
	AddHeader(Index),
	RepeatHeader(Index),
}

#[derive(Clone, Debug)]
struct Case {
	/// Block `n + 1` is a child of one of the blocks before it.
	parents: Vec<Index>,
	/// For each validator, what it votes for.
	ballots: Vec<Vec<Index>>,
	damage: Damage,
}

fn case() -> impl Strategy<Value = Case> {
	let index = any::<Index>;
	let ballot = prop_oneof![
		1 => prop::collection::vec(index(), 0),
		14 => prop::collection::vec(index(), 1),
		1 => prop::collection::vec(index(), 2),
	];
	let damage = prop_oneof![
		9 => Just(Damage::None),
		1 => (index(), index()).prop_map(|(vote, byte)| Damage::Forge(vote, byte)),
		1 => Just(Damage::Round),
		1 => Just(Damage::SetId),
		1 => index().prop_map(Damage::Outsider),
		1 => index().prop_map(Damage::RepeatVote),
		1 => index().prop_map(Damage::DropHeader),
		1 => index().prop_map(Damage::AddHeader),
		1 => index().prop_map(Damage::RepeatHeader),
	];
	(prop::collection::vec(index(), 0..5), prop::collection::vec(ballot, 1..8), damage)
		.prop_map(|(parents, ballots, damage)| Case { parents, ballots, damage })
}

/// The headers on the way from the votes to the lowest block voted for: what honest nodes send along.
fn on_the_way(tree: &[Vec<u8>], votes: &JustificationBuilder) -> Vec<Vec<u8>> {
	let Some(base) = votes.votes.iter().map(|vote| vote.target).min_by_key(|target| target.number) else {
		return vec![];
	};
	let mut sent = Vec::new();
	for vote in &votes.votes {
		let mut hash = vote.target.hash;
		while let Some(header) = tree.iter().find(|header| hash != base.hash && target(header).hash == hash) {
			if !sent.contains(header) {
				sent.push(header.clone());
			}
			hash = Header::decode(header).unwrap().parent;
		}
	}
	sent
}

/// The set, all blocks, and the justification, whose target is still to be set.
fn build(case: &Case) -> (Validators, Vec<Vec<u8>>, JustificationBuilder) {
	let mut tree = vec![Scene::new().one];
	for (seed, parent) in (50..).zip(&case.parents) {
		let mut header = HeaderBuilder::after(&tree[parent.index(tree.len())]);
		header.extrinsics_root = [seed; 32];
		tree.push(header.encode());
	}
	let set = Validators::new(SET, case.ballots.len() as u64);
	let mut votes = set.justification_by([], &tree[0]);
	for (validator, ballots) in case.ballots.iter().enumerate() {
		let blocks: BTreeSet<_> = ballots.iter().map(|at| at.index(tree.len())).collect();
		votes.votes.extend(blocks.into_iter().map(|at| set.vote(validator, target(&tree[at]), ROUND)));
	}
	votes.ancestries = on_the_way(&tree, &votes);
	let (cast, sent) = (votes.votes.len(), votes.ancestries.len());
	match &case.damage {
		Damage::Round => votes.round += 1,
		Damage::Forge(vote, byte) if cast > 0 => votes.votes[vote.index(cast)].signature[byte.index(64)] ^= 1,
		Damage::Outsider(vote) if cast > 0 => {
			let block = votes.votes[vote.index(cast)].target;
			votes.votes.push(Validators::new(9, 1).with_id(SET).vote(0, block, ROUND));
		}
		Damage::RepeatVote(vote) if cast > 0 => votes.votes.push(votes.votes[vote.index(cast)]),
		Damage::DropHeader(at) if sent > 0 => drop(votes.ancestries.remove(at.index(sent))),
		Damage::AddHeader(at) if !votes.ancestries.contains(at.get(&tree)) => {
			votes.ancestries.push(at.get(&tree).clone())
		}
		Damage::RepeatHeader(at) if sent > 0 => votes.ancestries.push(votes.ancestries[at.index(sent)].clone()),
		_ => {}
	}
	(set, tree, votes)
}

fn all_different<T: Ord>(items: impl IntoIterator<Item = T>) -> bool {
	let mut seen = BTreeSet::new();
	items.into_iter().all(|item| seen.insert(item))
}

/// Each justification is judged for every block of the tree, so that whatever the votes make final is asked for too.
#[test]
fn both_judge_random_votes_alike() {
	let (accepted, refused) = (Cell::new(0), Cell::new(0));
	let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
	let outcome = runner.run(&case(), |case| {
		let (validators, tree, mut votes) = build(&case);
		let mut set = validators.set();
		set.id += u64::from(matches!(case.damage, Damage::SetId));
		let mut final_blocks = 0;
		for block in &tree {
			votes.target = target(block);
			let Verdicts { ours, smoldot } = Verdicts::of(&votes.encode(), &set);
			// The two differences that these cases can have; see `differences`.
			let headers_once = all_different(&votes.ancestries);
			let signers_once = all_different(votes.votes.iter().map(|vote| vote.signer));
			prop_assert!(headers_once || ours == Err("RepeatedHeader".to_owned()), "{:?}", ours);
			prop_assert!(signers_once || smoldot.is_err());
			if headers_once && signers_once {
				prop_assert_eq!(ours.is_ok(), smoldot.is_ok(), "we say {:?}, smoldot says {:?}", ours, smoldot);
			}
			let counted = if ours.is_ok() { &accepted } else { &refused };
			counted.set(counted.get() + 1);
			final_blocks += u32::from(ours.is_ok());
		}
		prop_assert!(final_blocks <= 1, "the votes make one block final, and so the ones below it");
		Ok(())
	});
	outcome.unwrap();
	// The comparison is worth something only if both verdicts occur.
	assert!(accepted.get() >= 10 && refused.get() >= 10, "{} accepted, {} refused", accepted.get(), refused.get());
}
