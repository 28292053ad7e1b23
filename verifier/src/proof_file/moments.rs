//! When a block was made: its header, and headers from there up to one that is final.

use super::{ProofError, ProofFile};
use crate::{
	authorities::AuthoritySet,
	chain::FinalizedChain,
	header::{Header, HeaderError},
	justification::{Justification, JustificationError},
};
use alloc::{
	collections::{BTreeMap, BTreeSet},
	vec::Vec,
};
use codec::{Decode, Encode};
use lockstep_primitives::{BlockHash, BlockNumber};

/// Shows the Aura slot of a block.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Moment {
	/// The header of the block, and those of the blocks after it up to one that is final.
	pub headers: Vec<Vec<u8>>,
	/// Makes the last of the headers final. Not needed if that is the anchor, a link or the head.
	pub justification: Option<Vec<u8>>,
}

/// Why a moment does not show when a block was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MomentError {
	/// No header.
	#[error("it has no headers")]
	Empty,
	/// A header cannot be read.
	#[error("header {at}: {error}")]
	Header {
		/// Which of the headers.
		at: usize,
		/// Why.
		error: HeaderError,
	},
	/// The headers are not of blocks that follow one another.
	#[error("header {0} is not the parent's child")]
	Disconnected(usize),
	/// No entry of the file is in the block, or an earlier moment is of the same block or a higher one.
	#[error("block {0} carries no entry of the file, or the moments are not in order")]
	Misplaced(BlockNumber),
	/// The last block is not one that the file shows to be final.
	#[error("block {0}, its last, is not shown to be final")]
	NotFinal(BlockNumber),
	/// The file knows no authorities of that time.
	#[error("block {0}, its last, is not between the anchor and the head, where the authorities are known")]
	OutOfReach(BlockNumber),
	/// The justification is not good.
	#[error("the justification of block {number}: {error}")]
	Justification {
		/// The block it should make final.
		number: BlockNumber,
		/// Why.
		error: JustificationError,
	},
	/// The block has no slot: it is the genesis.
	#[error("block {0} names no time")]
	NoTime(BlockNumber),
}

/// Which set was in power when, which blocks are final, and when blocks were made, as far as the file shows.
pub(super) struct Powers {
	/// The sets, and the block after which each came to power.
	sets: Vec<(BlockNumber, AuthoritySet)>,
	/// Blocks shown to be final.
	finals: BTreeMap<BlockNumber, BlockHash>,
	/// Times of blocks, in milliseconds since the Unix epoch.
	pub(super) times: BTreeMap<BlockNumber, u64>,
	head: BlockNumber,
}

impl Powers {
	pub(super) fn new(chain: &FinalizedChain) -> Self {
		let mut powers = Self { sets: Vec::new(), finals: BTreeMap::new(), times: BTreeMap::new(), head: 0 };
		powers.note(chain);
		powers
	}

	/// Takes note of the chain's head and of the set in power above it.
	pub(super) fn note(&mut self, chain: &FinalizedChain) {
		let head = chain.head();
		if self.sets.last().is_none_or(|(_, set)| set.id != chain.set().id) {
			self.sets.push((head.number, chain.set().clone()));
		}
		self.finals.insert(head.number, head.hash);
		if let Some(time) = head.time {
			self.times.insert(head.number, time);
		}
		self.head = head.number;
	}

	/// The set that finalizes a block.
	fn set_of(&self, number: BlockNumber) -> Option<&AuthoritySet> {
		if number > self.head {
			return None;
		}
		self.sets.iter().rev().find(|(after, _)| *after < number).map(|(_, set)| set)
	}
}

/// Checks the moments and takes note of the times that they show.
pub(super) fn check(file: &ProofFile, powers: &mut Powers) -> Result<(), ProofError> {
	let mut blocks: BTreeSet<BlockNumber> = file.entries.iter().map(|entry| entry.block).collect();
	let mut shown = Vec::with_capacity(file.moments.len());
	for (moment, contents) in file.moments.iter().enumerate() {
		let (number, time) = contents.check(powers, &blocks).map_err(|error| ProofError::Moment { moment, error })?;
		// What is left is above this block, so that the moments come in order and none comes twice.
		blocks = blocks.split_off(&number.saturating_add(1));
		shown.push((number, time));
	}
	powers.times.extend(shown);
	Ok(())
}

impl Moment {
	fn check(&self, powers: &Powers, blocks: &BTreeSet<BlockNumber>) -> Result<(BlockNumber, u64), MomentError> {
		let mut first: Option<Header> = None;
		let mut last: Option<(BlockHash, BlockNumber)> = None;
		for (at, bytes) in self.headers.iter().enumerate() {
			let header = Header::decode(bytes).map_err(|error| MomentError::Header { at, error })?;
			if let Some((hash, number)) = last {
				if header.parent != hash || Some(header.number) != number.checked_add(1) {
					return Err(MomentError::Disconnected(at));
				}
			}
			last = Some((header.hash, header.number));
			first.get_or_insert(header);
		}
		let (Some(first), Some((hash, number))) = (first, last) else { return Err(MomentError::Empty) };
		if !blocks.contains(&first.number) {
			return Err(MomentError::Misplaced(first.number));
		}
		self.check_final(powers, hash, number)?;
		let time = first.time().ok_or(MomentError::NoTime(first.number))?;
		Ok((first.number, time))
	}

	fn check_final(&self, powers: &Powers, hash: BlockHash, number: BlockNumber) -> Result<(), MomentError> {
		let Some(bytes) = &self.justification else {
			return match powers.finals.get(&number) {
				Some(known) if *known == hash => Ok(()),
				_ => Err(MomentError::NotFinal(number)),
			};
		};
		let set = powers.set_of(number).ok_or(MomentError::OutOfReach(number))?;
		let fail = |error| MomentError::Justification { number, error };
		let justification = Justification::decode(bytes).map_err(fail)?;
		if justification.target.hash != hash || justification.target.number != number {
			return Err(MomentError::NotFinal(number));
		}
		justification.verify(set).map_err(fail)
	}
}
