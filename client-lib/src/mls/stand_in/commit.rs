//! Commits of the stand-in.

use super::{
	letter::{self, Package},
	message::Proposal,
	plan, seal,
	state::{ordering_key, text, Leaf, State},
	StandIn,
};
use crate::{
	mls::{commit::StandInParts, Batch, EngineError, EpochChange, EpochKeys, Intent, Placed, Prepared},
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
	/// Those whose leaf is replaced by that of a new KeyPackage.
	pub(super) readmits: Vec<Package>,
	pub(super) proposals: Vec<Proposal>,
	pub(super) flaw: Flaw,
}

impl Commit {
	/// A commit that changes nothing but keys.
	fn empty(committer: String, epoch: u64, nonce: [u8; 32], flaw: Flaw) -> Self {
		let (adds, removes, readmits, proposals) = Default::default();
		Self { committer, epoch, nonce, adds, removes, readmits, proposals, flaw }
	}

	/// All that it removes for good, by value and by proposal.
	pub(super) fn removed(&self) -> Vec<String> {
		self.removes.iter().chain(self.proposals.iter().map(|proposal| &proposal.sender)).cloned().collect()
	}

	/// Whether the policy allows it.
	pub(super) fn is_sound(&self, state: &State) -> bool {
		let readmitted = self.readmits.iter().map(|package| package.identity.clone());
		let removed: Vec<String> = self.removed().into_iter().chain(readmitted).collect();
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
		members.retain(|member| !removed.contains(&member.identity));
		for member in &mut members {
			let readmitted = self.readmits.iter().find(|package| package.identity == member.identity);
			if let Some(package) = readmitted {
				member.key = package.reference;
			} else if member.identity == self.committer {
				member.key = self.nonce;
			}
		}
		members.extend(
			self.adds.iter().map(|package| Leaf { identity: package.identity.clone(), key: package.reference }),
		);
		let epoch = state.epoch.saturating_add(1);
		State { epoch, secret: state.next_secret(bytes), members, active: true, sent: 0 }
	}
}

impl StandIn {
	/// As many of these intents as go into one commit.
	pub(super) fn batch(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		intents: &[Intent],
	) -> Result<Batch, EngineError> {
		let state = State::active(overlay, group)?;
		let mut commit = Commit::empty(text(&self.identity), state.epoch, self.draw(), Flaw::None);
		let placed = plan::place(&mut commit, &state, intents);
		let prepared = if placed.contains(&Placed::Included) {
			Some(self.prepare(overlay, group, &state, &commit)?)
		} else {
			None
		};
		Ok(Batch { prepared, placed })
	}

	fn prepare(
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
		let packages = || commit.adds.iter().chain(&commit.readmits);
		let invited: Vec<HexBytes> =
			packages().map(|package| Ok(HexBytes(package.encode()?))).collect::<Result<_, EngineError>>()?;
		let welcome = if invited.is_empty() { None } else { Some(HexBytes(letter::welcome(&next, packages())?)) };
		let named = |packages: &[Package]| packages.iter().map(|package| hex_text(&package.identity)).collect();
		Ok(Prepared::of_stand_in(StandInParts {
			group: *group,
			parent: tip.entry,
			epoch: tip.epoch,
			payload,
			next_key,
			endorsement,
			added: named(&commit.adds),
			removed: commit.removed().iter().map(|identity| hex_text(identity)).collect(),
			readmitted: named(&commit.readmits),
			invited,
			staged: hex::encode(&bytes),
			welcome,
		}))
	}

	/// A commit with a flaw, which changes nothing but keys.
	pub fn flawed(&self, overlay: &Overlay<'_>, group: &GroupId, flaw: Flaw) -> Result<Prepared, EngineError> {
		let state = State::active(overlay, group)?;
		let commit = Commit::empty(text(&self.identity), state.epoch, self.draw(), flaw);
		self.prepare(overlay, group, &state, &commit)
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

fn hex_text(identity: &str) -> HexBytes {
	HexBytes(identity.as_bytes().to_vec())
}
