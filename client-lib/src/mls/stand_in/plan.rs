//! Several intents in one commit of the stand-in.

use super::{
	commit::{Commit, Flaw},
	letter::Package,
	message,
	state::{text, State},
	StandIn,
};
use crate::{
	mls::{Batch, BuildError, EngineError, Intent, Placed},
	store::Overlay,
};
use lockstep_primitives::{rpc::HexBytes, GroupId};

impl StandIn {
	/// A commit of as many of these intents as go into one.
	pub(super) fn batch(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		intents: &[Intent],
	) -> Result<Batch, EngineError> {
		let state = State::active(overlay, group)?;
		let mut commit = self.draft(&state, Flaw::None);
		let mut placed = vec![Placed::Deferred; intents.len()];
		for proposals in [true, false] {
			for (place, intent) in placed.iter_mut().zip(intents) {
				if matches!(intent, Intent::Proposals(_)) == proposals {
					*place = put(&mut commit, &state, intent);
				}
			}
		}
		let prepared = if placed.contains(&Placed::Included) {
			Some(self.prepare(overlay, group, &state, &commit)?)
		} else {
			None
		};
		Ok(Batch { prepared, placed })
	}
}

/// Whether what an intent wants is so already.
pub(super) fn satisfied(state: &State, intent: &Intent) -> bool {
	match intent {
		Intent::Add(list) => {
			let is_in = |package: Option<Package>| package.is_some_and(|package| state.is_member(&package.identity));
			!list.is_empty() && list.iter().all(|bytes| is_in(Package::decode(&bytes.0)))
		}
		Intent::Remove(list) => !list.is_empty() && list.iter().all(|identity| !state.is_member(&text(&identity.0))),
		Intent::Readmit { identity, replaces, .. } => {
			state.leaf(&text(&identity.0)).is_some_and(|leaf| leaf.key[..] != replaces.0[..])
		}
		_ => false,
	}
}

/// Puts an intent into a commit, whole or not at all.
fn put(commit: &mut Commit, state: &State, intent: &Intent) -> Placed {
	match intent {
		Intent::Update | Intent::Rotate { .. } => Placed::Included,
		Intent::Add(list) if !list.is_empty() => add(commit, state, list),
		Intent::Remove(list) if !list.is_empty() => remove(commit, state, list),
		Intent::Readmit { identity, key_package, .. } => {
			let identity = text(&identity.0);
			let Some(package) = Package::decode(&key_package.0).filter(|package| package.identity == identity) else {
				let reason = "it does not decode".to_owned();
				return Placed::Refused(BuildError::KeyPackage { index: 0, reason });
			};
			if identity == commit.committer {
				Placed::Refused(BuildError::RemovesItself)
			} else if !state.is_member(&identity) {
				Placed::Refused(BuildError::NotAMember { identity: identity.into_bytes() })
			} else if satisfied(state, intent) {
				Placed::Satisfied(BuildError::OtherLeaf { identity: identity.into_bytes() })
			} else if commit.put_out().contains(&identity) {
				Placed::Deferred
			} else {
				commit.readmits.push(package);
				Placed::Included
			}
		}
		Intent::Proposals(list) if !list.is_empty() => {
			let mut wider = commit.clone();
			for (index, bytes) in list.iter().enumerate() {
				match message::proposal(state, &bytes.0) {
					Ok(proposal) => wider.proposals.push(proposal),
					Err(reason) => return Placed::Refused(BuildError::Proposal { index, reason }),
				}
			}
			*commit = wider;
			Placed::Included
		}
		_ => Placed::Refused(BuildError::Empty),
	}
}

fn add(commit: &mut Commit, state: &State, list: &[HexBytes]) -> Placed {
	let mut wider = commit.clone();
	let mut newest = None;
	for (index, bytes) in list.iter().enumerate() {
		let Some(package) = Package::decode(&bytes.0) else {
			let reason = "it does not decode".to_owned();
			return Placed::Refused(BuildError::KeyPackage { index, reason });
		};
		let identity = package.identity.clone();
		if commit.put_out().contains(&identity) {
			return Placed::Deferred;
		}
		let twice = wider.adds.iter().any(|added| added.identity == identity);
		if twice || state.is_member(&identity) {
			newest = Some(identity.into_bytes());
		} else {
			wider.adds.push(package);
		}
	}
	match newest {
		Some(identity) if wider == *commit => Placed::Satisfied(BuildError::AlreadyMember { identity }),
		_ => {
			*commit = wider;
			Placed::Included
		}
	}
}

fn remove(commit: &mut Commit, state: &State, list: &[HexBytes]) -> Placed {
	let mut wider = commit.clone();
	let mut wanting = false;
	for HexBytes(identity) in list {
		let identity = text(identity);
		if identity == commit.committer {
			return Placed::Refused(BuildError::RemovesItself);
		}
		let readmitted = commit.readmits.iter().any(|package| package.identity == identity);
		if readmitted || commit.adds.iter().any(|package| package.identity == identity) {
			return Placed::Deferred;
		}
		if state.is_member(&identity) {
			wanting = true;
			if !wider.removed().contains(&identity) {
				wider.removes.push(identity);
			}
		}
	}
	if wanting {
		*commit = wider;
		Placed::Included
	} else {
		let identity = list.first().map(|identity| identity.0.clone()).unwrap_or_default();
		Placed::Satisfied(BuildError::NotAMember { identity })
	}
}
