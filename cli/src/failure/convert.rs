//! The errors of the library, sorted into kinds.

use super::{Failure, Kind};
use lockstep_client::{
	directory::{DirectoryError, IdentityExportError, IdentityFileError, KeyPackageRefusal, NewsError, RotateError},
	proof::{ExportError, ProofError},
	rpc::RpcError,
	BackupError, BackupFileError, BuildError, ClaimVouchersError, CommitError, CreateError, GroupError,
	KeyPackageError, LeaveError, OpenError, RejoinAskError, RestoreError, SendError, StoreError,
};

impl From<StoreError> for Failure {
	fn from(error: StoreError) -> Self {
		let kind = match error {
			StoreError::InUse { .. } => Kind::InUse,
			_ => Kind::Store,
		};
		Self::new(kind, error)
	}
}

impl From<RpcError> for Failure {
	fn from(error: RpcError) -> Self {
		let kind = match error {
			RpcError::Unreachable { .. } | RpcError::NoNodes => Kind::Unreachable,
			RpcError::WrongChain { .. } => Kind::WrongChain,
			_ => Kind::Node,
		};
		Self::new(kind, error)
	}
}

impl From<OpenError> for Failure {
	fn from(error: OpenError) -> Self {
		match error {
			OpenError::Store(error) => error.into(),
			OpenError::Node(error) => error.into(),
			OpenError::OtherChain { .. } | OpenError::OtherCheckpoint { .. } => Self::new(Kind::WrongChain, error),
			error => Self::new(Kind::Store, error),
		}
	}
}

impl From<GroupError> for Failure {
	fn from(error: GroupError) -> Self {
		let kind = match error {
			GroupError::Unknown(_) => Kind::NoGroup,
			GroupError::Removed(_) => Kind::Removed,
			GroupError::Replaced(_) => Kind::Replaced,
			GroupError::Returning(_) => Kind::Returning,
			GroupError::Desynchronized(_) => Kind::Desynchronized,
			GroupError::Gone(_) => Kind::Closed,
			GroupError::Halted { .. } => Kind::Halted,
			_ => Kind::Failed,
		};
		Self::new(kind, error)
	}
}

impl From<CommitError> for Failure {
	fn from(error: CommitError) -> Self {
		match error {
			CommitError::Group(error) => error.into(),
			error @ CommitError::Build(BuildError::LongPath { .. }) => Self::new(Kind::Refused, error).advise(
				"have other members keep their clients open for some minutes, which renews their keys; then run it again",
			),
			error => Self::new(Kind::Refused, error),
		}
	}
}

impl From<CreateError> for Failure {
	fn from(error: CreateError) -> Self {
		let kind = match error {
			CreateError::NoSponsor | CreateError::NotAdmitted { .. } | CreateError::Taken => Kind::Refused,
			_ => Kind::Store,
		};
		Self::new(kind, error)
	}
}

impl From<KeyPackageError> for Failure {
	fn from(error: KeyPackageError) -> Self {
		Self::new(Kind::Store, error)
	}
}

impl From<LeaveError> for Failure {
	fn from(error: LeaveError) -> Self {
		match error {
			LeaveError::Group(error) => error.into(),
			LeaveError::Send(error) => error.into(),
			error => Self::new(Kind::Refused, error),
		}
	}
}

impl From<RejoinAskError> for Failure {
	fn from(error: RejoinAskError) -> Self {
		match error {
			RejoinAskError::Group(group) => group.into(),
			RejoinAskError::Node(node) => node.into(),
			other => Self::new(Kind::Refused, other),
		}
	}
}

impl From<SendError> for Failure {
	fn from(error: SendError) -> Self {
		match error {
			SendError::Group(error) => error.into(),
			SendError::Backlog(_) => Self::new(Kind::Unreachable, error),
			error => Self::new(Kind::Refused, error),
		}
	}
}

impl From<BackupError> for Failure {
	fn from(error: BackupError) -> Self {
		let kind = match error {
			BackupError::Engine(_) => Kind::Store,
			_ => Kind::Failed,
		};
		Self::new(kind, error)
	}
}

impl From<BackupFileError> for Failure {
	fn from(error: BackupFileError) -> Self {
		let kind = match error {
			BackupFileError::WrongKey => Kind::WrongPassphrase,
			_ => Kind::File,
		};
		Self::new(kind, error)
	}
}

impl From<RestoreError> for Failure {
	fn from(error: RestoreError) -> Self {
		match error {
			RestoreError::Store(error) => error.into(),
			RestoreError::Occupied { .. } => Self::new(Kind::ProfileExists, error),
			error => Self::new(Kind::File, error),
		}
	}
}

impl From<ExportError> for Failure {
	fn from(error: ExportError) -> Self {
		let message = format!("no proof was made: {error}");
		match error {
			ExportError::Rpc(error) => Self { message, ..error.into() },
			ExportError::Empty | ExportError::TooLong(_) | ExportError::NoPayload { .. } => {
				Self::new(Kind::Refused, message)
			}
			_ => Self::new(Kind::Node, message),
		}
	}
}

impl From<IdentityExportError> for Failure {
	fn from(error: IdentityExportError) -> Self {
		match error {
			IdentityExportError::Rpc(error) => error.into(),
			IdentityExportError::Chain(error) => error.into(),
			IdentityExportError::Invalid(IdentityFileError::Unknown(_)) => Self::new(Kind::NoIdentity, error),
			IdentityExportError::TooLong(_) => Self::new(Kind::Refused, error),
			IdentityExportError::Behind => {
				Self::new(Kind::Node, error).advise("lockstep doctor, which looks at the nodes; then run it again")
			}
			error => Self::new(Kind::Node, error),
		}
	}
}

impl From<DirectoryError> for Failure {
	fn from(error: DirectoryError) -> Self {
		let advice = match &error {
			DirectoryError::Superseded { .. } => {
				"lockstep identity find ID --log shows what it was; make this anew if it is still wanted"
			}
			DirectoryError::NotFinal { .. } | DirectoryError::NotPublished(_) => {
				"run it again, which goes on from there"
			}
			DirectoryError::Voucher(_) => "lockstep voucher show FILE; or ask for another voucher",
			DirectoryError::KeyPackages(KeyPackageRefusal::NothingLeft) => {
				"ask the person to publish KeyPackages: lockstep keys publish"
			}
			DirectoryError::KeyPackages(KeyPackageRefusal::GateClosed) => {
				"ask the person for the gate secret, and give it with --gate FILE"
			}
			_ => "",
		};
		let is_refused = matches!(
			&error,
			DirectoryError::NotPublished(inside) if matches!(**inside, DirectoryError::KeyPackages(_))
		);
		let failure = match error {
			DirectoryError::Read(error) => error.into(),
			DirectoryError::Unknown(_) => Self::new(Kind::NoIdentity, error),
			DirectoryError::NotFinal { .. } | DirectoryError::NotPublished(_) if !is_refused => {
				Self::new(Kind::Timeout, error)
			}
			error => Self::new(Kind::Refused, error),
		};
		if advice.is_empty() {
			failure
		} else {
			failure.advise(advice)
		}
	}
}

impl From<RotateError> for Failure {
	fn from(error: RotateError) -> Self {
		match error {
			RotateError::Directory(error) => error.into(),
			RotateError::NotADevice { .. } => Self::new(Kind::NotADevice, error),
			RotateError::Client(_) => Self::new(Kind::Store, error),
			error => Self::new(Kind::Failed, error),
		}
	}
}

impl From<NewsError> for Failure {
	fn from(error: NewsError) -> Self {
		match error {
			NewsError::Directory(error) => error.into(),
			NewsError::OtherLog { .. } => Self::new(Kind::Unverified, error),
			error => {
				Self::new(Kind::Node, error).advise("lockstep doctor, which looks at the nodes; then run it again")
			}
		}
	}
}

impl From<ClaimVouchersError> for Failure {
	fn from(error: ClaimVouchersError) -> Self {
		match error {
			ClaimVouchersError::Store(error) => error.into(),
			ClaimVouchersError::Closed => Self::new(Kind::Failed, error),
			error => Self::new(Kind::Refused, error),
		}
	}
}

impl From<IdentityFileError> for Failure {
	fn from(error: IdentityFileError) -> Self {
		Self::new(Kind::Unverified, format!("the proof does not hold: {error}"))
	}
}

impl From<ProofError> for Failure {
	fn from(error: ProofError) -> Self {
		Self::new(Kind::Unverified, format!("the proof does not hold: {error}"))
	}
}
