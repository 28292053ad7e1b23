//! The client: a member's groups, kept in step with the log.
//!
//! One task per client (the actor) runs its core, which owns the store and does all MLS work, one thing after the other;
//! the [`Client`] is a handle that sends it commands. The core knows no network: it says what is to be done. Nothing waits
//! for a node: submissions run beside it, and their answers are hints. What came of an operation is read from the
//! finalized log.

mod action;
mod actor;
mod backup;
mod carried;
mod change_signer;
#[cfg(test)]
mod claimed;
mod command;
mod commit;
mod config;
mod core;
mod create;
#[cfg(test)]
mod damaged;
#[cfg(test)]
mod decoys;
mod drive;
mod error;
mod event;
mod group;
#[cfg(feature = "hostile")]
mod hostile;
mod inbox;
mod intent;
mod join;
mod joining;
mod leave;
mod letters;
#[cfg(test)]
mod lost;
mod messages;
mod open;
mod outbox;
#[cfg(test)]
pub(crate) mod parameters;
mod path_wait;
mod paths;
mod people;
mod positions;
mod posting;
mod records;
mod rejoin;
mod returning;
mod set_back;
#[cfg(feature = "simulation")]
pub mod simulated;
mod status;
mod stock;
mod submit;
mod undelivered;
mod upkeep;
mod verified;
#[cfg(test)]
mod world;

pub use backup::{Backup, BackupError, BackupFileError, BackupGroup, RestoreError, MAX_NOTE};
pub use carried::NotInvited;
pub use change_signer::change_signer;
pub use config::{Config, Sponsor};
pub use error::{
	CommitError, CreateError, Error, GroupError, InvitationError, KeyPackageError, LeaveError, OpenError,
	RejoinAskError, SendError,
};
pub use event::{Committed, Event, Outcome, SkippedBecause};
pub use inbox::Message;
pub use intent::{Ended, IntentId, IntentState, WaitingFor};
pub use messages::MAX_MESSAGE;
pub(crate) use people::Changes;
pub use people::{ClaimVoucherFit, ClaimVouchersError, NotAddedBecause};
pub(crate) use positions::PositionsCommand;
pub use records::Evidence;
pub use status::{GroupState, GroupStatus};
pub(crate) use stock::StockCommand;
pub use stock::StockError;
pub(crate) use submit::{hand_over_once, submit_signed, SignedAndSent};
pub use undelivered::{Undelivered, UndeliveredBecause};
pub use upkeep::Upkeep;
pub(crate) use verified::Verified;

use crate::{
	mls::{GroupChange, GroupData, Intent, SignerSeed},
	proof::{export_from, Export, ExportError},
	rpc::Nodes,
	voucher::HeldVoucher,
	StoreKey,
};
use command::{Command, Reply};
use futures::{future::BoxFuture, stream, FutureExt, Stream, StreamExt};
use lockstep_primitives::{key_package::Claimed, rpc::HexBytes, BlockNumber, GenesisHash, GroupId};
use std::{ops::Range, sync::Arc};
use tokio::{
	sync::{broadcast, mpsc, oneshot, Mutex},
	task::JoinHandle,
};

/// A client. Clones are handles of the same one; it ends when the last is dropped, or with [`Self::close`].
#[derive(Clone, Debug)]
pub struct Client {
	commands: mpsc::Sender<Command>,
	nodes: Arc<Nodes>,
	genesis: GenesisHash,
	/// Never read: each subscriber starts from a copy of it.
	events: Arc<broadcast::Receiver<Event>>,
	task: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Client {
	/// Opens a client and resumes whatever it was doing when it was last closed. Must be called within a tokio
	/// runtime; a multi-threaded one is best, because writes to the store block.
	///
	/// # Errors
	/// [`OpenError`]: the store is in use, has another key, is of a newer version, of another chain or identity; or no node can be used
	/// and the store does not know the chain yet.
	pub async fn open(config: Config) -> Result<Self, OpenError> {
		open::open(config).await
	}

	/// Makes a KeyPackage, in its TLS form, for somebody who wants to add this client to a group, and watches for the
	/// invitation. Each is good for one group. A [`Keeper`](crate::directory::Keeper) makes those for the directory.
	pub async fn key_package(&self) -> Result<Vec<u8>, KeyPackageError> {
		self.ask(Command::KeyPackage).await.ok_or(KeyPackageError::Closed)?
	}

	/// Makes a KeyPackage of last resort, which says so and is good for any number of groups, for an application that publishes it
	/// by itself up to the block `lapse`. Its private keys are deleted 14 days of blocks after that.
	pub async fn last_resort_key_package(&self, lapse: BlockNumber) -> Result<Vec<u8>, KeyPackageError> {
		let command = |reply| Command::Stock(StockCommand::LastResort(lapse, reply));
		self.ask(command).await.ok_or(KeyPackageError::Closed)?
	}

	/// Creates a group with this client as its only member, without a name, in which everyone may do everything. Returns
	/// when that is final.
	pub async fn create_group(&self) -> Result<GroupId, CreateError> {
		self.create_group_with(GroupData::default()).await
	}

	/// Creates a group with this name, administrators and rights; this client is an administrator in any case.
	pub async fn create_group_with(&self, data: GroupData) -> Result<GroupId, CreateError> {
		self.ask(|reply| Command::Create(data, None, reply)).await.ok_or(CreateError::Closed)?
	}

	/// The same, at the cost of whoever has given this voucher away: the client needs no sponsor, and the chain does not see
	/// who creates the group. What it
	/// buys is this group: once a node has taken the creation, the client does not give it up before the voucher has expired.
	pub async fn create_group_by_voucher(&self, data: GroupData, voucher: HeldVoucher) -> Result<GroupId, CreateError> {
		self.ask(|reply| Command::Create(data, Some(voucher), reply)).await.ok_or(CreateError::Closed)?
	}

	/// Adds the owners of these KeyPackages in one commit. Returns when they are members, by this commit or, for
	/// each of them that is one by then, by another's.
	pub async fn add(&self, group: GroupId, key_packages: Vec<Vec<u8>>) -> Result<Committed, CommitError> {
		let intent = Intent::Add(key_packages.into_iter().map(HexBytes).collect());
		self.commit(group, intent).await
	}

	/// Adds a person whose KeyPackages were claimed with this voucher ([`Directory::claim`](crate::directory::Directory::claim)).
	/// Whoever reads the chain sees whom they were claimed of; what leads from there to the group is signed with the voucher's
	/// key, for which there is half a day. In a group of people all of the person's devices come in, those that are in it already
	/// apart; in other groups, where an identity has one leaf, the oldest.
	///
	/// # Errors
	/// [`CommitError::ClaimLapsed`] if it comes too late.
	pub async fn add_claimed(
		&self,
		group: GroupId,
		claimed: &Claimed,
		voucher: &HeldVoucher,
	) -> Result<Committed, CommitError> {
		let key_packages = claimed.packages.iter().map(|package| HexBytes(package.bytes.to_vec())).collect();
		let envelope_key = voucher.envelope_key(claimed);
		self.commit(group, Intent::AddClaimed { key_packages, envelope_key }).await
	}

	/// Removes the members with these identities in one commit. Returns when they are no members any more.
	pub async fn remove(&self, group: GroupId, identities: Vec<Vec<u8>>) -> Result<Committed, CommitError> {
		let intent = Intent::Remove(identities.into_iter().map(HexBytes).collect());
		self.commit(group, intent).await
	}

	/// Renews this client's keys in the group. Returns when a commit that does so is final; it is made anew each
	/// time that another one wins.
	pub async fn update(&self, group: GroupId) -> Result<Committed, CommitError> {
		self.commit(group, Intent::Update).await
	}

	/// Like [`Self::update`], but makes one attempt.
	pub async fn update_once(&self, group: GroupId) -> Result<Outcome, CommitError> {
		self.outcome(group, Intent::Update, true).await
	}

	/// Gives this client's leaf in the group another signature key, of this seed. Returns when the commit is final; the
	/// old key is of no use then.
	pub async fn rotate(&self, group: GroupId, seed: SignerSeed) -> Result<Committed, CommitError> {
		self.commit(group, Intent::Rotate { seed }).await
	}

	/// Goes over to another signature key, of this seed, for new KeyPackages and groups: to be called when the rotation of this
	/// device's key is final ([`Author::rotate`](crate::directory::Author::rotate)). In groups of people the client's leaves get it,
	/// too, by commits of their own accord. Returns when it is stored: from then on the client is opened with this key, and
	/// with no other. KeyPackages that were made before are signed with the old key, and of no use any more.
	pub async fn change_signer(&self, seed: SignerSeed) -> Result<(), GroupError> {
		self.ask(|reply| Command::ChangeSigner(seed, reply)).await.ok_or(GroupError::Closed)?
	}

	/// Changes the group's name, application data, administrators or rights.
	pub async fn change_group(&self, group: GroupId, change: GroupChange) -> Result<Committed, CommitError> {
		self.commit(group, Intent::GroupData(change)).await
	}

	/// Asks the members of a group to readmit this client, which was cut off, or has lost its state of the group (damage to it is
	/// that, too), or has stopped for other trouble, or was
	/// told that it is removed and doubts it (members refuse who is none): of a
	/// client that was cut off they have heard already. Returns the request, for a member to be given
	/// ([`Self::readmit`]) where statements do not get through; that is always so for one that has no keys of any epoch left.
	pub async fn rejoin(&self, group: GroupId) -> Result<Vec<u8>, RejoinAskError> {
		use GroupState::{Halted, NotReadmitted, Returning};
		let newest = match self.group(group).await {
			Ok(GroupStatus { state: Returning | NotReadmitted | Halted, .. })
			| Err(GroupError::Unknown(_) | GroupError::Halted { .. }) => {
				self.nodes.current().await?.group(&group).await?.state.map(|state| state.head.hash)
			}
			_ => None,
		};
		self.ask(|reply| Command::Rejoin { group, newest, reply }).await.ok_or(GroupError::Closed)?
	}

	/// Readmits the member that made this request, in the place of the leaf that it had. Returns when that is final, and
	/// its invitation on the way.
	pub async fn readmit(&self, group: GroupId, request: Vec<u8>) -> Result<Committed, CommitError> {
		let command = |reply| Command::Readmit { group, request, reply };
		won(self.ask(command).await.ok_or(CommitError::Group(GroupError::Closed))??)
	}

	/// Takes an intent on and returns when it is stored: from then on it is pursued, across restarts, until it ends,
	/// which is reported as [`Event::IntentEnded`]. The other methods that commit wait for that.
	pub async fn enqueue(&self, group: GroupId, intent: Intent) -> Result<IntentId, CommitError> {
		let command = |reply| Command::Enqueue { group, intent, reply };
		self.ask(command).await.ok_or(CommitError::Group(GroupError::Closed))?
	}

	/// How this client's intents in a group are doing, in their order: those that have not ended, and the newest 64 that
	/// have. Of those that wait it says what for ([`WaitingFor`]).
	pub async fn intents(&self, group: GroupId) -> Result<Vec<(IntentId, IntentState)>, GroupError> {
		self.ask(|reply| Command::Intents { group, reply }).await.ok_or(GroupError::Closed)?
	}

	/// Proposes to leave the group. Returns when the proposal is stored and on its way; another member's client
	/// commits it, which is reported as [`Event::RemovedFromGroup`].
	pub async fn leave(&self, group: GroupId) -> Result<(), LeaveError> {
		let command = |reply| Command::Leave { group, reply };
		self.ask(command).await.ok_or(LeaveError::Group(GroupError::Closed))?
	}

	/// Sends a message to the members of the current epoch, [`MAX_MESSAGE`] bytes at most. Returns when it is stored
	/// and on its way: it is posted as soon as a node can be reached, also after a restart, and again until one has said
	/// that it has it. That has an end ([`Event::Undelivered`]).
	pub async fn send(&self, group: GroupId, data: Vec<u8>) -> Result<(), SendError> {
		let command = |reply| Command::Send { group, data, reply };
		self.ask(command).await.ok_or(SendError::Group(GroupError::Closed))?
	}

	/// The messages that arrived and were not acknowledged, with their numbers, the oldest first; at most 4,096, of which
	/// the oldest go. They are kept across restarts: whoever must not lose a message starts with these, and acknowledges.
	pub async fn unread(&self) -> Result<Vec<(u64, Message)>, GroupError> {
		self.ask(Command::Unread).await.ok_or(GroupError::Closed)?
	}

	/// The application has all messages up to this number: they are deleted from the store.
	pub async fn acknowledge(&self, up_to: u64) -> Result<(), GroupError> {
		self.ask(|reply| Command::Acknowledge { up_to, reply }).await.ok_or(GroupError::Closed)?
	}

	/// The messages that were given up, with their numbers, the oldest first; at most 512, of which the oldest go. They are
	/// kept across restarts ([`Event::Undelivered`]).
	pub async fn undelivered(&self) -> Result<Vec<(u64, Undelivered)>, GroupError> {
		self.ask(Command::Undelivered).await.ok_or(GroupError::Closed)?
	}

	/// The application has dealt with all messages that were given up, up to this number: they are deleted from the store.
	pub async fn dismiss(&self, up_to: u64) -> Result<(), GroupError> {
		self.ask(|reply| Command::Dismiss { up_to, reply }).await.ok_or(GroupError::Closed)?
	}

	/// What happens from now on. Streams are independent of one another; one that is read too slowly misses events,
	/// and says so ([`Event::Missed`]). It ends when the client is closed.
	pub fn events(&self) -> impl Stream<Item = Event> + Send + Unpin + 'static {
		let next = |mut events: broadcast::Receiver<Event>| async move {
			match events.recv().await {
				Ok(event) => Some((event, events)),
				Err(broadcast::error::RecvError::Lagged(count)) => Some((Event::Missed { count }, events)),
				Err(broadcast::error::RecvError::Closed) => None,
			}
		};
		stream::unfold(self.events.resubscribe(), move |events| -> BoxFuture<'static, _> { next(events).boxed() })
			.fuse()
	}

	/// The groups that this client is or was in, those of a backup among them. Empty if the client is closed.
	pub async fn groups(&self) -> Vec<GroupId> {
		let (reply, answer) = oneshot::channel();
		drop(self.commands.send(Command::Groups(reply)).await);
		answer.await.unwrap_or_default()
	}

	/// Where this client stands in a group.
	pub async fn group(&self, group: GroupId) -> Result<GroupStatus, GroupError> {
		self.ask(|reply| Command::Status { group, reply }).await.ok_or(GroupError::Closed)?
	}

	/// What nodes were caught with, as far as the store remembers it: the newest lies, in no particular order.
	pub async fn evidence(&self) -> Result<Vec<Evidence>, GroupError> {
		self.ask(Command::Evidence).await.ok_or(GroupError::Closed)?
	}

	/// Makes a portable proof of the rotations in a group, with the time of each, and verifies it: for whoever holds the
	/// genesis of the chain, and needs no node ([`verify_proof`](crate::proof::verify_proof)). `entries` are indices in
	/// the group's log; this client need not be a member.
	pub async fn export_proof(&self, group: GroupId, entries: Range<u64>) -> Result<Vec<u8>, ExportError> {
		let node = self.nodes.current().await?;
		let export = Export { genesis: self.genesis, group, entries, payloads: false, times: true };
		export_from(&node, export).await
	}

	/// Makes a backup of this client, sealed under `key`: its identity with the signature key, its groups, and what is
	/// final. `note` is for the application, [`MAX_NOTE`] bytes at most. There is no MLS state in it, and no message:
	/// [`Backup::restore`] makes a store of it whose client asks each group for a new leaf. Groups that are joined later, and
	/// signature keys that are rotated in later, are in the next backup.
	pub async fn export_backup(&self, key: &StoreKey, note: Vec<u8>) -> Result<Vec<u8>, BackupError> {
		let contents = self.ask(Command::Backup).await.ok_or(BackupError::Closed)??;
		let key = key.clone();
		// Deriving the key takes its time.
		tokio::task::spawn_blocking(move || contents.seal(note, &key)).await.map_err(|_| BackupError::Closed)?
	}

	/// Closes the client, for all its handles. What it knows is in its store; when this returns, the store can be
	/// opened again.
	pub async fn close(&self) {
		drop(self.commands.send(Command::Close).await);
		if let Some(task) = self.task.lock().await.take() {
			drop(task.await);
		}
	}

	/// Commits what an intent wants. Returns when it has come about; the methods above are this with one kind of intent
	/// each. In a large group that was just filled it may have to wait for members to renew their keys, 20 minutes at most
	/// ([`BuildError::LongPath`](crate::BuildError::LongPath)); [`Self::intents`] says if it does
	/// ([`WaitingFor::ShorterPaths`]).
	pub async fn commit(&self, group: GroupId, intent: Intent) -> Result<Committed, CommitError> {
		won(self.outcome(group, intent, false).await?)
	}

	async fn outcome(&self, group: GroupId, intent: Intent, once: bool) -> Result<Outcome, CommitError> {
		let command = |reply| Command::Commit { group, intent, once, reply };
		self.ask(command).await.ok_or(CommitError::Group(GroupError::Closed))?
	}

	/// What a keeper asks.
	pub(crate) async fn stock<T>(
		&self,
		command: impl FnOnce(Reply<T, StockError>) -> StockCommand,
	) -> Result<T, StockError> {
		self.ask(|reply| Command::Stock(command(reply))).await.ok_or(StockError::Closed)?
	}

	/// How far the application was told of whom.
	pub(crate) async fn positions<T>(
		&self,
		command: impl FnOnce(Reply<T, GroupError>) -> PositionsCommand,
	) -> Result<T, GroupError> {
		self.ask(|reply| Command::Positions(command(reply))).await.ok_or(GroupError::Closed)?
	}

	/// Sends a command and waits for the answer; `None` if the client is closed.
	async fn ask<T, E>(&self, command: impl FnOnce(Reply<T, E>) -> Command) -> Option<Result<T, E>> {
		let (reply, answer) = oneshot::channel();
		self.commands.send(command(reply)).await.ok()?;
		answer.await.ok()
	}
}

/// What came of an operation that is tried again until it has won.
fn won(outcome: Outcome) -> Result<Committed, CommitError> {
	match outcome {
		Outcome::Won(committed) => Ok(committed),
		// This is the answer to single attempts only.
		Outcome::Superseded { .. } => Err(GroupError::Closed.into()),
	}
}
