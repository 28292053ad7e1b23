//! A node over a [`Chain`] in memory: the RPC methods that clients use.

use crate::chain::{Chain, NONCE_TAKEN};
use jsonrpsee::{
	server::{PendingSubscriptionSink, Server, ServerHandle, SubscriptionMessage, SubscriptionSink},
	types::ErrorObjectOwned,
	RpcModule,
};
use lockstep_primitives::{
	rpc::{FinalizedEntries, Group, HexBytes, Links, Position},
	GroupId, GroupState, Refusal,
};
use serde_json::json;
use std::{
	collections::HashMap,
	net::SocketAddr,
	sync::{Arc, Mutex},
};
use tokio::sync::{mpsc, watch};

pub struct Node {
	pub url: String,
	address: SocketAddr,
	view: View,
	handle: ServerHandle,
}

/// A chain as one node sees it.
#[derive(Clone)]
struct View {
	chain: Chain,
	/// Whether new finalized blocks reach this node.
	finality: Arc<watch::Sender<bool>>,
	/// Whether it sends statements.
	statements: Arc<watch::Sender<bool>>,
	/// Counts how often it has stopped sending statements.
	stops: Arc<watch::Sender<usize>>,
	/// How many entries it has sent.
	sent: Arc<watch::Sender<usize>>,
	/// Topics for each subscription to statements, each with the name of its filter.
	filters: Arc<Mutex<HashMap<String, Asking>>>,
	/// What it does to each message about finalized entries.
	spoil: Arc<Mutex<Option<Spoil>>>,
}

/// Takes the topics that a subscription is asked for, each with the name of its filter.
type Asking = mpsc::UnboundedSender<(String, HexBytes)>;
type Spoil = Box<dyn FnMut(&mut FinalizedEntries, &Chain) + Send>;

impl Node {
	pub async fn start(chain: &Chain) -> Self {
		let finality = Arc::new(watch::channel(true).0);
		let statements = Arc::new(watch::channel(true).0);
		let stops = Arc::new(watch::channel(0).0);
		let sent = Arc::new(watch::channel(0).0);
		let chain = chain.clone();
		let view = View { chain, finality, statements, stops, sent, filters: Arc::default(), spoil: Arc::default() };
		Self::start_at(view, SocketAddr::from(([127, 0, 0, 1], 0))).await
	}

	async fn start_at(view: View, address: SocketAddr) -> Self {
		let server = Server::builder().build(address).await.unwrap();
		let address = server.local_addr().unwrap();
		let handle = server.start(methods(view.clone()));
		Self { url: format!("ws://{address}"), address, view, handle }
	}

	/// Whether new finalized blocks reach this node. Submissions and statements pass in any case.
	pub fn set_finality(&self, reached: bool) {
		self.view.finality.send_replace(reached);
	}

	/// Whether this node sends statements.
	pub fn set_statements(&self, sent: bool) {
		self.view.statements.send_replace(sent);
	}

	/// Ends the subscriptions to statements, as for a reader that is too slow. Those who ask again are served.
	pub fn stop_statements(&self) {
		self.view.stops.send_modify(|stops| *stops += 1);
	}

	/// Waits until it has sent so many entries, counted from now.
	pub async fn sends(&self, entries: usize) {
		let goal = *self.view.sent.borrow() + entries;
		self.view.sent.subscribe().wait_for(|sent| *sent >= goal).await.unwrap();
	}

	/// Changes each message about finalized entries from now on.
	pub fn spoil(&self, change: impl FnMut(&mut FinalizedEntries, &Chain) + Send + 'static) {
		*self.view.spoil.lock().unwrap() = Some(Box::new(change));
	}

	/// Cuts all connections and starts again at the same address.
	pub async fn restart(self) -> Self {
		self.cut().await.mend().await
	}

	/// Cuts all connections, and takes no new ones.
	pub async fn cut(self) -> Cut {
		let cut = Cut { view: self.view.clone(), address: self.address };
		self.stop().await;
		cut
	}

	pub async fn stop(self) {
		self.handle.stop().unwrap();
		self.handle.stopped().await;
	}
}

/// A node that is not there for a while.
pub struct Cut {
	view: View,
	address: SocketAddr,
}

impl Cut {
	/// Whether the node sends statements when it is back.
	pub fn set_statements(&self, sent: bool) {
		self.view.statements.send_replace(sent);
	}

	/// The node is back, at the same address.
	pub async fn mend(self) -> Node {
		Node::start_at(self.view, self.address).await
	}
}

fn methods(view: View) -> RpcModule<View> {
	let mut module = RpcModule::new(view);
	module.register_method("chain_getBlockHash", |_, view, _| json!(view.chain.genesis)).unwrap();
	module
		.register_method("state_getRuntimeVersion", |_, _, _| json!({ "specVersion": 1, "transactionVersion": 1 }))
		.unwrap();
	module.register_method("finality_genesis", |_, view, _| json!(view.chain.genesis_proof())).unwrap();
	module
		.register_method("finality_links", |_, view, _| {
			json!(Links { links: vec![view.chain.state().justified()], more: false })
		})
		.unwrap();
	module.register_method("state_call", |_, _, _| json!("0x00000000")).unwrap();
	module.register_method("ordering_parameters", |_, _, _| json!(Chain::parameters())).unwrap();
	module
		.register_method("ordering_group", |parameters, view, _| -> Result<_, ErrorObjectOwned> {
			let (group,): (GroupId,) = parameters.parse()?;
			let state = view.chain.state();
			let head = state.logs.get(&group).and_then(|log| log.head);
			let of = |head| GroupState { head, last_entry_at: state.height, open_entries: 1, contested: false };
			Ok(json!(Group { at: state.at(), state: head.map(of) }))
		})
		.unwrap();
	module
		.register_method("ordering_submit", |parameters, view, _| {
			let (extrinsic,): (HexBytes,) = parameters.parse()?;
			view.chain.submit(&extrinsic.0).map(|()| json!("0x00")).map_err(|problem| {
				match Refusal::ALL.into_iter().find(|refusal| refusal.name() == problem) {
					Some(refusal) => ErrorObjectOwned::owned(9001, refusal.to_string(), Some(refusal.name())),
					None if problem == NONCE_TAKEN => ErrorObjectOwned::owned(9006, problem, None::<()>),
					None => ErrorObjectOwned::owned(9002, problem, None::<()>),
				}
			})
		})
		.unwrap();
	module
		.register_method("statement_submit", |parameters, view, _| -> Result<_, ErrorObjectOwned> {
			let (statement,): (HexBytes,) = parameters.parse()?;
			if view.chain.state().deaf {
				return Err(ErrorObjectOwned::owned(1, "the store is not there", None::<()>));
			}
			let status = if view.chain.post(statement.0) { "new" } else { "known" };
			Ok(json!({ "status": status }))
		})
		.unwrap();
	module
		.register_subscription(
			"ordering_subscribeEntries",
			"ordering_entriesFinalized",
			"ordering_unsubscribeEntries",
			|parameters, pending, view, _| async move {
				let Ok((positions,)) = parameters.parse::<(Vec<Position>,)>() else { return };
				entries(pending, (*view).clone(), positions).await;
			},
		)
		.unwrap();
	module
		.register_subscription(
			"statement_unstable_subscribe",
			"statement_unstable_subscribeEvent",
			"statement_unstable_unsubscribe",
			|_, pending, view, _| async move { statements(pending, (*view).clone()).await },
		)
		.unwrap();
	module
		.register_method("statement_unstable_add_filter", |parameters, view, _| -> Result<_, ErrorObjectOwned> {
			let (subscription, filter): (String, serde_json::Value) = parameters.parse()?;
			let [topic]: [HexBytes; 1] = serde_json::from_value(filter["matchAll"].clone()).unwrap();
			let name = hex::encode(&topic.0);
			let filters = view.filters.lock().unwrap();
			drop(filters.get(&subscription).unwrap().send((name.clone(), topic)));
			Ok(json!(name))
		})
		.unwrap();
	module.register_method("statement_unstable_remove_filter", |_, _, _| json!(null)).unwrap();
	module
}

async fn entries(pending: PendingSubscriptionSink, view: View, mut positions: Vec<Position>) {
	let Ok(sink) = pending.accept().await else { return };
	let (chain, mut finality) = (view.chain.clone(), view.finality.subscribe());
	let mut changes = chain.changes();
	let mut told = 0;
	loop {
		tokio::select! {
			reached = finality.wait_for(|reached| *reached) => if reached.is_err() { return },
			() = sink.closed() => return,
		}
		changes.mark_unchanged();
		let mut message = {
			let state = chain.state();
			let mut entries = Vec::new();
			for position in &mut positions {
				let log = state.logs.get(&position.group).map_or(&[][..], |log| &log.entries);
				for entry in log.iter().skip(position.from as usize).filter(|entry| entry.block <= state.height) {
					entries.push((position.group, entry.clone()));
					position.from += 1;
				}
			}
			let proof = Some(state.proof(positions.iter().map(|position| position.group).collect()));
			FinalizedEntries { at: state.at(), entries, more: false, proof }
		};
		if let Some(spoil) = &mut *view.spoil.lock().unwrap() {
			spoil(&mut message, &chain);
		}
		if message.at.number > told || !message.entries.is_empty() {
			told = message.at.number;
			let count = message.entries.len();
			if sink.send(SubscriptionMessage::from_json(&message).unwrap()).await.is_err() {
				return;
			}
			view.sent.send_modify(|sent| *sent += count);
		}
		tokio::select! {
			changed = changes.changed() => if changed.is_err() { return },
			() = sink.closed() => return,
		}
	}
}

/// Says that it sends no more, when it is to stop.
async fn stopped(stops: &mut watch::Receiver<usize>, sink: &SubscriptionSink) {
	if stops.changed().await.is_ok() {
		drop(sink.send(SubscriptionMessage::from_json(&json!({ "event": "stop" })).unwrap()).await);
	}
}

async fn statements(pending: PendingSubscriptionSink, view: View) {
	let (sender, mut asked) = mpsc::unbounded_channel();
	let id = serde_json::to_value(pending.subscription_id()).unwrap();
	let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
	view.filters.lock().unwrap().insert(id, sender);
	let Ok(sink) = pending.accept().await else { return };
	let (mut open, mut changes) = (view.statements.subscribe(), view.chain.changes());
	let mut stops = view.stops.subscribe();
	let mut topics: Vec<HexBytes> = Vec::new();
	let mut seen = 0;
	let mut again = Vec::new();
	loop {
		tokio::select! {
			open = open.wait_for(|open| *open) => if open.is_err() { return },
			() = stopped(&mut stops, &sink) => return,
			() = sink.closed() => return,
		}
		let mut events = Vec::new();
		changes.mark_unchanged();
		{
			let state = view.chain.state();
			// The topic of a statement with a proof, an expiry and one topic.
			let under = |statement: &Vec<u8>, topic: &HexBytes| statement.get(109..141) == Some(&topic.0);
			let new = state.statements.iter().skip(seen).filter(|all| topics.iter().any(|topic| under(all, topic)));
			let new: Vec<_> =
				new.map(|bytes| json!({ "statement": HexBytes(bytes.clone()), "filterIds": [] })).collect();
			seen = state.statements.len();
			if !new.is_empty() {
				events.push(json!({ "event": "newStatements", "statements": new }));
			}
			for (name, topic) in again.drain(..) {
				// A store knows no order. The opposite is the hardest to read.
				let stored = state.statements.iter().rev().filter(|bytes| under(bytes, &topic));
				let stored: Vec<HexBytes> = stored.cloned().map(HexBytes).collect();
				events.push(json!({ "event": "replayStatements", "filterId": name, "statements": stored }));
				events.push(json!({ "event": "replayDone", "filterId": name }));
				topics.push(topic);
			}
		}
		for event in events {
			if sink.send(SubscriptionMessage::from_json(&event).unwrap()).await.is_err() {
				return;
			}
		}
		tokio::select! {
			changed = changes.changed() => if changed.is_err() { return },
			asked = asked.recv() => match asked {
				Some(asked) => again.push(asked),
				None => return,
			},
			() = stopped(&mut stops, &sink) => return,
			() = sink.closed() => return,
		}
	}
}
