//! One look at the stock, and what follows from it.

use super::{
	changes::changes,
	plan::{Keeping, Step},
	shelf::{Draft, Order, Remembered, Settled, Shelf},
	KeeperEvent, KeeperStopped, LookError,
};
use crate::{
	client::StockCommand,
	directory::{Directory, DirectoryError, Seed, SignedEvent},
	Client, StockError,
};
use lockstep_primitives::{
	key_package::{KeyPackageRefusal, Publication, SignedPublication, Stock},
	BlockNumber, GenesisHash, IdentityId, IdentityKey,
};
use std::{future::Future, sync::Arc};
use tokio::sync::broadcast;

/// How many publications with the same number are given up at most because the chain refuses them as things are: each has private keys.
const MAX_ABANDONED: u32 = 3;
/// After so many blocks one more is given up, if somebody has published an init key of it: otherwise that would hold up the device until
/// all of it has lapsed.
const INIT_KEY_USED: BlockNumber = 86_400;

/// The chain, as a keeper needs it.
pub(super) trait Chain: Send + Sync {
	/// What is known of a device's KeyPackages, as of a final block.
	fn stock(
		&self,
		identity: IdentityId,
		device: IdentityKey,
	) -> impl Future<Output = Result<(Option<Stock>, BlockNumber), DirectoryError>> + Send;

	/// Whether the device has its place.
	fn is_device(
		&self,
		identity: IdentityId,
		device: IdentityKey,
	) -> impl Future<Output = Result<bool, DirectoryError>> + Send;

	/// [`Directory::record`].
	fn record(&self, event: &SignedEvent) -> impl Future<Output = Result<(), DirectoryError>> + Send;

	/// [`Directory::publish`].
	fn publish(&self, signed: &SignedPublication) -> impl Future<Output = Result<Stock, DirectoryError>> + Send;

	/// [`Directory::record_and_publish`].
	fn record_and_publish(
		&self,
		event: &SignedEvent,
		signed: &SignedPublication,
	) -> impl Future<Output = Result<Stock, DirectoryError>> + Send;
}

/// The store, as a keeper needs it.
pub(super) trait Store: Send + Sync {
	fn recall(&self, device: IdentityKey) -> impl Future<Output = Result<Remembered, StockError>> + Send;

	/// Makes and stores what is to be published; gives what is on its way, if something is.
	fn draft(
		&self,
		identity: IdentityId,
		device: &Seed,
		order: Order,
	) -> impl Future<Output = Result<Draft, StockError>> + Send;

	/// Takes note of what became of this draft; nothing if another one is on its way.
	fn settle(&self, draft: &Draft, settled: Settled) -> impl Future<Output = Result<(), StockError>> + Send;

	/// What was told.
	fn told(&self, device: IdentityKey, shelf: Shelf) -> impl Future<Output = Result<(), StockError>> + Send;
}

impl Chain for Arc<Directory> {
	async fn stock(
		&self,
		identity: IdentityId,
		device: IdentityKey,
	) -> Result<(Option<Stock>, BlockNumber), DirectoryError> {
		let (stock, head) = self.stock_as_of(identity, device).await?;
		Ok((stock, head.number))
	}

	async fn is_device(&self, identity: IdentityId, device: IdentityKey) -> Result<bool, DirectoryError> {
		let (history, _) = self.read(identity).await?;
		Ok(history.newest().is_some_and(|state| !state.closed && state.device(&device).is_some()))
	}

	async fn record(&self, event: &SignedEvent) -> Result<(), DirectoryError> {
		Directory::record(self, event).await.map(drop)
	}

	async fn publish(&self, signed: &SignedPublication) -> Result<Stock, DirectoryError> {
		Directory::publish(self, signed).await
	}

	async fn record_and_publish(
		&self,
		event: &SignedEvent,
		signed: &SignedPublication,
	) -> Result<Stock, DirectoryError> {
		Ok(Directory::record_and_publish(self, event, signed).await?.1)
	}
}

impl Store for Client {
	async fn recall(&self, device: IdentityKey) -> Result<Remembered, StockError> {
		self.stock(|reply| StockCommand::Recall(device, reply)).await
	}

	async fn draft(&self, identity: IdentityId, device: &Seed, order: Order) -> Result<Draft, StockError> {
		let asked = Box::new((identity, device.clone(), order));
		self.stock(|reply| StockCommand::Draft(asked, reply)).await
	}

	async fn settle(&self, draft: &Draft, settled: Settled) -> Result<(), StockError> {
		let of = Box::new((draft.publication.device, draft.id(), settled));
		self.stock(|reply| StockCommand::Settle(of, reply)).await
	}

	async fn told(&self, device: IdentityKey, shelf: Shelf) -> Result<(), StockError> {
		self.stock(|reply| StockCommand::Told(device, Box::new(shelf), reply)).await
	}
}

/// What a look has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looked {
	/// The stock is as it is to be.
	Kept(Stock),
	/// A publication was settled: the stock is to be looked at again.
	Settled,
	/// Nothing can be published before this block.
	Wait {
		/// The block of the look.
		now: BlockNumber,
		/// That block.
		until: BlockNumber,
	},
}

/// Looks at the stock of one device.
pub(super) struct Looker<C, S> {
	pub genesis: GenesisHash,
	pub identity: IdentityId,
	pub device: Seed,
	pub keeping: Keeping,
	pub chain: C,
	pub store: S,
	pub events: broadcast::Sender<KeeperEvent>,
}

/// Trouble with the store may pass; a closed client, or one of another identity, does not.
impl From<StockError> for LookError {
	fn from(error: StockError) -> Self {
		match error {
			error @ StockError::Engine(_) => Self::Store(error),
			error => Self::Stopped(error.into()),
		}
	}
}

impl<C: Chain, S: Store> Looker<C, S> {
	/// Says what happened to the stock, and takes up what is on its way, or publishes what is due.
	pub(super) async fn look(&self) -> Result<Looked, LookError> {
		let device = self.device.key();
		let Remembered { shelf, draft } = self.store.recall(device).await?;
		let (stock, block) = self.chain.stock(self.identity, device).await?;
		if let Some(draft) = draft {
			let shelf = match &stock {
				// Once it is published, what became of what it replaces is not known any more.
				Some(stock) if stock.number == draft.publication.number => {
					self.tell_changes(shelf, stock, block).await?
				}
				_ => shelf,
			};
			return self.carry_out(&draft, &shelf, stock.as_ref(), block).await;
		}
		if stock.map_or(0, |stock| stock.number) < shelf.number {
			return Err(self.less_than_published().await?);
		}
		let shelf = match &stock {
			Some(stock) => self.tell_changes(shelf, stock, block).await?,
			None => shelf,
		};
		match (self.keeping.decide(&shelf, stock.as_ref(), block), stock) {
			(Step::Rest, Some(stock)) => Ok(Looked::Kept(stock)),
			(Step::Rest, None) => Err(LookError::Behind),
			(Step::Wait(until), _) => {
				self.tell(KeeperEvent::Waiting { until });
				Ok(Looked::Wait { now: block, until })
			}
			(Step::Publish(order, why), stock) => {
				if !self.is_device().await? {
					return Err(self.not_a_device().into());
				}
				self.tell(KeeperEvent::Due { why });
				let draft = self.store.draft(self.identity, &self.device, order).await?;
				self.carry_out(&draft, &shelf, stock.as_ref(), block).await
			}
		}
	}

	/// The node is behind, or nothing is left of a device that has lost its place.
	pub(super) async fn less_than_published(&self) -> Result<LookError, LookError> {
		Ok(if self.is_device().await? { LookError::Behind } else { self.not_a_device().into() })
	}

	async fn tell_changes(&self, shelf: Shelf, stock: &Stock, block: BlockNumber) -> Result<Shelf, LookError> {
		let (news, told) = changes(&shelf, stock, block, self.keeping.refill_below);
		news.into_iter().for_each(|news| self.tell(KeeperEvent::Stock(news)));
		if told != shelf {
			self.store.told(self.device.key(), told.clone()).await?;
		}
		Ok(told)
	}

	/// Publishes what was made, and takes note of what became of it.
	pub(super) async fn carry_out(
		&self,
		draft: &Draft,
		shelf: &Shelf,
		stock: Option<&Stock>,
		block: BlockNumber,
	) -> Result<Looked, LookError> {
		let device = self.device.key();
		let publication = &draft.publication;
		let number = publication.number;
		let is_open = stock.map_or(0, |stock| stock.number) == number;
		if publication.lapse < block {
			// What was published is forgotten by then, perhaps. What was not never will be.
			let settled = if is_open { Settled::Never } else { Settled::Unknown };
			self.store.settle(draft, settled).await?;
			return Ok(Looked::Settled);
		}
		let Err(error) = self.chain.publish(&self.sign(publication)).await else {
			// Not before this block others could not get what it replaces.
			let (_, block) = self.chain.stock(self.identity, device).await?;
			self.store.settle(draft, Settled::Published(block)).await?;
			let packages = u32::try_from(publication.packages.len()).unwrap_or_default();
			let (last_resort, replaced) = (publication.last_resort.is_some(), publication.replace);
			self.tell(KeeperEvent::Published { number, packages, last_resort, replaced });
			return Ok(Looked::Settled);
		};
		match error {
			DirectoryError::KeyPackages(KeyPackageRefusal::BadSequence) => {
				// Its init keys are looked for in the state of a final block, and forgotten in those after the last one in which they
				// can be claimed: then it may have been published. No newer block than this one was looked at.
				let (_, now) = self.chain.stock(self.identity, device).await?;
				if publication.lapse < now {
					self.store.settle(draft, Settled::Unknown).await?;
					return Ok(Looked::Settled);
				}
				self.store.settle(draft, Settled::Never).await?;
				self.tell(KeeperEvent::Superseded { number });
				return Ok(Looked::Settled);
			}
			DirectoryError::KeyPackages(refusal) if is_open && self.is_given_up(refusal, publication, shelf, block) => {
				self.store.settle(draft, Settled::Abandoned).await?;
			}
			_ => {}
		}
		if !self.is_device().await? {
			return Err(self.not_a_device().into());
		}
		Err(error.into())
	}

	/// Whether another publication has to take the place of one that the chain refuses in this block, though it may still come.
	fn is_given_up(
		&self,
		refusal: KeyPackageRefusal,
		publication: &Publication,
		shelf: &Shelf,
		block: BlockNumber,
	) -> bool {
		let has_few = shelf.abandoned < MAX_ABANDONED;
		match refusal {
			KeyPackageRefusal::LastResortDue | KeyPackageRefusal::Full | KeyPackageRefusal::BadLapse => has_few,
			KeyPackageRefusal::InitKeyUsed => {
				let made = publication.lapse.saturating_sub(self.keeping.life());
				has_few || block >= made.saturating_add(INIT_KEY_USED)
			}
			_ => false,
		}
	}

	/// The same bytes each time.
	pub(super) fn sign(&self, publication: &Publication) -> SignedPublication {
		let signature = self.device.sign(&publication.signing_payload(&self.genesis));
		SignedPublication { publication: publication.clone(), signature }
	}

	async fn is_device(&self) -> Result<bool, DirectoryError> {
		self.chain.is_device(self.identity, self.device.key()).await
	}

	fn not_a_device(&self) -> KeeperStopped {
		KeeperStopped::NotADevice { device: self.device.key(), identity: self.identity }
	}

	/// Tells whoever listens.
	pub(super) fn tell(&self, event: KeeperEvent) {
		drop(self.events.send(event));
	}
}
