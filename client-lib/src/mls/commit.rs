//! Making commits, and merging the one that won.

use super::{
	apply::{EpochChange, Next},
	bundle::{BundleError, CommitBundle},
	classify::Stop,
	error::{BuildError, EngineError},
	group,
	group_data::{AuthenticationService, GroupData},
	intent::EnvelopeKey,
	keys::{self, EpochKeys},
	loaded::Loaded,
	long_paths,
	people::{MemberDevice, When},
	plan::{Contents, Plan, Referenced},
	provider::Provider,
	public_phase::{self, Changes, Publicly},
	seal,
	signer::SignerSeed,
	staged::StagedBytes,
	verdict::payload_context,
	Engine,
};
use crate::store::{
	packed::{self, Packed},
	Overlay, Record,
};
use lockstep_primitives::{
	extrinsic::Append, payload_hash, rpc::HexBytes, Endorsement, EntryHash, GroupId, OrderingKey, PayloadHash,
};
use openmls::prelude::{
	tls_codec::Serialize as _, MlsGroup, NewSignerBundle, ProposalOrRefType, PublicGroup, StagedCommit,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Members from which on it pays to do two things at once.
const LARGE: usize = 64;

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
	#[serde(with = "packed")]
	pub payload: HexBytes,
	/// BLAKE3-256 of it.
	pub payload_hash: PayloadHash,
	/// The ordering key of the epoch that it opens.
	pub next_key: OrderingKey,
	/// The endorsement by the parent's key.
	pub endorsement: Endorsement,
	/// The identities that it adds.
	pub added: Vec<HexBytes>,
	/// The identities that it removes, and does not add again.
	pub removed: Vec<HexBytes>,
	/// The identities that it readmits.
	#[serde(default)]
	pub readmitted: Vec<HexBytes>,
	/// The identities whose signature key it changes.
	#[serde(default)]
	pub rotated: Vec<HexBytes>,
	/// The further devices of members that it adds.
	#[serde(default)]
	pub devices_added: Vec<MemberDevice>,
	/// The devices of people who stay that it removes.
	#[serde(default)]
	pub devices_removed: Vec<MemberDevice>,
	/// The group data that it sets, as it is encoded in the GroupContext.
	#[serde(default)]
	data: Option<HexBytes>,
	/// The new signature key of this member's leaf, if it is to have one.
	#[serde(default)]
	pub(super) signer: Option<SignerSeed>,
	/// Whether the block that it gets into has a say in its verdict.
	#[serde(default)]
	pub conditional: bool,
	staged: StagedBytes,
	pub(super) invited: Vec<Packed>,
	/// What of these KeyPackages is needed to address the Welcomes, so that they need not be checked again.
	#[serde(default)]
	pub(super) joiners: Vec<Joiner>,
	pub(super) welcome: Option<Packed>,
	/// The tree goes beside the Welcome. In one that an earlier version prepared it is in the GroupInfo.
	#[serde(default)]
	pub(super) tree_beside: bool,
}

/// Somebody whom a commit adds.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Joiner {
	pub(super) reference: HexBytes,
	pub(super) identity: HexBytes,
	pub(super) init_key: HexBytes,
	/// What signs its envelope, if that is not the group.
	#[serde(default)]
	pub(super) envelope_key: Option<EnvelopeKey>,
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
	pub(super) added: Vec<HexBytes>,
	pub(super) removed: Vec<HexBytes>,
	pub(super) readmitted: Vec<HexBytes>,
	/// KeyPackages of those whom it adds and readmits.
	pub(super) invited: Vec<HexBytes>,
	pub(super) staged: String,
	pub(super) welcome: Option<HexBytes>,
}

impl Record for Prepared {
	const KIND: &'static str = "prepared";
}

impl Prepared {
	/// A commit that OpenMLS did not stage.
	#[cfg(feature = "simulation")]
	pub(super) fn of_stand_in(parts: StandInParts) -> Self {
		let StandInParts { group, parent, epoch, payload, next_key, endorsement, .. } = parts;
		let StandInParts { added, removed, readmitted, invited, staged, welcome, .. } = parts;
		Self {
			group,
			parent,
			epoch,
			payload_hash: payload_hash(&payload),
			payload: HexBytes(payload),
			next_key,
			endorsement,
			added,
			removed,
			readmitted,
			rotated: Vec::new(),
			devices_added: Vec::new(),
			devices_removed: Vec::new(),
			data: None,
			signer: None,
			conditional: false,
			staged: StagedBytes::text(staged),
			invited: invited.into_iter().map(Packed).collect(),
			joiners: Vec::new(),
			welcome: welcome.map(Packed),
			tree_beside: false,
		}
	}

	/// What was staged by a stand-in.
	#[cfg(feature = "simulation")]
	pub(super) fn staged_by_stand_in(&self) -> &str {
		self.staged.as_text()
	}

	/// The commit as OpenMLS staged it, with the secrets of the next epoch.
	pub(super) fn staged(&self) -> Result<StagedCommit, EngineError> {
		self.staged.read()
	}

	/// What it changes.
	fn changes(&self) -> Result<Changes, EngineError> {
		let identities = |list: &[HexBytes]| list.iter().map(|identity| identity.0.clone()).collect();
		let data = self.data.as_ref().map(|bytes| GroupData::decode(&bytes.0)).transpose();
		Ok(Changes {
			added: identities(&self.added),
			removed: identities(&self.removed),
			readmitted: identities(&self.readmitted),
			rotated: identities(&self.rotated),
			devices_added: self.devices_added.clone(),
			devices_removed: self.devices_removed.clone(),
			data: data.map_err(EngineError::library("reading a kept commit"))?,
		})
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

impl Engine {
	/// Makes the commit of a plan on a group without pending proposals. Everything is done on `scratch`, which must be
	/// thrown away, and lies on `overlay`: the stored group never carries a pending commit, for the log, not this member,
	/// decides whether it comes about. `loaded` does when this has succeeded ([`Loaded::pending`]), and its public state is
	/// that of the epoch which the commit opens.
	///
	/// Adds and removes of its own go into the commit by value, proposals of others by reference and into the bundle.
	/// The commit is judged as the other members will before it is handed out: a member never endorses what it would
	/// refuse.
	pub(super) fn make(
		&self,
		overlay: &Overlay<'_>,
		scratch: &Overlay<'_>,
		group: &GroupId,
		loaded: &mut Loaded,
		tip: &EpochKeys,
		plan: Plan<'_>,
	) -> Result<Prepared, BuildError> {
		let Contents { adds, removes, mut proposals, data, rotate, envelope_keys } = plan.contents()?;
		let public = loaded.take_public();
		let mls = &mut loaded.mls;
		for queued in proposals.values() {
			mls.store_pending_proposal(scratch, queued.proposal.clone()).map_err(EngineError::from)?;
		}
		let signer = self.signer_of(scratch, group, mls)?.pair();

		let mls_refuses = |error: &dyn std::fmt::Display| BuildError::Mls(error.to_string());
		let provider = self.provider(scratch);
		let mut builder = mls.commit_builder().force_self_update(true).propose_adds(adds).propose_removals(removes);
		if let Some(data) = data {
			let extensions = data.to_extensions().map_err(BuildError::GroupData)?;
			builder = builder.propose_group_context_extensions(extensions).map_err(|error| mls_refuses(&error))?;
		}
		// A Welcome gets its GroupInfo in any case; one to hand around is never made. The tree goes beside it, also in groups
		// of earlier versions, in whose records the setting is another.
		let builder = builder.load_psks(scratch).map_err(|error| mls_refuses(&error))?;
		let builder = builder.use_ratchet_tree_extension(false).create_group_info(false);
		let new_pair = rotate.as_ref().map(SignerSeed::pair);
		let built = match (&rotate, &new_pair) {
			(Some(seed), Some(pair)) => {
				let new = NewSignerBundle { signer: pair, credential_with_key: self.credential_of(seed) };
				builder.build_with_new_signer(&self.random, &self.crypto, &signer, new, |_| true)
			}
			_ => builder.build(&self.random, &self.crypto, &signer, |_| true),
		};
		let messages =
			built.map_err(|error| mls_refuses(&error))?.stage_commit(&provider).map_err(|error| mls_refuses(&error))?;
		let staged = mls.pending_commit().ok_or_else(|| missing("the staged commit is missing"))?;

		let referenced = referenced(staged, &mut proposals)?;
		let (commit, welcome, _) = messages.into_messages();
		let encode = EngineError::library("encoding a message");
		let bundle = CommitBundle::new(referenced, commit.to_bytes().map_err(encode)?).encode()?;
		let next_key = keys::ordering_key(staged, &self.crypto, group)?;
		let invited = invited(staged)?;
		let joiners = staged.add_proposals().map(|add| {
			let joiner = self.joiner(add.add_proposal().key_package())?;
			let leaf = add.add_proposal().key_package().leaf_node();
			let envelope_key = envelope_keys.get(leaf.signature_key().as_slice()).cloned();
			Ok(Joiner { envelope_key, ..joiner })
		});
		let joiners = joiners.collect::<Result<_, EngineError>>()?;
		let (staged, (publicly, public)) = self.keep_and_judge(overlay, mls, public, &bundle)?;
		let welcome = welcome.map(|message| message.to_bytes()).transpose();
		let welcome = welcome.map_err(EngineError::library("encoding a Welcome"))?;
		if let Some(welcome) = &welcome {
			self.check_letter(welcome.len(), public.treesync())?;
		}

		mls.clear_pending_proposals(scratch).map_err(EngineError::from)?;
		loaded.public = Some(public);
		let changes = publicly.changes;

		let conditional = group::data(&loaded.mls)?.authentication == AuthenticationService::Directory;
		let payload_key = keys::payload_key(&loaded.mls, &self.crypto, group)?;
		let payload = seal::seal(&self.crypto, &payload_key, &payload_context(group, &tip.entry), &bundle)
			.map_err(EngineError::library("sealing a payload"))?;
		if payload.len() > self.max_commit {
			return Err(self.too_large(&loaded.mls, payload.len()));
		}
		let hash = payload_hash(&payload);
		loaded.pending = loaded.mls.pending_commit().map(|_| hash);
		let hex = |list: Vec<Vec<u8>>| list.into_iter().map(HexBytes).collect();
		let data = changes.data.map(|data| data.encode().map(HexBytes)).transpose();
		Ok(Prepared {
			group: *group,
			parent: tip.entry,
			epoch: tip.epoch,
			payload: HexBytes(payload),
			payload_hash: hash,
			next_key,
			endorsement: tip.endorse(&self.genesis, group, &hash, &next_key),
			added: hex(changes.added),
			removed: hex(changes.removed),
			readmitted: hex(changes.readmitted),
			rotated: hex(changes.rotated),
			devices_added: changes.devices_added,
			devices_removed: changes.devices_removed,
			data: data.map_err(BuildError::GroupData)?,
			signer: rotate,
			conditional,
			staged,
			invited,
			joiners,
			welcome: welcome.map(|bytes| Packed(HexBytes(bytes))),
			tree_beside: true,
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
		let loaded = self.take_active_as_it_is(overlay, &prepared.group)?;
		let tip = self.tip(overlay, &prepared.group, &loaded.mls)?.entry;
		loaded.give_back(overlay);
		if tip != prepared.parent {
			return Err(EngineError::NotAtEntry { tip, asked: prepared.parent });
		}
		let changes = prepared.changes()?;
		self.advance(overlay, &prepared.group, entry, Next::Kept(prepared), None, changes, prepared.signer.as_ref())
	}

	/// Why a commit of so many bytes cannot be made: it wants too much, or others have to renew their keys first.
	fn too_large(&self, mls: &MlsGroup, length: usize) -> BuildError {
		let max = self.max_commit;
		match long_paths::path(mls.treesync(), mls.own_leaf_index()) {
			Ok((nodes, spare)) => match usize::try_from(spare) {
				Ok(spare) if length.saturating_sub(spare) <= max => BuildError::LongPath { nodes, length, max },
				_ => BundleError::TooLarge { length, max }.into(),
			},
			Err(error) => error.into(),
		}
	}

	/// Brings the pending commit of this member into the form in which it is kept, and judges it as the others will.
	fn keep_and_judge(
		&self,
		overlay: &Overlay<'_>,
		mls: &mut MlsGroup,
		public: Option<PublicGroup>,
		bundle: &[u8],
	) -> Result<(StagedBytes, (Publicly, PublicGroup)), BuildError> {
		let messages = CommitBundle::decode(bundle)?;
		let staged = mls.pending_commit().ok_or_else(|| missing("the staged commit is missing"))?;
		// With proposals of others the state has to be changed for judging, and loses what is pending in it.
		if messages.proposals.is_empty() {
			let as_it_is: &MlsGroup = mls;
			let judging = |provider: &Provider<'_, '_>, scratch: &Overlay<'_>| {
				public_phase::judge_queued(provider, scratch, as_it_is, public, &messages, When::Made)
			};
			let (keep, judge) = (|| StagedBytes::of(staged), || self.judge_own(overlay, judging));
			let large = mls.treesync().full_leaves().nth(LARGE).is_some();
			let (kept, judged) = if large { beside(keep, judge) } else { (keep(), judge()) };
			return Ok((kept?, judged?));
		}
		let kept = StagedBytes::of(staged)?;
		let judged = self.judge_own(overlay, |provider, scratch| {
			let judged = public_phase::judge(provider, scratch, mls, public, &messages, When::Made)?;
			mls.clear_pending_proposals(scratch)?;
			Ok(judged)
		})?;
		Ok((kept, judged))
	}

	/// The public phase of judging, on a commit of this member's own.
	fn judge_own<J>(&self, overlay: &Overlay<'_>, judge: J) -> Result<(Publicly, PublicGroup), BuildError>
	where
		J: FnOnce(&Provider<'_, '_>, &Overlay<'_>) -> Result<(Publicly, PublicGroup), Stop>,
	{
		let scratch = overlay.nested();
		let judged = judge(&self.provider(&scratch), &scratch).map_err(|stop| match stop {
			Stop::Invalid(reason) => BuildError::Refused(reason),
			Stop::Engine(error) => error.into(),
			Stop::Private(reason) => missing(&reason.to_string()).into(),
			// What is made is judged as far as is known.
			Stop::Unknown(_) => missing("the logs of its members").into(),
		})?;
		match scratch.fault() {
			Some(fault) => Err(EngineError::from(fault).into()),
			None => Ok(judged),
		}
	}
}

/// Does two things at once, if there is a thread to be had for the first, and one after the other if not.
fn beside<A: Send, B>(first: impl Fn() -> A + Send + Sync, second: impl FnOnce() -> B) -> (A, B) {
	let first = &first;
	std::thread::scope(|scope| {
		let spawned = std::thread::Builder::new().spawn_scoped(scope, first);
		let second = second();
		(spawned.ok().and_then(|thread| thread.join().ok()).unwrap_or_else(first), second)
	})
}

/// The messages of the proposals that a commit references, in its order.
fn referenced(
	staged: &StagedCommit,
	proposals: &mut BTreeMap<Vec<u8>, Referenced>,
) -> Result<Vec<Vec<u8>>, EngineError> {
	let by_reference =
		staged.queued_proposals().filter(|queued| queued.proposal_or_ref_type() == ProposalOrRefType::Reference);
	by_reference
		.map(|queued| {
			let found = proposals.remove(queued.proposal_reference_ref().as_slice());
			found.map(|found| found.message).ok_or_else(|| missing("a referenced proposal is missing"))
		})
		.collect()
}

/// The KeyPackages of those whom a commit adds: their Welcomes are addressed with them.
fn invited(staged: &StagedCommit) -> Result<Vec<Packed>, EngineError> {
	staged
		.add_proposals()
		.map(|add| add.add_proposal().key_package().tls_serialize_detached().map(|bytes| Packed(HexBytes(bytes))))
		.collect::<Result<_, _>>()
		.map_err(EngineError::library("encoding a KeyPackage"))
}

fn missing(reason: &str) -> EngineError {
	EngineError::Library { during: "making a commit", reason: reason.to_owned() }
}
