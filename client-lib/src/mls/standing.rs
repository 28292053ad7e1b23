//! What the logs of people say of the leaves of a group: which are of devices that were revoked, and which devices have none.

use super::{
	error::EngineError,
	group,
	group_data::AuthenticationService,
	leaves::Leaves,
	people::{KnownDevices, MemberDevice},
	Engine,
};
use crate::store::Overlay;
use lockstep_primitives::{rpc::HexBytes, BlockNumber, GroupId, IdentityId, IdentityKey};
use std::collections::{BTreeMap, BTreeSet};

/// What is to be done in a group after changes in people's logs, as far as these are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
	/// Leaves whose devices were revoked, with the block of that.
	pub revoked: Vec<(MemberDevice, BlockNumber)>,
	/// Devices of this member's own identity that have no leaf in the group. One whose leaf has an earlier key of it has one.
	pub missing: Vec<MemberDevice>,
	/// This member's leaf has a key that is none of a device, as far as is known: it was revoked, or has another key by now.
	pub stale: bool,
	/// This member's leaf has a key that its device has gone over from, and the engine has the one that it has now.
	pub outdated: bool,
	/// The log of this member's own identity has not been read yet, so that nothing is known of its devices.
	pub unread: bool,
}

impl Engine {
	/// What the logs of these people, or of all members, say of a group's leaves. Nothing, in a group whose members are no
	/// people of the directory.
	///
	/// # Errors
	/// [`EngineError`].
	pub fn standing(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		of: Option<&BTreeSet<IdentityId>>,
	) -> Result<Standing, EngineError> {
		let loaded = self.take_active_as_it_is(overlay, group)?;
		let standing = if group::data(&loaded.mls)?.authentication == AuthenticationService::Directory {
			let own = loaded.mls.own_leaf_node().map(|leaf| leaf.signature_key().as_slice().to_vec());
			self.compare(overlay, &Leaves::of(loaded.mls.treesync()), &own.unwrap_or_default(), of)?
		} else {
			Standing::default()
		};
		loaded.give_back(overlay);
		Ok(standing)
	}

	fn compare(
		&self,
		overlay: &Overlay<'_>,
		leaves: &Leaves<'_>,
		own: &[u8],
		of: Option<&BTreeSet<IdentityId>>,
	) -> Result<Standing, EngineError> {
		let mut logs: BTreeMap<IdentityId, Option<KnownDevices>> = BTreeMap::new();
		let (mut standing, mut mine) = (Standing::default(), BTreeSet::new());
		for leaf in leaves.iter() {
			let leaf = leaf.binding().map_err(EngineError::library("reading the members"))?;
			let (Ok(id), Ok(key)) = (leaf.identity.try_into(), leaf.key.try_into()) else { continue };
			let (id, key) = (IdentityId(id), IdentityKey(key));
			if leaf.identity == self.identity {
				mine.insert(key);
			}
			if of.is_some_and(|of| !of.contains(&id)) {
				continue;
			}
			let known = match logs.get(&id) {
				Some(known) => known,
				None => logs.entry(id).or_insert(overlay.get(&id.0)?),
			};
			if let Some(block) = known.as_ref().and_then(|known| known.revoked_at(&key)) {
				standing.revoked.push((MemberDevice::of(leaf), block));
			}
		}
		let me = self.identity.as_slice().try_into().map(IdentityId).ok();
		let log = me.and_then(|me| logs.get(&me));
		standing.unread = matches!(log, Some(None));
		if let Some(Some(known)) = log {
			let has = |key: &[u8]| known.newest().iter().any(|device| device.0 == key);
			let new = self.seed.public();
			standing.stale = !has(own);
			standing.outdated = standing.stale && has(&new);
			// A leaf gets the key that its device has by now by a rotation, and by nothing else: were that key added, it could not.
			let theirs: BTreeSet<IdentityKey> = mine.iter().flat_map(|key| known.heirs(key)).collect();
			let missing = known.newest().iter().filter(|key| !theirs.contains(key) && key.0[..] != new);
			let device = |key: &IdentityKey| MemberDevice {
				identity: HexBytes(self.identity.clone()),
				key: HexBytes(key.0.to_vec()),
			};
			standing.missing.extend(missing.map(device));
		}
		Ok(standing)
	}
}
