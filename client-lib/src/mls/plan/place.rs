//! Placing one intent in a plan, by kind. Each of these changes a copy of the plan; an error throws it away.

use super::{NotPlaced, Plan, Referenced, Source};
use crate::{
	mls::{
		error::{BuildError, ProposalError},
		group_data::GroupData,
		intent::{EnvelopeKey, GroupChange},
		key_package,
		policy::{self, PolicyError},
		proposal,
		rejoin::leaf_of,
		signer::SignerSeed,
		Engine,
	},
	store::Overlay,
};
use lockstep_primitives::rpc::HexBytes;
use openmls::{
	group::QueuedProposal,
	prelude::{KeyPackage, MlsGroup, Proposal, Sender},
};
use std::collections::BTreeSet;

impl Plan<'_> {
	pub(super) fn add(
		&mut self,
		engine: &Engine,
		list: &[HexBytes],
		key: Option<&EnvelopeKey>,
	) -> Result<(), NotPlaced> {
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
			} else if !self.added.contains_key(&identity) {
				self.envelope_keys.extend(key.map(|key| (identity.clone(), key.clone())));
				self.added.insert(identity, (Box::new(package), Source::Value));
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

	pub(super) fn remove(&mut self, list: &[HexBytes]) -> Result<(), NotPlaced> {
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
	pub(super) fn refer(
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

	pub(super) fn change(&mut self, change: &GroupChange) -> Result<(), NotPlaced> {
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

	pub(super) fn rotate(&mut self, seed: &SignerSeed) -> Result<(), NotPlaced> {
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

	pub(super) fn readmit(
		&mut self,
		engine: &Engine,
		mls: &MlsGroup,
		identity: &[u8],
		package: &[u8],
		replaces: &[u8],
	) -> Result<(), NotPlaced> {
		if identity == self.before.me {
			return Err(NotPlaced::Refused(BuildError::RemovesItself));
		}
		let Some(leaf) = leaf_of(mls, identity) else {
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
}

/// A KeyPackage and its identity.
fn parse(engine: &Engine, index: usize, bytes: &[u8]) -> Result<(Vec<u8>, KeyPackage), NotPlaced> {
	let refused = |reason: String| NotPlaced::Refused(BuildError::KeyPackage { index, reason });
	let package = key_package::parse(&engine.crypto, bytes).map_err(refused)?;
	let identity = policy::identity(package.leaf_node().credential()).map_err(|error| refused(error.to_string()))?;
	Ok((identity, package))
}
