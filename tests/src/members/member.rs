//! One member: a client, and the chronicle of its events.

use super::{chronicle, Chronicle, Chronicles};
use crate::{within, Error, Result};
use ed25519_dalek::SigningKey;
use futures::StreamExt;
use lockstep_client::{
	Client, Committed, Config, GroupStatus, Intent, IntentId, IntentState, Message, Outcome, Sponsor, StoreKey, Upkeep,
};
use lockstep_primitives::{GenesisHash, GroupId};
use std::{path::PathBuf, time::Duration};
use tokio::{sync::watch, task::JoinHandle};

/// As much of a message is shown.
const SHOWN: usize = 60;

/// Who a member is, and where.
#[derive(Clone, Debug)]
pub struct Place {
	/// Its name; also its identity, as bytes, unless it was opened with another ([`Member::open_as`]).
	pub name: String,
	/// Its store.
	pub folder: PathBuf,
	/// The nodes it uses.
	pub nodes: Vec<String>,
}

/// See the module.
#[derive(Debug)]
pub struct Member {
	place: Place,
	identity: Vec<u8>,
	/// Of the signature key that the client was opened with.
	signature_key: [u8; 32],
	client: Client,
	chronicles: watch::Receiver<Chronicles>,
	recorder: JoinHandle<()>,
}

impl Member {
	/// Opens the client of this member.
	pub async fn open(place: Place) -> Result<Self> {
		Self::open_expecting(place, None).await
	}

	/// Opens the client of this member on the chain with this genesis, or any.
	pub async fn open_expecting(place: Place, genesis: Option<GenesisHash>) -> Result<Self> {
		Self::open_with(place, genesis, Upkeep::default()).await
	}

	/// The same; this is what it does of its own accord.
	pub async fn open_with(place: Place, genesis: Option<GenesisHash>, upkeep: Upkeep) -> Result<Self> {
		let config = Config {
			path: place.folder,
			key: store_key(),
			nodes: place.nodes,
			identity: place.name.clone().into_bytes(),
			signer: signer(&place.name),
			sponsor: Some(Sponsor::alice()),
			genesis,
			checkpoint: None,
			upkeep,
		};
		Self::open_as(&place.name, config).await
	}

	/// Opens a client that goes by this name here, whatever its identity is.
	pub async fn open_as(name: &str, config: Config) -> Result<Self> {
		show_logs();
		let place = Place { name: name.into(), folder: config.path.clone(), nodes: config.nodes.clone() };
		let identity = config.identity.clone();
		let signature_key = SigningKey::from_bytes(&config.signer).verifying_key().to_bytes();
		let client = Client::open(config).await.map_err(Error::client(name))?;
		let (writing, chronicles) = watch::channel(Chronicles::default());
		let mut events = client.events();
		let recorder = tokio::spawn(async move {
			while let Some(event) = events.next().await {
				writing.send_if_modified(|chronicles| chronicle::record(chronicles, event));
			}
		});
		Ok(Self { place, identity, signature_key, client, chronicles, recorder })
	}

	/// Its name.
	pub fn name(&self) -> &str {
		&self.place.name
	}

	/// Who and where it is.
	pub fn place(&self) -> &Place {
		&self.place
	}

	/// Its identity, as the other members see it.
	pub fn identity(&self) -> &[u8] {
		&self.identity
	}

	/// The public half of the signature key that it was opened with, as its KeyPackages show it.
	pub fn signature_key(&self) -> [u8; 32] {
		self.signature_key
	}

	/// The client itself.
	pub fn client(&self) -> &Client {
		&self.client
	}

	/// What it has reported about a group so far.
	pub fn chronicle(&self, group: GroupId) -> Chronicle {
		self.chronicles.borrow().get(&group).cloned().unwrap_or_default()
	}

	/// Founds a group.
	pub async fn found(&self) -> Result<GroupId> {
		self.client.create_group().await.map_err(Error::client(self.name()))
	}

	/// A new KeyPackage.
	pub async fn key_package(&self) -> Result<Vec<u8>> {
		self.client.key_package().await.map_err(Error::client(self.name()))
	}

	/// Adds the owners of these KeyPackages.
	pub async fn add(&self, group: GroupId, key_packages: Vec<Vec<u8>>) -> Result<Committed> {
		self.client.add(group, key_packages).await.map_err(Error::client(self.name()))
	}

	/// Removes the member with this name.
	pub async fn remove(&self, group: GroupId, name: &str) -> Result<Committed> {
		let identities = vec![name.as_bytes().to_vec()];
		self.client.remove(group, identities).await.map_err(Error::client(self.name()))
	}

	/// Proposes its own removal; another member commits it.
	pub async fn leave(&self, group: GroupId) -> Result<()> {
		self.client.leave(group).await.map_err(Error::client(self.name()))
	}

	/// Commits a self-update, however often it has to be tried.
	pub async fn update(&self, group: GroupId) -> Result<Committed> {
		self.client.update(group).await.map_err(Error::client(self.name()))
	}

	/// Commits a self-update, in one attempt.
	pub async fn update_once(&self, group: GroupId) -> Result<Outcome> {
		self.client.update_once(group).await.map_err(Error::client(self.name()))
	}

	/// Sends a message.
	pub async fn send(&self, group: GroupId, data: Vec<u8>) -> Result<()> {
		self.client.send(group, data).await.map_err(Error::client(self.name()))
	}

	/// Takes on an intent; returns when it is stored.
	pub async fn enqueue(&self, group: GroupId, intent: Intent) -> Result<IntentId> {
		self.client.enqueue(group, intent).await.map_err(Error::client(self.name()))
	}

	/// How its intents are doing.
	pub async fn intents(&self, group: GroupId) -> Result<Vec<(IntentId, IntentState)>> {
		self.client.intents(group).await.map_err(Error::client(self.name()))
	}

	/// What it has not acknowledged.
	pub async fn unread(&self) -> Result<Vec<(u64, Message)>> {
		self.client.unread().await.map_err(Error::client(self.name()))
	}

	/// Acknowledges all messages up to this number.
	pub async fn acknowledge(&self, up_to: u64) -> Result<()> {
		self.client.acknowledge(up_to).await.map_err(Error::client(self.name()))
	}

	/// Where it stands.
	pub async fn status(&self, group: GroupId) -> Result<GroupStatus> {
		self.client.group(group).await.map_err(Error::client(self.name()))
	}

	/// How many nodes it has caught lying.
	pub async fn lies(&self) -> Result<usize> {
		self.client.evidence().await.map(|found| found.len()).map_err(Error::client(self.name()))
	}

	/// Waits until its chronicle of a group shows something; returns the chronicle.
	pub async fn until(
		&self,
		group: GroupId,
		limit: Duration,
		what: &str,
		mut shown: impl FnMut(&Chronicle) -> bool,
	) -> Result<Chronicle> {
		let mut chronicles = self.chronicles.clone();
		let looking = chronicles.wait_for(|all| all.get(&group).is_some_and(&mut shown));
		let what = format!("{}: {what}", self.name());
		let found = within(limit, &what, looking).await;
		match found {
			Ok(Ok(all)) => Ok(all.get(&group).cloned().unwrap_or_default()),
			Ok(Err(_)) => Err(Error::Broken(format!("{what}: its events ended"))),
			Err(late) => {
				drop(late);
				let chronicle = self.chronicle(group);
				let (newest, skipped) = (chronicle.newest(), &chronicle.skipped);
				let stopped = chronicle.desynchronized.as_ref().or(chronicle.halted.as_ref());
				let seen = format!("{what} (newest epoch {newest:?}, skipped {skipped:?}, stopped by {stopped:?})");
				Err(Error::Late { what: seen, limit })
			}
		}
	}

	/// Waits until it has joined.
	pub async fn joined(&self, group: GroupId, limit: Duration) -> Result<()> {
		self.until(group, limit, "joins the group", |chronicle| chronicle.joined.is_some()).await.map(drop)
	}

	/// Waits until it has reached an epoch. Epoch 0 needs no waiting.
	pub async fn reached(&self, group: GroupId, epoch: u64, limit: Duration) -> Result<()> {
		if epoch == 0 {
			return Ok(());
		}
		let what = format!("reaches epoch {epoch}");
		self.until(group, limit, &what, |chronicle| chronicle.newest() >= Some(epoch)).await.map(drop)
	}

	/// Waits until it has read a message of the member with this name, which is its identity.
	pub async fn heard(&self, group: GroupId, data: &[u8], sender: &str, limit: Duration) -> Result<()> {
		self.hears(group, data, (sender, sender.as_bytes()), limit).await
	}

	/// Waits until it has read a message of another member, whatever that one's identity is.
	pub async fn heard_from(&self, group: GroupId, data: &[u8], speaker: &Member, limit: Duration) -> Result<()> {
		self.hears(group, data, (speaker.name(), speaker.identity()), limit).await
	}

	async fn hears(&self, group: GroupId, data: &[u8], speaker: (&str, &[u8]), limit: Duration) -> Result<()> {
		let (name, sender) = speaker;
		let start = String::from_utf8_lossy(data.get(..SHOWN).unwrap_or(data));
		let what = format!("reads {start:?} ({} bytes) of {name}", data.len());
		let chronicle = self.until(group, limit, &what, |seen| seen.times_heard(data, sender) > 0).await?;
		match chronicle.times_heard(data, sender) {
			1 => Ok(()),
			times => Err(Error::Broken(format!("{} {what} {times} times", self.name()))),
		}
	}

	/// Closes the client; what it knows stays in its store. Returns where it was, to open it again.
	pub async fn close(self) -> Place {
		self.client.close().await;
		self.recorder.abort();
		self.place
	}
}

/// The key of every member's store.
pub fn store_key() -> StoreKey {
	StoreKey::from_bytes([9; 32])
}

/// A member's signature key: the same for the same name, so that a member can be opened again.
fn signer(name: &str) -> [u8; 32] {
	let mut seed = [0x5a; 32];
	for (at, byte) in name.bytes().enumerate() {
		seed[at % 32] ^= byte;
	}
	seed
}

/// Shows what the client logs, as far as `RUST_LOG` asks for it; nothing without.
fn show_logs() {
	static ONCE: std::sync::Once = std::sync::Once::new();
	ONCE.call_once(|| {
		if let Ok(filter) = tracing_subscriber::EnvFilter::try_from_default_env() {
			// Somebody else's subscriber is as good.
			drop(tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init());
		}
	});
}
