//! P7: a client keeps its place in the directory by itself, and is told what happened while it was away.

use super::{
	p7_lying_nodes::{proven, stands_still, LOG},
	person::{broken, Enrolled, Person},
};
use futures::{future::try_join_all, Stream, StreamExt};
use lockstep_client::{
	directory::{
		catch_up, Author, CatchUp, Directory, DirectoryError, Happening, History, IdentityExportError, Keeper,
		KeeperEvent, KeeperOptions, Keeping, News, NewsError, OperatorId, People, StockNews, Why,
	},
	voucher::{HeldVoucher, VoucherKind},
	Client, Event, GroupError, GroupId, Sponsor,
};
use lockstep_tests::{
	deadline::{self, within},
	liar::Liar,
	Error, Network, Result,
};
use serde_json::json;
use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

pub const PATIENCE: Duration = Duration::from_secs(120);
/// The node of those who are told in order: what was final for one of them is final for the others.
const NODE: usize = 3;

pub fn options() -> KeeperOptions {
	let keeping = Keeping { target: 4, refill_below: 3, life: 10_000, renew_before: 1_000 };
	KeeperOptions { keeping, look_every: Duration::from_secs(1), ..KeeperOptions::default() }
}

pub async fn settled(keeper: &Keeper) -> Result<u32> {
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
	let mut told = keeper.events();
	until_published(&mut told).await?;
	assert_eq!(settled(&keeper).await?, 4);
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

/// What these nodes tell somebody of himself, by an application that has asked nobody yet.
async fn told_by(person: &Person, nodes: Vec<String>) -> Result<CatchUp> {
	let directory = Directory::new(nodes, person.genesis).map_err(broken)?;
	let people = People { own: Some(person.id), ..People::default() };
	catch_up(&person.client, &directory, &people).await.map_err(broken)
}

/// A node stands still where nothing had happened yet. Whose client has verified a later block takes nothing from it, and asks the
/// next one.
pub async fn a_node_that_stands_still_hides_no_news(network: &Network) -> Result<()> {
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let boris = Person::new(network, NODE, folder.path()).await?;
	let old = proven(&network.rpc(NODE).await?, LOG, vec![json!(boris.id), json!(0)]).await?;
	let liar = Liar::start(&network.url(NODE)).await?;
	liar.tell(stands_still([(LOG, old)]));
	let operator = Some(OperatorId([3; 32]));
	let history = boris.record(|author| author.set_operator(&boris.device, operator)).await?;
	let happened = newest(&history, true, Happening::OperatorSet { operator })?;

	let refused = deadline::until(PATIENCE, "the client to know better", || async {
		let told = told_by(&boris, vec![liar.url.clone()]).await?;
		assert!(!told.news.contains(&happened), "{told:?}");
		let behind = told
			.unread
			.iter()
			.any(|(_, error)| matches!(error, NewsError::Directory(DirectoryError::Read(IdentityExportError::Behind))));
		Ok(behind.then_some(told))
	});
	let refused = refused.await?;
	assert_eq!((refused.until, refused.news.len()), (None, 0), "it does not say that nothing happened");
	let told = deadline::until(PATIENCE, "the other node", || async {
		let told = told_by(&boris, vec![liar.url.clone(), network.url(NODE)]).await?;
		Ok(told.unread.is_empty().then_some(told))
	});
	let told = told.await?;
	assert!(told.until >= Some(happened.block), "{told:?}");
	assert_eq!(told.news.last(), Some(&happened));
	boris.client.close().await;
	Ok(())
}

/// Opens a client again from its store, with no more than an application has after a restart.
async fn reopen(person: &mut Person, network: &Network, folder: &Path) -> Result<()> {
	person.client = Client::open(person.config(network, NODE, folder)).await.map_err(broken)?;
	person.directory = Directory::new(vec![network.url(NODE)], person.genesis).map_err(broken)?;
	Ok(())
}

/// What is told when every log could be read.
async fn caught_up(person: &Person, people: &People) -> Result<CatchUp> {
	let reading = async {
		loop {
			let told = catch_up(&person.client, &person.directory, people).await.map_err(broken)?;
			if told.unread.is_empty() {
				return Ok::<_, Error>(told);
			}
		}
	};
	within(PATIENCE, "every log", reading).await?
}

fn keep(person: &Person, network: &Network) -> Result<Keeper> {
	let directory = Directory::new(vec![network.url(NODE)], person.genesis).map_err(broken)?;
	Ok(Keeper::start(&person.client, &Arc::new(directory), person.id, &person.device, options()))
}

/// As what the newest event of a log is to be told.
fn newest(history: &History, own: bool, what: Happening) -> Result<News> {
	let step = history.steps().last().ok_or_else(|| broken("there is no event"))?;
	let (identity, index) = (history.identity(), step.event.event.index);
	Ok(News { identity, own, block: step.block, index, what, overridden_by: None })
}

/// While a client is closed, its identity gets a device and loses it, a contact rotates a key, another one revokes a device, and
/// others claim all of its KeyPackages. It is told all of that from its store and the logs, and once.
pub async fn who_was_closed_is_told_everything_in_order(network: &Network) -> Result<()> {
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let (mut boris, anna, chiara) = tokio::try_join!(
		Person::new(network, NODE, folder.path()),
		Enrolled::new(network, NODE),
		Enrolled::new(network, NODE)
	)?;
	// Two of them have a second device; that of Boris has no client.
	let (phone, tablet) = tokio::try_join!(
		Enrolled::with_further_device(&boris, network, NODE),
		chiara.with_further_device(network, NODE)
	)?;
	let people = People { own: Some(boris.id), contacts: [anna.id, chiara.id].into(), since: None };
	let first = caught_up(&boris, &people).await?;
	let (device, by) = (phone.device.current.key(), boris.device.current.key());
	let own: Vec<_> = first.news.iter().map(|news| (news.own, news.index, &news.what)).collect();
	let created = (true, 0, &Happening::Created { device: by });
	assert_eq!(own, [created, (true, 1, &Happening::DeviceAdded { device, by })]);
	first.told(&boris.client).await.map_err(broken)?;
	let keeper = keep(&boris, network)?;
	assert_eq!(settled(&keeper).await?, 4);
	drop(keeper);
	boris.client.close().await;
	let closed = catch_up(&boris.client, &boris.directory, &people).await;
	assert!(matches!(closed, Err(GroupError::Closed)), "{closed:?}");

	// One after the other, and Boris at both ends: by people the order would be another one.
	let watch = phone.with_further_device(network, NODE).await?;
	let (history, _) = phone.directory.read(boris.id).await.map_err(broken)?;
	let (device, by) = (watch.device.current.key(), phone.device.current.key());
	let added = newest(&history, true, Happening::DeviceAdded { device, by })?;

	let (from, rotated) = (anna.device.current.key(), anna.device.rotated());
	let history = anna.record(|author| author.rotate(&anna.device, &rotated)).await?;
	let rotation = newest(&history, false, Happening::KeyRotated { from, to: rotated.current.key() })?;

	let now = network.rpc(NODE).await?.finalized().await?;
	let claim = async || {
		let voucher = HeldVoucher::issue(&Sponsor::alice(), &anna.genesis, VoucherKind::Claim, now);
		anna.directory.claim(&voucher, boris.id, None).await.map_err(broken)
	};
	let claimed = try_join_all((0..5).map(|_| claim())).await?;
	let mut last = claimed.iter().filter(|claimed| claimed.packages[0].last_resort);
	let (Some(last), None) = (last.next(), last.next()) else { return Err(broken(format!("{claimed:?}"))) };

	let (device, by) = (tablet.device.current.key(), chiara.device.current.key());
	let history = chiara.record(|author| author.revoke_device(&chiara.device, device)).await?;
	let revocation = newest(&history, false, Happening::DeviceRevoked { device, with: vec![], by })?;

	let (device, by) = (watch.device.current.key(), phone.device.current.key());
	let history = phone.record(|author| author.revoke_device(&phone.device, device)).await?;
	let own_revocation = newest(&history, true, Happening::DeviceRevoked { device, with: vec![], by })?;
	let happened = [added, rotation, revocation, own_revocation];
	assert!(happened.windows(2).all(|pair| pair[0].block < pair[1].block), "{happened:?}");

	// Also if it is closed again before it was told.
	for _ in 0..2 {
		boris.client.close().await;
		reopen(&mut boris, network, folder.path()).await?;
		let told = caught_up(&boris, &people).await?;
		assert_eq!(told.news, happened);
		assert!(told.until >= Some(happened[3].block), "{told:?}");
	}
	caught_up(&boris, &people).await?.told(&boris.client).await.map_err(broken)?;
	assert_eq!(caught_up(&boris, &people).await?.news, []);
	let keeper = keep(&boris, network)?;
	let mut events = keeper.events();
	let mut told = until_published(&mut events).await?;
	assert!(matches!(told.pop(), Some(KeeperEvent::Published { packages: 4, last_resort: true, .. })));
	let used = StockNews::LastResortUsed { since: last.block };
	let gone = StockNews::Gone { claimed: 4, claimed_or_lapsed: 0 };
	let stock = [gone, StockNews::Low { left: 0 }, used].map(KeeperEvent::Stock);
	let due = KeeperEvent::Due { why: vec![Why::Few, Why::LastResortUsed] };
	assert_eq!(told, [&stock[..], &[due]].concat());
	assert_eq!(settled(&keeper).await?, 4);
	drop(keeper);
	boris.client.close().await;

	// And never again.
	reopen(&mut boris, network, folder.path()).await?;
	assert_eq!(caught_up(&boris, &people).await?.news, []);
	let keeper = keep(&boris, network)?;
	let events = keeper.events();
	assert_eq!(settled(&keeper).await?, 4);
	drop(keeper);
	let told: Vec<KeeperEvent> = within(PATIENCE, "the end of the keeper", events.collect()).await?;
	// Of the network.
	assert!(told.iter().all(|event| matches!(event, KeeperEvent::Failed { .. })), "{told:?}");
	boris.client.close().await;
	Ok(())
}
