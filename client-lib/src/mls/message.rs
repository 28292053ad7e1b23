//! Application messages (RFC 9420 section 15).

use super::{
	constants::{MAX_MESSAGE, MESSAGE_OVERHEAD},
	error::{EngineError, MessageError, ProcessError},
	keys::EpochKeys,
	meter, policy, tls, Engine,
};
use crate::store::Overlay;
use lockstep_primitives::GroupId;
use openmls::{
	framing::errors::{MessageDecryptionError, SecretTreeError},
	group::{ProcessMessageError, ValidationError},
	prelude::{
		ContentType, MlsGroup, MlsMessageBodyIn, MlsMessageIn, ProcessedMessageContent, ProtocolMessage, Sender,
	},
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
	/// [`MessageError::TooLarge`]; [`MessageError::TooMany`] if this member has sent so many in this epoch that it has
	/// to commit first; [`MessageError::Engine`].
	pub fn encrypt(&self, overlay: &Overlay<'_>, group: &GroupId, data: &[u8]) -> Result<Sent, MessageError> {
		if data.len() > MAX_MESSAGE {
			return Err(MessageError::TooLarge { length: data.len(), max: MAX_MESSAGE });
		}
		let step = overlay.nested();
		let mut loaded = self.take_active(&step, group)?;
		let mls = &mut loaded.mls;
		let epoch = mls.epoch().as_u64();
		if !meter::count(&step, group, epoch, mls.own_leaf_index()).map_err(EngineError::from)? {
			return Err(MessageError::TooMany { sender: self.identity.clone(), epoch });
		}
		let signer = self.signer_of(&step, group, mls)?.pair();
		step.past_epochs_stay();
		let message = mls.create_message(&self.provider(&step), &signer, data);
		if let Some(fault) = step.fault() {
			return Err(EngineError::from(fault).into());
		}
		let message = message.map_err(EngineError::library("encrypting a message"))?;
		let bytes = message.to_bytes().map_err(EngineError::library("encoding a message"))?;
		loaded.keep(&step);
		step.commit().map_err(EngineError::from)?;
		Ok(Sent { epoch, bytes })
	}

	/// Decrypts an application message of the current epoch or of a recent past one, and uses up its key.
	///
	/// # Errors
	/// [`MessageError`]; then `overlay` is as it was. [`MessageError::Future`] tells a message to keep for later from
	/// those to drop.
	pub fn decrypt(&self, overlay: &Overlay<'_>, group: &GroupId, bytes: &[u8]) -> Result<Received, MessageError> {
		let max = MAX_MESSAGE.saturating_add(MESSAGE_OVERHEAD);
		if bytes.len() > max {
			return Err(MessageError::TooLarge { length: bytes.len(), max });
		}
		let message = parse(bytes)?;
		let step = overlay.nested();
		let mut loaded = self.take_active(&step, group)?;
		let epoch = message.epoch().as_u64();
		if let Some(useless) = useless(&step, group, &loaded.mls, &message)? {
			loaded.give_back(&step);
			return Err(useless);
		}
		if epoch == loaded.mls.epoch().as_u64() {
			step.past_epochs_stay();
		}
		let processed = loaded.mls.process_message(&self.provider(&step), message).map_err(refusal);
		// OpenMLS takes some failed reads for absent keys
		if let Some(fault) = step.fault() {
			return Err(EngineError::from(fault).into());
		}
		let processed = processed?;
		let identity = policy::identity(processed.credential());
		let sender = processed.sender().clone();
		let received = match processed.into_content() {
			ProcessedMessageContent::OwnPrivateMessage => Received::Own { epoch },
			ProcessedMessageContent::ApplicationMessage(message) => {
				let Sender::Member(leaf) = sender else { return Err(MessageError::Malformed) };
				let (sender, data) = (identity.map_err(|_| MessageError::Unreadable)?, message.into_bytes());
				if data.len() > MAX_MESSAGE {
					return Err(MessageError::TooLarge { length: data.len(), max: MAX_MESSAGE });
				}
				if !meter::count(&step, group, epoch, leaf).map_err(EngineError::from)? {
					return Err(MessageError::TooMany { sender, epoch });
				}
				Received::Message { sender, epoch, data }
			}
			_ => return Err(MessageError::Malformed),
		};
		loaded.keep(&step);
		step.commit().map_err(EngineError::from)?;
		Ok(received)
	}
}

/// What is wrong with a message before it is decrypted, if anything is.
fn useless(
	overlay: &Overlay<'_>,
	group: &GroupId,
	mls: &MlsGroup,
	message: &ProtocolMessage,
) -> Result<Option<MessageError>, EngineError> {
	let (epoch, current) = (message.epoch().as_u64(), mls.epoch().as_u64());
	Ok(if message.group_id() != mls.group_id() {
		Some(MessageError::OtherGroup)
	} else if epoch > current {
		Some(MessageError::Future { epoch, current })
	} else if EpochKeys::of_epoch(overlay, group, epoch)?.is_none() {
		// OpenMLS has one error for secrets that are gone and for a message that is too late in an epoch it still has
		Some(MessageError::Past { epoch, current })
	} else {
		None
	})
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
