//! What is known of the identity logs of a group's members (`docs/protocol.md` section 12), and whose device a signature key is.
//!
//! In a group whose members are people of the directory, a leaf counts if its signature key is a device of its identity in the
//! block of the entry that brings it in. Logs are read by whoever drives the engine; the engine looks at what is in the store, and
//! says which logs it would need, and up to which block.

use super::{classify::Stop, error::EngineError, policy::PolicyError};
use crate::store::{Overlay, Record};
use lockstep_primitives::{BlockNumber, IdentityId, IdentityKey};
use lockstep_verifier::identity::History;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How many people are named at once whose logs are needed: whoever makes up a group of thousands costs a member no more readings
/// than this before the first of them turns out not to exist.
const MOST_NAMED: usize = 64;

/// Which devices a person had, from block to block; by the identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownDevices {
	/// The final block up to which this is all.
	pub until: BlockNumber,
	/// The blocks from which on the devices were these; in ascending order.
	pub since: Vec<(BlockNumber, Vec<IdentityKey>)>,
}

impl Record for KnownDevices {
	const KIND: &'static str = "devices";
}

impl KnownDevices {
	/// Those of a log.
	pub fn of(history: &History) -> Self {
		let mut since: Vec<(BlockNumber, Vec<IdentityKey>)> = Vec::new();
		for step in history.steps() {
			let state = &step.change.state;
			let devices = state.devices.iter().filter(|_| !state.closed).map(|device| device.key).collect();
			since.retain(|(block, _)| *block < step.block);
			since.push((step.block, devices));
		}
		Self { until: history.until(), since }
	}

	/// Those in this block. Whoever is not on the chain has none.
	fn at(&self, block: BlockNumber) -> &[IdentityKey] {
		let before = self.since.iter().rev().find(|(since, _)| *since <= block);
		before.map_or(&[], |(_, devices)| devices)
	}

	fn ever(&self, key: &IdentityKey, block: BlockNumber) -> bool {
		self.since.iter().any(|(since, devices)| *since <= block && devices.contains(key))
	}
}

/// What a leaf says: that this signature key is of this identity.
#[derive(Clone, Copy, Debug)]
pub(super) struct Binding<'a> {
	pub(super) identity: &'a [u8],
	pub(super) key: &'a [u8],
}

/// For which block leaves are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
	/// For a commit that is made: unless it is known that the key was a device's and is so no more. What is known may be old.
	Made,
	/// In the block of the entry that brings them in.
	In(BlockNumber),
	/// At any time up to this block: leaves that others have let in.
	UpTo(BlockNumber),
}

/// Judges leaves. One that is no device's decides; if there is none, the logs that are not known well enough are named.
pub(super) fn check<'a>(
	overlay: &Overlay<'_>,
	leaves: impl Iterator<Item = Binding<'a>>,
	when: When,
) -> Result<(), Stop> {
	let mut needed = BTreeSet::new();
	for Binding { identity, key } in leaves {
		let stranger = || PolicyError::NotADevice { identity: identity.to_vec() };
		let (Some(id), Some(key)) = (exactly(identity), exactly(key)) else { return Err(stranger().into()) };
		let (id, key) = (IdentityId(id), IdentityKey(key));
		let known: Option<KnownDevices> = overlay.get(&id.0).map_err(EngineError::from)?;
		let has_it = match (&known, when) {
			(None, When::Made) => true,
			// A key that has gone does not come back, unless all have and a recovery undoes that; one that is not known may have
			// come since.
			(Some(known), When::Made) => {
				let newest = known.at(known.until);
				newest.is_empty() || newest.contains(&key) || !known.ever(&key, known.until)
			}
			(Some(known), When::In(block)) if known.until >= block => known.at(block).contains(&key),
			(Some(known), When::UpTo(block)) if known.until >= block || known.ever(&key, block) => {
				known.ever(&key, block)
			}
			_ => {
				if needed.len() < MOST_NAMED {
					needed.insert(id);
				}
				continue;
			}
		};
		if !has_it {
			return Err(stranger().into());
		}
	}
	if needed.is_empty() {
		Ok(())
	} else {
		Err(Stop::Unknown(needed))
	}
}

fn exactly(bytes: &[u8]) -> Option<[u8; 32]> {
	bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
	use super::*;

	fn key(name: u8) -> IdentityKey {
		IdentityKey([name; 32])
	}

	#[test]
	fn devices_are_those_of_the_newest_state_up_to_the_block() {
		let since = vec![(5, vec![key(1)]), (9, vec![key(1), key(2)]), (12, vec![key(2)]), (20, vec![])];
		let known = KnownDevices { until: 30, since };
		let at = |block| known.at(block).to_vec();
		assert_eq!((at(4), at(5), at(8)), (vec![], vec![key(1)], vec![key(1)]));
		assert_eq!((at(9), at(12), at(19)), (vec![key(1), key(2)], vec![key(2)], vec![key(2)]));
		assert_eq!((at(20), at(30)), (vec![], vec![]), "one that has ended");
		assert!(known.ever(&key(1), 30) && !known.ever(&key(2), 8) && !known.ever(&key(3), 30));
	}
}
