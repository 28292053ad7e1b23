//! Standalone proposals: how a member leaves, by proposing its own removal for another to commit.

use super::{
	bundle::parse,
	classify::{self, Stop},
	error::{BuildError, EngineError, ProposalError},
	group,
	group_data::AuthenticationService,
	leaves::Leaves,
	policy::{roles, PolicyError},
	provider::Provider,
	Engine,
};
use crate::store::Overlay;
use lockstep_primitives::GroupId;
use openmls::{
	group::QueuedProposal,
	prelude::{ContentType, MlsGroup, ProcessedMessageContent, Proposal, ProtocolMessage, Sender},
};
use std::collections::BTreeSet;

/// What a proposal asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalView {
	/// The identity of the member that made it.
	pub sender: Vec<u8>,
	/// The name of its leaf ([`GroupView::clients`](super::group::GroupView::clients)).
	pub client: Vec<u8>,
	/// The epoch that it is good for.
	pub epoch: u64,
	/// Whether it asks for its own sender's removal.
	pub leaves: bool,
	/// Its ProposalRef (RFC 9420 section 5.2): the same for every member.
	pub reference: Vec<u8>,
}

impl Engine {
	/// Proposes this member's own removal: an MLSMessage to send to the others, good for the current epoch. Writes
	/// nothing to `overlay`.
	///
	/// # Errors
	/// [`BuildError::Refused`] with [`PolicyError::NoAdministrator`] if nobody could commit it, because this member is
	/// the only administrator; [`BuildError::Engine`], [`BuildError::Mls`].
	pub fn propose_leave(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Vec<u8>, BuildError> {
		let scratch = overlay.nested();
		let mut mls = self.load_active(&scratch, group)?;
		let mut data = group::data(&mls)?;
		let members = group::identities(&mls)?;
		let alone = members.iter().filter(|identity| **identity == self.identity).count() < 2;
		let mut members: BTreeSet<Vec<u8>> = members.into_iter().collect();
		if alone {
			data.administrators.remove(&self.identity);
			members.remove(&self.identity);
		}
		roles::check_data(&data, |identity| members.contains(identity))
			.map_err(|error| BuildError::Refused(error.into()))?;
		let signer = self.signer_of(&scratch, group, &mls)?.pair();
		let message =
			mls.leave_group(&self.provider(&scratch), &signer).map_err(|error| BuildError::Mls(error.to_string()))?;
		Ok(message.to_bytes().map_err(EngineError::library("encoding a proposal"))?)
	}

	/// Looks at a proposal that arrived: verifies it in the group's current epoch. Writes nothing to `overlay`.
	///
	/// # Errors
	/// [`ProposalError`] if it is of no use in this epoch.
	pub fn inspect_proposal(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		bytes: &[u8],
	) -> Result<ProposalView, ProposalError> {
		let scratch = overlay.nested();
		let mut mls = self.load_active(&scratch, group)?;
		let queued = process(&self.provider(&scratch), &mut mls, bytes)?;
		let Sender::Member(sender) = *queued.sender() else {
			return Err(ProposalError::Invalid(PolicyError::Outsider.into()));
		};
		let people = group::data(&mls)?.authentication == AuthenticationService::Directory;
		let invalid = |error: PolicyError| ProposalError::Invalid(error.into());
		let leaf = Leaves::of(mls.treesync()).at(sender).ok_or_else(|| invalid(PolicyError::Outsider))?;
		let leaves = matches!(queued.proposal(), Proposal::Remove(remove) if remove.removed() == sender);
		Ok(ProposalView {
			sender: leaf.identity().map_err(invalid)?.to_vec(),
			client: leaf.client(people).map_err(invalid)?,
			epoch: mls.epoch().as_u64(),
			leaves,
			reference: queued.proposal_reference_ref().as_slice().to_vec(),
		})
	}
}

/// Verifies a proposal of a member, in the group's current epoch.
pub(super) fn process(
	provider: &Provider<'_, '_>,
	mls: &mut MlsGroup,
	bytes: &[u8],
) -> Result<QueuedProposal, ProposalError> {
	let message = ProtocolMessage::from(parse(bytes, ContentType::Proposal).ok_or(ProposalError::Malformed)?);
	let (proposal, current) = (message.epoch().as_u64(), mls.epoch().as_u64());
	if proposal != current {
		return Err(ProposalError::Epoch { proposal, current });
	}
	let processed = mls.process_message(provider, message).map_err(|error| match classify::proposal(error) {
		Stop::Invalid(reason) => ProposalError::Invalid(reason),
		Stop::Engine(error) => error.into(),
		Stop::Private(reason) => EngineError::library("reading a proposal")(reason).into(),
		Stop::Unknown(_) => EngineError::library("reading a proposal")("it brings no leaf in").into(),
	})?;
	match processed.into_content() {
		ProcessedMessageContent::ProposalMessage(queued) if matches!(queued.sender(), Sender::Member(_)) => Ok(*queued),
		_ => Err(ProposalError::Invalid(PolicyError::Outsider.into())),
	}
}
