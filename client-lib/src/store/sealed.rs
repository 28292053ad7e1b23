//! A backup as a file: sealed under a [`StoreKey`], whole or not at all.
//!
//!     magic: 16 | SCALE(version: u8, how the key is made, nonce: 24) | ciphertext | tag: 16 | BLAKE3-256 of all before: 32
//!
//! The cipher is XChaCha20-Poly1305, with everything before the ciphertext as associated data. The hash at the end is no
//! protection: it tells damage from a wrong key, which a cipher alone cannot, and a damaged version from a newer one. Every
//! version ends with it.

use super::{
	secret::{Cost, Purpose, Source, StoreKey, SALT},
	StoreError,
};
use chacha20poly1305::{aead::AeadInPlace, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use codec::{Decode, Encode};
use lockstep_primitives::rpc::HexBytes;
use rand::{rngs::OsRng, RngCore};
use zeroize::Zeroizing;

/// Longest backup, in bytes: some ten thousand groups.
pub const MAX_BACKUP: usize = 16 * 1024 * 1024;
/// The only version that there is.
const VERSION: u8 = 1;
const MAGIC: [u8; 16] = *b"lockstep backup\n";
const NONCE: usize = 24;
const TAG: usize = 16;
const HASH: usize = blake3::OUT_LEN;
/// The second choice of RFC 9106 section 4, on one lane: a file travels, and whoever has it can guess for as long as they like.
const COST: Cost = Cost { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
const PURPOSE: Purpose = Purpose {
	passphrase: "lockstep backup 1 2026-11-26 key from a passphrase",
	bytes: "lockstep backup 1 2026-11-26 key from a given key",
};

/// Why a file is not a backup that can be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackupFileError {
	/// It begins with something else.
	#[error("the file is no backup of a client; name the file that the backup was written to")]
	NotABackup,
	/// A newer version of this library wrote it.
	#[error(
		"the backup has version {found}, this library knows versions up to {known}; restore it with a newer version"
	)]
	Newer {
		/// The version that it has.
		found: u8,
		/// The newest version that this library knows.
		known: u8,
	},
	/// It was cut, changed, or written by something that keeps other rules.
	#[error("the backup is damaged; take another copy of the file: {0}")]
	Damaged(String),
	/// It was sealed under another key. It is undamaged as far as can be told.
	#[error("the key does not open this backup; give the passphrase or key that it was made with")]
	WrongKey,
}

/// How the key is made, as the file says it.
#[derive(Encode, Decode)]
enum How {
	#[codec(index = 0)]
	Bytes,
	#[codec(index = 1)]
	Argon2id { memory_kib: u32, passes: u32, lanes: u32, salt: [u8; SALT] },
}

/// What stands between the magic and the ciphertext.
#[derive(Encode, Decode)]
struct Header {
	version: u8,
	how: How,
	nonce: [u8; NONCE],
}

impl How {
	fn of(source: &Source) -> Option<Self> {
		match source {
			Source::Bytes => Some(Self::Bytes),
			Source::Argon2id { cost: Cost { memory_kib, passes, lanes }, salt } => Some(Self::Argon2id {
				memory_kib: *memory_kib,
				passes: *passes,
				lanes: *lanes,
				salt: salt.0.as_slice().try_into().ok()?,
			}),
		}
	}

	fn source(&self) -> Source {
		match *self {
			Self::Bytes => Source::Bytes,
			Self::Argon2id { memory_kib, passes, lanes, salt } => {
				Source::Argon2id { cost: Cost { memory_kib, passes, lanes }, salt: HexBytes(salt.to_vec()) }
			}
		}
	}
}

/// Seals contents under a key. `None` if they are too long, or the cipher fails.
pub(crate) fn seal(contents: &impl Encode, key: &StoreKey) -> Option<Vec<u8>> {
	let source = key.source_at(COST);
	let mut nonce = [0; NONCE];
	OsRng.fill_bytes(&mut nonce);
	let header = Header { version: VERSION, how: How::of(&source)?, nonce };
	let mut file = MAGIC.to_vec();
	header.encode_to(&mut file);
	// Not grown, so that no part of it stays behind in the clear.
	let mut text = Zeroizing::new(Vec::with_capacity(contents.encoded_size()));
	contents.encode_to(&mut *text);
	let length = [file.len(), text.len(), TAG, HASH].into_iter().try_fold(0, usize::checked_add)?;
	if length > MAX_BACKUP {
		return None;
	}
	let cipher = XChaCha20Poly1305::new((&*key.key_for(&PURPOSE, &source).ok()?).into());
	let tag = cipher.encrypt_in_place_detached(&XNonce::from(nonce), &file, &mut text).ok()?;
	file.extend_from_slice(&text);
	file.extend_from_slice(&tag);
	let hash = blake3::hash(&file);
	file.extend_from_slice(hash.as_bytes());
	Some(file)
}

/// A file that is whole, taken apart.
struct Parts<'a> {
	header: Header,
	/// Everything before the ciphertext.
	associated: &'a [u8],
	sealed: &'a [u8],
	tag: [u8; TAG],
}

impl<'a> Parts<'a> {
	fn of(file: &'a [u8]) -> Result<Self, BackupFileError> {
		let damaged = |reason: &str| BackupFileError::Damaged(reason.to_owned());
		if file.len() > MAX_BACKUP {
			return Err(damaged("it is longer than any backup"));
		}
		if !file.starts_with(&MAGIC) {
			return Err(BackupFileError::NotABackup);
		}
		let (checked, hash) = file.split_last_chunk::<HASH>().ok_or_else(|| damaged("it was cut"))?;
		if blake3::hash(checked) != *hash {
			return Err(damaged("its checksum is wrong"));
		}
		let mut rest = checked.get(MAGIC.len()..).ok_or_else(|| damaged("it was cut"))?;
		match rest.first() {
			Some(&VERSION) => {}
			Some(&found) if found > VERSION => return Err(BackupFileError::Newer { found, known: VERSION }),
			_ => return Err(damaged("its version does not exist")),
		}
		let header = Header::decode(&mut rest).map_err(|_| damaged("its header does not decode"))?;
		let associated = checked.len().checked_sub(rest.len()).and_then(|length| checked.get(..length));
		let associated = associated.ok_or_else(|| damaged("it was cut"))?;
		let (sealed, tag) = rest.split_last_chunk::<TAG>().ok_or_else(|| damaged("it was cut"))?;
		Ok(Self { header, associated, sealed, tag: *tag })
	}
}

/// Whether a file is sealed under a passphrase.
pub(crate) fn takes_passphrase(file: &[u8]) -> Result<bool, BackupFileError> {
	Ok(matches!(Parts::of(file)?.header.how, How::Argon2id { .. }))
}

/// Opens a file. Total: any bytes give what was sealed, or an error.
pub(crate) fn open(file: &[u8], key: &StoreKey) -> Result<Zeroizing<Vec<u8>>, BackupFileError> {
	let Parts { header, associated, sealed, tag } = Parts::of(file)?;
	let key = key.key_for(&PURPOSE, &header.how.source()).map_err(|error| match error {
		StoreError::Corrupt { reason, .. } => BackupFileError::Damaged(reason),
		_ => BackupFileError::WrongKey,
	})?;
	let mut text = Zeroizing::new(sealed.to_vec());
	// The checksum holds, so it is not the file that is damaged.
	XChaCha20Poly1305::new((&*key).into())
		.decrypt_in_place_detached(&XNonce::from(header.nonce), associated, &mut text, &Tag::from(tag))
		.map_err(|_| BackupFileError::WrongKey)?;
	Ok(text)
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	fn key() -> StoreKey {
		StoreKey::from_bytes([7; 32])
	}

	fn file() -> Vec<u8> {
		seal(&b"contents".to_vec(), &key()).unwrap()
	}

	/// With the hash that belongs to it.
	fn rehashed(mut file: Vec<u8>) -> Vec<u8> {
		file.truncate(file.len() - HASH);
		let hash = blake3::hash(&file);
		file.extend_from_slice(hash.as_bytes());
		file
	}

	#[test]
	fn what_was_sealed_opens_with_its_key_and_no_other() {
		assert_eq!(*open(&file(), &key()).unwrap(), b"contents".to_vec().encode());
		assert_eq!(open(&file(), &StoreKey::from_bytes([8; 32])), Err(BackupFileError::WrongKey));
		assert_eq!(
			open(&file(), &StoreKey::passphrase("seven")),
			Err(BackupFileError::WrongKey),
			"another kind of key"
		);
		let sealed = seal(&b"contents".to_vec(), &StoreKey::passphrase("seven")).unwrap();
		assert!(open(&sealed, &StoreKey::passphrase("seven")).is_ok());
		assert_eq!((takes_passphrase(&sealed), takes_passphrase(&file())), (Ok(true), Ok(false)));
		assert_eq!(open(&sealed, &StoreKey::passphrase("eight")), Err(BackupFileError::WrongKey));
		assert_ne!(file(), file(), "each has a nonce of its own");
		assert!(!file().windows(8).any(|window| window == b"contents"));
	}

	#[test]
	fn every_bit_counts_with_and_without_the_checksum() {
		let good = file();
		for bit in 0..good.len() * 8 {
			let mut changed = good.clone();
			changed[bit / 8] ^= 1 << (bit % 8);
			let refused = open(&changed, &key());
			let expected = matches!(refused, Err(BackupFileError::NotABackup | BackupFileError::Damaged(_)));
			assert!(expected, "bit {bit}: {refused:?}");
			// Somebody who can write a checksum gets no further.
			if bit / 8 < good.len() - HASH {
				assert!(open(&rehashed(changed), &key()).is_err(), "bit {bit}");
			}
		}
	}

	#[test]
	fn what_was_cut_or_has_more_behind_it_is_refused() {
		let good = file();
		for length in 0..good.len() {
			assert!(open(&good[..length], &key()).is_err(), "{length}");
			if length >= HASH {
				assert!(open(&rehashed(good[..length].to_vec()), &key()).is_err(), "{length}");
			}
		}
		assert!(open(&[&good[..], &[0]].concat(), &key()).is_err());
		assert!(matches!(open(&vec![0; MAX_BACKUP + 1], &key()), Err(BackupFileError::Damaged(_))));
	}

	#[test]
	fn a_later_version_says_so_and_costs_are_bounded() {
		let mut later = file();
		later[MAGIC.len()] = 2;
		assert_eq!(open(&rehashed(later), &key()), Err(BackupFileError::Newer { found: 2, known: 1 }));
		let how = How::Argon2id { memory_kib: u32::MAX, passes: 1, lanes: 1, salt: [0; SALT] };
		let header = Header { version: VERSION, how, nonce: [0; NONCE] };
		let greedy = rehashed([&MAGIC[..], &header.encode(), &[0; TAG + HASH]].concat());
		assert!(matches!(open(&greedy, &StoreKey::passphrase("x")), Err(BackupFileError::Damaged(_))));
	}

	proptest! {
		#![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

		#[test]
		fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
			let any = rehashed([&MAGIC[..], &[VERSION], &body, &[0; HASH]].concat());
			prop_assert!(open(&any, &key()).is_err());
			prop_assert!(open(&body, &key()).is_err());
		}
	}
}
