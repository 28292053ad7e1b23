//! Lost replies, lost submissions, restarts of clients and nodes, garbage.

use crate::{
	chain::Mode,
	member::{agree, config, found, Member},
	node::Node,
	World,
};
use lockstep_client::{Event, Intent, Outcome};
use lockstep_primitives::{rpc::HexBytes, topic};

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_does_not_matter() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	world.chain.set_mode(Mode::Unanswered);
	let group = found(&mut members).await;
	let updated = members[0].client.update(group).await.unwrap();
	assert_eq!((updated.epoch, updated.attempts), (2, 1));
	world.chain.blocks(30);
	agree(&mut members, group, 2).await;
	assert_eq!(world.chain.state().logs[&group].entries.len(), 3, "nothing was done twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_submission_is_made_again() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	world.chain.set_mode(Mode::Lost);
	let anna = members[0].client.clone();
	let update = tokio::spawn(async move { anna.update(group).await.unwrap() });
	// The update is on its way once the status is answered.
	members[0].client.group(group).await.unwrap();
	world.chain.set_mode(Mode::Prompt);
	world.chain.blocks(10);
	let updated = tokio::time::timeout(std::time::Duration::from_secs(30), update).await.unwrap().unwrap();
	assert_eq!((updated.epoch, updated.attempts), (2, 1));
	agree(&mut members, group, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_passes_by_those_that_wait_in_the_pool() {
	let world = World::new().await;
	let members = world.members(&["anna"]).await;
	world.chain.state().taken = 5;
	let creating = members[0].client.create_group();
	let group = tokio::time::timeout(std::time::Duration::from_secs(30), creating).await.unwrap().unwrap();
	assert!(world.chain.state().logs.contains_key(&group));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_becomes_final_while_its_client_is_closed_is_merged() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert", "cora"]).await;
	let mut cora = members.pop().unwrap();
	let group = found(&mut members).await;
	world.chain.set_mode(Mode::Held);
	let (anna, package) = (members[0].client.clone(), cora.client.key_package().await.unwrap());
	let add = tokio::spawn(async move { anna.add(group, vec![package]).await });
	world.chain.pooled(1).await;
	members[0].client.close().await;
	assert!(add.await.unwrap().is_err(), "the call ends with the client");
	world.chain.set_mode(Mode::Prompt);
	world.chain.block();

	// Opened again, it finds that it won, and only now releases the Welcome.
	let anna = members.remove(0).reopen().await;
	members.insert(0, anna);
	cora.joined(group).await;
	members.push(cora);
	agree(&mut members, group, 2).await;
}

/// The log has gone on when the inviter learns that it has won: the letter has the tree of the epoch that it opened, not of the
/// newest. Then it is stored, and no node takes it before the inviter was closed once more.
#[tokio::test(flavor = "multi_thread")]
async fn an_inviter_that_is_closed_before_it_knows_that_it_has_won_and_before_its_letter_is_out_invites() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert", "cora"]).await;
	let mut cora = members.pop().unwrap();
	let group = found(&mut members).await;
	world.chain.set_mode(Mode::Held);
	let package = cora.client.key_package().await.unwrap();
	members[0].client.enqueue(group, Intent::Add(vec![HexBytes(package)])).await.unwrap();
	world.chain.pooled(1).await;
	let anna = members.remove(0);
	anna.client.close().await;
	world.chain.state().deaf = true;
	world.chain.set_mode(Mode::Prompt);
	world.chain.block();
	members[0].reached(group, 2).await;
	for _ in 0..2 {
		members[0].client.update(group).await.unwrap();
	}

	let anna = Member::open(anna.config).await.unwrap();
	anna.reached(group, 4).await;
	assert!(cora.client.groups().await.is_empty(), "nobody has heard of it");
	anna.client.close().await;
	world.chain.state().deaf = false;
	let anna = Member::open(anna.config).await.unwrap();
	anna.reached(group, 4).await;
	world.chain.blocks(20);
	cora.joined(group).await;
	members.extend([anna, cora]);
	agree(&mut members, group, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_was_stored_but_never_submitted_is_submitted_after_a_restart() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	world.chain.set_mode(Mode::Lost);
	// What was spawned could come after the end of the client; this has answered when the intent is stored.
	members[0].client.enqueue(group, Intent::Update).await.unwrap();
	members[0].client.close().await;
	world.chain.set_mode(Mode::Prompt);
	let anna = members.remove(0).reopen().await;
	members.insert(0, anna);
	world.chain.blocks(10);
	agree(&mut members, group, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_was_away_catches_up_in_order() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	members[1].client.close().await;
	for _ in 0..12 {
		members[0].client.update(group).await.unwrap();
	}
	let bert = members.pop().unwrap().reopen().await;
	members.push(bert);
	agree(&mut members, group, 13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_restarts_is_followed_again() {
	let mut world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	world.node = world.node.restart().await;
	let outcome = members[1].client.update_once(group).await.unwrap();
	assert!(matches!(outcome, Outcome::Won(_)));
	// What was submitted while nobody was there comes with a later block.
	agree(&mut members, group, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_posted_while_no_node_is_there_arrives_later() {
	let mut world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	let address = world.node.url.clone();
	members[0].client.close().await;
	world.node = world.node.restart().await;
	assert_eq!(world.node.url, address);
	let anna: Member = members.remove(0).reopen().await;
	anna.client.send(group, b"late".to_vec()).await.unwrap();
	members.insert(0, anna);
	world.chain.blocks(3);
	assert_eq!(members[1].hears(b"late").await, b"anna");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_advances_on_what_is_not_final() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	world.node.set_finality(false);
	let anna = members[0].client.clone();
	let update = tokio::spawn(async move { anna.update(group).await.unwrap() });
	// The commit is accepted, and in a block.
	let mut changes = world.chain.changes();
	while world.chain.state().logs[&group].entries.len() < 3 {
		changes.changed().await.unwrap();
	}
	for member in &members {
		assert_eq!(member.client.group(group).await.unwrap().epoch, 1);
	}
	assert!(!update.is_finished());
	world.node.set_finality(true);
	assert_eq!(update.await.unwrap().epoch, 2);
	agree(&mut members, group, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_an_epoch_that_is_not_reached_waits_for_it() {
	let world = World::new().await;
	let slow = Node::start(&world.chain).await;
	let mut members = world.members(&["anna"]).await;
	members.push(Member::open(config("bert", &slow.url, world.folder.path())).await.unwrap());
	let group = found(&mut members).await;
	slow.set_finality(false);
	for epoch in 2..5u64 {
		members[0].client.update(group).await.unwrap();
		members[0].client.send(group, epoch.to_string().into_bytes()).await.unwrap();
	}
	// Bert gets the messages, and cannot read them: what he sends now is of epoch 1, and everybody reads it.
	members[1].client.send(group, b"of epoch 1".to_vec()).await.unwrap();
	assert_eq!(members[0].hears(b"of epoch 1").await, b"bert");
	assert_eq!(members[1].client.group(group).await.unwrap().epoch, 1);
	assert_eq!(members[1].count(|event| matches!(event, Event::Message { .. })), 0);
	slow.set_finality(true);
	for epoch in 2..5u64 {
		assert_eq!(members[1].hears(epoch.to_string().as_bytes()).await, b"anna");
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn another_node_is_used_when_one_is_gone() {
	let world = World::new().await;
	let second = Node::start(&world.chain).await;
	let mut members = Vec::new();
	for name in ["anna", "bert"] {
		let mut config = config(name, &world.node.url, world.folder.path());
		config.nodes.push(second.url.clone());
		members.push(Member::open(config).await.unwrap());
	}
	let group = found(&mut members).await;
	let World { node, folder: _folder, .. } = world;
	node.stop().await;
	members[0].client.update(group).await.unwrap();
	agree(&mut members, group, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_under_a_topic_is_passed_over() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	members[0].client.send(group, b"first".to_vec()).await.unwrap();
	members[1].hears(b"first").await;
	let genuine: Vec<Vec<u8>> = world.chain.state().statements.clone();
	let topic = topic::group_topic(&group);
	// Every kind of damage to a genuine message, repeats, and statements of strangers.
	let message = genuine.iter().find(|statement| statement.get(109..141) == Some(&topic[..])).unwrap();
	for at in (0..message.len()).step_by(7) {
		let mut damaged = message.clone();
		damaged[at] ^= 0x40;
		world.chain.post(damaged);
		world.chain.post(message[..at].to_vec());
	}
	let mut stranger = message.clone();
	stranger[67..99].fill(0xaa);
	world.chain.post(stranger);
	members[0].client.send(group, b"second".to_vec()).await.unwrap();
	members[1].hears(b"second").await;
	assert_eq!(members[1].count(|event| matches!(event, Event::Message { .. })), 2);
	agree(&mut members, group, 1).await;
}
