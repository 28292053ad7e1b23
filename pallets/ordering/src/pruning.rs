//! What leaves the state, and when: a bounded number of entries a block, in the weight that the block has left.
//!
//! Three queues feed it. An entry with a child closes when its contest window is over. An entry without one goes
//! after `Retention` if a younger one exists. The entries of a closed group go as soon as there is room.

use crate::{
	queue::{Fifo, Front},
	types::{DueEntry, IndexKey, Removal},
	CloseBounds, CloseQueue, Config, Groups, Indices, OnOpenEntry, OpenEntries, Pallet, RemovalBounds, RemovalQueue,
	RetentionBounds, RetentionQueue, WeightInfo,
};
use frame_support::{
	traits::Get,
	weights::{Weight, WeightMeter},
};
use lockstep_primitives::{admission::closes_at, BlockNumber, EntryHash, GroupId};

/// Entries with a child, from the block of their first one.
pub(crate) type Closing<T> = Fifo<CloseBounds<T>, CloseQueue<T>, DueEntry>;
/// All entries, from their own block.
pub(crate) type Retained<T> = Fifo<RetentionBounds<T>, RetentionQueue<T>, DueEntry>;
/// Closed groups that still have entries.
pub(crate) type Removals<T> = Fifo<RemovalBounds<T>, RemovalQueue<T>, Removal>;

/// One of the queues.
#[derive(Clone, Copy)]
enum Queue {
	Closing,
	Retained,
	Removals,
}

impl Queue {
	/// All of them, starting with another one in each block, so that each comes first in a third of the blocks
	/// even if there is time for one item only.
	fn in_turn(now: BlockNumber) -> [Self; 3] {
		match now % 3 {
			0 => [Self::Closing, Self::Retained, Self::Removals],
			1 => [Self::Retained, Self::Removals, Self::Closing],
			_ => [Self::Removals, Self::Closing, Self::Retained],
		}
	}

	/// What one item of it costs at most.
	fn weight<T: Config>(self) -> Weight {
		match self {
			Self::Closing => T::WeightInfo::prune_closing(),
			Self::Retained => T::WeightInfo::prune_retained(),
			Self::Removals => T::WeightInfo::prune_removed(),
		}
	}

	/// Handles the oldest item. `false` if nothing of this queue is due.
	fn step<T: Config>(self, now: BlockNumber) -> bool {
		match self {
			Self::Closing => Pallet::<T>::prune_closing(now),
			Self::Retained => Pallet::<T>::prune_retained(now),
			Self::Removals => Pallet::<T>::prune_removed(),
		}
	}
}

impl<T: Config> Pallet<T> {
	/// Prunes what is due, within `limit` and `MaxPrunedPerBlock`. Returns the weight that it used.
	pub(crate) fn prune(limit: Weight) -> Weight {
		let mut meter = WeightMeter::with_limit(limit);
		// Looking at three queues that turn out to have nothing due costs this.
		if meter.try_consume(T::WeightInfo::prune_nothing()).is_err() {
			return meter.consumed();
		}
		let now = Self::now();
		let mut queues = Queue::in_turn(now).map(Some);
		let mut items_left = T::MaxPrunedPerBlock::get();
		while queues.iter().any(Option::is_some) {
			for slot in &mut queues {
				let Some(queue) = *slot else { continue };
				if items_left == 0 || !meter.can_consume(queue.weight::<T>()) {
					*slot = None;
				} else if queue.step::<T>(now) {
					meter.consume(queue.weight::<T>());
					items_left = items_left.saturating_sub(1);
				} else {
					*slot = None;
				}
			}
		}
		meter.consumed()
	}

	/// Closes the oldest entry that has a child, if its contest window is over.
	pub(crate) fn prune_closing(now: BlockNumber) -> bool {
		match Closing::<T>::front() {
			Front::Empty => return false,
			Front::Item(due) if now < closes_at(due.since, T::ContestWindow::get()) => return false,
			Front::Item(due) => Self::remove_entry(&due.group, &due.entry),
			Front::Gap => (),
		}
		Closing::<T>::pop();
		true
	}

	/// Removes the oldest entry if it is past `Retention`, has no child, and is not the newest of its log.
	///
	/// One look suffices. An entry with a child is in the other queue. The newest entry stays as long as it has no
	/// child: entries as old as it have closed by then, so nothing but its own child can follow it.
	pub(crate) fn prune_retained(now: BlockNumber) -> bool {
		match Retained::<T>::front() {
			Front::Empty => return false,
			Front::Item(due) if now < due.since.saturating_add(T::Retention::get()) => return false,
			Front::Item(due) => {
				if Self::is_stale_leaf(&due.group, &due.entry) {
					Self::remove_entry(&due.group, &due.entry);
				}
			}
			Front::Gap => (),
		}
		Retained::<T>::pop();
		true
	}

	/// Removes the next entry of the oldest closed group, or the group from the queue when none is left.
	pub(crate) fn prune_removed() -> bool {
		match Removals::<T>::front() {
			Front::Empty => return false,
			Front::Item(removal) => {
				// Going on from where the last step stopped: a search from the start would pass over all that was
				// removed in the same block.
				if let Some((index, entry)) = Self::entries_from(&removal.group, removal.from).next() {
					Self::remove_entry(&removal.group, &entry);
					Removals::<T>::replace_front(Removal { from: index.saturating_add(1), ..removal });
					return true;
				}
			}
			Front::Gap => (),
		}
		Removals::<T>::pop();
		true
	}

	fn is_stale_leaf(group: &GroupId, entry: &EntryHash) -> bool {
		let Some(open) = OpenEntries::<T>::get(group, entry) else { return false };
		// The entries of a closed group have a queue of their own.
		let Some(record) = Groups::<T>::get(group) else { return false };
		open.entry.children == 0 && record.state.head.hash != *entry
	}

	/// Takes an entry out of the state; does nothing if it has gone already.
	fn remove_entry(group: &GroupId, entry: &EntryHash) {
		let Some(open) = OpenEntries::<T>::take(group, entry) else { return };
		Indices::<T>::remove(group, IndexKey::from(open.entry.index));
		Groups::<T>::mutate(group, |record| {
			if let Some(record) = record {
				record.state.open_entries = record.state.open_entries.saturating_sub(1);
			}
		});
		T::OnEntry::closed(&open.entry.next_key);
	}
}
