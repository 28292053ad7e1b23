//! The secret of a profile: 32 random bytes from which its keys are derived, sealed under a passphrase.
//!
//! The file is JSON with a version. The key that seals it is Argon2id's (RFC 9106) of the passphrase; the seal is
//! XChaCha20-Poly1305, with everything else in the file as associated data. The store, the history and the signer
//! have keys of their own, so that a new passphrase rewrites this file and nothing else.

use crate::{
	failure::{Failure, Kind},
	files,
};
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
	aead::{Aead, Payload},
	KeyInit, XChaCha20Poly1305,
};
use serde::{Deserialize, Serialize};
use std::path::Path;
use zeroize::Zeroizing;

/// The version of the file of a secret whose signer is derived from it,
const VERSION: u32 = 1;
/// and of one that has the signer of a backup.
const WITH_SIGNER: u32 = 2;
/// The second choice of RFC 9106 section 4, on one lane: 64 MiB, three passes.
const COST: Cost = Cost { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
/// What a file may ask of this machine at most: 1 GiB and a lot of time.
const MAX_COST: Cost = Cost { memory_kib: 1024 * 1024, passes: 64, lanes: 64 };

/// What the keys of a profile are derived from.
pub struct Secret {
	root: Zeroizing<[u8; 32]>,
	/// The seed of the signer, if it came from a backup. The other keys are new all the same: a backup does not open the store
	/// and the history of the device that it was made on.
	signer: Option<Zeroizing<[u8; 32]>>,
}

/// A passphrase. It is overwritten when it is dropped.
pub type Passphrase = Zeroizing<String>;

/// What deriving the key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cost {
	memory_kib: u32,
	passes: u32,
	lanes: u32,
}

/// The file.
#[derive(Serialize, Deserialize)]
struct Sealed {
	version: u32,
	#[serde(flatten)]
	how: How,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kdf", rename_all = "lowercase")]
enum How {
	/// For development chains: whoever reads the file has the secret.
	None { secret: String },
	/// Under a passphrase.
	Argon2id {
		#[serde(flatten)]
		cost: Cost,
		salt: String,
		nonce: String,
		sealed: String,
	},
}

impl Secret {
	/// A new one.
	pub fn random() -> Self {
		Self { root: Zeroizing::new(rand::random()), signer: None }
	}

	/// A new one, with the signer of a backup.
	pub fn with_signer(signer: [u8; 32]) -> Self {
		Self { signer: Some(Zeroizing::new(signer)), ..Self::random() }
	}

	/// Seed of the Ed25519 key that signs the identity's leaves.
	pub fn signer(&self) -> [u8; 32] {
		self.signer.as_ref().map_or_else(|| self.derive("lockstep cli 1 signer"), |signer| **signer)
	}

	/// Key of the client's store.
	pub fn store_key(&self) -> [u8; 32] {
		self.derive("lockstep cli 1 store")
	}

	/// Key of the history.
	pub fn history_key(&self) -> [u8; 32] {
		self.derive("lockstep cli 1 history")
	}

	/// Key of the file with the keys of a person's device.
	pub fn device_key(&self) -> [u8; 32] {
		self.derive("lockstep cli 1 device")
	}

	/// Key of backups on their way from one process of the profile to another.
	pub fn transfer_key(&self) -> [u8; 32] {
		self.derive("lockstep cli 1 backup in transfer")
	}

	fn derive(&self, context: &str) -> [u8; 32] {
		blake3::derive_key(context, self.root.as_slice())
	}

	fn version(&self) -> u32 {
		if self.signer.is_some() {
			WITH_SIGNER
		} else {
			VERSION
		}
	}

	/// What is sealed, or written in the clear.
	fn bytes(&self) -> Zeroizing<Vec<u8>> {
		let signer = self.signer.as_ref().map(|signer| signer.as_slice()).unwrap_or_default();
		Zeroizing::new([self.root.as_slice(), signer].concat())
	}

	/// As [`Self::bytes`] gave it, for this version.
	fn of_bytes(version: u32, bytes: &[u8]) -> Option<Self> {
		let (root, rest) = bytes.split_first_chunk::<32>()?;
		let signer = match version {
			WITH_SIGNER => Some(Zeroizing::new(rest.try_into().ok()?)),
			_ if rest.is_empty() => None,
			_ => return None,
		};
		Some(Self { root: Zeroizing::new(*root), signer })
	}

	/// Writes it to a file, sealed under a passphrase, or as it is.
	pub fn write(&self, path: &Path, passphrase: Option<&Passphrase>) -> Result<(), Failure> {
		let how = match passphrase {
			None => How::None { secret: hex::encode(&*self.bytes()) },
			Some(passphrase) => self.seal(passphrase, COST)?,
		};
		let file = serde_json::to_vec_pretty(&Sealed { version: self.version(), how });
		files::replace(path, &Zeroizing::new(file.map_err(|error| Failure::new(Kind::Failed, error))?))
	}

	fn seal(&self, passphrase: &str, cost: Cost) -> Result<How, Failure> {
		let (salt, nonce): ([u8; 16], [u8; 24]) = (rand::random(), rand::random());
		let key = derive(passphrase, &salt, cost).map_err(|reason| Failure::new(Kind::Failed, reason))?;
		let (header, bytes) = (header(self.version(), cost, &salt), self.bytes());
		let payload = Payload { msg: bytes.as_slice(), aad: &header };
		let sealed = XChaCha20Poly1305::new(key.as_slice().into()).encrypt(&nonce.into(), payload);
		let sealed = sealed.map_err(|_| Failure::new(Kind::Failed, "the secret cannot be sealed"))?;
		Ok(How::Argon2id { cost, salt: hex::encode(salt), nonce: hex::encode(nonce), sealed: hex::encode(sealed) })
	}

	/// Reads the file; `passphrase` is asked for if it takes one.
	pub fn read(path: &Path, passphrase: impl FnOnce() -> Result<Passphrase, Failure>) -> Result<Self, Failure> {
		let file = std::fs::read(path).map(Zeroizing::new).map_err(|error| damaged(path, &error.to_string()))?;
		let Sealed { version, how } = parse(path, &file)?;
		let read =
			|bytes: &[u8]| Self::of_bytes(version, bytes).ok_or_else(|| damaged(path, "its secret has another length"));
		match how {
			How::None { secret } => {
				let secret = Zeroizing::new(secret);
				let bytes = hex::decode(secret.as_str()).map_err(|error| damaged(path, &format!("secret: {error}")))?;
				read(&Zeroizing::new(bytes))
			}
			How::Argon2id { cost, salt, nonce, sealed } => {
				let (salt, nonce) = (bytes::<16>(path, "salt", &salt)?, bytes::<24>(path, "nonce", &nonce)?);
				let sealed = hex::decode(&sealed).map_err(|error| damaged(path, &format!("sealed: {error}")))?;
				if cost.memory_kib > MAX_COST.memory_kib || cost.passes > MAX_COST.passes || cost.lanes > MAX_COST.lanes
				{
					return Err(damaged(path, "it asks for more memory or time than any version of this program does"));
				}
				let passphrase = passphrase()?;
				let key = derive(&passphrase, &salt, cost).map_err(|reason| damaged(path, &reason))?;
				let header = header(version, cost, &salt);
				let payload = Payload { msg: sealed.as_slice(), aad: &header };
				let opened = XChaCha20Poly1305::new(key.as_slice().into()).decrypt(&nonce.into(), payload);
				let opened = Zeroizing::new(opened.map_err(|_| wrong(path))?);
				read(&opened)
			}
		}
	}

	/// Whether the file takes a passphrase.
	pub fn takes_passphrase(path: &Path) -> Result<bool, Failure> {
		let file = std::fs::read(path).map(Zeroizing::new).map_err(|error| damaged(path, &error.to_string()))?;
		Ok(matches!(parse(path, &file)?.how, How::Argon2id { .. }))
	}
}

fn parse(path: &Path, file: &[u8]) -> Result<Sealed, Failure> {
	// The version first: the rest of a later one may look different.
	#[derive(Deserialize)]
	struct Any {
		version: u32,
	}
	let unreadable = |error: serde_json::Error| damaged(path, &error.to_string());
	let Any { version } = serde_json::from_slice(file).map_err(unreadable)?;
	if !(VERSION..=WITH_SIGNER).contains(&version) {
		let message =
			format!("{} has version {version}, and this program knows versions up to {WITH_SIGNER}", path.display());
		return Err(Failure::new(Kind::ProfileDamaged, message).advise("use a newer `lockstep`"));
	}
	serde_json::from_slice(file).map_err(unreadable)
}

fn derive(passphrase: &str, salt: &[u8; 16], cost: Cost) -> Result<Zeroizing<[u8; 32]>, String> {
	let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(|error| error.to_string())?;
	let mut key = Zeroizing::new([0; 32]);
	let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
	argon2.hash_password_into(passphrase.as_bytes(), salt, key.as_mut_slice()).map_err(|error| error.to_string())?;
	Ok(key)
}

/// What the seal covers besides the secret.
fn header(version: u32, cost: Cost, salt: &[u8; 16]) -> Vec<u8> {
	let mut header = format!("lockstep/cli/secret/{version}").into_bytes();
	for number in [cost.memory_kib, cost.passes, cost.lanes] {
		header.extend_from_slice(&number.to_le_bytes());
	}
	header.extend_from_slice(salt);
	header
}

fn bytes<const N: usize>(path: &Path, name: &str, digits: &str) -> Result<[u8; N], Failure> {
	let mut bytes = [0; N];
	hex::decode_to_slice(digits, &mut bytes).map_err(|error| damaged(path, &format!("{name}: {error}")))?;
	Ok(bytes)
}

fn wrong(path: &Path) -> Failure {
	let message = format!("the passphrase is wrong (or {} was changed: the two look the same)", path.display());
	Failure::new(Kind::WrongPassphrase, message)
}

fn damaged(path: &Path, reason: &str) -> Failure {
	let message = format!("{} cannot be read: {reason}", path.display());
	Failure::new(Kind::ProfileDamaged, message).advise("restore it from a backup, or make a new identity")
}

#[cfg(test)]
mod tests {
	use super::*;

	fn passphrase(text: &str) -> Passphrase {
		Zeroizing::new(text.to_owned())
	}

	/// A secret in a file, at a cost that a test can pay.
	fn written() -> (tempfile::TempDir, std::path::PathBuf, Secret) {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("secret.json");
		let secret = Secret::random();
		let how = secret.seal("right", Cost { memory_kib: 64, passes: 1, lanes: 1 }).unwrap();
		std::fs::write(&path, serde_json::to_vec(&Sealed { version: VERSION, how }).unwrap()).unwrap();
		(folder, path, secret)
	}

	fn failure(path: &Path, with: &str) -> Kind {
		Secret::read(path, || Ok(passphrase(with))).map(drop).unwrap_err().kind
	}

	#[test]
	fn the_right_passphrase_opens_it_and_no_other() {
		let (_folder, path, secret) = written();
		let read = Secret::read(&path, || Ok(passphrase("right"))).unwrap();
		assert_eq!(read.root, secret.root);
		assert_eq!(failure(&path, "wrong"), Kind::WrongPassphrase);
		assert_eq!(failure(&path, ""), Kind::WrongPassphrase);
		let file = std::fs::read_to_string(&path).unwrap();
		assert!(!file.contains(&hex::encode(secret.root.as_slice())), "the secret is not in the clear");
		assert!(!file.contains(&hex::encode(secret.signer())));
	}

	#[test]
	fn a_changed_or_cut_file_never_opens() {
		let (_folder, path, _) = written();
		let file = std::fs::read(&path).unwrap();
		for at in 0..file.len() {
			let mut changed = file.clone();
			changed[at] ^= 1;
			std::fs::write(&path, changed).unwrap();
			assert!(Secret::read(&path, || Ok(passphrase("right"))).is_err(), "byte {at}");
		}
		std::fs::write(&path, &file[..file.len() / 2]).unwrap();
		assert_eq!(failure(&path, "right"), Kind::ProfileDamaged, "told apart from a wrong passphrase");
	}

	#[test]
	fn a_file_cannot_ask_for_all_memory() {
		let (_folder, path, _) = written();
		let file = std::fs::read_to_string(&path).unwrap();
		std::fs::write(&path, file.replace("\"memoryKib\":64", "\"memoryKib\":4294967295")).unwrap();
		assert_eq!(failure(&path, "right"), Kind::ProfileDamaged);
	}

	#[test]
	fn a_file_of_a_later_version_says_so() {
		let (_folder, path, _) = written();
		std::fs::write(&path, br#"{"version":3,"kdf":"unheard of"}"#).unwrap();
		let failure = Secret::read(&path, || Ok(passphrase("right"))).map(drop).unwrap_err();
		assert!(failure.message.contains("version 3"), "{failure}");
	}

	#[test]
	fn without_a_passphrase_none_is_asked_for() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("secret.json");
		let secret = Secret::random();
		secret.write(&path, None).unwrap();
		let read = Secret::read(&path, || panic!("nobody is asked")).unwrap();
		assert_eq!(read.root, secret.root);
		assert!(!Secret::takes_passphrase(&path).unwrap());
	}

	#[test]
	fn the_signer_of_a_backup_is_kept_beside_keys_of_its_own() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("secret.json");
		let (one, other) = (Secret::with_signer([7; 32]), Secret::with_signer([7; 32]));
		assert_eq!((one.signer(), other.signer()), ([7; 32], [7; 32]));
		assert_ne!(one.store_key(), other.store_key());
		one.write(&path, None).unwrap();
		let read = Secret::read(&path, || panic!("nobody is asked")).unwrap();
		assert_eq!((read.signer(), read.store_key()), ([7; 32], one.store_key()));
		let how = one.seal("right", Cost { memory_kib: 64, passes: 1, lanes: 1 }).unwrap();
		std::fs::write(&path, serde_json::to_vec(&Sealed { version: one.version(), how }).unwrap()).unwrap();
		let read = Secret::read(&path, || Ok(passphrase("right"))).unwrap();
		assert_eq!((read.signer(), read.history_key()), ([7; 32], one.history_key()));
		// The version is under the seal: nobody makes one secret of the other kind.
		let file = std::fs::read_to_string(&path).unwrap().replace("\"version\":2", "\"version\":1");
		std::fs::write(&path, file).unwrap();
		assert_eq!(failure(&path, "right"), Kind::WrongPassphrase);
	}

	#[test]
	fn each_purpose_has_a_key_of_its_own() {
		let secret = Secret::random();
		let keys = [
			secret.signer(),
			secret.store_key(),
			secret.history_key(),
			secret.device_key(),
			secret.transfer_key(),
			*secret.root,
		];
		for (at, key) in keys.iter().enumerate() {
			assert!(!keys[..at].contains(key));
		}
	}
}
