//! Decoys: letters that name the entry of a real one, with something else in the place of its Welcome or its tree. Whoever was
//! invited by the same commit can post such to the others, and before the real one comes.

use super::claimed::{engine, open, Founder};
use crate::{
	delivery::{envelope, statement::Statement},
	finality::Finalized,
	log::VerifiedEntry,
	mls::{Engine, Invitation, Welcomes},
	simulation::{Action, MemoryDisk, SimulatedClient},
	store::{Overlay, Store, StoreKey},
	Event, InvitationError,
};
use lockstep_primitives::{topic, Endorsement, EntryHash, OrderingKey};

/// One commit has invited a guest and another one.
pub(super) struct Party {
	pub guest: SimulatedClient<Engine>,
	pub disk: MemoryDisk,
	/// Whether the guest follows the group's log.
	pub follows: bool,
	/// The guest's KeyPackage.
	package: Vec<u8>,
	pub founder: Founder,
	other: Engine,
	/// What is in the letter, as the other one reads it.
	pub invitation: Invitation,
}

impl Party {
	pub fn new() -> Self {
		let (disk, others_disk) = (MemoryDisk::new(), MemoryDisk::new());
		let (mut guest, mut other) = (open("guest", &disk), open("other", &others_disk));
		let (package, others) = (guest.key_package().unwrap(), other.key_package().unwrap());
		let (reference, _) = other.awaited().remove(0);
		drop(other);
		let mut founder = Founder::new();
		founder.want(&[package.clone(), others], &[]);
		founder.win();

		let (other, store) = (engine("other"), Store::in_memory(&others_disk, &StoreKey::from_bytes([0; 32])).unwrap());
		let invitation = opened(&other, &store.overlay(), &reference, &founder.sent);
		Self { guest, disk, follows: false, package, founder, other, invitation }
	}

	/// An envelope for the guest and a letter, as the other one could post them.
	fn decoy(&self, spoil: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>)) -> [Vec<u8>; 2] {
		self.decoy_of(&self.invitation, spoil)
	}

	/// The same that names this entry.
	pub fn decoy_to(&self, entry: EntryHash, index: u64) -> [Vec<u8>; 2] {
		let mut invitation = self.invitation.clone();
		(invitation.entry, invitation.index) = (entry, index);
		self.decoy_of(&invitation, |_, _| {})
	}

	fn decoy_of(&self, invitation: &Invitation, spoil: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>)) -> [Vec<u8>; 2] {
		posted_by(&self.other, invitation, &self.package, spoil)
	}

	/// One with another Welcome, and one with another tree.
	fn decoys(&self) -> Vec<Vec<u8>> {
		[self.decoy(|welcome, _| spoil(welcome)), self.decoy(|_, tree| spoil(tree))].concat()
	}

	/// The guest learns of the entry of the invitation.
	pub fn goes_on(&mut self, last: VerifiedEntry) {
		self.founder.log.push(last.clone());
		let (closed, complete) = (Vec::new(), true);
		self.guest.on_finalized(Finalized { block: 11, entries: vec![(self.founder.group, last)], closed, complete });
	}

	/// These statements reach the guest.
	fn hand_over(&mut self, statements: &[Vec<u8>]) {
		statements.iter().for_each(|statement| self.guest.on_statement(statement));
	}

	/// Does what the guest asks for, by a node that has the log and these statements, until it asks for nothing more; gives what
	/// the guest tells.
	pub fn serve(&mut self, stored: &[Vec<u8>]) -> Vec<Event> {
		let mut told = Vec::new();
		for _ in 0..100 {
			let actions = self.guest.take_actions();
			if actions.is_empty() {
				return told;
			}
			for action in actions {
				match action {
					Action::Watch(topic) | Action::WatchAside(topic) => {
						let under = |bytes: &&Vec<u8>| Statement::decode(bytes).unwrap().topic == topic;
						stored.iter().filter(under).for_each(|bytes| self.guest.on_statement(bytes));
					}
					Action::Follow(group, from) if group == self.founder.group => {
						self.follows = true;
						let from = usize::try_from(from.head.length).unwrap();
						let entries = self.founder.log[from..].iter().map(|entry| (group, entry.clone())).collect();
						let (closed, complete) = (Vec::new(), true);
						self.guest.on_finalized(Finalized { block: 10, entries, closed, complete });
					}
					Action::Forget(_) => self.follows = false,
					Action::Report(event) => told.push(event),
					_ => {}
				}
			}
		}
		panic!("it asks for more and more");
	}
}

fn spoil(bytes: &mut [u8]) {
	*bytes.last_mut().unwrap() ^= 1;
}

/// What is in the letter to the owner of this KeyPackage.
fn opened(engine: &Engine, overlay: &Overlay<'_>, reference: &[u8], sent: &[Vec<u8>]) -> Invitation {
	let sent: Vec<Statement> = sent.iter().map(|bytes| Statement::decode(bytes).unwrap()).collect();
	let sealed = |statement: &Statement| envelope::unwrap(&statement.data).unwrap().to_vec();
	let mut opened = sent.iter().filter_map(|it| engine.open_envelope(overlay, reference, &sealed(it)).ok());
	let key = opened.next().unwrap();
	let letter = sent.iter().find(|statement| statement.topic == key.topic()).unwrap();
	engine.open_letter(&key, &sealed(letter)).unwrap()
}

/// An envelope for the owner of a KeyPackage, and a letter with this invitation in it, or what it is spoiled to.
pub(super) fn posted_by(
	engine: &Engine,
	invitation: &Invitation,
	package: &[u8],
	spoil: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>),
) -> [Vec<u8>; 2] {
	let Welcomes { letter, topic: place, envelopes } = engine.decoy(invitation, package, spoil);
	let [envelope] = &envelopes[..] else { panic!("one envelope") };
	let mailbox = topic::mailbox_topic(&envelope.key_package_ref);
	[posted(mailbox, &envelope.bytes), posted(place, &letter)]
}

/// A statement of somebody's. Whether it is signed is for nodes to say.
fn posted(topic: [u8; 32], sealed: &[u8]) -> Vec<u8> {
	let statement = Statement { signer: [9; 32], topic, data: envelope::wrap(sealed) };
	statement.encode(u64::MAX, |_| [0; 64]).unwrap()
}

pub(super) fn failures(told: &[Event]) -> usize {
	told.iter().filter(|event| matches!(event, Event::InvitationFailed { .. })).count()
}

pub(super) fn has_joined(told: &[Event]) -> bool {
	told.iter().any(|event| matches!(event, Event::Joined { .. }))
}

#[test]
fn decoys_that_come_first_keep_nobody_out() {
	let mut party = Party::new();
	let stored = [party.decoys(), party.founder.sent.clone()].concat();
	let told = party.serve(&stored);
	assert!(failures(&told) > 0 && has_joined(&told), "{told:?}");
	assert_eq!(party.guest.letters(), 0);
}

#[test]
fn nor_does_one_that_is_being_tried_when_the_client_is_closed() {
	let mut party = Party::new();
	let decoys = party.decoys();
	party.hand_over(&decoys[..2]);
	party.guest = open("elsewhere", &MemoryDisk::new());
	party.guest = open("guest", &party.disk);
	let told = party.serve(&[decoys, party.founder.sent.clone()].concat());
	assert!(failures(&told) > 0 && has_joined(&told), "{told:?}");
}

/// Whoever has seen the KeyPackage can make one of any Welcome.
#[test]
fn one_that_names_an_entry_which_never_comes_holds_nobody_up() {
	type Decoys = fn(&Party) -> Vec<Vec<u8>>;
	const NEVER: Decoys = |party| party.decoy_to(EntryHash([9; 32]), 1_000_000).to_vec();
	const ELSEWHERE: Decoys = |party| party.decoy_to(party.invitation.entry, 1_000_000).to_vec();
	const BOTH: Decoys = |party| [NEVER(party), ELSEWHERE(party)].concat();
	for decoys in [NEVER, ELSEWHERE, BOTH] {
		for is_first in [true, false] {
			let stored = |party: &Party| {
				let (decoys, real) = (decoys(party), party.founder.sent.clone());
				if is_first { [decoys, real] } else { [real, decoys] }.concat()
			};
			let mut party = Party::new();
			let told = party.serve(&stored(&party));
			assert!(has_joined(&told), "the entry was there: {told:?}");

			let mut party = Party::new();
			let last = party.founder.log.pop().unwrap();
			let stored = stored(&party);
			let told = party.serve(&stored);
			assert_eq!((failures(&told), has_joined(&told)), (0, false), "{told:?}");
			party.goes_on(last);
			let told = party.serve(&stored);
			assert!(has_joined(&told), "the entry came later: {told:?}");
		}
	}
}

/// What leads to an entry that is there is tried while the real one waits for its own, and does not take its place.
#[test]
fn one_that_names_an_earlier_entry_does_not_take_the_place_of_what_waits() {
	for is_closed in [false, true] {
		let mut party = Party::new();
		let last = party.founder.log.pop().unwrap();
		let first = party.founder.log[0].header;
		let decoys = [party.decoy_to(first.hash, 0), party.decoy_to(EntryHash([9; 32]), 1_000_000)].concat();
		let stored = [party.founder.sent.clone(), decoys].concat();
		let told = party.serve(&stored);
		assert_eq!((failures(&told), has_joined(&told)), (1, false), "{told:?}");
		if is_closed {
			party.guest = open("elsewhere", &MemoryDisk::new());
			party.guest = open("guest", &party.disk);
			// The letters are gone from the nodes.
			party.serve(&[]);
		}
		party.goes_on(last);
		let told = party.serve(&[]);
		assert_eq!((failures(&told), has_joined(&told)), (0, true), "{told:?}");
	}
}

#[test]
fn what_says_the_same_is_not_waited_for_again_and_what_says_something_else_is() {
	let mut party = Party::new();
	// A node sends the letter when the envelope has named it.
	let real = [&party.founder.sent[..], &party.founder.sent[..]].concat();
	party.hand_over(&real);
	assert_eq!(party.guest.letters(), 0, "it is being tried");
	let copy = party.decoy(|_, _| {});
	party.hand_over(&copy);
	assert_eq!(party.guest.letters(), 0);
	let decoys = party.decoys();
	party.hand_over(&decoys);
	assert_eq!(party.guest.letters(), 2);
	let told = party.serve(&[]);
	assert_eq!((failures(&told), has_joined(&told)), (0, true), "{told:?}");
	assert_eq!(party.guest.letters(), 0, "the KeyPackage is used up");
}

/// The founder has made a commit that adds the guest, and has not submitted it; what is in the log instead adds somebody else. Gives
/// the party with the invitation to what never was, and the ordering key of that epoch.
fn apart() -> (Party, OrderingKey) {
	let (disk, mut founder) = (MemoryDisk::new(), Founder::new());
	let mut guest = open("guest", &disk);
	let package = guest.key_package().unwrap();
	let (reference, _) = guest.awaited().remove(0);
	drop(guest);
	let sent = founder.client.hostile_invitation(&founder.group, &package).unwrap();
	let (itself, store) = (engine("guest"), Store::in_memory(&disk, &StoreKey::from_bytes([0; 32])).unwrap());
	let invitation = opened(&itself, &store.overlay(), &reference, &sent);
	let key = itself.join(&store.overlay(), &invitation).unwrap().ordering_key;
	drop(store);
	founder.want(&[open("other", &MemoryDisk::new()).key_package().unwrap()], &[]);
	founder.win();
	let guest = open("guest", &disk);
	(Party { guest, disk, follows: false, package, founder, other: engine("mallory"), invitation }, key)
}

/// The guest does not take what a letter says of this entry of the log.
fn refuses(party: &mut Party, entry: usize, because: &str) {
	let header = party.founder.log[entry].header;
	let decoy = party.decoy_to(header.hash, header.index);
	let told = party.serve(&decoy);
	let says = |reason: &InvitationError| matches!(reason, InvitationError::Mismatch(what) if what.contains(because));
	let is_why = |event: &Event| matches!(event, Event::InvitationFailed { reason, .. } if says(reason));
	assert!(told.iter().any(is_why) && !has_joined(&told), "{because}: {told:?}");
}

/// It would be in a group that whoever has invited it made for it, and everybody else would take it for a member of theirs.
#[test]
fn nobody_is_invited_to_an_epoch_that_the_entry_has_not_opened() {
	let (mut party, _) = apart();
	refuses(&mut party, 1, "ordering key");
	// Nothing was used up by that.
	let package = party.package.clone();
	party.founder.want(&[package], &[]);
	party.founder.win();
	let real = party.founder.sent.clone();
	party.hand_over(&real);
	let told = party.serve(&real);
	assert!(has_joined(&told), "{told:?}");

	// A member can have an entry name any key, of an epoch of another depth, too.
	let (mut party, key) = apart();
	let parent = party.founder.log[1].header.hash;
	party.founder.append(parent, b"no commit".to_vec(), key, Endorsement([0; 64]));
	refuses(&mut party, 2, "depth");
}
