//! How an identity begins: with its first event, at the cost of a sponsor, who calls itself or has given a voucher away.

use crate::{
	recording::{verify, Signatures, EVENT_PRIORITY, EVENT_TAG},
	types::IdentityOf,
	Config, Ended, Error, Event, HoldReason, Identities, Pallet,
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
	pallet_prelude::*,
	traits::{
		fungible::{InspectHold, MutateHold},
		Get,
	},
	weights::Weight,
};
use lockstep_primitives::{
	identity::{judge_inception, Change, IdentityRefusal as Refusal, SignedEvent},
	voucher::{Cashier, Payment, VoucherKind, VoucherRefusal, POOL_TAG},
};

impl<T: Config> Pallet<T> {
	/// Decides whether the identity can be registered, and what follows from it.
	fn check_first(signed: &SignedEvent, signatures: Signatures) -> Result<Change, Refusal> {
		let id = signed.event.identity;
		if Identities::<T>::contains_key(id) {
			return Err(Refusal::IdentityExists);
		}
		if Ended::<T>::contains_key(id) {
			return Err(Refusal::Closed);
		}
		let genesis = Self::genesis();
		judge_inception(&Self::place(&genesis, &id), signed, Self::is_used, |key, text, signature| {
			signatures == Signatures::Verified || verify(key, text, signature)
		})
	}

	/// Registers an identity.
	pub(crate) fn found(sponsor: T::AccountId, signed: &SignedEvent, signatures: Signatures) -> DispatchResult {
		let change = Self::check_first(signed, signatures).map_err(Error::<T>::from)?;
		let deposit = T::IdentityDeposit::get();
		T::Currency::hold(&HoldReason::Identity.into(), &sponsor, deposit)?;
		let record = IdentityOf::<T> { state: change.state.clone(), sponsor, deposit };
		Self::deposit_event(Event::IdentityRegistered { identity: signed.event.identity, entry: change.hash });
		Self::write(signed, record, change);
		Ok(())
	}

	/// Registers an identity at the cost of whoever gave the voucher away, which was authorised in this block.
	pub(crate) fn found_by_voucher(signed: &SignedEvent, payment: &Payment) -> DispatchResult {
		let sponsor = T::Vouchers::spend(VoucherKind::Register, payment, &signed.order());
		let sponsor = sponsor.map_err(|_| Error::<T>::VoucherRefused)?;
		Self::found(sponsor, signed, Signatures::Verified)
	}

	/// Whether the identity can be registered at the cost of this account; the code of the refusal if not.
	pub(crate) fn can_found(signed: &SignedEvent, sponsor: &T::AccountId) -> Result<(), u8> {
		Self::check_first(signed, Signatures::Verify).map_err(Refusal::code)?;
		T::Currency::ensure_can_hold(&HoldReason::Identity.into(), sponsor, T::IdentityDeposit::get())
			.map_err(|_| VoucherRefusal::NoFunds.code())
	}

	/// Decides whether the pool and the block may take the registration, and under which conditions.
	pub(crate) fn authorize_registration(signed: &SignedEvent, payment: &Payment) -> TransactionValidityWithRefund {
		let sponsor = T::Vouchers::check(VoucherKind::Register, payment, &signed.order());
		let sponsor = sponsor.map_err(|refusal| InvalidTransaction::Custom(refusal.code()))?;
		Self::can_found(signed, &sponsor).map_err(InvalidTransaction::Custom)?;
		let validity = ValidTransaction {
			priority: EVENT_PRIORITY,
			requires: Vec::new(),
			provides: alloc::vec![
				(EVENT_TAG, signed.event.identity, signed.event.index).encode(),
				(POOL_TAG, payment.voucher.voucher.key).encode(),
			],
			longevity: T::EventLongevity::get(),
			propagate: true,
		};
		Ok((validity, Weight::zero()))
	}
}
