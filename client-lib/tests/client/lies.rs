//! Nodes that lie, and what a client makes of the part that is true.

use crate::{
	member::{config, found, Member},
	node::Node,
	World,
};
use lockstep_client::{Event, Evidence, GroupId};
use lockstep_primitives::rpc::HexBytes;

async fn evidence(member: &mut Member) -> Evidence {
	member.until("a lie", |event| matches!(event, Event::NodeLied { .. })).await;
	member.client.evidence().await.unwrap().remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_message_proves_counts_although_it_lies_about_another_group() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let mut groups: Vec<GroupId> = vec![found(&mut members).await, found(&mut members).await];
	groups.sort_unstable();
	members[1].client.close().await;
	for group in &groups {
		members[0].client.update(*group).await.unwrap();
	}
	// The proof is looked through in the order of the groups: the last one's entries are not there.
	let liar = Node::start(&world.chain).await;
	let last = groups[1];
	liar.spoil(move |message, _| message.entries.retain(|(group, _)| *group != last));
	let mut config = config("bert", &liar.url, world.folder.path());
	config.nodes.push(world.node.url.clone());
	let mut bert = Member::open(config).await.unwrap();
	assert!(evidence(&mut bert).await.lie.contains(&last.to_string()));
	for group in groups {
		bert.when(group, |status| status.epoch == 2).await;
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn two_final_blocks_of_one_height_are_reported_with_the_votes_for_both() {
	let world = World::new().await;
	let mut member = world.members(&["anna"]).await.remove(0);
	let group = member.client.create_group().await.unwrap();
	let height = world.chain.state().height;
	member.when(group, |status| status.finalized >= height).await;
	let ours = world.chain.state().justified();
	let theirs = world.chain.state().rival();
	let sent = theirs.clone();
	world.node.spoil(move |message, _| {
		if let Some(proof) = &mut message.proof {
			proof.block = sent.clone();
		}
	});
	world.chain.block();
	let Evidence { lie, sent: HexBytes(sent), .. } = evidence(&mut member).await;
	assert!(lie.contains("two blocks are final"), "{lie}");
	let sent = String::from_utf8(sent).unwrap();
	for votes in [ours.justification, theirs.justification] {
		assert!(sent.contains(&hex::encode(votes.0)), "the votes for both are kept");
	}
}
