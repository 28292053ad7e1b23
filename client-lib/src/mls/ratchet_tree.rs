//! The ratchet tree beside a Welcome (RFC 9420 section 12.4.3.3), in its TLS form. It is written from a group where it lies:
//! OpenMLS copies each node first.

use super::{
	error::{EngineError, WelcomeError},
	keys, tls, Engine, Prepared,
};
use crate::store::Overlay;
use openmls::{
	prelude::{
		tls_codec::{Serialize, Size, VLByteSlice},
		MlsGroup, RatchetTreeIn,
	},
	treesync::TreeSync,
};

/// What a place in the tree begins with.
const BLANK: u8 = 0;
const LEAF: [u8; 2] = [1, 1];
const PARENT: [u8; 2] = [1, 2];

const READING: &str = "reading the tree of a Welcome";

/// The places of a tree so far, from left to right.
#[derive(Default)]
struct Places {
	bytes: Vec<u8>,
	count: u64,
}

impl Places {
	/// Puts a node to a place, and leaves those before it blank that have none.
	fn put(&mut self, place: u64, kind: [u8; 2], node: &impl Serialize) -> Result<(), EngineError> {
		while self.count < place {
			self.bytes.push(BLANK);
			self.count += 1;
		}
		self.bytes.extend(kind);
		node.tls_serialize(&mut self.bytes).map_err(EngineError::library("writing the tree"))?;
		self.count += 1;
		Ok(())
	}
}

/// A tree up to its last leaf that is not blank.
pub(super) fn encode(tree: &TreeSync) -> Result<Vec<u8>, EngineError> {
	let mut places = Places::default();
	// The leaves have the even places, the parents the odd ones between them.
	let parents = tree.full_parents().map(|(index, parent)| (2 * u64::from(index.u32()) + 1, parent));
	let mut parents = parents.peekable();
	for (index, leaf) in tree.full_leaves() {
		let place = 2 * u64::from(index.u32());
		while let Some((before, parent)) = parents.next_if(|(before, _)| *before < place) {
			places.put(before, PARENT, parent)?;
		}
		places.put(place, LEAF, leaf)?;
	}
	VLByteSlice(&places.bytes).tls_serialize_detached().map_err(EngineError::library("writing the tree"))
}

/// How many bytes [`encode`] makes of a tree, without making them: this is asked for each commit that invites somebody.
pub(super) fn encoded_len(tree: &TreeSync) -> usize {
	// Each place has a byte, blank or not; a node has another one, and what it says.
	let (mut places, mut nodes) = (0_usize, 0_usize);
	for (index, leaf) in tree.full_leaves() {
		places = 2 * index.usize() + 1;
		nodes += 1 + leaf.tls_serialized_len();
	}
	for (index, parent) in tree.full_parents() {
		// None of those behind the last leaf is written.
		if usize::try_from(index.u32()).is_ok_and(|index| 2 * index + 1 < places) {
			nodes += 1 + parent.tls_serialized_len();
		}
	}
	let length = places + nodes;
	// RFC 9420 section 2.1.2
	let header = match length {
		0..=0x3f => 1,
		0x40..=0x3fff => 2,
		_ => 4,
	};
	header + length
}

/// The tree from beside a Welcome, nothing of it checked; `None` if there was none. It has fewer places than bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<Option<RatchetTreeIn>, WelcomeError> {
	if bytes.is_empty() {
		return Ok(None);
	}
	tls::decode(bytes).map(Some).ok_or(WelcomeError::Malformed)
}

impl Engine {
	/// The tree of the epoch that a commit of this member's own opens, never another.
	///
	/// # Errors
	/// [`EngineError`]; if the commit is not the group's last and cannot be its next, too.
	pub(super) fn opened_tree(&self, overlay: &Overlay<'_>, prepared: &Prepared) -> Result<Vec<u8>, EngineError> {
		let loaded = self.take_as_it_is(overlay, &prepared.group)?;
		let tree = self.tree_after(overlay, &loaded.mls, prepared);
		loaded.give_back(overlay);
		tree
	}

	fn tree_after(&self, overlay: &Overlay<'_>, mls: &MlsGroup, prepared: &Prepared) -> Result<Vec<u8>, EngineError> {
		let group = &prepared.group;
		let current = mls.epoch().as_u64();
		if current.checked_sub(1) == Some(prepared.epoch)
			&& keys::ordering_key(mls, &self.crypto, group)? == prepared.next_key
		{
			return encode(mls.treesync());
		}
		if current == prepared.epoch && self.tip(overlay, group, mls)?.entry == prepared.parent {
			return self.tree_before_the_merge(mls, prepared);
		}
		let reason = format!("the group is in epoch {current}, and not by the commit made in {}", prepared.epoch);
		Err(EngineError::Library { during: READING, reason })
	}

	/// Slower, for there is no such tree yet: only for who invites to an epoch that may never be.
	fn tree_before_the_merge(&self, mls: &MlsGroup, prepared: &Prepared) -> Result<Vec<u8>, EngineError> {
		let staged = prepared.staged()?;
		let tree = staged.export_ratchet_tree(&self.crypto, mls.export_ratchet_tree());
		let tree = tree.map_err(EngineError::library(READING))?;
		let missing = || EngineError::Library { during: READING, reason: "the commit has none".to_owned() };
		tree.ok_or_else(missing)?.tls_serialize_detached().map_err(EngineError::library(READING))
	}
}
