//! The voice of a member that has nothing but a backup: what it takes to post a rejoin request to the members.

use super::{public, EpochKeys, RequestKey, KEY};
use crate::{
	mls::{EngineError, SealError},
	store::{Overlay, Record},
};
use codec::{Decode, Encode};
use ed25519_dalek::{Signer, SigningKey};
use lockstep_primitives::{GroupId, OrderingKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// Of an epoch, the keys with which a rejoin request is sealed and its statement signed: they open no message, no payload
/// and no Welcome. By the group's id, in the store of a client that was restored.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Voice {
	/// The epoch.
	pub epoch: u64,
	ordering_seed: [u8; 32],
	request_key: [u8; KEY],
}

impl Record for Voice {
	const KIND: &'static str = "voice";
}

impl Voice {
	/// That of the newest epoch of a group of which the keys for it are recorded, and can be read.
	///
	/// # Errors
	/// [`EngineError::Store`].
	pub fn newest(overlay: &Overlay<'_>, group: &GroupId) -> Result<Option<Self>, EngineError> {
		let Some((keys, request)) = EpochKeys::newest_to_ask(overlay, group)? else { return Ok(None) };
		Ok(Some(Self { epoch: keys.epoch, ordering_seed: keys.ordering_seed, request_key: request.key }))
	}

	/// That of a client that was restored, until it is readmitted.
	///
	/// # Errors
	/// [`EngineError::Store`].
	pub fn kept(overlay: &Overlay<'_>, group: &GroupId) -> Result<Option<Self>, EngineError> {
		Ok(overlay.get(group.as_bytes())?)
	}

	/// The public ordering key of the epoch.
	pub fn signer(&self) -> OrderingKey {
		public(&self.ordering_seed)
	}

	/// An Ed25519 signature by that key.
	pub fn sign(&self, message: &[u8]) -> [u8; 64] {
		SigningKey::from_bytes(&self.ordering_seed).sign(message).to_bytes()
	}

	/// Seals a request for the members, bound to the topic it is posted under.
	///
	/// # Errors
	/// [`SealError::Library`] only.
	pub fn seal(&self, topic: &[u8; 32], text: &[u8]) -> Result<Vec<u8>, SealError> {
		RequestKey { key: self.request_key }.seal(topic, text)
	}

	/// Some voice, for tests of what carries one.
	#[cfg(test)]
	pub fn example(byte: u8) -> Self {
		Self { epoch: byte.into(), ordering_seed: [byte; 32], request_key: [byte; KEY] }
	}
}

impl Drop for Voice {
	fn drop(&mut self) {
		self.ordering_seed.zeroize();
		self.request_key.zeroize();
	}
}

impl std::fmt::Debug for Voice {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("Voice").field("epoch", &self.epoch).finish_non_exhaustive()
	}
}
