//! P7: a client keeps its place in the directory by itself, and is told what happened while it was away.

use super::person::{broken, Person};
use futures::{future::try_join_all, Stream, StreamExt};
use lockstep_client::{
	directory::{
		catch_up, Author, Directory, Happening, Keeper, KeeperEvent, KeeperOptions, Keeping, People, StockNews, Why,
	},
	voucher::{HeldVoucher, VoucherKind},
	Event, GroupId, Sponsor,
};
use lockstep_tests::{deadline::within, Error, Network, Result};
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
