//! Portable proofs: one file that shows, to whoever holds the genesis, how the keys of a group were rotated.
//!
//! `docs/proof-format.md` is the normative text. A file leads from an anchor over every change of authorities to a
//! final block, from its state to the head of the group's log, and from there to every entry from one on. Where it
//! has a *moment* for a block, it also shows when the block was made.

mod endorsements;
mod moments;
mod rotations;
#[cfg(test)]
mod tests;

pub use endorsements::EndorsementError;
pub use moments::{Moment, MomentError};
pub use rotations::{Rotation, Rotations, When};

use crate::{
	chain::{Anchor, AnchorError, Checkpoint, FinalityError, FinalizedChain, Link},
	entries::{Cursor, Entry, LogError},
	group::{prove_group, GroupError, ProvenGroup},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeAll, Encode};
use lockstep_primitives::{BlockHash, BlockNumber, EntryHash, GenesisHash, GroupId, GroupState, LogHead};
use moments::Powers;

/// The first bytes of every proof file.
pub const MAGIC: [u8; 14] = *b"lockstep-proof";

/// The version of the format.
pub const VERSION: u8 = 1;

/// What the reader of a file believes to begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
	/// The chain's genesis: enough for files that start there.
	Genesis(GenesisHash),
	/// A final block that somebody vouches for: for files that start there, or at its chain's genesis.
	Checkpoint(Checkpoint),
}

impl Trust {
	/// The chain.
	pub fn genesis(&self) -> GenesisHash {
		match self {
			Self::Genesis(genesis) => *genesis,
			Self::Checkpoint(checkpoint) => checkpoint.genesis,
		}
	}
}

impl From<GenesisHash> for Trust {
	fn from(genesis: GenesisHash) -> Self {
		Self::Genesis(genesis)
	}
}

/// Where a file starts.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum FileAnchor {
	/// At block 0.
	#[codec(index = 0)]
	Genesis {
		/// The header of block 0.
		header: Vec<u8>,
		/// The trie nodes that prove `Grandpa::Authorities` in its state.
		proof: Vec<Vec<u8>>,
	},
	/// At a checkpoint, which the reader must have.
	#[codec(index = 1)]
	Checkpoint {
		/// The block's number.
		number: BlockNumber,
		/// The block's hash.
		hash: BlockHash,
	},
}

/// The contents of a file, after the magic and the version.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ProofFile {
	/// The chain.
	pub genesis: GenesisHash,
	/// Where the proof starts.
	pub anchor: FileAnchor,
	/// The last block of each authority set between the anchor and the head, in order.
	pub links: Vec<Link>,
	/// The final block whose state is read; above all links.
	pub head: Link,
	/// The trie nodes on the way to [`group_keys`](crate::group::group_keys) in that state.
	pub read_proof: Vec<Vec<u8>>,
	/// The group.
	pub group: GroupId,
	/// The log before the first entry of the file: the index of that entry, and the head it continues.
	pub from: LogHead,
	/// Every entry from there to the proven head.
	pub entries: Vec<Entry>,
	/// When blocks with entries were made; in block order, none twice.
	pub moments: Vec<Moment>,
}

/// Which link of the proof broke, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
	/// Another kind of file.
	#[error("this is not a proof file: it does not start with \"lockstep-proof\"")]
	NotAProof,
	/// A format that came later.
	#[error("the file has version {0} of the format, and this library reads version 1: update the library")]
	Version(u8),
	/// The file is cut, continues after its end, or was changed where its structure is.
	#[error("the file is damaged: its structure cannot be read. Get it again from where it came from")]
	Damaged,
	/// The file is about another chain.
	#[error("genesis: the file is of chain {got}, not of {expected}: give the genesis of the right chain")]
	OtherChain {
		/// The chain that the reader trusts.
		expected: GenesisHash,
		/// The chain of the file.
		got: GenesisHash,
	},
	/// The genesis in the file is not the trusted one, or does not show its authorities.
	#[error("anchor: {0}")]
	Anchor(#[from] AnchorError),
	/// The file starts at a checkpoint that the reader does not have.
	#[error("anchor: the file starts at the checkpoint of block {number} ({hash}): give that checkpoint")]
	UnknownCheckpoint {
		/// The block's number.
		number: BlockNumber,
		/// The block's hash.
		hash: BlockHash,
	},
	/// A change of authorities is not shown to be final.
	#[error("link {link}: {error}")]
	Link {
		/// Which of the links.
		link: usize,
		/// Why.
		error: FinalityError,
	},
	/// A link that moves nothing or changes no authorities.
	#[error("link {0}: the block changes no authorities, so it does not belong here")]
	IdleLink(usize),
	/// The final block is not shown to be final.
	#[error("head: {0}")]
	Head(FinalityError),
	/// The head is one of the blocks before it.
	#[error("head: the block is that of the anchor or of the last link, so its justification proves nothing new")]
	IdleHead,
	/// The state is not shown to hold what the file says.
	#[error("read proof: {0}")]
	ReadProof(#[from] GroupError),
	/// The group is not in the state.
	#[error("read proof: the group is not open in this block: export the proof from a block before it was closed")]
	NoGroup,
	/// The file starts at entry 0, but not with the empty log.
	#[error("from: the first entry is entry 0, and the head before it is not that of the empty log of this group")]
	From,
	/// No entry.
	#[error("entries: there are none: export at least one")]
	NoEntries,
	/// The entries are not those of the proven head.
	#[error("entries: {0}")]
	Log(#[from] LogError),
	/// An endorsement does not hold.
	#[error("entry {index}: {error}")]
	Endorsement {
		/// The entry's index in the log.
		index: u64,
		/// Why.
		error: EndorsementError,
	},
	/// A block's time is not shown.
	#[error("moment {moment}: {error}")]
	Moment {
		/// Which of the moments.
		moment: usize,
		/// Why.
		error: MomentError,
	},
}

impl ProofFile {
	/// The bytes of the file.
	pub fn to_bytes(&self) -> Vec<u8> {
		let mut bytes = Vec::with_capacity(self.size_hint());
		bytes.extend(MAGIC);
		bytes.push(VERSION);
		self.encode_to(&mut bytes);
		bytes
	}

	/// Reads a file. Nothing is verified.
	pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofError> {
		let rest = bytes.strip_prefix(&MAGIC).ok_or(ProofError::NotAProof)?;
		let (version, mut rest) = rest.split_first().ok_or(ProofError::Damaged)?;
		if *version != VERSION {
			return Err(ProofError::Version(*version));
		}
		Self::decode_all(&mut rest).map_err(|_| ProofError::Damaged)
	}

	/// Verifies the file, link by link.
	pub fn verify(&self, trust: &Trust) -> Result<Rotations, ProofError> {
		let mut chain = start(self.genesis, &self.anchor, trust)?;
		let mut powers = Powers::new(&chain);
		follow(&mut chain, &self.links, &self.head, |chain| powers.note(chain))?;
		let head = *chain.head();

		let ProvenGroup { state, runtime } = prove_group(&head, &self.read_proof, &self.group)?;
		let state = state.ok_or(ProofError::NoGroup)?;
		let hashes = self.check_log(&state)?;
		let endorsers = endorsements::check(self, &hashes)?;
		moments::check(self, &mut powers)?;

		let entries = rotations::collect(self, &hashes, &endorsers, &powers);
		let set = chain.set().id;
		Ok(Rotations { genesis: self.genesis, group: self.group, head, set, runtime, state, entries })
	}

	/// The hashes of the entries, which make the proven log.
	fn check_log(&self, state: &GroupState) -> Result<Vec<EntryHash>, ProofError> {
		let start = Cursor::start(&self.genesis, &self.group);
		if self.from.length == 0 && self.from != start.head {
			return Err(ProofError::From);
		}
		if self.entries.is_empty() {
			return Err(ProofError::NoEntries);
		}
		let mut cursor = Cursor { head: self.from, block: 0 };
		let hashes = self.entries.iter().map(|entry| cursor.admit(entry)).collect::<Result<_, _>>()?;
		cursor.reaches(state)?;
		Ok(hashes)
	}
}

/// The chain at the anchor of a file.
pub(crate) fn start(genesis: GenesisHash, anchor: &FileAnchor, trust: &Trust) -> Result<FinalizedChain, ProofError> {
	let expected = trust.genesis();
	if genesis != expected {
		return Err(ProofError::OtherChain { expected, got: genesis });
	}
	match (anchor, trust) {
		(FileAnchor::Genesis { header, proof }, _) => Ok(FinalizedChain::from_genesis(genesis, header, proof)?),
		(FileAnchor::Checkpoint { number, hash }, Trust::Checkpoint(ours))
			if (number, hash) == (&ours.number, &ours.hash) =>
		{
			Ok(FinalizedChain::start(genesis, &Anchor::Checkpoint(ours.clone()))?)
		}
		(FileAnchor::Checkpoint { number, hash }, _) => {
			Err(ProofError::UnknownCheckpoint { number: *number, hash: *hash })
		}
	}
}

/// Goes over the changes of authorities of a file to its head; `note` sees the chain after each step.
pub(crate) fn follow(
	chain: &mut FinalizedChain,
	links: &[Link],
	head: &Link,
	mut note: impl FnMut(&FinalizedChain),
) -> Result<(), ProofError> {
	for (link, Link { header, justification }) in links.iter().enumerate() {
		let advanced = chain.advance(header, justification).map_err(|error| ProofError::Link { link, error })?;
		if advanced.new_set.is_none() {
			return Err(ProofError::IdleLink(link));
		}
		note(chain);
	}
	let advanced = chain.advance(&head.header, &head.justification).map_err(ProofError::Head)?;
	if !advanced.moved {
		return Err(ProofError::IdleHead);
	}
	note(chain);
	Ok(())
}

/// Verifies a proof file. Needs nothing but what the reader believes to begin with: usually the genesis.
pub fn verify(trust: impl Into<Trust>, bytes: &[u8]) -> Result<Rotations, ProofError> {
	ProofFile::from_bytes(bytes)?.verify(&trust.into())
}
