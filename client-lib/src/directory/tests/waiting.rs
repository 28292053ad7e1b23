//! A node that stands still, or drops what it was handed, beside an honest one.

use super::{used::goes_on, *};
use std::{future::Future, time::Duration};
use tokio::time::timeout;

/// Well before the time after which a submission is given up.
async fn soon<T>(what: impl Future<Output = T>) -> T {
	timeout(Duration::from_secs(30), what).await.expect("it takes too long")
}

#[tokio::test]
async fn a_node_that_stands_still_is_left_for_the_next() {
	let (mut world, log) = chain();
	let still = Served::new(&world, &log.id, &log.recorded);
	show(&mut world, &log);
	let honest = Served::new(&world, &log.id, &log.recorded);
	let ((still_url, _a), (honest_url, _b)) = (still.serve().await, honest.serve().await);
	let directory = Directory::new(vec![still_url, honest_url], world.genesis).unwrap();
	let history = soon(directory.look_up_as_of(log.id, honest.head)).await;
	assert_eq!((history.until(), history.steps()), (honest.head, log.history.steps()));
	assert!(still.asked() > 3, "it has its time: {}", still.asked());
}

#[tokio::test]
async fn a_node_that_is_some_blocks_behind_is_asked_again() {
	let (mut world, log) = chain();
	let first = Served::new(&world, &log.id, &log.recorded);
	world.blocks(20);
	let behind = Served { world: world.clone(), pace: 1, ..first.clone() };
	let other = Served { head: world.newest(), asked: Arc::default(), ..behind.clone() };
	let ((behind_url, _a), (other_url, _b)) = (behind.serve().await, other.serve().await);
	let directory = Directory::new(vec![behind_url, other_url], world.genesis).unwrap();
	// It is there when it is asked for the second time, three pages each.
	let block = behind.head + 5;
	assert!(soon(directory.look_up_as_of(log.id, block)).await.until() >= block);
	assert_eq!((behind.asked(), other.asked()), (6, 0));
}

/// Its finality goes on all the while.
#[tokio::test]
async fn what_a_node_has_taken_and_dropped_is_handed_to_the_next() {
	let (mut world, mut log) = chain();
	let before = Served::new(&world, &log.id, &log.recorded);
	world.blocks(200);
	let before = Served { world: world.clone(), pace: 1, ..before };
	let event = log.next(1, Action::RevokeDevice(identity_key(2)), None);
	log.put(Recorded { block: world.newest() + 1, event: event.clone() });
	show(&mut world, &log);
	let after = Arc::new(Served::new(&world, &log.id, &log.recorded));
	let dropping = Served { takes: Some(Takes::default()), ..before.clone() };
	let honest = Served { takes: Some(Takes { then: Some(after), ..Takes::default() }), ..before };
	let ((dropping_url, _a), (honest_url, _b)) = (dropping.serve().await, honest.serve().await);
	let directory = Directory::new(vec![dropping_url, honest_url], world.genesis).unwrap();
	let history = soon(directory.record(&event)).await.unwrap();
	assert_eq!(history.steps(), log.history.steps());
	assert_eq!((dropping.taken(), honest.taken()), (1, 1));
}

/// The first one takes what is submitted, and shows an old block: by that it is never known that an init key is used for good.
#[tokio::test]
async fn a_node_that_stands_still_does_not_keep_a_refusal_from_being_final() {
	let (honest, _, signed) = goes_on(9);
	let still = Served { pace: 0, asked: Arc::default(), takes: Some(Takes::default()), ..honest.clone() };
	let ((still_url, _a), (honest_url, _b)) = (still.serve().await, honest.serve().await);
	let directory = Directory::new(vec![still_url, honest_url], honest.world.genesis).unwrap();
	let refused = soon(directory.publish(&signed)).await;
	let is_used = matches!(refused, Err(DirectoryError::KeyPackages(KeyPackageRefusal::InitKeyUsed)));
	assert!(is_used, "{refused:?}");
	assert!(still.taken() > 0, "it was asked first");
}
