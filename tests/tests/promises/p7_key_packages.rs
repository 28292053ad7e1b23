//! P7: a person is added to a group by KeyPackages that the person's devices have published, each given out once, to nobody who
//! is named.

use super::person::{broken, Person};
use codec::DecodeAll;
use futures::StreamExt;
use lockstep_client::{
	directory::{Claimed, DirectoryError, KeyPackageRefusal, Seed, MAX_STOCK},
	voucher::{HeldVoucher, VoucherKind, VoucherRefusal},
	Event, Sponsor,
};
use lockstep_primitives::{
	key_package::{Claim, SUITE},
	rpc::HexBytes,
	VoucherKey,
};
use lockstep_tests::{deadline::within, rpc::NodeRpc, Error, Network, Result};
use serde_json::json;
use std::{collections::BTreeSet, time::Duration};

pub async fn a_person_is_found_claimed_and_added(network: &Network) -> Result<()> {
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let (anna, boris) =
		tokio::try_join!(Person::new(network, 0, folder.path()), Person::new(network, 2, folder.path()))?;
	let now = network.rpc(0).await?.finalized().await?;
	let voucher = || HeldVoucher::issue(&Sponsor::alice(), &anna.genesis, VoucherKind::Claim, now);
	let nothing = anna.directory.claim(&voucher(), boris.id, None).await;
	assert!(matches!(nothing, Err(DirectoryError::KeyPackages(KeyPackageRefusal::NothingLeft))), "{nothing:?}");
	let stock = boris.publish(2, false, now + 10_000).await?;
	assert_eq!((stock.left(), stock.number), (2, 1));

	// Boris lets only contacts claim.
	let gate = Seed::random();
	boris.directory.set_gate(&boris.stocking().await?.set_gate(Some(&gate))).await.map_err(broken)?;
	let closed = anna.directory.claim(&voucher(), boris.id, None).await;
	assert!(matches!(closed, Err(DirectoryError::KeyPackages(KeyPackageRefusal::GateClosed))), "{closed:?}");

	let paid = voucher();
	let claimed = anna.directory.claim(&paid, boris.id, Some(&gate)).await.map_err(broken)?;
	assert_eq!((claimed.packages.len(), claimed.packages[0].device), (1, boris.device.current.key()));
	// The same again, for the same voucher; nothing for it of anybody else.
	assert_eq!(anna.directory.claim(&paid, boris.id, Some(&gate)).await.map_err(broken)?, claimed);
	let other = anna.directory.claim(&paid, anna.id, None).await;
	assert!(matches!(other, Err(DirectoryError::Claimed(_))), "{other:?}");
	let wrong = HeldVoucher::issue(&Sponsor::alice(), &anna.genesis, VoucherKind::CreateGroup, now);
	let wrong = anna.directory.claim(&wrong, boris.id, Some(&gate)).await;
	assert!(matches!(wrong, Err(DirectoryError::Voucher(VoucherRefusal::WrongKind))), "{wrong:?}");

	let mut events = boris.client.events();
	let group = anna.client.create_group().await.map_err(broken)?;
	anna.client.add_claimed(group, &claimed, &paid).await.map_err(broken)?;
	anna.client.send(group, b"hello boris".to_vec()).await.map_err(broken)?;
	let read = async {
		while let Some(event) = events.next().await {
			if let Event::Message { data, .. } = event {
				return Ok(data);
			}
		}
		Err(broken("the client ended"))
	};
	assert_eq!(within(Duration::from_secs(60), "the message", read).await??, b"hello boris");
	let left =
		boris.directory.stock(boris.id, boris.device.current.key()).await.map_err(broken)?.map(|stock| stock.left());
	assert_eq!(left, Some(1));
	anna.client.close().await;
	boris.client.close().await;
	Ok(())
}

/// What a claim got, as a node says.
pub async fn got(node: &NodeRpc, voucher: &VoucherKey) -> Result<Option<Claimed>> {
	claimed_at(node, voucher, &node.finalized_hash().await?).await
}

/// What a claim had got at the end of the block with this hash, as a node says.
pub async fn claimed_at(node: &NodeRpc, voucher: &VoucherKey, at: &str) -> Result<Option<Claimed>> {
	let parameters = vec![json!("KeyPackagesApi_claimed"), json!(HexBytes(voucher.0.to_vec())), json!(at)];
	let answer: HexBytes = node.request("state_call", parameters).await?;
	Option::<Claimed>::decode_all(&mut &answer.0[..]).map_err(broken)
}

/// A thousand claims by ten claimants, over four nodes, of a hundred KeyPackages: none is given out twice, and the limit of a
/// person's claims holds.
pub async fn a_thousand_claims_race_for_a_hundred_key_packages(network: &Network) -> Result<()> {
	/// Of the runtime: claims of one person in a burst.
	const BURST: usize = 200;
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let target = Person::new(network, 1, folder.path()).await?;
	let node = network.rpc(0).await?;
	let now = node.finalized().await?;
	let stock = target.publish(MAX_STOCK, true, now + 10_000).await?;
	assert_eq!((stock.left(), stock.must_replace), (MAX_STOCK, None));

	let claimant = async |index: usize| -> Result<Vec<VoucherKey>> {
		let node = network.rpc(index % network.size()).await?;
		let mut vouchers = Vec::new();
		for _ in 0..100 {
			let voucher = HeldVoucher::issue(&Sponsor::alice(), &target.genesis, VoucherKind::Claim, now);
			let suites = vec![SUITE].try_into().map_err(|_| broken("it is short"))?;
			let claim = Claim { target: target.id, suites, gate: None };
			let extrinsic = claim.to_extrinsic(&voucher.pay(&target.genesis, &claim.order()));
			// Refused or not: what became of it is in the state.
			drop(node.submit(extrinsic).await);
			vouchers.push(voucher.voucher().key);
		}
		Ok(vouchers)
	};
	let vouchers = futures::future::try_join_all((0..10).map(claimant)).await?.concat();
	let all = async {
		let mut heads = node.finalized_heads().await?;
		while heads.next().await.is_some() {
			let mut claims = Vec::new();
			for voucher in &vouchers {
				claims.extend(got(&node, voucher).await?);
			}
			if claims.len() >= BURST {
				return Ok(claims);
			}
		}
		Err(broken("the node ended"))
	};
	let claims = within(Duration::from_secs(120), "as many claims as there may be", all).await??;

	// One more after each thirty blocks.
	assert!(claims.len() < BURST + 10, "{}", claims.len());
	let (last_resorts, given): (Vec<_>, Vec<_>) =
		claims.iter().flat_map(|claimed| &claimed.packages).partition(|package| package.last_resort);
	let distinct: BTreeSet<&[u8]> = given.iter().map(|package| &package.bytes[..]).collect();
	assert_eq!((given.len(), distinct.len()), (MAX_STOCK as usize, MAX_STOCK as usize), "none is given out twice");
	assert_eq!(given.len() + last_resorts.len(), claims.len());
	let stock = target.directory.stock(target.id, target.device.current.key()).await.map_err(broken)?;
	let first = claims.iter().filter(|claimed| claimed.packages[0].last_resort).map(|claimed| claimed.block).min();
	assert_eq!(stock.and_then(|stock| stock.must_replace), first, "flagged once, when it was used first");
	target.client.close().await;
	Ok(())
}
