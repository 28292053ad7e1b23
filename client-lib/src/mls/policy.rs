//! The policy: which commits the members of a Lockstep group accept, beyond what MLS demands.
//!
//! Everything here is a function of what all members see: the commit, its proposals, and the public state of the
//! group before and after it. No clock, no configuration, no secret. Version 1 is the only policy; a group says in
//! its GroupContext which one it has ([`group_data`](super::group_data)), and who may do what ([`roles`]).

mod commit;
mod keys;
pub(super) mod roles;

pub(super) use commit::check_commit;
pub(super) use keys::check_key;
pub use roles::Right;

use super::{
	constants::{lifetime, CIPHERSUITE, MAX_IDENTITY},
	error::printable,
	group_data::{AuthenticationService, GroupData, GroupDataError},
	leaves::Leaves,
};
use openmls::{
	prelude::{Credential, CredentialType, KeyPackage, LeafNode},
	treesync::LeafNodeSource,
};
use std::collections::HashSet;

/// Which rule a commit, a KeyPackage or a group breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
	/// The commit or a proposal comes from outside the group.
	#[error("a commit or proposal comes from outside the group")]
	Outsider,
	/// A proposal is neither an Add, nor a Remove, nor a change of the group data.
	#[error("a proposal is neither an Add, nor a Remove, nor a change of the group data")]
	ProposalType,
	/// The bundle carries a proposal that the commit does not reference.
	#[error("the bundle carries a proposal that the commit does not reference")]
	Unreferenced,
	/// A KeyPackage has a lifetime other than the protocol's constant.
	#[error("a KeyPackage has a lifetime that can lapse")]
	Lifetime,
	/// A KeyPackage is of another ciphersuite.
	#[error("a KeyPackage is of another ciphersuite")]
	Ciphersuite,
	/// A credential is not a basic one.
	#[error("a credential is not a basic one")]
	Credential,
	/// An identity is empty or too long.
	#[error("an identity is empty or longer than {MAX_IDENTITY} bytes")]
	Identity,
	/// Two members would have the same identity, in a group whose members are no people of the directory.
	#[error("two members would have the same identity")]
	DuplicateIdentity,
	/// Two members would have the same signature key.
	#[error("two members would have the same signature key")]
	DuplicateKey,
	/// The committer's new leaf has another identity.
	#[error("the committer changes its identity")]
	Impersonation,
	/// Nothing can be encrypted to a key that the commit puts into the tree.
	#[error("nothing can be encrypted to a key that comes into the tree")]
	UselessKey,
	/// The group context has other extensions than the protocol's.
	#[error("the group context does not have exactly the extensions that the protocol fixes")]
	Extension,
	/// The group data is not good.
	#[error(transparent)]
	GroupData(#[from] GroupDataError),
	/// A member does what it has no right to.
	#[error("{} may not {right}; an administrator can", printable(actor))]
	NotAllowed {
		/// The identity of the member.
		actor: Vec<u8>,
		/// The right that it lacks.
		right: Right,
	},
	/// A signature key that comes in is no device of the person that it is to be of.
	#[error("the signature key of {} is no device of that identity in the block of the entry", printable(identity))]
	NotADevice {
		/// The identity.
		identity: Vec<u8>,
	},
	/// Who says which keys a member has is fixed when a group is created.
	#[error("who says which keys a member has is fixed when a group is created")]
	Authentication,
	/// An administrator would not be a member.
	#[error("{} would be administrator and not a member; dismiss it, or add it first", printable(identity))]
	StrangeAdministrator {
		/// Its identity.
		identity: Vec<u8>,
	},
	/// There would be no administrator, and things that only one may do.
	#[error("the group would have no administrator left, and rights that only one has; appoint another first")]
	NoAdministrator,
}

/// The rules for a KeyPackage, apart from its keys: see [`check_key`].
pub(super) fn check_key_package(key_package: &KeyPackage) -> Result<(), PolicyError> {
	if key_package.ciphersuite() != CIPHERSUITE {
		return Err(PolicyError::Ciphersuite);
	}
	check_leaf(key_package.leaf_node())
}

/// The rules for one leaf: a good identity, and no lifetime that can lapse.
pub(super) fn check_leaf(leaf: &LeafNode) -> Result<(), PolicyError> {
	identity(leaf.credential())?;
	match leaf.leaf_node_source() {
		LeafNodeSource::KeyPackage(found) if *found != lifetime() => Err(PolicyError::Lifetime),
		_ => Ok(()),
	}
}

/// The rules for the members and the group data that a commit, or a Welcome, results in.
pub(super) fn check_members(members: &Leaves<'_>, data: &GroupData) -> Result<(), PolicyError> {
	let (mut identities, mut keys) = (HashSet::new(), HashSet::new());
	for leaf in members.iter() {
		// A person has several devices; a name is one member's.
		if !identities.insert(leaf.identity()?) && data.authentication == AuthenticationService::Application {
			return Err(PolicyError::DuplicateIdentity);
		}
		// MLS asks for it (RFC 9420 section 7.3); OpenMLS does not check it of the leaf in a path
		if !keys.insert(leaf.key()) {
			return Err(PolicyError::DuplicateKey);
		}
	}
	roles::check_data(data, |identity| identities.contains(identity))
}

/// The identity in a credential.
pub(super) fn identity(credential: &Credential) -> Result<Vec<u8>, PolicyError> {
	named(credential).map(<[u8]>::to_vec)
}

/// The same, where it lies: all members are looked at for each commit.
pub(super) fn named(credential: &Credential) -> Result<&[u8], PolicyError> {
	if credential.credential_type() != CredentialType::Basic {
		return Err(PolicyError::Credential);
	}
	// What a basic credential holds is the identity (RFC 9420 section 5.3).
	match credential.serialized_content() {
		identity if identity.is_empty() || identity.len() > MAX_IDENTITY => Err(PolicyError::Identity),
		identity => Ok(identity),
	}
}
