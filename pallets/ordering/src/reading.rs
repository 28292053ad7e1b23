//! What the runtime API returns, and the reads that the rest of the pallet shares.

use crate::{admission::is_open, types::IndexKey, BlockEntries, Config, Groups, Indices, OpenEntries, Pallet};
use alloc::vec::Vec;
use frame_support::traits::Get;
use lockstep_primitives::{
	BlockEntry, BlockNumber, EntryHash, GenesisHash, GroupId, GroupState, OpenEntry, OrderingParameters,
};
use sp_runtime::SaturatedConversion;

/// Entries that one call of [`Pallet::open_entries`] returns at most, whatever its `limit`.
pub const MAX_OPEN_ENTRIES: u32 = 1024;

impl<T: Config> Pallet<T> {
	/// The group, unless it never was or is closed.
	pub fn group(group: GroupId) -> Option<GroupState> {
		Groups::<T>::get(group).map(|record| record.state)
	}

	/// One open entry of a group; `None` also when its contest window is over and it waits to be pruned.
	pub fn open_entry(group: GroupId, entry: EntryHash) -> Option<OpenEntry> {
		if !Groups::<T>::contains_key(group) {
			return None;
		}
		Self::read_open(&group, &entry)
	}

	/// Open entries of a group from log index `from` on, in log order: `limit` of them at most, and never more than
	/// [`MAX_OPEN_ENTRIES`]. Go on from the index after the last one that was returned.
	pub fn open_entries(group: GroupId, from: u64, limit: u32) -> Vec<(EntryHash, OpenEntry)> {
		if !Groups::<T>::contains_key(group) {
			return Vec::new();
		}
		let limit = usize::try_from(limit.min(MAX_OPEN_ENTRIES)).unwrap_or_default();
		Self::entries_from(&group, from)
			.filter_map(|(_, hash)| Some((hash, Self::read_open(&group, &hash)?)))
			.take(limit)
			.collect()
	}

	/// The entries that this block appended, in order.
	pub fn block_entries() -> Vec<BlockEntry> {
		BlockEntries::<T>::get()
	}

	/// How many groups are open.
	pub fn group_count() -> u32 {
		Groups::<T>::count()
	}

	/// The pallet's constants.
	pub fn parameters() -> OrderingParameters {
		OrderingParameters {
			max_payload: T::MaxPayload::get(),
			candidate_interval: T::CandidateInterval::get(),
			contest_window: T::ContestWindow::get(),
			retention: T::Retention::get(),
			entry_budget: (T::EntryCapacity::get(), T::EntryRefill::get()),
			byte_budget: (T::ByteCapacity::get(), T::ByteRefill::get()),
		}
	}

	fn read_open(group: &GroupId, entry: &EntryHash) -> Option<OpenEntry> {
		let entry = OpenEntries::<T>::get(group, entry)?.entry;
		is_open::<T>(&entry, Self::now()).then_some(entry)
	}

	/// The indices and hashes of the entries in state, from `from` on, in log order. Reads as it goes.
	pub(crate) fn entries_from(group: &GroupId, from: u64) -> impl Iterator<Item = (u64, EntryHash)> {
		let entries = match from.checked_sub(1) {
			None => Indices::<T>::iter_prefix(group),
			Some(before) => {
				let start = Indices::<T>::hashed_key_for(group, IndexKey::from(before));
				Indices::<T>::iter_prefix_from(group, start)
			}
		};
		entries.map(|(index, hash)| (index.into(), hash))
	}

	/// The number of this block.
	pub(crate) fn now() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}

	/// The hash of block 0, which FRAME keeps for ever.
	pub(crate) fn genesis() -> GenesisHash {
		GenesisHash(
			frame_system::Pallet::<T>::block_hash(frame_system::pallet_prelude::BlockNumberFor::<T>::default()).0,
		)
	}
}
