//! When what a log says is all that there is.

use super::*;
use lockstep_primitives::GenesisHash;

const GROUP: GroupId = GroupId([1; 32]);
const OTHER: GroupId = GroupId([2; 32]);

/// A log without a node: the test says what comes.
fn log() -> (VerifiedLog, mpsc::Sender<(u64, Update)>) {
	let (wishes, _) = watch::channel(Wishes::default());
	let (sender, updates) = mpsc::channel(BUFFERED);
	(VerifiedLog { wishes, updates, task: tokio::spawn(std::future::pending()) }, sender)
}

fn follow(log: &mut VerifiedLog, group: GroupId) {
	log.follow(group, LogCursor::start(&GenesisHash([0; 32]), &group));
}

/// All that there is as of a request.
async fn say(sender: &mpsc::Sender<(u64, Update)>, turn: u64) {
	let all = super::super::Finalized { block: 5, entries: Vec::new(), closed: Vec::new(), complete: true };
	sender.send((turn, Update::Finalized(all))).await.unwrap();
}

async fn is_complete(log: &mut VerifiedLog) -> bool {
	match log.next().await {
		Some(Update::Finalized(finalized)) => finalized.complete,
		other => panic!("{other:?}"),
	}
}

#[tokio::test]
async fn what_was_said_before_the_newest_request_is_not_all_that_there_is() {
	let (mut log, sender) = log();
	follow(&mut log, GROUP);
	say(&sender, 0).await;
	assert!(!is_complete(&mut log).await, "the group was not asked for yet");
	say(&sender, 1).await;
	assert!(is_complete(&mut log).await);

	// It was under way when another group was asked for.
	say(&sender, 1).await;
	follow(&mut log, OTHER);
	assert!(!is_complete(&mut log).await);
	say(&sender, 2).await;
	assert!(is_complete(&mut log).await);

	// The same group again, from another position: a request like any other.
	follow(&mut log, GROUP);
	say(&sender, 2).await;
	assert!(!is_complete(&mut log).await);
	say(&sender, 3).await;
	assert!(is_complete(&mut log).await);

	// To follow less takes nothing away.
	say(&sender, 3).await;
	log.forget(&OTHER);
	assert!(is_complete(&mut log).await);
}
