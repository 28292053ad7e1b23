//! What the data of a statement holds.
//!
//! Under a group's topic: `version | seal(kind | contents)`, sealed with the statement key of the signer's epoch.
//! Under a mailbox's topic: `version | invitation`, which the sender sealed to the KeyPackage.

/// The version that this library writes and reads.
const VERSION: u8 = 1;
const MESSAGE: u8 = 0;
const PROPOSAL: u8 = 1;
const REJOIN: u8 = 2;

/// What a member tells the others of its epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
	/// An application message: an MLS PrivateMessage (RFC 9420 section 6.3).
	Message(Vec<u8>),
	/// A standalone proposal, for another member to commit: an MLSMessage (RFC 9420 section 12.1).
	Proposal(Vec<u8>),
	/// A rejoin request, by a member that was cut off.
	Rejoin(Vec<u8>),
}

/// Why data is not an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
	/// Nothing in it.
	#[error("the envelope is empty: drop it")]
	Empty,
	/// From a newer library, or not an envelope at all.
	#[error("the envelope has version {0}, this library reads version 1: update the library if members send it")]
	Version(u8),
	/// Contents of a kind that this library does not know.
	#[error("the envelope holds contents of the unknown kind {0}: update the library if members send it")]
	Kind(u8),
}

impl Content {
	/// The bytes to seal.
	pub fn encode(&self) -> Vec<u8> {
		let (kind, bytes) = match self {
			Self::Message(bytes) => (MESSAGE, bytes),
			Self::Proposal(bytes) => (PROPOSAL, bytes),
			Self::Rejoin(bytes) => (REJOIN, bytes),
		};
		[&[kind][..], bytes].concat()
	}

	/// Reads what was sealed.
	pub fn decode(opened: &[u8]) -> Result<Self, EnvelopeError> {
		match opened.split_first().ok_or(EnvelopeError::Empty)? {
			(&MESSAGE, bytes) => Ok(Self::Message(bytes.to_vec())),
			(&PROPOSAL, bytes) => Ok(Self::Proposal(bytes.to_vec())),
			(&REJOIN, bytes) => Ok(Self::Rejoin(bytes.to_vec())),
			(&kind, _) => Err(EnvelopeError::Kind(kind)),
		}
	}
}

/// Puts the version in front.
pub fn wrap(sealed: &[u8]) -> Vec<u8> {
	[&[VERSION][..], sealed].concat()
}

/// Takes the version off.
pub fn unwrap(data: &[u8]) -> Result<&[u8], EnvelopeError> {
	match data.split_first().ok_or(EnvelopeError::Empty)? {
		(&VERSION, sealed) => Ok(sealed),
		(&version, _) => Err(EnvelopeError::Version(version)),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn contents_keep_their_kind() {
		for content in [Content::Message(vec![1, 2]), Content::Proposal(Vec::new()), Content::Rejoin(vec![3])] {
			assert_eq!(Content::decode(&content.encode()), Ok(content));
		}
		assert_eq!(Content::decode(&[]), Err(EnvelopeError::Empty));
		assert_eq!(Content::decode(&[9, 1]), Err(EnvelopeError::Kind(9)));
	}

	#[test]
	fn other_versions_are_refused() {
		assert_eq!(unwrap(&wrap(&[5])), Ok(&[5][..]));
		assert_eq!(unwrap(&[]), Err(EnvelopeError::Empty));
		assert_eq!(unwrap(&[2, 5]), Err(EnvelopeError::Version(2)));
	}
}
