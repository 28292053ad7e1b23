//! A member under test: an engine and a store in a folder of its own.

use super::{
	log::{Entry, Log, GENESIS},
	EngineError, EpochChange, EpochKeys, GroupData, GroupView, Intent, InvalidReason, Invitation, Joined, MessageError,
	NewGroup, NewKeyPackage, Prepared, PrivateReason, Received, Sent, Verdict, Welcomes,
};
use crate::{
	mls::Engine,
	store::{Overlay, Store, StoreKey},
};
use lockstep_primitives::{GroupId, IdentityId};
use std::collections::BTreeSet;

pub(super) struct Member {
	pub(super) engine: Engine,
	store: Option<Store>,
	folder: tempfile::TempDir,
	created: Option<GroupId>,
	prepared: Option<Prepared>,
}

fn open(folder: &std::path::Path) -> Store {
	Store::open(folder, &StoreKey::from_bytes([9; 32])).unwrap()
}

/// What following an entry came to.
#[derive(Debug)]
pub(super) enum Outcome {
	Advanced(Box<EpochChange>),
	Skipped(InvalidReason),
	Stuck(PrivateReason),
	Waiting(BTreeSet<IdentityId>),
}

impl Outcome {
	/// Of a verdict that leads nowhere.
	fn of(verdict: Verdict) -> Self {
		match verdict {
			Verdict::Valid(_) => panic!("it leads on"),
			Verdict::PubliclyInvalid(reason) => Self::Skipped(reason),
			Verdict::PrivatelyFailing(reason) => Self::Stuck(reason),
			Verdict::Unknown(people) => Self::Waiting(people),
		}
	}
}

impl Member {
	pub(super) fn new(name: &str) -> Self {
		Self::on_device(name, *blake3::hash(name.as_bytes()).as_bytes())
	}

	/// A member with the same identity as others of this name, on a device of its own.
	pub(super) fn on_device(name: &str, seed: [u8; 32]) -> Self {
		let folder = tempfile::tempdir().unwrap();
		let engine = Engine::new(name.as_bytes().to_vec(), &seed, GENESIS).unwrap();
		Self { engine, store: Some(open(folder.path())), folder, created: None, prepared: None }
	}

	pub(super) fn name(&self) -> String {
		String::from_utf8_lossy(self.engine.identity()).into_owned()
	}

	pub(super) fn store(&self) -> &Store {
		self.store.as_ref().unwrap()
	}

	/// Does something on an overlay and commits it.
	pub(super) fn write<T>(&self, action: impl FnOnce(&Engine, &Overlay<'_>) -> T) -> T {
		let overlay = self.store().overlay();
		let result = action(&self.engine, &overlay);
		overlay.commit().unwrap();
		result
	}

	/// Does something that must not write.
	pub(super) fn read<T>(&self, action: impl FnOnce(&Engine, &Overlay<'_>) -> T) -> T {
		let overlay = self.store().overlay();
		let result = action(&self.engine, &overlay);
		assert!(overlay.is_clean(), "nothing is written");
		result
	}

	/// Closes the store and opens it again, as a new process would, with nothing remembered but the store.
	pub(super) fn restart(&mut self, log: &Log) {
		self.store = None;
		self.store = Some(open(self.folder.path()));
		self.prepared = self.read(|_, overlay| overlay.get(log.group.as_bytes())).unwrap();
	}

	pub(super) fn create(&mut self) -> NewGroup {
		self.create_with(&GroupData::default())
	}

	pub(super) fn create_with(&mut self, data: &GroupData) -> NewGroup {
		let new = self.write(|engine, overlay| engine.create_group(overlay, data)).unwrap();
		self.created = Some(new.group);
		new
	}

	pub(super) fn place(&mut self, entry: &Entry) {
		let group = self.created.expect("the member made a group");
		self.write(|engine, overlay| engine.place_group(overlay, &group, &entry.hash)).unwrap();
	}

	pub(super) fn view(&self, log: &Log) -> GroupView {
		self.read(|engine, overlay| engine.group(overlay, &log.group)).unwrap().expect("the member has the group")
	}

	pub(super) fn keys(&self, log: &Log) -> Vec<EpochKeys> {
		self.read(|engine, overlay| engine.epoch_keys(overlay, &log.group)).unwrap()
	}

	pub(super) fn tip_keys(&self, log: &Log) -> EpochKeys {
		self.keys(log).pop().expect("the current epoch has keys")
	}

	/// Builds a commit and stores it, as before a submission.
	pub(super) fn prepare(&mut self, log: &Log, intent: &Intent) -> Prepared {
		let prepared = self.read(|engine, overlay| engine.build_one(overlay, &log.group, intent)).unwrap();
		self.write(|_, overlay| overlay.put(log.group.as_bytes(), &prepared)).unwrap();
		self.prepared = Some(prepared.clone());
		prepared
	}

	/// Forgets its own prepared commit.
	pub(super) fn lose_prepared(&mut self) {
		self.prepared = None;
	}

	/// Follows an entry as the gate does: merges its own, applies a valid one, leaves everything else.
	pub(super) fn follow(&mut self, log: &Log, entry: &Entry) -> Outcome {
		let own = self.prepared.as_ref().filter(|own| {
			own.parent == entry.parent && own.payload.0 == entry.payload && own.next_key == entry.next_key
		});
		if let Some(own) = own.cloned() {
			if own.conditional {
				let judged = self.read(|engine, overlay| engine.evaluate(overlay, &log.candidate(entry), Some(&own)));
				match judged.unwrap() {
					Verdict::Valid(staged) => assert!(staged.is_own()),
					other => return Outcome::of(other),
				}
			}
			self.prepared = None;
			let change = self.write(|engine, overlay| engine.merge_own(overlay, &entry.hash, &own)).unwrap();
			return Outcome::Advanced(Box::new(change));
		}
		match self.judge(log, entry).unwrap() {
			Verdict::Valid(staged) => {
				self.prepared = None;
				Outcome::Advanced(Box::new(
					self.write(|engine, overlay| engine.apply(overlay, &entry.hash, *staged)).unwrap(),
				))
			}
			other => Outcome::of(other),
		}
	}

	/// Follows an entry that must be valid.
	pub(super) fn advance(&mut self, log: &Log, entry: &Entry) -> EpochChange {
		match self.follow(log, entry) {
			Outcome::Advanced(change) => *change,
			other => panic!("{} says {other:?}", self.name()),
		}
	}

	pub(super) fn judge(&self, log: &Log, entry: &Entry) -> Result<Verdict, EngineError> {
		self.read(|engine, overlay| engine.evaluate(overlay, &log.candidate(entry), None))
	}

	pub(super) fn key_package(&mut self) -> NewKeyPackage {
		self.write(|engine, overlay| engine.key_package(overlay)).unwrap()
	}

	pub(super) fn welcomes(&self, prepared: &Prepared, entry: &Entry) -> Welcomes {
		self.read(|engine, overlay| engine.welcomes(overlay, prepared, &entry.hash, entry.index)).unwrap().unwrap()
	}

	pub(super) fn open_welcome(&self, package: &NewKeyPackage, welcomes: &Welcomes) -> Invitation {
		let mut envelopes = welcomes.envelopes.iter();
		let mine = envelopes.find(|envelope| envelope.key_package_ref == package.reference).unwrap();
		assert_eq!(mine.identity, self.engine.identity());
		let opened = self.read(|engine, overlay| engine.open_envelope(overlay, &package.reference, &mine.bytes));
		self.engine.open_letter(&opened.unwrap(), &welcomes.letter).unwrap()
	}

	/// Joins by the envelope that is addressed to one of its KeyPackages, and checks the state against the log.
	pub(super) fn join(&mut self, log: &Log, package: &NewKeyPackage, welcomes: &Welcomes) -> Joined {
		let invitation = self.open_welcome(package, welcomes);
		let joined = self.write(|engine, overlay| engine.join(overlay, &invitation)).unwrap();
		let tip = log.tip();
		assert_eq!((invitation.entry, invitation.index), (tip.hash, tip.index));
		assert_eq!(joined.ordering_key, tip.next_key);
		joined
	}

	pub(super) fn encrypt(&mut self, log: &Log, data: &[u8]) -> Sent {
		self.write(|engine, overlay| engine.encrypt(overlay, &log.group, data)).unwrap()
	}

	pub(super) fn decrypt(&mut self, log: &Log, bytes: &[u8]) -> Result<Received, MessageError> {
		self.write(|engine, overlay| engine.decrypt(overlay, &log.group, bytes))
	}
}
