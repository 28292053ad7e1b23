//! The public phase of judging a commit: all that follows from its bytes and from state that every member has.
//!
//! It is carried out by OpenMLS's `PublicGroup`, which holds the ratchet tree and the group context and no secret at
//! all. That is what makes "publicly invalid" true by construction: there is nothing in it that could differ between
//! two members. The one thing that is not public, the membership key (RFC 9420 section 6.2), is shared by all members.

use super::{
	bundle::Messages,
	classify::{self, Stop},
	error::EngineError,
	policy,
	provider::Provider,
	verdict::InvalidReason,
};
use crate::store::Overlay;
use openmls::{
	prelude::{
		tls_codec::{self, Deserialize, VLBytes},
		LeafNodeIndex, Member, MlsGroup, ProcessedMessageContent, Proposal, ProtocolMessage, PublicGroup,
		PublicMessageIn, Sender, StagedCommit,
	},
	treesync::TreeSync,
};
use openmls_traits::OpenMlsProvider;
use std::collections::BTreeSet;

/// What the public phase finds out about a commit that it accepts.
#[derive(Debug)]
pub(super) struct Publicly {
	/// The leaf of the committer.
	pub(super) committer: LeafNodeIndex,
	/// Whether the commit has a path.
	pub(super) has_path: bool,
	/// The identities that it adds.
	pub(super) added: Vec<Vec<u8>>,
	/// The identities that it removes.
	pub(super) removed: Vec<Vec<u8>>,
}

/// Judges the messages of a bundle. Afterwards `mls` and `scratch`, which must be thrown away, hold exactly the
/// bundle's proposals as pending, as the private phase needs them.
pub(super) fn judge(
	provider: &Provider<'_, '_>,
	scratch: &Overlay<'_>,
	mls: &mut MlsGroup,
	messages: &Messages,
) -> Result<Publicly, Stop> {
	queue_proposals(provider, scratch, mls, &messages.proposals)?;
	let mut public = PublicGroup::load(scratch, mls.group_id())?
		.ok_or_else(|| EngineError::library("loading the public state")("it is missing"))?;
	let members: Vec<Member> = public.members().collect();
	let keys = encryption_keys(public.treesync())?;

	let (committer, staged) = stage(provider, &public, mls, &messages.commit)?;
	policy::check_commit(&members, committer, messages.proposals.len(), &staged)?;
	let publicly = describe(&members, committer, &staged)?;

	let after = scratch.nested();
	public.merge_commit(&after, staged).map_err(EngineError::library("applying a commit"))?;
	let members: Vec<Member> = public.members().collect();
	policy::check_members(&members)?;
	for key in encryption_keys(public.treesync())?.difference(&keys) {
		policy::check_key(provider.crypto(), key)?;
	}
	Ok(publicly)
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

fn describe(members: &[Member], committer: LeafNodeIndex, staged: &StagedCommit) -> Result<Publicly, Stop> {
	let identity_at = |index: LeafNodeIndex| {
		let member = members.iter().find(|member| member.index == index);
		policy::identity(&member.ok_or(policy::PolicyError::Outsider)?.credential)
	};
	let (mut added, mut removed) = (Vec::new(), Vec::new());
	for queued in staged.queued_proposals() {
		match queued.proposal() {
			Proposal::Add(add) => added.push(policy::identity(add.key_package().leaf_node().credential())?),
			Proposal::Remove(remove) => removed.push(identity_at(remove.removed())?),
			_ => {}
		}
	}
	Ok(Publicly { committer, has_path: staged.update_path_leaf_node().is_some(), added, removed })
}

/// The HPKE public keys of all leaves and parent nodes.
pub(super) fn encryption_keys(tree: &TreeSync) -> Result<BTreeSet<Vec<u8>>, EngineError> {
	let mut keys = BTreeSet::new();
	for (_, leaf) in tree.full_leaves() {
		keys.insert(first_vector(leaf.encryption_key())?);
	}
	for (_, parent) in tree.full_parents() {
		// OpenMLS does not give out a parent's key, but it is the first field of the node (RFC 9420 section 7.1)
		keys.insert(first_vector(parent)?);
	}
	Ok(keys)
}

/// The first variable-length vector in the TLS encoding of a value.
pub(super) fn first_vector(value: &impl tls_codec::Serialize) -> Result<Vec<u8>, EngineError> {
	let bytes = value.tls_serialize_detached().map_err(EngineError::library("reading the tree"))?;
	let key = VLBytes::tls_deserialize(&mut &bytes[..]).map_err(EngineError::library("reading the tree"))?;
	Ok(key.as_slice().to_vec())
}
