//! Judging entries, in two phases (section 6): what all members see is judged by an observer without secrets, mls-rs's own
//! `ExternalGroup`, and only what it accepts by the member itself. So that a commit which fails for this member alone is told from
//! one that fails for all.

use super::{
	bytes::unbundle,
	crypto::open,
	group::{check_members, group_data, is_of_people, leaves, Leaf, GROUP_DATA},
	member::{payload_context, Keys, Member},
	rules::Rules,
};
use crate::person::broken;
use lockstep_client::GroupData;
use lockstep_primitives::{EntryHash, OrderingKey};
use lockstep_tests::Result;
use mls_rs::{
	client_builder::MlsConfig,
	error::MlsError,
	external_client::{ExternalClient, ExternalReceivedMessage},
	group::{proposal::Proposal, CommitEffect, CommitMessageDescription, ReceivedMessage},
	identity::basic::BasicIdentityProvider,
	Group, MlsMessage,
};

/// What of an entry is judged.
#[derive(Clone, Copy)]
pub struct Candidate<'a> {
	pub hash: EntryHash,
	pub parent: EntryHash,
	pub next_key: OrderingKey,
	pub payload: &'a [u8],
}

/// What an entry is.
pub enum Judged<C: MlsConfig> {
	/// It is of another parent than the tip.
	Elsewhere,
	/// Invalid for all members alike.
	Invalid(String),
	/// It opens the next epoch, if these leaves are devices of these people in its block (section 6.3).
	Valid(Box<Next<C>>),
}

/// The state that a valid entry leads to.
pub struct Next<C: MlsConfig> {
	mls: Group<C>,
	data: GroupData,
	entry: EntryHash,
	/// Identities and signature keys that have to be people and their devices.
	pub brought_in: Vec<(Vec<u8>, Vec<u8>)>,
	/// It is this member's own commit.
	pub own: bool,
}

impl<C: MlsConfig> Member<C> {
	/// Judges an entry; an error is for what this member alone fails at, and it must go no further then.
	pub fn judge(&self, entry: Candidate<'_>) -> Result<Judged<C>> {
		let invalid = |reason: &dyn std::fmt::Display| Ok(Judged::Invalid(reason.to_string()));
		let seat = self.seat()?;
		let tip = seat.tip();
		if entry.parent != tip.entry {
			return Ok(Judged::Elsewhere);
		}
		let context = payload_context(&seat.group, &tip.entry);
		let Some(opened) = open(&tip.payload, &context, entry.payload) else {
			return invalid(&"it does not open");
		};
		let Some((proposals, commit)) = unbundle(&opened) else { return invalid(&"it holds no bundle") };
		let bytes = commit.to_bytes().map_err(broken)?;
		let own = seat.pending.as_ref().is_some_and(|own| own.commit == bytes);
		if let Err(error) = self.seen_by_all(&seat.mls, proposals.clone(), commit.clone()) {
			return invalid(&error);
		}
		let mut mls = seat.mls.clone();
		let description = if own {
			mls.apply_pending_commit().map_err(broken)?
		} else {
			mls.clear_pending_commit();
			mls.clear_proposal_cache();
			for proposal in proposals {
				mls.process_incoming_message(proposal).map_err(broken)?;
			}
			match mls.process_incoming_message(commit) {
				Ok(ReceivedMessage::Commit(description)) => description,
				Ok(_) => return invalid(&"it is no commit"),
				// By keys that all have who could follow the path.
				Err(error @ (MlsError::InvalidMembershipTag | MlsError::InvalidConfirmationTag)) => {
					return invalid(&error)
				}
				Err(error) => return Err(broken(error)),
			}
		};
		let CommitEffect::NewEpoch(changed) = &description.effect else {
			return Err(broken("it is removed"));
		};
		if changed.applied_proposals().iter().any(|one| matches!(one.proposal, Proposal::GroupContextExtensions(_))) {
			return Err(broken("the group data changes: this member does not judge that"));
		}
		let data = match check_members(&mls).and_then(|()| group_data(&mls)) {
			Ok(data) => data,
			Err(error) => return invalid(&error),
		};
		if Keys::of(&mls, entry.hash)?.public() != entry.next_key {
			return invalid(&"its next_key is not the ordering key of the epoch that it opens");
		}
		let brought_in = if is_of_people(&data) { brought_in(&seat.mls, &mls, &description) } else { Vec::new() };
		Ok(Judged::Valid(Box::new(Next { mls, data, entry: entry.hash, brought_in, own })))
	}

	/// The public phase: RFC 9420 and the [`Rules`], by the bytes of the bundle and what all members have. (Membership tags an observer
	/// cannot check. The key of those is shared by all members, too.)
	fn seen_by_all(&self, mls: &Group<C>, proposals: Vec<MlsMessage>, commit: MlsMessage) -> Result<()> {
		let group_info = mls.group_info_message(true).map_err(broken)?;
		let observer = ExternalClient::builder()
			.crypto_provider(self.provider.clone())
			.identity_provider(BasicIdentityProvider::new())
			.extension_type(GROUP_DATA.into())
			.mls_rules(Rules)
			.build();
		let mut group = observer.observe_group(group_info, None, None).map_err(broken)?;
		let mut listed = Vec::new();
		for proposal in proposals {
			match group.process_incoming_message(proposal).map_err(broken)? {
				ExternalReceivedMessage::Proposal(proposal) => listed.push(proposal.proposal_ref()),
				_ => return Err(broken("what is listed as a proposal is none")),
			}
		}
		let named: Vec<Vec<u8>> = commit.proposals_by_reference().into_iter().map(|one| one.to_vec()).collect();
		let all_named = listed.iter().all(|one| named.contains(one));
		match group.process_incoming_message(commit).map_err(broken)? {
			ExternalReceivedMessage::Commit(_) if all_named => Ok(()),
			_ => Err(broken("it is no commit, or leaves a listed proposal out")),
		}
	}

	/// Goes on to the epoch that an entry opens. For its own commit, gives who is to be invited, by a Welcome.
	pub fn advance(&mut self, next: Next<C>) -> Result<Option<super::member::Pending>> {
		let seat = self.seat_mut()?;
		let own = seat.pending.take().filter(|_| next.own);
		seat.advance(next.mls, next.entry, next.data)?;
		Ok(own)
	}
}

/// The leaves that a commit brings in, by an Add or by the path, and its maker's.
fn brought_in<C: MlsConfig>(
	before: &Group<C>,
	after: &Group<C>,
	commit: &CommitMessageDescription,
) -> Vec<(Vec<u8>, Vec<u8>)> {
	let before = leaves(before);
	let added = match &commit.effect {
		CommitEffect::NewEpoch(changed) => changed.applied_proposals(),
		_ => &[],
	};
	let added = added.iter().filter_map(|one| match &one.proposal {
		Proposal::Add(add) => add.signing_identity().credential.as_basic().map(|basic| basic.identifier().to_vec()),
		_ => None,
	});
	let added: Vec<Vec<u8>> = added.collect();
	let counts =
		|leaf: &Leaf| leaf.index == commit.committer || added.contains(&leaf.identity) || !before.contains(leaf);
	leaves(after).into_iter().filter(counts).map(|leaf| (leaf.identity, leaf.key)).collect()
}
