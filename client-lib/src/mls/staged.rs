//! A staged commit in the form in which it is kept until the log has answered.

use super::error::EngineError;
use crate::store::packed;
use openmls::prelude::StagedCommit;
use serde::{de, Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// A staged commit in OpenMLS's serialised form, with the secrets of the next epoch in it.
///
/// It is CBOR within the CBOR of its record, as bytes: so it is decoded only if the commit wins. Earlier versions kept it as
/// JSON, in a text.
#[derive(Clone)]
pub(super) enum StagedBytes {
	Cbor(Zeroizing<Vec<u8>>),
	Json(Zeroizing<String>),
}

impl StagedBytes {
	pub(super) fn of(staged: &StagedCommit) -> Result<Self, EngineError> {
		let encoded =
			packed::encode(staged).map_err(|reason| EngineError::Library { during: "keeping a commit", reason })?;
		Ok(Self::Cbor(encoded))
	}

	pub(super) fn read(&self) -> Result<StagedCommit, EngineError> {
		// The error would show what does not decode, and that is secret.
		let staged = match self {
			Self::Cbor(bytes) => packed::decode(bytes),
			Self::Json(text) => serde_json::from_str(text).ok(),
		};
		staged.ok_or_else(|| EngineError::Library { during: "reading a kept commit", reason: "it is damaged".into() })
	}

	/// What a stand-in for OpenMLS staged.
	#[cfg(feature = "simulation")]
	pub(super) fn text(staged: String) -> Self {
		Self::Json(Zeroizing::new(staged))
	}

	#[cfg(feature = "simulation")]
	pub(super) fn as_text(&self) -> &str {
		match self {
			Self::Json(text) => text,
			Self::Cbor(_) => "",
		}
	}
}

impl Serialize for StagedBytes {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		match self {
			Self::Cbor(bytes) => serializer.serialize_bytes(bytes),
			Self::Json(text) => serializer.serialize_str(text),
		}
	}
}

impl<'de> Deserialize<'de> for StagedBytes {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		deserializer.deserialize_any(Visitor)
	}
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
	type Value = StagedBytes;

	fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.write_str("a staged commit")
	}

	fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<StagedBytes, E> {
		Ok(StagedBytes::Cbor(Zeroizing::new(bytes.to_vec())))
	}

	fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<StagedBytes, E> {
		Ok(StagedBytes::Cbor(Zeroizing::new(bytes)))
	}

	fn visit_str<E: de::Error>(self, text: &str) -> Result<StagedBytes, E> {
		Ok(StagedBytes::Json(Zeroizing::new(text.to_owned())))
	}

	fn visit_string<E: de::Error>(self, text: String) -> Result<StagedBytes, E> {
		Ok(StagedBytes::Json(Zeroizing::new(text)))
	}
}
