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
	/// Remembers a statement. False if it was remembered already.
	pub fn insert(&mut self, statement: &[u8]) -> bool {
		let hash: [u8; 32] = blake3::hash(statement).into();
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
	pub fn forget(&mut self, statement: &[u8]) {
		let hash: [u8; 32] = blake3::hash(statement).into();
		if self.hashes.remove(&hash) {
			self.order.retain(|other| *other != hash);
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn repeats_are_seen_and_memory_is_bounded() {
		let mut seen = Seen::default();
		assert!(seen.insert(b"a"));
		seen.forget(b"a");
		assert!(seen.insert(b"a"), "it was forgotten");
		assert!(!seen.insert(b"a"));
		for number in 0..REMEMBERED {
			assert!(seen.insert(&number.to_le_bytes()));
		}
		assert_eq!((seen.hashes.len(), seen.order.len()), (REMEMBERED, REMEMBERED));
		assert!(seen.insert(b"a"), "the oldest is forgotten");
	}
}
