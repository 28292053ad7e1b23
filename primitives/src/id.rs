//! Identifiers: 32-byte values that must not be taken for one another, and the endorsement.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

macro_rules! bytes_newtype {
	($(#[$doc:meta])* $name:ident, $len:literal) => {
		$(#[$doc])*
		#[derive(
			Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, DecodeWithMemTracking,
			MaxEncodedLen, TypeInfo,
		)]
		pub struct $name(pub [u8; $len]);

		impl $name {
			/// The bytes.
			pub const fn as_bytes(&self) -> &[u8; $len] {
				&self.0
			}
		}

		impl From<[u8; $len]> for $name {
			fn from(bytes: [u8; $len]) -> Self {
				Self(bytes)
			}
		}

		impl AsRef<[u8]> for $name {
			fn as_ref(&self) -> &[u8] {
				&self.0
			}
		}

		impl core::fmt::Display for $name {
			fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
				self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
			}
		}

		impl core::fmt::Debug for $name {
			fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
				write!(f, concat!(stringify!($name), "({})"), self)
			}
		}

		#[cfg(feature = "serde")]
		impl serde::Serialize for $name {
			/// `0x` and lower-case hexadecimal digits.
			fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
				serializer.serialize_str(&alloc::format!("0x{self}"))
			}
		}

		#[cfg(feature = "serde")]
		impl<'de> serde::Deserialize<'de> for $name {
			fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
				let text = <alloc::borrow::Cow<'de, str>>::deserialize(deserializer)?;
				text.parse().map_err(serde::de::Error::custom)
			}
		}

		impl core::str::FromStr for $name {
			type Err = ParseHexError;

			/// Hexadecimal digits of the exact length, with or without `0x`.
			fn from_str(text: &str) -> Result<Self, ParseHexError> {
				let mut bytes = [0u8; $len];
				parse_hex(text, &mut bytes)?;
				Ok(Self(bytes))
			}
		}
	};
}

bytes_newtype!(
	/// The genesis block hash of a chain: what makes a signature good on this chain alone.
	GenesisHash,
	32
);
bytes_newtype!(
	/// The hash of a block.
	BlockHash,
	32
);
bytes_newtype!(
	/// Names a group log. It is the MLS group id (RFC 9420 section 8.1) and is drawn at random, so that it says
	/// nothing about the group. An id is used once: a closed group's id cannot be taken again.
	GroupId,
	32
);
bytes_newtype!(
	/// The hash of an entry: the log head that appending the entry made.
	EntryHash,
	32
);
bytes_newtype!(
	/// BLAKE3-256 of a payload.
	PayloadHash,
	32
);
bytes_newtype!(
	/// The Ed25519 public key that endorses the children of an entry. Its seed is exported from the MLS epoch
	/// that the entry opens, so that exactly the members of that epoch hold it.
	OrderingKey,
	32
);
bytes_newtype!(
	/// An Ed25519 signature (RFC 8032) over [`endorsement_payload`](crate::endorsement_payload).
	Endorsement,
	64
);

bytes_newtype!(
	/// The Ed25519 public key of a voucher, which is used once.
	VoucherKey,
	32
);
bytes_newtype!(
	/// The account of a sponsor, which is its Ed25519 public key.
	SponsorId,
	32
);
bytes_newtype!(
	/// An Ed25519 signature (RFC 8032) over a payload of [`voucher`](crate::voucher).
	VoucherSignature,
	64
);

bytes_newtype!(
	/// Names an identity: the hash of its first event, so that nobody can claim another's.
	IdentityId,
	32
);
bytes_newtype!(
	/// An Ed25519 public key that has a place in an identity: of a device, or for recovery. That of a device signs its
	/// MLS leaves too (RFC 9420 section 7.2). A key is used once, ever.
	IdentityKey,
	32
);
bytes_newtype!(
	/// The X25519 public key of a KeyPackage to which its Welcome is encrypted (RFC 9420 section 10).
	InitKey,
	32
);
bytes_newtype!(
	/// The hash of a key that is to be shown later: whoever steals today's key does not know tomorrow's.
	KeyCommitment,
	32
);
bytes_newtype!(
	/// Names an operator, a provider that runs nodes.
	OperatorId,
	32
);
bytes_newtype!(
	/// An Ed25519 signature (RFC 8032) over an event of an identity.
	EventSignature,
	64
);

/// Why a text is not the hexadecimal form of an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseHexError {
	/// The number of digits is wrong; the number expected is given.
	Length(usize),
	/// A character is not a hexadecimal digit; its position is given.
	Digit(usize),
}

impl core::fmt::Display for ParseHexError {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		match self {
			Self::Length(digits) => write!(f, "expected {digits} hexadecimal digits"),
			Self::Digit(at) => write!(f, "character {at} is not a hexadecimal digit"),
		}
	}
}

impl core::error::Error for ParseHexError {}

fn parse_hex(text: &str, out: &mut [u8]) -> Result<(), ParseHexError> {
	let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
	if digits.len() != out.len().saturating_mul(2) {
		return Err(ParseHexError::Length(out.len().saturating_mul(2)));
	}
	let value = |digit: u8| (digit as char).to_digit(16);
	for (at, (byte, pair)) in out.iter_mut().zip(digits.chunks_exact(2)).enumerate() {
		let (Some(high), Some(low)) = (pair.first().copied().and_then(value), pair.get(1).copied().and_then(value))
		else {
			return Err(ParseHexError::Digit(at.saturating_mul(2)));
		};
		// two digits below 16 make a byte
		*byte = ((high << 4) | low) as u8;
	}
	Ok(())
}
