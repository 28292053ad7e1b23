//! P7: a person whose device's key was stolen takes the identity back with the recovery key. In groups, what was committed before
//! stays, what the thief commits afterwards counts for nobody, and whoever was away finds the same.

use super::{
	p7_devices::hears,
	p7_members::{found, not_a_device, refused, until},
	person::{broken, voucher, Person},
};
use futures::Stream;
use lockstep_client::{directory::Seed, voucher::VoucherKind, Client, EntryHash, Event, GroupId, SkippedBecause};
use lockstep_tests::{attack, deadline, Error, Network, Result};
use std::{collections::BTreeSet, path::Path, time::Duration};

const PATIENCE: Duration = Duration::from_secs(90);

/// A device publishes a KeyPackage; somebody claims what there is of the person, which is this one alone, and adds it.
async fn let_in(network: &Network, host: &Person, group: GroupId, guest: &Person) -> Result<()> {
	publish(network, guest).await?;
	let voucher = voucher(network, VoucherKind::Claim).await?;
	let claimed = host.directory.claim(&voucher, guest.id, None).await.map_err(broken)?;
	let devices: Vec<_> = claimed.packages.iter().map(|package| package.device).collect();
	assert_eq!(devices, [guest.device.current.key()]);
	let mut events = guest.client.events();
	host.client.add_claimed(group, &claimed, &voucher).await.map_err(broken)?;
	until(&mut events, "joining", |event| matches!(event, Event::Joined { .. }).then_some(())).await
}

async fn publish(network: &Network, person: &Person) -> Result<()> {
	let now = network.rpc(0).await?.finalized().await?;
	person.publish(1, false, now + 10_000).await.map(drop)
}

/// The next entry that does not count.
async fn skipped(events: &mut (impl Stream<Item = Event> + Unpin)) -> Result<(EntryHash, SkippedBecause)> {
	until(events, "the commit that does not count", |event| match event {
		Event::Skipped { entry, reason, .. } => Some((entry, reason)),
		_ => None,
	})
	.await
}

/// Waits until these are in the same state of the group, with a leaf each and no others.
async fn agree(group: GroupId, people: &[&Person]) -> Result<()> {
	let devices: BTreeSet<Vec<u8>> = people.iter().map(|person| person.device.current.key().0.to_vec()).collect();
	let looking = deadline::until(PATIENCE, "one state", || async move {
		let (mut states, mut leaves) = (BTreeSet::new(), BTreeSet::new());
		for person in people {
			let status = person.client.group(group).await.map_err(broken)?;
			states.insert((status.epoch, status.epoch_authenticator));
			leaves.insert(status.devices.into_iter().map(|device| device.key.0).collect::<BTreeSet<_>>());
		}
		Ok((states.len() == 1).then_some(leaves))
	});
	assert_eq!(looking.await?, [devices].into());
	Ok(())
}

async fn reopen(network: &Network, node: usize, folder: &Path, person: &mut Person) -> Result<()> {
	person.client = Client::open(person.config(network, node, folder)).await.map_err(broken)?;
	Ok(())
}

pub async fn who_was_away_over_a_recovery_agrees(network: &Network) -> Result<()> {
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let recovery_key = Seed::random();
	let (mut anna, boris, mut clara) = tokio::try_join!(
		Person::new(network, 0, folder.path()),
		Person::recoverable(network, 1, folder.path(), &recovery_key),
		Person::new(network, 2, folder.path())
	)?;
	let group = found(network, &anna).await?;
	let_in(network, &anna, group, &boris).await?;
	let_in(network, &anna, group, &clara).await?;
	clara.client.close().await;

	// A thief has the key of Boris's device. It adds a device of its own, which is let in, commits, and publishes more.
	let thief = boris.with_further_device(network, 3, folder.path()).await?;
	let_in(network, &anna, group, &thief).await?;
	let (mut of_boris, mut of_thief) = (boris.client.events(), thief.client.events());
	let committed = thief.client.update(group).await.map_err(broken)?;
	until(&mut of_boris, "the thief's commit", |event| match event {
		Event::EpochAdvanced { entry, .. } => (entry == committed.entry).then_some(()),
		_ => None,
	})
	.await?;
	publish(network, &thief).await?;
	// One commit it keeps back.
	let kept = thief.client.hostile_commit(group).await.map_err(broken)?;

	// Boris takes his identity back, from the thief's first event on, while nobody is there who could take a leaf out. The chain
	// admits the thief's commit, and it does not count.
	anna.client.close().await;
	let recovered = boris.recovered(network, 1, folder.path(), &recovery_key, 1).await?;
	assert_eq!(attack::submit(&network.rpc(3).await?, &kept).await?, None, "the chain knows no members");
	let verdict = skipped(&mut of_boris).await?;
	assert_eq!(verdict.1, SkippedBecause::Invalid(not_a_device(boris.id)));
	assert_eq!(skipped(&mut of_thief).await?, verdict);
	for stolen in [&thief, &boris] {
		refused(stolen.client.update(group).await, boris.id)?;
	}

	// Anna comes back. Her client takes out what is no device any more, and the person with it. What the thief has does not come in
	// again.
	reopen(network, 0, folder.path(), &mut anna).await?;
	let mut of_anna = anna.client.events();
	assert_eq!(skipped(&mut of_anna).await?, verdict);
	until(&mut of_anna, "Boris to be out", |event| match event {
		Event::MemberRemoved { identity, .. } => (identity == boris.id.0).then_some(()),
		_ => None,
	})
	.await?;
	until(&mut of_thief, "the thief to be out", |event| matches!(event, Event::RemovedFromGroup { .. }).then_some(()))
		.await?;
	let package = thief.client.key_package().await.map_err(broken)?;
	refused(anna.client.add(group, vec![package]).await, boris.id)?;
	// What Boris has now does, and the claim gives nothing of what the thief has published.
	let_in(network, &anna, group, &recovered).await?;

	// Clara comes back, and judges all that happened by a log that has the recovery in it.
	reopen(network, 2, folder.path(), &mut clara).await?;
	assert_eq!(skipped(&mut clara.client.events()).await?, verdict);
	for (reader, sender) in [(&clara, &recovered), (&recovered, &clara), (&anna, &recovered)] {
		hears(reader, sender, group, "on another device").await?;
	}
	recovered.client.update(group).await.map_err(broken)?;
	agree(group, &[&anna, &clara, &recovered]).await?;
	for person in [anna, boris, clara, thief, recovered] {
		person.client.close().await;
	}
	Ok(())
}
