//! Following what a node calls finalized, and believing none of it.

#[cfg(test)]
mod tests;

use super::{
	compare::{compare, Other, Said, BEHIND},
	heads::{Heads, Released},
	trust::{Problem, Trust},
	wishes::{Wanted, Wishes},
	FinalizedLog, Lie, Misbehaviour, Update,
};
use crate::{
	log::LogCursor,
	rpc::{until_end, Node, Nodes, RpcError, UntilEnd},
};
use async_trait::async_trait;
use futures::{
	future::OptionFuture,
	stream::{select_all, SelectAll},
	FutureExt, StreamExt,
};
use lockstep_primitives::{
	rpc::{FinalizedEntries, HeadProof, MAX_GROUPS},
	GroupId,
};
use std::{future::Future, pin::pin, sync::Arc, time::Duration};
use tokio::{
	sync::{mpsc, watch},
	task::JoinHandle,
	time::{sleep, sleep_until, Instant},
};

/// Messages that wait for the client. Small: what is not read yet is kept by the node.
const BUFFERED: usize = 4;
/// With several nodes: how long one may bring no new verified block before the next is asked.
const STALL: Duration = Duration::from_secs(10);

/// A [`FinalizedLog`] that verifies finality, the heads of logs and the entries itself. It follows one node at a time,
/// and goes on with the next one when that node is gone, stands still, falls behind or lies.
#[derive(Debug)]
pub struct VerifiedLog {
	wishes: watch::Sender<Wishes>,
	/// Each with the number of the newest request that it takes into account.
	updates: mpsc::Receiver<(u64, Update)>,
	task: JoinHandle<()>,
}

impl VerifiedLog {
	/// Starts following, no group at first, from what `trust` has verified. Must be called within a tokio runtime.
	pub(crate) fn start(nodes: Arc<Nodes>, trust: Trust) -> Self {
		let (wishes, wanted) = watch::channel(Wishes::default());
		let (sender, updates) = mpsc::channel(BUFFERED);
		let follower = Follower { nodes, wanted, turn: 0, sender, trust, heads: Heads::default() };
		Self { wishes, updates, task: tokio::spawn(follower.run()) }
	}
}

impl Drop for VerifiedLog {
	fn drop(&mut self) {
		self.task.abort();
	}
}

#[async_trait]
impl FinalizedLog for VerifiedLog {
	fn follow(&mut self, group: GroupId, from: LogCursor) {
		self.wishes.send_modify(|wishes| {
			wishes.turn = wishes.turn.wrapping_add(1);
			wishes.groups.insert(group, Wanted { turn: wishes.turn, from });
		});
	}

	fn forget(&mut self, group: &GroupId) {
		self.wishes.send_if_modified(|wishes| wishes.groups.remove(group).is_some());
	}

	async fn next(&mut self) -> Option<Update> {
		let (turn, mut update) = self.updates.recv().await?;
		if let Update::Finalized(finalized) = &mut update {
			// Of a group that was asked for since, it says nothing.
			finalized.complete &= turn == self.wishes.borrow().turn;
		}
		Some(update)
	}
}

/// The task behind a [`VerifiedLog`].
struct Follower {
	nodes: Arc<Nodes>,
	wanted: watch::Receiver<Wishes>,
	/// The number of the newest request that is taken into account.
	turn: u64,
	sender: mpsc::Sender<(u64, Update)>,
	trust: Trust,
	heads: Heads,
}

/// Why the subscription at hand is left.
enum Left {
	/// A group was added, or is to be read again: subscribe again, at the same node.
	Changed,
	/// The node is of no more use for now.
	Node,
	/// The node lied.
	Lied(Misbehaviour),
	/// Another node is further.
	For(String),
	/// The chain is not one that this library can read.
	Outdated(String),
	/// Nobody listens any more.
	Done,
}

type Entries = SelectAll<UntilEnd<FinalizedEntries>>;

impl Follower {
	async fn run(mut self) {
		let mut connection = None;
		loop {
			self.adopt();
			let node = match self.nodes.current().await {
				Ok(node) => node,
				Err(error) => {
					tracing::debug!(%error, "no node to follow");
					if self.pause().await {
						continue;
					}
					return;
				}
			};
			if connection.replace(node.connection()) != Some(node.connection())
				&& !self.tell(Update::Connected(node.connection())).await
			{
				return;
			}
			let left = match self.catch_up(&node).await {
				Ok(()) => match self.subscribe(&node).await {
					Ok(mut stream) => self.forward(&node, &mut stream).await,
					Err(error) => {
						tracing::debug!(%error, "a node cannot be followed");
						Left::Node
					}
				},
				Err(left) => left,
			};
			match left {
				Left::Changed => {}
				Left::For(url) => self.nodes.prefer(&node, &url).await,
				Left::Node => {
					self.nodes.give_up(&node).await;
					// Not at once: it may be the only node.
					if !self.pause().await {
						return;
					}
				}
				Left::Lied(misbehaviour) => {
					tracing::warn!(node = node.url(), lie = %misbehaviour.lie, "a node lied, and is not asked again");
					self.nodes.ban(&node, &misbehaviour.lie.to_string()).await;
					if !self.tell(Update::Lied(misbehaviour)).await {
						return;
					}
				}
				Left::Outdated(reason) => {
					self.tell(Update::Outdated(reason)).await;
					return;
				}
				Left::Done => return,
			}
		}
	}

	/// Takes over what is wanted. True if a group is new or to be read again.
	fn adopt(&mut self) -> bool {
		let wishes = self.wanted.borrow_and_update();
		self.turn = wishes.turn;
		self.heads.adopt(&wishes)
	}

	/// Has the client told. False when nobody listens any more.
	async fn tell(&self, update: Update) -> bool {
		self.sender.send((self.turn, update)).await.is_ok()
	}

	async fn tell_or_end(&self, update: Update) -> Result<(), Left> {
		if self.tell(update).await {
			Ok(())
		} else {
			Err(Left::Done)
		}
	}

	/// Waits before the next attempt. False when nobody listens any more.
	async fn pause(&self) -> bool {
		let wait = self.nodes.backoff().await;
		tokio::select! {
			() = sleep(wait) => true,
			() = self.sender.closed() => false,
		}
	}

	/// From the last verified block to the node's newest one, from authority set to authority set.
	async fn catch_up(&mut self, node: &Node) -> Result<(), Left> {
		if !self.trust.has_begun() {
			let genesis = node.finality_genesis().await.map_err(|error| unanswered(node, &error))?;
			self.trust.begin(&genesis).map_err(|problem| judged(node, problem, &genesis))?;
		}
		loop {
			let after = self.trust.number();
			let answer = node.finality_links(after).await.map_err(|error| unanswered(node, &error))?;
			for link in &answer.links {
				self.trust.advance(link).map_err(|problem| judged(node, problem, link))?;
			}
			self.keep(true).await?;
			if !answer.more || self.trust.number() == after {
				return Ok(());
			}
		}
	}

	/// Subscriptions to all groups, as many at once as the node takes in one.
	async fn subscribe(&mut self, node: &Node) -> Result<Entries, RpcError> {
		let positions = self.heads.restart();
		let mut subscriptions = Vec::new();
		for chunk in positions.chunks(MAX_GROUPS) {
			subscriptions.push(until_end(node.subscribe_entries(chunk).await?));
		}
		if subscriptions.is_empty() {
			// Finalized blocks are of interest to a client without groups too.
			subscriptions.push(until_end(node.subscribe_entries(&[]).await?));
		}
		tracing::debug!(node = node.url(), "following finalized entries");
		Ok(select_all(subscriptions))
	}

	async fn forward(&mut self, node: &Arc<Node>, stream: &mut Entries) -> Left {
		let alone = self.nodes.count() < 2;
		let mut stalled = Instant::now() + STALL;
		// Beside everything else: another node may take its time, or never answer.
		let mut comparing = pin!(OptionFuture::from((!alone).then(|| self.next_comparison(node))).fuse());
		loop {
			let message = tokio::select! {
				message = stream.next() => message.flatten(),
				// With one node only there is nothing to change to; whether the connection stands is found out by
				// pings.
				() = sleep_until(stalled), if !alone => {
					tracing::warn!(node = node.url(), "the node brings no new finalized block");
					return Left::Node;
				}
				Some(other) = &mut comparing => {
					if let Err(left) = self.on_compared(node, other).await {
						return left;
					}
					comparing.set(OptionFuture::from(Some(self.next_comparison(node))).fuse());
					continue;
				}
				changed = self.wanted.changed() => {
					if changed.is_err() {
						return Left::Done;
					}
					if self.adopt() {
						return Left::Changed;
					}
					continue;
				}
				() = self.sender.closed() => return Left::Done,
			};
			let message = match message {
				Some(Ok(message)) => message,
				Some(Err(error)) => {
					let lie = Lie::Undecodable(error.to_string());
					return Left::Lied(Misbehaviour::new(node.url(), lie, &()));
				}
				None => return Left::Node,
			};
			let before = self.trust.number();
			if let Err(left) = self.on_message(node, message).await {
				return left;
			}
			if self.trust.number() > before {
				stalled = Instant::now() + STALL;
			}
		}
	}

	/// Takes a message in. What was proven before the first thing that is wrong with it is given out all the same: the
	/// positions have passed it, and no other node is asked for it again.
	async fn on_message(&mut self, node: &Arc<Node>, message: FinalizedEntries) -> Result<(), Left> {
		let mut released = Released::default();
		let judged = self.judge(node, message, &mut released).await;
		let again = released.again;
		let update = Update::Finalized(super::Finalized {
			block: self.trust.number(),
			entries: released.entries,
			closed: released.closed,
			complete: matches!(judged, Ok(true)) && !again,
		});
		self.tell_or_end(update).await?;
		judged?;
		if again {
			return Err(Left::Changed);
		}
		Ok(())
	}

	/// Checks a message. True if it proves that nothing is missing up to the newest verified block.
	async fn judge(
		&mut self,
		node: &Arc<Node>,
		mut message: FinalizedEntries,
		released: &mut Released,
	) -> Result<bool, Left> {
		let lied = |lie, sent: &FinalizedEntries| Left::Lied(Misbehaviour::new(node.url(), lie, sent));
		let entries = std::mem::take(&mut message.entries);
		for (group, entry) in entries {
			// The entry goes into the evidence.
			if let Err(lie) = self.heads.admit(group, entry.clone(), released) {
				message.entries.push((group, entry));
				return Err(lied(lie, &message));
			}
		}
		match &message.proof {
			// Of an older block it shows nothing: another subscription of this client is further.
			Some(proof) if !message.more && self.verify(node, proof).await? => {
				let proven = self.trust.heads(proof).map_err(|problem| judged(node, problem, &message))?;
				let number = self.trust.number();
				self.heads.prove(&proven, number, released).map_err(|lie| lied(lie, &message))?;
				self.keep(false).await?;
				Ok(true)
			}
			_ => Ok(false),
		}
	}

	/// Verifies the block of a proof. If the votes are not those of the current set, the set may have changed in a
	/// block of which there was no message. False if the block lies below the newest verified one.
	async fn verify(&mut self, node: &Node, proof: &HeadProof) -> Result<bool, Left> {
		match self.trust.advance(&proof.block) {
			Ok(newest) => return Ok(newest),
			// Later it would be an old block among others.
			Err(conflict @ Problem::Conflict { .. }) => return Err(judged(node, conflict, &proof.block)),
			Err(_) => self.catch_up(node).await?,
		}
		self.trust.advance(&proof.block).map_err(|problem| judged(node, problem, &proof.block))
	}

	/// Has the position stored, if it is worth it.
	async fn keep(&mut self, now: bool) -> Result<(), Left> {
		match self.trust.take_position(now) {
			Some(position) => self.tell_or_end(Update::Verified(position)).await,
			None => Ok(()),
		}
	}

	/// What another node says of how far it is, some time from now.
	fn next_comparison(&self, node: &Arc<Node>) -> impl Future<Output = Option<Other>> + Send + 'static {
		compare(self.nodes.clone(), node.clone(), self.trust.clone())
	}

	async fn on_compared(&mut self, node: &Arc<Node>, other: Option<Other>) -> Result<(), Left> {
		let Some(Other { node: other, said }) = other else { return Ok(()) };
		match said {
			Said::Reached(number) if number > self.trust.number().saturating_add(BEHIND) => {
				tracing::info!(node = node.url(), further = other.url(), "another node is further");
				Err(Left::For(other.url().to_owned()))
			}
			Said::Reached(_) => Ok(()),
			Said::Lie(misbehaviour) => {
				self.nodes.ban(&other, &misbehaviour.lie.to_string()).await;
				self.tell_or_end(Update::Lied(misbehaviour)).await
			}
		}
	}
}

fn unanswered(node: &Node, error: &RpcError) -> Left {
	match error {
		RpcError::Undecodable { reason, .. } => {
			Left::Lied(Misbehaviour::new(node.url(), Lie::Undecodable(reason.clone()), &()))
		}
		error => {
			tracing::debug!(%error, "a node cannot be followed");
			Left::Node
		}
	}
}

fn judged(node: &Node, problem: Problem, sent: &impl serde::Serialize) -> Left {
	match problem {
		Problem::Lie(lie) => Left::Lied(Misbehaviour::new(node.url(), lie, sent)),
		Problem::Conflict { lie, known } => Left::Lied(Misbehaviour::against(node.url(), lie, sent, &known)),
		Problem::Outdated(reason) => Left::Outdated(reason),
	}
}
