//! People of the directory, each with a client.

use lockstep_client::{
	directory::{
		accept, incept, Author, DeviceKeys, DeviceOffer, Directory, IdentityId, RecoveryKeys, Stock, Stocking,
	},
	voucher::{HeldVoucher, VoucherKind},
	Client, Config, GenesisHash, Sponsor, StoreKey, Upkeep,
};
use lockstep_tests::{Error, Network, Result};
use std::{
	ops::{Deref, DerefMut},
	path::Path,
};

pub fn broken(error: impl std::fmt::Display) -> Error {
	Error::Broken(error.to_string())
}

/// Somebody who is in the directory, on one of its devices.
pub struct Enrolled {
	pub directory: Directory,
	pub device: DeviceKeys,
	pub id: IdentityId,
	pub genesis: GenesisHash,
}

impl Enrolled {
	pub async fn new(network: &Network, node: usize) -> Result<Self> {
		let genesis = network.genesis().await?;
		let directory = Directory::new(vec![network.url(node)], genesis).map_err(broken)?;
		let device = DeviceKeys::random();
		let first = incept(&genesis, &device, RecoveryKeys::default(), None);
		let now = network.rpc(node).await?.finalized().await?;
		let voucher = HeldVoucher::issue(&Sponsor::alice(), &genesis, VoucherKind::Register, now);
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

	/// Publishes KeyPackages of the device.
	pub async fn publish(&self, packages: Vec<Vec<u8>>, last_resort: Option<Vec<u8>>, lapse: u32) -> Result<Stock> {
		let signed = self.stocking().await?.publish(packages, last_resort, lapse, false).map_err(broken)?;
		let stock = self.directory.publish(&signed).await.map_err(broken)?;
		// It is there: to publish it once more is no error, and changes nothing.
		assert_eq!(self.directory.publish(&signed).await.map_err(broken)?, stock);
		Ok(stock)
	}

	pub async fn stocking(&self) -> Result<Stocking<'_>> {
		let device = &self.device.current;
		let stock = self.directory.stock(self.id, device.key()).await.map_err(broken)?;
		Ok(Stocking { genesis: self.genesis, identity: self.id, device, stock })
	}
}

/// A person who is a member by that identity and that device's key.
pub struct Person {
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
	pub async fn new(network: &Network, node: usize, folder: &Path) -> Result<Self> {
		Self::of(Enrolled::new(network, node).await?, network, node, folder).await
	}

	/// The same person on a further device, which this one has added.
	pub async fn with_further_device(&self, network: &Network, node: usize, folder: &Path) -> Result<Self> {
		Self::of(self.enrolled.with_further_device(network, node).await?, network, node, folder).await
	}

	async fn of(enrolled: Enrolled, network: &Network, node: usize, folder: &Path) -> Result<Self> {
		let config = Config {
			path: folder.join(enrolled.device.current.key().to_string()),
			key: StoreKey::from_bytes([3; 32]),
			nodes: vec![network.url(node)],
			identity: enrolled.id.0.to_vec(),
			signer: *enrolled.device.current.as_bytes(),
			sponsor: Some(Sponsor::alice()),
			genesis: Some(enrolled.genesis),
			checkpoint: None,
			upkeep: Upkeep::default(),
		};
		let client = Client::open(config).await.map_err(broken)?;
		Ok(Self { client, enrolled })
	}

	/// Makes KeyPackages, and publishes them.
	pub async fn publish(&self, count: u32, with_last_resort: bool, lapse: u32) -> Result<Stock> {
		let mut packages = Vec::new();
		for _ in 0..count + u32::from(with_last_resort) {
			packages.push(self.client.key_package().await.map_err(broken)?);
		}
		let last_resort = with_last_resort.then(|| packages.pop()).flatten();
		self.enrolled.publish(packages, last_resort, lapse).await
	}
}
