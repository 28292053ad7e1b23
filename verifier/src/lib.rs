//! What a client needs to believe no node: finality, state and logs, verified from bytes alone.
//!
//! A client holds the hash of the chain's genesis. From there, everything is checked:
//!
//! 1. [`chain`] follows GRANDPA: a header is final when a [`justification`] of the authority set in power says so,
//!    and the next set is the one that a final header names.
//! 2. [`read_proof`] reads the state whose root a final header carries; [`group`] reads a group's log head from it.
//! 3. [`entries`] checks that the entries received hash to that head.
//! 4. [`identity`] judges the events of an identity's log, and checks that they make what that state says.
//! 5. [`key_packages`] reads what was published and claimed, and checks KeyPackages by the log of the person.
//! 6. [`proof_file`] puts all of a group into one portable file, and verifies such a file with the genesis alone.
//!
//! There is no socket, clock, disk, thread or randomness in here, and nothing is believed because of who said it.
//! All input may come from an enemy: decoding is bounded before it allocates, and no input panics.
//!
//! What is trusted instead: the genesis hash (or a [`chain::Checkpoint`]) that the application supplies, that less
//! than a third of each authority set's weight is malicious, and the hash functions and signatures.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

pub mod authorities;
pub mod build;
mod bytes;
pub mod chain;
mod crypto;
pub mod entries;
pub mod group;
pub mod header;
pub mod identity;
pub mod justification;
pub mod key_packages;
pub mod layout;
pub mod proof_file;
pub mod read_proof;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod trie;

pub use bytes::Malformed;
pub use chain::{Anchor, Checkpoint, FinalityError, FinalizedChain, Link};
pub use group::{prove_group, prove_groups, GroupError, ProvenGroup, ProvenGroups};
pub use header::{Header, StateRoot};
pub use identity::{verify_identity, History, HistoryError, IdentityFile, IdentityFileError};
pub use proof_file::{verify, ProofError, Rotations, Trust};
