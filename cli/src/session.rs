//! An open client, whose events are kept.

use crate::{
	failure::{Failure, Kind},
	globals::Globals,
	happened::{Happened, Said},
	history::History,
	marks::Marks,
	name,
	output::Out,
	profile::Profile,
};
use futures::{FutureExt, Stream, StreamExt};
use lockstep_client::{rpc::Node, Client, Event, GroupId, GroupState};
use std::{
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::Duration,
};
use tokio::{task::JoinHandle, time::timeout};

/// How often to look whether the client is where the chain is.
const POLL: Duration = Duration::from_millis(50);
/// With nothing new for so long, everything that the node had is taken to be here.
const QUIET: Duration = Duration::from_secs(1);
/// How long a node gets to take what was sent before the client is closed. The library does not say when the last
/// message was taken; what was not is posted when the client is opened the next time.
const LINGER: Duration = Duration::from_millis(2500);

/// An open client and what belongs to it.
pub struct Session {
	profile: Profile,
	client: Client,
	history: Arc<History>,
	marks: Mutex<Marks>,
	recorder: Mutex<Option<JoinHandle<()>>>,
}

impl Session {
	/// Opens the client of a profile. `sponsor` pays instead of the profile's.
	pub async fn open(
		mut profile: Profile,
		globals: &Globals,
		sponsor: Option<&str>,
		out: &Out,
	) -> Result<Self, Failure> {
		let secret = globals.unlock(&profile)?;
		let key = secret.history_key();
		// Before the client is: it would report events that could not be kept.
		History::check(&profile.history(), &key)?;
		if profile.facts().genesis.is_none() {
			pin(&mut profile, out).await?;
		}
		let config = profile.config(&secret, sponsor)?;
		let client = out.wait("opening the store", Client::open(config)).await?;
		let events = client.events();
		let history = match History::open(&profile.history(), &key) {
			Ok(history) => Arc::new(history),
			Err(failure) => {
				client.close().await;
				return Err(failure);
			}
		};
		let recorder = tokio::spawn(record(events, history.clone(), out.clone()));
		let marks = Mutex::new(Marks::open(&profile.marks()));
		Ok(Self { profile, client, history, marks, recorder: Mutex::new(Some(recorder)) })
	}

	/// Closes the client, and returns when all that it reported is kept.
	pub async fn close(&self) {
		self.client.close().await;
		let recorder = self.recorder.lock().unwrap_or_else(PoisonError::into_inner).take();
		if let Some(recorder) = recorder {
			drop(recorder.await);
		}
	}

	/// The profile.
	pub fn profile(&self) -> &Profile {
		&self.profile
	}

	/// The client.
	pub fn client(&self) -> &Client {
		&self.client
	}

	/// What happened.
	pub fn history(&self) -> &History {
		&self.history
	}

	/// What was read.
	pub fn marks(&self) -> MutexGuard<'_, Marks> {
		self.marks.lock().unwrap_or_else(PoisonError::into_inner)
	}

	/// Whether any of the profile's nodes can be used.
	pub async fn reachable(&self, out: &Out) -> Result<(), Failure> {
		out.wait("connecting to a node", reach(&self.profile)).await.map(drop)
	}

	/// Waits until the client is where the chain was when it began, and nothing more seems to come.
	pub async fn catch_up(&self, out: &Out, patience: Duration) -> Result<(), Failure> {
		self.reachable(out).await?;
		let there = async {
			while self.is_behind().await {
				tokio::time::sleep(POLL).await;
			}
			let mut seen = self.history.len();
			while timeout(QUIET, self.history.beyond(seen)).await.is_ok() {
				seen = self.history.len();
			}
		};
		out.wait("catching up with the chain", timeout(patience, there)).await.map_err(|_| {
			Failure::new(Kind::Timeout, format!("still catching up after {} s", patience.as_secs()))
				.advise("run it again: what was read is kept; or give it more time with --timeout SECONDS")
		})
	}

	/// Whether there is a group in which the client has not yet heard of a finalized block.
	async fn is_behind(&self) -> bool {
		for group in self.client.groups().await {
			let status = self.client.group(group).await;
			if status.is_ok_and(|status| status.state == GroupState::Active && status.finalized == 0) {
				return true;
			}
		}
		false
	}

	/// Sends a message, and keeps it. Gives the epoch it was sent in.
	pub async fn send(&self, group: GroupId, data: Vec<u8>, out: &Out) -> Result<u64, Failure> {
		let epoch = self.client.group(group).await?.epoch;
		self.client.send(group, data.clone()).await?;
		let sender = name::show(self.profile.facts().identity.as_bytes());
		let message = Happened::Message { group, epoch, sender, said: Said::new(data), own: true };
		if let Err(failure) = self.history.append([message]) {
			out.warn(format!("it was sent, but cannot be kept: {}", failure.message));
		}
		Ok(epoch)
	}

	/// Gives a node the time to take what was sent.
	pub async fn flush(&self, out: &Out) {
		out.wait("handing over what was sent", tokio::time::sleep(LINGER)).await;
	}
}

/// Keeps what a client reports until it is closed.
async fn record(mut events: impl Stream<Item = Event> + Unpin, history: Arc<History>, out: Out) {
	while let Some(event) = events.next().await {
		let mut happened = vec![Happened::from(event)];
		// What is there already goes into the same write.
		while let Some(Some(event)) = events.next().now_or_never() {
			happened.push(event.into());
		}
		if let Err(failure) = history.append(happened) {
			out.warn(format!("what happened is shown, but cannot be kept: {}", failure.message));
		}
	}
}

/// The first node of a profile that can be used.
async fn reach(profile: &Profile) -> Result<Node, Failure> {
	let mut failure = Failure::new(Kind::Unreachable, "the profile names no node")
		.advise(format!("{} identity nodes ws://HOST:PORT", profile.command()));
	for url in &profile.facts().nodes {
		match Node::connect(url, profile.facts().genesis).await {
			Ok(node) => return Ok(node),
			// That a node is of another chain is what has to be heard of first.
			Err(error) if failure.kind != Kind::WrongChain => failure = error.into(),
			Err(_) => {}
		}
	}
	Err(failure)
}

/// Believes the first node about which chain it is of, once.
async fn pin(profile: &mut Profile, out: &Out) -> Result<(), Failure> {
	let node = out.wait("connecting to a node", reach(profile)).await?;
	let genesis = node.chain().genesis;
	out.note(format!(
		"lockstep: {} says that its chain is {genesis}; from now on only that one is accepted",
		node.url()
	));
	profile.change(|facts| facts.genesis = Some(genesis))
}
