//! What a client reports.

use super::{Ended, IntentId, InvitationError, NotAddedBecause, UndeliveredBecause};
use crate::{
	finality::Lie,
	mls::{GroupData, InvalidReason, PrivateReason},
};
use lockstep_primitives::{BlockNumber, EntryHash, GroupId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Something that happened. Everything reported is final and stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
	/// A group that this client created is in the log.
	Created {
		/// The group.
		group: GroupId,
	},
	/// The client is a member now.
	Joined {
		/// The group.
		group: GroupId,
		/// The epoch it joined in.
		epoch: u64,
		/// Some entry before had more than one child: whoever invited this client could have put it on a branch that
		/// the other members do not follow. Compare epoch authenticators with a member that you trust.
		contested: bool,
	},
	/// An invitation came to nothing.
	InvitationFailed {
		/// The group.
		group: GroupId,
		/// Why.
		reason: InvitationError,
	},
	/// The group is in a new epoch.
	EpochAdvanced {
		/// The group.
		group: GroupId,
		/// The epoch.
		epoch: u64,
		/// The entry that opened it.
		entry: EntryHash,
		/// The block that carries the entry.
		block: BlockNumber,
		/// The commit is this client's own.
		own: bool,
		/// The epoch authenticator (RFC 9420 section 8.7): equal for two members exactly if their states are.
		authenticator: Vec<u8>,
	},
	/// An entry does not count.
	Skipped {
		/// The group.
		group: GroupId,
		/// The entry.
		entry: EntryHash,
		/// Why.
		reason: SkippedBecause,
	},
	/// An application message. It is kept until it is acknowledged ([`Client::acknowledge`](crate::Client::acknowledge)).
	Message {
		/// Its number in the client's inbox.
		number: u64,
		/// The group.
		group: GroupId,
		/// The epoch it was sent in.
		epoch: u64,
		/// The identity of its sender.
		sender: Vec<u8>,
		/// What it says.
		data: Vec<u8>,
	},
	/// Somebody joined.
	MemberAdded {
		/// The group.
		group: GroupId,
		/// The epoch from which on.
		epoch: u64,
		/// Who.
		identity: Vec<u8>,
	},
	/// Somebody is no member any more.
	MemberRemoved {
		/// The group.
		group: GroupId,
		/// The epoch from which on.
		epoch: u64,
		/// Who.
		identity: Vec<u8>,
	},
	/// A member that was cut off, or had lost its state, is back with a new leaf.
	MemberReadmitted {
		/// The group.
		group: GroupId,
		/// The epoch from which on.
		epoch: u64,
		/// Who.
		identity: Vec<u8>,
	},
	/// A member has another signature key than before: show it to the user.
	KeyChanged {
		/// The group.
		group: GroupId,
		/// The epoch from which on.
		epoch: u64,
		/// Whose.
		identity: Vec<u8>,
	},
	/// A further device of a member is in the group: show it to the user.
	DeviceAdded {
		/// The group.
		group: GroupId,
		/// The epoch from which on.
		epoch: u64,
		/// Whose.
		identity: Vec<u8>,
		/// Its signature key.
		key: Vec<u8>,
	},
	/// A device of this client's own person has no leaf in the group, and the client has no voucher to bring it in with
	/// ([`Client::keep_claim_vouchers`](crate::Client::keep_claim_vouchers)), or somebody has taken it out before, or three vouchers
	/// came to nothing for it. A KeyPackage of it brings it in ([`Client::add`](crate::Client::add), or
	/// [`Client::add_claimed`](crate::Client::add_claimed) if it was claimed), which takes no right to add.
	DeviceMissing {
		/// The group.
		group: GroupId,
		/// The person: the client's own identity.
		identity: Vec<u8>,
		/// The device's key.
		key: Vec<u8>,
	},
	/// A device of this client's own person was to be brought into the group by the client itself, and that came to nothing for
	/// now. The client tries again; of each reason it tells once.
	DeviceNotAdded {
		/// The group.
		group: GroupId,
		/// The person: the client's own identity.
		identity: Vec<u8>,
		/// The device's key.
		key: Vec<u8>,
		/// Why.
		reason: NotAddedBecause,
	},
	/// A device of a member is in the group no more; the member is, with another one.
	DeviceRemoved {
		/// The group.
		group: GroupId,
		/// The epoch from which on.
		epoch: u64,
		/// Whose.
		identity: Vec<u8>,
		/// Its signature key.
		key: Vec<u8>,
	},
	/// Name, application data, administrators or rights of the group are other than before.
	GroupDataChanged {
		/// The group.
		group: GroupId,
		/// The epoch from which on.
		epoch: u64,
		/// What they are now.
		data: GroupData,
	},
	/// A commit of this client lost against another one.
	Superseded {
		/// The group.
		group: GroupId,
		/// The entry that won.
		entry: EntryHash,
	},
	/// An intent of this client ended, perhaps one that was given before a restart.
	IntentEnded {
		/// Which.
		intent: IntentId,
		/// How.
		ended: Ended,
	},
	/// A message was given up: no node is known to have taken it, and it is not sent again. It is kept until that is
	/// dismissed ([`Client::dismiss`](crate::Client::dismiss)).
	Undelivered {
		/// Its number among those that were given up.
		number: u64,
		/// The group.
		group: GroupId,
		/// What it says.
		data: Vec<u8>,
		/// Why.
		reason: UndeliveredBecause,
	},
	/// The client is no member any more. A hostile member can make one member believe this: it endorses another's commit
	/// that removes that member under a wrong key, so that all others pass over it. Where nobody says that the removal was
	/// wanted, ask to be readmitted ([`Client::rejoin`](crate::Client::rejoin)): whoever still is a member is.
	RemovedFromGroup {
		/// The group.
		group: GroupId,
	},
	/// The client's place in the group was given to another client of the same identity: one that was restored from a
	/// backup, as a rule. This one has stopped there, and does not ask to come back by itself. A hostile member can bring the same about
	/// with a KeyPackage that this client once made: where no other device of this identity is in use, ask to be readmitted
	/// ([`Client::rejoin`](crate::Client::rejoin)), and rotate the key.
	Replaced {
		/// The group.
		group: GroupId,
	},
	/// The client could not process an entry that others may have accepted. It has stopped, and asks to be readmitted.
	Desynchronized {
		/// The group.
		group: GroupId,
		/// What failed.
		reason: PrivateReason,
	},
	/// The client has asked the other members to readmit it. When one has, it joins again ([`Event::Joined`]).
	AskedToRejoin {
		/// The group.
		group: GroupId,
		/// Whether the request goes to the members by itself. If not, as when the keys of all epochs that are stored are damaged, hand
		/// the one of [`Client::rejoin`](crate::Client::rejoin) to a member.
		posted: bool,
	},
	/// The client was restored from a backup, or its state of the group was damaged, and it has asked the members to readmit it as
	/// often as it does by itself. Nobody whose client is open knows the request's key: perhaps all are away, or it was removed
	/// since, or the backup is older than a rotation of its key. Hand the request of [`Client::rejoin`](crate::Client::rejoin)
	/// to a member, whose client says what is wrong with it; whoever is no member, or has another key, is removed and added again
	/// by a KeyPackage.
	NotReadmitted {
		/// The group.
		group: GroupId,
		/// How often it has asked.
		times: u32,
	},
	/// The group was closed on the chain: nothing can be committed in it any more.
	GroupClosed {
		/// The group.
		group: GroupId,
	},
	/// The client stopped following the group because of trouble of its own, with its store for example. If what is stored of the
	/// group's state is damaged, it asks to be readmitted ([`Event::AskedToRejoin`]). If the trouble can pass, as that of a full disk,
	/// it goes on when it has ([`Event::Resumed`]); other trouble has to be seen to.
	Halted {
		/// The group.
		group: GroupId,
		/// What went wrong.
		reason: String,
	},
	/// The trouble has passed that stopped following a group ([`Event::Halted`]): the client follows it again, from where it was.
	Resumed {
		/// The group.
		group: GroupId,
	},
	/// A node was caught lying. It is not asked again until the client is opened anew, and what it sent is kept in the
	/// store: [`Client::evidence`](crate::Client::evidence).
	NodeLied {
		/// URL of the node.
		node: String,
		/// What it did.
		lie: Lie,
	},
	/// The chain was upgraded to something that this library cannot read, or its validators were changed by force. All
	/// groups have stopped: update the library, or give a new checkpoint.
	Outdated {
		/// What was found.
		reason: String,
	},
	/// The application read too slowly: so many events were dropped. [`Client::group`](crate::Client::group) tells
	/// where things stand.
	Missed {
		/// How many.
		count: u64,
	},
}

/// Why an entry does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SkippedBecause {
	/// It lost a race, or descends from an entry that does not count.
	#[error("its parent is not the entry that opened the current epoch")]
	NotFromTip,
	/// Every member finds its commit invalid.
	#[error("its commit is invalid for every member: {0}")]
	Invalid(InvalidReason),
}

/// A commit that is final and applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committed {
	/// The epoch that it opened.
	pub epoch: u64,
	/// The entry that carries it.
	pub entry: EntryHash,
	/// The block that carries the entry.
	pub block: BlockNumber,
	/// How many commits were made for it: more than one if others won in between. 0 if there was nothing to do.
	pub attempts: u32,
	/// From the call to the answer; from the opening of the client if it was opened anew in between.
	pub elapsed: Duration,
	/// What was wanted came about by another member's commit, which is the one named here.
	pub by_another: bool,
}

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
	/// It won.
	Won(Committed),
	/// Another commit opened the epoch.
	Superseded {
		/// The entry that won.
		by: EntryHash,
		/// The epoch that it opened.
		epoch: u64,
		/// From the call to the answer.
		elapsed: Duration,
	},
}
