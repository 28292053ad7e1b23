//! People of the directory, each with a client.

use lockstep_client::{
	directory::{
		accept, incept, Author, DeviceKeys, DeviceOffer, Directory, IdentityId, RecoveryKeys, Stock, Stocking,
	},
	voucher::{HeldVoucher, VoucherKind},
	Client, Config, GenesisHash, Sponsor, StoreKey, Upkeep,
};
use lockstep_tests::{Error, Network, Result};
use std::path::Path;

pub fn broken(error: impl std::fmt::Display) -> Error {
	Error::Broken(error.to_string())
}

/// A person on one of its devices, who is a member by that identity and that device's key.
pub struct Person {
	pub client: Client,
	pub directory: Directory,
	pub device: DeviceKeys,
	pub id: IdentityId,
	pub genesis: GenesisHash,
}

impl Person {
	pub async fn new(network: &Network, node: usize, folder: &Path) -> Result<Self> {
		let genesis = network.genesis().await?;
		let directory = Directory::new(vec![network.url(node)], genesis).map_err(broken)?;
		let device = DeviceKeys::random();
		let first = incept(&genesis, &device, RecoveryKeys::default(), None);
		let now = network.rpc(node).await?.finalized().await?;
		let voucher = HeldVoucher::issue(&Sponsor::alice(), &genesis, VoucherKind::Register, now);
		let id = directory.register_by_voucher(&voucher, &first).await.map_err(broken)?.identity();
		Self::on_device(network, node, folder, (id, device)).await
	}

	async fn on_device(
		network: &Network,
		node: usize,
		folder: &Path,
		(id, device): (IdentityId, DeviceKeys),
	) -> Result<Self> {
		let genesis = network.genesis().await?;
		let directory = Directory::new(vec![network.url(node)], genesis).map_err(broken)?;
		let config = Config {
			path: folder.join(device.current.key().to_string()),
			key: StoreKey::from_bytes([3; 32]),
			nodes: vec![network.url(node)],
			identity: id.0.to_vec(),
			signer: *device.current.as_bytes(),
			sponsor: Some(Sponsor::alice()),
			genesis: Some(genesis),
			checkpoint: None,
			upkeep: Upkeep::default(),
		};
		let client = Client::open(config).await.map_err(broken)?;
		Ok(Self { client, directory, device, id, genesis })
	}

	/// The same person on a further device, which this one has added.
	pub async fn with_further_device(&self, network: &Network, node: usize, folder: &Path) -> Result<Self> {
		let device = DeviceKeys::random();
		let (history, _) = self.directory.read(self.id).await.map_err(broken)?;
		let code = DeviceOffer(device.device()).to_string();
		let offer = code.parse().map_err(broken)?;
		let event = accept(&self.genesis, Author::after(&history).add_device(&self.device, &offer), &device);
		self.directory.record(&event.map_err(broken)?).await.map_err(broken)?;
		Self::on_device(network, node, folder, (self.id, device)).await
	}

	/// Makes KeyPackages, and publishes them.
	pub async fn publish(&self, count: u32, with_last_resort: bool, lapse: u32) -> Result<Stock> {
		let mut packages = Vec::new();
		for _ in 0..count + u32::from(with_last_resort) {
			packages.push(self.client.key_package().await.map_err(broken)?);
		}
		let last_resort = with_last_resort.then(|| packages.pop()).flatten();
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
