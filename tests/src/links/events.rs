//! The events of a block, told apart: the state has all of them in one value, and that joins nothing but by time.

use crate::{Error, Result};
use codec::{Compact, Decode, Error as CodecError};

/// A field of an event, as it is encoded.
#[derive(Clone, Copy)]
enum Field {
	/// So many bytes.
	Bytes(usize),
	/// A number that takes as many as it needs.
	Number,
}

/// The fields of the events that the chain is known to emit here. Another one ends the test: it has to be looked at.
fn fields(pallet: u8, event: u8) -> Option<&'static [Field]> {
	use Field::{Bytes, Number};
	Some(match (pallet, event) {
		// System: success (weight, class, who pays), a new account.
		(0, 0) => &[Number, Number, Bytes(2)],
		(0, 3) => &[Bytes(32)],
		// Balances: an account was upgraded; so much is held for a reason, or released.
		(4, 16) => &[Bytes(32)],
		(4, 24 | 28) => &[Bytes(2 + 32 + 16)],
		// Ordering: a group was created, an entry appended.
		(10, 0) => &[Bytes(64)],
		(10, 1) => &[Bytes(32 + 8 + 32 + 32 + 8 + 1)],
		// Session: a new one, and what follows from it.
		(12, 0) => &[Bytes(4)],
		(12, 1) => &[],
		// Directory: an identity was registered, an event recorded, a device added.
		(14, 0 | 2) => &[Bytes(64)],
		(14, 1) => &[Bytes(32 + 8 + 32)],
		// KeyPackages: published, claimed, few are left, the last resort was used.
		(16, 0) => &[Bytes(32 + 32 + 4 + 4 + 1)],
		(16, 2 | 3) => &[Bytes(32 + 32 + 4)],
		(16, 4) => &[Bytes(64)],
		_ => return None,
	})
}

/// An event, and the position of the extrinsic that it is of, if it is of one.
pub type Emitted = (Option<u32>, Vec<u8>);

/// Takes the value of `System::Events` apart.
pub fn split(value: &[u8]) -> Result<Vec<Emitted>> {
	let input = &mut &value[..];
	let broken = |error: CodecError| Error::Broken(format!("the events 0x{} are none: {error}", hex::encode(value)));
	let Compact(count) = Compact::<u32>::decode(input).map_err(broken)?;
	let events = (0..count).map(|_| next(input)).collect::<Result<Vec<_>, _>>().map_err(broken)?;
	match input {
		[] => Ok(events),
		_ => Err(broken("something follows them".into())),
	}
}

fn next(input: &mut &[u8]) -> Result<Emitted, CodecError> {
	let extrinsic = match u8::decode(input)? {
		0 => Some(u32::decode(input)?),
		1 | 2 => None,
		_ => return Err("it is of no phase".into()),
	};
	let start = *input;
	let (pallet, event) = <(u8, u8)>::decode(input)?;
	let Some(fields) = fields(pallet, event) else {
		eprintln!("nobody knows event {event} of pallet {pallet}");
		return Err("an event is not known".into());
	};
	for field in fields {
		match field {
			Field::Bytes(length) => *input = input.get(*length..).ok_or("an event is cut off")?,
			Field::Number => drop(Compact::<u64>::decode(input)?),
		}
	}
	Vec::<[u8; 32]>::decode(input)?;
	Ok((extrinsic, start[..start.len() - input.len()].to_vec()))
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Encode;

	#[test]
	fn events_are_told_apart_and_strange_ones_refused() {
		let none = Vec::<[u8; 32]>::new();
		let success = (0u8, 0u8, Compact(70_000u64), Compact(3u64), [0u8; 2], &none).encode();
		let claimed = (16u8, 2u8, [7u8; 32], [8u8; 32], 1u32, &none).encode();
		let value = [&[8][..], &[0, 1, 0, 0, 0], &claimed, &[1], &success].concat();
		assert_eq!(split(&value).unwrap(), [(Some(1), claimed), (None, success)]);
		for end in 0..value.len() {
			assert!(split(&value[..end]).is_err(), "cut at {end}");
		}
		assert!(split(&[4, 1, 99, 0, 0]).is_err());
	}
}
