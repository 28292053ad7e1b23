//! What the core wants done outside of it.

use super::{people::OwnClaim, Event};
use crate::log::LogCursor;
use lockstep_primitives::{
	extrinsic::{Append, SignedCall},
	BlockNumber, GroupId, IdentityId,
};
use std::collections::BTreeSet;

/// One thing to do, after what is stored. None is waited for: what came of it comes back as an input, or never.
#[derive(Clone, Debug)]
pub enum Action {
	/// Follow a group's log from a position on; from there again if it is followed already.
	Follow(GroupId, LogCursor),
	/// Follow a group's log no longer.
	Forget(GroupId),
	/// Read the statements under a topic, those that nodes have stored first.
	Watch([u8; 32]),
	/// The same, of statements that nothing in the log is in need of: it need not wait for them.
	WatchAside([u8; 32]),
	/// Read them no longer.
	Unwatch([u8; 32]),
	/// Hand a statement to a node.
	Post {
		/// Its number in the outbox.
		number: u64,
		/// Its bytes, signed.
		statement: Vec<u8>,
	},
	/// Submit a commit of this client.
	Append {
		/// The group.
		group: GroupId,
		/// The call, endorsed.
		append: Append,
	},
	/// Submit a creation, signed by the sponsor.
	Create {
		/// The group.
		group: GroupId,
		/// The call.
		call: SignedCall,
	},
	/// Submit a creation, paid for by a voucher.
	Buy {
		/// The group.
		group: GroupId,
		/// The whole extrinsic.
		extrinsic: Vec<u8>,
	},
	/// Read the logs of people, as of this block or a later one.
	LookUp {
		/// Who.
		people: BTreeSet<IdentityId>,
		/// The block.
		block: BlockNumber,
	},
	/// Ask a node whose logs have changed after this block.
	LookForChanges {
		/// The block.
		after: BlockNumber,
	},
	/// Ask another node than the one in use the same.
	CompareChanges {
		/// The block.
		after: BlockNumber,
	},
	/// Claim KeyPackages of this client's own person.
	Claim(Box<OwnClaim>),
	/// Tell whoever listens.
	Report(Event),
}
