//! The vouchers with which a client claims KeyPackages by itself, for the devices of its own person.
//!
//! Those here are free. One is [`bound`](super::bound) to a group before anything is claimed with it. No backup has any: two clients
//! of one backup would spend the same.

use super::{
	super::{
		command::{Command, Reply},
		core::Core,
		records::ONLY,
		Client,
	},
	bound::{bury, InUse, Spent},
};
use crate::{
	directory::Seed,
	finality::Trust,
	mls::{Mls, SignerSeed},
	store::{Overlay, Record, StoreError},
	voucher::{HeldVoucher, VoucherKind, VoucherRefusal},
};
use lockstep_primitives::{
	voucher::{SignedVoucher, Voucher},
	BlockNumber, GroupId, SponsorId, VoucherKey,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

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
	/// One of them is of no use on the client's chain, as its own signatures say. None was kept.
	#[error("a voucher is of no use on this chain: {0}")]
	Refused(VoucherRefusal),
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

/// Whether a client would keep a voucher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimVoucherFit {
	/// It would.
	Fit,
	/// It has it, or was given it twice.
	Kept,
	/// It claims with it, or did so before.
	Used,
	/// The voucher has expired, or will before something could be claimed with it.
	Expired,
	/// The voucher is good for something else, or of no use on the client's chain.
	Refused(VoucherRefusal),
}

/// What the handle asks of the pool.
pub(in crate::client) enum PoolCommand {
	Keep(Vec<HeldVoucher>, Reply<usize, ClaimVouchersError>),
	/// Keeps those that fit; gives what became of each, and how many there are.
	KeepFitting(Vec<HeldVoucher>, Reply<(Vec<ClaimVoucherFit>, usize), ClaimVouchersError>),
	Count(Reply<usize, ClaimVouchersError>),
	List(Reply<Vec<Voucher>, ClaimVouchersError>),
	/// What would become of vouchers that are given.
	LookAt(Vec<HeldVoucher>, Reply<Vec<ClaimVoucherFit>, ClaimVouchersError>),
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

	pub(super) fn held(&self) -> HeldVoucher {
		HeldVoucher::of_parts(self.voucher, &self.key)
	}

	pub(super) fn key(&self) -> VoucherKey {
		self.voucher.voucher.key
	}

	pub(super) fn sponsor(&self) -> SponsorId {
		self.voucher.voucher.sponsor
	}

	pub(super) fn expiry(&self) -> BlockNumber {
		self.voucher.voucher.expiry
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

/// Those that can be taken. One that is damaged is none.
pub(super) fn free(overlay: &Overlay<'_>, now: BlockNumber) -> Result<Vec<Pooled>, StoreError> {
	let pool = overlay.list_readable::<Pooled>(ONLY)?.into_iter().map(|(_, pooled)| pooled);
	Ok(pool.filter(|pooled| !has_expired(pooled.expiry(), now)).collect())
}

/// The keys of those that something is, or was, claimed with.
fn used(overlay: &Overlay<'_>) -> Result<BTreeSet<Vec<u8>>, StoreError> {
	let in_use = overlay.list_readable::<InUse>(ONLY)?.into_iter().map(|(_, bound)| bound.key().0.to_vec());
	let spent = overlay.list_readable::<Spent>(ONLY)?.into_iter().map(|(key, _)| key);
	Ok(in_use.chain(spent).collect())
}

impl<M: Mls> Core<M> {
	pub(in crate::client) fn on_pool(&mut self, command: PoolCommand) {
		match command {
			PoolCommand::Keep(vouchers, reply) => drop(reply.send(self.keep_vouchers(&vouchers))),
			PoolCommand::KeepFitting(vouchers, reply) => drop(reply.send(self.keep_fitting_vouchers(vouchers))),
			PoolCommand::Count(reply) => {
				let left = free(&self.store.overlay(), self.now()).map(|free| free.len());
				drop(reply.send(left.map_err(ClaimVouchersError::from)));
			}
			PoolCommand::List(reply) => drop(reply.send(self.kept_vouchers().map_err(ClaimVouchersError::from))),
			PoolCommand::LookAt(vouchers, reply) => {
				drop(reply.send(self.look_at_vouchers(&vouchers).map_err(ClaimVouchersError::from)));
			}
			PoolCommand::Gate(seed, reply) => {
				drop(reply.send(self.keep_gate(seed.as_ref()).map_err(ClaimVouchersError::from)));
			}
		}
	}

	/// The newest final block that is known; before one was heard of, the one up to which the chain was verified at the last time.
	pub(super) fn now(&self) -> BlockNumber {
		if self.finalized > 0 {
			return self.finalized;
		}
		Trust::restore(&self.store, *self.engine.genesis(), None).map_or(0, |trust| trust.number())
	}

	/// Whether there is a voucher to take.
	pub(super) fn has_free(&mut self) -> Result<bool, StoreError> {
		let now = self.finalized;
		// Each group asks, and the pool is read once for all of them.
		if let Some((_, has_free)) = self.claims.had_free.filter(|(block, _)| *block == now) {
			return Ok(has_free);
		}
		let has_free = !free(&self.store.overlay(), now)?.is_empty();
		self.claims.had_free = Some((now, has_free));
		Ok(has_free)
	}

	/// Whether a voucher is good for claims, as it says itself. A client that has heard of no block yet takes an earlier one for
	/// the present one, by which a voucher may seem to be good for too long: that is left to whoever claims with it.
	fn judge_voucher(&self, held: &HeldVoucher, now: BlockNumber) -> Result<(), VoucherRefusal> {
		let judge = |block| held.check(self.engine.genesis(), block, VoucherKind::Claim);
		match judge(now) {
			Err(VoucherRefusal::TooLong) if self.finalized == 0 => judge(held.voucher().expiry),
			judged => judged,
		}
	}

	fn kept_vouchers(&self) -> Result<Vec<Voucher>, StoreError> {
		let free = free(&self.store.overlay(), self.now())?;
		let mut kept: Vec<Voucher> = free.iter().map(|pooled| pooled.voucher.voucher).collect();
		kept.sort_by_key(|voucher| (voucher.expiry, voucher.key));
		Ok(kept)
	}

	fn look_at_vouchers(&self, vouchers: &[HeldVoucher]) -> Result<Vec<ClaimVoucherFit>, StoreError> {
		let (now, overlay) = (self.now(), self.store.overlay());
		let used = used(&overlay)?;
		let mut kept: BTreeSet<VoucherKey> = free(&overlay, now)?.iter().map(Pooled::key).collect();
		let mut fits = Vec::new();
		for held in vouchers {
			let Voucher { key, expiry, .. } = *held.voucher();
			fits.push(match self.judge_voucher(held, now) {
				Err(VoucherRefusal::Expired) => ClaimVoucherFit::Expired,
				Err(refusal) => ClaimVoucherFit::Refused(refusal),
				Ok(()) if has_expired(expiry, now) => ClaimVoucherFit::Expired,
				Ok(()) if used.contains(&key.0[..]) => ClaimVoucherFit::Used,
				Ok(()) if kept.insert(key) => ClaimVoucherFit::Fit,
				Ok(()) => ClaimVoucherFit::Kept,
			});
		}
		Ok(fits)
	}

	fn keep_vouchers(&mut self, vouchers: &[HeldVoucher]) -> Result<usize, ClaimVouchersError> {
		let now = self.now();
		let mut fresh = Vec::new();
		for held in vouchers {
			match self.judge_voucher(held, now) {
				Ok(()) => fresh.push(held),
				Err(VoucherRefusal::WrongKind) => return Err(ClaimVouchersError::OtherKind(held.voucher().kind)),
				Err(VoucherRefusal::Expired) => {}
				Err(refusal) => return Err(ClaimVouchersError::Refused(refusal)),
			}
		}
		let overlay = self.store.overlay();
		let had_none = free(&overlay, now)?.is_empty();
		self.clear_pool(&overlay, now)?;
		let used = used(&overlay)?;
		for held in fresh.into_iter().filter(|held| !has_expired(held.voucher().expiry, now)) {
			let key = held.voucher().key;
			if !used.contains(&key.0[..]) {
				overlay.put(&key.0, &Pooled::of(held))?;
			}
		}
		let left = free(&overlay, now)?.len();
		if left > MOST {
			return Err(ClaimVouchersError::Full { max: MOST });
		}
		overlay.commit()?;
		self.claims.had_free = None;
		if had_none && left > 0 {
			self.look_for_missing_again();
		}
		Ok(left)
	}

	/// By one look at the present block: what fits is what is kept.
	fn keep_fitting_vouchers(
		&mut self,
		vouchers: Vec<HeldVoucher>,
	) -> Result<(Vec<ClaimVoucherFit>, usize), ClaimVouchersError> {
		let fits = self.look_at_vouchers(&vouchers)?;
		let fitting = vouchers.into_iter().zip(&fits).filter(|(_, fit)| **fit == ClaimVoucherFit::Fit);
		let fitting: Vec<HeldVoucher> = fitting.map(|(held, _)| held).collect();
		let left = self.keep_vouchers(&fitting)?;
		Ok((fits, left))
	}

	/// Deletes those that cannot be used any more: they have expired, or the group to which they are bound is over. Of those that
	/// were used it is remembered until they have expired.
	pub(super) fn clear_pool(&self, overlay: &Overlay<'_>, now: BlockNumber) -> Result<(), StoreError> {
		for (key, pooled) in overlay.list_readable::<Pooled>(ONLY)? {
			if has_expired(pooled.expiry(), now) {
				overlay.delete::<Pooled>(&key)?;
			}
		}
		for (key, spent) in overlay.list_readable::<Spent>(ONLY)? {
			if has_expired(spent.expiry, now) {
				overlay.delete::<Spent>(&key)?;
			}
		}
		for (key, bound) in overlay.list_readable::<InUse>(ONLY)? {
			let id = key.as_slice().try_into().map(GroupId).ok();
			let group = id.and_then(|id| Some((id, self.groups.get(&id)?)));
			if group.is_none_or(|(id, group)| group.is_over(&id)) {
				bury(overlay, &key, &bound)?;
			}
		}
		Ok(())
	}

	fn keep_gate(&mut self, seed: Option<&Seed>) -> Result<(), StoreError> {
		let overlay = self.store.overlay();
		match seed {
			Some(seed) => overlay.put(ONLY, &ClaimGate { seed: seed.signer() })?,
			None => overlay.delete::<ClaimGate>(ONLY)?,
		}
		overlay.commit()?;
		self.look_for_missing_again();
		Ok(())
	}

	pub(super) fn claim_gate(&self) -> Result<Option<Seed>, StoreError> {
		let gate = self.store.overlay().get::<ClaimGate>(ONLY)?;
		Ok(gate.map(|gate| Seed::new(*gate.seed.bytes())))
	}
}

impl Client {
	/// Gives the client vouchers for claims ([`VoucherKind::Claim`]), with which it brings further devices of its own person into
	/// the groups of people that it is in, by itself: one for each group that lacks devices. It keeps 256 at most, encrypted in
	/// its store, each once, and drops those that have expired, and those that it has used before. Gives how many there are to be
	/// used.
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

	/// Keeps those of these vouchers that are of use, and says of each, in their order, what became of it: one that is
	/// [`ClaimVoucherFit::Fit`] is kept from now on. Gives how many there are to be used, too. Otherwise as
	/// [`Self::keep_claim_vouchers`], which keeps all or none.
	///
	/// # Errors
	/// [`ClaimVouchersError::Full`], [`ClaimVouchersError::Store`], [`ClaimVouchersError::Closed`]; then none of them was kept.
	pub async fn keep_fitting_claim_vouchers(
		&self,
		vouchers: Vec<HeldVoucher>,
	) -> Result<(Vec<ClaimVoucherFit>, usize), ClaimVouchersError> {
		let command = |reply| Command::Pool(PoolCommand::KeepFitting(vouchers, reply));
		self.ask(command).await.ok_or(ClaimVouchersError::Closed)?
	}

	/// How many of the vouchers that it was given the client can use still. One that it is claiming with is not among them.
	pub async fn claim_vouchers(&self) -> Result<usize, ClaimVouchersError> {
		let command = |reply| Command::Pool(PoolCommand::Count(reply));
		self.ask(command).await.ok_or(ClaimVouchersError::Closed)?
	}

	/// The same vouchers one by one, without the means to spend them, in the order in which they expire.
	pub async fn kept_claim_vouchers(&self) -> Result<Vec<Voucher>, ClaimVouchersError> {
		let command = |reply| Command::Pool(PoolCommand::List(reply));
		self.ask(command).await.ok_or(ClaimVouchersError::Closed)?
	}

	/// What would become of each of these, in their order, if they were kept now. Nothing is kept: between this and
	/// [`Self::keep_claim_vouchers`] one may expire. [`Self::keep_fitting_claim_vouchers`] does both at once.
	pub async fn look_at_claim_vouchers(
		&self,
		vouchers: Vec<HeldVoucher>,
	) -> Result<Vec<ClaimVoucherFit>, ClaimVouchersError> {
		let command = |reply| Command::Pool(PoolCommand::LookAt(vouchers, reply));
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
