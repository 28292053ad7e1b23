//! The public phase of judging a commit: all that follows from its bytes and from state that every member has.
//!
//! It is carried out by OpenMLS's `PublicGroup`, which holds the ratchet tree and the group context and no secret at
//! all. That is what makes "publicly invalid" true by construction: there is nothing in it that could differ between
//! two members. The one thing that is not public, the membership key (RFC 9420 section 6.2), is shared by all members.

use super::{
	bundle::Messages,
	classify::{self, Stop},
	error::EngineError,
	group_data::{AuthenticationService, GroupData},
	leaves::{Leaf, Leaves},
	nowhere::Nowhere,
	people::{self, Binding, MemberDevice, When},
	policy,
	provider::Provider,
	verdict::InvalidReason,
};
use crate::store::Overlay;
use openmls::{
	prelude::{
		tls_codec::{self, Deserialize, VLBytes},
		LeafNode, LeafNodeIndex, MlsGroup, ProcessedMessageContent, Proposal, ProtocolMessage, PublicGroup,
		PublicMessageIn, Sender, StagedCommit,
	},
	treesync::TreeSync,
};
use openmls_traits::OpenMlsProvider;
use std::collections::{BTreeMap, BTreeSet};

/// What the public phase finds out about a commit that it accepts.
#[derive(Debug)]
pub(super) struct Publicly {
	/// The leaf of the committer.
	pub(super) committer: LeafNodeIndex,
	/// Whether the commit has a path.
	pub(super) has_path: bool,
	/// What it changes.
	pub(super) changes: Changes,
}

/// What a commit changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
	/// The identities that come in.
	pub(super) added: Vec<Vec<u8>>,
	/// The identities that go.
	pub(super) removed: Vec<Vec<u8>>,
	/// The identities whose leaf it removes and adds anew.
	pub(super) readmitted: Vec<Vec<u8>>,
	/// The identities of members before and after whose signature key is another.
	pub(super) rotated: Vec<Vec<u8>>,
	/// Further devices of people who are members.
	pub(super) devices_added: Vec<MemberDevice>,
	/// Devices that go, of people who stay.
	pub(super) devices_removed: Vec<MemberDevice>,
	/// The group data, if it is other than before.
	pub(super) data: Option<GroupData>,
}

/// Judges the messages of a bundle. Afterwards `mls`, and `scratch`, which must be thrown away, hold exactly the
/// bundle's proposals as pending, as the private phase needs them.
///
/// `when` is the block in which the leaves that it brings in have to be devices, in a group of people; that of the committer, too,
/// if it is as before.
///
/// `public` is the public state of the epoch, if it is at hand; what is given back is that of the next one, if the commit
/// wins.
pub(super) fn judge(
	provider: &Provider<'_, '_>,
	scratch: &Overlay<'_>,
	mls: &mut MlsGroup,
	public: Option<PublicGroup>,
	messages: &Messages,
	when: When,
) -> Result<(Publicly, PublicGroup), Stop> {
	queue_proposals(provider, scratch, mls, &messages.proposals)?;
	judge_queued(provider, scratch, mls, public, messages, when)
}

/// The same, of a group that has the bundle's proposals as pending, and no others. What else is pending in it does not matter.
pub(super) fn judge_queued(
	provider: &Provider<'_, '_>,
	scratch: &Overlay<'_>,
	mls: &MlsGroup,
	public: Option<PublicGroup>,
	messages: &Messages,
	when: When,
) -> Result<(Publicly, PublicGroup), Stop> {
	// The proposals come with the state that is loaded.
	let mut public = match public.filter(|_| messages.proposals.is_empty()) {
		Some(public) => public,
		None => PublicGroup::load(scratch, mls.group_id())?
			.ok_or_else(|| EngineError::library("loading the public state")("it is missing"))?,
	};
	// The tree of this member's own state is that of the public one: both are of this epoch.
	let before = Leaves::of(mls.treesync());
	let data = data_of(&public).map_err(EngineError::library("reading the group data"))?;

	let (committer, staged) = stage(provider, &public, mls, &messages.commit)?;
	let people = data.authentication == AuthenticationService::Directory;
	let is_revoked = |leaf: Binding<'_>| if people { people::is_revoked(scratch, leaf, when) } else { Ok(false) };
	let actors = policy::check_commit(&data, &before, committer, messages.proposals.len(), &staged, is_revoked)?;
	let has_path = staged.update_path_leaf_node().is_some();
	let added = added(&staged)?;

	public.merge_commit(&Nowhere, staged).map_err(EngineError::library("applying a commit"))?;
	let after = Leaves::of(public.treesync());
	let data_after = data_of(&public)?;
	policy::check_members(&after, &data_after)?;
	for key in encryption_keys(public.treesync()) {
		policy::check_key(&key?)?;
	}
	if data_after.authentication != data.authentication {
		return Err(policy::PolicyError::Authentication.into());
	}
	let (gone, come) = (before.not_in(&after), after.not_in(&before));
	if people {
		let mut bindings = brought_in(&after, &come, &added, committer)?;
		for actor in actors.into_iter().filter(|actor| actor.index != committer) {
			bindings.insert(actor.binding()?);
		}
		people::check(scratch, bindings.into_iter(), when)?;
	}
	let mut changes = if people {
		describe_devices(&before, &after, &gone, &come, &added, committer)?
	} else {
		describe(&before, &gone, &come, added.into_iter().map(|added| added.identity.0).collect())?
	};
	changes.data = (data_after != data).then_some(data_after);
	Ok((Publicly { committer, has_path, changes }, public))
}

/// Puts away whatever was pending in this member's state, and queues the bundle's proposals instead: a commit may
/// reference these and no others.
fn queue_proposals(
	provider: &Provider<'_, '_>,
	scratch: &Overlay<'_>,
	mls: &mut MlsGroup,
	proposals: &[PublicMessageIn],
) -> Result<(), Stop> {
	mls.clear_pending_proposals(scratch)?;
	mls.clear_pending_commit(scratch)?;
	for message in proposals {
		let message = in_epoch(mls, message)?;
		let processed = mls.process_message(provider, message).map_err(classify::proposal)?;
		if !matches!(processed.sender(), Sender::Member(_)) {
			return Err(policy::PolicyError::Outsider.into());
		}
		match processed.into_content() {
			ProcessedMessageContent::ProposalMessage(proposal) => mls.store_pending_proposal(scratch, *proposal)?,
			_ => return Err(policy::PolicyError::ProposalType.into()),
		}
	}
	Ok(())
}

/// Lets the public group stage the commit; gives the committer, who must be a member.
fn stage(
	provider: &Provider<'_, '_>,
	public: &PublicGroup,
	mls: &MlsGroup,
	commit: &PublicMessageIn,
) -> Result<(LeafNodeIndex, StagedCommit), Stop> {
	let message = in_epoch(mls, commit)?;
	let processed = public.process_message(provider.crypto(), message).map_err(classify::public)?;
	let &Sender::Member(committer) = processed.sender() else {
		return Err(policy::PolicyError::Outsider.into());
	};
	match processed.into_content() {
		ProcessedMessageContent::StagedCommitMessage(staged) => Ok((committer, *staged)),
		_ => Err(policy::PolicyError::ProposalType.into()),
	}
}

/// A message of the group's current epoch. Other epochs are refused here, before OpenMLS could look into its past
/// epochs, of which a member that joined late has fewer.
fn in_epoch(mls: &MlsGroup, message: &PublicMessageIn) -> Result<ProtocolMessage, Stop> {
	let message = ProtocolMessage::from(message.clone());
	if message.epoch() == mls.epoch() {
		Ok(message)
	} else {
		let (found, expected) = (message.epoch().as_u64(), mls.epoch().as_u64());
		Err(Stop::Invalid(InvalidReason::Epoch { found, expected }))
	}
}

/// The leaves that a commit with these Adds brings in, or that its maker has: all that are not as they were at their place, and
/// those that were added. A key that was in the tree before is no sign that a leaf was.
fn brought_in<'a>(
	after: &Leaves<'a>,
	come: &[Leaf<'a>],
	added: &'a [MemberDevice],
	committer: LeafNodeIndex,
) -> Result<BTreeSet<Binding<'a>>, policy::PolicyError> {
	let new = come.iter().copied().chain(after.at(committer)).map(Leaf::binding);
	new.chain(added.iter().map(|added| Ok(added.binding()))).collect()
}

fn data_of(public: &PublicGroup) -> Result<GroupData, policy::PolicyError> {
	GroupData::of_extensions(public.group_context().extensions())
}

/// What the leaves in the Add proposals say, in their order.
fn added(staged: &StagedCommit) -> Result<Vec<MemberDevice>, policy::PolicyError> {
	let leaves = staged.queued_proposals().filter_map(|queued| match queued.proposal() {
		Proposal::Add(add) => Some(add.key_package().leaf_node()),
		_ => None,
	});
	let binding = |leaf: &LeafNode| {
		let (identity, key) = (policy::named(leaf.credential())?, leaf.signature_key().as_slice());
		Ok(MemberDevice::of(Binding { identity, key }))
	};
	leaves.map(binding).collect()
}

/// What has become of the members, by the leaves that have gone and come in a commit with these Adds.
fn describe(
	before: &Leaves<'_>,
	gone: &[Leaf<'_>],
	come: &[Leaf<'_>],
	added: Vec<Vec<u8>>,
) -> Result<Changes, policy::PolicyError> {
	fn by_identity<'a>(leaves: &[Leaf<'a>]) -> Result<BTreeMap<&'a [u8], &'a [u8]>, policy::PolicyError> {
		leaves.iter().map(|leaf| Ok((leaf.identity()?, leaf.key()))).collect()
	}
	let (old, new) = (by_identity(gone)?, by_identity(come)?);
	// A leaf that is taken out and put in again as it was is in neither.
	let was_member = |identity: &Vec<u8>| before.iter().any(|leaf| leaf.identity().is_ok_and(|old| old == identity));
	let (readmitted, added) = added.into_iter().partition(was_member);
	let removed =
		old.keys().filter(|identity| !new.contains_key(*identity)).map(|identity| identity.to_vec()).collect();
	let rotated = new.iter().filter(|(identity, key)| old.get(*identity).is_some_and(|before| before != *key));
	let rotated = rotated.map(|(identity, _)| identity.to_vec()).collect();
	Ok(Changes { added, removed, readmitted, rotated, ..Changes::default() })
}

/// The same in a group of people, each of whom may have several leaves.
fn describe_devices(
	before: &Leaves<'_>,
	after: &Leaves<'_>,
	gone: &[Leaf<'_>],
	come: &[Leaf<'_>],
	added: &[MemberDevice],
	committer: LeafNodeIndex,
) -> Result<Changes, policy::PolicyError> {
	let mut changes = Changes::default();
	let push = |list: &mut Vec<Vec<u8>>, identity: &[u8]| {
		if !list.iter().any(|listed| listed == identity) {
			list.push(identity.to_vec());
		}
	};
	for device in added {
		let new = device.binding();
		if !before.has(new.identity) {
			push(&mut changes.added, new.identity);
		} else if before.iter().any(|leaf| leaf.binding() == Ok(new)) {
			push(&mut changes.readmitted, new.identity);
		} else {
			changes.devices_added.push(device.clone());
		}
	}
	for leaf in gone {
		let old = leaf.binding()?;
		let renewed = come.iter().find(|new| leaf.index == committer && new.index == committer);
		if let Some(new) = renewed {
			if new.key() != old.key {
				push(&mut changes.rotated, old.identity);
			}
		} else if !after.has(old.identity) {
			push(&mut changes.removed, old.identity);
		} else if !added.iter().any(|device| device.binding() == old) {
			changes.devices_removed.push(MemberDevice::of(old));
		}
	}
	Ok(changes)
}

/// The HPKE public keys of all leaves and parent nodes.
pub(super) fn encryption_keys(tree: &TreeSync) -> impl Iterator<Item = Result<Vec<u8>, EngineError>> + '_ {
	let leaves = tree.full_leaves().map(|(_, leaf)| first_vector(leaf.encryption_key()));
	// OpenMLS does not give out a parent's key, but it is the first field of the node (RFC 9420 section 7.1)
	leaves.chain(tree.full_parents().map(|(_, parent)| first_vector(parent)))
}

/// The first variable-length vector in the TLS encoding of a value.
pub(super) fn first_vector(value: &impl tls_codec::Serialize) -> Result<Vec<u8>, EngineError> {
	let bytes = value.tls_serialize_detached().map_err(EngineError::library("reading the tree"))?;
	let key = VLBytes::tls_deserialize(&mut &bytes[..]).map_err(EngineError::library("reading the tree"))?;
	Ok(key.as_slice().to_vec())
}
