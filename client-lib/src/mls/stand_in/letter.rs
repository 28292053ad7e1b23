//! KeyPackages and Welcomes of the stand-in.

use super::state::{text, State};
use crate::{
	mls::{
		EngineError, Envelope, EpochKeys, Invitation, Joined, LetterKey, NewKeyPackage, Prepared, Serves, WelcomeError,
		Welcomes,
	},
	store::{Overlay, Record},
};
use lockstep_primitives::{rpc::HexBytes, topic, EntryHash, GroupId};
use serde::{Deserialize, Serialize};

/// A KeyPackage, as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Package {
	pub(super) identity: String,
	#[serde(with = "super::bytes")]
	pub(super) reference: [u8; 32],
}

/// A KeyPackage of this member that was not used up, by its reference.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
	#[serde(default)]
	serves_again: bool,
}

impl Record for Kept {
	const KIND: &'static str = "stand-in key package";
}

/// What is in an envelope: the hash of the letter.
#[derive(Serialize, Deserialize)]
struct Opens {
	#[serde(with = "super::bytes")]
	reference: [u8; 32],
	#[serde(with = "super::bytes")]
	hash: [u8; 32],
}

/// What is in a letter.
#[derive(Serialize, Deserialize)]
struct Letter {
	group: GroupId,
	entry: EntryHash,
	index: u64,
	welcome: HexBytes,
}

/// What is in a Welcome.
#[derive(Serialize, Deserialize)]
struct Welcome {
	state: State,
	/// The references of the KeyPackages that it is for.
	invited: Vec<HexBytes>,
}

impl Package {
	pub(super) fn encode(&self) -> Result<Vec<u8>, EngineError> {
		serde_json::to_vec(self).map_err(EngineError::library("encoding a KeyPackage"))
	}

	pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
		serde_json::from_slice(bytes).ok()
	}
}

pub(super) fn key_package(
	overlay: &Overlay<'_>,
	identity: &[u8],
	reference: [u8; 32],
	serves: Serves,
) -> Result<NewKeyPackage, EngineError> {
	let package = Package { identity: text(identity), reference };
	overlay.put(&package.reference, &Kept { serves_again: serves == Serves::Again })?;
	Ok(NewKeyPackage { bytes: package.encode()?, reference: reference.to_vec() })
}

pub(super) fn keep(overlay: &Overlay<'_>, package: &Package) -> Result<(), EngineError> {
	Ok(overlay.put(&package.reference, &Kept { serves_again: false })?)
}

pub(super) fn forget(overlay: &Overlay<'_>, reference: &[u8]) -> Result<(), EngineError> {
	Ok(overlay.delete::<Kept>(reference)?)
}

/// The Welcome to an epoch, for the owners of these KeyPackages.
pub(super) fn welcome<'p>(state: &State, packages: impl Iterator<Item = &'p Package>) -> Result<Vec<u8>, EngineError> {
	let invited = packages.map(|package| HexBytes(package.reference.to_vec())).collect();
	serde_json::to_vec(&Welcome { state: state.clone(), invited }).map_err(EngineError::library("encoding a Welcome"))
}

pub(super) fn welcomes(prepared: &Prepared, entry: &EntryHash, index: u64) -> Result<Option<Welcomes>, EngineError> {
	let Some(welcome) = &prepared.welcome else { return Ok(None) };
	let letter = Letter { group: prepared.group, entry: *entry, index, welcome: welcome.0.clone() };
	let letter = serde_json::to_vec(&letter).map_err(EngineError::library("encoding a letter"))?;
	let hash = topic::letter_hash(&letter);
	let topic = LetterKey::of_stand_in(hash).topic();
	let envelope = |package: Package| {
		let reference = package.reference;
		let bytes = serde_json::to_vec(&Opens { reference, hash });
		let bytes = bytes.map_err(EngineError::library("encoding an envelope"))?;
		Ok(Envelope { key_package_ref: reference.to_vec(), identity: package.identity.into_bytes(), bytes, key: None })
	};
	let invited = prepared.invited.iter().filter_map(|package| Package::decode(&package.0 .0));
	let envelopes = invited.map(envelope).collect::<Result<_, EngineError>>()?;
	Ok(Some(Welcomes { letter, topic, envelopes }))
}

pub(super) fn open_envelope(overlay: &Overlay<'_>, reference: &[u8], bytes: &[u8]) -> Result<LetterKey, WelcomeError> {
	let kept: Option<Kept> = overlay.get(reference).map_err(EngineError::from)?;
	kept.ok_or(WelcomeError::UnknownKeyPackage)?;
	let opens: Opens = serde_json::from_slice(bytes).map_err(|_| WelcomeError::Malformed)?;
	if opens.reference != reference {
		return Err(WelcomeError::Sealed);
	}
	Ok(LetterKey::of_stand_in(opens.hash))
}

pub(super) fn open(key: &LetterKey, bytes: &[u8]) -> Result<Invitation, WelcomeError> {
	if !key.is_for(bytes) {
		return Err(WelcomeError::OtherLetter);
	}
	let letter: Letter = serde_json::from_slice(bytes).map_err(|_| WelcomeError::Malformed)?;
	let Letter { group, entry, index, welcome } = letter;
	Ok(Invitation::of_stand_in(group, entry, index, welcome))
}

/// The first KeyPackage of this member that a Welcome is for.
fn addressed<'w>(overlay: &Overlay<'_>, invited: &'w [HexBytes]) -> Result<(&'w [u8], Kept), WelcomeError> {
	for HexBytes(reference) in invited {
		let kept: Option<Kept> = overlay.get(reference).map_err(EngineError::from)?;
		if let Some(kept) = kept {
			return Ok((reference, kept));
		}
	}
	Err(WelcomeError::UnknownKeyPackage)
}

/// Joins, in the place of an earlier membership. An invitation to no later epoch than that came to is an old one.
pub(super) fn join(overlay: &Overlay<'_>, identity: &[u8], invitation: &Invitation) -> Result<Joined, WelcomeError> {
	let group = invitation.group;
	let read = serde_json::from_slice(invitation.welcome());
	let Welcome { state, invited } = read.map_err(|_| WelcomeError::Malformed)?;
	let (reference, Kept { serves_again }) = addressed(overlay, &invited)?;
	if let Some(stored) = State::find(overlay, &group)? {
		if state.epoch < stored.epoch || (state.epoch == stored.epoch && stored.active) {
			return Err(WelcomeError::Stale { invited: state.epoch, stored: stored.epoch });
		}
	}
	EpochKeys::forget(overlay, &group)?;
	if !serves_again {
		overlay.delete::<Kept>(reference).map_err(EngineError::from)?;
	}
	state.store(overlay, &group)?;
	let keys = state.keys(&invitation.entry);
	keys.record(overlay, &group)?;
	let view = state.view(identity);
	Ok(Joined {
		group,
		key_package_ref: reference.to_vec(),
		serves_again,
		epoch: state.epoch,
		ordering_key: keys.ordering_key,
		authenticator: view.authenticator,
		members: view.members,
		data: view.data,
	})
}
