//! Builders of everything that this crate verifies, right or wrong: headers, justifications, states with read proofs,
//! logs of groups and identities, and a small [`World`] that holds all of them.
//!
//! For tests of this crate and of those that use it, the lying node above all. Everything here is deterministic.
//! Builders panic on misuse; nothing of it belongs into a client.

mod blocks;
pub mod fuzz;
pub mod identity;
mod log;
mod state;
mod validators;
mod world;

pub use blocks::{HeaderBuilder, JustificationBuilder, Log};
pub use log::{group_record, GroupLog};
pub use state::State;
pub use validators::{secret, Validators};
pub use world::{World, GROUP, SLOT_ZERO};
