//! A last resort that two have claimed, each for a group of its own.

use crate::{
	client::{
		claimed::{open, Founder},
		Event, StockCommand,
	},
	finality::Finalized,
	mls::Engine,
	simulation::{Action, MemoryDisk, SimulatedClient},
	GroupId,
};
use lockstep_primitives::BlockNumber;
use tokio::sync::oneshot;

const LAPSE: BlockNumber = 1_000;

fn last_resort(client: &mut SimulatedClient<Engine>) -> Vec<u8> {
	let (reply, mut answer) = oneshot::channel();
	client.on_stock(StockCommand::LastResort(LAPSE, reply));
	answer.try_recv().unwrap().unwrap()
}

/// Is invited by what the founder has posted, and reads the group's log. Gives the groups that were joined.
fn be_invited(client: &mut SimulatedClient<Engine>, founder: &Founder, block: BlockNumber) -> Vec<GroupId> {
	// A node sends the letter when the envelope has named it.
	founder.sent.iter().chain(&founder.sent).for_each(|statement| client.on_statement(statement));
	let entries = founder.log.iter().map(|entry| (founder.group, entry.clone())).collect();
	client.on_finalized(Finalized { block, entries, closed: Vec::new(), complete: true });
	let joined = |action| match action {
		Action::Report(Event::Joined { group, .. }) => Some(group),
		_ => None,
	};
	client.take_actions().into_iter().filter_map(joined).collect()
}

#[test]
fn a_last_resort_is_joined_by_twice_also_after_a_restart() {
	let disk = MemoryDisk::new();
	let mut guest = open("guest", &disk);
	let package = last_resort(&mut guest);
	for block in [10, 20] {
		let mut founder = Founder::new();
		founder.want(std::slice::from_ref(&package), &[]);
		founder.win();
		assert_eq!(be_invited(&mut guest, &founder, block), [founder.group]);
		assert_eq!(guest.awaited().len(), 1, "others may come");
		drop(guest);
		guest = open("guest", &disk);
		// Nodes have the old invitation still.
		founder.sent.iter().chain(&founder.sent).for_each(|statement| guest.on_statement(statement));
		assert_eq!(guest.letters(), 0, "it was used");
	}
}

#[test]
fn any_other_key_package_is_used_up() {
	let mut guest = open("guest", &MemoryDisk::new());
	let package = guest.key_package().unwrap();
	let mut founder = Founder::new();
	founder.want(&[package], &[]);
	founder.win();
	assert_eq!(be_invited(&mut guest, &founder, 10), [founder.group]);
	assert_eq!(guest.awaited(), []);
}
