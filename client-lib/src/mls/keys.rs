//! The keys that the members of an epoch share, exported from MLS.

mod fresh;
pub(super) mod request;
mod voice;

pub use request::RequestKey;
pub use voice::Voice;

use super::{
	constants::{label, tag, MAX_PAST_EPOCHS},
	error::EngineError,
	meter,
	native::Ed25519,
	seal::{self, SealError, KEY},
};
use crate::store::{Overlay, Record, StoreError};
use ed25519_dalek::SigningKey;
use lockstep_primitives::{
	endorsement_payload, Endorsement, EntryHash, GenesisHash, GroupId, OrderingKey, PayloadHash,
};
use openmls::{group::StagedCommit, prelude::MlsGroup};
use openmls_rust_crypto::RustCrypto;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use zeroize::{Zeroize, Zeroizing};

/// Something that exports secrets of an epoch (RFC 9420 section 8.5).
pub(super) trait Exporter {
	fn secret(&self, crypto: &RustCrypto, label: &str, context: &[u8], length: usize) -> Result<Vec<u8>, String>;
}

impl Exporter for MlsGroup {
	fn secret(&self, crypto: &RustCrypto, label: &str, context: &[u8], length: usize) -> Result<Vec<u8>, String> {
		self.export_secret(crypto, label, context, length).map_err(|error| error.to_string())
	}
}

impl Exporter for StagedCommit {
	fn secret(&self, crypto: &RustCrypto, label: &str, context: &[u8], length: usize) -> Result<Vec<u8>, String> {
		self.export_secret(crypto, label, context, length).map_err(|error| error.to_string())
	}
}

/// Exports a secret of `N` bytes; the context is the group id.
fn export<const N: usize>(
	from: &impl Exporter,
	crypto: &RustCrypto,
	group: &GroupId,
	label: &str,
) -> Result<Zeroizing<[u8; N]>, EngineError> {
	let library = |reason| EngineError::Library { during: "exporting a key", reason };
	let secret = Zeroizing::new(from.secret(crypto, label, group.as_bytes(), N).map_err(library)?);
	let array = <[u8; N]>::try_from(secret.as_slice()).map_err(|_| library("a wrong length".to_owned()))?;
	Ok(Zeroizing::new(array))
}

/// The key under which the payloads of an epoch's commits are sealed. Not recorded: a payload is opened in its own
/// epoch or not at all.
pub(super) fn payload_key(
	from: &MlsGroup,
	crypto: &RustCrypto,
	group: &GroupId,
) -> Result<Zeroizing<[u8; seal::KEY]>, EngineError> {
	export(from, crypto, group, label::PAYLOAD_KEY)
}

/// The ordering key of the epoch that `from` is the state of, or opens.
pub(super) fn ordering_key(
	from: &impl Exporter,
	crypto: &RustCrypto,
	group: &GroupId,
) -> Result<OrderingKey, EngineError> {
	Ok(public(&*export(from, crypto, group, label::ORDERING_KEY)?))
}

fn public(seed: &[u8; 32]) -> OrderingKey {
	OrderingKey(SigningKey::from_bytes(seed).verifying_key().to_bytes())
}

/// The keys of one epoch: to endorse commits made in it, and to post statements as one of its members.
///
/// They are kept for the current epoch and up to [`MAX_PAST_EPOCHS`] before it.
#[derive(Clone, Serialize, Deserialize)]
pub struct EpochKeys {
	/// The epoch.
	pub epoch: u64,
	/// The entry that opened it.
	pub entry: EntryHash,
	/// The public ordering key: the `next_key` of that entry, and the signer of the epoch's statements.
	pub ordering_key: OrderingKey,
	ordering_seed: [u8; 32],
	statement_key: [u8; KEY],
	/// Recorded apart, for it is kept for longer; only keys that were just exported have it.
	#[serde(skip)]
	request_key: Option<[u8; KEY]>,
}

impl Record for EpochKeys {
	const KIND: &'static str = "epoch keys";
}

impl EpochKeys {
	/// Exports the keys of the group's current epoch.
	pub(super) fn current(
		mls: &MlsGroup,
		crypto: &RustCrypto,
		group: &GroupId,
		entry: &EntryHash,
	) -> Result<Self, EngineError> {
		let ordering_seed = export(mls, crypto, group, label::ORDERING_KEY)?;
		let statement_key = export(mls, crypto, group, label::STATEMENT_KEY)?;
		let request_key = export(mls, crypto, group, label::REQUEST_KEY)?;
		Ok(Self {
			epoch: mls.epoch().as_u64(),
			entry: *entry,
			ordering_key: public(&ordering_seed),
			ordering_seed: *ordering_seed,
			statement_key: *statement_key,
			request_key: Some(*request_key),
		})
	}

	/// Keys that were not exported from OpenMLS.
	#[cfg(feature = "simulation")]
	pub(super) fn of_stand_in(epoch: u64, entry: EntryHash, public: OrderingKey, seed: [u8; 32]) -> Self {
		let statement_key = seed.first_chunk().copied().unwrap_or_default();
		let request_key = seed.last_chunk().copied();
		Self { epoch, entry, ordering_key: public, ordering_seed: seed, statement_key, request_key }
	}

	/// Endorses a commit of this epoch: signs the endorsement payload with this epoch's entry as the parent.
	pub fn endorse(
		&self,
		genesis: &GenesisHash,
		group: &GroupId,
		payload: &PayloadHash,
		next_key: &OrderingKey,
	) -> Endorsement {
		Endorsement(self.sign(&endorsement_payload(genesis, group, &self.entry, payload, next_key)))
	}

	/// An Ed25519 signature by the ordering key (RFC 8032).
	pub fn sign(&self, message: &[u8]) -> [u8; 64] {
		self.signer()(message)
	}

	/// The same, for several texts: what is derived from the key takes as long as to sign.
	pub fn signer(&self) -> impl Fn(&[u8]) -> [u8; 64] {
		let key = Ed25519::new(&self.ordering_seed);
		move |message| key.sign(message)
	}

	/// Seals a statement's data for the members of this epoch, bound to the topic it is posted under.
	///
	/// # Errors
	/// [`SealError::Library`] only.
	pub fn seal_statement(&self, topic: &[u8; 32], text: &[u8]) -> Result<Vec<u8>, SealError> {
		seal::seal(&RustCrypto::default(), &self.statement_key, &statement_context(topic), text)
	}

	/// Opens what a member of this epoch sealed for this topic.
	///
	/// # Errors
	/// [`SealError::TooShort`] or [`SealError::Unauthentic`] for anything else; [`SealError::Library`] says nothing of the text.
	pub fn open_statement(&self, topic: &[u8; 32], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
		seal::open(&self.statement_key, &statement_context(topic), sealed)
	}

	/// Records the keys, and deletes those that have become too old to be kept.
	pub(super) fn record(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<(), EngineError> {
		overlay.put(&record_key(group, self.epoch), self)?;
		if let Some(key) = &self.request_key {
			RequestKey::record(key, overlay, group, self)?;
		}
		let kept = u64::try_from(MAX_PAST_EPOCHS).unwrap_or(u64::MAX);
		let oldest = self.epoch.saturating_sub(kept);
		// Epochs follow one another, so it is the one before these. To list them all leads over those that were deleted.
		let Some(older) = oldest.checked_sub(1) else { return Ok(()) };
		if Self::of_epoch(overlay, group, older)?.is_some() {
			overlay.delete::<Self>(&record_key(group, older))?;
			meter::forget_epoch(overlay, group, older)?;
		}
		Ok(())
	}

	/// Deletes the keys of epochs before this one, and what was counted in them.
	pub(super) fn forget_before(overlay: &Overlay<'_>, group: &GroupId, epoch: u64) -> Result<(), EngineError> {
		for (key, older) in overlay.list::<Self>(group.as_bytes())? {
			if older.epoch < epoch {
				overlay.delete::<Self>(&key)?;
				meter::forget_epoch(overlay, group, older.epoch)?;
			}
		}
		Ok(())
	}

	/// The recorded keys of a group, the oldest first.
	pub(super) fn all(overlay: &Overlay<'_>, group: &GroupId) -> Result<Vec<Self>, EngineError> {
		Ok(overlay.list(group.as_bytes())?.into_iter().map(|(_, keys)| keys).collect())
	}

	/// The keys with which a rejoin request is posted: those of the newest epoch of a group of which both can be read.
	///
	/// # Errors
	/// [`EngineError::Store`].
	pub fn newest_to_ask(overlay: &Overlay<'_>, group: &GroupId) -> Result<Option<(Self, RequestKey)>, EngineError> {
		for (_, keys) in overlay.list_readable::<Self>(group.as_bytes())?.into_iter().rev() {
			if let Some(request) = RequestKey::readable(overlay, group, &keys.ordering_key.0)? {
				return Ok(Some((keys, request)));
			}
		}
		Ok(None)
	}

	/// The newest epoch of a group of which keys are recorded, also if they cannot be read.
	pub(super) fn newest_epoch(overlay: &Overlay<'_>, group: &GroupId) -> Result<Option<u64>, StoreError> {
		let keys = overlay.keys::<Self>(group.as_bytes())?;
		Ok(keys.iter().filter_map(|key| Some(u64::from_be_bytes(*key.last_chunk()?))).max())
	}

	/// The entries that opened the newest epochs of which keys are recorded, of all groups: read together, which is much
	/// less than group by group. Keys that are damaged are passed over.
	///
	/// # Errors
	/// [`EngineError::Store`].
	pub fn newest_entries(overlay: &Overlay<'_>) -> Result<BTreeMap<GroupId, EntryHash>, EngineError> {
		// In the order of the keys the newest epoch of a group comes last, and covers the others.
		let group = |key: &[u8]| Some(GroupId(*key.first_chunk()?));
		let all = overlay.list_readable::<Self>(b"")?;
		Ok(all.iter().filter_map(|(key, keys)| Some((group(key)?, keys.entry))).collect())
	}

	/// The recorded keys of one epoch.
	///
	/// # Errors
	/// [`EngineError::Store`].
	pub fn of_epoch(overlay: &Overlay<'_>, group: &GroupId, epoch: u64) -> Result<Option<Self>, EngineError> {
		Ok(overlay.get(&record_key(group, epoch))?)
	}

	/// Deletes all keys of a group.
	pub(super) fn forget(overlay: &Overlay<'_>, group: &GroupId) -> Result<(), EngineError> {
		RequestKey::forget(overlay, group)?;
		meter::forget(overlay, group)?;
		overlay.delete::<Voice>(group.as_bytes())?;
		Ok(overlay.delete_all::<Self>(group.as_bytes())?)
	}
}

impl Drop for EpochKeys {
	fn drop(&mut self) {
		self.ordering_seed.zeroize();
		self.statement_key.zeroize();
		self.request_key.zeroize();
	}
}

impl std::fmt::Debug for EpochKeys {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("EpochKeys")
			.field("epoch", &self.epoch)
			.field("entry", &self.entry)
			.field("ordering_key", &self.ordering_key)
			.finish_non_exhaustive()
	}
}

/// The epoch comes big endian, so that records lie in its order.
fn record_key(group: &GroupId, epoch: u64) -> Vec<u8> {
	[&group.as_bytes()[..], &epoch.to_be_bytes()].concat()
}

fn statement_context(topic: &[u8; 32]) -> Vec<u8> {
	[tag::STATEMENT, topic].concat()
}
