//! How a log grows: its first entry, and each that is admitted after it. Nothing here can fail half-way.

use crate::{
	admission::{verifies, Admission},
	budget,
	pruning::{Closing, Retained},
	types::{DueEntry, GroupOf, IndexKey, OpenRecord},
	BlockEntries, ClosedGroups, Config, Error, Event, Groups, HoldReason, Indices, OnOpenEntry, OpenEntries, Pallet,
};
use frame_support::{
	ensure,
	traits::{fungible::MutateHold, Get},
	BoundedVec,
};
use lockstep_primitives::{
	endorsement_payload, payload_hash, BlockEntry, Endorsement, EntryBody, EntryHash, GroupId, GroupState, LogHead,
	LogKind, OpenEntry, OrderingKey,
};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Creates the group with entry 0, for `create_group`.
	pub(crate) fn found(
		sponsor: T::AccountId,
		group: &GroupId,
		next_key: &OrderingKey,
		endorsement: &Endorsement,
	) -> DispatchResult {
		ensure!(!Groups::<T>::contains_key(group), Error::<T>::GroupExists);
		ensure!(!ClosedGroups::<T>::contains_key(group), Error::<T>::GroupIdUsed);

		let genesis = Self::genesis();
		let empty = LogHead::empty(LogKind::Group, &genesis, group.as_bytes());
		let body = EntryBody {
			parent: empty.hash,
			payload_hash: payload_hash(&[]),
			payload_len: 0,
			next_key: *next_key,
			endorsement: *endorsement,
		};
		let message = endorsement_payload(&genesis, group, &body.parent, &body.payload_hash, next_key);
		ensure!(verifies(endorsement, &message, next_key), Error::<T>::BadEndorsement);
		let now = Self::now();
		let head = empty.append(now, &body).ok_or(Error::<T>::LogFull)?;

		let deposit = T::GroupDeposit::get();
		T::Currency::hold(&HoldReason::Group.into(), &sponsor, deposit)?;

		let state = GroupState { head, last_entry_at: now, open_entries: 1, contested: false };
		let contests = budget::full_contests::<T>(now);
		Groups::<T>::insert(group, GroupOf::<T> { state, sponsor, deposit, contests });
		let entry = OpenEntry {
			index: empty.length,
			depth: 0,
			next_key: *next_key,
			block: now,
			extrinsic_index: Self::extrinsic_index(),
			children: 0,
			first_child_at: 0,
			last_child_at: 0,
			budget: budget::full::<T>(now),
		};
		Self::open(group, head.hash, OpenRecord { entry, contesting: false, candidates: BoundedVec::new() }, body);
		Self::deposit_event(Event::GroupCreated { group: *group, entry: head.hash });
		Ok(())
	}

	/// Appends an admitted entry.
	pub(crate) fn grow(group: &GroupId, admission: Admission<T>) {
		let now = Self::now();
		let contested = admission.is_contest();
		let Admission {
			group: mut record,
			contests,
			mut parent,
			body,
			head,
			open_entries,
			depth,
			budget,
			contesting,
			digest,
		} = admission;

		let index = record.state.head.length;
		record.state =
			GroupState { head, last_entry_at: now, open_entries, contested: record.state.contested || contested };
		record.contests = contests;
		Groups::<T>::insert(group, record);

		if !contested {
			parent.entry.first_child_at = now;
			Closing::<T>::push(DueEntry { group: *group, entry: body.parent, since: now });
		}
		parent.entry.last_child_at = now;
		parent.entry.children = parent.entry.children.saturating_add(1);
		// Admission has seen that there is room.
		let _ = parent.candidates.try_push(digest);
		OpenEntries::<T>::insert(group, body.parent, parent);

		let entry = OpenEntry {
			index,
			depth,
			next_key: body.next_key,
			block: now,
			extrinsic_index: Self::extrinsic_index(),
			children: 0,
			first_child_at: 0,
			last_child_at: 0,
			budget,
		};
		Self::open(group, head.hash, OpenRecord { entry, contesting, candidates: BoundedVec::new() }, body);
		Self::deposit_event(Event::EntryAppended {
			group: *group,
			index,
			entry: head.hash,
			parent: body.parent,
			depth,
			contested,
		});
	}

	/// Writes an entry into the state, the queue for its retention, and the list of this block.
	fn open(group: &GroupId, hash: EntryHash, record: OpenRecord, body: EntryBody) {
		let OpenEntry { index, block, extrinsic_index, next_key, .. } = record.entry;
		OpenEntries::<T>::insert(group, hash, record);
		Indices::<T>::insert(group, IndexKey::from(index), hash);
		Retained::<T>::push(DueEntry { group: *group, entry: hash, since: block });
		BlockEntries::<T>::append(BlockEntry { group: *group, index, hash, body, extrinsic_index });
		T::OnEntry::opened(&next_key);
	}

	fn extrinsic_index() -> u32 {
		frame_system::Pallet::<T>::extrinsic_index().unwrap_or_default()
	}
}
