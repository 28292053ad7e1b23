//! Making commits, and merging the one that won.

use super::{
	apply::EpochChange,
	bundle::{BundleError, CommitBundle},
	classify::Stop,
	constants::MAX_PAYLOAD,
	error::{BuildError, EngineError},
	key_package, keys, policy, proposal, public_phase, seal,
	verdict::payload_context,
	Engine,
};
use crate::store::{Overlay, Record};
use lockstep_primitives::{
	extrinsic::Append, payload_hash, rpc::HexBytes, Endorsement, EntryHash, GroupId, OrderingKey, PayloadHash,
};
use openmls::prelude::{
	tls_codec::Serialize as _, KeyPackage, LeafNodeIndex, MlsGroup, ProposalOrRefType, StagedCommit,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroize;

/// What a commit is to bring about.
///
/// Every commit also renews the committer's own keys (RFC 9420 section 7.5), whatever else it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Intent {
	/// Adds the owners of these KeyPackages, given in their TLS form.
	Add(Vec<HexBytes>),
	/// Removes the members of these identities.
	Remove(Vec<HexBytes>),
	/// Renews the committer's own keys only.
	Update,
	/// Commits proposals of other members, given as MLSMessages: how members leave.
	Proposals(Vec<HexBytes>),
}

/// A commit ready to be submitted, and all that is needed if it wins.
///
/// It is stored before it is submitted and kept until the log has answered: its secrets cannot be had again from the
/// bytes that travel.
#[derive(Clone, Serialize, Deserialize)]
pub struct Prepared {
	/// The group.
	pub group: GroupId,
	/// The entry in whose epoch it was made.
	pub parent: EntryHash,
	/// That epoch.
	pub epoch: u64,
	/// The sealed commit bundle.
	pub payload: HexBytes,
	/// BLAKE3-256 of it.
	pub payload_hash: PayloadHash,
	/// The ordering key of the epoch that it opens.
	pub next_key: OrderingKey,
	/// The endorsement by the parent's key.
	pub endorsement: Endorsement,
	/// The identities that it adds.
	pub added: Vec<HexBytes>,
	/// The identities that it removes.
	pub removed: Vec<HexBytes>,
	staged: StagedJson,
	pub(super) invited: Vec<HexBytes>,
	pub(super) welcome: Option<HexBytes>,
}

/// What a stand-in for OpenMLS prepares.
#[cfg(feature = "simulation")]
pub(super) struct StandInParts {
	pub(super) group: GroupId,
	pub(super) parent: EntryHash,
	pub(super) epoch: u64,
	pub(super) payload: Vec<u8>,
	pub(super) next_key: OrderingKey,
	pub(super) endorsement: Endorsement,
	/// Identities and KeyPackages.
	pub(super) added: Vec<(HexBytes, HexBytes)>,
	pub(super) removed: Vec<HexBytes>,
	pub(super) staged: String,
	pub(super) welcome: Option<HexBytes>,
}

/// A staged commit in OpenMLS's serialised form, with the secrets of the next epoch in it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
struct StagedJson(String);

impl Drop for StagedJson {
	fn drop(&mut self) {
		self.0.zeroize();
	}
}

impl Record for Prepared {
	const KIND: &'static str = "prepared";
}

impl Prepared {
	/// A commit that OpenMLS did not stage.
	#[cfg(feature = "simulation")]
	pub(super) fn of_stand_in(parts: StandInParts) -> Self {
		let StandInParts { group, parent, epoch, payload, next_key, endorsement, added, removed, staged, welcome } =
			parts;
		let invited = added.iter().map(|added: &(HexBytes, HexBytes)| added.1.clone()).collect();
		Self {
			group,
			parent,
			epoch,
			payload_hash: payload_hash(&payload),
			payload: HexBytes(payload),
			next_key,
			endorsement,
			added: added.into_iter().map(|(identity, _)| identity).collect(),
			removed,
			staged: StagedJson(staged),
			invited,
			welcome,
		}
	}

	/// What was staged by a stand-in.
	#[cfg(feature = "simulation")]
	pub(super) fn staged_by_stand_in(&self) -> &str {
		&self.staged.0
	}

	/// The commit as OpenMLS staged it, with the secrets of the next epoch.
	pub(super) fn staged(&self) -> Result<StagedCommit, EngineError> {
		// the error would show what does not decode, and that is secret
		serde_json::from_str(&self.staged.0)
			.map_err(|_| EngineError::Library { during: "reading a kept commit", reason: "it is damaged".into() })
	}

	/// The call that submits it.
	pub fn append(&self) -> Append {
		Append {
			group: self.group,
			parent: self.parent,
			payload: self.payload.0.clone(),
			next_key: self.next_key,
			endorsement: self.endorsement,
		}
	}
}

impl std::fmt::Debug for Prepared {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("Prepared")
			.field("group", &self.group)
			.field("parent", &self.parent)
			.field("epoch", &self.epoch)
			.field("payload_hash", &self.payload_hash)
			.finish_non_exhaustive()
	}
}

/// What goes into a commit, checked.
#[derive(Default)]
struct Plan {
	adds: Vec<KeyPackage>,
	removes: Vec<LeafNodeIndex>,
	/// Proposals of others, by reference.
	proposals: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Engine {
	/// Makes the commit that an intent asks for, in the group's current epoch. Writes nothing to `overlay`: the stored
	/// group never carries a pending commit (the log, not this member, decides whether it comes about).
	///
	/// Adds and removes of its own go into the commit by value, proposals of others by reference and into the bundle.
	/// The commit is judged as the other members will before it is handed out: a member never endorses what it would
	/// refuse.
	///
	/// # Errors
	/// [`BuildError`] says what in the intent makes no sense in this epoch.
	pub fn build_commit(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		intent: &Intent,
	) -> Result<Prepared, BuildError> {
		let scratch = overlay.nested();
		let mut mls = self.load_active(&scratch, group)?;
		let tip = self.tip(&scratch, group, &mls)?;
		mls.clear_pending_proposals(&scratch).map_err(EngineError::from)?;
		let plan = self.plan(&scratch, &mut mls, intent)?;
		let Plan { adds, removes, mut proposals } = plan;

		let mls_refuses = |error: &dyn std::fmt::Display| BuildError::Mls(error.to_string());
		let provider = self.provider(&scratch);
		let messages = mls
			.commit_builder()
			.force_self_update(true)
			.propose_adds(adds)
			.propose_removals(removes)
			.load_psks(&scratch)
			.map_err(|error| mls_refuses(&error))?
			.build(&self.random, &self.crypto, &self.signer, |_| true)
			.map_err(|error| mls_refuses(&error))?
			.stage_commit(&provider)
			.map_err(|error| mls_refuses(&error))?;
		let staged = mls.pending_commit().ok_or_else(|| missing("the staged commit is missing"))?;

		let referenced = referenced(staged, &mut proposals)?;
		let (commit, welcome, _) = messages.into_messages();
		let encode = EngineError::library("encoding a message");
		let bundle = CommitBundle::new(referenced, commit.to_bytes().map_err(encode)?).encode()?;
		let publicly = self.judge_own(overlay, group, &bundle)?;

		let payload_key = keys::payload_key(&mls, &self.crypto, group)?;
		let payload = seal::seal(&self.crypto, &payload_key, &payload_context(group, &tip.entry), &bundle)
			.map_err(EngineError::library("sealing a payload"))?;
		if payload.len() > MAX_PAYLOAD {
			return Err(BundleError::TooLarge { length: payload.len(), max: MAX_PAYLOAD }.into());
		}
		let hash = payload_hash(&payload);
		let next_key = keys::ordering_key(staged, &self.crypto, group)?;
		let welcome = welcome.map(|message| message.to_bytes()).transpose();
		Ok(Prepared {
			group: *group,
			parent: tip.entry,
			epoch: tip.epoch,
			payload: HexBytes(payload),
			payload_hash: hash,
			next_key,
			endorsement: tip.endorse(&self.genesis, group, &hash, &next_key),
			added: publicly.added.into_iter().map(HexBytes).collect(),
			removed: publicly.removed.into_iter().map(HexBytes).collect(),
			staged: StagedJson(serde_json::to_string(staged).map_err(EngineError::library("keeping a commit"))?),
			invited: invited(staged)?,
			welcome: welcome.map_err(EngineError::library("encoding a Welcome"))?.map(HexBytes),
		})
	}

	/// Goes to the epoch that this member's own commit opens, once `entry`, which carries it, has won.
	///
	/// # Errors
	/// [`EngineError`]; then `overlay` is as it was. [`EngineError::NotAtEntry`] or [`EngineError::NotNext`] if the
	/// group has moved on since.
	pub fn merge_own(
		&self,
		overlay: &Overlay<'_>,
		entry: &EntryHash,
		prepared: &Prepared,
	) -> Result<EpochChange, EngineError> {
		let mls = self.load_active(overlay, &prepared.group)?;
		let tip = self.tip(overlay, &prepared.group, &mls)?.entry;
		if tip != prepared.parent {
			return Err(EngineError::NotAtEntry { tip, asked: prepared.parent });
		}
		let staged = prepared.staged()?;
		let identities = |list: &[HexBytes]| list.iter().map(|identity| identity.0.clone()).collect();
		self.advance(
			overlay,
			&prepared.group,
			entry,
			staged,
			(identities(&prepared.added), identities(&prepared.removed)),
		)
	}

	/// Checks an intent against the group's members.
	fn plan(&self, scratch: &Overlay<'_>, mls: &mut MlsGroup, intent: &Intent) -> Result<Plan, BuildError> {
		let mut plan = Plan::default();
		match intent {
			Intent::Update => {}
			Intent::Add(list) if !list.is_empty() => plan.adds = self.plan_adds(mls, list)?,
			Intent::Remove(list) if !list.is_empty() => plan.removes = self.plan_removes(mls, list)?,
			Intent::Proposals(list) if !list.is_empty() => {
				for (index, bytes) in list.iter().enumerate() {
					let queued = proposal::process(&self.provider(scratch), mls, &bytes.0)
						.map_err(|reason| BuildError::Proposal { index, reason })?;
					plan.proposals.insert(queued.proposal_reference_ref().as_slice().to_vec(), bytes.0.clone());
					mls.store_pending_proposal(scratch, queued).map_err(EngineError::from)?;
				}
			}
			Intent::Add(_) | Intent::Remove(_) | Intent::Proposals(_) => return Err(BuildError::Empty),
		}
		Ok(plan)
	}

	fn plan_adds(&self, mls: &MlsGroup, list: &[HexBytes]) -> Result<Vec<KeyPackage>, BuildError> {
		let mut members: BTreeSet<Vec<u8>> = super::group::identities(mls)?.into_iter().collect();
		let mut adds = Vec::with_capacity(list.len());
		for (index, bytes) in list.iter().enumerate() {
			let refused = |reason: String| BuildError::KeyPackage { index, reason };
			let package = key_package::parse(&self.crypto, &bytes.0).map_err(refused)?;
			let identity =
				policy::identity(package.leaf_node().credential()).map_err(|error| refused(error.to_string()))?;
			if !members.insert(identity.clone()) {
				return Err(BuildError::AlreadyMember { identity });
			}
			adds.push(package);
		}
		Ok(adds)
	}

	fn plan_removes(&self, mls: &MlsGroup, list: &[HexBytes]) -> Result<Vec<LeafNodeIndex>, BuildError> {
		let mut removes = BTreeSet::new();
		for HexBytes(identity) in list {
			let found = mls.members().find(|member| policy::identity(&member.credential).as_ref() == Ok(identity));
			match found.map(|member| member.index) {
				None => return Err(BuildError::NotAMember { identity: identity.clone() }),
				Some(index) if index == mls.own_leaf_index() => return Err(BuildError::RemovesItself),
				Some(index) => removes.insert(index),
			};
		}
		Ok(removes.into_iter().collect())
	}

	/// The public phase of judging, on a commit of this member's own.
	fn judge_own(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		bundle: &[u8],
	) -> Result<public_phase::Publicly, BuildError> {
		let scratch = overlay.nested();
		let mut mls = self.load_active(&scratch, group)?;
		let messages = CommitBundle::decode(bundle)?;
		public_phase::judge(&self.provider(&scratch), &scratch, &mut mls, &messages).map_err(|stop| match stop {
			Stop::Invalid(reason) => BuildError::Refused(reason),
			Stop::Engine(error) => error.into(),
			Stop::Private(reason) => missing(&reason.to_string()).into(),
		})
	}
}

/// The messages of the proposals that a commit references, in its order.
fn referenced(staged: &StagedCommit, proposals: &mut BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Vec<Vec<u8>>, EngineError> {
	let by_reference =
		staged.queued_proposals().filter(|queued| queued.proposal_or_ref_type() == ProposalOrRefType::Reference);
	by_reference
		.map(|queued| {
			let bytes = proposals.remove(queued.proposal_reference_ref().as_slice());
			bytes.ok_or_else(|| missing("a referenced proposal is missing"))
		})
		.collect()
}

/// The KeyPackages of those whom a commit adds: their Welcomes are addressed with them.
fn invited(staged: &StagedCommit) -> Result<Vec<HexBytes>, EngineError> {
	staged
		.add_proposals()
		.map(|add| add.add_proposal().key_package().tls_serialize_detached().map(HexBytes))
		.collect::<Result<_, _>>()
		.map_err(EngineError::library("encoding a KeyPackage"))
}

fn missing(reason: &str) -> EngineError {
	EngineError::Library { during: "making a commit", reason: reason.to_owned() }
}
