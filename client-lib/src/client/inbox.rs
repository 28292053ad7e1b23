//! Messages that arrived, kept until the application has acknowledged them.
//!
//! A message can be decrypted once. So what it says is stored in the write that uses up its key, and stays until the
//! application says that it has it: a client that is killed in between still has it in [`Client::unread`].
//!
//! What the members of a group tell each other is `version | id | data`. The id is drawn at random by the sender, and
//! stays the same when a message has to be encrypted again for a later epoch, because no node took it in time; that is
//! how a reader knows the second copy of what it has read.
//!
//! [`Client::unread`]: super::Client::unread

use super::{core::Core, records::ONLY, Event, GroupError};
use crate::{
	mls::{constants::MAX_PAST_EPOCHS, EngineError, MessageError, Mls, Received},
	mutation::{self, Mutation},
	store::{Overlay, Record, StoreError},
};
use lockstep_primitives::{rpc::HexBytes, GroupId};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Messages kept for an application that does not acknowledge them; the oldest go.
const MAX_UNREAD: usize = 4096;
/// The version of what is inside a message.
const VERSION: u8 = 1;
/// Length of a message's id in bytes.
pub(super) const ID: usize = 16;
/// How many epochs a message's id is remembered: longer than a copy of it can be under way.
const HEARD_EPOCHS: u64 = 4 * MAX_PAST_EPOCHS as u64;
/// After how many epochs ids are looked through for those to forget.
const FORGET_EVERY: u64 = 4;
/// For how many epochs after its first a message is encrypted again. The last copy can be read for [`MAX_PAST_EPOCHS`]
/// more, and whoever read the first one remembers its id until then.
pub(super) const SENT_AGAIN_EPOCHS: u64 = HEARD_EPOCHS - MAX_PAST_EPOCHS as u64;

/// A message that arrived and was not acknowledged yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
	/// The group.
	pub group: GroupId,
	/// The epoch it was sent in.
	pub epoch: u64,
	/// The identity of its sender.
	pub sender: Vec<u8>,
	/// What it says.
	pub data: Vec<u8>,
}

/// By a number in the order of arrival.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct InboxItem {
	group: GroupId,
	epoch: u64,
	sender: HexBytes,
	data: HexBytes,
}

impl Record for InboxItem {
	const KIND: &'static str = "inbox";
}

impl From<InboxItem> for Message {
	fn from(InboxItem { group, epoch, sender, data }: InboxItem) -> Self {
		Self { group, epoch, sender: sender.0, data: data.0 }
	}
}

/// A message was read, by the group's id and the message's id.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Heard {
	/// The epoch in which it was read.
	epoch: u64,
}

impl Record for Heard {
	const KIND: &'static str = "heard";
}

/// Puts version and id in front of what a message says.
pub(super) fn frame(id: &[u8; ID], data: &[u8]) -> Zeroizing<Vec<u8>> {
	Zeroizing::new([&[VERSION][..], id, data].concat())
}

/// Takes them off; `None` if this is of another version, or no message of a client.
fn unframe(framed: &[u8]) -> Option<([u8; ID], &[u8])> {
	let (&version, rest) = framed.split_first()?;
	let (id, data) = rest.split_first_chunk::<ID>()?;
	(version == VERSION).then_some((*id, data))
}

/// The unread messages in memory: their numbers only.
#[derive(Debug, Default)]
pub(super) struct Inbox {
	/// The oldest kept and the next to come.
	range: std::ops::Range<u64>,
}

impl Inbox {
	/// Takes up what is in the store.
	pub fn restore(overlay: &Overlay<'_>) -> Result<Self, StoreError> {
		let numbers = overlay.list::<InboxItem>(ONLY)?;
		let mut numbers = numbers.iter().filter_map(|(key, _)| Some(u64::from_be_bytes(*key.first_chunk()?)));
		let first = numbers.next();
		let last = numbers.next_back().or(first);
		let next: NextNumber = overlay.get(ONLY)?.unwrap_or_default();
		let end = last.map_or(next.number, |last| last.saturating_add(1).max(next.number));
		Ok(Self { range: first.unwrap_or(end)..end })
	}
}

/// The number that follows the newest message that ever arrived: numbers are not used twice.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct NextNumber {
	number: u64,
}

impl Record for NextNumber {
	const KIND: &'static str = "next inbox number";
}

impl<M: Mls> Core<M> {
	/// Decrypts a message and stores what it says, in one write.
	pub fn receive(&mut self, id: &GroupId, bytes: &[u8]) {
		match self.take_in(id, bytes) {
			Ok(Some((number, message))) => {
				self.inbox.range.end = number.saturating_add(1);
				self.inbox.range.start = self.inbox.range.start.max(oldest_kept(number));
				let Message { group, epoch, sender, data } = message;
				self.report(Event::Message { number, group, epoch, sender, data });
			}
			Ok(None) => {}
			Err(MessageError::Engine(error)) => self.halt(id, error.to_string()),
			Err(error) => tracing::debug!(group = %id, %error, "a message was dropped"),
		}
	}

	/// `None` for a message that is this client's own, was read before, or is of another version.
	fn take_in(&mut self, id: &GroupId, bytes: &[u8]) -> Result<Option<(u64, Message)>, MessageError> {
		let store = self.store.clone();
		let overlay = store.overlay();
		let Received::Message { sender, epoch, data } = self.engine.decrypt(&overlay, id, bytes)? else {
			return Ok(None);
		};
		let current = self.groups.get(id).map_or(epoch, |group| group.gate.tip().epoch);
		let new = match unframe(&data) {
			Some((name, _)) if is_heard(&overlay, id, &name).map_err(EngineError::from)? => None,
			Some((name, data)) => {
				let number = self.inbox.range.end;
				let item = InboxItem { group: *id, epoch, sender: HexBytes(sender), data: HexBytes(data.to_vec()) };
				overlay.put(&heard_key(id, &name), &Heard { epoch: current }).map_err(EngineError::from)?;
				self.keep(&overlay, number, &item).map_err(EngineError::from)?;
				Some((number, item.into()))
			}
			None => {
				tracing::debug!(group = %id, "a message is of another version");
				None
			}
		};
		// In any case its key is used up.
		overlay.commit().map_err(EngineError::from)?;
		Ok(new)
	}

	fn keep(&self, overlay: &Overlay<'_>, number: u64, item: &InboxItem) -> Result<(), StoreError> {
		if !mutation::is(Mutation::VolatileInbox) {
			overlay.put(&number.to_be_bytes(), item)?;
		}
		overlay.put(ONLY, &NextNumber { number: number.saturating_add(1) })?;
		(self.inbox.range.start..oldest_kept(number))
			.try_for_each(|old| overlay.delete::<InboxItem>(&old.to_be_bytes()))
	}

	/// The messages that were not acknowledged, the oldest first.
	pub fn unread(&self) -> Result<Vec<(u64, Message)>, StoreError> {
		let items = self.store.overlay().list::<InboxItem>(ONLY)?;
		let number = |key: &[u8]| Some(u64::from_be_bytes(*key.first_chunk()?));
		Ok(items.into_iter().filter_map(|(key, item)| Some((number(&key)?, item.into()))).collect())
	}

	/// The application has these messages: all up to this number.
	pub fn acknowledge(&mut self, up_to: u64) -> Result<(), GroupError> {
		let end = up_to.saturating_add(1).min(self.inbox.range.end);
		let overlay = self.store.overlay();
		let deleted = (self.inbox.range.start..end)
			.try_for_each(|old| overlay.delete::<InboxItem>(&old.to_be_bytes()))
			.and_then(|()| overlay.commit());
		deleted.map_err(|error| GroupError::Store(error.to_string()))?;
		self.inbox.range.start = self.inbox.range.start.max(end);
		Ok(())
	}
}

/// Forgets the ids of messages that were read long ago. Looks at all of them, so only in one epoch of many.
pub(super) fn forget_heard(overlay: &Overlay<'_>, id: &GroupId, epoch: u64) -> Result<(), StoreError> {
	// All of them have to be looked at, and it does not matter if some are remembered for a little longer.
	if epoch <= HEARD_EPOCHS || !epoch.is_multiple_of(FORGET_EVERY) {
		return Ok(());
	}
	for (key, heard) in overlay.list::<Heard>(id.as_bytes())? {
		if heard.epoch.saturating_add(HEARD_EPOCHS) < epoch {
			overlay.delete::<Heard>(&key)?;
		}
	}
	Ok(())
}

fn oldest_kept(newest: u64) -> u64 {
	let kept = u64::try_from(MAX_UNREAD).unwrap_or(u64::MAX);
	newest.saturating_add(1).saturating_sub(kept)
}

fn heard_key(group: &GroupId, name: &[u8; ID]) -> Vec<u8> {
	[&group.as_bytes()[..], name].concat()
}

fn is_heard(overlay: &Overlay<'_>, group: &GroupId, name: &[u8; ID]) -> Result<bool, StoreError> {
	Ok(overlay.get::<Heard>(&heard_key(group, name))?.is_some() && !mutation::is(Mutation::ForgetHeard))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_frame_gives_back_what_was_put_in() {
		let framed = frame(&[7; ID], b"hello");
		assert_eq!(unframe(&framed), Some(([7; ID], &b"hello"[..])));
		assert_eq!(unframe(&frame(&[7; ID], b"")), Some(([7; ID], &b""[..])));
	}

	#[test]
	fn other_versions_and_short_frames_are_no_messages() {
		let mut framed = frame(&[7; ID], b"hello");
		framed[0] = 2;
		assert_eq!(unframe(&framed), None);
		assert_eq!(unframe(&[]), None);
		assert_eq!(unframe(&[VERSION; ID]), None);
	}

	#[test]
	fn the_newest_messages_are_kept() {
		assert_eq!(oldest_kept(0), 0);
		assert_eq!(oldest_kept(MAX_UNREAD as u64 - 1), 0);
		assert_eq!(oldest_kept(MAX_UNREAD as u64), 1);
	}
}
