//! A new store from a backup: made beside its place, and moved there when it is whole.

use super::{Backup, Contents, Member};
use crate::{
	client::{
		records::{Home, ONLY},
		returning::Restored,
	},
	finality::Position,
	store::{Store, StoreError, StoreKey},
};
use ed25519_dalek::SigningKey;
use lockstep_primitives::rpc::HexBytes;
use std::{
	fs::{self, File},
	io::{self, ErrorKind},
	path::{Path, PathBuf},
};

/// Why a backup cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
	/// There is something where the store is to be.
	#[error("there is something in {} already, and a restored store takes the place of none: name a folder that is empty or does not exist", path.display())]
	Occupied {
		/// The folder.
		path: PathBuf,
	},
	/// The folder cannot be made or used.
	#[error("the folder {} cannot hold the store; name another one, or see to its permissions: {reason}", path.display())]
	Folder {
		/// The folder.
		path: PathBuf,
		/// What the system says.
		reason: String,
	},
	/// The store cannot be written.
	#[error(transparent)]
	Store(#[from] StoreError),
}

impl Backup {
	/// Makes a new store in the folder `path`, which has to be empty or not to exist, with `key` as its key. Nothing is
	/// there before all of it is. A client that is opened on it with [`Self::identity`] and [`Self::signer`] asks the
	/// members of each group for a new leaf, and whoever has the place now stops when it gets one.
	///
	/// # Errors
	/// [`RestoreError`]; then nothing was made.
	pub fn restore(&self, path: impl AsRef<Path>, key: &StoreKey) -> Result<(), RestoreError> {
		let path = path.as_ref();
		let folder = |error: io::Error| RestoreError::Folder { path: path.to_owned(), reason: error.to_string() };
		vacant(path)?;
		let beside = beside(path).ok_or_else(|| folder(ErrorKind::InvalidInput.into()))?;
		let made = self.make(&beside, key).and_then(|()| {
			// This takes an empty folder's place, and no other's.
			fs::rename(&beside, path).map_err(|error| match error.kind() {
				ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
					RestoreError::Occupied { path: path.to_owned() }
				}
				_ => folder(error),
			})?;
			// The name, too, has to survive.
			let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
			File::open(above).and_then(|above| above.sync_all()).map_err(folder)
		});
		if made.is_err() {
			drop(fs::remove_dir_all(&beside));
		}
		made
	}

	/// Makes the store.
	fn make(&self, path: &Path, key: &StoreKey) -> Result<(), RestoreError> {
		let store = Store::open(path, key)?;
		Ok(self.0.write(&store)?)
	}
}

impl Contents {
	/// Writes all of it in one write.
	pub(in crate::client) fn write(&self, store: &Store) -> Result<(), StoreError> {
		let overlay = store.overlay();
		let public = SigningKey::from_bytes(self.signer.bytes()).verifying_key();
		let home = Home {
			genesis: self.genesis,
			identity: HexBytes(self.identity.clone()),
			signer: HexBytes(public.to_bytes().to_vec()),
			parameters: self.parameters,
		};
		overlay.put(ONLY, &home)?;
		if !self.position.is_empty() {
			overlay.put(ONLY, &Position::of_bytes(self.position.clone()))?;
		}
		for member in &self.groups {
			let Member { group, name, epoch, seat, .. } = member;
			let restored = Restored::new(member.cursor(), *epoch, name.clone());
			overlay.put(group.as_bytes(), &restored)?;
			seat.keep(&overlay, group)?;
		}
		overlay.commit()
	}
}

/// Whether there is nothing in a folder.
fn vacant(path: &Path) -> Result<(), RestoreError> {
	let occupied = || RestoreError::Occupied { path: path.to_owned() };
	match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
		Ok(true) => Ok(()),
		Ok(false) => Err(occupied()),
		Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
		Err(error) if error.kind() == ErrorKind::NotADirectory => Err(occupied()),
		Err(error) => Err(RestoreError::Folder { path: path.to_owned(), reason: error.to_string() }),
	}
}

/// A name beside a folder that nobody else has.
fn beside(path: &Path) -> Option<PathBuf> {
	let name = path.file_name()?.to_string_lossy().into_owned();
	Some(path.with_file_name(format!(".{name}.restoring-{:016x}", rand::random::<u64>())))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		client::{backup::tests::contents, core::Core, parameters::PARAMETERS, records::Outgoing, Upkeep},
		mls::{Engine, Seat, Voice},
		store::MemoryDisk,
	};
	use lockstep_primitives::GroupId;
	use rand::{rngs::StdRng, SeedableRng};

	fn key() -> StoreKey {
		StoreKey::from_bytes([1; 32])
	}

	#[test]
	fn a_store_is_made_where_there_is_none_and_never_over_something() {
		let folder = tempfile::tempdir().unwrap();
		let (path, backup) = (folder.path().join("a/store"), Backup(contents()));
		backup.restore(&path, &key()).unwrap();
		let occupied = Err(RestoreError::Occupied { path: path.clone() });
		assert_eq!(backup.restore(&path, &key()), occupied, "not twice");
		let file = folder.path().join("file");
		fs::write(&file, "kept").unwrap();
		assert_eq!(backup.restore(&file, &key()), Err(RestoreError::Occupied { path: file.clone() }));
		assert_eq!(fs::read(&file).unwrap(), b"kept");
		let empty = folder.path().join("empty");
		fs::create_dir(&empty).unwrap();
		backup.restore(&empty, &key()).unwrap();
		let left: Vec<_> =
			fs::read_dir(folder.path().join("a")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
		assert_eq!(left, ["store"], "nothing else is left");
	}

	#[test]
	fn an_attempt_that_fails_leaves_nothing() {
		let folder = tempfile::tempdir().unwrap();
		let file = folder.path().join("file");
		fs::write(&file, "").unwrap();
		let error = Backup(contents()).restore(file.join("store"), &key()).unwrap_err();
		assert!(
			matches!(error, RestoreError::Folder { .. } | RestoreError::Store(_) | RestoreError::Occupied { .. }),
			"{error}"
		);
		assert!(Backup(contents()).restore("/", &key()).is_err());
		assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
	}

	#[test]
	fn what_is_restored_is_what_was_in_the_backup() {
		let folder = tempfile::tempdir().unwrap();
		let (path, contents) = (folder.path().join("store"), contents());
		Backup(contents.clone()).restore(&path, &key()).unwrap();
		let store = Store::open(&path, &key()).unwrap();
		let overlay = store.overlay();
		let home: Home = overlay.get(ONLY).unwrap().unwrap();
		assert_eq!((home.genesis, home.identity.0), (contents.genesis, contents.identity.clone()));
		for member in &contents.groups {
			let restored: Restored = overlay.get(member.group.as_bytes()).unwrap().unwrap();
			assert_eq!((restored.cursor, restored.epoch), (member.cursor(), member.epoch));
			let engine = Engine::new(b"anna".to_vec(), &[4; 32], contents.genesis).unwrap();
			let seat: Option<Seat> = engine.seat(&overlay, &member.group).unwrap();
			assert_eq!(seat.as_ref(), Some(&member.seat), "it can be backed up again");
			let voice = Voice::kept(&overlay, &member.group).unwrap();
			assert_eq!(voice, member.seat.voice);
		}
	}

	/// Nothing else goes with it that waits for a node.
	#[test]
	fn a_request_takes_the_place_of_the_earlier_one_of_its_group_alone() {
		let store = Store::in_memory(&MemoryDisk::new(), &key()).unwrap();
		let contents = contents();
		contents.write(&store).unwrap();
		let (group, other) = (contents.groups[1].group, GroupId([9; 32]));
		let waiting = Outgoing { group: other, epoch: 1, statement: HexBytes(vec![1]), unsent: None, key: None };
		let overlay = store.overlay();
		overlay.put(&7u64.to_be_bytes(), &waiting).unwrap();
		overlay.commit().unwrap();
		let engine = Engine::new(b"anna".to_vec(), &[4; 32], contents.genesis).unwrap();
		let random = StdRng::seed_from_u64(0);
		let mut core = Core::restore(store.clone(), engine, PARAMETERS, false, Upkeep::default(), random).unwrap();
		for _ in 0..2 {
			core.ask_to_rejoin(&group, None).unwrap();
			let left = store.overlay().list::<Outgoing>(ONLY).unwrap();
			let left: Vec<GroupId> = left.into_iter().map(|(_, outgoing)| outgoing.group).collect();
			assert_eq!(left, [other, group]);
		}
	}
}
