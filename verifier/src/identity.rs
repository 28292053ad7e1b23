//! Who a person is and was: the log of an identity (`docs/protocol.md` section 12), from bytes alone.
//!
//! What follows from an event is decided by the function that the chain decides it with, from the same bytes. So a reader
//! has more than the chain's word: what no device or recovery key of a person has signed is refused here, whoever voted for
//! it. And every reader finds the same devices in the same block, also years later.
//!
//! What one log does not show is whether a key was used in another one: that is the chain's word.

mod file;
mod history;
mod proven;
#[cfg(test)]
mod tests;

pub use file::{verify_identity, IdentityFile, IdentityFileError, IDENTITY_MAGIC, IDENTITY_VERSION};
pub use history::{History, HistoryError, Recorded, Step};
pub use proven::{identity_keys, prove_identity, ProvenIdentity};
