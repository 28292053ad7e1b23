//! An outsider who reads all that the nodes of a network show.

use super::{events, reading, Kind, Record};
use crate::{rpc::NodeRpc, within, Error, Network, Result};
use codec::{DecodeAll, Encode};
use futures::{stream, StreamExt, TryStreamExt};
use jsonrpsee::{
	core::client::{Subscription, SubscriptionClientT},
	rpc_params,
	ws_client::WsClientBuilder,
};
use lockstep_primitives::{identity::SignedEvent, payload_hash, rpc::HexBytes, BlockEntry, BlockNumber};
use serde::{de::DeserializeOwned, Deserialize};
use serde_json::json;
use std::{collections::HashSet, time::Duration};

/// Blocks that are read at once.
const AT_ONCE: usize = 8;
/// States that are read at once.
const STATES_AT_ONCE: usize = 2;
/// Keys that a node names at once, at most.
const PAGE: usize = 1_000;
/// The hashes of the names of a pallet and of what it keeps.
const PREFIX: usize = 32;
const READING: Duration = Duration::from_secs(60);
const LARGEST_ANSWER: u32 = 64 * 1024 * 1024;

/// `System::Events`.
const EVENTS: &str = "26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7";
/// `Ordering::BlockEntries`.
const BLOCK_ENTRIES: &str = "7ac48650fcdc651a240cb0c82904e39b0cb053149eb711ce176be3bee526a4cd";
/// `Directory::BlockEvents`.
const BLOCK_EVENTS: &str = "dcb7099dca57cdb0a3b155e1db616abb1a99fb321282942264d44492ff2d9daf";
/// `KeyPackages::ClaimsOf`: the claims of each block, by their vouchers' keys.
const CLAIMS_OF: &str = "2f272e3b6e4117d8060bd648bc8e3668b034513ed54fb99a0b8f2ac501ebe855";
/// `:code`.
const CODE: &str = "3a636f6465";

/// See the module.
#[derive(Debug)]
pub struct Observer {
	rpc: NodeRpc,
	urls: Vec<String>,
	/// The block to be read next.
	next: BlockNumber,
	/// What was written down, by hashes.
	seen: HashSet<[u8; 32]>,
}

#[derive(Deserialize)]
struct Signed {
	block: Block,
	justifications: Option<Vec<([u8; 4], Vec<u8>)>>,
}

#[derive(Deserialize)]
struct Block {
	header: Header,
	extrinsics: Vec<HexBytes>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
	parent_hash: HexBytes,
	state_root: HexBytes,
	extrinsics_root: HexBytes,
	digest: Digest,
}

#[derive(Deserialize)]
struct Digest {
	logs: Vec<HexBytes>,
}

/// What `state_queryStorageAt` answers.
#[derive(Deserialize)]
struct Changes {
	changes: Vec<(HexBytes, Option<HexBytes>)>,
}

/// What comes of `statement_subscribeStatement`.
#[derive(Deserialize)]
struct Sent {
	data: Batch,
}

#[derive(Deserialize)]
struct Batch {
	statements: Vec<HexBytes>,
	remaining: Option<u32>,
}

impl Observer {
	/// Somebody who has read nothing yet. The nodes of the network have to keep the state of every block.
	pub async fn new(network: &Network) -> Result<Self> {
		let urls = (0..network.size()).map(|index| network.url(index)).collect();
		Ok(Self { rpc: network.rpc(0).await?, urls, next: 0, seen: HashSet::new() })
	}

	/// All that is new since the last time: blocks that are final, with their events; the state after each of them; the
	/// statements of all nodes.
	pub async fn look(&mut self) -> Result<Vec<Record>> {
		let newest = self.rpc.finalized().await?;
		let blocks = stream::iter(self.next..=newest).map(|number| self.block(number)).buffered(AT_ONCE);
		let mut records = blocks.try_collect::<Vec<_>>().await?.concat();
		let states = stream::iter(self.next..=newest).map(|number| self.state(number)).buffered(STATES_AT_ONCE);
		records.extend(states.try_collect::<Vec<_>>().await?.concat());
		for url in &self.urls {
			records.extend(within(READING, format!("the statements of {url}"), statements(url)).await??);
		}
		self.next = newest + 1;
		let bytes = |record: &Record| payload_hash(&record.parts.encode()).0;
		records.retain(|record| self.seen.insert(bytes(record)));
		Ok(records)
	}

	/// What is in a block, and what its state says of it alone.
	async fn block(&self, number: BlockNumber) -> Result<Vec<Record>> {
		let hash = self.hash(number).await?;
		let Signed { block, justifications } = self.ask("chain_getBlock", vec![json!(hash)]).await?;
		let Header { parent_hash, state_root, extrinsics_root, digest } = block.header;
		let header =
			[parent_hash, state_root, extrinsics_root].into_iter().chain(digest.logs).map(|HexBytes(bytes)| bytes);
		let votes = justifications.into_iter().flatten().map(|(_, votes)| votes);
		let mut records = vec![trace(format!("the header of block {number}"), header.chain(votes).collect())];
		for (at, HexBytes(bytes)) in block.extrinsics.iter().enumerate() {
			records.push(reading::extrinsic(&format!("extrinsic {at} of block {number}"), bytes));
		}
		for (key, value) in self.values(&[EVENTS, BLOCK_ENTRIES, BLOCK_EVENTS].map(str::to_owned), &hash).await? {
			let broken =
				|error| Error::Broken(format!("what block {number} has at 0x{key} is something else: {error}"));
			if key == EVENTS {
				for (extrinsic, event) in events::split(&value)? {
					// The first record is the header.
					match extrinsic.and_then(|at| records.get_mut(at as usize + 1)) {
						Some(record) => record.parts.push(event),
						None => records.push(trace(format!("an event of block {number}"), vec![event])),
					}
				}
			} else if key == BLOCK_ENTRIES {
				let entries = Vec::<BlockEntry>::decode_all(&mut &value[..]).map_err(broken)?;
				let entry = |entry: BlockEntry| trace(format!("an entry of block {number}"), vec![entry.encode()]);
				records.extend(entries.into_iter().map(entry));
			} else {
				let events = Vec::<SignedEvent>::decode_all(&mut &value[..]).map_err(broken)?;
				let event = |event: SignedEvent| trace(format!("a key event of block {number}"), vec![event.encode()]);
				records.extend(events.into_iter().map(event));
			}
		}
		Ok(records)
	}

	/// Everything in the state after a block, but for what is of that block alone and the code of the runtime.
	async fn state(&self, number: BlockNumber) -> Result<Vec<Record>> {
		let hash = self.hash(number).await?;
		let mut records = Vec::new();
		let mut last: Option<String> = None;
		loop {
			let page = vec![json!("0x"), json!(PAGE), json!(last), json!(hash)];
			let keys: Vec<String> = self.ask("state_getKeysPaged", page).await?;
			let bare = |key: &String| key.trim_start_matches("0x").to_owned();
			let wanted =
				keys.iter().map(bare).filter(|key| ![CODE, EVENTS, BLOCK_ENTRIES, BLOCK_EVENTS].contains(&&key[..]));
			for (key, value) in self.values(&wanted.collect::<Vec<_>>(), &hash).await? {
				let bytes = hex::decode(&key).map_err(|error| Error::Broken(format!("0x{key} is no key: {error}")))?;
				if key.starts_with(CLAIMS_OF) {
					// A list of what is in one block: that joins by time alone, and each is looked at by itself.
					let vouchers = Vec::<[u8; 32]>::decode_all(&mut &value[..]);
					let vouchers =
						vouchers.map_err(|error| Error::Broken(format!("0x{key} lists no claims: {error}")))?;
					let claim =
						|voucher: [u8; 32]| trace(format!("a claim that 0x{key} lists"), vec![voucher.to_vec()]);
					records.extend(vouchers.into_iter().map(claim));
					continue;
				}
				// The first bytes say what kind of thing it is.
				let of_kind = bytes.get(PREFIX..).unwrap_or(&bytes).to_vec();
				records.push(trace(format!("0x{key} in the state after block {number}"), vec![of_kind, value]));
			}
			if keys.len() < PAGE {
				return Ok(records);
			}
			last = keys.into_iter().last();
		}
	}

	/// What is at these keys after a block, as far as there is anything.
	async fn values(&self, keys: &[String], hash: &str) -> Result<Vec<(String, Vec<u8>)>> {
		let keys: Vec<String> = keys.iter().map(|key| format!("0x{key}")).collect();
		let changes: Vec<Changes> = self.ask("state_queryStorageAt", vec![json!(keys), json!(hash)]).await?;
		let there = changes.into_iter().flat_map(|changes| changes.changes);
		Ok(there.filter_map(|(HexBytes(key), value)| Some((hex::encode(key), value?.0))).collect())
	}

	async fn hash(&self, number: BlockNumber) -> Result<String> {
		let hash = self.rpc.block_hash(number).await?;
		hash.ok_or_else(|| Error::Broken(format!("the node does not know block {number} any more")))
	}

	async fn ask<T: DeserializeOwned>(&self, method: &str, parameters: Vec<serde_json::Value>) -> Result<T> {
		self.rpc.request(method, parameters).await
	}
}

fn trace(name: String, parts: Vec<Vec<u8>>) -> Record {
	Record { name, kind: Kind::Trace, parts, shown: Vec::new() }
}

/// All statements that a node keeps.
async fn statements(url: &str) -> Result<Vec<Record>> {
	let client = WsClientBuilder::default().max_response_size(LARGEST_ANSWER).build(url).await?;
	let (subscribe, end) = ("statement_subscribeStatement", "statement_unsubscribeStatement");
	let mut sent: Subscription<Sent> = client.subscribe(subscribe, rpc_params!["any"], end).await?;
	let mut records = Vec::new();
	while let Some(batch) = sent.next().await {
		let Sent { data: Batch { statements, remaining } } = batch
			.map_err(|error| Error::Answer { method: "statement_subscribeStatement", detail: error.to_string() })?;
		records.extend(statements.iter().map(|HexBytes(bytes)| reading::statement(bytes)));
		if remaining == Some(0) {
			return Ok(records);
		}
	}
	Err(Error::Broken(format!("{url} ended its statements")))
}
