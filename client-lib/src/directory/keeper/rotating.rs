//! Another key for a device, together with what others need to add it by that key.

use super::{
	look::{Chain, Looker, Store},
	shelf::{Remembered, Settled},
	KeeperStopped, Keeping, LookError,
};
use crate::{
	directory::{Author, DeviceKeys, Directory, DirectoryError, History, IdentityId, IdentityKey, SignedEvent, Stock},
	Client, StockError,
};
use std::sync::Arc;
use tokio::sync::broadcast;

/// How often a stock is looked at after a rotation at most, each time to publish something or to find it published.
const ROUNDS: usize = 6;

/// A device that has the key that it had committed to.
#[derive(Debug)]
pub struct Rotated {
	/// The identity, with the rotation.
	pub history: History,
	/// What can be claimed by the new key.
	pub stock: Stock,
}

/// Why a device is not known to have gone over to its next key with all that belongs to it. To do it again with the same keys goes on
/// from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotateError {
	/// As [`Directory::record_and_publish`] says: after [`DirectoryError::NotPublished`] the device has its new key, for good, and goes
	/// over to it in its groups.
	#[error(transparent)]
	Directory(#[from] DirectoryError),
	/// No device of the identity has this key, or has committed to it.
	#[error("no device of identity {identity} has the key {key} or goes over to it: read the log, the device may be revoked")]
	NotADevice {
		/// The identity.
		identity: IdentityId,
		/// The key.
		key: IdentityKey,
	},
	/// The device has the key, and has committed to another one than the next of these.
	#[error("the device has {key} already, and another next key: use the keys that were stored before")]
	OtherNext {
		/// The key that it has.
		key: IdentityKey,
	},
	/// The client cannot make what is to be published.
	#[error(transparent)]
	Client(#[from] StockError),
}

impl From<LookError> for RotateError {
	fn from(error: LookError) -> Self {
		match error {
			LookError::Directory(error) => Self::Directory(error),
			LookError::Store(error) | LookError::Stopped(KeeperStopped::Client(error)) => Self::Client(error),
			LookError::Stopped(KeeperStopped::NotADevice { device, identity }) => {
				Self::NotADevice { identity, key: device }
			}
			error @ (LookError::Stopped(KeeperStopped::Stopped) | LookError::Behind) => {
				Self::Directory(DirectoryError::NotFinal { said: error.to_string() })
			}
		}
	}
}

/// Has the device that has committed to the key `to.current` go over to `to`, which [`DeviceKeys::rotated`] has given, and publishes
/// KeyPackages and a last resort of that key in the same extrinsic: so there is no block in which the device cannot be added. Returns
/// when both are final. Store `to` before, beside the keys of before.
///
/// The client makes the KeyPackages, as many as `keeping` says, and remembers them in one write before a node sees anything. If the
/// process dies, do it again with the same keys: what was made is used then, and what the log has by that time is not recorded
/// again. If the device never goes over, what was made stays in the store, and its private keys are deleted as those of other
/// KeyPackages are, 14 days ([`GRACE`](super::GRACE)) after they could have been claimed last.
///
/// The device gets its key whatever the chain has against the KeyPackages. Whoever has stolen the present key and sees them on their
/// way can publish an init key of theirs by it, so that the chain refuses them: then the event is recorded alone, and others are
/// published after it. The private keys of those that were refused are kept as long: a node may have them.
///
/// A keeper of the old key stops by itself; [`Keeper::start`](super::Keeper::start) goes on with the new keys, when this has
/// returned: no keeper of `to` may run beside it. In groups the device follows by [`Client::change_signer`], or [`Client::rotate`].
///
/// # Errors
/// [`RotateError`].
pub async fn rotate_device(
	client: &Client,
	directory: &Arc<Directory>,
	identity: IdentityId,
	to: &DeviceKeys,
	keeping: Keeping,
) -> Result<Rotated, RotateError> {
	let (history, _) = directory.read(identity).await?;
	let event = next_event(&history, to)?;
	// Nobody listens: the answer says it.
	let (events, _) = broadcast::channel(1);
	let looker = Looker {
		genesis: directory.genesis(),
		identity,
		device: to.current.clone(),
		keeping,
		chain: directory.clone(),
		store: client.clone(),
		events,
	};
	let stock = looker.come_in(event.as_ref()).await?;
	let (history, _) = directory.read(identity).await?;
	Ok(Rotated { history, stock })
}

/// The event by which a device goes over to these keys; `None` if it is in the log.
fn next_event(history: &History, to: &DeviceKeys) -> Result<Option<SignedEvent>, RotateError> {
	let (identity, key) = (history.identity(), to.current.key());
	let Some(state) = history.newest().filter(|state| !state.closed) else {
		return Err(RotateError::NotADevice { identity, key });
	};
	if let Some(device) = state.device(&key) {
		let is_this = device.next == to.next.commitment();
		return if is_this { Ok(None) } else { Err(RotateError::OtherNext { key }) };
	}
	let commitment = to.current.commitment();
	match state.devices.iter().find(|device| device.next == commitment) {
		Some(device) => Ok(Some(Author::after(history).go_over(device.key, to))),
		None => Err(RotateError::NotADevice { identity, key }),
	}
}

impl<C: Chain, S: Store> Looker<C, S> {
	/// Has the device come in by this event, and what it publishes first with it. Without an event it is in by now. Gives the stock.
	pub(super) async fn come_in(&self, event: Option<&SignedEvent>) -> Result<Stock, LookError> {
		if let Some(event) = event {
			self.record(event).await?;
		}
		self.publish_first().await.map_err(|error| match error {
			LookError::Directory(error @ DirectoryError::NotPublished(_)) => error.into(),
			LookError::Directory(error) => DirectoryError::NotPublished(Box::new(error)).into(),
			error => error,
		})
	}

	/// Has the event recorded, whatever the chain has against the publication that is to come with it: that is given up then, for a
	/// thief of the key of before may have published an init key of it.
	async fn record(&self, event: &SignedEvent) -> Result<(), LookError> {
		let device = self.device.key();
		let Remembered { shelf, draft } = self.store.recall(device).await?;
		let (stock, block) = self.chain.stock(self.identity, device).await?;
		if stock.map_or(0, |stock| stock.number) < shelf.number {
			// Only what has its place publishes: the log that was read is one of before.
			return Err(LookError::Behind);
		}
		if stock.is_some() {
			return Ok(());
		}
		let draft = match draft {
			Some(draft) if draft.publication.lapse > block => draft,
			None if shelf.abandoned > 0 => return Ok(self.chain.record(event).await?),
			draft => {
				if let Some(lapsed) = draft {
					// Nothing of this device was taken up to here, and nothing that lapses here is taken later.
					self.store.settle(&lapsed, Settled::Never).await?;
				}
				self.store.draft(self.identity, &self.device, self.keeping.first(block)).await?
			}
		};
		match self.chain.record_and_publish(event, &self.sign(&draft.publication)).await {
			Ok(_) => Ok(()),
			Err(DirectoryError::KeyPackages(_)) => {
				// A node may have it still.
				self.store.settle(&draft, Settled::Abandoned).await?;
				Ok(self.chain.record(event).await?)
			}
			// The event is recorded, and what is refused is made anew.
			Err(DirectoryError::NotPublished(error)) if matches!(*error, DirectoryError::KeyPackages(_)) => Ok(()),
			Err(error) => Err(error.into()),
		}
	}

	/// Publishes what is on its way, or what a device publishes first if nothing was published; made anew, if the chain refuses it for
	/// good, or as things are. Gives the stock.
	async fn publish_first(&self) -> Result<Stock, LookError> {
		let device = self.device.key();
		let mut refused = None;
		for _ in 0..ROUNDS {
			let Remembered { shelf, draft } = self.store.recall(device).await?;
			let (stock, block) = self.chain.stock(self.identity, device).await?;
			let draft = match (draft, stock) {
				(Some(draft), _) => draft,
				(None, stock) if stock.map_or(0, |stock| stock.number) < shelf.number => {
					return Err(self.less_than_published().await?);
				}
				(None, Some(stock)) => return Ok(stock),
				(None, None) => self.store.draft(self.identity, &self.device, self.keeping.first(block)).await?,
			};
			let Err(error) = self.carry_out(&draft, &shelf, stock.as_ref(), block).await else { continue };
			let is_refused = matches!(error, LookError::Directory(DirectoryError::KeyPackages(_)));
			// What is on its way still is tried again by whoever comes next.
			if !is_refused || self.store.recall(device).await?.draft.is_some() {
				return Err(error);
			}
			refused = Some(error);
		}
		Err(refused.unwrap_or(LookError::Behind))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::directory::{incept, Recorded, RecoveryKeys, Seed};
	use lockstep_primitives::GenesisHash;

	const GENESIS: GenesisHash = GenesisHash([7; 32]);

	fn keys(current: u8, next: u8) -> DeviceKeys {
		DeviceKeys { current: Seed::new([current; 32]), next: Seed::new([next; 32]) }
	}

	fn put(history: &mut History, event: SignedEvent) {
		history.admit(Recorded { block: 5, event }).unwrap();
	}

	#[test]
	fn a_device_goes_over_once_and_to_the_keys_that_were_stored() {
		let first = incept(&GENESIS, &keys(1, 2), RecoveryKeys::default(), None);
		let mut history = History::new(GENESIS, first.event.identity);
		assert!(matches!(next_event(&history, &keys(2, 3)), Err(RotateError::NotADevice { .. })));
		put(&mut history, first);
		let strange = next_event(&history, &keys(4, 5));
		assert!(matches!(strange, Err(RotateError::NotADevice { key, .. }) if key == keys(4, 5).current.key()));

		let to = keys(2, 3);
		let event = next_event(&history, &to).unwrap().unwrap();
		assert_eq!(event, Author::after(&history).rotate(&keys(1, 2), &to));
		put(&mut history, event);
		assert_eq!(next_event(&history, &to).unwrap(), None, "it is in the log");
		// Who has lost the next key would find out when it is too late.
		let other = next_event(&history, &keys(2, 9));
		assert!(matches!(other, Err(RotateError::OtherNext { key }) if key == to.current.key()));
		let back = next_event(&history, &keys(1, 2));
		assert!(matches!(back, Err(RotateError::NotADevice { .. })), "it has left that key");
		let end = Author::after(&history).close(&to);
		put(&mut history, end);
		assert!(matches!(next_event(&history, &to), Err(RotateError::NotADevice { .. })));
	}
}
