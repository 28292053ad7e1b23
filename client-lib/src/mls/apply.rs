//! Going to the next epoch.

use super::{
	commit::Prepared,
	error::EngineError,
	group::mls_id,
	group_data::GroupData,
	keys::EpochKeys,
	people::MemberDevice,
	public_phase::Changes,
	rejoin::LastLeaf,
	signer::{self, SignerSeed},
	verdict::StagedEntry,
	Engine,
};
use crate::store::Overlay;
use lockstep_primitives::{EntryHash, GroupId, OrderingKey};
use openmls::prelude::{PublicGroup, StagedCommit};

/// What an applied commit changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochChange {
	/// The epoch that the group is in now.
	pub epoch: u64,
	/// Its authenticator (RFC 9420 section 8.7); for a member that was removed, the one of its last epoch.
	pub authenticator: Vec<u8>,
	/// The identities that were added.
	pub added: Vec<Vec<u8>>,
	/// The identities that were removed, and not added again.
	pub removed: Vec<Vec<u8>>,
	/// The identities whose leaf was replaced by that of a new KeyPackage.
	pub readmitted: Vec<Vec<u8>>,
	/// The identities whose signature key is another than before, by rotation or readmission: tell the user.
	pub rotated: Vec<Vec<u8>>,
	/// Further devices of people who were members.
	pub devices_added: Vec<MemberDevice>,
	/// Devices that went, of people who stay.
	pub devices_removed: Vec<MemberDevice>,
	/// The group data, if it is other than before.
	pub data: Option<GroupData>,
	/// Whether this member's leaf was removed.
	pub removed_me: bool,
	/// Whether its place was given to a new leaf, so that a Welcome for this client exists: not so if only another device of its
	/// person was readmitted in the same commit.
	pub replaced_me: bool,
	/// The new epoch's ordering key; `None` for a member that was removed.
	pub ordering_key: Option<OrderingKey>,
}

/// The commit that opens the next epoch.
pub(super) enum Next<'a> {
	/// One that was judged.
	Judged(Box<StagedCommit>),
	/// One of this member's own, as it was kept.
	Kept(&'a Prepared),
}

impl Engine {
	/// Goes to the epoch that a valid entry opens: merges its commit, records the epoch's keys under `entry`, and
	/// deletes what has become too old.
	///
	/// # Errors
	/// [`EngineError`]; then `overlay` is as it was. [`EngineError::NotNext`] if the group is not in the epoch that
	/// the entry was judged in.
	pub fn apply(
		&self,
		overlay: &Overlay<'_>,
		entry: &EntryHash,
		staged: StagedEntry,
	) -> Result<EpochChange, EngineError> {
		let StagedEntry { group, staged, publicly, signer, public, .. } = staged;
		let next = Next::Judged(Box::new(staged));
		self.advance(overlay, &group, entry, next, Some(public), publicly.changes, signer.as_ref())
	}

	/// Merges the commit of this or another member. `signer` is the key that this member's leaf has afterwards,
	/// if it is a new one; `public` the public state of the new epoch, if it is at hand.
	#[allow(clippy::too_many_arguments, reason = "what a staged entry and a kept commit have in common")]
	pub(super) fn advance(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		entry: &EntryHash,
		next: Next<'_>,
		public: Option<PublicGroup>,
		changes: Changes,
		signer: Option<&SignerSeed>,
	) -> Result<EpochChange, EngineError> {
		let step = overlay.nested();
		let mut loaded = self.take_active_as_it_is(&step, group)?;
		let kept = match next {
			Next::Kept(prepared) if loaded.pending == Some(prepared.payload_hash) => None,
			Next::Kept(prepared) => Some(Box::new(prepared.staged()?)),
			Next::Judged(staged) => Some(staged),
		};
		if kept.is_some() {
			loaded.drop_pending(&step)?;
		}
		let (mls, pending) = (&mut loaded.mls, loaded.pending.take());
		let staged = kept.as_deref().or_else(|| pending.and_then(|_| mls.pending_commit()));
		let staged = staged.ok_or_else(|| EngineError::library("merging the pending commit")("there is none"))?;
		let (opened, current) = (staged.epoch().as_u64(), mls.epoch().as_u64());
		if staged.group_context().group_id() != &mls_id(group) || current.checked_add(1) != Some(opened) {
			return Err(EngineError::NotNext { staged: opened, current });
		}
		let leaf = LastLeaf::of(mls);
		let key = mls.own_leaf_node().map(|leaf| leaf.signature_key().as_slice().to_vec());
		step.past_epochs_stay();
		let merged = match kept {
			Some(staged) => {
				let merged = mls.merge_staged_commit(&self.provider(&step), *staged);
				merged.map_err(EngineError::library("merging a commit"))
			}
			None => {
				let merged = mls.merge_pending_commit(&self.provider(&step));
				merged.map_err(EngineError::library("merging the pending commit"))
			}
		};
		// What the store says of itself is more than what OpenMLS says of it.
		if let Some(fault) = step.fault() {
			return Err(fault.into());
		}
		merged?;
		if let Some(seed) = signer {
			// over the old key's record: the old key is of no more use
			signer::Of::Group(group).keep(&step, seed)?;
		}
		let removed_me = !mls.is_active();
		let ordering_key = if removed_me {
			leaf.map(|leaf| step.put(group.as_bytes(), &leaf)).transpose()?;
			None
		} else {
			let keys = EpochKeys::current(mls, &self.crypto, group, entry)?;
			keys.record(&step, group)?;
			Some(keys.ordering_key)
		};
		let Changes { added, removed, readmitted, rotated, devices_added, devices_removed, data } = changes;
		let is_mine = |device: &MemberDevice| device.identity.0 == self.identity && Some(&device.key.0) == key.as_ref();
		let replaced_me = removed_me && readmitted.contains(&self.identity) && !devices_removed.iter().any(is_mine);
		let change = EpochChange {
			epoch: mls.epoch().as_u64(),
			authenticator: mls.epoch_authenticator().as_slice().to_vec(),
			added,
			removed,
			readmitted,
			rotated,
			devices_added,
			devices_removed,
			data,
			removed_me,
			replaced_me,
			ordering_key,
		};
		loaded.public = public.or(loaded.public);
		loaded.keep(&step);
		step.commit()?;
		Ok(change)
	}
}
