//! Writes CBOR (RFC 8949).
//!
//! The form is that of ciborium, which reads it: structs are maps of names, enums are named, `None` is null. With one difference: a
//! sequence of bytes becomes a byte string. Keys and most else that OpenMLS keeps are sequences of bytes for serde, and as arrays of
//! numbers they take twice the room and most of the time of writing them.
//!
//! One field of the outermost struct can be named that is kept apart, or left out ([`Field`]).

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

/// A field of the outermost struct that is to be found in what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
	/// Its name.
	pub name: &'static str,
	/// It is not written: what is missing is put in later, where it belongs.
	pub left_out: bool,
}

/// What was written; wiped when dropped.
pub(super) struct Written {
	pub bytes: Zeroizing<Vec<u8>>,
	/// Where the name and the value of the [`Field`] are; empty if it was left out, none if there is no such field.
	pub field: Option<std::ops::Range<usize>>,
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
	field: Option<Field>,
) -> Result<Written, Unwritable> {
	let bytes = Zeroizing::new(Vec::with_capacity(FIRST));
	let mut writer = Writer { bytes, byte: false, depth: 0, field, found: None };
	writer.put(before);
	value.serialize(&mut writer)?;
	Ok(Written { bytes: writer.bytes, field: writer.found })
}

struct Writer {
	bytes: Zeroizing<Vec<u8>>,
	/// The value that was written last is a number of type `u8`, as it stands.
	byte: bool,
	depth: usize,
	field: Option<Field>,
	found: Option<std::ops::Range<usize>>,
}

impl Writer {
	#[inline]
	fn put(&mut self, bytes: &[u8]) {
		if bytes.len() > self.bytes.capacity().saturating_sub(self.bytes.len()) {
			self.grow(bytes.len());
		}
		self.bytes.extend_from_slice(bytes);
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

	fn sequence(&mut self, length: Option<usize>) -> Sequence<'_> {
		let start = self.bytes.len();
		match length {
			Some(length) => self.head(ARRAY, length as u64),
			None => self.put(&[ARRAY | INDEFINITE]),
		}
		let values = self.bytes.len();
		self.depth = self.depth.saturating_add(1);
		Sequence { start, values, bytes: length.is_some_and(|length| length > 0), open: length.is_none(), writer: self }
	}

	fn map(&mut self, length: Option<usize>) -> Map<'_> {
		match length {
			Some(length) => self.head(MAP, length as u64),
			None => self.put(&[MAP | INDEFINITE]),
		}
		self.depth = self.depth.saturating_add(1);
		Map { open: length.is_none(), writer: self }
	}

	/// The end of a sequence or a map.
	fn end(&mut self, open: bool) {
		if open {
			self.put(&[BREAK]);
		}
		self.depth = self.depth.saturating_sub(1);
		self.byte = false;
	}
}

/// An array on its way, which becomes a byte string if all of it are bytes.
struct Sequence<'a> {
	writer: &'a mut Writer,
	start: usize,
	values: usize,
	/// All values so far are of type `u8`.
	bytes: bool,
	open: bool,
}

impl Sequence<'_> {
	#[inline]
	fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
		value.serialize(&mut *self.writer)?;
		self.bytes &= self.writer.byte;
		Ok(())
	}

	fn finish(self) {
		if self.bytes {
			pack(&mut self.writer.bytes, self.start, self.values);
		}
		self.writer.end(self.open);
	}
}

/// Makes a byte string of an array of bytes, whose head and values begin at these positions.
fn pack(bytes: &mut Vec<u8>, start: usize, values: usize) {
	// The head is as long as before, and each value is one byte, after another one if it is not small.
	if let Some(head) = bytes.get_mut(start) {
		*head = *head & 0x1f | BYTES;
	}
	let Some(array) = bytes.get_mut(values..) else { return };
	let (mut from, mut to) = (0, 0);
	while let Some(first) = array.get(from).copied() {
		let (value, length) =
			if first == UNSIGNED | 24 { (array.get(from.saturating_add(1)).copied(), 2) } else { (Some(first), 1) };
		if let (Some(value), Some(place)) = (value, array.get_mut(to)) {
			*place = value;
		}
		from = from.saturating_add(length);
		to = to.saturating_add(1);
	}
	if let Some(rest) = array.get_mut(to..) {
		rest.zeroize();
	}
	bytes.truncate(values.saturating_add(to));
}

struct Map<'a> {
	writer: &'a mut Writer,
	open: bool,
}

impl Map<'_> {
	fn entry<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Unwritable> {
		let writer = &mut *self.writer;
		let wanted = writer.field.filter(|field| writer.depth == 1 && field.name == name);
		let start = writer.bytes.len();
		if wanted.is_none_or(|field| !field.left_out) {
			writer.text(name);
			value.serialize(&mut *writer)?;
		}
		if wanted.is_some() {
			writer.found = Some(start..writer.bytes.len());
		}
		Ok(())
	}
}

impl<'a> ser::Serializer for &'a mut Writer {
	type Ok = ();
	type Error = Unwritable;
	type SerializeSeq = Sequence<'a>;
	type SerializeTuple = Sequence<'a>;
	type SerializeTupleStruct = Sequence<'a>;
	type SerializeTupleVariant = Sequence<'a>;
	type SerializeMap = Map<'a>;
	type SerializeStruct = Map<'a>;
	type SerializeStructVariant = Map<'a>;

	fn serialize_bool(self, value: bool) -> Result<(), Unwritable> {
		self.byte = false;
		self.put(&[if value { TRUE } else { FALSE }]);
		Ok(())
	}

	fn serialize_i8(self, value: i8) -> Result<(), Unwritable> {
		self.serialize_i64(value.into())
	}

	fn serialize_i16(self, value: i16) -> Result<(), Unwritable> {
		self.serialize_i64(value.into())
	}

	fn serialize_i32(self, value: i32) -> Result<(), Unwritable> {
		self.serialize_i64(value.into())
	}

	fn serialize_i64(self, value: i64) -> Result<(), Unwritable> {
		self.byte = false;
		match u64::try_from(value) {
			Ok(value) => self.head(UNSIGNED, value),
			Err(_) => self.head(NEGATIVE, value.unsigned_abs().saturating_sub(1)),
		}
		Ok(())
	}

	fn serialize_i128(self, value: i128) -> Result<(), Unwritable> {
		self.byte = false;
		let below = value.unsigned_abs().saturating_sub(1);
		match (value.is_negative(), u64::try_from(below)) {
			(false, _) => return self.serialize_u128(value.unsigned_abs()),
			(true, Ok(below)) => self.head(NEGATIVE, below),
			(true, Err(_)) => self.big(6 << 5 | 3, below),
		}
		Ok(())
	}

	#[inline]
	fn serialize_u8(self, value: u8) -> Result<(), Unwritable> {
		self.head(UNSIGNED, value.into());
		self.byte = true;
		Ok(())
	}

	fn serialize_u16(self, value: u16) -> Result<(), Unwritable> {
		self.serialize_u64(value.into())
	}

	fn serialize_u32(self, value: u32) -> Result<(), Unwritable> {
		self.serialize_u64(value.into())
	}

	fn serialize_u64(self, value: u64) -> Result<(), Unwritable> {
		self.byte = false;
		self.head(UNSIGNED, value);
		Ok(())
	}

	fn serialize_u128(self, value: u128) -> Result<(), Unwritable> {
		self.byte = false;
		match u64::try_from(value) {
			Ok(value) => self.head(UNSIGNED, value),
			Err(_) => self.big(6 << 5 | 2, value),
		}
		Ok(())
	}

	fn serialize_f32(self, value: f32) -> Result<(), Unwritable> {
		self.serialize_f64(value.into())
	}

	fn serialize_f64(self, value: f64) -> Result<(), Unwritable> {
		self.byte = false;
		self.put(&[DOUBLE]);
		self.put(&value.to_be_bytes());
		Ok(())
	}

	fn serialize_char(self, value: char) -> Result<(), Unwritable> {
		self.serialize_str(value.encode_utf8(&mut [0; 4]))
	}

	fn serialize_str(self, value: &str) -> Result<(), Unwritable> {
		self.byte = false;
		self.text(value);
		Ok(())
	}

	fn serialize_bytes(self, value: &[u8]) -> Result<(), Unwritable> {
		self.byte = false;
		self.head(BYTES, value.len() as u64);
		self.put(value);
		Ok(())
	}

	fn serialize_none(self) -> Result<(), Unwritable> {
		self.byte = false;
		self.put(&[NULL]);
		Ok(())
	}

	fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unwritable> {
		value.serialize(&mut *self)?;
		// What is read as an option is no byte.
		self.byte = false;
		Ok(())
	}

	fn serialize_unit(self) -> Result<(), Unwritable> {
		self.serialize_none()
	}

	fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unwritable> {
		self.serialize_none()
	}

	fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Unwritable> {
		self.serialize_str(variant)
	}

	fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Unwritable> {
		value.serialize(&mut *self)?;
		self.byte = false;
		Ok(())
	}

	fn serialize_newtype_variant<T: Serialize + ?Sized>(
		self,
		_: &'static str,
		_: u32,
		variant: &'static str,
		value: &T,
	) -> Result<(), Unwritable> {
		self.variant(variant);
		value.serialize(&mut *self)?;
		self.byte = false;
		Ok(())
	}

	fn serialize_seq(self, length: Option<usize>) -> Result<Sequence<'a>, Unwritable> {
		Ok(self.sequence(length))
	}

	fn serialize_tuple(self, length: usize) -> Result<Sequence<'a>, Unwritable> {
		Ok(self.sequence(Some(length)))
	}

	fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Sequence<'a>, Unwritable> {
		Ok(self.sequence(Some(length)))
	}

	fn serialize_tuple_variant(
		self,
		_: &'static str,
		_: u32,
		variant: &'static str,
		length: usize,
	) -> Result<Sequence<'a>, Unwritable> {
		self.variant(variant);
		Ok(self.sequence(Some(length)))
	}

	fn serialize_map(self, length: Option<usize>) -> Result<Map<'a>, Unwritable> {
		Ok(self.map(length))
	}

	fn serialize_struct(self, _: &'static str, length: usize) -> Result<Map<'a>, Unwritable> {
		Ok(self.map(Some(length)))
	}

	fn serialize_struct_variant(
		self,
		_: &'static str,
		_: u32,
		variant: &'static str,
		length: usize,
	) -> Result<Map<'a>, Unwritable> {
		self.variant(variant);
		Ok(self.map(Some(length)))
	}

	fn is_human_readable(&self) -> bool {
		false
	}
}

/// The four kinds of sequences that serde knows are one.
macro_rules! sequence {
	($($kind:ident, $method:ident);+) => {$(
		impl ser::$kind for Sequence<'_> {
			type Ok = ();
			type Error = Unwritable;

			#[inline]
			fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
				self.element(value)
			}

			fn end(self) -> Result<(), Unwritable> {
				self.finish();
				Ok(())
			}
		}
	)+};
}

sequence! {
	SerializeSeq, serialize_element;
	SerializeTuple, serialize_element;
	SerializeTupleStruct, serialize_field;
	SerializeTupleVariant, serialize_field
}

impl ser::SerializeMap for Map<'_> {
	type Ok = ();
	type Error = Unwritable;

	fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unwritable> {
		key.serialize(&mut *self.writer)
	}

	fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
		value.serialize(&mut *self.writer)
	}

	fn end(self) -> Result<(), Unwritable> {
		self.writer.end(self.open);
		Ok(())
	}
}

macro_rules! structure {
	($($kind:ident),+) => {$(
		impl ser::$kind for Map<'_> {
			type Ok = ();
			type Error = Unwritable;

			fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Unwritable> {
				self.entry(name, value)
			}

			fn end(self) -> Result<(), Unwritable> {
				self.writer.end(self.open);
				Ok(())
			}
		}
	)+};
}

structure!(SerializeStruct, SerializeStructVariant);

#[cfg(test)]
mod tests;
