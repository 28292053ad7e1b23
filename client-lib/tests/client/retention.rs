//! Members that were away for longer than nodes keep the bodies of blocks.

use crate::{
	member::{agree, config, found, Member},
	node::Node,
	World,
};
use lockstep_client::{Event, GroupState, PrivateReason};

/// A node that has deleted all payloads up to the one of this entry.
async fn pruned(world: &World, newest: u64) -> Node {
	let node = Node::start(&world.chain).await;
	node.spoil(move |message, _| {
		let old = message.entries.iter_mut().filter(|(_, entry)| entry.index <= newest && entry.body.payload_len > 0);
		old.for_each(|(_, entry)| entry.payload = None);
	});
	node
}

async fn away_for(world: &World, epochs: u64) -> (Vec<Member>, lockstep_client::Config, lockstep_client::GroupId) {
	let mut members = world.members(&["anna", "bert", "cora"]).await;
	let group = found(&mut members).await;
	let cora = members.pop().unwrap();
	cora.client.close().await;
	for _ in 0..epochs {
		members[0].client.update(group).await.unwrap();
	}
	(members, cora.config, group)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_one_node_has_deleted_comes_from_another() {
	let world = World::new().await;
	let (mut members, mut place, group) = away_for(&world, 4).await;
	let pruned = pruned(&world, 3).await;
	place.nodes = vec![pruned.url.clone(), world.node.url.clone()];
	let mut cora = Member::open(place).await.unwrap();
	cora.reached(group, 5).await;
	assert_eq!(cora.count(|event| matches!(event, Event::Desynchronized { .. } | Event::NodeLied { .. })), 0);
	assert_eq!(cora.client.group(group).await.unwrap().epoch, 5, "nobody had to readmit her");
	members.push(cora);
	agree(&mut members, group, 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_node_that_has_it_a_member_is_readmitted() {
	let world = World::new().await;
	let (mut members, mut place, group) = away_for(&world, 4).await;
	let (one, other) = (pruned(&world, 3).await, pruned(&world, 2).await);
	place.nodes = vec![one.url.clone(), other.url.clone()];
	let mut cora = Member::open(place).await.unwrap();
	let cut_off = cora.until("being cut off", |event| matches!(event, Event::Desynchronized { .. })).await;
	assert!(matches!(cut_off, Event::Desynchronized { reason: PrivateReason::NoPayload, .. }), "{cut_off:?}");
	cora.joined(group).await;
	let status = cora.client.group(group).await.unwrap();
	assert_eq!((status.state, status.members.len()), (GroupState::Active, 3));
	assert_eq!(cora.count(|event| matches!(event, Event::NodeLied { .. })), 0, "both were honest");
	members.push(cora);
	agree(&mut members, group, 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn joining_needs_no_payload_of_the_past() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	for _ in 0..3 {
		members[0].client.update(group).await.unwrap();
	}
	let pruned = pruned(&world, 100).await;
	let mut dora = Member::open(config("dora", &pruned.url, world.folder.path())).await.unwrap();
	members[0].client.add(group, vec![dora.client.key_package().await.unwrap()]).await.unwrap();
	dora.joined(group).await;
	members.push(dora);
	agree(&mut members, group, 5).await;
}
