//! How a group begins: with entry 0, at the cost of a sponsor, who calls itself or has given a voucher away.

use crate::{
	admission::{verifies, Signature, APPEND_PRIORITY},
	budget,
	types::{GroupOf, OpenRecord},
	ClosedGroups, Config, Error, Event, Groups, HoldReason, Pallet,
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
	pallet_prelude::*,
	traits::{
		fungible::{InspectHold, MutateHold},
		Get,
	},
	BoundedVec,
};
use lockstep_primitives::{
	endorsement_payload,
	extrinsic::Founding,
	payload_hash,
	voucher::{Cashier, Payment, VoucherKind, VoucherRefusal, POOL_TAG},
	EntryBody, GroupState, LogHead, LogKind, OpenEntry, Refusal,
};

/// The tag that a creation by voucher provides to the pool starts with this; the group follows.
pub const FOUNDING_TAG: &[u8] = b"lockstep/group";
/// Entry 0 of a group, and the head that it makes.
struct First {
	empty: LogHead,
	body: EntryBody,
	head: LogHead,
}

impl<T: Config> Pallet<T> {
	/// Decides whether the group can be created.
	fn check_founding(founding: &Founding, signature: Signature) -> Result<First, Refusal> {
		let Founding { group, next_key, endorsement } = founding;
		if Groups::<T>::contains_key(group) {
			return Err(Refusal::GroupExists);
		}
		if ClosedGroups::<T>::contains_key(group) {
			return Err(Refusal::GroupIdUsed);
		}
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
		if signature == Signature::Verify && !verifies(endorsement, &message, next_key) {
			return Err(Refusal::BadEndorsement);
		}
		let head = empty.append(Self::now(), &body).ok_or(Refusal::LogFull)?;
		Ok(First { empty, body, head })
	}

	/// Creates the group with entry 0.
	pub(crate) fn found(sponsor: T::AccountId, founding: &Founding, signature: Signature) -> DispatchResult {
		let First { empty, body, head } = Self::check_founding(founding, signature).map_err(Error::<T>::from)?;
		let Founding { group, next_key, .. } = founding;
		let now = Self::now();
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

	/// Creates the group at the cost of whoever gave the voucher away, which was authorised in this block.
	pub(crate) fn found_by_voucher(founding: &Founding, payment: &Payment) -> DispatchResult {
		let sponsor = T::Vouchers::spend(VoucherKind::CreateGroup, payment, &founding.order());
		let sponsor = sponsor.map_err(|_| Error::<T>::VoucherRefused)?;
		Self::found(sponsor, founding, Signature::Verified)
	}

	/// Whether the group can be created at the cost of this account; the code of the refusal if not.
	pub(crate) fn can_found(founding: &Founding, sponsor: &T::AccountId) -> Result<(), u8> {
		Self::check_founding(founding, Signature::Verify).map_err(Refusal::code)?;
		T::Currency::ensure_can_hold(&HoldReason::Group.into(), sponsor, T::GroupDeposit::get())
			.map_err(|_| VoucherRefusal::NoFunds.code())
	}

	/// Decides whether the pool and the block may take the creation, and under which conditions.
	pub(crate) fn authorize_founding(founding: &Founding, payment: &Payment) -> TransactionValidityWithRefund {
		let sponsor = T::Vouchers::check(VoucherKind::CreateGroup, payment, &founding.order());
		let sponsor = sponsor.map_err(|refusal| InvalidTransaction::Custom(refusal.code()))?;
		Self::can_found(founding, &sponsor).map_err(InvalidTransaction::Custom)?;
		let validity = ValidTransaction {
			priority: APPEND_PRIORITY,
			requires: Vec::new(),
			provides: alloc::vec![
				(FOUNDING_TAG, founding.group).encode(),
				(POOL_TAG, payment.voucher.voucher.key).encode(),
			],
			longevity: T::AppendLongevity::get(),
			propagate: true,
		};
		Ok((validity, Weight::zero()))
	}
}
