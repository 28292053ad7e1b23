//! The rules for a commit that can be checked before it is applied: who made it, and what is in it.

use super::{
	check_key_package, named,
	roles::{self, Deed},
	PolicyError,
};
use crate::mls::{
	classify::Stop,
	group_data::{AuthenticationService, GroupData},
	leaves::{Leaf, Leaves},
	people::Binding,
};
use openmls::prelude::{AddProposal, LeafNodeIndex, Proposal, ProposalOrRefType, RemoveProposal, Sender, StagedCommit};
use std::collections::BTreeSet;

/// Checks a staged commit. Gives the leaves of those who answer for what it does, apart from those who only remove themselves.
///
/// `data` and `before` are those before the commit, `bundled` is how many proposals the bundle carries beside the
/// commit. `is_revoked` says of a leaf whether its device was revoked.
pub(in crate::mls) fn check_commit<'a>(
	data: &GroupData,
	before: &Leaves<'a>,
	committer: LeafNodeIndex,
	bundled: usize,
	staged: &StagedCommit,
	is_revoked: impl Fn(Binding<'_>) -> Result<bool, Stop>,
) -> Result<Vec<Leaf<'a>>, Stop> {
	let contents = Contents::of(staged)?;
	if contents.referenced != bundled {
		return Err(PolicyError::Unreferenced.into());
	}
	let (gone, deeds) = contents.into_deeds(before, data.authentication == AuthenticationService::Directory)?;
	let mut actors = Vec::new();
	for (actor, deed, removed) in &deeds {
		let actor = leaf(before, *actor)?;
		match (roles::check(data, &gone, actor.identity()?, deed), removed) {
			(Ok(()), _) => {}
			// The person's log has removed it; somebody has to do it here.
			(Err(_), Some(removed)) if matches!(deed, Deed::Remove { .. }) && is_revoked(removed.binding()?)? => {}
			(Err(error), _) => return Err(error.into()),
		}
		// A device that was revoked may say that it goes, and nothing of the person's others.
		if removed.is_none_or(|removed| removed.index != actor.index) {
			actors.push(actor);
		}
	}
	match staged.update_path_leaf_node() {
		// The path is the one place where a member's signature key may change: the old key signed the commit and the
		// new one its leaf, so both have agreed. The identity stays.
		Some(new) if new.credential() != leaf(before, committer)?.node.credential() => {
			Err(PolicyError::Impersonation.into())
		}
		_ => Ok(actors),
	}
}

/// What a commit does: the leaf of the member who answers for it, what it is, and the leaf that it removes.
type Deeds<'a> = Vec<(LeafNodeIndex, Deed, Option<Leaf<'a>>)>;

fn leaf<'a>(before: &Leaves<'a>, index: LeafNodeIndex) -> Result<Leaf<'a>, PolicyError> {
	before.at(index).ok_or(PolicyError::Outsider)
}

/// The proposals of a commit, with the leaves of those who answer for them.
struct Contents<'s> {
	adds: Vec<(LeafNodeIndex, &'s AddProposal)>,
	removes: Vec<(LeafNodeIndex, &'s RemoveProposal)>,
	changes: Vec<(LeafNodeIndex, GroupData)>,
	referenced: usize,
}

impl<'s> Contents<'s> {
	fn of(staged: &'s StagedCommit) -> Result<Self, PolicyError> {
		let mut contents = Self { adds: Vec::new(), removes: Vec::new(), changes: Vec::new(), referenced: 0 };
		for queued in staged.queued_proposals() {
			// of a proposal by value OpenMLS says that its sender is the committer
			let &Sender::Member(actor) = queued.sender() else {
				return Err(PolicyError::Outsider);
			};
			if queued.proposal_or_ref_type() == ProposalOrRefType::Reference {
				contents.referenced = contents.referenced.saturating_add(1);
			}
			match queued.proposal() {
				Proposal::Add(add) => {
					check_key_package(add.key_package())?;
					contents.adds.push((actor, add));
				}
				Proposal::Remove(remove) => contents.removes.push((actor, remove)),
				Proposal::GroupContextExtensions(change) => {
					contents.changes.push((actor, GroupData::of_extensions(change.extensions())?));
				}
				_ => return Err(PolicyError::ProposalType),
			}
		}
		Ok(contents)
	}

	/// The identities that are no member's after the commit, and what it does. In a group of `people` a person has several
	/// leaves, told apart by their keys.
	fn into_deeds<'a>(self, before: &Leaves<'a>, people: bool) -> Result<(BTreeSet<Vec<u8>>, Deeds<'a>), PolicyError> {
		let mut removed = Vec::new();
		for (actor, remove) in self.removes {
			removed.push((actor, leaf(before, remove.removed())?));
		}
		let mut added = Vec::new();
		for (actor, add) in &self.adds {
			let leaf = add.key_package().leaf_node();
			let binding = Binding { identity: named(leaf.credential())?, key: leaf.signature_key().as_slice() };
			added.push((*actor, binding));
		}
		let is_same =
			|one: Binding<'_>, other: Binding<'_>| one.identity == other.identity && (!people || one.key == other.key);
		let readmits = |identity: &[u8], new_key| Deed::Readmit { identity: identity.to_vec(), new_key };

		let mut deeds = Vec::new();
		for (actor, new) in &added {
			let mut replaced = None;
			for (_, old) in &removed {
				let old = old.binding()?;
				if is_same(old, *new) {
					replaced = Some(old);
				}
			}
			let deed = match replaced {
				Some(old) => readmits(new.identity, old.key != new.key),
				None if people && before.has(new.identity) => Deed::Device,
				None => Deed::Add,
			};
			deeds.push((*actor, deed, None));
		}
		let mut gone = BTreeSet::new();
		for (actor, old) in &removed {
			let binding = old.binding()?;
			let back = added.iter().find(|(_, new)| is_same(binding, *new));
			let deed = match back {
				_ if leaf(before, *actor)?.identity()? == binding.identity => Deed::Leave,
				Some((_, new)) => readmits(binding.identity, binding.key != new.key),
				None => Deed::Remove { identity: binding.identity.to_vec() },
			};
			deeds.push((*actor, deed, Some(*old)));
			let stays = |leaf: Leaf<'_>| {
				leaf.identity().is_ok_and(|identity| identity == binding.identity)
					&& removed.iter().all(|(_, gone)| gone.index != leaf.index)
			};
			let comes = added.iter().any(|(_, new)| new.identity == binding.identity);
			if !comes && !gone.contains(binding.identity) && !before.iter().any(stays) {
				gone.insert(binding.identity.to_vec());
			}
		}
		deeds.extend(
			self.changes.into_iter().map(|(actor, after)| (actor, Deed::Change { after: Box::new(after) }, None)),
		);
		Ok((gone, deeds))
	}
}
