//! An open client, whose events are kept.

mod opening;

pub use opening::{connect, pin};

use crate::{
	failure::{Failure, Kind},
	happened::{Happened, Said},
	history::History,
	keyring::KeyFile,
	marks::Marks,
	output::Out,
	profile::Profile,
	secret::Secret,
};
use futures::{Stream, StreamExt};
use lockstep_client::{
	directory::{Directory, IdentityId, IdentityKey},
	Client, Event, GroupId, GroupState,
};
use opening::{open_patiently, signer_of};
use std::{
	future::Future,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::Duration,
};
use tokio::{task::JoinHandle, time::timeout};
use zeroize::Zeroizing;

/// How often to look whether the client is where the chain is.
const POLL: Duration = Duration::from_millis(50);
/// With nothing new for so long, everything that the node had is taken to be here, where nothing else tells.
const QUIET: Duration = Duration::from_secs(1);
/// Events in one write at most.
const MAX_BATCH: usize = 512;
/// How long a command that only shows something waits for a node.
const SHORT: Duration = Duration::from_secs(10);
/// How long a node gets to take what was sent before the client is closed. What it did not take is posted when the client
/// is opened the next time.
const LINGER: Duration = Duration::from_secs(10);

/// An open client and what belongs to it.
pub struct Session {
	profile: Profile,
	client: Client,
	history: Arc<History>,
	marks: Mutex<Marks>,
	recorder: Mutex<Option<JoinHandle<()>>>,
	/// How long to try to reach a node before that is a failure.
	reach: Duration,
	/// What backups are sealed under on their way to another process of this profile.
	transfer_key: Zeroizing<[u8; 32]>,
	/// The keys of the device, if the profile is a person's, and the one that the client was opened with.
	device: Option<(KeyFile, IdentityKey)>,
}

impl Session {
	/// Opens the client of a profile. `sponsor` pays instead of the profile's; `reach` is how long to try to reach a node.
	pub async fn open(
		mut profile: Profile,
		secret: &Secret,
		sponsor: Option<&str>,
		reach: Duration,
		out: &Out,
	) -> Result<Self, Failure> {
		let key = secret.history_key();
		// Before the client is: it would report events that could not be kept.
		History::check(&profile.history(), &key)?;
		if profile.facts().genesis.is_none() {
			pin(&mut profile, reach, out).await?;
		}
		let config = profile.config(secret, sponsor)?;
		let is_person = profile.facts().person.is_some();
		let device = is_person.then(|| (KeyFile::of(&profile, secret), signer_of(&config)));
		let client = out.wait("opening the store", open_patiently(config, is_person, reach)).await?;
		let events = client.events();
		let history = match History::open(&profile.history(), &key) {
			Ok(history) => Arc::new(history),
			Err(failure) => {
				client.close().await;
				return Err(failure);
			}
		};
		if let Err(failure) = take_unread(&client, &history).await {
			client.close().await;
			return Err(failure);
		}
		let recorder = tokio::spawn(record(events, history.clone(), Some(client.clone()), out.clone()));
		let marks = Mutex::new(Marks::open(&profile.marks()));
		let transfer_key = Zeroizing::new(secret.transfer_key());
		Ok(Self { profile, client, history, marks, recorder: Mutex::new(Some(recorder)), reach, transfer_key, device })
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

	/// What backups are sealed under on their way to another process of this profile, which can open the secret.
	pub fn transfer_key(&self) -> &[u8; 32] {
		&self.transfer_key
	}

	/// The keys of the device, and the one that the client was opened with.
	pub fn device(&self) -> Result<(&KeyFile, IdentityKey), Failure> {
		self.device.as_ref().map(|(file, key)| (file, *key)).ok_or_else(|| self.profile.no_person())
	}

	/// Notes in the profile by which key its device is known.
	pub fn note_device(&self, id: IdentityId, device: IdentityKey) -> Result<(), Failure> {
		self.profile.clone().note_device(Some(id), device)
	}

	/// The directory, as [`Self::directory`], which takes no answer from before what the client has verified.
	pub async fn directory_from_here(&self) -> Result<Directory, Failure> {
		let directory = self.directory()?;
		directory.start_from(&self.client).await?;
		Ok(directory)
	}

	/// The directory of the profile's chain, over its nodes.
	pub fn directory(&self) -> Result<Directory, Failure> {
		let facts = self.profile.facts();
		let genesis = facts.genesis.ok_or_else(|| Failure::new(Kind::WrongChain, "the profile knows no chain yet"))?;
		Ok(Directory::new(facts.nodes.clone(), genesis)?)
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
		out.wait("connecting to a node", connect(&self.profile, self.reach)).await.map(drop)
	}

	/// Waits until the client has read the logs of its groups as far as they were final when it began.
	pub async fn read_logs(&self, out: &Out, patience: Duration) -> Result<(), Failure> {
		self.until_there(out, patience, async {
			while self.is_behind().await {
				tokio::time::sleep(POLL).await;
			}
		})
		.await
	}

	/// The same; without a node, or in time, what is known must do, with a warning.
	pub async fn read_logs_if_possible(&self, out: &Out) {
		if let Err(failure) = self.read_logs(out, SHORT).await {
			out.warn(format!("this is how things stood when a node was last reached: {}", failure.message));
		}
	}

	/// Waits until the client is where the chain was when it began, and nothing more seems to come.
	pub async fn catch_up(&self, out: &Out, patience: Duration) -> Result<(), Failure> {
		self.until_there(out, patience, async {
			while self.is_behind().await {
				tokio::time::sleep(POLL).await;
			}
			// Without a group there is nothing that could be caught up with; an invitation may come.
			if self.client.groups().await.is_empty() {
				let mut seen = self.history.len();
				while timeout(QUIET, self.history.beyond(seen)).await.is_ok() {
					seen = self.history.len();
				}
			}
			// What the client has read is acknowledged when it is kept.
			while self.client.unread().await.is_ok_and(|unread| !unread.is_empty()) {
				tokio::time::sleep(POLL).await;
			}
		})
		.await
	}

	async fn until_there(&self, out: &Out, patience: Duration, there: impl Future<Output = ()>) -> Result<(), Failure> {
		self.reachable(out).await?;
		out.wait("catching up with the chain", timeout(patience, there)).await.map_err(|_| {
			Failure::new(Kind::Timeout, format!("still catching up after {} s", patience.as_secs()))
				.advise("run it again: what was read is kept; or give it more time with --timeout SECONDS")
		})
	}

	/// Whether there is a group whose log the client has not read.
	async fn is_behind(&self) -> bool {
		for group in self.client.groups().await {
			let status = self.client.group(group).await;
			if status.is_ok_and(|status| status.state == GroupState::Active && !status.caught_up) {
				return true;
			}
		}
		false
	}

	/// Sends a message, and keeps it. Gives the epoch it was sent in.
	pub async fn send(&self, group: GroupId, data: Vec<u8>, out: &Out) -> Result<u64, Failure> {
		let epoch = self.client.group(group).await?.epoch;
		self.client.send(group, data.clone()).await?;
		let sender = self.profile.facts().member().unwrap_or_default();
		let message = Happened::Message { group, epoch, sender, said: Said::new(data), own: true, number: None };
		if let Err(failure) = self.history.append([message]) {
			out.warn(format!("it was sent, but cannot be kept: {}", failure.message));
		}
		Ok(epoch)
	}

	/// Waits until a node has taken what was sent, before the client is closed. False if none has in time: it is handed
	/// over when the client is opened the next time.
	pub async fn flush(&self, out: &Out) -> bool {
		let taken = async {
			while self.unposted().await > 0 {
				tokio::time::sleep(POLL).await;
			}
		};
		let taken = out.wait("handing over what was sent", timeout(LINGER, taken)).await.is_ok();
		if !taken {
			out.warn("no node has taken it yet: it is handed over when this profile is opened the next time");
		}
		taken
	}

	/// Statements that no node has taken yet, in the groups that the client follows.
	async fn unposted(&self) -> usize {
		let mut unposted = 0usize;
		for group in self.client.groups().await {
			if let Ok(status) = self.client.group(group).await {
				if status.state == GroupState::Active {
					unposted = unposted.saturating_add(status.unposted);
				}
			}
		}
		unposted
	}
}

/// Keeps the messages that an earlier process received and did not keep.
async fn take_unread(client: &Client, history: &History) -> Result<(), Failure> {
	let unread = client.unread().await?;
	let known = history.highest_number();
	let last = unread.last().map(|(number, _)| *number);
	let new = unread.into_iter().filter(|(number, _)| known.is_none_or(|known| *number > known));
	history.append(new.map(|(number, message)| Happened::message(message, Some(number))))?;
	match last {
		Some(last) => Ok(client.acknowledge(last).await?),
		None => Ok(()),
	}
}

/// Keeps what a client reports until it is closed, and acknowledges it. What is there at once goes into one write.
async fn record(events: impl Stream<Item = Event> + Unpin, history: Arc<History>, client: Option<Client>, out: Out) {
	let mut batches = events.ready_chunks(MAX_BATCH);
	while let Some(batch) = batches.next().await {
		let missed = batch.iter().any(|event| matches!(event, Event::Missed { .. }));
		let known = history.highest_number();
		// Where some were missed all messages come from the inbox: to acknowledge one is to acknowledge those before it.
		let is_new = |number: u64| !missed && known.is_none_or(|known| number > known);
		let happened = batch.into_iter().map(Happened::from);
		let new: Vec<Happened> = happened.filter(|happened| happened.number().is_none_or(is_new)).collect();
		let last = new.iter().filter_map(Happened::number).max();
		let kept = history.append(new);
		// A client that is closed by now gives them again when it is opened; the number tells.
		let kept = match (&client, last) {
			(Some(client), _) if missed => kept.and(take_unread(client, &history).await),
			(Some(client), Some(last)) if kept.is_ok() => {
				drop(client.acknowledge(last).await);
				kept
			}
			_ => kept,
		};
		if let Err(failure) = kept {
			out.warn(format!("what happened is shown, but cannot be kept: {}", failure.message));
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::output::tests::Memory;

	fn missed(count: u64) -> Event {
		Event::Missed { count }
	}

	#[tokio::test]
	async fn everything_that_is_reported_before_the_end_is_kept() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("history");
		let history = Arc::new(History::open(&path, &[7; 32]).unwrap());
		let notes = Memory::default();
		// Like the library's, this stream must not be asked again after its end.
		let next = |count: u64| async move { (count < 600).then(|| (missed(count), count.saturating_add(1))) };
		let events = futures::stream::unfold(0, move |count| Box::pin(next(count)));
		record(events, history.clone(), None, Out::to(false, Memory::default(), notes.clone())).await;
		assert_eq!((history.len(), notes.text().as_str()), (600, ""));
		drop(history);
		assert_eq!(History::open(&path, &[7; 32]).unwrap().len(), 600);
	}
}
