//! The keys of a person's device, in a profile: the file `device`.
//!
//! The file starts with [`MAGIC`]; then come a nonce (24 bytes) and the keys, in SCALE, sealed by XChaCha20-Poly1305 under a key
//! of the profile's secret, with the beginning as associated data. Keys are in it before anything that names them is sent, so
//! that whatever was begun can be finished by who has the profile, and by nobody else.

mod standing;

pub use standing::Standing;

use crate::{
	failure::{Failure, Kind},
	files,
	profile::Profile,
	secret::Secret,
};
use chacha20poly1305::{
	aead::{Aead, Payload},
	KeyInit, XChaCha20Poly1305,
};
use codec::{Decode, DecodeAll, Encode};
use lockstep_client::directory::{DeviceKeys, History, IdentityId, Seed};
use std::{
	fs::{File, OpenOptions},
	os::unix::fs::OpenOptionsExt,
	path::PathBuf,
};
use zeroize::Zeroizing;

const MAGIC: &[u8] = b"lockstep-device/1\n";
const NONCE: usize = 24;
/// More than the keys and an event take: what is written never grows into other memory.
const ROOM: usize = 2048;

/// What a device has. Wiped when dropped; not shown by `Debug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyring {
	/// Whose device it is, or is to be.
	pub identity: Option<IdentityId>,
	/// Its keys.
	pub keys: DeviceKeys,
	/// The key after the next one, if the device may be going over to the next one.
	pub rotating: Option<Seed>,
	/// Whether its leaves in groups may be at an earlier key.
	pub behind: bool,
	/// What contacts have to show who claim KeyPackages.
	pub gate: Option<Seed>,
	/// How far it has come.
	pub standing: Standing,
}

/// As it is sealed.
#[derive(Encode, Decode)]
struct Stored {
	identity: Option<IdentityId>,
	current: [u8; 32],
	next: [u8; 32],
	rotating: Option<[u8; 32]>,
	behind: bool,
	gate: Option<[u8; 32]>,
	standing: Standing,
}

impl Drop for Stored {
	fn drop(&mut self) {
		use zeroize::Zeroize;
		self.current.zeroize();
		self.next.zeroize();
		self.rotating.zeroize();
		self.gate.zeroize();
	}
}

impl Keyring {
	/// Of a new device.
	pub fn new(standing: Standing) -> Self {
		let keys = DeviceKeys::random();
		Self { identity: None, keys, rotating: None, behind: false, gate: None, standing }
	}

	/// The keys that it goes over to, if it does.
	pub fn rotated(&self) -> Option<DeviceKeys> {
		self.rotating.clone().map(|next| DeviceKeys { current: self.keys.next.clone(), next })
	}

	/// Takes in what the log of its identity says: a rotation that came through, and that it is a device.
	pub fn learn(&mut self, history: &History) {
		let Some(state) = history.newest().filter(|_| self.identity == Some(history.identity())) else { return };
		if let Some(rotated) = self.rotated().filter(|rotated| state.device(&rotated.current.key()).is_some()) {
			self.keys = rotated;
			self.rotating = None;
			self.behind = true;
		}
		if state.device(&self.keys.current.key()).is_some() {
			self.standing = Standing::Device;
		}
	}

	/// Whose device it is.
	pub fn device_of(&self, command: &str) -> Result<IdentityId, Failure> {
		let no = |message: &str, advice: String| Err(Failure::new(Kind::NotADevice, message).advise(advice));
		match (&self.standing, self.identity) {
			(Standing::Device, Some(identity)) => Ok(identity),
			(Standing::Offered, _) => no(
				"this device is nobody's yet: it was offered, and has accepted nothing",
				format!("{command} device accept EVENT, with what the other device prints for `device add CODE`"),
			),
			_ => no(
				"this profile is not known to be a device of its identity yet",
				format!("{command} identity register, which finishes what was begun"),
			),
		}
	}

	fn encode(&self) -> Zeroizing<Vec<u8>> {
		let bytes = |seed: &Seed| *seed.as_bytes();
		let stored = Stored {
			identity: self.identity,
			current: bytes(&self.keys.current),
			next: bytes(&self.keys.next),
			rotating: self.rotating.as_ref().map(bytes),
			behind: self.behind,
			gate: self.gate.as_ref().map(bytes),
			standing: self.standing.clone(),
		};
		let mut encoded = Zeroizing::new(Vec::with_capacity(ROOM));
		stored.encode_to(&mut *encoded);
		encoded
	}

	fn decode(bytes: &[u8]) -> Option<Self> {
		let stored = Stored::decode_all(&mut &*bytes).ok()?;
		Some(Self {
			identity: stored.identity,
			keys: DeviceKeys { current: Seed::new(stored.current), next: Seed::new(stored.next) },
			rotating: stored.rotating.map(Seed::new),
			behind: stored.behind,
			gate: stored.gate.map(Seed::new),
			standing: stored.standing.clone(),
		})
	}
}

/// Where a profile has them.
#[derive(Clone)]
pub struct KeyFile {
	path: PathBuf,
	key: Zeroizing<[u8; 32]>,
	/// How commands of the profile begin.
	command: String,
}

impl KeyFile {
	/// Of this profile.
	pub fn of(profile: &Profile, secret: &Secret) -> Self {
		Self { path: profile.device(), key: Zeroizing::new(secret.device_key()), command: profile.command() }
	}

	/// Makes it.
	pub fn create(&self, keyring: &Keyring) -> Result<(), Failure> {
		files::absent(&self.path)?;
		self.write(keyring)
	}

	/// Reads it.
	pub fn read(&self) -> Result<Keyring, Failure> {
		let damaged = |reason: &str| {
			Failure::new(Kind::ProfileDamaged, format!("{} cannot be read: {reason}", self.path.display())).advise(
				"revoke this device by another one of yours, or recover the identity: lockstep identity recover",
			)
		};
		let file = std::fs::read(&self.path).map_err(|error| damaged(&error.to_string()))?;
		let sealed = file.strip_prefix(MAGIC).and_then(|rest| rest.split_first_chunk::<NONCE>());
		let (nonce, sealed) = sealed.ok_or_else(|| damaged("it does not hold the keys of a device"))?;
		let payload = Payload { msg: sealed, aad: MAGIC };
		let opened = XChaCha20Poly1305::new(self.key.as_slice().into()).decrypt(nonce.into(), payload);
		let opened = Zeroizing::new(opened.map_err(|_| damaged("it was changed, or is another profile's"))?);
		Keyring::decode(&opened).ok_or_else(|| damaged("a newer `lockstep` wrote it"))
	}

	/// Changes it, with no other process in between; gives what is in it then.
	pub fn change(&self, change: impl FnOnce(&mut Keyring)) -> Result<Keyring, Failure> {
		let _locked = self.lock()?;
		let mut keyring = self.read()?;
		let before = keyring.clone();
		change(&mut keyring);
		if keyring != before {
			self.write(&keyring)?;
		}
		Ok(keyring)
	}

	/// Whose device it is, with its keys.
	pub fn device(&self) -> Result<(IdentityId, Keyring), Failure> {
		let keyring = self.read()?;
		Ok((keyring.device_of(&self.command)?, keyring))
	}

	fn lock(&self) -> Result<File, Failure> {
		let path = self.path.with_extension("lock");
		let failed = |error: std::io::Error| Failure::file(&path, &error);
		let file =
			OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(failed)?;
		file.lock().map_err(failed)?;
		Ok(file)
	}

	fn write(&self, keyring: &Keyring) -> Result<(), Failure> {
		let nonce: [u8; NONCE] = rand::random();
		let text = keyring.encode();
		let payload = Payload { msg: &text, aad: MAGIC };
		let sealed = XChaCha20Poly1305::new(self.key.as_slice().into()).encrypt(&nonce.into(), payload);
		let sealed = sealed.map_err(|_| Failure::new(Kind::Failed, "the keys of the device cannot be sealed"))?;
		files::replace(&self.path, &[MAGIC, &nonce, &sealed].concat())
	}
}

#[cfg(test)]
mod tests;
