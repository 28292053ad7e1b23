//! Waiting for the logs of people, without which the next entry of a group, or an invitation, cannot be judged.
//!
//! Nothing of what waits is kept: once the logs are there, the group's log is read again from where the group stands. What was read
//! of a person is stored, so that years of a log are judged with one reading of each person's.

mod admit;
mod bound;
mod claim;
mod devices;
mod pool;
mod retire;
mod watch;

pub(super) use admit::Admitting;
pub(super) use bound::Claims;
pub(super) use claim::claim_own;
pub use claim::{ClaimAnswer, NotAddedBecause, OwnClaim};
pub(super) use devices::remember_taken_out;
pub(super) use pool::PoolCommand;
pub use pool::{ClaimVoucherFit, ClaimVouchersError};
pub(super) use retire::Retiring;
pub use watch::Changes;
pub(super) use watch::{compare_changes, look_for_changes, Reading, Watch};

use super::{action::Action, core::Core};
use crate::{
	directory::Directory,
	mls::{KnownDevices, Mls},
};
use futures::{stream, StreamExt};
use lockstep_primitives::{BlockNumber, GroupId, IdentityId};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// Logs that are read at a time.
const AT_ONCE: usize = 8;
/// The wait after a node that could not be asked.
const RETRY: Duration = Duration::from_millis(300);

/// Logs to be known up to a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unknown {
	people: BTreeSet<IdentityId>,
	block: BlockNumber,
}

/// A person's log, as it was read.
#[derive(Clone, Debug)]
pub struct LookedUp {
	/// Who.
	pub person: IdentityId,
	/// What it says.
	pub devices: KnownDevices,
}

impl Unknown {
	/// Takes away what is known now; gives whether that was all.
	fn learn(&mut self, person: &IdentityId, until: BlockNumber) -> bool {
		if until >= self.block {
			self.people.remove(person);
		}
		self.people.is_empty()
	}
}

impl<M: Mls> Core<M> {
	/// The next entry of a group cannot be judged yet.
	pub(super) fn look_up(&mut self, id: &GroupId, people: BTreeSet<IdentityId>, block: BlockNumber) {
		let Some(group) = self.groups.get_mut(id) else { return };
		group.unknown = Some(Unknown { people: people.clone(), block });
		group.caught_up = false;
		self.act(Action::LookUp { people, block });
	}

	/// An invitation cannot be judged yet.
	pub(super) fn look_up_to_join(&mut self, id: &GroupId, people: BTreeSet<IdentityId>, block: BlockNumber) {
		let Some(joining) = self.joining.get_mut(id) else { return };
		joining.unknown = Some(Unknown { people: people.clone(), block });
		self.act(Action::LookUp { people, block });
	}

	/// Whether a group or an invitation waits for the log of a person, one that trouble has set back among them.
	fn is_waited_for(&self, person: &IdentityId) -> bool {
		let groups = self.groups.values().filter_map(|group| group.unknown.as_ref());
		let invited = self.joining.values().filter_map(|joining| joining.unknown.as_ref());
		groups.chain(invited).any(|unknown| unknown.people.contains(person)) || self.set_back.asks_for(person)
	}

	/// A person's log was read.
	pub fn on_looked_up(&mut self, LookedUp { person, devices }: LookedUp) {
		let until = devices.until;
		let overlay = self.store.overlay();
		let stored = overlay.get::<KnownDevices>(&person.0).and_then(|known| {
			if known.is_none_or(|known| known.until < until) {
				overlay.put(&person.0, &devices)?;
				overlay.commit()?;
			}
			Ok(())
		});
		let is_stored = stored.is_ok();
		if let Err(error) = stored {
			tracing::error!(%error, "what was read of a person cannot be stored");
			self.watch_loses(person);
		}
		self.watch_learns(person, until);
		if !is_stored {
			// What waits for it would read its log again, and ask again, and so on for as long as the trouble lasts.
			if self.is_waited_for(&person) {
				self.set_back.add_person(LookedUp { person, devices });
			}
			return;
		}
		self.set_back.learn(&person, until);
		let mut groups = Vec::new();
		for (id, group) in &mut self.groups {
			if group.unknown.as_mut().is_some_and(|unknown| unknown.learn(&person, until)) {
				group.unknown = None;
				groups.push(*id);
			}
		}
		for id in groups {
			self.follow(&id);
		}
		let mut invited = Vec::new();
		for joining in self.joining.values_mut() {
			if joining.unknown.as_mut().is_some_and(|unknown| unknown.learn(&person, until)) {
				invited.push(joining.invited.clone());
			}
		}
		for invited in invited {
			self.resume_joining(invited);
		}
	}
}

/// Reads the logs of people, as of this block or a later one, for as long as somebody waits for them.
pub(super) async fn look_up_all(
	directory: Arc<Directory>,
	people: BTreeSet<IdentityId>,
	block: BlockNumber,
	answers: mpsc::Sender<Reading>,
) {
	let reading = people.into_iter().map(|person| look_up(&directory, person, block, &answers));
	stream::iter(reading).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

async fn look_up(directory: &Directory, person: IdentityId, block: BlockNumber, answers: &mpsc::Sender<Reading>) {
	let history = tokio::select! {
		history = directory.look_up_as_of(person, block) => history,
		() = answers.closed() => return,
	};
	let devices = KnownDevices::of(&history);
	drop(answers.send(Reading::LookedUp(LookedUp { person, devices })).await);
}
