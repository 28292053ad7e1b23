//! Invitations come in two parts, an envelope and a letter: in any order, with a restart between them, and with something
//! else in the place of one.

use super::{blocks, calm, is_in_step, name, package};
use crate::{flavour::StandIns, world::World};
use lockstep_client::{simulation::Statement as Decoded, Intent};
use lockstep_primitives::GroupId;

/// The first member has added the second one, and reaches no node with what it posts; gives the letter, decoded, and the
/// bytes of the envelope and the letter.
fn invited() -> (World<StandIns>, GroupId, Decoded, [Vec<u8>; 2]) {
	let (mut world, group) = calm();
	let invitation = package(&mut world, 1);
	world.weather.lost_statement = 1000;
	world.want(0, &group, invitation);
	blocks(&mut world, 10);
	let inviter = world.members[0].client.as_ref().expect("it is up");
	let [letter, envelope] = <[Vec<u8>; 2]>::try_from(inviter.statements()).expect("a letter and an envelope");
	let decoded = Decoded::decode(&letter).expect("a statement");
	(world, group, decoded, [envelope, letter])
}

fn waits_for(world: &World<StandIns>, letter: &Decoded) -> bool {
	world.members[1].watches.contains(&letter.topic)
}

#[test]
fn a_letter_may_come_long_after_its_envelope_and_a_restart_in_between() {
	let (mut world, group, letter, [envelope, sealed]) = invited();
	world.hand_over(1, sealed.clone());
	blocks(&mut world, 1);
	assert!(!waits_for(&world, &letter), "nobody has named it");
	world.hand_over(1, envelope.clone());
	blocks(&mut world, 1);
	assert!(waits_for(&world, &letter));

	world.kill(1);
	while world.members[1].client.is_none() {
		blocks(&mut world, 1);
	}
	assert!(!waits_for(&world, &letter), "it is named anew");
	world.hand_over(1, envelope);
	blocks(&mut world, 10);
	assert!(waits_for(&world, &letter));
	world.hand_over(1, sealed);
	blocks(&mut world, 20);
	assert!(is_in_step(&world, 1, &group));
	assert!(!waits_for(&world, &letter), "it has read it");
}

#[test]
fn nothing_else_is_taken_for_a_letter() {
	let (mut world, group, letter, [envelope, sealed]) = invited();
	world.hand_over(1, envelope);
	// Another joiner of the same commit knows where the letter lies and what seals it.
	let text = String::from_utf8(letter.data.clone()).expect("the stand-in seals nothing");
	let elsewhere = text.replacen("\"index\":", "\"index\":9", 1);
	assert_ne!(text, elsewhere);
	for data in [b"".to_vec(), text.as_bytes()[..text.len() - 1].to_vec(), elsewhere.into_bytes()] {
		let forged = Decoded { data, ..letter.clone() };
		world.hand_over(1, forged.encode(u64::MAX, |_| [0; 64]).expect("it is small"));
	}
	blocks(&mut world, 5);
	assert!(waits_for(&world, &letter), "it may come yet");
	world.hand_over(1, sealed);
	blocks(&mut world, 20);
	assert!(is_in_step(&world, 1, &group));
}

#[test]
fn of_two_invitations_to_one_group_the_one_that_leads_into_it_is_followed() {
	let (mut world, group) = calm();
	let (first, second) = (package(&mut world, 1), package(&mut world, 1));
	world.weather.lost_statement = 1000;
	for intent in [first, Intent::Remove(name(1)), second] {
		world.want(0, &group, intent);
		blocks(&mut world, 10);
	}
	let inviter = world.members[0].client.as_ref().expect("it is up");
	let statements = inviter.statements();
	assert_eq!(statements.len(), 4);
	for envelope in [1, 3] {
		world.hand_over(1, statements[envelope].clone());
	}
	blocks(&mut world, 1);
	// Both letters are there, whenever it asks for them.
	let decoded = |bytes: &Vec<u8>| Decoded::decode(bytes).expect("a statement").topic;
	for letter in [0, 2] {
		let (topic, bytes) = (decoded(&statements[letter]), statements[letter].clone());
		let statement = std::rc::Rc::new(crate::network::Statement { from: 0, topic, bytes, message: None });
		for node in 0..crate::world::NODES {
			world.network.store(node, statement.clone());
		}
		world.hand_over(1, statements[letter].clone());
	}
	blocks(&mut world, 30);
	assert!(is_in_step(&world, 1, &group));
}
