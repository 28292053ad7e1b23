//! KeyPackages and Welcomes of the stand-in.

use super::state::{text, State};
use crate::{
	mls::{
		key_package::NewKeyPackage, EngineError, EpochKeys, Invitation, Joined, Prepared, WelcomeEnvelope, WelcomeError,
	},
	store::{Overlay, Record},
};
use lockstep_primitives::{rpc::HexBytes, EntryHash, GroupId};
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
struct Kept {}

impl Record for Kept {
	const KIND: &'static str = "stand-in key package";
}

/// What is in an envelope.
#[derive(Serialize, Deserialize)]
struct Letter {
	#[serde(with = "super::bytes")]
	reference: [u8; 32],
	group: GroupId,
	entry: EntryHash,
	index: u64,
	welcome: HexBytes,
}

/// What is in a Welcome.
#[derive(Serialize, Deserialize)]
struct Welcome {
	state: State,
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
) -> Result<NewKeyPackage, EngineError> {
	let package = Package { identity: text(identity), reference };
	keep(overlay, &package)?;
	Ok(NewKeyPackage { bytes: package.encode()?, reference: reference.to_vec() })
}

pub(super) fn keep(overlay: &Overlay<'_>, package: &Package) -> Result<(), EngineError> {
	Ok(overlay.put(&package.reference, &Kept {})?)
}

/// The Welcome to an epoch.
pub(super) fn welcome(state: &State) -> Result<Vec<u8>, EngineError> {
	serde_json::to_vec(&Welcome { state: state.clone() }).map_err(EngineError::library("encoding a Welcome"))
}

pub(super) fn welcomes(
	prepared: &Prepared,
	entry: &EntryHash,
	index: u64,
) -> Result<Vec<WelcomeEnvelope>, EngineError> {
	let Some(welcome) = &prepared.welcome else { return Ok(Vec::new()) };
	let invited = prepared.invited.iter().filter_map(|package| Package::decode(&package.0));
	let envelope = |package: Package| {
		let reference = package.reference;
		let letter = Letter { reference, group: prepared.group, entry: *entry, index, welcome: welcome.clone() };
		let bytes = serde_json::to_vec(&letter).map_err(EngineError::library("encoding a Welcome"))?;
		let identity = package.identity.into_bytes();
		Ok(WelcomeEnvelope { key_package_ref: reference.to_vec(), identity, bytes })
	};
	invited.map(envelope).collect()
}

pub(super) fn open(overlay: &Overlay<'_>, reference: &[u8], bytes: &[u8]) -> Result<Invitation, WelcomeError> {
	let kept: Option<Kept> = overlay.get(reference).map_err(EngineError::from)?;
	kept.ok_or(WelcomeError::UnknownKeyPackage)?;
	let letter: Letter = serde_json::from_slice(bytes).map_err(|_| WelcomeError::Malformed)?;
	if letter.reference != reference {
		return Err(WelcomeError::Sealed);
	}
	let Letter { group, entry, index, welcome, reference } = letter;
	let welcome = HexBytes([&reference[..], &welcome.0].concat());
	Ok(Invitation::of_stand_in(group, entry, index, welcome))
}

/// Joins, in the place of an earlier membership. An invitation to no later epoch than that came to is an old one.
pub(super) fn join(overlay: &Overlay<'_>, invitation: &Invitation) -> Result<Joined, WelcomeError> {
	let group = invitation.group;
	let (reference, welcome) = invitation.welcome().split_first_chunk::<32>().ok_or(WelcomeError::Malformed)?;
	let kept: Option<Kept> = overlay.get(reference).map_err(EngineError::from)?;
	kept.ok_or(WelcomeError::UnknownKeyPackage)?;
	let Welcome { state } = serde_json::from_slice(welcome).map_err(|_| WelcomeError::Malformed)?;
	if let Some(stored) = State::find(overlay, &group)? {
		if state.epoch < stored.epoch || (state.epoch == stored.epoch && stored.active) {
			return Err(WelcomeError::Stale { invited: state.epoch, stored: stored.epoch });
		}
	}
	EpochKeys::forget(overlay, &group)?;
	overlay.delete::<Kept>(reference).map_err(EngineError::from)?;
	state.store(overlay, &group)?;
	let keys = state.keys(&invitation.entry);
	keys.record(overlay, &group)?;
	let view = state.view();
	Ok(Joined {
		group,
		epoch: state.epoch,
		ordering_key: keys.ordering_key,
		authenticator: view.authenticator,
		members: view.members,
		data: view.data,
	})
}
