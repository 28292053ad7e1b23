//! Which intents go into one commit of the stand-in. The rules are those of the engine's own plan.

use super::{
	commit::Commit,
	letter::Package,
	message,
	state::{text, Leaf, State},
};
use crate::{
	mls::{BuildError, Intent, MemberDevice, Placed, ProposalError},
	mutation::{self, Mutation},
};
use lockstep_primitives::rpc::HexBytes;

/// Puts the intents into a commit, each whole or not at all; proposals of others first.
pub(super) fn place(commit: &mut Commit, state: &State, intents: &[Intent]) -> Vec<Placed> {
	let mut placed = vec![Placed::Deferred; intents.len()];
	for proposals in [true, false] {
		for (place, intent) in placed.iter_mut().zip(intents) {
			if matches!(intent, Intent::Proposals(_)) == proposals {
				let mut wider = commit.clone();
				*place = with(&mut wider, state, intent);
				if *place == Placed::Included {
					*commit = wider;
				}
			}
		}
	}
	placed
}

/// Whether what an intent wants is so already.
pub(super) fn is_satisfied(state: &State, intent: &Intent) -> bool {
	match intent {
		Intent::Add(list) | Intent::AddClaimed { key_packages: list, .. } => {
			let is_in =
				|bytes: &HexBytes| Package::decode(&bytes.0).is_some_and(|package| state.is_member(&package.identity));
			!list.is_empty() && list.iter().all(is_in)
		}
		Intent::Remove(list) => !list.is_empty() && list.iter().all(|identity| !state.is_member(&text(&identity.0))),
		Intent::Readmit { .. } if mutation::is(Mutation::ReadmitAlways) => false,
		Intent::Readmit { identity, replaces, .. } => {
			state.leaf(&text(&identity.0)).is_some_and(|leaf| leaf.key[..] != replaces.0)
		}
		_ => false,
	}
}

/// Whom the KeyPackages of an intent have brought in, as far as their leaves are as they came.
pub(super) fn as_added(state: &State, intent: &Intent) -> Vec<MemberDevice> {
	let packages: Vec<Package> = intent.key_packages().iter().filter_map(|bytes| Package::decode(&bytes.0)).collect();
	let came = |leaf: &&Leaf| packages.iter().any(|package| package.reference == leaf.key);
	let device = |leaf: &Leaf| MemberDevice {
		identity: HexBytes(leaf.identity.clone().into_bytes()),
		key: HexBytes(Vec::new()),
	};
	state.members.iter().filter(came).map(device).collect()
}

fn with(commit: &mut Commit, state: &State, intent: &Intent) -> Placed {
	let put = match intent {
		Intent::Update => Ok(()),
		Intent::Add(list) | Intent::AddClaimed { key_packages: list, .. } if !list.is_empty() => {
			add(commit, state, list)
		}
		Intent::Remove(list) if !list.is_empty() => remove(commit, state, list),
		Intent::Proposals(list) if !list.is_empty() => refer(commit, state, list),
		Intent::Readmit { identity, key_package, replaces } => {
			readmit(commit, state, &text(&identity.0), &key_package.0, &replaces.0)
		}
		// Group data and signature keys the stand-in does not have.
		_ => Err(Placed::Refused(BuildError::Empty)),
	};
	match put {
		Ok(()) => Placed::Included,
		Err(placed) => placed,
	}
}

/// Whether this identity goes, for good or to come back.
fn goes(commit: &Commit, identity: &str) -> bool {
	commit.removed().iter().any(|removed| removed == identity)
		|| commit.readmits.iter().any(|package| package.identity == identity)
}

fn parse(index: usize, bytes: &[u8]) -> Result<Package, Placed> {
	let refused = || Placed::Refused(BuildError::KeyPackage { index, reason: "it does not decode".to_owned() });
	Package::decode(bytes).ok_or_else(refused)
}

fn add(commit: &mut Commit, state: &State, list: &[HexBytes]) -> Result<(), Placed> {
	let (mut named, mut present, mut absent) = (Vec::new(), None, false);
	for (index, bytes) in list.iter().enumerate() {
		let package = parse(index, &bytes.0)?;
		let identity = package.identity.clone();
		if named.contains(&identity) {
			return Err(Placed::Refused(BuildError::AlreadyMember { identity: identity.into_bytes() }));
		}
		named.push(identity.clone());
		if goes(commit, &identity) {
			return Err(Placed::Deferred);
		}
		if state.is_member(&identity) {
			present = Some(identity);
			continue;
		}
		absent = true;
		if commit.adds.iter().all(|added| added.identity != identity) {
			commit.adds.push(package);
		}
	}
	match present {
		Some(identity) if !absent => {
			Err(Placed::Satisfied(BuildError::AlreadyMember { identity: identity.into_bytes() }))
		}
		_ => Ok(()),
	}
}

fn remove(commit: &mut Commit, state: &State, list: &[HexBytes]) -> Result<(), Placed> {
	let (mut gone, mut present) = (None, false);
	for HexBytes(identity) in list {
		let identity = text(identity);
		if identity == commit.committer {
			return Err(Placed::Refused(BuildError::RemovesItself));
		}
		if commit.adds.iter().chain(&commit.readmits).any(|package| package.identity == identity) {
			return Err(Placed::Deferred);
		}
		if !state.is_member(&identity) {
			gone = Some(identity);
			continue;
		}
		present = true;
		if !goes(commit, &identity) {
			commit.removes.push(identity);
		}
	}
	match gone {
		Some(identity) if !present => {
			Err(Placed::Satisfied(BuildError::NotAMember { identity: identity.into_bytes() }))
		}
		_ => Ok(()),
	}
}

fn refer(commit: &mut Commit, state: &State, list: &[HexBytes]) -> Result<(), Placed> {
	for (index, bytes) in list.iter().enumerate() {
		let proposal = message::proposal(state, &bytes.0)
			.map_err(|reason: ProposalError| Placed::Refused(BuildError::Proposal { index, reason }))?;
		if proposal.sender == commit.committer {
			return Err(Placed::Refused(BuildError::RemovesItself));
		}
		if !goes(commit, &proposal.sender) {
			commit.proposals.push(proposal);
		}
	}
	Ok(())
}

fn readmit(commit: &mut Commit, state: &State, identity: &str, package: &[u8], replaces: &[u8]) -> Result<(), Placed> {
	let bytes = || identity.as_bytes().to_vec();
	if identity == commit.committer {
		return Err(Placed::Refused(BuildError::RemovesItself));
	}
	let leaf = state.leaf(identity).ok_or_else(|| Placed::Refused(BuildError::NotAMember { identity: bytes() }))?;
	if leaf.key[..] != *replaces && !mutation::is(Mutation::ReadmitAlways) {
		return Err(Placed::Satisfied(BuildError::OtherLeaf { identity: bytes() }));
	}
	if goes(commit, identity) {
		return Err(Placed::Deferred);
	}
	let package = parse(0, package)?;
	if package.identity != identity {
		let reason = "it is another member's".to_owned();
		return Err(Placed::Refused(BuildError::KeyPackage { index: 0, reason }));
	}
	commit.readmits.push(package);
	Ok(())
}
