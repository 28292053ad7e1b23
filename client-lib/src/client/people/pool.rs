//! The vouchers with which a client claims KeyPackages by itself, for the devices of its own person.
//!
//! One is bound to a group, in a write of its own, before anything is claimed with it, and stays bound until it is known what came
//! of that: so a client that was killed claims with the same voucher again, and gets the same. A bound voucher is one that is
//! perhaps spent. No backup has any: two clients of one backup would spend the same.

use super::super::{
	command::{Command, Reply},
	core::Core,
	records::ONLY,
	Client,
};
use crate::{
	directory::Seed,
	mls::{Mls, SignerSeed},
	store::{Overlay, Record, StoreError},
	voucher::{HeldVoucher, VoucherKind},
};
use lockstep_primitives::{voucher::SignedVoucher, BlockNumber, GroupId, IdentityKey, VoucherKey};
use serde::{Deserialize, Serialize};

/// Vouchers that are kept at most.
const MOST: usize = 256;
/// Blocks for which a voucher must be good still: a claim takes its time.
const MARGIN: BlockNumber = 64;

/// Why a client does not keep vouchers, or does not know how many it has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimVouchersError {
	/// One of them is good for something else. None was kept.
	#[error("a voucher is good for something else ({0:?}): give the client such as are for claims")]
	OtherKind(VoucherKind),
	/// There would be too many. None was kept.
	#[error("a client keeps {max} vouchers at most: give it the rest when it has used some")]
	Full {
		/// The bound.
		max: usize,
	},
	/// Trouble with the store.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// The client was closed.
	#[error("the client is closed: open it again")]
	Closed,
}

/// What the handle asks of the pool.
pub(in crate::client) enum PoolCommand {
	Keep(Vec<HeldVoucher>, Reply<usize, ClaimVouchersError>),
	Count(Reply<usize, ClaimVouchersError>),
	/// What shows that a claim is by a contact of this client's own person.
	Gate(Option<Seed>, Reply<(), ClaimVouchersError>),
}

/// A voucher of the pool, by its key.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Pooled {
	voucher: SignedVoucher,
	key: SignerSeed,
}

impl Record for Pooled {
	const KIND: &'static str = "claim voucher";
}

impl Pooled {
	fn of(held: &HeldVoucher) -> Self {
		let (voucher, key) = held.to_parts();
		Self { voucher, key }
	}

	fn key(&self) -> VoucherKey {
		self.voucher.voucher.key
	}

	fn expiry(&self) -> BlockNumber {
		self.voucher.voucher.expiry
	}
}

/// The voucher that is bound to a group, by the group's id.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct InUse {
	pooled: Pooled,
	/// The devices that are to come in.
	devices: Vec<IdentityKey>,
}

impl Record for InUse {
	const KIND: &'static str = "claim voucher in use";
}

impl InUse {
	pub(super) fn held(&self) -> HeldVoucher {
		HeldVoucher::of_parts(self.pooled.voucher, &self.pooled.key)
	}

	pub(super) fn key(&self) -> VoucherKey {
		self.pooled.key()
	}

	/// Whether it is for one of these devices.
	pub(super) fn is_for_any(&self, devices: &[IdentityKey]) -> bool {
		self.devices.iter().any(|device| devices.contains(device))
	}
}

/// The secret of the person's gate.
#[derive(Serialize, Deserialize)]
struct ClaimGate {
	seed: SignerSeed,
}

impl Record for ClaimGate {
	const KIND: &'static str = "claim gate";
}

fn has_expired(expiry: BlockNumber, now: BlockNumber) -> bool {
	expiry <= now.saturating_add(MARGIN)
}

/// Those that can be taken.
pub(super) fn free(overlay: &Overlay<'_>, now: BlockNumber) -> Result<Vec<Pooled>, StoreError> {
	let pool = overlay.list::<Pooled>(ONLY)?.into_iter().map(|(_, pooled)| pooled);
	Ok(pool.filter(|pooled| !has_expired(pooled.expiry(), now)).collect())
}

/// The one that is bound to a group.
pub(super) fn in_use(overlay: &Overlay<'_>, group: &GroupId) -> Result<Option<InUse>, StoreError> {
	overlay.get(group.as_bytes())
}

impl<M: Mls> Core<M> {
	pub(in crate::client) fn on_pool(&mut self, command: PoolCommand) {
		match command {
			PoolCommand::Keep(vouchers, reply) => drop(reply.send(self.keep_vouchers(&vouchers))),
			PoolCommand::Count(reply) => {
				let left = free(&self.store.overlay(), self.finalized).map(|free| free.len());
				drop(reply.send(left.map_err(ClaimVouchersError::from)));
			}
			PoolCommand::Gate(seed, reply) => {
				drop(reply.send(self.keep_gate(seed.as_ref()).map_err(ClaimVouchersError::from)));
			}
		}
	}

	fn keep_vouchers(&mut self, vouchers: &[HeldVoucher]) -> Result<usize, ClaimVouchersError> {
		let mut kinds = vouchers.iter().map(|held| held.voucher().kind);
		if let Some(other) = kinds.find(|kind| *kind != VoucherKind::Claim) {
			return Err(ClaimVouchersError::OtherKind(other));
		}
		let now = self.finalized;
		let overlay = self.store.overlay();
		let had_none = free(&overlay, now)?.is_empty();
		self.clear_pool(&overlay)?;
		let in_use: Vec<VoucherKey> = overlay.list::<InUse>(ONLY)?.iter().map(|(_, bound)| bound.key()).collect();
		for held in vouchers.iter().filter(|held| !has_expired(held.voucher().expiry, now)) {
			let key = held.voucher().key;
			if !in_use.contains(&key) {
				overlay.put(&key.0, &Pooled::of(held))?;
			}
		}
		let left = free(&overlay, now)?.len();
		if left > MOST {
			return Err(ClaimVouchersError::Full { max: MOST });
		}
		overlay.commit()?;
		if had_none && left > 0 {
			self.look_for_missing_again();
		}
		Ok(left)
	}

	/// Deletes those that cannot be used any more: they have expired, or the group to which they are bound is over.
	fn clear_pool(&self, overlay: &Overlay<'_>) -> Result<(), StoreError> {
		for (key, pooled) in overlay.list::<Pooled>(ONLY)? {
			if has_expired(pooled.expiry(), self.finalized) {
				overlay.delete::<Pooled>(&key)?;
			}
		}
		for (key, _) in overlay.list::<InUse>(ONLY)? {
			let id = key.as_slice().try_into().map(GroupId).ok();
			let group = id.and_then(|id| Some((id, self.groups.get(&id)?)));
			if group.is_none_or(|(id, group)| group.is_over(&id)) {
				overlay.delete::<InUse>(&key)?;
			}
		}
		Ok(())
	}

	/// The voucher with which is claimed for these devices in a group: the one that is bound to it, or else one of the pool, which
	/// is bound to it when this returns. `None` if there is none.
	pub(super) fn take_voucher(
		&mut self,
		id: &GroupId,
		devices: &[IdentityKey],
	) -> Result<Option<HeldVoucher>, StoreError> {
		let overlay = self.store.overlay();
		if let Some(bound) = in_use(&overlay, id)? {
			return Ok(Some(bound.held()));
		}
		self.clear_pool(&overlay)?;
		// The one that expires first.
		let next = free(&overlay, self.finalized)?.into_iter().min_by_key(|pooled| (pooled.expiry(), pooled.key()));
		let next = next.map(|pooled| InUse { pooled, devices: devices.to_vec() });
		if let Some(bound) = &next {
			overlay.delete::<Pooled>(&bound.key().0)?;
			overlay.put(id.as_bytes(), bound)?;
		}
		overlay.commit()?;
		Ok(next.map(|bound| bound.held()))
	}

	/// The voucher that is bound to a group is so no more: it was spent, perhaps, and is deleted, or it was not, and is of use to
	/// any group.
	pub(super) fn release_voucher(&mut self, id: &GroupId, spent: bool) -> Result<(), StoreError> {
		let overlay = self.store.overlay();
		let Some(InUse { pooled, .. }) = in_use(&overlay, id)? else { return Ok(()) };
		overlay.delete::<InUse>(id.as_bytes())?;
		if !spent {
			overlay.put(&pooled.key().0, &pooled)?;
		}
		overlay.commit()
	}

	fn keep_gate(&mut self, seed: Option<&Seed>) -> Result<(), StoreError> {
		let overlay = self.store.overlay();
		match seed {
			Some(seed) => overlay.put(ONLY, &ClaimGate { seed: seed.signer() })?,
			None => overlay.delete::<ClaimGate>(ONLY)?,
		}
		overlay.commit()
	}

	pub(super) fn claim_gate(&self) -> Result<Option<Seed>, StoreError> {
		let gate = self.store.overlay().get::<ClaimGate>(ONLY)?;
		Ok(gate.map(|gate| Seed::new(*gate.seed.bytes())))
	}
}

impl Client {
	/// Gives the client vouchers for claims ([`VoucherKind::Claim`]), with which it brings further devices of its own person into
	/// the groups of people that it is in, by itself: one for each group that lacks devices. It keeps 256 at most, encrypted in
	/// its store, each once, and drops those that have expired. Gives how many there are to be used.
	///
	/// The vouchers are this client's alone: another client that has one, too, may get what this one has claimed. Backups have
	/// none. What becomes of it is told by [`Event::DeviceAdded`](super::Event::DeviceAdded) and
	/// [`Event::DeviceNotAdded`](super::Event::DeviceNotAdded).
	///
	/// # Errors
	/// [`ClaimVouchersError`]; then none of them was kept.
	pub async fn keep_claim_vouchers(&self, vouchers: Vec<HeldVoucher>) -> Result<usize, ClaimVouchersError> {
		let command = |reply| Command::Pool(PoolCommand::Keep(vouchers, reply));
		self.ask(command).await.ok_or(ClaimVouchersError::Closed)?
	}

	/// How many of the vouchers that it was given the client can use still. One that it is claiming with is not among them.
	pub async fn claim_vouchers(&self) -> Result<usize, ClaimVouchersError> {
		let command = |reply| Command::Pool(PoolCommand::Count(reply));
		self.ask(command).await.ok_or(ClaimVouchersError::Closed)?
	}

	/// Tells the client the secret of its person's gate, if that lets only contacts claim
	/// ([`Directory::set_gate`](crate::directory::Directory::set_gate)), or that there is none any more. The claims that it makes
	/// by itself are signed with it.
	pub async fn keep_claim_gate(&self, gate: Option<Seed>) -> Result<(), ClaimVouchersError> {
		let command = |reply| Command::Pool(PoolCommand::Gate(gate, reply));
		self.ask(command).await.ok_or(ClaimVouchersError::Closed)?
	}
}
