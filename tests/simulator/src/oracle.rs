//! What must be so: computed from the final log and from what the transactions in it are, not from any member.

use crate::chain::{Entry, Kind, State};
use lockstep_primitives::{EntryHash, GroupId};
use std::{collections::BTreeMap, rc::Rc};

/// What all members of an epoch must have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Epoch {
	pub(crate) authenticator: Vec<u8>,
	pub(crate) members: Vec<Vec<u8>>,
}

/// The history of one group.
#[derive(Default)]
pub(crate) struct History {
	read: usize,
	/// The entries that count, the oldest first: the place of each is its epoch.
	pub(crate) path: Vec<Rc<Entry>>,
	places: BTreeMap<EntryHash, u64>,
	/// By the entry that opened it, as the first member that got there found it.
	epochs: BTreeMap<EntryHash, Epoch>,
}

impl History {
	/// The epoch that an entry opened, if it counts.
	pub(crate) fn place(&self, entry: &EntryHash) -> Option<u64> {
		self.places.get(entry).copied()
	}

	/// What the members found in an epoch.
	pub(crate) fn epoch(&self, entry: &EntryHash) -> Option<&Epoch> {
		self.epochs.get(entry)
	}

	/// A member is in the epoch that this entry opened.
	pub(crate) fn agree(&mut self, entry: EntryHash, found: Epoch) -> Result<(), String> {
		match self.epochs.get(&entry) {
			Some(epoch) if *epoch != found => {
				let (one, other) = (epoch.authenticator == found.authenticator, epoch.members == found.members);
				Err(format!("two members are in the same epoch with different states (authenticators alike: {one}, members alike: {other})"))
			}
			Some(_) => Ok(()),
			None => {
				self.epochs.insert(entry, found);
				Ok(())
			}
		}
	}
}

/// See the module.
#[derive(Default)]
pub(crate) struct Oracle {
	pub(crate) groups: BTreeMap<GroupId, History>,
}

impl Oracle {
	/// Reads on in the final log; gives the entries that have come to count.
	pub(crate) fn read(&mut self, state: &State) -> Vec<Rc<Entry>> {
		let mut counting = Vec::new();
		for (group, log) in &state.logs {
			let history = self.groups.entry(*group).or_default();
			let new = log.entries.get(history.read..).unwrap_or_default();
			for entry in new {
				let from_tip = history.path.last().is_none_or(|tip| tip.header.hash == entry.header.parent);
				let valid = !matches!(entry.transaction.kind, Kind::Bad | Kind::WrongKey);
				if from_tip && valid {
					let place = u64::try_from(history.path.len()).unwrap_or(u64::MAX);
					history.places.insert(entry.header.hash, place);
					history.path.push(entry.clone());
					counting.push(entry.clone());
				}
			}
			history.read = log.entries.len();
		}
		counting
	}
}
