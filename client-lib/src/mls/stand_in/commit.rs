//! Commits of the stand-in.

use super::{
	letter::{self, Package},
	message::Proposal,
	seal,
	state::{ordering_key, text, Leaf, State},
	StandIn,
};
use crate::{
	mls::{commit::StandInParts, BuildError, EngineError, EpochChange, EpochKeys, Prepared},
	store::Overlay,
};
use lockstep_primitives::{payload_hash, rpc::HexBytes, EntryHash, GroupId};
use serde::{Deserialize, Serialize};

/// What is wrong with a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Flaw {
	/// Nothing.
	#[default]
	None,
	/// Every member sees that it is invalid.
	Public,
	/// It fails for these members only.
	Private(Vec<String>),
}

/// A commit, as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Commit {
	pub(super) committer: String,
	pub(super) epoch: u64,
	#[serde(with = "super::bytes")]
	pub(super) nonce: [u8; 32],
	pub(super) adds: Vec<Package>,
	pub(super) removes: Vec<String>,
	/// Members whose leaf gives way to that of a new KeyPackage.
	pub(super) readmits: Vec<Package>,
	pub(super) proposals: Vec<Proposal>,
	pub(super) flaw: Flaw,
}

impl Commit {
	/// All that it removes, by value and by proposal.
	pub(super) fn removed(&self) -> Vec<String> {
		self.removes.iter().chain(self.proposals.iter().map(|proposal| &proposal.sender)).cloned().collect()
	}

	/// All whose leaf it takes out of the group.
	pub(super) fn put_out(&self) -> Vec<String> {
		let readmitted = self.readmits.iter().map(|package| package.identity.clone());
		self.removed().into_iter().chain(readmitted).collect()
	}

	/// Whether the policy allows it.
	pub(super) fn is_sound(&self, state: &State) -> bool {
		let out = self.put_out();
		let once = |(at, one): (usize, &String)| !out.iter().skip(at.saturating_add(1)).any(|other| other == one);
		self.epoch == state.epoch
			&& state.is_member(&self.committer)
			&& out.iter().enumerate().all(once)
			&& out.iter().all(|identity| state.is_member(identity) && *identity != self.committer)
			&& self.adds.iter().all(|package| !state.is_member(&package.identity))
			&& self.proposals.iter().all(|proposal| proposal.is_of(state))
			&& self.flaw != Flaw::Public
	}

	/// The state that it leads to. `bytes` are its own.
	pub(super) fn next(&self, state: &State, bytes: &[u8]) -> State {
		let out = self.put_out();
		let mut members = state.members.clone();
		members.retain(|member| !out.contains(&member.identity));
		let new = self.adds.iter().chain(&self.readmits);
		members.extend(new.map(|package| Leaf { identity: package.identity.clone(), key: package.reference }));
		let epoch = state.epoch.saturating_add(1);
		State { epoch, secret: state.next_secret(bytes), members, active: true, sent: 0 }
	}
}

impl StandIn {
	/// An empty commit in the current epoch, to be filled.
	pub(super) fn draft(&self, state: &State, flaw: Flaw) -> Commit {
		Commit {
			committer: text(&self.identity),
			epoch: state.epoch,
			nonce: self.draw(),
			adds: Vec::new(),
			removes: Vec::new(),
			readmits: Vec::new(),
			proposals: Vec::new(),
			flaw,
		}
	}

	/// Seals and endorses a commit, and keeps what is needed if it wins.
	pub(super) fn prepare(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		state: &State,
		commit: &Commit,
	) -> Result<Prepared, EngineError> {
		let tip = EpochKeys::of_epoch(overlay, group, state.epoch)?.ok_or(EngineError::NotPlaced(*group))?;
		let bytes = serde_json::to_vec(commit).map_err(EngineError::library("making a commit"))?;
		let next = commit.next(state, &bytes);
		let payload = seal::seal(&state.payload_key(), &self.draw(), &bytes);
		let next_key = ordering_key(&next.secret);
		let endorsement = tip.endorse(&self.genesis, group, &payload_hash(&payload), &next_key);
		let new = commit.adds.iter().chain(&commit.readmits);
		let invited = new.map(|package| Ok(HexBytes(package.encode()?))).collect::<Result<Vec<_>, EngineError>>()?;
		let welcome = if invited.is_empty() { None } else { Some(HexBytes(letter::welcome(&next)?)) };
		let identities = |packages: &[Package]| {
			packages.iter().map(|package| HexBytes(package.identity.clone().into_bytes())).collect()
		};
		Ok(Prepared::of_stand_in(StandInParts {
			group: *group,
			parent: tip.entry,
			epoch: tip.epoch,
			payload,
			next_key,
			endorsement,
			added: identities(&commit.adds),
			removed: commit.removed().into_iter().map(|identity| HexBytes(identity.into_bytes())).collect(),
			readmitted: identities(&commit.readmits),
			invited,
			staged: hex::encode(&bytes),
			welcome,
		}))
	}

	/// A commit with a flaw, which changes nothing but keys.
	pub fn flawed(&self, overlay: &Overlay<'_>, group: &GroupId, flaw: Flaw) -> Result<Prepared, BuildError> {
		let state = State::active(overlay, group)?;
		Ok(self.prepare(overlay, group, &state, &self.draft(&state, flaw))?)
	}

	pub(super) fn merge(
		&self,
		overlay: &Overlay<'_>,
		entry: &EntryHash,
		prepared: &Prepared,
	) -> Result<EpochChange, EngineError> {
		let state = State::active(overlay, &prepared.group)?;
		let tip = EpochKeys::of_epoch(overlay, &prepared.group, state.epoch)?;
		let tip = tip.ok_or(EngineError::NotPlaced(prepared.group))?.entry;
		if tip != prepared.parent {
			return Err(EngineError::NotAtEntry { tip, asked: prepared.parent });
		}
		let bytes = kept(prepared)?;
		let commit: Commit = serde_json::from_slice(&bytes).map_err(EngineError::library("reading a kept commit"))?;
		let staged = super::StandInStaged::new(prepared.group, state, commit, &bytes, &text(&self.identity), true);
		self.advance(overlay, entry, staged)
	}
}

/// The bytes of a kept commit.
pub(super) fn kept(prepared: &Prepared) -> Result<Vec<u8>, EngineError> {
	hex::decode(prepared.staged_by_stand_in()).map_err(EngineError::library("reading a kept commit"))
}
