//! What a test asks a node, beside what its clients ask.

use crate::{Error, Result};
use codec::{Compact, Decode};
use jsonrpsee::{
	core::client::{ClientT, Subscription, SubscriptionClientT},
	rpc_params,
	ws_client::{WsClient, WsClientBuilder},
};
use lockstep_primitives::{
	extrinsic::Append,
	rpc::{Entry, Group, HexBytes},
	BlockNumber, GenesisHash, GroupId,
};
use serde::{de::DeserializeOwned, Deserialize};
use serde_json::Value;
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(10);
const REQUEST: Duration = Duration::from_secs(20);
const LARGEST_ANSWER: u32 = 64 * 1024 * 1024;

/// A connection to one node.
#[derive(Debug)]
pub struct NodeRpc(WsClient);

/// A block's height and parts of its header.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
	/// Height.
	#[serde(deserialize_with = "height")]
	pub number: BlockNumber,
	/// Hash of the block before.
	pub parent_hash: String,
}

/// A block as nodes hand it out.
#[derive(Clone, Debug, Deserialize)]
pub struct Block {
	/// Its header.
	pub header: Header,
	/// Its extrinsics, encoded.
	pub extrinsics: Vec<HexBytes>,
}

#[derive(Deserialize)]
struct SignedBlock {
	block: Block,
}

#[derive(Deserialize)]
struct Health {
	peers: usize,
}

fn height<'de, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<BlockNumber, D::Error> {
	let text = String::deserialize(deserializer)?;
	u32::from_str_radix(text.trim_start_matches("0x"), 16).map_err(serde::de::Error::custom)
}

impl Block {
	/// The time its author put into it (`timestamp.set`, its first extrinsic), in milliseconds since 1970.
	pub fn timestamp(&self) -> Option<u64> {
		let mut input = self.extrinsics.first()?.0.as_slice();
		let Compact(_length) = Compact::<u32>::decode(&mut input).ok()?;
		let (_version, _pallet, _call) = <(u8, u8, u8)>::decode(&mut input).ok()?;
		Compact::<u64>::decode(&mut input).ok().map(|Compact(time)| time)
	}
}

impl NodeRpc {
	/// Connects.
	pub async fn connect(url: &str) -> Result<Self> {
		let builder = WsClientBuilder::default()
			.connection_timeout(CONNECT)
			.request_timeout(REQUEST)
			.max_request_size(LARGEST_ANSWER)
			.max_response_size(LARGEST_ANSWER);
		Ok(Self(builder.build(url).await?))
	}

	/// Any method, with positional parameters. For requests that are wrong on purpose; the others have methods.
	pub async fn request<T: DeserializeOwned>(&self, method: &str, params: Vec<Value>) -> Result<T> {
		let mut array = jsonrpsee::core::params::ArrayParams::new();
		for param in params {
			array.insert(param).map_err(jsonrpsee::core::ClientError::ParseError)?;
		}
		Ok(self.0.request(method, array).await?)
	}

	/// How many nodes this one is connected with.
	pub async fn peers(&self) -> Result<usize> {
		Ok(self.0.request::<Health, _>("system_health", rpc_params![]).await?.peers)
	}

	/// Where the node listens for others, as multiaddresses.
	pub async fn listen_addresses(&self) -> Result<Vec<String>> {
		Ok(self.0.request("system_localListenAddresses", rpc_params![]).await?)
	}

	/// The hash of the newest finalized block.
	pub async fn finalized_hash(&self) -> Result<String> {
		Ok(self.0.request("chain_getFinalizedHead", rpc_params![]).await?)
	}

	/// The header of the block with this hash, or of the best one.
	pub async fn header(&self, hash: Option<&str>) -> Result<Header> {
		Ok(self.0.request("chain_getHeader", rpc_params![hash]).await?)
	}

	/// Height of the newest finalized block.
	pub async fn finalized(&self) -> Result<BlockNumber> {
		Ok(self.header(Some(&self.finalized_hash().await?)).await?.number)
	}

	/// Height of the best block, final or not.
	pub async fn best(&self) -> Result<BlockNumber> {
		Ok(self.header(None).await?.number)
	}

	/// The hash of block 0.
	pub async fn genesis(&self) -> Result<GenesisHash> {
		Ok(self.0.request("chain_getBlockHash", rpc_params![0]).await?)
	}

	/// The hash of the block at this height on the best chain.
	pub async fn block_hash(&self, number: BlockNumber) -> Result<Option<String>> {
		Ok(self.0.request("chain_getBlockHash", rpc_params![number]).await?)
	}

	/// The block at this height on the best chain, as the node's own JSON.
	pub async fn block_json(&self, number: BlockNumber) -> Result<Value> {
		let hash = self.block_hash(number).await?;
		Ok(self.0.request("chain_getBlock", rpc_params![hash]).await?)
	}

	/// The block at this height on the best chain.
	pub async fn block(&self, number: BlockNumber) -> Result<Block> {
		let json = self.block_json(number).await?;
		let signed: SignedBlock = serde_json::from_value(json)
			.map_err(|error| Error::Answer { method: "chain_getBlock", detail: error.to_string() })?;
		Ok(signed.block)
	}

	/// Headers of blocks as they become final.
	pub async fn finalized_heads(&self) -> Result<Subscription<Header>> {
		Ok(self.0.subscribe("chain_subscribeFinalizedHeads", rpc_params![], "chain_unsubscribeFinalizedHeads").await?)
	}

	/// Headers of blocks as they become the best one.
	pub async fn best_heads(&self) -> Result<Subscription<Header>> {
		Ok(self.0.subscribe("chain_subscribeNewHeads", rpc_params![], "chain_unsubscribeNewHeads").await?)
	}

	/// Waits for a block on the best chain, above `from`, that carries an entry of the group; returns its height. The
	/// block need not be final.
	pub async fn included(&self, group: GroupId, from: BlockNumber) -> Result<BlockNumber> {
		let mut heads = self.best_heads().await?;
		let mut looked = from;
		let ours = |bytes: &[u8]| Append::from_extrinsic(bytes).is_some_and(|append| append.group == group);
		while let Some(Ok(head)) = heads.next().await {
			while looked < head.number {
				looked += 1;
				if self.block(looked).await?.extrinsics.iter().any(|extrinsic| ours(&extrinsic.0)) {
					return Ok(looked);
				}
			}
		}
		Err(Error::Broken("the node ended its stream of best blocks".into()))
	}

	/// The group at the newest finalized block.
	pub async fn group(&self, group: &GroupId) -> Result<Group> {
		Ok(self.0.request("ordering_group", rpc_params![group]).await?)
	}

	/// Finalized entries of the group's log, from index `from` on.
	pub async fn entries(&self, group: &GroupId, from: u64, limit: u32) -> Result<Vec<Entry>> {
		Ok(self.0.request("ordering_entries", rpc_params![group, from, limit]).await?)
	}

	/// Submits an extrinsic.
	pub async fn submit(&self, extrinsic: Vec<u8>) -> Result<Value> {
		Ok(self.0.request("ordering_submit", rpc_params![HexBytes(extrinsic)]).await?)
	}

	/// Submits a statement; the answer is the SDK's `SubmitResult`.
	pub async fn submit_statement(&self, statement: Vec<u8>) -> Result<Value> {
		Ok(self.0.request("statement_submit", rpc_params![HexBytes(statement)]).await?)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn reads_headers_and_timestamps() {
		let json = serde_json::json!({
			"header": { "number": "0x1f", "parentHash": "0x00" },
			"extrinsics": ["0x280503000b00d8f3e09a01", "0x00"],
		});
		let block: Block = serde_json::from_value(json).unwrap();
		assert_eq!(block.header.number, 31);
		assert_eq!(block.timestamp(), Some(0x019a_e0f3_d800));
		let empty = Block { extrinsics: vec![], ..block };
		assert_eq!(empty.timestamp(), None);
	}
}
