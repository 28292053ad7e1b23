//! Handing statements to a node, one after the other.

use crate::rpc::{Nodes, RpcError, StatementOutcome};
use std::sync::Arc;
use tokio::{sync::mpsc, task::JoinHandle};

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
	queue: mpsc::UnboundedSender<(u64, u64, Vec<u8>)>,
	task: JoinHandle<()>,
}

impl Poster {
	/// Starts the task; what became of each statement is sent to `results`. Must be called within a tokio runtime.
	pub fn start(nodes: Arc<Nodes>, results: mpsc::Sender<Posted>) -> Self {
		let (queue, mut statements) = mpsc::unbounded_channel::<(u64, u64, Vec<u8>)>();
		let task = tokio::spawn(async move {
			while let Some((id, connection, statement)) = statements.recv().await {
				let outcome = match nodes.connected().await {
					Some(node) if node.connection() == connection => node.submit_statement(statement).await,
					_ => Err(RpcError::ConnectionLost),
				};
				if results.send(Posted { id, outcome }).await.is_err() {
					return;
				}
			}
		});
		Self { queue, task }
	}

	/// Queues a statement, to be submitted over this connection or not at all: by the time that there is another, the
	/// epoch it is for may be long past. The outbox bounds how many there are.
	pub fn post(&self, id: u64, connection: u64, statement: Vec<u8>) {
		// The task ends with this.
		drop(self.queue.send((id, connection, statement)));
	}
}

impl Drop for Poster {
	fn drop(&mut self) {
		self.task.abort();
	}
}
