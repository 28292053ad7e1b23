//! What the chain and its clients must agree on byte for byte.
//!
//! Pallets and clients share these encodings so that they cannot drift apart. `docs/protocol.md` is
//! the normative text; `tests/vectors.json` pins every byte string this crate makes.
//!
//! All hashes are BLAKE3-256. Every hashed or signed byte string starts with an ASCII domain tag and
//! has fixed-length fields, so that no two of them can be confused.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

pub mod admission;
#[cfg(feature = "runtime-api")]
pub mod api;
pub mod entry;
pub mod extrinsic;
pub mod id;
pub mod identity;
pub mod key_package;
pub mod log;
pub mod refusal;
#[cfg(feature = "serde")]
pub mod rpc;
pub mod state;
pub mod topic;
pub mod voucher;

pub use entry::{endorsement_payload, payload_hash, EntryBody};
pub use id::{
	BlockHash, Endorsement, EntryHash, EventSignature, GenesisHash, GroupId, IdentityId, IdentityKey, InitKey,
	KeyCommitment, OperatorId, OrderingKey, PayloadHash, SponsorId, VoucherKey, VoucherSignature,
};
pub use log::{LogHead, LogKind};
pub use refusal::Refusal;
pub use state::{BlockEntry, Budget, GroupState, OpenEntry, OrderingParameters};

/// Blocks are counted in `u32`, as on the chain.
pub type BlockNumber = u32;
