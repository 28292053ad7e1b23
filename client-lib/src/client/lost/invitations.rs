//! Invitations to a group that a client is in, was in, or comes back to.

use crate::{
	client::{
		claimed::engine,
		decoys::posted_by,
		records::Invited,
		returning::Restored,
		world::{key, World, ANNA, BERT, BROKEN, KEYS},
		GroupState, InvitationError,
	},
	mls::{Intent, Invitation},
	store::{Overlay, Store},
	Event, GroupId,
};
use lockstep_primitives::{rpc::HexBytes, EntryHash};

/// More blocks than an invitation is waited with for its entry.
const LONG: u32 = 700;

/// What anybody can write who has heard of the group.
fn invitation_to(group: GroupId, entry: EntryHash, index: u64) -> Invitation {
	let written = serde_json::json!({ "group": group, "entry": entry, "index": index, "welcome": "0x" });
	serde_json::from_value(written).unwrap()
}

/// Invitations of Bert's that came to nothing.
fn failures(world: &World) -> usize {
	world.count(BERT, |event| matches!(event, Event::InvitationFailed { .. }))
}

/// A KeyPackage of Bert's beside the one that he came in with.
fn spare(world: &mut World) -> Vec<u8> {
	let package = world.client(BERT).key_package().unwrap();
	world.serve();
	package
}

/// Anna puts Bert out, and in again with this KeyPackage.
fn put_out_and_in(world: &mut World, package: Vec<u8>) {
	let (group, length) = (world.group, world.log.len());
	for intent in [Intent::Remove(vec![HexBytes(b"bert".to_vec())]), Intent::Add(vec![HexBytes(package)])] {
		world.client(ANNA).enqueue(&group, intent).unwrap();
		(0..10).for_each(|_| world.blocks(1));
	}
	assert_eq!(world.log.len(), length + 2, "he was put out, and in again");
}

/// Closes Bert's client, works on its store, and opens it again.
fn in_store<T>(world: &mut World, work: impl FnOnce(&Overlay<'_>) -> T) -> T {
	world.close(BERT);
	let store = Store::open(world.members[BERT].folder.path(), &key()).unwrap();
	let overlay = store.overlay();
	let done = work(&overlay);
	overlay.commit().unwrap();
	drop(store);
	world.open(BERT);
	done
}

/// Whoever has seen a KeyPackage of a member's can make it such letters. It would read the log from the start, and wait for an entry.
#[test]
fn an_invitation_to_where_a_member_is_already_does_nothing_to_it() {
	let mut world = World::new();
	let (group, head) = (world.group, world.cursor.head);
	let package = spare(&mut world);
	let before = world.client(BERT).status(&group).unwrap();
	for (entry, index) in [(head.hash, head.length - 1), (EntryHash([9; 32]), 1_000_000)] {
		let invitation = invitation_to(group, entry, index);
		for statement in posted_by(&engine("mallory"), &invitation, &package, |_, _| {}) {
			world.statements.push(statement.clone());
			world.client(BERT).on_statement(&statement);
			world.serve();
		}
	}
	for text in ["after", "again"] {
		assert_eq!(world.members[BERT].follows, Some(head.length), "he reads on from where he is");
		assert_eq!(world.client(BERT).letters(), 2, "they are put off");
		let status = world.client(BERT).status(&group).unwrap();
		assert_eq!((status.epoch, status.entry, status.state), (before.epoch, before.entry, before.state));
		world.blocks(1);
		world.blocks(LONG);
		assert_eq!((world.joined(BERT), failures(&world)), (1, 0));
		world.talk(text);
		world.close(BERT);
		world.open(BERT);
	}
}

#[test]
fn an_invitation_that_comes_before_a_member_knows_that_it_was_put_out_waits_for_that() {
	let mut world = World::new();
	let package = spare(&mut world);
	// No entry reaches him, but what is posted does.
	let read = world.members[BERT].follows.take();
	put_out_and_in(&mut world, package);
	assert_eq!((world.joined(BERT), world.stands(BERT)), (1, Some(GroupState::Active)));
	assert_eq!(world.members[BERT].follows, None, "he does not ask for the log");
	assert_eq!(world.client(BERT).letters(), 1, "it is put off");
	world.members[BERT].follows = read;
	world.until("joining anew", |world| world.joined(BERT) == 2);
	assert_eq!(failures(&world), 0);
	world.talk("after");
}

/// It was to be joined anew for trouble that has passed.
#[test]
fn an_invitation_that_was_left_over_is_dropped_when_its_group_is_followed_again() {
	let mut world = World::new();
	let (group, head) = (world.group, world.cursor.head);
	let invitation = invitation_to(group, head.hash, head.length - 1);
	let invited = Invited { invitation, key_package_ref: HexBytes(vec![1; 32]) };
	in_store(&mut world, |overlay| overlay.put(group.as_bytes(), &invited)).unwrap();
	assert_eq!(world.members[BERT].follows, Some(head.length), "he reads on from where he is");
	world.blocks(1);
	world.blocks(LONG);
	assert_eq!((world.joined(BERT), failures(&world)), (1, 0));
	let left = in_store(&mut world, |overlay| overlay.get::<Invited>(group.as_bytes())).unwrap();
	assert!(left.is_none(), "{left:?}");
	world.talk("after");
}

/// He has asked once, for other trouble. That is over.
#[test]
fn whoever_was_readmitted_asks_anew_before_it_gives_its_place_to_an_invitation() {
	let mut world = World::new();
	let group = world.group;
	let package = spare(&mut world);
	world.damage_closed(BERT, KEYS, None);
	let newest = world.cursor.head.hash;
	let request = world.client(BERT).rejoin_after(&group, newest).unwrap();
	world.client(ANNA).readmit(&group, &request).unwrap();
	world.until("readmission", |world| world.joined(BERT) == 2);
	world.damage_closed(BERT, KEYS, None);
	assert_eq!(world.stands(BERT), Some(GroupState::Halted));
	put_out_and_in(&mut world, package);
	assert_eq!((world.joined(BERT), world.stands(BERT)), (2, Some(GroupState::Halted)));
}

/// The wish was fulfilled.
#[test]
fn whoever_has_left_and_is_invited_again_does_not_leave_again() {
	let mut world = World::new();
	let group = world.group;
	let package = spare(&mut world);
	let left = |world: &World| world.count(BERT, |event| matches!(event, Event::RemovedFromGroup { .. }));
	world.client(BERT).leave(&group).unwrap();
	world.until("leaving", |world| left(world) == 1);
	world.client(ANNA).enqueue(&group, Intent::Add(vec![HexBytes(package)])).unwrap();
	world.until("joining anew", |world| world.joined(BERT) == 2);
	(0..60).for_each(|_| world.blocks(1));
	assert_eq!((left(&world), world.stands(BERT)), (1, Some(GroupState::Active)));
	world.talk("after");
}

/// A hostile member can lead it to one beside the log. Nothing else in this store tells of an epoch as late as that of the backup.
#[test]
fn whoever_comes_back_joins_no_epoch_that_its_backup_had_passed() {
	let mut world = World::new();
	let group = world.group;
	world.deaf = true;
	world.damage_closed(BERT, "mls tree", Some(BROKEN));
	world.client(ANNA).enqueue(&group, Intent::Update).unwrap();
	world.until("the damage", |world| world.stands(BERT) == Some(GroupState::Returning));
	in_store(&mut world, |overlay| {
		let restored: Restored = overlay.get(group.as_bytes()).unwrap().unwrap();
		overlay.put(group.as_bytes(), &Restored { epoch: 9, ..restored }).unwrap();
	});
	world.deaf = false;
	world.until("an answer", |world| failures(world) > 0);
	let says = |reason: &InvitationError| matches!(reason, InvitationError::Mismatch(what) if what.contains("backup"));
	let is_why = |event: &Event| matches!(event, Event::InvitationFailed { reason, .. } if says(reason));
	assert_eq!(world.count(BERT, is_why), failures(&world));
	assert_eq!((world.joined(BERT), world.stands(BERT)), (1, Some(GroupState::Returning)));
}
