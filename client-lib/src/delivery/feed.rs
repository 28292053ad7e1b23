//! Reading statements from a node.
//!
//! A member that was away has to read what was said in the epochs that it missed before it goes through them, because
//! it keeps the keys of a few past epochs only. So the feed says when it has given out all that the node in use has
//! stored ([`StatementFeed::is_settled`]). Also a member that was there may find many epochs and what was said in them at once,
//! when its device has slept: before it goes on in the log it takes in what has come ([`StatementFeed::look`]).

mod reader;
#[cfg(test)]
mod tests;

use crate::rpc::Nodes;
use reader::Reader;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
	sync::{mpsc, watch},
	task::JoinHandle,
	time::Instant,
};

/// Statements that wait for the client.
const BUFFERED: usize = 64;
/// How long nothing may come from a node that is to send what it has stored.
const SILENCE: Duration = Duration::from_secs(10);
/// How long it may take in all.
const LONGEST: Duration = Duration::from_secs(120);

/// What is wanted.
#[derive(Clone, Debug, Default)]
struct Wanted {
	/// The number of the newest request.
	turn: u64,
	/// The topics, each with the newest request for it, so that a repeated one is seen.
	topics: BTreeMap<[u8; 32], Request>,
	/// How many requests there were on which nothing else waits.
	asides: u64,
}

/// A request for a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
	/// By its number: [`StatementFeed::is_settled`] waits for what is stored under it.
	Awaited(u64),
	/// By its number among those for which it does not.
	Aside(u64),
}

/// What the reader has for the client.
#[derive(Debug)]
enum Item {
	/// An encoded statement.
	Statement(Vec<u8>),
	/// All that was stored at the node under what was wanted then, and all that had come since, came before this.
	Settled(Point),
	/// What the node sends from now on does not reach this client: it is asked for anew.
	Unsettled,
}

/// A connection, and the newest request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Point {
	connection: u64,
	turn: u64,
}

/// The statements under some topics: first those that the node has stored, then new ones. After a change of the node
/// the stored ones come again.
#[derive(Debug)]
pub struct StatementFeed {
	nodes: Arc<Nodes>,
	wanted: watch::Sender<Wanted>,
	items: mpsc::Receiver<Item>,
	/// `None` while the node has to be asked anew.
	settled: Option<Point>,
	patience: Patience,
	task: JoinHandle<()>,
}

impl StatementFeed {
	/// Starts reading, no topic at first. Must be called within a tokio runtime.
	pub fn start(nodes: Arc<Nodes>) -> Self {
		let (wanted, asked) = watch::channel(Wanted::default());
		let (sender, items) = mpsc::channel(BUFFERED);
		let task = tokio::spawn(Reader::new(nodes.clone(), asked, sender).run());
		let (settled, patience) = (Some(Point::default()), Patience::start(0));
		Self { nodes, wanted, items, settled, patience, task }
	}

	/// Reads this topic, from the stored statements on, also if it is read already.
	pub fn watch(&mut self, topic: [u8; 32]) {
		let turn = self.next_turn();
		self.wanted.send_modify(|wanted| {
			wanted.turn = turn;
			wanted.topics.insert(topic, Request::Awaited(turn));
		});
	}

	/// The same, of a topic that others can name to this client: [`Self::is_settled`] does not wait for it.
	pub fn watch_aside(&mut self, topic: [u8; 32]) {
		self.wanted.send_modify(|wanted| {
			wanted.asides = wanted.asides.wrapping_add(1);
			wanted.topics.insert(topic, Request::Aside(wanted.asides));
		});
	}

	/// It is not settled again before what has come from the node until now is given out: all that it sent, over the same
	/// connection, before what was last heard of the log.
	pub fn look(&mut self) {
		let turn = self.next_turn();
		self.wanted.send_modify(|wanted| wanted.turn = turn);
	}

	fn next_turn(&mut self) -> u64 {
		let last = self.wanted.borrow().turn;
		if self.settled.is_some_and(|settled| settled.turn == last) {
			// While the node is still sending, more that is wanted does not make the wait longer.
			self.patience = Patience::start(self.nodes.connection());
		}
		last.wrapping_add(1)
	}

	/// Reads this topic no longer. Statements that are on their way may still come.
	pub fn forget(&self, topic: &[u8; 32]) {
		self.wanted.send_if_modified(|wanted| wanted.topics.remove(topic).is_some());
	}

	/// The next statement, encoded; `None` if it is time to look at [`Self::is_settled`] again. Nothing is lost if the
	/// future is dropped. It never ends when there is nothing more to come.
	pub async fn next(&mut self) -> Option<Vec<u8>> {
		match self.items.recv().await {
			Some(Item::Statement(statement)) => {
				self.patience.heard();
				Some(statement)
			}
			Some(Item::Settled(point)) => {
				self.settled = Some(point);
				None
			}
			Some(Item::Unsettled) => {
				if self.settled.take().is_some() {
					self.patience = Patience::start(self.nodes.connection());
				}
				None
			}
			None => std::future::pending().await,
		}
	}

	/// Whether all that the node in use has stored under the topics was given out. True as well if it has taken too long
	/// to send it: statements are best effort, and a node that withholds them does not hold up the rest.
	pub fn is_settled(&mut self) -> bool {
		let wanted = Point { connection: self.nodes.connection(), turn: self.wanted.borrow().turn };
		if self.settled == Some(wanted) {
			return true;
		}
		if self.patience.connection != wanted.connection {
			self.patience = Patience::start(wanted.connection);
		}
		self.patience.is_over()
	}

	/// When [`Self::is_settled`] becomes true for lack of patience, if nothing comes until then.
	pub fn impatient_at(&self) -> Instant {
		self.patience.end()
	}
}

impl Drop for StatementFeed {
	fn drop(&mut self) {
		self.task.abort();
	}
}

/// How long is waited for a node to send what it has stored.
#[derive(Clone, Copy, Debug)]
struct Patience {
	connection: u64,
	since: Instant,
	heard: Instant,
}

impl Patience {
	fn start(connection: u64) -> Self {
		let now = Instant::now();
		Self { connection, since: now, heard: now }
	}

	fn heard(&mut self) {
		self.heard = Instant::now();
	}

	fn end(&self) -> Instant {
		(self.heard + SILENCE).min(self.since + LONGEST)
	}

	fn is_over(&self) -> bool {
		self.end() <= Instant::now()
	}
}
