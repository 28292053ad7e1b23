//! Devices that are lost and restored, and the ones that they were copied from (decision 0020).

use crate::{
	member::{agree, found, Member},
	World,
};
use lockstep_client::{
	Backup, BackupError, Client, CommitError, Config, Event, GroupError, GroupId, GroupState, OpenError,
	RejoinAskError, RejoinError, RestoreError, SignerSeed, StoreKey, MAX_NOTE,
};

/// How often a client asks by itself.
const ASKS: usize = 5;
/// More blocks than all that a client asks for by itself takes.
const ALL_ASKED: [u32; 6] = [60, 60, 120, 180, 240, 300];

fn key() -> StoreKey {
	StoreKey::from_bytes([5; 32])
}

async fn backup_of(member: &Member) -> Vec<u8> {
	member.client.export_backup(&key(), b"note".to_vec()).await.unwrap()
}

/// What a client of a backup is opened with, its store being made in a folder of this name.
fn restored(world: &World, file: &[u8], folder: &str, like: &Config) -> Config {
	let backup = Backup::open(file, &key()).unwrap();
	let path = world.folder.path().join(folder);
	let config = Config { path, identity: backup.identity().to_vec(), signer: backup.signer(), ..like.clone() };
	backup.restore(&config.path, &config.key).unwrap();
	config
}

/// Opens it, and has blocks made for the members to take their turns.
async fn readmitted(world: &World, config: Config, group: GroupId) -> Member {
	let posted = world.chain.state().statements.len();
	let mut member = Member::open(config).await.unwrap();
	world.chain.stored(posted + 1).await;
	world.chain.blocks(12);
	member.joined(group).await;
	member
}

/// Blocks, until a client has asked as often as it would, and all have seen them.
async fn wait_for_all_to_be_asked(world: &World, members: &[&Member], group: GroupId) {
	for blocks in ALL_ASKED {
		world.chain.blocks(blocks);
		let height = world.chain.state().height;
		for member in members {
			member.when(group, |status| status.finalized >= height).await;
		}
	}
}

fn entries(world: &World, group: &GroupId) -> usize {
	world.chain.state().logs[group].entries.len()
}

async fn copies_in(copies: &[Member], group: GroupId) -> bool {
	let mut any = false;
	for copy in copies {
		any |= copy.client.group(group).await.unwrap().state == GroupState::Active;
	}
	any
}

fn is_replaced(event: &Event) -> bool {
	matches!(event, Event::Replaced { .. })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_device_gets_a_new_leaf_and_the_one_that_still_runs_stops() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert", "cora"]).await;
	let group = found(&mut members).await;
	agree(&mut members, group, 1).await;
	let mut old = members.remove(1);
	let file = backup_of(&old).await;
	let new = readmitted(&world, restored(&world, &file, "new", &old.config), group).await;
	old.until("its end", is_replaced).await;
	let status = old.client.group(group).await.unwrap();
	assert_eq!(status.state, GroupState::Replaced);
	assert_eq!(old.client.send(group, vec![1]).await, Err(GroupError::Replaced(group).into()));
	assert_eq!(old.client.update(group).await, Err(GroupError::Replaced(group).into()));
	assert_eq!(old.count(|event| matches!(event, Event::RemovedFromGroup { .. })), 0);
	members.insert(1, new);
	let epoch = members[0].client.group(group).await.unwrap().epoch;
	agree(&mut members, group, epoch).await;
	let status = members[0].client.group(group).await.unwrap();
	assert_eq!(status.members.len(), 3, "one leaf for an identity");
	let heard = old.count(|event| matches!(event, Event::Message { epoch: found, .. } if *found >= epoch));
	assert_eq!(heard, 0, "it reads nothing of the new epoch");

	// It does not come back by itself: not in time, and not when it is opened again.
	let (before, posted) = (entries(&world, &group), world.chain.state().statements.len());
	let mut old = old.reopen().await;
	old.when(group, |status| status.state == GroupState::Replaced).await;
	wait_for_all_to_be_asked(&world, &[&members[0], &members[1], &members[2], &old], group).await;
	assert_eq!(entries(&world, &group), before, "no readmission follows another");
	assert_eq!(world.chain.state().statements.len(), posted, "nobody asks");
	// But whoever uses it can have it take the place again, and then the other one stops.
	old.client.rejoin(group).await.unwrap();
	world.chain.stored(posted + 1).await;
	world.chain.blocks(12);
	old.joined(group).await;
	members[1].until("its end", is_replaced).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_are_restored_from_one_backup_the_last_one_stays() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	let old = members.pop().unwrap();
	let file = backup_of(&old).await;
	old.client.close().await;
	let mut first = readmitted(&world, restored(&world, &file, "first", &old.config), group).await;
	let second = readmitted(&world, restored(&world, &file, "second", &old.config), group).await;
	first.until("its end", is_replaced).await;
	members.push(second);
	let epoch = members[0].client.group(group).await.unwrap().epoch;
	agree(&mut members, group, epoch).await;
	let before = entries(&world, &group);
	wait_for_all_to_be_asked(&world, &[&members[0], &members[1], &first], group).await;
	assert_eq!(entries(&world, &group), before, "two copies, two readmissions");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_are_restored_at_the_same_time_are_never_both_in() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	let old = members.pop().unwrap();
	let file = backup_of(&old).await;
	old.client.close().await;
	let mut copies = Vec::new();
	for folder in ["first", "second"] {
		copies.push(Member::open(restored(&world, &file, folder, &old.config)).await.unwrap());
	}
	let before = entries(&world, &group);
	let all = [&members[0], &copies[0], &copies[1]];
	// Block by block: one that has not heard of its readmission before it may ask again would be readmitted twice.
	while !copies_in(&copies, group).await {
		world.chain.block();
		let height = world.chain.state().height;
		for member in all {
			member.when(group, |status| status.finalized >= height).await;
		}
	}
	wait_for_all_to_be_asked(&world, &all, group).await;
	let readmissions = entries(&world, &group) - before;
	// Blocks are faster here than statements, so that a copy may ask anew before it hears of its readmission.
	assert!((1..=2 * ASKS).contains(&readmissions), "{readmissions}");
	let mut states = Vec::new();
	for copy in &copies {
		states.push(copy.client.group(group).await.unwrap().state);
	}
	let active = states.iter().filter(|state| **state == GroupState::Active).count();
	assert!(active <= 1, "{states:?}");
	assert!(states.contains(&GroupState::Replaced), "{states:?}");
	if active == 0 {
		// A request that was on its way when its sender came in was granted after the other's. Now somebody has to decide.
		copies[0].client.rejoin(group).await.unwrap();
		world.chain.blocks(12);
		copies[0].joined(group).await;
	}
	assert_eq!(members[0].client.group(group).await.unwrap().members.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_was_away_learns_from_the_log_that_it_was_replaced() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert", "cora"]).await;
	let group = found(&mut members).await;
	let mut old = members.remove(1);
	let file = backup_of(&old).await;
	// The leaf is another one than that of the backup by then.
	old.client.update(group).await.unwrap();
	old.client.close().await;
	members[0].client.update(group).await.unwrap();
	let new = readmitted(&world, restored(&world, &file, "new", &old.config), group).await;
	members.insert(1, new);
	let epoch = members[0].client.group(group).await.unwrap().epoch;
	agree(&mut members, group, epoch).await;
	let before = entries(&world, &group);
	old = Member::open(old.config).await.unwrap();
	let status = old.when(group, |status| status.state != GroupState::Active).await;
	assert_eq!(status.state, GroupState::Replaced);
	wait_for_all_to_be_asked(&world, &[&members[0], &members[1], &members[2], &old], group).await;
	assert_eq!(entries(&world, &group), before);
	agree(&mut members, group, epoch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_rotated_before_the_backup_is_in_it() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	let old = members.pop().unwrap();
	old.client.rotate(group, SignerSeed::new([77; 32])).await.unwrap();
	let file = backup_of(&old).await;
	old.client.close().await;
	let new = readmitted(&world, restored(&world, &file, "new", &old.config), group).await;
	members.push(new);
	let epoch = members[0].client.group(group).await.unwrap().epoch;
	agree(&mut members, group, epoch).await;
	let changed = members[0].count(|event| matches!(event, Event::KeyChanged { epoch: found, .. } if *found == epoch));
	assert_eq!(changed, 0, "it came back with the key that it had");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_from_before_a_rotation_asks_in_vain_and_says_so() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	let file = backup_of(&members[1]).await;
	members[1].client.rotate(group, SignerSeed::new([77; 32])).await.unwrap();
	let before = entries(&world, &group);
	let mut new = Member::open(restored(&world, &file, "new", &members[1].config)).await.unwrap();
	wait_for_all_to_be_asked(&world, &[&members[0], &members[1], &new], group).await;
	new.until("the end of asking", |event| matches!(event, Event::NotReadmitted { times: 5, .. })).await;
	assert_eq!(entries(&world, &group), before);
	assert_eq!(members[1].client.group(group).await.unwrap().state, GroupState::Active, "the true device goes on");
	assert_eq!(new.client.group(group).await.unwrap().state, GroupState::NotReadmitted);
	assert_eq!(new.client.send(group, vec![1]).await, Err(GroupError::Returning(group).into()));
	// That lasts, and no more is asked.
	let posted = world.chain.state().statements.len();
	let mut new = new.reopen().await;
	new.when(group, |status| status.state == GroupState::NotReadmitted).await;
	world.chain.blocks(1000);
	assert_eq!(world.chain.state().statements.len(), posted);
	// Whoever is handed the request is told what is wrong with it.
	let request = new.client.rejoin(group).await.unwrap();
	let refused = members[0].client.readmit(group, request).await;
	assert!(matches!(refused, Err(CommitError::Rejoin(RejoinError::Signature { .. }))), "{refused:?}");
	// The way back is another one.
	let package = new.client.key_package().await.unwrap();
	members[0].client.remove(group, vec![b"bert".to_vec()]).await.unwrap();
	members[0].client.add(group, vec![package]).await.unwrap();
	new.joined(group).await;
	members[1] = new;
	let epoch = members[0].client.group(group).await.unwrap().epoch;
	agree(&mut members, group, epoch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_removed_since_the_backup_stays_out() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	let file = backup_of(&members[1]).await;
	members[0].client.remove(group, vec![b"bert".to_vec()]).await.unwrap();
	members[1].until("removal", |event| matches!(event, Event::RemovedFromGroup { .. })).await;
	let mut new = Member::open(restored(&world, &file, "new", &members[1].config)).await.unwrap();
	let before = entries(&world, &group);
	wait_for_all_to_be_asked(&world, &[&members[0], &new], group).await;
	new.until("the end of asking", |event| matches!(event, Event::NotReadmitted { .. })).await;
	assert_eq!(entries(&world, &group), before);
	let request = new.client.rejoin(group).await.unwrap();
	let refused = members[0].client.readmit(group, request).await;
	assert!(matches!(refused, Err(CommitError::Rejoin(RejoinError::NotAMember { .. }))), "{refused:?}");
	// A backup of whoever is out does not have the group.
	let later = Backup::open(&backup_of(&members[1]).await, &key()).unwrap();
	assert_eq!(later.groups().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_was_closed_since_the_backup_is_over() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	let old = members.pop().unwrap();
	let file = backup_of(&old).await;
	old.client.close().await;
	world.chain.close(&group);
	let new = Member::open(restored(&world, &file, "new", &old.config)).await.unwrap();
	new.when(group, |status| status.state == GroupState::Closed).await;
	let refused = new.client.rejoin(group).await;
	assert!(matches!(refused, Err(RejoinAskError::Group(GroupError::Gone(_)))), "{refused:?}");
	let new = new.reopen().await;
	new.when(group, |status| status.state == GroupState::Closed).await;
	assert_eq!(new.client.evidence().await.unwrap(), Vec::new(), "the node told the truth");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_has_the_groups_of_its_time_and_can_be_made_before_they_are_come_back_to() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	let file = backup_of(&members[1]).await;
	let later = found(&mut members).await;
	let backup = Backup::open(&file, &key()).unwrap();
	assert_eq!(backup.groups().map(|found| (found.group, found.epoch)).collect::<Vec<_>>(), [(group, 1)]);
	assert_eq!((backup.genesis(), backup.note()), (world.chain.genesis, &b"note"[..]));
	let old = members.pop().unwrap();
	old.client.close().await;
	// Nobody answers, but a copy of the copy can ask, too.
	members[0].client.close().await;
	let copy = Member::open(restored(&world, &file, "copy", &old.config)).await.unwrap();
	assert_eq!(copy.client.group(group).await.unwrap().state, GroupState::Returning);
	assert_eq!(copy.client.group(later).await, Err(GroupError::Unknown(later)));
	assert_eq!(copy.client.groups().await, [group]);
	let file = backup_of(&copy).await;
	copy.client.close().await;
	members[0] = Member::open(members[0].config.clone()).await.unwrap();
	let new = readmitted(&world, restored(&world, &file, "copy of a copy", &old.config), group).await;
	members.push(new);
	let epoch = members[0].client.group(group).await.unwrap().epoch;
	agree(&mut members, group, epoch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_goes_on_after_a_restart_and_by_hand_where_nothing_is_posted() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	let old = members.pop().unwrap();
	let file = backup_of(&old).await;
	old.client.close().await;
	world.chain.state().deaf = true;
	let new = Member::open(restored(&world, &file, "new", &old.config)).await.unwrap();
	let request = new.client.rejoin(group).await.unwrap();
	let mut new = new.reopen().await;
	world.chain.state().deaf = false;
	// Unless what was posted meanwhile was answered first.
	drop(members[0].client.readmit(group, request).await);
	new.joined(group).await;
	members.push(new);
	agree(&mut members, group, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_restored_once_and_for_its_owner() {
	let world = World::new().await;
	let members = world.members(&["anna"]).await;
	let anna = &members[0];
	let file = backup_of(anna).await;
	let config = restored(&world, &file, "new", &anna.config);
	let backup = Backup::open(&file, &key()).unwrap();
	for path in [&config.path, &anna.config.path] {
		let occupied = Err(RestoreError::Occupied { path: path.clone() });
		assert_eq!(backup.restore(path, &config.key), occupied, "nothing is overwritten");
	}
	let other = Config { signer: [1; 32], ..config.clone() };
	assert_eq!(Client::open(other).await.unwrap_err(), OpenError::OtherIdentity);
	let long = anna.client.export_backup(&key(), vec![0; MAX_NOTE + 1]).await;
	assert_eq!(long, Err(BackupError::Note { length: MAX_NOTE + 1, max: MAX_NOTE }));
	anna.client.close().await;
	assert_eq!(anna.client.export_backup(&key(), Vec::new()).await, Err(BackupError::Closed));
	Client::open(config).await.unwrap().close().await;
}
