//! Statements that came before their epoch.

use super::statement::Statement;
use lockstep_primitives::BlockNumber;
use std::collections::{BTreeMap, VecDeque};

/// Statements kept for one group.
const MAX_COUNT: usize = 16 * 1024;
/// Bytes of their data.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// How many finalized blocks a statement waits for its epoch once the log is read. Senders post when the entry that opened
/// the epoch is final.
const MAX_WAIT: BlockNumber = 30;
/// What a statement takes besides its data, roughly.
const STATEMENT: usize = 256;

/// Statements signed by a key that is not known yet: of an epoch that the gate has not passed, or garbage. There is room
/// for days of talk in which a member was away. The oldest go when there are too many.
#[derive(Debug, Default)]
pub struct Buffer {
	/// By signer, each with its number in the order they came.
	kept: BTreeMap<[u8; 32], VecDeque<(u64, Early)>>,
	/// The signers, in that order.
	order: BTreeMap<u64, [u8; 32]>,
	next: u64,
	bytes: usize,
	/// Finalized blocks at which the log was read to its end, each with the number of the statement to come next.
	read: VecDeque<(BlockNumber, u64)>,
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
		self.bytes = self.bytes.saturating_add(size(&statement));
		self.order.insert(self.next, statement.signer);
		self.kept.entry(statement.signer).or_default().push_back((self.next, Early { statement, hash }));
		self.next = self.next.wrapping_add(1);
		let mut gone = Vec::new();
		while self.order.len() > MAX_COUNT || self.bytes > MAX_BYTES {
			let Some((hash, _)) = self.drop_oldest() else { break };
			gone.push(hash);
		}
		gone
	}

	/// The log is read to its end, up to this finalized block. What was there as long ago as [`MAX_WAIT`] blocks goes: it is
	/// of an epoch whose keys are deleted, or garbage.
	pub fn expire(&mut self, finalized: BlockNumber) {
		if self.order.is_empty() {
			return self.read.clear();
		}
		self.read.push_back((finalized, self.next));
		while let Some((block, next)) = self.read.front().copied() {
			if block.saturating_add(MAX_WAIT) > finalized {
				break;
			}
			self.read.pop_front();
			while self.order.first_key_value().is_some_and(|(number, _)| *number < next) {
				if self.drop_oldest().is_none() {
					break;
				}
			}
		}
	}

	/// Lets the oldest statement go; gives its hash, and the bytes that it took.
	pub fn drop_oldest(&mut self) -> Option<([u8; 32], usize)> {
		let (_, signer) = self.order.pop_first()?;
		let of_signer = self.kept.get_mut(&signer)?;
		let (_, Early { statement, hash }) = of_signer.pop_front()?;
		if of_signer.is_empty() {
			self.kept.remove(&signer);
		}
		let dropped = size(&statement);
		self.bytes = self.bytes.saturating_sub(dropped);
		Some((hash, dropped))
	}

	/// Whether there are statements signed by `signer`.
	pub fn has(&self, signer: &[u8; 32]) -> bool {
		self.kept.contains_key(signer)
	}

	/// Takes out the statements signed by `signer`, in the order they came.
	pub fn take(&mut self, signer: &[u8; 32]) -> Vec<(Statement, [u8; 32])> {
		let taken = self.kept.remove(signer).unwrap_or_default();
		let mut statements = Vec::with_capacity(taken.len());
		for (number, Early { statement, hash }) in taken {
			self.order.remove(&number);
			self.bytes = self.bytes.saturating_sub(size(&statement));
			statements.push((statement, hash));
		}
		statements
	}

	/// The bytes that all of them take.
	pub fn bytes(&self) -> usize {
		self.bytes
	}
}

fn size(statement: &Statement) -> usize {
	statement.data.len().saturating_add(STATEMENT)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn statement(signer: u8, length: usize) -> Statement {
		Statement { signer: [signer; 32], topic: [0; 32], data: vec![signer; length] }
	}

	fn keep(buffer: &mut Buffer, signer: u8, length: usize) -> Vec<[u8; 32]> {
		buffer.keep(statement(signer, length), [signer; 32])
	}

	#[test]
	fn statements_wait_for_their_epoch_in_order() {
		let mut buffer = Buffer::default();
		for (signer, length) in [(1, 3), (2, 4), (1, 5)] {
			assert!(keep(&mut buffer, signer, length).is_empty());
		}
		assert!(buffer.has(&[1; 32]) && !buffer.has(&[3; 32]));
		assert_eq!(buffer.take(&[1; 32]), [(statement(1, 3), [1; 32]), (statement(1, 5), [1; 32])]);
		assert!(buffer.has(&[2; 32]) && !buffer.has(&[1; 32]));
		assert_eq!(buffer.take(&[1; 32]), []);
		assert_eq!(buffer.take(&[2; 32]), [(statement(2, 4), [2; 32])]);
		assert_eq!((buffer.bytes(), buffer.order.len()), (0, 0));
	}

	#[test]
	fn a_flood_of_garbage_is_bounded_in_count_and_bytes() {
		let mut buffer = Buffer::default();
		let gone = (0..MAX_COUNT * 2).flat_map(|_| keep(&mut buffer, 1, 1)).collect::<Vec<_>>();
		assert_eq!((buffer.order.len(), gone.len()), (MAX_COUNT, MAX_COUNT));
		for _ in 0..20 {
			keep(&mut buffer, 2, MAX_BYTES / 4);
		}
		assert!(buffer.bytes() <= MAX_BYTES);
		assert_eq!((buffer.order.len(), buffer.take(&[1; 32]).len()), (3, 0));
		assert_eq!(keep(&mut buffer, 3, MAX_BYTES + 1), [[2; 32], [2; 32], [2; 32], [3; 32]]);
		assert_eq!((buffer.order.len(), buffer.kept.len(), buffer.bytes()), (0, 0, 0));
	}

	#[test]
	fn what_no_epoch_comes_for_goes_after_a_while() {
		let mut buffer = Buffer::default();
		keep(&mut buffer, 1, 10);
		buffer.expire(100);
		keep(&mut buffer, 2, 10);
		for block in 101..100 + MAX_WAIT {
			buffer.expire(block);
		}
		assert_eq!(buffer.order.len(), 2);
		buffer.expire(100 + MAX_WAIT);
		assert_eq!((buffer.order.len(), buffer.take(&[1; 32]).len()), (1, 0), "the second came later");
		assert_eq!(buffer.take(&[2; 32]).len(), 1);
		buffer.expire(500);
		assert!(buffer.read.is_empty());
	}

	#[test]
	fn the_oldest_go_whoever_signed_them() {
		let mut buffer = Buffer::default();
		for signer in [1, 2, 1] {
			keep(&mut buffer, signer, 10);
		}
		assert_eq!(buffer.drop_oldest(), Some(([1; 32], 10 + STATEMENT)));
		assert_eq!(buffer.take(&[1; 32]).len(), 1);
		assert_eq!(buffer.drop_oldest(), Some(([2; 32], 10 + STATEMENT)));
		assert_eq!(buffer.drop_oldest(), None);
	}
}
