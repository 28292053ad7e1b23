//! Hearing of changes in the logs of people whom this client knows.
//!
//! A node names everybody whose log has changed since a block, and the logs of those whom this client knows are read again: so
//! nodes are not asked for each of them time and again. A node that names nobody can make the client late in removing a device
//! that was revoked. It cannot make it accept one, for what a log says in a block decides there.

use super::{
	super::{action::Action, core::Core, records::ONLY},
	LookedUp, RETRY,
};
use crate::{
	directory::Directory,
	mls::{KnownDevices, Mls},
	store::{Record, StoreError},
};
use lockstep_primitives::{BlockNumber, IdentityId};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};
use tokio::{sync::mpsc, time::sleep};

/// Finalized blocks between two questions.
const EVERY: BlockNumber = 4;
/// The longest wait after a node that could not be asked, in those of [`RETRY`].
const MOST_WAITS: u32 = 30;

/// The block up to which all changes in the logs of known people were taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::client) struct Watched {
	until: BlockNumber,
}

impl Record for Watched {
	const KIND: &'static str = "watched";
}

/// Whose logs have changed, as a node says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
	/// The block up to which these are all.
	pub until: BlockNumber,
	/// Who; `None` if the node does not know, or there are too many.
	pub people: Option<BTreeSet<IdentityId>>,
}

/// The state of this.
#[derive(Debug, Default)]
pub(in crate::client) struct Watch {
	watched: Watched,
	/// A node was asked.
	asked: bool,
	/// Whose logs are being read, and the block that changes are taken in up to when they are.
	reading: Option<(BTreeSet<IdentityId>, BlockNumber)>,
	/// Somebody's log is known at all.
	knows_people: bool,
}

impl<M: Mls> Core<M> {
	/// Takes up what is in the store.
	pub(in crate::client) fn resume_watch(&mut self) -> Result<(), StoreError> {
		let overlay = self.store.overlay();
		self.watch.watched = overlay.get(ONLY)?.unwrap_or_default();
		self.watch.knows_people = !overlay.list::<KnownDevices>(ONLY)?.is_empty();
		Ok(())
	}

	/// A block is final: asks whose logs have changed, now and then.
	pub(in crate::client) fn look_for_changes(&mut self) {
		let Watch { watched: Watched { until }, asked, reading, knows_people } = &self.watch;
		if *knows_people && !asked && reading.is_none() && self.finalized >= until.saturating_add(EVERY) {
			let after = *until;
			self.watch.asked = true;
			self.act(Action::LookForChanges { after });
		}
	}

	/// A node has named those whose logs have changed.
	pub fn on_changes(&mut self, Changes { until, people }: Changes) {
		self.watch.asked = false;
		if until <= self.watch.watched.until {
			return;
		}
		let known = match self.store.overlay().list::<KnownDevices>(ONLY) {
			Ok(known) => known,
			Err(error) => return tracing::error!(%error, "what is known of people cannot be read"),
		};
		let known = known.into_iter().filter_map(|(id, known)| Some((IdentityId(id.try_into().ok()?), known)));
		let stale =
			known.filter(|(id, known)| known.until < until && people.as_ref().is_none_or(|people| people.contains(id)));
		let stale: BTreeSet<IdentityId> = stale.map(|(id, _)| id).collect();
		self.watch.reading = Some((stale.clone(), until));
		if stale.is_empty() {
			self.have_watched();
		} else {
			self.act(Action::LookUp { people: stale, block: until });
		}
	}

	/// Somebody's log was read up to this block.
	pub(super) fn watch_learns(&mut self, person: IdentityId, until: BlockNumber) {
		self.watch.knows_people = true;
		self.suspect(person);
		if let Some((people, to)) = &mut self.watch.reading {
			if until >= *to && people.remove(&person) && people.is_empty() {
				self.have_watched();
			}
		}
		// Changes since were passed over, when this client did not know the person.
		let block = self.watch.watched.until;
		if until < block {
			self.act(Action::LookUp { people: [person].into(), block });
		}
	}

	fn have_watched(&mut self) {
		let Some((_, until)) = self.watch.reading.take() else { return };
		self.watch.watched = Watched { until };
		let overlay = self.store.overlay();
		if let Err(error) = overlay.put(ONLY, &self.watch.watched).and_then(|()| overlay.commit()) {
			// After a restart they are read again.
			tracing::warn!(%error, "how far changes were taken in cannot be stored");
		}
	}
}

/// What a task brings back.
#[derive(Clone, Debug)]
pub(in crate::client) enum Reading {
	LookedUp(LookedUp),
	Changes(Changes),
}

/// Asks for changes until a node has answered.
pub(in crate::client) async fn look_for_changes(
	directory: Arc<Directory>,
	after: BlockNumber,
	answers: mpsc::Sender<Reading>,
) {
	let mut waits: u32 = 1;
	while !answers.is_closed() {
		match directory.changed(after).await {
			Ok(changes) => {
				drop(answers.send(Reading::Changes(changes)).await);
				return;
			}
			Err(error) => tracing::debug!(%error, "no node says whose logs have changed"),
		}
		sleep(RETRY.saturating_mul(waits)).await;
		waits = waits.saturating_mul(2).min(MOST_WAITS);
	}
}
