//! Keys of devices, and of recovery.

use crate::mls::SignerSeed;
use ed25519_dalek::{Signer, SigningKey};
use lockstep_primitives::{identity::NewDevice, EventSignature, IdentityKey, KeyCommitment};
use rand::RngCore;
use std::str::FromStr;
use zeroize::Zeroize;

/// The seed of an Ed25519 key that has a place in an identity (RFC 8032 section 5.1.5). Wiped when dropped; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed([u8; 32]);

impl Seed {
	/// A new one.
	pub fn random() -> Self {
		let mut seed = [0; 32];
		rand::rngs::OsRng.fill_bytes(&mut seed);
		Self(seed)
	}

	/// Takes the 32 bytes of a seed.
	pub fn new(seed: [u8; 32]) -> Self {
		Self(seed)
	}

	/// The 32 bytes, to be kept secret.
	pub fn as_bytes(&self) -> &[u8; 32] {
		&self.0
	}

	/// The public key.
	pub fn key(&self) -> IdentityKey {
		IdentityKey(self.signing().verifying_key().to_bytes())
	}

	/// What is told of the key before it is used.
	pub fn commitment(&self) -> KeyCommitment {
		self.key().commitment()
	}

	/// The same key, to sign MLS leaves with.
	pub fn signer(&self) -> SignerSeed {
		SignerSeed::new(self.0)
	}

	pub(crate) fn sign(&self, text: &[u8]) -> EventSignature {
		EventSignature(self.signing().sign(text).to_bytes())
	}

	fn signing(&self) -> SigningKey {
		SigningKey::from_bytes(&self.0)
	}
}

impl Drop for Seed {
	fn drop(&mut self) {
		self.0.zeroize();
	}
}

impl std::fmt::Debug for Seed {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_tuple("Seed").field(&self.key()).finish()
	}
}

/// The keys of a device: the one that it has, and the one that it will go over to. Whoever keeps the second apart from the
/// first loses only the first to a thief of the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceKeys {
	/// Signs events and MLS leaves.
	pub current: Seed,
	/// Signs the rotation, and is current after it.
	pub next: Seed,
}

impl DeviceKeys {
	/// Those of a new device.
	pub fn random() -> Self {
		Self { current: Seed::random(), next: Seed::random() }
	}

	/// What others are told of them.
	pub fn device(&self) -> NewDevice {
		NewDevice { key: self.current.key(), next: self.next.commitment() }
	}

	/// The keys after a rotation, for [`rotate_device`](super::rotate_device). Store them before the event is submitted,
	/// beside those of before, until one of the two is in the log.
	pub fn rotated(&self) -> Self {
		Self { current: self.next.clone(), next: Seed::random() }
	}
}

const PREFIX: &str = "lockstep-device:";
const CHECK: usize = 4;

/// A device that asks to be added, as a text for a person's eyes, hands or camera: no secret, and no harm if it is read by
/// others; but who can replace it on its way is added instead. So it carries a check against typing errors alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceOffer(pub NewDevice);

/// Why a text is no offer of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceOfferError {
	/// It is something else.
	#[error("this is no device code: it starts with {PREFIX}")]
	Prefix,
	/// Characters are missing, or there are too many, or other ones.
	#[error("the device code is not complete: it has 136 characters after {PREFIX}")]
	Length,
	/// Characters are wrong.
	#[error("the device code was not copied well: read it again")]
	Check,
}

fn check(device: &[u8]) -> [u8; CHECK] {
	let hash = blake3::derive_key("lockstep client 2026-11-27 device offers", device);
	hash.first_chunk().copied().unwrap_or_default()
}

impl std::fmt::Display for DeviceOffer {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		let device = [self.0.key.0, self.0.next.0].concat();
		write!(f, "{PREFIX}{}{}", hex::encode(&device), hex::encode(check(&device)))
	}
}

impl FromStr for DeviceOffer {
	type Err = DeviceOfferError;

	fn from_str(text: &str) -> Result<Self, DeviceOfferError> {
		let digits = text.trim().strip_prefix(PREFIX).ok_or(DeviceOfferError::Prefix)?;
		let bytes = hex::decode(digits).map_err(|_| DeviceOfferError::Length)?;
		let (device, sum) = bytes.split_at_checked(64).ok_or(DeviceOfferError::Length)?;
		if sum.len() != CHECK {
			return Err(DeviceOfferError::Length);
		}
		if sum != check(device) {
			return Err(DeviceOfferError::Check);
		}
		let (key, next) = device.split_at_checked(32).ok_or(DeviceOfferError::Length)?;
		let array = |part: &[u8]| <[u8; 32]>::try_from(part).map_err(|_| DeviceOfferError::Length);
		Ok(Self(NewDevice { key: IdentityKey(array(key)?), next: KeyCommitment(array(next)?) }))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_offer_survives_the_way_or_is_refused() {
		let offer = DeviceOffer(DeviceKeys { current: Seed::new([1; 32]), next: Seed::new([2; 32]) }.device());
		let text = offer.to_string();
		assert_eq!(text.parse(), Ok(offer));
		assert_eq!(format!(" {text}\n").parse(), Ok(offer));
		assert_eq!("lockstep".parse::<DeviceOffer>(), Err(DeviceOfferError::Prefix));
		for cut in PREFIX.len()..text.len() {
			assert_eq!(text[..cut].parse::<DeviceOffer>(), Err(DeviceOfferError::Length), "cut at {cut}");
		}
		assert_eq!(format!("{text}00").parse::<DeviceOffer>(), Err(DeviceOfferError::Length));
		for at in PREFIX.len()..text.len() {
			let mut wrong = text.clone().into_bytes();
			wrong[at] = if wrong[at] == b'0' { b'1' } else { b'0' };
			let wrong = String::from_utf8(wrong).unwrap();
			assert_eq!(wrong.parse::<DeviceOffer>(), Err(DeviceOfferError::Check), "changed at {at}");
		}
	}

	#[test]
	fn seeds_are_not_shown() {
		let keys = DeviceKeys { current: Seed::new([0xee; 32]), next: Seed::new([0xdd; 32]) };
		let shown = format!("{keys:?}");
		assert!(!shown.contains("238") && !shown.contains("eeee") && !shown.contains("dddd"), "{shown}");
	}
}
