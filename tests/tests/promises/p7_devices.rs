//! P7: a person has several devices in a group, and what its log says of them comes about in its groups: exactly one member takes
//! out a device that was revoked, and a device whose key was rotated goes over to it.

use super::{
	p7_members::{epoch, found, until},
	person::{broken, Person},
};
use lockstep_client::{
	directory::Author,
	voucher::{HeldVoucher, VoucherKind},
	Client, Config, Event, GroupId, Sponsor, StoreKey, Upkeep,
};
use lockstep_tests::{Error, Network, Result};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(90);
/// Blocks in which a second member would have taken its turn.
const TURNS: u32 = 24;

pub async fn hears(person: &Person, sender: &Person, group: GroupId, text: &str) -> Result<()> {
	let mut events = person.client.events();
	sender.client.send(group, text.as_bytes().to_vec()).await.map_err(broken)?;
	until(&mut events, "the message", |event| match event {
		Event::Message { data, .. } => (data == text.as_bytes()).then_some(()),
		_ => None,
	})
	.await
}

pub async fn all_devices_come_in_and_one_member_takes_out_the_revoked_one(network: &Network) -> Result<()> {
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let (anna, mut boris, chiara) = tokio::try_join!(
		Person::new(network, 0, folder.path()),
		Person::new(network, 1, folder.path()),
		Person::new(network, 2, folder.path())
	)?;
	let phone = boris.with_further_device(network, 3, folder.path()).await?;
	let now = network.rpc(0).await?.finalized().await?;
	tokio::try_join!(
		boris.publish(1, false, now + 10_000),
		phone.publish(1, false, now + 10_000),
		chiara.publish(1, false, now + 10_000)
	)?;
	let group = found(network, &anna).await?;

	// One claim gives a KeyPackage of each device, and one commit brings all of them in.
	for (guest, devices) in [(&boris, 2), (&chiara, 1)] {
		let voucher = HeldVoucher::issue(&Sponsor::alice(), &anna.genesis, VoucherKind::Claim, now);
		let claimed = anna.directory.claim(&voucher, guest.id, None).await.map_err(broken)?;
		assert_eq!(claimed.packages.len(), devices);
		let before = epoch(&anna, group).await?;
		let mut events: Vec<_> = [&boris, &phone, &chiara].iter().map(|person| person.client.events()).collect();
		let committed = anna.client.add_claimed(group, &claimed, &voucher).await.map_err(broken)?;
		assert_eq!(committed.epoch, before + 1);
		let joined = |event| matches!(event, Event::Joined { .. }).then_some(());
		if devices == 2 {
			let (first, second) = events.split_at_mut(1);
			tokio::try_join!(until(&mut first[0], "joining", joined), until(&mut second[0], "joining", joined))?;
		} else {
			until(&mut events[2], "joining", joined).await?;
		}
	}
	let status = anna.client.group(group).await.map_err(broken)?;
	assert_eq!((status.members.len(), status.devices.len()), (3, 4));
	for (reader, sender) in [(&phone, &boris), (&boris, &phone), (&chiara, &phone), (&phone, &anna)] {
		hears(reader, sender, group, "to every device").await?;
	}

	// Boris revokes his phone. The group follows, by one commit.
	let before = epoch(&anna, group).await?;
	let mut events: Vec<_> = [&anna, &boris, &chiara].iter().map(|person| person.client.events()).collect();
	let mut of_phone = phone.client.events();
	let (history, _) = boris.directory.read(boris.id).await.map_err(broken)?;
	let revocation = Author::after(&history).revoke_device(&boris.device, phone.device.current.key());
	boris.directory.record(&revocation).await.map_err(broken)?;
	let revoked = phone.device.current.key().0.to_vec();
	for events in &mut events {
		until(events, "the phone to be out", |event| match event {
			Event::DeviceRemoved { identity, key, .. } => (identity == boris.id.0 && key == revoked).then_some(()),
			_ => None,
		})
		.await?;
	}
	until(&mut of_phone, "the phone to hear of it", |event| {
		matches!(event, Event::RemovedFromGroup { .. }).then_some(())
	})
	.await?;
	let now = network.rpc(0).await?.finalized().await?;
	network.finalized_past(0, now + TURNS, PATIENCE).await?;
	assert_eq!(epoch(&anna, group).await?, before + 1, "nobody else has committed it");
	hears(&chiara, &boris, group, "without the phone").await?;

	// He rotates the key of his other device; its leaf goes over by itself, also if the client is closed in between.
	let mut events = anna.client.events();
	let rotated = boris.device.rotated();
	let (history, _) = boris.directory.read(boris.id).await.map_err(broken)?;
	boris.directory.record(&Author::after(&history).rotate(&boris.device, &rotated)).await.map_err(broken)?;
	boris.client.change_signer(rotated.current.signer()).await.map_err(broken)?;
	let path = folder.path().join(boris.device.current.key().to_string());
	boris.client.close().await;
	boris.device = rotated;
	let config = |signer| Config {
		path: path.clone(),
		key: StoreKey::from_bytes([3; 32]),
		nodes: vec![network.url(1)],
		identity: boris.id.0.to_vec(),
		signer,
		sponsor: None,
		genesis: Some(boris.genesis),
		checkpoint: None,
		upkeep: Upkeep::default(),
	};
	assert!(Client::open(config([8; 32])).await.is_err(), "with no other key");
	boris.client = Client::open(config(*boris.device.current.as_bytes())).await.map_err(broken)?;
	let changed = until(&mut events, "the new key", |event| match event {
		Event::KeyChanged { identity, .. } => Some(identity),
		_ => None,
	});
	assert_eq!(changed.await?, boris.id.0);
	hears(&anna, &boris, group, "by the new key").await?;
	boris.publish(1, false, network.rpc(0).await?.finalized().await? + 10_000).await?;
	for person in [anna, boris, chiara, phone] {
		person.client.close().await;
	}
	Ok(())
}

pub async fn a_new_device_comes_into_its_groups_by_itself(network: &Network) -> Result<()> {
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let (anna, bert) =
		tokio::try_join!(Person::new(network, 0, folder.path()), Person::new(network, 2, folder.path()))?;
	let now = network.rpc(0).await?.finalized().await?;
	bert.publish(1, false, now + 10_000).await?;
	let group = found(network, &anna).await?;
	let voucher = || HeldVoucher::issue(&Sponsor::alice(), &anna.genesis, VoucherKind::Claim, now);
	let joined = |event| matches!(event, Event::Joined { .. }).then_some(());
	let mut of_bert = bert.client.events();
	let for_bert = voucher();
	let claimed = anna.directory.claim(&for_bert, bert.id, None).await.map_err(broken)?;
	anna.client.add_claimed(group, &claimed, &for_bert).await.map_err(broken)?;
	until(&mut of_bert, "joining", joined).await?;

	// Anna has left vouchers with her client. She adds a device, which publishes a KeyPackage, and nobody does anything else. Her
	// first device has one, too: a client that claimed before the other one has published would get that alone.
	let before = epoch(&anna, group).await?;
	anna.publish(1, false, now + 10_000).await?;
	assert_eq!(anna.client.keep_claim_vouchers(vec![voucher(), voucher()]).await.map_err(broken)?, 2);
	let phone = anna.with_further_device(network, 1, folder.path()).await?;
	let mut of_phone = phone.client.events();
	phone.publish(1, false, now + 10_000).await?;
	let new = phone.device.current.key().0.to_vec();
	until(&mut of_bert, "the phone to be in", |event| match event {
		Event::DeviceAdded { identity, key, .. } => (identity == anna.id.0 && key == new).then_some(()),
		_ => None,
	})
	.await?;
	until(&mut of_phone, "joining", joined).await?;
	let now = network.rpc(0).await?.finalized().await?;
	network.finalized_past(0, now + TURNS, PATIENCE).await?;
	for person in [&anna, &bert, &phone] {
		assert_eq!(epoch(person, group).await?, before + 1, "one commit, and none besides");
	}
	assert_eq!(anna.client.claim_vouchers().await.map_err(broken)?, 1, "none was spent in vain");
	let status = bert.client.group(group).await.map_err(broken)?;
	assert_eq!((status.members.len(), status.devices.len()), (2, 3));
	for (reader, sender) in [(&bert, &phone), (&phone, &bert), (&anna, &phone), (&phone, &anna)] {
		hears(reader, sender, group, "to every device").await?;
	}
	for person in [anna, bert, phone] {
		person.client.close().await;
	}
	Ok(())
}
