//! A client whose stored state of a group is damaged comes back by itself: in the same store, and with everything else that is in it.

mod asking;
mod backups;
mod invitations;

use super::{
	world::{World, ANNA, BERT, BROKEN, KEYS},
	Ended, GroupState, IntentState,
};
use crate::{finality::Finalized, mls::Intent, Event};
use lockstep_primitives::{rpc::HexBytes, Endorsement};

/// Bert has a message that he has not dealt with, one that no node has taken, and a wish that has not come about. Then a kind of his
/// records is damaged, while he is there, or while he is away.
fn comes_back(kind: &'static str, is_closed: bool) {
	let mut world = World::new();
	let group = world.group;
	world.talk("before");
	(world.deaf, world.loses) = (true, true);
	let number = world.client(BERT).enqueue(&group, Intent::Update).unwrap();
	world.client(BERT).send(&group, b"waiting").unwrap();
	world.serve();
	if is_closed {
		world.damage_closed(BERT, kind, Some(BROKEN));
	} else {
		assert!(world.client(BERT).damage(kind, Some(BROKEN)) > 0, "there is a {kind}");
	}
	world.client(ANNA).enqueue(&group, Intent::Update).unwrap();
	world.until("the damage", |world| world.stands(BERT) == Some(GroupState::Returning));
	assert!(world.client(BERT).send(&group, b"too early").is_err());
	world.deaf = false;
	if kind == KEYS {
		// Nothing can be posted without them: the request is handed over.
		(0..3).for_each(|_| world.blocks(1));
		let request = world.client(BERT).rejoin(&group).unwrap();
		world.client(ANNA).readmit(&group, &request).unwrap();
	}
	world.until("readmission", |world| world.joined(BERT) == 2);
	world.loses = false;

	let told = |world: &World, wanted: fn(&Event) -> bool| world.count(BERT, wanted);
	assert_eq!(told(&world, |event| matches!(event, Event::Halted { .. })), 1, "{kind}");
	assert_eq!(told(&world, |event| matches!(event, Event::AskedToRejoin { .. })), 1, "{kind}");
	world.talk("after");
	world.until("what waited", |world| world.heard(ANNA, b"waiting"));
	world.until("the end of the wish", |world| {
		let intents = world.members[BERT].client.as_ref().unwrap().intents(&group).unwrap();
		matches!(&intents[..], [(only, IntentState::Ended(Ended::Done(_)))] if *only == number)
	});
	world.close(BERT);
	world.open(BERT);
	world.talk("again");
	assert_eq!(world.stands(BERT), Some(GroupState::Active));
	assert_eq!(world.client(BERT).status(&group).unwrap().members.len(), 2);
	let unread = world.client(BERT).unread().unwrap();
	let unread: Vec<_> = unread.iter().map(|(_, message)| String::from_utf8_lossy(&message.data)).collect();
	assert_eq!(unread, ["before of 0", "after of 0", "again of 0"], "{kind}");
}

#[test]
fn a_client_whose_state_is_damaged_while_it_is_open_comes_back() {
	for kind in ["mls tree", "mls message secrets", "mls epoch key pairs", KEYS] {
		comes_back(kind, false);
	}
}

#[test]
fn a_client_that_finds_its_state_damaged_when_it_is_opened_comes_back() {
	let kinds = ["mls tree", "mls tree piece", "mls group state", "mls own leaf index", "mls epoch key pairs"];
	for kind in kinds.into_iter().chain([KEYS]) {
		comes_back(kind, true);
	}
}

#[test]
fn it_asks_so_often_and_no_more_also_if_it_is_opened_again_in_between() {
	let mut world = World::new();
	world.close(ANNA);
	world.damage_closed(BERT, "mls tree", Some(BROKEN));
	for round in 0..60 {
		world.blocks(30);
		if round % 7 == 0 {
			world.close(BERT);
			world.open(BERT);
		}
	}
	assert_eq!(world.count(BERT, |event| matches!(event, Event::Halted { .. })), 1);
	assert_eq!(world.count(BERT, |event| matches!(event, Event::AskedToRejoin { .. })), 5);
	assert_eq!(world.count(BERT, |event| matches!(event, Event::NotReadmitted { times: 5, .. })), 1);
	assert_eq!(world.stands(BERT), Some(GroupState::NotReadmitted));
	// What it has asked for, whoever comes answers.
	world.open(ANNA);
	world.until("readmission", |world| world.joined(BERT) == 2);
	world.talk("after");
}

/// Neither the state nor the keys of any epoch say how far he was; his place in the log does. An invitation that nodes have kept
/// back does not set him back.
#[test]
fn an_old_invitation_sets_nobody_back_who_has_nothing_left_but_his_place_in_the_log() {
	let mut world = World::new();
	let group = world.group;
	let packages = [(); 2].map(|()| world.client(BERT).key_package().unwrap());
	world.serve();
	world.close(BERT);
	let mut kept_back = Vec::new();
	for package in packages {
		let before = world.statements.len();
		for intent in [Intent::Remove(vec![HexBytes(b"bert".to_vec())]), Intent::Add(vec![HexBytes(package)])] {
			let length = world.log.len();
			world.client(ANNA).enqueue(&group, intent).unwrap();
			world.until("the commit", |world| world.log.len() > length);
			(0..3).for_each(|_| world.blocks(1));
		}
		if kept_back.is_empty() {
			kept_back = world.statements.split_off(before);
		}
	}
	world.open(BERT);
	world.until("joining anew", |world| world.joined(BERT) == 2);
	world.damage_closed(BERT, "mls group state", None);
	world.damage_closed(BERT, KEYS, None);
	world.until("the damage", |world| world.stands(BERT) != Some(GroupState::Active));
	let newest = world.cursor.head.hash;
	world.client(BERT).rejoin_after(&group, newest).unwrap();
	// What leads to his mailbox first, then the letter.
	for _ in 0..2 {
		kept_back.iter().for_each(|statement| world.client(BERT).on_statement(statement));
		world.serve();
	}
	(0..3).for_each(|_| world.blocks(1));
	assert_eq!(world.joined(BERT), 2, "not by the old one");
	assert_eq!(world.count(BERT, |event| matches!(event, Event::InvitationFailed { .. })), 1);
}

#[test]
fn if_the_group_is_closed_meanwhile_what_was_under_way_has_ended() {
	let mut world = World::new();
	let group = world.group;
	world.close(ANNA);
	world.loses = true;
	world.client(BERT).enqueue(&group, Intent::Update).unwrap();
	world.damage_closed(BERT, "mls tree", Some(BROKEN));
	world.until("the damage", |world| world.stands(BERT) == Some(GroupState::Returning));
	let (block, closed) = (world.block + 1, vec![group]);
	world.client(BERT).on_finalized(Finalized { block, entries: Vec::new(), closed, complete: true });
	for _ in 0..2 {
		world.serve();
		assert_eq!(world.count(BERT, |event| matches!(event, Event::GroupClosed { .. })), 1);
		assert_eq!(world.stands(BERT), Some(GroupState::Closed));
		let intents = world.client(BERT).intents(&group).unwrap();
		assert!(matches!(&intents[..], [(_, IntentState::Ended(Ended::Failed { .. }))]), "{intents:?}");
		world.close(BERT);
		world.open(BERT);
	}
}

#[test]
fn who_wanted_to_leave_leaves_when_it_is_back() {
	let mut world = World::new();
	let group = world.group;
	world.close(ANNA);
	world.deaf = true;
	world.client(BERT).leave(&group).unwrap();
	world.damage_closed(BERT, "mls tree", Some(BROKEN));
	world.open(ANNA);
	world.client(ANNA).enqueue(&group, Intent::Update).unwrap();
	world.until("another epoch", |world| world.log.len() == 3);
	world.deaf = false;
	world.until("readmission", |world| world.joined(BERT) == 2);
	world.until("leaving", |world| world.count(BERT, |event| matches!(event, Event::RemovedFromGroup { .. })) == 1);
}

/// A client without a state reads the log and judges nothing: it names the newest entry, whatever became of that.
#[test]
fn it_comes_back_also_when_the_newest_entry_is_one_that_lost() {
	let mut world = World::new();
	let group = world.group;
	world.talk("before");
	world.damage_closed(BERT, "mls tree", Some(BROKEN));
	world.close(ANNA);
	world.block += 1;
	let (parent, next_key) = (world.log[0].header.hash, world.log[1].header.next_key);
	world.append(parent, b"too late".to_vec(), next_key, Endorsement([0; 64]));
	world.open(ANNA);
	world.until("readmission", |world| world.joined(BERT) == 2);
	assert_eq!(world.client(ANNA).status(&group).unwrap().log_length, 4);
	world.talk("after");
}

/// The keys of its epochs are gone, and so its position and its state do not fit: that may be repaired.
#[test]
fn after_other_trouble_nobody_takes_a_clients_place_before_it_asks() {
	let mut world = World::new();
	let group = world.group;
	let spare = world.client(BERT).key_package().unwrap();
	world.serve();
	world.damage_closed(BERT, KEYS, None);
	assert_eq!(world.stands(BERT), Some(GroupState::Halted));
	for intent in [Intent::Remove(vec![HexBytes(b"bert".to_vec())]), Intent::Add(vec![HexBytes(spare)])] {
		world.client(ANNA).enqueue(&group, intent).unwrap();
		(0..10).for_each(|_| world.blocks(1));
	}
	assert_eq!(world.log.len(), 4, "he was put out, and in again");
	assert_eq!((world.joined(BERT), world.stands(BERT)), (1, Some(GroupState::Halted)));
	let newest = world.cursor.head.hash;
	let request = world.client(BERT).rejoin_after(&group, newest).unwrap();
	world.client(ANNA).readmit(&group, &request).unwrap();
	world.until("readmission", |world| world.joined(BERT) == 2);
	world.talk("after");
}
