//! How long stored statements are waited for (`docs/decisions/0019-statements-before-the-log.md`).

use super::*;

const TOPIC: [u8; 32] = [1; 32];

/// A feed without a reader: the test says what comes.
fn feed() -> (StatementFeed, mpsc::Sender<Item>) {
	let nodes = Arc::new(Nodes::new(vec!["ws://127.0.0.1:1".to_owned()], None).unwrap());
	let (wanted, _) = watch::channel(Wanted::default());
	let (sender, items) = mpsc::channel(BUFFERED);
	let (settled, patience) = (Some(Point::default()), Patience::start(0));
	let task = tokio::spawn(std::future::pending());
	(StatementFeed { nodes, wanted, items, settled, patience, task }, sender)
}

/// So many seconds pass.
fn pass(feed: &mut StatementFeed, seconds: u64) {
	let passed = Duration::from_secs(seconds);
	feed.patience.since -= passed;
	feed.patience.heard -= passed;
}

async fn hear(feed: &mut StatementFeed, sender: &mpsc::Sender<Item>) {
	sender.send(Item::Statement(b"statement".to_vec())).await.unwrap();
	assert_eq!(feed.next().await, Some(b"statement".to_vec()));
}

#[tokio::test]
async fn ten_seconds_of_silence_are_enough() {
	let (mut feed, _sender) = feed();
	assert!(feed.is_settled(), "nothing is wanted");
	feed.watch(TOPIC);
	assert!(!feed.is_settled());
	pass(&mut feed, 9);
	assert!(!feed.is_settled());
	let left = feed.impatient_at() - Instant::now();
	assert!(left <= Duration::from_secs(1), "the client looks again when it is time, in {left:?}");
	pass(&mut feed, 1);
	assert!(feed.is_settled());
}

#[tokio::test]
async fn whoever_goes_on_sending_is_waited_for_but_not_for_ever() {
	let (mut feed, sender) = feed();
	feed.watch(TOPIC);
	for _ in 0..13 {
		pass(&mut feed, 9);
		hear(&mut feed, &sender).await;
		assert!(!feed.is_settled(), "it is sending");
	}
	pass(&mut feed, 3);
	assert!(feed.is_settled(), "120 seconds are over");
}

#[tokio::test]
async fn what_others_name_holds_up_nothing() {
	let (mut feed, sender) = feed();
	for number in 0..100 {
		feed.watch_aside([number; 32]);
		assert!(feed.is_settled());
	}
	feed.watch(TOPIC);
	sender.send(Item::Settled(Point { connection: 0, turn: 1 })).await.unwrap();
	assert_eq!(feed.next().await, None);
	feed.watch_aside([100; 32]);
	assert!(feed.is_settled());
	// each time it is a request of its own, so that what is stored comes again
	let asked = || feed.wanted.borrow().topics.get(&[100; 32]).copied();
	let first = asked();
	feed.watch_aside([100; 32]);
	assert_ne!(feed.wanted.borrow().topics.get(&[100; 32]).copied(), first);
}

#[tokio::test]
async fn more_topics_do_not_make_the_wait_longer() {
	let (mut feed, sender) = feed();
	feed.watch(TOPIC);
	pass(&mut feed, 9);
	feed.watch([2; 32]);
	pass(&mut feed, 1);
	assert!(feed.is_settled());
	// Once everything has come, another topic is waited for as long.
	let all = Point { connection: 0, turn: 2 };
	sender.send(Item::Settled(all)).await.unwrap();
	assert_eq!(feed.next().await, None);
	feed.watch([3; 32]);
	pass(&mut feed, 9);
	assert!(!feed.is_settled());
}

#[tokio::test]
async fn it_is_settled_when_the_node_in_use_has_sent_all_that_is_wanted_now() {
	let (mut feed, sender) = feed();
	feed.watch(TOPIC);
	feed.watch([2; 32]);
	for (connection, turn, settled) in [(0, 1, false), (7, 2, false), (0, 2, true)] {
		sender.send(Item::Settled(Point { connection, turn })).await.unwrap();
		assert_eq!(feed.next().await, None);
		assert_eq!(feed.is_settled(), settled, "connection {connection}, request {turn}");
	}
}

#[tokio::test]
async fn another_node_is_waited_for_anew() {
	let (mut feed, _sender) = feed();
	feed.watch(TOPIC);
	feed.patience.connection = 7;
	pass(&mut feed, 200);
	assert!(!feed.is_settled(), "the connection at hand is another");
	pass(&mut feed, 10);
	assert!(feed.is_settled());
}
