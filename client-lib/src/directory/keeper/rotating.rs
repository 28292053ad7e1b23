//! Another key for a device, together with what others need to add it by that key.

use super::{
	look::{Chain, Looker, Store},
	shelf::{Draft, Remembered, Settled},
	KeeperStopped, Keeping, LookError,
};
use crate::{
	directory::{Author, DeviceKeys, Directory, DirectoryError, History, IdentityId, IdentityKey, SignedEvent, Stock},
	Client, StockError,
};
use std::sync::Arc;
use tokio::sync::broadcast;

/// A device that has the key that it had committed to.
#[derive(Debug)]
pub struct Rotated {
	/// The identity, with the rotation.
	pub history: History,
	/// What can be claimed by the new key; `None` if nothing was published: a keeper does that.
	pub stock: Option<Stock>,
}

/// Why a device is not known to have gone over to its next key with all that belongs to it. To do it again with the same keys goes on
/// from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotateError {
	/// As [`Directory::record_and_publish`] says.
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
/// A keeper of the old key stops by itself; [`Keeper::start`](super::Keeper::start) goes on with the new keys. In groups the device
/// follows by [`Client::change_signer`], or [`Client::rotate`].
///
/// # Errors
/// [`RotateError`]. If the chain refuses the KeyPackages ([`DirectoryError::KeyPackages`]) nothing was recorded, and
/// [`Directory::record`] of the event alone is possible.
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
	/// Has the device come in by this event, and what it publishes first with it. Without an event it is in by now, and what is on its
	/// way is taken up, if something is. Gives the stock.
	pub(super) async fn come_in(&self, event: Option<&SignedEvent>) -> Result<Option<Stock>, LookError> {
		let device = self.device.key();
		if let Some(event) = event {
			let draft = self.first_draft().await?;
			self.chain.record_and_publish(event, &self.sign(&draft.publication)).await?;
		}
		let Remembered { shelf, draft } = self.store.recall(device).await?;
		let (stock, block) = self.chain.stock(self.identity, device).await?;
		let Some(draft) = draft else { return Ok(stock) };
		self.carry_out(&draft, &shelf, stock.as_ref(), block).await?;
		Ok(self.chain.stock(self.identity, device).await?.0)
	}

	/// What the device publishes first: what is on its way, if the chain can take that still.
	async fn first_draft(&self) -> Result<Draft, LookError> {
		let device = self.device.key();
		let Remembered { draft, .. } = self.store.recall(device).await?;
		let (stock, block) = self.chain.stock(self.identity, device).await?;
		match draft {
			Some(draft) if stock.is_some() || draft.publication.lapse > block => return Ok(draft),
			// Nothing of this device was taken up to here, and nothing that lapses here is taken later.
			Some(_) => self.store.settle(device, Settled::Never).await?,
			None => {}
		}
		Ok(self.store.draft(self.identity, &self.device, self.keeping.first(block)).await?)
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
