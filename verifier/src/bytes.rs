//! Reads SCALE from bytes that someone else sent.
//!
//! Everything is a slice of the input: nothing is allocated, and no length is believed before the bytes are there.

/// Why bytes are not what they should be. Somebody damaged or made them up: drop the node that sent them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
	/// A field reaches beyond the end.
	#[error("the bytes end in the middle of a field: fetch them again, from another node")]
	Short,
	/// There is more than one value.
	#[error("bytes follow the end of the value: fetch it again, from another node")]
	Trailing,
	/// SCALE allows only the shortest form of a compact number, and the numbers read here have 32 bits.
	#[error("a compact number is not in its shortest form or has more than 32 bits: ask another node")]
	Compact,
	/// An enum's first byte names no variant that this version knows.
	#[error("a variant is unknown: ask another node, and if all agree, update the library")]
	Variant,
}

/// What is left to be read.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
	rest: &'a [u8],
}

impl<'a> Reader<'a> {
	pub(crate) fn new(bytes: &'a [u8]) -> Self {
		Self { rest: bytes }
	}

	/// How many bytes are left.
	pub(crate) fn remaining(&self) -> usize {
		self.rest.len()
	}

	pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
		let (taken, rest) = self.rest.split_at_checked(count).ok_or(Malformed::Short)?;
		self.rest = rest;
		Ok(taken)
	}

	pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
		self.take(N)?.try_into().map_err(|_| Malformed::Short)
	}

	pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
		self.array().map(u8::from_le_bytes)
	}

	pub(crate) fn u16(&mut self) -> Result<u16, Malformed> {
		self.array().map(u16::from_le_bytes)
	}

	pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
		self.array().map(u32::from_le_bytes)
	}

	pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
		self.array().map(u64::from_le_bytes)
	}

	/// A SCALE compact number of at most 32 bits. Only the shortest form is taken, as nodes do: otherwise one value
	/// would have several hashes.
	pub(crate) fn compact(&mut self) -> Result<u32, Malformed> {
		let first = *self.rest.first().ok_or(Malformed::Short)?;
		// the two lowest bits say how many bytes there are; each form must be needed for its value
		let (value, least) = match first & 0b11 {
			0b00 => (u32::from(self.u8()?) >> 2, 0),
			0b01 => (u32::from(self.u16()?) >> 2, 1 << 6),
			0b10 => (self.u32()? >> 2, 1 << 14),
			_ if first == 0b11 => {
				self.u8()?;
				(self.u32()?, 1 << 30)
			}
			_ => return Err(Malformed::Compact),
		};
		if value < least {
			return Err(Malformed::Compact);
		}
		Ok(value)
	}

	/// A byte string: its compact length, then the bytes.
	pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
		let length = self.compact()?;
		self.take(usize::try_from(length).map_err(|_| Malformed::Short)?)
	}

	/// The number of items of a list whose items have at least `least` bytes each: never more than can follow.
	pub(crate) fn count(&mut self, least: usize) -> Result<usize, Malformed> {
		let count = usize::try_from(self.compact()?).map_err(|_| Malformed::Short)?;
		match count.checked_mul(least) {
			Some(needed) if needed <= self.rest.len() => Ok(count),
			_ => Err(Malformed::Short),
		}
	}

	/// Nothing may be left.
	pub(crate) fn end(self) -> Result<(), Malformed> {
		if self.rest.is_empty() {
			Ok(())
		} else {
			Err(Malformed::Trailing)
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::{Compact, Encode};

	#[test]
	fn compact_numbers_are_those_of_scale() {
		for value in [0, 1, 63, 64, 255, 16_383, 16_384, 1 << 20, (1 << 30) - 1, 1 << 30, u32::MAX] {
			let bytes = Compact(value).encode();
			let mut reader = Reader::new(&bytes);
			assert_eq!(reader.compact(), Ok(value));
			assert_eq!(reader.end(), Ok(()));
			for cut in 0..bytes.len() {
				assert_eq!(Reader::new(&bytes[..cut]).compact(), Err(Malformed::Short));
			}
		}
	}

	#[test]
	fn a_compact_number_has_one_form() {
		// 1 in two and in four bytes, 1 and 2^30 - 1 in five, and a number of five bytes in six
		let longer: [&[u8]; 5] =
			[&[0b101, 0], &[0b110, 0, 0, 0], &[0b11, 1, 0, 0, 0], &[0b11, 255, 255, 255, 63], &[0b111, 0, 0, 0, 0, 1]];
		for bytes in longer {
			assert_eq!(Reader::new(bytes).compact(), Err(Malformed::Compact));
		}
	}

	#[test]
	fn lengths_are_not_believed() {
		let claims = Compact(u32::MAX).encode();
		assert_eq!(Reader::new(&claims).bytes(), Err(Malformed::Short));
		assert_eq!(Reader::new(&claims).count(1), Err(Malformed::Short));
		assert_eq!(Reader::new(&claims).count(usize::MAX), Err(Malformed::Short));
	}
}
