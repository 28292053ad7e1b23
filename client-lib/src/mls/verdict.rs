//! Judging an entry: does the commit in it open the next epoch?
//!
//! A verdict depends on the log and the group's state alone. Everything is done on an overlay that is thrown away.

use super::{
	bundle::{BundleError, CommitBundle},
	classify::{self, Stop},
	constants::{tag, MAX_PAYLOAD},
	error::EngineError,
	keys,
	people::When,
	policy::PolicyError,
	public_phase::{self, Publicly},
	seal::{self, SealError},
	signer::SignerSeed,
	Engine, Prepared,
};
use crate::store::Overlay;
use lockstep_primitives::{BlockNumber, EntryHash, GroupId, IdentityId, OrderingKey};
use openmls::prelude::{MlsGroup, ProcessedMessageContent, PublicGroup, PublicMessageIn, StagedCommit};
use std::collections::BTreeSet;

/// An entry whose parent is the tip of the group: what there is to judge.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
	/// The group.
	pub group: &'a GroupId,
	/// The parent that the entry names.
	pub parent: &'a EntryHash,
	/// The ordering key that it names for the epoch it opens.
	pub next_key: &'a OrderingKey,
	/// The block that it is in.
	pub block: BlockNumber,
	/// Its payload: the sealed commit bundle.
	pub payload: &'a [u8],
}

/// What becomes of an entry.
#[derive(Debug)]
pub enum Verdict<S = StagedEntry> {
	/// It opens the next epoch; [`Engine::apply`] goes there.
	Valid(Box<S>),
	/// Every member refuses it: skip it and look at the next child of the same parent.
	PubliclyInvalid(InvalidReason),
	/// It fails for this member, and others may have accepted it: stop, and never go on with a sibling.
	PrivatelyFailing(PrivateReason),
	/// It cannot be judged before the logs of these people are known up to its block ([`KnownDevices`](super::KnownDevices)).
	Unknown(BTreeSet<IdentityId>),
}

/// Why every member refuses an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidReason {
	/// The payload was not sealed in the parent's epoch for this place.
	#[error("the payload does not open: {0}")]
	Seal(SealError),
	/// The payload does not hold a bundle.
	#[error(transparent)]
	Bundle(#[from] BundleError),
	/// A message of the bundle is of another epoch.
	#[error("a message of the bundle is of epoch {found}, the parent opened epoch {expected}")]
	Epoch {
		/// The message's epoch.
		found: u64,
		/// The epoch that the parent opened.
		expected: u64,
	},
	/// MLS refuses the commit or a proposal.
	#[error("MLS refuses it: {0}")]
	Mls(String),
	/// The group's policy refuses it.
	#[error("the policy refuses it: {0}")]
	Policy(#[from] PolicyError),
	/// The confirmation tag is wrong.
	#[error("the confirmation tag does not match the new epoch")]
	ConfirmationTag,
	/// The entry names another ordering key than the new epoch has.
	#[error("the entry names another ordering key than the new epoch has")]
	NextKey,
}

/// Why an entry fails for this member alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateReason {
	/// This member's path secret does not decrypt or does not match (RFC 9420 section 7.6).
	#[error("the path secret for this member does not decrypt or does not match: {0}")]
	Path(String),
	/// This member made the commit, but does not have its secrets any more.
	#[error("this client made the commit, but its secrets are lost")]
	OwnCommit,
	/// No node has the payload of the entry any more: the client was away for longer than they keep blocks.
	#[error("no node has the commit any more: this client was away for longer than they keep blocks")]
	NoPayload,
}

/// A valid entry, staged: the state of the epoch that it opens, not yet applied.
pub struct StagedEntry {
	pub(super) group: GroupId,
	pub(super) staged: StagedCommit,
	pub(super) publicly: Publicly,
	/// The new signature key of this member's leaf, if its own commit rotates it.
	pub(super) signer: Option<SignerSeed>,
	/// The public state of the epoch that it opens.
	pub(super) public: PublicGroup,
	own: bool,
}

impl StagedEntry {
	/// The epoch that it opens.
	pub fn epoch(&self) -> u64 {
		self.staged.epoch().as_u64()
	}

	/// Whether it removes this member.
	pub fn removes_me(&self) -> bool {
		self.staged.self_removed()
	}

	/// Whether the commit is the own one that was given to [`Engine::evaluate`]: its Welcomes are due.
	pub fn is_own(&self) -> bool {
		self.own
	}
}

impl std::fmt::Debug for StagedEntry {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("StagedEntry")
			.field("group", &self.group)
			.field("epoch", &self.epoch())
			.field("removes_me", &self.removes_me())
			.finish_non_exhaustive()
	}
}

impl Engine {
	/// Judges an entry whose parent is the group's tip. Writes nothing to `overlay`.
	///
	/// `own` is the commit that this member has in the race, if it has one. Any member of the epoch can open that
	/// commit's payload, seal the same bundle anew and endorse it, also under a wrong key. To its maker such an entry
	/// is neither what it submitted nor a commit that it could process; with `own` at hand it judges it as the others
	/// do.
	///
	/// A commit that removes this member is valid without a look at `next_key`: its secrets are out of this member's
	/// reach (RFC 9420 section 12.4.2), which stops in either case.
	///
	/// # Errors
	/// [`EngineError`] if this member cannot tell: it must then stop, not skip. [`EngineError::NotAtEntry`] if the
	/// group's tip is another entry.
	pub fn evaluate(
		&self,
		overlay: &Overlay<'_>,
		candidate: &Candidate<'_>,
		own: Option<&Prepared>,
	) -> Result<Verdict, EngineError> {
		let scratch = overlay.nested();
		let judged = self.judge(overlay, &scratch, candidate, own);
		// OpenMLS takes some failed reads for absent keys; what it concluded then is worth nothing
		if let Some(fault) = scratch.fault() {
			return Err(fault.into());
		}
		match judged {
			Ok(staged) => Ok(Verdict::Valid(Box::new(staged))),
			Err(Stop::Invalid(reason)) => Ok(Verdict::PubliclyInvalid(reason)),
			Err(Stop::Private(reason)) => Ok(Verdict::PrivatelyFailing(reason)),
			Err(Stop::Unknown(people)) => Ok(Verdict::Unknown(people)),
			Err(Stop::Engine(error)) => Err(error),
		}
	}

	fn judge(
		&self,
		overlay: &Overlay<'_>,
		scratch: &Overlay<'_>,
		candidate: &Candidate<'_>,
		own: Option<&Prepared>,
	) -> Result<StagedEntry, Stop> {
		let Candidate { group, parent, next_key, block, payload } = *candidate;
		let mut loaded = self.take_active(overlay, group)?;
		let public = loaded.take_public();
		let mls = &mut loaded.mls;
		let tip = self.tip(scratch, group, mls)?.entry;
		if tip != *parent {
			return Err(EngineError::NotAtEntry { tip, asked: *parent }.into());
		}
		let bytes = self.unseal(mls, group, parent, payload)?;
		let messages = CommitBundle::decode(&bytes).map_err(|error| Stop::Invalid(error.into()))?;
		let (publicly, public) =
			public_phase::judge(&self.provider(scratch), scratch, mls, public, &messages, When::In(block))?;
		let own = match own {
			Some(own) if own.parent == *parent && publicly.committer == mls.own_leaf_index() => {
				self.recognise(mls, own, &messages.commit)?.map(|staged| (staged, own.signer.clone()))
			}
			_ => None,
		};
		let is_own = own.is_some();
		let (staged, signer) = match own {
			Some(own) => own,
			None => (self.judge_privately(scratch, mls, &publicly, messages.commit)?, None),
		};
		if !staged.self_removed() && keys::ordering_key(&staged, &self.crypto, group)? != *next_key {
			return Err(Stop::Invalid(InvalidReason::NextKey));
		}
		// What is pending in it are the bundle's proposals, which are in no record.
		mls.clear_pending_proposals(scratch)?;
		if scratch.fault().is_none() {
			loaded.give_back(overlay);
		}
		Ok(StagedEntry { group: *group, staged, publicly, signer, public, own: is_own })
	}

	/// Opens a payload with the key of the parent's epoch.
	fn unseal(&self, mls: &MlsGroup, group: &GroupId, parent: &EntryHash, payload: &[u8]) -> Result<Vec<u8>, Stop> {
		if payload.len() > MAX_PAYLOAD {
			let error = SealError::TooLong { length: payload.len(), max: MAX_PAYLOAD };
			return Err(Stop::Invalid(error.into()));
		}
		let key = keys::payload_key(mls, &self.crypto, group)?;
		seal::open(&key, &payload_context(group, parent), payload).map_err(|error| match error {
			SealError::Library(reason) => EngineError::Library { during: "opening a payload", reason }.into(),
			other => Stop::Invalid(other.into()),
		})
	}

	/// The staged commit of `own`, if it is that which `commit` carries.
	fn recognise(
		&self,
		mls: &MlsGroup,
		own: &Prepared,
		commit: &PublicMessageIn,
	) -> Result<Option<StagedCommit>, Stop> {
		let bytes = self.unseal(mls, &own.group, &own.parent, &own.payload.0)?;
		let bundle = CommitBundle::decode(&bytes).map_err(EngineError::library("reading a kept commit"))?;
		if bundle.commit == *commit {
			Ok(Some(own.staged()?))
		} else {
			Ok(None)
		}
	}

	/// The private phase: decrypts this member's part of the path and derives the new epoch.
	fn judge_privately(
		&self,
		scratch: &Overlay<'_>,
		mls: &mut MlsGroup,
		publicly: &Publicly,
		commit: PublicMessageIn,
	) -> Result<StagedCommit, Stop> {
		if publicly.committer == mls.own_leaf_index() && publicly.has_path {
			return Err(Stop::Private(PrivateReason::OwnCommit));
		}
		let processed = mls.process_message(&self.provider(scratch), commit).map_err(classify::private)?;
		match processed.into_content() {
			ProcessedMessageContent::StagedCommitMessage(staged) => Ok(*staged),
			other => Err(EngineError::Library { during: "judging a commit", reason: format!("{other:?}") }.into()),
		}
	}
}

/// What a sealed payload is bound to: `"lockstep/payload/1" | group | parent`.
pub(super) fn payload_context(group: &GroupId, parent: &EntryHash) -> Vec<u8> {
	[tag::PAYLOAD, group.as_ref(), parent.as_ref()].concat()
}
