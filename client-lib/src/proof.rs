//! Portable proofs: files that show, to anyone who holds the genesis of the chain, how the keys of a group were rotated.
//!
//! A proof is collected from one node, and handed out only if it verifies: the node is not believed. Whoever reads it
//! needs no node. `docs/proof-format.md` describes the file.

use crate::rpc::{Node, RpcError};
use lockstep_primitives::{
	rpc::{self, GenesisProof, HeadProof, HexBytes, Justified, Position},
	BlockNumber, GenesisHash, GroupId,
};
use lockstep_verifier::{
	build::{build, BuildError, Parts},
	chain::AnchorError,
	entries::Entry,
	proof_file::{self, FileAnchor, Moment},
	FinalityError, FinalizedChain, Link,
};
use std::{collections::BTreeSet, ops::Range, time::Duration};
use tokio::time::timeout;

pub use lockstep_verifier::proof_file::{ProofError, Rotation, Rotations, When};

/// For a node to send the next part of a log.
const PATIENCE: Duration = Duration::from_secs(30);
/// Entries of a log that are collected at most: about 200 MiB.
pub const MAX_ENTRIES: usize = 1 << 20;
/// Bytes of payloads that are collected at most.
pub const MAX_PAYLOADS: usize = 64 << 20;

/// Why no proof could be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
	/// The node could not be asked.
	#[error(transparent)]
	Rpc(#[from] RpcError),
	/// The node stopped sending.
	#[error("the node stopped sending the log of group {0}: ask another node")]
	Stopped(GroupId),
	/// What the node sent as the genesis is not that of the chain.
	#[error("the node's genesis is not that of the chain: {0}")]
	Genesis(#[from] AnchorError),
	/// What the node calls final is not.
	#[error("what the node calls final is not: {0}")]
	Finality(#[from] FinalityError),
	/// The log, or what is wanted of it, is longer than what is collected.
	#[error(
		"the log of group {0} is too long: ask for fewer payloads; beyond {MAX_ENTRIES} entries no proof can be made"
	)]
	TooLong(GroupId),
	/// The node has deleted a payload.
	#[error("the node has the payload of entry {index} of group {group} no more: ask one that keeps all blocks")]
	NoPayload {
		/// The group.
		group: GroupId,
		/// The entry.
		index: u64,
	},
	/// The range is empty.
	#[error("no entry lies in the range: let it end after it starts")]
	Empty,
	/// The parts make no valid proof.
	#[error(transparent)]
	Build(#[from] BuildError),
}

/// What a proof is to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
	/// The chain.
	pub genesis: GenesisHash,
	/// The group.
	pub group: GroupId,
	/// The indices of the entries of interest. The proof also holds what lies between them and the end of the log, and
	/// whatever endorsed them.
	pub entries: Range<u64>,
	/// Whether the sealed commits of the entries of interest go into the file, [`MAX_PAYLOADS`] bytes at most: for
	/// those who can open them.
	pub payloads: bool,
	/// Whether the time of each of their blocks is shown, at the cost of a header and a justification each.
	pub times: bool,
}

/// Makes a proof from what the node at `url` has (`ws://host:port`), and verifies it.
pub async fn export_proof(url: &str, export: Export) -> Result<Vec<u8>, ExportError> {
	let node = Node::connect(url, Some(export.genesis)).await?;
	export_from(&node, export).await
}

/// Makes a proof from what a node has, and verifies it.
pub(crate) async fn export_from(node: &Node, export: Export) -> Result<Vec<u8>, ExportError> {
	if export.entries.is_empty() {
		return Err(ExportError::Empty);
	}
	let anchor = node.finality_genesis().await?;
	let (log, proof) = log(node, &export).await?;
	let Export { genesis, group, entries: range, times, .. } = export;
	let links = changes_before(node, genesis, &anchor, &proof.block).await?;
	let wanted = (0u64..).zip(&log).filter(|(index, _)| range.contains(index));
	let blocks: BTreeSet<BlockNumber> = wanted.map(|(_, entry)| entry.block).collect();
	let mut moments = Vec::new();
	for block in blocks.into_iter().filter(|_| times) {
		if let Some(moment) = node.finality_moment(block).await? {
			moments.push(Moment { headers: bytes(moment.headers), justification: Some(moment.justification.0) });
		}
	}
	let parts = Parts {
		anchor: FileAnchor::Genesis { header: anchor.header.0, proof: bytes(anchor.authorities) },
		links,
		head: link(proof.block),
		read_proof: bytes(proof.state),
		group,
		log,
		from: range.start,
		moments,
	};
	Ok(build(&genesis.into(), parts)?)
}

/// Verifies a proof. `genesis` is all that is believed.
pub fn verify_proof(genesis: GenesisHash, file: &[u8]) -> Result<Rotations, ProofError> {
	proof_file::verify(genesis, file)
}

/// The whole log of a group, with the payloads that are wanted, and the proof of its head.
async fn log(node: &Node, export: &Export) -> Result<(Vec<Entry>, HeadProof), ExportError> {
	let group = export.group;
	let mut stream = node.subscribe_entries(&[Position { group, from: 0 }]).await?;
	let mut log = Vec::new();
	let mut payloads = 0usize;
	loop {
		let message = timeout(PATIENCE, stream.next()).await.ok().flatten();
		let Some(Ok(message)) = message else { return Err(ExportError::Stopped(group)) };
		for (_, rpc::Entry { index, block, body, payload }) in
			message.entries.into_iter().filter(|(of, _)| *of == group)
		{
			let wanted = export.payloads && export.entries.contains(&index);
			let payload = match payload {
				Some(payload) if wanted => Some(payload.0),
				None if wanted => return Err(ExportError::NoPayload { group, index }),
				_ => None,
			};
			payloads = payloads.saturating_add(payload.as_ref().map_or(0, Vec::len));
			log.push(Entry { block, body, payload });
		}
		if log.len() > MAX_ENTRIES || payloads > MAX_PAYLOADS {
			return Err(ExportError::TooLong(group));
		}
		if let Some(proof) = message.proof {
			return Ok((log, proof));
		}
	}
}

/// The last block of each authority set between the genesis and the head.
pub(crate) async fn changes_before(
	node: &Node,
	genesis: GenesisHash,
	anchor: &GenesisProof,
	head: &Justified,
) -> Result<Vec<Link>, ExportError> {
	let mut chain = FinalizedChain::from_genesis(genesis, &anchor.header.0, &bytes(anchor.authorities.clone()))?;
	advance_to(&mut chain, node, head).await
}

/// Moves a chain to a block that a node calls final, over the changes of authorities before it. Gives those.
pub(crate) async fn advance_to(
	chain: &mut FinalizedChain,
	node: &Node,
	head: &Justified,
) -> Result<Vec<Link>, ExportError> {
	let mut changes = Vec::new();
	loop {
		// As soon as the head can be verified nothing is missing. It may be the last block of a set itself.
		let Err(mut error) = chain.advance(&head.header.0, &head.justification.0) else { return Ok(changes) };
		let before = chain.head().number;
		for justified in node.finality_links(before).await?.links {
			let mut next = chain.clone();
			let link = link(justified);
			if next.advance(&link.header, &link.justification)?.new_set.is_some() {
				*chain = next;
				changes.push(link);
				match chain.advance(&head.header.0, &head.justification.0) {
					Ok(_) => return Ok(changes),
					Err(next) => error = next,
				}
			}
		}
		if chain.head().number == before {
			return Err(error.into());
		}
	}
}

pub(crate) fn link(justified: Justified) -> Link {
	Link { header: justified.header.0, justification: justified.justification.0 }
}

pub(crate) fn bytes(parts: Vec<HexBytes>) -> Vec<Vec<u8>> {
	parts.into_iter().map(|part| part.0).collect()
}
