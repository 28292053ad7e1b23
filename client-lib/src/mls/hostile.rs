//! What a hostile member could do with its own state; for tests of the promises only.

use super::{keys, seal, verdict::payload_context, Engine, EngineError, EpochKeys};
use crate::store::Overlay;
use lockstep_primitives::GroupId;

impl EpochKeys {
	/// The seed of the ordering key.
	pub(crate) fn leak_seed(&self) -> [u8; 32] {
		self.ordering_seed()
	}
}

#[cfg(feature = "simulation")]
impl Engine {
	/// A self-update of whose path secrets the n-th is wrong, sealed and endorsed.
	pub(crate) fn broken_path(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		turn: usize,
	) -> Result<lockstep_primitives::extrinsic::Append, EngineError> {
		use super::{bundle::CommitBundle, faulty};
		let scratch = overlay.nested();
		let crypto = faulty::Crypto::with(faulty::Fault::NthText(turn));
		let provider = faulty::HostileProvider { crypto: &crypto, overlay: &scratch };
		let mut mls = self.load_active(&scratch, group)?;
		let signer = self.signer_of(&scratch, group, &mls)?.pair();
		let messages = mls
			.commit_builder()
			.force_self_update(true)
			.load_psks(&scratch)
			.map_err(EngineError::library("breaking a path"))?
			.build(&self.random, &crypto, &signer, |_| true)
			.map_err(EngineError::library("breaking a path"))?
			.stage_commit(&provider)
			.map_err(EngineError::library("breaking a path"))?;
		let missing = || EngineError::Library { during: "breaking a path", reason: "nothing is staged".into() };
		let next_key = keys::ordering_key(mls.pending_commit().ok_or_else(missing)?, &self.crypto, group)?;
		let commit = messages.into_commit().to_bytes().map_err(EngineError::library("breaking a path"))?;
		let bundle = CommitBundle::new(Vec::new(), commit).encode().map_err(EngineError::library("breaking a path"))?;
		let payload = self.seal_anything(overlay, group, &bundle)?;
		let tip = self.tip(overlay, group, &self.load_active(overlay, group)?)?;
		let payload_hash = lockstep_primitives::payload_hash(&payload);
		let endorsement = tip.endorse(&self.genesis, group, &payload_hash, &next_key);
		Ok(lockstep_primitives::extrinsic::Append { group: *group, parent: tip.entry, payload, next_key, endorsement })
	}
}

impl Engine {
	/// Seals arbitrary bytes as a payload of the current epoch.
	pub(crate) fn seal_anything(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		bytes: &[u8],
	) -> Result<Vec<u8>, EngineError> {
		let mls = self.load_active(overlay, group)?;
		let tip = self.tip(overlay, group, &mls)?;
		let key = keys::payload_key(&mls, &self.crypto, group)?;
		seal::seal(&self.crypto, &key, &payload_context(group, &tip.entry), bytes)
			.map_err(EngineError::library("sealing"))
	}

	/// Opens a payload that was sealed in the current epoch.
	pub(crate) fn open_anything(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		payload: &[u8],
	) -> Result<Vec<u8>, EngineError> {
		let mls = self.load_active(overlay, group)?;
		let tip = self.tip(overlay, group, &mls)?;
		let key = keys::payload_key(&mls, &self.crypto, group)?;
		seal::open(&key, &payload_context(group, &tip.entry), payload).map_err(EngineError::library("opening"))
	}
}
