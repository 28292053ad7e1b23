//! No local facts: a member whose clock is wrong gives the same verdicts as the others.

use lockstep_tests::{
	remote::{Answer, RemoteMember, Request},
	Error, Members, Network, Result,
};
use std::{
	path::{Path, PathBuf},
	time::{SystemTime, UNIX_EPOCH},
};

const MONTHS_AHEAD: u64 = 150 * 24 * 3600;

/// The library that gives a process another clock, as Debian's package `faketime` installs it.
fn faketime_library() -> Option<PathBuf> {
	let library =
		Path::new("/usr/lib").join(format!("{}-linux-gnu/faketime/libfaketimeMT.so.1", std::env::consts::ARCH));
	library.is_file().then_some(library)
}

fn status(answer: Answer) -> Result<(u64, String)> {
	match answer {
		Answer::Status { epoch, authenticator, .. } => Ok((epoch, authenticator)),
		other => Err(Error::Broken(format!("{other:?} in place of a status"))),
	}
}

pub async fn a_member_months_ahead_agrees_on_an_added_key_package(network: &Network) -> Result<()> {
	let library = faketime_library().expect("libfaketime is missing: scripts/setup installs it");
	let members = Members::open(network, &["anna", "boris"]).await?;
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let environment = [
		("LD_PRELOAD", library.display().to_string()),
		("FAKETIME", format!("+{MONTHS_AHEAD}")),
		// Only the calendar is wrong; timers run as usual.
		("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
		("DONT_FAKE_MONOTONIC", "1".into()),
	];
	let mut ahead = RemoteMember::start("zoe", &folder.path().join("zoe"), &network.url(2), &environment).await?;
	let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
	match ahead.ask(&Request::Clock).await? {
		Answer::Clock { unix } => assert!(unix >= now + MONTHS_AHEAD - 60, "its clock is not ahead: {unix}"),
		other => panic!("{other:?} in place of the time"),
	}

	let Answer::KeyPackage { bytes } = ahead.ask(&Request::KeyPackage).await? else { panic!("no KeyPackage") };
	let key_package = hex::decode(bytes).map_err(|error| Error::Broken(error.to_string()))?;
	let [anna, boris] = [&members[0], &members[1]];
	let group = anna.found().await?;
	let committed = anna.add(group, vec![key_package]).await?;
	ahead.ask(&Request::Reach { group, epoch: committed.epoch }).await?;

	// The commit that matters: it adds a KeyPackage, and the member ahead of time receives it.
	let committed = anna.add(group, vec![boris.key_package().await?]).await?;
	let (epoch, authenticator) = status(ahead.ask(&Request::Reach { group, epoch: committed.epoch }).await?)?;
	assert_eq!(epoch, committed.epoch);
	assert_eq!(authenticator, hex::encode(anna.status(group).await?.epoch_authenticator));

	// Its own commits and messages are as good as anybody's.
	let (epoch, authenticator) = status(ahead.ask(&Request::Update { group }).await?)?;
	let agreement = members.agree_at(group, &[0, 1], epoch, lockstep_tests::members::ADVANCING).await?;
	assert_eq!(authenticator, hex::encode(agreement.authenticator));
	anna.send(group, b"what time is it?".to_vec()).await?;
	ahead.ask(&Request::Hear { group, sender: "anna".into(), text: "what time is it?".into() }).await?;
	ahead.ask(&Request::Send { group, text: "later than you think".into() }).await?;
	boris.heard(group, b"later than you think", "zoe", lockstep_tests::members::HEARING).await?;
	drop(ahead);
	members.close().await;
	Ok(())
}
