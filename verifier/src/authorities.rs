//! The authorities that vote on finality, and how many of them it takes.

use crate::bytes::{Malformed, Reader};
use alloc::{collections::BTreeSet, vec::Vec};
use codec::{Decode, Encode, Input};

/// The most authorities that a set may have. The runtime allows 100.
pub const MAX_AUTHORITIES: usize = 1_024;

/// Bytes of one authority in SCALE: the key and the weight.
const AUTHORITY_BYTES: usize = 40;

/// An authority's public key, Ed25519.
pub type AuthorityKey = [u8; 32];

/// One who votes, and what the vote weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Authority {
	/// The key that signs the votes.
	pub key: AuthorityKey,
	/// What each vote weighs; the runtime gives everybody 1.
	pub weight: u64,
}

/// Why a list is not one of authorities. A chain of honest validators makes no such list: if a node sends one, ask
/// another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
	/// The bytes are no list of authorities.
	#[error("the list of authorities is damaged: {0}")]
	Malformed(#[from] Malformed),
	/// Nobody could finalize anything.
	#[error("the list of authorities is empty: ask another node")]
	Empty,
	/// More than [`MAX_AUTHORITIES`].
	#[error("the list has {0} authorities, more than the 1024 that are looked at: ask another node")]
	TooMany(usize),
	/// A vote that weighs nothing.
	#[error("authority {0} of the list has weight 0: ask another node")]
	ZeroWeight(usize),
	/// One key twice.
	#[error("authority {0} of the list is in it twice: ask another node")]
	Repeated(usize),
	/// The sum does not fit into 64 bits.
	#[error("the weights of the authorities add up to more than 64 bits: ask another node")]
	Overflow,
}

/// A list of authorities: not empty, each in it once, with a weight, and the sum of all weights fits into 64 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorities {
	list: Vec<Authority>,
	total: u64,
}

impl Authorities {
	/// Checks the list. The order is kept, and means nothing.
	pub fn new(list: Vec<Authority>) -> Result<Self, AuthorityError> {
		if list.is_empty() {
			return Err(AuthorityError::Empty);
		}
		if list.len() > MAX_AUTHORITIES {
			return Err(AuthorityError::TooMany(list.len()));
		}
		let mut seen = BTreeSet::new();
		let mut total = 0u64;
		for (at, authority) in list.iter().enumerate() {
			if authority.weight == 0 {
				return Err(AuthorityError::ZeroWeight(at));
			}
			if !seen.insert(authority.key) {
				return Err(AuthorityError::Repeated(at));
			}
			total = total.checked_add(authority.weight).ok_or(AuthorityError::Overflow)?;
		}
		Ok(Self { list, total })
	}

	/// Reads SCALE `Vec<(AuthorityId, u64)>`, the SDK's `AuthorityList`.
	pub(crate) fn read(reader: &mut Reader) -> Result<Self, AuthorityError> {
		let count = reader.count(AUTHORITY_BYTES)?;
		if count > MAX_AUTHORITIES {
			return Err(AuthorityError::TooMany(count));
		}
		let mut list = Vec::with_capacity(count);
		for _ in 0..count {
			list.push(Authority { key: reader.array()?, weight: reader.u64()? });
		}
		Self::new(list)
	}

	/// The value of `Grandpa::Authorities` in state: the list and nothing else.
	pub fn from_storage(value: &[u8]) -> Result<Self, AuthorityError> {
		let mut reader = Reader::new(value);
		let authorities = Self::read(&mut reader)?;
		reader.end()?;
		Ok(authorities)
	}

	/// The authorities, in the order of the chain.
	pub fn as_slice(&self) -> &[Authority] {
		&self.list
	}

	/// What all votes together weigh.
	pub fn total(&self) -> u64 {
		self.total
	}

	/// The least weight that finalizes: more than two thirds, if one third less one can be malicious.
	/// `finality-grandpa` computes it as `total - (total - 1) / 3`.
	pub fn threshold(&self) -> u64 {
		self.total.saturating_sub(self.total.saturating_sub(1) / 3)
	}
}

impl Encode for Authorities {
	fn size_hint(&self) -> usize {
		self.list.size_hint()
	}

	fn using_encoded<R, F: FnOnce(&[u8]) -> R>(&self, f: F) -> R {
		self.list.using_encoded(f)
	}
}

impl Decode for Authorities {
	fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
		Self::new(Vec::decode(input)?).map_err(|_| "a list of authorities that breaks a rule".into())
	}
}

/// The authorities in power, and how many sets there were before.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AuthoritySet {
	/// 0 at genesis, and one more with each change. Votes are signed for one set id.
	pub id: u64,
	/// Who votes.
	pub authorities: Authorities,
}

#[cfg(test)]
mod tests {
	use super::*;
	use alloc::vec;

	fn one(seed: u8, weight: u64) -> Authority {
		Authority { key: [seed; 32], weight }
	}

	#[test]
	fn the_threshold_is_that_of_grandpa() {
		use finality_grandpa::voter_set::VoterSet;
		for total in (1..200).chain([1_000, u64::MAX - 2, u64::MAX - 1, u64::MAX]) {
			let ours = Authorities::new(vec![one(1, total)]).unwrap().threshold();
			assert_eq!(ours, VoterSet::new([(1u8, total)]).unwrap().threshold().get(), "total {total}");
		}
		let four = Authorities::new((0..4).map(|seed| one(seed, 1)).collect()).unwrap();
		assert_eq!((four.total(), four.threshold()), (4, 3));
	}

	#[test]
	fn lists_that_break_a_rule_are_refused() {
		assert_eq!(Authorities::new(vec![]), Err(AuthorityError::Empty));
		assert_eq!(Authorities::new(vec![one(1, 1), one(2, 0)]), Err(AuthorityError::ZeroWeight(1)));
		assert_eq!(Authorities::new(vec![one(1, 1), one(2, 1), one(1, 1)]), Err(AuthorityError::Repeated(2)));
		assert_eq!(Authorities::new(vec![one(1, u64::MAX), one(2, 1)]), Err(AuthorityError::Overflow));
		let many: Vec<_> = (0..=MAX_AUTHORITIES as u64)
			.map(|n| {
				let mut key = [0; 32];
				key[..8].copy_from_slice(&n.to_le_bytes());
				Authority { key, weight: 1 }
			})
			.collect();
		assert_eq!(Authorities::from_storage(&many.encode()), Err(AuthorityError::TooMany(MAX_AUTHORITIES + 1)));
		assert_eq!(Authorities::new(many), Err(AuthorityError::TooMany(MAX_AUTHORITIES + 1)));
	}

	#[test]
	fn a_stored_list_survives_the_round_trip_and_no_damage() {
		let list = Authorities::new(vec![one(1, 1), one(2, 7)]).unwrap();
		let bytes = list.encode();
		assert_eq!(Authorities::from_storage(&bytes), Ok(list.clone()));
		assert_eq!(Authorities::decode(&mut &bytes[..]), Ok(list));
		for cut in 0..bytes.len() {
			assert!(Authorities::from_storage(&bytes[..cut]).is_err(), "cut at {cut}");
		}
		let longer = [&bytes[..], &[0]].concat();
		assert_eq!(Authorities::from_storage(&longer), Err(AuthorityError::Malformed(Malformed::Trailing)));
		assert!(Authorities::decode(&mut &[one(1, 0)].to_vec().encode()[..]).is_err());
	}
}
