//! What happened, kept on disk, because the library reports each event once.
//!
//! The file starts with [`MAGIC`]; then come records, each as its length (4 bytes, little-endian), a nonce (24 bytes)
//! and its JSON, sealed by XChaCha20-Poly1305 under a key of the profile, with the record's number as associated data:
//! none can be put elsewhere. A record that a crash has cut is left out, and written over by the next one.
//!
//! The library keeps a message until it is acknowledged, which is done after the write here. Messages have numbers in
//! its inbox, so that one that was kept, and not acknowledged before a crash, is not kept twice.

use crate::{
	failure::{Failure, Kind},
	happened::{Happened, Record},
};
use chacha20poly1305::{
	aead::{Aead, Payload},
	KeyInit, XChaCha20Poly1305,
};
use std::{
	fs::{File, OpenOptions},
	io::{Seek, SeekFrom, Write},
	os::unix::fs::OpenOptionsExt,
	path::{Path, PathBuf},
	sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

const MAGIC: &[u8] = b"lockstep-history/1\n";
const NONCE: usize = 24;

/// The history of a profile. One at a time: whoever has the store open.
pub struct History {
	inner: Mutex<Inner>,
	/// How many records there are.
	count: watch::Sender<usize>,
}

struct Inner {
	path: PathBuf,
	file: File,
	seal: Seal,
	records: Vec<Arc<Record>>,
	/// How many of them are in the file, and how long that makes it.
	kept: usize,
	length: u64,
}

impl History {
	/// Opens the file, or makes it, and drops what a crash has cut.
	pub fn open(path: &Path, key: &[u8; 32]) -> Result<Self, Failure> {
		let failed = |error| Failure::file(path, &error);
		let seal = Seal(XChaCha20Poly1305::new(key.into()));
		let (records, whole) = read(path, &seal)?;
		let mut options = OpenOptions::new();
		let mut file =
			options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path).map_err(failed)?;
		file.set_len(whole).map_err(failed)?;
		file.seek(SeekFrom::End(0)).map_err(failed)?;
		let mut length = whole;
		if whole == 0 {
			file.write_all(MAGIC).and_then(|()| file.sync_data()).map_err(failed)?;
			length = file.stream_position().map_err(failed)?;
		}
		let kept = records.len();
		let inner = Inner { path: path.to_owned(), file, seal, records, kept, length };
		Ok(Self { inner: Mutex::new(inner), count: watch::Sender::new(kept) })
	}

	/// Whether the file can be read. Changes nothing.
	pub fn check(path: &Path, key: &[u8; 32]) -> Result<(), Failure> {
		read(path, &Seal(XChaCha20Poly1305::new(key.into()))).map(drop)
	}

	/// Adds what happened. It can be read from here also if it cannot be written.
	pub fn append(&self, happened: impl IntoIterator<Item = Happened>) -> Result<(), Failure> {
		let mut inner = self.inner();
		let written = inner.append(happened.into_iter().map(Record::now).collect());
		let count = inner.records.len();
		drop(inner);
		self.count.send_replace(count);
		written
	}

	/// The highest number of a message from the client's inbox.
	pub fn highest_number(&self) -> Option<u64> {
		self.inner().records.iter().filter_map(|record| record.happened.number()).max()
	}

	/// How many records there are.
	pub fn len(&self) -> usize {
		self.inner().records.len()
	}

	/// The records from one on.
	pub fn since(&self, first: usize) -> Vec<Arc<Record>> {
		self.inner().records.get(first..).unwrap_or_default().to_vec()
	}

	/// Resolves when there are more than so many records.
	pub async fn beyond(&self, count: usize) {
		// The sender lives as long as this.
		drop(self.count.subscribe().wait_for(|now| *now > count).await);
	}

	fn inner(&self) -> MutexGuard<'_, Inner> {
		self.inner.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

impl Inner {
	fn append(&mut self, records: Vec<Record>) -> Result<(), Failure> {
		let records: Vec<Arc<Record>> = records.into_iter().map(Arc::new).collect();
		self.records.extend(records.iter().cloned());
		let mut frames = Vec::new();
		for (number, record) in (self.kept..).zip(&records) {
			self.seal.frame(number, record, &mut frames)?;
		}
		match self.file.write_all(&frames).and_then(|()| self.file.sync_data()) {
			Ok(()) => {
				self.kept = self.kept.saturating_add(records.len());
				self.length = self.length.saturating_add(u64::try_from(frames.len()).unwrap_or_default());
				Ok(())
			}
			Err(error) => {
				// Half a record must not stand between this one and the next.
				let back = self.file.set_len(self.length).and_then(|()| self.file.seek(SeekFrom::Start(self.length)));
				drop(back);
				Err(Failure::file(&self.path, &error))
			}
		}
	}
}

/// The records of a file, and the length of what is whole in it. A file that is not there is empty.
fn read(path: &Path, seal: &Seal) -> Result<(Vec<Arc<Record>>, u64), Failure> {
	let file = match std::fs::read(path) {
		Ok(file) => file,
		Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
		Err(error) => return Err(Failure::file(path, &error)),
	};
	let damaged = |what: String| {
		Failure::new(Kind::ProfileDamaged, format!("the history {} cannot be read: {what}", path.display()))
			.advise(format!("move it away, and begin a new one: mv {0} {0}.damaged", path.display()))
	};
	let Some(mut rest) = file.strip_prefix(MAGIC) else {
		return match MAGIC.starts_with(&file) {
			true => Ok((Vec::new(), 0)),
			false => Err(damaged("it is of another kind, or of a newer version".to_owned())),
		};
	};
	let mut records = Vec::new();
	while let Some((frame, after)) = next_frame(rest) {
		let record = seal.open(records.len(), frame).ok_or_else(|| damaged(format!("record {}", records.len())))?;
		records.push(Arc::new(record));
		rest = after;
	}
	let whole = file.len().saturating_sub(rest.len());
	Ok((records, u64::try_from(whole).unwrap_or(u64::MAX)))
}

fn next_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
	let (length, rest) = bytes.split_first_chunk::<4>()?;
	rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

struct Seal(XChaCha20Poly1305);

impl Seal {
	fn frame(&self, number: usize, record: &Record, frames: &mut Vec<u8>) -> Result<(), Failure> {
		let failed = |what: &str| Failure::new(Kind::Failed, format!("an event cannot be kept: {what}"));
		let json = serde_json::to_vec(record).map_err(|error| failed(&error.to_string()))?;
		let nonce: [u8; NONCE] = rand::random();
		let payload = Payload { msg: &json, aad: &place(number) };
		let sealed = self.0.encrypt(&nonce.into(), payload).map_err(|_| failed("it cannot be sealed"))?;
		let length = sealed.len().checked_add(NONCE).and_then(|length| u32::try_from(length).ok());
		frames.extend_from_slice(&length.ok_or_else(|| failed("it is too long"))?.to_le_bytes());
		frames.extend_from_slice(&nonce);
		frames.extend_from_slice(&sealed);
		Ok(())
	}

	fn open(&self, number: usize, frame: &[u8]) -> Option<Record> {
		let (nonce, sealed) = frame.split_first_chunk::<NONCE>()?;
		let payload = Payload { msg: sealed, aad: &place(number) };
		serde_json::from_slice(&self.0.decrypt(nonce.into(), payload).ok()?).ok()
	}
}

fn place(number: usize) -> Vec<u8> {
	[MAGIC, &u64::try_from(number).unwrap_or(u64::MAX).to_le_bytes()].concat()
}

#[cfg(test)]
mod tests {
	use super::*;

	const KEY: [u8; 32] = [7; 32];

	fn missed(count: u64) -> Happened {
		Happened::Missed { count }
	}

	fn counts(history: &History) -> Vec<u64> {
		let records = history.since(0);
		let count = |record: &Arc<Record>| match record.happened {
			Happened::Missed { count } => count,
			_ => u64::MAX,
		};
		records.iter().map(count).collect()
	}

	fn file() -> (tempfile::TempDir, PathBuf) {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("history");
		(folder, path)
	}

	#[test]
	fn what_was_added_is_there_after_opening_again() {
		let (_folder, path) = file();
		let history = History::open(&path, &KEY).unwrap();
		history.append([missed(1), missed(2)]).unwrap();
		drop(history);
		let history = History::open(&path, &KEY).unwrap();
		history.append([missed(3)]).unwrap();
		assert_eq!(counts(&history), [1, 2, 3]);
		assert_eq!(history.since(2).len(), 1);
		assert!(history.since(9).is_empty());
		drop(history);
		assert_eq!(counts(&History::open(&path, &KEY).unwrap()), [1, 2, 3]);
	}

	#[test]
	fn a_crash_at_any_byte_loses_the_last_record_at_most() {
		let (_folder, path) = file();
		let history = History::open(&path, &KEY).unwrap();
		history.append([missed(1)]).unwrap();
		let one = std::fs::metadata(&path).unwrap().len();
		history.append([missed(2)]).unwrap();
		drop(history);
		let whole = std::fs::read(&path).unwrap();
		for length in 0..whole.len() {
			std::fs::write(&path, &whole[..length]).unwrap();
			let history = History::open(&path, &KEY).unwrap();
			let kept: &[u64] = if (length as u64) < one { &[] } else { &[1] };
			assert_eq!(counts(&history), kept, "cut to {length}");
			history.append([missed(9)]).unwrap();
			drop(history);
			assert_eq!(counts(&History::open(&path, &KEY).unwrap()).last(), Some(&9), "cut to {length}");
		}
	}

	#[test]
	fn what_was_changed_moved_or_sealed_with_another_key_is_refused() {
		let (_folder, path) = file();
		let history = History::open(&path, &KEY).unwrap();
		history.append([missed(1)]).unwrap();
		let middle = std::fs::metadata(&path).unwrap().len() as usize;
		history.append([missed(2)]).unwrap();
		drop(history);
		let whole = std::fs::read(&path).unwrap();
		let refused = |content: &[u8]| {
			std::fs::write(&path, content).unwrap();
			let failure = History::open(&path, &KEY).map(drop).unwrap_err();
			assert_eq!(failure.kind, Kind::ProfileDamaged);
			assert_eq!(std::fs::read(&path).unwrap(), content, "it is left as it is");
		};
		let mut changed = whole.clone();
		changed[middle - 1] ^= 1;
		refused(&changed);
		let swapped = [MAGIC, &whole[middle..], &whole[MAGIC.len()..middle]].concat();
		refused(&swapped);
		refused(b"something else");
		std::fs::write(&path, &whole).unwrap();
		assert!(History::check(&path, &[8; 32]).is_err());
		assert!(History::check(&path, &KEY).is_ok());
		assert!(!String::from_utf8_lossy(&whole).contains("missed"), "nothing is in the clear");
	}

	#[test]
	fn any_bytes_are_a_history_or_an_error() {
		use rand::{rngs::StdRng, Rng, SeedableRng};
		let mut random = StdRng::seed_from_u64(1);
		let (_folder, path) = file();
		let history = History::open(&path, &KEY).unwrap();
		history.append([missed(1), missed(2)]).unwrap();
		drop(history);
		let whole = std::fs::read(&path).unwrap();
		for _ in 0..500 {
			let mut bytes = whole.clone();
			for _ in 0..random.gen_range(1..4) {
				let at = random.gen_range(0..bytes.len());
				bytes[at] = random.gen();
			}
			bytes.truncate(random.gen_range(0..=bytes.len()));
			std::fs::write(&path, &bytes).unwrap();
			drop(History::check(&path, &KEY));
		}
	}

	#[tokio::test]
	async fn whoever_waits_is_told_of_the_next_record() {
		let (_folder, path) = file();
		let history = History::open(&path, &KEY).unwrap();
		history.append([missed(1)]).unwrap();
		history.beyond(0).await;
		let waiting = history.beyond(1);
		let adding = async { history.append([missed(2)]).unwrap() };
		tokio::join!(waiting, adding);
	}
}
