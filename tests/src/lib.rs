//! What the end-to-end suites, the demo and the benchmarks have in common: a network of real validators, members on
//! it, and the measuring around them.
//!
//! - [`network`]: four validators as processes, on ports the system chose, that can be stopped, started again and
//!   cut off; [`node`] is one of them, [`mesh`] and [`door`] are the wires between them.
//! - [`members`]: clients with a store of their own each, whose events are recorded; what they record is what the
//!   suites compare.
//! - [`person`]: people of the directory, on their devices.
//! - [`liar`]: a node that lies.
//! - [`scenes`]: several scenes on one network.
//! - [`links`]: what joins people, groups, claims and commits for an outsider who reads all.
//! - [`rpc`]: what a test asks a node beside the clients.
//! - [`attack`]: what a hostile member has.
//! - [`crashes`]: members that are killed again and again, at each of the [`write_kinds`].
//! - [`deadline`]: every wait is for an event, and has an end.
//! - [`figures`], [`machine`], [`table`]: percentiles, what was measured on, and how it is shown.
//!
//! The suites are in `tests/promises/`, a file for each promise of the README.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod attack;
pub mod crashes;
pub mod deadline;
pub mod door;
pub mod error;
pub mod figures;
pub mod governance;
pub mod keys;
pub mod liar;
pub mod links;
pub mod machine;
pub mod members;
pub mod mesh;
pub mod network;
pub mod node;
pub mod peer;
pub mod person;
pub mod programs;
pub mod remote;
pub mod rpc;
pub mod scan;
pub mod scenes;
pub mod socket_owner;
pub mod table;
pub mod write_kinds;

pub use deadline::within;
pub use error::{Error, Result};
pub use members::{Member, Members};
pub use network::Network;
