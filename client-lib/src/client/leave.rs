//! Leaving: a member proposes its own removal, another one commits it (RFC 9420 section 12.1.3).

use super::{
	core::Core,
	group::{Group, LeaveProposal, Operation},
	LeaveError,
};
use crate::{
	delivery::envelope::Content,
	mls::{EngineError, GroupView, Intent, Mls, ProposalError},
};
use lockstep_primitives::{rpc::HexBytes, BlockNumber, GroupId};

/// Finalized blocks between the turns of two members to commit a proposal. The first in turn needs about two.
const TURN: BlockNumber = 4;
/// Proposals to leave kept in one epoch.
const MAX_PROPOSALS: usize = 256;

/// The proposals to leave that wait to be committed, unless this member leaves itself.
pub(super) fn proposals(group: &Group) -> Option<Intent> {
	if group.proposals.is_empty() || group.leaving {
		return None;
	}
	Some(Intent::Proposals(group.proposals.values().map(|proposal| HexBytes(proposal.bytes.clone())).collect()))
}

/// The place of a member's client in the order in which they commit, the same for all: by a hash over the epoch, so that it
/// is not always the same one's work. The one who leaves is not in it.
pub(super) fn turn_of(view: &GroupView, leaver: &[u8], group: &GroupId) -> usize {
	turn_among(&view.me, leaver, &view.clients, (group, view.epoch))
}

pub(super) fn turn_among(me: &[u8], leaver: &[u8], clients: &[Vec<u8>], (group, epoch): (&GroupId, u64)) -> usize {
	let rank = |client: &[u8]| -> [u8; 32] {
		let mut hasher = blake3::Hasher::new();
		hasher.update(group.as_bytes());
		hasher.update(&epoch.to_be_bytes());
		hasher.update(client);
		hasher.finalize().into()
	};
	let mine = rank(me);
	clients.iter().filter(|client| *client != leaver && *client != me).filter(|client| rank(client) < mine).count()
}

impl<M: Mls> Core<M> {
	/// Proposes to leave, in this epoch and, until it is out, in each that follows.
	pub fn leave(&mut self, id: &GroupId) -> Result<(), LeaveError> {
		self.usable(id)?;
		let view = self.engine.group(&self.store.overlay(), id).map_err(crate::mls::BuildError::from)?;
		if view.is_none_or(|view| view.clients.len() < 2) {
			return Err(LeaveError::LastMember);
		}
		let wanted = std::mem::replace(&mut self.usable(id)?.leaving, true);
		self.propose_leave(id).inspect_err(|_| {
			if let Some(group) = self.groups.get_mut(id) {
				group.leaving = wanted;
			}
		})
	}

	/// Proposes to leave in the group's current epoch. The proposal and the wish are stored in one write.
	pub fn propose_leave(&mut self, id: &GroupId) -> Result<(), LeaveError> {
		let proposal = self.engine.propose_leave(&self.store.overlay(), id)?;
		Ok(self.send_content(id, None, |_, _| Ok(Content::Proposal(proposal)))?)
	}

	/// Proposes to leave again in a new epoch, if that is wanted.
	pub fn leave_on(&mut self, id: &GroupId) {
		if self.groups.get(id).is_some_and(|group| group.leaving) {
			if let Err(error) = self.propose_leave(id) {
				tracing::warn!(group = %id, %error, "leaving could not be proposed again");
			}
		}
	}

	/// Proposes to leave again where that is wanted. A client that was killed between entering an epoch and proposing in
	/// it would wait for the next epoch, which may never come.
	pub fn propose_leaves_again(&mut self) {
		let leaving = |group: &Group| group.leaving && group.is_followed();
		let leaving: Vec<GroupId> = self.groups.iter().filter(|(_, group)| leaving(group)).map(|(id, _)| *id).collect();
		leaving.iter().for_each(|id| self.leave_on(id));
	}

	/// Another member's proposal, posted in the current epoch.
	pub fn on_proposal(&mut self, id: &GroupId, bytes: Vec<u8>) {
		match self.take_proposal(id, bytes) {
			Ok(()) => {}
			Err(ProposalError::Engine(error)) => self.halt(id, error),
			Err(error) => tracing::debug!(group = %id, %error, "a proposal is of no use"),
		}
		self.commit_due_proposals(id);
	}

	fn take_proposal(&mut self, id: &GroupId, bytes: Vec<u8>) -> Result<(), ProposalError> {
		let overlay = self.store.overlay();
		let proposal = self.engine.inspect_proposal(&overlay, id, &bytes)?;
		let view = self.engine.group(&overlay, id)?.ok_or(EngineError::NoSuchGroup(*id))?;
		let finalized = self.finalized;
		let Some(group) = self.groups.get_mut(id) else { return Ok(()) };
		if !proposal.leaves || proposal.client == view.me || group.proposals.len() >= MAX_PROPOSALS {
			return Ok(());
		}
		// A member has one proposal to leave in an epoch, however often it makes it: two removals of the same leaf
		// cannot be committed together.
		let turn = turn_of(&view, &proposal.client, id);
		let turn = BlockNumber::try_from(turn).unwrap_or(BlockNumber::MAX);
		let due = finalized.saturating_add(turn.saturating_mul(TURN));
		group.proposals.entry(proposal.client).or_insert(LeaveProposal { bytes, due });
		Ok(())
	}

	/// Commits proposals to leave when it is this member's turn.
	pub fn commit_due_proposals(&mut self, id: &GroupId) {
		let finalized = self.finalized;
		let Ok(group) = self.usable(id) else { return };
		let due = group.proposals.values().any(|proposal| proposal.due <= finalized);
		if due && group.caught_up && group.is_idle() && finalized >= group.renew_not_before {
			// The proposals go along.
			group.waiting.push_back(Operation::own(Intent::Update, true));
			self.start_waiting(id);
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn each_member_but_the_leaver_has_a_turn_of_its_own() {
		let members: Vec<Vec<u8>> = (0..6u8).map(|name| vec![name]).collect();
		for epoch in 0..5 {
			let mut turns: Vec<usize> = members[1..]
				.iter()
				.map(|me| turn_among(me, &members[0], &members, (&GroupId([1; 32]), epoch)))
				.collect();
			turns.sort_unstable();
			assert_eq!(turns, [0, 1, 2, 3, 4]);
		}
	}
}
