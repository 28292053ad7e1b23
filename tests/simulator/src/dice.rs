//! Chance, from a seed.

use rand::{rngs::StdRng, seq::SliceRandom, Rng, SeedableRng};

/// Draws everything that is left to chance in a run.
pub(crate) struct Dice(StdRng);

impl Dice {
	pub(crate) fn new(seed: u64) -> Self {
		Self(StdRng::seed_from_u64(seed))
	}

	/// True so many times in a thousand.
	pub(crate) fn chance(&mut self, per_mille: u32) -> bool {
		self.0.gen_range(0..1000) < per_mille
	}

	/// A number from 0 up to but not including `end`; 0 if that is 0.
	pub(crate) fn below(&mut self, end: usize) -> usize {
		if end == 0 {
			0
		} else {
			self.0.gen_range(0..end)
		}
	}

	/// So many blocks at most.
	pub(crate) fn blocks(&mut self, most: u32) -> u32 {
		self.0.gen_range(0..=most)
	}

	pub(crate) fn number(&mut self) -> u64 {
		self.0.gen()
	}

	pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
		(0..length).map(|_| self.0.gen()).collect()
	}

	pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
		from.choose(&mut self.0).copied()
	}

	pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
		list.shuffle(&mut self.0);
	}
}
