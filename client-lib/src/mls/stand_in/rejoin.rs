//! Rejoin requests of the stand-in. They are not signed: nobody in a simulation forges one.

use super::{
	letter::{self, Package},
	state::{text, State},
	StandIn,
};
use crate::{
	mls::{rejoin::LastLeaf, EngineError, EpochKeys, Mls, NewRejoinRequest, RejoinError, RejoinRequest, Seat, Voice},
	store::Overlay,
};
use lockstep_primitives::{rpc::HexBytes, EntryHash, GroupId};
use serde::{Deserialize, Serialize};

/// A request, as it travels.
#[derive(Serialize, Deserialize)]
struct Request {
	group: GroupId,
	newest: EntryHash,
	/// The key of the leaf that the member has in its own state, if it has one.
	replaces: Option<HexBytes>,
	package: Package,
}

impl StandIn {
	pub(super) fn request(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		newest: &EntryHash,
	) -> Result<NewRejoinRequest, EngineError> {
		let me = text(&self.identity);
		// Of one that was removed it is the state from before.
		let stored = State::find(overlay, group)?;
		let leaf = stored.as_ref().and_then(|state| state.leaf(&me));
		let restored = overlay.get::<LastLeaf>(group.as_bytes())?.map(|leaf| HexBytes(leaf.into_key()));
		let replaces = leaf.map(|leaf| HexBytes(leaf.key.to_vec())).or(restored);
		let package = Package { identity: me, reference: self.draw() };
		letter::keep(overlay, &package)?;
		let reference = package.reference.to_vec();
		let request = Request { group: *group, newest: *newest, replaces, package };
		let bytes = serde_json::to_vec(&request).map_err(EngineError::library("encoding a rejoin request"))?;
		Ok(NewRejoinRequest { bytes, reference, from_state: stored.is_some() })
	}

	pub(super) fn seated(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Option<Seat>, EngineError> {
		let signer = self.signer_seed();
		match State::find(overlay, group)? {
			Some(state) if state.active => {
				let leaf = state.leaf(&text(&self.identity)).map(|leaf| leaf.key.to_vec()).unwrap_or_default();
				Ok(Some(Seat { signer, leaf, voice: Voice::newest(overlay, group)? }))
			}
			Some(_) => Ok(None),
			None => Seat::kept(overlay, group, &signer).map(Some),
		}
	}

	pub(super) fn check(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		bytes: &[u8],
		head: &EntryHash,
	) -> Result<RejoinRequest, RejoinError> {
		let request: Request = serde_json::from_slice(bytes).map_err(|_| RejoinError::Malformed)?;
		if request.group != *group {
			return Err(RejoinError::OtherGroup);
		}
		let state = State::active(overlay, group)?;
		let tip = EpochKeys::of_epoch(overlay, group, state.epoch)?.ok_or(EngineError::NotPlaced(*group))?.entry;
		let identity = request.package.identity.clone().into_bytes();
		let Some(leaf) = state.leaf(&request.package.identity) else {
			return Err(RejoinError::NotAMember { identity });
		};
		if identity == self.identity {
			return Err(RejoinError::Own);
		}
		let replaces = leaf.key.to_vec();
		let is_new = request.newest == tip || request.newest == *head;
		if request.replaces.is_none_or(|named| named.0 != replaces) && !is_new {
			return Err(RejoinError::Lapsed { identity });
		}
		Ok(RejoinRequest {
			client: identity.clone(),
			identity,
			key_package: request.package.encode()?,
			replaces,
			new_key: false,
		})
	}
}
