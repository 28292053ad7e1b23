//! Reading statements from a node.

use crate::rpc::{until_end, Node, Nodes, RpcError, StatementEvent};
use futures::{stream::SelectAll, StreamExt};
use lockstep_primitives::rpc::HexBytes;
use std::{
	collections::{BTreeMap, VecDeque},
	sync::Arc,
	time::Duration,
};
use tokio::{
	sync::{mpsc, watch},
	task::JoinHandle,
	time::{interval, sleep, MissedTickBehavior},
};

/// Topics that a node takes in one subscription.
const MAX_TOPICS: usize = 128;
/// Statements that wait for the client.
const BUFFERED: usize = 64;
/// How often to look whether the client has moved on to another node.
const CHECK: Duration = Duration::from_secs(2);

/// The topics wanted, each with the number of the request for it, so that a repeated one is seen.
type Topics = BTreeMap<[u8; 32], u64>;

/// The statements under some topics: first those that the node has stored, then new ones. After a change of the node
/// the stored ones come again.
#[derive(Debug)]
pub struct StatementFeed {
	topics: watch::Sender<Topics>,
	turn: u64,
	statements: mpsc::Receiver<Vec<u8>>,
	task: JoinHandle<()>,
}

impl StatementFeed {
	/// Starts reading, no topic at first. Must be called within a tokio runtime.
	pub fn start(nodes: Arc<Nodes>) -> Self {
		let (topics, wanted) = watch::channel(Topics::new());
		let (sender, statements) = mpsc::channel(BUFFERED);
		let reader = Reader { nodes, wanted, sender };
		Self { topics, turn: 0, statements, task: tokio::spawn(reader.run()) }
	}

	/// Reads this topic, from the stored statements on, also if it is read already.
	pub fn watch(&mut self, topic: [u8; 32]) {
		self.turn = self.turn.wrapping_add(1);
		let turn = self.turn;
		self.topics.send_modify(|topics| {
			topics.insert(topic, turn);
		});
	}

	/// Reads this topic no longer. Statements that are on their way may still come.
	pub fn forget(&self, topic: &[u8; 32]) {
		self.topics.send_if_modified(|topics| topics.remove(topic).is_some());
	}

	/// The next statement, encoded. Nothing is lost if the future is dropped.
	pub async fn next(&mut self) -> Option<Vec<u8>> {
		self.statements.recv().await
	}
}

impl Drop for StatementFeed {
	fn drop(&mut self) {
		self.task.abort();
	}
}

struct Reader {
	nodes: Arc<Nodes>,
	wanted: watch::Receiver<Topics>,
	sender: mpsc::Sender<Vec<u8>>,
}

impl Reader {
	async fn run(mut self) {
		loop {
			match self.read().await {
				Ok(()) => return,
				Err(error) => tracing::debug!(%error, "statements cannot be read"),
			}
			let wait = self.nodes.backoff().await;
			tokio::select! {
				() = sleep(wait) => {}
				() = self.sender.closed() => return,
			}
		}
	}

	/// Reads from one node until it is gone (an error) or nobody listens any more.
	async fn read(&mut self) -> Result<(), RpcError> {
		let node = self.nodes.current().await?;
		let gone = |reason: &str| RpcError::Unreachable { url: node.url().to_owned(), reason: reason.to_owned() };
		let mut subscribed = Topics::new();
		// One subscription for each time that topics are added. Topics given up stay subscribed until the node changes:
		// what comes under them is passed over.
		let mut streams = SelectAll::new();
		let mut backlog = VecDeque::new();
		let mut check = interval(CHECK);
		check.set_missed_tick_behavior(MissedTickBehavior::Delay);
		loop {
			let wanted = self.wanted.borrow_and_update().clone();
			let is_new = |topic: &[u8; 32], turn: &u64| subscribed.get(topic) != Some(turn);
			let added = wanted.iter().filter(|(topic, turn)| is_new(topic, turn)).map(|(topic, _)| *topic);
			let added: Vec<[u8; 32]> = added.collect();
			for topics in added.chunks(MAX_TOPICS) {
				streams.push(until_end(node.subscribe_statements(topics).await?));
			}
			subscribed = wanted;
			tokio::select! {
				permit = self.sender.reserve(), if !backlog.is_empty() => {
					let Ok(permit) = permit else { return Ok(()) };
					if let Some(statement) = backlog.pop_front() {
						permit.send(statement);
					}
				}
				message = streams.next(), if backlog.is_empty() && !streams.is_empty() => match message.flatten() {
					Some(Ok(StatementEvent::NewStatements { statements })) => {
						backlog.extend(statements.into_iter().map(|HexBytes(bytes)| bytes));
					}
					Some(Err(_)) => return Err(gone("a message does not decode")),
					None => return Err(gone("a subscription ended")),
				},
				changed = self.wanted.changed() => if changed.is_err() { return Ok(()) },
				() = self.sender.closed() => return Ok(()),
				() = node.disconnected() => return Err(gone("the connection is closed")),
				() = moved_on(&self.nodes, &node, &mut check) => return Err(gone("the client uses another node")),
			}
		}
	}
}

/// Resolves when the client uses another node than this one.
async fn moved_on(nodes: &Nodes, node: &Arc<Node>, check: &mut tokio::time::Interval) {
	loop {
		check.tick().await;
		let current = nodes.connected().await;
		if current.is_some_and(|current| !Arc::ptr_eq(&current, node)) {
			return;
		}
	}
}
