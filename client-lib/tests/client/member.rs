//! A member under test: a client, and what it reported so far.

use futures::{FutureExt, Stream, StreamExt};
use lockstep_client::{Client, Config, Event, GroupId, GroupStatus, OpenError, Sponsor, StoreKey, Upkeep};
use std::{path::Path, time::Duration};
use tokio::time::timeout;

/// A deadline, for tests that fail: nothing here takes a second.
const LIMIT: Duration = Duration::from_secs(30);

pub struct Member {
	pub client: Client,
	pub config: Config,
	events: Box<dyn Stream<Item = Event> + Send + Unpin>,
	pub heard: Vec<Event>,
}

pub fn config(name: &str, url: &str, folder: &Path) -> Config {
	let mut signer = [7; 32];
	signer.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
	Config {
		path: folder.join(name),
		key: StoreKey::from_bytes([9; 32]),
		nodes: vec![url.to_owned()],
		identity: name.as_bytes().to_vec(),
		signer,
		sponsor: Some(Sponsor::alice()),
		genesis: None,
		checkpoint: None,
		upkeep: Upkeep::default(),
	}
}

impl Member {
	pub async fn open(config: Config) -> Result<Self, OpenError> {
		let client = Client::open(config.clone()).await?;
		let events = Box::new(client.events());
		Ok(Self { client, config, events, heard: Vec::new() })
	}

	/// Closes the client and opens it again. Events of the first moments after opening can be missed.
	pub async fn reopen(self) -> Self {
		self.client.close().await;
		Self::open(self.config).await.unwrap()
	}

	/// Waits for an event.
	pub async fn until(&mut self, what: &str, wanted: impl Fn(&Event) -> bool) -> Event {
		if let Some(found) = self.heard.iter().find(|event| wanted(event)) {
			return found.clone();
		}
		let waiting = async {
			loop {
				let event = self.events.next().await.expect("the client is open");
				self.heard.push(event.clone());
				if wanted(&event) {
					return event;
				}
			}
		};
		match timeout(LIMIT, waiting).await {
			Ok(event) => event,
			Err(_) => panic!("{what} did not come; heard {:?}", self.heard),
		}
	}

	/// Where the client stands, as soon as it stands where the test wants it.
	pub async fn when(&self, group: GroupId, there: impl Fn(&GroupStatus) -> bool) -> GroupStatus {
		let asking = async {
			loop {
				let status = self.client.group(group).await.unwrap();
				if there(&status) {
					return status;
				}
				tokio::task::yield_now().await;
			}
		};
		timeout(LIMIT, asking).await.expect("the client gets there")
	}

	pub async fn joined(&mut self, group: GroupId) {
		self.until("joining", |event| matches!(event, Event::Joined { group: found, .. } if *found == group)).await;
	}

	pub async fn reached(&self, group: GroupId, epoch: u64) {
		self.when(group, |status| status.epoch >= epoch).await;
	}

	pub async fn hears(&mut self, data: &[u8]) -> Vec<u8> {
		let wanted = |event: &Event| matches!(event, Event::Message { data: found, .. } if found == data);
		match self.until(&String::from_utf8_lossy(data), wanted).await {
			Event::Message { sender, .. } => sender,
			_ => Vec::new(),
		}
	}

	pub async fn authenticator(&self, group: GroupId) -> Vec<u8> {
		self.client.group(group).await.unwrap().epoch_authenticator
	}

	/// How many such events were reported so far.
	pub fn count(&mut self, wanted: impl Fn(&Event) -> bool) -> usize {
		while let Some(Some(event)) = self.events.next().now_or_never() {
			self.heard.push(event);
		}
		self.heard.iter().filter(|event| wanted(event)).count()
	}
}

/// The first founds a group and adds the others.
pub async fn found(members: &mut [Member]) -> GroupId {
	let (founder, others) = members.split_first_mut().unwrap();
	let group = founder.client.create_group().await.unwrap();
	if others.is_empty() {
		return group;
	}
	let mut packages = Vec::new();
	for other in others.iter() {
		packages.push(other.client.key_package().await.unwrap());
	}
	founder.client.add(group, packages).await.unwrap();
	for other in others {
		other.joined(group).await;
	}
	group
}

/// All are in this epoch, with the same state, and read each other.
pub async fn agree(members: &mut [Member], group: GroupId, epoch: u64) {
	for member in members.iter_mut() {
		member.reached(group, epoch).await;
	}
	let common = members[0].authenticator(group).await;
	let names: Vec<Vec<u8>> = members.iter().map(|member| member.config.identity.clone()).collect();
	let text = |name: &[u8]| [b"epoch ", epoch.to_string().as_bytes(), b" ", name].concat();
	for (member, name) in members.iter().zip(&names) {
		assert_eq!(member.authenticator(group).await, common);
		member.client.send(group, text(name)).await.unwrap();
	}
	for (listener, own) in members.iter_mut().zip(&names) {
		for name in names.iter().filter(|name| *name != own) {
			assert_eq!(listener.hears(&text(name)).await, *name);
		}
	}
}
