//! The rules for a commit that can be checked before it is applied: who made it, and what is in it.

use super::{
	check_key_package, identity,
	roles::{self, Deed},
	PolicyError,
};
use crate::mls::{
	group_data::GroupData,
	leaves::{Leaf, Leaves},
};
use openmls::prelude::{AddProposal, LeafNodeIndex, Proposal, ProposalOrRefType, RemoveProposal, Sender, StagedCommit};
use std::collections::{BTreeMap, BTreeSet};

/// Checks a staged commit.
///
/// `data` and `before` are those before the commit, `bundled` is how many proposals the bundle carries beside the
/// commit.
pub(in crate::mls) fn check_commit(
	data: &GroupData,
	before: &Leaves<'_>,
	committer: LeafNodeIndex,
	bundled: usize,
	staged: &StagedCommit,
) -> Result<(), PolicyError> {
	let contents = Contents::of(staged)?;
	if contents.referenced != bundled {
		return Err(PolicyError::Unreferenced);
	}
	let (gone, deeds) = contents.into_deeds(before)?;
	for (actor, deed) in &deeds {
		roles::check(data, &gone, leaf(before, *actor)?.identity()?, deed)?;
	}
	match staged.update_path_leaf_node() {
		// The path is the one place where a member's signature key may change: the old key signed the commit and the
		// new one its leaf, so both have agreed. The identity stays.
		Some(new) if new.credential() != leaf(before, committer)?.node.credential() => Err(PolicyError::Impersonation),
		_ => Ok(()),
	}
}

/// What a commit does, each with the leaf of the member who answers for it.
type Deeds = Vec<(LeafNodeIndex, Deed)>;

fn leaf<'a>(before: &Leaves<'a>, index: LeafNodeIndex) -> Result<Leaf<'a>, PolicyError> {
	before.at(index).ok_or(PolicyError::Outsider)
}

/// The proposals of a commit, with the leaves of those who answer for them.
struct Contents<'a> {
	adds: Vec<(LeafNodeIndex, &'a AddProposal)>,
	removes: Vec<(LeafNodeIndex, &'a RemoveProposal)>,
	changes: Vec<(LeafNodeIndex, GroupData)>,
	referenced: usize,
}

impl<'a> Contents<'a> {
	fn of(staged: &'a StagedCommit) -> Result<Self, PolicyError> {
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

	/// The identities that are no member's after the commit, and what it does.
	fn into_deeds(self, before: &Leaves<'_>) -> Result<(BTreeSet<Vec<u8>>, Deeds), PolicyError> {
		let mut removed = BTreeMap::new();
		for (_, remove) in &self.removes {
			let removed_leaf = leaf(before, remove.removed())?;
			removed.insert(removed_leaf.identity()?.to_vec(), removed_leaf.key());
		}
		let mut deeds = Vec::new();
		let mut readmitted = BTreeMap::new();
		for (actor, add) in self.adds {
			let leaf = add.key_package().leaf_node();
			let identity = identity(leaf.credential())?;
			deeds.push((
				actor,
				match removed.get(&identity) {
					None => Deed::Add,
					Some(old) => {
						let new_key = *old != leaf.signature_key().as_slice();
						readmitted.insert(identity.clone(), new_key);
						Deed::Readmit { identity, new_key }
					}
				},
			));
		}
		for (actor, remove) in self.removes {
			let identity = leaf(before, remove.removed())?.identity()?.to_vec();
			deeds.push((
				actor,
				match readmitted.get(&identity) {
					_ if remove.removed() == actor => Deed::Leave,
					Some(&new_key) => Deed::Readmit { identity, new_key },
					None => Deed::Remove { identity },
				},
			));
		}
		deeds.extend(self.changes.into_iter().map(|(actor, after)| (actor, Deed::Change { after: Box::new(after) })));
		let gone = removed.into_keys().filter(|identity| !readmitted.contains_key(identity)).collect();
		Ok((gone, deeds))
	}
}
