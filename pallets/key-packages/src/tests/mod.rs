//! Tests of the rules, by the attacks that they stop.

mod claiming;
mod limits;
mod publishing;
mod random;
mod tidying;
