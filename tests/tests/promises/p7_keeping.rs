//! P7: a client keeps its place in the directory by itself, and is told what happened while it was away.

use super::{
	p7_members::{found, until},
	person::{broken, Person},
};
use codec::{DecodeAll, Encode};
use futures::{future::try_join_all, Stream, StreamExt};
use lockstep_client::{
	directory::{
		catch_up, rotate_device, Author, Directory, Happening, IdentityKey, Keeper, KeeperEvent, KeeperOptions,
		Keeping, People, Stock, StockNews, Why,
	},
	voucher::{HeldVoucher, VoucherKind},
	Event, GroupId, Sponsor,
};
use lockstep_primitives::{key_package::StockView, rpc::HexBytes, BlockNumber};
use lockstep_tests::{deadline::within, rpc::NodeRpc, Error, Network, Result};
use serde_json::json;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

const PATIENCE: Duration = Duration::from_secs(120);

fn options() -> KeeperOptions {
	let keeping = Keeping { target: 4, refill_below: 3, life: 10_000, renew_before: 1_000 };
	KeeperOptions { keeping, look_every: Duration::from_secs(1), ..KeeperOptions::default() }
}

async fn settled(keeper: &Keeper) -> Result<u32> {
	let stock = within(PATIENCE, "a full stock", keeper.settle()).await?.map_err(broken)?;
	assert!(stock.last_resort.is_some() && stock.must_replace.is_none());
	Ok(stock.left())
}

/// Everything that is told until something is published.
async fn until_published(told: &mut (impl Stream<Item = KeeperEvent> + Unpin)) -> Result<Vec<KeeperEvent>> {
	let telling = async {
		let mut all = Vec::new();
		while let Some(event) = told.next().await {
			// Of the network.
			if matches!(event, KeeperEvent::Failed { .. }) {
				continue;
			}
			all.push(event);
			if matches!(all.last(), Some(KeeperEvent::Published { .. })) {
				return Ok(all);
			}
		}
		Err(broken("the keeper ended"))
	};
	within(PATIENCE, "a publication", telling).await?
}

/// A keeper publishes, refills while others claim, and says what happened while it was not running. Two have got the same last
/// resort, and both add its owner.
pub async fn a_stock_is_kept_and_a_last_resort_serves_two(network: &Network) -> Result<()> {
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let (anna, boris) =
		tokio::try_join!(Person::new(network, 0, folder.path()), Person::new(network, 1, folder.path()))?;
	let directory = Arc::new(Directory::new(vec![network.url(0)], boris.genesis).map_err(broken)?);
	let start = || Keeper::start(&boris.client, &directory, boris.id, &boris.device, options());
	let now = network.rpc(0).await?.finalized().await?;
	let claim = async || {
		let voucher = HeldVoucher::issue(&Sponsor::alice(), &anna.genesis, VoucherKind::Claim, now);
		let claimed = anna.directory.claim(&voucher, boris.id, None).await.map_err(broken)?;
		Ok::<_, Error>((voucher, claimed))
	};

	let keeper = start();
	assert_eq!(settled(&keeper).await?, 4);
	let mut told = keeper.events();
	try_join_all((0..2).map(|_| claim())).await?;
	let refilled = until_published(&mut told).await?;
	assert!(refilled.contains(&KeeperEvent::Due { why: vec![Why::Few] }), "{refilled:?}");
	assert_eq!(settled(&keeper).await?, 4);

	// Nobody keeps the stock, and six claim of four.
	drop(keeper);
	let claimed = try_join_all((0..6).map(|_| claim())).await?;
	let last: Vec<_> = claimed.iter().filter(|(_, claimed)| claimed.packages[0].last_resort).collect();
	let distinct: BTreeSet<&[u8]> = claimed.iter().map(|(_, claimed)| &claimed.packages[0].bytes[..]).collect();
	assert_eq!((last.len(), distinct.len()), (2, 5));
	let keeper = start();
	let mut told = keeper.events();
	let told = until_published(&mut told).await?;
	let gone = StockNews::Gone { claimed: 4, claimed_or_lapsed: 0 };
	assert_eq!(told[0], KeeperEvent::Stock(gone), "{told:?}");
	assert!(told.iter().any(|event| matches!(event, KeeperEvent::Stock(StockNews::LastResortUsed { .. }))), "{told:?}");
	assert_eq!(settled(&keeper).await?, 4);

	// It was replaced, and those who have it can use it.
	let mut events = boris.client.events();
	let mut groups = BTreeSet::new();
	for (voucher, claimed) in last {
		let group = anna.client.create_group().await.map_err(broken)?;
		anna.client.add_claimed(group, claimed, voucher).await.map_err(broken)?;
		groups.insert(group);
	}
	let joining = async {
		let mut joined = BTreeSet::<GroupId>::new();
		while joined != groups {
			match events.next().await {
				Some(Event::Joined { group, .. }) => drop(joined.insert(group)),
				Some(_) => {}
				None => return Err(broken("the client ended")),
			}
		}
		Ok(())
	};
	within(PATIENCE, "both groups", joining).await??;
	drop(keeper);
	anna.client.close().await;
	boris.client.close().await;
	Ok(())
}

/// A contact has another key, without a commit in any group.
pub async fn what_happened_meanwhile_is_told_once(network: &Network) -> Result<()> {
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let (anna, boris) =
		tokio::try_join!(Person::new(network, 2, folder.path()), Person::new(network, 2, folder.path()))?;
	let people = People { own: Some(boris.id), contacts: [anna.id].into(), since: None };
	let look = async || catch_up(&boris.client, &boris.directory, &people).await.map_err(broken);
	let first = look().await?;
	assert_eq!(first.news.len(), 1, "of a new contact nothing is told: {first:?}");
	assert!(first.news[0].own && matches!(first.news[0].what, Happening::Created { .. }));
	first.told(&boris.client).await.map_err(broken)?;

	let (from, rotated) = (anna.device.current.key(), anna.device.rotated());
	let (history, _) = anna.directory.read(anna.id).await.map_err(broken)?;
	let recorded = anna.directory.record(&Author::after(&history).rotate(&anna.device, &rotated)).await;
	let block = recorded.map_err(broken)?.steps()[1].block;
	let happened = Happening::KeyRotated { from, to: rotated.current.key() };
	// Until it is said to be told.
	for _ in 0..2 {
		let caught_up = look().await?;
		assert!(caught_up.unread.is_empty(), "{caught_up:?}");
		let [news] = &caught_up.news[..] else { return Err(broken(format!("{caught_up:?}"))) };
		assert_eq!(
			(news.identity, news.own, news.block, news.index, &news.what),
			(anna.id, false, block, 1, &happened)
		);
		assert!(news.what.changes_keys());
	}
	look().await?.told(&boris.client).await.map_err(broken)?;
	assert_eq!(look().await?.news, []);
	anna.client.close().await;
	boris.client.close().await;
	Ok(())
}

/// What a device had at the end of a block, as a node says.
async fn stock_at(node: &NodeRpc, device: &IdentityKey, block: BlockNumber) -> Result<Option<Stock>> {
	let at = node.block_hash(block).await?;
	let parameters = vec![json!("KeyPackagesApi_stock"), json!(HexBytes(device.encode())), json!(at)];
	let answer: HexBytes = node.request("state_call", parameters).await?;
	let view = Option::<StockView>::decode_all(&mut &answer.0[..]).map_err(broken)?;
	Ok(view.map(|view| view.stock))
}

/// The block that gives a device its next key takes the stock of the old one away and has the whole stock of the new one; by that
/// somebody adds the device, whose client has made it before there was the key.
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
	for (block, has_old, has_new) in [(rotation.block - 1, true, false), (rotation.block, false, true)] {
		let (of_old, of_new) = tokio::try_join!(stock_at(&node, &old, block), stock_at(&node, &new, block))?;
		assert_eq!((of_old.is_some(), has_all(of_old)), (has_old, has_old), "old, block {block}: {of_old:?}");
		assert_eq!((of_new.is_some(), has_all(of_new)), (has_new, has_new), "new, block {block}: {of_new:?}");
	}
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
