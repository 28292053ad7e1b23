//! What members do together.

use crate::{
	chain::Mode,
	member::{agree, found},
	World,
};
use lockstep_client::{
	BuildError, CommitError, Event, GroupError, GroupState, LeaveError, Outcome, SendError, MAX_MESSAGE,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_closed_on_the_chain_is_over() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let (group, other) = (found(&mut members).await, found(&mut members).await);
	world.chain.close(&group);
	for mut member in members {
		member.until("the end", |event| matches!(event, Event::GroupClosed { .. })).await;
		assert_eq!(member.client.group(group).await.unwrap().state, GroupState::Closed);
		assert_eq!(member.client.update(group).await, Err(GroupError::Gone(group).into()));
		assert_eq!(member.client.group(other).await.unwrap().state, GroupState::Active);
		assert_eq!(member.client.evidence().await.unwrap(), Vec::new(), "the node told the truth");
		// What is over stays over.
		let member = member.reopen().await;
		member.when(group, |status| status.state == GroupState::Closed).await;
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_grows_changes_and_shrinks() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert", "cora"]).await;
	let group = found(&mut members).await;
	agree(&mut members, group, 1).await;

	let updated = members[1].client.update(group).await.unwrap();
	assert_eq!((updated.epoch, updated.attempts, updated.by_another), (2, 1, false));
	agree(&mut members, group, 2).await;

	let removed = members[0].client.remove(group, vec![b"cora".to_vec()]).await.unwrap();
	assert_eq!(removed.epoch, 3);
	let mut cora = members.pop().unwrap();
	cora.until("removal", |event| matches!(event, Event::RemovedFromGroup { .. })).await;
	let status = cora.client.group(group).await.unwrap();
	assert_eq!(status.state, GroupState::Removed);
	assert_eq!(cora.client.update(group).await, Err(GroupError::Removed(group).into()));
	assert_eq!(cora.client.send(group, vec![1]).await, Err(GroupError::Removed(group).into()));
	agree(&mut members, group, 3).await;
	let heard = cora.count(|event| matches!(event, Event::Message { epoch: 3.., .. }));
	assert_eq!(heard, 0, "a removed member reads nothing");

	// And back in.
	members[1].client.add(group, vec![cora.client.key_package().await.unwrap()]).await.unwrap();
	cora.heard.clear();
	cora.joined(group).await;
	members.push(cora);
	agree(&mut members, group, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_rivals_wins_and_the_others_follow() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert", "cora"]).await;
	let group = found(&mut members).await;
	for round in 0..5u64 {
		world.chain.set_mode(Mode::Held);
		let attempts: Vec<_> = members
			.iter()
			.map(|member| {
				let client = member.client.clone();
				tokio::spawn(async move { client.update_once(group).await.unwrap() })
			})
			.collect();
		world.chain.pooled(1).await;
		world.chain.block();
		// Those who were late commit in the next epoch.
		world.chain.set_mode(Mode::Prompt);
		let mut won = 0;
		for attempt in attempts {
			match attempt.await.unwrap() {
				Outcome::Won(_) => won += 1,
				Outcome::Superseded { .. } => {}
				other => panic!("{other:?}"),
			}
		}
		assert!(won >= 1, "round {round}");
	}
	let epoch = members[0].client.group(group).await.unwrap().epoch;
	agree(&mut members, group, epoch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_race_is_run_again_until_it_is_won() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	world.chain.set_mode(Mode::Held);
	let (anna, bert) = (members[0].client.clone(), members[1].client.clone());
	let first = tokio::spawn(async move { anna.update(group).await.unwrap() });
	world.chain.pooled(1).await;
	let second = tokio::spawn(async move { bert.update(group).await.unwrap() });
	// Commands are taken in order: when this is answered, Bert's commit is made, unless his call is still to come.
	members[1].client.group(group).await.unwrap();
	world.chain.block();
	world.chain.set_mode(Mode::Prompt);
	let (first, second) = (first.await.unwrap(), second.await.unwrap());
	assert_eq!((first.epoch, first.attempts), (2, 1));
	assert_eq!(second.epoch, 3);
	agree(&mut members, group, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_has_done_meanwhile_counts() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert", "cora"]).await;
	let group = found(&mut members).await;
	world.chain.set_mode(Mode::Held);
	let remove = |member: &crate::Member| {
		let client = member.client.clone();
		tokio::spawn(async move { client.remove(group, vec![b"cora".to_vec()]).await })
	};
	let first = remove(&members[0]);
	world.chain.pooled(1).await;
	let second = remove(&members[1]);
	// As above: the call may be early or late, and the outcome must be right either way.
	members[1].client.group(group).await.unwrap();
	world.chain.block();
	world.chain.set_mode(Mode::Prompt);
	let first = first.await.unwrap().unwrap();
	assert!(!first.by_another);
	match second.await.unwrap() {
		Ok(second) => assert_eq!((second.entry, second.by_another), (first.entry, true)),
		// Its call came after the removal was final.
		Err(error) => assert!(matches!(error, CommitError::Build(BuildError::NotAMember { .. })), "{error}"),
	}
	members.pop();
	agree(&mut members, group, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_leaves_by_the_commit_of_exactly_one_other() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert", "cora"]).await;
	let group = found(&mut members).await;
	members[2].client.leave(group).await.unwrap();
	// The leaver is no measure of time: it stops when it is out.
	let mut cora = members.pop().unwrap();
	world.run_until(&members, group, |status| status.members.len() == 2).await;
	cora.until("removal", |event| matches!(event, Event::RemovedFromGroup { .. })).await;
	agree(&mut members, group, 2).await;
	let status = members[0].client.group(group).await.unwrap();
	assert_eq!((status.epoch, status.members.len(), status.contested), (2, 2, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn senseless_wishes_are_refused_by_name() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	let anna = &members[0].client;
	let unknown = lockstep_client::GroupId([9; 32]);
	assert_eq!(anna.update(unknown).await, Err(GroupError::Unknown(unknown).into()));
	assert_eq!(anna.group(unknown).await, Err(GroupError::Unknown(unknown)));
	let nobody = anna.remove(group, vec![b"dora".to_vec()]).await;
	assert!(matches!(nobody, Err(CommitError::Build(BuildError::NotAMember { .. }))), "{nobody:?}");
	let oneself = anna.remove(group, vec![b"anna".to_vec()]).await;
	assert!(matches!(oneself, Err(CommitError::Build(BuildError::RemovesItself))), "{oneself:?}");
	let garbage = anna.add(group, vec![vec![1, 2, 3]]).await;
	assert!(matches!(garbage, Err(CommitError::Build(BuildError::KeyPackage { .. }))), "{garbage:?}");
	let twice = anna.add(group, vec![members[1].client.key_package().await.unwrap()]).await;
	assert!(matches!(twice, Err(CommitError::Build(BuildError::AlreadyMember { .. }))), "{twice:?}");
	let large = anna.send(group, vec![0; MAX_MESSAGE + 1]).await;
	assert!(matches!(large, Err(SendError::TooLarge { .. })), "{large:?}");
	let alone = anna.create_group().await.unwrap();
	assert_eq!(anna.leave(alone).await, Err(LeaveError::LastMember));
	assert_eq!(anna.groups().await.len(), 2);
	agree(&mut members, group, 1).await;
}
