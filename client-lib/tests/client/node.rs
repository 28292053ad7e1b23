//! A node over a [`Chain`] in memory: the RPC methods that clients use.

use crate::chain::{Chain, NONCE_TAKEN};
use jsonrpsee::{
	server::{PendingSubscriptionSink, Server, ServerHandle, SubscriptionMessage},
	types::ErrorObjectOwned,
	RpcModule,
};
use lockstep_primitives::{
	rpc::{FinalizedEntries, Group, HexBytes, Links, Position},
	GroupId, GroupState, Refusal,
};
use serde_json::json;
use std::{
	net::SocketAddr,
	sync::{Arc, Mutex},
};
use tokio::sync::watch;

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
	/// What it does to each message about finalized entries.
	spoil: Arc<Mutex<Option<Spoil>>>,
}

type Spoil = Box<dyn FnMut(&mut FinalizedEntries, &Chain) + Send>;

impl Node {
	pub async fn start(chain: &Chain) -> Self {
		let finality = Arc::new(watch::channel(true).0);
		let view = View { chain: chain.clone(), finality, spoil: Arc::default() };
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

	/// Changes each message about finalized entries from now on.
	pub fn spoil(&self, change: impl FnMut(&mut FinalizedEntries, &Chain) + Send + 'static) {
		*self.view.spoil.lock().unwrap() = Some(Box::new(change));
	}

	/// Cuts all connections and starts again at the same address.
	pub async fn restart(self) -> Self {
		let (view, address) = (self.view.clone(), self.address);
		self.stop().await;
		Self::start_at(view, address).await
	}

	pub async fn stop(self) {
		self.handle.stop().unwrap();
		self.handle.stopped().await;
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
			"statement_subscribeStatement",
			"statement_statement",
			"statement_unsubscribeStatement",
			|parameters, pending, view, _| async move {
				let Ok((filter,)) = parameters.parse::<(serde_json::Value,)>() else { return };
				let topics: Vec<HexBytes> = serde_json::from_value(filter["matchAny"].clone()).unwrap();
				statements(pending, view.chain.clone(), topics).await;
			},
		)
		.unwrap();
	module
}

async fn entries(pending: PendingSubscriptionSink, view: View, mut positions: Vec<Position>) {
	let Ok(sink) = pending.accept().await else { return };
	let (chain, mut finality) = (view.chain, view.finality.subscribe());
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
			if sink.send(SubscriptionMessage::from_json(&message).unwrap()).await.is_err() {
				return;
			}
		}
		tokio::select! {
			changed = changes.changed() => if changed.is_err() { return },
			() = sink.closed() => return,
		}
	}
}

async fn statements(pending: PendingSubscriptionSink, chain: Chain, topics: Vec<HexBytes>) {
	let Ok(sink) = pending.accept().await else { return };
	let mut changes = chain.changes();
	let mut sent = 0;
	loop {
		changes.mark_unchanged();
		let new: Vec<HexBytes> = {
			let state = chain.state();
			// The topic of a statement with a proof, an expiry and one topic.
			let under = |statement: &&Vec<u8>| topics.iter().any(|topic| statement.get(109..141) == Some(&topic.0));
			let new = state.statements.iter().skip(sent).filter(under).cloned().map(HexBytes).collect();
			sent = state.statements.len();
			new
		};
		if !new.is_empty() {
			let event = json!({ "event": "newStatements", "data": { "statements": new } });
			if sink.send(SubscriptionMessage::from_json(&event).unwrap()).await.is_err() {
				return;
			}
		}
		tokio::select! {
			changed = changes.changed() => if changed.is_err() { return },
			() = sink.closed() => return,
		}
	}
}
