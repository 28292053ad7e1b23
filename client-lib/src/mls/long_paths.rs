//! How many nodes the path of a commit is encrypted to, and who can make that fewer.
//!
//! A path is encrypted to the resolution of each node of the committer's copath (RFC 9420 sections 4.1.1 and 7.5): to one
//! node where a member below has renewed its keys since the last one came or went, and to each leaf where none has. In a
//! group that one member has just filled these are nearly all of them. A commit of any member of a branch makes its
//! resolution a single node.

use super::{error::EngineError, tls, Engine};
use crate::store::Overlay;
use lockstep_primitives::GroupId;
use openmls::{
	prelude::{
		tls_codec::{Serialize as _, VLBytes},
		LeafNodeIndex, ParentNode,
	},
	treesync::TreeSync,
};

const READING: &str = "reading the tree";

/// A path that is too long, and that this member's renewal would make shorter for those in other branches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongPath {
	/// What this member's next path would be encrypted to.
	pub nodes: u32,
	/// How many members of the same branch come before this one, so that one will do it.
	pub turn: u32,
}

impl Engine {
	/// Whether this member's path would be encrypted to more than `limit` nodes, and its renewal would spare the others those
	/// in its branch, half of its leaves or more. A branch is a subtree of the greatest power of two of leaves up to a
	/// quarter of `limit`.
	///
	/// # Errors
	/// [`EngineError`].
	pub fn long_path(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		limit: u32,
	) -> Result<Option<LongPath>, EngineError> {
		let loaded = self.take_active_as_it_is(overlay, group)?;
		let long = long_path(loaded.mls.treesync(), loaded.mls.own_leaf_index(), limit);
		loaded.give_back(overlay);
		long
	}
}

/// [`Engine::long_path`] of a tree with this member in it.
///
/// # Errors
/// [`EngineError::Library`], if a node cannot be read.
pub fn long_path(tree: &TreeSync, own: LeafNodeIndex, limit: u32) -> Result<Option<LongPath>, EngineError> {
	// A path is encrypted to no more nodes than there are other members.
	let members = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
	if tree.full_leaves().nth(members).is_none() {
		return Ok(None);
	}
	let shape = Shape::of(tree)?;
	let own = u64::from(own.u32());
	let nodes = shape.path(own);
	let level = (limit / 4).max(2).ilog2();
	let (branch, leaves) = (Node::above(own, level), 1_u64 << level);
	let spared = shape.resolution(branch).saturating_sub(1);
	if nodes <= u64::from(limit) || level >= shape.root || spared < leaves / 2 {
		return Ok(None);
	}
	let before = |leaf: &&u64| **leaf < own && **leaf / leaves == own / leaves;
	let turn = shape.leaves.iter().filter(before).count();
	Ok(Some(LongPath {
		nodes: u32::try_from(nodes).unwrap_or(u32::MAX),
		turn: u32::try_from(turn).unwrap_or(u32::MAX),
	}))
}

/// What a path has for one node: a KEM output of 32 bytes and a path secret of 32 with its tag of 16, each with its length
/// (RFC 9420 section 7.6).
const CIPHERTEXT: u64 = 33 + 49;

/// The nodes that a path of the member at `own` would be encrypted to, and how many bytes of that renewals of others can
/// spare it at most.
pub(super) fn path(tree: &TreeSync, own: LeafNodeIndex) -> Result<(u64, u64), EngineError> {
	let (shape, own) = (Shape::of(tree)?, u64::from(own.u32()));
	let (nodes, short) = (shape.path(own), shape.shortest_path(own));
	Ok((nodes, nodes.saturating_sub(short).saturating_mul(CIPHERTEXT)))
}

/// Whether a path to so many nodes is no longer than a commit may be.
pub(super) fn leave_room(nodes: u64, max: usize) -> bool {
	usize::try_from(nodes.saturating_mul(CIPHERTEXT)).is_ok_and(|length| length < max)
}

/// A node: how far above the leaves it is, and which one from the left of those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Node {
	level: u32,
	at: u64,
}

impl Node {
	/// The one at this level that a leaf lies under.
	fn above(leaf: u64, level: u32) -> Self {
		Self { level, at: leaf >> level }
	}

	fn sibling(self) -> Self {
		Self { at: self.at ^ 1, ..self }
	}

	fn children(self) -> Option<[Self; 2]> {
		let level = self.level.checked_sub(1)?;
		Some([0, 1].map(|side| Self { level, at: 2 * self.at + side }))
	}

	/// The index of a parent among all parents: that of its node is the odd one (RFC 9420 appendix C) at twice that.
	fn parent_index(self) -> u64 {
		(self.at << self.level) + (1 << (self.level - 1)) - 1
	}
}

/// Which nodes of a tree are not blank.
struct Shape {
	/// The level of the root.
	root: u32,
	/// From left to right.
	leaves: Vec<u64>,
	/// Indexes of parents, with how many unmerged leaves each has.
	parents: Vec<(u64, u64)>,
}

/// A parent node (RFC 9420 section 7.1): its key, its parent hash, and its unmerged leaves.
type Parent = (VLBytes, VLBytes, Vec<u32>);

impl Shape {
	fn of(tree: &TreeSync) -> Result<Self, EngineError> {
		let leaves: Vec<u64> = tree.full_leaves().map(|(index, _)| u64::from(index.u32())).collect();
		let width = leaves.last().map_or(1, |last| last + 1).next_power_of_two();
		let parents = tree.full_parents().map(|(index, parent)| Ok((u64::from(index.u32()), unmerged(parent)?)));
		Ok(Self { root: width.ilog2(), leaves, parents: parents.collect::<Result<_, EngineError>>()? })
	}

	/// The sum of the resolutions of a leaf's copath.
	fn path(&self, own: u64) -> u64 {
		(0..self.root).map(|level| self.resolution(Node::above(own, level).sibling())).sum()
	}

	/// The same if no node were blank that has a member below it.
	fn shortest_path(&self, own: u64) -> u64 {
		let copath = (0..self.root).map(|level| self.resolution(Node::above(own, level).sibling()));
		copath.map(|nodes| nodes.min(1)).sum()
	}

	/// How many nodes the resolution of one has.
	fn resolution(&self, node: Node) -> u64 {
		let Some(children) = node.children() else {
			return u64::from(self.leaves.binary_search(&node.at).is_ok());
		};
		match self.parents.binary_search_by_key(&node.parent_index(), |(index, _)| *index) {
			Ok(place) => self.parents.get(place).map_or(0, |(_, unmerged)| unmerged + 1),
			Err(_) => children.map(|child| self.resolution(child)).iter().sum(),
		}
	}
}

fn unmerged(parent: &ParentNode) -> Result<u64, EngineError> {
	let bytes = parent.tls_serialize_detached().map_err(EngineError::library(READING))?;
	let decoded: Option<Parent> = tls::decode(&bytes);
	let (_, _, unmerged) = decoded.ok_or_else(|| EngineError::library(READING)("a parent node does not decode"))?;
	Ok(u64::try_from(unmerged.len()).unwrap_or(u64::MAX))
}
