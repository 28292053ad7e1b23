//! The keys that rejoin requests are sealed with (`docs/protocol.md` section 9).
//!
//! Who was cut off has the keys of an epoch that the others may have left long ago. So each epoch has one more key, for
//! requests alone, and it is kept for much longer than those of messages: it shows who asked to be readmitted, and no
//! more.

use super::{seal, statement_context, EpochKeys, KEY};
use crate::{
	mls::{EngineError, SealError},
	store::{Overlay, Record, StoreError},
};
use lockstep_primitives::{GroupId, OrderingKey};
use openmls_rust_crypto::RustCrypto;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// Epochs before the current one of which a member reads rejoin requests. Nothing but reading them depends on it.
pub(in crate::mls) const KEPT: u64 = 128;

/// The kinds of these records.
pub(in crate::mls) const KINDS: [&str; 2] = [<RequestKey as Record>::KIND, <Signer as Record>::KIND];

/// The key of an epoch's rejoin requests, by the group's id and the epoch's public ordering key.
#[derive(Serialize, Deserialize)]
pub struct RequestKey {
	pub(super) key: [u8; KEY],
}

impl Record for RequestKey {
	const KIND: &'static str = "request key";
}

/// Whose request key is of an epoch, by the group's id and the epoch: so that one can be deleted without a look at all.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Signer {
	ordering_key: OrderingKey,
}

impl Record for Signer {
	const KIND: &'static str = "request signer";
}

impl RequestKey {
	/// The key of the epoch with this public ordering key, if it is kept.
	///
	/// # Errors
	/// [`EngineError::Store`].
	pub fn of_signer(overlay: &Overlay<'_>, group: &GroupId, signer: &[u8; 32]) -> Result<Option<Self>, EngineError> {
		Ok(overlay.get(&by_signer(group, signer))?)
	}

	/// The same; nothing if the record is damaged.
	pub(super) fn readable(
		overlay: &Overlay<'_>,
		group: &GroupId,
		signer: &[u8; 32],
	) -> Result<Option<Self>, StoreError> {
		overlay.if_readable(|overlay| overlay.get(&by_signer(group, signer)))
	}

	/// Seals a request for the members, bound to the topic it is posted under.
	///
	/// # Errors
	/// [`SealError::Library`] only.
	pub fn seal(&self, topic: &[u8; 32], text: &[u8]) -> Result<Vec<u8>, SealError> {
		seal::seal(&RustCrypto::default(), &self.key, &statement_context(topic), text)
	}

	/// Opens what a member of the epoch sealed for this topic.
	///
	/// # Errors
	/// [`SealError::TooShort`] or [`SealError::Unauthentic`] for anything else.
	pub fn open(&self, topic: &[u8; 32], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
		seal::open(&self.key, &statement_context(topic), sealed)
	}

	/// Records the key of a new epoch, and deletes the one that has become too old.
	pub(super) fn record(
		key: &[u8; KEY],
		overlay: &Overlay<'_>,
		group: &GroupId,
		of: &EpochKeys,
	) -> Result<(), EngineError> {
		overlay.put(&by_signer(group, &of.ordering_key.0), &Self { key: *key })?;
		overlay.put(&super::record_key(group, of.epoch), &Signer { ordering_key: of.ordering_key })?;
		let Some(old) = of.epoch.checked_sub(KEPT + 1).map(|old| super::record_key(group, old)) else { return Ok(()) };
		if let Some(signer) = overlay.get::<Signer>(&old)? {
			overlay.delete::<Self>(&by_signer(group, &signer.ordering_key.0))?;
			overlay.delete::<Signer>(&old)?;
		}
		Ok(())
	}

	/// Deletes all of a group.
	pub(super) fn forget(overlay: &Overlay<'_>, group: &GroupId) -> Result<(), EngineError> {
		overlay.delete_all::<Self>(group.as_bytes())?;
		Ok(overlay.delete_all::<Signer>(group.as_bytes())?)
	}
}

impl Drop for RequestKey {
	fn drop(&mut self) {
		self.key.zeroize();
	}
}

impl std::fmt::Debug for RequestKey {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("RequestKey").finish_non_exhaustive()
	}
}

fn by_signer(group: &GroupId, signer: &[u8; 32]) -> Vec<u8> {
	[&group.as_bytes()[..], signer].concat()
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::store::{MemoryDisk, Store, StoreKey};
	use lockstep_primitives::EntryHash;

	const GROUP: GroupId = GroupId([1; 32]);

	fn signer(epoch: u64) -> [u8; 32] {
		*blake3::hash(&epoch.to_be_bytes()).as_bytes()
	}

	fn keys(epoch: u64) -> EpochKeys {
		EpochKeys {
			epoch,
			entry: EntryHash([0; 32]),
			ordering_key: OrderingKey(signer(epoch)),
			ordering_seed: [0; 32],
			statement_key: [0; KEY],
			request_key: Some([u8::try_from(epoch).unwrap(); KEY]),
		}
	}

	#[test]
	fn requests_of_long_past_epochs_are_read_and_their_keys_are_bounded() {
		let store = Store::in_memory(&MemoryDisk::new(), &StoreKey::from_bytes([0; 32])).unwrap();
		let overlay = store.overlay();
		for epoch in 0..200 {
			keys(epoch).record(&overlay, &GROUP).unwrap();
		}
		let kept = |epoch| RequestKey::of_signer(&overlay, &GROUP, &signer(epoch)).unwrap();
		assert!(kept(199 - KEPT - 1).is_none());
		assert!(kept(199 - KEPT).is_some());
		assert_eq!(overlay.list::<RequestKey>(GROUP.as_bytes()).unwrap().len(), usize::try_from(KEPT).unwrap() + 1);
		let sealed = kept(150).unwrap().seal(&[7; 32], b"let me in").unwrap();
		assert_eq!(kept(150).unwrap().open(&[7; 32], &sealed).unwrap(), b"let me in");
		assert!(kept(151).unwrap().open(&[7; 32], &sealed).is_err());
		assert!(kept(150).unwrap().open(&[8; 32], &sealed).is_err());
		EpochKeys::forget(&overlay, &GROUP).unwrap();
		assert!(overlay.list::<RequestKey>(b"").unwrap().is_empty());
	}
}
