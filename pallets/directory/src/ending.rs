//! When the state of an identity goes.

use crate::{Config, Ended, Error, Event, HoldReason, Identities, Pallet};
use frame_support::{
	ensure,
	traits::{fungible::MutateHold, tokens::Precision, Get},
};
use lockstep_primitives::{identity::OnRevoked, IdentityId};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Lets an identity go, for `reclaim`.
	pub(crate) fn end(caller: &T::AccountId, id: &IdentityId) -> DispatchResult {
		let record = Identities::<T>::get(id).ok_or(Error::<T>::UnknownIdentity)?;
		ensure!(record.sponsor == *caller, Error::<T>::NotSponsor);
		// A closed identity has had no event since, so the newest is the one that closed it.
		let closed_at = record.state.recent.last().map(|recent| recent.block).filter(|_| record.state.closed);
		let closed_at = closed_at.ok_or(Error::<T>::NotEnded)?;
		ensure!(Self::now().saturating_sub(closed_at) > T::RecoveryWindow::get(), Error::<T>::NotEnded);
		// The hold is one sum for all of the sponsor. If something else has taken from it, what is left is returned.
		T::Currency::release(&HoldReason::Identity.into(), &record.sponsor, record.deposit, Precision::BestEffort)?;
		record.state.devices.iter().for_each(|device| T::OnRevoked::on_revoked(&device.key));
		T::OnRevoked::on_ended(id);
		Identities::<T>::remove(id);
		Ended::<T>::insert(id, record.state.head);
		Self::deposit_event(Event::IdentityEnded { identity: *id });
		Ok(())
	}
}
