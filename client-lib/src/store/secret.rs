//! What the application gives to open a store.

use super::StoreError;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use lockstep_primitives::rpc::HexBytes;
use rand::{rngs::OsRng, RngCore};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

/// What a key is made for. The same secret gives another key for each purpose.
pub(super) struct Purpose {
	/// The contexts of BLAKE3's key derivation: of keys from a passphrase,
	pub(super) passphrase: &'static str,
	/// and of keys from bytes.
	pub(super) bytes: &'static str,
}

/// The keys that wrap the data keys of stores.
const WRAPPING: Purpose = Purpose {
	passphrase: "lockstep store 2 2026-11-24 wrapping under a passphrase",
	bytes: "lockstep store 2 2026-11-24 wrapping under a given key",
};
pub(super) const SALT: usize = 16;
/// Argon2id's cost for a new store: 19 MiB, two passes, one lane.
const COST: Cost = Cost { memory_kib: 19 * 1024, passes: 2, lanes: 1 };
/// The most that a header may ask for: it is read before anything in it can be trusted.
const MOST: Cost = Cost { memory_kib: 1024 * 1024, passes: 64, lanes: 64 };

/// What opens a store, or a backup. Nothing of it is written anywhere.
#[derive(Clone)]
pub struct StoreKey(Secret);

#[derive(Clone)]
enum Secret {
	Passphrase(Zeroizing<Vec<u8>>),
	Bytes(Zeroizing<[u8; 32]>),
}

impl StoreKey {
	/// A passphrase that somebody remembers. A key is derived from it by Argon2id (RFC 9106) with 19 MiB of memory,
	/// two passes and one lane, which is what opening the store takes a few hundredths of a second for.
	///
	/// Its UTF-8 bytes count, as they are: whoever types it on different systems normalises it first.
	pub fn passphrase(passphrase: &str) -> Self {
		Self(Secret::Passphrase(Zeroizing::new(passphrase.as_bytes().to_vec())))
	}

	/// 32 random bytes that the application keeps with its secrets, in the system's keychain for instance.
	pub fn from_bytes(key: [u8; 32]) -> Self {
		Self(Secret::Bytes(Zeroizing::new(key)))
	}

	/// How a new header says that a key is made from this.
	pub(super) fn new_source(&self) -> Source {
		self.source_at(COST)
	}

	/// The same, with this cost if it is a passphrase.
	pub(super) fn source_at(&self, cost: Cost) -> Source {
		match &self.0 {
			Secret::Bytes(_) => Source::Bytes,
			Secret::Passphrase(_) => {
				let mut salt = vec![0; SALT];
				OsRng.fill_bytes(&mut salt);
				Source::Argon2id { cost, salt: HexBytes(salt) }
			}
		}
	}

	/// The key that wraps a store's data key.
	///
	/// # Errors
	/// [`StoreError::WrongKey`] if the store has another kind of secret, [`StoreError::Corrupt`] if the parameters
	/// make no sense.
	pub(super) fn wrapping_key(&self, source: &Source) -> Result<Zeroizing<[u8; 32]>, StoreError> {
		self.key_for(&WRAPPING, source)
	}

	/// The key for a purpose; errors are those of [`Self::wrapping_key`].
	pub(super) fn key_for(&self, purpose: &Purpose, source: &Source) -> Result<Zeroizing<[u8; 32]>, StoreError> {
		match (&self.0, source) {
			(Secret::Bytes(bytes), Source::Bytes) => Ok(Zeroizing::new(blake3::derive_key(purpose.bytes, &bytes[..]))),
			(Secret::Passphrase(passphrase), Source::Argon2id { cost, salt }) => {
				let stretched = cost.stretch(passphrase, &salt.0)?;
				Ok(Zeroizing::new(blake3::derive_key(purpose.passphrase, &stretched[..])))
			}
			_ => Err(StoreError::WrongKey),
		}
	}
}

impl std::fmt::Debug for StoreKey {
	/// Without anything of the secret, its kind included.
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.write_str("StoreKey")
	}
}

/// How the wrapping key is made, as the header says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Source {
	/// From a passphrase.
	Argon2id { cost: Cost, salt: HexBytes },
	/// From bytes that the application gives.
	Bytes,
}

/// Parameters of Argon2id, version 0x13 (RFC 9106 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cost {
	pub(super) memory_kib: u32,
	pub(super) passes: u32,
	pub(super) lanes: u32,
}

impl Cost {
	fn stretch(&self, passphrase: &[u8], salt: &[u8]) -> Result<Zeroizing<[u8; 32]>, StoreError> {
		let corrupt = |reason: String| StoreError::Corrupt { kind: super::header::KIND, reason };
		if self.memory_kib > MOST.memory_kib || self.passes > MOST.passes || self.lanes > MOST.lanes {
			return Err(corrupt("it asks for more memory or time than this library gives".to_owned()));
		}
		let failed = |error: argon2::Error| corrupt(format!("its Argon2 parameters: {error}"));
		let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(failed)?;
		let mut memory = vec![Block::default(); params.block_count()];
		let mut key = Zeroizing::new([0; 32]);
		let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
		let done = argon2.hash_password_into_with_memory(passphrase, salt, &mut key[..], &mut memory);
		memory.iter_mut().for_each(Zeroize::zeroize);
		done.map_err(failed)?;
		Ok(key)
	}
}
