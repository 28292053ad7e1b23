//! A member's store: the MLS state and the member's own records, encrypted, in one RocksDB database.
//!
//! All changes go through an [`Overlay`], a transaction whose writes stay in memory until
//! [`Overlay::commit`] puts them into the database as one synchronous batch. MLS state, log position
//! and everything else that must move together does so by being written to the same overlay.
//!
//! Records are in the clear in overlays, which wipe them, and nowhere else: they are encrypted when a batch is
//! written ([`cipher`]), under a random data key that the application's [`StoreKey`] wraps ([`header`]).

mod backend;
mod cbor;
mod cipher;
mod codec;
mod error;
mod folder;
mod header;
mod kept;
mod key;
mod migrate;
mod overlay;
pub(crate) mod packed;
mod parts;
mod pieces;
mod provider;
mod record;
pub(crate) mod sealed;
mod secret;
#[cfg(test)]
mod tests;
mod writes;

#[cfg(any(test, feature = "simulation"))]
pub use backend::memory::MemoryDisk;
pub use error::StoreError;
pub use overlay::Overlay;
pub(crate) use provider::is_of_mls_group;
pub use record::Record;
pub use sealed::BackupFileError;
pub use secret::StoreKey;
#[cfg_attr(not(feature = "hostile"), allow(unused_imports, reason = "named outside by the tests' feature only"))]
pub use writes::WritePoint;
#[cfg(feature = "hostile")]
pub use writes::{on_write, Change as WriteChange};

use backend::{rocks::Rocks, Backend, Batch};
use cipher::Cipher;
use header::{Found, Header};
use kept::{Kept, Values};
use key::Key;
use overlay::{Unopened, Writes};
use std::{
	path::Path,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use zeroize::Zeroizing;

/// The database of one client. Clones share it; it closes with the last one.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
	backend: Box<dyn Backend>,
	cipher: Cipher,
	kept: Mutex<Kept>,
}

impl Store {
	/// Opens the store in the folder `path` with its key. If there is none it is made, and `key` becomes its key.
	///
	/// # Errors
	/// [`StoreError::InUse`] while another process (or another `Store` of this one) has it open,
	/// [`StoreError::WrongKey`] if it has another key, [`StoreError::Newer`] if a newer version wrote it,
	/// [`StoreError::Schema`] if the folder holds a database that is not a member's store, [`StoreError::Corrupt`] or
	/// [`StoreError::Damaged`] if it is damaged; [`StoreError::Folder`], [`StoreError::Full`],
	/// [`StoreError::ReadOnly`] or [`StoreError::Database`] if it cannot be read or written.
	pub fn open(path: impl AsRef<Path>, key: &StoreKey) -> Result<Self, StoreError> {
		Self::on(Box::new(Rocks::open(path.as_ref())?), key)
	}

	/// Opens the store on a disk in memory, or makes one there. Any number of stores can be open on the same disk.
	///
	/// # Errors
	/// As for [`Self::open`], as far as it can happen in memory.
	#[cfg(any(test, feature = "simulation"))]
	pub fn in_memory(disk: &MemoryDisk, key: &StoreKey) -> Result<Self, StoreError> {
		Self::on(Box::new(disk.clone()), key)
	}

	fn on(backend: Box<dyn Backend>, key: &StoreKey) -> Result<Self, StoreError> {
		let cipher = match header::find(&*backend)? {
			Found::Nothing => header::create(&*backend, key)?,
			Found::InTheClear => migrate::from_version_1(&*backend, key)?,
			Found::Header(header) => {
				let cipher = Cipher::new(&*header.unwrap(key)?);
				migrate::raise(&*backend, header)?;
				cipher
			}
		};
		Ok(Self(Arc::new(Inner { backend, cipher, kept: Mutex::default() })))
	}

	/// Gives the store another key: it opens with `new` from now on, and with `old` no more. One record is written,
	/// whatever the size of the store.
	///
	/// The data key stays. Whoever had the old key and a copy of the files from before can read that copy, and with
	/// the data key in it a later one, too.
	///
	/// # Errors
	/// [`StoreError::WrongKey`] if `old` is not its key; otherwise as for [`Overlay::commit`]. In either case its key
	/// is `old` still.
	pub fn change_key(&self, old: &StoreKey, new: &StoreKey) -> Result<(), StoreError> {
		let Found::Header(header) = header::find(self.backend())? else { return Err(StoreError::Schema) };
		let header = Header::wrap(&*header.unwrap(old)?, new)?;
		self.backend().write(vec![(header::NAME.to_vec(), Some(header.encode()?))])?;
		if let Err(error) = self.backend().compact() {
			tracing::warn!(%error, "old files of the store may open with the old key for some time");
		}
		Ok(())
	}

	/// A new transaction on this store.
	///
	/// Overlays do not see each other's writes. A client uses one at a time: two that are committed one
	/// after the other both take effect, the later one winning where they wrote the same record. They cannot both write what
	/// is kept in several records, a group's tree or its past epochs, for each counts on those that were there when it wrote: if
	/// another one has been committed since, it is refused ([`StoreError::Overtaken`]).
	pub fn overlay(&self) -> Overlay<'_> {
		Overlay::on_store(self)
	}

	/// Overwrites every record of a kind, or deletes it; gives how many there were.
	#[cfg(test)]
	pub(crate) fn damage(&self, kind: &'static str, with: Option<&[u8]>) -> usize {
		self.damage_those(kind, |_| true, with)
	}

	/// The same of those that hold what is wanted.
	#[cfg(test)]
	pub(crate) fn damage_those(
		&self,
		kind: &'static str,
		wanted: impl Fn(&[u8]) -> bool,
		with: Option<&[u8]>,
	) -> usize {
		let mut found = Writes::new();
		self.scan(&Key::new(kind, b""), &mut found, Err).expect("the database is readable");
		found.retain(|_, value| value.as_ref().is_some_and(|bytes| wanted(bytes.as_slice())));
		found.values_mut().for_each(|value| *value = with.map(|bytes| Zeroizing::new(bytes.to_vec())));
		let since = self.kept().writes();
		self.write(&found, since, None, Values::new()).expect("the database takes a write");
		found.len()
	}

	/// What the records of a kind hold.
	#[cfg(test)]
	pub(crate) fn records(&self, kind: &'static str) -> std::collections::BTreeSet<Vec<u8>> {
		self.overlay().scan_bytes(&Key::new(kind, b"")).into_iter().map(|bytes| bytes.to_vec()).collect()
	}

	fn kept(&self) -> MutexGuard<'_, Kept> {
		// Nothing panics while it is held.
		self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
	}

	fn backend(&self) -> &dyn Backend {
		&*self.0.backend
	}

	/// The bytes of the record with this key.
	fn read(&self, key: &Key) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
		let name = self.0.cipher.name(key.bytes());
		let Some(sealed) = self.backend().get(&name)? else { return Ok(None) };
		let corrupt = |reason: &str| StoreError::Corrupt { kind: key.kind(), reason: reason.to_owned() };
		let opened = self.0.cipher.open(key.kind(), &name, sealed).map_err(corrupt)?;
		if opened.own != key.own() {
			return Err(corrupt("it is of another key"));
		}
		Ok(Some(opened.value))
	}

	/// Puts the records whose keys begin with `prefix` into `found`. `unopened` says whether it goes on after one that does not
	/// open, of which nobody can tell whether it is one of these.
	fn scan(&self, prefix: &Key, found: &mut Writes, unopened: Unopened) -> Result<(), StoreError> {
		let cipher = &self.0.cipher;
		self.backend().scan(&cipher.range(prefix), &mut |name, sealed| {
			let opened = match cipher.open(prefix.kind(), name, sealed.to_vec()) {
				Ok(opened) => opened,
				Err(reason) => return unopened(StoreError::Corrupt { kind: prefix.kind(), reason: reason.to_owned() }),
			};
			if opened.own.starts_with(prefix.own()) {
				found.insert(prefix.beside(&opened.own), Some(opened.value));
			}
			Ok(())
		})
	}

	/// Encrypts and writes all of this, or nothing, for an overlay that began at `since`, and `counted` so many writes of values
	/// that are kept in several records before it began with its own. If it is written, `left` is kept.
	fn write(&self, writes: &Writes, since: u64, counted: Option<u64>, left: Values) -> Result<(), StoreError> {
		let cipher = &self.0.cipher;
		let too_long = || StoreError::Unencodable { kind: "any", reason: "it is too long".to_owned() };
		let entry = |(key, value): (&Vec<u8>, &Option<Zeroizing<Vec<u8>>>)| {
			let name = cipher.name(key);
			let sealed = value.as_ref().map(|value| cipher.seal(key, &name, value).ok_or_else(too_long)).transpose()?;
			Ok((name, sealed))
		};
		let batch: Batch = writes.iter().map(entry).collect::<Result<_, StoreError>>()?;
		writes::passing(WritePoint::Before, writes);
		// Held meanwhile: nobody takes a value whose records are being written.
		let mut kept = self.kept();
		if !kept.is_next(counted) {
			return Err(StoreError::Overtaken);
		}
		let written = self.backend().write(batch);
		kept.written(writes.keys(), since, written.is_ok().then_some(left));
		drop(kept);
		written?;
		writes::passing(WritePoint::After, writes);
		Ok(())
	}
}

/// Gives the closed store in the folder `path` another key: it opens with `new` from then on. This takes the same time for
/// a large store as for a small one.
///
/// The data key, which `old` and `new` wrap, stays: this is for a passphrase that is changed in time, not for one
/// that was stolen together with the files.
///
/// # Errors
/// [`StoreError::WrongKey`] if `old` is not its key, [`StoreError::InUse`] while a client has it open, and the others
/// of opening a store. Its key is `old` still.
pub fn change_store_key(path: impl AsRef<Path>, old: &StoreKey, new: &StoreKey) -> Result<(), StoreError> {
	Store::open(path, old)?.change_key(old, new)
}

impl std::fmt::Debug for Store {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_tuple("Store").field(&self.0.backend).finish()
	}
}
