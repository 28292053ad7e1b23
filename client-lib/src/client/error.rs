//! What can go wrong, one enum for each kind of operation.

use super::{
	backup::{BackupError, BackupFileError, RestoreError},
	ClaimVouchersError,
};
use crate::{
	mls::{BuildError, EngineError, MessageError, RejoinError},
	rpc::RpcError,
	store::StoreError,
};
use lockstep_primitives::{BlockNumber, EntryHash, GenesisHash, GroupId};

/// Why a client cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
	/// The store cannot be opened or read.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// No node can be used, and the store does not know the chain yet; or a node is of another chain.
	#[error(transparent)]
	Node(#[from] RpcError),
	/// The identity or signer cannot be used, or stored state cannot.
	#[error(transparent)]
	Engine(#[from] EngineError),
	/// The store belongs to another chain than the one asked for.
	#[error("the store in this folder is of the chain {stored}, not of {asked}: open another folder")]
	OtherChain {
		/// Genesis in the store.
		stored: GenesisHash,
		/// Genesis in the configuration.
		asked: GenesisHash,
	},
	/// The checkpoint is of another chain than the one asked for.
	#[error("the checkpoint is of the chain {checkpoint}, not of {genesis}: give one of that chain, or none")]
	OtherCheckpoint {
		/// Genesis of the checkpoint's chain.
		checkpoint: GenesisHash,
		/// Genesis in the configuration.
		genesis: GenesisHash,
	},
	/// The store belongs to another identity, or to the same one with another signature key.
	#[error("the store in this folder belongs to another identity or signer: open another folder, or use those")]
	OtherIdentity,
}

/// Why a group is not there to work with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
	/// The client never was in it.
	#[error("this client is in no group {0}: create it or be invited first")]
	Unknown(GroupId),
	/// The client was removed from it.
	#[error("this client was removed from group {0}: it has to be invited again, or asks to rejoin if the members did not mean it")]
	Removed(GroupId),
	/// Another client of the same identity was given this one's place.
	#[error("another device of this identity has the place of this one in group {0}: use that one; if there is none, ask to rejoin, and rotate the key")]
	Replaced(GroupId),
	/// The client was restored from a backup, or what it had stored of the group's state is damaged, and no member has readmitted
	/// it yet.
	#[error("this client was restored from a backup, or its state of group {0} was damaged, and it is not back in the group: a member whose client is open readmits it, or is given its request to rejoin")]
	Returning(GroupId),
	/// The client could not process an entry that others may have accepted.
	#[error("this client cannot follow group {0} any more: it asks to be readmitted, or has to be invited again")]
	Desynchronized(GroupId),
	/// The group was closed on the chain.
	#[error("group {0} was closed on the chain: create a new one")]
	Gone(GroupId),
	/// The client stopped following the group because of trouble of its own. When trouble with the disk has passed, it goes on by itself.
	/// If it asks to rejoin, it can be readmitted.
	#[error("following group {group} was stopped: {reason}; if it does not go on when that is repaired, open the client again")]
	Halted {
		/// The group.
		group: GroupId,
		/// What went wrong.
		reason: String,
	},
	/// The store cannot be read or written.
	#[error("the store of the client cannot be read or written: {0}")]
	Store(String),
	/// The client was closed.
	#[error("the client is closed: open it again")]
	Closed,
}

/// Why a KeyPackage cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyPackageError {
	/// Trouble with the store or a library.
	#[error(transparent)]
	Engine(#[from] EngineError),
	/// The client was closed.
	#[error("the client is closed: open it again")]
	Closed,
}

/// Why a group is not created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
	/// Nobody pays for it.
	#[error("creating a group needs a sponsor: name one in the configuration, or bring a voucher")]
	NoSponsor,
	/// Trouble with the store or a library.
	#[error(transparent)]
	Engine(#[from] EngineError),
	/// It did not get into the log, however often it was submitted.
	#[error("the chain did not take the group after {attempts} submissions; the last answer was: {reason}")]
	NotAdmitted {
		/// How often it was submitted.
		attempts: u32,
		/// What the node said last.
		reason: String,
	},
	/// Another group has the id, which was drawn at random.
	#[error("the id of the new group is taken: create it again")]
	Taken,
	/// The client was closed.
	#[error("the client is closed: open it again; the creation is resumed then")]
	Closed,
}

/// Why a commit of this client does not come about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
	/// The group is not there to work with.
	#[error(transparent)]
	Group(#[from] GroupError),
	/// What is asked for makes no sense in the group's state.
	#[error(transparent)]
	Build(#[from] BuildError),
	/// The commit is larger than the chain admits.
	#[error("the commit has {length} bytes, but the chain admits {max}: add fewer members at once")]
	TooLarge {
		/// Its length in bytes.
		length: usize,
		/// The chain's bound.
		max: u32,
	},
	/// Too many operations wait.
	#[error("{0} operations on this group wait already: wait for some of them")]
	Busy(usize),
	/// The KeyPackages were claimed too long ago to be sent an invitation that does not tell whom the group is with.
	#[error("these KeyPackages were claimed too long ago: claim new ones, and add their owners within half a day")]
	ClaimLapsed,
	/// A rejoin request is of no use.
	#[error(transparent)]
	Rejoin(#[from] RejoinError),
	/// Others won each time.
	#[error("another member's commit won each of {attempts} races: try again when the group is less busy")]
	Exhausted {
		/// Commits that were made for it.
		attempts: u32,
	},
}

/// Why a client cannot ask to be readmitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RejoinAskError {
	/// The group was closed, or the client was.
	#[error(transparent)]
	Group(#[from] GroupError),
	/// It follows the group.
	#[error("this client follows group {0}: there is nothing to come back to")]
	StillIn(GroupId),
	/// It knows nothing of the group.
	#[error("no entry of group {0} is known: name a node that has it")]
	NoEntry(GroupId),
	/// No node can be reached.
	#[error(transparent)]
	Node(#[from] RpcError),
	/// Trouble with the store or a library.
	#[error(transparent)]
	Engine(#[from] EngineError),
}

/// Why a member cannot leave.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeaveError {
	/// The group is not there to work with.
	#[error(transparent)]
	Group(#[from] GroupError),
	/// There is nobody to commit it.
	#[error("this client is the only member: there is nobody who could commit its removal")]
	LastMember,
	/// Trouble with the store or a library.
	#[error(transparent)]
	Build(#[from] BuildError),
	/// The proposal cannot be posted.
	#[error(transparent)]
	Send(#[from] SendError),
}

/// Why a message cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
	/// The group is not there to work with.
	#[error(transparent)]
	Group(#[from] GroupError),
	/// The message is too large.
	#[error("the message has {length} bytes, but {max} are the most: send it in parts")]
	TooLarge {
		/// Its length in bytes.
		length: usize,
		/// The bound.
		max: usize,
	},
	/// Too many messages wait for a node to take them.
	#[error("{0} messages wait for a node already: send again when it is reachable")]
	Backlog(usize),
	/// Trouble with the store or a library.
	#[error(transparent)]
	Message(#[from] MessageError),
}

/// Why an invitation came to nothing. It is reported as an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvitationError {
	/// The log has another entry at that place, or another key or depth than the Welcome leads to.
	#[error("the invitation does not agree with the log: {0}")]
	Mismatch(&'static str),
	/// Its entry did not become final.
	#[error("the entry {entry} of the invitation is not final after {waited} blocks: ask for another invitation")]
	NotFinal {
		/// The entry.
		entry: EntryHash,
		/// How long the client waited, in finalized blocks.
		waited: BlockNumber,
	},
	/// MLS does not accept it.
	#[error(transparent)]
	Welcome(#[from] crate::mls::WelcomeError),
}

/// Any error of this crate, for applications that do not tell them apart. No operation returns it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
	/// Opening a client.
	#[error(transparent)]
	Open(#[from] OpenError),
	/// Finding a group.
	#[error(transparent)]
	Group(#[from] GroupError),
	/// Making a KeyPackage.
	#[error(transparent)]
	KeyPackage(#[from] KeyPackageError),
	/// Creating a group.
	#[error(transparent)]
	Create(#[from] CreateError),
	/// Committing.
	#[error(transparent)]
	Commit(#[from] CommitError),
	/// Leaving.
	#[error(transparent)]
	Leave(#[from] LeaveError),
	/// Asking to be readmitted.
	#[error(transparent)]
	Rejoin(#[from] RejoinAskError),
	/// Sending.
	#[error(transparent)]
	Send(#[from] SendError),
	/// Keeping vouchers.
	#[error(transparent)]
	ClaimVouchers(#[from] ClaimVouchersError),
	/// Making a backup.
	#[error(transparent)]
	Backup(#[from] BackupError),
	/// Opening a backup.
	#[error(transparent)]
	BackupFile(#[from] BackupFileError),
	/// Restoring a backup.
	#[error(transparent)]
	Restore(#[from] RestoreError),
}
