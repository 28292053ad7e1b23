//! KeyPackages for the directory: made and remembered in one write before anybody sees them, and their private keys deleted in
//! time.

use super::{
	command::Reply,
	core::Core,
	records::{Mailbox, ONLY},
	KeyPackageError,
};
use crate::{
	directory::{
		keeper::shelf::{Draft, DraftId, Order, Remembered, Settled, Shelf, GRACE},
		Seed,
	},
	mls::{EngineError, Mls, Serves},
	store::{packed, Record},
};
use codec::{DecodeAll, Encode};
use lockstep_primitives::{
	key_package::{KeyPackageBytes, KeyPackageRefusal, Publication},
	rpc::HexBytes,
	BlockNumber, IdentityId, IdentityKey,
};
use serde::{Deserialize, Serialize};

/// After which the deletion of keys is tried again, in final blocks.
const RETRY: BlockNumber = 600;

/// Why a client makes no KeyPackages for the directory, or does not know of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StockError {
	/// Trouble with the store or a library.
	#[error(transparent)]
	Engine(#[from] EngineError),
	/// The client is a member under another identity.
	#[error("the client has another identity than {0}: open it with the 32 bytes of that one")]
	OtherIdentity(IdentityId),
	/// A KeyPackage is not one for the directory: the identity is too long, for example.
	#[error("the KeyPackages are none for the directory: {0}")]
	Refused(KeyPackageRefusal),
	/// The client was closed.
	#[error("the client is closed: open it again")]
	Closed,
}

/// What a keeper asks of the core.
pub(crate) enum StockCommand {
	/// A KeyPackage of last resort that can be claimed up to this block.
	LastResort(BlockNumber, Reply<Vec<u8>, KeyPackageError>),
	/// What is remembered of a device.
	Recall(IdentityKey, Reply<Remembered, StockError>),
	/// KeyPackages of a device, if none of it are on their way.
	Draft(Box<(IdentityId, Seed, Order)>, Reply<Draft, StockError>),
	/// What became of these, if they are those that are on their way.
	Settle(Box<(IdentityKey, DraftId, Settled)>, Reply<(), StockError>),
	/// What was told of the stock.
	Told(IdentityKey, Box<Shelf>, Reply<(), StockError>),
}

/// By the device's key.
impl Record for Shelf {
	const KIND: &'static str = "shelf";
}

/// A draft, by the device's key.
#[derive(Serialize, Deserialize)]
struct StoredDraft {
	/// In SCALE.
	#[serde(with = "packed")]
	publication: HexBytes,
	references: Vec<HexBytes>,
	last_resort: Option<HexBytes>,
	first: u32,
}

impl Record for StoredDraft {
	const KIND: &'static str = "publication";
}

impl StoredDraft {
	fn of(draft: &Draft) -> Self {
		let Draft { publication, references, last_resort, first } = draft.clone();
		Self { publication: HexBytes(publication.encode()), references, last_resort, first }
	}

	fn into_draft(self) -> Result<Draft, EngineError> {
		let Self { publication: HexBytes(publication), references, last_resort, first } = self;
		let publication = Publication::decode_all(&mut &publication[..]);
		let publication = publication.map_err(EngineError::library("reading a stored publication"))?;
		Ok(Draft { publication, references, last_resort, first })
	}
}

/// The last final block at which the private keys of a KeyPackage are kept that can be claimed up to `lapse`.
fn kept_until(lapse: BlockNumber) -> BlockNumber {
	lapse.saturating_add(GRACE)
}

impl<M: Mls> Core<M> {
	pub(super) fn on_stock(&mut self, command: StockCommand) {
		match command {
			StockCommand::LastResort(lapse, reply) => drop(reply.send(self.last_resort(lapse))),
			StockCommand::Recall(device, reply) => drop(reply.send(self.recall(&device).map_err(StockError::from))),
			StockCommand::Draft(order, reply) => {
				let (identity, seed, order) = *order;
				drop(reply.send(self.draft(identity, &seed, &order)));
			}
			StockCommand::Settle(of, reply) => {
				let (device, id, settled) = *of;
				drop(reply.send(self.settle_stock(&device, &id, settled).map_err(StockError::from)));
			}
			StockCommand::Told(device, shelf, reply) => {
				let overlay = self.store.overlay();
				let stored = overlay.put(&device.0, &*shelf).and_then(|()| overlay.commit());
				drop(reply.send(stored.map_err(|error| EngineError::from(error).into())));
			}
		}
	}

	fn last_resort(&mut self, lapse: BlockNumber) -> Result<Vec<u8>, KeyPackageError> {
		let overlay = self.store.overlay();
		let package = self.engine.key_package_for(&overlay, &self.engine.signer_seed(), Serves::Again)?;
		let mailbox = Mailbox::kept_until(kept_until(lapse));
		overlay.put(&package.reference, &mailbox).map_err(EngineError::from)?;
		overlay.commit().map_err(EngineError::from)?;
		self.keys_are_due(mailbox.kept_until);
		self.watch_mailbox(package.reference);
		Ok(package.bytes)
	}

	fn recall(&self, device: &IdentityKey) -> Result<Remembered, EngineError> {
		let overlay = self.store.overlay();
		let shelf = overlay.get::<Shelf>(&device.0)?.unwrap_or_default();
		let draft = overlay.get::<StoredDraft>(&device.0)?.map(StoredDraft::into_draft).transpose()?;
		Ok(Remembered { shelf, draft })
	}

	/// Makes what is to be published, unless something is on its way: then it gives that.
	fn draft(&mut self, identity: IdentityId, device: &Seed, order: &Order) -> Result<Draft, StockError> {
		let key = device.key();
		if self.engine.identity() != identity.0 {
			return Err(StockError::OtherIdentity(identity));
		}
		if let Some(draft) = self.recall(&key)?.draft {
			return Ok(draft);
		}
		let (overlay, signer) = (self.store.overlay(), device.signer());
		let mailbox = Mailbox::kept_until(kept_until(order.lapse));
		let make = |serves| -> Result<(KeyPackageBytes, HexBytes), StockError> {
			let package = self.engine.key_package_for(&overlay, &signer, serves)?;
			overlay.put(&package.reference, &mailbox).map_err(EngineError::from)?;
			let bytes = package.bytes.try_into().map_err(|_| StockError::Refused(KeyPackageRefusal::Malformed))?;
			Ok((bytes, HexBytes(package.reference)))
		};
		let made = (0..order.packages).map(|_| make(Serves::Once)).collect::<Result<Vec<_>, _>>()?;
		let last = order.last_resort.then(|| make(Serves::Again)).transpose()?;
		let (packages, references): (Vec<_>, Vec<_>) = made.into_iter().unzip();
		let (last_resort, last_reference) = last.unzip();
		let publication = Publication {
			identity,
			device: key,
			number: order.number,
			replace: order.replace,
			lapse: order.lapse,
			packages: packages.try_into().map_err(|_| StockError::Refused(KeyPackageRefusal::Full))?,
			last_resort,
		};
		let draft = Draft { publication, references, last_resort: last_reference, first: order.first };
		overlay.put(&key.0, &StoredDraft::of(&draft)).map_err(EngineError::from)?;
		overlay.commit().map_err(EngineError::from)?;
		self.keys_are_due(mailbox.kept_until);
		for HexBytes(reference) in draft.references.iter().chain(&draft.last_resort) {
			self.watch_mailbox(reference.clone());
		}
		Ok(draft)
	}

	/// Takes note of what became of this draft, in one write; if another one is on its way by now, somebody has done that.
	fn settle_stock(&mut self, device: &IdentityKey, id: &DraftId, settled: Settled) -> Result<(), EngineError> {
		let Remembered { mut shelf, draft } = self.recall(device)?;
		let Some(draft) = draft.filter(|draft| draft.id() == *id) else { return Ok(()) };
		let overlay = self.store.overlay();
		let (mut gone, mut due) = (Vec::new(), None);
		match settled {
			Settled::Published(block) => {
				if let Some(replaced) = shelf.take(&draft) {
					// Nobody gets it any more, but some may have it.
					if let Some(mailbox) = overlay.get::<Mailbox>(&replaced.reference.0)? {
						let until = mailbox.kept_until.map_or(u32::MAX, |until| until.min(kept_until(block)));
						overlay.put(&replaced.reference.0, &Mailbox { kept_until: Some(until), ..mailbox })?;
						due = Some(until);
					}
				}
			}
			Settled::Never => {
				shelf.abandoned = 0;
				for HexBytes(reference) in draft.references.iter().chain(&draft.last_resort) {
					self.engine.forget_key_package(&overlay, reference)?;
					overlay.delete::<Mailbox>(reference)?;
					gone.push(reference.clone());
				}
			}
			Settled::Unknown => shelf.abandoned = 0,
			Settled::Abandoned => shelf.abandoned = shelf.abandoned.saturating_add(1),
		}
		overlay.put(&device.0, &shelf)?;
		overlay.delete::<StoredDraft>(&device.0)?;
		overlay.commit()?;
		self.keys_are_due(due);
		gone.iter().for_each(|reference| self.forget_mailbox(reference));
		Ok(())
	}

	/// Private keys are to be deleted after this block.
	pub(super) fn keys_are_due(&mut self, kept_until: Option<BlockNumber>) {
		self.keys_due = self.keys_due.into_iter().chain(kept_until).min();
	}

	/// Deletes the private keys of KeyPackages that were not used, and will not be any more.
	pub(super) fn drop_overdue_key_packages(&mut self) {
		if self.keys_due.is_none_or(|until| self.finalized <= until) {
			return;
		}
		match self.drop_overdue() {
			Ok(gone) => gone.iter().for_each(|reference| self.forget_mailbox(reference)),
			Err(error) => {
				tracing::error!(%error, "the private keys of KeyPackages that have lapsed cannot be deleted");
				self.keys_due = Some(self.finalized.saturating_add(RETRY));
			}
		}
	}

	fn drop_overdue(&mut self) -> Result<Vec<Vec<u8>>, EngineError> {
		let overlay = self.store.overlay();
		let (mut gone, mut due) = (Vec::new(), None::<BlockNumber>);
		for (reference, Mailbox { kept_until, .. }) in overlay.list::<Mailbox>(ONLY)? {
			let Some(until) = kept_until else { continue };
			let is_used = self.joining.values().any(|joining| joining.needs(&reference))
				|| self.set_back.invited().any(|invited| invited.key_package_ref.0 == reference);
			if self.finalized > until && !is_used {
				self.engine.forget_key_package(&overlay, &reference)?;
				overlay.delete::<Mailbox>(&reference)?;
				gone.push(reference);
			} else {
				let next = until.max(self.finalized);
				due = Some(due.map_or(next, |due| due.min(next)));
			}
		}
		overlay.commit()?;
		self.keys_due = due;
		Ok(gone)
	}
}

#[cfg(test)]
mod tests;
