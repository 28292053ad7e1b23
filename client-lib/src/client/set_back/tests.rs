mod invitations;
mod people;

use super::{
	super::{
		action::Action,
		claimed::open,
		core::Core,
		decoys::{failures, has_joined, Party},
		parameters::PARAMETERS,
		people::LookedUp,
		records::Invited,
		GroupState, IntentState, InvitationError, Message, Upkeep,
	},
	RETRY,
};
use crate::{
	finality::{Finalized, Update},
	log::VerifiedEntry,
	mls::{Engine, Intent, KnownDevices},
	simulation::MemoryDisk,
	store::{Store, StoreKey},
	Event,
};
use lockstep_primitives::{rpc::HexBytes, BlockNumber, EntryHash, GenesisHash, GroupId, IdentityId, IdentityKey};
use rand::{rngs::StdRng, SeedableRng};

/// The block in which the guest learns of the entry of its invitation.
const LAST: BlockNumber = 11;

fn finalized(block: BlockNumber) -> Finalized {
	Finalized { block, entries: Vec::new(), closed: Vec::new(), complete: true }
}

/// These blocks pass; gives what the guest tells.
fn pass(party: &mut Party, blocks: impl Iterator<Item = BlockNumber>) -> Vec<Event> {
	let mut told = Vec::new();
	for block in blocks {
		party.guest.on_finalized(finalized(block));
		told.extend(party.serve(&[]));
	}
	told
}

/// How many invitations came to nothing, and whether one was accepted.
fn came_of(told: &[Event]) -> (usize, bool) {
	(failures(told), has_joined(told))
}

/// The guest has its letter, and stores it; then so many writes fail, and it learns of the entry.
fn invited(failing: u64) -> Party {
	let mut party = Party::new();
	let last = party.founder.log.pop().unwrap();
	let told = party.serve(&party.founder.sent.clone());
	assert_eq!(came_of(&told), (0, false), "{told:?}");
	party.disk.fail_writes(0, failing);
	party.goes_on(last);
	party
}

#[test]
fn an_invitation_outlasts_a_disk_that_takes_nothing() {
	for is_full_before in [false, true] {
		let mut party = Party::new();
		let last = party.founder.log.pop().unwrap();
		if is_full_before {
			party.disk.fail_writes(0, u64::MAX);
		}
		let mut told = party.serve(&party.founder.sent.clone());
		party.disk.fail_writes(0, u64::MAX);
		party.goes_on(last);
		told.extend(party.serve(&[]));
		told.extend(pass(&mut party, LAST + 1..=LAST + 3 * RETRY));
		assert_eq!(came_of(&told), (0, false), "{told:?}");
		party.disk.fail_writes(0, 0);
		let free = LAST + 3 * RETRY;
		let told = pass(&mut party, free + 1..=free + RETRY);
		assert_eq!(came_of(&told), (0, true), "{told:?}");
		assert!(party.follows, "it goes on as a member");
		let position = party.guest.position(&party.founder.group).unwrap();
		let length = u64::try_from(party.founder.log.len()).unwrap();
		assert_eq!((position.state, position.read), (GroupState::Active, length));
	}
}

#[test]
fn it_is_tried_every_so_many_blocks_and_not_in_each() {
	let mut party = invited(3);
	let mut blocks = LAST + 1..LAST + 10 * RETRY;
	let joined_at = blocks.find(|block| has_joined(&pass(&mut party, std::iter::once(*block))));
	assert_eq!(joined_at, Some(LAST + 3 * RETRY));
}

/// One that names an entry which never comes gives way to the real one, for which the disk has no room then.
#[test]
fn what_waits_for_its_entry_is_waited_for_and_holds_nobody_up() {
	for is_long in [false, true] {
		let mut party = Party::new();
		let never = party.decoy_to(EntryHash([9; 32]), 1_000_000).to_vec();
		party.disk.fail_writes(0, u64::MAX);
		let told = party.serve(&[never, party.founder.sent.clone()].concat());
		assert_eq!(came_of(&told), (0, false), "{told:?}");
		let until = if is_long { 700 } else { LAST + 2 * RETRY };
		let told = pass(&mut party, LAST..=until);
		let overdue =
			|event: &&Event| matches!(event, Event::InvitationFailed { reason: InvitationError::NotFinal { .. }, .. });
		assert_eq!(told.iter().filter(overdue).count(), usize::from(is_long), "{told:?}");
		assert_eq!(came_of(&told), (usize::from(is_long), false), "{told:?}");
		party.disk.fail_writes(0, 0);
		let told = pass(&mut party, until + 1..=until + RETRY);
		assert_eq!(came_of(&told), (0, true), "{told:?}");
	}
}

#[test]
fn what_comes_meanwhile_does_not_take_its_place_in_the_store() {
	let never = (EntryHash([9; 32]), 0);
	for is_dropped in [false, true] {
		let mut party = invited(1);
		let (entry, count) = if is_dropped { (party.invitation.entry, 1) } else { never };
		let decoy = party.decoy_to(entry, 1_000_000);
		let told = party.serve(&decoy);
		assert_eq!(came_of(&told), (count, false), "{told:?}");
		party.guest = open("elsewhere", &MemoryDisk::new());
		party.guest = open("guest", &party.disk);
		// The letters are gone from the nodes.
		let told = party.serve(&[]);
		assert_eq!(came_of(&told), (0, true), "{told:?}");
	}
}

/// How often following a group was stopped, and taken up again.
fn stops(told: &[Event]) -> (usize, usize) {
	let count = |wanted: fn(&&Event) -> bool| told.iter().filter(wanted).count();
	let stopped = count(|event| matches!(event, Event::Halted { .. }));
	(stopped, count(|event| matches!(event, Event::Resumed { .. })))
}

/// The guest is a member that wants something when somebody else's commit comes, for which its disk has no room.
#[test]
fn a_group_that_a_full_disk_has_stopped_goes_on_with_everything_when_there_is_room() {
	let mut party = Party::new();
	let group = party.founder.group;
	assert!(has_joined(&party.serve(&party.founder.sent.clone())));
	let number = party.guest.enqueue(&group, Intent::Update).unwrap();
	pass(&mut party, LAST..=LAST);
	party.founder.client.enqueue(&group, Intent::Update).unwrap();
	party.founder.act();
	party.founder.win();
	party.disk.fail_writes(0, u64::MAX);
	let entries = vec![(group, party.founder.log.last().unwrap().clone())];
	party.guest.on_finalized(Finalized { entries, ..finalized(LAST + 1) });
	let mut told = party.serve(&[]);
	let full_until = LAST + 5 * RETRY;
	told.extend(pass(&mut party, LAST + 2..=full_until));
	assert_eq!(stops(&told), (1, 0), "it is told once: {told:?}");
	assert!(!party.follows);
	assert_eq!(party.guest.status(&group).unwrap().state, GroupState::Halted);
	assert!(party.guest.send(&group, b"too early").is_err());

	party.disk.fail_writes(0, 0);
	let told = pass(&mut party, full_until + 1..=full_until + RETRY);
	assert_eq!(stops(&told), (0, 1), "{told:?}");
	assert!(party.follows);
	let (position, founders) = (party.guest.position(&group).unwrap(), party.founder.client.position(&group).unwrap());
	assert_eq!((position.state, position.tip), (GroupState::Active, founders.tip));
	assert_eq!(
		party.guest.status(&group).unwrap().epoch_authenticator,
		party.founder.client.status(&group).unwrap().epoch_authenticator
	);
	let wanted = party.guest.intents(&group).unwrap();
	let has_ended = |state: &IntentState| matches!(state, IntentState::Ended(_));
	assert!(matches!(&wanted[..], [(only, state)] if *only == number && !has_ended(state)), "{wanted:?}");
	party.guest.send(&group, b"it goes on").unwrap();
}

/// A message comes when the disk has no room for it, and another one while the group is stopped. Nodes give both again.
#[test]
fn messages_that_a_full_disk_did_not_take_are_read_when_there_is_room() {
	let mut party = Party::new();
	let group = party.founder.group;
	let invited = party.founder.sent.clone();
	assert!(has_joined(&party.serve(&invited)));
	pass(&mut party, LAST..=LAST);
	let mut sent = Vec::new();
	for text in ["one", "two"] {
		party.founder.client.send(&group, text.as_bytes()).unwrap();
		party.founder.act();
		sent.push(party.founder.sent.last().unwrap().clone());
	}
	party.disk.fail_writes(0, u64::MAX);
	sent.iter().for_each(|statement| party.guest.on_statement(statement));
	let mut told = party.serve(&[]);
	assert_eq!(stops(&told), (1, 0), "{told:?}");
	party.disk.fail_writes(0, 0);
	for block in LAST + 1..=LAST + 1 + 2 * RETRY {
		party.guest.on_finalized(finalized(block));
		told.extend(party.serve(&sent));
	}
	assert_eq!(stops(&told), (1, 1), "{told:?}");
	let read: Vec<String> = party.guest.unread().unwrap().into_iter().map(|(_, message)| text(&message)).collect();
	assert_eq!(read, ["one", "two"]);
}

fn text(message: &Message) -> String {
	String::from_utf8(message.data.clone()).unwrap()
}

/// The guest has joined and read an entry, and there may be more.
fn behind() -> Party {
	let mut party = Party::new();
	let group = party.founder.group;
	assert!(has_joined(&party.serve(&party.founder.sent.clone())));
	pass(&mut party, LAST..=LAST);
	party.founder.client.enqueue(&group, Intent::Update).unwrap();
	party.founder.act();
	party.founder.win();
	let entries = vec![(group, party.founder.log.last().unwrap().clone())];
	party.guest.on_finalized(Finalized { entries, complete: false, ..finalized(LAST + 1) });
	party
}

/// A message that waits to be encrypted when the disk has no room is posted when there is.
#[test]
fn a_message_that_a_full_disk_kept_from_being_made_ready_is_posted_when_there_is_room() {
	let mut party = behind();
	let group = party.founder.group;
	// There may be more entries: it waits.
	party.guest.send(&group, b"waits").unwrap();
	let posts = |party: &mut Party| {
		let is_post = |action: &Action| matches!(action, Action::Post { .. });
		party.guest.take_actions().iter().filter(|action| is_post(action)).count()
	};
	let before = posts(&mut party);
	party.disk.fail_writes(0, u64::MAX);
	for block in LAST + 2..LAST + 5 {
		party.guest.on_finalized(finalized(block));
	}
	assert_eq!((before, posts(&mut party)), (0, 0));
	party.disk.fail_writes(0, 0);
	for block in LAST + 5..LAST + 5 + 4 * RETRY {
		party.guest.on_finalized(finalized(block));
	}
	assert_eq!(posts(&mut party), 1);
}

/// The founder's proposal to leave has come, and waits for the guest's commit, when a message comes for which the disk has no room.
/// No node gives the proposal again.
#[test]
fn a_proposal_that_came_before_a_full_disk_is_committed_when_there_is_room() {
	let mut party = behind();
	let group = party.founder.group;
	party.founder.client.leave(&group).unwrap();
	party.founder.client.send(&group, b"and this").unwrap();
	party.founder.act();
	let [.., proposal, message] = &party.founder.sent[..] else { panic!("two statements") };
	party.guest.on_statement(proposal);
	party.disk.fail_writes(0, u64::MAX);
	party.guest.on_statement(message);
	assert_eq!(stops(&party.serve(&[])), (1, 0));
	party.disk.fail_writes(0, 0);
	let mut commits = 0;
	for block in LAST + 2..=LAST + 2 + 3 * RETRY {
		party.guest.on_finalized(finalized(block));
		let actions = party.guest.take_actions();
		commits += actions.iter().filter(|action| matches!(action, Action::Append { .. })).count();
	}
	assert!(commits > 0);
}

/// An intent that waited is there once, also if it was carried by a commit; what the client asked for meanwhile is of no use.
#[test]
fn what_a_stopped_group_waited_for_is_taken_up_once() {
	let mut party = Party::new();
	let group = party.founder.group;
	assert!(has_joined(&party.serve(&party.founder.sent.clone())));
	pass(&mut party, LAST..=LAST);
	let carried = party.guest.enqueue(&group, Intent::Update).unwrap();
	party.serve(&[]);
	let waiting = party.guest.enqueue(&group, Intent::Update).unwrap();
	party.serve(&[]);
	let before = party.guest.intents(&group).unwrap();
	party.disk.fail_writes(0, u64::MAX);
	party.founder.client.enqueue(&group, Intent::Update).unwrap();
	party.founder.act();
	party.founder.win();
	// Nothing of it is there for the guest any more.
	let entry = party.founder.log.pop().unwrap();
	party.guest.on_finalized(Finalized { entries: vec![(group, entry)], ..finalized(LAST + 1) });
	assert_eq!(stops(&party.serve(&[])), (1, 0));
	party.disk.fail_writes(0, 0);
	let told = pass(&mut party, LAST + 2..=LAST + 1 + 2 * RETRY);
	assert_eq!(stops(&told), (0, 1), "{told:?}");
	assert_eq!(party.guest.intents(&group).unwrap(), before);
	assert_eq!(before.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [carried, waiting]);
}

/// No node has what an entry says any more, and none has taken the request of the guest to be readmitted.
fn cut_off() -> Party {
	let mut party = Party::new();
	let group = party.founder.group;
	assert!(has_joined(&party.serve(&party.founder.sent.clone())));
	pass(&mut party, LAST..=LAST);
	party.founder.client.enqueue(&group, Intent::Update).unwrap();
	party.founder.act();
	party.founder.win();
	let entry = VerifiedEntry { payload: None, ..party.founder.log.last().unwrap().clone() };
	party.guest.on_finalized(Finalized { entries: vec![(group, entry)], ..finalized(LAST + 1) });
	party.serve(&[]);
	assert_eq!(party.guest.statements().len(), 1);
	party
}

/// When it is time to ask again, the disk gives nothing back.
#[test]
fn who_was_cut_off_asks_again_when_the_disk_gives_something_back() {
	let mut party = cut_off();
	let until = LAST + 10 * RETRY;
	party.disk.fail_reads(0, u64::MAX);
	pass(&mut party, LAST + 2..=until);
	party.disk.fail_reads(0, 0);
	assert_eq!(party.guest.statements().len(), 1);
	pass(&mut party, until + 1..=until + 1);
	assert_eq!(party.guest.statements().len(), 2);
}

/// It is time to ask again 60 blocks after the first time. The one time that the guest looks then, the disk gives nothing back.
#[test]
fn who_could_not_ask_again_looks_again_after_a_pause() {
	let mut party = cut_off();
	pass(&mut party, LAST + 2..LAST + 60);
	party.disk.fail_reads(0, u64::MAX);
	pass(&mut party, LAST + 60..LAST + 62);
	party.disk.fail_reads(0, 0);
	let asks = |block: &BlockNumber| {
		pass(&mut party, std::iter::once(*block));
		party.guest.statements().len() == 2
	};
	assert_eq!((LAST + 62..LAST + 200).find(asks), Some(LAST + 61 + 20));
}

/// The disk gives nothing back while the envelope is there.
#[test]
fn an_envelope_that_could_not_be_opened_is_read_again() {
	let mut party = Party::new();
	party.disk.fail_reads(0, u64::MAX);
	let sent = party.founder.sent.clone();
	party.serve(&sent);
	party.disk.fail_reads(0, 0);
	let mut told = Vec::new();
	for block in LAST..=LAST + RETRY {
		party.guest.on_finalized(finalized(block));
		told.extend(party.serve(&sent));
	}
	assert!(has_joined(&told), "{told:?}");
}

/// An invitation waits for the log of somebody, which is read, and for which the disk has no room.
#[test]
fn what_was_read_of_a_person_is_stored_later_and_not_read_again_and_again() {
	const GROUP: GroupId = GroupId([1; 32]);
	const BERT: IdentityId = IdentityId([5; 32]);
	let disk = MemoryDisk::new();
	let store = Store::in_memory(&disk, &StoreKey::from_bytes([0; 32])).unwrap();
	let engine = Engine::new(b"anna".to_vec(), &[1; 32], GenesisHash([7; 32])).unwrap();
	let random = StdRng::seed_from_u64(1);
	let mut core = Core::restore(store, engine, PARAMETERS, false, Upkeep::default(), random).unwrap();
	let invitation = serde_json::json!({ "group": GROUP, "entry": EntryHash([9; 32]), "index": 9, "welcome": "0x" });
	let invitation = serde_json::from_value(invitation).unwrap();
	core.resume_joining(Invited { invitation, key_package_ref: HexBytes(Vec::new()) });
	core.look_up_to_join(&GROUP, [BERT].into(), 100);
	drop(core.take_actions());
	// What it does for the invitation.
	let asks = |core: &mut Core<Engine>| {
		let is_for_it = |action: &Action| matches!(action, Action::Follow(..) | Action::LookUp { .. });
		core.take_actions().iter().filter(|action| is_for_it(action)).count()
	};
	disk.fail_writes(0, u64::MAX);
	let since = vec![(1, vec![IdentityKey([9; 32])])];
	let devices = KnownDevices { until: 100, since, rotated: Vec::new() };
	core.on_looked_up(LookedUp { person: BERT, devices });
	for block in 100..=100 + 2 * RETRY {
		core.on_update(Update::Finalized(finalized(block)));
	}
	assert_eq!(asks(&mut core), 0);
	disk.fail_writes(0, 0);
	for block in 1..=RETRY {
		core.on_update(Update::Finalized(finalized(100 + 2 * RETRY + block)));
	}
	assert_eq!(asks(&mut core), 1, "the group's log is read again");
}
