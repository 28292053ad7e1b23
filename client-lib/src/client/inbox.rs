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
/// For how many epochs after its first a message is encrypted again. Many: whoever is killed again and again, in a group in
/// which all race, uses up an epoch with each attempt.
pub(super) const SENT_AGAIN_EPOCHS: u64 = 64;
/// How many epochs a message's id is remembered, at least: longer than a copy of it can be under way.
const HEARD_EPOCHS: u64 = 72;
/// So many epochs are forgotten together.
const SPAN: u64 = 4;
/// Spans that are forgotten in one epoch at most. There is more than one where epochs were passed over.
const MAX_SPANS: u64 = 256;

/// The last copy can be read for [`MAX_PAST_EPOCHS`] more, and whoever read the first one remembers its id until then.
const _: () = assert!(HEARD_EPOCHS >= SENT_AGAIN_EPOCHS + MAX_PAST_EPOCHS as u64);

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

/// The same by the epochs in which it was read ([`span_key`]) and the message's id: what is to be forgotten is found without
/// a look at what is remembered.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct HeardIn {}

impl Record for HeardIn {
	const KIND: &'static str = "heard in";
}

/// The oldest span of which something may be remembered, by the group's id.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct HeardSince {
	span: u64,
}

impl Record for HeardSince {
	const KIND: &'static str = "heard since";
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
			Err(MessageError::Engine(error)) => self.halt(id, error),
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
				remember(&overlay, id, &name, current).map_err(EngineError::from)?;
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

/// Remembers the id of a message that was read in this epoch.
fn remember(overlay: &Overlay<'_>, id: &GroupId, name: &[u8], epoch: u64) -> Result<(), StoreError> {
	overlay.put(&heard_key(id, name), &Heard { epoch })?;
	overlay.put(&[&span_key(id, span_of(epoch)), name].concat(), &HeardIn {})
}

/// Forgets the ids of messages that were read long ago, now that this epoch is entered.
pub(super) fn forget_heard(overlay: &Overlay<'_>, id: &GroupId, epoch: u64) -> Result<(), StoreError> {
	// It does not matter if some are remembered for a little longer.
	if !epoch.is_multiple_of(SPAN) {
		return Ok(());
	}
	let since = match overlay.get::<HeardSince>(id.as_bytes())? {
		Some(HeardSince { span }) => span,
		None => sort_by_span(overlay, id, epoch)?,
	};
	// The last epoch of the spans before this one was so long ago.
	let kept = span_of((epoch.saturating_add(1)).saturating_sub(HEARD_EPOCHS.saturating_add(SPAN)));
	let kept = kept.clamp(since, since.saturating_add(MAX_SPANS));
	for span in since..kept {
		for (key, HeardIn {}) in overlay.list(&span_key(id, span))? {
			overlay.delete::<HeardIn>(&key)?;
			overlay.delete::<Heard>(&heard_key(id, key.get(SPAN_KEY..).unwrap_or_default()))?;
		}
	}
	overlay.put(id.as_bytes(), &HeardSince { span: kept })
}

/// Sorts what an earlier version remembered, which did not keep it by epochs; gives the oldest span.
fn sort_by_span(overlay: &Overlay<'_>, id: &GroupId, epoch: u64) -> Result<u64, StoreError> {
	let mut oldest = span_of(epoch);
	for (key, heard) in overlay.list::<Heard>(id.as_bytes())? {
		oldest = oldest.min(span_of(heard.epoch));
		remember(overlay, id, key.get(id.as_bytes().len()..).unwrap_or_default(), heard.epoch)?;
	}
	Ok(oldest)
}

/// The span that an epoch is in.
fn span_of(epoch: u64) -> u64 {
	epoch.checked_div(SPAN).unwrap_or_default()
}

/// Length of [`span_key`]: as long as what the store finds records by.
const SPAN_KEY: usize = 32;

fn span_key(id: &GroupId, span: u64) -> [u8; SPAN_KEY] {
	let mut hasher = blake3::Hasher::new();
	hasher.update(b"lockstep/heard in/1").update(id.as_bytes()).update(&span.to_be_bytes());
	hasher.finalize().into()
}

fn oldest_kept(newest: u64) -> u64 {
	let kept = u64::try_from(MAX_UNREAD).unwrap_or(u64::MAX);
	newest.saturating_add(1).saturating_sub(kept)
}

fn heard_key(group: &GroupId, name: &[u8]) -> Vec<u8> {
	[&group.as_bytes()[..], name].concat()
}

fn is_heard(overlay: &Overlay<'_>, group: &GroupId, name: &[u8; ID]) -> Result<bool, StoreError> {
	Ok(overlay.get::<Heard>(&heard_key(group, name))?.is_some() && !mutation::is(Mutation::ForgetHeard))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::store::{MemoryDisk, Store, StoreKey};

	const GROUP: GroupId = GroupId([1; 32]);

	fn store() -> Store {
		Store::in_memory(&MemoryDisk::new(), &StoreKey::from_bytes([0; 32])).unwrap()
	}

	/// Does something in one write.
	fn write(store: &Store, what: impl FnOnce(&Overlay<'_>) -> Result<(), StoreError>) {
		let overlay = store.overlay();
		what(&overlay).unwrap();
		overlay.commit().unwrap();
	}

	fn name(epoch: u64) -> [u8; ID] {
		let mut name = [7; ID];
		name[..8].copy_from_slice(&epoch.to_be_bytes());
		name
	}

	/// The epochs of the messages that are remembered, and how many records there are.
	fn remembered(store: &Store, epochs: std::ops::Range<u64>) -> (Vec<u64>, usize) {
		let overlay = store.overlay();
		let known = epochs.filter(|epoch| is_heard(&overlay, &GROUP, &name(*epoch)).unwrap()).collect();
		let records = overlay.list::<Heard>(ONLY).unwrap().len() + overlay.list::<HeardIn>(ONLY).unwrap().len();
		(known, records)
	}

	#[test]
	fn ids_are_remembered_for_as_long_as_a_copy_can_be_under_way_and_then_forgotten() {
		let store = store();
		for epoch in 0..300 {
			write(&store, |overlay| {
				forget_heard(overlay, &GROUP, epoch)?;
				remember(overlay, &GROUP, &name(epoch), epoch)
			});
			let (known, records) = remembered(&store, 0..epoch + 1);
			let oldest = known[0];
			assert_eq!(known, (oldest..=epoch).collect::<Vec<_>>());
			assert!(oldest + HEARD_EPOCHS <= epoch || oldest == 0, "too early, in epoch {epoch}");
			assert!(oldest + HEARD_EPOCHS + 2 * SPAN > epoch, "too late, in epoch {epoch}");
			assert_eq!(records, 2 * known.len());
		}
	}

	#[test]
	fn what_an_earlier_version_remembered_is_forgotten_in_time() {
		let store = store();
		for epoch in 10..30 {
			write(&store, |overlay| overlay.put(&heard_key(&GROUP, &name(epoch)), &Heard { epoch }));
		}
		write(&store, |overlay| forget_heard(overlay, &GROUP, 32));
		assert_eq!(remembered(&store, 0..40), ((10..30).collect(), 40));
		write(&store, |overlay| forget_heard(overlay, &GROUP, 96));
		assert_eq!(remembered(&store, 0..40).0, (20..30).collect::<Vec<_>>());
		write(&store, |overlay| forget_heard(overlay, &GROUP, 400));
		assert_eq!(remembered(&store, 0..40), (Vec::new(), 0));
	}

	#[test]
	fn epochs_that_a_member_was_not_there_for_leave_nothing_behind() {
		let store = store();
		write(&store, |overlay| remember(overlay, &GROUP, &name(3), 3));
		write(&store, |overlay| forget_heard(overlay, &GROUP, 4));
		// Much later, at the first epoch of another membership; and others have not come yet.
		write(&store, |overlay| remember(overlay, &GROUP, &name(9_000), 9_000));
		for epoch in (9_000..9_400).step_by(4) {
			write(&store, |overlay| forget_heard(overlay, &GROUP, epoch));
		}
		assert_eq!(remembered(&store, 0..9_001), (Vec::new(), 0));
	}

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
