//! People of the directory, on their devices.

use crate::{Error, Network, Result};
use lockstep_client::{
	directory::{
		accept, incept, Author, DeviceKeys, DeviceOffer, Directory, History, IdentityId, Recovery, RecoveryKeys,
		Revoked, Seed, SignedEvent, Stock, Stocking,
	},
	voucher::{HeldVoucher, VoucherKind},
	Client, Config, GenesisHash, Sponsor, StoreKey, Upkeep,
};
use std::{
	ops::{Deref, DerefMut},
	path::Path,
};

/// An [`Error::Broken`] with what something else said.
pub fn broken(error: impl std::fmt::Display) -> Error {
	Error::Broken(error.to_string())
}

/// This recovery key, and no other.
fn only(recovery: &Seed) -> Result<RecoveryKeys> {
	RecoveryKeys::try_from(vec![recovery.commitment()]).map_err(|_| broken("too many recovery keys"))
}

/// A voucher that the sponsor gives away now.
pub async fn voucher(network: &Network, kind: VoucherKind) -> Result<HeldVoucher> {
	let node = network.rpc(0).await?;
	Ok(HeldVoucher::issue(&Sponsor::alice(), &node.genesis().await?, kind, node.finalized().await?))
}

/// Somebody who is in the directory, on one of its devices.
#[derive(Debug)]
pub struct Enrolled {
	/// The directory, over one node.
	pub directory: Directory,
	/// The device's keys.
	pub device: DeviceKeys,
	/// The person.
	pub id: IdentityId,
	/// The chain.
	pub genesis: GenesisHash,
}

impl Enrolled {
	/// Somebody new with one device, registered by a voucher over this node.
	pub async fn new(network: &Network, node: usize) -> Result<Self> {
		Self::registered(network, node, RecoveryKeys::default()).await
	}

	/// The same, with this recovery key.
	pub async fn recoverable(network: &Network, node: usize, recovery: &Seed) -> Result<Self> {
		Self::registered(network, node, only(recovery)?).await
	}

	async fn registered(network: &Network, node: usize, recovery: RecoveryKeys) -> Result<Self> {
		let genesis = network.genesis().await?;
		let directory = Directory::new(vec![network.url(node)], genesis).map_err(broken)?;
		let device = DeviceKeys::random();
		let first = incept(&genesis, &device, recovery, None);
		let voucher = voucher(network, VoucherKind::Register).await?;
		let id = directory.register_by_voucher(&voucher, &first).await.map_err(broken)?.identity();
		Ok(Self { directory, device, id, genesis })
	}

	/// The same person on a further device, which this one has added.
	pub async fn with_further_device(&self, network: &Network, node: usize) -> Result<Self> {
		let device = DeviceKeys::random();
		let (history, _) = self.directory.read(self.id).await.map_err(broken)?;
		let code = DeviceOffer(device.device()).to_string();
		let offer = code.parse().map_err(broken)?;
		let event = accept(&self.genesis, Author::after(&history).add_device(&self.device, &offer), &device);
		self.directory.record(&event.map_err(broken)?).await.map_err(broken)?;
		let directory = Directory::new(vec![network.url(node)], self.genesis).map_err(broken)?;
		Ok(Self { directory, device, id: self.id, genesis: self.genesis })
	}

	/// The same person on a new device, brought in by the recovery key. This one goes, and what happened from event `from` on is
	/// overridden.
	pub async fn recovered(&self, network: &Network, node: usize, by: &Seed, from: u64) -> Result<Self> {
		let device = DeviceKeys::random();
		let (history, _) = self.directory.read(self.id).await.map_err(broken)?;
		let gone = Revoked::try_from(vec![self.device.current.key()]).map_err(|_| broken("too many devices"))?;
		let recovery = Recovery {
			rank: 0,
			from: Some(from),
			revoked: gone,
			device: DeviceOffer(device.device()),
			recovery: only(&Seed::random())?,
		};
		let event = accept(&self.genesis, Author::after(&history).recover(by, recovery), &device);
		self.directory.record(&event.map_err(broken)?).await.map_err(broken)?;
		let directory = Directory::new(vec![network.url(node)], self.genesis).map_err(broken)?;
		Ok(Self { directory, device, id: self.id, genesis: self.genesis })
	}

	/// Makes the next event of the person, and records it. Returns when it is final.
	pub async fn record(&self, make: impl FnOnce(Author) -> SignedEvent) -> Result<History> {
		let (history, _) = self.directory.read(self.id).await.map_err(broken)?;
		self.directory.record(&make(Author::after(&history))).await.map_err(broken)
	}

	/// What a client on this device is opened with, over this node and with a store in this folder. It has no account.
	pub fn config(&self, network: &Network, node: usize, folder: &Path) -> Config {
		Config {
			path: folder.join(self.device.current.key().to_string()),
			key: StoreKey::from_bytes([3; 32]),
			nodes: vec![network.url(node)],
			identity: self.id.0.to_vec(),
			signer: *self.device.current.as_bytes(),
			sponsor: None,
			genesis: Some(self.genesis),
			checkpoint: None,
			upkeep: Upkeep::default(),
		}
	}

	/// Has the client on this device make KeyPackages, and publishes them.
	pub async fn stock_up(&self, client: &Client, count: u32, with_last_resort: bool, lapse: u32) -> Result<Stock> {
		let mut packages = Vec::new();
		for _ in 0..count + u32::from(with_last_resort) {
			packages.push(client.key_package().await.map_err(broken)?);
		}
		let last_resort = with_last_resort.then(|| packages.pop()).flatten();
		self.publish(packages, last_resort, lapse).await
	}

	/// Publishes KeyPackages of the device.
	pub async fn publish(&self, packages: Vec<Vec<u8>>, last_resort: Option<Vec<u8>>, lapse: u32) -> Result<Stock> {
		let signed = self.stocking().await?.publish(packages, last_resort, lapse, false).map_err(broken)?;
		let stock = self.directory.publish(&signed).await.map_err(broken)?;
		// It is there: to publish it once more is no error, and changes nothing.
		let again = self.directory.publish(&signed).await.map_err(broken)?;
		if again != stock {
			return Err(broken(format!("published once more, {stock:?} became {again:?}")));
		}
		Ok(stock)
	}

	/// The next thing that the device says of its KeyPackages.
	pub async fn stocking(&self) -> Result<Stocking<'_>> {
		let device = &self.device.current;
		let stock = self.directory.stock(self.id, device.key()).await.map_err(broken)?;
		Ok(Stocking { genesis: self.genesis, identity: self.id, device, stock })
	}
}

/// A person who is a member by that identity and that device's key.
#[derive(Debug)]
pub struct Person {
	/// The client.
	pub client: Client,
	enrolled: Enrolled,
}

impl Deref for Person {
	type Target = Enrolled;

	fn deref(&self) -> &Enrolled {
		&self.enrolled
	}
}

impl DerefMut for Person {
	fn deref_mut(&mut self) -> &mut Enrolled {
		&mut self.enrolled
	}
}

impl Person {
	/// Somebody new with one device, on this node; the store is in the folder.
	pub async fn new(network: &Network, node: usize, folder: &Path) -> Result<Self> {
		Self::of(Enrolled::new(network, node).await?, network, node, folder).await
	}

	/// The same, with this recovery key.
	pub async fn recoverable(network: &Network, node: usize, folder: &Path, recovery: &Seed) -> Result<Self> {
		Self::of(Enrolled::recoverable(network, node, recovery).await?, network, node, folder).await
	}

	/// The same person on a further device, which this one has added.
	pub async fn with_further_device(&self, network: &Network, node: usize, folder: &Path) -> Result<Self> {
		Self::of(self.enrolled.with_further_device(network, node).await?, network, node, folder).await
	}

	/// The same person on a new device, brought in by the recovery key. This one goes, and what happened from event `from` on is
	/// overridden.
	pub async fn recovered(&self, network: &Network, node: usize, folder: &Path, by: &Seed, from: u64) -> Result<Self> {
		Self::of(self.enrolled.recovered(network, node, by, from).await?, network, node, folder).await
	}

	async fn of(enrolled: Enrolled, network: &Network, node: usize, folder: &Path) -> Result<Self> {
		Self::over(enrolled, vec![network.url(node)], network, folder).await
	}

	/// A member on this device over these nodes, whoever they are; the store is in the folder. What the person does in the
	/// directory goes over a node of the network all the same.
	pub async fn over(enrolled: Enrolled, nodes: Vec<String>, network: &Network, folder: &Path) -> Result<Self> {
		let config = Config { nodes, sponsor: Some(Sponsor::alice()), ..enrolled.config(network, 0, folder) };
		let client = Client::open(config).await.map_err(broken)?;
		Ok(Self { client, enrolled })
	}

	/// Makes KeyPackages, and publishes them.
	pub async fn publish(&self, count: u32, with_last_resort: bool, lapse: u32) -> Result<Stock> {
		self.enrolled.stock_up(&self.client, count, with_last_resort, lapse).await
	}
}
