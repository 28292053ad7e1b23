//! Claiming KeyPackages of one's own person, beside the core.

use super::{super::CommitError, Reading};
use crate::{
	directory::{ClaimedError, Directory, DirectoryError, ForDevices, KeyPackageRefusal, Seed},
	voucher::{HeldVoucher, VoucherRefusal},
};
use lockstep_primitives::{key_package::Claimed, GroupId, IdentityId, IdentityKey, VoucherKey};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Why a client does not bring in a device of its own person, for now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAddedBecause {
	/// There is nothing to claim.
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
	/// The voucher is of no use, by what it says itself, and the next one is taken; or nodes say so, and it is tried again.
	#[error("the voucher is refused: {0}")]
	Voucher(VoucherRefusal),
	/// No node has answered for long, or none has what shows the claim. It is tried again, with the same voucher.
	#[error("it is not known what came of the claim: {0}")]
	Unanswered(String),
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
		/// What is known of the voucher.
		voucher: VoucherIs,
	},
}

/// What is known of a voucher after something came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoucherIs {
	/// It was shown to nobody this time.
	NotShown,
	/// It was shown. Nodes have something against it, or the claim, which nothing proves; or another claim with it may do.
	Doubted,
	/// It is of no use any more, as was proven.
	Spent,
}

impl From<DirectoryError> for NotClaimed {
	/// What nodes say proves nothing: only what a final block's state, or the voucher itself, says does.
	fn from(error: DirectoryError) -> Self {
		let (reason, voucher) = match error {
			DirectoryError::KeyPackages(KeyPackageRefusal::GateClosed) => {
				(NotAddedBecause::GateClosed, VoucherIs::Doubted)
			}
			DirectoryError::KeyPackages(KeyPackageRefusal::NothingLeft) => {
				(NotAddedBecause::NoKeyPackages, VoucherIs::Doubted)
			}
			DirectoryError::KeyPackages(refusal) => (NotAddedBecause::Refused(refusal), VoucherIs::Doubted),
			DirectoryError::Voucher(refusal) => (NotAddedBecause::Voucher(refusal), VoucherIs::Doubted),
			DirectoryError::Claimed(error) => (NotAddedBecause::Claimed(error), VoucherIs::Spent),
			error => return Self::Unknown(error.to_string()),
		};
		Self::Failed { reason, voucher }
	}
}

/// What came of a claim.
fn outcome(found: Result<ForDevices, DirectoryError>) -> Result<Claimed, NotClaimed> {
	let (reason, voucher) = match found? {
		ForDevices::Claimed(claimed) => return Ok(claimed),
		ForDevices::NothingToGive => (NotAddedBecause::NoKeyPackages, VoucherIs::NotShown),
		ForDevices::GateClosed => (NotAddedBecause::GateClosed, VoucherIs::NotShown),
		ForDevices::Useless(refusal) => (NotAddedBecause::Voucher(refusal), VoucherIs::Spent),
	};
	Err(NotClaimed::Failed { reason, voucher })
}

/// Claims, and says what came of it, also if that is that this ends in trouble.
pub(in crate::client) async fn claim_own(directory: Arc<Directory>, claim: OwnClaim, answers: mpsc::Sender<Reading>) {
	let OwnClaim { group, person, devices, voucher, gate } = claim;
	let key = voucher.voucher().key;
	let mut claiming =
		tokio::spawn(async move { outcome(directory.claim_for(&voucher, person, gate.as_ref(), &devices).await) });
	let outcome = tokio::select! {
		// The client is closed. When it is opened again it claims with the same voucher.
		() = answers.closed() => return claiming.abort(),
		ended = &mut claiming => ended.unwrap_or_else(|error| Err(NotClaimed::Unknown(error.to_string()))),
	};
	let answer = ClaimAnswer { group, voucher: key, outcome };
	// The client may be closed by now.
	drop(answers.send(Reading::Claimed(Box::new(answer))).await);
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_only_nodes_say_spends_no_voucher() {
		let doubted = [
			(DirectoryError::Voucher(VoucherRefusal::Spent), NotAddedBecause::Voucher(VoucherRefusal::Spent)),
			(DirectoryError::Voucher(VoucherRefusal::NoFunds), NotAddedBecause::Voucher(VoucherRefusal::NoFunds)),
			(DirectoryError::KeyPackages(KeyPackageRefusal::GateClosed), NotAddedBecause::GateClosed),
			(DirectoryError::KeyPackages(KeyPackageRefusal::NothingLeft), NotAddedBecause::NoKeyPackages),
			(
				DirectoryError::KeyPackages(KeyPackageRefusal::TooManyClaims),
				NotAddedBecause::Refused(KeyPackageRefusal::TooManyClaims),
			),
		];
		for (error, reason) in doubted {
			assert_eq!(outcome(Err(error)), Err(NotClaimed::Failed { reason, voucher: VoucherIs::Doubted }));
		}
		let unknown =
			[DirectoryError::NotFinal { said: "nothing".to_owned() }, DirectoryError::Unknown(IdentityId([1; 32]))];
		for error in unknown {
			assert!(matches!(outcome(Err(error)), Err(NotClaimed::Unknown(_))));
		}
	}

	#[test]
	fn what_is_proven_decides() {
		let failed = |found| match outcome(found) {
			Err(NotClaimed::Failed { voucher, .. }) => voucher,
			other => panic!("{other:?}"),
		};
		assert_eq!(failed(Ok(ForDevices::NothingToGive)), VoucherIs::NotShown);
		assert_eq!(failed(Ok(ForDevices::GateClosed)), VoucherIs::NotShown);
		assert_eq!(failed(Ok(ForDevices::Useless(VoucherRefusal::Expired))), VoucherIs::Spent);
		assert_eq!(failed(Err(DirectoryError::Claimed(ClaimedError::Gone))), VoucherIs::Spent);
	}
}
