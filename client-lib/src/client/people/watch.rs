//! Hearing of changes in the logs of people whom this client knows.
//!
//! A node names everybody whose log has changed since a block, and the logs of those whom this client knows are read again: so
//! nodes are not asked for each of them time and again. A node that names nobody can make the client late in removing a device
//! that was revoked, until another one is asked ([`compare`]). It cannot make it accept one, for what a log says in a block
//! decides there.

mod compare;

pub(in crate::client) use compare::compare_changes;

use super::{
	super::{action::Action, core::Core, records::ONLY},
	ClaimAnswer, LookedUp, Unknown, RETRY,
};
use crate::{
	directory::Directory,
	mls::{KnownDevices, Mls},
	store::{Record, StoreError},
};
use compare::Comparing;
use lockstep_primitives::{BlockNumber, IdentityId};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};
use tokio::{sync::mpsc, time::sleep};

/// Finalized blocks between two questions.
const EVERY: BlockNumber = 4;
/// Finalized blocks after which the logs of all known people are read, whatever nodes have named.
const EVERYBODY: BlockNumber = 86_400;
/// The longest wait after a node that could not be asked, in those of [`RETRY`].
const MOST_WAITS: u32 = 30;

/// The block up to which all changes in the logs of known people were taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::client) struct Watched {
	until: BlockNumber,
	/// The block up to which the logs of all were read.
	everybody: BlockNumber,
	/// The block up to which another node than the one in use was asked, and those whom it has named were read.
	#[serde(default)]
	compared: BlockNumber,
}

impl Watched {
	/// The block up to which no node by itself can have hidden a change.
	fn compared_until(self) -> BlockNumber {
		self.compared.max(self.everybody)
	}
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
	reading: Option<Unknown>,
	/// That is all who are known.
	reading_everybody: bool,
	comparing: Comparing,
	/// Somebody's log is known at all.
	knows_people: bool,
	/// The log of this client's own person was asked for, which nobody needed until then.
	reads_own: bool,
}

impl Watch {
	/// The block up to which changes of this person's log were passed over, or will be, if nobody knew the person.
	fn passes_over(&self, person: &IdentityId) -> BlockNumber {
		let Watched { until, compared, .. } = self.watched;
		let readings = [&self.reading, &self.comparing.reading].into_iter().flatten();
		let others = readings.filter(|reading| !reading.people.contains(person)).map(|reading| reading.block);
		others.fold(until.max(compared), Ord::max)
	}
}

impl<M: Mls> Core<M> {
	/// Takes up what is in the store.
	pub(in crate::client) fn resume_watch(&mut self) -> Result<(), StoreError> {
		let overlay = self.store.overlay();
		self.watch.watched = overlay.get(ONLY)?.unwrap_or_default();
		self.watch.knows_people = !overlay.list::<KnownDevices>(ONLY)?.is_empty();
		Ok(())
	}

	/// Reads the log of this client's own person. Whoever is alone in its groups has needed nobody's to judge anything, and would not
	/// hear of devices that come and go.
	pub(super) fn read_own_log(&mut self) {
		let Some(me) = self.person() else { return };
		if !std::mem::replace(&mut self.watch.reads_own, true) {
			self.act(Action::LookUp { people: [me].into(), block: self.finalized });
		}
	}

	/// What was read of a person could not be stored: this client's own log is read again when it is needed.
	pub(super) fn watch_loses(&mut self, person: IdentityId) {
		if self.person() == Some(person) {
			self.watch.reads_own = false;
		}
	}

	/// A block is final: asks whose logs have changed, now and then.
	pub(in crate::client) fn look_for_changes(&mut self) {
		let Watch { watched: Watched { until: after, everybody, .. }, asked, ref reading, knows_people, .. } =
			self.watch;
		let is_idle = knows_people && reading.is_none();
		if is_idle && self.finalized >= everybody.saturating_add(EVERYBODY).saturating_add(EVERY) {
			// Whatever nodes answer, and whether they do.
			self.read_changed(self.finalized, None);
		} else if is_idle && !asked && self.finalized >= after.saturating_add(EVERY) {
			self.watch.asked = true;
			self.act(Action::LookForChanges { after });
		}
		self.compare_changes();
	}

	/// A node has named those whose logs have changed.
	pub fn on_changes(&mut self, Changes { until, people }: Changes) {
		self.watch.asked = false;
		// Nothing shows what the node says: a block that is not final yet may never come.
		let until = until.min(self.finalized);
		let Watched { until: watched, everybody, .. } = self.watch.watched;
		if until > watched && self.watch.reading.is_none() {
			self.read_changed(until, people.filter(|_| until < everybody.saturating_add(EVERYBODY)));
		}
	}

	/// Reads the logs of these people, or of all, up to a block, as far as they are known.
	fn read_changed(&mut self, until: BlockNumber, people: Option<BTreeSet<IdentityId>>) {
		self.watch.reading_everybody = people.is_none();
		let stale = match self.known_before(until, people) {
			Ok(stale) => stale,
			Err(error) => return tracing::error!(%error, "what is known of people cannot be read"),
		};
		self.watch.reading = Some(Unknown { people: stale.clone(), block: until });
		if stale.is_empty() {
			self.have_watched();
		} else {
			self.act(Action::LookUp { people: stale, block: until });
		}
	}

	/// Those of these people, or of all, whose logs are known, and not up to this block.
	fn known_before(
		&self,
		block: BlockNumber,
		people: Option<BTreeSet<IdentityId>>,
	) -> Result<BTreeSet<IdentityId>, StoreError> {
		let overlay = self.store.overlay();
		let Some(mut people) = people else {
			let known = overlay.list::<KnownDevices>(ONLY)?.into_iter().filter(|(_, known)| known.until < block);
			return Ok(known.filter_map(|(id, _)| Some(IdentityId(id.try_into().ok()?))).collect());
		};
		let mut stale = BTreeSet::new();
		while let Some(person) = people.pop_first() {
			if overlay.get::<KnownDevices>(&person.0)?.is_some_and(|known| known.until < block) {
				stale.insert(person);
			}
		}
		Ok(stale)
	}

	/// Somebody's log was read up to this block.
	pub(super) fn watch_learns(&mut self, person: IdentityId, until: BlockNumber) {
		self.watch.knows_people = true;
		self.suspect(person);
		let learn = |logs: &mut Option<Unknown>| logs.as_mut().is_some_and(|logs| logs.learn(&person, until));
		if learn(&mut self.watch.reading) {
			self.have_watched();
		}
		if learn(&mut self.watch.comparing.reading) {
			self.have_compared();
		}
		// Changes since were passed over, when this client did not know the person.
		let block = self.watch.passes_over(&person);
		if until < block {
			self.act(Action::LookUp { people: [person].into(), block });
		}
	}

	fn have_watched(&mut self) {
		let Some(Unknown { block, .. }) = self.watch.reading.take() else { return };
		self.watch.watched.until = block;
		if self.watch.reading_everybody {
			self.watch.watched.everybody = block;
		}
		self.keep_watched();
	}

	fn keep_watched(&self) {
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
	Compared(Option<Changes>),
	Claimed(Box<ClaimAnswer>),
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

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		client::{parameters::PARAMETERS, Upkeep},
		mls::Engine,
		simulation::MemoryDisk,
		store::{Store, StoreKey},
	};
	use lockstep_primitives::{GenesisHash, IdentityKey};
	use rand::{rngs::StdRng, SeedableRng};

	pub(super) const BERT: IdentityId = IdentityId([5; 32]);

	/// A client with this store.
	pub(super) fn restored(store: Store) -> Core<Engine> {
		let engine = Engine::new(b"anna".to_vec(), &[1; 32], GenesisHash([7; 32])).unwrap();
		let random = StdRng::seed_from_u64(1);
		Core::restore(store, engine, PARAMETERS, false, Upkeep::default(), random).unwrap()
	}

	/// A client that knows somebody up to block 100, which is final.
	pub(super) fn core() -> Core<Engine> {
		let mut core = restored(Store::in_memory(&MemoryDisk::new(), &StoreKey::from_bytes([0; 32])).unwrap());
		core.finalized = 100;
		learn(&mut core, 100);
		core.look_for_changes();
		assert_eq!(asked(&mut core), (Some(0), vec![]));
		core
	}

	pub(super) fn learn(core: &mut Core<Engine>, until: BlockNumber) {
		let since = vec![(1, vec![IdentityKey([9; 32])])];
		let devices = KnownDevices { until, since, rotated: Vec::new() };
		core.on_looked_up(LookedUp { person: BERT, devices });
	}

	/// After which block it asks for changes, and up to which it wants whose log.
	fn asked(core: &mut Core<Engine>) -> (Option<BlockNumber>, Vec<(IdentityId, BlockNumber)>) {
		let (mut after_block, mut wanted) = (None, Vec::new());
		for action in core.take_actions() {
			match action {
				Action::LookForChanges { after } => after_block = Some(after),
				Action::LookUp { people, block } => wanted.extend(people.into_iter().map(|person| (person, block))),
				_ => {}
			}
		}
		(after_block, wanted)
	}

	pub(super) fn answer(core: &mut Core<Engine>, until: BlockNumber, people: Option<&[IdentityId]>) {
		let people = people.map(|people| people.iter().copied().collect());
		core.on_changes(Changes { until, people });
	}

	pub(super) fn go_on(core: &mut Core<Engine>, finalized: BlockNumber) {
		core.finalized = finalized;
		core.look_for_changes();
	}

	#[test]
	fn a_node_that_names_a_block_far_ahead_does_not_end_the_watch() {
		for people in [Some(&[][..]), Some(&[BERT][..]), None] {
			let mut core = core();
			answer(&mut core, 100, Some(&[]));
			go_on(&mut core, 104);
			assert_eq!(asked(&mut core).0, Some(100));
			answer(&mut core, BlockNumber::MAX, people);
			let (_, wanted) = asked(&mut core);
			assert!(wanted.iter().all(|(_, block)| *block == 104), "{wanted:?}");
			learn(&mut core, 105);
			go_on(&mut core, 108);
			assert_eq!(asked(&mut core), (Some(104), vec![]));
		}
	}

	#[test]
	fn whose_log_has_changed_is_read_again_and_so_is_everybodys_after_a_day() {
		let mut core = core();
		answer(&mut core, 100, Some(&[]));
		go_on(&mut core, 104);
		asked(&mut core);
		answer(&mut core, 104, Some(&[IdentityId([6; 32]), BERT]));
		assert_eq!(asked(&mut core).1, [(BERT, 104)], "of strangers nothing");
		go_on(&mut core, 108);
		assert_eq!(asked(&mut core).0, None, "not before that is read");
		learn(&mut core, 104);
		go_on(&mut core, 108);
		assert_eq!(asked(&mut core).0, Some(104));
		// The node names nobody, for a day.
		answer(&mut core, 108, Some(&[]));
		go_on(&mut core, EVERYBODY + 3);
		assert_eq!(asked(&mut core).1, []);
		answer(&mut core, EVERYBODY + 3, Some(&[]));
		assert_eq!(asked(&mut core).1, [(BERT, EVERYBODY + 3)]);
	}

	#[test]
	fn everybodys_log_is_read_after_a_day_though_the_node_stands_still_or_is_silent() {
		for stands_still in [true, false] {
			let mut core = core();
			answer(&mut core, 100, Some(&[]));
			go_on(&mut core, EVERYBODY + 3);
			assert_eq!(asked(&mut core), (Some(100), vec![]));
			if stands_still {
				answer(&mut core, 100, Some(&[]));
			}
			go_on(&mut core, EVERYBODY + 4);
			assert_eq!(asked(&mut core).1, [(BERT, EVERYBODY + 4)]);
			// An answer that comes late is none.
			answer(&mut core, EVERYBODY + 4, Some(&[]));
			assert_eq!(asked(&mut core).1, []);
			learn(&mut core, EVERYBODY + 4);
			go_on(&mut core, EVERYBODY + 8);
			assert_eq!(asked(&mut core), (Some(EVERYBODY + 4), vec![]));
		}
	}

	/// Or a node that is behind would make a device that was revoked one again.
	#[test]
	fn an_older_reading_of_a_log_takes_the_place_of_no_newer_one() {
		let mut core = core();
		let known = |core: &Core<Engine>| core.store.overlay().get::<KnownDevices>(&BERT.0).unwrap().unwrap();
		let newer =
			KnownDevices { until: 120, since: vec![(1, vec![IdentityKey([9; 32])]), (110, vec![])], rotated: vec![] };
		core.on_looked_up(LookedUp { person: BERT, devices: newer.clone() });
		for until in [119, 120] {
			learn(&mut core, until);
			assert_eq!(known(&core), newer, "{until}");
		}
		learn(&mut core, 121);
		assert_eq!(known(&core).until, 121);
	}

	#[test]
	fn who_becomes_known_late_is_read_up_to_where_changes_were_taken_in() {
		let mut core = core();
		answer(&mut core, 100, Some(&[]));
		asked(&mut core);
		let devices = KnownDevices { until: 90, since: Vec::new(), rotated: Vec::new() };
		core.on_looked_up(LookedUp { person: IdentityId([6; 32]), devices });
		assert_eq!(asked(&mut core).1, [(IdentityId([6; 32]), 100)]);
	}

	#[test]
	fn who_becomes_known_while_logs_are_read_is_read_up_to_where_changes_will_be_taken_in() {
		let (mut core, stranger) = (core(), IdentityId([6; 32]));
		answer(&mut core, 100, Some(&[]));
		go_on(&mut core, 104);
		answer(&mut core, 104, Some(&[stranger, BERT]));
		assert_eq!(asked(&mut core).1, [(BERT, 104)]);
		let devices = KnownDevices { until: 102, since: Vec::new(), rotated: Vec::new() };
		core.on_looked_up(LookedUp { person: stranger, devices });
		assert_eq!(asked(&mut core).1, [(stranger, 104)], "or a change in block 103 is heard of after a day");
		learn(&mut core, 103);
		assert!(asked(&mut core).1.is_empty(), "it is being read up to there");
	}
}
