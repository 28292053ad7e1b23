//! A lying node: it stands in front of a real one, passes everything on, and changes what it was told to change.
//!
//! Clients cannot tell it from a node by anything but what it says.

use crate::{Error, Result};
use jsonrpsee::{
	core::{
		client::{ClientT, Subscription, SubscriptionClientT, SubscriptionKind},
		traits::ToRpcParams,
		ClientError,
	},
	rpc_params,
	server::{PendingSubscriptionSink, Server, ServerHandle, SubscriptionMessage},
	types::{ErrorObjectOwned, Params, SubscriptionId},
	ws_client::{WsClient, WsClientBuilder},
	RpcModule,
};
use lockstep_primitives::rpc::{FinalizedEntries, GenesisProof, Links};
use serde_json::{value::RawValue, Value};
use std::{
	collections::HashMap,
	net::SocketAddr,
	sync::{Arc, RwLock},
};

/// Far above what clients take: an answer may be too large for them.
const LARGEST: u32 = 64 * 1024 * 1024;

/// As a node that does not have what was asked for.
const REFUSED: i32 = 9_005;

/// What clients ask of a node and what comes back as it is, if nothing is to be changed.
const METHODS: [&str; 11] = [
	"chain_getBlockHash",
	"directory_changed",
	"directory_claim",
	"directory_log",
	"directory_stock",
	"ordering_group",
	"ordering_parameters",
	"ordering_submit",
	"state_call",
	"state_getRuntimeVersion",
	"statement_submit",
];

/// What it changes. Each is given what the real node said.
#[derive(Default)]
pub struct Lies {
	/// The genesis.
	pub genesis: Option<Change<GenesisProof>>,
	/// The way to the newest block.
	pub links: Option<Change<Links>>,
	/// A message about finalized entries.
	pub entries: Option<Change<FinalizedEntries>>,
	/// A message about finalized entries, as JSON, after the change above.
	pub json: Option<Change<Value>>,
	/// What is asked by any other method, and its parameters: the real node is asked for what this makes of them.
	pub question: Option<ChangeOther>,
	/// Any other answer: the method, and what it answers.
	pub answer: Option<ChangeOther>,
	/// A method, one of the others, that it answers with an error.
	pub refuse: Option<&'static str>,
}

/// Changes a message of this type. False drops it: nothing is sent, for good if it is an answer.
pub type Change<T> = Box<dyn FnMut(&mut T) -> bool + Send + Sync>;
/// Changes what a method is asked, or answers.
pub type ChangeOther = Box<dyn FnMut(&str, &mut Value) + Send + Sync>;

/// See the module.
pub struct Liar {
	/// Where clients reach it.
	pub url: String,
	lies: Arc<RwLock<Lies>>,
	server: ServerHandle,
}

struct Front {
	real: WsClient,
	lies: Arc<RwLock<Lies>>,
	/// Subscriptions to statements: what clients call them, and what the real node does.
	subscriptions: RwLock<HashMap<String, String>>,
}

/// Parameters as they came.
struct AsTheyAre(Option<String>);

impl ToRpcParams for AsTheyAre {
	fn to_rpc_params(self) -> std::result::Result<Option<Box<RawValue>>, serde_json::Error> {
		self.0.map(RawValue::from_string).transpose()
	}
}

impl AsTheyAre {
	/// Not any more.
	fn change(&mut self, change: impl FnOnce(&mut Value)) {
		let parsed = self.0.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
		let Some(mut value) = parsed else { return };
		change(&mut value);
		self.0 = Some(value.to_string());
	}
}

fn as_they_are(params: &Params<'_>) -> AsTheyAre {
	AsTheyAre(params.as_str().map(str::to_owned))
}

fn error(problem: ClientError) -> ErrorObjectOwned {
	match problem {
		ClientError::Call(error) => error,
		other => ErrorObjectOwned::owned(-32603, other.to_string(), None::<()>),
	}
}

impl Liar {
	/// Stands in front of the node at `url`, and tells the truth at first.
	pub async fn start(url: &str) -> Result<Self> {
		let real = WsClientBuilder::new().max_response_size(LARGEST).build(url).await.map_err(Error::Rpc)?;
		let lies = Arc::new(RwLock::new(Lies::default()));
		let server = Server::builder().max_response_body_size(LARGEST).build(SocketAddr::from(([127, 0, 0, 1], 0)));
		let server = server.await.map_err(Error::io("starting a lying node"))?;
		let address = server.local_addr().map_err(Error::io("starting a lying node"))?;
		let module = module(Front { real, lies: lies.clone(), subscriptions: RwLock::default() })
			.map_err(|error| Error::Broken(error.to_string()))?;
		Ok(Self { url: format!("ws://{address}"), lies, server: server.start(module) })
	}

	/// Tells these lies from now on, and none of before.
	pub fn tell(&self, lies: Lies) {
		if let Ok(mut told) = self.lies.write() {
			*told = lies;
		}
	}
}

impl Drop for Liar {
	fn drop(&mut self) {
		// It may have stopped already.
		let _ = self.server.stop();
	}
}

fn module(front: Front) -> std::result::Result<RpcModule<Front>, Box<dyn std::error::Error>> {
	let mut module = RpcModule::new(front);
	for method in METHODS {
		module.register_async_method(method, move |params, front, _| async move {
			let mut asked = as_they_are(&params);
			if let Ok(mut lies) = front.lies.write() {
				if lies.refuse == Some(method) {
					return Err(ErrorObjectOwned::owned(REFUSED, "ask another", None::<()>));
				}
				if let Some(change) = &mut lies.question {
					asked.change(|parameters| change(method, parameters));
				}
			}
			let mut answer: Value = front.real.request(method, asked).await.map_err(error)?;
			if let Ok(mut lies) = front.lies.write() {
				if let Some(change) = &mut lies.answer {
					change(method, &mut answer);
				}
			}
			Ok::<_, ErrorObjectOwned>(answer)
		})?;
	}
	module.register_async_method("finality_genesis", |params, front, _| async move {
		let mut answer = front.real.request("finality_genesis", as_they_are(&params)).await.map_err(error)?;
		let said = front.lies.write().map_or(true, |mut lies| tell(&mut lies.genesis, &mut answer));
		silence_unless(said).await;
		Ok::<GenesisProof, ErrorObjectOwned>(answer)
	})?;
	module.register_async_method("finality_links", |params, front, _| async move {
		let mut answer = front.real.request("finality_links", as_they_are(&params)).await.map_err(error)?;
		let said = front.lies.write().map_or(true, |mut lies| tell(&mut lies.links, &mut answer));
		silence_unless(said).await;
		Ok::<Links, ErrorObjectOwned>(answer)
	})?;
	module.register_subscription(
		"ordering_subscribeEntries",
		"ordering_entriesFinalized",
		"ordering_unsubscribeEntries",
		|params, pending, front, _| async move {
			let names = ("ordering_subscribeEntries", "ordering_unsubscribeEntries");
			let real: std::result::Result<Subscription<FinalizedEntries>, _> =
				front.real.subscribe(names.0, as_they_are(&params), names.1).await;
			let lie = |mut message: FinalizedEntries| {
				let mut lies = front.lies.write().ok()?;
				let said = tell(&mut lies.entries, &mut message);
				let mut message = serde_json::to_value(message).ok()?;
				(said && tell(&mut lies.json, &mut message)).then_some(message)
			};
			pass_on(real, pending, lie).await;
		},
	)?;
	module.register_subscription(
		"statement_unstable_subscribe",
		"statement_unstable_subscribeEvent",
		"statement_unstable_unsubscribe",
		|params, pending, front, _| async move {
			let names = ("statement_unstable_subscribe", "statement_unstable_unsubscribe");
			let real: std::result::Result<Subscription<Value>, _> =
				front.real.subscribe(names.0, as_they_are(&params), names.1).await;
			// Filters are added to subscriptions by name, and the real node has given it another.
			if let (Ok(real), Ok(mut known)) = (&real, front.subscriptions.write()) {
				if let SubscriptionKind::Subscription(id) = real.kind() {
					known.insert(name(&pending.subscription_id()), name(id));
				}
			}
			pass_on(real, pending, Some).await;
		},
	)?;
	for method in ["statement_unstable_add_filter", "statement_unstable_remove_filter"] {
		module.register_async_method(method, move |params, front, _| async move {
			let (subscription, filter): (String, Value) = params.parse()?;
			let real = front.subscriptions.read().ok().and_then(|known| known.get(&subscription).cloned());
			let parameters = rpc_params![real.unwrap_or_default(), filter];
			front.real.request::<Value, _>(method, parameters).await.map_err(error)
		})?;
	}
	Ok(module)
}

fn name(id: &SubscriptionId<'_>) -> String {
	match id {
		SubscriptionId::Num(number) => number.to_string(),
		SubscriptionId::Str(text) => text.to_string(),
	}
}

fn tell<T>(change: &mut Option<Change<T>>, message: &mut T) -> bool {
	change.as_mut().is_none_or(|change| change(message))
}

/// A node that does not answer.
async fn silence_unless(said: bool) {
	if !said {
		std::future::pending::<()>().await;
	}
}

async fn pass_on<T: serde::de::DeserializeOwned>(
	real: std::result::Result<Subscription<T>, ClientError>,
	pending: PendingSubscriptionSink,
	mut lie: impl FnMut(T) -> Option<Value>,
) {
	let mut real = match real {
		Ok(real) => real,
		Err(problem) => return pending.reject(error(problem)).await,
	};
	let Ok(sink) = pending.accept().await else { return };
	loop {
		let message = tokio::select! {
			message = real.next() => message,
			() = sink.closed() => return,
		};
		let Some(Ok(message)) = message else { return };
		let Some(message) = lie(message) else { continue };
		let Ok(message) = SubscriptionMessage::from_json(&message) else { return };
		if sink.send(message).await.is_err() {
			return;
		}
	}
}
