//! Headers and justifications, field by field.

use crate::{
	authorities::Authorities,
	header::{Header, StateRoot},
	justification::{SignedPrecommit, Target},
};
use alloc::{vec, vec::Vec};
use codec::{Compact, Encode};
use lockstep_primitives::{BlockHash, BlockNumber};

/// One item of a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Log {
	/// The Aura slot.
	Slot(u64),
	/// A scheduled change of authorities: the next ones, and the delay.
	Scheduled(Authorities, BlockNumber),
	/// A forced change of authorities: the best finalized block, the next ones, and the delay.
	Forced(BlockNumber, Authorities, BlockNumber),
	/// Any other message of GRANDPA.
	Grandpa(Vec<u8>),
	/// Any message of the author.
	PreRuntime([u8; 4], Vec<u8>),
	/// The runtime changed.
	RuntimeUpdated,
	/// The author's signature.
	Seal(Vec<u8>),
	/// Something else.
	Other(Vec<u8>),
	/// Bytes as they are, right or wrong.
	Raw(Vec<u8>),
}

impl Log {
	fn encode(&self) -> Vec<u8> {
		match self {
			Self::Slot(slot) => (6u8, b"aura", slot.encode()).encode(),
			Self::Scheduled(next, delay) => (4u8, b"FRNK", (1u8, next, delay).encode()).encode(),
			Self::Forced(best, next, delay) => (4u8, b"FRNK", (2u8, best, next, delay).encode()).encode(),
			Self::Grandpa(message) => (4u8, b"FRNK", message).encode(),
			Self::PreRuntime(engine, message) => (6u8, engine, message).encode(),
			Self::RuntimeUpdated => vec![8],
			Self::Seal(seal) => (5u8, b"aura", seal).encode(),
			Self::Other(bytes) => (0u8, bytes).encode(),
			Self::Raw(bytes) => bytes.clone(),
		}
	}
}

/// A header, field by field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderBuilder {
	/// The hash of the block before.
	pub parent: BlockHash,
	/// The block's number.
	pub number: BlockNumber,
	/// The root of the state.
	pub state_root: StateRoot,
	/// The root of the extrinsics: any value does.
	pub extrinsics_root: [u8; 32],
	/// The digest.
	pub logs: Vec<Log>,
}

impl HeaderBuilder {
	/// Block 0.
	pub fn genesis(state_root: StateRoot) -> Self {
		Self { parent: BlockHash([0; 32]), number: 0, state_root, extrinsics_root: [3; 32], logs: Vec::new() }
	}

	/// The block after the one with this header, with the same state and no digest.
	pub fn after(header: &[u8]) -> Self {
		let Header { hash, number, state_root, .. } = Header::decode(header).expect("a header");
		Self { parent: hash, number: number + 1, state_root, extrinsics_root: [3; 32], logs: Vec::new() }
	}

	/// With one more item in the digest.
	pub fn log(mut self, log: Log) -> Self {
		self.logs.push(log);
		self
	}

	/// With another state.
	pub fn state(mut self, root: StateRoot) -> Self {
		self.state_root = root;
		self
	}

	/// The header's bytes.
	pub fn encode(&self) -> Vec<u8> {
		let mut bytes =
			(self.parent, Compact(self.number), self.state_root, self.extrinsics_root, Compact(self.logs.len() as u32))
				.encode();
		for log in &self.logs {
			bytes.extend(log.encode());
		}
		bytes
	}
}

/// A justification, field by field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JustificationBuilder {
	/// The round.
	pub round: u64,
	/// The block that is said to be final.
	pub target: Target,
	/// The votes.
	pub votes: Vec<SignedPrecommit>,
	/// Headers between the votes and the lowest block voted for.
	pub ancestries: Vec<Vec<u8>>,
}

impl JustificationBuilder {
	/// The justification's bytes.
	pub fn encode(&self) -> Vec<u8> {
		let mut bytes = (self.round, self.target, &self.votes, Compact(self.ancestries.len() as u32)).encode();
		bytes.extend(self.ancestries.concat());
		bytes
	}
}
