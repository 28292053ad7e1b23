//! What serde asks of a writer.

use super::{sequence::Sequence, Map, Unwritable, Writer, BYTES, DOUBLE, FALSE, NEGATIVE, NULL, TRUE, UNSIGNED};
use serde::{ser, Serialize};

impl<'a, 'f> ser::Serializer for &'a mut Writer<'f> {
	type Ok = ();
	type Error = Unwritable;
	type SerializeSeq = Sequence<'a, 'f>;
	type SerializeTuple = Sequence<'a, 'f>;
	type SerializeTupleStruct = Sequence<'a, 'f>;
	type SerializeTupleVariant = Sequence<'a, 'f>;
	type SerializeMap = Map<'a, 'f>;
	type SerializeStruct = Map<'a, 'f>;
	type SerializeStructVariant = Map<'a, 'f>;

	fn serialize_bool(self, value: bool) -> Result<(), Unwritable> {
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
		match u64::try_from(value) {
			Ok(value) => self.head(UNSIGNED, value),
			Err(_) => self.head(NEGATIVE, value.unsigned_abs().saturating_sub(1)),
		}
		Ok(())
	}

	fn serialize_i128(self, value: i128) -> Result<(), Unwritable> {
		let below = value.unsigned_abs().saturating_sub(1);
		match (value.is_negative(), u64::try_from(below)) {
			(false, _) => return self.serialize_u128(value.unsigned_abs()),
			(true, Ok(below)) => self.head(NEGATIVE, below),
			(true, Err(_)) => self.big(6 << 5 | 3, below),
		}
		Ok(())
	}

	fn serialize_u8(self, value: u8) -> Result<(), Unwritable> {
		self.serialize_u64(value.into())
	}

	fn serialize_u16(self, value: u16) -> Result<(), Unwritable> {
		self.serialize_u64(value.into())
	}

	fn serialize_u32(self, value: u32) -> Result<(), Unwritable> {
		self.serialize_u64(value.into())
	}

	fn serialize_u64(self, value: u64) -> Result<(), Unwritable> {
		self.head(UNSIGNED, value);
		Ok(())
	}

	fn serialize_u128(self, value: u128) -> Result<(), Unwritable> {
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
		self.put(&[DOUBLE]);
		self.put(&value.to_be_bytes());
		Ok(())
	}

	fn serialize_char(self, value: char) -> Result<(), Unwritable> {
		self.serialize_str(value.encode_utf8(&mut [0; 4]))
	}

	fn serialize_str(self, value: &str) -> Result<(), Unwritable> {
		self.text(value);
		Ok(())
	}

	fn serialize_bytes(self, value: &[u8]) -> Result<(), Unwritable> {
		self.head(BYTES, value.len() as u64);
		self.put(value);
		Ok(())
	}

	fn serialize_none(self) -> Result<(), Unwritable> {
		self.put(&[NULL]);
		Ok(())
	}

	fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unwritable> {
		value.serialize(self)
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
		value.serialize(self)
	}

	fn serialize_newtype_variant<T: Serialize + ?Sized>(
		self,
		_: &'static str,
		_: u32,
		variant: &'static str,
		value: &T,
	) -> Result<(), Unwritable> {
		self.variant(variant);
		value.serialize(self)
	}

	fn serialize_seq(self, length: Option<usize>) -> Result<Sequence<'a, 'f>, Unwritable> {
		Ok(Sequence::new(self, length))
	}

	fn collect_seq<I: IntoIterator<Item: Serialize>>(self, values: I) -> Result<(), Unwritable> {
		let values = values.into_iter();
		let length = match values.size_hint() {
			(least, Some(most)) if least == most => Some(least),
			_ => None,
		};
		let mut sequence = Sequence::new(self, length);
		sequence.all(values)?;
		sequence.finish();
		Ok(())
	}

	fn serialize_tuple(self, length: usize) -> Result<Sequence<'a, 'f>, Unwritable> {
		Ok(Sequence::new(self, Some(length)))
	}

	fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Sequence<'a, 'f>, Unwritable> {
		Ok(Sequence::array(self, length))
	}

	fn serialize_tuple_variant(
		self,
		_: &'static str,
		_: u32,
		variant: &'static str,
		length: usize,
	) -> Result<Sequence<'a, 'f>, Unwritable> {
		self.variant(variant);
		Ok(Sequence::array(self, length))
	}

	fn serialize_map(self, length: Option<usize>) -> Result<Map<'a, 'f>, Unwritable> {
		Ok(Map::new(self, length))
	}

	fn serialize_struct(self, _: &'static str, length: usize) -> Result<Map<'a, 'f>, Unwritable> {
		Ok(Map::new(self, Some(length)))
	}

	fn serialize_struct_variant(
		self,
		_: &'static str,
		_: u32,
		variant: &'static str,
		length: usize,
	) -> Result<Map<'a, 'f>, Unwritable> {
		self.variant(variant);
		Ok(Map::new(self, Some(length)))
	}

	fn is_human_readable(&self) -> bool {
		false
	}
}

/// The four kinds of sequences that serde knows are one.
macro_rules! sequence {
	($($kind:ident, $method:ident);+) => {$(
		impl ser::$kind for Sequence<'_, '_> {
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

impl ser::SerializeMap for Map<'_, '_> {
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
		impl ser::$kind for Map<'_, '_> {
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
