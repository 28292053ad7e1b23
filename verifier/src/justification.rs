//! GRANDPA justifications: the votes that make a block final.
//!
//! ```text
//! justification = round: u64 | commit | votes_ancestries: Vec<header>
//! commit        = target_hash: 32 | target_number: u32 | precommits: Vec<precommit | signature: 64 | id: 32>
//! precommit     = target_hash: 32 | target_number: u32
//! signature     = Sign(id, 1: u8 | precommit | round: u64 | set_id: u64)
//! ```
//!
//! This is `sc_consensus_grandpa::GrandpaJustification` in SCALE. Accepted is what the SDK's `verify_with_voter_set`
//! accepts and an honest node can produce, no more: `docs/decisions/0012` compares the rules one by one.

#[cfg(test)]
mod tests;
mod votes;

use crate::{
	authorities::{AuthorityKey, AuthoritySet, MAX_AUTHORITIES},
	bytes::{Malformed, Reader},
	crypto::verify_ed25519,
	header::{HeaderError, Outline, LEAST_HEADER_BYTES},
};
use alloc::{collections::BTreeMap, vec::Vec};
use codec::Encode;
use lockstep_primitives::{BlockHash, BlockNumber};

/// The longest justification that is looked at. Honest ones have 136 bytes a vote and seldom a header.
pub const MAX_JUSTIFICATION_BYTES: usize = 4 * 1024 * 1024;

/// Each authority votes once, and a second time if it equivocates; nodes drop further votes.
pub const MAX_PRECOMMITS: usize = 2 * MAX_AUTHORITIES;

/// Bytes of one signed precommit in SCALE: hash, number, signature and key.
const PRECOMMIT_BYTES: usize = 32 + 4 + 64 + 32;

/// `finality_grandpa::Message::Precommit`, the variant's index in SCALE.
const PRECOMMIT: u8 = 1;

/// A block that is voted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode)]
pub struct Target {
	/// The block's hash.
	pub hash: BlockHash,
	/// The block's number.
	pub number: BlockNumber,
}

impl Target {
	fn read(reader: &mut Reader) -> Result<Self, Malformed> {
		Ok(Self { hash: BlockHash(reader.array()?), number: reader.u32()? })
	}
}

/// A vote to finalize a block and all before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode)]
pub struct SignedPrecommit {
	/// The block voted for.
	pub target: Target,
	/// Ed25519, over [`vote_payload`].
	pub signature: [u8; 64],
	/// Who votes.
	pub signer: AuthorityKey,
}

/// The bytes that a precommit signs.
pub fn vote_payload(target: &Target, round: u64, set_id: u64) -> Vec<u8> {
	(PRECOMMIT, target, round, set_id).encode()
}

/// What is needed of a header on the way from a vote to the block that is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ancestor {
	parent: BlockHash,
	number: BlockNumber,
}

/// A decoded justification; it proves nothing until it is [verified](Self::verify).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Justification {
	/// The round of votes. Rounds start again with each set.
	pub round: u64,
	/// The block that is final, if the votes are good.
	pub target: Target,
	/// The votes.
	pub precommits: Vec<SignedPrecommit>,
	/// The headers between votes and the lowest block voted for, by hash.
	ancestries: BTreeMap<BlockHash, Ancestor>,
}

/// Why a justification does not make its block final. Unless a variant says otherwise: somebody made it up, so drop
/// the node that sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JustificationError {
	/// Longer than [`MAX_JUSTIFICATION_BYTES`].
	#[error("the justification has {0} bytes, more than the 4194304 that are looked at: ask another node")]
	TooLong(usize),
	/// Not a justification.
	#[error("the justification is damaged: {0}")]
	Malformed(#[from] Malformed),
	/// A header in it is none.
	#[error("a header in the justification cannot be read: {0}")]
	Header(#[from] HeaderError),
	/// More votes than a set of [`MAX_AUTHORITIES`] can cast.
	#[error("the justification has {0} votes, more than the 2048 that are looked at: ask another node")]
	TooManyVotes(usize),
	/// No vote at all.
	#[error("the justification has no votes: ask another node")]
	NoVotes,
	/// One header twice.
	#[error("a header is in the justification twice: ask another node")]
	RepeatedHeader,
	/// A vote of somebody who is not in the set.
	#[error("vote {0} is signed by a key that is not in the authority set: ask another node")]
	UnknownSigner(usize),
	/// One vote with one signature, twice.
	#[error("vote {0} is a repetition: ask another node")]
	RepeatedVote(usize),
	/// A third vote of one signer. Honest nodes keep two, which prove an equivocation.
	#[error("vote {0} is the third of its signer: ask another node")]
	ThirdVote(usize),
	/// A vote for a block that is not shown to descend from the lowest block voted for.
	#[error("vote {0} is not shown to be for a block above the lowest one voted for: ask another node")]
	Unconnected(usize),
	/// A vote that names another number than the headers show.
	#[error("vote {0} is for a block with another number than its header has: ask another node")]
	WrongNumber(usize),
	/// A header that no vote needs.
	#[error("the justification holds headers that no vote needs: ask another node")]
	UnusedHeaders,
	/// Not enough votes for the block.
	#[error("votes of weight {weight} are for the block, and {threshold} are needed: ask another node")]
	TooLittleWeight {
		/// The weight of those who voted for the block or above.
		weight: u64,
		/// The weight that finalizes.
		threshold: u64,
	},
	/// The validators themselves are malicious: keep it as evidence.
	#[error(
		"validators of weight {weight} each voted for two blocks, and only {tolerated} may be malicious: keep the \
		 justification as evidence, and trust the chain no further without a checkpoint"
	)]
	Equivocators {
		/// The weight of those who voted twice.
		weight: u64,
		/// The weight that may be malicious: less than a third.
		tolerated: u64,
	},
	/// Enough votes for a block above. Honest nodes name the highest block that is final.
	#[error("the votes make a block above the named one final: ask another node")]
	HigherFinal,
	/// A signature that is not of this vote, round and set.
	#[error("the signature of vote {0} does not verify: ask another node")]
	BadSignature(usize),
}

impl Justification {
	/// Reads a justification and nothing else.
	pub fn decode(bytes: &[u8]) -> Result<Self, JustificationError> {
		if bytes.len() > MAX_JUSTIFICATION_BYTES {
			return Err(JustificationError::TooLong(bytes.len()));
		}
		let mut reader = Reader::new(bytes);
		let round = reader.u64()?;
		let target = Target::read(&mut reader)?;
		let count = reader.count(PRECOMMIT_BYTES)?;
		if count > MAX_PRECOMMITS {
			return Err(JustificationError::TooManyVotes(count));
		}
		let mut precommits = Vec::with_capacity(count);
		for _ in 0..count {
			let target = Target::read(&mut reader)?;
			precommits.push(SignedPrecommit { target, signature: reader.array()?, signer: reader.array()? });
		}
		let mut ancestries = BTreeMap::new();
		for _ in 0..reader.count(LEAST_HEADER_BYTES)? {
			let Outline { hash, parent, number, .. } = Outline::read(&mut reader)?;
			if ancestries.insert(hash, Ancestor { parent, number }).is_some() {
				return Err(JustificationError::RepeatedHeader);
			}
		}
		reader.end()?;
		Ok(Self { round, target, precommits, ancestries })
	}

	/// Checks that the votes of `set` make [`target`](Self::target) final. What costs little is checked first.
	pub fn verify(&self, set: &AuthoritySet) -> Result<(), JustificationError> {
		match self.check_votes(&set.authorities) {
			Ok(()) => self.check_signatures(set.id),
			// This accuses validators, so it takes their signatures.
			Err(accusation @ JustificationError::Equivocators { .. }) => {
				self.check_signatures(set.id)?;
				Err(accusation)
			}
			Err(error) => Err(error),
		}
	}

	fn check_signatures(&self, set_id: u64) -> Result<(), JustificationError> {
		match self.precommits.iter().position(|vote| !self.is_signed(vote, set_id)) {
			None => Ok(()),
			Some(at) => Err(JustificationError::BadSignature(at)),
		}
	}

	/// Whether the signature is good for a set id. Says nothing about whether the signer is in that set.
	fn is_signed(&self, vote: &SignedPrecommit, set_id: u64) -> bool {
		verify_ed25519(&vote.signer, &vote.signature, &vote_payload(&vote.target, self.round, set_id))
	}

	/// Whether the first vote of a member of `set` is signed for another set id: a sign that the justification is
	/// of another time rather than made up.
	pub(crate) fn is_signed_for(&self, set: &AuthoritySet, set_id: u64) -> bool {
		let members = set.authorities.as_slice();
		let vote = self.precommits.iter().find(|vote| members.iter().any(|member| member.key == vote.signer));
		vote.is_some_and(|vote| self.is_signed(vote, set_id))
	}
}
