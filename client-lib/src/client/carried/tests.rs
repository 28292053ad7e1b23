//! Bert's commit is on its way, and then his state is damaged: what becomes of what it carries.

use crate::{
	client::{
		world::{World, ANNA, BERT, BROKEN},
		Committed, Ended, IntentState,
	},
	mls::{GroupChange, Intent, SignerSeed},
	Event,
};
use lockstep_primitives::rpc::HexBytes;

const CARLA: usize = 2;

/// Carla is there, and in no group.
fn with_carla() -> World {
	let mut world = World::new();
	assert_eq!(world.meet("carla"), CARLA);
	world
}

/// A KeyPackage of Carla.
fn package(world: &mut World) -> HexBytes {
	let package = world.client(CARLA).key_package().unwrap();
	world.serve();
	HexBytes(package)
}

fn remove(name: &str) -> Intent {
	Intent::Remove(vec![HexBytes(name.as_bytes().to_vec())])
}

/// Bert has submitted a commit for what he wants when his records of this kind are damaged; gives the number of his intent.
fn wants(world: &mut World, intent: Intent, kind: &'static str) -> u64 {
	let (group, waiting) = (world.group, world.pool.len());
	let number = world.client(BERT).enqueue(&group, intent).unwrap();
	world.serve();
	assert_eq!(world.pool.len(), waiting + 1, "it is on its way");
	world.damage_closed(BERT, kind, Some(BROKEN));
	number
}

/// Anna wants these things, and one after the other comes about.
fn anna_does(world: &mut World, intents: impl IntoIterator<Item = Intent>) {
	let group = world.group;
	for intent in intents {
		let length = world.log.len();
		world.client(ANNA).enqueue(&group, intent).unwrap();
		world.until("what Anna does", |world| world.log.len() > length);
		(0..3).for_each(|_| world.blocks(1));
	}
}

/// What has become of Bert's intent.
fn came_of(world: &World, number: u64) -> Option<Ended> {
	let intents = world.members[BERT].client.as_ref()?.intents(&world.group).unwrap();
	intents.into_iter().find_map(|(found, state)| match state {
		IntentState::Ended(ended) if found == number => Some(ended),
		_ => None,
	})
}

/// As [`came_of`], of one that is done; it was told once.
fn done(world: &World, number: u64) -> Committed {
	let told = |event: &Event| matches!(event, Event::IntentEnded { intent, .. } if intent.number == number);
	assert_eq!(world.count(BERT, told), 1);
	match came_of(world, number) {
		Some(Ended::Done(committed)) => committed,
		other => panic!("{other:?}"),
	}
}

/// Done by the commit that Bert made before the damage.
fn is_done_by_own(world: &World, number: u64) {
	let Committed { entry, epoch, attempts, by_another, .. } = done(world, number);
	assert_eq!((entry, epoch, attempts, by_another), (world.log[2].header.hash, 2, 1, false));
}

#[test]
fn whom_it_added_without_an_invitation_is_named_and_what_to_do_is_said() {
	for kind in ["mls tree", "mls group state", "prepared"] {
		let mut world = with_carla();
		let group = world.group;
		let handed = package(&mut world);
		let number = wants(&mut world, Intent::Add(vec![handed]), kind);
		world.until("readmission", |world| world.joined(BERT) == 2);
		let Some(Ended::NotInvited(reason)) = came_of(&world, number) else {
			panic!("{kind}: {:?}", came_of(&world, number));
		};
		let Committed { entry, epoch, by_another, .. } = reason.committed;
		assert_eq!((entry, epoch, by_another), (world.log[2].header.hash, 2, false), "{kind}");
		let named: Vec<&[u8]> = reason.members.iter().map(|member| &member.identity.0[..]).collect();
		assert_eq!(named, [&b"carla"[..]]);
		assert!(reason.to_string().contains("carla; remove them, and add them again"), "{reason}");

		world.close(BERT);
		world.open(BERT);
		(0..10).for_each(|_| world.blocks(1));
		assert_eq!(came_of(&world, number), Some(Ended::NotInvited(reason)));
		let told = |event: &Event| matches!(event, Event::IntentEnded { intent, .. } if intent.number == number);
		assert_eq!((world.count(BERT, told), world.joined(CARLA)), (1, 0), "{kind}");
		// As it says.
		let again = package(&mut world);
		world.client(BERT).enqueue(&group, remove("carla")).unwrap();
		world
			.until("her removal", |world| world.count(ANNA, |event| matches!(event, Event::MemberRemoved { .. })) == 1);
		world.client(BERT).enqueue(&group, Intent::Add(vec![again])).unwrap();
		world.until("Carla", |world| world.joined(CARLA) == 1);
	}
}

#[test]
fn who_was_invited_by_somebody_else_since_is_not_named() {
	let mut world = with_carla();
	let handed = package(&mut world);
	let number = wants(&mut world, Intent::Add(vec![handed]), "mls tree");
	world.deaf = true;
	world.until("his commit", |world| world.log.len() == 3);
	let again = package(&mut world);
	anna_does(&mut world, [remove("carla"), Intent::Add(vec![again])]);
	world.deaf = false;
	world.until("readmission", |world| world.joined(BERT) == 2);
	is_done_by_own(&world, number);
	world.until("Carla", |world| world.joined(CARLA) == 1);
}

#[test]
fn what_it_did_is_not_done_again() {
	let mut world = World::new();
	let group = world.group;
	let named = |name: &str| Intent::GroupData(GroupChange { name: Some(name.to_owned()), ..GroupChange::default() });
	let number = wants(&mut world, named("his"), "mls tree");
	world.deaf = true;
	world.until("his commit", |world| world.log.len() == 3);
	anna_does(&mut world, [named("hers")]);
	world.deaf = false;
	world.until("readmission", |world| world.joined(BERT) == 2);
	is_done_by_own(&world, number);
	(0..10).for_each(|_| world.blocks(1));
	for at in [ANNA, BERT] {
		assert_eq!(world.client(at).status(&group).unwrap().data.name, "hers");
	}
}

/// By the same KeyPackage, so that her leaf does not tell whose commit it was.
#[test]
fn if_it_has_lost_whoever_was_added_by_another_is_not_named() {
	let mut world = with_carla();
	let group = world.group;
	let handed = package(&mut world);
	world.client(ANNA).enqueue(&group, Intent::Add(vec![handed.clone()])).unwrap();
	world.serve();
	let number = wants(&mut world, Intent::Add(vec![handed]), "mls tree");
	world.until("both commits", |world| world.log.len() == 4);
	assert_eq!(world.log[2].header.parent, world.log[3].header.parent);
	world.until("readmission", |world| world.joined(BERT) == 2);
	world.until("its end", |world| came_of(world, number).is_some());
	assert!(done(&world, number).by_another);
	assert_eq!(world.joined(CARLA), 1);
}

/// The leaf that was given the new key is gone, and the one that Bert comes back with has the old one.
#[test]
fn a_rotation_is_made_again() {
	let mut world = World::new();
	let spare = world.client(BERT).key_package().unwrap();
	world.serve();
	let number = wants(&mut world, Intent::Rotate { seed: SignerSeed::new([9; 32]) }, "mls tree");
	world.until("the rotation", |world| world.log.len() == 3);
	anna_does(&mut world, [remove("bert"), Intent::Add(vec![HexBytes(spare)])]);
	world.until("joining anew", |world| world.joined(BERT) == 2);
	world.until("its end", |world| came_of(world, number).is_some());
	let Committed { entry, by_another, .. } = done(&world, number);
	assert!(entry != world.log[2].header.hash && !by_another);
}
