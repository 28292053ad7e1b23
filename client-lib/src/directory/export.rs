//! Reading a log from a node, with what shows that it is all of it.

use crate::{
	proof::{bytes, changes_before, link, ExportError},
	rpc::{Node, RpcError},
};
use lockstep_primitives::{
	identity::SignedEvent,
	rpc::{IdentityLog, RecordedEvent, StateProof},
	GenesisHash, IdentityId,
};
use lockstep_verifier::{
	identity::{HistoryError, IdentityFile, IdentityFileError, Recorded},
	proof_file::FileAnchor,
	FinalityError, GroupError,
};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// For a node to have a justification of its newest block.
const PATIENCE: Duration = Duration::from_secs(30);
const RETRY: Duration = Duration::from_millis(300);
/// Events of a log that are collected at most: about 64 MiB.
const MAX_LOG: usize = 1 << 16;

/// Why no proof of an identity could be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityExportError {
	/// The node could not be asked.
	#[error(transparent)]
	Rpc(#[from] RpcError),
	/// The node's way to its newest block is of no use.
	#[error(transparent)]
	Chain(#[from] ExportError),
	/// The node finalizes nothing, or keeps no justifications.
	#[error("the node has no proof of its newest block: ask another node")]
	NoProof,
	/// The node shows an older block than one that was verified before.
	#[error("the node is behind: ask it again, or another one")]
	Behind,
	/// What the node sent is not what it says it is.
	#[error("the node sent an event that does not decode, or not in order: ask another node")]
	Malformed,
	/// The log is longer than what is collected.
	#[error("the log of identity {0} has more than {MAX_LOG} events")]
	TooLong(IdentityId),
	/// What the node sent makes no valid proof.
	#[error(transparent)]
	Invalid(#[from] IdentityFileError),
}

impl IdentityExportError {
	/// Whether no honest node could have sent what led to it.
	pub(super) fn is_lie(&self) -> bool {
		match self {
			Self::Malformed | Self::Chain(ExportError::Genesis(_)) => true,
			Self::Chain(ExportError::Finality(error)) => matches!(
				error,
				FinalityError::Header(_) | FinalityError::Justification(_) | FinalityError::OtherBlock { .. }
			),
			// A layout that is not known, or a chain that does not keep the rules, is not the node's doing.
			Self::Invalid(IdentityFileError::ReadProof(error)) => matches!(error, GroupError::ReadProof(_)),
			Self::Invalid(IdentityFileError::Log(error)) => *error != HistoryError::State,
			_ => false,
		}
	}
}

/// Makes a proof of an identity from what the node at `url` has (`ws://host:port`), and verifies it. Whoever reads the file
/// needs no node: [`verify_identity`](super::verify_identity).
///
/// # Errors
/// [`IdentityExportError`].
pub async fn export_identity(
	url: &str,
	genesis: GenesisHash,
	identity: IdentityId,
) -> Result<Vec<u8>, IdentityExportError> {
	let node = Node::connect(url, Some(genesis)).await?;
	let file = collect(&node, genesis, identity).await?;
	file.verify(&genesis.into())?;
	Ok(file.to_bytes())
}

/// The parts of a proof, not verified.
async fn collect(node: &Node, genesis: GenesisHash, identity: IdentityId) -> Result<IdentityFile, IdentityExportError> {
	let anchor = node.finality_genesis().await?;
	let (log, proof) = log_in_time(node, identity).await?;
	let links = changes_before(node, genesis, &anchor, &proof.block).await?;
	Ok(IdentityFile {
		genesis,
		anchor: FileAnchor::Genesis { header: anchor.header.0, proof: bytes(anchor.authorities) },
		links,
		head: link(proof.block),
		read_proof: bytes(proof.state),
		identity,
		log,
	})
}

/// As [`log`], or an error after a time.
pub(super) async fn log_in_time(
	node: &Node,
	identity: IdentityId,
) -> Result<(Vec<Recorded>, StateProof), IdentityExportError> {
	timeout(PATIENCE, log(node, identity)).await.map_err(|_| IdentityExportError::NoProof)?
}

/// The whole log, and the proof of its head.
async fn log(node: &Node, identity: IdentityId) -> Result<(Vec<Recorded>, StateProof), IdentityExportError> {
	let mut recorded = Vec::new();
	loop {
		let from = recorded.len();
		let IdentityLog { events, more, proof, .. } = node.identity_log(&identity, from as u64).await?;
		for (at, RecordedEvent { index, block, event }) in (from as u64..).zip(events) {
			let event = SignedEvent::from_bytes(&event.0).filter(|_| index == at);
			recorded.push(Recorded { block, event: event.ok_or(IdentityExportError::Malformed)? });
		}
		if recorded.len() > MAX_LOG {
			return Err(IdentityExportError::TooLong(identity));
		}
		match proof {
			Some(proof) if !more => return Ok((recorded, proof)),
			_ if more && recorded.len() > from => {}
			// The next finalized block has one.
			_ => sleep(RETRY).await,
		}
	}
}
