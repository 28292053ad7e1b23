//! Deaths at writes that do not come up while members race: each in a scene with a group of its own, before the race.
//!
//! In a scene one member is a process and dies, before such a write and after it; the others live on. Then what was to come
//! of the write has come of it, once.

mod groups;
mod messages;

use super::{founding::dies, unexpected, Lives};
use crate::{
	members::JOINING,
	remote::{Answer, Request},
	write_kinds::WriteKind,
	Error, Member, Members, Network, Result,
};
use lockstep_client::WritePoint;
use lockstep_primitives::GroupId;
use std::{path::Path, time::Instant};

/// The kinds of writes in these scenes.
pub(super) const KINDS: [WriteKind; 9] = [
	WriteKind::Evidence,
	WriteKind::InvitationDropped,
	WriteKind::RejoinRequest,
	WriteKind::Position,
	WriteKind::IntentEnded,
	WriteKind::GivenUp,
	WriteKind::Dismissed,
	WriteKind::KeysDeleted,
	WriteKind::UsedUp,
];

/// Plays all scenes, side by side; gives the lives of those who died.
pub(super) async fn play(network: &Network, folder: &Path) -> Result<Vec<Lives>> {
	let (first, second) = futures::try_join!(groups::play(network, folder), messages::play(network, folder))?;
	Ok(first.into_iter().chain(second).collect())
}

/// Members who live on, and one in their group who does not.
struct Stage {
	members: Members,
	group: GroupId,
	lives: Lives,
}

impl Stage {
	/// `names` found a group and add `name`, who uses these nodes.
	async fn new(network: &Network, folder: &Path, names: &[&str], name: &'static str, nodes: String) -> Result<Self> {
		let members = Members::open(network, names).await?;
		let group = members.found().await?;
		let lives = Lives::new(name, folder.join(name), nodes, group);
		let mut process = lives.start(None).await?;
		let Answer::KeyPackage { bytes } = process.ask(&Request::KeyPackage).await? else {
			return Err(unexpected(name));
		};
		let added = members[0].add(group, vec![key_package(&bytes)?]).await?;
		process.ask(&Request::Reach { group, epoch: added.epoch }).await?;
		process.kill().await?;
		Ok(Self { members, group, lives })
	}

	/// It dies at the first write of a kind, before and after it.
	async fn dies(&mut self, kind: WriteKind, told: Option<Request>) -> Result<()> {
		for side in WritePoint::ALL {
			dies(&mut self.lives, kind, side, told.clone()).await?;
		}
		Ok(())
	}

	/// What it answers in a life of its own.
	async fn says(&self, request: Request) -> Result<Answer> {
		let mut process = self.lives.start(None).await?;
		let answer = process.ask(&request).await?;
		process.kill().await?;
		Ok(answer)
	}

	/// How many it counts.
	async fn counts(&self, request: Request) -> Result<usize> {
		match self.says(request).await? {
			Answer::Count { count } => Ok(count),
			_ => Err(unexpected(self.lives.name)),
		}
	}

	/// Lives on until it is where the first of the others is then.
	async fn catches_up(&self) -> Result<()> {
		catches_up(&self.lives, &self.members[0], self.group).await
	}

	async fn end(self) -> Lives {
		self.members.close().await;
		self.lives
	}
}

/// A member lives on until it is where another one is then.
async fn catches_up(lives: &Lives, other: &Member, group: GroupId) -> Result<()> {
	let mut process = lives.start(None).await?;
	let deadline = Instant::now() + 3 * JOINING;
	loop {
		let theirs = other.status(group).await?;
		let theirs = (theirs.epoch, hex::encode(theirs.epoch_authenticator));
		let own = match process.ask(&Request::Stand { group }).await {
			Ok(Answer::Status { epoch, authenticator, .. }) => Ok((epoch, authenticator)),
			Ok(_) => return Err(unexpected(lives.name)),
			// It may be out, for now.
			Err(error) => Err(error),
		};
		match own {
			Ok(own) if own == theirs => break,
			own if Instant::now() > deadline => {
				return Err(Error::Broken(format!("{} is at {own:?}, the others at {theirs:?}", lives.name)));
			}
			// The next look; there is no event for what another process does.
			_ => tokio::time::sleep(super::LOOK).await,
		}
	}
	process.kill().await
}

fn key_package(hex: &str) -> Result<Vec<u8>> {
	hex::decode(hex).map_err(|error| Error::Broken(format!("a KeyPackage is no hexadecimal: {error}")))
}
