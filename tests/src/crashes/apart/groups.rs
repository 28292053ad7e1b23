//! About groups: who is in them, and where their log is.

use super::{catches_up, key_package, Stage};
use crate::{
	attack,
	crashes::{
		founding::{dies, dies_at},
		unexpected, Lives,
	},
	liar::{Liar, Lies},
	members::{store_key, Place, JOINING},
	remote::{Answer, Request, PAST_EPOCHS_KEPT},
	write_kinds::{DeathPoint, WriteKind},
	Error, Member, Members, Network, Result,
};
use lockstep_client::{Backup, WritePoint};
use std::path::Path;

/// Plays all of them; gives the lives of those who died.
pub(super) async fn play(network: &Network, folder: &Path) -> Result<Vec<Lives>> {
	let (first, second, third, fourth, fifth, sixth) = futures::try_join!(
		a_node_lies(network, folder),
		an_invitation_comes_to_nothing(network, folder),
		a_backup_is_restored(network, folder),
		an_entry_does_not_count(network, folder),
		another_one_does_it(network, folder),
		keys_get_old(network, folder),
	)?;
	Ok(vec![first, second, third, fourth, fifth, sixth])
}

/// One of its two nodes lies about the state.
async fn a_node_lies(network: &Network, folder: &Path) -> Result<Lives> {
	let liar = Liar::start(&network.url(1)).await?;
	let nodes = format!("{},{}", liar.url, network.url(2));
	let mut stage = Stage::new(network, folder, &["alma"], "finn", nodes).await?;
	liar.tell(Lies {
		entries: Some(Box::new(|message| {
			message.proof.as_mut().map(|proof| proof.state.pop());
			true
		})),
		..Lies::default()
	});
	stage.dies(WriteKind::Evidence, None).await?;
	liar.tell(Lies::default());
	stage.members[0].update(stage.group).await?;
	stage.catches_up().await?;
	match stage.counts(Request::Lies).await? {
		1 => Ok(stage.end().await),
		count => Err(Error::Broken(format!("{count} lies are kept of one"))),
	}
}

/// Its one KeyPackage was used for two groups.
async fn an_invitation_comes_to_nothing(network: &Network, folder: &Path) -> Result<Lives> {
	let founders = Members::open(network, &["berta", "carlo"]).await?;
	let groups = futures::try_join!(founders[0].found(), founders[1].found())?;
	let liar = Liar::start(&network.url(3)).await?;
	let mut lives = Lives::new("gina", folder.join("gina"), liar.url.clone(), groups.0);
	let mut process = lives.start(None).await?;
	let Answer::KeyPackage { bytes } = process.ask(&Request::KeyPackage).await? else {
		return Err(unexpected(lives.name));
	};
	process.kill().await?;
	let package = key_package(&bytes)?;
	futures::try_join!(founders[0].add(groups.0, vec![package.clone()]), founders[1].add(groups.1, vec![package]))?;
	// It reads no log before it has both.
	liar.tell(Lies { entries: Some(Box::new(|_| false)), ..Lies::default() });
	let second = DeathPoint { kind: WriteKind::Invitation, after: 1, side: WritePoint::After };
	dies_at(&mut lives, second, None).await?;
	liar.tell(Lies::default());
	for side in WritePoint::ALL {
		dies(&mut lives, WriteKind::InvitationDropped, side, None).await?;
	}
	let mut process = lives.start(None).await?;
	let Answer::Groups { groups: joined } = process.ask(&Request::Groups).await? else {
		return Err(unexpected(lives.name));
	};
	process.kill().await?;
	let (founder, group) = match joined.as_slice() {
		[one] if *one == groups.0 => (&founders[0], groups.0),
		[one] if *one == groups.1 => (&founders[1], groups.1),
		_ => return Err(Error::Broken(format!("{} groups were joined by one KeyPackage", joined.len()))),
	};
	founder.update(group).await?;
	catches_up(&lives, founder, group).await?;
	founders.close().await;
	Ok(lives)
}

/// It asks for a new leaf, is not heard, and asks again.
async fn a_backup_is_restored(network: &Network, folder: &Path) -> Result<Lives> {
	let members = Members::open(network, &["dolores"]).await?;
	let group = members.found().await?;
	let place = Place { name: "hans".into(), folder: folder.join("hans before"), nodes: vec![network.url(0)] };
	let before = Member::open(place).await?;
	members[0].add(group, vec![before.key_package().await?]).await?;
	before.joined(group, JOINING).await?;
	let file = before.client().export_backup(&store_key(), Vec::new()).await.map_err(Error::client("hans"))?;
	before.close().await;
	let mut lives = Lives::new("hans", folder.join("hans"), network.url(0), group);
	let backup = Backup::open(&file, &store_key()).map_err(Error::client(lives.name))?;
	backup.restore(&lives.folder, &store_key()).map_err(Error::client(lives.name))?;
	for side in WritePoint::ALL {
		dies(&mut lives, WriteKind::RejoinRequest, side, None).await?;
	}
	let stage = Stage { members, group, lives };
	stage.catches_up().await?;
	let count = stage.members[0].status(group).await?.members.len();
	match count {
		2 => Ok(stage.end().await),
		_ => Err(Error::Broken(format!("{count} members came of two"))),
	}
}

/// Somebody has endorsed garbage, and is away afterwards: nobody contests it before this member has died over it twice.
async fn an_entry_does_not_count(network: &Network, folder: &Path) -> Result<Lives> {
	let place = Place { name: "emma".into(), folder: folder.join("emma"), nodes: vec![network.url(0)] };
	let hostile = Member::open(place).await?;
	let group = hostile.found().await?;
	let mut lives = Lives::new("ida", folder.join("ida"), network.url(1), group);
	let mut process = lives.start(None).await?;
	let Answer::KeyPackage { bytes } = process.ask(&Request::KeyPackage).await? else {
		return Err(unexpected(lives.name));
	};
	let added = hostile.add(group, vec![key_package(&bytes)?]).await?;
	process.ask(&Request::Reach { group, epoch: added.epoch }).await?;
	process.kill().await?;
	let (held, rpc) = (attack::current_key(&hostile, group).await?, network.rpc(2).await?);
	let key = attack::stray_key(7);
	let append = attack::endorse(&held.key, &rpc.genesis().await?, group, held.entry, vec![0xa5; 512], key);
	let place = hostile.close().await;
	if let Some(refused) = attack::submit(&rpc, &append).await? {
		return Err(Error::Broken(format!("the garbage was refused: {refused}")));
	}
	for side in WritePoint::ALL {
		dies(&mut lives, WriteKind::Position, side, None).await?;
	}
	let hostile = Member::open(place).await?;
	hostile.update(group).await?;
	catches_up(&lives, &hostile, group).await?;
	hostile.close().await;
	Ok(lives)
}

/// It wants to remove somebody, and before it can, another one does.
async fn another_one_does_it(network: &Network, folder: &Path) -> Result<Lives> {
	let mut stage = Stage::new(network, folder, &["fred", "greta"], "jan", network.url(2)).await?;
	let group = stage.group;
	let wanted = Request::EnqueueRemoval { group, name: "greta".into() };
	dies(&mut stage.lives, WriteKind::Commit, WritePoint::After, Some(wanted)).await?;
	let removed = stage.members[0].remove(group, "greta").await?;
	stage.dies(WriteKind::IntentEnded, None).await?;
	stage.catches_up().await?;
	match stage.says(Request::Intents { group }).await? {
		Answer::Ended { done, failed } if failed.is_empty() && done == [(0, removed.entry)] => Ok(stage.end().await),
		answer => Err(Error::Broken(format!("what was done by {} ended as {answer:?}", removed.entry))),
	}
}

/// An epoch is over for longer than its keys are kept.
async fn keys_get_old(network: &Network, folder: &Path) -> Result<Lives> {
	let mut stage = Stage::new(network, folder, &["hugo"], "kira", network.url(3)).await?;
	stage.lives.environment.push((PAST_EPOCHS_KEPT, "2".into()));
	stage.members[0].update(stage.group).await?;
	stage.dies(WriteKind::KeysDeleted, None).await?;
	// With the usual time nothing more goes: what is gone was deleted as it died.
	stage.lives.environment.clear();
	match stage.counts(Request::Epochs { group: stage.group }).await? {
		1 => {}
		count => return Err(Error::Broken(format!("there are keys of {count} epochs in the place of one"))),
	}
	stage.members[0].update(stage.group).await?;
	stage.catches_up().await?;
	Ok(stage.end().await)
}
