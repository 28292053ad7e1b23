//! A keeper with a client's store, beside a chain that keeps the rules of the real one.

use super::{
	look::{Chain, Looked, Looker, Store},
	plan::Keeping,
	shelf::{Draft, Order, Remembered, Settled, Shelf},
	*,
};
use crate::{
	client::{parameters::PARAMETERS, StockCommand},
	directory::{incept, RecoveryKeys, Seed, SignedEvent},
	finality::Finalized,
	mls::Engine,
	simulation::{MemoryDisk, SimulatedClient},
	Upkeep,
};
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use futures::FutureExt;
use lockstep_primitives::{
	key_package::{read, KeyPackageRefusal as Refusal, Publication, SignedPublication, MAX_STOCK},
	BlockNumber, EventSignature, GenesisHash, InitKey,
};
use std::{
	collections::{BTreeMap, BTreeSet},
	sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::oneshot;

const GENESIS: GenesisHash = GenesisHash([7; 32]);
const ID: IdentityId = IdentityId([5; 32]);
const KEEPING: Keeping = Keeping { target: 4, refill_below: 3, life: 1_000, renew_before: 100 };

fn device() -> Seed {
	Seed::new([9; 32])
}

/// By which the device comes in; what it says makes no difference to the world here.
fn event() -> SignedEvent {
	let keys = DeviceKeys { current: device(), next: Seed::new([10; 32]) };
	incept(&GENESIS, &keys, RecoveryKeys::default(), None)
}

fn verify(key: &IdentityKey, text: &[u8], signature: &EventSignature) -> bool {
	let key = VerifyingKey::from_bytes(key.as_bytes());
	key.is_ok_and(|key| key.verify(text, &Signature::from_bytes(signature.as_bytes())).is_ok())
}

/// What the chain and the store are, and where the process dies.
struct World {
	block: BlockNumber,
	stock: Option<Stock>,
	packages: BTreeMap<u32, Vec<u8>>,
	last_resort: Option<Vec<u8>>,
	/// By their numbers.
	published: BTreeMap<u32, Publication>,
	is_device: bool,
	/// How often the event was recorded alone.
	recorded_alone: usize,
	/// Init keys that another device of the person has published.
	copied: BTreeSet<InitKey>,
	/// What publishing answers first.
	refusals: Vec<Option<Refusal>>,
	/// The block that is final when something is published next.
	moves_to: Option<BlockNumber>,
	/// Calls until the process dies, and when.
	dies_in: Option<(usize, Dies)>,
	/// The call that is running does the half of what it does.
	halves: bool,
	disk: MemoryDisk,
	client: Option<SimulatedClient<Engine>>,
}

/// When the process dies in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dies {
	Before,
	/// Of an event and a publication the chain takes only the event. After any other call.
	Halfway,
	After,
}

const DIES: [Dies; 3] = [Dies::Before, Dies::Halfway, Dies::After];

/// The init key of each KeyPackage.
fn init_keys(publication: &Publication) -> Vec<InitKey> {
	publication.all().map(|bytes| read(bytes, &ID, &device().key(), verify).unwrap().init_key).collect()
}

#[derive(Clone)]
struct Shared(Arc<Mutex<World>>);

fn open(disk: &MemoryDisk) -> SimulatedClient<Engine> {
	let engine = Engine::new(ID.0.to_vec(), &[1; 32], GENESIS).unwrap();
	SimulatedClient::open(disk, engine, PARAMETERS, Upkeep::default(), 1).unwrap()
}

impl World {
	fn publish(&mut self, signed: &SignedPublication) -> Result<Stock, Refusal> {
		let Publication { number, replace, lapse, ref packages, ref last_resort, .. } = signed.publication;
		if self.published.get(&number) == Some(&signed.publication) {
			return Ok(self.stock.unwrap());
		}
		if !self.is_device {
			return Err(Refusal::UnknownDevice);
		}
		let text = signed.publication.signing_payload(&GENESIS);
		assert!(verify(&device().key(), &text, &signed.signature));
		let init_keys = init_keys(&signed.publication);
		let (identity, block) = (ID, self.block);
		let (first, next, last) = (0, 0, None);
		let new = Stock {
			identity,
			number: 0,
			first,
			next,
			last_resort: last,
			must_replace: None,
			allowed: 256,
			allowed_at: block,
		};
		let mut stock = self.stock.unwrap_or(new);
		if stock.number != number {
			return Err(Refusal::BadSequence);
		}
		if init_keys.iter().any(|key| self.copied.contains(key)) {
			return Err(Refusal::InitKeyUsed);
		}
		stock.number += 1;
		if replace {
			stock.first = stock.next;
			self.packages.clear();
			self.last_resort = None;
			(stock.last_resort, stock.must_replace) = (None, None);
		}
		for bytes in packages {
			self.packages.insert(stock.next, bytes.to_vec());
			stock.next += 1;
		}
		if let Some(bytes) = last_resort {
			self.last_resort = Some(bytes.to_vec());
			(stock.last_resort, stock.must_replace) = (Some(lapse), None);
		}
		assert!(stock.left() <= MAX_STOCK);
		self.published.insert(number, signed.publication.clone());
		self.stock = Some(stock);
		Ok(stock)
	}

	/// One is claimed; whether it is the last resort.
	fn claim(&mut self) -> bool {
		let (block, stock) = (self.block, self.stock.as_mut().unwrap());
		let place = self.packages.keys().next().copied();
		match place {
			Some(place) => {
				self.packages.remove(&place);
				stock.first = place + 1;
				false
			}
			None => {
				stock.must_replace.get_or_insert(block);
				true
			}
		}
	}

	/// How many KeyPackages have private keys.
	fn keys(&self) -> usize {
		self.client.as_ref().unwrap().awaited().iter().filter(|(_, has_keys)| *has_keys).count()
	}

	/// Finality has come to this block.
	fn pass(&mut self, block: BlockNumber) {
		self.block = block;
		let finalized = Finalized { block, entries: Vec::new(), closed: Vec::new(), complete: true };
		self.client.as_mut().unwrap().on_finalized(finalized);
	}
}

impl Shared {
	fn new() -> Self {
		let disk = MemoryDisk::new();
		let client = Some(open(&disk));
		Self(Arc::new(Mutex::new(World {
			block: 10_000,
			stock: None,
			packages: BTreeMap::new(),
			last_resort: None,
			published: BTreeMap::new(),
			is_device: true,
			recorded_alone: 0,
			copied: BTreeSet::new(),
			refusals: Vec::new(),
			moves_to: None,
			dies_in: None,
			halves: false,
			disk,
			client,
		})))
	}

	fn world(&self) -> MutexGuard<'_, World> {
		self.0.lock().unwrap()
	}

	/// One call: the process may die before or after.
	async fn call<T>(&self, call: impl FnOnce(&mut World) -> T) -> T {
		let dies = {
			let mut world = self.world();
			match &mut world.dies_in {
				Some((0, dies)) => Some(*dies),
				Some((calls, _)) => {
					*calls -= 1;
					None
				}
				None => None,
			}
		};
		if dies == Some(Dies::Before) {
			return std::future::pending().await;
		}
		self.world().halves = dies == Some(Dies::Halfway);
		let done = call(&mut self.world());
		if dies.is_some() {
			return std::future::pending().await;
		}
		done
	}

	fn looker(&self) -> (Looker<Self, Self>, broadcast::Receiver<KeeperEvent>) {
		let (events, told) = broadcast::channel(64);
		let (chain, store) = (self.clone(), self.clone());
		(Looker { genesis: GENESIS, identity: ID, device: device(), keeping: KEEPING, chain, store, events }, told)
	}

	/// Looks until the stock is as it is to be; gives what was told. `None` if the process died.
	fn keep(&self) -> Option<Vec<KeeperEvent>> {
		let (looker, mut told) = self.looker();
		for _ in 0..6 {
			match looker.look().now_or_never()? {
				Ok(Looked::Kept(_)) => {
					return Some(std::iter::from_fn(|| told.try_recv().ok()).collect());
				}
				Ok(Looked::Settled) => {}
				other => panic!("{other:?}"),
			}
		}
		panic!("it does not come to an end")
	}

	/// Has the device come in, or takes up what was begun. `None` if the process died.
	fn come_in(&self) -> Option<Stock> {
		let event = (!self.world().is_device).then(event);
		Some(self.try_to_come_in(event.as_ref())?.unwrap())
	}

	fn try_to_come_in(&self, event: Option<&SignedEvent>) -> Option<Result<Stock, LookError>> {
		self.looker().0.come_in(event).now_or_never()
	}

	/// What is on its way.
	fn draft_there(&self) -> Option<Draft> {
		self.recall(device().key()).now_or_never().unwrap().unwrap().draft
	}

	/// A thief of the key of another device of the person, or of the one before this one's, sees what is on its way, and publishes a
	/// KeyPackage with the same init key.
	fn copy_an_init_key(&self) {
		let publication = self.draft_there().unwrap().publication;
		self.world().copied.extend(init_keys(&publication).last().copied());
	}

	fn look(&self) -> Result<Looked, LookError> {
		self.looker().0.look().now_or_never().unwrap()
	}

	fn keys(&self) -> usize {
		self.world().keys()
	}

	fn published(&self) -> usize {
		self.world().published.len()
	}

	fn restart(&self) {
		let mut world = self.world();
		world.dies_in = None;
		world.client = None;
		world.client = Some(open(&world.disk));
	}
}

impl Chain for Shared {
	async fn stock(&self, _: IdentityId, _: IdentityKey) -> Result<(Option<Stock>, BlockNumber), DirectoryError> {
		Ok(self.call(|world| (world.stock, world.block)).await)
	}

	async fn is_device(&self, _: IdentityId, _: IdentityKey) -> Result<bool, DirectoryError> {
		Ok(self.call(|world| world.is_device).await)
	}

	async fn publish(&self, signed: &SignedPublication) -> Result<Stock, DirectoryError> {
		let answer = self.call(|world| {
			world.block = world.moves_to.take().unwrap_or(world.block);
			match world.refusals.pop() {
				Some(refusal) => Err(refusal),
				None => world.publish(signed).map_err(Some),
			}
		});
		answer.await.map_err(refused)
	}

	async fn record(&self, _: &SignedEvent) -> Result<(), DirectoryError> {
		let record = |world: &mut World| {
			world.recorded_alone += usize::from(!world.is_device);
			world.is_device = true;
		};
		self.call(record).await;
		Ok(())
	}

	async fn record_and_publish(&self, _: &SignedEvent, signed: &SignedPublication) -> Result<Stock, DirectoryError> {
		let both = |world: &mut World| {
			if let Some(refusal) = world.refusals.pop() {
				return Err(refused(refusal));
			}
			let was_device = std::mem::replace(&mut world.is_device, true);
			if world.halves {
				return Err(refused(None));
			}
			let published = world.publish(signed);
			world.is_device = was_device || published.is_ok();
			published.map_err(|refusal| match was_device {
				true => DirectoryError::NotPublished(Box::new(refused(Some(refusal)))),
				false => refused(Some(refusal)),
			})
		};
		self.call(both).await
	}
}

/// Without a refusal nothing is known.
fn refused(refusal: Option<Refusal>) -> DirectoryError {
	match refusal {
		Some(refusal) => DirectoryError::KeyPackages(refusal),
		None => DirectoryError::NotFinal { said: "nothing".to_owned() },
	}
}

impl Shared {
	async fn ask<T>(
		&self,
		command: impl FnOnce(oneshot::Sender<Result<T, StockError>>) -> StockCommand,
	) -> Result<T, StockError> {
		self.call(|world| {
			let (reply, mut answer) = oneshot::channel();
			world.client.as_mut().unwrap().on_stock(command(reply));
			answer.try_recv().unwrap()
		})
		.await
	}
}

impl Store for Shared {
	async fn recall(&self, device: IdentityKey) -> Result<Remembered, StockError> {
		self.ask(|reply| StockCommand::Recall(device, reply)).await
	}

	async fn draft(&self, identity: IdentityId, device: &Seed, order: Order) -> Result<Draft, StockError> {
		self.ask(|reply| StockCommand::Draft(Box::new((identity, device.clone(), order)), reply)).await
	}

	async fn settle(&self, draft: &Draft, settled: Settled) -> Result<(), StockError> {
		let of = Box::new((draft.publication.device, draft.id(), settled));
		self.ask(|reply| StockCommand::Settle(of, reply)).await
	}

	async fn told(&self, device: IdentityKey, shelf: Shelf) -> Result<(), StockError> {
		self.ask(|reply| StockCommand::Told(device, Box::new(shelf), reply)).await
	}
}

#[test]
fn a_stock_is_published_and_refilled_and_told_of() {
	let shared = Shared::new();
	let published =
		|number, packages, last_resort| KeeperEvent::Published { number, packages, last_resort, replaced: false };
	let due = |why: &[Why]| KeeperEvent::Due { why: why.to_vec() };
	assert_eq!(shared.keep().unwrap(), [due(&[Why::Few, Why::NoLastResort]), published(0, 4, true)]);
	assert_eq!(shared.keys(), 5);
	assert_eq!(shared.keep().unwrap(), []);
	assert!(!shared.world().claim());
	let gone = |claimed| KeeperEvent::Stock(StockNews::Gone { claimed, claimed_or_lapsed: 0 });
	assert_eq!(shared.keep().unwrap(), [gone(1)]);
	// While no keeper runs, all are claimed, and the last resort.
	assert!((0..4).any(|_| shared.world().claim()));
	shared.restart();
	let news = [
		gone(3),
		KeeperEvent::Stock(StockNews::Low { left: 0 }),
		KeeperEvent::Stock(StockNews::LastResortUsed { since: 10_000 }),
		due(&[Why::Few, Why::LastResortUsed]),
		published(1, 4, true),
	];
	assert_eq!(shared.keep().unwrap(), news);
	assert_eq!(shared.world().stock.unwrap().must_replace, None);
}

/// What is to replace a stock that lapses soon was stored, and no node took it: what others claim meanwhile is told before it goes.
#[test]
fn what_is_claimed_while_a_publication_waits_is_told() {
	let shared = Shared::new();
	shared.keep().unwrap();
	shared.world().block = 10_950;
	shared.world().refusals = vec![None];
	assert!(matches!(shared.look(), Err(LookError::Directory(DirectoryError::NotFinal { .. }))));
	shared.restart();
	for _ in 0..5 {
		shared.world().claim();
	}
	let told = [
		KeeperEvent::Stock(StockNews::Gone { claimed: 4, claimed_or_lapsed: 0 }),
		KeeperEvent::Stock(StockNews::Low { left: 0 }),
		KeeperEvent::Stock(StockNews::LastResortUsed { since: 10_950 }),
		KeeperEvent::Published { number: 1, packages: 4, last_resort: true, replaced: true },
	];
	assert_eq!(shared.keep().unwrap(), told);
	assert_eq!(shared.keep().unwrap(), []);
}

/// Wherever the process dies: what is published is published once, all of it can be joined by, and there are no private keys of
/// anything else.
#[test]
fn a_crash_anywhere_makes_nothing_twice_and_loses_no_key() {
	let mut died = 0;
	for call in 0..20 {
		for dies in [Dies::Before, Dies::After] {
			let shared = Shared::new();
			shared.world().dies_in = Some((call, dies));
			if shared.keep().is_none() {
				died += 1;
				shared.restart();
				shared.keep().unwrap();
			}
			let world = shared.world();
			let stock = world.stock.unwrap();
			assert_eq!((stock.number, stock.left(), world.published.len()), (1, 4, 1), "call {call}, {dies:?}");
			assert_eq!(world.keys(), 5, "call {call}, {dies:?}");
		}
	}
	assert!(died >= 14, "{died}");
}

/// Has the device come in from where this begins. Wherever the process dies: it comes in, with one stock; there are private keys of all
/// that was made for it, `made`, and a keeper goes on from there.
fn comes_in_wherever_the_process_dies(begin: impl Fn(&Shared), made: usize, check: impl Fn(&World, Dies)) {
	let mut died = 0;
	for call in 0..20 {
		for dies in DIES {
			let shared = Shared::new();
			shared.world().is_device = false;
			begin(&shared);
			shared.world().dies_in = Some((call, dies));
			if shared.come_in().is_none() {
				died += 1;
				check(&shared.world(), dies);
				shared.restart();
				shared.come_in().unwrap();
			}
			shared.world().dies_in = None;
			assert!(shared.world().is_device, "call {call}, {dies:?}");
			let stock = shared.world().stock.unwrap();
			assert_eq!((stock.number, stock.left()), (1, 4), "call {call}, {dies:?}");
			assert_eq!((shared.keys(), shared.published()), (made, 1), "call {call}, {dies:?}");
			assert_eq!(shared.keep().unwrap(), [], "call {call}, {dies:?}");
		}
	}
	assert!(died >= 18, "{died}");
}

/// What is to be published was made, both were sent, and nothing has come of it.
fn begin_to_come_in(shared: &Shared) {
	shared.world().refusals = vec![None];
	let begun = shared.try_to_come_in(Some(&event())).unwrap();
	assert!(matches!(begun, Err(LookError::Directory(DirectoryError::NotFinal { .. }))), "{begun:?}");
	assert_eq!((shared.keys(), shared.published()), (5, 0));
}

#[test]
fn a_device_comes_in_with_its_stock_wherever_the_process_dies() {
	let alone = std::cell::Cell::new(0);
	comes_in_wherever_the_process_dies(
		|_| (),
		5,
		|world, dies| {
			let is_alone = world.is_device && world.stock.is_none();
			alone.set(alone.get() + usize::from(is_alone));
			assert!(dies == Dies::Halfway || !is_alone, "{dies:?}");
			assert_eq!(world.recorded_alone, 0, "{dies:?}");
		},
	);
	assert!(alone.get() > 0, "the event came alone");
}

#[test]
fn a_device_whose_event_came_alone_gets_its_stock_wherever_the_process_dies() {
	let begin = |shared: &Shared| {
		begin_to_come_in(shared);
		shared.world().is_device = true;
	};
	comes_in_wherever_the_process_dies(begin, 5, |_, _| ());
}

/// A thief of the key of before has seen both. No private key of what was refused goes: it may still be published.
#[test]
fn a_device_comes_in_though_the_chain_refuses_its_stock_wherever_the_process_dies() {
	let begin = |shared: &Shared| {
		begin_to_come_in(shared);
		shared.copy_an_init_key();
	};
	comes_in_wherever_the_process_dies(begin, 10, |_, _| ());
	let shared = Shared::new();
	shared.world().is_device = false;
	begin(&shared);
	shared.come_in().unwrap();
	assert_eq!(shared.world().recorded_alone, 1);
}

#[test]
fn a_device_whose_event_came_alone_gets_another_stock_than_the_chain_refuses_wherever_the_process_dies() {
	let begin = |shared: &Shared| {
		begin_to_come_in(shared);
		shared.copy_an_init_key();
		shared.world().is_device = true;
	};
	comes_in_wherever_the_process_dies(begin, 10, |_, _| ());
	// The event comes between the look into the log and the submission.
	let shared = Shared::new();
	begin(&shared);
	let came_in = shared.try_to_come_in(Some(&event())).unwrap();
	assert_eq!(came_in.unwrap().left(), 4);
	assert_eq!((shared.keys(), shared.published()), (10, 1));
	// A keeper finds the same.
	let shared = Shared::new();
	begin(&shared);
	let refused = shared.look();
	assert!(is_refused(&refused, Refusal::InitKeyUsed), "{refused:?}");
	shared.keep().unwrap();
	assert_eq!((shared.keys(), shared.published()), (10, 1));
}

/// Whatever it is: the event is recorded by the next call.
#[test]
fn an_event_does_not_wait_for_what_comes_with_it() {
	for refusal in [Refusal::InitKeyUsed, Refusal::BadSequence, Refusal::BadLapse, Refusal::Full, Refusal::TooSoon] {
		let shared = Shared::new();
		shared.world().is_device = false;
		shared.world().refusals = vec![Some(refusal); 2];
		let begun = shared.try_to_come_in(Some(&event())).unwrap();
		assert!(shared.world().is_device && shared.world().recorded_alone == 1, "{refusal:?}, {begun:?}");
		if let Err(error) = begun {
			assert!(matches!(error, LookError::Directory(DirectoryError::NotPublished(_))), "{refusal:?}: {error:?}");
			assert_eq!(shared.come_in().unwrap().left(), 4, "{refusal:?}");
		}
		assert_eq!(shared.published(), 1, "{refusal:?}");
	}
}

fn is_refused<T>(looked: &Result<T, LookError>, with: Refusal) -> bool {
	matches!(looked, Err(LookError::Directory(DirectoryError::KeyPackages(refusal))) if *refusal == with)
}

/// The log was read before the event was in it, or at a node that is behind.
#[test]
fn to_come_in_again_makes_nothing() {
	let shared = Shared::new();
	shared.world().is_device = false;
	let stock = shared.come_in().unwrap();
	assert_eq!(shared.try_to_come_in(Some(&event())).unwrap().unwrap(), stock);
	assert_eq!((shared.keys(), shared.published(), shared.draft_there()), (5, 1, None));
	shared.world().stock = None;
	for event in [None, Some(event())] {
		let behind = shared.try_to_come_in(event.as_ref()).unwrap();
		assert!(matches!(behind, Err(LookError::Behind)), "{behind:?}");
	}
	assert_eq!((shared.keys(), shared.draft_there()), (5, None));
	shared.world().stock = Some(stock);
	assert_eq!(shared.keep().unwrap(), []);
}

/// Two have published the same; the slower one takes note of it when something else is on its way.
#[test]
fn what_became_of_one_publication_is_not_taken_for_that_of_the_next() {
	let shared = Shared::new();
	begin_at_a_keeper(&shared);
	let first = shared.draft_there().unwrap();
	shared.keep().unwrap();
	shared.world().claim();
	shared.world().claim();
	begin_at_a_keeper(&shared);
	let second = shared.draft_there().unwrap();
	assert_eq!((first.publication.number, second.publication.number), (0, 1));
	for settled in [Settled::Published(10_000), Settled::Never, Settled::Unknown, Settled::Abandoned] {
		let before = shared.recall(device().key()).now_or_never().unwrap().unwrap();
		shared.settle(&first, settled).now_or_never().unwrap().unwrap();
		let after = shared.recall(device().key()).now_or_never().unwrap().unwrap();
		assert_eq!((after.shelf, after.draft.as_ref()), (before.shelf, Some(&second)), "{settled:?}");
	}
	// Nor if it has the same number.
	shared.settle(&second, Settled::Abandoned).now_or_never().unwrap().unwrap();
	begin_at_a_keeper(&shared);
	let third = shared.draft_there().unwrap();
	assert_eq!(third.publication.number, second.publication.number);
	shared.settle(&second, Settled::Published(10_000)).now_or_never().unwrap().unwrap();
	assert_eq!(shared.draft_there(), Some(third));
	shared.keep().unwrap();
	assert_eq!((shared.published(), shared.world().stock.unwrap().left()), (2, 4));
}

/// A keeper makes what is due, and nothing comes of it yet.
fn begin_at_a_keeper(shared: &Shared) {
	shared.world().refusals = vec![None];
	let begun = shared.look();
	assert!(matches!(begun, Err(LookError::Directory(DirectoryError::NotFinal { .. }))), "{begun:?}");
}

/// A thief of the key of another device of the person sees a refill on its way.
#[test]
fn a_stock_is_refilled_though_somebody_has_published_an_init_key_of_it() {
	let shared = Shared::new();
	shared.keep().unwrap();
	shared.world().claim();
	shared.world().claim();
	begin_at_a_keeper(&shared);
	assert_eq!(shared.keys(), 7);
	shared.copy_an_init_key();
	let refused = shared.look();
	assert!(is_refused(&refused, Refusal::InitKeyUsed), "{refused:?}");
	shared.keep().unwrap();
	assert_eq!((shared.published(), shared.world().stock.unwrap().left()), (2, 4));
	assert_eq!(shared.keys(), 9, "those of what was refused are kept");
}

/// The thief does it each time. So the store does not fill, and the device is held up for a day at most, not until all has lapsed.
#[test]
fn after_a_few_refusals_because_of_an_init_key_one_more_is_made_each_day() {
	let shared = Shared::new();
	let (mut looker, _told) = shared.looker();
	looker.keeping.life = 1_000_000;
	shared.world().refusals = vec![Some(Refusal::InitKeyUsed); 100];
	let look = |block, keys| {
		shared.world().block = block;
		for _ in 0..9 {
			let refused = looker.look().now_or_never().unwrap();
			assert!(is_refused(&refused, Refusal::InitKeyUsed), "{block}: {refused:?}");
		}
		assert_eq!(shared.keys(), keys, "{block}");
	};
	look(10_000, 20);
	look(10_000 + 86_399, 20);
	look(10_000 + 86_400, 25);
	look(10_000 + 2 * 86_400 - 1, 25);
	look(10_000 + 2 * 86_400, 30);
}

/// Whoever has seen both can have the event recorded alone.
#[test]
fn what_comes_with_an_event_is_published_after_it_if_that_came_alone() {
	let shared = Shared::new();
	shared.world().is_device = false;
	begin_to_come_in(&shared);
	shared.world().is_device = true;
	assert_eq!(shared.come_in().unwrap().left(), 4);
	assert_eq!((shared.keys(), shared.published()), (5, 1));
	// Once more: nothing happens.
	assert_eq!(shared.come_in().unwrap().number, 1);
	assert_eq!((shared.keys(), shared.published()), (5, 1));
}

#[test]
fn what_was_made_for_a_device_that_did_not_come_in_is_made_anew_when_it_has_lapsed() {
	let shared = Shared::new();
	shared.world().is_device = false;
	let lapse = 10_000 + KEEPING.life;
	for (block, made_for) in [(10_000, lapse), (lapse - 1, lapse), (lapse, lapse + KEEPING.life)] {
		shared.world().block = block;
		shared.world().refusals = vec![None];
		drop(shared.looker().0.come_in(Some(&event())).now_or_never().unwrap().unwrap_err());
		let draft = shared.recall(device().key()).now_or_never().unwrap().unwrap().draft.unwrap();
		assert_eq!((draft.publication.lapse, shared.keys()), (made_for, 5), "block {block}");
	}
	shared.come_in().unwrap();
	assert_eq!((shared.keys(), shared.world().published[&0].lapse), (5, lapse + KEEPING.life));
}

#[test]
fn however_often_it_fails_nothing_more_is_made() {
	let shared = Shared::new();
	shared.world().refusals = vec![None; 20];
	for _ in 0..20 {
		assert!(matches!(shared.look(), Err(LookError::Directory(DirectoryError::NotFinal { .. }))));
		assert_eq!(shared.keys(), 5);
	}
	shared.keep().unwrap();
	assert_eq!((shared.keys(), shared.published()), (5, 1));
}

/// It was published, and is forgotten between the two looks at it: then it looks like something else with its number.
#[test]
fn what_lapses_while_it_is_looked_for_may_have_been_published_and_keeps_its_keys() {
	for (after, keys) in [(0, 0), (1, 5)] {
		let shared = Shared::new();
		begin_at_a_keeper(&shared);
		let publication = shared.draft_there().unwrap().publication;
		let lapse = publication.lapse;
		let signature = device().sign(&publication.signing_payload(&GENESIS));
		shared.world().publish(&SignedPublication { publication, signature }).unwrap();
		shared.world().refusals = vec![Some(Refusal::BadSequence)];
		shared.world().block = lapse;
		shared.world().moves_to = Some(lapse + after);
		assert_eq!(shared.look().unwrap(), Looked::Settled);
		assert_eq!((shared.draft_there(), shared.keys()), (None, keys), "{after} blocks after the last one");
	}
}

#[test]
fn what_came_too_late_is_made_anew_and_its_keys_go() {
	let shared = Shared::new();
	shared.world().refusals = vec![None];
	shared.look().unwrap_err();
	// Somebody else with the device's key publishes with its number.
	let other = Shared::new();
	other.keep().unwrap();
	let publication = other.world().published[&0].clone();
	let signature = device().sign(&publication.signing_payload(&GENESIS));
	shared.world().publish(&SignedPublication { publication, signature }).unwrap();
	let told = shared.keep().unwrap();
	assert_eq!(told[..2], [KeeperEvent::Superseded { number: 0 }, KeeperEvent::Due { why: vec![Why::NotOurs] }]);
	let world = shared.world();
	let mine: Vec<_> = world.published[&1].all().map(|bytes| bytes.to_vec()).collect();
	assert!(world.packages.values().chain(&world.last_resort).all(|bytes| mine.contains(bytes)));
	assert_eq!(world.keys(), 5, "of those that nobody can claim there are none");
}

#[test]
fn a_store_without_the_keys_replaces_what_is_there() {
	let shared = Shared::new();
	shared.keep().unwrap();
	shared.world().disk = MemoryDisk::new();
	shared.restart();
	assert_eq!(shared.keys(), 0);
	shared.keep().unwrap();
	let world = shared.world();
	assert!(world.published[&1].replace);
	assert_eq!((world.stock.unwrap().left(), world.keys()), (4, 5));
}

#[test]
fn what_the_chain_takes_no_more_is_given_up_a_few_times_and_may_still_come() {
	let shared = Shared::new();
	shared.world().refusals = vec![Some(Refusal::LastResortDue); 9];
	(0..9).for_each(|_| drop(shared.look().unwrap_err()));
	let keys = shared.keys();
	assert_eq!(keys, 20, "three were given up, and their keys kept");
	shared.keep().unwrap();
	assert_eq!((shared.keys(), shared.published()), (keys, 1));
}

#[test]
fn a_device_without_a_place_keeps_nothing() {
	let shared = Shared::new();
	shared.world().is_device = false;
	let stopped = |shared: &Shared| matches!(shared.look(), Err(LookError::Stopped(KeeperStopped::NotADevice { .. })));
	assert!(stopped(&shared));
	assert_eq!(shared.keys(), 0, "nothing was made");
	shared.world().is_device = true;
	shared.keep().unwrap();
	// It is revoked, and what the chain knew of it is cleared away.
	shared.world().is_device = false;
	shared.world().stock = None;
	assert!(stopped(&shared));
}

#[test]
fn a_node_that_is_behind_has_nothing_published_again() {
	let shared = Shared::new();
	shared.keep().unwrap();
	let stock = shared.world().stock.take();
	assert!(matches!(shared.look(), Err(LookError::Behind)));
	shared.world().stock = stock;
	assert_eq!(shared.keep().unwrap(), []);
}

#[test]
fn private_keys_are_kept_as_long_as_they_can_be_of_use_and_no_longer() {
	let shared = Shared::new();
	shared.keep().unwrap();
	let mut world = shared.world();
	let lapse = world.published[&0].lapse;
	world.pass(lapse + GRACE);
	assert_eq!(world.keys(), 5);
	world.pass(lapse + GRACE + 1);
	assert_eq!((world.keys(), world.client.as_ref().unwrap().awaited().len()), (0, 0));
}

#[test]
fn private_keys_are_deleted_in_time_by_whoever_was_away() {
	let shared = Shared::new();
	shared.keep().unwrap();
	let lapse = shared.world().published[&0].lapse;
	shared.restart();
	shared.world().pass(lapse + GRACE);
	assert_eq!(shared.keys(), 5);
	shared.restart();
	shared.world().pass(lapse + GRACE + 1);
	assert_eq!(shared.keys(), 0);
}

/// Of a last resort that was replaced there are keys for those who have it; nobody else can get it.
#[test]
fn a_last_resort_stays_for_those_who_have_claimed_it() {
	let shared = Shared::new();
	shared.keep().unwrap();
	for _ in 0..5 {
		shared.world().claim();
	}
	shared.world().pass(10_100);
	assert_eq!(shared.keys(), 5);
	shared.keep().unwrap();
	assert_eq!(shared.keys(), 10);
	let mut world = shared.world();
	world.pass(10_100 + GRACE);
	assert_eq!(world.keys(), 10);
	world.pass(10_100 + GRACE + 1);
	assert_eq!(world.keys(), 9, "the one that was replaced");
	world.pass(10_000 + KEEPING.life + GRACE + 1);
	assert_eq!(world.keys(), 5, "those that were published with it");
}

#[test]
fn a_client_of_another_identity_keeps_nothing() {
	let shared = Shared::new();
	let (mut looker, _) = shared.looker();
	looker.identity = IdentityId([6; 32]);
	let looked = looker.look().now_or_never().unwrap();
	let other = KeeperStopped::Client(StockError::OtherIdentity(IdentityId([6; 32])));
	assert!(matches!(looked, Err(LookError::Stopped(stopped)) if stopped == other));
}
