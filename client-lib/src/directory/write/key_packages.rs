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
	voucher::HeldVoucher,
};
use lockstep_primitives::{
	key_package::{read, Claim, Claimed, Gate, GateChange, KeyPackageRefusal, Stock, SUITE},
	rpc::{KeyPackagesProof, StateProof},
	GenesisHash, IdentityId, IdentityKey, InitKey, VoucherKey, VoucherSignature,
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
	/// with its number, for good. After any other error it may still come: give up no private key of these KeyPackages before.
	pub async fn publish(&self, signed: &SignedPublication) -> Result<Stock, DirectoryError> {
		let publication = &signed.publication;
		let first = publication.all().next();
		// What is wrong with it the chain would say; which init key to look for is all that is asked here.
		let first = first.map(|bytes| read(bytes, &publication.identity, &publication.device, |_, _, _| true));
		let init_key = first.transpose().map_err(DirectoryError::KeyPackages)?.map(|package| package.init_key);
		let of = StockOf { identity: publication.identity, device: publication.device, init_key };
		let shows = if init_key.is_some() { Shows::Published } else { Shows::Cleared };
		self.change(&Changed { of, number: publication.number, shows }, signed.to_extrinsic()).await
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
	/// claimed with this voucher before. `None` if none has any; then nothing was submitted.
	pub(crate) async fn claim_for(
		&self,
		voucher: &HeldVoucher,
		target: IdentityId,
		gate: Option<&Seed>,
		devices: &[IdentityKey],
	) -> Result<Option<Claimed>, DirectoryError> {
		// What was claimed before may have been the last that there was.
		let before = ClaimedWith(voucher.voucher().key).look(self).await?;
		if matches!(before, Found::Free(..)) && !self.has_any(target, devices).await? {
			return Ok(None);
		}
		self.claim(voucher, target, gate).await.map(Some)
	}

	/// Whether one of these devices has a KeyPackage to give.
	async fn has_any(&self, target: IdentityId, devices: &[IdentityKey]) -> Result<bool, DirectoryError> {
		for device in devices {
			let stock = self.stock(target, *device).await?;
			if stock.is_some_and(|stock| stock.left() > 0 || stock.last_resort.is_some()) {
				return Ok(true);
			}
		}
		Ok(false)
	}
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
struct Changed {
	of: StockOf,
	number: u32,
	shows: Shows,
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
