//! Tests by topic. The state's invariants are checked after each.

mod admission;
mod budget;
mod closing;
mod contest;
mod creation;
mod log;
mod pruning;
mod race;
mod random;
mod ration;
mod reading;
mod removed;
mod wire;
