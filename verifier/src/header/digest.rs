//! Digest items: what a block says to those who follow the chain.
//!
//! `sp_runtime::generic::DigestItem` and `sp_consensus_grandpa::ConsensusLog` in SCALE. Consensus items come from the
//! runtime, and no node imports a block that has others. Pre-runtime items come from the block's author, who may be
//! hostile, so what nodes ignore there is ignored here too.

use super::{HeaderError, SetChange};
use crate::{
	authorities::Authorities,
	bytes::{Malformed, Reader},
};

const GRANDPA: [u8; 4] = *b"FRNK";
const AURA: [u8; 4] = *b"aura";

/// One item: its variant and what it carries.
enum Item<'a> {
	/// Something of the runtime's own, or the seal: of no concern here.
	Other,
	/// A message of the runtime to the consensus engine.
	Consensus { engine: [u8; 4], message: &'a [u8] },
	/// A message of the author to the runtime.
	PreRuntime { engine: [u8; 4], message: &'a [u8] },
	/// The runtime changed.
	RuntimeUpdated,
}

impl<'a> Item<'a> {
	fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
		Ok(match reader.u8()? {
			0 => {
				reader.bytes()?;
				Self::Other
			}
			4 => Self::Consensus { engine: reader.array()?, message: reader.bytes()? },
			5 => {
				reader.take(4)?;
				reader.bytes()?;
				Self::Other
			}
			6 => Self::PreRuntime { engine: reader.array()?, message: reader.bytes()? },
			8 => Self::RuntimeUpdated,
			_ => return Err(Malformed::Variant),
		})
	}
}

/// Moves past a digest.
pub(super) fn skip(reader: &mut Reader) -> Result<(), Malformed> {
	for _ in 0..reader.count(1)? {
		Item::read(reader)?;
	}
	Ok(())
}

/// What a digest says.
#[derive(Default)]
pub(super) struct Digest {
	pub(super) slot: Option<u64>,
	pub(super) runtime_updated: bool,
	scheduled: Option<SetChange>,
	forced: Option<SetChange>,
}

impl Digest {
	pub(super) fn read(bytes: &[u8]) -> Result<Self, HeaderError> {
		let mut reader = Reader::new(bytes);
		let mut digest = Self::default();
		for _ in 0..reader.count(1)? {
			match Item::read(&mut reader)? {
				Item::Consensus { engine: GRANDPA, message } => digest.grandpa(message)?,
				Item::PreRuntime { engine: AURA, message } => digest.aura(message)?,
				Item::RuntimeUpdated => digest.runtime_updated = true,
				Item::Other | Item::Consensus { .. } | Item::PreRuntime { .. } => {}
			}
		}
		Ok(digest)
	}

	/// The change that counts: a forced one takes precedence, as in the SDK's `ConsensusLog`.
	pub(super) fn change(self) -> Option<SetChange> {
		self.forced.or(self.scheduled)
	}

	fn grandpa(&mut self, message: &[u8]) -> Result<(), HeaderError> {
		let mut reader = Reader::new(message);
		match reader.u8()? {
			1 => {
				let next = Authorities::read(&mut reader)?;
				let change = SetChange::Scheduled { next, delay: reader.u32()? };
				if self.scheduled.replace(change).is_some() {
					return Err(HeaderError::RepeatedChange);
				}
			}
			2 => {
				let best_finalized = reader.u32()?;
				let next = Authorities::read(&mut reader)?;
				let change = SetChange::Forced { next, delay: reader.u32()?, best_finalized };
				if self.forced.replace(change).is_some() {
					return Err(HeaderError::RepeatedChange);
				}
			}
			// An authority is disabled (its vote counts all the same), or the set is told to pause or resume.
			3 => {
				reader.u64()?;
			}
			4 | 5 => {
				reader.u32()?;
			}
			_ => return Err(HeaderError::Grandpa),
		}
		reader.end().map_err(|_| HeaderError::Grandpa)
	}

	/// A slot has eight bytes. Nodes pass over anything else of Aura's that the author put in.
	fn aura(&mut self, message: &[u8]) -> Result<(), HeaderError> {
		let Ok(slot) = message.try_into().map(u64::from_le_bytes) else { return Ok(()) };
		if self.slot.replace(slot).is_some() {
			return Err(HeaderError::RepeatedSlot);
		}
		Ok(())
	}
}
