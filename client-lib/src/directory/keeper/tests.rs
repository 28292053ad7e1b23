//! A keeper with a client's store, beside a chain that keeps the rules of the real one.

mod coming_in;
mod failures;
mod keeping;
mod private_keys;

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

fn is_refused<T>(looked: &Result<T, LookError>, with: Refusal) -> bool {
	matches!(looked, Err(LookError::Directory(DirectoryError::KeyPackages(refusal))) if *refusal == with)
}
