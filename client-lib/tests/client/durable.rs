//! What a client has taken on and what it has received outlives it (promise P5).

use crate::{
	chain::Mode,
	member::{agree, found, Member},
	node::Node,
	World,
};
use lockstep_client::{Ended, Event, GroupId, Intent, IntentState, Upkeep, WaitingFor, MAX_MESSAGES_PER_EPOCH};
use lockstep_primitives::rpc::HexBytes;
use std::time::Duration;

/// Waits until no intent is left that has not ended; says how they ended.
async fn ended(member: &Member, group: GroupId) -> Vec<Ended> {
	let asking = async {
		loop {
			let states = member.client.intents(group).await.unwrap().into_iter().map(|(_, state)| match state {
				IntentState::Ended(ended) => Some(ended),
				_ => None,
			});
			if let Some(all) = states.collect::<Option<Vec<_>>>() {
				return all;
			}
			tokio::task::yield_now().await;
		}
	};
	tokio::time::timeout(Duration::from_secs(30), asking).await.expect("all intents end")
}

fn done(ended: &Ended) -> &lockstep_client::Committed {
	match ended {
		Ended::Done(committed) => committed,
		other => panic!("{other:?}"),
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn intents_that_were_taken_are_pursued_after_a_restart() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	world.chain.set_mode(Mode::Lost);
	for expected in 1..4 {
		let id = members[0].client.enqueue(group, Intent::Update).await.unwrap();
		assert_eq!((id.group, id.number), (group, expected), "the first was to add bert");
	}
	let states: Vec<IntentState> =
		members[0].client.intents(group).await.unwrap().into_iter().skip(1).map(|(_, state)| state).collect();
	assert_eq!(states[0], IntentState::Committing { attempts: 1 });
	let waiting = || IntentState::Waiting { attempts: 0, waiting_for: WaitingFor::Turn };
	assert_eq!(states[1..], [waiting(), waiting()]);
	let anna = members.remove(0).reopen().await;
	members.insert(0, anna);
	world.chain.set_mode(Mode::Prompt);
	world.chain.blocks(10);
	let ended = ended(&members[0], group).await;
	let mut entries: Vec<_> = ended.iter().map(|ended| done(ended).entry).collect();
	assert_eq!(entries.len(), 4);
	entries.dedup();
	assert_eq!(world.chain.state().logs[&group].entries.len(), 1 + entries.len(), "each commit is some intent's");
	let epoch = members[0].client.group(group).await.unwrap().epoch;
	agree(&mut members, group, epoch).await;
	// Numbers go on where they were.
	assert!(members[0].client.enqueue(group, Intent::Update).await.unwrap().number >= 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intent_that_became_final_while_its_client_was_away_has_ended_once() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	world.chain.set_mode(Mode::Held);
	members[0].client.enqueue(group, Intent::Update).await.unwrap();
	world.chain.pooled(1).await;
	members[0].client.close().await;
	world.chain.set_mode(Mode::Prompt);
	world.chain.block();
	let anna = members.remove(0).reopen().await;
	members.insert(0, anna);
	agree(&mut members, group, 2).await;
	assert_eq!(done(&ended(&members[0], group).await[1]).attempts, 1);
	assert_eq!(world.chain.state().logs[&group].entries.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_removes_of_the_same_member_are_one() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert", "cora"]).await;
	let group = found(&mut members).await;
	let remove = Intent::Remove(vec![HexBytes(b"cora".to_vec())]);
	world.chain.set_mode(Mode::Held);
	members[0].client.enqueue(group, Intent::Update).await.unwrap();
	for _ in 0..2 {
		members[0].client.enqueue(group, remove.clone()).await.unwrap();
	}
	world.chain.set_mode(Mode::Prompt);
	world.chain.blocks(4);
	let ended = ended(&members[0], group).await;
	assert!(ended.iter().all(|ended| matches!(ended, Ended::Done(_))), "{ended:?}");
	members[2].until("removal", |event| matches!(event, Event::RemovedFromGroup { .. })).await;
	members.truncate(2);
	let epoch = members[0].client.group(group).await.unwrap().epoch;
	agree(&mut members, group, epoch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_an_intent_failed_is_remembered() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	let id = members[0].client.enqueue(group, Intent::Remove(vec![HexBytes(b"nobody".to_vec())])).await.unwrap();
	let wanted = |event: &Event| matches!(event, Event::IntentEnded { intent, .. } if *intent == id);
	let event = members[0].until("the end of the intent", wanted).await;
	let Event::IntentEnded { ended: Ended::Failed { reason }, .. } = event else { panic!("{event:?}") };
	assert!(reason.contains("not a member"), "{reason}");
	let anna = members.remove(0).reopen().await;
	let remembered = anna.client.intents(group).await.unwrap();
	assert_eq!(remembered.last(), Some(&(id, IntentState::Ended(Ended::Failed { reason }))));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_intents_of_a_member_that_is_removed_fail() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	world.chain.set_mode(Mode::Held);
	let id = members[1].client.enqueue(group, Intent::Update).await.unwrap();
	world.chain.pooled(1).await;
	world.chain.state().pool.clear();
	world.chain.set_mode(Mode::Prompt);
	members[0].client.remove(group, vec![b"bert".to_vec()]).await.unwrap();
	let wanted = |event: &Event| matches!(event, Event::IntentEnded { intent, .. } if *intent == id);
	let event = members[1].until("the end of the intent", wanted).await;
	assert!(matches!(event, Event::IntentEnded { ended: Ended::Failed { .. }, .. }), "{event:?}");
	let bert = members.pop().unwrap().reopen().await;
	let last = bert.client.intents(group).await.unwrap().pop();
	assert!(matches!(last, Some((found, IntentState::Ended(Ended::Failed { .. }))) if found == id), "{last:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_there_until_it_is_acknowledged() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	for text in [&b"one"[..], b"two", b"three"] {
		members[0].client.send(group, text.to_vec()).await.unwrap();
		members[1].hears(text).await;
	}
	let anna = members.remove(0);
	let bert = members.remove(0).reopen().await;
	let unread = bert.client.unread().await.unwrap();
	let texts: Vec<_> = unread.iter().map(|(_, message)| message.data.clone()).collect();
	assert_eq!(texts, [&b"one"[..], b"two", b"three"]);
	assert!(unread.iter().all(|(_, message)| message.sender == b"anna" && message.group == group));
	bert.client.acknowledge(unread[1].0).await.unwrap();
	let bert = bert.reopen().await;
	assert_eq!(bert.client.unread().await.unwrap(), unread[2..]);
	bert.client.acknowledge(unread[2].0).await.unwrap();
	// The statements are still there for whoever asks: a message that was read is not read again.
	let mut bert = bert.reopen().await;
	anna.client.send(group, b"four".to_vec()).await.unwrap();
	bert.hears(b"four").await;
	let unread_then = bert.client.unread().await.unwrap();
	assert_eq!(unread_then.len(), 1);
	assert!(unread_then[0].0 > unread[2].0, "a number is used once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_no_node_took_in_time_is_read_in_a_later_epoch() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	world.chain.state().deaf = true;
	members[0].client.send(group, b"late".to_vec()).await.unwrap();
	// More epochs than members keep keys for.
	for _ in 0..8 {
		members[1].client.update(group).await.unwrap();
	}
	members[0].reached(group, 9).await;
	let anna = members.remove(0).reopen().await;
	members.insert(0, anna);
	world.chain.state().deaf = false;
	let_it_try_again(&world, &members[0], group).await;
	members[1].hears(b"late").await;
	agree(&mut members, group, 9).await;
	assert_eq!(members[1].count(|event| matches!(event, Event::Message { data, .. } if data == b"late")), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_member_that_was_away_is_for_the_epoch_of_the_others() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	world.chain.state().deaf = true;
	members[0].client.send(group, b"late".to_vec()).await.unwrap();
	let anna = members.remove(0);
	anna.client.close().await;
	// More epochs than members keep keys for, and than are read from the log at once.
	for _ in 0..12 {
		members[0].client.update(group).await.unwrap();
	}
	world.chain.state().deaf = false;
	let anna = Member::open(anna.config).await.unwrap();
	anna.reached(group, 13).await;
	world.chain.blocks(20);
	members[0].hears(b"late").await;
}

/// A node takes nothing for a while: what was said last is read like what was said before it, and that is more than
/// readers keep keys for in one epoch.
#[tokio::test(flavor = "multi_thread")]
async fn what_piled_up_is_read_whatever_was_encrypted_first() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	world.chain.state().deaf = true;
	for number in 0..150u8 {
		members[0].client.send(group, vec![number]).await.unwrap();
	}
	members[1].client.update(group).await.unwrap();
	members[0].reached(group, 2).await;
	members[0].client.send(group, b"last".to_vec()).await.unwrap();
	world.chain.state().deaf = false;
	let_it_try_again(&world, &members[0], group).await;
	members[1].hears(b"last").await;
	for number in 0..150u8 {
		members[1].hears(&[number]).await;
	}
}

/// Makes blocks, each when the member has seen the one before: more than it ever waits before it tries again, twice over,
/// since an answer that is still on its way may come after the first of them.
async fn let_it_try_again(world: &World, member: &Member, group: GroupId) {
	for _ in 0..40 {
		world.chain.block();
		let height = world.chain.state().height;
		member.when(group, |status| status.finalized >= height).await;
	}
}

/// Says something in each of twelve epochs: more than members keep keys for.
async fn talk_through_epochs(world: &World, member: &Member, group: GroupId) {
	for epoch in 0..12u8 {
		let stored = world.chain.state().statements.len();
		member.client.send(group, vec![epoch]).await.unwrap();
		world.chain.stored(stored + 1).await;
		member.client.update(group).await.unwrap();
	}
}

/// Bert is away for longer than members keep keys; the node shows him the log before the statements.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_was_away_for_many_epochs_reads_what_was_said_in_each() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	let bert = members.pop().unwrap();
	bert.client.close().await;
	talk_through_epochs(&world, &members[0], group).await;
	world.node.set_statements(false);
	let (sent, bert) = tokio::join!(world.node.sends(12), Member::open(bert.config));
	let ((), mut bert) = (sent, bert.unwrap());
	assert_eq!(bert.client.group(group).await.unwrap().epoch, 1, "the log waits for the statements");
	world.node.set_statements(true);
	world.chain.block();
	for epoch in 0..12u8 {
		bert.hears(&[epoch]).await;
	}
	members.push(bert);
	agree(&mut members, group, 13).await;
}

/// Statements are best effort: who withholds them does not hold up the order of commits.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_withholds_statements_holds_up_nobody_for_long() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	let bert = members.pop().unwrap();
	bert.client.close().await;
	members[0].client.update(group).await.unwrap();
	world.node.set_statements(false);
	let begin = std::time::Instant::now();
	let mut bert = Member::open(bert.config).await.unwrap();
	bert.until("the epoch", |event| matches!(event, Event::EpochAdvanced { epoch: 2, .. })).await;
	assert!(begin.elapsed() >= std::time::Duration::from_secs(9), "they were waited for");
}

/// A member moves to a node that only it uses, and has seen a block there.
async fn at_a_node_of_its_own(world: &World, member: Member, group: GroupId) -> (Node, Member) {
	member.client.close().await;
	let node = Node::start(&world.chain).await;
	let config = lockstep_client::Config { nodes: vec![node.url.clone()], ..member.config };
	let member = Member::open(config).await.unwrap();
	world.chain.block();
	let height = world.chain.state().height;
	member.when(group, |status| status.finalized >= height).await;
	(node, member)
}

/// As above, but Bert's client is there all the time, and only its connection is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_was_cut_off_for_many_epochs_reads_what_was_said_in_each() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	let bert = members.pop().unwrap();
	let (other, mut bert) = at_a_node_of_its_own(&world, bert, group).await;
	let cut = other.cut().await;
	talk_through_epochs(&world, &members[0], group).await;
	cut.set_statements(false);
	let other = cut.mend().await;
	other.sends(12).await;
	other.set_statements(true);
	world.chain.block();
	for epoch in 0..12u8 {
		bert.hears(&[epoch]).await;
	}
	members.push(bert);
	agree(&mut members, group, 13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_renewed_after_so_many_messages() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	let anna = members.remove(0);
	let upkeep = Upkeep { update_after_messages: 3, ..Upkeep::default() };
	anna.client.close().await;
	let config = lockstep_client::Config { upkeep, ..anna.config };
	members.insert(0, Member::open(config).await.unwrap());
	for number in 0..3u8 {
		members[0].client.send(group, vec![number]).await.unwrap();
	}
	assert_eq!(members[0].client.group(group).await.unwrap().epoch, 1);
	world.chain.blocks(2);
	agree(&mut members, group, 2).await;
}

/// As many as a member sends in an epoch; what it says beyond waits for the next, which it opens. Who was away reads all.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_more_than_an_epoch_takes_is_read_by_one_that_was_away() {
	const MORE: u32 = MAX_MESSAGES_PER_EPOCH + 6;
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	let [anna, bert] = <[Member; 2]>::try_from(members).unwrap_or_else(|_| panic!("two members"));
	let bert_config = bert.config;
	bert.client.close().await;
	anna.client.close().await;
	let upkeep = Upkeep { update_after_messages: u32::MAX, ..Upkeep::default() };
	let anna = Member::open(lockstep_client::Config { upkeep, ..anna.config }).await.unwrap();
	world.chain.block();
	let before = world.chain.state().statements.len();
	for number in 0..MORE {
		// Its outbox is bounded.
		if number.is_multiple_of(256) {
			world.chain.stored(before + number as usize).await;
		}
		anna.client.send(group, number.to_be_bytes().to_vec()).await.unwrap();
	}
	world.chain.stored(before + MAX_MESSAGES_PER_EPOCH as usize).await;
	assert_eq!(anna.client.group(group).await.unwrap().epoch, 1);
	world.chain.blocks(2);
	anna.reached(group, 2).await;
	world.chain.stored(before + MORE as usize).await;

	let mut bert = Member::open(bert_config).await.unwrap();
	world.chain.block();
	for number in 0..MORE {
		bert.hears(&number.to_be_bytes()).await;
	}
	assert_eq!(bert.count(|event| matches!(event, Event::Message { .. })), MORE as usize);
	agree(&mut [anna, bert], group, 2).await;
}

/// As on a device that slept: what was said meanwhile and the commits come together.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stood_still_reads_what_was_said_meanwhile() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	let bert = members.pop().unwrap();
	bert.client.close().await;
	// Of one thread, so that it can be held up as a whole.
	let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
	let mut bert = runtime.spawn(Member::open(bert.config)).await.unwrap().unwrap();
	world.chain.block();
	let height = world.chain.state().height;
	bert.when(group, |status| status.finalized >= height).await;
	let (wake, sleeping) = std::sync::mpsc::channel::<()>();
	let asleep = std::sync::Arc::new(tokio::sync::Notify::new());
	let falls_asleep = asleep.clone();
	runtime.spawn(async move {
		falls_asleep.notify_one();
		assert!(sleeping.recv().is_err(), "nothing is sent");
	});
	asleep.notified().await;

	for epoch in 0..12u8 {
		for number in 0..8 {
			members[0].client.send(group, vec![epoch, number]).await.unwrap();
		}
		members[0].client.update(group).await.unwrap();
	}
	drop(wake);
	for epoch in 0..12u8 {
		for number in 0..8 {
			bert.hears(&[epoch, number]).await;
		}
	}
	members.push(bert);
	agree(&mut members, group, 13).await;
	runtime.shutdown_background();
}

/// As above, and the node has given up sending it statements.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_whose_node_stops_sending_statements_asks_again_before_it_goes_on() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	let bert = members.pop().unwrap();
	let (other, mut bert) = at_a_node_of_its_own(&world, bert, group).await;
	other.set_statements(false);
	other.stop_statements();
	tokio::join!(other.sends(12), talk_through_epochs(&world, &members[0], group));
	world.chain.block();
	other.set_statements(true);
	for epoch in 0..12u8 {
		bert.hears(&[epoch]).await;
	}
	members.push(bert);
	agree(&mut members, group, 13).await;
}
