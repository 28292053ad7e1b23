//! The members found a group and come into it, and die over what they write meanwhile.

use super::{unexpected, Lives, LOOK, NAMES};
use crate::{
	members::JOINING,
	remote::{Answer, RemoteMember, Request},
	write_kinds::{DeathPoint, WriteKind},
	Error, Result,
};
use lockstep_client::WritePoint;
use lockstep_primitives::GroupId;
use std::time::Instant;
use tokio::time::sleep;

/// The first founds a group and adds the others; then all go away.
pub(super) async fn found(members: &mut [Lives]) -> Result<GroupId> {
	let [founder, others @ ..] = members else { return Err(Error::Broken("nobody is there".into())) };
	// What was stored of the first attempt is carried on in the next life, and no second group comes of it.
	dies(founder, WriteKind::Founding, WritePoint::Before, Some(Request::Found)).await?;
	dies(founder, WriteKind::Founding, WritePoint::After, Some(Request::Found)).await?;
	for side in WritePoint::ALL {
		dies(founder, WriteKind::Founded, side, None).await?;
	}
	let mut process = founder.start(None).await?;
	let group = only_group(&mut process).await?;

	let key_packages = futures::future::try_join_all(others.iter_mut().map(key_package)).await?;
	let add = Request::Add { group, key_packages };
	let joining = others.iter_mut().enumerate().map(|(at, joiner)| join(joiner, at, group));
	let (added, joined) = futures::join!(process.ask(&add), futures::future::try_join_all(joining));
	added?;
	joined?;
	process.kill().await?;
	Ok(group)
}

/// A process is told something, if anything, and dies at the first write of a kind.
pub(super) async fn dies(member: &mut Lives, kind: WriteKind, side: WritePoint, told: Option<Request>) -> Result<()> {
	dies_at(member, DeathPoint { kind, after: 0, side }, told).await
}

/// The same, at any point.
pub(super) async fn dies_at(member: &mut Lives, point: DeathPoint, told: Option<Request>) -> Result<()> {
	let mut process = member.start(Some(point)).await?;
	let deadline = Instant::now() + JOINING;
	let mut request = told.unwrap_or(Request::Groups);
	loop {
		match process.ask(&request).await {
			Err(_) if process.is_over() => break,
			Ok(_) if Instant::now() < deadline => {}
			Ok(_) => return Err(Error::Broken(format!("{} did not die at {point}", member.name))),
			Err(error) => return Err(error),
		}
		request = Request::Groups;
		// The next look; there is no event for what another process writes.
		sleep(LOOK).await;
	}
	process.has_died().await?;
	member.deaths.note(point.kind, point.side);
	Ok(())
}

/// The one group that a member has, as soon as it has it.
async fn only_group(process: &mut RemoteMember) -> Result<GroupId> {
	let deadline = Instant::now() + JOINING;
	while Instant::now() < deadline {
		let Answer::Groups { groups } = process.ask(&Request::Groups).await? else { return Err(unexpected(NAMES[0])) };
		match groups[..] {
			[group] => return Ok(group),
			[] => sleep(LOOK).await,
			_ => return Err(Error::Broken(format!("{} groups came of one", groups.len()))),
		}
	}
	Err(Error::Broken("the group was not founded".into()))
}

/// A KeyPackage of a member that dies over two before.
async fn key_package(member: &mut Lives) -> Result<String> {
	for side in WritePoint::ALL {
		dies(member, WriteKind::KeyPackage, side, Some(Request::KeyPackage)).await?;
	}
	let mut process = member.start(None).await?;
	let answer = process.ask(&Request::KeyPackage).await?;
	process.kill().await?;
	match answer {
		Answer::KeyPackage { bytes } => Ok(bytes),
		_ => Err(unexpected(member.name)),
	}
}

/// Comes in by the invitation that is on its way, and dies over it: some when it comes, the others when they join.
async fn join(member: &mut Lives, at: usize, group: GroupId) -> Result<()> {
	let kind = if at.is_multiple_of(2) { WriteKind::Invitation } else { WriteKind::Joined };
	for side in WritePoint::ALL {
		dies(member, kind, side, None).await?;
	}
	let mut process = member.start(None).await?;
	process.ask(&Request::Reach { group, epoch: 1 }).await?;
	process.kill().await
}
