//! Groups: their creation, their state, their end.

use super::{
	constants::{capabilities, join_config, lifetime, CIPHERSUITE, MAX_PAST_EPOCHS},
	error::EngineError,
	group_data::{AuthenticationService, GroupData},
	keys::{self, EpochKeys},
	leaves::{Leaf, Leaves},
	people::MemberDevice,
	policy::{self, roles},
	rejoin::LastLeaf,
	signer, Engine,
};
use crate::store::Overlay;
use lockstep_primitives::{payload_hash, Endorsement, EntryHash, GroupId, LogHead, LogKind, OrderingKey};
use openmls::{
	group::{GroupId as MlsGroupId, PastEpochDeletion},
	prelude::MlsGroup,
};
use openmls_traits::random::OpenMlsRand;
use std::time::UNIX_EPOCH;

/// A group that was made but is in no log yet: what `create_group` on the chain needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGroup {
	/// Its id, drawn at random.
	pub group: GroupId,
	/// The parent of entry 0: the head of the empty log.
	pub parent: EntryHash,
	/// The ordering key of epoch 0.
	pub next_key: OrderingKey,
	/// The endorsement of entry 0 by `next_key` itself, over an empty payload.
	pub endorsement: Endorsement,
}

/// The state of a group, as this member has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
	/// The epoch.
	pub epoch: u64,
	/// The epoch authenticator (RFC 9420 section 8.7): equal for two members exactly if their states are.
	pub authenticator: Vec<u8>,
	/// The identities of the members, in the order of their leaves.
	pub members: Vec<Vec<u8>>,
	/// In a group of people of the directory: the devices in it, in the order of their leaves. Empty in other groups.
	pub devices: Vec<MemberDevice>,
	/// A name for each leaf, the same for all members, in the order of their leaves.
	pub clients: Vec<Vec<u8>>,
	/// The one of this member's leaf; empty if it has none.
	pub me: Vec<u8>,
	/// What they agree on: name, administrators, rights.
	pub data: GroupData,
	/// Whether this member is still one of them.
	pub active: bool,
	/// The epoch's ordering key; `None` for a member that was removed.
	pub ordering_key: Option<OrderingKey>,
}

impl Engine {
	/// Makes a group with this member alone in it, as its administrator. [`GroupData::default`] has no name, and lets
	/// everyone do everything.
	///
	/// Commit the overlay before the group is submitted, and call [`Self::place_group`] when its entry 0 is final.
	///
	/// # Errors
	/// [`EngineError::GroupData`] if the data is out of bounds, or names other administrators: they are no members
	/// yet. Else [`EngineError::Store`] and [`EngineError::Library`] only.
	pub fn create_group(&self, overlay: &Overlay<'_>, data: &GroupData) -> Result<NewGroup, EngineError> {
		let step = overlay.nested();
		let mut data = data.clone();
		data.administrators.insert(self.identity.clone());
		roles::check_data(&data, |identity| identity == self.identity).map_err(EngineError::GroupData)?;
		let extensions = data.to_extensions().map_err(|error| EngineError::GroupData(error.into()))?;
		let id = self.random.random_array().map_err(EngineError::library("drawing a group id"))?;
		let group = GroupId(id);
		let join = join_config();
		let mls = MlsGroup::builder()
			.with_group_id(mls_id(&group))
			.ciphersuite(CIPHERSUITE)
			.lifetime(lifetime())
			.with_capabilities(capabilities())
			.with_group_context_extensions(extensions)
			.with_wire_format_policy(join.wire_format_policy())
			.use_ratchet_tree_extension(false)
			.max_past_epochs(MAX_PAST_EPOCHS)
			.sender_ratchet_configuration(*join.sender_ratchet_configuration())
			.padding_size(join.padding_size())
			.number_of_resumption_psks(0)
			.build(&self.provider(&step), &self.signer, self.credential())
			.map_err(EngineError::library("creating a group"))?;
		signer::Of::Group(&group).keep(&step, &self.seed)?;
		let parent = LogHead::empty(LogKind::Group, &self.genesis, &id).hash;
		let keys = EpochKeys::current(&mls, &self.crypto, &group, &parent)?;
		let next_key = keys.ordering_key;
		let endorsement = keys.endorse(&self.genesis, &group, &payload_hash(&[]), &next_key);
		step.commit()?;
		Ok(NewGroup { group, parent, next_key, endorsement })
	}

	/// Records that `entry` opened epoch 0 of a group made by [`Self::create_group`], and gives the epoch's keys.
	///
	/// # Errors
	/// [`EngineError::NoSuchGroup`]; [`EngineError::NotNext`] if the group is past epoch 0.
	pub fn place_group(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		entry: &EntryHash,
	) -> Result<EpochKeys, EngineError> {
		let mls = self.load(overlay, group)?;
		match mls.epoch().as_u64() {
			0 => {}
			current => return Err(EngineError::NotNext { staged: 0, current }),
		}
		let keys = EpochKeys::current(&mls, &self.crypto, group, entry)?;
		keys.record(overlay, group)?;
		Ok(keys)
	}

	/// The state of a group; `None` if the store has none.
	///
	/// # Errors
	/// [`EngineError::Store`] and [`EngineError::Library`] only.
	pub fn group(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Option<GroupView>, EngineError> {
		let loaded = match self.take_as_it_is(overlay, group) {
			Err(EngineError::NoSuchGroup(_)) => return Ok(None),
			loaded => loaded?,
		};
		let mls = &loaded.mls;
		let active = mls.is_active();
		let ordering_key = active.then(|| keys::ordering_key(mls, &self.crypto, group)).transpose()?;
		let data = data(mls)?;
		let people = data.authentication == AuthenticationService::Directory;
		let leaves = Leaves::of(mls.treesync());
		let library = EngineError::library("reading the members");
		let clients = leaves.iter().map(|leaf| leaf.client(people)).collect::<Result<_, _>>().map_err(library)?;
		let library = EngineError::library("reading the members");
		let bindings = leaves.iter().filter(|_| people).map(Leaf::binding).collect::<Result<Vec<_>, _>>();
		let me = leaves.at(mls.own_leaf_index()).filter(|_| active).map(|leaf| leaf.client(people));
		let view = GroupView {
			epoch: mls.epoch().as_u64(),
			authenticator: mls.epoch_authenticator().as_slice().to_vec(),
			members: identities(mls)?,
			devices: bindings.map_err(library)?.into_iter().map(MemberDevice::of).collect(),
			clients,
			me: me.transpose().map_err(EngineError::library("reading the members"))?.unwrap_or_default(),
			data,
			active,
			ordering_key,
		};
		loaded.give_back(overlay);
		Ok(Some(view))
	}

	/// The recorded keys of the current epoch and of past ones that are still kept, the oldest first.
	///
	/// # Errors
	/// [`EngineError::Store`] only.
	pub fn epoch_keys(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Vec<EpochKeys>, EngineError> {
		EpochKeys::all(overlay, group)
	}

	/// Deletes everything that the store has of a group: its MLS state and the keys of its epochs, damaged or not. Does
	/// nothing if there is nothing. A record that was moved or exchanged can stay: it opens for nobody.
	///
	/// # Errors
	/// [`EngineError::Store`] only.
	pub fn forget_group(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<(), EngineError> {
		let step = overlay.nested();
		step.delete_mls_group(&mls_id(group))?;
		EpochKeys::forget(&step, group)?;
		step.delete::<LastLeaf>(group.as_bytes())?;
		signer::Of::Group(group).forget(&step)?;
		Ok(step.commit()?)
	}

	/// Deletes what is needed to read messages and statements of epochs before `oldest`, before
	/// [`MAX_PAST_EPOCHS`] would do it. Those of the current epoch stay in any case.
	///
	/// # Errors
	/// [`EngineError`]; then `overlay` is as it was.
	pub fn forget_past_epochs(&self, overlay: &Overlay<'_>, group: &GroupId, oldest: u64) -> Result<(), EngineError> {
		let step = overlay.nested();
		let mut loaded = self.take(&step, group)?;
		let mls = &mut loaded.mls;
		let current = mls.epoch().as_u64();
		let oldest = oldest.min(current);
		EpochKeys::forget_before(&step, group, oldest)?;
		// Only a rule with a time in it keeps a number of epochs. There is no secret from before 1970, so that part of
		// it deletes nothing, whatever the local clock shows.
		let kept = usize::try_from(current.saturating_sub(oldest)).unwrap_or(usize::MAX);
		let rule = PastEpochDeletion::before_timestamp(UNIX_EPOCH).max_past_epochs(kept);
		step.past_epochs_stay();
		let deleted = mls.delete_past_epoch_secrets(&self.provider(&step), rule);
		if let Some(fault) = step.fault() {
			return Err(fault.into());
		}
		deleted.map_err(EngineError::library("deleting secrets of past epochs"))?;
		loaded.keep(&step);
		Ok(step.commit()?)
	}

	/// The OpenMLS group.
	pub(super) fn load(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<MlsGroup, EngineError> {
		MlsGroup::load(overlay, &mls_id(group))?.ok_or(EngineError::NoSuchGroup(*group))
	}

	/// The OpenMLS group, of which this member must still be one.
	pub(super) fn load_active(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<MlsGroup, EngineError> {
		let mls = self.load(overlay, group)?;
		if mls.is_active() {
			Ok(mls)
		} else {
			Err(EngineError::Removed(*group))
		}
	}

	/// The keys of the group's current epoch.
	pub(super) fn tip(&self, overlay: &Overlay<'_>, group: &GroupId, mls: &MlsGroup) -> Result<EpochKeys, EngineError> {
		EpochKeys::of_epoch(overlay, group, mls.epoch().as_u64())?.ok_or(EngineError::NotPlaced(*group))
	}
}

/// The MLS group id: the bytes of the log's.
pub(super) fn mls_id(group: &GroupId) -> MlsGroupId {
	MlsGroupId::from_slice(group.as_bytes())
}

/// The identities of a group's members, in the order of their leaves.
pub(super) fn identities(mls: &MlsGroup) -> Result<Vec<Vec<u8>>, EngineError> {
	let identity = |member: openmls::prelude::Member| policy::identity(&member.credential);
	mls.members().map(identity).collect::<Result<_, _>>().map_err(EngineError::library("reading the members"))
}

/// The data of a group that this member is in.
pub(super) fn data(mls: &MlsGroup) -> Result<GroupData, EngineError> {
	GroupData::of_extensions(mls.extensions()).map_err(EngineError::library("reading the group data"))
}
