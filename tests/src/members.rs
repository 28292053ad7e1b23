//! Members: clients with a store of their own each, and what they report, written down.

mod chronicle;
mod member;

pub use chronicle::{Advance, Chronicle, Chronicles, Heard};
pub use member::{store_key, Member, Place};

use crate::{person::Enrolled, within, Error, Network, Result};
use lockstep_client::Outcome;
use lockstep_primitives::{EntryHash, GroupId};
use std::{
	ops::Deref,
	time::{Duration, Instant},
};
use tempfile::TempDir;

/// For a group to be founded, or an invitation to arrive.
pub const JOINING: Duration = Duration::from_secs(60);
/// For a commit to become final and to be applied by everybody, on a chain that works.
pub const ADVANCING: Duration = Duration::from_secs(60);
/// For a message to arrive.
pub const HEARING: Duration = Duration::from_secs(60);

/// What all members of a group have in common when they agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
	/// The epoch.
	pub epoch: u64,
	/// The entry that opened it.
	pub entry: EntryHash,
	/// The epoch authenticator (RFC 9420 section 8.7).
	pub authenticator: Vec<u8>,
}

/// What came of all members committing at once.
#[derive(Debug)]
pub struct Round {
	/// Every attempt, in the order of the members.
	pub attempts: Vec<Attempt>,
}

/// One member's attempt.
#[derive(Debug)]
pub struct Attempt {
	/// Position of the member.
	pub member: usize,
	/// What the log said in the end.
	pub outcome: Outcome,
	/// From the call to the outcome.
	pub elapsed: Duration,
}

/// Some members, each on a node, each with its own store.
#[derive(Debug)]
pub struct Members {
	list: Vec<Member>,
	folder: TempDir,
}

impl Deref for Members {
	type Target = [Member];

	fn deref(&self) -> &[Member] {
		&self.list
	}
}

impl Members {
	/// Opens a client for each name; the first on node 0, the next on node 1, and so on, around.
	pub async fn open(network: &Network, names: &[&str]) -> Result<Self> {
		let nodes: Vec<usize> = (0..names.len()).map(|position| position % network.size()).collect();
		Self::open_on(network, names, &nodes).await
	}

	/// Opens a client for each name, on the node given for it.
	pub async fn open_on(network: &Network, names: &[&str], nodes: &[usize]) -> Result<Self> {
		let folder = new_folder()?;
		// Given to each, so that what a node says of the chain it is on is not believed either.
		let genesis = network.genesis().await?;
		let opening = names.iter().zip(nodes).map(|(name, node)| {
			let place =
				Place { name: (*name).to_string(), folder: folder.path().join(name), nodes: vec![network.url(*node)] };
			Member::open_expecting(place, Some(genesis))
		});
		let list = futures::future::try_join_all(opening).await?;
		Ok(Self { list, folder })
	}

	/// Opens a client for each of these devices of people, which goes by the name given for it; the first on node 0, the
	/// next on node 1, and so on, around. None has an account.
	pub async fn open_people(network: &Network, names: &[&str], devices: &[Enrolled]) -> Result<Self> {
		let folder = new_folder()?;
		let opening = names.iter().zip(devices).enumerate().map(|(position, (name, device))| {
			Member::open_as(name, device.config(network, position % network.size(), folder.path()))
		});
		let list = futures::future::try_join_all(opening).await?;
		Ok(Self { list, folder })
	}

	/// Where the stores are.
	pub fn folder(&self) -> &std::path::Path {
		self.folder.path()
	}

	/// The first member founds a group and adds all others, in one commit. Returns when everybody is in.
	pub async fn found(&self) -> Result<GroupId> {
		let [founder, others @ ..] = &self.list[..] else {
			return Err(Error::Broken("nobody is there to found a group".into()));
		};
		let group = founder.found().await?;
		if !others.is_empty() {
			let mut key_packages = Vec::new();
			for other in others {
				key_packages.push(other.key_package().await?);
			}
			founder.add(group, key_packages).await?;
		}
		for other in others {
			other.joined(group, JOINING).await?;
		}
		Ok(group)
	}

	/// A further member, which the first one adds; its store lies beside the others'.
	pub async fn invite(&self, group: GroupId, name: &str, node: String) -> Result<Member> {
		let Some(host) = self.list.first() else { return Err(Error::Broken("nobody is there to invite".into())) };
		let place = Place { name: name.into(), folder: self.folder.path().join(name), nodes: vec![node] };
		let member = Member::open(place).await?;
		host.add(group, vec![member.key_package().await?]).await?;
		member.joined(group, JOINING).await?;
		Ok(member)
	}

	/// Waits until the members at these positions are where the foremost of them is now, and compares entry and
	/// authenticator. Whoever has an answer to its commit has applied it; the others may yet have to.
	pub async fn agree(&self, group: GroupId, who: &[usize], limit: Duration) -> Result<Agreement> {
		let mut newest = 0;
		for member in self.at(who) {
			newest = newest.max(member.status(group).await?.epoch);
		}
		self.agree_at(group, who, newest, limit).await
	}

	/// Waits until the members at these positions have reached `epoch`, and compares entry and authenticator.
	pub async fn agree_at(&self, group: GroupId, who: &[usize], epoch: u64, limit: Duration) -> Result<Agreement> {
		let mut common: Option<Agreement> = None;
		for member in self.at(who) {
			member.reached(group, epoch, limit).await?;
			let status = member.status(group).await?;
			let own = Agreement {
				epoch: status.epoch,
				entry: status.entry,
				authenticator: status.epoch_authenticator.clone(),
			};
			match &common {
				Some(common) if *common != own => {
					return Err(Error::Broken(format!("{} has {own:?}, others have {common:?}", member.name())));
				}
				_ => common = Some(own),
			}
		}
		common.ok_or_else(|| Error::Broken("nobody was asked".into()))
	}

	/// All these members commit at once, one attempt each. Returns when everybody knows what came of it.
	pub async fn race(&self, group: GroupId, who: &[usize], limit: Duration) -> Result<Round> {
		let attempts = self.at(who).zip(who).map(|(member, position)| async move {
			let start = Instant::now();
			let outcome = member.update_once(group).await?;
			Ok::<_, Error>(Attempt { member: *position, outcome, elapsed: start.elapsed() })
		});
		let attempts = futures::future::try_join_all(attempts);
		let attempts = within(limit, "the end of a race", attempts).await??;
		Ok(Round { attempts })
	}

	/// Each of these members sends a message, and each other one reads it, once.
	pub async fn everybody_hears_everybody(&self, group: GroupId, who: &[usize], tag: &str) -> Result<()> {
		for member in self.at(who) {
			member.send(group, saying(tag, member.name())).await?;
		}
		for listener in self.at(who) {
			for speaker in self.at(who).filter(|speaker| speaker.name() != listener.name()) {
				listener.heard_from(group, &saying(tag, speaker.name()), speaker, HEARING).await?;
			}
		}
		Ok(())
	}

	/// Compares what every member has written down, epoch by epoch: one history. Returns how many epochs were
	/// compared between at least two members.
	pub fn one_history(&self, group: GroupId) -> Result<usize> {
		let mut common = Chronicle::default();
		let mut compared = 0;
		for member in &self.list {
			let chronicle = member.chronicle(group);
			if let Some(broken) = chronicle.contradiction() {
				return Err(Error::Broken(format!("{}: {broken}", member.name())));
			}
			compared += common
				.merge(&chronicle)
				.map_err(|epoch| Error::Broken(format!("{} has another epoch {epoch} than others", member.name())))?;
		}
		Ok(compared)
	}

	/// Closes every client.
	pub async fn close(self) {
		for member in self.list {
			member.close().await;
		}
	}

	/// The members at these positions.
	fn at<'a>(&'a self, who: &'a [usize]) -> impl Iterator<Item = &'a Member> {
		who.iter().filter_map(|position| self.list.get(*position))
	}
}

impl Round {
	/// The attempts that opened an epoch, in the order of the epochs.
	pub fn winners(&self) -> Vec<(&Attempt, &lockstep_client::Committed)> {
		let mut winners: Vec<_> = self
			.attempts
			.iter()
			.filter_map(|attempt| match &attempt.outcome {
				Outcome::Won(committed) => Some((attempt, committed)),
				_ => None,
			})
			.collect();
		winners.sort_by_key(|(_, committed)| committed.epoch);
		winners
	}

	/// How many attempts lost against this entry.
	pub fn superseded_by(&self, entry: EntryHash) -> usize {
		let lost = |attempt: &&Attempt| matches!(attempt.outcome, Outcome::Superseded { by, .. } if by == entry);
		self.attempts.iter().filter(lost).count()
	}
}

fn new_folder() -> Result<TempDir> {
	let folder = tempfile::Builder::new().prefix("lockstep-members-").tempdir();
	folder.map_err(Error::io("making a folder for the members"))
}

/// What a member says so that it can be recognised.
pub fn saying(tag: &str, name: &str) -> Vec<u8> {
	format!("{tag}: {name} speaking").into_bytes()
}
