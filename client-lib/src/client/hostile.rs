//! What a hostile member could do with what it knows; for tests of the promises only.

use super::{command::Command, core::Core, Client, CommitError, GroupError};
use crate::mls::{Batch, BuildError, EpochKeys, Intent, Mls};
use lockstep_primitives::{extrinsic::Append, EntryHash, GroupId};
use std::collections::BTreeMap;
use tokio::sync::oneshot;

type Answer<T> = oneshot::Sender<Result<T, CommitError>>;

/// Every ordering key this client ever had, by group: never deleted, as a hostile member would do.
pub(super) type Hoard = BTreeMap<GroupId, Vec<(EntryHash, [u8; 32])>>;

pub(super) enum HostileCommand {
	Keys(GroupId, Answer<Vec<(EntryHash, [u8; 32])>>),
	Commit(GroupId, Answer<Append>),
	Seal(GroupId, Vec<u8>, Answer<Vec<u8>>),
	Open(GroupId, Vec<u8>, Answer<Vec<u8>>),
}

impl Client {
	/// The seeds of the ordering keys this client had since it was opened, and those still stored then, with the
	/// entries that opened their epochs; the oldest first.
	pub async fn hostile_keys(&self, group: GroupId) -> Result<Vec<(EntryHash, [u8; 32])>, CommitError> {
		self.ask_hostile(|answer| HostileCommand::Keys(group, answer)).await
	}

	/// A good self-update of the current epoch, neither stored nor submitted.
	pub async fn hostile_commit(&self, group: GroupId) -> Result<Append, CommitError> {
		self.ask_hostile(|answer| HostileCommand::Commit(group, answer)).await
	}

	/// Any bytes, sealed as a payload of the current epoch.
	pub async fn hostile_seal(&self, group: GroupId, bytes: Vec<u8>) -> Result<Vec<u8>, CommitError> {
		self.ask_hostile(|answer| HostileCommand::Seal(group, bytes, answer)).await
	}

	/// The bundle in a payload of the current epoch.
	pub async fn hostile_open(&self, group: GroupId, payload: Vec<u8>) -> Result<Vec<u8>, CommitError> {
		self.ask_hostile(|answer| HostileCommand::Open(group, payload, answer)).await
	}

	async fn ask_hostile<T>(&self, command: impl FnOnce(Answer<T>) -> HostileCommand) -> Result<T, CommitError> {
		self.ask(|answer| Command::Hostile(command(answer))).await.ok_or(GroupError::Closed)?
	}
}

impl<M: Mls> Core<M> {
	pub fn on_hostile(&mut self, command: HostileCommand) {
		let overlay = self.store.overlay();
		match command {
			HostileCommand::Keys(group, answer) => {
				drop(answer.send(Ok(self.hoard.get(&group).cloned().unwrap_or_default())));
			}
			HostileCommand::Commit(group, answer) => {
				let built = self.engine.build_commit(&overlay, &group, &[Intent::Update]);
				let built = built.map_err(BuildError::from).and_then(Batch::into_single);
				drop(answer.send(built.map(|prepared| prepared.append()).map_err(CommitError::from)));
			}
			HostileCommand::Seal(group, bytes, answer) => {
				let sealed = self.engine.seal_anything(&overlay, &group, &bytes);
				drop(answer.send(sealed.map_err(|error| BuildError::from(error).into())));
			}
			HostileCommand::Open(group, payload, answer) => {
				let opened = self.engine.open_anything(&overlay, &group, &payload);
				drop(answer.send(opened.map_err(|error| BuildError::from(error).into())));
			}
		}
	}

	/// Copies the keys of the epochs that are stored now.
	pub fn hoard_keys(&mut self, id: &GroupId) {
		let Some(current) = self.groups.get(id).map(|group| group.gate.tip().epoch) else { return };
		let (overlay, hoard) = (self.store.overlay(), self.hoard.entry(*id).or_default());
		let mut new = Vec::new();
		// The newest first, as far as they are new.
		for epoch in (0..=current).rev() {
			let keys = match EpochKeys::of_epoch(&overlay, id, epoch) {
				Ok(Some(keys)) => keys,
				// It was removed by the commit that opened this one.
				Ok(None) if epoch == current => continue,
				_ => break,
			};
			if hoard.iter().rev().any(|(entry, _)| *entry == keys.entry) {
				break;
			}
			new.push((keys.entry, keys.leak_seed()));
		}
		hoard.extend(new.into_iter().rev());
	}
}
