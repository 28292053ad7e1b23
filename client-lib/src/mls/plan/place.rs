//! Placing one intent in a plan, by kind. Each of these changes a copy of the plan; an error throws it away.

use super::{Before, Newcomer, NotPlaced, Place, Plan, Referenced, Source};
use crate::{
	mls::{
		error::{BuildError, ProposalError},
		group_data::GroupData,
		intent::{EnvelopeKey, GroupChange},
		key_package,
		people::MemberDevice,
		policy::PolicyError,
		proposal,
		rejoin::leaves_of,
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
		overlay: &Overlay<'_>,
		list: &[HexBytes],
		key: Option<&EnvelopeKey>,
	) -> Result<(), NotPlaced> {
		let (mut named, mut present) = (BTreeSet::new(), None);
		for (index, bytes) in list.iter().enumerate() {
			let (newcomer, package) = self.parse(engine, index, &bytes.0)?;
			// Only the directory gives those out, and what leads from it to the group must not have the group's signature.
			if key.is_none() && package.last_resort() {
				let reason = "it is a last resort of the directory: add who was claimed as such".to_owned();
				return Err(NotPlaced::Refused(BuildError::KeyPackage { index, reason }));
			}
			// Of somebody whose KeyPackages were claimed there is one for each device.
			if key.is_some() && !self.before.people && named.contains(&newcomer) {
				continue;
			}
			if !named.insert(newcomer.clone()) {
				return Err(NotPlaced::Refused(BuildError::AlreadyMember { identity: newcomer.0 }));
			}
			if self.leaves(&newcomer) {
				return Err(NotPlaced::Conflict);
			}
			if self.before.has_leaf(overlay, &newcomer) {
				present = Some(newcomer.0);
			} else if !self.added.contains_key(&newcomer) {
				let signature_key = package.leaf_node().signature_key().as_slice().to_vec();
				self.envelope_keys.extend(key.map(|key| (signature_key, key.clone())));
				self.added.insert(newcomer, (Box::new(package), Source::Value));
			}
		}
		match present {
			_ if named.is_empty() => Err(NotPlaced::Refused(BuildError::Empty)),
			Some(identity) if named.iter().all(|newcomer| self.before.has_leaf(overlay, newcomer)) => {
				Err(NotPlaced::Satisfied(BuildError::AlreadyMember { identity }))
			}
			_ => Ok(()),
		}
	}

	/// Whether the plan removes the leaf of somebody who comes in, or the last one of the same person.
	fn leaves(&self, newcomer: &Newcomer) -> bool {
		let mut removed = self.removed.keys().filter_map(|place| self.before.members.get(*place));
		let was_member = self.before.is_member(&newcomer.0);
		removed.any(|leaf| Before::is_same(leaf, newcomer)) || (was_member && !self.stays(&newcomer.0))
	}

	pub(super) fn remove(&mut self, list: &[HexBytes]) -> Result<(), NotPlaced> {
		let mut absent = None;
		for HexBytes(identity) in list {
			if identity == self.before.my_identity() {
				return Err(NotPlaced::Refused(BuildError::RemovesItself));
			}
			if self.comes(identity) {
				return Err(NotPlaced::Conflict);
			}
			let before = self.before;
			let mut places = before.places(identity).peekable();
			if places.peek().is_none() {
				absent = Some(identity.clone());
			}
			for place in places {
				self.removed.entry(place).or_insert(Source::Value);
			}
		}
		match absent {
			_ if list.is_empty() => Err(NotPlaced::Refused(BuildError::Empty)),
			Some(identity) if list.iter().all(|HexBytes(identity)| !self.before.is_member(identity)) => {
				Err(NotPlaced::Satisfied(BuildError::NotAMember { identity }))
			}
			_ => Ok(()),
		}
	}

	/// Takes out single devices.
	pub(super) fn remove_devices(&mut self, list: &[MemberDevice]) -> Result<(), NotPlaced> {
		let places: Vec<Place> = list.iter().filter_map(|device| self.before.device(device)).collect();
		let Some(first) = list.first() else { return Err(NotPlaced::Refused(BuildError::Empty)) };
		if places.is_empty() {
			let identity = first.identity.0.clone();
			return Err(NotPlaced::Satisfied(BuildError::NotAMember { identity }));
		}
		for place in places {
			if place == self.before.me {
				return Err(NotPlaced::Refused(BuildError::RemovesItself));
			}
			let leaf = self.before.members.get(place);
			if leaf.is_some_and(|leaf| self.added.keys().any(|newcomer| Before::is_same(leaf, newcomer))) {
				return Err(NotPlaced::Conflict);
			}
			self.removed.entry(place).or_insert(Source::Value);
		}
		Ok(())
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
			let &Sender::Member(proposer) = queued.sender() else { return Err(policy(PolicyError::Outsider)) };
			let proposer = proposer.u32();
			if self.take_proposal(&queued, proposer, &policy)? {
				let reference = queued.proposal_reference_ref().as_slice().to_vec();
				self.proposals.insert(reference, Referenced { proposal: queued, message: message.clone() });
			}
			// one by one, so that the error names the proposal that is not allowed
			self.check(scratch).map_err(|stop| {
				super::refused(stop, |error| BuildError::Proposal {
					index,
					reason: ProposalError::Invalid(error.into()),
				})
			})?;
		}
		Ok(())
	}

	/// Notes what a proposal does; `false` if another one, that is in already, does the same.
	fn take_proposal(
		&mut self,
		queued: &QueuedProposal,
		proposer: Place,
		policy: &impl Fn(PolicyError) -> NotPlaced,
	) -> Result<bool, NotPlaced> {
		match queued.proposal() {
			Proposal::Remove(remove) => {
				let place = remove.removed().u32();
				let Some(leaf) = self.before.members.get(place) else { return Err(policy(PolicyError::Outsider)) };
				if place == self.before.me {
					return Err(NotPlaced::Refused(BuildError::RemovesItself));
				}
				if self.added.keys().any(|newcomer| Before::is_same(leaf, newcomer)) {
					return Err(NotPlaced::Conflict);
				}
				if let Some(Source::Reference(_)) = self.removed.get(&place) {
					return Ok(false);
				}
				self.removed.insert(place, Source::Reference(proposer));
			}
			Proposal::Add(add) => {
				let package = add.key_package();
				let newcomer = self.before.newcomer(package.leaf_node()).map_err(policy)?;
				if self.before.is_in(&newcomer) {
					return Err(policy(PolicyError::DuplicateIdentity));
				}
				if self.added.contains_key(&newcomer) {
					return Err(NotPlaced::Conflict);
				}
				self.added.insert(newcomer, (Box::new(package.clone()), Source::Reference(proposer)));
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
			None if seed.public() == self.before.my_key() => Err(NotPlaced::Satisfied(BuildError::Unchanged)),
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
		if !self.before.people && identity == self.before.my_identity() {
			return Err(NotPlaced::Refused(BuildError::RemovesItself));
		}
		let leaves = leaves_of(mls, identity);
		if leaves.is_empty() {
			return Err(NotPlaced::Refused(BuildError::NotAMember { identity: identity.to_vec() }));
		}
		let Some(leaf) = leaves.iter().find(|leaf| leaf.encryption_key == replaces) else {
			return Err(NotPlaced::Satisfied(BuildError::OtherLeaf { identity: identity.to_vec() }));
		};
		let place = leaf.index.u32();
		if place == self.before.me {
			return Err(NotPlaced::Refused(BuildError::RemovesItself));
		}
		if self.removed.contains_key(&place) {
			return Err(NotPlaced::Conflict);
		}
		let (newcomer, package) = self.parse(engine, 0, package)?;
		if newcomer.0 != identity {
			let reason = "it is another member's".to_owned();
			return Err(NotPlaced::Refused(BuildError::KeyPackage { index: 0, reason }));
		}
		if self.added.contains_key(&newcomer) {
			return Err(NotPlaced::Conflict);
		}
		self.removed.insert(place, Source::Value);
		self.added.insert(newcomer, (Box::new(package), Source::Value));
		Ok(())
	}

	/// A KeyPackage, and who comes in with it.
	fn parse(&self, engine: &Engine, index: usize, bytes: &[u8]) -> Result<(Newcomer, KeyPackage), NotPlaced> {
		let refused = |reason: String| NotPlaced::Refused(BuildError::KeyPackage { index, reason });
		let package = key_package::parse(&engine.crypto, bytes).map_err(refused)?;
		let newcomer = self.before.newcomer(package.leaf_node()).map_err(|error| refused(error.to_string()))?;
		Ok((newcomer, package))
	}
}
