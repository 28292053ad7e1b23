//! P7: a voucher that is spent on two forks buys what it bought on the one that becomes final, and nothing else.

use super::{
	p7_identities::refused_for,
	p7_key_packages::{claimed_at, got},
	p7_rotating::stock_at,
	person::{broken, voucher, Enrolled},
};
use jsonrpsee::core::ClientError;
use lockstep_client::{
	directory::{Claimed, Stock},
	voucher::{HeldVoucher, VoucherKind, VoucherRefusal},
	Client,
};
use lockstep_primitives::{
	key_package::{Claim, SUITE},
	VoucherKey,
};
use lockstep_tests::{
	deadline::{until, within},
	rpc::NodeRpc,
	Error, Network, Result,
};
use std::time::Duration;

/// For a node that is alone to make a block of its own.
const ALONE: Duration = Duration::from_secs(30);
/// For a node that was alone to be where the others are, and for its pool to look again at what was in its own blocks.
const BACK: Duration = Duration::from_secs(150);
/// The pool does not take an extrinsic for now.
const NOT_POOLED: i32 = 9002;
/// The pool has an extrinsic still.
const IN_POOL: i32 = 9007;

/// Somebody with KeyPackages for everybody to claim.
struct Stocked {
	person: Enrolled,
	/// As published.
	full: Stock,
}

impl Stocked {
	async fn new(network: &Network, node: usize) -> Result<Self> {
		let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
		let person = Enrolled::new(network, node).await?;
		let client = Client::open(person.config(network, node, folder.path())).await.map_err(broken)?;
		let lapse = network.rpc(node).await?.finalized().await? + 10_000;
		let full = person.stock_up(&client, 2, false, lapse).await?;
		client.close().await;
		Ok(Self { person, full })
	}

	/// What there is at the end of a block of the node's best chain.
	async fn stock(&self, node: &NodeRpc, block: u32) -> Result<Option<Stock>> {
		stock_at(node, &self.person.device.current.key(), block).await
	}
}

/// A voucher for one claim, and two people to claim of.
pub struct OneVoucher {
	voucher: HeldVoucher,
	/// Of whom is claimed on the fork that is left.
	left: Stocked,
	/// Of whom is claimed on the one that becomes final.
	kept: Stocked,
}

/// What the voucher bought on two forks.
pub struct SpentTwice {
	/// The claim on the fork that is left.
	extrinsic: Vec<u8>,
	/// What it got there.
	left: Claimed,
	/// The block of that claim.
	hash: Option<String>,
	/// What was got on the other fork.
	kept: Claimed,
}

impl OneVoucher {
	/// Prepared over this node, over which it is spent as well on the fork that becomes final.
	pub async fn over(network: &Network, node: usize) -> Result<Self> {
		let (left, kept) = tokio::try_join!(Stocked::new(network, node), Stocked::new(network, node))?;
		let voucher = voucher(network, VoucherKind::Claim).await?;
		Ok(Self { voucher, left, kept })
	}

	fn key(&self) -> &VoucherKey {
		&self.voucher.voucher().key
	}

	/// Spends the voucher in a block of a node that is cut off, and for something else in a final block of the others.
	pub async fn spend_twice(&self, network: &Network, alone: usize) -> Result<SpentTwice> {
		let Self { left: Stocked { person, full }, kept, .. } = self;
		let suites = vec![SUITE].try_into().map_err(|_| broken("it is short"))?;
		let claim = Claim { target: person.id, suites, gate: None };
		let extrinsic = claim.to_extrinsic(&self.voucher.pay(&person.genesis, &claim.order()));

		let node = network.rpc(alone).await?;
		let among_others = async {
			let claimed = kept.person.directory.claim(&self.voucher, kept.person.id, None).await;
			claimed.map_err(broken)
		};
		let (left, kept) = tokio::try_join!(self.spend_alone(&node, &extrinsic), among_others)?;
		assert_eq!((left.target, left.packages.len()), (person.id, 1));
		let rest = self.left.stock(&node, left.block).await?.map(|stock| stock.left());
		assert_eq!(rest, Some(full.left() - 1), "it is given out on that fork");
		assert_eq!(got(&node, self.key()).await?, None, "that fork is not final");
		let hash = node.block_hash(left.block).await?;
		Ok(SpentTwice { extrinsic, left, hash, kept })
	}

	/// Submits a claim to a node, and waits until the best block has it; it need not be final.
	async fn spend_alone(&self, node: &NodeRpc, extrinsic: &[u8]) -> Result<Claimed> {
		let mut heads = node.best_heads().await?;
		node.submit(extrinsic.to_vec()).await?;
		let included = async {
			while let Some(Ok(head)) = heads.next().await {
				let Some(at) = node.block_hash(head.number).await? else { continue };
				if let Some(claimed) = claimed_at(node, self.key(), &at).await? {
					return Ok(claimed);
				}
			}
			Err(broken("the node ended"))
		};
		within(ALONE, "a node that is alone to make a block with a claim", included).await?
	}

	/// When the node has met the others again, all know of one claim; what the other one took is there to be claimed.
	pub async fn was_spent_once(&self, network: &Network, alone: usize, spent: &SpentTwice) -> Result<()> {
		let SpentTwice { extrinsic, left, hash, kept } = spent;
		for index in 0..network.size() {
			let at = network.finalized_past(index, left.block.max(kept.block), BACK).await?;
			let node = network.rpc(index).await?;
			assert_eq!(got(&node, self.key()).await?.as_ref(), Some(kept), "node {index}");
			assert_eq!(self.left.stock(&node, at).await?, Some(self.left.full), "node {index}");
			let rest = self.kept.stock(&node, at).await?.map(|stock| stock.left());
			assert_eq!(rest, Some(self.kept.full.left() - 1), "node {index}");
		}
		let node = network.rpc(alone).await?;
		assert_ne!(&node.block_hash(left.block).await?, hash, "there was no fork");
		assert_eq!(refusal(&node, extrinsic).await?, VoucherRefusal::Spent.to_string());
		Ok(())
	}
}

/// What the chain has against an extrinsic, as soon as the node's pool does not keep it any more for its having been in a block.
async fn refusal(node: &NodeRpc, extrinsic: &[u8]) -> Result<String> {
	let kept = |code: i32| code == IN_POOL || code == NOT_POOLED;
	until(BACK, "a pool to look at a claim again", || async {
		match node.submit(extrinsic.to_vec()).await {
			Err(Error::Rpc(ClientError::Call(error))) if kept(error.code()) => Ok(None),
			answer => refused_for(answer).map(Some),
		}
	})
	.await
}
