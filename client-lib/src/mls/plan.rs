//! Planning a commit: which intents fit into one, and what it then holds.
//!
//! Intents are placed one after the other, proposals of others first. Each is placed whole or not at all; what cannot
//! go along with what is placed already waits for the next commit. After each step the plan is held to the same rules
//! as a finished commit ([`roles`]), so that the right to do something is asked for before anything is built.

use super::{
	error::{BuildError, EngineError, ProposalError},
	group,
	group_data::GroupData,
	intent::{GroupChange, Intent},
	key_package,
	policy::{
		self,
		roles::{self, Deed},
		PolicyError,
	},
	proposal,
	signer::SignerSeed,
	Engine,
};
use crate::store::Overlay;
use lockstep_primitives::rpc::HexBytes;
use openmls::{
	group::QueuedProposal,
	prelude::{KeyPackage, LeafNodeIndex, MlsGroup, Proposal, Sender},
};
use std::collections::{BTreeMap, BTreeSet};

/// The group before the commit.
pub(super) struct Before {
	me: Vec<u8>,
	my_key: Vec<u8>,
	members: BTreeMap<Vec<u8>, Leaf>,
	data: GroupData,
}

/// A member's leaf.
struct Leaf {
	index: LeafNodeIndex,
	encryption_key: Vec<u8>,
	signature_key: Vec<u8>,
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
}

impl Before {
	pub(super) fn new(engine: &Engine, mls: &MlsGroup) -> Result<Self, EngineError> {
		let library = EngineError::library("reading the members");
		let keyed = |member: openmls::prelude::Member| {
			let identity = policy::identity(&member.credential)?;
			let (index, encryption_key, signature_key) = (member.index, member.encryption_key, member.signature_key);
			Ok((identity, Leaf { index, encryption_key, signature_key }))
		};
		let members: BTreeMap<_, _> = mls.members().map(keyed).collect::<Result<_, PolicyError>>().map_err(library)?;
		let my_key = members.get(&engine.identity).map(|leaf| leaf.signature_key.clone()).unwrap_or_default();
		Ok(Self { me: engine.identity.clone(), my_key, members, data: group::data(mls)? })
	}

	/// Whether what an intent wants is so already.
	pub(super) fn satisfies(&self, engine: &Engine, intent: &Intent) -> bool {
		match intent {
			Intent::Update | Intent::Proposals(_) => false,
			Intent::Add(packages) => {
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
				self.members.get(&identity.0).is_some_and(|leaf| leaf.encryption_key != replaces.0)
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
			Intent::Add(list) => plan.add(engine, list)?,
			Intent::Remove(list) => plan.remove(list)?,
			Intent::Proposals(list) => plan.refer(engine, scratch, mls, list)?,
			Intent::GroupData(change) => plan.change(change)?,
			Intent::Rotate { seed } => plan.rotate(seed)?,
			Intent::Readmit { identity, key_package, replaces } => {
				plan.readmit(engine, &identity.0, &key_package.0, &replaces.0)?;
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
		})
	}

	fn add(&mut self, engine: &Engine, list: &[HexBytes]) -> Result<(), NotPlaced> {
		let (mut named, mut present) = (BTreeSet::new(), None);
		for (index, bytes) in list.iter().enumerate() {
			let (identity, package) = parse(engine, index, &bytes.0)?;
			if !named.insert(identity.clone()) {
				return Err(NotPlaced::Refused(BuildError::AlreadyMember { identity }));
			}
			if self.removed.contains_key(&identity) {
				return Err(NotPlaced::Conflict);
			}
			if self.before.members.contains_key(&identity) {
				present = Some(identity);
			} else {
				self.added.entry(identity).or_insert((Box::new(package), Source::Value));
			}
		}
		match present {
			_ if named.is_empty() => Err(NotPlaced::Refused(BuildError::Empty)),
			Some(identity) if named.iter().all(|identity| self.before.members.contains_key(identity)) => {
				Err(NotPlaced::Satisfied(BuildError::AlreadyMember { identity }))
			}
			_ => Ok(()),
		}
	}

	fn remove(&mut self, list: &[HexBytes]) -> Result<(), NotPlaced> {
		let mut absent = None;
		for HexBytes(identity) in list {
			if *identity == self.before.me {
				return Err(NotPlaced::Refused(BuildError::RemovesItself));
			}
			if self.added.contains_key(identity) {
				return Err(NotPlaced::Conflict);
			}
			if self.before.members.contains_key(identity) {
				self.removed.entry(identity.clone()).or_insert(Source::Value);
			} else {
				absent = Some(identity.clone());
			}
		}
		match absent {
			_ if list.is_empty() => Err(NotPlaced::Refused(BuildError::Empty)),
			Some(identity) if list.iter().all(|HexBytes(identity)| !self.before.members.contains_key(identity)) => {
				Err(NotPlaced::Satisfied(BuildError::NotAMember { identity }))
			}
			_ => Ok(()),
		}
	}

	/// Puts in proposals of others.
	fn refer(
		&mut self,
		engine: &Engine,
		scratch: &Overlay<'_>,
		mls: &mut MlsGroup,
		list: &[HexBytes],
	) -> Result<(), NotPlaced> {
		if list.is_empty() {
			return Err(NotPlaced::Refused(BuildError::Empty));
		}
		for (index, HexBytes(message)) in list.iter().enumerate() {
			let refused = |reason| NotPlaced::Refused(BuildError::Proposal { index, reason });
			let policy = |error: PolicyError| refused(ProposalError::Invalid(error.into()));
			let queued = proposal::process(&engine.provider(scratch), mls, message).map_err(|error| match error {
				ProposalError::Engine(error) => NotPlaced::Engine(error),
				reason => refused(reason),
			})?;
			let proposer = match queued.sender() {
				Sender::Member(leaf) => self.before.at(*leaf).cloned(),
				_ => None,
			};
			let proposer = proposer.ok_or_else(|| policy(PolicyError::Outsider))?;
			if self.take_proposal(&queued, proposer, &policy)? {
				let reference = queued.proposal_reference_ref().as_slice().to_vec();
				self.proposals.insert(reference, Referenced { proposal: queued, message: message.clone() });
			}
			// one by one, so that the error names the proposal that is not allowed
			self.check().map_err(policy)?;
		}
		Ok(())
	}

	/// Notes what a proposal does; `false` if another one, that is in already, does the same.
	fn take_proposal(
		&mut self,
		queued: &QueuedProposal,
		proposer: Vec<u8>,
		policy: &impl Fn(PolicyError) -> NotPlaced,
	) -> Result<bool, NotPlaced> {
		match queued.proposal() {
			Proposal::Remove(remove) => {
				let identity = self.before.at(remove.removed()).cloned();
				let identity = identity.ok_or_else(|| policy(PolicyError::Outsider))?;
				if identity == self.before.me {
					return Err(NotPlaced::Refused(BuildError::RemovesItself));
				}
				if self.added.contains_key(&identity) {
					return Err(NotPlaced::Conflict);
				}
				if let Some(Source::Reference(_)) = self.removed.get(&identity) {
					return Ok(false);
				}
				self.removed.insert(identity, Source::Reference(proposer));
			}
			Proposal::Add(add) => {
				let package = add.key_package();
				let identity = policy::identity(package.leaf_node().credential()).map_err(policy)?;
				if self.before.members.contains_key(&identity) {
					return Err(policy(PolicyError::DuplicateIdentity));
				}
				if self.added.contains_key(&identity) {
					return Err(NotPlaced::Conflict);
				}
				self.added.insert(identity, (Box::new(package.clone()), Source::Reference(proposer)));
			}
			Proposal::GroupContextExtensions(change) => {
				if self.data_by.is_some() || self.data != self.before.data {
					return Err(NotPlaced::Conflict);
				}
				self.data = GroupData::of_extensions(change.extensions()).map_err(policy)?;
				self.data_by = Some(proposer);
			}
			_ => return Err(policy(PolicyError::ProposalType)),
		}
		Ok(true)
	}

	fn change(&mut self, change: &GroupChange) -> Result<(), NotPlaced> {
		let changed = change.apply(&self.data).map_err(NotPlaced::Refused)?;
		if changed == self.data {
			let unchanged = self.data == self.before.data;
			return if unchanged { Err(NotPlaced::Satisfied(BuildError::Unchanged)) } else { Ok(()) };
		}
		if self.data_by.is_some() {
			return Err(NotPlaced::Conflict);
		}
		self.data = changed;
		Ok(())
	}

	fn rotate(&mut self, seed: &SignerSeed) -> Result<(), NotPlaced> {
		match &self.rotate {
			Some(placed) if placed != seed => Err(NotPlaced::Conflict),
			Some(_) => Ok(()),
			None if seed.public() == self.before.my_key => Err(NotPlaced::Satisfied(BuildError::Unchanged)),
			None => {
				self.rotate = Some(seed.clone());
				Ok(())
			}
		}
	}

	fn readmit(&mut self, engine: &Engine, identity: &[u8], package: &[u8], replaces: &[u8]) -> Result<(), NotPlaced> {
		if identity == self.before.me {
			return Err(NotPlaced::Refused(BuildError::RemovesItself));
		}
		let Some(leaf) = self.before.members.get(identity) else {
			return Err(NotPlaced::Refused(BuildError::NotAMember { identity: identity.to_vec() }));
		};
		if leaf.encryption_key != replaces {
			return Err(NotPlaced::Satisfied(BuildError::OtherLeaf { identity: identity.to_vec() }));
		}
		if self.removed.contains_key(identity) {
			return Err(NotPlaced::Conflict);
		}
		let (named, package) = parse(engine, 0, package)?;
		if named != identity {
			let reason = "it is another member's".to_owned();
			return Err(NotPlaced::Refused(BuildError::KeyPackage { index: 0, reason }));
		}
		self.removed.insert(identity.to_vec(), Source::Value);
		self.added.insert(identity.to_vec(), (Box::new(package), Source::Value));
		Ok(())
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
			let new_key = package.leaf_node().signature_key().as_slice() != leaf.signature_key;
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
		let stay = self.before.members.keys().filter(|identity| !gone.contains(*identity));
		let members = stay.chain(self.added.keys()).cloned().collect();
		roles::check_data(&after, &members)
	}
}

/// A KeyPackage and its identity.
fn parse(engine: &Engine, index: usize, bytes: &[u8]) -> Result<(Vec<u8>, KeyPackage), NotPlaced> {
	let refused = |reason: String| NotPlaced::Refused(BuildError::KeyPackage { index, reason });
	let package = key_package::parse(&engine.crypto, bytes).map_err(refused)?;
	let identity = policy::identity(package.leaf_node().credential()).map_err(|error| refused(error.to_string()))?;
	Ok((identity, package))
}
