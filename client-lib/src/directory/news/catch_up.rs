//! Reading the logs of the people that one has to do with.

use super::{news, News, NewsError};
use crate::{
	client::PositionsCommand,
	directory::{Directory, DirectoryError, History, IdentityId},
	Client, GroupError,
};
use futures::{stream, StreamExt};
use lockstep_primitives::{BlockNumber, LogHead};
use std::collections::{BTreeMap, BTreeSet};

/// Logs that are read at a time.
const AT_ONCE: usize = 8;

/// Of whom one wants to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
	/// One's own identity.
	pub own: Option<IdentityId>,
	/// People, beside those who are in the client's groups of people.
	pub contacts: BTreeSet<IdentityId>,
	/// What happened to somebody of whom nothing was told before is told from after this block on; not at all, without it. All
	/// that happened to oneself is told in any case.
	pub since: Option<BlockNumber>,
}

/// What happened.
#[derive(Debug)]
pub struct CatchUp {
	/// All of it, in the order of the blocks; within a block, person by person in the order of the log.
	pub news: Vec<News>,
	/// The final block up to which this is all that happened to those whose logs were read; the client knew none above it when it was
	/// asked. What came after it in some of these logs is told next time, so that it does not come before what others did in lower
	/// blocks.
	pub until: Option<BlockNumber>,
	/// Whose logs were not read, and why: what happened to them is told next time.
	pub unread: Vec<(IdentityId, NewsError)>,
	heads: BTreeMap<IdentityId, LogHead>,
}

/// Says what happened to oneself, to the members of the client's groups of people and to contacts since the application was told
/// last: to be called when a client was opened, and now and then. A key of somebody may change without a commit in any group.
///
/// It is told again until [`CatchUp::told`] is called: nothing is lost if the application ends in between. One log that cannot be
/// read keeps none of the others back. Logs from before the newest final block that the client has verified are not taken from any
/// node ([`Directory::start_from`]), so nobody hides what happened by an answer of yesterday.
///
/// One's KeyPackages are not in this list: the state of the chain says how many were claimed, and not in which blocks. What became
/// of them a [`Keeper`](crate::directory::Keeper) tells when it starts. So an application that comes back has it all in order if it
///
/// 1. catches up: if this device was revoked, or its key rotated, that says why a keeper with these keys would stop;
/// 2. starts the keeper, and takes its events before it awaits anything: those of the stock come first, before what is published
///    then, and once, whether anybody listens or not ([`Directory::stock`] says at any time how many are left);
/// 3. reads the events of the client, which tell of invitations.
///
/// ```no_run
/// # use futures::StreamExt;
/// # use lockstep_client::{directory::{catch_up, DeviceKeys, Directory, IdentityId, Keeper, KeeperEvent, KeeperOptions, People}, Client};
/// # use std::sync::Arc;
/// # async fn come_back(client: Client, directory: Arc<Directory>, identity: IdentityId, device: DeviceKeys) -> Result<(), Box<dyn std::error::Error>> {
/// let people = People { own: Some(identity), ..People::default() };
/// let caught_up = catch_up(&client, &directory, &people).await?;
/// for news in &caught_up.news {
///     println!("block {}: {} {:?}", news.block, news.identity, news.what);
/// }
/// caught_up.told(&client).await?;
/// let keeper = Keeper::start(&client, &directory, identity, &device, KeeperOptions::default());
/// let mut events = keeper.events();
/// while let Some(event) = events.next().await {
///     if let KeeperEvent::Stock(news) = event {
///         println!("{news:?}");
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`GroupError::Closed`], [`GroupError::Store`].
pub async fn catch_up(client: &Client, directory: &Directory, people: &People) -> Result<CatchUp, GroupError> {
	let (members, positions) = client.positions(PositionsCommand::Look).await?;
	directory.start_from(client).await?;
	let all: BTreeSet<IdentityId> = members.iter().chain(&people.contacts).chain(&people.own).copied().collect();
	let reading = all.into_iter().map(|person| async move { (person, directory.read(person).await) });
	let read: Vec<_> = stream::iter(reading).buffer_unordered(AT_ONCE).collect().await;
	let logs = read.into_iter().map(|(person, read)| (person, read.map(|(history, _)| history)));
	Ok(gather(people, &positions, logs))
}

/// What is to be told by these logs, in whatever order they came, if so much of whom was told before.
fn gather(
	people: &People,
	told: &BTreeMap<IdentityId, LogHead>,
	logs: impl Iterator<Item = (IdentityId, Result<History, DirectoryError>)>,
) -> CatchUp {
	let (mut read, mut unread) = (Vec::new(), Vec::new());
	for (person, log) in logs {
		let since = told.get(&person);
		match log.map_err(NewsError::from).and_then(|history| Ok((news(&history, since)?, history))) {
			Ok(one) => read.push(one),
			Err(error) => unread.push((person, error)),
		}
	}
	let until = read.iter().map(|(_, history)| history.until()).min();
	let (mut all, mut heads) = (Vec::<News>::new(), BTreeMap::new());
	for (news, history) in read {
		let person = history.identity();
		let own = people.own == Some(person);
		let is_known = own || told.contains_key(&person);
		let is_told = |one: &News| {
			let is_new = is_known || people.since.is_some_and(|since| one.block > since);
			is_new && until.is_some_and(|until| one.block <= until)
		};
		all.extend(news.into_iter().filter(is_told).map(|one| News { own, ..one }));
		if let Some(state) = until.and_then(|until| history.at(until)) {
			heads.insert(person, state.head);
		}
	}
	all.sort_by_key(|one| (one.block, one.identity, one.index));
	CatchUp { news: all, until, unread, heads }
}

impl CatchUp {
	/// The application has all of it: it is not told again. Kept in the client's store.
	///
	/// # Errors
	/// [`GroupError::Closed`], [`GroupError::Store`].
	pub async fn told(&self, client: &Client) -> Result<(), GroupError> {
		client.positions(|reply| PositionsCommand::Keep(self.heads.clone(), reply)).await
	}
}

#[cfg(test)]
mod tests;
