//! A member that is none of ours: AWS's `mls-rs` and what `docs/protocol.md` says, and of this project only the bytes that
//! `lockstep-primitives` is the reference for.
//!
//! It is small. What it leaves out it refuses, so that it never goes another way than the others: groups in which not everyone has
//! all rights (section 6.2), commits that change the group data, rejoining (section 8.1). It does not look for HPKE keys of small order.
//!
//! - [`crypto`]: sealing, signing, exporting, by mls-rs's own provider; [`strict`] has the one difference.
//! - [`bytes`]: bundles, and what of a KeyPackage mls-rs does not show.
//! - [`group`]: what a group has to be like.
//! - [`rules`]: the policy, where mls-rs asks for it.
//! - [`member`]: one member of one group, without a network; [`verdict`] judges entries, [`letters`] are on their way to a joiner,
//!   [`statement`]s to all.
//! - [`reader`]: what it makes of entries and statements as they come.
//! - [`table`]: it and members of ours around a model chain, where [`thread`] tests them; [`guest`]: it on a real one.

pub mod bytes;
pub mod crypto;
pub mod group;
pub mod guest;
pub mod letters;
pub mod member;
pub mod reader;
pub mod rules;
pub mod statement;
pub mod strict;
mod table;
mod thread;
pub mod verdict;

pub use guest::Guest;
