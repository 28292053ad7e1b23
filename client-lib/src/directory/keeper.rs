//! Keeps a device's KeyPackages in the directory, so that the person can be added to groups at any time.
//!
//! [`plan`] decides what is to be published, from what the state of a final block proves and what the client's store remembers;
//! [`look`] carries that out, one publication at a time. What is published is made and stored before a node sees it, with its
//! private keys, and is published again, byte for byte, until the chain says what became of it: so a crash anywhere makes nothing
//! twice and loses no key. What happens is told as [`KeeperEvent`]s.
//!
//! ```no_run
//! # use lockstep_client::{directory::{DeviceKeys, Directory, IdentityId, Keeper, KeeperOptions}, Client};
//! # use std::sync::Arc;
//! # async fn keep(client: Client, directory: Directory, identity: IdentityId, device: DeviceKeys) -> Result<(), Box<dyn std::error::Error>> {
//! let keeper = Keeper::start(&client, &Arc::new(directory), identity, &device, KeeperOptions::default());
//! let stock = keeper.settle().await?;
//! println!("{} KeyPackages can be claimed", stock.left());
//! # Ok(())
//! # }
//! ```

mod changes;
mod look;
mod plan;
mod rotating;
pub(crate) mod shelf;
mod task;
#[cfg(test)]
mod tests;

pub use changes::StockNews;
pub use plan::{Keeping, Why};
pub use rotating::{rotate_device, RotateError, Rotated};
pub use shelf::GRACE;

use super::{DeviceKeys, Directory, DirectoryError, IdentityId, IdentityKey, Stock};
use crate::{Client, StockError};
use futures::{future::BoxFuture, stream, FutureExt, Stream, StreamExt};
use look::Looker;
use std::{
	sync::{Arc, Mutex, PoisonError},
	time::Duration,
};
use task::{Request, Task};
use tokio::{
	sync::{broadcast, mpsc, oneshot},
	task::JoinHandle,
};

/// Requests that wait for the keeper.
const REQUESTS: usize = 16;
/// Events that a slow reader may be behind.
const EVENTS: usize = 128;

/// How a keeper does its work; the default suits most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeeperOptions {
	/// How full the stock is kept.
	pub keeping: Keeping,
	/// How often the stock is looked at, about. It is not when somebody has invited the client: what is published then would tell
	/// whoever reads the chain whom that group is with.
	pub look_every: Duration,
	/// The wait after a first failure; it doubles with each further one.
	pub retry: Duration,
	/// The longest wait after failures.
	pub longest_retry: Duration,
}

impl Default for KeeperOptions {
	/// Every five minutes; after failures 2 seconds to 10 minutes.
	fn default() -> Self {
		Self {
			keeping: Keeping::default(),
			look_every: Duration::from_secs(300),
			retry: Duration::from_secs(2),
			longest_retry: Duration::from_secs(600),
		}
	}
}

/// What a keeper tells. What happened to the stock while no keeper was running is told when one is, before anything is published, and once:
/// take [`Keeper::events`] before you await anything.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeeperEvent {
	/// KeyPackages were published, and that is final.
	Published {
		/// The number of the publication.
		number: u32,
		/// How many KeyPackages, beside the last resort.
		packages: u32,
		/// Whether a last resort.
		last_resort: bool,
		/// Whether what was there went.
		replaced: bool,
	},
	/// Something is to be published.
	Due {
		/// Why.
		why: Vec<Why>,
	},
	/// Something happened to the stock.
	Stock(StockNews),
	/// The chain takes nothing more of this device before about this block: too much was published in too short a time.
	Waiting {
		/// The block.
		until: u32,
	},
	/// A publication came to nothing, for something else was published with its number. It is made anew.
	Superseded {
		/// The number.
		number: u32,
	},
	/// Something went wrong, and is tried again.
	Failed {
		/// What.
		reason: String,
		/// When, if nothing asks for it before.
		retry_in: Duration,
	},
	/// The keeper has stopped.
	Stopped {
		/// Why.
		reason: KeeperStopped,
	},
	/// The application read too slowly: so many events were dropped.
	Missed {
		/// How many.
		count: u64,
	},
}

/// Why a keeper has stopped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeeperStopped {
	/// The device has lost its place, or was rotated, or the identity has ended.
	#[error("{device} is no device of identity {identity}: if it was rotated, start a keeper with its new keys")]
	NotADevice {
		/// The device.
		device: IdentityKey,
		/// The identity.
		identity: IdentityId,
	},
	/// The client cannot make what is to be published.
	#[error(transparent)]
	Client(#[from] StockError),
	/// It was stopped.
	#[error("the keeper was stopped: start another one")]
	Stopped,
}

/// Why the stock was not looked at, or nothing published.
#[derive(Debug, thiserror::Error)]
enum LookError {
	#[error(transparent)]
	Directory(#[from] DirectoryError),
	#[error(transparent)]
	Stopped(#[from] KeeperStopped),
	#[error("{0}")]
	Store(StockError),
	#[error("the node has not got as far as one that was asked before: it is asked again")]
	Behind,
}

/// A running keeper. It ends when this is dropped; what it was doing is taken up by the next one.
#[derive(Debug)]
pub struct Keeper {
	requests: mpsc::Sender<Request>,
	/// Never read: subscribers start from copies of it.
	events: broadcast::Receiver<KeeperEvent>,
	/// The first subscriber's, from the start on.
	first: Mutex<Option<broadcast::Receiver<KeeperEvent>>>,
	task: JoinHandle<()>,
}

impl Keeper {
	/// Keeps the stock of this device, with the client as the one who is invited. Must be called within a tokio runtime.
	///
	/// The client must be a member under this identity ([`Config::identity`](crate::Config::identity)). Its signer may be an earlier
	/// key of the device: each KeyPackage brings its own. There must be no other keeper for the device, and whoever runs one publishes
	/// nothing by hand: that would be replaced, as would be what an earlier store of the device has published.
	///
	/// When the device was rotated the keeper stops: another one goes on with the new keys, from what [`rotate_device`] has published.
	pub fn start(
		client: &Client,
		directory: &Arc<Directory>,
		identity: IdentityId,
		device: &DeviceKeys,
		options: KeeperOptions,
	) -> Self {
		let (requests, asked) = mpsc::channel(REQUESTS);
		let (sender, events) = broadcast::channel(EVENTS);
		let looker = Looker {
			genesis: directory.genesis(),
			identity,
			device: device.current.clone(),
			keeping: options.keeping,
			chain: directory.clone(),
			store: client.clone(),
			events: sender,
		};
		let task = Task { looker, options, asked, waiting: Vec::new() };
		let first = Mutex::new(Some(events.resubscribe()));
		Self { requests, events, first, task: tokio::spawn(task.run()) }
	}

	/// What happens from now on; in the first stream that is asked for, what has happened since the start, too. Streams are
	/// independent of one another.
	pub fn events(&self) -> impl Stream<Item = KeeperEvent> + Send + Unpin + 'static {
		let next = |mut events: broadcast::Receiver<KeeperEvent>| async move {
			match events.recv().await {
				Ok(event) => Some((event, events)),
				Err(broadcast::error::RecvError::Lagged(count)) => Some((KeeperEvent::Missed { count }, events)),
				Err(broadcast::error::RecvError::Closed) => None,
			}
		};
		let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
		let events = first.unwrap_or_else(|| self.events.resubscribe());
		stream::unfold(events, move |events| -> BoxFuture<'static, _> { next(events).boxed() }).fuse()
	}

	/// Looks at the stock now, and returns when it is as it is to be, and that is final. It waits through failures, and for what the
	/// chain takes only later: give it a deadline.
	///
	/// # Errors
	/// [`KeeperStopped`].
	pub async fn settle(&self) -> Result<Stock, KeeperStopped> {
		let (reply, answer) = oneshot::channel();
		drop(self.requests.send(Request(reply)).await);
		answer.await.map_err(|_| KeeperStopped::Stopped)?
	}
}

impl Drop for Keeper {
	fn drop(&mut self) {
		self.task.abort();
	}
}
