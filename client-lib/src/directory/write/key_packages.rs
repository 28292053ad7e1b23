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
	key_package::{read, Claim, Claimed, KeyPackageRefusal, Stock, SUITE},
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
	/// What the chain knows of a device's KeyPackages; `None` if it never published, or is no device any more.
	///
	/// # Errors
	/// [`DirectoryError::Read`].
	pub async fn stock(&self, device: IdentityKey) -> Result<Option<Stock>, DirectoryError> {
		Ok(self.ask(&StockOf { device, init_key: None }).await?.0.stock)
	}

	/// Publishes KeyPackages of a device, and waits until that is final. To publish again what was published is no error and
	/// changes nothing.
	///
	/// # Errors
	/// [`DirectoryError`]; [`DirectoryError::KeyPackages`] with [`KeyPackageRefusal::BadSequence`] if something else was published
	/// with its number.
	pub async fn publish(&self, signed: &SignedPublication) -> Result<Stock, DirectoryError> {
		let publication = &signed.publication;
		let first = publication.all().next();
		// What is wrong with it the chain would say; which init key to look for is all that is asked here.
		let first = first.map(|bytes| read(bytes, &publication.identity, &publication.device, |_, _, _| true));
		let init_key = first.transpose().map_err(DirectoryError::KeyPackages)?.map(|package| package.init_key);
		let goal = Published { of: StockOf { device: publication.device, init_key }, number: publication.number };
		if let Found::There(stock) = goal.look(self).await? {
			return Ok(stock);
		}
		self.reach(&goal, Pending::new(&self.nodes, Way::General(signed.to_extrinsic()))).await
	}

	/// Changes who may claim KeyPackages of a person, and waits until that is final.
	///
	/// # Errors
	/// [`DirectoryError`].
	pub async fn set_gate(&self, signed: &SignedGateChange) -> Result<Stock, DirectoryError> {
		let of = StockOf { device: signed.change.device, init_key: None };
		let goal = Published { of, number: signed.change.number };
		self.reach(&goal, Pending::new(&self.nodes, Way::General(signed.to_extrinsic()))).await
	}

	/// Claims a KeyPackage of each device of a person, at the cost of whoever has given the voucher away, and waits until that is
	/// final. `gate` is the secret that the person shares with its contacts, if it lets only them claim.
	///
	/// What comes back was signed by devices that the person had in the block of the claim, by the person's log: the chain's word
	/// is not enough. To claim again with the same voucher gives the same again, for a day.
	///
	/// # Errors
	/// [`DirectoryError`].
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
		let claimed = match goal.look(self).await? {
			Found::There(claimed) => claimed,
			Found::Free(..) => {
				let way = Way::General(claim.to_extrinsic(&payment));
				self.reach(&goal, Pending::new(&self.nodes, way)).await?
			}
		};
		let (person, _) = self.read(target).await?;
		check_claimed(&claimed, &person)?;
		Ok(claimed)
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

/// A device's stock, and whether a KeyPackage was published.
struct StockOf {
	device: IdentityKey,
	init_key: Option<InitKey>,
}

impl Wanted for StockOf {
	type Sent = ();
	type Is = ProvenStock;

	async fn fetch(&self, node: &Node) -> Result<((), StateProof), IdentityExportError> {
		in_time(|| node.stock(&self.device, self.init_key.as_ref())).await
	}

	fn read(&self, _: GenesisHash, head: &Head, state: &[Vec<u8>], (): ()) -> Result<ProvenStock, IdentityExportError> {
		let proven = prove_stock(head, state, &self.device, self.init_key.as_ref());
		Ok(proven.map_err(IdentityFileError::from)?)
	}
}

/// That something was published.
struct Published {
	of: StockOf,
	number: u32,
}

impl Goal for Published {
	type Reached = Stock;
	type Before = ();

	async fn look(&self, directory: &Directory) -> Result<Found<Stock, ()>, DirectoryError> {
		let (ProvenStock { stock, is_published }, head) = directory.ask(&self.of).await?;
		match stock.filter(|stock| stock.number > self.number) {
			// Of what clears a stock nothing is left to look for but the number.
			Some(stock) if is_published || self.of.init_key.is_none() => Ok(Found::There(stock)),
			Some(_) => Err(DirectoryError::KeyPackages(KeyPackageRefusal::BadSequence)),
			None => Ok(Found::Free((), head)),
		}
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
