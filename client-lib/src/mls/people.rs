//! What is known of the identity logs of a group's members (`docs/protocol.md` section 12), and whose device a signature key is.
//!
//! In a group whose members are people of the directory, a leaf counts if its signature key is a device of its identity in the
//! block of the entry that brings it in. Logs are read by whoever drives the engine; the engine looks at what is in the store, and
//! says which logs it would need, and up to which block.

use super::{classify::Stop, error::EngineError, policy::PolicyError};
use crate::store::{Overlay, Record};
use lockstep_primitives::{identity::Action, rpc::HexBytes, BlockNumber, IdentityId, IdentityKey};
use lockstep_verifier::identity::History;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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
	/// The keys that devices have gone over from, each with the one that it went over to, whatever became of that.
	pub rotated: Vec<(IdentityKey, IdentityKey)>,
}

impl Record for KnownDevices {
	const KIND: &'static str = "known devices";
}

impl KnownDevices {
	/// Those of a log.
	pub fn of(history: &History) -> Self {
		let mut since: Vec<(BlockNumber, Vec<IdentityKey>)> = Vec::new();
		let mut rotated = Vec::new();
		for step in history.steps() {
			let state = &step.change.state;
			if let Action::Rotate { replaces, .. } = step.event.event.action {
				rotated.push((replaces, step.event.event.author));
			}
			let devices = state.devices.iter().filter(|_| !state.closed).map(|device| device.key).collect();
			since.retain(|(block, _)| *block < step.block);
			since.push((step.block, devices));
		}
		Self { until: history.until(), since, rotated }
	}

	/// Those in this block. Whoever is not on the chain has none.
	fn at(&self, block: BlockNumber) -> &[IdentityKey] {
		let before = self.since.iter().rev().find(|(since, _)| *since <= block);
		before.map_or(&[], |(_, devices)| devices)
	}

	/// The devices of the newest state that is known.
	pub(super) fn newest(&self) -> &[IdentityKey] {
		self.at(self.until)
	}

	/// Whether a key was that of a device which, in this block, is none any more: it was revoked. One that has another key by now
	/// is a device still.
	fn is_revoked(&self, key: &IdentityKey, block: BlockNumber) -> bool {
		let heirs = self.heirs(key);
		!self.at(block).iter().any(|device| heirs.contains(device)) && self.ever(key, block)
	}

	/// The key, and all that devices have gone over to from it.
	pub(crate) fn heirs(&self, key: &IdentityKey) -> BTreeSet<IdentityKey> {
		let mut to: BTreeMap<IdentityKey, Vec<IdentityKey>> = BTreeMap::new();
		for (old, new) in &self.rotated {
			to.entry(*old).or_default().push(*new);
		}
		let (mut heirs, mut next) = (BTreeSet::new(), vec![*key]);
		while let Some(heir) = next.pop() {
			if heirs.insert(heir) {
				next.extend(to.remove(&heir).unwrap_or_default());
			}
		}
		heirs
	}

	/// The block since which a device is none any more, as far as is known.
	pub(super) fn revoked_at(&self, key: &IdentityKey) -> Option<BlockNumber> {
		let heirs = self.heirs(key);
		let known: Vec<_> = self.since.iter().filter(|(block, _)| *block <= self.until).collect();
		// It was one, and after the last time that it or an heir was, it is none.
		known.iter().position(|(_, devices)| devices.contains(key))?;
		let last = known.iter().rposition(|(_, devices)| devices.iter().any(|device| heirs.contains(device)))?;
		known.get(last.checked_add(1)?).map(|(block, _)| *block)
	}

	fn ever(&self, key: &IdentityKey, block: BlockNumber) -> bool {
		self.since.iter().any(|(since, devices)| *since <= block && devices.contains(key))
	}
}

/// A person's device in a group: the leaf with this identity and this signature key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberDevice {
	/// The identity.
	pub identity: HexBytes,
	/// The signature key.
	pub key: HexBytes,
}

impl MemberDevice {
	pub(super) fn of(Binding { identity, key }: Binding<'_>) -> Self {
		Self { identity: HexBytes(identity.to_vec()), key: HexBytes(key.to_vec()) }
	}

	pub(super) fn binding(&self) -> Binding<'_> {
		Binding { identity: &self.identity.0, key: &self.key.0 }
	}
}

/// What a leaf says: that this signature key is of this identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// Whether a leaf is of a device that was revoked, so that everybody may take it out. One that has only another key by now can
/// give its leaf that key.
///
/// Whoever makes a commit goes by what is known; if that is nothing, the leaf is a device's.
///
/// # Errors
/// [`Stop::Unknown`] if the log is not known up to the block that decides.
pub(super) fn is_revoked(overlay: &Overlay<'_>, leaf: Binding<'_>, when: When) -> Result<bool, Stop> {
	let (Some(id), Some(key)) = (exactly(leaf.identity), exactly(leaf.key)) else { return Ok(false) };
	let (id, key) = (IdentityId(id), IdentityKey(key));
	let known: Option<KnownDevices> = overlay.get(&id.0).map_err(EngineError::from)?;
	match (&known, when) {
		(None, When::Made) => Ok(false),
		(Some(known), When::Made) => Ok(known.is_revoked(&key, known.until)),
		(Some(known), When::In(block) | When::UpTo(block)) if known.until >= block => Ok(known.is_revoked(&key, block)),
		_ => Err(Stop::Unknown([id].into())),
	}
}

fn exactly(bytes: &[u8]) -> Option<[u8; 32]> {
	bytes.try_into().ok()
}

#[cfg(test)]
mod tests;
