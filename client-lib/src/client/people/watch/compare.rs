//! Asking another node whose logs have changed: the one in use may leave somebody out, and is asked about each block once.
//!
//! Now and then another node, chosen by chance, is asked about all blocks since those that another one was asked about before.
//! The logs of those whom it names are read beside those that the node in use has named: neither waits for the other, and how far
//! one is taken in says nothing of the other. What both leave out is not heard of before the logs of all are read.
//!
//! Nothing shows that the other node is right. It can name people: strangers are passed over, and each whom this client knows
//! costs a reading of a log, once in [`COMPARE`] blocks. One that says that it does not know has the logs of all read, once in [`ALL`]
//! blocks. One that names none, or does not answer, changes nothing.

use super::{
	super::{
		super::{action::Action, core::Core},
		Unknown,
	},
	Changes, Reading, Watch,
};
use crate::{directory::Directory, mls::Mls};
use lockstep_primitives::BlockNumber;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Finalized blocks between two questions to another node.
const COMPARE: BlockNumber = 32;
/// Finalized blocks between two readings of all logs because another node does not know whose have changed: not even an honest one
/// names those of a time in which there were too many, however long it is asked for them.
const ALL: BlockNumber = 3_600;

/// The state of this.
#[derive(Debug, Default)]
pub(super) struct Comparing {
	/// Another node is being asked.
	asked: bool,
	/// The block that was final when one was asked last, whatever came of it.
	last: BlockNumber,
	/// The block that was final when all logs were read because another node did not know, since the client was opened.
	all: Option<BlockNumber>,
	/// Whose logs are being read, and the block that changes are taken in up to when they are.
	pub(super) reading: Option<Unknown>,
}

impl<M: Mls> Core<M> {
	/// A block is final: asks another node, if it is time to.
	pub(super) fn compare_changes(&mut self) {
		let Watch { watched, comparing, knows_people, .. } = &self.watch;
		let after = watched.compared_until();
		let is_time = self.finalized >= after.max(comparing.last).saturating_add(COMPARE);
		if *knows_people && is_time && !comparing.asked && comparing.reading.is_none() {
			self.watch.comparing.asked = true;
			self.watch.comparing.last = self.finalized;
			self.act(Action::CompareChanges { after });
		}
	}

	/// Another node has named those whose logs have changed; `None` if there is none, or it has not answered.
	pub fn on_compared(&mut self, changes: Option<Changes>) {
		self.watch.comparing.asked = false;
		let Some(Changes { until, people }) = changes else { return };
		let reads_all = people.is_none();
		// As for the node in use. When all are read it does not matter how far the node knows.
		let block = if reads_all { self.finalized } else { until.min(self.finalized) };
		let is_soon = self.watch.comparing.all.is_some_and(|all| block < all.saturating_add(ALL));
		if block <= self.watch.watched.compared_until() || (reads_all && is_soon) {
			return;
		}
		let stale = match self.known_before(block, people) {
			Ok(stale) => stale,
			Err(error) => return tracing::error!(%error, "what is known of people cannot be read"),
		};
		if reads_all {
			self.watch.comparing.all = Some(block);
		}
		self.watch.comparing.reading = Some(Unknown { people: stale.clone(), block });
		if stale.is_empty() {
			self.have_compared();
		} else {
			self.act(Action::LookUp { people: stale, block });
		}
	}

	pub(super) fn have_compared(&mut self) {
		let Some(Unknown { block, .. }) = self.watch.comparing.reading.take() else { return };
		self.watch.watched.compared = block;
		self.keep_watched();
	}
}

/// Asks another node for changes, once.
pub(in crate::client) async fn compare_changes(
	directory: Arc<Directory>,
	after: BlockNumber,
	answers: mpsc::Sender<Reading>,
) {
	let changes = directory.changed_elsewhere(after).await;
	drop(answers.send(Reading::Compared(changes)).await);
}

#[cfg(test)]
mod tests {
	use super::{
		super::{
			tests::{answer, core, go_on, learn, restored, BERT},
			Watched, EVERYBODY,
		},
		*,
	};
	use crate::{
		client::records::ONLY,
		mls::{Engine, KnownDevices},
		store::Record,
	};
	use lockstep_primitives::IdentityId;
	use serde::{Deserialize, Serialize};

	const STRANGER: IdentityId = IdentityId([6; 32]);

	/// As it was stored before nodes were compared.
	#[derive(Serialize, Deserialize)]
	struct Before {
		until: BlockNumber,
		everybody: BlockNumber,
	}

	impl Record for Before {
		const KIND: &'static str = Watched::KIND;
	}

	/// What a client asks.
	#[derive(Debug, Default, PartialEq)]
	struct Asked {
		/// After which block the node in use.
		here: Option<BlockNumber>,
		/// After which block another one.
		elsewhere: Option<BlockNumber>,
		/// Whose log up to which block.
		logs: Vec<(IdentityId, BlockNumber)>,
	}

	fn asked(core: &mut Core<Engine>) -> Asked {
		let mut asked = Asked::default();
		for action in core.take_actions() {
			match action {
				Action::LookForChanges { after } => asked.here = Some(after),
				Action::CompareChanges { after } => asked.elsewhere = Some(after),
				Action::LookUp { people, block } => asked.logs.extend(people.into_iter().map(|person| (person, block))),
				_ => {}
			}
		}
		asked
	}

	/// Another node answers.
	fn compare(core: &mut Core<Engine>, until: BlockNumber, people: &[IdentityId]) {
		core.on_compared(Some(Changes { until, people: Some(people.iter().copied().collect()) }));
	}

	/// A client that knows Bert, and has taken in what two nodes have said, up to block 100.
	fn compared() -> Core<Engine> {
		let mut core = core();
		answer(&mut core, 100, Some(&[]));
		compare(&mut core, 100, &[]);
		assert_eq!(asked(&mut core), Asked::default());
		core
	}

	/// How far it has taken in what the node in use has said, and what another one has.
	fn taken_in(core: &Core<Engine>) -> (BlockNumber, BlockNumber) {
		(core.watch.watched.until, core.watch.watched.compared_until())
	}

	#[test]
	fn who_is_hidden_by_the_node_in_use_is_read_when_another_one_names_them() {
		let mut core = compared();
		go_on(&mut core, 131);
		assert_eq!(asked(&mut core), Asked { here: Some(100), ..Asked::default() });
		answer(&mut core, 131, Some(&[]));
		go_on(&mut core, 132);
		assert_eq!(asked(&mut core), Asked { elsewhere: Some(100), ..Asked::default() });
		compare(&mut core, 132, &[STRANGER, BERT]);
		assert_eq!(asked(&mut core).logs, [(BERT, 132)]);
		assert_eq!(taken_in(&core), (131, 100), "it is not read yet");
		learn(&mut core, 131);
		assert_eq!(taken_in(&core), (131, 100), "nor that far");
		learn(&mut core, 132);
		assert_eq!(taken_in(&core), (131, 132));
	}

	#[test]
	fn another_node_that_is_behind_leaves_no_gap() {
		let mut core = compared();
		go_on(&mut core, 132);
		answer(&mut core, 132, Some(&[]));
		asked(&mut core);
		compare(&mut core, 110, &[]);
		assert_eq!(taken_in(&core), (132, 110));
		// What it has said before, and less than that.
		for (block, until) in [(164, 110), (196, 90)] {
			go_on(&mut core, block - 1);
			assert_eq!(asked(&mut core).elsewhere, None);
			go_on(&mut core, block);
			assert_eq!(asked(&mut core).elsewhere, Some(110));
			compare(&mut core, until, &[BERT]);
			assert_eq!((asked(&mut core).logs, taken_in(&core).1), (vec![], 110));
		}
		// The log has changed in block 120.
		go_on(&mut core, 228);
		assert_eq!(asked(&mut core).elsewhere, Some(110));
		compare(&mut core, 227, &[BERT]);
		assert_eq!(asked(&mut core).logs, [(BERT, 227)]);
	}

	#[test]
	fn another_node_that_lies_costs_a_reading_and_holds_nothing_back() {
		let mut core = compared();
		go_on(&mut core, 132);
		asked(&mut core);
		compare(&mut core, BlockNumber::MAX, &[STRANGER, BERT]);
		assert_eq!(asked(&mut core).logs, [(BERT, 132)], "no stranger, and nothing that is not final");
		// That is not read for long.
		answer(&mut core, 132, Some(&[]));
		for block in [136, 200] {
			assert_eq!(taken_in(&core).1, 100);
			go_on(&mut core, block);
			let expected = Asked { here: Some(core.watch.watched.until), ..Asked::default() };
			assert_eq!(asked(&mut core), expected);
			answer(&mut core, block, Some(&[]));
			assert_eq!(taken_in(&core).0, block);
		}
		learn(&mut core, 140);
		asked(&mut core);
		go_on(&mut core, 201);
		assert_eq!(asked(&mut core).elsewhere, Some(132));
		compare(&mut core, 201, &[STRANGER]);
		assert_eq!((asked(&mut core).logs, taken_in(&core).1), (vec![], 201));
	}

	#[test]
	fn another_node_that_does_not_say_it_is_asked_no_more_often_and_for_the_same() {
		let mut core = compared();
		for block in [132, 164, 196] {
			go_on(&mut core, block - 1);
			assert_eq!(asked(&mut core).elsewhere, None);
			go_on(&mut core, block);
			assert_eq!(asked(&mut core).elsewhere, Some(100));
			core.on_compared(None);
			assert_eq!((asked(&mut core).logs, taken_in(&core).1), (vec![], 100));
		}
		for (block, expected) in [(228, Some(100)), (300, None)] {
			go_on(&mut core, block);
			assert_eq!(asked(&mut core).elsewhere, expected, "no second one while one is being asked");
		}
		core.on_compared(None);
		go_on(&mut core, 301);
		assert_eq!(asked(&mut core).elsewhere, Some(100));
	}

	/// As an honest one says of too many, and would of all blocks since those as well.
	#[test]
	fn another_node_that_does_not_know_has_all_logs_read_once_in_a_while() {
		// Whose logs are read if another node does not know, and up to which block that is made up for then.
		fn too_many(core: &mut Core<Engine>, block: BlockNumber) -> (Vec<(IdentityId, BlockNumber)>, BlockNumber) {
			go_on(core, block);
			asked(core);
			core.on_compared(Some(Changes { until: 0, people: None }));
			let logs = asked(core).logs;
			learn(core, block);
			(logs, taken_in(core).1)
		}
		let mut core = compared();
		assert_eq!(too_many(&mut core, 132), (vec![(BERT, 132)], 132));
		for block in [164, 131 + ALL] {
			assert_eq!(too_many(&mut core, block), (vec![], 132), "one that lies costs no more");
		}
		assert_eq!(too_many(&mut core, 132 + ALL), (vec![(BERT, 132 + ALL)], 132 + ALL));
		let store = core.store.clone();
		drop(core);
		let mut core = restored(store);
		assert_eq!(too_many(&mut core, 164 + ALL), (vec![(BERT, 164 + ALL)], 164 + ALL), "nor a new start");
	}

	#[test]
	fn all_logs_that_were_read_need_no_other_node() {
		let mut core = compared();
		let block = EVERYBODY + 100;
		go_on(&mut core, block);
		answer(&mut core, block, Some(&[]));
		learn(&mut core, block);
		assert_eq!(taken_in(&core), (block, block));
		asked(&mut core);
		compare(&mut core, block, &[BERT]);
		assert_eq!(asked(&mut core), Asked::default());
		go_on(&mut core, block + COMPARE);
		assert_eq!(asked(&mut core).elsewhere, Some(block));
	}

	#[test]
	fn who_becomes_known_late_is_read_up_to_where_another_node_has_named_strangers() {
		let mut core = compared();
		go_on(&mut core, 132);
		compare(&mut core, 132, &[STRANGER]);
		asked(&mut core);
		let devices = KnownDevices { until: 120, since: Vec::new(), rotated: Vec::new() };
		core.on_looked_up(super::super::LookedUp { person: STRANGER, devices });
		assert_eq!(asked(&mut core).logs, [(STRANGER, 132)]);
	}

	#[test]
	fn how_far_another_node_was_asked_survives_a_restart() {
		let mut core = compared();
		go_on(&mut core, 132);
		compare(&mut core, 130, &[]);
		let store = core.store.clone();
		drop(core);
		let mut core = restored(store.clone());
		assert_eq!(taken_in(&core), (100, 130));
		go_on(&mut core, 161);
		assert_eq!(asked(&mut core).elsewhere, None);
		go_on(&mut core, 162);
		assert_eq!(asked(&mut core).elsewhere, Some(130));
		drop(core);

		let overlay = store.overlay();
		overlay.put(ONLY, &Before { until: 150, everybody: 120 }).and_then(|()| overlay.commit()).unwrap();
		assert_eq!(taken_in(&restored(store.clone())), (150, 120));
	}
}
