//! Tests of the rules, by the attacks that they stop.

mod claiming;
mod publishing;
mod random;
mod tidying;
