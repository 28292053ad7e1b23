//! Tests of what the pallets make together.

mod chain;
mod claims;
mod extrinsics;
mod identities;
mod motions;
mod presets;
mod sessions;
mod validators;
