//! The commit bundle: what a payload holds when it is opened.

use openmls::prelude::{
	tls_codec::{Deserialize, Serialize as _, VLBytes},
	ContentType, MlsMessageBodyIn, MlsMessageIn, PublicMessageIn,
};

/// The version of the bundle, its first byte.
const VERSION: u8 = 1;

/// A commit and every proposal that it references, so that no member can have one without the other.
///
/// ```text
/// struct {
///     uint8 version = 1;
///     MLSMessage proposals<V>;   /* Proposals in PublicMessages */
///     MLSMessage commit;         /* a Commit in a PublicMessage */
/// } CommitBundle;
/// ```
/// with vectors as in RFC 9420 section 2.1.2. This is one to be sent: its messages are encoded already.
#[derive(Clone, Debug)]
pub(super) struct CommitBundle {
	proposals: Vec<Vec<u8>>,
	commit: Vec<u8>,
}

/// Why bytes are not a bundle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
	/// The first byte names another version.
	#[error("the bundle has version {0}, which does not exist")]
	Version(u8),
	/// The bytes end early, go on after the end, or have lengths that do not fit.
	#[error("the bundle does not decode, or does not end where its bytes do")]
	Encoding,
	/// A part is not the message that belongs there.
	#[error("the bundle holds something that is not {0} in a PublicMessage")]
	Part(&'static str),
	/// The sealed bundle would be larger than [`MAX_PAYLOAD`](super::constants::MAX_PAYLOAD).
	#[error("the commit takes {length} bytes, more than the {max} allowed; commit fewer changes at once")]
	TooLarge {
		/// The length of the sealed bundle.
		length: usize,
		/// The bound.
		max: usize,
	},
}

/// A decoded bundle, its messages parsed but not judged.
pub(super) struct Messages {
	pub(super) proposals: Vec<PublicMessageIn>,
	pub(super) commit: PublicMessageIn,
}

impl CommitBundle {
	pub(super) fn new(proposals: Vec<Vec<u8>>, commit: Vec<u8>) -> Self {
		Self { proposals, commit }
	}

	/// The bytes to seal.
	pub(super) fn encode(&self) -> Result<Vec<u8>, BundleError> {
		// a vector is the length of its content and its content, whatever that is
		let proposals = VLBytes::from(self.proposals.concat());
		let proposals = proposals.tls_serialize_detached().map_err(|_| BundleError::Encoding)?;
		Ok([&[VERSION][..], &proposals, &self.commit].concat())
	}

	/// Reads a bundle and parses the messages in it. Total: any bytes give messages or an error.
	pub(super) fn decode(bytes: &[u8]) -> Result<Messages, BundleError> {
		let mut rest = match bytes.split_first() {
			Some((&VERSION, rest)) => rest,
			Some((&other, _)) => return Err(BundleError::Version(other)),
			None => return Err(BundleError::Encoding),
		};
		let vector = VLBytes::tls_deserialize(&mut rest).map_err(|_| BundleError::Encoding)?;
		let mut vector = vector.as_slice();
		let mut proposals = Vec::new();
		while !vector.is_empty() {
			let proposal = read(&mut vector, ContentType::Proposal)?;
			proposals.push(proposal.ok_or(BundleError::Part("a proposal"))?);
		}
		let commit = read(&mut rest, ContentType::Commit)?.ok_or(BundleError::Part("a commit"))?;
		if rest.is_empty() {
			Ok(Messages { proposals, commit })
		} else {
			Err(BundleError::Encoding)
		}
	}
}

/// The next MLSMessage (RFC 9420 section 6); `None` inside if it is not a PublicMessage with such content.
fn read(bytes: &mut &[u8], content: ContentType) -> Result<Option<PublicMessageIn>, BundleError> {
	match MlsMessageIn::tls_deserialize(bytes).map_err(|_| BundleError::Encoding)?.extract() {
		MlsMessageBodyIn::PublicMessage(message) if message.content_type() == content => Ok(Some(message)),
		_ => Ok(None),
	}
}

/// The PublicMessage in an MLSMessage, if that and nothing else is in `bytes` and its content is of the given type.
pub(super) fn parse(mut bytes: &[u8], content: ContentType) -> Option<PublicMessageIn> {
	let message = read(&mut bytes, content).ok()?;
	message.filter(|_| bytes.is_empty())
}
