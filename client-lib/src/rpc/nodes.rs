//! The nodes that the application named, and the one in use.

use super::{Node, RpcError};
use lockstep_primitives::GenesisHash;
use rand::Rng;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::{watch, Mutex};

/// The wait after a failed round over all nodes doubles from the first to the last of these.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(8));

/// The nodes of one client; at most one connection at a time, shared by everything that talks to nodes.
#[derive(Debug)]
pub struct Nodes {
	urls: Vec<String>,
	state: Mutex<State>,
	/// The number of the newest connection.
	connection: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
	current: Option<Arc<Node>>,
	/// Nodes that lied, and how.
	banned: BTreeMap<String, String>,
	/// Which URL comes next.
	next: usize,
	/// Once known, nodes of other chains are refused.
	genesis: Option<GenesisHash>,
	/// Failed rounds since the last success.
	failures: u32,
}

impl Nodes {
	/// The nodes at `urls`, tried in this order; `genesis` if the chain is known.
	pub fn new(urls: Vec<String>, genesis: Option<GenesisHash>) -> Result<Self, RpcError> {
		if urls.is_empty() {
			return Err(RpcError::NoNodes);
		}
		Ok(Self {
			urls,
			state: Mutex::new(State { current: None, banned: BTreeMap::new(), next: 0, genesis, failures: 0 }),
			connection: watch::channel(0).0,
		})
	}

	/// How many there are.
	pub fn count(&self) -> usize {
		self.urls.len()
	}

	/// Those that were not caught lying.
	pub async fn usable(&self) -> Vec<String> {
		let state = self.state.lock().await;
		self.urls.iter().filter(|url| !state.banned.contains_key(*url)).cloned().collect()
	}

	/// The node in use; connects to the next that answers if there is none. One round over the nodes, no waits.
	///
	/// The chain of the first node reached is the client's chain if none was named before.
	pub async fn current(&self) -> Result<Arc<Node>, RpcError> {
		let mut state = self.state.lock().await;
		if let Some(node) = state.current.as_ref().filter(|node| node.is_connected()) {
			return Ok(node.clone());
		}
		state.current = None;
		let mut failure = RpcError::NoNodes;
		for _ in &self.urls {
			let at = state.next.checked_rem(self.urls.len()).unwrap_or(0);
			let Some(url) = self.urls.get(at) else { break };
			if let Some(lie) = state.banned.get(url) {
				failure = RpcError::Banned { url: url.clone(), lie: lie.clone() };
				state.next = at.wrapping_add(1);
				continue;
			}
			let connection = self.connection.borrow().wrapping_add(1);
			match Node::connect_as(connection, url, state.genesis).await {
				Ok(node) => {
					let node = Arc::new(node);
					self.connection.send_replace(connection);
					state.genesis = Some(node.chain().genesis);
					state.current = Some(node.clone());
					state.failures = 0;
					return Ok(node);
				}
				Err(error) => {
					tracing::debug!(%error, "a node cannot be used");
					state.next = at.wrapping_add(1);
					// That a node is of another chain is what the application has to hear of first.
					if !matches!(failure, RpcError::WrongChain { .. }) {
						failure = error;
					}
				}
			}
		}
		state.failures = state.failures.saturating_add(1);
		Err(failure)
	}

	/// The number of the newest connection, which may be gone; 0 if there was none.
	pub fn connection(&self) -> u64 {
		*self.connection.borrow()
	}

	/// The same, to wait for the next.
	pub fn connections(&self) -> watch::Receiver<u64> {
		self.connection.subscribe()
	}

	/// The node in use, if its connection stands; never connects.
	pub async fn connected(&self) -> Option<Arc<Node>> {
		self.state.lock().await.current.clone().filter(|node| node.is_connected())
	}

	/// Stops using `node`, so that the next one is asked from now on. Does nothing if another is in use already.
	pub async fn give_up(&self, node: &Arc<Node>) {
		let mut state = self.state.lock().await;
		if state.current.as_ref().is_some_and(|current| Arc::ptr_eq(current, node)) {
			state.current = None;
			state.next = state.next.wrapping_add(1);
		}
	}

	/// Never uses `node` again.
	pub async fn ban(&self, node: &Arc<Node>, lie: &str) {
		self.give_up(node).await;
		self.state.lock().await.banned.insert(node.url().to_owned(), lie.to_owned());
	}

	/// Uses the node at `url` from now on, instead of `node`.
	pub async fn prefer(&self, node: &Arc<Node>, url: &str) {
		self.give_up(node).await;
		if let Some(at) = self.urls.iter().position(|known| known == url) {
			self.state.lock().await.next = at;
		}
	}

	/// A connection to some other node than `node`, to compare what it says; `None` if there is none.
	pub async fn another(&self, node: &Arc<Node>) -> Option<Arc<Node>> {
		let (url, genesis) = {
			let state = self.state.lock().await;
			let fit = |url: &&String| *url != node.url() && !state.banned.contains_key(*url);
			let others: Vec<&String> = self.urls.iter().filter(fit).collect();
			let chosen = rand::thread_rng().gen_range(0..others.len().max(1));
			((*others.get(chosen)?).clone(), state.genesis)
		};
		Node::connect(&url, genesis).await.ok().map(Arc::new)
	}

	/// How long to wait before the next round: doubled with each failed one, with jitter, so that the clients of a
	/// node that comes back do not all arrive at once.
	pub async fn backoff(&self) -> Duration {
		let failures = self.state.lock().await.failures;
		let factor = 1u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
		let longest = BACKOFF.0.saturating_mul(factor).min(BACKOFF.1);
		longest.mul_f64(rand::thread_rng().gen_range(0.5..=1.0))
	}
}
