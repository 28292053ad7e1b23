//! What was there before, and so joins nothing: encodings, the sponsor, the chain's own values.

use super::VALUE;
use std::collections::HashSet;

/// Bytes of a piece. Five bytes by chance are among some million pieces once in a few hundred thousand times; shorter ones are there
/// too often, and longer ones leave too much of a constant between two fields.
const PIECE: usize = 5;
/// Different bytes that a value has at least: counters and balances have fewer.
const VARIED: usize = 8;

/// Bytes that were there before, in pieces. A value none of whose bytes is in one of them is fresh.
#[derive(Clone, Debug, Default)]
pub struct Constants(HashSet<[u8; PIECE]>);

impl Constants {
	/// These bytes were there before.
	pub fn add(&mut self, bytes: &[u8]) {
		self.0.extend(bytes.array_windows::<PIECE>());
	}

	/// Every fresh value in these bytes.
	pub(super) fn fresh<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = [u8; VALUE]> + 'a {
		let mut old = vec![false; bytes.len()];
		for (at, _) in bytes.array_windows::<PIECE>().enumerate().filter(|(_, piece)| self.0.contains(*piece)) {
			old[at..at + PIECE].fill(true);
		}
		let windows = bytes.array_windows::<VALUE>().enumerate();
		let fresh = windows.filter(move |(at, value)| !old[*at..*at + VALUE].contains(&true) && is_varied(value));
		fresh.map(|(_, value)| *value)
	}
}

fn is_varied(value: &[u8; VALUE]) -> bool {
	let mut seen = [0u64; 4];
	for byte in value {
		seen[usize::from(byte / 64)] |= 1 << (byte % 64);
	}
	seen.iter().map(|bits| bits.count_ones() as usize).sum::<usize>() >= VARIED
}
