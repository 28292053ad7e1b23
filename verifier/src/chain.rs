//! The finalized chain, followed from block to block by justifications.
//!
//! The authority set in power finalizes blocks up to and including the one whose header names the next set; from the
//! block after it on, the next set is in power. A client therefore needs only the last block of each set and the
//! newest block, whatever lies between them: `catch_up` over any distance costs one justification a set.

mod anchor;
#[cfg(test)]
mod tests;

pub use anchor::{Anchor, AnchorError, Checkpoint};

use crate::{
	authorities::AuthoritySet,
	header::{Header, HeaderError, SetChange, StateRoot},
	justification::{Justification, JustificationError},
};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use lockstep_primitives::{BlockHash, BlockNumber, GenesisHash};

/// How far ahead of the set in power a justification is recognised as one of a later set.
const LATER_SETS: u64 = 8;

/// Version of the encoding of [`FinalizedChain`].
const POSITION_VERSION: u8 = 1;

/// A header and the justification that makes it final, as a node sends them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Link {
	/// The SCALE-encoded header.
	pub header: Vec<u8>,
	/// The SCALE-encoded GRANDPA justification of that header.
	pub justification: Vec<u8>,
}

/// A block that is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Head {
	/// The block's number.
	pub number: BlockNumber,
	/// The block's hash.
	pub hash: BlockHash,
	/// The root of the state after the block; not known right after a checkpoint without one.
	pub state_root: Option<StateRoot>,
	/// When the block was made, in milliseconds since the Unix epoch; not known of the genesis and of checkpoints.
	pub time: Option<u64>,
}

/// What a step of [`FinalizedChain::advance`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advanced {
	/// Whether the head moved. It does not if the header is that of the head; its justification was not looked at
	/// then.
	pub moved: bool,
	/// The id of the set that is in power from the next block on, if this block changed it.
	pub new_set: Option<u64>,
	/// Whether the runtime changed in this very block. Blocks that were passed over are not seen: what a
	/// [read proof](crate::layout) says of the runtime is.
	pub runtime_updated: bool,
}

/// Why a header is not the next final one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FinalityError {
	/// The header cannot be read.
	#[error(transparent)]
	Header(#[from] HeaderError),
	/// The justification is not good.
	#[error(transparent)]
	Justification(#[from] JustificationError),
	/// The justification is for another block than the header's.
	#[error("the justification is for block {justified}, not for the header of block {number}: ask another node")]
	OtherBlock {
		/// The header's number.
		number: BlockNumber,
		/// The number that the justification names.
		justified: BlockNumber,
	},
	/// A block below the head. It may well be final, but it is of no use.
	#[error("block {number} is below block {head}, which is known to be final: ask for a newer one")]
	Stale {
		/// The header's number.
		number: BlockNumber,
		/// The head's number.
		head: BlockNumber,
	},
	/// Two different blocks of one height, both final by good votes: more than a third of the validators are
	/// malicious.
	#[error(
		"block {number} is final as {ours} and as {theirs}: more than a third of the validators signed both. Keep \
		 both justifications as evidence, and trust the chain no further without a checkpoint"
	)]
	Conflict {
		/// The height.
		number: BlockNumber,
		/// The block that was final before.
		ours: BlockHash,
		/// The other one.
		theirs: BlockHash,
	},
	/// Good votes of a set that had already handed over. Its keys may have been stolen since.
	#[error(
		"block {number} is signed by authority set {set}, whose power ended with block {until}: keep it as evidence \
		 and ask another node"
	)]
	OldSet {
		/// The header's number.
		number: BlockNumber,
		/// The id of the set that signed.
		set: u64,
		/// The last block that it could finalize.
		until: BlockNumber,
	},
	/// Votes signed for an earlier set id by members of the set in power, too few or mixed to say more.
	#[error("block {number} is signed for authority set {signed}, but set {current} is in power: ask another node")]
	EarlierSet {
		/// The header's number.
		number: BlockNumber,
		/// The set id that a signature is for.
		signed: u64,
		/// The id of the set in power.
		current: u64,
	},
	/// Votes signed for a later set id: the last block of the set in power was left out.
	#[error(
		"block {number} is signed for authority set {signed}, but this client knows the sets up to {current}: ask for \
		 the last block of set {current} first"
	)]
	LaterSet {
		/// The header's number.
		number: BlockNumber,
		/// The set id that a signature is for.
		signed: u64,
		/// The id of the set in power.
		current: u64,
	},
	/// A change of authorities that the set in power did not agree to.
	#[error(
		"block {0} forces a change of the authorities, which no proof can show to be right: get a new checkpoint from \
		 the makers of the application"
	)]
	ForcedChange(BlockNumber),
	/// A scheduled change that takes effect later. Lockstep's runtime makes none.
	#[error(
		"block {number} changes the authorities {delay} blocks later, which this version cannot follow: update the \
		 library, or get a new checkpoint from the makers of the application"
	)]
	DelayedChange {
		/// The header's number.
		number: BlockNumber,
		/// Blocks between announcement and change.
		delay: BlockNumber,
	},
	/// 2^64 sets.
	#[error("the authority set ids are used up: get a new checkpoint from the makers of the application")]
	SetIds,
}

/// Why [`FinalizedChain::catch_up`] failed, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("link {link} of the catch-up: {error}")]
pub struct CatchUpError {
	/// Which of the links.
	pub link: usize,
	/// Why.
	pub error: FinalityError,
}

/// A set that was in power.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct PastSet {
	set: AuthoritySet,
	/// The last block that it finalized.
	until: BlockNumber,
}

/// A position in the finalized chain, and what it takes to go on from there.
///
/// Encode it (SCALE, versioned) to store it. A position that comes back from the store is believed, so the store must
/// be one that nobody else can write to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalizedChain {
	genesis: GenesisHash,
	set: AuthoritySet,
	previous: Option<PastSet>,
	head: Head,
}

impl FinalizedChain {
	/// The chain's genesis.
	pub fn genesis(&self) -> GenesisHash {
		self.genesis
	}

	/// The newest block known to be final.
	pub fn head(&self) -> &Head {
		&self.head
	}

	/// The set that finalizes the blocks above the head.
	pub fn set(&self) -> &AuthoritySet {
		&self.set
	}

	/// This position as a checkpoint.
	pub fn checkpoint(&self) -> Checkpoint {
		let Head { number, hash, state_root, .. } = self.head;
		Checkpoint { genesis: self.genesis, number, hash, state_root, set: self.set.clone() }
	}

	/// Moves to the block of `header` if `justification` shows that it is final. On an error nothing changes.
	pub fn advance(&mut self, header: &[u8], justification: &[u8]) -> Result<Advanced, FinalityError> {
		let header = Header::decode(header)?;
		if header.number < self.head.number {
			return Err(FinalityError::Stale { number: header.number, head: self.head.number });
		}
		if header.hash == self.head.hash {
			// The hash vouches for the header: a checkpoint that left these out can be completed.
			self.head.state_root = Some(header.state_root);
			self.head.time = self.head.time.or_else(|| header.time());
			return Ok(Advanced { moved: false, new_set: None, runtime_updated: header.runtime_updated });
		}
		let justification = Justification::decode(justification)?;
		if justification.target.hash != header.hash || justification.target.number != header.number {
			let justified = justification.target.number;
			return Err(FinalityError::OtherBlock { number: header.number, justified });
		}
		if header.number == self.head.number {
			return Err(self.judge_rival(&header, &justification));
		}
		justification.verify(&self.set).map_err(|error| self.place(&header, &justification, error))?;

		let new_set = self.next_set(&header)?;
		let advanced = Advanced {
			moved: true,
			new_set: new_set.as_ref().map(|set| set.id),
			runtime_updated: header.runtime_updated,
		};
		if let Some(next) = new_set {
			let set = core::mem::replace(&mut self.set, next);
			self.previous = Some(PastSet { set, until: header.number });
		}
		self.head =
			Head { number: header.number, hash: header.hash, state_root: Some(header.state_root), time: header.time() };
		Ok(advanced)
	}

	/// Moves over many links: the last block of each set, in order, and then the newest block. How many moved the
	/// head. On an error nothing changes.
	pub fn catch_up<'a>(&mut self, links: impl IntoIterator<Item = &'a Link>) -> Result<usize, CatchUpError> {
		let mut ahead = self.clone();
		let mut moved = 0usize;
		for (at, link) in links.into_iter().enumerate() {
			let advanced =
				ahead.advance(&link.header, &link.justification).map_err(|error| CatchUpError { link: at, error })?;
			moved = moved.saturating_add(usize::from(advanced.moved));
		}
		*self = ahead;
		Ok(moved)
	}

	/// The set that follows a final block, if the block changes it.
	fn next_set(&self, header: &Header) -> Result<Option<AuthoritySet>, FinalityError> {
		let number = header.number;
		match &header.change {
			None => Ok(None),
			Some(SetChange::Scheduled { next, delay: 0 }) => {
				let id = self.set.id.checked_add(1).ok_or(FinalityError::SetIds)?;
				Ok(Some(AuthoritySet { id, authorities: next.clone() }))
			}
			Some(SetChange::Scheduled { delay, .. }) => Err(FinalityError::DelayedChange { number, delay: *delay }),
			Some(SetChange::Forced { .. }) => Err(FinalityError::ForcedChange(number)),
		}
	}

	/// What to say of another block of the head's height.
	fn judge_rival(&self, header: &Header, justification: &Justification) -> FinalityError {
		// If the head handed over, it is the set before that finalizes blocks of this height.
		let judges = match &self.previous {
			Some(past) if past.until == self.head.number => &past.set,
			_ => &self.set,
		};
		match justification.verify(judges) {
			Ok(()) => FinalityError::Conflict { number: header.number, ours: self.head.hash, theirs: header.hash },
			Err(error) => error.into(),
		}
	}

	/// What else can be said of a justification that the set in power did not make: of which time it is.
	fn place(&self, header: &Header, justification: &Justification, error: JustificationError) -> FinalityError {
		let (number, current) = (header.number, self.set.id);
		if let Some(past) = &self.previous {
			if justification.verify(&past.set).is_ok() {
				return FinalityError::OldSet { number, set: past.set.id, until: past.until };
			}
		}
		// Only a vote that is not of this set can be of another; anything else is wrong whatever the time.
		if !matches!(error, JustificationError::BadSignature(_) | JustificationError::UnknownSigner(_)) {
			return error.into();
		}
		let is_signed_for = |id: &u64| justification.is_signed_for(&self.set, *id);
		if let Some(signed) = current.checked_sub(1).filter(is_signed_for) {
			return FinalityError::EarlierSet { number, signed, current };
		}
		let later = (1..=LATER_SETS).filter_map(|ahead| current.checked_add(ahead)).find(is_signed_for);
		match later {
			Some(signed) => FinalityError::LaterSet { number, signed, current },
			None => error.into(),
		}
	}
}

impl Encode for FinalizedChain {
	fn encode_to<O: codec::Output + ?Sized>(&self, dest: &mut O) {
		let Self { genesis, set, previous, head } = self;
		(POSITION_VERSION, genesis, set, previous, head).encode_to(dest);
	}
}

impl Decode for FinalizedChain {
	fn decode<I: codec::Input>(input: &mut I) -> Result<Self, codec::Error> {
		if u8::decode(input)? != POSITION_VERSION {
			return Err("a position of another version: start from a checkpoint or the genesis".into());
		}
		let (genesis, set, previous, head) = Decode::decode(input)?;
		Ok(Self { genesis, set, previous, head })
	}
}
