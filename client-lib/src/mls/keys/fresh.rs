//! Endorsements that differ each time they are made.

use super::EpochKeys;
use ed25519_dalek::{
	hazmat::{raw_sign, ExpandedSecretKey},
	Sha512, SigningKey,
};
use lockstep_primitives::{endorsement_payload, Endorsement, GenesisHash, GroupId, OrderingKey, PayloadHash};
use rand::RngCore;
use zeroize::Zeroize;

impl EpochKeys {
	/// Like [`Self::endorse`], but with other bytes each time.
	///
	/// A node bans a transaction that was once refused, by its hash, for half an hour. An entry that lost against a
	/// rival which then turned out to be invalid must still get in, so it is submitted with a new endorsement of the
	/// same commit. Ed25519 (RFC 8032 section 5.1.6) derives the nonce of a signature from a secret prefix; here the
	/// prefix is random, which gives another valid signature and shows no more of the key.
	pub fn endorse_afresh(
		&self,
		genesis: &GenesisHash,
		group: &GroupId,
		payload: &PayloadHash,
		next_key: &OrderingKey,
	) -> Endorsement {
		let message = endorsement_payload(genesis, group, &self.entry, payload, next_key);
		let key = SigningKey::from_bytes(&self.ordering_seed);
		let mut expanded = ExpandedSecretKey::from(&self.ordering_seed);
		rand::rngs::OsRng.fill_bytes(&mut expanded.hash_prefix);
		let signature = raw_sign::<Sha512>(&expanded, &message, &key.verifying_key());
		expanded.hash_prefix.zeroize();
		Endorsement(signature.to_bytes())
	}
}

#[cfg(feature = "hostile")]
impl EpochKeys {
	/// The seed of the ordering key; for tests of the promises only.
	pub(in crate::mls) fn ordering_seed(&self) -> [u8; 32] {
		self.ordering_seed
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use ed25519_dalek::{Signature, VerifyingKey};
	use lockstep_primitives::EntryHash;

	#[test]
	fn every_endorsement_is_new_and_good() {
		let seed = [7; 32];
		let public = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
		let keys = EpochKeys {
			epoch: 1,
			entry: EntryHash([1; 32]),
			ordering_key: OrderingKey(public),
			ordering_seed: seed,
			statement_key: [0; 16],
			request_key: None,
		};
		let (genesis, group) = (GenesisHash([2; 32]), GroupId([3; 32]));
		let (payload, next) = (PayloadHash([4; 32]), OrderingKey([5; 32]));
		let message = endorsement_payload(&genesis, &group, &keys.entry, &payload, &next);
		let one = keys.endorse_afresh(&genesis, &group, &payload, &next);
		let two = keys.endorse_afresh(&genesis, &group, &payload, &next);
		assert_ne!(one, two);
		let key = VerifyingKey::from_bytes(&public).unwrap();
		for endorsement in [one, two, keys.endorse(&genesis, &group, &payload, &next)] {
			key.verify_strict(&message, &Signature::from_bytes(&endorsement.0)).unwrap();
		}
	}
}
