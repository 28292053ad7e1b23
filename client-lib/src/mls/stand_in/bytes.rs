//! 32 bytes, serialised as hexadecimal digits.

use lockstep_primitives::rpc::HexBytes;
use serde::{de::Error, Deserialize, Deserializer, Serialize, Serializer};

pub(super) fn serialize<S: Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
	HexBytes(bytes.to_vec()).serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
	let HexBytes(bytes) = HexBytes::deserialize(deserializer)?;
	bytes.try_into().map_err(|_| D::Error::custom("not 32 bytes"))
}
