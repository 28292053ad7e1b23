//! What an error of OpenMLS means for a verdict.
//!
//! An entry is judged in two phases. The public phase runs on a [`PublicGroup`](openmls::prelude::PublicGroup), which
//! has no secrets: what it refuses, every member refuses. The private phase runs on the member's own group, and only
//! on what the public phase accepted; so its errors are few, and each is sorted by what it depends on.
//!
//! | Error | Depends on | Meaning |
//! |---|---|---|
//! | any of the public phase, but the next two rows | bytes and public state | publicly invalid |
//! | `LibraryError`, wherever it hides | a defect, or this machine | this member stops |
//! | lifetime: `SystemTimeBeforeUnixEpoch` | the local clock | this member stops |
//! | membership tag missing or wrong (section 6.2) | the epoch's membership key, which all members have | publicly invalid |
//! | `UpdatePathError`, whatever is in it (section 7.6) | my path secret: it does not decrypt, has no usable length, or derives other public keys | privately failing |
//! | `OwnCommitMismatch` | my state: I made the commit and no longer have its secrets | privately failing |
//! | `ConfirmationTagMismatch` (section 8.1) | the new epoch's secrets. They are the same for all whose path decrypted, because the derived public keys matched | publicly invalid |
//! | `MissingDecryptionKey`, storage errors | my store | this member stops |
//! | any other error of the private phase | it did not occur in the public phase, so it is mine | this member stops |
//!
//! Sections are those of RFC 9420.

use super::{
	error::{EngineError, ProcessError},
	policy::PolicyError,
	verdict::{InvalidReason, PrivateReason},
};
use crate::store::StoreError;
use lockstep_primitives::IdentityId;
use openmls::{
	error::LibraryError,
	group::{
		ExternalCommitValidationError, GroupContextExtensionsProposalValidationError, ProcessMessageError,
		ProposalValidationError, StageCommitError, ValidationError,
	},
	prelude::{ApplyUpdatePathError, KeyPackageVerifyError, PublicProcessMessageError},
	schedule::errors::PskError,
	treesync::errors::{LeafNodeValidationError, LifetimeError},
};
use std::collections::BTreeSet;

/// Why judging an entry ended before it was found valid.
#[derive(Debug)]
pub(super) enum Stop {
	/// Every member refuses it.
	Invalid(InvalidReason),
	/// It fails for this member.
	Private(PrivateReason),
	/// This member cannot judge it before it knows the logs of these people.
	Unknown(BTreeSet<IdentityId>),
	/// This member cannot judge it.
	Engine(EngineError),
}

impl From<EngineError> for Stop {
	fn from(error: EngineError) -> Self {
		Self::Engine(error)
	}
}

impl From<StoreError> for Stop {
	fn from(error: StoreError) -> Self {
		Self::Engine(error.into())
	}
}

impl From<PolicyError> for Stop {
	fn from(error: PolicyError) -> Self {
		Self::Invalid(error.into())
	}
}

/// An error of the public phase.
pub(super) fn public(error: PublicProcessMessageError) -> Stop {
	match error {
		PublicProcessMessageError::LibraryError(error) => library(&error),
		PublicProcessMessageError::ValidationError(error) => validation(error),
		PublicProcessMessageError::InvalidCommit(error) => stage(error),
		other => invalid(&other),
	}
}

/// An error from processing a proposal that goes with a commit. It involves no secret but the membership key.
pub(super) fn proposal(error: ProcessError) -> Stop {
	match error {
		ProcessMessageError::LibraryError(error) => library(&error),
		ProcessMessageError::StorageError(error) => Stop::Engine(error.into()),
		ProcessMessageError::ValidationError(error) => validation(error),
		ProcessMessageError::InvalidCommit(error) => stage(error),
		ProcessMessageError::GroupStateError(error) => unexpected(&error),
		other => invalid(&other),
	}
}

/// An error of the private phase, from a commit that passed the public one.
pub(super) fn private(error: ProcessError) -> Stop {
	match error {
		ProcessMessageError::StorageError(error) => Stop::Engine(error.into()),
		ProcessMessageError::ValidationError(
			error @ (ValidationError::MissingMembershipTag | ValidationError::InvalidMembershipTag),
		) => invalid(&error),
		ProcessMessageError::InvalidCommit(StageCommitError::UpdatePathError(error)) => {
			Stop::Private(PrivateReason::Path(error.to_string()))
		}
		ProcessMessageError::InvalidCommit(StageCommitError::OwnCommitMismatch) => {
			Stop::Private(PrivateReason::OwnCommit)
		}
		ProcessMessageError::InvalidCommit(StageCommitError::ConfirmationTagMismatch) => {
			Stop::Invalid(InvalidReason::ConfirmationTag)
		}
		other => unexpected(&other),
	}
}

fn validation(error: ValidationError) -> Stop {
	match error {
		ValidationError::LibraryError(error)
		| ValidationError::KeyPackageVerifyError(KeyPackageVerifyError::LibraryError(error))
		| ValidationError::ExternalCommitValidation(ExternalCommitValidationError::LibraryError(error)) => library(&error),
		ValidationError::KeyPackageVerifyError(KeyPackageVerifyError::LifetimeError(error)) => lifetime(&error),
		other => invalid(&other),
	}
}

fn stage(error: StageCommitError) -> Stop {
	match error {
		StageCommitError::LibraryError(error)
		| StageCommitError::UpdatePathError(ApplyUpdatePathError::LibraryError(error))
		| StageCommitError::PskError(PskError::LibraryError(error))
		| StageCommitError::ProposalValidationError(
			ProposalValidationError::LibraryError(error) | ProposalValidationError::Psk(PskError::LibraryError(error)),
		)
		| StageCommitError::ExternalCommitValidation(ExternalCommitValidationError::LibraryError(error))
		| StageCommitError::GroupContextExtensionsProposalValidationError(
			GroupContextExtensionsProposalValidationError::LibraryError(error),
		) => library(&error),
		StageCommitError::LeafNodeValidation(LeafNodeValidationError::Lifetime(error))
		| StageCommitError::ProposalValidationError(ProposalValidationError::LeafNodeValidation(
			LeafNodeValidationError::Lifetime(error),
		)) => lifetime(&error),
		error @ (StageCommitError::MissingDecryptionKey | StageCommitError::OwnKeyNotFound) => unexpected(&error),
		other => invalid(&other),
	}
}

/// A KeyPackage that the local clock finds lapsed, or not yet good, has not the constant lifetime, so the policy
/// refuses it for everyone. Only a clock that shows no time at all says nothing about the KeyPackage.
fn lifetime(error: &LifetimeError) -> Stop {
	match error {
		LifetimeError::SystemTimeBeforeUnixEpoch => Stop::Engine(EngineError::Clock),
		LifetimeError::Expired { .. } | LifetimeError::NotValidYet { .. } => PolicyError::Lifetime.into(),
	}
}

fn invalid(error: &dyn std::fmt::Display) -> Stop {
	Stop::Invalid(InvalidReason::Mls(error.to_string()))
}

fn library(error: &LibraryError) -> Stop {
	unexpected(error)
}

fn unexpected(error: &dyn std::fmt::Display) -> Stop {
	Stop::Engine(EngineError::Library { during: "judging a commit", reason: error.to_string() })
}
