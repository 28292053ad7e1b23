//! One connection to a node.

use super::{RpcError, SubmitError};
use codec::Decode;
use futures::{
	stream::{self, BoxStream},
	StreamExt,
};
use jsonrpsee::{
	core::{
		client::{ClientT, Subscription, SubscriptionClientT, SubscriptionKind},
		params::ArrayParams,
		ClientError,
	},
	rpc_params,
	types::SubscriptionId,
	ws_client::{PingConfig, WsClient, WsClientBuilder},
};
use lockstep_primitives::{
	extrinsic::TRANSACTION_VERSION,
	rpc::{
		ChangedIdentities, FinalizedEntries, GenesisProof, Group, HexBytes, IdentityLog, KeyPackagesProof, Links,
		Moment, Position, MAX_CHANGED,
	},
	BlockHash, BlockNumber, GenesisHash, GroupId, IdentityId, IdentityKey, InitKey, OrderingParameters, VoucherKey,
};
use serde::{de::DeserializeOwned, Deserialize};
use std::time::Duration;
use tokio::time::timeout;

/// For each address that the host has, one after the other: so short that one that answers is tried within [`HANDSHAKE_TIMEOUT`],
/// after some that do not.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// For all of them and the WebSocket handshake, which has no limit of its own: whoever accepts a connection may say nothing.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(20);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection on which nothing was heard for as long as twice this is given up.
const PING_INTERVAL: Duration = Duration::from_secs(5);
/// A page is about 1 MiB of payload, twice that in hexadecimal; a node may be more generous.
const MAX_RESPONSE: u32 = 12 * 1024 * 1024;
/// A statement of 1 MiB in hexadecimal, and room for the rest of the request.
const MAX_REQUEST: u32 = 3 * 1024 * 1024;
/// Messages of a subscription that wait to be read. A subscription that overflows ends and is made again from where
/// the reader is.
const SUBSCRIPTION_BUFFER: usize = 256;

/// What a client needs to know of the chain before it uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainFacts {
	/// The chain's genesis.
	pub genesis: GenesisHash,
	/// The runtime's version, which signed extrinsics name.
	pub spec_version: u32,
	/// The constants of the ordering pallet.
	pub parameters: OrderingParameters,
}

/// A message of `statement_unstable_subscribe`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase")]
pub enum StatementEvent {
	/// Statements that the node had when the filter was added, not always all of them.
	ReplayStatements {
		/// Encoded statements.
		statements: Vec<HexBytes>,
	},
	/// There were no more.
	ReplayDone {
		/// The name of the filter.
		#[serde(rename = "filterId")]
		filter: String,
	},
	/// Statements that the node has had since.
	NewStatements {
		/// The statements.
		statements: Vec<NewStatement>,
	},
	/// The node has stopped: the reader was too slow.
	Stop,
}

/// One statement in [`StatementEvent::NewStatements`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NewStatement {
	/// Encoded.
	pub statement: HexBytes,
}

/// What a node's statement store did with a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementOutcome {
	/// It is stored and will be passed on, or was before.
	Stored,
	/// It has expired: make it anew.
	Expired,
	/// The quota of its signer is used up by statements that last longer; it has to last longer than `min_expiry`.
	Full {
		/// The least expiry among those stored; 0 if it is not said.
		min_expiry: u64,
	},
	/// Not now: no allowance yet, the store is full, or an internal error.
	Later(String),
	/// Never: malformed or too large.
	Invalid(String),
}

/// The JSON form of the statement store's answer.
#[derive(Deserialize)]
struct SubmitAnswer {
	status: String,
	#[serde(default)]
	reason: Option<String>,
	#[serde(default, alias = "minExpiry")]
	min_expiry: Option<u64>,
}

impl From<SubmitAnswer> for StatementOutcome {
	fn from(answer: SubmitAnswer) -> Self {
		let reason = answer.reason.unwrap_or_default();
		match (answer.status.as_str(), reason.as_str(), answer.min_expiry) {
			("new" | "known", ..) => Self::Stored,
			("knownExpired", ..) | ("invalid", "alreadyExpired", _) => Self::Expired,
			("rejected", "accountFull" | "channelPriorityTooLow", Some(min_expiry)) => Self::Full { min_expiry },
			("invalid", ..) => Self::Invalid(reason),
			// For what is left of the signer's quota. None that a client makes is too large for all of it.
			("rejected", "dataTooLarge", _) => Self::Full { min_expiry: 0 },
			(status, reason, _) => Self::Later(format!("{status} {reason}").trim_end().to_owned()),
		}
	}
}

/// A connection to a node of a known chain.
#[derive(Debug)]
pub struct Node {
	url: String,
	client: WsClient,
	chain: ChainFacts,
	/// Which of a client's connections it is.
	connection: u64,
}

impl Node {
	/// Connects to `url` (`ws://host:port`) and checks that the node is of the chain `expected`, if that is given,
	/// and that its extrinsics are those that this library makes.
	pub async fn connect(url: &str, expected: Option<GenesisHash>) -> Result<Self, RpcError> {
		Self::connect_as(0, url, expected).await
	}

	/// As [`Self::connect`], for a client that counts its connections.
	pub(super) async fn connect_as(
		connection: u64,
		url: &str,
		expected: Option<GenesisHash>,
	) -> Result<Self, RpcError> {
		let ping = PingConfig::new().ping_interval(PING_INTERVAL).inactive_limit(PING_INTERVAL.saturating_mul(2));
		let connecting = WsClientBuilder::new()
			.connection_timeout(CONNECT_TIMEOUT)
			.request_timeout(REQUEST_TIMEOUT)
			.max_response_size(MAX_RESPONSE)
			.max_request_size(MAX_REQUEST)
			.max_buffer_capacity_per_subscription(SUBSCRIPTION_BUFFER)
			.enable_ws_ping(ping)
			.build(url);
		let Ok(connected) = timeout(HANDSHAKE_TIMEOUT, connecting).await else {
			let reason = "it does not answer the WebSocket handshake".to_owned();
			return Err(RpcError::Unreachable { url: url.to_owned(), reason });
		};
		let client = connected.map_err(|error| RpcError::from_client(url, error))?;
		let chain = chain_facts(&client, url, expected).await?;
		Ok(Self { url: url.to_owned(), client, chain, connection })
	}

	/// The node's URL.
	pub fn url(&self) -> &str {
		&self.url
	}

	/// The number of this connection among those of a client's [`Nodes`](super::Nodes); 0 for any other.
	pub fn connection(&self) -> u64 {
		self.connection
	}

	/// The chain it is of.
	pub fn chain(&self) -> &ChainFacts {
		&self.chain
	}

	/// Whether the connection still stands.
	pub fn is_connected(&self) -> bool {
		self.client.is_connected()
	}

	/// Resolves when the connection is gone.
	pub async fn disconnected(&self) {
		self.client.on_disconnect().await;
	}

	/// A group's state in the newest finalized block, as the node says.
	pub async fn group(&self, group: &GroupId) -> Result<Group, RpcError> {
		self.request("ordering_group", rpc_params![group]).await
	}

	/// Submits an extrinsic. `Ok` says that this node's pool has it, nothing more.
	pub async fn submit(&self, extrinsic: Vec<u8>) -> Result<(), SubmitError> {
		let parameters = rpc_params![HexBytes(extrinsic)];
		let answer: Result<serde_json::Value, _> = self.client.request("ordering_submit", parameters).await;
		answer.map(drop).map_err(|error| SubmitError::from_client(&self.url, error))
	}

	/// The next nonce of an account after the newest block.
	pub async fn nonce(&self, account: &[u8; 32]) -> Result<u32, RpcError> {
		let parameters = rpc_params!["AccountNonceApi_account_nonce", HexBytes(account.to_vec())];
		let answer: HexBytes = self.request("state_call", parameters).await?;
		u32::decode(&mut &answer.0[..]).map_err(|error| self.undecodable(error))
	}

	/// The next nonce of an account after a block of which the node has the state, as the node says.
	pub async fn nonce_after(&self, account: &[u8; 32], block: &BlockHash) -> Result<u32, RpcError> {
		let parameters = rpc_params!["AccountNonceApi_account_nonce", HexBytes(account.to_vec()), block];
		let answer: HexBytes = self.request("state_call", parameters).await?;
		u32::decode(&mut &answer.0[..]).map_err(|error| self.undecodable(error))
	}

	/// What the genesis hash commits to, as the node says.
	pub async fn finality_genesis(&self) -> Result<GenesisProof, RpcError> {
		self.request("finality_genesis", rpc_params![]).await
	}

	/// The way from a block to the newest one, as the node says.
	pub async fn finality_links(&self, after: BlockNumber) -> Result<Links, RpcError> {
		self.request("finality_links", rpc_params![after]).await
	}

	/// What shows when a block was made, as the node says.
	pub async fn finality_moment(&self, block: BlockNumber) -> Result<Option<Moment>, RpcError> {
		self.request("finality_moment", rpc_params![block]).await
	}

	/// A part of the log of an identity, as the node says.
	pub async fn identity_log(&self, identity: &IdentityId, from: u64) -> Result<IdentityLog, RpcError> {
		self.request("directory_log", rpc_params![identity, from]).await
	}

	/// The identities whose logs have changed after a block, as the node says; no more than [`MAX_CHANGED`].
	pub async fn changed(&self, after: BlockNumber) -> Result<ChangedIdentities, RpcError> {
		let changed: ChangedIdentities = self.request("directory_changed", rpc_params![after]).await?;
		if changed.identities.as_ref().is_some_and(|identities| identities.len() > MAX_CHANGED) {
			return Err(self.undecodable(format!("more than {MAX_CHANGED} identities")));
		}
		Ok(changed)
	}

	/// What shows a device's KeyPackages, as the node says.
	pub async fn stock(
		&self,
		identity: &IdentityId,
		device: &IdentityKey,
		init_key: Option<&InitKey>,
	) -> Result<KeyPackagesProof, RpcError> {
		self.request("directory_stock", rpc_params![identity, device, init_key]).await
	}

	/// What shows what was claimed with a voucher, as the node says.
	pub async fn claim(&self, voucher: &VoucherKey) -> Result<KeyPackagesProof, RpcError> {
		self.request("directory_claim", rpc_params![voucher]).await
	}

	/// Subscribes to the finalized entries of groups.
	pub async fn subscribe_entries(&self, from: &[Position]) -> Result<Subscription<FinalizedEntries>, RpcError> {
		let (name, end) = ("ordering_subscribeEntries", "ordering_unsubscribeEntries");
		self.client.subscribe(name, rpc_params![from], end).await.map_err(|error| self.error(error))
	}

	/// Hands a statement to the node's statement store.
	pub async fn submit_statement(&self, statement: Vec<u8>) -> Result<StatementOutcome, RpcError> {
		let answer: SubmitAnswer = self.request("statement_submit", rpc_params![HexBytes(statement)]).await?;
		Ok(answer.into())
	}

	/// Subscribes to statements: to none at first. Gives the name of the subscription as well.
	pub async fn subscribe_statements(&self) -> Result<(String, Subscription<StatementEvent>), RpcError> {
		let (name, end) = ("statement_unstable_subscribe", "statement_unstable_unsubscribe");
		let subscription = self.client.subscribe(name, rpc_params![], end).await.map_err(|error| self.error(error))?;
		let SubscriptionKind::Subscription(id) = subscription.kind() else {
			return Err(self.undecodable("a subscription without a name"));
		};
		let id = match id {
			SubscriptionId::Num(number) => number.to_string(),
			SubscriptionId::Str(text) => text.to_string(),
		};
		Ok((id, subscription))
	}

	/// Adds the statements under a topic to a subscription: those that the node has stored, then new ones. Gives the name
	/// of the filter; `None` if the subscription has as many as it may have.
	pub async fn add_statement_filter(&self, subscription: &str, topic: &[u8; 32]) -> Result<Option<String>, RpcError> {
		let filter = serde_json::json!({ "matchAll": [HexBytes(topic.to_vec())] });
		let answer: serde_json::Value =
			self.request("statement_unstable_add_filter", rpc_params![subscription, filter]).await?;
		Ok(answer.as_str().map(str::to_owned))
	}

	/// Takes a filter out of a subscription.
	pub async fn remove_statement_filter(&self, subscription: &str, filter: &str) -> Result<(), RpcError> {
		self.request("statement_unstable_remove_filter", rpc_params![subscription, filter]).await
	}

	async fn request<T: DeserializeOwned>(&self, method: &str, parameters: ArrayParams) -> Result<T, RpcError> {
		self.client.request(method, parameters).await.map_err(|error| self.error(error))
	}

	fn error(&self, error: ClientError) -> RpcError {
		RpcError::from_client(&self.url, error)
	}

	fn undecodable(&self, error: impl ToString) -> RpcError {
		RpcError::Undecodable { url: self.url.clone(), reason: error.to_string() }
	}
}

/// A subscription with its end made visible, as `None`: in a bundle of streams one that ends would just vanish.
pub fn until_end<T: DeserializeOwned + Send + 'static>(subscription: Subscription<T>) -> UntilEnd<T> {
	subscription.map(Some).chain(stream::once(std::future::ready(None))).boxed()
}

/// See [`until_end`].
pub type UntilEnd<T> = BoxStream<'static, Option<Result<T, serde_json::Error>>>;

/// The part of `state_getRuntimeVersion` that matters here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuntimeVersion {
	spec_version: u32,
	transaction_version: u32,
}

async fn chain_facts(client: &WsClient, url: &str, expected: Option<GenesisHash>) -> Result<ChainFacts, RpcError> {
	let failed = |error| RpcError::from_client(url, error);
	let genesis: GenesisHash = client.request("chain_getBlockHash", rpc_params![0]).await.map_err(failed)?;
	if let Some(expected) = expected.filter(|expected| *expected != genesis) {
		return Err(RpcError::WrongChain { url: url.to_owned(), expected, found: genesis });
	}
	let version: RuntimeVersion = client.request("state_getRuntimeVersion", rpc_params![]).await.map_err(failed)?;
	if version.transaction_version != TRANSACTION_VERSION {
		return Err(RpcError::TransactionVersion { known: TRANSACTION_VERSION, found: version.transaction_version });
	}
	let parameters = client.request("ordering_parameters", rpc_params![]).await.map_err(failed)?;
	Ok(ChainFacts { genesis, spec_version: version.spec_version, parameters })
}
