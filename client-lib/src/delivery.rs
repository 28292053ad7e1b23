//! Delivery of what is not ordered: application messages, proposals and Welcomes, as statements.
//!
//! Statements are posted to a node's statement store and gossiped from there. They are best effort: they get lost,
//! repeated and reordered, and anyone may put garbage under a topic. Nothing here decides anything; who may read
//! and write is decided by the keys of an epoch, in [`mls`](crate::mls).
//!
//! A statement under a group's topic is signed with the ordering key of an epoch, which is what has an allowance on
//! the chain, and its data is sealed for the members of that epoch ([`envelope`]). Nodes check the signature;
//! a reader takes it as the name of the epoch only, and relies on the seal.

#[cfg(test)]
mod any_bytes;
mod buffer;
pub mod envelope;
mod expiry;
mod feed;
mod poster;
mod seen;
pub mod statement;

pub use buffer::Buffer;
pub use expiry::expiry;
pub use feed::StatementFeed;
pub use poster::{Posted, Poster};
pub use seen::Seen;
