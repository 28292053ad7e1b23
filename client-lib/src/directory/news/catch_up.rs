//! Reading the logs of the people that one has to do with.

use super::{news, News, NewsError};
use crate::{
	client::PositionsCommand,
	directory::{Directory, IdentityId},
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
	/// The final block up to which this is all that happened to those whose logs were read.
	pub until: Option<BlockNumber>,
	/// Whose logs were not read, and why: what happened to them is told next time.
	pub unread: Vec<(IdentityId, NewsError)>,
	heads: BTreeMap<IdentityId, LogHead>,
}

/// Says what happened to oneself, to the members of the client's groups of people and to contacts since the application was told
/// last: to be called when a client was opened, and now and then. A key of somebody may change without a commit in any group.
///
/// It is told again until [`CatchUp::told`] is called: nothing is lost if the application ends in between. One log that cannot be
/// read keeps none of the others back.
///
/// # Errors
/// [`GroupError::Closed`], [`GroupError::Store`].
pub async fn catch_up(client: &Client, directory: &Directory, people: &People) -> Result<CatchUp, GroupError> {
	let (members, positions) = client.positions(PositionsCommand::Look).await?;
	let all: BTreeSet<IdentityId> = members.iter().chain(&people.contacts).chain(&people.own).copied().collect();
	let reading = all.into_iter().map(|person| async move { (person, directory.read(person).await) });
	let read: Vec<_> = stream::iter(reading).buffer_unordered(AT_ONCE).collect().await;
	let mut found = CatchUp { news: Vec::new(), until: None, unread: Vec::new(), heads: BTreeMap::new() };
	for (person, read) in read {
		let own = people.own == Some(person);
		let since = positions.get(&person);
		let told = read.map_err(NewsError::from).and_then(|(history, head)| {
			let mut news = news(&history, since)?;
			if since.is_none() && !own {
				news.retain(|one| people.since.is_some_and(|since| one.block > since));
			}
			news.iter_mut().for_each(|one| one.own = own);
			Ok((news, history.head(), head.number))
		});
		match told {
			Ok((news, head, block)) => {
				found.news.extend(news);
				found.heads.insert(person, head);
				found.until = Some(found.until.map_or(block, |until| until.min(block)));
			}
			Err(error) => found.unread.push((person, error)),
		}
	}
	found.news.sort_by_key(|one| (one.block, one.identity, one.index));
	Ok(found)
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
