//! What the simulator found once, and what breaks others, played out step by step.

mod catching_up;
mod letters;
mod naive;
mod recovery;

use crate::{
	chain::{Kind, Transaction},
	flavour::StandIns,
	network::Statement,
	setup::Setup,
	world::{Happening, World, NODES},
};
use ed25519_dalek::{Signer, SigningKey};
use lockstep_client::{
	simulation::Statement as Decoded, Ended, GroupState, Intent, IntentState, Undelivered, UndeliveredBecause,
};
use lockstep_primitives::{endorsement_payload, extrinsic::Append, rpc::HexBytes, Endorsement, GroupId, OrderingKey};
use std::rc::Rc;

/// Three members, the first of which has a group; nothing goes wrong.
fn calm() -> (World<StandIns>, GroupId) {
	calm_with(3)
}

/// The same with so many members.
fn calm_with(members: usize) -> (World<StandIns>, GroupId) {
	let mut world = World::new(1, &Setup::new(members, 0));
	world.members.iter_mut().for_each(|member| member.honest = true);
	world.calm();
	world.begin();
	blocks(&mut world, 10);
	let group = world.group.expect("the group comes about");
	(world, group)
}

fn blocks(world: &mut World<StandIns>, count: u32) {
	for _ in 0..count {
		world.block();
		assert_eq!(world.failure, None);
	}
}

fn package(world: &mut World<StandIns>, member: usize) -> Intent {
	let package = world.step(member, |client| client.key_package()).expect("it is up").expect("it has a disk");
	world.packages.insert(package.clone(), world.members[member].name.clone().into_bytes());
	Intent::Add(vec![HexBytes(package)])
}

fn name(member: usize) -> Vec<HexBytes> {
	vec![HexBytes(format!("m{member:02}").into_bytes())]
}

fn is_in_step(world: &World<StandIns>, member: usize, group: &GroupId) -> bool {
	let of = |member: usize| world.members[member].position(group);
	of(member).is_some_and(|position| position.state == GroupState::Active) && of(member) == of(0)
}

#[test]
fn an_invitation_finds_a_member_that_does_not_know_yet_that_it_is_out() {
	let (mut world, group) = calm();
	let first = package(&mut world, 1);
	world.want(0, &group, first);
	blocks(&mut world, 10);
	assert!(is_in_step(&world, 1, &group));

	let second = package(&mut world, 1);
	cut(&mut world, 1);
	world.want(0, &group, Intent::Remove(name(1)));
	blocks(&mut world, 10);
	world.want(0, &group, second);
	blocks(&mut world, 10);
	assert_eq!(world.members[1].position(&group).map(|position| position.tip.epoch), Some(1), "it has heard nothing");

	world.nodes.heal();
	blocks(&mut world, 10);
	assert!(is_in_step(&world, 1, &group));
}

#[test]
fn what_came_before_a_member_was_added_again_is_read_afterwards() {
	let (mut world, group) = calm();
	let first = package(&mut world, 1);
	world.want(0, &group, first);
	blocks(&mut world, 10);

	let second = package(&mut world, 1);
	cut(&mut world, 1);
	world.want(0, &group, Intent::Remove(name(1)));
	blocks(&mut world, 10);
	world.want(0, &group, second);
	blocks(&mut world, 10);
	let text = world.say(0, &group).expect("it can speak");
	blocks(&mut world, 10);
	assert!(!world.members[1].promises.read.contains_key(&text), "of an epoch that it has not heard of");

	world.nodes.heal();
	blocks(&mut world, 10);
	assert!(is_in_step(&world, 1, &group));
	assert!(world.members[1].promises.read.contains_key(&text));
}

#[test]
fn an_invitation_outlives_the_keys_of_the_epoch_that_it_was_signed_in() {
	let (mut world, group) = calm();
	let first = package(&mut world, 1);
	world.want(0, &group, first);
	// Whatever the node is given, it has something against it.
	world.weather.wrong_answer = 1000;
	for _ in 0..8 {
		world.want(0, &group, Intent::Update);
		blocks(&mut world, 10);
	}
	blocks(&mut world, 40);
	assert_eq!(world.members[1].position(&group), None);

	world.weather.wrong_answer = 0;
	blocks(&mut world, 40);
	assert!(is_in_step(&world, 1, &group));
}

#[test]
fn an_intent_after_coming_back_has_a_number_of_its_own() {
	let (mut world, group) = calm();
	for _ in 0..2 {
		let invitation = package(&mut world, 1);
		world.want(0, &group, invitation);
		blocks(&mut world, 10);
		world.want(1, &group, Intent::Update);
		blocks(&mut world, 10);
		world.want(0, &group, Intent::Remove(name(1)));
		blocks(&mut world, 10);
	}
	let numbers: Vec<u64> = world.members[1].promises.intents.keys().map(|(_, number)| *number).collect();
	assert_eq!(numbers, [0, 1]);
}

#[test]
fn a_member_killed_between_an_epoch_and_its_proposal_still_leaves() {
	let (mut world, group) = calm();
	let invitation = package(&mut world, 1);
	world.want(0, &group, invitation);
	blocks(&mut world, 10);
	world.weather.lost_statement = 1000;
	cut(&mut world, 1);
	assert!(matches!(world.step(1, |client| client.leave(&group)), Some(Ok(()))));
	world.want(0, &group, Intent::Update);
	blocks(&mut world, 10);

	// It stores the new epoch and nothing after that.
	world.members[1].faulted = true;
	world.members[1].disk.fail_writes(1, u64::MAX);
	world.nodes.heal();
	blocks(&mut world, 1);
	world.kill(1);
	world.weather.lost_statement = 0;
	blocks(&mut world, 30);
	assert_eq!(world.members[1].position(&group).map(|position| position.state), Some(GroupState::Removed));
}

/// All three are members.
fn three() -> (World<StandIns>, GroupId) {
	all_of(3)
}

/// So many, and all are members.
fn all_of(members: usize) -> (World<StandIns>, GroupId) {
	let (mut world, group) = calm_with(members);
	for member in 1..members {
		let invitation = package(&mut world, member);
		world.want(0, &group, invitation);
		blocks(&mut world, 10);
	}
	assert!((1..members).all(|member| is_in_step(&world, member, &group)));
	(world, group)
}

/// This member hears nothing from now on.
fn cut(world: &mut World<StandIns>, member: usize) {
	world.members.iter_mut().filter(|other| other.node == 2).for_each(|other| other.node = 0);
	world.members[member].node = 2;
	world.nodes.nodes[2].cut_until = u32::MAX;
}

impl World<StandIns> {
	/// A statement reaches a member, whoever made it.
	fn hand_over(&mut self, member: usize, bytes: Vec<u8>) {
		let topic = Decoded::decode(&bytes).expect("it is a statement").topic;
		let statement = Rc::new(Statement { from: member, topic, bytes, message: None });
		self.later(0, Happening::Deliver { member, statement });
	}
}

/// Waits until some commit waits in a pool.
fn waiting(world: &mut World<StandIns>) -> Rc<Transaction> {
	loop {
		if let Some(waiting) = world.nodes.waiting(&mut world.dice) {
			return waiting;
		}
		blocks(world, 1);
	}
}

/// How the intents of a member are doing.
fn intents(world: &World<StandIns>, member: usize, group: &GroupId) -> Vec<IntentState> {
	let client = world.members[member].client.as_ref().expect("it is up");
	client.intents(group).expect("it is there").into_iter().map(|(_, state)| state).collect()
}

/// How many of them have come about.
fn done(world: &World<StandIns>, member: usize, group: &GroupId) -> usize {
	let is_done = |state: &&IntentState| matches!(state, IntentState::Ended(Ended::Done(_)));
	intents(world, member, group).iter().filter(is_done).count()
}

/// Puts a commit into all pools, before any other.
fn submit(world: &mut World<StandIns>, from: usize, kind: Kind, append: Append) {
	let Append { group, parent, payload, next_key, endorsement } = append;
	let transaction = Transaction::new(from, kind, group, parent, payload, next_key, endorsement);
	for node in 0..NODES {
		assert_eq!(world.nodes.submit(node, transaction.clone(), &world.chain, true).err(), None);
	}
}

#[test]
fn a_message_that_no_node_takes_is_given_up_before_its_readers_forget_it() {
	let (mut world, group) = calm();
	let invitation = package(&mut world, 1);
	world.want(0, &group, invitation);
	blocks(&mut world, 10);
	// Whatever the node is given, it has something against it.
	world.weather.wrong_answer = 1000;
	let text = world.say(0, &group).expect("it can speak");
	let undelivered = |world: &World<StandIns>| world.members[0].client.as_ref().unwrap().undelivered().unwrap();
	let epoch = |world: &World<StandIns>| {
		let client = world.members[0].client.as_ref().expect("it is up");
		client.status(&group).expect("it is in the group").epoch
	};
	let said_in = epoch(&world);
	while undelivered(&world).is_empty() {
		// An answer that leaves no doubt that the node has nothing does not count, and it is tried every 16 blocks only.
		assert!(epoch(&world) < said_in + 64 + 20, "it is not given up");
		world.want(0, &group, Intent::Update);
		blocks(&mut world, 10);
	}
	assert!(epoch(&world) > said_in + 64, "it is given up too early");
	let given_up = Undelivered { group, data: text.clone(), reason: UndeliveredBecause::NoAnswer };
	assert_eq!(undelivered(&world), [(0, given_up.clone())]);
	assert_eq!(world.members[0].promises.sent.get(&text), Some(&true), "it was reported");

	world.kill(0);
	world.weather.wrong_answer = 0;
	blocks(&mut world, 20);
	assert_eq!(undelivered(&world), [(0, given_up)], "until the application has dealt with it");
	world.step(0, |client| client.dismiss(0)).unwrap().unwrap();
	assert_eq!(undelivered(&world), []);
	assert!(!world.members[1].promises.read.contains_key(&text));
}

#[test]
fn a_member_that_was_cut_off_long_ago_is_heard() {
	let (mut world, group) = three();
	world.members[1].honest = false;
	cut(&mut world, 2);
	let cut_off = world.members[1].client.as_ref().unwrap().hostile_private(&group, vec!["m02".to_owned()]);
	submit(&mut world, 1, Kind::Private(Some(vec![2])), cut_off.unwrap());
	blocks(&mut world, 10);
	for _ in 0..12 {
		world.want(0, &group, Intent::Update);
		blocks(&mut world, 10);
	}
	assert_eq!(world.members[2].position(&group).map(|position| position.tip.epoch), Some(2), "it has heard nothing");

	world.nodes.heal();
	blocks(&mut world, 50);
	assert!(is_in_step(&world, 2, &group));
}

#[test]
fn a_member_that_was_made_to_believe_that_it_is_out_comes_back() {
	let (mut world, group) = three();
	world.want(1, &group, Intent::Remove(name(2)));
	let waiting = waiting(&mut world);
	world.members[1].kill(u32::MAX);

	let keys = world.members[0].client.as_ref().unwrap().hostile_keys(&group);
	let (_, seed) = keys.iter().find(|(entry, _)| *entry == waiting.parent).unwrap();
	let next_key = OrderingKey([9; 32]);
	let message =
		endorsement_payload(&crate::chain::GENESIS, &group, &waiting.parent, &waiting.payload_hash, &next_key);
	let endorsement = Endorsement(SigningKey::from_bytes(seed).sign(&message).to_bytes());
	let append = Append { group, parent: waiting.parent, payload: waiting.payload.clone(), next_key, endorsement };
	submit(&mut world, 0, Kind::WrongKey, append);
	blocks(&mut world, 10);
	assert_eq!(world.members[2].position(&group).map(|position| position.state), Some(GroupState::Removed));

	assert!(world.step(2, |client| client.rejoin(&group)).unwrap().is_ok());
	blocks(&mut world, 60);
	assert!(is_in_step(&world, 2, &group));
}
