//! When a group may be closed, and what closing it does.
//!
//! A living group must not end by the will of its sponsor, who need not be a member, nor by that of the sponsor and
//! one hostile member while others are active. So a group can be closed when nothing has been appended for a long
//! time, or for a shorter one with the word of a holder of the newest key: as long as members commit, neither holds.

use crate::{
	admission::verifies,
	pruning::Removals,
	types::{GroupOf, Removal},
	ClosedGroups, Config, Error, Event, Groups, HoldReason, OpenEntries, Pallet,
};
use frame_support::{
	ensure,
	traits::{fungible::MutateHold, tokens::Precision, Get},
};
use lockstep_primitives::{extrinsic::release_payload, Endorsement, GroupId};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Closes the group, for `close_group`.
	pub(crate) fn close(caller: &T::AccountId, group: &GroupId, release: Option<&Endorsement>) -> DispatchResult {
		let record = Groups::<T>::get(group).ok_or(Error::<T>::UnknownGroup)?;
		ensure!(record.sponsor == *caller, Error::<T>::NotSponsor);
		Self::ensure_ended(group, &record, release)?;

		// The hold is one sum for all groups of the sponsor. If something else has taken from it, the group can be
		// closed all the same, and what is left is returned.
		T::Currency::release(&HoldReason::Group.into(), &record.sponsor, record.deposit, Precision::BestEffort)?;
		Groups::<T>::remove(group);
		ClosedGroups::<T>::insert(group, ());
		Removals::<T>::push(Removal { group: *group, from: 0 });
		Self::deposit_event(Event::GroupClosed { group: *group });
		Ok(())
	}

	fn ensure_ended(group: &GroupId, record: &GroupOf<T>, release: Option<&Endorsement>) -> Result<(), Error<T>> {
		let silent_for = Self::now().saturating_sub(record.state.last_entry_at);
		if silent_for >= T::Retention::get() {
			return Ok(());
		}
		let release = release.ok_or(Error::<T>::GroupActive)?;
		ensure!(silent_for >= T::ContestWindow::get(), Error::<T>::GroupActive);
		let head = record.state.head.hash;
		let newest = OpenEntries::<T>::get(group, head).ok_or(Error::<T>::BadRelease)?;
		let message = release_payload(&Self::genesis(), group, &head);
		ensure!(verifies(release, &message, &newest.entry.next_key), Error::<T>::BadRelease);
		Ok(())
	}
}
