//! The policy: which commits the members of a Lockstep group accept, beyond what MLS demands.
//!
//! Everything here is a function of what all members see: the commit, its proposals, and the public state of the
//! group before and after it. No clock, no configuration, no secret. Version 1 is the only policy; when there is
//! another, a group says in its GroupContext which one it has.

use super::constants::{lifetime, CIPHERSUITE, MAX_IDENTITY};
use openmls::{
	prelude::{
		BasicCredential, Credential, CredentialType, KeyPackage, LeafNode, LeafNodeIndex, Member, Proposal,
		ProposalOrRefType, Sender, StagedCommit,
	},
	treesync::LeafNodeSource,
};
use openmls_rust_crypto::RustCrypto;
use openmls_traits::crypto::OpenMlsCrypto;
use std::collections::BTreeSet;

/// Which rule a commit, a KeyPackage or a group breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
	/// The commit or a proposal comes from outside the group.
	#[error("a commit or proposal comes from outside the group")]
	Outsider,
	/// A proposal is neither an Add nor a Remove.
	#[error("a proposal is neither an Add nor a Remove")]
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
	/// Two members would have the same identity.
	#[error("two members would have the same identity")]
	DuplicateIdentity,
	/// The committer's new leaf has another identity or signature key.
	#[error("the committer changes its identity or its signature key")]
	Impersonation,
	/// Nothing can be encrypted to a key that the commit puts into the tree.
	#[error("nothing can be encrypted to a key that comes into the tree")]
	UselessKey,
	/// The group context has an extension, and this version knows none.
	#[error("the group context has an extension that this version does not know")]
	Extension,
}

/// The rules for a commit that can be checked before it is applied: who made it, and what is in it.
///
/// `members` are those before the commit, `bundled` is how many proposals the bundle carries beside the commit.
pub(super) fn check_commit(
	members: &[Member],
	committer: LeafNodeIndex,
	bundled: usize,
	staged: &StagedCommit,
) -> Result<(), PolicyError> {
	let mut referenced = 0usize;
	for queued in staged.queued_proposals() {
		if !matches!(queued.sender(), Sender::Member(_)) {
			return Err(PolicyError::Outsider);
		}
		if queued.proposal_or_ref_type() == ProposalOrRefType::Reference {
			referenced = referenced.saturating_add(1);
		}
		match queued.proposal() {
			Proposal::Add(add) => check_key_package(add.key_package())?,
			Proposal::Remove(_) => {}
			_ => return Err(PolicyError::ProposalType),
		}
	}
	if referenced != bundled {
		return Err(PolicyError::Unreferenced);
	}
	let before = members.iter().find(|member| member.index == committer).ok_or(PolicyError::Outsider)?;
	match staged.update_path_leaf_node() {
		// Until a directory vouches for keys, a leaf that changes its key under the same identity could be anyone's.
		Some(leaf) if !same_member(before, leaf) => Err(PolicyError::Impersonation),
		_ => Ok(()),
	}
}

fn same_member(before: &Member, leaf: &LeafNode) -> bool {
	leaf.credential() == &before.credential && leaf.signature_key().as_slice() == before.signature_key
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

/// The rules for the members that a commit, or a Welcome, results in.
pub(super) fn check_members(members: &[Member]) -> Result<(), PolicyError> {
	let mut seen = BTreeSet::new();
	for member in members {
		if !seen.insert(identity(&member.credential)?) {
			return Err(PolicyError::DuplicateIdentity);
		}
	}
	Ok(())
}

/// Checks that something can be encrypted to an HPKE key, by doing it.
///
/// MLS does not: a leaf or path with a key of the wrong length, or of low order, is accepted, and from then on every
/// member fails to make a commit, because its path has to be encrypted to that key. One member could so stop a group.
pub(super) fn check_key(crypto: &RustCrypto, key: &[u8]) -> Result<(), PolicyError> {
	match crypto.hpke_seal(CIPHERSUITE.hpke_config(), key, &[], &[], &[]) {
		Ok(_) => Ok(()),
		Err(_) => Err(PolicyError::UselessKey),
	}
}

/// The identity in a credential.
pub(super) fn identity(credential: &Credential) -> Result<Vec<u8>, PolicyError> {
	if credential.credential_type() != CredentialType::Basic {
		return Err(PolicyError::Credential);
	}
	let basic = BasicCredential::try_from(credential.clone()).map_err(|_| PolicyError::Credential)?;
	match basic.identity() {
		identity if identity.is_empty() || identity.len() > MAX_IDENTITY => Err(PolicyError::Identity),
		identity => Ok(identity.to_vec()),
	}
}
