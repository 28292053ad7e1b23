//! The state trie, node by node, as `sp_trie::LayoutV1<Blake2Hasher>` encodes it.
//!
//! ```text
//! node    = header | partial key | leaf: value
//!                                | branch: bitmap: u16 | value if any | child of each bit set, lowest first
//! header  = kind in the highest bits, number of nibbles of the partial key in the others; if those are all ones,
//!           bytes follow that are added, up to the first that is not 255
//! value   = compact length and bytes, or the BLAKE2b-256 of the bytes, by kind
//! child   = compact length and bytes: the hash of a node if there are 32 of them, else the node itself
//! ```
//!
//! Nodes are found by their hash, so a proof cannot lie; it can only be incomplete. Tests compare this reader with
//! `sp-trie`, which is not used here: it brings `sp-core` with four signature schemes into every client, and its
//! node decoder adds up lengths without a check where addresses have 32 bits.

#[cfg(test)]
mod tests;

use crate::bytes::{Malformed, Reader};

/// The hash by which a node or a long value is found.
pub(crate) type NodeHash = [u8; 32];

/// Why a key could not be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LookupError {
	/// A node on the way is not there.
	Missing,
	/// A node on the way is there, but is none.
	Malformed,
}

impl From<Malformed> for LookupError {
	fn from(_: Malformed) -> Self {
		Self::Malformed
	}
}

/// Looks up `key` in the trie under `root`; `get` finds a node or value by its hash. `None` if the trie shows that
/// there is no such key.
pub(crate) fn lookup<'a>(
	root: &NodeHash,
	key: &[u8],
	mut get: impl FnMut(&NodeHash) -> Option<&'a [u8]>,
) -> Result<Option<&'a [u8]>, LookupError> {
	let mut key = Nibbles::whole(key);
	let mut bytes = get(root).ok_or(LookupError::Missing)?;
	loop {
		// Every turn takes at least one nibble off the key, so the loop ends.
		let value = match Node::decode(bytes)? {
			Node::Empty => None,
			Node::Leaf { partial, value } => (partial == key).then_some(value),
			Node::Branch { partial, value, children } => {
				let Some(rest) = key.strip(&partial) else { return Ok(None) };
				let Some((child, rest)) = rest.split_first() else {
					return value.map(|value| value.resolve(&mut get)).transpose();
				};
				key = rest;
				bytes = match children.nth(child)? {
					Some(Child::Hash(hash)) => get(&hash).ok_or(LookupError::Missing)?,
					Some(Child::Inline(node)) => node,
					None => return Ok(None),
				};
				continue;
			}
		};
		return value.map(|value| value.resolve(&mut get)).transpose();
	}
}

/// A part of a key, in half-bytes, the higher half first.
#[derive(Clone, Copy)]
struct Nibbles<'a> {
	bytes: &'a [u8],
	/// Position of the first nibble.
	from: usize,
}

impl<'a> Nibbles<'a> {
	fn whole(bytes: &'a [u8]) -> Self {
		Self { bytes, from: 0 }
	}

	fn iter(&self) -> impl Iterator<Item = u8> + 'a {
		self.bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).skip(self.from)
	}

	fn skip(self, count: usize) -> Self {
		Self { bytes: self.bytes, from: self.from.saturating_add(count) }
	}

	/// What follows `prefix`, if the key starts with it.
	fn strip(self, prefix: &Nibbles) -> Option<Self> {
		let mut rest = self.iter();
		let mut count = 0usize;
		for nibble in prefix.iter() {
			if rest.next() != Some(nibble) {
				return None;
			}
			count = count.saturating_add(1);
		}
		Some(self.skip(count))
	}

	fn split_first(self) -> Option<(u8, Self)> {
		Some((self.iter().next()?, self.skip(1)))
	}
}

impl PartialEq for Nibbles<'_> {
	fn eq(&self, other: &Self) -> bool {
		self.iter().eq(other.iter())
	}
}

enum Value<'a> {
	Inline(&'a [u8]),
	Hash(NodeHash),
}

impl<'a> Value<'a> {
	fn read(reader: &mut Reader<'a>, hashed: bool) -> Result<Self, Malformed> {
		Ok(if hashed { Self::Hash(reader.array()?) } else { Self::Inline(reader.bytes()?) })
	}

	fn resolve(self, get: &mut impl FnMut(&NodeHash) -> Option<&'a [u8]>) -> Result<&'a [u8], LookupError> {
		match self {
			Self::Inline(bytes) => Ok(bytes),
			Self::Hash(hash) => get(&hash).ok_or(LookupError::Missing),
		}
	}
}

enum Child<'a> {
	Hash(NodeHash),
	Inline(&'a [u8]),
}

impl<'a> Child<'a> {
	fn read(reader: &mut Reader<'a>) -> Result<Self, LookupError> {
		let bytes = reader.bytes()?;
		match NodeHash::try_from(bytes) {
			Ok(hash) => Ok(Self::Hash(hash)),
			// a node of 32 bytes or more is always referred to by its hash
			Err(_) if bytes.len() > 32 => Err(LookupError::Malformed),
			Err(_) => Ok(Self::Inline(bytes)),
		}
	}
}

/// The children of a branch. That they are well formed was checked when the branch was decoded.
struct Children<'a> {
	bitmap: u16,
	reader: Reader<'a>,
}

impl<'a> Children<'a> {
	fn has(&self, nibble: u8) -> bool {
		1u16.checked_shl(u32::from(nibble)).is_some_and(|bit| self.bitmap & bit != 0)
	}

	/// The child for a nibble.
	fn nth(&self, nibble: u8) -> Result<Option<Child<'a>>, LookupError> {
		if !self.has(nibble) {
			return Ok(None);
		}
		let mut reader = self.reader;
		for _ in (0..nibble).filter(|lower| self.has(*lower)) {
			Child::read(&mut reader)?;
		}
		Child::read(&mut reader).map(Some)
	}
}

enum Node<'a> {
	Empty,
	Leaf { partial: Nibbles<'a>, value: Value<'a> },
	Branch { partial: Nibbles<'a>, value: Option<Value<'a>>, children: Children<'a> },
}

/// What the highest bits of a node's first byte say, and how many bits that took.
enum Kind {
	Leaf { hashed: bool },
	Branch { value: bool, hashed: bool },
}

impl<'a> Node<'a> {
	fn decode(bytes: &'a [u8]) -> Result<Self, LookupError> {
		let mut reader = Reader::new(bytes);
		let first = reader.u8()?;
		let (kind, mask) = match first {
			0 => {
				reader.end()?;
				return Ok(Self::Empty);
			}
			0b0100_0000..=0b0111_1111 => (Kind::Leaf { hashed: false }, 0b0011_1111),
			0b1000_0000..=0b1011_1111 => (Kind::Branch { value: false, hashed: false }, 0b0011_1111),
			0b1100_0000..=0b1111_1111 => (Kind::Branch { value: true, hashed: false }, 0b0011_1111),
			0b0010_0000..=0b0011_1111 => (Kind::Leaf { hashed: true }, 0b0001_1111),
			0b0001_0000..=0b0001_1111 => (Kind::Branch { value: true, hashed: true }, 0b0000_1111),
			_ => return Err(LookupError::Malformed),
		};
		let partial = partial_key(first & mask, mask, &mut reader)?;
		let node = match kind {
			Kind::Leaf { hashed } => Self::Leaf { partial, value: Value::read(&mut reader, hashed)? },
			Kind::Branch { value, hashed } => {
				let bitmap = reader.u16()?;
				if bitmap == 0 {
					return Err(LookupError::Malformed);
				}
				let value = if value { Some(Value::read(&mut reader, hashed)?) } else { None };
				let children = Children { bitmap, reader };
				for _ in 0..bitmap.count_ones() {
					Child::read(&mut reader)?;
				}
				Self::Branch { partial, value, children }
			}
		};
		reader.end()?;
		Ok(node)
	}
}

/// The partial key; its number of nibbles starts with `count`, and goes on if that is all of `mask`.
fn partial_key<'a>(count: u8, mask: u8, reader: &mut Reader<'a>) -> Result<Nibbles<'a>, LookupError> {
	let mut nibbles = usize::from(count);
	if count == mask {
		loop {
			let more = reader.u8()?;
			nibbles = nibbles.checked_add(usize::from(more)).ok_or(LookupError::Malformed)?;
			if more != u8::MAX {
				break;
			}
		}
	}
	let bytes = reader.take(nibbles.div_ceil(2))?;
	// an odd number of nibbles starts in the lower half of the first byte; the higher one must be 0
	let from = nibbles % 2;
	if from == 1 && bytes.first().is_some_and(|byte| byte >> 4 != 0) {
		return Err(LookupError::Malformed);
	}
	Ok(Nibbles { bytes, from })
}
