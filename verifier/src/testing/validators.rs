//! Authority sets whose secret keys are known.

use super::JustificationBuilder;
use crate::{
	authorities::{Authorities, Authority, AuthoritySet},
	header::Header,
	justification::{vote_payload, SignedPrecommit, Target},
};
use alloc::vec::Vec;
use ed25519_zebra::{SigningKey, VerificationKeyBytes};

/// A secret key made of two numbers.
pub fn secret(family: u64, number: u64) -> SigningKey {
	let mut seed = [0u8; 32];
	seed[..8].copy_from_slice(&family.to_le_bytes());
	seed[8..16].copy_from_slice(&number.to_le_bytes());
	seed[16] = 1;
	SigningKey::from(seed)
}

pub(super) fn public(key: &SigningKey) -> [u8; 32] {
	VerificationKeyBytes::from(key).into()
}

/// An authority set with its secret keys.
#[derive(Clone)]
pub struct Validators {
	/// The set id that the votes are signed for.
	pub id: u64,
	/// The secret keys.
	pub keys: Vec<SigningKey>,
}

impl Validators {
	/// Set `id` of `count` validators. Sets with different ids have no validator in common.
	pub fn new(id: u64, count: u64) -> Self {
		Self { id, keys: (0..count).map(|number| secret(id, number)).collect() }
	}

	/// The same validators as set `id`.
	pub fn with_id(&self, id: u64) -> Self {
		Self { id, keys: self.keys.clone() }
	}

	/// The list, each with weight 1.
	pub fn authorities(&self) -> Authorities {
		let list = self.keys.iter().map(|key| Authority { key: public(key), weight: 1 }).collect();
		Authorities::new(list).expect("keys are different")
	}

	/// The set.
	pub fn set(&self) -> AuthoritySet {
		AuthoritySet { id: self.id, authorities: self.authorities() }
	}

	/// The vote of one validator.
	pub fn vote(&self, validator: usize, target: Target, round: u64) -> SignedPrecommit {
		let key = &self.keys[validator];
		let signature = key.sign(&vote_payload(&target, round, self.id)).to_bytes();
		SignedPrecommit { target, signature, signer: public(key) }
	}

	/// The votes of some validators for one block.
	pub fn votes(
		&self,
		validators: impl IntoIterator<Item = usize>,
		target: Target,
		round: u64,
	) -> Vec<SignedPrecommit> {
		validators.into_iter().map(|validator| self.vote(validator, target, round)).collect()
	}

	/// A justification in which these validators vote for the block of the header, not yet encoded.
	pub fn justification_by(&self, validators: impl IntoIterator<Item = usize>, header: &[u8]) -> JustificationBuilder {
		let header = Header::decode(header).expect("a header");
		let target = Target { hash: header.hash, number: header.number };
		let round = 1;
		JustificationBuilder { round, target, votes: self.votes(validators, target, round), ancestries: Vec::new() }
	}

	/// A justification in which all vote for the block of the header.
	pub fn justify(&self, header: &[u8]) -> Vec<u8> {
		self.justification_by(0..self.keys.len(), header).encode()
	}
}
