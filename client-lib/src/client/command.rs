//! What the handle asks of the actor.

use super::{
	CommitError, CreateError, Evidence, GroupError, GroupStatus, KeyPackageError, LeaveError, Outcome, SendError,
};
use crate::mls::Intent;
use lockstep_primitives::GroupId;
use tokio::sync::oneshot;

pub(super) type Reply<T, E> = oneshot::Sender<Result<T, E>>;

pub(super) enum Command {
	KeyPackage(Reply<Vec<u8>, KeyPackageError>),
	Create(Reply<GroupId, CreateError>),
	Commit {
		group: GroupId,
		intent: Intent,
		once: bool,
		reply: Reply<Outcome, CommitError>,
	},
	Leave {
		group: GroupId,
		reply: Reply<(), LeaveError>,
	},
	Send {
		group: GroupId,
		data: Vec<u8>,
		reply: Reply<(), SendError>,
	},
	Evidence(Reply<Vec<Evidence>, GroupError>),
	Groups(oneshot::Sender<Vec<GroupId>>),
	Status {
		group: GroupId,
		reply: Reply<GroupStatus, GroupError>,
	},
	#[cfg(feature = "hostile")]
	Hostile(super::hostile::HostileCommand),
	Close,
}
