//! Handing statements to a node, one after the other.

use crate::rpc::{Nodes, RpcError, StatementOutcome};
use std::sync::Arc;
use tokio::{sync::mpsc, task::JoinHandle};

/// Statements on their way to the node. What does not fit stays in the outbox and is tried again.
const QUEUE: usize = 32;

/// What became of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
	/// The number given with it.
	pub id: u64,
	/// The node's answer, or why there was none.
	pub outcome: Result<StatementOutcome, RpcError>,
}

/// A task that submits statements in the order they are given.
#[derive(Debug)]
pub struct Poster {
	queue: mpsc::Sender<(u64, Vec<u8>)>,
	task: JoinHandle<()>,
}

impl Poster {
	/// Starts the task; what became of each statement is sent to `results`. Must be called within a tokio runtime.
	pub fn start(nodes: Arc<Nodes>, results: mpsc::Sender<Posted>) -> Self {
		let (queue, mut statements) = mpsc::channel::<(u64, Vec<u8>)>(QUEUE);
		let task = tokio::spawn(async move {
			while let Some((id, statement)) = statements.recv().await {
				let outcome = match nodes.current().await {
					Ok(node) => node.submit_statement(statement).await,
					Err(error) => Err(error),
				};
				if results.send(Posted { id, outcome }).await.is_err() {
					return;
				}
			}
		});
		Self { queue, task }
	}

	/// Queues a statement. False if the queue is full: try again later.
	pub fn post(&self, id: u64, statement: Vec<u8>) -> bool {
		self.queue.try_send((id, statement)).is_ok()
	}
}

impl Drop for Poster {
	fn drop(&mut self) {
		self.task.abort();
	}
}
