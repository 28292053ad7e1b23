//! Portable proofs: files that show, to anyone who holds the genesis of the chain, how the keys of a group were rotated.
//!
//! A proof is collected from one node, and handed out only if it verifies: the node is not believed. Whoever reads it
//! needs no node. `docs/proof-format.md` describes the file.

use crate::rpc::{Node, RpcError};
use lockstep_primitives::{
	rpc::{Entry, GenesisProof, HeadProof, HexBytes, Justified, Position},
	BlockNumber, GenesisHash, GroupId,
};
use lockstep_verifier::{
	build::{build, BuildError, Parts},
	chain::AnchorError,
	entries,
	proof_file::{self, FileAnchor, Moment},
	FinalityError, FinalizedChain, Link,
};
use std::{collections::BTreeSet, ops::Range, time::Duration};
use tokio::time::timeout;

pub use lockstep_verifier::proof_file::{ProofError, Rotation, Rotations, When};

/// For a node to send the next part of a log.
const PATIENCE: Duration = Duration::from_secs(30);

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
	/// Whether the sealed commits of the entries of interest go into the file: for those who can open them.
	pub payloads: bool,
	/// Whether the time of each of their blocks is shown, at the cost of a header and a justification each.
	pub times: bool,
}

/// Makes a proof from what the node at `url` has (`ws://host:port`), and verifies it.
pub async fn export_proof(url: &str, export: Export) -> Result<Vec<u8>, ExportError> {
	let Export { genesis, group, entries: range, payloads, times } = export;
	if range.is_empty() {
		return Err(ExportError::Empty);
	}
	let node = Node::connect(url, Some(genesis)).await?;
	let anchor = node.finality_genesis().await?;
	let (entries, proof) = log(&node, group).await?;
	let links = changes_before(&node, genesis, &anchor, &proof.block).await?;
	let wanted = entries.iter().filter(|entry| range.contains(&entry.index));
	let blocks: BTreeSet<BlockNumber> = wanted.map(|entry| entry.block).collect();
	let mut moments = Vec::new();
	for block in blocks.into_iter().filter(|_| times) {
		if let Some(moment) = node.finality_moment(block).await? {
			moments.push(Moment { headers: bytes(moment.headers), justification: Some(moment.justification.0) });
		}
	}
	let entry = |entry: Entry| entries::Entry {
		block: entry.block,
		body: entry.body,
		payload: (payloads && range.contains(&entry.index)).then_some(entry.payload.0),
	};
	let parts = Parts {
		anchor: FileAnchor::Genesis { header: anchor.header.0, proof: bytes(anchor.authorities) },
		links,
		head: link(proof.block),
		read_proof: bytes(proof.state),
		group,
		log: entries.into_iter().map(entry).collect(),
		from: range.start,
		moments,
	};
	Ok(build(&genesis.into(), parts)?)
}

/// Verifies a proof. `genesis` is all that is believed.
pub fn verify_proof(genesis: GenesisHash, file: &[u8]) -> Result<Rotations, ProofError> {
	proof_file::verify(genesis, file)
}

/// The whole log of a group, and the proof of its head.
async fn log(node: &Node, group: GroupId) -> Result<(Vec<Entry>, HeadProof), ExportError> {
	let mut stream = node.subscribe_entries(&[Position { group, from: 0 }]).await?;
	let mut log = Vec::new();
	loop {
		let message = timeout(PATIENCE, stream.next()).await.ok().flatten();
		let Some(Ok(message)) = message else { return Err(ExportError::Stopped(group)) };
		log.extend(message.entries.into_iter().filter(|(of, _)| *of == group).map(|(_, entry)| entry));
		if let Some(proof) = message.proof {
			return Ok((log, proof));
		}
	}
}

/// The last block of each authority set between the genesis and the head.
async fn changes_before(
	node: &Node,
	genesis: GenesisHash,
	anchor: &GenesisProof,
	head: &Justified,
) -> Result<Vec<Link>, ExportError> {
	let mut chain = FinalizedChain::from_genesis(genesis, &anchor.header.0, &bytes(anchor.authorities.clone()))?;
	let mut changes = Vec::new();
	loop {
		// As soon as the head can be verified nothing is missing.
		if chain.clone().advance(&head.header.0, &head.justification.0).is_ok() {
			return Ok(changes);
		}
		let answer = node.finality_links(chain.head().number).await?;
		let before = chain.head().number;
		for justified in answer.links {
			let mut next = chain.clone();
			let link = link(justified);
			if next.advance(&link.header, &link.justification)?.new_set.is_some() {
				chain = next;
				changes.push(link);
			}
		}
		if chain.head().number == before {
			chain.clone().advance(&head.header.0, &head.justification.0)?;
			return Ok(changes);
		}
	}
}

fn link(justified: Justified) -> Link {
	Link { header: justified.header.0, justification: justified.justification.0 }
}

fn bytes(parts: Vec<HexBytes>) -> Vec<Vec<u8>> {
	parts.into_iter().map(|part| part.0).collect()
}
