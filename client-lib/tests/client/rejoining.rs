//! Members that were cut off, or lost their state, and come back (decision 0016).

use crate::{
	member::{agree, found, Member},
	World,
};
use lockstep_client::{CommitError, Event, RejoinAskError, RejoinError};

/// Puts a member's store away, as if its device were lost, and opens a new one under the same name.
async fn lose_state(member: Member) -> Member {
	member.client.close().await;
	std::fs::remove_dir_all(&member.config.path).unwrap();
	Member::open(member.config).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_lost_its_state_is_readmitted_by_its_request() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert", "cora"]).await;
	let group = found(&mut members).await;
	let mut bert = lose_state(members.remove(1)).await;
	let request = bert.client.rejoin(group).await.unwrap();
	let readmitted = members[0].client.readmit(group, request.clone()).await.unwrap();
	bert.joined(group).await;
	members.insert(1, bert);
	agree(&mut members, group, readmitted.epoch).await;
	let status = members[0].client.group(group).await.unwrap();
	assert_eq!(status.members.len(), 3, "its old leaf is gone");
	// A request is good once: whoever repeats it does not put the member out again.
	let again = members[2].client.readmit(group, request).await;
	assert!(
		matches!(again, Err(CommitError::Rejoin(RejoinError::Signature { .. } | RejoinError::Lapsed { .. }))),
		"{again:?}"
	);
	assert_eq!(world.chain.state().logs[&group].entries.len() as u64, readmitted.epoch + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_lapses_with_the_epoch_if_there_is_no_state_to_name() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	let bert = lose_state(members.remove(1)).await;
	let request = bert.client.rejoin(group).await.unwrap();
	members[0].client.update(group).await.unwrap();
	let late = members[0].client.readmit(group, request).await;
	assert!(matches!(late, Err(CommitError::Rejoin(RejoinError::Lapsed { .. }))), "{late:?}");
	let request = bert.client.rejoin(group).await.unwrap();
	members[0].client.readmit(group, request).await.unwrap();
	members.push(bert);
	members[1].joined(group).await;
	agree(&mut members, group, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_removed_asks_in_vain() {
	let world = World::new().await;
	let mut members = world.members(&["anna", "bert"]).await;
	let group = found(&mut members).await;
	members[0].client.remove(group, vec![b"bert".to_vec()]).await.unwrap();
	members[1].until("removal", |event| matches!(event, Event::RemovedFromGroup { .. })).await;
	assert!(matches!(members[0].client.rejoin(group).await, Err(RejoinAskError::StillIn(_))));
	// It may have been misled, so it can ask. It was not, and nobody listens, with its state there or gone.
	let request = members[1].client.rejoin(group).await.unwrap();
	let refused = members[0].client.readmit(group, request).await;
	assert!(matches!(refused, Err(CommitError::Rejoin(RejoinError::NotAMember { .. }))), "{refused:?}");
	let bert = lose_state(members.remove(1)).await;
	let request = bert.client.rejoin(group).await.unwrap();
	let refused = members[0].client.readmit(group, request).await;
	assert!(matches!(refused, Err(CommitError::Rejoin(RejoinError::NotAMember { .. }))), "{refused:?}");
}
