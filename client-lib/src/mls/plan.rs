//! Planning a commit: which intents fit into one, and what it then holds.
//!
//! Intents are placed one after the other, proposals of others first. Each is placed whole or not at all; what cannot
//! go along with what is placed already waits for the next commit. After each step the plan is held to the same rules
//! as a finished commit ([`roles`]), so that the right to do something is asked for before anything is built.

mod place;

use super::{
	error::{BuildError, EngineError},
	group,
	group_data::GroupData,
	intent::{EnvelopeKey, Intent},
	key_package,
	leaves::{Leaf, Leaves},
	policy::{
		self,
		roles::{self, Deed},
		PolicyError,
	},
	rejoin::leaf_of,
	signer::SignerSeed,
	Engine,
};
use crate::store::Overlay;
use lockstep_primitives::rpc::HexBytes;
use openmls::{
	group::QueuedProposal,
	prelude::{KeyPackage, LeafNodeIndex, MlsGroup},
};
use std::collections::{BTreeMap, BTreeSet};

/// The group before the commit.
pub(super) struct Before {
	me: Vec<u8>,
	my_key: Vec<u8>,
	members: BTreeMap<Vec<u8>, Known>,
	data: GroupData,
}

/// A member's leaf.
struct Known {
	index: LeafNodeIndex,
	key: Vec<u8>,
}

/// Why an intent was not placed.
#[derive(Debug)]
pub(super) enum NotPlaced {
	/// What it wants is so already.
	Satisfied(BuildError),
	/// It does not go along with what is placed already.
	Conflict,
	/// It makes no sense in this epoch, or is not allowed.
	Refused(BuildError),
	/// Trouble of this member.
	Engine(EngineError),
}

impl From<EngineError> for NotPlaced {
	fn from(error: EngineError) -> Self {
		Self::Engine(error)
	}
}

/// A proposal of another member, to be committed by reference.
#[derive(Clone)]
pub(super) struct Referenced {
	pub(super) proposal: QueuedProposal,
	pub(super) message: Vec<u8>,
}

/// A change of membership, and who answers for it.
#[derive(Clone)]
enum Source {
	/// The committer.
	Value,
	/// The member of this identity, by a proposal.
	Reference(Vec<u8>),
}

/// What goes into a commit.
#[derive(Clone)]
pub(super) struct Plan<'a> {
	before: &'a Before,
	proposals: BTreeMap<Vec<u8>, Referenced>,
	removed: BTreeMap<Vec<u8>, Source>,
	added: BTreeMap<Vec<u8>, (Box<KeyPackage>, Source)>,
	/// The group data as wanted, and the proposer if it is wanted by reference.
	data: GroupData,
	data_by: Option<Vec<u8>>,
	rotate: Option<SignerSeed>,
	/// What signs the envelopes of those added, by identity, if that is not the group.
	envelope_keys: BTreeMap<Vec<u8>, EnvelopeKey>,
}

/// A finished plan, as OpenMLS takes it.
pub(super) struct Contents {
	/// To be added by value.
	pub(super) adds: Vec<KeyPackage>,
	/// To be removed by value.
	pub(super) removes: Vec<LeafNodeIndex>,
	/// By reference, by ProposalRef.
	pub(super) proposals: BTreeMap<Vec<u8>, Referenced>,
	/// The group data to be set by value.
	pub(super) data: Option<GroupData>,
	/// The committer's new signature key.
	pub(super) rotate: Option<SignerSeed>,
	/// What signs the envelopes of those added, by identity, if that is not the group.
	pub(super) envelope_keys: BTreeMap<Vec<u8>, EnvelopeKey>,
}

impl Before {
	pub(super) fn new(engine: &Engine, mls: &MlsGroup) -> Result<Self, EngineError> {
		let library = EngineError::library("reading the members");
		let keyed =
			|leaf: Leaf<'_>| Ok((leaf.identity()?.to_vec(), Known { index: leaf.index, key: leaf.key().to_vec() }));
		let members: BTreeMap<_, _> =
			Leaves::of(mls.treesync()).iter().map(keyed).collect::<Result<_, PolicyError>>().map_err(library)?;
		let my_key = members.get(&engine.identity).map(|leaf| leaf.key.clone()).unwrap_or_default();
		Ok(Self { me: engine.identity.clone(), my_key, members, data: group::data(mls)? })
	}

	/// Whether what an intent wants is so already.
	pub(super) fn satisfies(&self, engine: &Engine, mls: &MlsGroup, intent: &Intent) -> bool {
		match intent {
			Intent::Update | Intent::Proposals(_) => false,
			Intent::Add(packages) | Intent::AddClaimed { key_packages: packages, .. } => {
				let is_in = |package: &HexBytes| {
					let identity = key_package::parse(&engine.crypto, &package.0)
						.ok()
						.and_then(|package| policy::identity(package.leaf_node().credential()).ok());
					identity.is_some_and(|identity| self.members.contains_key(&identity))
				};
				!packages.is_empty() && packages.iter().all(is_in)
			}
			Intent::Remove(identities) => {
				!identities.is_empty() && identities.iter().all(|identity| !self.members.contains_key(&identity.0))
			}
			Intent::GroupData(change) => change.apply(&self.data).as_ref() == Ok(&self.data),
			Intent::Rotate { seed } => seed.public() == self.my_key,
			Intent::Readmit { identity, replaces, .. } => {
				leaf_of(mls, &identity.0).is_some_and(|leaf| leaf.encryption_key != replaces.0)
			}
		}
	}

	fn at(&self, index: LeafNodeIndex) -> Option<&Vec<u8>> {
		self.members.iter().find(|(_, leaf)| leaf.index == index).map(|(identity, _)| identity)
	}
}

impl<'a> Plan<'a> {
	/// A commit of nothing but new keys of the committer.
	pub(super) fn new(before: &'a Before) -> Self {
		Self {
			before,
			proposals: BTreeMap::new(),
			removed: BTreeMap::new(),
			added: BTreeMap::new(),
			data: before.data.clone(),
			data_by: None,
			rotate: None,
			envelope_keys: BTreeMap::new(),
		}
	}

	/// The plan with an intent in it.
	pub(super) fn with(
		&self,
		engine: &Engine,
		scratch: &Overlay<'_>,
		mls: &mut MlsGroup,
		intent: &Intent,
	) -> Result<Self, NotPlaced> {
		let mut plan = self.clone();
		match intent {
			Intent::Update => {}
			Intent::Add(list) => plan.add(engine, list, None)?,
			Intent::AddClaimed { key_packages, envelope_key } => plan.add(engine, key_packages, Some(envelope_key))?,
			Intent::Remove(list) => plan.remove(list)?,
			Intent::Proposals(list) => plan.refer(engine, scratch, mls, list)?,
			Intent::GroupData(change) => plan.change(change)?,
			Intent::Rotate { seed } => plan.rotate(seed)?,
			Intent::Readmit { identity, key_package, replaces } => {
				plan.readmit(engine, mls, &identity.0, &key_package.0, &replaces.0)?;
			}
		}
		plan.check().map_err(|error| NotPlaced::Refused(BuildError::Refused(error.into())))?;
		if plan.data_by.is_some() && plan.data_after() != plan.data {
			// there is one change of the group data in a commit (RFC 9420 section 12.2), and that is the proposed one
			return Err(NotPlaced::Conflict);
		}
		Ok(plan)
	}

	pub(super) fn contents(self) -> Result<Contents, BuildError> {
		let data = self.data_after();
		let data = (self.data_by.is_none() && data != self.before.data).then_some(data);
		let by_value = |source: &Source| matches!(source, Source::Value);
		let removed = self.removed.iter().filter(|(_, source)| by_value(source));
		let index = |identity: &Vec<u8>| self.before.members.get(identity).map(|leaf| leaf.index);
		Ok(Contents {
			removes: removed.filter_map(|(identity, _)| index(identity)).collect(),
			adds: self
				.added
				.into_values()
				.filter(|(_, source)| by_value(source))
				.map(|(package, _)| *package)
				.collect(),
			proposals: self.proposals,
			data,
			rotate: self.rotate,
			envelope_keys: self.envelope_keys,
		})
	}

	/// The group data after the commit: without the administrators that go.
	fn data_after(&self) -> GroupData {
		let mut data = self.data.clone();
		let gone = self.gone();
		data.administrators.retain(|identity| !gone.contains(identity));
		data
	}

	/// The identities that no member has any more after the commit.
	fn gone(&self) -> BTreeSet<Vec<u8>> {
		self.removed.keys().filter(|identity| !self.added.contains_key(*identity)).cloned().collect()
	}

	/// Holds the plan to the rules that the commit will be judged by.
	fn check(&self) -> Result<(), PolicyError> {
		let gone = self.gone();
		let old = &self.before.data;
		let actor = |source: &'_ Source| match source {
			Source::Value => self.before.me.clone(),
			Source::Reference(proposer) => proposer.clone(),
		};
		let readmission = |identity: &Vec<u8>| {
			let (package, _) = self.added.get(identity)?;
			let leaf = self.before.members.get(identity)?;
			let new_key = package.leaf_node().signature_key().as_slice() != leaf.key;
			Some(Deed::Readmit { identity: identity.clone(), new_key })
		};
		for (identity, source) in &self.removed {
			let actor = actor(source);
			let deed = match readmission(identity) {
				_ if actor == *identity => Deed::Leave,
				Some(readmit) => readmit,
				None => Deed::Remove { identity: identity.clone() },
			};
			roles::check(old, &gone, &actor, &deed)?;
		}
		for (identity, (_, source)) in &self.added {
			let deed = readmission(identity).unwrap_or(Deed::Add);
			roles::check(old, &gone, &actor(source), &deed)?;
		}
		let after = self.data_after();
		if after != *old {
			let actor = self.data_by.as_ref().unwrap_or(&self.before.me);
			roles::check(old, &gone, actor, &Deed::Change { after: Box::new(after.clone()) })?;
		}
		let stays = |identity: &[u8]| self.before.members.contains_key(identity) && !gone.contains(identity);
		roles::check_data(&after, |identity| stays(identity) || self.added.contains_key(identity))
	}
}
