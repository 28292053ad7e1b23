//! Rejoin requests of the stand-in.

use super::{
	letter::{self, Package},
	state::{text, State},
};
use crate::{
	mls::{rejoin::NewRejoinRequest, EngineError, EpochKeys, RejoinError, RejoinRequest},
	store::Overlay,
};
use lockstep_primitives::{rpc::HexBytes, EntryHash, GroupId};
use serde::{Deserialize, Serialize};

/// A request, as it travels.
#[derive(Serialize, Deserialize)]
struct Request {
	group: GroupId,
	identity: String,
	newest: EntryHash,
	/// The key of the leaf that the member has in its own state; empty if it has none.
	replaces: HexBytes,
	package: Package,
}

pub(super) fn request(
	overlay: &Overlay<'_>,
	(group, newest): (&GroupId, &EntryHash),
	identity: &[u8],
	reference: [u8; 32],
) -> Result<NewRejoinRequest, EngineError> {
	let state = State::find(overlay, group)?.filter(|state| state.active);
	let leaf = state.as_ref().and_then(|state| state.leaf(&text(identity)));
	let replaces = HexBytes(leaf.map(|leaf| leaf.key.to_vec()).unwrap_or_default());
	let new = letter::key_package(overlay, identity, reference)?;
	let package = Package { identity: text(identity), reference };
	let request = Request { group: *group, identity: text(identity), newest: *newest, replaces, package };
	let bytes = serde_json::to_vec(&request).map_err(EngineError::library("asking to rejoin"))?;
	Ok(NewRejoinRequest { bytes, reference: new.reference })
}

pub(super) fn check(
	overlay: &Overlay<'_>,
	group: &GroupId,
	me: &[u8],
	bytes: &[u8],
) -> Result<RejoinRequest, RejoinError> {
	let request: Request = serde_json::from_slice(bytes).map_err(|_| RejoinError::Malformed)?;
	if request.group != *group {
		return Err(RejoinError::OtherGroup);
	}
	let state = State::active(overlay, group)?;
	let tip = EpochKeys::of_epoch(overlay, group, state.epoch)?.ok_or(EngineError::NotPlaced(*group))?.entry;
	let identity = request.identity.clone().into_bytes();
	let Some(leaf) = state.leaf(&request.identity) else { return Err(RejoinError::NotAMember { identity }) };
	if identity == me {
		return Err(RejoinError::Own);
	}
	if request.replaces.0 != leaf.key && request.newest != tip {
		return Err(RejoinError::Lapsed { identity });
	}
	let (key_package, replaces) = (request.package.encode()?, leaf.key.to_vec());
	Ok(RejoinRequest { identity, key_package, replaces, new_key: false })
}
