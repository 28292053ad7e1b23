//! What must hold: of the constants, before a node starts, and of the state, always.

#[cfg(feature = "std")]
impl<T: crate::Config> crate::Pallet<T> {
	/// Panics if the runtime's constants do not fit together, for `integrity_test`.
	pub(crate) fn check_constants() {
		use crate::WeightInfo;
		use frame_support::{dispatch::DispatchClass, traits::Get};

		let interval = T::CandidateInterval::get();
		let window = T::ContestWindow::get();
		let length = T::MaxPayload::get();
		assert!(interval >= 1, "CandidateInterval must be at least one block: in one block, the first entry wins");
		assert!(
			window > interval.saturating_mul(4),
			"ContestWindow must leave time for several candidates, or a hostile first child closes its parent"
		);
		assert!(
			T::Retention::get() > window,
			"Retention must be longer than ContestWindow: pruning relies on it, and so does closing a group"
		);
		assert!(length >= 1, "MaxPayload must leave room for a commit");
		assert!(T::EntryCapacity::get() >= 1, "EntryCapacity must suffice for an entry");
		assert!(T::EntryRefill::get() >= 1, "EntryRefill must be at least 1, or a lineage ends for good");
		assert!(T::ByteCapacity::get() >= length, "ByteCapacity must suffice for an entry of MaxPayload bytes");
		assert!(T::ByteRefill::get() >= 1, "ByteRefill must be at least 1, or a lineage ends for good");
		let (entries, bytes) = (T::ContestEntries::get(), T::ContestBytes::get());
		assert!(
			T::ContestCapacity::get() >= 1,
			"ContestCapacity must be at least 1, or a hostile entry cannot be contested"
		);
		assert!(T::ContestRefill::get() >= 1, "ContestRefill must be at least one block");
		assert!(T::ContestSlowdown::get() >= 1, "ContestSlowdown must be at least one block");
		assert!(entries >= 1, "ContestEntries must suffice for an entry");
		assert!(entries <= T::EntryCapacity::get(), "ContestEntries must not be more than EntryCapacity");
		assert!(bytes >= length, "ContestBytes must suffice for an entry of MaxPayload bytes");
		assert!(bytes <= T::ByteCapacity::get(), "ContestBytes must not be more than ByteCapacity");
		assert!(T::AppendLongevity::get() >= 1, "AppendLongevity must be at least one block");
		assert!(T::MaxPrunedPerBlock::get() >= 1, "MaxPrunedPerBlock must be at least 1, or the state only grows");

		let weights = T::BlockWeights::get();
		let largest = T::WeightInfo::append(length).saturating_add(T::WeightInfo::authorize_append(length));
		let allowed = weights.get(DispatchClass::Normal).max_extrinsic.unwrap_or(weights.max_block);
		assert!(largest.all_lte(allowed), "an entry of MaxPayload bytes must fit in a block by its weight");
		let allowed = T::BlockLength::get();
		assert!(
			*allowed.max.get(DispatchClass::Normal) > length.saturating_add(1024),
			"an entry of MaxPayload bytes must fit in a block by its length"
		);
		let step = T::WeightInfo::prune_closing()
			.max(T::WeightInfo::prune_retained())
			.max(T::WeightInfo::prune_removed())
			.saturating_add(T::WeightInfo::prune_nothing());
		assert!(step.all_lte(weights.max_block), "pruning an entry must fit in a block");
	}
}

#[cfg(any(feature = "try-runtime", test))]
mod state {
	use crate::{
		types::*, CloseBounds, CloseQueue, ClosedGroups, Config, Groups, HoldReason, Indices, OpenEntries, Pallet,
		RemovalBounds, RemovalQueue, RetentionBounds, RetentionQueue,
	};
	use alloc::collections::{BTreeMap, BTreeSet};
	use frame_support::{ensure, traits::fungible::InspectHold};
	use lockstep_primitives::{EntryHash, GroupId};
	use sp_runtime::traits::{Saturating, Zero};

	type Check = Result<(), &'static str>;

	impl<T: Config> Pallet<T> {
		/// Checks the whole state; says which rule does not hold.
		pub(crate) fn check_state() -> Check {
			Self::check_queues()?;
			Self::check_groups()?;
			Self::check_open_entries()?;
			Self::check_deposits()
		}

		fn check_queues() -> Check {
			let fits =
				|bounds: QueueBounds, items: usize| bounds.tail.checked_sub(bounds.head) == u64::try_from(items).ok();
			ensure!(fits(CloseBounds::<T>::get(), CloseQueue::<T>::iter_keys().count()), "close queue has gaps");
			ensure!(
				fits(RetentionBounds::<T>::get(), RetentionQueue::<T>::iter_keys().count()),
				"retention queue has gaps"
			);
			ensure!(fits(RemovalBounds::<T>::get(), RemovalQueue::<T>::iter_keys().count()), "removal queue has gaps");
			Ok(())
		}

		fn check_groups() -> Check {
			ensure!(Groups::<T>::iter_keys().count() == Groups::<T>::count() as usize, "group count is wrong");
			for (group, record) in Groups::<T>::iter() {
				ensure!(!ClosedGroups::<T>::contains_key(group), "a group is open and closed");
				let state = record.state;
				let open = OpenEntries::<T>::iter_key_prefix(group).count();
				ensure!(open == state.open_entries as usize, "open_entries is not the number of open entries");
				let newest = OpenEntries::<T>::get(group, state.head.hash).ok_or("the newest entry is not open")?;
				ensure!(newest.entry.children == 0, "the newest entry has a child");
				ensure!(
					newest.entry.index.checked_add(1) == Some(state.head.length),
					"the newest entry is not the last"
				);
				ensure!(record.contests.at <= Self::now(), "a group's contests are counted from the future");
				ensure!(newest.entry.block == state.last_entry_at, "last_entry_at is not the newest entry's block");
			}
			Ok(())
		}

		fn check_open_entries() -> Check {
			let removals: BTreeSet<GroupId> = RemovalQueue::<T>::iter_values().map(|removal| removal.group).collect();
			let closing: BTreeSet<(GroupId, EntryHash)> =
				CloseQueue::<T>::iter_values().map(|due| (due.group, due.entry)).collect();
			let retained: BTreeSet<(GroupId, EntryHash)> =
				RetentionQueue::<T>::iter_values().map(|due| (due.group, due.entry)).collect();
			let indices = Indices::<T>::iter().count();
			ensure!(indices == OpenEntries::<T>::iter_keys().count(), "an index names no open entry");
			for (group, hash, record) in OpenEntries::<T>::iter() {
				let entry = record.entry;
				ensure!(Indices::<T>::get(group, IndexKey::from(entry.index)) == Some(hash), "an index is wrong");
				ensure!(
					record.candidates.len() == entry.children as usize,
					"an entry's candidates are not its children"
				);
				ensure!(entry.first_child_at <= entry.last_child_at, "an entry's first child is younger than its last");
				let Some(state) = Groups::<T>::get(group).map(|record| record.state) else {
					ensure!(removals.contains(&group), "an entry's group is neither open nor being removed");
					continue;
				};
				ensure!(entry.index < state.head.length, "an entry lies beyond the head");
				let queued = match entry.children {
					0 => hash == state.head.hash || retained.contains(&(group, hash)),
					_ => closing.contains(&(group, hash)),
				};
				ensure!(queued, "an open entry would never be pruned");
			}
			Ok(())
		}

		fn check_deposits() -> Check {
			let mut deposits = BTreeMap::<T::AccountId, BalanceOf<T>>::new();
			for record in Groups::<T>::iter_values() {
				let sum = deposits.entry(record.sponsor).or_insert_with(Zero::zero);
				*sum = sum.saturating_add(record.deposit);
			}
			let covered = |(sponsor, sum): (&T::AccountId, &BalanceOf<T>)| {
				T::Currency::balance_on_hold(&HoldReason::Group.into(), sponsor) >= *sum
			};
			ensure!(deposits.iter().all(covered), "less is held from a sponsor than its groups need");
			Ok(())
		}
	}
}
