//! Portable proofs of identities: one file that shows, to whoever holds the genesis, which devices a person has and had.

use super::{prove_identity, History, HistoryError, Recorded};
use crate::{
	chain::{Head, Link},
	group::GroupError,
	proof_file::{follow, start, FileAnchor, ProofError, Trust},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeAll, Encode};
use lockstep_primitives::{GenesisHash, IdentityId};

/// The first bytes of every file.
pub const IDENTITY_MAGIC: [u8; 17] = *b"lockstep-identity";

/// The version of the format.
pub const IDENTITY_VERSION: u8 = 1;

/// The contents of a file, after the magic and the version.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct IdentityFile {
	/// The chain.
	pub genesis: GenesisHash,
	/// Where the proof starts.
	pub anchor: FileAnchor,
	/// The last block of each authority set between the anchor and the head, in order.
	pub links: Vec<Link>,
	/// The final block whose state is read; above all links.
	pub head: Link,
	/// The trie nodes on the way to [`identity_keys`](super::identity_keys) in that state.
	pub read_proof: Vec<Vec<u8>>,
	/// The identity.
	pub identity: IdentityId,
	/// Its log, from the first event on.
	pub log: Vec<Recorded>,
}

/// Why a file shows nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityFileError {
	/// Another kind of file.
	#[error("this is no proof of an identity: it does not start with lockstep-identity")]
	NotAProof,
	/// A later format.
	#[error("the file has format {0}, and this library reads format {IDENTITY_VERSION}: update the library")]
	Version(u8),
	/// It does not decode.
	#[error("the file is damaged: fetch it again")]
	Damaged,
	/// The final block is not shown to be final.
	#[error(transparent)]
	Block(#[from] ProofError),
	/// The state is not shown to hold what the file says.
	#[error("read proof: {0}")]
	ReadProof(#[from] GroupError),
	/// The events are not those of the identity.
	#[error("log: {0}")]
	Log(#[from] HistoryError),
	/// There is no such identity.
	#[error("the chain has no identity {0}: check the id")]
	Unknown(IdentityId),
}

impl IdentityFile {
	/// The bytes of the file.
	pub fn to_bytes(&self) -> Vec<u8> {
		let mut bytes = Vec::with_capacity(self.size_hint());
		bytes.extend(IDENTITY_MAGIC);
		bytes.push(IDENTITY_VERSION);
		self.encode_to(&mut bytes);
		bytes
	}

	/// Reads a file. Nothing is verified.
	pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdentityFileError> {
		let rest = bytes.strip_prefix(&IDENTITY_MAGIC).ok_or(IdentityFileError::NotAProof)?;
		let (version, mut rest) = rest.split_first().ok_or(IdentityFileError::Damaged)?;
		if *version != IDENTITY_VERSION {
			return Err(IdentityFileError::Version(*version));
		}
		Self::decode_all(&mut rest).map_err(|_| IdentityFileError::Damaged)
	}

	/// Verifies the file. Gives the history of the identity, and the final block up to which that is all of it.
	pub fn verify(&self, trust: &Trust) -> Result<(History, Head), IdentityFileError> {
		let mut chain = start(self.genesis, &self.anchor, trust)?;
		follow(&mut chain, &self.links, &self.head, |_| ())?;
		let head = *chain.head();
		let proven = prove_identity(&head, &self.read_proof, &self.identity)?;
		let history = History::of(self.genesis, self.identity, self.log.clone(), &proven, head.number)?;
		if history.newest().is_none() {
			return Err(IdentityFileError::Unknown(self.identity));
		}
		Ok((history, head))
	}
}

/// Verifies a file. Needs nothing but what the reader believes to begin with: usually the genesis.
pub fn verify_identity(trust: impl Into<Trust>, bytes: &[u8]) -> Result<(History, Head), IdentityFileError> {
	IdentityFile::from_bytes(bytes)?.verify(&trust.into())
}
