//! What a backup has of a group that is left, come back to, or over.

use crate::{
	client::{
		world::{key, World, ANNA, BERT, BROKEN},
		Backup, GroupState,
	},
	finality::Finalized,
	mls::Intent,
	GroupId,
};

/// The groups in a backup of Bert's client, each with its epoch.
fn backed_up(world: &mut World) -> Vec<(GroupId, u64)> {
	let file = world.client(BERT).backup(&key());
	let backup = Backup::open(&file, &key()).unwrap();
	backup.groups().map(|group| (group.group, group.epoch)).collect()
}

/// What is stored of the group is damaged, and Bert's client finds that out. Nothing that it posts arrives.
fn loses_state(world: &mut World) {
	let group = world.group;
	world.deaf = true;
	world.damage_closed(BERT, "mls tree", Some(BROKEN));
	world.client(ANNA).enqueue(&group, Intent::Update).unwrap();
	world.until("the damage", |world| world.stands(BERT) == Some(GroupState::Returning));
}

#[test]
fn a_backup_has_each_group_once_that_its_client_is_to_come_back_to_and_no_other() {
	let mut world = World::new();
	let group = world.group;
	assert_eq!(backed_up(&mut world), [(group, 1)]);
	loses_state(&mut world);
	assert_eq!(backed_up(&mut world), [(group, 1)], "he is in it, and comes back to it");
	let (block, closed) = (world.block + 1, vec![group]);
	world.client(BERT).on_finalized(Finalized { block, entries: Vec::new(), closed, complete: true });
	assert!(backed_up(&mut world).is_empty(), "it is over");
}

#[test]
fn a_backup_does_not_have_a_group_that_its_client_leaves() {
	let mut world = World::new();
	let group = world.group;
	world.deaf = true;
	world.client(BERT).leave(&group).unwrap();
	assert!(backed_up(&mut world).is_empty());
	loses_state(&mut world);
	assert!(backed_up(&mut world).is_empty(), "nor if its state is damaged then");
}
