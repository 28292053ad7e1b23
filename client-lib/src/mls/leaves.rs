//! The leaves of a tree where they lie. All members are looked at for each commit, so none is copied.

use super::{
	people::Binding,
	policy::{self, PolicyError},
};
use openmls::{
	prelude::{LeafNode, LeafNodeIndex},
	treesync::TreeSync,
};

/// The leaves that are not blank, from left to right.
pub(super) struct Leaves<'a>(Vec<Leaf<'a>>);

/// A leaf, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leaf<'a> {
	pub(super) index: LeafNodeIndex,
	pub(super) node: &'a LeafNode,
}

impl<'a> Leaf<'a> {
	/// The identity of its member.
	pub(super) fn identity(self) -> Result<&'a [u8], PolicyError> {
		policy::named(self.node.credential())
	}

	/// Its signature key.
	pub(super) fn key(self) -> &'a [u8] {
		self.node.signature_key().as_slice()
	}

	/// What its client is called where each needs a name of its own: by its identity, in a group of people by the device.
	pub(super) fn client(self, people: bool) -> Result<Vec<u8>, PolicyError> {
		let key = if people { self.key() } else { &[] };
		Ok([self.identity()?, key].concat())
	}

	/// What it says.
	pub(super) fn binding(self) -> Result<Binding<'a>, PolicyError> {
		Ok(Binding { identity: self.identity()?, key: self.key() })
	}
}

impl<'a> Leaves<'a> {
	pub(super) fn of(tree: &'a TreeSync) -> Self {
		Self(tree.full_leaves().map(|(index, node)| Leaf { index, node }).collect())
	}

	pub(super) fn iter(&self) -> impl Iterator<Item = Leaf<'a>> + '_ {
		self.0.iter().copied()
	}

	/// Whether somebody has a leaf.
	pub(super) fn has(&self, identity: &[u8]) -> bool {
		self.iter().any(|leaf| leaf.identity().is_ok_and(|found| found == identity))
	}

	/// The leaf at a place, if it is not blank.
	pub(super) fn at(&self, index: LeafNodeIndex) -> Option<Leaf<'a>> {
		let place = self.0.binary_search_by_key(&index.u32(), |leaf| leaf.index.u32()).ok()?;
		self.0.get(place).copied()
	}

	/// Those that are not in `others` just as they are here.
	pub(super) fn not_in(&self, others: &Leaves<'_>) -> Vec<Leaf<'a>> {
		let mut rest = others.0.as_slice();
		let mut found = Vec::new();
		for leaf in self.iter() {
			while let [first, after @ ..] = rest {
				if first.index.u32() >= leaf.index.u32() {
					break;
				}
				rest = after;
			}
			if rest.first() != Some(&leaf) {
				found.push(leaf);
			}
		}
		#[cfg(test)]
		assert_eq!(found, self.iter().filter(|leaf| others.iter().all(|other| other != *leaf)).collect::<Vec<_>>());
		found
	}
}
