//! Writes CBOR (RFC 8949).
//!
//! The form is that of ciborium, which reads it: structs are maps of names, enums are named, `None` is null. With one difference: a
//! sequence of bytes becomes a byte string. Keys and most else that OpenMLS keeps are sequences of bytes for serde, and as arrays of
//! numbers they take twice the room and most of the time of writing them.
//!
//! A list in the outermost struct can be taken apart into its elements ([`Apart`]), and what is long be handed over in pieces
//! ([`write_in_pieces`]).

mod byte;
mod sequence;
mod serializer;

use serde::{ser, Serialize};
use std::fmt::Display;
use zeroize::{Zeroize, Zeroizing};

/// Major types (RFC 8949 section 3.1), in the upper three bits.
const UNSIGNED: u8 = 0 << 5;
const NEGATIVE: u8 = 1 << 5;
const BYTES: u8 = 2 << 5;
const TEXT: u8 = 3 << 5;
const ARRAY: u8 = 4 << 5;
const MAP: u8 = 5 << 5;
const SIMPLE: u8 = 7 << 5;
const FALSE: u8 = SIMPLE | 20;
const TRUE: u8 = SIMPLE | 21;
const NULL: u8 = SIMPLE | 22;
const DOUBLE: u8 = SIMPLE | 27;
/// Of a length that comes as a break.
const INDEFINITE: u8 = 31;
const BREAK: u8 = SIMPLE | 31;

/// Room for most values.
const FIRST: usize = 1024;

/// A list that is taken apart: a field of the outermost struct, the elements of which are structs.
#[derive(Clone, Copy)]
pub(super) struct Apart<'a> {
	/// The name of the field.
	pub field: &'static str,
	/// The first field of an element: the number that it is known by.
	pub number: &'static str,
	/// Whether the element with a number need not be written, because it is as it was written before.
	pub stays: &'a dyn Fn(u64) -> bool,
}

/// What was written; wiped when dropped.
pub(super) struct Written {
	/// All, but for the elements of the list that was taken apart.
	pub bytes: Zeroizing<Vec<u8>>,
	/// These, if there is such a list.
	pub elements: Option<Elements>,
}

/// The elements of a list, and where in the bytes they belong.
#[derive(Default)]
pub(super) struct Elements {
	pub place: usize,
	/// Their numbers, and their bytes unless they stay.
	pub list: Vec<(u64, Option<Zeroizing<Vec<u8>>>)>,
}

/// Why a value cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unwritable(String);

impl ser::Error for Unwritable {
	fn custom<T: Display>(message: T) -> Self {
		Self(message.to_string())
	}
}

/// The CBOR of `value` after the bytes `before`.
pub(super) fn write<T: Serialize + ?Sized>(
	before: &[u8],
	value: &T,
	apart: Option<Apart<'_>>,
) -> Result<Written, Unwritable> {
	let bytes = Zeroizing::new(Vec::with_capacity(FIRST));
	let mut writer = Writer { bytes, depth: 0, apart, at: At::Elsewhere, elements: None, pieces: None };
	writer.put(before);
	value.serialize(&mut writer)?;
	Ok(Written { bytes: writer.bytes, elements: writer.elements })
}

/// Hands over the CBOR of `value` piece by piece, in order. Where there is a list in a struct in the outermost one, [`ELEMENTS`]
/// elements are a piece: what changes in one of them, however long it becomes, leaves the pieces of the others as they are.
pub(super) fn write_in_pieces<T: Serialize + ?Sized>(value: &T, take: Take<'_>) -> Result<(), Unwritable> {
	let bytes = Zeroizing::new(Vec::with_capacity(FIRST));
	let mut writer = Writer { bytes, depth: 0, apart: None, at: At::Elsewhere, elements: None, pieces: Some(take) };
	value.serialize(&mut writer)?;
	writer.cut();
	Ok(())
}

/// Takes pieces, one after the other.
type Take<'t> = &'t mut dyn FnMut(&[u8]);

struct Writer<'f> {
	bytes: Zeroizing<Vec<u8>>,
	depth: usize,
	apart: Option<Apart<'f>>,
	at: At,
	elements: Option<Elements>,
	/// What takes the pieces, if it is written in pieces.
	pieces: Option<Take<'f>>,
}

/// Where in the list to be taken apart the writer is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
	Elsewhere,
	/// In front of the list.
	List,
	/// In front of the number of an element.
	Number,
	/// In an element with this number.
	Element(u64),
	/// In an element with this number, the rest of which is not written.
	Rest(u64),
}

/// Depths of the list and of its elements.
const LIST: usize = 1;
const ELEMENT: usize = 3;
/// Depth of what is in a list that is written in pieces: such a list is in a struct in the outermost one.
const IN_PIECES: usize = 3;
/// Elements of such a list in one piece.
const ELEMENTS: usize = 16;

impl Writer<'_> {
	#[inline]
	fn put(&mut self, bytes: &[u8]) {
		self.reserve(bytes.len());
		self.bytes.extend_from_slice(bytes);
	}

	/// Makes room for so many bytes more.
	#[inline]
	fn reserve(&mut self, length: usize) {
		if length > self.bytes.capacity().saturating_sub(self.bytes.len()) {
			self.grow(length);
		}
	}

	/// Takes back what was written from a position on.
	fn split_off(&mut self, from: usize) -> Zeroizing<Vec<u8>> {
		let Some(written) = self.bytes.get_mut(from..) else { return Zeroizing::default() };
		let taken = Zeroizing::new(written.to_vec());
		written.zeroize();
		self.bytes.truncate(from);
		taken
	}

	/// A `Vec` that grows leaves what it held behind; this one is wiped.
	#[cold]
	fn grow(&mut self, by: usize) {
		let needed = self.bytes.len().saturating_add(by);
		let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(self.bytes.capacity().saturating_mul(4))));
		larger.extend_from_slice(&self.bytes);
		self.bytes = larger;
	}

	/// The head of an item (RFC 8949 section 3), in its shortest form.
	#[inline]
	fn head(&mut self, major: u8, number: u64) {
		let [.., h, g, f, e, d, c, b, a] = number.to_be_bytes();
		match number {
			0..=23 => self.put(&[major | a]),
			24..=0xff => self.put(&[major | 24, a]),
			0x100..=0xffff => self.put(&[major | 25, b, a]),
			0x1_0000..=0xffff_ffff => self.put(&[major | 26, d, c, b, a]),
			_ => self.put(&[major | 27, h, g, f, e, d, c, b, a]),
		}
	}

	fn text(&mut self, text: &str) {
		self.head(TEXT, text.len() as u64);
		self.put(text.as_bytes());
	}

	/// A number that takes more than 64 bits, as a tagged byte string (section 3.4.3).
	fn big(&mut self, tag: u8, number: u128) {
		let bytes = number.to_be_bytes();
		let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
		let bytes = bytes.get(zeros..).unwrap_or_default();
		self.put(&[tag]);
		self.head(BYTES, bytes.len() as u64);
		self.put(bytes);
	}

	/// A map of one entry, which names a variant.
	fn variant(&mut self, name: &str) {
		self.head(MAP, 1);
		self.text(name);
	}

	fn map_head(&mut self, length: Option<usize>) {
		match length {
			Some(length) => self.head(MAP, length as u64),
			None => self.put(&[MAP | INDEFINITE]),
		}
		self.depth = self.depth.saturating_add(1);
	}

	/// Gives where the head of the array is, where its values are, and whether it is the list that is taken apart.
	fn array_head(&mut self, length: Option<usize>) -> (usize, usize, bool) {
		let start = self.bytes.len();
		match length {
			Some(length) => self.head(ARRAY, length as u64),
			None => self.put(&[ARRAY | INDEFINITE]),
		}
		self.depth = self.depth.saturating_add(1);
		let apart = self.at == At::List;
		if apart {
			self.elements = Some(Elements { place: self.bytes.len(), list: Vec::new() });
		}
		(start, self.bytes.len(), apart)
	}

	/// Makes numbers of the bytes from a position on.
	fn unpack(&mut self, from: usize) {
		if self.bytes.len() == from {
			return;
		}
		let written = self.split_off(from);
		written.iter().for_each(|byte| self.head(UNSIGNED, (*byte).into()));
	}

	/// Whether the fields of an element that come now are not written.
	fn leaves_out(&self) -> bool {
		matches!(self.at, At::Rest(_))
	}

	/// The end of a piece. Nothing that is written later looks back beyond it.
	fn cut(&mut self) {
		if let Some(take) = &mut self.pieces {
			take(&self.bytes);
			self.bytes.clear();
		}
	}

	/// Moves what was written since `start`, an element, to the others.
	fn take_element(&mut self, start: usize) -> Result<(), Unwritable> {
		let written = self.bytes.get(start..).unwrap_or_default();
		let element = match self.at {
			At::Element(number) => (number, Some(Zeroizing::new(written.to_vec()))),
			At::Rest(number) => (number, None),
			_ => return Err(Unwritable("an element that is taken apart has no number".to_owned())),
		};
		if let Some(elements) = &mut self.elements {
			elements.list.push(element);
		}
		if let Some(written) = self.bytes.get_mut(start..) {
			written.zeroize();
		}
		self.bytes.truncate(start);
		Ok(())
	}

	/// The end of a sequence or a map.
	fn end(&mut self, open: bool) {
		if open {
			self.put(&[BREAK]);
		}
		self.depth = self.depth.saturating_sub(1);
	}
}

struct Map<'a, 'f> {
	writer: &'a mut Writer<'f>,
	open: bool,
}

impl<'a, 'f> Map<'a, 'f> {
	fn new(writer: &'a mut Writer<'f>, length: Option<usize>) -> Self {
		writer.map_head(length);
		Self { writer, open: length.is_none() }
	}

	fn entry<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Unwritable> {
		let writer = &mut *self.writer;
		if writer.leaves_out() {
			return Ok(());
		}
		writer.text(name);
		let Some(apart) = writer.apart else { return value.serialize(writer) };
		if writer.depth == LIST && name == apart.field {
			writer.at = At::List;
		} else if writer.depth == ELEMENT && writer.at == At::Number && name == apart.number {
			let start = writer.bytes.len();
			value.serialize(&mut *writer)?;
			let number = unsigned(writer.bytes.get(start..).unwrap_or_default());
			let number = number.ok_or_else(|| Unwritable(format!("{name} is not a number")))?;
			writer.at = if (apart.stays)(number) { At::Rest(number) } else { At::Element(number) };
			return Ok(());
		}
		value.serialize(writer)
	}
}

/// The number that was written as these bytes.
fn unsigned(bytes: &[u8]) -> Option<u64> {
	let (head, rest) = bytes.split_first()?;
	match (*head, rest.len()) {
		(0..=23, 0) => Some((*head).into()),
		(24..=27, 1 | 2 | 4 | 8) => Some(rest.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))),
		_ => None,
	}
}

#[cfg(test)]
mod tests;
