//! Submitting, beside the actor. The answers are hints: what became of a submission is in the log.

use super::{
	actor::Actor,
	drive::{DriveError, Material},
};
use crate::{
	gate::Input,
	mls::Prepared,
	rpc::{Nodes, SubmitError},
};
use lockstep_primitives::GroupId;

/// What a node said to a submission.
#[derive(Debug)]
pub(super) struct Submitted {
	pub group: GroupId,
	pub result: Result<(), SubmitError>,
}

impl Actor {
	/// Submits the own pending commit of a group.
	pub fn submit_commit(&mut self, id: &GroupId, again: bool) {
		match self.pending_extrinsic(id, again) {
			Ok(extrinsic) => self.submit(id, extrinsic),
			Err(error) => self.halt(id, error.to_string()),
		}
	}

	/// The extrinsic of the own pending commit. If it was submitted before it gets a new endorsement: nodes ban a
	/// transaction that was once refused, by its hash.
	fn pending_extrinsic(&self, id: &GroupId, again: bool) -> Result<Vec<u8>, DriveError> {
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
		Ok(append.to_extrinsic())
	}

	/// Hands an extrinsic to the node in use.
	fn submit(&self, id: &GroupId, extrinsic: Vec<u8>) {
		let (nodes, answers, group) = (self.nodes.clone(), self.submissions.clone(), *id);
		tokio::spawn(async move {
			let result = hand_over(&nodes, extrinsic).await;
			// The client may be closed by now.
			drop(answers.send(Submitted { group, result }).await);
		});
	}

	/// A node answered, or did not.
	pub fn on_submitted(&mut self, submitted: Submitted) {
		let Submitted { group, result } = submitted;
		if self.creating.contains_key(&group) {
			self.on_founding_submitted(&group, result);
			return;
		}
		if let Err(error) = result {
			tracing::debug!(%group, %error, "a submission was not taken");
			self.step(&group, Input::Refused, Material::None);
		}
	}
}

/// Submits to the node in use; to the next one, at once, if the connection is lost meanwhile.
async fn hand_over(nodes: &Nodes, extrinsic: Vec<u8>) -> Result<(), SubmitError> {
	let node = nodes.current().await?;
	match node.submit(extrinsic.clone()).await {
		Err(SubmitError::Rpc(error)) if error.is_disconnect() => {
			nodes.give_up(&node).await;
			nodes.current().await?.submit(extrinsic).await
		}
		answer => answer,
	}
}
