//! Vouchers that are bound to a group, and what becomes of them.
//!
//! One is bound in a write of its own, before anything is claimed with it, and from then on perhaps spent: so it serves no other
//! group any more, unless it is known that it was not shown to anybody. It stays bound until its devices are in, or it is known to
//! be of no use. What nodes have against it does not show that: they are believed in the end, after ten times in nine hours.

use super::{
	super::core::Core,
	claim::NotAddedBecause,
	devices,
	pool::{free, Pooled},
	retire::AGAIN,
};
use crate::{
	mls::Mls,
	store::{Overlay, Record, StoreError},
	voucher::{HeldVoucher, VoucherRefusal},
};
use lockstep_primitives::{key_package::CLAIM_LIFE, BlockNumber, GroupId, IdentityKey, SponsorId, VoucherKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How often nodes have something against a voucher, or the claim with it, before they are believed.
const MOST_REFUSED: u32 = 10;

/// The voucher that is bound to a group, by the group's id.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct InUse {
	pooled: Pooled,
	/// The devices that are to come in.
	devices: Vec<IdentityKey>,
	/// How often nodes had something against it.
	#[serde(default)]
	refused: u32,
	/// The block before which nothing is claimed with it again.
	#[serde(default)]
	not_before: BlockNumber,
	/// The block in which it was bound.
	#[serde(default)]
	since: BlockNumber,
}

impl Record for InUse {
	const KIND: &'static str = "claim voucher in use";
}

impl InUse {
	pub(super) fn held(&self) -> HeldVoucher {
		self.pooled.held()
	}

	pub(super) fn key(&self) -> VoucherKey {
		self.pooled.key()
	}

	/// Whether it is for one of these devices.
	pub(super) fn is_for_any(&self, devices: &[IdentityKey]) -> bool {
		self.devices.iter().any(|device| devices.contains(device))
	}

	pub(super) fn not_before(&self) -> BlockNumber {
		self.not_before
	}
}

/// That a voucher was bound to a group which has done with it, by its key: it is not kept again if the application gives it once
/// more.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Spent {
	pub(super) expiry: BlockNumber,
}

impl Record for Spent {
	const KIND: &'static str = "claim voucher spent";
}

/// A claim that is on its way.
#[derive(Clone, Copy, Debug)]
pub(in crate::client) struct Claiming {
	/// For which group.
	pub group: GroupId,
	/// Its voucher was bound for this claim, and so never shown before.
	pub fresh: bool,
}

/// What is under way with the vouchers.
#[derive(Debug, Default)]
pub(in crate::client) struct Claims {
	/// One claim at a time.
	pub now: Option<Claiming>,
	/// The sponsors of vouchers that nodes had something against: theirs are taken last.
	doubted: BTreeSet<SponsorId>,
	/// Whether there was a voucher to take in this block; nothing after a change.
	pub(super) had_free: Option<(BlockNumber, bool)>,
}

/// The one that is bound to a group. One that is damaged is none.
pub(super) fn in_use(overlay: &Overlay<'_>, group: &GroupId) -> Result<Option<InUse>, StoreError> {
	match overlay.nested().get(group.as_bytes()) {
		Err(error @ StoreError::Corrupt { .. }) => {
			tracing::warn!(%group, %error, "a voucher that was used for a group is lost");
			Ok(None)
		}
		read => read,
	}
}

/// A group has done with its voucher.
pub(super) fn bury(overlay: &Overlay<'_>, group: &[u8], bound: &InUse) -> Result<(), StoreError> {
	overlay.delete::<InUse>(group)?;
	overlay.put(&bound.key().0, &Spent { expiry: bound.pooled.expiry() })
}

/// So many blocks, doubled so often.
pub(super) fn doubled(blocks: BlockNumber, times: u32) -> BlockNumber {
	blocks.saturating_mul(BlockNumber::saturating_pow(2, times))
}

impl<M: Mls> Core<M> {
	/// The voucher with which is claimed for these devices in a group: the one that is bound to it, or else one of the pool, which
	/// is bound to it when this returns; and whether it is one of the pool. `None` if there is none.
	pub(super) fn take_voucher(
		&mut self,
		id: &GroupId,
		devices: &[IdentityKey],
	) -> Result<Option<(HeldVoucher, bool)>, StoreError> {
		let now = self.now();
		let overlay = self.store.overlay();
		if let Some(bound) = in_use(&overlay, id)? {
			return Ok(Some((bound.held(), false)));
		}
		self.clear_pool(&overlay, now)?;
		// The one that expires first, of those that nothing was said against.
		let order = |pooled: &Pooled| (self.claims.doubted.contains(&pooled.sponsor()), pooled.expiry(), pooled.key());
		let next = free(&overlay, now)?.into_iter().min_by_key(order);
		let next =
			next.map(|pooled| InUse { pooled, devices: devices.to_vec(), refused: 0, not_before: 0, since: now });
		if let Some(bound) = &next {
			overlay.delete::<Pooled>(&bound.key().0)?;
			overlay.put(id.as_bytes(), bound)?;
		}
		overlay.commit()?;
		self.claims.had_free = None;
		Ok(next.map(|bound| (bound.held(), true)))
	}

	/// The voucher that is bound to a group was not shown to anybody, and is of use to any group.
	pub(super) fn give_back_voucher(&mut self, id: &GroupId) -> Result<(), StoreError> {
		let overlay = self.store.overlay();
		let Some(InUse { pooled, .. }) = in_use(&overlay, id)? else { return Ok(()) };
		overlay.delete::<InUse>(id.as_bytes())?;
		overlay.put(&pooled.key().0, &pooled)?;
		self.claims.had_free = None;
		overlay.commit()
	}

	/// The claim with the voucher that is bound to a group gave KeyPackages of these devices alone.
	pub(super) fn voucher_is_for(&mut self, id: &GroupId, devices: Vec<IdentityKey>) -> Result<(), StoreError> {
		let overlay = self.store.overlay();
		let Some(bound) = in_use(&overlay, id)? else { return Ok(()) };
		overlay.put(id.as_bytes(), &InUse { devices, ..bound })?;
		overlay.commit()
	}

	/// Nodes have something against the voucher that is bound to a group, or else the claim with it. It is claimed again after ever
	/// more blocks. One that is said to be of no use is given up in the end; at once, if it is said to be spent and the chain may
	/// have forgotten by now what this client has claimed with it. Gives after how many blocks it is claimed again.
	pub(super) fn voucher_is_refused(
		&mut self,
		id: &GroupId,
		reason: &NotAddedBecause,
	) -> Result<BlockNumber, StoreError> {
		let overlay = self.store.overlay();
		let Some(bound) = in_use(&overlay, id)? else { return Ok(AGAIN) };
		let wait = doubled(AGAIN, bound.refused.min(MOST_REFUSED));
		let refused = bound.refused.saturating_add(1);
		if let NotAddedBecause::Voucher(refusal) = reason {
			self.claims.doubted.insert(bound.pooled.sponsor());
			let is_forgotten = self.finalized > bound.since.saturating_add(CLAIM_LIFE);
			if refused >= MOST_REFUSED || (*refusal == VoucherRefusal::Spent && is_forgotten) {
				drop(overlay);
				self.voucher_is_spent(id, 1)?;
				return Ok(wait);
			}
		}
		let not_before = self.finalized.saturating_add(wait);
		overlay.put(id.as_bytes(), &InUse { refused, not_before, ..bound })?;
		overlay.commit()?;
		Ok(wait)
	}

	/// The voucher that is bound to a group is of no use any more. It counts as so many that came to nothing.
	pub(super) fn voucher_is_spent(&mut self, id: &GroupId, in_vain: u32) -> Result<(), StoreError> {
		let overlay = self.store.overlay();
		let Some(bound) = in_use(&overlay, id)? else { return Ok(()) };
		bury(&overlay, id.as_bytes(), &bound)?;
		devices::count_spent(&overlay, id, &bound.devices, in_vain)?;
		overlay.commit()?;
		if let (Some(me), Some(group)) = (self.person().filter(|_| in_vain > 0), self.groups.get_mut(id)) {
			// Whether and when its devices come follows from that.
			group.admitting.start_anew();
			group.retiring.suspect(me);
		}
		Ok(())
	}
}
