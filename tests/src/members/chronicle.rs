//! What a member reported about a group, written down as it came.

use lockstep_client::{Event, SkippedBecause};
use lockstep_primitives::{BlockNumber, EntryHash, GroupId};
use std::collections::{btree_map, BTreeMap};

/// A chronicle for each group.
pub type Chronicles = BTreeMap<GroupId, Chronicle>;

/// One member's reports about one group.
#[derive(Clone, Debug, Default)]
pub struct Chronicle {
	/// The epoch it joined in, if it was invited.
	pub joined: Option<u64>,
	/// The epochs it advanced to.
	pub epochs: BTreeMap<u64, Advance>,
	/// The application messages it read.
	pub heard: Vec<Heard>,
	/// The entries it passed over, with its reasons.
	pub skipped: Vec<(EntryHash, SkippedBecause)>,
	/// Whose signature key changed, with the epoch from which on.
	pub keys_changed: Vec<(u64, Vec<u8>)>,
	/// The keys of devices that went while their person stayed, with the epoch from which on.
	pub devices_removed: Vec<(u64, Vec<u8>)>,
	/// Whether it was removed.
	pub removed: bool,
	/// Why it stopped, if it could not follow.
	pub desynchronized: Option<String>,
	/// Why it stopped, if it had trouble of its own.
	pub halted: Option<String>,
	contradiction: Option<String>,
}

/// One step to a new epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advance {
	/// The entry that opened the epoch.
	pub entry: EntryHash,
	/// The block that carries it.
	pub block: BlockNumber,
	/// The epoch authenticator.
	pub authenticator: Vec<u8>,
	/// Whether it was the member's own commit.
	pub own: bool,
}

/// An application message that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
	/// The epoch it was sent in.
	pub epoch: u64,
	/// The sender's identity.
	pub sender: Vec<u8>,
	/// What was said.
	pub data: Vec<u8>,
}

impl Chronicle {
	/// The newest epoch that the member is known to have reached.
	pub fn newest(&self) -> Option<u64> {
		self.epochs.last_key_value().map(|(epoch, _)| *epoch).max(self.joined)
	}

	/// The first report that cannot be true together with an earlier one.
	pub fn contradiction(&self) -> Option<&str> {
		self.contradiction.as_deref()
	}

	/// The entries that it passed over because of what is in them, not because of where they are.
	pub fn found_invalid(&self) -> Vec<EntryHash> {
		let judged = self.skipped.iter().filter(|(_, reason)| !matches!(reason, SkippedBecause::NotFromTip));
		judged.map(|(entry, _)| *entry).collect()
	}

	/// How often exactly this was heard from exactly this sender.
	pub fn times_heard(&self, data: &[u8], sender: &[u8]) -> usize {
		self.heard.iter().filter(|heard| heard.data == data && heard.sender == sender).count()
	}

	/// Takes another member's epochs over. Returns how many both had, or the first in which they differ.
	pub fn merge(&mut self, other: &Self) -> Result<usize, u64> {
		let mut compared = 0;
		for (epoch, theirs) in &other.epochs {
			match self.epochs.entry(*epoch) {
				btree_map::Entry::Vacant(vacant) => {
					vacant.insert(theirs.clone());
				}
				btree_map::Entry::Occupied(ours) => {
					let ours = ours.get();
					let same = (ours.entry, ours.block, &ours.authenticator)
						== (theirs.entry, theirs.block, &theirs.authenticator);
					if !same {
						return Err(*epoch);
					}
					compared += 1;
				}
			}
		}
		Ok(compared)
	}

	/// Epochs open once and one after the other.
	fn advance(&mut self, epoch: u64, advance: Advance) {
		if let Some(newest) = self.newest() {
			if epoch != newest + 1 && self.contradiction.is_none() {
				self.contradiction = Some(format!("advanced to epoch {epoch} from epoch {newest}"));
			}
		}
		if self.removed && self.contradiction.is_none() {
			self.contradiction = Some(format!("advanced to epoch {epoch} after its removal"));
		}
		self.epochs.insert(epoch, advance);
	}
}

/// Writes an event down. False if it is of no interest here.
pub fn record(chronicles: &mut Chronicles, event: Event) -> bool {
	match event {
		Event::Joined { group, epoch, .. } => chronicles.entry(group).or_default().joined = Some(epoch),
		Event::EpochAdvanced { group, epoch, entry, block, own, authenticator } => {
			let advance = Advance { entry, block, authenticator, own };
			chronicles.entry(group).or_default().advance(epoch, advance);
		}
		Event::Skipped { group, entry, reason } => {
			chronicles.entry(group).or_default().skipped.push((entry, reason));
		}
		Event::Message { group, epoch, sender, data, .. } => {
			chronicles.entry(group).or_default().heard.push(Heard { epoch, sender, data });
		}
		Event::KeyChanged { group, epoch, identity } => {
			chronicles.entry(group).or_default().keys_changed.push((epoch, identity));
		}
		Event::DeviceRemoved { group, epoch, key, .. } => {
			chronicles.entry(group).or_default().devices_removed.push((epoch, key));
		}
		Event::RemovedFromGroup { group } | Event::Replaced { group } => {
			chronicles.entry(group).or_default().removed = true
		}
		Event::Desynchronized { group, reason } => {
			chronicles.entry(group).or_default().desynchronized = Some(reason.to_string());
		}
		Event::Halted { group, reason } => chronicles.entry(group).or_default().halted = Some(reason),
		Event::Resumed { group } => chronicles.entry(group).or_default().halted = None,
		_ => return false,
	}
	true
}

#[cfg(test)]
mod tests {
	use super::*;

	fn advance(entry: u8, authenticator: u8) -> Advance {
		Advance { entry: EntryHash([entry; 32]), block: 1, authenticator: vec![authenticator], own: false }
	}

	fn chronicle(epochs: &[(u64, u8, u8)]) -> Chronicle {
		let mut chronicle = Chronicle::default();
		epochs.iter().for_each(|(epoch, entry, auth)| chronicle.advance(*epoch, advance(*entry, *auth)));
		chronicle
	}

	#[test]
	fn different_authenticators_under_the_same_entry_are_a_fork() {
		let mut common = chronicle(&[(1, 1, 1), (2, 2, 2)]);
		assert_eq!(common.merge(&chronicle(&[(2, 2, 2), (3, 3, 3)])), Ok(1));
		assert_eq!(common.merge(&chronicle(&[(2, 2, 9)])), Err(2));
		assert_eq!(common.merge(&chronicle(&[(3, 9, 3)])), Err(3));
	}

	#[test]
	fn an_epoch_left_out_or_opened_twice_is_a_contradiction() {
		assert_eq!(chronicle(&[(1, 1, 1), (2, 2, 2)]).contradiction(), None);
		assert!(chronicle(&[(1, 1, 1), (3, 3, 3)]).contradiction().is_some());
		assert!(chronicle(&[(1, 1, 1), (1, 1, 1)]).contradiction().is_some());
	}
}
