//! A deterministic simulator: many members, a chain and a network in one program, on virtual time.
//!
//! The members are the client library's own core (its gate, its store on a disk in memory, its MLS engine or a stand-in
//! for it). The chain and the network are models that do what the real ones may do: the chain admits by the same rules,
//! forks, drops and moves what is not final, and finalises late; nodes lag, are cut off, lose submissions and answer
//! wrongly; statements are lost, repeated, reordered and withheld. Members are killed at and within every step, and
//! opened again on what they had committed. Some members are hostile.
//!
//! Everything is drawn from a seed: the same seed gives the same run. After each step the promises are checked
//!; at the end the faults stop, and everything must come right.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod actions;
mod chain;
mod checks;
mod dice;
mod flavour;
mod hostile;
mod member;
mod network;
mod nodes;
mod oracle;
mod promises;
mod quiet;
mod run;
mod scenario;
#[cfg(test)]
mod scripted;
mod setup;
mod world;

pub use flavour::{Flavour, OpenMls, StandIns};
pub use lockstep_client::mutation::Mutation;
pub use run::{explain, run, simulate, Failure, Summary};
pub use setup::Setup;
