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
		seal::open(&self.crypto, &key, &payload_context(group, &tip.entry), payload)
			.map_err(EngineError::library("opening"))
	}
}
