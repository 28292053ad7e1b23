//! Submitting, beside the core. The answers are hints: what became of a submission is in the log.

use super::{
	action::Action,
	core::Core,
	drive::{DriveError, Material},
	Sponsor,
};
use crate::{
	gate::{Input, Pending},
	log::EntryHeader,
	mls::{Mls, Prepared},
	mutation::{self, Mutation},
	rpc::{Node, Nodes, RpcError, SubmitError},
};
use lockstep_primitives::{
	extrinsic::{Append, SignedCall, SigningContext},
	EntryHash, GroupId,
};
use std::sync::Arc;

/// Creations of one sponsor that may wait in a node's pool.
const WAITING: u32 = 32;

/// What a node said to a submission.
#[derive(Debug)]
pub(super) struct Submitted {
	pub group: GroupId,
	pub result: Result<(), SubmitError>,
}

impl<M: Mls> Core<M> {
	/// Submits the own pending commit of a group: by this call if it is at hand, else as it is stored.
	pub fn submit_commit(&mut self, id: &GroupId, append: Option<Append>, again: bool) {
		match append.map_or_else(|| self.pending_append(id, again), Ok) {
			Ok(append) => self.act(Action::Append { group: *id, append }),
			Err(error) => self.halt(id, error),
		}
	}

	/// The call that submits the own pending commit. If it was submitted before it gets a new endorsement: nodes ban a
	/// transaction that was once refused, by its hash.
	fn pending_append(&self, id: &GroupId, again: bool) -> Result<Append, DriveError> {
		let overlay = self.store.overlay();
		let prepared: Prepared = overlay.get(id.as_bytes())?.ok_or(DriveError::Lost("the client's own commit"))?;
		let mut append = prepared.append();
		if again {
			let keys = self.engine.epoch_keys(&overlay, id)?;
			let keys = keys.iter().find(|keys| keys.entry == prepared.parent);
			let keys = keys.ok_or(DriveError::Lost("the keys of the epoch"))?;
			append.endorsement =
				keys.endorse_afresh(self.engine.genesis(), id, &prepared.payload_hash, &prepared.next_key);
		}
		Ok(append)
	}

	/// A node answered, or did not.
	pub fn on_submitted(&mut self, submitted: Submitted) {
		let Submitted { group, result } = submitted;
		if self.creating.contains_key(&group) {
			self.on_founding_submitted(&group, result);
			return;
		}
		if result.is_ok() && mutation::is(Mutation::MergeUnanswered) {
			self.merge_unanswered(&group);
		}
		if let Err(error) = result {
			tracing::debug!(%group, %error, "a submission was not taken");
			self.step(&group, Input::Refused, Material::None);
		}
	}
}

impl<M: Mls> Core<M> {
	/// A deliberate fault: takes the node's word for it that the own commit is the next entry.
	fn merge_unanswered(&mut self, id: &GroupId) {
		let Some(gate) = self.groups.get(id).map(|group| &group.gate) else { return };
		let Some(pending) = gate.pending().copied() else { return };
		let hash = EntryHash(pending.payload_hash.0);
		let (index, block) = (gate.cursor().head.length, self.finalized.saturating_add(1));
		let Pending { parent, payload_hash, next_key, .. } = pending;
		let entry = EntryHeader { index, hash, parent, block, payload_hash, next_key };
		self.step(id, Input::Entry(entry), Material::None);
	}
}

/// Submits to the node in use; to the next one, at once, if the connection is lost meanwhile. For what can be made anew if it is
/// not seen in the log, since the answer says nothing of the first node.
pub(super) async fn hand_over(nodes: &Nodes, extrinsic: Vec<u8>) -> Result<(), SubmitError> {
	match hand_over_once(nodes, extrinsic.clone()).await {
		Err(SubmitError::Unanswered(error)) if error.is_disconnect() => hand_over_once(nodes, extrinsic).await,
		answer => answer,
	}
}

/// Submits to the node in use, and to no other: so the answer says whether any node may have it.
pub(crate) async fn hand_over_once(nodes: &Nodes, extrinsic: Vec<u8>) -> Result<(), SubmitError> {
	let node = nodes.current().await.map_err(SubmitError::Unsent)?;
	submit_to(nodes, &node, extrinsic).await
}

async fn submit_to(nodes: &Nodes, node: &Arc<Node>, extrinsic: Vec<u8>) -> Result<(), SubmitError> {
	let answer = node.submit(extrinsic).await;
	if matches!(&answer, Err(SubmitError::Unanswered(error)) if error.is_disconnect()) {
		nodes.give_up(node).await;
	}
	answer
}

/// A call that was signed and submitted.
pub(crate) struct SignedAndSent {
	pub extrinsic: Vec<u8>,
	pub nonce: u32,
	/// Why it is not known whether the node has it.
	pub unanswered: Option<RpcError>,
}

/// Signs and submits, with the first nonce that no other call of this sponsor waits with in the node's pool.
pub(crate) async fn submit_signed(
	nodes: &Nodes,
	sponsor: &Sponsor,
	call: &SignedCall,
) -> Result<SignedAndSent, SubmitError> {
	let node = nodes.current().await.map_err(SubmitError::Unsent)?;
	let account = sponsor.account();
	let first = node.nonce(&account).await.map_err(SubmitError::Unsent)?;
	for nonce in (0..WAITING).map_while(|waiting| first.checked_add(waiting)) {
		let chain = node.chain();
		let context = SigningContext { account, nonce, spec_version: chain.spec_version, genesis: chain.genesis };
		let signature = sponsor.sign(&context.signing_payload(call));
		let extrinsic = context.to_extrinsic(call, signature);
		match submit_to(nodes, &node, extrinsic.clone()).await {
			Err(SubmitError::NonceTaken) => {}
			Ok(()) | Err(SubmitError::InPool) => return Ok(SignedAndSent { extrinsic, nonce, unanswered: None }),
			Err(SubmitError::Unanswered(error)) => {
				return Ok(SignedAndSent { extrinsic, nonce, unanswered: Some(error) })
			}
			Err(error) => return Err(error),
		}
	}
	Err(SubmitError::NonceTaken)
}
