//! Where a client stands in a group.

use crate::mls::{GroupData, MemberDevice};
use lockstep_primitives::{BlockNumber, EntryHash, GroupId};

/// A client's position and state in one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupStatus {
	/// The group.
	pub group: GroupId,
	/// The epoch.
	pub epoch: u64,
	/// The entry that opened it.
	pub entry: EntryHash,
	/// How many entries of the log were read.
	pub log_length: u64,
	/// The identities of the members, each once, in the order of their leaves.
	pub members: Vec<Vec<u8>>,
	/// In a group of people of the directory: their devices in it, in the order of their leaves. Empty in other groups.
	pub devices: Vec<MemberDevice>,
	/// Name, application data, administrators and rights.
	pub data: GroupData,
	/// The epoch authenticator (RFC 9420 section 8.7).
	pub epoch_authenticator: Vec<u8>,
	/// The newest finalized block that the client has heard of.
	pub finalized: BlockNumber,
	/// Whether any entry of the log has more than one child.
	pub contested: bool,
	/// Whether the client is still in.
	pub state: GroupState,
	/// Whether the client has read the group's log up to the newest finalized block that it has heard of, over the
	/// connection that it has, and before that the statements that the node had stored.
	pub caught_up: bool,
	/// Statements of the group, messages among them, that no node has taken yet.
	pub unposted: usize,
}

/// Whether a client is still in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupState {
	/// It follows.
	Active,
	/// It was removed.
	Removed,
	/// Another client of the same identity was given its place: one that was restored from a backup, as a rule.
	Replaced,
	/// It was restored from a backup, or what it had stored of the group's state is damaged, and it asks the members to readmit
	/// it. Members and authenticator are not known, and `epoch` is that of the backup, or the last one before the damage.
	Returning,
	/// The same, and it has asked as often as it does by itself.
	NotReadmitted,
	/// It could not process an entry that others may have accepted, and stopped.
	Desynchronized,
	/// The group was closed on the chain.
	Closed,
	/// It stopped because of trouble of its own. It goes on by itself when trouble with the disk has passed; opening the client again tries
	/// again, too.
	Halted,
}
