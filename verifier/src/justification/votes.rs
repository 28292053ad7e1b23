//! Counting the votes of a justification, signatures apart.
//!
//! The GRANDPA paper, section 2.2: a block has the votes of those who voted for it or for a descendant, and of all
//! who equivocated, since an equivocator counts as voting for everything. The highest block with a supermajority
//! (the GHOST of the precommits) is final.

use super::{Justification, JustificationError, SignedPrecommit, Target};
use crate::authorities::{Authorities, AuthorityKey};
use alloc::{
	collections::{BTreeMap, BTreeSet},
	vec::Vec,
};
use lockstep_primitives::{BlockHash, BlockNumber};

/// What one signer voted.
struct Cast<'a> {
	vote: &'a SignedPrecommit,
	/// A second, different vote: an equivocation. An honest node includes it, and an honest voter has none.
	second: Option<&'a SignedPrecommit>,
	weight: u64,
}

impl Justification {
	/// Checks everything but the signatures.
	pub(super) fn check_votes(&self, authorities: &Authorities) -> Result<(), JustificationError> {
		let cast = self.cast(authorities)?;
		let base = self.base()?;
		let passed = self.walk(&base)?;
		if passed.len() != self.ancestries.len() {
			return Err(JustificationError::UnusedHeaders);
		}
		self.check_weights(authorities, &cast, &base)
	}

	/// Each signer's votes. A signer counts once, however often it voted.
	fn cast(&self, authorities: &Authorities) -> Result<Vec<Cast<'_>>, JustificationError> {
		let weights: BTreeMap<&AuthorityKey, u64> =
			authorities.as_slice().iter().map(|authority| (&authority.key, authority.weight)).collect();
		let mut cast: BTreeMap<&AuthorityKey, Cast> = BTreeMap::new();
		for (at, vote) in self.precommits.iter().enumerate() {
			let weight = *weights.get(&vote.signer).ok_or(JustificationError::UnknownSigner(at))?;
			let Some(earlier) = cast.get_mut(&vote.signer) else {
				cast.insert(&vote.signer, Cast { vote, second: None, weight });
				continue;
			};
			// Signing one vote twice gives two signatures to whoever wants them, and nodes take that for an
			// equivocation too. To refuse it would let one validator stop every client.
			if earlier.vote == vote || earlier.second == Some(vote) {
				return Err(JustificationError::RepeatedVote(at));
			}
			if earlier.second.replace(vote).is_some() {
				return Err(JustificationError::ThirdVote(at));
			}
		}
		Ok(cast.into_values().collect())
	}

	/// The lowest block voted for, the first one if there are several: nodes collect headers down to it.
	fn base(&self) -> Result<Target, JustificationError> {
		let lowest = self.precommits.iter().min_by_key(|vote| vote.target.number);
		lowest.map(|vote| vote.target).ok_or(JustificationError::NoVotes)
	}

	/// Walks from each vote down to `base`; the blocks above it that were passed.
	fn walk(&self, base: &Target) -> Result<BTreeSet<BlockHash>, JustificationError> {
		let mut passed = BTreeSet::new();
		for (at, vote) in self.precommits.iter().enumerate() {
			let Target { mut hash, mut number } = vote.target;
			while hash != base.hash {
				let block = self.ancestries.get(&hash).ok_or(JustificationError::Unconnected(at))?;
				if block.number != number {
					return Err(JustificationError::WrongNumber(at));
				}
				if !passed.insert(hash) {
					break;
				}
				hash = block.parent;
				number = number.checked_sub(1).ok_or(JustificationError::Unconnected(at))?;
			}
			if hash == base.hash && number != base.number {
				return Err(JustificationError::WrongNumber(at));
			}
		}
		Ok(passed)
	}

	/// Whether the target is the highest block with enough weight.
	fn check_weights(&self, authorities: &Authorities, cast: &[Cast], base: &Target) -> Result<(), JustificationError> {
		let threshold = authorities.threshold();
		let weights = self.weights(cast);
		let equivocated = sum(cast.iter().filter(|cast| cast.second.is_some()).map(|cast| cast.weight));
		let tolerated = authorities.total().saturating_sub(threshold);
		if equivocated > tolerated {
			// With their help two blocks that exclude each other may both have enough weight. Which of them nodes take
			// for final depends on the order of the votes.
			return Err(JustificationError::Equivocators { weight: equivocated, tolerated });
		}
		let weight_of = |hash: &BlockHash| equivocated.saturating_add(weights.get(hash).copied().unwrap_or_default());

		let voted_on = self.target == *base
			|| self.ancestries.get(&self.target.hash).is_some_and(|block| block.number == self.target.number);
		let weight = if voted_on { weight_of(&self.target.hash) } else { 0 };
		if weight < threshold {
			return Err(JustificationError::TooLittleWeight { weight, threshold });
		}
		let mut children = self.ancestries.iter().filter(|(_, block)| block.parent == self.target.hash);
		if children.any(|(hash, _)| weight_of(hash) >= threshold) {
			return Err(JustificationError::HigherFinal);
		}
		Ok(())
	}

	/// The weight of those who voted once, for a block or for a descendant.
	fn weights(&self, cast: &[Cast]) -> BTreeMap<BlockHash, u64> {
		let mut weights: BTreeMap<BlockHash, u64> = BTreeMap::new();
		let mut add = |hash: BlockHash, weight: u64| {
			let sum = weights.entry(hash).or_default();
			*sum = sum.saturating_add(weight);
			*sum
		};
		for cast in cast.iter().filter(|cast| cast.second.is_none()) {
			add(cast.vote.target.hash, cast.weight);
		}
		// From the highest block down, so that a block has all its weight before its parent gets it.
		let mut blocks: Vec<(BlockNumber, &BlockHash, &BlockHash)> =
			self.ancestries.iter().map(|(hash, block)| (block.number, hash, &block.parent)).collect();
		blocks.sort_unstable_by(|a, b| b.cmp(a));
		for (_, hash, parent) in blocks {
			let weight = add(*hash, 0);
			add(*parent, weight);
		}
		weights
	}
}

fn sum(weights: impl Iterator<Item = u64>) -> u64 {
	weights.fold(0, u64::saturating_add)
}
