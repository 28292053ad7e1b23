//! Roles: who may do what, by the group data of the epoch in which it is done.
//!
//! What a commit does is a list of [`Deed`]s, each with the member who is responsible for it: the committer for what
//! it commits by value, the proposer for what it commits by reference (RFC 9420 section 12.4). The list is made from
//! a commit by those who judge it and from a plan by the one who makes it; the rules are here, once.

use super::PolicyError;
use crate::mls::group_data::{GroupData, Who};
use std::collections::BTreeSet;

/// Something that not everybody may do in every group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Right {
	/// To add members.
	Add,
	/// To remove other members.
	Remove,
	/// To change the name and the application data.
	Data,
	/// To change administrators and rights.
	Roles,
}

impl std::fmt::Display for Right {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.write_str(match self {
			Self::Add => "add members",
			Self::Remove => "remove members",
			Self::Data => "change the group's data",
			Self::Roles => "change administrators and rights",
		})
	}
}

/// One thing that a commit does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mls) enum Deed {
	/// Adds a member.
	Add,
	/// Removes another member.
	Remove {
		/// Its identity.
		identity: Vec<u8>,
	},
	/// Removes a leaf of its own author, which everybody may.
	Leave,
	/// Removes or adds a leaf of a member that the same commit both removes and adds.
	Readmit {
		/// Its identity.
		identity: Vec<u8>,
		/// Whether the new leaf has another signature key.
		new_key: bool,
	},
	/// Adds a further device of a person who is a member. Which devices a person has, the person's log says.
	Device,
	/// Changes the group data.
	Change {
		/// The data after the commit.
		after: Box<GroupData>,
	},
}

/// Checks that `actor` may do a deed in a group with this data. `gone` are the identities that no member has any more
/// after the commit.
pub(in crate::mls) fn check(
	data: &GroupData,
	gone: &BTreeSet<Vec<u8>>,
	actor: &[u8],
	deed: &Deed,
) -> Result<(), PolicyError> {
	let needs = |right| need(data, actor, right);
	match deed {
		Deed::Leave | Deed::Device | Deed::Readmit { new_key: false, .. } => Ok(()),
		Deed::Add => needs(Right::Add),
		Deed::Remove { identity } => {
			needs(Right::Remove)?;
			if data.administrators.contains(identity) {
				needs(Right::Roles)?;
			}
			Ok(())
		}
		// The new key could be anyone's. Whoever puts it there could as well remove the member and add somebody, and
		// if the member is an administrator it makes the owner of the key one.
		Deed::Readmit { identity, new_key: true } => {
			needs(Right::Add)?;
			needs(Right::Remove)?;
			if data.administrators.contains(identity) {
				needs(Right::Roles)?;
			}
			Ok(())
		}
		Deed::Change { after } => {
			if (&after.name, &after.application) != (&data.name, &data.application) {
				needs(Right::Data)?;
			}
			// An administrator that goes must leave the list, so that takes no right.
			let stay = |data: &GroupData| data.administrators.difference(gone).cloned().collect::<BTreeSet<_>>();
			if after.rights != data.rights || stay(after) != stay(data) {
				needs(Right::Roles)?;
			}
			Ok(())
		}
	}
}

fn need(data: &GroupData, actor: &[u8], right: Right) -> Result<(), PolicyError> {
	let who = match right {
		Right::Add => data.rights.add,
		Right::Remove => data.rights.remove,
		Right::Data => data.rights.data,
		Right::Roles => data.rights.roles,
	};
	match who {
		Who::Everyone => Ok(()),
		Who::Administrators if data.administrators.contains(actor) => Ok(()),
		Who::Administrators => Err(PolicyError::NotAllowed { actor: actor.to_vec(), right }),
	}
}

/// The rules for group data and the members that it goes with, after a commit as well as for a joiner.
///
/// Every administrator is a member: an administrator that is removed leaves the list in the same commit, and nobody
/// who comes later under its name finds a right waiting. And someone must be able to do what not everyone may.
pub(in crate::mls) fn check_data(data: &GroupData, is_member: impl Fn(&[u8]) -> bool) -> Result<(), PolicyError> {
	if let Some(stranger) = data.administrators.iter().find(|identity| !is_member(identity)) {
		return Err(PolicyError::StrangeAdministrator { identity: stranger.clone() });
	}
	let rights = data.rights;
	let everyones = [rights.add, rights.remove, rights.data, rights.roles].iter().all(|who| *who == Who::Everyone);
	if data.administrators.is_empty() && !everyones {
		return Err(PolicyError::NoAdministrator);
	}
	Ok(())
}
