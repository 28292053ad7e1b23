//! Which statements were handled already.

use std::collections::{HashSet, VecDeque};

/// How many statements are remembered. Repeats that are older are found out by the ratchets of MLS.
const REMEMBERED: usize = 16 * 1024;

/// A bounded memory of statements, by hash: nodes send what they have stored with each new subscription.
#[derive(Debug, Default)]
pub struct Seen {
	hashes: HashSet<[u8; 32]>,
	order: VecDeque<[u8; 32]>,
}

impl Seen {
	/// What a statement is remembered by.
	pub fn hash(statement: &[u8]) -> [u8; 32] {
		blake3::hash(statement).into()
	}

	/// Remembers a statement, by its hash. False if it was remembered already.
	pub fn insert(&mut self, hash: [u8; 32]) -> bool {
		if !self.hashes.insert(hash) {
			return false;
		}
		self.order.push_back(hash);
		if self.order.len() > REMEMBERED {
			if let Some(oldest) = self.order.pop_front() {
				self.hashes.remove(&oldest);
			}
		}
		true
	}

	/// Takes a statement for a new one when it comes again.
	pub fn forget(&mut self, hash: &[u8; 32]) {
		if self.hashes.remove(hash) {
			self.order.retain(|other| other != hash);
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn repeats_are_seen_and_memory_is_bounded() {
		let mut seen = Seen::default();
		let a = Seen::hash(b"a");
		assert!(seen.insert(a));
		seen.forget(&a);
		assert!(seen.insert(a), "it was forgotten");
		assert!(!seen.insert(a));
		for number in 0..REMEMBERED {
			assert!(seen.insert(Seen::hash(&number.to_le_bytes())));
		}
		assert_eq!((seen.hashes.len(), seen.order.len()), (REMEMBERED, REMEMBERED));
		assert!(seen.insert(a), "the oldest is forgotten");
	}
}
