//! Members of MLS groups (RFC 9420) whose epochs advance only on finalized order.
//!
//! A chain decides which commit opens each epoch of a group. A [`Client`] is one member: it makes commits, submits
//! them, reads what became of them from the finalized log, and moves to the next epoch together with everybody else.
//! It never moves on an answer of a node, and never loses what it has reported.
//!
//! ```no_run
#![doc = include_str!("../examples/two_members.rs")]
//! ```
//!
//! # Most used
//! - [`Client`]: open one, make KeyPackages, create groups, add, remove, update, leave, send.
//! - [`Config`]: who the client is, where its store is, which nodes it uses.
//! - [`StoreKey`]: what the store is encrypted with.
//! - [`Backup`]: what brings a lost device back, with new leaves.
//! - [`Event`]: what a client reports, as a stream.
//! - [`GroupStatus`]: where it stands in a group.
//! - [`Committed`] and [`Outcome`]: what came of a commit.
//! - [`directory`]: who people are, by which devices.
//! - [`voucher`]: one-time rights, for whom a sponsor pays.
//!
//! Each operation has its own error; [`Error`] holds any of them.
//!
//! # Inside
//! Data goes one way: [`finality`] (which entries are final) → [`log`] (do they form the log) → [`gate`] (which of
//! them opens the next epoch) → MLS (is it valid, and what is the next state) → the store (all of it, in one write).
//! The gate is a pure state machine. Application messages, proposals and Welcomes travel beside the log, as
//! statements. [`rpc`] is the only part that talks to nodes.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod client;
mod delivery;
pub mod directory;
pub mod finality;
pub mod gate;
pub mod log;
mod mls;
#[cfg(not(feature = "simulation"))]
mod mutation;
#[cfg(feature = "simulation")]
pub mod mutation;
pub mod proof;
pub mod rpc;
#[cfg(feature = "simulation")]
pub mod simulation;
mod store;
pub mod voucher;

pub use client::{
	change_signer, Backup, BackupError, BackupFileError, BackupGroup, ClaimVoucherFit, ClaimVouchersError, Client,
	CommitError, Committed, Config, CreateError, Ended, Error, Event, Evidence, GroupError, GroupState, GroupStatus,
	IntentId, IntentState, InvitationError, KeyPackageError, LeaveError, Message, NotAddedBecause, NotInvited,
	OpenError, Outcome, RejoinAskError, RestoreError, SendError, SkippedBecause, Sponsor, StockError, Undelivered,
	UndeliveredBecause, Upkeep, WaitingFor, MAX_MESSAGE, MAX_NOTE,
};
pub use finality::Lie;
pub use lockstep_primitives::{EntryHash, GenesisHash, GroupId};
pub use lockstep_verifier::Checkpoint;
pub use mls::{
	constants::MAX_MESSAGES_PER_EPOCH,
	policy::{PolicyError, Right},
	AuthenticationService, BuildError, BundleError, EngineError, EnvelopeKey, GroupChange, GroupData, GroupDataError,
	Intent, InvalidReason, MemberDevice, MessageError, PrivateReason, ProposalError, RejoinError, Rights, SealError,
	SignerSeed, WelcomeError, Who,
};
pub use store::{change_store_key, StoreError, StoreKey};
#[cfg(feature = "hostile")]
pub use store::{on_write, WriteChange, WritePoint};
