//! How far the logs of the followed groups have been read, proven and given out.

use super::{
	lie::Lie,
	waiting::{Proven, Waiting},
	wishes::{Wanted, Wishes},
};
use crate::log::{LogCursor, VerifiedEntry};
use lockstep_primitives::{rpc, BlockNumber, EntryHash, GroupId, LogHead};
use std::collections::{BTreeMap, VecDeque};

/// Verified blocks within which a node has to prove each group's head once.
const AUDIT: BlockNumber = 256;

/// Entries that can be given out.
#[derive(Debug, Default)]
pub(super) struct Released {
	pub entries: Vec<(GroupId, VerifiedEntry)>,
	/// Groups that were there and are gone.
	pub closed: Vec<GroupId>,
	/// Some group has to be read again from its position.
	pub again: bool,
}

/// Where one group is.
#[derive(Debug)]
struct Followed {
	turn: u64,
	/// Where the next entry belongs.
	next: LogCursor,
	waiting: Waiting,
	/// Names of entries that are proven already and are being read again.
	vouched: VecDeque<EntryHash>,
	proven_at: Option<BlockNumber>,
}

impl Followed {
	fn new(wanted: &Wanted) -> Self {
		let Wanted { turn, from } = *wanted;
		Self { turn, next: from, waiting: Waiting::new(from), vouched: VecDeque::new(), proven_at: None }
	}
}

/// The groups that are followed.
#[derive(Debug, Default)]
pub(super) struct Heads(BTreeMap<GroupId, Followed>);

impl Heads {
	/// Takes over the wishes, and forgets what was sent and not proven: it will be sent again. True if a group is new
	/// or starts again, so that a subscription has to be made for it.
	pub fn adopt(&mut self, wishes: &Wishes) -> bool {
		self.0.retain(|group, _| wishes.groups.contains_key(group));
		let mut changed = false;
		for (group, wanted) in &wishes.groups {
			if self.0.get(group).is_none_or(|followed| followed.turn != wanted.turn) {
				self.0.insert(*group, Followed::new(wanted));
				changed = true;
			}
		}
		changed
	}

	/// Whether this group is followed.
	pub fn follows(&self, group: &GroupId) -> bool {
		self.0.contains_key(group)
	}

	/// Starts again with a node: what to ask it for. What the last one sent without a proof is forgotten.
	pub fn restart(&mut self) -> Vec<rpc::Position> {
		let positions = self.0.iter_mut().map(|(group, followed)| {
			followed.next = followed.waiting.start();
			followed.waiting = Waiting::new(followed.next);
			followed.proven_at = None;
			rpc::Position { group: *group, from: followed.next.head.length }
		});
		positions.collect()
	}

	/// Takes an entry in. Entries of groups that are not followed are left out.
	pub fn admit(&mut self, group: GroupId, entry: rpc::Entry, released: &mut Released) -> Result<(), Lie> {
		let Some(followed) = self.0.get_mut(&group) else { return Ok(()) };
		let entry =
			followed.next.admit(entry).map_err(|problem| Lie::Entries { group, problem: problem.to_string() })?;
		match followed.vouched.pop_front() {
			Some(hash) if hash == entry.header.hash => {
				followed.waiting = Waiting::new(followed.next);
				released.entries.push((group, entry));
				Ok(())
			}
			Some(_) => Err(Lie::OtherEntries(group)),
			None if followed.waiting.push(entry) => Ok(()),
			None => Err(Lie::Unproven(group)),
		}
	}

	/// Heads as they are in the state of the verified block `at`; `None` for a group that is not there.
	pub fn prove(
		&mut self,
		proven: &BTreeMap<GroupId, Option<LogHead>>,
		at: BlockNumber,
		released: &mut Released,
	) -> Result<(), Lie> {
		for (group, followed) in &mut self.0 {
			let start = followed.waiting.start();
			if at < start.block {
				// The node has yet to get to where this group is. It may be honest and slow.
				continue;
			}
			let Some(head) = proven.get(group) else {
				let since = *followed.proven_at.get_or_insert(at);
				if at.saturating_sub(since) > AUDIT {
					return Err(Lie::Unproven(*group));
				}
				continue;
			};
			followed.proven_at = Some(at);
			match head {
				// It is not there yet.
				None if start.head.length == 0 => continue,
				// Its log has ended, and nothing can be shown of its last entries.
				None => {
					released.closed.push(*group);
					continue;
				}
				Some(head) if followed.waiting.head() == Some(*head) => {}
				Some(head) if head.length > followed.next.head.length => return Err(Lie::LeftOut(*group)),
				Some(_) => return Err(Lie::OtherEntries(*group)),
			}
			let waiting = std::mem::replace(&mut followed.waiting, Waiting::new(followed.next));
			match waiting.proven() {
				Proven::Release(entries) => released.entries.extend(entries.into_iter().map(|entry| (*group, entry))),
				Proven::Reread(from, hashes) => {
					followed.next = from;
					followed.waiting = Waiting::new(from);
					followed.vouched = hashes;
					released.again = true;
				}
			}
		}
		Ok(())
	}
}
