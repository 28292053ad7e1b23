//! Block headers, as the SDK encodes them.
//!
//! ```text
//! header = parent_hash: 32 | number: Compact<u32> | state_root: 32 | extrinsics_root: 32 | digest: Vec<DigestItem>
//! hash   = BLAKE2b-256(header)
//! ```
//!
//! This is `sp_runtime::generic::Header<u32, BlakeTwo256>` and `sp_runtime::generic::DigestItem`. The hash is taken of
//! the very bytes received, never of bytes encoded again.

mod digest;
#[cfg(test)]
mod tests;

use crate::{
	authorities::{Authorities, AuthorityError},
	bytes::{Malformed, Reader},
	crypto::blake2_256,
};
use codec::{Decode, Encode};
use lockstep_primitives::{BlockHash, BlockNumber};

/// The longest header that is looked at. The runtime holds what block authors can put into one to a fifth of the
/// block length, 419,430 bytes; what the runtime itself adds is one list of authorities and little more.
pub const MAX_HEADER_BYTES: usize = 512 * 1024;

/// Length of an Aura slot in milliseconds. `pallet-aura` derives it from constants, and changing it on a running
/// chain would break block production, so it is fixed for the life of a chain.
pub const SLOT_MILLIS: u64 = 1_000;

/// Two hashes, two roots, a number and the length of the digest.
pub(crate) const LEAST_HEADER_BYTES: usize = 32 + 1 + 32 + 32 + 1;

/// The root of the trie that holds the state after a block.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct StateRoot(pub [u8; 32]);

impl core::fmt::Display for StateRoot {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
	}
}

impl core::fmt::Debug for StateRoot {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		write!(f, "StateRoot({self})")
	}
}

/// A change of the authorities that a block announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetChange {
	/// A change that is finalized like any block: the set in power hands over to the next.
	Scheduled {
		/// Who votes next.
		next: Authorities,
		/// Blocks after this one until they do; `pallet-session` always makes it 0.
		delay: BlockNumber,
	},
	/// A change imposed because finality stalled. The set in power did not agree to it.
	Forced {
		/// Who votes next.
		next: Authorities,
		/// Blocks after this one until they do, finalized or not.
		delay: BlockNumber,
		/// The best finalized block that the chain knew of.
		best_finalized: BlockNumber,
	},
}

/// A decoded header. It says nothing about whether the block is final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
	/// The block's hash, computed from the header's bytes.
	pub hash: BlockHash,
	/// The hash of the block before.
	pub parent: BlockHash,
	/// The block's number; 0 for the genesis.
	pub number: BlockNumber,
	/// The root of the state after the block.
	pub state_root: StateRoot,
	/// The root of the trie of the block's extrinsics.
	pub extrinsics_root: [u8; 32],
	/// The Aura slot in which the block was made; the genesis has none.
	pub slot: Option<u64>,
	/// The change of authorities that the block announces.
	pub change: Option<SetChange>,
	/// Whether the runtime or its heap pages changed in this block.
	pub runtime_updated: bool,
}

/// Why bytes are not a header, or not one that this version can follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
	/// Longer than [`MAX_HEADER_BYTES`].
	#[error("the header has {0} bytes, more than the 524288 that are looked at: ask another node")]
	TooLong(usize),
	/// Not a header.
	#[error("the header is damaged: {0}")]
	Malformed(#[from] Malformed),
	/// A GRANDPA digest that is not understood. It might change the authorities, so it cannot be skipped.
	#[error("the header has a GRANDPA digest that this version does not understand: update the library")]
	Grandpa,
	/// Two changes of one kind. Nodes take the first, and an honest chain makes one.
	#[error("the header announces two changes of the authorities: ask another node")]
	RepeatedChange,
	/// The list of next authorities breaks a rule.
	#[error("the header announces authorities that cannot be: {0}")]
	Authorities(#[from] AuthorityError),
	/// Two Aura slots. No node imports such a block.
	#[error("the header names two Aura slots: ask another node")]
	RepeatedSlot,
}

impl Header {
	/// Reads a header and nothing else.
	pub fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
		let mut reader = Reader::new(bytes);
		let outline = Outline::read(&mut reader)?;
		reader.end()?;
		let digest = digest::Digest::read(outline.digest)?;
		Ok(Self {
			hash: outline.hash,
			parent: outline.parent,
			number: outline.number,
			state_root: outline.state_root,
			extrinsics_root: outline.extrinsics_root,
			slot: digest.slot,
			runtime_updated: digest.runtime_updated,
			change: digest.change(),
		})
	}

	/// When the block was made: the start of its Aura slot, in milliseconds since the Unix epoch. `None` for the
	/// genesis. It is what the author claimed and more than two thirds of the validators found not to be ahead of
	/// their clocks.
	pub fn time(&self) -> Option<u64> {
		self.slot?.checked_mul(SLOT_MILLIS)
	}
}

/// A header whose digest is known to be well formed, but not what it says. This is enough to walk from block to block.
pub(crate) struct Outline<'a> {
	pub(crate) hash: BlockHash,
	pub(crate) parent: BlockHash,
	pub(crate) number: BlockNumber,
	state_root: StateRoot,
	extrinsics_root: [u8; 32],
	/// The digest's items, their count first.
	digest: &'a [u8],
}

impl<'a> Outline<'a> {
	/// Reads one header from the front.
	pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, HeaderError> {
		let mut whole = *reader;
		let parent = BlockHash(reader.array()?);
		let number = reader.compact()?;
		let state_root = StateRoot(reader.array()?);
		let extrinsics_root = reader.array()?;

		let mut rest = *reader;
		digest::skip(reader)?;
		let digest = rest.take(rest.remaining().saturating_sub(reader.remaining()))?;

		let bytes = whole.take(whole.remaining().saturating_sub(reader.remaining()))?;
		if bytes.len() > MAX_HEADER_BYTES {
			return Err(HeaderError::TooLong(bytes.len()));
		}
		let hash = BlockHash(blake2_256(bytes));
		Ok(Self { hash, parent, number, state_root, extrinsics_root, digest })
	}
}
