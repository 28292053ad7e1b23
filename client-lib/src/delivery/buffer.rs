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
	kept: VecDeque<Statement>,
	bytes: usize,
}

impl Buffer {
	/// Keeps a statement for later.
	pub fn keep(&mut self, statement: Statement) {
		self.bytes = self.bytes.saturating_add(statement.data.len());
		self.kept.push_back(statement);
		while self.kept.len() > MAX_COUNT || self.bytes > MAX_BYTES {
			let Some(oldest) = self.kept.pop_front() else { break };
			self.bytes = self.bytes.saturating_sub(oldest.data.len());
		}
	}

	/// Takes out the statements signed by `signer`, in the order they came.
	pub fn take(&mut self, signer: &[u8; 32]) -> Vec<Statement> {
		let (ready, rest): (VecDeque<_>, _) =
			std::mem::take(&mut self.kept).into_iter().partition(|statement| statement.signer == *signer);
		self.bytes = rest.iter().fold(0, |sum: usize, statement| sum.saturating_add(statement.data.len()));
		self.kept = rest;
		ready.into()
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
			buffer.keep(statement(signer, length));
		}
		assert_eq!(buffer.take(&[1; 32]), [statement(1, 3), statement(1, 5)]);
		assert_eq!(buffer.take(&[1; 32]), []);
		assert_eq!(buffer.take(&[2; 32]), [statement(2, 4)]);
		assert_eq!(buffer.bytes, 0);
	}

	#[test]
	fn a_flood_of_garbage_is_bounded_in_count_and_bytes() {
		let mut buffer = Buffer::default();
		for _ in 0..MAX_COUNT * 2 {
			buffer.keep(statement(1, 1));
		}
		assert_eq!(buffer.kept.len(), MAX_COUNT);
		for _ in 0..20 {
			buffer.keep(statement(2, MAX_BYTES / 4));
		}
		assert!(buffer.bytes <= MAX_BYTES);
		assert_eq!(buffer.kept.len(), 4);
		buffer.keep(statement(3, MAX_BYTES + 1));
		assert_eq!((buffer.kept.len(), buffer.bytes), (0, 0));
	}
}
