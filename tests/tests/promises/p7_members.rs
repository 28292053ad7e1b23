//! P7: in a group of people, whoever commits or comes in does so with a key that is a device of the person in that block, as the
//! person's own log says.

use super::person::{broken, Person};
use futures::{Stream, StreamExt};
use lockstep_client::{
	directory::{Author, IdentityId},
	voucher::{HeldVoucher, VoucherKind},
	AuthenticationService, BuildError, Client, CommitError, Config, Event, GroupData, GroupId, InvalidReason,
	PolicyError, SkippedBecause, Sponsor, StoreKey, Upkeep,
};
use lockstep_tests::{deadline::within, Error, Network, Result};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(90);

pub async fn until<T>(
	events: &mut (impl Stream<Item = Event> + Unpin),
	what: &str,
	wanted: impl FnMut(Event) -> Option<T>,
) -> Result<T> {
	until_within(PATIENCE, events, what, wanted).await
}

/// The same with another deadline.
pub async fn until_within<T>(
	patience: Duration,
	events: &mut (impl Stream<Item = Event> + Unpin),
	what: &str,
	mut wanted: impl FnMut(Event) -> Option<T>,
) -> Result<T> {
	let looking = async {
		while let Some(event) = events.next().await {
			if let Some(found) = wanted(event) {
				return Ok(found);
			}
		}
		Err(broken("the client ended"))
	};
	within(patience, what, looking).await?
}

/// Why a commit by a key that is no device of this person does not count.
pub fn not_a_device(of: IdentityId) -> InvalidReason {
	InvalidReason::Policy(PolicyError::NotADevice { identity: of.0.to_vec() })
}

pub fn refused(result: Result<impl std::fmt::Debug, CommitError>, of: IdentityId) -> Result<()> {
	match result {
		Err(CommitError::Build(BuildError::Refused(reason))) if reason == not_a_device(of) => Ok(()),
		other => Err(broken(format!("{other:?} in place of a refusal"))),
	}
}

/// Founds a group of people.
pub async fn found(network: &Network, founder: &Person) -> Result<GroupId> {
	let data = GroupData { authentication: AuthenticationService::Directory, ..GroupData::default() };
	let now = network.rpc(0).await?.finalized().await?;
	let voucher = HeldVoucher::issue(&Sponsor::alice(), &founder.genesis, VoucherKind::CreateGroup, now);
	founder.client.create_group_by_voucher(data, voucher).await.map_err(broken)
}

/// Claims KeyPackages of somebody, and adds that person.
pub async fn invite(network: &Network, host: &Person, group: GroupId, guest: &Person) -> Result<()> {
	let now = network.rpc(0).await?.finalized().await?;
	guest.publish(2, false, now + 10_000).await?;
	let voucher = HeldVoucher::issue(&Sponsor::alice(), &host.genesis, VoucherKind::Claim, now);
	let claimed = host.directory.claim(&voucher, guest.id, None).await.map_err(broken)?;
	let mut events = guest.client.events();
	host.client.add_claimed(group, &claimed, &voucher).await.map_err(broken)?;
	until(&mut events, "joining", |event| matches!(event, Event::Joined { .. }).then_some(())).await
}

pub async fn epoch(person: &Person, group: GroupId) -> Result<u64> {
	Ok(person.client.group(group).await.map_err(broken)?.epoch)
}

pub async fn who_is_no_device_commits_nothing(network: &Network) -> Result<()> {
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let (anna, mut boris, chiara) = tokio::try_join!(
		Person::new(network, 0, folder.path()),
		Person::new(network, 1, folder.path()),
		Person::new(network, 2, folder.path())
	)?;
	let group = found(network, &anna).await?;
	invite(network, &anna, group, &boris).await?;
	invite(network, &anna, group, &chiara).await?;

	// Boris's device gets another key, and his leaf after it.
	let mut events = chiara.client.events();
	let rotated = boris.device.rotated();
	let (history, _) = boris.directory.read(boris.id).await.map_err(broken)?;
	boris.directory.record(&Author::after(&history).rotate(&boris.device, &rotated)).await.map_err(broken)?;
	refused(boris.client.update(group).await, boris.id)?;
	boris.client.rotate(group, rotated.current.signer()).await.map_err(broken)?;
	boris.device = rotated;
	let changed = until(&mut events, "the new key", |event| match event {
		Event::KeyChanged { identity, .. } => Some(identity),
		_ => None,
	});
	assert_eq!(changed.await?, boris.id.0);
	boris.client.update(group).await.map_err(broken)?;

	// Chiara ends her identity. Her client does not know, and commits; then nobody takes that for a commit, nor does she.
	let mut events = anna.client.events();
	let (history, _) = chiara.directory.read(chiara.id).await.map_err(broken)?;
	chiara.directory.record(&Author::after(&history).close(&chiara.device)).await.map_err(broken)?;
	let before = epoch(&anna, group).await?;
	refused(chiara.client.update(group).await, chiara.id)?;
	let skipped = until(&mut events, "the commit that does not count", |event| match event {
		Event::Skipped { reason: SkippedBecause::Invalid(reason), .. } => Some(reason),
		_ => None,
	});
	assert_eq!(skipped.await?, not_a_device(chiara.id));
	let removed = anna.client.remove(group, vec![chiara.id.0.to_vec()]).await.map_err(broken)?;
	assert!(removed.epoch > before);
	anna.client.send(group, b"without her".to_vec()).await.map_err(broken)?;
	let mut events = boris.client.events();
	anna.client.send(group, b"the two of us".to_vec()).await.map_err(broken)?;
	until(&mut events, "the message", |event| match event {
		Event::Message { data, .. } => (data == b"the two of us").then_some(()),
		_ => None,
	})
	.await?;
	assert_eq!(epoch(&anna, group).await?, epoch(&boris, group).await?);
	for person in [anna, boris, chiara] {
		person.client.close().await;
	}
	Ok(())
}

pub async fn nobody_comes_in_under_the_name_of_another(network: &Network) -> Result<()> {
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let (anna, boris, dora) = tokio::try_join!(
		Person::new(network, 1, folder.path()),
		Person::new(network, 2, folder.path()),
		Person::new(network, 3, folder.path())
	)?;
	let group = found(network, &anna).await?;
	invite(network, &anna, group, &boris).await?;

	// Somebody else has made a KeyPackage with Dora's identity, and hands it over.
	let mallory = Client::open(Config {
		path: folder.path().join("mallory"),
		key: StoreKey::from_bytes([3; 32]),
		nodes: vec![network.url(0)],
		identity: dora.id.0.to_vec(),
		signer: [99; 32],
		sponsor: None,
		genesis: Some(anna.genesis),
		checkpoint: None,
		upkeep: Upkeep::default(),
	});
	let mallory = mallory.await.map_err(broken)?;
	let package = mallory.key_package().await.map_err(broken)?;
	let mut events = boris.client.events();
	// Anna's client has not read Dora's log, so the commit gets into the log, and nobody takes it for one.
	refused(anna.client.add(group, vec![package]).await, dora.id)?;
	let skipped = until(&mut events, "the commit that does not count", |event| match event {
		Event::Skipped { reason: SkippedBecause::Invalid(reason), .. } => Some(reason),
		_ => None,
	});
	assert_eq!(skipped.await?, not_a_device(dora.id));
	// Dora herself comes in.
	invite(network, &anna, group, &dora).await?;
	let members = boris.client.group(group).await.map_err(broken)?.members;
	assert!(members.len() <= 3);
	mallory.close().await;
	for person in [anna, boris, dora] {
		person.client.close().await;
	}
	Ok(())
}
