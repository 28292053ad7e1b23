//! How a log grows by an entry that is admitted. Nothing here can fail.

use crate::{
	admission::Admission,
	pruning::{Closing, Retained},
	types::{DueEntry, IndexKey, OpenRecord},
	BlockEntries, Config, Event, Groups, Indices, OnOpenEntry, OpenEntries, Pallet,
};
use frame_support::BoundedVec;
use lockstep_primitives::{BlockEntry, EntryBody, EntryHash, GroupId, GroupState, OpenEntry};

impl<T: Config> Pallet<T> {
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
	pub(crate) fn open(group: &GroupId, hash: EntryHash, record: OpenRecord, body: EntryBody) {
		let OpenEntry { index, block, extrinsic_index, next_key, .. } = record.entry;
		OpenEntries::<T>::insert(group, hash, record);
		Indices::<T>::insert(group, IndexKey::from(index), hash);
		Retained::<T>::push(DueEntry { group: *group, entry: hash, since: block });
		BlockEntries::<T>::append(BlockEntry { group: *group, index, hash, body, extrinsic_index });
		T::OnEntry::opened(&next_key);
	}

	pub(crate) fn extrinsic_index() -> u32 {
		frame_system::Pallet::<T>::extrinsic_index().unwrap_or_default()
	}
}
