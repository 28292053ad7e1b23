//! Tests by topic. The state's invariants are checked after each.

mod constants;
mod genesis;
mod sessions;
mod setting;
