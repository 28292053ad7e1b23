//! What the handle asks of the core.

use super::{
	backup::{BackupError, Contents},
	people::PoolCommand,
	positions::PositionsCommand,
	stock::StockCommand,
	verified::Verified,
	CommitError, CreateError, Evidence, GroupError, GroupStatus, IntentId, IntentState, KeyPackageError, LeaveError,
	Message, Outcome, RejoinAskError, SendError, Undelivered,
};
use crate::{
	mls::{GroupData, Intent, SignerSeed},
	voucher::HeldVoucher,
};
use lockstep_primitives::{EntryHash, GroupId};
use tokio::sync::oneshot;

pub(super) type Reply<T, E> = oneshot::Sender<Result<T, E>>;

pub(super) enum Command {
	KeyPackage(Reply<Vec<u8>, KeyPackageError>),
	Stock(StockCommand),
	Positions(PositionsCommand),
	Pool(PoolCommand),
	Verified(Reply<Verified, GroupError>),
	Create(GroupData, Option<HeldVoucher>, Reply<GroupId, CreateError>),
	Commit {
		group: GroupId,
		intent: Intent,
		once: bool,
		reply: Reply<Outcome, CommitError>,
	},
	Enqueue {
		group: GroupId,
		intent: Intent,
		reply: Reply<IntentId, CommitError>,
	},
	Intents {
		group: GroupId,
		reply: Reply<Vec<(IntentId, IntentState)>, GroupError>,
	},
	Rejoin {
		group: GroupId,
		newest: Option<EntryHash>,
		reply: Reply<Vec<u8>, RejoinAskError>,
	},
	Readmit {
		group: GroupId,
		request: Vec<u8>,
		reply: Reply<Outcome, CommitError>,
	},
	ChangeSigner(SignerSeed, Reply<(), GroupError>),
	Leave {
		group: GroupId,
		reply: Reply<(), LeaveError>,
	},
	Send {
		group: GroupId,
		data: Vec<u8>,
		reply: Reply<(), SendError>,
	},
	Unread(Reply<Vec<(u64, Message)>, GroupError>),
	Acknowledge {
		up_to: u64,
		reply: Reply<(), GroupError>,
	},
	Undelivered(Reply<Vec<(u64, Undelivered)>, GroupError>),
	Dismiss {
		up_to: u64,
		reply: Reply<(), GroupError>,
	},
	Evidence(Reply<Vec<Evidence>, GroupError>),
	Groups(oneshot::Sender<Vec<GroupId>>),
	Backup(Reply<Contents, BackupError>),
	Status {
		group: GroupId,
		reply: Reply<GroupStatus, GroupError>,
	},
	#[cfg(feature = "hostile")]
	Hostile(super::hostile::HostileCommand),
	Close,
}
