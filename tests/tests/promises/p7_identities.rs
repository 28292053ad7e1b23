//! P7: who has which devices is what those devices have signed, and the same for every reader.

use lockstep_client::{
	directory::{
		accept, export_identity, incept, verify_identity, Author, DeviceKeys, DeviceOffer, Directory, DirectoryError,
		History, IdentityKey, IdentityRefusal, Recovery, RecoveryKeys, Seed,
	},
	GenesisHash, Sponsor,
};
use lockstep_tests::{
	liar::{Liar, Lies},
	Error, Network, Result,
};
use serde_json::Value;

fn broken(error: impl std::fmt::Display) -> Error {
	Error::Broken(error.to_string())
}

/// A directory that asks one node.
async fn over(network: &Network, node: usize) -> Result<(Directory, GenesisHash)> {
	let genesis = network.genesis().await?;
	Ok((Directory::new(vec![network.url(node)], genesis).map_err(broken)?, genesis))
}

fn committed(recovery: &[&Seed]) -> RecoveryKeys {
	let keys: Vec<_> = recovery.iter().map(|seed| seed.commitment()).collect();
	RecoveryKeys::try_from(keys).expect("there is room")
}

/// A person with one device and one recovery key.
async fn person(directory: &Directory, genesis: &GenesisHash) -> Result<(DeviceKeys, Seed, History)> {
	let (device, recovery) = (DeviceKeys::random(), Seed::random());
	let first = incept(genesis, &device, committed(&[&recovery]), None);
	let history = directory.register(&Sponsor::alice(), &first).await.map_err(broken)?;
	Ok((device, recovery, history))
}

fn devices(history: &History) -> Vec<IdentityKey> {
	history.newest().expect("it has a first event").devices.iter().map(|device| device.key).collect()
}

pub async fn a_person_is_what_its_devices_have_signed(network: &Network) -> Result<()> {
	let (directory, genesis) = over(network, 0).await?;
	let (phone, recovery_key, history) = person(&directory, &genesis).await?;
	let id = history.identity();
	assert_eq!(devices(&history), [phone.current.key()]);

	// A second device, by a text that one shows and the other reads.
	let tablet = DeviceKeys::random();
	let offer: DeviceOffer = DeviceOffer(tablet.device()).to_string().parse().map_err(broken)?;
	let event = Author::after(&history).add_device(&phone, &offer);
	let event = accept(&genesis, event, &tablet).map_err(broken)?;
	let history = directory.record(&event).await.map_err(broken)?;
	assert_eq!(devices(&history), [phone.current.key(), tablet.current.key()]);
	let added_at = history.steps()[1].block;
	// It is in the log: to record it once more is no error, and changes nothing.
	assert_eq!(directory.record(&event).await.map_err(broken)?.head(), history.head());

	let rotated = tablet.rotated();
	let event = Author::after(&history).rotate(&tablet, &rotated);
	let history = directory.record(&event).await.map_err(broken)?;
	assert_eq!(devices(&history), [phone.current.key(), rotated.current.key()]);

	// The phone is stolen, and the thief revokes the tablet. The recovery key takes the person out of its hands.
	let event = Author::after(&history).revoke_device(&phone, rotated.current.key());
	let history = directory.record(&event).await.map_err(broken)?;
	let (new, next_recovery) = (DeviceKeys::random(), Seed::random());
	let recovery = Recovery {
		rank: 0,
		from: Some(3),
		revoked: vec![phone.current.key()].try_into().expect("there is room"),
		device: DeviceOffer(new.device()),
		recovery: committed(&[&next_recovery]),
	};
	let event = Author::after(&history).recover(&recovery_key, recovery);
	let event = accept(&genesis, event, &new).map_err(broken)?;
	let history = directory.record(&event).await.map_err(broken)?;
	assert_eq!(devices(&history), [new.current.key()]);
	assert_eq!(history.steps()[4].change.overrides, Some(3), "what was overridden stays visible");

	// Another reader, over another node, and without any node: the same, at every block.
	let file = export_identity(&network.url(3), genesis, id).await;
	let (elsewhere, _) = over(network, 2).await?;
	let read = loop {
		let (read, head) = elsewhere.read(id).await.map_err(broken)?;
		if head.number >= history.steps()[4].block {
			break read;
		}
	};
	assert_eq!(read, history);
	let file = match file {
		Ok(file) if verify_identity(genesis, &file).map_err(broken)?.0.steps().len() == 5 => file,
		_ => export_identity(&network.url(2), genesis, id).await.map_err(broken)?,
	};
	let (offline, _) = verify_identity(genesis, &file).map_err(broken)?;
	assert_eq!(offline, history);
	assert!(!offline.has_device_at(&tablet.current.key(), added_at - 1));
	assert!(offline.has_device_at(&tablet.current.key(), added_at));
	let recovered_at = offline.steps()[4].block;
	assert!(offline.has_device_at(&phone.current.key(), recovered_at - 1));
	assert!(!offline.has_device_at(&phone.current.key(), recovered_at));
	for at in (0..file.len()).step_by(61) {
		let mut changed = file.clone();
		changed[at] ^= 1 << (at % 8);
		assert!(verify_identity(genesis, &changed).is_err(), "a flipped bit in byte {at} is not noticed");
	}
	Ok(())
}

pub async fn nobody_else_brings_a_device_in(network: &Network) -> Result<()> {
	let (directory, genesis) = over(network, 1).await?;
	let (device, recovery, history) = person(&directory, &genesis).await?;
	let author = Author::after(&history);
	let thief = DeviceKeys::random();
	let offer = DeviceOffer(thief.device());
	let refused = async |event| match directory.record(&event).await {
		Err(DirectoryError::Refused(refusal)) => Ok(refusal),
		other => Err(broken(format!("{other:?} in place of a refusal"))),
	};

	let own = accept(&genesis, author.add_device(&thief, &offer), &thief).map_err(broken)?;
	assert_eq!(refused(own).await?, IdentityRefusal::NotAuthorised);
	let unasked = author.add_device(&device, &offer);
	assert_eq!(refused(unasked.clone()).await?, IdentityRefusal::BadAcceptance);
	let mut forged = accept(&genesis, unasked, &thief).map_err(broken)?;
	forged.signature.0[9] ^= 1;
	assert_eq!(refused(forged).await?, IdentityRefusal::BadSignature);
	// Who has stolen the key that the device has now cannot make it go over to another.
	let stolen = DeviceKeys { current: device.current.clone(), next: thief.next.clone() };
	let event = author.rotate(&stolen, &stolen.rotated());
	assert_eq!(refused(event).await?, IdentityRefusal::NotAuthorised);
	let guess = Recovery {
		rank: 0,
		from: None,
		revoked: Default::default(),
		device: offer,
		recovery: committed(&[&recovery, &thief.next]),
	};
	let event = accept(&genesis, author.recover(&thief.current, guess), &thief).map_err(broken)?;
	assert_eq!(refused(event).await?, IdentityRefusal::NotAuthorised);
	// The person of another chain with the same keys is another person; its event is nobody's here.
	let elsewhere = incept(&GenesisHash([1; 32]), &device, committed(&[&recovery]), None);
	assert_ne!(elsewhere.event.identity, history.identity());

	let (after, _) = directory.read(history.identity()).await.map_err(broken)?;
	assert_eq!(after, history, "nothing has happened");
	Ok(())
}

pub async fn of_two_events_for_one_position_one_is_recorded(network: &Network) -> Result<()> {
	let (first, genesis) = over(network, 0).await?;
	let (second, _) = over(network, 3).await?;
	let (device, _, history) = person(&first, &genesis).await?;
	let author = Author::after(&history);
	let event = |new: &DeviceKeys| accept(&genesis, author.add_device(&device, &DeviceOffer(new.device())), new);
	let rivals = [DeviceKeys::random(), DeviceKeys::random()];
	let [one, other] = [event(&rivals[0]).map_err(broken)?, event(&rivals[1]).map_err(broken)?];
	let (one, other) = tokio::join!(first.record(&one), second.record(&other));
	let (winner, loser) = match (one, other) {
		(Ok(winner), Err(loser)) | (Err(loser), Ok(winner)) => (winner, loser),
		both => return Err(broken(format!("{both:?} in place of one"))),
	};
	assert_eq!(winner.steps().len(), 2);
	match loser {
		DirectoryError::Superseded { index: 1, entry } => assert_eq!(entry, winner.head().hash),
		// The node saw the winner in a block that was not final when it answered.
		DirectoryError::Refused(IdentityRefusal::BadSequence) => {}
		other => return Err(broken(other)),
	}
	Ok(())
}

pub async fn a_node_that_leaves_events_out_is_asked_no_more(network: &Network) -> Result<()> {
	let (honest, genesis) = over(network, 2).await?;
	let (device, _, history) = person(&honest, &genesis).await?;
	let new = DeviceKeys::random();
	let event = Author::after(&history).add_device(&device, &DeviceOffer(new.device()));
	let event = accept(&genesis, event, &new).map_err(broken)?;
	let history = honest.record(&event).await.map_err(broken)?;

	let lies: [fn(&mut Value); 3] = [
		|answer| {
			if let Some(events) = answer["events"].as_array_mut() {
				events.pop();
			}
		},
		|answer| answer["events"][0]["block"] = 1.into(),
		|answer| answer["events"] = Value::Array(Vec::new()),
	];
	for lie in lies {
		let liar = Liar::start(&network.url(2)).await?;
		let tell = move |method: &str, answer: &mut Value| {
			if method == "directory_log" {
				lie(answer);
			}
		};
		liar.tell(Lies { answer: Some(Box::new(tell)), ..Lies::default() });
		let alone = Directory::new(vec![liar.url.clone()], genesis).map_err(broken)?;
		let read = alone.read(history.identity()).await;
		assert!(matches!(read, Err(DirectoryError::Read(_))), "{read:?}");
		let both = Directory::new(vec![liar.url.clone(), network.url(2)], genesis).map_err(broken)?;
		assert_eq!(both.read(history.identity()).await.map_err(broken)?.0, history);
	}
	Ok(())
}
