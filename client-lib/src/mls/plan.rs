//! Planning a commit: which intents fit into one, and what it then holds.
//!
//! Intents are placed one after the other, proposals of others first. Each is placed whole or not at all; what cannot
//! go along with what is placed already waits for the next commit. After each step the plan is held to the same rules
//! as a finished commit ([`roles`]), so that the right to do something is asked for before anything is built.

mod members;
mod place;

use super::{
	classify::Stop,
	error::{BuildError, EngineError},
	group,
	group_data::{AuthenticationService, GroupData},
	intent::{EnvelopeKey, Intent},
	key_package,
	leaves::Leaves,
	people::{self, Binding, KnownDevices, MemberDevice, When},
	policy::{
		self,
		roles::{self, Deed},
		PolicyError,
	},
	rejoin::leaves_of,
	signer::SignerSeed,
	verdict::InvalidReason,
	Engine,
};
use crate::store::Overlay;
use lockstep_primitives::{rpc::HexBytes, IdentityKey};
use members::Members;
use openmls::{
	group::QueuedProposal,
	prelude::{KeyPackage, LeafNode, LeafNodeIndex, MlsGroup},
};
use std::collections::{BTreeMap, BTreeSet};

/// The group before the commit.
pub(super) struct Before {
	/// This member's leaf.
	me: Place,
	members: Members,
	data: GroupData,
	/// A member is a person of the directory, who may have several leaves; else an identity has one.
	people: bool,
}

/// Where a leaf is in the tree.
type Place = u32;

/// A member's leaf.
#[derive(Clone, Copy)]
struct Known<'a> {
	identity: &'a [u8],
	key: &'a [u8],
}

/// Somebody who comes in: the identity, and, in a group of people, the key.
type Newcomer = (Vec<u8>, Option<Vec<u8>>);

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
	/// The member at this place, by a proposal.
	Reference(Place),
}

/// What goes into a commit.
#[derive(Clone)]
pub(super) struct Plan<'a> {
	before: &'a Before,
	proposals: BTreeMap<Vec<u8>, Referenced>,
	removed: BTreeMap<Place, Source>,
	added: BTreeMap<Newcomer, (Box<KeyPackage>, Source)>,
	/// The group data as wanted, and the proposer if it is wanted by reference.
	data: GroupData,
	data_by: Option<Place>,
	rotate: Option<SignerSeed>,
	/// What signs the envelopes of those added, by signature key, if that is not the group.
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
	/// What signs the envelopes of those added, by signature key, if that is not the group.
	pub(super) envelope_keys: BTreeMap<Vec<u8>, EnvelopeKey>,
}

impl Before {
	pub(super) fn new(mls: &MlsGroup) -> Result<Self, EngineError> {
		let library = EngineError::library("reading the members");
		let members = Members::of(&Leaves::of(mls.treesync()));
		let data = group::data(mls)?;
		let people = data.authentication == AuthenticationService::Directory;
		Ok(Self { me: mls.own_leaf_index().u32(), members: members.map_err(library)?, data, people })
	}

	/// Whether what an intent wants is so already.
	pub(super) fn satisfies(&self, engine: &Engine, overlay: &Overlay<'_>, mls: &MlsGroup, intent: &Intent) -> bool {
		match intent {
			Intent::Update | Intent::Proposals(_) => false,
			Intent::Add(packages) | Intent::AddClaimed { key_packages: packages, .. } => {
				let is_in = |package: &HexBytes| {
					let newcomer = key_package::parse(&engine.crypto, &package.0)
						.ok()
						.and_then(|package| self.newcomer(package.leaf_node()).ok());
					newcomer.is_some_and(|newcomer| self.has_leaf(overlay, &newcomer))
				};
				!packages.is_empty() && packages.iter().all(is_in)
			}
			Intent::Remove(identities) => {
				!identities.is_empty() && identities.iter().all(|identity| !self.is_member(&identity.0))
			}
			Intent::RemoveDevices(devices) => {
				!devices.is_empty() && devices.iter().all(|device| self.device(device).is_none())
			}
			Intent::GroupData(change) => change.apply(&self.data).as_ref() == Ok(&self.data),
			Intent::Rotate { seed } => seed.public() == self.my_key(),
			Intent::Readmit { identity, replaces, .. } => {
				let leaves = leaves_of(mls, &identity.0);
				!leaves.is_empty() && leaves.iter().all(|leaf| leaf.encryption_key != replaces.0)
			}
		}
	}

	fn my_key(&self) -> &[u8] {
		self.members.get(self.me).map(|leaf| leaf.key).unwrap_or_default()
	}

	fn my_identity(&self) -> &[u8] {
		self.identity(self.me).unwrap_or_default()
	}

	fn identity(&self, place: Place) -> Option<&[u8]> {
		self.members.get(place).map(|leaf| leaf.identity)
	}

	/// The leaves of somebody.
	fn places<'s>(&'s self, identity: &'s [u8]) -> impl Iterator<Item = Place> + 's {
		self.members.iter().filter(move |(_, leaf)| leaf.identity == identity).map(|(place, _)| place)
	}

	fn is_member(&self, identity: &[u8]) -> bool {
		self.places(identity).next().is_some()
	}

	fn device(&self, device: &MemberDevice) -> Option<Place> {
		let found =
			self.members.iter().find(|(_, leaf)| leaf.key == device.key.0 && leaf.identity == device.identity.0);
		found.map(|(place, _)| place)
	}

	/// Who comes in with a leaf.
	fn newcomer(&self, leaf: &LeafNode) -> Result<Newcomer, PolicyError> {
		let key = self.people.then(|| leaf.signature_key().as_slice().to_vec());
		Ok((policy::identity(leaf.credential())?, key))
	}

	/// Whether a leaf is one of somebody's.
	fn is_same(leaf: Known<'_>, (identity, key): &Newcomer) -> bool {
		leaf.identity == *identity && key.as_ref().is_none_or(|key| leaf.key == *key)
	}

	fn is_in(&self, newcomer: &Newcomer) -> bool {
		self.members.iter().any(|(_, leaf)| Self::is_same(leaf, newcomer))
	}

	/// Whether somebody is in, by this key or by one that the device has gone over from: such a leaf gets the new key by a rotation,
	/// and could not any more if that were added beside it.
	fn has_leaf(&self, overlay: &Overlay<'_>, newcomer: &Newcomer) -> bool {
		if self.is_in(newcomer) {
			return true;
		}
		let (identity, Some(key)) = newcomer else { return false };
		let (Ok(key), Ok(known)) = (key.as_slice().try_into(), overlay.nested().get::<KnownDevices>(identity)) else {
			return false;
		};
		let (key, mut leaves) = (IdentityKey(key), self.members.iter().filter(|(_, leaf)| leaf.identity == *identity));
		known.is_some_and(|known| {
			leaves.any(|(_, leaf)| {
				let old = leaf.key.try_into().map(IdentityKey);
				old.is_ok_and(|old| known.heirs(&old).contains(&key))
			})
		})
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
			Intent::Add(list) => plan.add(engine, scratch, list, None)?,
			Intent::AddClaimed { key_packages, envelope_key } => {
				plan.add(engine, scratch, key_packages, Some(envelope_key))?
			}
			Intent::Remove(list) => plan.remove(list)?,
			Intent::RemoveDevices(list) => plan.remove_devices(list)?,
			Intent::Proposals(list) => plan.refer(engine, scratch, mls, list)?,
			Intent::GroupData(change) => plan.change(change)?,
			Intent::Rotate { seed } => plan.rotate(seed)?,
			Intent::Readmit { identity, key_package, replaces } => {
				plan.readmit(engine, mls, &identity.0, &key_package.0, &replaces.0)?;
			}
		}
		plan.check(scratch).map_err(|stop| refused(stop, |error| BuildError::Refused(error.into())))?;
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
		Ok(Contents {
			removes: removed.map(|(place, _)| LeafNodeIndex::new(*place)).collect(),
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
		let removed = self.removed.keys().filter_map(|place| self.before.identity(*place));
		removed.filter(|identity| !self.comes(identity) && !self.stays(identity)).map(<[u8]>::to_vec).collect()
	}

	/// Whether somebody is added.
	fn comes(&self, identity: &[u8]) -> bool {
		self.added.keys().any(|(added, _)| added == identity)
	}

	/// Whether somebody keeps a leaf.
	fn stays(&self, identity: &[u8]) -> bool {
		self.before.places(identity).any(|place| !self.removed.contains_key(&place))
	}

	/// Holds the plan to the rules that the commit will be judged by.
	fn check(&self, overlay: &Overlay<'_>) -> Result<(), Stop> {
		let gone = self.gone();
		let (before, old) = (self.before, &self.before.data);
		let actor = |source: &'_ Source| match source {
			Source::Value => before.my_identity(),
			Source::Reference(proposer) => before.identity(*proposer).unwrap_or_default(),
		};
		let new_key =
			|leaf: Known<'_>, package: &KeyPackage| package.leaf_node().signature_key().as_slice() != leaf.key;
		for (place, source) in &self.removed {
			let Some(leaf) = before.members.get(*place) else { return Err(PolicyError::Outsider.into()) };
			let (actor, identity) = (actor(source), leaf.identity.to_vec());
			let back = self.added.iter().find(|(newcomer, _)| Before::is_same(leaf, newcomer));
			let deed = match back {
				_ if actor == identity => Deed::Leave,
				Some((_, (package, _))) => Deed::Readmit { identity, new_key: new_key(leaf, package) },
				None => Deed::Remove { identity },
			};
			if let Err(error) = roles::check(old, &gone, actor, &deed) {
				let binding = Binding { identity: leaf.identity, key: leaf.key };
				let may_go = before.people && matches!(deed, Deed::Remove { .. });
				if !may_go || !people::is_revoked(overlay, binding, When::Made)? {
					return Err(error.into());
				}
			}
		}
		for (newcomer, (package, source)) in &self.added {
			let mut removed = self.removed.keys().filter_map(|place| before.members.get(*place));
			let deed = match removed.find(|leaf| Before::is_same(*leaf, newcomer)) {
				Some(leaf) => Deed::Readmit { identity: newcomer.0.clone(), new_key: new_key(leaf, package) },
				None if before.people && before.is_member(&newcomer.0) => Deed::Device,
				None => Deed::Add,
			};
			roles::check(old, &gone, actor(source), &deed)?;
		}
		let after = self.data_after();
		if after != *old {
			let actor = self.data_by.map_or(before.my_identity(), |by| before.identity(by).unwrap_or_default());
			roles::check(old, &gone, actor, &Deed::Change { after: Box::new(after.clone()) })?;
		}
		Ok(roles::check_data(&after, |identity| self.stays(identity) || self.comes(identity))?)
	}
}

/// What becomes of an intent that the rules do not allow.
fn refused(stop: Stop, refused: impl FnOnce(PolicyError) -> BuildError) -> NotPlaced {
	match stop {
		Stop::Invalid(InvalidReason::Policy(error)) => NotPlaced::Refused(refused(error)),
		Stop::Invalid(reason) => NotPlaced::Refused(BuildError::Refused(reason)),
		Stop::Engine(error) => NotPlaced::Engine(error),
		// What is planned is judged as far as is known, and with public state.
		Stop::Unknown(_) => NotPlaced::Engine(EngineError::library("planning a commit")("a log is not known")),
		Stop::Private(reason) => NotPlaced::Engine(EngineError::library("planning a commit")(reason)),
	}
}
