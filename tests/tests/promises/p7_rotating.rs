//! P7: a device gets its next key and the KeyPackages of it in one step.

use super::{
	p7_keeping::{options, settled, PATIENCE},
	p7_members::{found, until},
	person::{broken, Person},
};
use codec::{DecodeAll, Encode};
use lockstep_client::{
	directory::{rotate_device, Directory, IdentityKey, Keeper, Stock},
	voucher::{HeldVoucher, VoucherKind},
	Event, Sponsor,
};
use lockstep_primitives::{key_package::StockView, rpc::HexBytes, BlockNumber};
use lockstep_tests::{
	deadline::{self, within},
	rpc::NodeRpc,
	Error, Network, Result,
};
use serde_json::json;
use std::sync::Arc;

/// What a device had at the end of a block, as a node says.
pub async fn stock_at(node: &NodeRpc, device: &IdentityKey, block: BlockNumber) -> Result<Option<Stock>> {
	let at = node.block_hash(block).await?;
	let parameters = vec![json!("KeyPackagesApi_stock"), json!(HexBytes(device.encode())), json!(at)];
	let answer: HexBytes = node.request("state_call", parameters).await?;
	let view = Option::<StockView>::decode_all(&mut &answer.0[..]).map_err(broken)?;
	Ok(view.map(|view| view.stock))
}

/// The block that gives a device its next key has the whole stock of that key, and none of the old one can be claimed after it; when the
/// chain clears that away depends on what else it has to do. By the new one somebody adds the device, whose client has made it before
/// there was the key.
pub async fn a_device_with_another_key_can_be_added_from_the_same_block_on(network: &Network) -> Result<()> {
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let (anna, boris) =
		tokio::try_join!(Person::new(network, 1, folder.path()), Person::new(network, 3, folder.path()))?;
	let directory = Arc::new(Directory::new(vec![network.url(3)], boris.genesis).map_err(broken)?);
	let keeper = Keeper::start(&boris.client, &directory, boris.id, &boris.device, options());
	assert_eq!(settled(&keeper).await?, 4);

	let rotated = boris.device.rotated();
	let (old, new) = (boris.device.current.key(), rotated.current.key());
	let rotate = || rotate_device(&boris.client, &directory, boris.id, &rotated, options().keeping);
	let done = within(PATIENCE, "another key", rotate()).await?.map_err(broken)?;
	let [_, rotation] = done.history.steps() else { return Err(broken("the log has two events")) };
	let node = network.rpc(3).await?;
	let has_all = |stock: Option<Stock>| stock.is_some_and(|stock| stock.left() == 4 && stock.last_resort.is_some());
	let before = stock_at(&node, &old, rotation.block - 1).await?;
	assert!(has_all(before), "old: {before:?}");
	for (block, has_new) in [(rotation.block - 1, false), (rotation.block, true)] {
		let of_new = stock_at(&node, &new, block).await?;
		assert_eq!((of_new.is_some(), has_all(of_new)), (has_new, has_new), "new, block {block}: {of_new:?}");
	}
	// Only devices of the person are claimed of.
	let devices = done.history.newest().map(|state| state.devices.iter().map(|device| device.key).collect::<Vec<_>>());
	assert_eq!(devices, Some(vec![new]));
	deadline::until(PATIENCE, "the end of the old stock", || async {
		let stock = directory.stock(boris.id, old).await;
		Ok(matches!(stock, Ok(None)).then_some(()))
	})
	.await?;
	assert!(within(PATIENCE, "the end of the old keeper", keeper.settle()).await?.is_err());

	// To do it again is no other rotation, and the next keeper has nothing to publish.
	let again = within(PATIENCE, "the same key", rotate()).await?.map_err(broken)?;
	assert_eq!((again.history.steps().len(), again.stock), (2, done.stock));
	let keeper = Keeper::start(&boris.client, &directory, boris.id, &rotated, options());
	assert_eq!(settled(&keeper).await?, 4);
	let stock = directory.stock(boris.id, new).await.map_err(broken)?;
	assert_eq!(stock.map(|stock| stock.number), Some(1));
	boris.client.change_signer(rotated.current.signer()).await.map_err(broken)?;

	let group = found(network, &anna).await?;
	let now = network.rpc(1).await?.finalized().await?;
	let voucher = HeldVoucher::issue(&Sponsor::alice(), &anna.genesis, VoucherKind::Claim, now);
	let claimed = anna.directory.claim(&voucher, boris.id, None).await.map_err(broken)?;
	assert_eq!(claimed.packages.iter().map(|package| package.device).collect::<Vec<_>>(), [new]);
	let mut events = boris.client.events();
	anna.client.add_claimed(group, &claimed, &voucher).await.map_err(broken)?;
	until(&mut events, "joining", |event| matches!(event, Event::Joined { .. }).then_some(())).await?;
	anna.client.send(group, b"by another key".to_vec()).await.map_err(broken)?;
	let said = until(&mut events, "the message", |event| match event {
		Event::Message { data, .. } => Some(data),
		_ => None,
	});
	assert_eq!(said.await?, b"by another key");
	drop(keeper);
	anna.client.close().await;
	boris.client.close().await;
	Ok(())
}
