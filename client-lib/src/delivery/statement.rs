//! The bytes of a statement, as the SDK's statement store has them.
//!
//! A statement is a SCALE vector of fields in a fixed order, each at most once. Its signature covers the fields
//! after the proof, without the vector's length.

use codec::{Compact, DecodeAll, Encode};

/// Largest encoded statement that the nodes pass on, in bytes.
pub const MAX_STATEMENT: usize = 1024 * 1024 - 1;
/// Most data in one, in bytes: beside it are the number of fields, proof, expiry and topic, and how long the data is.
pub const MAX_DATA: usize = MAX_STATEMENT - (1 + 98 + 9 + 33 + 5);

/// A signature by a key of one of the kinds that the store knows.
#[derive(Clone, Debug, PartialEq, Eq, codec::Encode, codec::Decode)]
enum Proof {
	#[codec(index = 0)]
	Sr25519([u8; 64], [u8; 32]),
	#[codec(index = 1)]
	Ed25519([u8; 64], [u8; 32]),
	#[codec(index = 2)]
	Ecdsa([u8; 65], [u8; 33]),
}

#[derive(Clone, Debug, PartialEq, Eq, codec::Encode, codec::Decode)]
enum Field {
	#[codec(index = 0)]
	Proof(Proof),
	#[codec(index = 1)]
	DecryptionKey([u8; 32]),
	#[codec(index = 2)]
	Expiry(u64),
	#[codec(index = 3)]
	Channel([u8; 32]),
	#[codec(index = 4)]
	Topic1([u8; 32]),
	#[codec(index = 5)]
	Topic2([u8; 32]),
	#[codec(index = 6)]
	Topic3([u8; 32]),
	#[codec(index = 7)]
	Topic4([u8; 32]),
	#[codec(index = 8)]
	Data(Vec<u8>),
}

/// A statement of the kind that clients post: one topic, some data, an Ed25519 signer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
	/// The public key that signed it.
	pub signer: [u8; 32],
	/// What it is found by.
	pub topic: [u8; 32],
	/// What it says.
	pub data: Vec<u8>,
}

/// Why bytes are not a statement of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
	/// Larger than nodes pass on.
	#[error("the statement is larger than {MAX_STATEMENT} bytes: send less")]
	TooLarge,
	/// Not a vector of fields, or something after it.
	#[error("the bytes are not a statement: drop them")]
	Undecodable,
	/// Fields are missing, repeated, out of order, or of a kind that clients do not use.
	#[error("the statement is not one that a client makes: drop it")]
	Foreign,
}

impl Statement {
	/// Encodes and signs a statement. `expiry` is the Unix time in seconds up to which it is kept, in the upper 32
	/// bits, and a number that makes it unique in the lower ones; `sign` makes an Ed25519 signature by `signer`.
	pub fn encode(&self, expiry: u64, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Result<Vec<u8>, StatementError> {
		let signed = (Field::Expiry(expiry), Field::Topic1(self.topic), Field::Data(self.data.clone())).encode();
		let proof = Field::Proof(Proof::Ed25519(sign(&signed), self.signer));
		let statement = [Compact(4u32).encode(), proof.encode(), signed].concat();
		if statement.len() > MAX_STATEMENT {
			return Err(StatementError::TooLarge);
		}
		Ok(statement)
	}

	/// Reads a statement. Does not verify the signature: the node that keeps it has, and data that was not made by
	/// a holder of the right keys does not open.
	pub fn decode(bytes: &[u8]) -> Result<Self, StatementError> {
		if bytes.len() > MAX_STATEMENT {
			return Err(StatementError::TooLarge);
		}
		let fields = Vec::<Field>::decode_all(&mut &bytes[..]).map_err(|_| StatementError::Undecodable)?;
		match <[Field; 4]>::try_from(fields) {
			Ok(
				[Field::Proof(Proof::Ed25519(_, signer)), Field::Expiry(_), Field::Topic1(topic), Field::Data(data)],
			) => Ok(Self { signer, topic, data }),
			_ => Err(StatementError::Foreign),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use ed25519_dalek::{Signer, SigningKey, Verifier, VerifyingKey};

	fn key() -> SigningKey {
		SigningKey::from_bytes(&[7; 32])
	}

	fn statement() -> Statement {
		Statement { signer: key().verifying_key().to_bytes(), topic: [1; 32], data: vec![0xde, 0xad, 0xbe, 0xef] }
	}

	fn encoded() -> Vec<u8> {
		statement().encode(0x7fff_ffff_abcd_1234, |bytes| key().sign(bytes).to_bytes()).unwrap()
	}

	/// The layout that the statement store's own tests pin, field by field.
	#[test]
	fn the_layout_is_the_statement_stores() {
		let mut signed = vec![0x02, 0x34, 0x12, 0xcd, 0xab, 0xff, 0xff, 0xff, 0x7f];
		signed.push(0x04);
		signed.extend([1; 32]);
		signed.extend([0x08, 0x10, 0xde, 0xad, 0xbe, 0xef]);
		let signature = key().sign(&signed).to_bytes();
		let mut expected = vec![0x10, 0x00, 0x01];
		expected.extend(signature);
		expected.extend(key().verifying_key().to_bytes());
		expected.extend(signed);
		assert_eq!(encoded(), expected);
	}

	#[test]
	fn the_signature_covers_everything_after_the_proof() {
		let bytes = encoded();
		let signature = ed25519_dalek::Signature::from_slice(&bytes[3..67]).unwrap();
		let signer = VerifyingKey::from_bytes(&statement().signer).unwrap();
		assert!(signer.verify(&bytes[99..], &signature).is_ok());
	}

	#[test]
	fn a_statement_survives_the_round_trip_and_no_damage() {
		let bytes = encoded();
		assert_eq!(Statement::decode(&bytes), Ok(statement()));
		for end in 0..bytes.len() {
			assert_eq!(Statement::decode(&bytes[..end]), Err(StatementError::Undecodable), "cut at {end}");
		}
		assert_eq!(Statement::decode(&[&bytes[..], &[0]].concat()), Err(StatementError::Undecodable));
		// Damage in front of the contents changes what the statement is, or whose it is; it never panics.
		for at in 0..bytes.len() {
			for bit in 0..8 {
				let mut damaged = bytes.clone();
				damaged[at] ^= 1 << bit;
				drop(Statement::decode(&damaged));
			}
		}
	}

	#[test]
	fn the_most_data_fits_and_no_more() {
		let with = |length| Statement { data: vec![0; length], ..statement() }.encode(1, |_| [0; 64]);
		assert_eq!(with(MAX_DATA).map(|bytes| bytes.len()), Ok(MAX_STATEMENT));
		assert_eq!(with(MAX_DATA + 1), Err(StatementError::TooLarge));
	}

	#[test]
	fn other_peoples_statements_are_told_apart() {
		let only_expiry = vec![Field::Expiry(1)].encode();
		assert_eq!(Statement::decode(&only_expiry), Err(StatementError::Foreign));
		let mut other_key = encoded();
		other_key[2] = 0x00;
		assert_eq!(Statement::decode(&other_key), Err(StatementError::Foreign));
		let claims_more = [0xff, 0xff, 0xff, 0xff];
		assert_eq!(Statement::decode(&claims_more), Err(StatementError::Undecodable));
		assert_eq!(Statement::decode(&vec![0; MAX_STATEMENT + 1]), Err(StatementError::TooLarge));
		let large = Statement { data: vec![0; MAX_STATEMENT], ..statement() };
		assert_eq!(large.encode(1, |_| [0; 64]), Err(StatementError::TooLarge));
	}
}
