//! Members that misuse what they know.

use crate::{
	chain::{Mode, INTERVAL},
	member::{agree, found, Member},
	World,
};
use ed25519_dalek::{Signer, SigningKey};
use lockstep_client::{
	gate::{CONTEST_SPREAD, RESUBMIT_AFTER},
	Committed, Event, GroupId,
};
use lockstep_primitives::{endorsement_payload, extrinsic::Append, payload_hash, Endorsement, OrderingKey};
use tokio::task::JoinHandle;

/// A call endorsed with the newest key that the member had.
async fn endorse(world: &World, member: &Member, group: GroupId, payload: Vec<u8>, next_key: OrderingKey) -> Append {
	let keys = member.client.hostile_keys(group).await.unwrap();
	let (parent, seed) = *keys.last().unwrap();
	let signed = endorsement_payload(&world.chain.genesis, &group, &parent, &payload_hash(&payload), &next_key);
	let endorsement = Endorsement(SigningKey::from_bytes(&seed).sign(&signed).to_bytes());
	Append { group, parent, payload, next_key, endorsement }
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_in_the_log_is_skipped_and_contested_within_the_interval() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert", "mallory"]).await;
	let group = found(&mut members).await;
	for epoch in [2, 3] {
		// First bytes that do not even open, then a sealed bundle that does not decode.
		let payload = match epoch {
			2 => vec![0xaa; 100],
			_ => members[2].client.hostile_seal(group, vec![1, 2, 3]).await.unwrap(),
		};
		let call = endorse(&world, &members[2], group, payload, OrderingKey([9; 32])).await;
		world.chain.submit(&call.to_extrinsic()).unwrap();
		let entry = world.chain.state().logs[&group].head.unwrap().hash;
		let before = world.chain.state().height;
		world.run_until(&members, group, |status| status.epoch >= epoch).await;
		let took = world.chain.state().height - before;
		assert!(took <= INTERVAL + CONTEST_SPREAD + RESUBMIT_AFTER, "it took {took} blocks");
		for member in &mut members {
			let skipped = |event: &Event| matches!(event, Event::Skipped { entry: found, .. } if *found == entry);
			member.until("the garbage to be skipped", skipped).await;
		}
		let epoch = members[0].client.group(group).await.unwrap().epoch;
		agree(&mut members, group, epoch).await;
	}

	// Whoever joins such a group hears that its history was contested.
	let mut late = world.members(&["late"]).await.remove(0);
	let package = late.client.key_package().await.unwrap();
	members[0].client.add(group, vec![package]).await.unwrap();
	late.until("joining", |event| matches!(event, Event::Joined { contested: true, .. })).await;
}

/// Anna's commit is taken out of the pool by Mallory, who opens it and seals it anew.
async fn reseal(key: Option<OrderingKey>) -> (World, Vec<Member>, GroupId, JoinHandle<Committed>) {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert", "mallory"]).await;
	let group = found(&mut members).await;
	world.chain.set_mode(Mode::Held);
	let anna = members[0].client.clone();
	let update = tokio::spawn(async move { anna.update(group).await.unwrap() });
	world.chain.pooled(1).await;
	let genuine = world.chain.state().pool[0].clone();
	let bundle = members[2].client.hostile_open(group, genuine.payload).await.unwrap();
	let payload = members[2].client.hostile_seal(group, bundle).await.unwrap();
	let stolen = endorse(&world, &members[2], group, payload, key.unwrap_or(genuine.next_key)).await;
	world.chain.state().pool = vec![stolen];
	world.chain.block();
	world.chain.set_mode(Mode::Prompt);
	(world, members, group, update)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_sealed_anew_by_another_is_still_its_makers() {
	let (_world, mut members, group, update) = reseal(None).await;
	let updated = update.await.unwrap();
	assert_eq!((updated.epoch, updated.attempts, updated.by_another), (2, 1, false));
	agree(&mut members, group, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_sealed_anew_under_a_wrong_key_is_skipped_by_its_maker_too() {
	let (world, mut members, group, update) = reseal(Some(OrderingKey([9; 32]))).await;
	world.run_until(&members, group, |status| status.epoch >= 2).await;
	let updated = update.await.unwrap();
	assert!(!updated.by_another);
	let epoch = members[0].client.group(group).await.unwrap().epoch;
	agree(&mut members, group, epoch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_names_another_key_is_skipped_by_all() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert", "mallory"]).await;
	let group = found(&mut members).await;
	let commit = members[2].client.hostile_commit(group).await.unwrap();
	let call = endorse(&world, &members[2], group, commit.payload, OrderingKey([9; 32])).await;
	world.chain.submit(&call.to_extrinsic()).unwrap();
	// Mallory is hostile in what it sends only: having thrown its commit away, it cannot process it.
	let mut mallory = members.pop().unwrap();
	world.run_until(&members, group, |status| status.epoch >= 2).await;
	agree(&mut members, group, 2).await;
	mallory.until("stopping", |event| matches!(event, Event::Desynchronized { .. } | Event::Skipped { .. })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_commit_under_a_wrong_key_is_resubmitted_by_its_maker() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert", "mallory"]).await;
	let group = found(&mut members).await;
	world.chain.set_mode(Mode::Held);
	let anna = members[0].client.clone();
	let update = tokio::spawn(async move { anna.update(group).await.unwrap() });
	world.chain.pooled(1).await;
	let payload = world.chain.state().pool[0].payload.clone();
	let stolen = endorse(&world, &members[2], group, payload, OrderingKey([9; 32])).await;
	world.chain.state().pool = vec![stolen];
	world.chain.block();
	world.chain.set_mode(Mode::Prompt);
	world.run_until(&members, group, |status| status.epoch >= 2).await;
	// Unless another member's contest was faster, it is the commit that Anna had at hand.
	let updated = update.await.unwrap();
	assert!(!updated.by_another);
	let epoch = members[0].client.group(group).await.unwrap().epoch;
	agree(&mut members, group, epoch).await;
	assert!(members[0].client.group(group).await.unwrap().contested);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_a_removed_member_open_nothing() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert", "mallory"]).await;
	let group = found(&mut members).await;
	members[0].client.remove(group, vec![b"mallory".to_vec()]).await.unwrap();
	let mut mallory = members.pop().unwrap();
	mallory.until("removal", |event| matches!(event, Event::RemovedFromGroup { .. })).await;
	world.chain.blocks(2 * INTERVAL);
	let keys = mallory.client.hostile_keys(group).await.unwrap();
	assert!(!keys.is_empty());
	let newest = world.chain.state().logs[&group].head.unwrap().hash;
	for (entry, seed) in keys {
		for parent in [entry, newest] {
			let next_key = OrderingKey([9; 32]);
			let signed = endorsement_payload(&world.chain.genesis, &group, &parent, &payload_hash(b"x"), &next_key);
			let endorsement = Endorsement(SigningKey::from_bytes(&seed).sign(&signed).to_bytes());
			let call = Append { group, parent, payload: b"x".to_vec(), next_key, endorsement };
			// The chain takes a contest of an old entry, and no child of the newest one.
			let taken = world.chain.submit(&call.to_extrinsic()).is_ok();
			assert!(!taken || parent != newest);
		}
	}
	agree(&mut members, group, 2).await;
	assert_eq!(members[0].client.group(group).await.unwrap().epoch, 2);
}
