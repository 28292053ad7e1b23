//! Commits of the stand-in.

use super::{
	letter::{self, Package},
	message::{self, Proposal},
	seal,
	state::{ordering_key, text, State},
	StandIn,
};
use crate::{
	mls::{commit::StandInParts, BuildError, EngineError, EpochChange, EpochKeys, Intent, Prepared, ProposalError},
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
	pub(super) proposals: Vec<Proposal>,
	pub(super) flaw: Flaw,
}

impl Commit {
	/// All that it removes, by value and by proposal.
	pub(super) fn removed(&self) -> Vec<String> {
		self.removes.iter().chain(self.proposals.iter().map(|proposal| &proposal.sender)).cloned().collect()
	}

	/// Whether the policy allows it.
	pub(super) fn is_sound(&self, state: &State) -> bool {
		let removed = self.removed();
		let once = removed
			.iter()
			.enumerate()
			.all(|(at, one)| !removed.iter().skip(at.saturating_add(1)).any(|other| other == one));
		let added = |package: &Package| !state.is_member(&package.identity);
		self.epoch == state.epoch
			&& state.is_member(&self.committer)
			&& once && removed.iter().all(|identity| state.is_member(identity) && *identity != self.committer)
			&& self.adds.iter().all(added)
			&& self.proposals.iter().all(|proposal| proposal.is_of(state))
			&& self.flaw != Flaw::Public
	}

	/// The state that it leads to. `bytes` are its own.
	pub(super) fn next(&self, state: &State, bytes: &[u8]) -> State {
		let removed = self.removed();
		let mut members = state.members.clone();
		members.retain(|member| !removed.contains(member));
		members.extend(self.adds.iter().map(|package| package.identity.clone()));
		let epoch = state.epoch.saturating_add(1);
		State { epoch, secret: state.next_secret(bytes), members, active: true, sent: 0 }
	}
}

impl StandIn {
	/// Makes a commit, with a flaw if a hostile member makes it.
	pub(super) fn prepare(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		intents: &[Intent],
		flaw: Flaw,
	) -> Result<Prepared, BuildError> {
		let state = State::active(overlay, group)?;
		let tip = EpochKeys::of_epoch(overlay, group, state.epoch)?.ok_or(EngineError::NotPlaced(*group))?;
		let mut commit = Commit {
			committer: text(&self.identity),
			epoch: state.epoch,
			nonce: self.draw(),
			adds: Vec::new(),
			removes: Vec::new(),
			proposals: Vec::new(),
			flaw,
		};
		for intent in intents {
			plan(&mut commit, &state, intent)?;
		}
		let bytes = serde_json::to_vec(&commit).map_err(EngineError::library("making a commit"))?;
		let next = commit.next(&state, &bytes);
		let payload = seal::seal(&state.payload_key(), &self.draw(), &bytes);
		let next_key = ordering_key(&next.secret);
		let endorsement = tip.endorse(&self.genesis, group, &payload_hash(&payload), &next_key);
		let added = commit
			.adds
			.iter()
			.map(|package| Ok((HexBytes(package.identity.clone().into_bytes()), HexBytes(package.encode()?))));
		let added = added.collect::<Result<Vec<_>, EngineError>>()?;
		let welcome = if added.is_empty() { None } else { Some(HexBytes(letter::welcome(&next)?)) };
		Ok(Prepared::of_stand_in(StandInParts {
			group: *group,
			parent: tip.entry,
			epoch: tip.epoch,
			payload,
			next_key,
			endorsement,
			added,
			removed: commit.removed().into_iter().map(|identity| HexBytes(identity.into_bytes())).collect(),
			staged: hex::encode(&bytes),
			welcome,
		}))
	}

	/// A commit with a flaw, which changes nothing but keys.
	pub fn flawed(&self, overlay: &Overlay<'_>, group: &GroupId, flaw: Flaw) -> Result<Prepared, BuildError> {
		self.prepare(overlay, group, &[Intent::Update], flaw)
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

fn plan(commit: &mut Commit, state: &State, intent: &Intent) -> Result<(), BuildError> {
	match intent {
		Intent::Update => {}
		Intent::Add(list) if !list.is_empty() => {
			for (index, bytes) in list.iter().enumerate() {
				let package = Package::decode(&bytes.0)
					.ok_or_else(|| BuildError::KeyPackage { index, reason: "it does not decode".to_owned() })?;
				let twice = commit.adds.iter().any(|added| added.identity == package.identity);
				if twice || state.is_member(&package.identity) {
					return Err(BuildError::AlreadyMember { identity: package.identity.into_bytes() });
				}
				commit.adds.push(package);
			}
		}
		Intent::Remove(list) if !list.is_empty() => {
			for HexBytes(identity) in list {
				let identity = text(identity);
				if !state.is_member(&identity) {
					return Err(BuildError::NotAMember { identity: identity.into_bytes() });
				}
				if identity == commit.committer {
					return Err(BuildError::RemovesItself);
				}
				if !commit.removes.contains(&identity) {
					commit.removes.push(identity);
				}
			}
		}
		Intent::Proposals(list) if !list.is_empty() => {
			for (index, bytes) in list.iter().enumerate() {
				let proposal = message::proposal(state, &bytes.0)
					.map_err(|reason: ProposalError| BuildError::Proposal { index, reason })?;
				commit.proposals.push(proposal);
			}
		}
		_ => return Err(BuildError::Empty),
	}
	Ok(())
}
