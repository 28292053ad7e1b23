//! Statements that came before their epoch.

use super::statement::Statement;
use std::collections::VecDeque;

/// Statements kept for one group.
const MAX_COUNT: usize = 512;
/// Bytes of their data.
const MAX_BYTES: usize = 1024 * 1024;

/// Statements signed by a key that is not known yet: of an epoch that the gate has not passed, or garbage. The
/// oldest go when there are too many.
#[derive(Debug, Default)]
pub struct Buffer {
	kept: VecDeque<Early>,
	bytes: usize,
}

/// A statement that came early, and what it is remembered by.
#[derive(Debug)]
struct Early {
	statement: Statement,
	hash: [u8; 32],
}

impl Buffer {
	/// Keeps a statement for later. Gives the hashes of those that had to go for it: they were not read, and are new when
	/// they come again.
	pub fn keep(&mut self, statement: Statement, hash: [u8; 32]) -> Vec<[u8; 32]> {
		self.bytes = self.bytes.saturating_add(statement.data.len());
		self.kept.push_back(Early { statement, hash });
		let mut gone = Vec::new();
		while self.kept.len() > MAX_COUNT || self.bytes > MAX_BYTES {
			let Some(oldest) = self.kept.pop_front() else { break };
			self.bytes = self.bytes.saturating_sub(oldest.statement.data.len());
			gone.push(oldest.hash);
		}
		gone
	}

	/// Takes out the statements signed by `signer`, in the order they came.
	pub fn take(&mut self, signer: &[u8; 32]) -> Vec<(Statement, [u8; 32])> {
		if self.kept.iter().all(|early| early.statement.signer != *signer) {
			return Vec::new();
		}
		let (ready, rest): (VecDeque<_>, _) =
			std::mem::take(&mut self.kept).into_iter().partition(|early| early.statement.signer == *signer);
		self.bytes = rest.iter().fold(0, |sum: usize, early| sum.saturating_add(early.statement.data.len()));
		self.kept = rest;
		ready.into_iter().map(|early| (early.statement, early.hash)).collect()
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn statement(signer: u8, length: usize) -> Statement {
		Statement { signer: [signer; 32], topic: [0; 32], data: vec![signer; length] }
	}

	#[test]
	fn statements_wait_for_their_epoch_in_order() {
		let mut buffer = Buffer::default();
		for (signer, length) in [(1, 3), (2, 4), (1, 5)] {
			assert!(buffer.keep(statement(signer, length), [signer; 32]).is_empty());
		}
		assert_eq!(buffer.take(&[1; 32]), [(statement(1, 3), [1; 32]), (statement(1, 5), [1; 32])]);
		assert_eq!(buffer.take(&[1; 32]), []);
		assert_eq!(buffer.take(&[2; 32]), [(statement(2, 4), [2; 32])]);
		assert_eq!(buffer.bytes, 0);
	}

	#[test]
	fn a_flood_of_garbage_is_bounded_in_count_and_bytes() {
		let mut buffer = Buffer::default();
		let gone = (0..MAX_COUNT * 2).flat_map(|_| buffer.keep(statement(1, 1), [1; 32])).collect::<Vec<_>>();
		assert_eq!((buffer.kept.len(), gone.len()), (MAX_COUNT, MAX_COUNT));
		for _ in 0..20 {
			buffer.keep(statement(2, MAX_BYTES / 4), [2; 32]);
		}
		assert!(buffer.bytes <= MAX_BYTES);
		assert_eq!(buffer.kept.len(), 4);
		assert_eq!(buffer.keep(statement(3, MAX_BYTES + 1), [3; 32]), [[2; 32], [2; 32], [2; 32], [2; 32], [3; 32]]);
		assert_eq!((buffer.kept.len(), buffer.bytes), (0, 0));
	}
}
