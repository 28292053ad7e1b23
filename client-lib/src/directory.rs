//! Identities: who a person is, by a log of key events that the person's devices sign (`docs/protocol.md` section 12), and their
//! KeyPackages, for whoever wants to add that person to a group (section 14).
//!
//! A [`Directory`] reads and writes the logs that the chain keeps. It believes no node: what it says of an identity was
//! judged event by event, and is all that the state of a final block knows. What became of an event that it submits it reads
//! in the log, never in an answer.
//!
//! Keys stay with the application: [`DeviceKeys`] and [`Seed`] are values, to be kept where it keeps its secrets. An
//! [`Author`] makes events with them.
//!
//! | to do | events by | then |
//! | --- | --- | --- |
//! | create an identity | [`incept`] | [`Directory::register`], with an account that pays |
//! | add a device | [`DeviceOffer`] of the new one, [`Author::add_device`] of an old one, [`accept`] of the new one | [`Directory::record`] |
//! | rotate a key | | [`rotate_device`], with KeyPackages of the new key, and [`Client::change_signer`](crate::Client::change_signer) |
//! | revoke a device | [`Author::revoke_device`] | [`Directory::record`] |
//! | recover | [`Author::recover`], and [`accept`] | [`Directory::record`] |
//! | end | [`Author::close`] | [`Directory::record`] |
//! | keep KeyPackages published | | [`Keeper::start`] |
//! | publish KeyPackages by hand | [`Stocking::publish`] | [`Directory::publish`] |
//! | let only contacts claim | [`Stocking::set_gate`] | [`Directory::set_gate`] |
//! | add a person to a group | a voucher that somebody gives away | [`Directory::claim`], and [`Client::add_claimed`](crate::Client::add_claimed): never `add`, whose invitation the group would sign |
//! | know what happened meanwhile | | [`catch_up`]; of one's KeyPackages, [`Keeper::events`] of a keeper that was started then |
//! | make sure of somebody | [`SafetyNumber`], compared by both | |

mod author;
mod export;
pub(crate) mod keeper;
mod keys;
mod news;
mod safety_number;
mod stocking;
#[cfg(test)]
mod tests;
mod write;

pub use author::{accept, incept, AcceptError, Author, Recovery};
pub use export::{export_identity, IdentityExportError};
pub use keeper::{
	rotate_device, Keeper, KeeperEvent, KeeperOptions, KeeperStopped, Keeping, RotateError, Rotated, StockNews, Why,
	GRACE,
};
pub use keys::{DeviceKeys, DeviceOffer, DeviceOfferError, Seed};
pub use lockstep_primitives::{
	identity::{
		Action, Device, Event as KeyEvent, IdentityRefusal, IdentityState, NewDevice, RecoveryKeys, Revoked,
		SignedEvent, MAX_DEVICES, MAX_RECOVERY_KEYS, RECOVERY_WINDOW,
	},
	key_package::{
		Claimed, ClaimedKeyPackage, KeyPackageRefusal, Publication, SignedGateChange, SignedPublication, Stock,
		MAX_LIFE, MAX_STOCK,
	},
	IdentityId, IdentityKey, KeyCommitment, OperatorId,
};
pub use lockstep_verifier::{
	chain::Head,
	identity::{verify_identity, History, HistoryError, IdentityFileError, Recorded, Step},
	key_packages::ClaimedError,
};
pub use news::{catch_up, news, CatchUp, Happening, News, NewsError, People};
pub use safety_number::SafetyNumber;
pub use stocking::Stocking;
pub(crate) use write::ForDevices;
pub use write::{Directory, DirectoryError};
