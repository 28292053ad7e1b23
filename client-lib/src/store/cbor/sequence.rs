//! Arrays, some of which are byte strings.

use super::{byte, At, Unwritable, Writer, BYTES, ELEMENTS, IN_PIECES};
use serde::Serialize;

/// An array on its way, which becomes a byte string if all of it are bytes.
pub(super) struct Sequence<'a, 'f> {
	writer: &'a mut Writer<'f>,
	start: usize,
	values: usize,
	/// All values so far are of type `u8`, and were written as they are.
	bytes: bool,
	open: bool,
	apart: bool,
	/// How many elements the piece on its way has, if there are pieces.
	in_piece: Option<usize>,
}

impl<'a, 'f> Sequence<'a, 'f> {
	pub(super) fn new(writer: &'a mut Writer<'f>, length: Option<usize>) -> Self {
		let (start, values, apart) = writer.array_head(length);
		let bytes = !apart && length.is_some_and(|length| length > 0);
		let in_piece = (writer.pieces.is_some() && writer.depth == IN_PIECES).then_some(0);
		Self { writer, start, values, bytes, open: length.is_none(), apart, in_piece }
	}

	/// One whose values are fields: they are not read as bytes.
	pub(super) fn array(writer: &'a mut Writer<'f>, length: usize) -> Self {
		Self { bytes: false, ..Self::new(writer, Some(length)) }
	}

	#[inline]
	pub(super) fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
		if self.apart {
			let start = self.writer.bytes.len();
			self.writer.at = At::Number;
			value.serialize(&mut *self.writer)?;
			return self.writer.take_element(start);
		}
		if self.bytes {
			if let Some(byte) = byte::of(value) {
				self.writer.put(&[byte]);
				return Ok(());
			}
			self.bytes = false;
			self.writer.unpack(self.values);
		}
		if let Some(elements) = &mut self.in_piece {
			if *elements == ELEMENTS {
				*elements = 0;
				self.writer.cut();
			}
			*elements = elements.saturating_add(1);
		}
		value.serialize(&mut *self.writer)
	}

	/// All the elements. Bytes are not written one by one: most of what is kept of a group are such.
	pub(super) fn all<I: Iterator<Item: Serialize>>(&mut self, mut values: I) -> Result<(), Unwritable> {
		if self.bytes {
			let Some(first) = values.next() else { return Ok(()) };
			let Some(byte) = byte::of(&first) else {
				self.element(&first)?;
				return values.try_for_each(|value| self.element(&value));
			};
			self.writer.put(&[byte]);
			return self.bytes_and_others(values);
		}
		values.try_for_each(|value| self.element(&value))
	}

	/// Elements after a first one that is a byte: so are all, unless their type is one of many forms.
	fn bytes_and_others<I: Iterator<Item: Serialize>>(&mut self, values: I) -> Result<(), Unwritable> {
		let from = self.writer.bytes.len();
		let mut others = Vec::new();
		self.writer.reserve(values.size_hint().0);
		let mut at = 0usize;
		self.writer.bytes.extend(values.map(|value| {
			at = at.wrapping_add(1);
			byte::of(&value).unwrap_or_else(|| {
				others.push((at, value));
				0
			})
		}));
		if others.is_empty() {
			return Ok(());
		}
		let bytes = self.writer.split_off(from);
		let mut others = others.into_iter().peekable();
		for (at, byte) in (1..).zip(bytes.iter()) {
			match others.next_if(|(other, _)| *other == at) {
				Some((_, value)) => self.element(&value)?,
				None => self.element(byte)?,
			}
		}
		Ok(())
	}

	pub(super) fn finish(self) {
		if self.bytes {
			// The head is of the same length.
			if let Some(head) = self.writer.bytes.get_mut(self.start) {
				*head = *head & 0x1f | BYTES;
			}
		}
		if self.apart {
			self.writer.at = At::Elsewhere;
		}
		self.writer.end(self.open);
	}
}
