//! How many messages each member has sent in an epoch: no more than
//! [`MAX_MESSAGES_PER_EPOCH`] are sent or read.
//!
//! OpenMLS does not give out the generation of a message, so they are counted: one's own when they are encrypted,
//! those of others when they are read. A member that keeps to the bound is never refused, whatever order its messages
//! arrive in; of one that does not, each reader reads the first so many that reach it.

use super::constants::MAX_MESSAGES_PER_EPOCH;
use crate::store::{Overlay, Record, StoreError};
use lockstep_primitives::GroupId;
use openmls::prelude::LeafNodeIndex;
use serde::{Deserialize, Serialize};

/// The number of messages of one sender in one epoch.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Count(u32);

impl Record for Count {
	const KIND: &'static str = "message count";
}

/// The kind of these records.
pub(super) const KIND: &str = <Count as Record>::KIND;

/// Counts one more message of this sender in this epoch; `false`, and nothing is counted, if that is one too many.
pub(super) fn count(
	overlay: &Overlay<'_>,
	group: &GroupId,
	epoch: u64,
	sender: LeafNodeIndex,
) -> Result<bool, StoreError> {
	let key = [&epoch_key(group, epoch)[..], &sender.u32().to_be_bytes()].concat();
	let before = overlay.get::<Count>(&key)?.map_or(0, |count| count.0);
	if before >= MAX_MESSAGES_PER_EPOCH {
		return Ok(false);
	}
	overlay.put(&key, &Count(before.saturating_add(1)))?;
	Ok(true)
}

/// Deletes the counts of an epoch.
pub(super) fn forget_epoch(overlay: &Overlay<'_>, group: &GroupId, epoch: u64) -> Result<(), StoreError> {
	for (key, _) in overlay.list::<Count>(&epoch_key(group, epoch))? {
		overlay.delete::<Count>(&key)?;
	}
	Ok(())
}

/// Deletes all counts of a group.
pub(super) fn forget(overlay: &Overlay<'_>, group: &GroupId) -> Result<(), StoreError> {
	overlay.delete_all::<Count>(group.as_bytes())
}

fn epoch_key(group: &GroupId, epoch: u64) -> Vec<u8> {
	[&group.as_bytes()[..], &epoch.to_be_bytes()].concat()
}

/// Sets a count, so that a test need not send as many messages.
#[cfg(test)]
pub(super) fn set(overlay: &Overlay<'_>, group: &GroupId, epoch: u64, sender: u32, count: u32) {
	let key = [&epoch_key(group, epoch)[..], &sender.to_be_bytes()].concat();
	overlay.put(&key, &Count(count)).unwrap();
}
