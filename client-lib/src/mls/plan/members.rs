//! The members as they are before a commit. All are looked at for each commit that is made, so they lie in one place.

use super::{Known, Place};
use crate::mls::{leaves::Leaves, policy::PolicyError};
use std::ops::Range;

/// The leaves of a group, from left to right.
pub(super) struct Members {
	/// Identities and keys, one after the other.
	bytes: Vec<u8>,
	/// Where a leaf is in the tree, and where in the bytes its identity and its key are.
	leaves: Vec<(Place, Range<usize>, Range<usize>)>,
}

impl Members {
	/// Copies what is known of these leaves.
	pub(super) fn of(leaves: &Leaves<'_>) -> Result<Self, PolicyError> {
		let mut members = Self { bytes: Vec::new(), leaves: Vec::new() };
		for leaf in leaves.iter() {
			let (identity, key) = (members.put(leaf.identity()?), members.put(leaf.key()));
			members.leaves.push((leaf.index.u32(), identity, key));
		}
		Ok(members)
	}

	fn put(&mut self, bytes: &[u8]) -> Range<usize> {
		let start = self.bytes.len();
		self.bytes.extend_from_slice(bytes);
		start..self.bytes.len()
	}

	/// The leaf at a place, if it is not blank.
	pub(super) fn get(&self, place: Place) -> Option<Known<'_>> {
		let at = self.leaves.binary_search_by_key(&place, |(place, ..)| *place).ok()?;
		self.leaves.get(at).map(|leaf| self.known(leaf))
	}

	/// All leaves and where they are.
	pub(super) fn iter(&self) -> impl Iterator<Item = (Place, Known<'_>)> {
		self.leaves.iter().map(|leaf| (leaf.0, self.known(leaf)))
	}

	fn known(&self, (_, identity, key): &(Place, Range<usize>, Range<usize>)) -> Known<'_> {
		let bytes = |range: &Range<usize>| self.bytes.get(range.clone()).unwrap_or_default();
		Known { identity: bytes(identity), key: bytes(key) }
	}
}
