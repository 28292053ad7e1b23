//! Claiming KeyPackages of one's own person, beside the core.

use super::{super::CommitError, Reading};
use crate::{
	directory::{ClaimedError, Directory, DirectoryError, KeyPackageRefusal, Seed},
	voucher::{HeldVoucher, VoucherRefusal},
};
use lockstep_primitives::{key_package::Claimed, GroupId, IdentityId, IdentityKey, VoucherKey};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Why a client does not bring in a device of its own person, for now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAddedBecause {
	/// There is nothing to claim. No voucher was spent.
	#[error("the device has no KeyPackages in the directory: publish some of it")]
	NoKeyPackages,
	/// The claim gave KeyPackages of other devices alone. The voucher is spent.
	#[error("the claim gave KeyPackages of other devices: publish some of this one")]
	OtherDevices,
	/// The person has a gate, and the client does not have its secret.
	#[error(
		"only contacts may claim, and the client does not have the secret of the gate: tell it (`keep_claim_gate`)"
	)]
	GateClosed,
	/// The chain does not give anything out, for another reason.
	#[error("the chain gives nothing out: {0}")]
	Refused(KeyPackageRefusal),
	/// The voucher is of no use; the next one is taken.
	#[error("the voucher is refused: {0}")]
	Voucher(VoucherRefusal),
	/// What was claimed must not be used.
	#[error(transparent)]
	Claimed(ClaimedError),
	/// It is not added with what was claimed.
	#[error("the commit did not come about: {0}")]
	Commit(Box<CommitError>),
}

/// A claim of KeyPackages of the client's own person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnClaim {
	/// The group that lacks devices. The claim does not name it.
	pub group: GroupId,
	/// The person.
	pub person: IdentityId,
	/// The devices. If none of them has a KeyPackage to give nothing is claimed.
	pub devices: Vec<IdentityKey>,
	/// What pays.
	pub voucher: HeldVoucher,
	/// What shows that it is a contact's.
	pub gate: Option<Seed>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct ClaimAnswer {
	/// The group.
	pub group: GroupId,
	/// The voucher's key.
	pub voucher: VoucherKey,
	/// What was claimed.
	pub outcome: Result<Claimed, NotClaimed>,
}

/// Why nothing was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotClaimed {
	/// Nothing is known yet: the voucher may be spent.
	Unknown(String),
	/// It came to nothing.
	Failed {
		/// Why.
		reason: NotAddedBecause,
		/// The voucher is of no use any more.
		spent: bool,
	},
}

impl From<DirectoryError> for NotClaimed {
	fn from(error: DirectoryError) -> Self {
		let (reason, spent) = match error {
			DirectoryError::KeyPackages(KeyPackageRefusal::GateClosed) => (NotAddedBecause::GateClosed, false),
			DirectoryError::KeyPackages(KeyPackageRefusal::NothingLeft) => (NotAddedBecause::NoKeyPackages, false),
			DirectoryError::KeyPackages(refusal) => (NotAddedBecause::Refused(refusal), false),
			// The sponsor may have funds later.
			DirectoryError::Voucher(refusal) => (NotAddedBecause::Voucher(refusal), refusal != VoucherRefusal::NoFunds),
			DirectoryError::Claimed(error) => (NotAddedBecause::Claimed(error), true),
			error => return Self::Unknown(error.to_string()),
		};
		Self::Failed { reason, spent }
	}
}

/// Claims, and says what came of it.
pub(in crate::client) async fn claim_own(directory: Arc<Directory>, claim: OwnClaim, answers: mpsc::Sender<Reading>) {
	let OwnClaim { group, person, devices, voucher, gate } = claim;
	let outcome = match directory.claim_for(&voucher, person, gate.as_ref(), &devices).await {
		Ok(Some(claimed)) => Ok(claimed),
		Ok(None) => Err(NotClaimed::Failed { reason: NotAddedBecause::NoKeyPackages, spent: false }),
		Err(error) => Err(error.into()),
	};
	let answer = ClaimAnswer { group, voucher: voucher.voucher().key, outcome };
	// The client may be closed by now.
	drop(answers.send(Reading::Claimed(Box::new(answer))).await);
}
