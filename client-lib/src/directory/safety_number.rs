//! Safety numbers: how two people make sure that each has the other's identity and nobody else's.

use super::IdentityId;

const DOMAIN: &str = "lockstep client 2026-11-27 safety numbers";
/// Groups of five digits.
const GROUPS: usize = 12;
/// What a group is taken modulo of.
const GROUP: u64 = 100_000;

/// A number of two identities, for the two people to compare over a way that they trust, face to face or by a call. It is the same on
/// both sides, and another one if either of them has somebody else's identity in the place of the other's. It does not change when
/// devices or keys do: which devices a person has is what the person's log says.
///
/// It has 60 digits. Whoever wants to stand between the two has to find two identities, one to show to each, with the same
/// number: about 2^99 attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SafetyNumber([u32; GROUPS]);

impl SafetyNumber {
	/// That of two people, in any order.
	pub fn of(one: &IdentityId, other: &IdentityId) -> Self {
		let (first, second) = if one <= other { (one, other) } else { (other, one) };
		let mut hasher = blake3::Hasher::new_derive_key(DOMAIN);
		hasher.update(&first.0);
		hasher.update(&second.0);
		let mut reader = hasher.finalize_xof();
		Self(std::array::from_fn(|_| {
			let mut bytes = [0; 8];
			reader.fill(&mut bytes);
			let digits = u64::from_be_bytes(bytes).checked_rem(GROUP).unwrap_or_default();
			u32::try_from(digits).unwrap_or_default()
		}))
	}

	/// Its twelve groups of five digits.
	pub fn groups(&self) -> impl Iterator<Item = String> + '_ {
		self.0.iter().map(|group| format!("{group:05}"))
	}
}

impl std::fmt::Display for SafetyNumber {
	/// The groups, with spaces between them.
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.write_str(&self.groups().collect::<Vec<_>>().join(" "))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::collections::BTreeSet;

	fn id(name: u8) -> IdentityId {
		IdentityId([name; 32])
	}

	#[test]
	fn both_have_the_same_number_and_others_another() {
		assert_eq!(SafetyNumber::of(&id(1), &id(2)), SafetyNumber::of(&id(2), &id(1)));
		let pairs = (0..20).flat_map(|one| (0..=one).map(move |other| SafetyNumber::of(&id(one), &id(other))));
		assert_eq!(pairs.collect::<BTreeSet<_>>().len(), 210);
		let mut close = id(2);
		close.0[31] ^= 1;
		assert_ne!(SafetyNumber::of(&id(1), &id(2)), SafetyNumber::of(&id(1), &close));
	}

	/// It is compared between versions of this library, so it stays as it is.
	#[test]
	fn it_is_sixty_digits_for_ever() {
		let number = SafetyNumber::of(&id(1), &id(2)).to_string();
		assert_eq!(number.len(), 71);
		assert!(number.split(' ').all(|group| group.len() == 5 && group.bytes().all(|digit| digit.is_ascii_digit())));
		assert_eq!(number, "34246 81833 56137 08931 90821 70605 41614 58521 59195 33651 42754 38305");
	}
}
