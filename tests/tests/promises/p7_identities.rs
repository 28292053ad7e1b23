//! P7: who has which devices is what those devices have signed, and the same for every reader.

use futures::future::try_join_all;
use jsonrpsee::core::ClientError;
use lockstep_client::{
	directory::{
		accept, export_identity, incept, verify_identity, Author, DeviceKeys, DeviceOffer, Directory, DirectoryError,
		History, IdentityKey, IdentityRefusal, Recovery, RecoveryKeys, Seed, SignedEvent,
	},
	voucher::{HeldVoucher, VoucherKind, VoucherRefusal},
	Client, Config, CreateError, GenesisHash, GroupData, Sponsor, StoreKey, Upkeep,
};
use lockstep_tests::{
	keys::ed25519,
	liar::{Liar, Lies},
	Error, Network, Result,
};
use serde_json::{json, Value};

fn broken(error: impl std::fmt::Display) -> Error {
	Error::Broken(error.to_string())
}

/// A directory that asks one node.
async fn over(network: &Network, node: usize) -> Result<(Directory, GenesisHash)> {
	let genesis = network.genesis().await?;
	Ok((Directory::new(vec![network.url(node)], genesis).map_err(broken)?, genesis))
}

/// What the chain has against what was submitted, in the node's words.
pub fn refused_for(answer: Result<Value>) -> Result<String> {
	match answer {
		Err(Error::Rpc(ClientError::Call(error))) if error.code() == 9001 => Ok(error.message().to_owned()),
		other => Err(broken(format!("not refused by the chain: {other:?}"))),
	}
}

fn committed(recovery: &[&Seed]) -> RecoveryKeys {
	let keys: Vec<_> = recovery.iter().map(|seed| seed.commitment()).collect();
	RecoveryKeys::try_from(keys).expect("there is room")
}

/// A person with one device and one recovery key, at the cost of a development account that signs nothing else meanwhile: of two
/// calls with one nonce one is not taken, and a registration is signed twice at most.
async fn person(directory: &Directory, genesis: &GenesisHash, sponsor: &str) -> Result<(DeviceKeys, Seed, History)> {
	let (device, recovery) = (DeviceKeys::random(), Seed::random());
	let first = incept(genesis, &device, committed(&[&recovery]), None);
	let sponsor = Sponsor::from_seed(ed25519(sponsor).into());
	let history = directory.register(&sponsor, &first).await.map_err(broken)?;
	Ok((device, recovery, history))
}

fn devices(history: &History) -> Vec<IdentityKey> {
	history.newest().expect("it has a first event").devices.iter().map(|device| device.key).collect()
}

pub async fn a_person_is_what_its_devices_have_signed(network: &Network) -> Result<()> {
	let (directory, genesis) = over(network, 0).await?;
	let (phone, recovery_key, history) = person(&directory, &genesis, "Bob").await?;
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
	assert_eq!(read.steps(), history.steps());
	let file = match file {
		Ok(file) if verify_identity(genesis, &file).map_err(broken)?.0.steps().len() == 5 => file,
		_ => export_identity(&network.url(2), genesis, id).await.map_err(broken)?,
	};
	let (offline, _) = verify_identity(genesis, &file).map_err(broken)?;
	assert_eq!(offline.steps(), history.steps());
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
	let (device, recovery, history) = person(&directory, &genesis, "Charlie").await?;
	let author = Author::after(&history);
	let thief = DeviceKeys::random();
	let offer = DeviceOffer(thief.device());
	let rpc = network.rpc(1).await?;
	// The client sees for itself that the event is of no use, and submits nothing. So does every node, whoever submits it.
	let refused = async |event: SignedEvent| {
		let refusal = match directory.record(&event).await {
			Err(DirectoryError::Refused(refusal)) => refusal,
			other => return Err(broken(format!("{other:?} in place of a refusal"))),
		};
		assert_eq!(refused_for(rpc.submit(event.to_extrinsic()).await)?, refusal.to_string());
		Ok::<_, Error>(refusal)
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
	assert_eq!(after.steps(), history.steps(), "nothing has happened");
	Ok(())
}

/// Nobody but the sponsor has an account: a person is registered, and a group created, by vouchers that it gave away.
pub async fn vouchers_pay_once_and_name_nobody(network: &Network) -> Result<()> {
	let (directory, genesis) = over(network, 1).await?;
	let now = network.rpc(1).await?.finalized().await?;
	let issue = |kind| HeldVoucher::issue(&Sponsor::alice(), &genesis, kind, now);
	let handed_on = |voucher: HeldVoucher| voucher.to_secret_text().parse::<HeldVoucher>().map_err(broken);
	let first = |device: &DeviceKeys| incept(&genesis, device, RecoveryKeys::default(), None);

	let voucher = handed_on(issue(VoucherKind::Register))?;
	let one = first(&DeviceKeys::random());
	let history = directory.register_by_voucher(&voucher, &one).await.map_err(broken)?;
	assert_eq!(history.identity(), one.event.identity);
	// Over another node, for somebody else.
	let (elsewhere, _) = over(network, 3).await?;
	let again = elsewhere.register_by_voucher(&voucher, &first(&DeviceKeys::random())).await;
	assert!(matches!(again, Err(DirectoryError::Voucher(VoucherRefusal::Spent))), "{again:?}");
	// A node's pool drops what was refused and does not look at it again for a while; the node says why each time.
	let third = network.rpc(3).await?;
	let late = first(&DeviceKeys::random());
	let late = late.to_registration(&voucher.pay(&genesis, &late.order()));
	for _ in 0..3 {
		assert_eq!(refused_for(third.submit(late.clone()).await)?, VoucherRefusal::Spent.to_string());
	}
	let other_kind = issue(VoucherKind::CreateGroup);
	let refused = directory.register_by_voucher(&other_kind, &first(&DeviceKeys::random())).await;
	assert!(matches!(refused, Err(DirectoryError::Voucher(VoucherRefusal::WrongKind))), "{refused:?}");
	let nobody = HeldVoucher::issue(&Sponsor::from_seed([9; 32]), &genesis, VoucherKind::Register, now);
	let refused = directory.register_by_voucher(&nobody, &first(&DeviceKeys::random())).await;
	assert!(matches!(refused, Err(DirectoryError::Voucher(VoucherRefusal::NoFunds))), "{refused:?}");

	// Over all nodes at once, for four people: whatever blocks their validators make of it, on whichever fork, one is left.
	let racing = issue(VoucherKind::Register);
	let register = |node: usize| {
		let (racing, first) = (&racing, first(&DeviceKeys::random()));
		async move { Ok::<_, Error>(over(network, node).await?.0.register_by_voucher(racing, &first).await) }
	};
	let ends = try_join_all((0..4).map(register)).await?;
	let lost = |end: &&Result<_, _>| matches!(end, Err(DirectoryError::Voucher(VoucherRefusal::Spent)));
	let (won, lost) = (ends.iter().filter(|end| end.is_ok()).count(), ends.iter().filter(lost).count());
	assert_eq!((won, lost), (1, 3), "{ends:?}");

	// A member without a sponsor; the same voucher does not make a second group.
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let client = Client::open(Config {
		path: folder.path().join("store"),
		key: StoreKey::from_bytes([3; 32]),
		nodes: vec![network.url(1)],
		identity: b"without a sponsor".to_vec(),
		signer: [5; 32],
		sponsor: None,
		genesis: Some(genesis),
		checkpoint: None,
		upkeep: Upkeep::default(),
	})
	.await
	.map_err(broken)?;
	assert!(matches!(client.create_group().await, Err(CreateError::NoSponsor)));
	let voucher = handed_on(other_kind)?;
	let group = client.create_group_by_voucher(GroupData::default(), voucher.clone()).await.map_err(broken)?;
	let entries = network.rpc(3).await?.request::<Value>("ordering_group", vec![json!(group)]).await?;
	assert_eq!(entries["state"]["head"]["length"], 1, "{entries}");
	let second = client.create_group_by_voucher(GroupData::default(), voucher).await;
	assert!(matches!(second, Err(CreateError::NotAdmitted { .. })), "{second:?}");
	client.close().await;
	Ok(())
}

pub async fn of_two_events_for_one_position_one_is_recorded(network: &Network) -> Result<()> {
	let (first, genesis) = over(network, 0).await?;
	let (second, _) = over(network, 3).await?;
	let (device, _, history) = person(&first, &genesis, "Dave").await?;
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
		DirectoryError::Superseded { index: 1, entry } => {
			assert_eq!(entry, winner.head().hash);
			Ok(())
		}
		other => Err(broken(other)),
	}
}

pub async fn a_node_that_leaves_events_out_is_asked_no_more(network: &Network) -> Result<()> {
	let (honest, genesis) = over(network, 2).await?;
	let (device, _, history) = person(&honest, &genesis, "Eve").await?;
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
		assert_eq!(both.read(history.identity()).await.map_err(broken)?.0.steps(), history.steps());
	}
	Ok(())
}
