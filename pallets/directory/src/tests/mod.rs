//! Tests by topic. The state's invariants are checked after each.

mod ending;
mod limits;
mod random;
mod recording;
mod registering;
