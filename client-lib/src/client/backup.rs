//! Backups of a client (decision 0020): who it is, which groups it is in and what is final, sealed in one file.
//!
//! A backup has no MLS state. Whoever restores it asks the members of each group for a new leaf, and the client that it
//! was made of stops in that group when it learns of it: two that come from one backup are never both in.

mod restore;

pub use crate::store::BackupFileError;
pub use restore::RestoreError;

use super::{core::Core, records::ONLY};
use crate::{
	finality::Position,
	log::LogCursor,
	mls::{constants::MAX_IDENTITY, EngineError, Mls, Seat, SignerSeed},
	store::sealed,
	StoreKey,
};
use codec::{Decode, DecodeAll, Encode};
use lockstep_primitives::{BlockNumber, GenesisHash, GroupId, LogHead, OrderingParameters};
use lockstep_verifier::{Checkpoint, FinalizedChain};

/// Longest note of an application in a backup, in bytes.
pub const MAX_NOTE: usize = 64 * 1024;
/// Longest encryption key of a leaf, in bytes: twice that of the ciphersuite.
const MAX_LEAF: usize = 64;

/// Why a backup cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
	/// Trouble with the store or a library.
	#[error(transparent)]
	Engine(#[from] EngineError),
	/// The application's note is too long.
	#[error("the note has {length} bytes, but {max} are the most: leave out what is kept elsewhere")]
	Note {
		/// Its length in bytes.
		length: usize,
		/// The bound.
		max: usize,
	},
	/// It would be longer than a backup may be.
	#[error("the backup cannot be sealed: it would be longer than {max} bytes; leave groups that are over")]
	TooLarge {
		/// The bound.
		max: usize,
	},
	/// The client was closed.
	#[error("the client is closed: open it again")]
	Closed,
}

/// An opened backup. Whoever has it can be this client, so it is as secret as the key that opened it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup(Contents);

/// A group in a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupGroup {
	/// The group.
	pub group: GroupId,
	/// What it was called.
	pub name: String,
	/// The epoch in which this client was.
	pub epoch: u64,
}

/// What is sealed, in SCALE.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Contents {
	genesis: GenesisHash,
	identity: Vec<u8>,
	/// The seed that the client was opened with.
	signer: SignerSeed,
	parameters: OrderingParameters,
	/// What was verified of the chain; empty if nothing was.
	position: Vec<u8>,
	/// In the order of their ids.
	groups: Vec<Member>,
	note: Vec<u8>,
}

/// A group that the client is in.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct Member {
	group: GroupId,
	name: String,
	epoch: u64,
	/// How far its log was read, and the block of the newest entry.
	head: LogHead,
	block: BlockNumber,
	seat: Seat,
}

impl Member {
	fn cursor(&self) -> LogCursor {
		LogCursor { head: self.head, block: self.block }
	}
}

impl std::fmt::Debug for Contents {
	/// Without the note, which is the application's affair.
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("Contents")
			.field("genesis", &self.genesis)
			.field("identity", &self.identity)
			.field("groups", &self.groups)
			.finish_non_exhaustive()
	}
}

impl Contents {
	/// Seals them. Takes the time of the key's derivation.
	pub(super) fn seal(mut self, note: Vec<u8>, key: &StoreKey) -> Result<Vec<u8>, BackupError> {
		if note.len() > MAX_NOTE {
			return Err(BackupError::Note { length: note.len(), max: MAX_NOTE });
		}
		self.note = note;
		sealed::seal(&self, key).ok_or(BackupError::TooLarge { max: sealed::MAX_BACKUP })
	}

	/// What is wrong with them, if anything is: a key opens what somebody else sealed with it, too.
	fn fault(&self) -> Option<&'static str> {
		let ids = self.groups.iter().map(|member| member.group);
		let chain = |bytes: &[u8]| FinalizedChain::decode_all(&mut &*bytes).ok();
		if self.identity.is_empty() || self.identity.len() > MAX_IDENTITY {
			Some("its identity has a length that none has")
		} else if !self.position.is_empty() && chain(&self.position).is_none_or(|at| at.genesis() != self.genesis) {
			Some("what it says of the chain cannot be read, or is of another chain")
		} else if !ids.clone().zip(ids.skip(1)).all(|(one, next)| one.0 < next.0) {
			Some("its groups are not in order")
		} else if self.groups.iter().any(|member| member.seat.leaf.len() > MAX_LEAF) {
			Some("a leaf's key has a length that none has")
		} else if self.note.len() > MAX_NOTE {
			Some("its note is too long")
		} else {
			None
		}
	}
}

impl Backup {
	/// Opens a file that [`Client::export_backup`](super::Client::export_backup) made.
	///
	/// # Errors
	/// [`BackupFileError`]. What opens is whole.
	pub fn open(file: &[u8], key: &StoreKey) -> Result<Self, BackupFileError> {
		let text = sealed::open(file, key)?;
		let damaged = |reason: &str| BackupFileError::Damaged(reason.to_owned());
		// SCALE has one encoding of each value, and takes no more memory than the bytes that it reads.
		let contents = Contents::decode_all(&mut &text[..]).map_err(|_| damaged("its contents do not decode"))?;
		match contents.fault() {
			None => Ok(Self(contents)),
			Some(fault) => Err(damaged(fault)),
		}
	}

	/// The chain.
	pub fn genesis(&self) -> GenesisHash {
		self.0.genesis
	}

	/// The identity, for [`Config::identity`](super::Config::identity).
	pub fn identity(&self) -> &[u8] {
		&self.0.identity
	}

	/// The seed of its signature key, for [`Config::signer`](super::Config::signer).
	pub fn signer(&self) -> [u8; 32] {
		*self.0.signer.bytes()
	}

	/// Seals it again, with this note and under this key. Takes the time of the key's derivation.
	///
	/// # Errors
	/// [`BackupError::Note`], [`BackupError::TooLarge`].
	pub fn seal(&self, note: Vec<u8>, key: &StoreKey) -> Result<Vec<u8>, BackupError> {
		self.0.clone().seal(note, key)
	}

	/// Whether a file is sealed under a passphrase. It is not looked at further.
	///
	/// # Errors
	/// [`BackupFileError`], but for a wrong key.
	pub fn takes_passphrase(file: &[u8]) -> Result<bool, BackupFileError> {
		sealed::takes_passphrase(file)
	}

	/// The groups in it.
	pub fn groups(&self) -> impl ExactSizeIterator<Item = BackupGroup> + '_ {
		self.0.groups.iter().map(|Member { group, name, epoch, .. }| BackupGroup {
			group: *group,
			name: name.clone(),
			epoch: *epoch,
		})
	}

	/// The newest block that was verified, if one was stored: a client that is opened on the restored store believes no
	/// chain without it.
	pub fn checkpoint(&self) -> Option<Checkpoint> {
		FinalizedChain::decode(&mut &self.0.position[..]).ok().map(|chain| chain.checkpoint())
	}

	/// What the application put in.
	pub fn note(&self) -> &[u8] {
		&self.0.note
	}
}

impl<M: Mls> Core<M> {
	/// What goes into a backup. One reading of the store: nobody else writes to it.
	pub fn backup(&self) -> Result<Contents, BackupError> {
		let overlay = self.store.overlay();
		let position = overlay.get::<Position>(ONLY).map_err(EngineError::from)?;
		let mut groups = Vec::new();
		for (id, group) in &self.groups {
			// What it leaves, or was put out of, it does not ask to come back to.
			if group.leaving || group.is_over(id) || self.restored.contains_key(id) {
				continue;
			}
			let Some(seat) = self.engine.seat(&overlay, id)? else { continue };
			let LogCursor { head, block } = *group.gate.cursor();
			let name = match self.engine.group(&overlay, id) {
				Err(error) if error.is_lost_state() => String::new(),
				view => view?.map(|view| view.data.name).unwrap_or_default(),
			};
			groups.push(Member { group: *id, name, epoch: group.gate.tip().epoch, head, block, seat });
		}
		for (id, restored) in self.restored.iter().filter(|(_, restored)| !restored.closed) {
			if self.groups.get(id).is_some_and(|group| group.leaving) {
				continue;
			}
			let Some(seat) = self.engine.seat(&overlay, id)? else { continue };
			let LogCursor { head, block } = restored.cursor;
			groups.push(Member { group: *id, name: restored.name.clone(), epoch: restored.epoch, head, block, seat });
		}
		groups.sort_by_key(|member| member.group.0);
		Ok(Contents {
			genesis: *self.engine.genesis(),
			identity: self.engine.identity().to_vec(),
			signer: self.engine.signer_seed(),
			parameters: self.parameters,
			position: position.map(Position::into_bytes).unwrap_or_default(),
			groups,
			note: Vec::new(),
		})
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::mls::Voice;
	use lockstep_primitives::EntryHash;
	use proptest::prelude::*;

	fn key() -> StoreKey {
		StoreKey::from_bytes([7; 32])
	}

	pub(super) fn contents() -> Contents {
		let member = |byte: u8| Member {
			group: GroupId([byte; 32]),
			name: format!("group {byte}"),
			epoch: byte.into(),
			head: LogHead { length: 9, hash: EntryHash([byte; 32]) },
			block: 12,
			seat: Seat {
				signer: SignerSeed::new([byte; 32]),
				leaf: vec![byte; 32],
				voice: (byte > 1).then(|| Voice::example(byte)),
			},
		};
		Contents {
			genesis: GenesisHash([3; 32]),
			identity: b"anna".to_vec(),
			signer: SignerSeed::new([4; 32]),
			parameters: OrderingParameters {
				max_payload: 1,
				candidate_interval: 2,
				contest_window: 3,
				retention: 4,
				entry_budget: (5, 6),
				byte_budget: (7, 8),
			},
			position: Vec::new(),
			groups: vec![member(1), member(2)],
			note: Vec::new(),
		}
	}

	fn refused(contents: Contents) -> String {
		match Backup::open(&sealed::seal(&contents, &key()).unwrap(), &key()) {
			Err(BackupFileError::Damaged(reason)) => reason,
			other => panic!("{other:?}"),
		}
	}

	#[test]
	fn a_backup_opens_as_it_was_made() {
		let file = contents().seal(b"note".to_vec(), &key()).unwrap();
		let backup = Backup::open(&file, &key()).unwrap();
		assert_eq!(backup.0, Contents { note: b"note".to_vec(), ..contents() });
		assert_eq!((backup.identity(), backup.signer(), backup.note()), (&b"anna"[..], [4; 32], &b"note"[..]));
		let names: Vec<String> = backup.groups().map(|group| group.name).collect();
		assert_eq!(names, ["group 1", "group 2"]);
		assert_eq!(Backup::open(&file, &StoreKey::from_bytes([8; 32])), Err(BackupFileError::WrongKey));
		let secrets = [[4; 32], [1; 32], [2; 32]];
		assert!(!file.windows(32).any(|window| secrets.iter().any(|secret| window == secret)));
		let shown = format!("{backup:?}");
		assert!(!shown.contains("4, 4, 4"), "secrets are not shown: {shown}");
	}

	/// What was written once is read for good. The file is not of this code: it was put together byte by byte, by the
	/// description in `docs/decisions/0020-device-backup.md`.
	#[test]
	fn a_file_of_version_1_is_read() {
		let key = StoreKey::from_bytes(*b"lockstep backup of a dev profile");
		let backup = Backup::open(include_bytes!("../../tests/data/backup-1"), &key).unwrap();
		let note = br#"{"version":1,"nodes":["ws://127.0.0.1:1"],"sponsor":"alice"}"#.to_vec();
		assert_eq!(backup.0, Contents { note, ..contents() });
	}

	#[test]
	fn a_note_has_a_bound() {
		assert!(contents().seal(vec![0; MAX_NOTE], &key()).is_ok());
		let error = contents().seal(vec![0; MAX_NOTE + 1], &key());
		assert_eq!(error, Err(BackupError::Note { length: MAX_NOTE + 1, max: MAX_NOTE }));
	}

	#[test]
	fn what_the_key_opens_has_to_make_sense() {
		let good = contents();
		assert!(refused(Contents { identity: Vec::new(), ..good.clone() }).contains("identity"));
		assert!(refused(Contents { identity: vec![0; 257], ..good.clone() }).contains("identity"));
		assert!(refused(Contents { position: vec![1], ..good.clone() }).contains("chain"));
		let mut twice = good.clone();
		twice.groups.push(twice.groups[1].clone());
		assert!(refused(twice).contains("order"));
		let mut long = good.clone();
		long.groups[0].seat.leaf = vec![0; 65];
		assert!(refused(long).contains("leaf"));
		assert!(refused(Contents { note: vec![0; MAX_NOTE + 1], ..good.clone() }).contains("note"));
		// And nothing may follow.
		let file = sealed::seal(&(good, 0u8), &key()).unwrap();
		assert!(matches!(Backup::open(&file, &key()), Err(BackupFileError::Damaged(_))));
	}

	proptest! {
		#![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

		#[test]
		fn contents_of_any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
			let read = Contents::decode_all(&mut &bytes[..]);
			prop_assert!(read.is_err() || read.is_ok_and(|contents| contents.encode() == bytes));
		}

		#[test]
		fn contents_with_a_byte_changed_are_others_or_refused(at in 0usize..400, to in any::<u8>()) {
			let mut bytes = contents().encode();
			let at = at % bytes.len();
			bytes[at] = to;
			if let Ok(read) = Contents::decode_all(&mut &bytes[..]) {
				prop_assert_eq!(read.encode(), bytes);
			}
		}
	}
}
