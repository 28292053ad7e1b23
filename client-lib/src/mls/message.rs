//! Application messages (RFC 9420 section 15).

use super::{
	error::{EngineError, MessageError, ProcessError},
	keys::EpochKeys,
	policy, tls, Engine,
};
use crate::store::Overlay;
use lockstep_primitives::GroupId;
use openmls::{
	framing::errors::{MessageDecryptionError, SecretTreeError},
	group::{ProcessMessageError, ValidationError},
	prelude::{ContentType, MlsMessageBodyIn, MlsMessageIn, ProcessedMessageContent, ProtocolMessage},
};

/// An encrypted message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
	/// The epoch that it is sent in.
	pub epoch: u64,
	/// The MLSMessage.
	pub bytes: Vec<u8>,
}

/// A message that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
	/// From another member.
	Message {
		/// The identity of its sender.
		sender: Vec<u8>,
		/// The epoch that it was sent in.
		epoch: u64,
		/// What it says.
		data: Vec<u8>,
	},
	/// Says that it is this member's own, which cannot be read again.
	Own {
		/// The epoch that it was sent in.
		epoch: u64,
	},
}

impl Engine {
	/// Encrypts an application message in the group's current epoch.
	///
	/// This uses up a key: commit the overlay before the message is sent, so that no key is used twice.
	///
	/// # Errors
	/// [`MessageError::Engine`] only.
	pub fn encrypt(&self, overlay: &Overlay<'_>, group: &GroupId, data: &[u8]) -> Result<Sent, MessageError> {
		let step = overlay.nested();
		let mut mls = self.load_active(&step, group)?;
		let message = mls
			.create_message(&self.provider(&step), &self.signer, data)
			.map_err(EngineError::library("encrypting a message"))?;
		let bytes = message.to_bytes().map_err(EngineError::library("encoding a message"))?;
		step.commit().map_err(EngineError::from)?;
		Ok(Sent { epoch: mls.epoch().as_u64(), bytes })
	}

	/// Decrypts an application message of the current epoch or of a recent past one, and uses up its key.
	///
	/// # Errors
	/// [`MessageError`]; then `overlay` is as it was. [`MessageError::Future`] tells a message to keep for later from
	/// those to drop.
	pub fn decrypt(&self, overlay: &Overlay<'_>, group: &GroupId, bytes: &[u8]) -> Result<Received, MessageError> {
		let message = parse(bytes)?;
		let step = overlay.nested();
		let mut mls = self.load_active(&step, group)?;
		if message.group_id() != mls.group_id() {
			return Err(MessageError::OtherGroup);
		}
		let (epoch, current) = (message.epoch().as_u64(), mls.epoch().as_u64());
		if epoch > current {
			return Err(MessageError::Future { epoch, current });
		}
		// OpenMLS has one error for secrets that are gone and for a message that is too late in an epoch it still has
		if EpochKeys::of_epoch(&step, group, epoch)?.is_none() {
			return Err(MessageError::Past { epoch, current });
		}
		let processed = mls.process_message(&self.provider(&step), message).map_err(refusal);
		// OpenMLS takes some failed reads for absent keys
		if let Some(fault) = step.fault() {
			return Err(EngineError::from(fault).into());
		}
		let processed = processed?;
		let identity = policy::identity(processed.credential());
		let received = match processed.into_content() {
			ProcessedMessageContent::OwnPrivateMessage => Received::Own { epoch },
			ProcessedMessageContent::ApplicationMessage(message) => Received::Message {
				sender: identity.map_err(|_| MessageError::Unreadable)?,
				epoch,
				data: message.into_bytes(),
			},
			_ => return Err(MessageError::Malformed),
		};
		step.commit().map_err(EngineError::from)?;
		Ok(received)
	}
}

/// An application message in a PrivateMessage, and nothing after it.
fn parse(bytes: &[u8]) -> Result<ProtocolMessage, MessageError> {
	match tls::decode::<MlsMessageIn>(bytes).ok_or(MessageError::Malformed)?.extract() {
		MlsMessageBodyIn::PrivateMessage(message) if message.content_type() == ContentType::Application => {
			Ok(message.into())
		}
		_ => Err(MessageError::Malformed),
	}
}

fn refusal(error: ProcessError) -> MessageError {
	match error {
		ProcessMessageError::StorageError(error) => EngineError::from(error).into(),
		ProcessMessageError::ValidationError(ValidationError::UnableToDecrypt(
			MessageDecryptionError::SecretTreeError(
				SecretTreeError::SecretReuseError | SecretTreeError::TooDistantInThePast,
			),
		)) => MessageError::Repeated,
		_ => MessageError::Unreadable,
	}
}
