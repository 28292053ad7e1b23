//! Messages that were given up: no node is known to have taken them.
//!
//! A message that no node took before its epoch was over is encrypted again for the one that is current then. That has an
//! end: a reader remembers what it has read for so many epochs, and would take a later copy for a new message. What was
//! given up stays here until the application has dealt with it, across restarts. It may have been read all the same,
//! where only the answers of the nodes were lost.

use super::{
	core::Core,
	inbox::SENT_AGAIN_EPOCHS,
	records::{Outgoing, ONLY},
	Event, GroupError,
};
use crate::{
	mls::Mls,
	store::{Overlay, Record, StoreError},
};
use lockstep_primitives::{rpc::HexBytes, GroupId};
use serde::{Deserialize, Serialize};

/// Messages kept for an application that does not deal with them; the oldest go.
const MAX_KEPT: u64 = 512;

/// A message that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
	/// The group.
	pub group: GroupId,
	/// What it says.
	pub data: Vec<u8>,
	/// Why it was given up.
	pub reason: UndeliveredBecause,
}

/// Why a message was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum UndeliveredBecause {
	/// The group went through so many epochs, and no node said that it took it.
	#[error("no node said that it took the message while the group went through {SENT_AGAIN_EPOCHS} epochs: ask whether it was read, or send it again")]
	NoAnswer,
	/// The client is no member any more, or the group was closed.
	#[error("this client left the group before a node said that it took the message")]
	Left,
	/// A node has something against it that does not pass.
	#[error("no node takes the message: {0}")]
	Refused(String),
}

/// By a number in the order in which they were given up.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Item {
	group: GroupId,
	data: HexBytes,
	reason: UndeliveredBecause,
}

impl Record for Item {
	const KIND: &'static str = "undelivered";
}

/// The number that follows the newest that was ever given: numbers are not used twice.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct NextNumber {
	number: u64,
}

impl Record for NextNumber {
	const KIND: &'static str = "next undelivered number";
}

impl From<Item> for Undelivered {
	fn from(Item { group, data, reason }: Item) -> Self {
		Self { group, data: data.0, reason }
	}
}

impl<M: Mls> Core<M> {
	/// Deletes a statement from the outbox; a message moves to those that were given up, in the same write.
	pub fn give_up(&mut self, number: u64, outgoing: Outgoing, reason: UndeliveredBecause) -> Result<(), StoreError> {
		let Outgoing { group, unsent: Some(unsent), .. } = outgoing else { return self.delete_outgoing(number) };
		let item = Item { group, data: unsent.data, reason };
		let store = self.store.clone();
		let overlay = store.overlay();
		overlay.delete::<Outgoing>(&number.to_be_bytes())?;
		let given = keep(&overlay, &item)?;
		overlay.commit()?;
		self.outbox.remove(number);
		tracing::warn!(%group, reason = %item.reason, "a message was given up");
		let Undelivered { group, data, reason } = item.into();
		self.report(Event::Undelivered { number: given, group, data, reason });
		Ok(())
	}

	/// A group has come to an end for this client: nothing can be said in it any more.
	pub fn give_up_all(&mut self, id: &GroupId) {
		let given_up = self.store.overlay().list::<Outgoing>(ONLY).and_then(|outgoing| {
			outgoing
				.into_iter()
				.filter(|(_, outgoing)| outgoing.group == *id && outgoing.unsent.is_some())
				.try_for_each(|(key, outgoing)| match key.first_chunk() {
					Some(number) => self.give_up(u64::from_be_bytes(*number), outgoing, UndeliveredBecause::Left),
					None => Ok(()),
				})
		});
		if let Err(error) = given_up {
			// They are given up when the client is opened again.
			tracing::error!(group = %id, %error, "the end of messages cannot be stored");
		}
	}

	/// The messages that were given up, the oldest first.
	pub fn undelivered(&self) -> Result<Vec<(u64, Undelivered)>, GroupError> {
		let items = self.store.overlay().list::<Item>(ONLY).map_err(|error| GroupError::Store(error.to_string()))?;
		Ok(items.into_iter().filter_map(|(key, item)| Some((number(&key)?, item.into()))).collect())
	}

	/// The application has dealt with them, up to this number.
	pub fn dismiss(&mut self, up_to: u64) -> Result<(), GroupError> {
		let overlay = self.store.overlay();
		let dismissed = overlay.list::<Item>(ONLY).and_then(|items| {
			let dealt_with = |key: &Vec<u8>| number(key).is_some_and(|number| number <= up_to);
			let mut keys = items.into_iter().map(|(key, _)| key).filter(dealt_with);
			keys.try_for_each(|key| overlay.delete::<Item>(&key))
		});
		dismissed.and_then(|()| overlay.commit()).map_err(|error| GroupError::Store(error.to_string()))
	}
}

/// Keeps it; gives its number.
fn keep(overlay: &Overlay<'_>, item: &Item) -> Result<u64, StoreError> {
	let NextNumber { number } = overlay.get(ONLY)?.unwrap_or_default();
	overlay.put(&number.to_be_bytes(), item)?;
	overlay.put(ONLY, &NextNumber { number: number.saturating_add(1) })?;
	if let Some(oldest) = number.checked_sub(MAX_KEPT) {
		overlay.delete::<Item>(&oldest.to_be_bytes())?;
	}
	Ok(number)
}

fn number(key: &[u8]) -> Option<u64> {
	Some(u64::from_be_bytes(*key.first_chunk()?))
}
