//! How a client asks that had trouble before its state was damaged, or has not even all the keys to ask with.

use crate::{
	client::{
		rejoin::Asked,
		world::{key, World, ANNA, BERT, BROKEN, KEYS},
		GroupState,
	},
	delivery::statement::Statement,
	finality::Finalized,
	mls::Intent,
	rpc::StatementOutcome,
	simulation::Action,
	store::{Record, Store},
	Event,
};
use lockstep_primitives::rpc::HexBytes;
use std::collections::BTreeSet;

const TREE: &str = "mls tree";
/// The keys of epochs that seal requests.
const REQUESTS: &str = "request key";

/// Anna commits while Bert is closed, and is closed then herself. No node has the payload any more.
fn cut_off(world: &mut World) {
	let (group, length) = (world.group, world.log.len());
	world.close(BERT);
	world.client(ANNA).enqueue(&group, Intent::Update).unwrap();
	world.until("the commit", |world| world.log.len() > length);
	world.close(ANNA);
	world.log.last_mut().unwrap().payload = None;
}

fn is_cut_off(world: &World) -> bool {
	world.count(BERT, |event| matches!(event, Event::Desynchronized { .. })) == 1
}

fn entered(world: &World) -> usize {
	world.count(BERT, |event| matches!(event, Event::EpochAdvanced { .. }))
}

/// Anna commits, and Bert follows.
fn next_epoch(world: &mut World) {
	let (group, before) = (world.group, entered(world));
	world.client(ANNA).enqueue(&group, Intent::Update).unwrap();
	world.until("another epoch", |world| entered(world) > before);
}

fn damage_open(world: &mut World) {
	assert!(world.client(BERT).damage(TREE, Some(BROKEN)) > 0);
}

fn damage_closed(world: &mut World) {
	world.damage_closed(BERT, TREE, Some(BROKEN));
}

#[test]
fn one_that_was_cut_off_and_is_damaged_asks_with_the_newest_entry() {
	type Damage = fn(&mut World);
	let cases: [(bool, Damage); 3] = [(true, damage_closed), (false, damage_closed), (false, damage_open)];
	for (is_before, damage) in cases {
		let mut world = World::new();
		cut_off(&mut world);
		if is_before {
			damage(&mut world);
		} else {
			world.open(BERT);
		}
		world.until("an entry that he cannot read", is_cut_off);
		if !is_before {
			// What he has asked for so far gets lost.
			world.statements.clear();
			damage(&mut world);
		}
		world.until("the damage", |world| world.stands(BERT) == Some(GroupState::Returning));
		world.open(ANNA);
		world.until("readmission", |world| world.joined(BERT) == 2);
		assert_eq!(world.count(BERT, |event| matches!(event, Event::Halted { .. })), 1);
		world.talk("after");
	}
}

/// However often he is damaged: to be cut off and to be damaged is one absence.
#[test]
fn damage_to_one_that_was_cut_off_does_not_have_it_ask_more_often() {
	let mut world = World::new();
	cut_off(&mut world);
	world.statements.clear();
	world.open(BERT);
	world.until("two requests", |world| world.statements.len() == 2);
	for round in 0..60 {
		if round % 7 == 0 {
			damage_closed(&mut world);
		}
		world.blocks(30);
	}
	assert_eq!(world.statements.len(), 5, "nobody else says anything");
	assert_eq!(world.count(BERT, |event| matches!(event, Event::NotReadmitted { times: 5, .. })), 1);
	assert_eq!(world.stands(BERT), Some(GroupState::NotReadmitted));
}

/// What one that is cut off has asked for, or one whose state is damaged besides. So it is with one that was closed before it asked.
#[test]
fn a_count_that_is_damaged_begins_anew_and_ends_as_before() {
	for (is_lost, with) in [(false, Some(BROKEN)), (true, Some(BROKEN)), (false, None)] {
		let mut world = World::new();
		cut_off(&mut world);
		world.statements.clear();
		if is_lost {
			damage_closed(&mut world);
		} else {
			world.open(BERT);
		}
		world.until("two requests", |world| world.statements.len() == 2);
		world.damage_closed(BERT, Asked::KIND, with);
		for _ in 0..60 {
			world.blocks(30);
		}
		assert_eq!(world.statements.len(), 2 + 5, "lost: {is_lost}, {with:?}");
	}
}

#[test]
fn a_count_that_is_damaged_keeps_no_other_group_from_asking() {
	let mut world = World::new();
	cut_off(&mut world);
	world.statements.clear();
	world.open(BERT);
	world.until("a request", |world| world.statements.len() == 1);
	closed(&mut world, |store| {
		let own = store.records(Asked::KIND);
		let overlay = store.overlay();
		overlay.put(&[9; 32], &Asked { times: 4, at: 77 }).unwrap();
		overlay.commit().unwrap();
		assert_eq!(store.damage_those(Asked::KIND, |bytes| !own.contains(bytes), Some(BROKEN)), 1);
	});
	world.until("another request", |world| world.statements.len() == 2);
}

/// Bert is told to ask while he has other trouble, as often as he would by himself. The requests get lost, and the trouble passes.
fn has_asked_in_other_trouble(world: &mut World) {
	let group = world.group;
	world.close(ANNA);
	world.client(BERT).outdated();
	for _ in 0..5 {
		world.client(BERT).rejoin(&group).unwrap();
		world.serve();
	}
	assert_eq!(world.stands(BERT), Some(GroupState::Halted));
	world.statements.clear();
	world.close(BERT);
	world.open(BERT);
	world.open(ANNA);
	assert_eq!(world.stands(BERT), Some(GroupState::Active));
}

#[test]
fn what_was_asked_for_in_trouble_that_has_passed_does_not_count_after_damage() {
	let mut world = World::new();
	let group = world.group;
	has_asked_in_other_trouble(&mut world);
	damage_closed(&mut world);
	world.client(ANNA).enqueue(&group, Intent::Update).unwrap();
	world.until("readmission", |world| world.joined(BERT) == 2);
	world.talk("after");
}

#[test]
fn what_was_asked_for_in_trouble_that_has_passed_does_not_count_for_one_that_is_cut_off() {
	let mut world = World::new();
	has_asked_in_other_trouble(&mut world);
	cut_off(&mut world);
	world.open(BERT);
	world.until("an entry that he cannot read", is_cut_off);
	world.until("another request", |world| world.statements.len() == 2);
}

#[test]
fn who_goes_on_with_the_log_has_asked_for_nothing_any_more() {
	let mut world = World::new();
	let group = world.group;
	let spare = world.client(BERT).key_package().unwrap();
	world.serve();
	has_asked_in_other_trouble(&mut world);
	next_epoch(&mut world);
	world.client(BERT).outdated();
	let length = world.log.len();
	for intent in [Intent::Remove(vec![HexBytes(b"bert".to_vec())]), Intent::Add(vec![HexBytes(spare)])] {
		world.client(ANNA).enqueue(&group, intent).unwrap();
		(0..10).for_each(|_| world.blocks(1));
	}
	assert_eq!(world.log.len(), length + 2, "he was put out, and in again");
	assert_eq!((world.joined(BERT), world.stands(BERT)), (1, Some(GroupState::Halted)));
}

/// The records of a kind in Bert's store.
fn records(world: &mut World, kind: &'static str) -> BTreeSet<Vec<u8>> {
	let mut records = BTreeSet::new();
	closed(world, |store| records = store.records(kind));
	records
}

/// Does something to Bert's store while he is closed.
fn closed(world: &mut World, what: impl FnOnce(&Store)) {
	world.close(BERT);
	let store = Store::open(world.members[BERT].folder.path(), &key()).unwrap();
	what(&store);
	drop(store);
	world.open(BERT);
}

/// The records of a kind that another epoch brings.
fn of_next_epoch(world: &mut World, kind: &'static str) -> BTreeSet<Vec<u8>> {
	let before = records(world, kind);
	next_epoch(world);
	let new = &records(world, kind) - &before;
	assert_eq!(new.len(), 1, "one epoch has one {kind}");
	new
}

#[test]
fn it_asks_with_the_newest_keys_that_are_whole() {
	let mut world = World::new();
	let request = of_next_epoch(&mut world, REQUESTS);
	let newest = of_next_epoch(&mut world, KEYS);
	closed(&mut world, |store| {
		assert_eq!(store.damage_those(KEYS, |bytes| newest.contains(bytes), Some(BROKEN)), 1);
		assert_eq!(store.damage_those(REQUESTS, |bytes| request.contains(bytes), Some(BROKEN)), 1);
	});
	world.until("readmission", |world| world.joined(BERT) == 2);
	assert_eq!(world.count(BERT, |event| matches!(event, Event::AskedToRejoin { posted: true, .. })), 1);
	world.talk("after");
}

#[test]
fn it_says_that_a_request_has_to_be_handed_over() {
	let mut world = World::new();
	world.damage_closed(BERT, KEYS, Some(BROKEN));
	world.until("a request", |world| world.count(BERT, |event| matches!(event, Event::AskedToRejoin { .. })) == 1);
	assert_eq!(world.count(BERT, |event| matches!(event, Event::AskedToRejoin { posted: false, .. })), 1);
}

/// What Bert posts next, which a node answers so.
fn posted(world: &mut World, outcome: &StatementOutcome) -> Vec<u8> {
	for _ in 0..20 {
		world.block += 1;
		let finalized = Finalized { block: world.block, entries: Vec::new(), closed: Vec::new(), complete: true };
		world.client(BERT).on_finalized(finalized);
		let mut posted = None;
		for action in world.client(BERT).take_actions() {
			match action {
				Action::Post { number, statement } => {
					world.client(BERT).on_posted(number, Some(outcome.clone()));
					posted = Some(statement);
				}
				action => world.carry_out(BERT, action),
			}
		}
		if let Some(statement) = posted {
			return statement;
		}
	}
	panic!("nothing is posted");
}

#[test]
fn a_request_that_a_node_found_expired_is_signed_anew_also_if_other_keys_are_damaged() {
	let mut world = World::new();
	let newest = of_next_epoch(&mut world, KEYS);
	world.close(ANNA);
	closed(&mut world, |store| {
		assert_eq!(store.damage_those(KEYS, |bytes| newest.contains(bytes), Some(BROKEN)), 1);
	});
	let first = posted(&mut world, &StatementOutcome::Expired);
	let again = posted(&mut world, &StatementOutcome::Stored);
	assert_ne!(again, first, "the same would be expired again");
	let said = |bytes: &[u8]| Statement::decode(bytes).unwrap().data;
	assert_eq!(said(&again), said(&first), "the same request");
}
