//! Bytes in records as bytes. As hexadecimal digits, in which the types of the RPC are serialised, they are twice as long.

use super::codec;
use lockstep_primitives::rpc::HexBytes;
use serde::{
	de::{self, DeserializeOwned, IntoDeserializer},
	Deserialize, Deserializer, Serialize, Serializer,
};
use zeroize::Zeroizing;

/// For fields of records, `#[serde(with = "packed")]`.
pub(crate) fn serialize<S: Serializer>(bytes: &HexBytes, serializer: S) -> Result<S::Ok, S::Error> {
	serializer.serialize_bytes(&bytes.0)
}

/// Reads digits, too, which is what earlier versions wrote.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HexBytes, D::Error> {
	deserializer.deserialize_any(Visitor)
}

/// Bytes in a record, where there is no field to say it of: in an option or a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Packed(#[serde(with = "self")] pub(crate) HexBytes);

struct Visitor;

impl de::Visitor<'_> for Visitor {
	type Value = HexBytes;

	fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.write_str("bytes")
	}

	fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<HexBytes, E> {
		Ok(HexBytes(bytes.to_vec()))
	}

	fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<HexBytes, E> {
		Ok(HexBytes(bytes))
	}

	fn visit_str<E: de::Error>(self, text: &str) -> Result<HexBytes, E> {
		HexBytes::deserialize(text.into_deserializer())
	}
}

/// A value as CBOR, to be kept within a record without being decoded with it.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Zeroizing<Vec<u8>>, String> {
	codec::cbor(value)
}

/// The value of [`encode`]'s bytes; `None` for anything else, without a word about what is in them.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
	codec::from_cbor(bytes).ok()
}
