//! KeyPackages (RFC 9420 section 10) in the directory: what devices publish, and what whoever wants to add a person claims.
//!
//! What the chain takes is decided by [`read`], on the chain and for whoever claims: the same function, from the same bytes.
//!
//! The rules, each with the attack that it stops:
//! - A KeyPackage is in its only TLS form, of the one ciphersuite, with both signatures: what is claimed can be used.
//! - Its credential names the identity that publishes it, and its signature key is the device's: nobody is added in the place
//!   of another.
//! - Its init key is not the key of its leaf, and was never seen: a Welcome's secrets are not found by a key that lies in a tree.
//! - It lapses by block number. Its MLS lifetime is not looked at: no clock decides ([`MAX_LIFE`]).
//! - A claim is for one target, and a voucher's key signs all of it: nobody who sees it can claim anything else by it.

mod order;
mod refusal;
#[cfg(feature = "testing")]
pub mod testing;
mod tls;

pub use order::{
	AskedSuites, Claim, Claimed, ClaimedKeyPackage, Gate, GateChange, KeyPackageBytes, Publication, SignedGateChange,
	SignedPublication, Stock, StockView, CLAIM_LIFE, MAX_ASKED_SUITES, MAX_KEY_PACKAGE, MAX_LIFE, MAX_STOCK,
};
pub use refusal::KeyPackageRefusal;
pub use tls::{read, KeyPackage, SUITE};
