//! Publishing and claiming KeyPackages.

use super::{
	asking::Wanted,
	pending::Pending,
	reaching::{Found, Goal},
	Directory, DirectoryError, Way,
};
use crate::{
	directory::{IdentityExportError, Seed, SignedGateChange, SignedPublication},
	rpc::Node,
	voucher::{HeldVoucher, VoucherKind, VoucherRefusal},
};
use lockstep_primitives::{
	key_package::{read, Claim, Claimed, Gate, GateChange, KeyPackageRefusal, Stock, SUITE},
	rpc::{KeyPackagesProof, StateProof},
	BlockNumber, GenesisHash, IdentityId, IdentityKey, InitKey, VoucherKey, VoucherSignature,
};
use lockstep_verifier::{
	chain::Head,
	identity::IdentityFileError,
	key_packages::{check_claimed, prove_claim, prove_stock, ProvenStock},
};
use std::{future::Future, time::Duration};
use tokio::time::{sleep, timeout};

/// For a node to have a justification of its newest block.
const PATIENCE: Duration = Duration::from_secs(30);
const RETRY: Duration = Duration::from_millis(300);
/// Blocks that a claim takes, at most, until it is in one.
const MARGIN: BlockNumber = 64;

impl Directory {
	/// What the chain knows of the KeyPackages of a person's device; `None` if it never published.
	///
	/// # Errors
	/// [`DirectoryError::Read`].
	pub async fn stock(&self, identity: IdentityId, device: IdentityKey) -> Result<Option<Stock>, DirectoryError> {
		Ok(self.stock_as_of(identity, device).await?.0)
	}

	/// The same, and the final block of whose state that is.
	///
	/// # Errors
	/// [`DirectoryError::Read`].
	pub async fn stock_as_of(
		&self,
		identity: IdentityId,
		device: IdentityKey,
	) -> Result<(Option<Stock>, Head), DirectoryError> {
		let (proven, head) = self.ask(&StockOf { identity, device, init_key: None }).await?;
		Ok((proven.stock, head))
	}

	/// Publishes KeyPackages of a device, and waits until that is final. To publish again what was published is no error and
	/// changes nothing.
	///
	/// # Errors
	/// [`DirectoryError`]; [`DirectoryError::KeyPackages`] with [`KeyPackageRefusal::BadSequence`] if something else was published
	/// with its number, for good. After any other error it may still come: give up no private key of these KeyPackages before. With
	/// [`KeyPackageRefusal::InitKeyUsed`] it does not before that init key has lapsed: publish others with this number.
	pub async fn publish(&self, signed: &SignedPublication) -> Result<Stock, DirectoryError> {
		self.change(&Changed::by(signed)?, signed.to_extrinsic()).await
	}

	/// Changes who may claim KeyPackages of a person, and waits until that is final.
	///
	/// # Errors
	/// As [`Self::publish`].
	pub async fn set_gate(&self, signed: &SignedGateChange) -> Result<Stock, DirectoryError> {
		let GateChange { identity, device, number, gate } = signed.change;
		let of = StockOf { identity, device, init_key: None };
		self.change(&Changed { of, number, shows: Shows::Gate(gate) }, signed.to_extrinsic()).await
	}

	async fn change(&self, goal: &Changed, extrinsic: Vec<u8>) -> Result<Stock, DirectoryError> {
		if let Found::There(stock) = goal.look(self).await? {
			return Ok(stock);
		}
		self.reach(goal, Pending::new(&self.nodes, Way::General(extrinsic))).await
	}

	/// Claims a KeyPackage of each device of a person, at the cost of whoever has given the voucher away, and waits until that is
	/// final. `gate` is the secret that the person shares with its contacts, if it lets only them claim.
	///
	/// What comes back was signed by devices that the person had in the block of the claim, and has still, by the person's log: the
	/// chain's word is not enough. To claim again with the same voucher gives the same again, for a day.
	///
	/// # Errors
	/// [`DirectoryError`]; after [`DirectoryError::NotFinal`] the voucher may be spent: claim with it again.
	pub async fn claim(
		&self,
		voucher: &HeldVoucher,
		target: IdentityId,
		gate: Option<&Seed>,
	) -> Result<Claimed, DirectoryError> {
		let suites = vec![SUITE].try_into().unwrap_or_default();
		let mut claim = Claim { target, suites, gate: None };
		let key = voucher.voucher().key;
		let shown = gate.map(|gate| gate.sign(&claim.gate_payload(&self.genesis, &key)));
		claim.gate = shown.map(|signature| VoucherSignature(signature.0));
		let payment = voucher.pay(&self.genesis, &claim.order());
		let goal = ClaimedWith(key);
		// Who is not there, or cannot be read, costs no voucher.
		self.read(target).await?;
		let claimed = match goal.look(self).await? {
			Found::There(claimed) => claimed,
			Found::Free(..) => {
				let way = Way::General(claim.to_extrinsic(&payment));
				self.reach(&goal, Pending::new(&self.nodes, way)).await?
			}
		};
		let said = |error| format!("it was claimed, and the person's log could not be read: {error}");
		let (person, _) = self.read(target).await.map_err(|error| DirectoryError::NotFinal { said: said(error) })?;
		Ok(check_claimed(&claimed, &person)?)
	}

	/// The same for the sake of some of the person's devices: it claims if one of these has a KeyPackage to give, or if it has
	/// claimed with this voucher before. Otherwise nothing is submitted, and the voucher is shown to nobody.
	pub(crate) async fn claim_for(
		&self,
		voucher: &HeldVoucher,
		target: IdentityId,
		gate: Option<&Seed>,
		devices: &[IdentityKey],
	) -> Result<ForDevices, DirectoryError> {
		// What was claimed before may have been the last that there was.
		if let Found::Free(_, head) = ClaimedWith(voucher.voucher().key).look(self).await? {
			if let Err(refusal) = voucher.check(&self.genesis, head.number, VoucherKind::Claim) {
				return Ok(ForDevices::Useless(refusal));
			}
			let (person, _) = self.read(target).await?;
			let state = person.newest().filter(|state| !state.closed);
			let is_one = |device: &&IdentityKey| state.is_some_and(|state| state.device(device).is_some());
			let devices: Vec<IdentityKey> = devices.iter().filter(is_one).copied().collect();
			if let Some(nothing) = self.looks_vain(target, gate, &devices).await? {
				return Ok(nothing);
			}
		}
		self.claim(voucher, target, gate).await.map(ForDevices::Claimed)
	}

	/// Why a claim would give nothing of these devices, if it would not.
	async fn looks_vain(
		&self,
		target: IdentityId,
		gate: Option<&Seed>,
		devices: &[IdentityKey],
	) -> Result<Option<ForDevices>, DirectoryError> {
		for device in devices {
			let of = StockOf { identity: target, device: *device, init_key: None };
			let (proven, head) = self.ask(&of).await?;
			if proven.gate.is_some_and(|wanted| gate.map(Seed::key) != Some(wanted)) {
				return Ok(Some(ForDevices::GateClosed));
			}
			if proven.stock.is_some_and(|stock| has_any(&stock, head.number)) {
				return Ok(None);
			}
		}
		Ok(Some(ForDevices::NothingToGive))
	}
}

/// What came of a claim for the sake of some devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ForDevices {
	/// KeyPackages, of other devices perhaps.
	Claimed(Claimed),
	/// Nothing was submitted: none of the devices has a KeyPackage to give.
	NothingToGive,
	/// Nothing was submitted: only the person's contacts may claim, and this is not their secret.
	GateClosed,
	/// Nothing was submitted: the voucher is of no use, by what it says itself.
	Useless(VoucherRefusal),
}

/// Whether a device has a KeyPackage to give, and for some blocks after this one still. When those that are no last resort lapse the
/// stock does not say: they count until the chain has cleared them away.
fn has_any(stock: &Stock, block: BlockNumber) -> bool {
	stock.left() > 0 || stock.last_resort.is_some_and(|lapse| lapse > block.saturating_add(MARGIN))
}

/// A node's proof, as soon as it has one.
async fn in_time<F: Future<Output = Result<KeyPackagesProof, crate::rpc::RpcError>>>(
	ask: impl Fn() -> F,
) -> Result<((), StateProof), IdentityExportError> {
	let proof = async {
		loop {
			match ask().await?.proof {
				Some(proof) => return Ok(((), proof)),
				// The next finalized block has one.
				None => sleep(RETRY).await,
			}
		}
	};
	timeout(PATIENCE, proof).await.map_err(|_| IdentityExportError::NoProof)?
}

/// A device's stock, the person's gate, and in which publication a KeyPackage was.
struct StockOf {
	identity: IdentityId,
	device: IdentityKey,
	init_key: Option<InitKey>,
}

impl Wanted for StockOf {
	type Sent = ();
	type Is = ProvenStock;

	async fn fetch(&self, node: &Node) -> Result<((), StateProof), IdentityExportError> {
		in_time(|| node.stock(&self.identity, &self.device, self.init_key.as_ref())).await
	}

	fn read(&self, _: GenesisHash, head: &Head, state: &[Vec<u8>], (): ()) -> Result<ProvenStock, IdentityExportError> {
		let proven = prove_stock(head, state, &self.identity, &self.device, self.init_key.as_ref());
		Ok(proven.map_err(IdentityFileError::from)?)
	}
}

/// By what a change of a device's stock is known.
enum Shows {
	/// The init key was published with its number.
	Published,
	/// Nothing is left.
	Cleared,
	/// The gate is this one.
	Gate(Option<Gate>),
}

/// That a device's stock was changed, with this number.
pub(super) struct Changed {
	of: StockOf,
	number: u32,
	shows: Shows,
}

impl Changed {
	/// By this publication.
	///
	/// # Errors
	/// [`DirectoryError::KeyPackages`] if its first KeyPackage is none.
	pub(super) fn by(signed: &SignedPublication) -> Result<Self, DirectoryError> {
		let publication = &signed.publication;
		let first = publication.all().next();
		// What is wrong with it the chain would say; which init key to look for is all that is asked here.
		let first = first.map(|bytes| read(bytes, &publication.identity, &publication.device, |_, _, _| true));
		let init_key = first.transpose().map_err(DirectoryError::KeyPackages)?.map(|package| package.init_key);
		let of = StockOf { identity: publication.identity, device: publication.device, init_key };
		let shows = if init_key.is_some() { Shows::Published } else { Shows::Cleared };
		Ok(Self { of, number: publication.number, shows })
	}
}

impl Goal for Changed {
	type Reached = Stock;
	type Before = ();

	async fn look(&self, directory: &Directory) -> Result<Found<Stock, ()>, DirectoryError> {
		let (ProvenStock { stock, gate, published }, head) = directory.ask(&self.of).await?;
		let Some(stock) = stock.filter(|stock| stock.number > self.number) else { return Ok(Found::Free((), head)) };
		let is_this = match self.shows {
			Shows::Published => published == Some(self.number),
			Shows::Cleared => stock.left() == 0 && stock.last_resort.is_none(),
			Shows::Gate(wanted) => gate == wanted,
		};
		if is_this {
			return Ok(Found::There(stock));
		}
		Err(DirectoryError::KeyPackages(KeyPackageRefusal::BadSequence))
	}
}

/// That something was claimed with a voucher.
struct ClaimedWith(VoucherKey);

impl Wanted for ClaimedWith {
	type Sent = ();
	type Is = Option<Claimed>;

	async fn fetch(&self, node: &Node) -> Result<((), StateProof), IdentityExportError> {
		in_time(|| node.claim(&self.0)).await
	}

	fn read(
		&self,
		_: GenesisHash,
		head: &Head,
		state: &[Vec<u8>],
		(): (),
	) -> Result<Option<Claimed>, IdentityExportError> {
		Ok(prove_claim(head, state, &self.0).map_err(IdentityFileError::from)?)
	}
}

impl Goal for ClaimedWith {
	type Reached = Claimed;
	type Before = ();

	async fn look(&self, directory: &Directory) -> Result<Found<Claimed, ()>, DirectoryError> {
		let (claimed, head) = directory.ask(self).await?;
		Ok(claimed.map_or(Found::Free((), head), Found::There))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_last_resort_that_lapses_soon_is_nothing_to_give() {
		let stock = |next, last_resort| {
			let (number, first, must_replace, allowed, allowed_at) = (1, 3, None, 0, 0);
			Stock { identity: IdentityId([1; 32]), number, first, next, last_resort, must_replace, allowed, allowed_at }
		};
		assert!(has_any(&stock(4, None), 1_000) && has_any(&stock(3, Some(1_000 + MARGIN + 1)), 1_000));
		for last_resort in [None, Some(5), Some(1_000), Some(1_000 + MARGIN)] {
			assert!(!has_any(&stock(3, last_resort), 1_000), "{last_resort:?}");
		}
	}
}
