//! Entries that a node has sent and nothing has proven yet.

use crate::log::{LogCursor, VerifiedEntry};
use lockstep_primitives::{EntryHash, LogHead};
use std::collections::VecDeque;

/// Payload bytes that are kept for one group while its head is not proven. What goes beyond is read a second time.
const KEPT: usize = 16 * 1024 * 1024;
/// What an entry takes besides its payload, roughly.
const ENTRY: usize = 256;
/// Entries that a node may send for one group without proving its head.
const UNPROVEN: usize = 1 << 20;

/// The entries of one group since the last proof of its head.
#[derive(Debug)]
pub(super) struct Waiting {
	/// Where they begin.
	start: LogCursor,
	/// With payloads, until there are too many.
	entries: Vec<VerifiedEntry>,
	bytes: usize,
	/// The names of all of them.
	hashes: VecDeque<EntryHash>,
	overflown: bool,
}

/// What a proof of a head brings about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Proven {
	/// These are in the log.
	Release(Vec<VerifiedEntry>),
	/// They are in the log, but were too many to keep: read them again from here; each is known by its hash now.
	Reread(LogCursor, VecDeque<EntryHash>),
}

impl Waiting {
	pub fn new(start: LogCursor) -> Self {
		Self { start, entries: Vec::new(), bytes: 0, hashes: VecDeque::new(), overflown: false }
	}

	/// One more entry. False if there are more than anybody needs.
	pub fn push(&mut self, entry: VerifiedEntry) -> bool {
		self.hashes.push_back(entry.header.hash);
		self.bytes = self.bytes.saturating_add(entry.payload.as_ref().map_or(0, Vec::len)).saturating_add(ENTRY);
		if self.bytes > KEPT {
			self.overflown = true;
			self.entries = Vec::new();
		}
		if !self.overflown {
			self.entries.push(entry);
		}
		self.hashes.len() <= UNPROVEN
	}

	/// Where the entries begin.
	pub fn start(&self) -> LogCursor {
		self.start
	}

	/// The head that the entries make.
	pub fn head(&self) -> Option<LogHead> {
		let count = u64::try_from(self.hashes.len()).ok()?;
		let hash = self.hashes.back().copied().unwrap_or(self.start.head.hash);
		Some(LogHead { length: self.start.head.length.checked_add(count)?, hash })
	}

	/// That head is proven.
	pub fn proven(self) -> Proven {
		if self.overflown {
			Proven::Reread(self.start, self.hashes)
		} else {
			Proven::Release(self.entries)
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::log::EntryHeader;
	use lockstep_primitives::{GenesisHash, GroupId, OrderingKey, PayloadHash};

	fn start() -> LogCursor {
		LogCursor::start(&GenesisHash([0; 32]), &GroupId([1; 32]))
	}

	fn entry(index: u64, bytes: usize) -> VerifiedEntry {
		let header = EntryHeader {
			index,
			hash: EntryHash([index as u8; 32]),
			parent: EntryHash([0; 32]),
			block: 1,
			payload_hash: PayloadHash([0; 32]),
			next_key: OrderingKey([0; 32]),
		};
		VerifiedEntry { header, payload: Some(vec![0; bytes]) }
	}

	#[test]
	fn the_head_is_that_of_the_newest_entry() {
		let mut waiting = Waiting::new(start());
		assert_eq!(waiting.head(), Some(start().head));
		assert!(waiting.push(entry(0, 5)) && waiting.push(entry(1, 5)));
		assert_eq!(waiting.head(), Some(LogHead { length: 2, hash: EntryHash([1; 32]) }));
		let Proven::Release(entries) = waiting.proven() else { panic!("they are few") };
		assert_eq!(entries.len(), 2);
	}

	#[test]
	fn payloads_beyond_the_bound_are_let_go_and_read_again() {
		let mut waiting = Waiting::new(start());
		for index in 0..40 {
			assert!(waiting.push(entry(index, KEPT / 32)));
			assert!(
				waiting.entries.iter().filter_map(|entry| entry.payload.as_ref()).map(Vec::len).sum::<usize>() <= KEPT
			);
		}
		let Proven::Reread(from, hashes) = waiting.proven() else { panic!("they are many") };
		assert_eq!((from, hashes.len()), (start(), 40));
	}

	#[test]
	fn entries_without_end_are_refused() {
		let mut waiting = Waiting::new(start());
		assert!((0..UNPROVEN as u64).all(|index| waiting.push(entry(index, 100))));
		assert!(!waiting.push(entry(0, 100)));
	}
}
