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
	rpc::{Nodes, SubmitError},
};
use lockstep_primitives::{
	extrinsic::{Append, SignedCall, SigningContext},
	EntryHash, GroupId,
};

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
			Err(error) => self.halt(id, error.to_string()),
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

/// Submits to the node in use; to the next one, at once, if the connection is lost meanwhile.
pub(crate) async fn hand_over(nodes: &Nodes, extrinsic: Vec<u8>) -> Result<(), SubmitError> {
	let node = nodes.current().await?;
	match node.submit(extrinsic.clone()).await {
		Err(SubmitError::Rpc(error)) if error.is_disconnect() => {
			nodes.give_up(&node).await;
			nodes.current().await?.submit(extrinsic).await
		}
		answer => answer,
	}
}

/// Signs and submits, with the first nonce that no other call of this sponsor waits with in the node's pool. Gives the
/// extrinsic and the nonce.
pub(crate) async fn submit_signed(
	nodes: &Nodes,
	sponsor: &Sponsor,
	call: &SignedCall,
) -> Result<(Vec<u8>, u32), SubmitError> {
	let node = nodes.current().await?;
	let account = sponsor.account();
	let first = node.nonce(&account).await?;
	for nonce in (0..WAITING).map_while(|waiting| first.checked_add(waiting)) {
		let chain = node.chain();
		let context = SigningContext { account, nonce, spec_version: chain.spec_version, genesis: chain.genesis };
		let signature = sponsor.sign(&context.signing_payload(call));
		let extrinsic = context.to_extrinsic(call, signature);
		match node.submit(extrinsic.clone()).await {
			Err(SubmitError::NonceTaken) => {}
			Ok(()) | Err(SubmitError::InPool) => return Ok((extrinsic, nonce)),
			Err(error) => return Err(error),
		}
	}
	Err(SubmitError::NonceTaken)
}
