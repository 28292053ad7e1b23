//! What can go wrong in the engine, apart from verdicts.

use super::{
	bundle::BundleError, group_data::GroupDataError, policy::PolicyError, seal::SealError, verdict::InvalidReason,
};
use crate::store::StoreError;
use lockstep_primitives::{EntryHash, GroupId};
use openmls::prelude::ProcessMessageError;

/// Trouble of this member alone: with its store, its clock or a library.
///
/// It says nothing about the entry or message at hand. The member must stop and leave everything as it was, never
/// skip what it could not judge: the others may have accepted it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
	/// The store failed.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// The store holds no state of this group.
	#[error("this client has no state of group {0}; create it or join it first")]
	NoSuchGroup(GroupId),
	/// This member was removed from the group.
	#[error("this client was removed from group {0}; it has to be invited again")]
	Removed(GroupId),
	/// The group's state is not at the entry that the caller supposes.
	#[error("the group is at entry {tip}, not at {asked}; read the group's position again")]
	NotAtEntry {
		/// The entry that opened the epoch of the stored state.
		tip: EntryHash,
		/// The entry that the caller named.
		asked: EntryHash,
	},
	/// The group has no recorded position, because its first entry is not known yet.
	#[error("group {0} has no position in a log yet; wait until its creation is final")]
	NotPlaced(GroupId),
	/// What was staged does not follow the state that is stored.
	#[error("the staged commit opens epoch {staged}, but the group is in epoch {current}; evaluate the entry again")]
	NotNext {
		/// The epoch that the staged commit opens.
		staged: u64,
		/// The epoch of the stored state.
		current: u64,
	},
	/// The identity is empty or too long.
	#[error("an identity has 1 to {max} bytes, this one {length}; choose another", max = super::constants::MAX_IDENTITY)]
	Identity {
		/// Its length, in bytes.
		length: usize,
	},
	/// The data for a new group is not good.
	#[error("a group cannot start with this data: {0}")]
	GroupData(PolicyError),
	/// The signature key of this member's leaf is not stored, and is not the engine's own.
	#[error("the signature key of this client's leaf in group {0} is missing; open the client with it, or rejoin")]
	NoSigner(GroupId),
	/// The local clock shows a time before 1970, at which OpenMLS cannot check any lifetime.
	#[error("the local clock is before 1970; set it, then open the client again")]
	Clock,
	/// OpenMLS or a cryptographic library failed where it must not.
	#[error("the MLS library failed while {during}; report this as a defect: {reason}")]
	Library {
		/// What was being done.
		during: &'static str,
		/// What the library says.
		reason: String,
	},
}

impl EngineError {
	/// Turns a library's error into [`Self::Library`]; meant for `map_err`.
	pub(crate) fn library<E: std::fmt::Display>(during: &'static str) -> impl FnOnce(E) -> Self {
		move |error| Self::Library { during, reason: error.to_string() }
	}
}

/// Why a commit or a proposal cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
	/// Trouble of this member.
	#[error(transparent)]
	Engine(#[from] EngineError),
	/// The bytes are not a KeyPackage that the group's policy allows.
	#[error("KeyPackage number {index} cannot be used; ask its owner for another: {reason}")]
	KeyPackage {
		/// Position in the list.
		index: usize,
		/// What is wrong with it.
		reason: String,
	},
	/// Someone to be added is a member already, or is named twice.
	#[error("{} is a member already, or named twice; leave it out", printable(identity))]
	AlreadyMember {
		/// The identity.
		identity: Vec<u8>,
	},
	/// Someone to be removed is not a member.
	#[error("{} is not a member; leave it out", printable(identity))]
	NotAMember {
		/// The identity.
		identity: Vec<u8>,
	},
	/// A member cannot commit its own removal (RFC 9420 section 12.2), nor readmit itself.
	#[error("a member cannot commit its own removal; propose to leave and let another member commit it")]
	RemovesItself,
	/// The member to be readmitted has another leaf by now: it is back, or lives on.
	#[error("{} has another leaf than the one to be replaced; it may ask again", printable(identity))]
	OtherLeaf {
		/// The identity.
		identity: Vec<u8>,
	},
	/// The group data, or the signature key, is as wanted already.
	#[error("nothing would change; leave it out")]
	Unchanged,
	/// The group data would be out of bounds.
	#[error("the group data would be out of bounds; change less: {0}")]
	GroupData(GroupDataError),
	/// Parts of the wish cannot go into one commit.
	#[error("parts of this contradict each other in one commit; ask for one after the other")]
	Conflict,
	/// There is nothing to commit.
	#[error("the intent names nobody and nothing; use an update to commit without another change")]
	Empty,
	/// A proposal of another member cannot be committed.
	#[error("proposal number {index} cannot be committed; drop it: {reason}")]
	Proposal {
		/// Position in the list.
		index: usize,
		/// What is wrong with it.
		reason: ProposalError,
	},
	/// The members, this one too, would refuse the commit.
	#[error("the members would refuse this commit; change the intent: {0}")]
	Refused(InvalidReason),
	/// The bundle is too large.
	#[error(transparent)]
	Bundle(#[from] BundleError),
	/// The bundle is too large because of its path, which is encrypted to many members one by one. It can be made when some
	/// of them have renewed their keys, which they do by themselves ([`Upkeep::longest_path`](crate::Upkeep::longest_path)).
	#[error(
		"the commit takes {length} bytes, more than the {max} allowed, for it is encrypted to {nodes} members and branches \
		 one by one; it can be made when members have renewed their keys"
	)]
	LongPath {
		/// The nodes that a path is encrypted to in the tree as it was before the commit.
		nodes: u64,
		/// The length of the sealed bundle.
		length: usize,
		/// The bound.
		max: usize,
	},
	/// The letter to those whom it adds would be too large to be sent: it carries the ratchet tree, with all members.
	#[error(
		"an invitation to this group takes {length} bytes, more than the {max} that nodes pass on; remove members that \
		 are away first"
	)]
	LetterTooLarge {
		/// The length of the letter, about.
		length: usize,
		/// The bound.
		max: usize,
	},
	/// OpenMLS refuses to make the commit.
	#[error("OpenMLS refuses to make the commit: {0}")]
	Mls(String),
}

/// Why a standalone proposal is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProposalError {
	/// Trouble of this member.
	#[error(transparent)]
	Engine(#[from] EngineError),
	/// The bytes are not a proposal.
	#[error("the bytes are not an MLS proposal in a PublicMessage; drop them")]
	Malformed,
	/// It was made in another epoch, and a proposal is good for its own only.
	#[error("the proposal is of epoch {proposal}, the group in epoch {current}; its sender has to make it again")]
	Epoch {
		/// The proposal's epoch.
		proposal: u64,
		/// The group's epoch.
		current: u64,
	},
	/// MLS or the policy refuses it.
	#[error("the proposal is not valid in this group; drop it: {0}")]
	Invalid(InvalidReason),
}

/// Why an application message cannot be sent or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
	/// Trouble of this member.
	#[error(transparent)]
	Engine(#[from] EngineError),
	/// The bytes are not an application message.
	#[error("the bytes are not an MLS application message; drop them")]
	Malformed,
	/// It belongs to another group.
	#[error("the message belongs to another group; drop it")]
	OtherGroup,
	/// It was sent in an epoch that this member has not reached.
	#[error("the message is of epoch {epoch}, the group in epoch {current}; keep it until the group gets there")]
	Future {
		/// The message's epoch.
		epoch: u64,
		/// The group's epoch.
		current: u64,
	},
	/// It was sent in an epoch whose secrets are deleted, or before this member joined.
	#[error("the secrets of epoch {epoch} are gone, the group is in epoch {current}; the message cannot be read")]
	Past {
		/// The message's epoch.
		epoch: u64,
		/// The group's epoch.
		current: u64,
	},
	/// It is too large.
	#[error("the message has {length} bytes, more than the {max} allowed; send less at once")]
	TooLarge {
		/// Its length.
		length: usize,
		/// The bound.
		max: usize,
	},
	/// Its sender has sent as many in this epoch as the protocol allows.
	#[error("{} has sent too many messages in epoch {epoch}; a commit makes room for more", printable(sender))]
	TooMany {
		/// The identity of the sender.
		sender: Vec<u8>,
		/// The epoch.
		epoch: u64,
	},
	/// It was read before, or is older than what may arrive late.
	#[error("the message was read before, or came too late; drop it")]
	Repeated,
	/// It does not decrypt or verify.
	#[error("the message does not decrypt or verify; drop it")]
	Unreadable,
}

/// Why an invitation cannot be opened or accepted. None of these deletes the KeyPackage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WelcomeError {
	/// Trouble of this member.
	#[error(transparent)]
	Engine(#[from] EngineError),
	/// The store holds no KeyPackage of this reference.
	#[error("no KeyPackage of this reference is stored; it was used, or is another client's")]
	UnknownKeyPackage,
	/// The envelope does not open with the KeyPackage's key.
	#[error("the envelope does not open with this KeyPackage; drop it")]
	Sealed,
	/// The envelope, the letter, or what is in it does not decode.
	#[error("it does not hold an invitation; drop it")]
	Malformed,
	/// OpenMLS refuses the Welcome.
	#[error("the Welcome is not valid; ask for another invitation: {0}")]
	Mls(String),
	/// The group is not one that its own members could have made.
	#[error("the group breaks the protocol's rules; do not join it: {0}")]
	Policy(#[from] PolicyError),
	/// The letter is not the one that the envelope names.
	#[error("the letter is not the one that its envelope names; drop it")]
	OtherLetter,
	/// The Welcome is for another group than the letter says.
	#[error("the Welcome is for another group than its letter says; drop it")]
	OtherGroup,
	/// This client is in the group already.
	#[error("this client is a member of the group already; rejoin it to join it anew")]
	AlreadyMember,
	/// The Welcome leads to an epoch that this client has been in, or before it.
	#[error("the Welcome leads to epoch {invited}, but this client was in epoch {stored}; drop it")]
	Stale {
		/// The epoch that the Welcome leads to.
		invited: u64,
		/// The epoch of the stored state.
		stored: u64,
	},
}

/// Why a rejoin request is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RejoinError {
	/// Trouble of this member.
	#[error(transparent)]
	Engine(#[from] EngineError),
	/// The bytes are not a rejoin request.
	#[error("the bytes are not a rejoin request; drop them")]
	Malformed,
	/// It is of another version.
	#[error("rejoin requests of version {0} do not exist; use a newer version of this library")]
	Version(u8),
	/// It is for another group.
	#[error("the rejoin request is for another group; drop it")]
	OtherGroup,
	/// It is for a group on another chain.
	#[error("the rejoin request is for a group on another chain; drop it")]
	OtherChain,
	/// It comes from nobody who is a member now: whoever was removed has to be added again.
	#[error("{} asks to rejoin and is not a member; add it if it should be one", printable(identity))]
	NotAMember {
		/// The identity that it names.
		identity: Vec<u8>,
	},
	/// It is this member's own.
	#[error("the rejoin request is this client's own; another member has to answer it")]
	Own,
	/// It is not signed with the key of the member's leaf.
	#[error("the rejoin request is not signed by {}; drop it", printable(identity))]
	Signature {
		/// The identity that it names.
		identity: Vec<u8>,
	},
	/// It was made for a leaf and an epoch that are past: it was answered, or the member lives on.
	#[error("the rejoin request of {} has lapsed; it may ask again", printable(identity))]
	Lapsed {
		/// The member.
		identity: Vec<u8>,
	},
	/// Its KeyPackage is not one that the group's policy allows, or another member's.
	#[error("the KeyPackage of the rejoin request cannot be used; drop it: {0}")]
	KeyPackage(String),
}

/// Library errors that tell a sealed text apart from trouble of this member.
impl From<SealError> for InvalidReason {
	fn from(error: SealError) -> Self {
		Self::Seal(error)
	}
}

/// Shows an identity: as text if it is that, in hexadecimal digits if not.
pub(crate) fn printable(identity: &[u8]) -> String {
	match std::str::from_utf8(identity) {
		Ok(text) if text.chars().all(|c| !c.is_control()) => text.to_owned(),
		_ => hex::encode(identity),
	}
}

/// The errors of OpenMLS when it processes a message over our store.
pub(super) type ProcessError = ProcessMessageError<StoreError>;
