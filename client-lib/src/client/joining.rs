//! An invitation on its way: the log is read up to its entry.

use super::{carried::OwnCommit, people::Unknown, records::Invited};
use crate::{
	gate::{Pending, Tip},
	log::{EntryHeader, LogCursor, VerifiedEntry},
};
use lockstep_primitives::{BlockNumber, EntryHash};
use std::collections::HashMap;

/// An invitation that is being checked.
pub(super) struct Joining {
	pub invited: Invited,
	/// How many entries lie between each entry and entry 0, plus one.
	pub depths: HashMap<EntryHash, u64>,
	/// What became of this client's own commit, if one was pending when its state was lost.
	pub own: OwnCommit,
	/// Where the log was read up to.
	pub head: LogCursor,
	pub contested: bool,
	/// The finalized block in which the wait began; `None` before the first.
	pub since: Option<BlockNumber>,
	/// What has to be known before it can be judged: then the log is read anew.
	pub unknown: Option<Unknown>,
	/// Entries that were not read yet and that other letters name, with the topics of those.
	pub put_off: HashMap<EntryHash, [u8; 32]>,
	/// What waits for its entry while this one, whose entry is there, is tried.
	pub parked: Option<Box<Joining>>,
}

impl Joining {
	pub fn new(invited: Invited, head: LogCursor, pending: Option<Pending>) -> Self {
		Self {
			invited,
			depths: HashMap::new(),
			own: OwnCommit::new(pending),
			head,
			contested: false,
			since: None,
			unknown: None,
			put_off: HashMap::new(),
			parked: None,
		}
	}

	/// The invitations under way.
	pub fn all(&self) -> impl Iterator<Item = &Invited> {
		std::iter::once(&self.invited).chain(self.parked.iter().map(|parked| &parked.invited))
	}

	/// Whether one under way needs this KeyPackage.
	pub fn needs(&self, reference: &[u8]) -> bool {
		self.all().any(|invited| invited.key_package_ref.0 == reference)
	}

	/// Whether another one is to be tried first: its entry is in the log, and that of this one is not. Without this, who names
	/// an entry that never comes would hold up everybody else's invitations to the group.
	pub fn gives_way_to(&self, entry: &EntryHash) -> bool {
		let is_waiting = !self.depths.contains_key(&self.invited.invitation.entry);
		is_waiting && self.depths.contains_key(entry) && self.parked.is_none() && self.unknown.is_none()
	}

	/// Takes the next entry into account; gives its depth. `None` if it is not the next one, or no child of any
	/// entry before it.
	pub fn read(&mut self, entry: &VerifiedEntry, start: &EntryHash) -> Option<u64> {
		let header = &entry.header;
		if header.index != self.head.head.length {
			return None;
		}
		let depth = match self.depths.get(&header.parent) {
			Some(depth) => depth.checked_add(1)?,
			None if header.parent == *start => 0,
			None => return None,
		};
		self.contested |= header.parent != self.head.head.hash;
		self.head = LogCursor::after(header)?;
		self.depths.insert(header.hash, depth);
		self.own.read(header);
		Some(depth)
	}

	/// The own commit that was pending, and what it has opened, if the entry of the invitation follows from it.
	pub fn won(&self) -> Option<(Pending, Tip)> {
		let (own, header) = self.own.before(&self.invited.invitation.entry)?;
		let EntryHeader { hash, index, block, .. } = *header;
		let epoch = *self.depths.get(&hash)?;
		Some((*own, Tip { entry: hash, index, epoch, block }))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use lockstep_primitives::{rpc::HexBytes, GenesisHash, GroupId, OrderingKey, PayloadHash};

	const GROUP: GroupId = GroupId([1; 32]);

	fn start() -> LogCursor {
		LogCursor::start(&GenesisHash([0; 32]), &GROUP)
	}

	fn joining() -> Joining {
		let invitation = serde_json::json!({
			"group": GROUP, "entry": EntryHash([9; 32]), "index": 9, "welcome": "0x"
		});
		let invitation = serde_json::from_value(invitation).unwrap();
		Joining::new(Invited { invitation, key_package_ref: HexBytes(Vec::new()) }, start(), None)
	}

	fn entry(index: u64, name: u8, parent: EntryHash) -> VerifiedEntry {
		let header = EntryHeader {
			index,
			hash: EntryHash([name; 32]),
			parent,
			block: 1,
			payload_hash: PayloadHash([0; 32]),
			next_key: OrderingKey([0; 32]),
		};
		VerifiedEntry { header, payload: None }
	}

	#[test]
	fn depth_is_counted_along_parents_and_a_branch_is_noticed() {
		let start = start().head.hash;
		let mut joining = joining();
		let name = |name: u8| EntryHash([name; 32]);
		assert_eq!(joining.read(&entry(0, 1, start), &start), Some(0));
		assert_eq!(joining.read(&entry(1, 2, name(1)), &start), Some(1));
		assert_eq!(joining.read(&entry(2, 3, name(2)), &start), Some(2));
		assert!(!joining.contested);
		assert_eq!(joining.read(&entry(3, 4, name(2)), &start), Some(2));
		assert!(joining.contested);
		assert_eq!(joining.read(&entry(4, 5, name(4)), &start), Some(3));
	}

	#[test]
	fn the_own_commit_has_won_if_the_entry_of_the_invitation_follows_from_it() {
		let start = start().head.hash;
		let name = |name: u8| EntryHash([name; 32]);
		let key = OrderingKey([5; 32]);
		// The entry of the invitation has this parent.
		let won = |parent: u8| {
			let mut joining = joining();
			joining.own = OwnCommit::new(Some(Pending::new(name(1), PayloadHash([8; 32]), key)));
			let mut own = entry(2, 3, name(1));
			own.header.next_key = key;
			let branches = [entry(1, 2, name(1)), own, entry(3, 4, name(2)), entry(4, 5, name(3))];
			for entry in [entry(0, 1, start)].iter().chain(&branches).chain(&[entry(5, 9, name(parent))]) {
				assert!(joining.read(entry, &start).is_some());
			}
			joining.won().map(|(_, opened)| opened)
		};
		let tip = Tip { entry: name(3), index: 2, epoch: 1, block: 1 };
		assert_eq!([3, 5].map(won), [Some(tip); 2]);
		assert_eq!([1, 2, 4].map(won), [None; 3], "it may be there, and have lost");
	}

	#[test]
	fn repeats_gaps_and_strangers_have_no_depth() {
		let start = start().head.hash;
		let mut joining = joining();
		assert_eq!(joining.read(&entry(1, 1, start), &start), None);
		assert_eq!(joining.read(&entry(0, 1, start), &start), Some(0));
		assert_eq!(joining.read(&entry(0, 1, start), &start), None);
		assert_eq!(joining.read(&entry(1, 2, EntryHash([7; 32])), &start), None);
		assert_eq!(joining.read(&entry(1, 2, EntryHash([1; 32])), &start), Some(1));
	}
}
