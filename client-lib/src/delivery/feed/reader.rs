//! The task behind a [`StatementFeed`](super::StatementFeed).

use super::{Item, Point, Request, Wanted};
use crate::rpc::{until_end, NewStatement, Node, Nodes, RpcError, StatementEvent, UntilEnd};
use futures::{
	future::BoxFuture,
	stream::{BoxStream, FuturesUnordered, SelectAll},
	FutureExt, StreamExt,
};
use lockstep_primitives::rpc::HexBytes;
use std::{
	collections::{BTreeMap, BTreeSet, VecDeque},
	sync::Arc,
};
use tokio::{
	sync::{mpsc, watch},
	task::unconstrained,
	time::sleep,
};

/// Topics that a node takes in one subscription.
const MAX_FILTERS: usize = 128;
/// Requests for topics that are under way at once.
const MAX_REQUESTS: usize = 8;
/// Ends of stored statements that are remembered for those requests.
const MAX_EARLY: usize = 1024;
/// Messages that are taken in at once, when all that has come is to be given out.
const MAX_TAKEN: usize = 4096;

/// Reads from one node after the other.
pub(super) struct Reader {
	nodes: Arc<Nodes>,
	wanted: watch::Receiver<Wanted>,
	sender: mpsc::Sender<Item>,
}

/// One subscription at a node, with one filter for each topic.
struct Lane {
	id: String,
	filters: usize,
}

/// A filter: its lane, and its name there.
type Filter = (usize, String);
/// What came of adding a filter.
type Added = (usize, [u8; 32], Request, Result<Option<String>, RpcError>);

/// What came in a lane; `None` at its end.
type Heard = (usize, Option<Result<StatementEvent, serde_json::Error>>);

/// What is read from one node.
struct Session {
	node: Arc<Node>,
	lanes: Vec<Lane>,
	streams: SelectAll<BoxStream<'static, Heard>>,
	/// What was wanted last.
	wanted: Wanted,
	/// Those to be asked for.
	todo: VecDeque<([u8; 32], Request)>,
	requests: FuturesUnordered<BoxFuture<'static, Added>>,
	/// How many of them are awaited.
	asked: usize,
	/// Filters that are being given up, by their lanes.
	removals: FuturesUnordered<BoxFuture<'static, usize>>,
	/// The newest filter of each topic.
	filters: BTreeMap<[u8; 32], Filter>,
	/// Filters whose stored statements are on their way.
	open: BTreeSet<Filter>,
	/// Filters whose stored statements were all here before the answer to the request was.
	early: BTreeSet<Filter>,
	/// Up to where the client knows that it has everything.
	settled: Option<Point>,
	backlog: VecDeque<Item>,
}

impl Reader {
	pub fn new(nodes: Arc<Nodes>, wanted: watch::Receiver<Wanted>, sender: mpsc::Sender<Item>) -> Self {
		Self { nodes, wanted, sender }
	}

	pub async fn run(mut self) {
		loop {
			match self.read().await {
				Ok(()) => return,
				Err(error) => tracing::debug!(%error, "statements cannot be read"),
			}
			if self.sender.send(Item::Unsettled).await.is_err() {
				return;
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
		let mut connections = self.nodes.connections();
		let node = self.nodes.current().await?;
		let url = node.url().to_owned();
		let gone = |reason: &str| RpcError::Unreachable { url: url.clone(), reason: reason.to_owned() };
		let mut session = Session::new(node.clone());
		let mut changed = true;
		loop {
			if std::mem::take(&mut changed) {
				session.want(self.wanted.borrow_and_update().clone());
			}
			session.ask_for_more().await?;
			session.settle().map_err(gone)?;
			tokio::select! {
				permit = self.sender.reserve(), if !session.backlog.is_empty() => {
					let Ok(permit) = permit else { return Ok(()) };
					if let Some(item) = session.backlog.pop_front() {
						permit.send(item);
					}
				}
				heard = session.streams.next(), if session.backlog.is_empty() && !session.streams.is_empty() => {
					session.on_heard(heard).map_err(gone)?;
				}
				Some(added) = session.requests.next(), if !session.requests.is_empty() => session.on_added(added)?,
				Some(lane) = session.removals.next(), if !session.removals.is_empty() => session.on_removed(lane),
				waited = self.wanted.changed() => match waited {
					Ok(()) => changed = true,
					Err(_) => return Ok(()),
				},
				() = self.sender.closed() => return Ok(()),
				() = node.disconnected() => return Err(gone("the connection is closed")),
				() = another(&mut connections, node.connection()) => return Err(gone("the client uses another node")),
			}
		}
	}
}

fn is_awaited(request: &Request) -> bool {
	matches!(request, Request::Awaited(_))
}

/// Resolves when the client has another connection than this.
async fn another(connections: &mut watch::Receiver<u64>, connection: u64) {
	if connections.wait_for(|newest| *newest != connection).await.is_err() {
		std::future::pending().await
	}
}

impl Session {
	fn new(node: Arc<Node>) -> Self {
		Self {
			node,
			lanes: Vec::new(),
			streams: SelectAll::new(),
			wanted: Wanted::default(),
			todo: VecDeque::new(),
			requests: FuturesUnordered::new(),
			asked: 0,
			removals: FuturesUnordered::new(),
			filters: BTreeMap::new(),
			open: BTreeSet::new(),
			early: BTreeSet::new(),
			settled: None,
			backlog: VecDeque::new(),
		}
	}

	/// Notes which topics are new, and gives up those that are wanted no longer.
	fn want(&mut self, wanted: Wanted) {
		let old = std::mem::replace(&mut self.wanted, wanted.clone()).topics;
		let new = wanted.topics.iter().filter(|(topic, request)| old.get(*topic) != Some(request));
		self.todo.extend(new.map(|(topic, request)| (*topic, *request)));
		for topic in old.keys().filter(|topic| !wanted.topics.contains_key(*topic)) {
			if let Some(filter) = self.filters.remove(topic) {
				self.give_up(filter);
			}
		}
	}

	/// Asks for the topics that are new, as many at once as may be.
	async fn ask_for_more(&mut self) -> Result<(), RpcError> {
		while self.requests.len() < MAX_REQUESTS {
			let Some((topic, request)) = self.todo.pop_front() else { break };
			if self.wanted.topics.get(&topic) == Some(&request) {
				self.ask(topic, request).await?;
			}
		}
		Ok(())
	}

	/// Asks for a topic, in a lane with room.
	async fn ask(&mut self, topic: [u8; 32], request: Request) -> Result<(), RpcError> {
		let lane = match self.lanes.iter().position(|lane| lane.filters < MAX_FILTERS) {
			Some(lane) => lane,
			None => {
				let (id, subscription) = self.node.subscribe_statements().await?;
				let lane = self.lanes.len();
				let events: UntilEnd<StatementEvent> = until_end(subscription);
				self.streams.push(events.map(move |event| (lane, event)).boxed());
				self.lanes.push(Lane { id, filters: 0 });
				lane
			}
		};
		let Some(Lane { id, filters }) = self.lanes.get_mut(lane) else { return Ok(()) };
		*filters = filters.saturating_add(1);
		let (node, id) = (self.node.clone(), id.clone());
		self.asked = self.asked.saturating_add(usize::from(is_awaited(&request)));
		self.requests.push(async move { (lane, topic, request, node.add_statement_filter(&id, &topic).await) }.boxed());
		Ok(())
	}

	fn on_added(&mut self, (lane, topic, request, added): Added) -> Result<(), RpcError> {
		self.asked = self.asked.saturating_sub(usize::from(is_awaited(&request)));
		let Some(name) = added? else {
			// The node takes fewer than it should: this lane is full.
			if let Some(lane) = self.lanes.get_mut(lane) {
				lane.filters = usize::MAX;
			}
			self.todo.push_back((topic, request));
			return Ok(());
		};
		let filter = (lane, name);
		if !self.early.remove(&filter) && is_awaited(&request) {
			self.open.insert(filter.clone());
		}
		if self.requests.is_empty() {
			self.early.clear();
		}
		let superseded = if self.wanted.topics.get(&topic) == Some(&request) {
			self.filters.insert(topic, filter)
		} else {
			// It was given up, or asked for again, meanwhile.
			Some(filter)
		};
		if let Some(superseded) = superseded {
			self.give_up(superseded);
		}
		Ok(())
	}

	/// Has a filter removed. Whether that comes about does not matter: what comes under it is passed over.
	fn give_up(&mut self, filter: Filter) {
		self.open.remove(&filter);
		let (lane, name) = filter;
		let Some(Lane { id, .. }) = self.lanes.get(lane) else { return };
		let (node, id) = (self.node.clone(), id.clone());
		let removal = async move {
			if let Err(error) = node.remove_statement_filter(&id, &name).await {
				tracing::debug!(%error, "a topic cannot be given up");
			}
			lane
		};
		self.removals.push(removal.boxed());
	}

	/// There is room in a lane now, and not before: the node counts filters until they are removed.
	fn on_removed(&mut self, lane: usize) {
		if let Some(Lane { filters, .. }) = self.lanes.get_mut(lane) {
			*filters = filters.saturating_sub(1);
		}
	}

	/// Something came in a lane, or its end; the end of all if `None`.
	fn on_heard(&mut self, heard: Option<Heard>) -> Result<(), &'static str> {
		match heard {
			Some((lane, Some(Ok(event)))) => self.on_event(lane, event),
			Some((_, Some(Err(_)))) => Err("a message does not decode"),
			Some((_, None)) | None => Err("a subscription ended"),
		}
	}

	fn on_event(&mut self, lane: usize, event: StatementEvent) -> Result<(), &'static str> {
		match event {
			StatementEvent::ReplayStatements { statements } => {
				self.backlog.extend(statements.into_iter().map(|HexBytes(bytes)| Item::Statement(bytes)));
			}
			StatementEvent::NewStatements { statements } => {
				let bytes = statements.into_iter().map(|NewStatement { statement: HexBytes(bytes) }| bytes);
				self.backlog.extend(bytes.map(Item::Statement));
			}
			StatementEvent::ReplayDone { filter } => {
				let filter = (lane, filter);
				// A node may name filters that nobody asked for.
				if !self.open.remove(&filter) && self.early.len() < MAX_EARLY {
					self.early.insert(filter);
				}
			}
			StatementEvent::Stop => return Err("it has stopped sending statements"),
		}
		Ok(())
	}

	/// Tells the client when all that was stored has come, and with it what was sent since.
	fn settle(&mut self) -> Result<(), &'static str> {
		let point = Point { connection: self.node.connection(), turn: self.wanted.turn };
		let asking =
			self.asked > 0 || !self.open.is_empty() || self.todo.iter().any(|(_, request)| is_awaited(request));
		if asking || self.settled == Some(point) {
			return Ok(());
		}
		for _ in 0..MAX_TAKEN {
			// Whether something is there does not depend on how much this task has done.
			match unconstrained(self.streams.next()).now_or_never() {
				Some(Some(heard)) => self.on_heard(Some(heard))?,
				Some(None) | None => break,
			}
		}
		self.settled = Some(point);
		self.backlog.push_back(Item::Settled(point));
		Ok(())
	}
}
