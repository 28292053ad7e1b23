//! P7: people whose clients are of two MLS implementations, OpenMLS in our library and `mls-rs` in [`second`](crate::second), find each
//! other by the directory, let each other in, and talk, in epochs that the chain orders.

use super::{
	p7_members::{found, until},
	person::{broken, Person},
	second::{guest::guest, Guest},
};
use futures::{Stream, StreamExt};
use lockstep_client::{
	directory::{Claimed, Directory, IdentityId},
	voucher::{HeldVoucher, VoucherKind},
	Event, GenesisHash, GroupId, Sponsor,
};
use lockstep_tests::{within, Error, Network, Result};
use mls_rs::client_builder::MlsConfig;
use std::{collections::BTreeSet, time::Duration};

const PATIENCE: Duration = Duration::from_secs(60);
const COMMITS: u64 = 10;

/// Claims a KeyPackage of each device of somebody.
async fn claim(
	directory: &Directory,
	genesis: &GenesisHash,
	of: IdentityId,
	now: u32,
) -> Result<(Claimed, HeldVoucher)> {
	let voucher = HeldVoucher::issue(&Sponsor::alice(), genesis, VoucherKind::Claim, now);
	let claimed = directory.claim(&voucher, of, None).await.map_err(broken)?;
	Ok((claimed, voucher))
}

/// A client of ours in the group, with what it reports.
struct Ours<E> {
	person: Person,
	events: E,
	heard: BTreeSet<Vec<u8>>,
	state: (u64, Vec<u8>),
}

impl<E: Stream<Item = Event> + Unpin> Ours<E> {
	/// Reads what it reports until it is in this epoch, and has heard so much in it.
	async fn read(&mut self, epoch: u64, messages: usize) -> Result<()> {
		let looking = async {
			while self.state.0 < epoch || self.heard.len() < messages {
				match self.events.next().await {
					Some(Event::EpochAdvanced { epoch, authenticator, .. }) => self.state = (epoch, authenticator),
					Some(Event::Message { data, .. }) => drop(self.heard.insert(data)),
					Some(Event::Missed { .. }) | None => return Err(broken("what a client reports is not all there")),
					Some(_) => {}
				}
			}
			Ok(())
		};
		within(PATIENCE, format!("epoch {epoch} and {messages} messages, for a client of ours"), looking).await?
	}
}

/// Reads until it is in this epoch, and has heard so much since it was asked last.
async fn read<C: MlsConfig>(guest: &mut Guest<C>, epoch: u64, messages: usize) -> Result<()> {
	let what = format!("epoch {epoch} and {messages} messages");
	let enough = |reader: &mut super::second::reader::Reader<C>| {
		let (now, _) = reader.member.epoch().ok()?;
		(now >= epoch && reader.heard.len() >= messages).then_some(())
	};
	guest.until(&what, enough).await
}

fn heard<C: MlsConfig>(guest: &mut Guest<C>) -> BTreeSet<Vec<u8>> {
	std::mem::take(&mut guest.reader.heard).into_iter().map(|(_, data)| data).collect()
}

async fn joined<C: MlsConfig>(guest: &mut Guest<C>) -> Result<()> {
	guest.until("joining", |reader| reader.member.is_seated().then_some(())).await
}

pub async fn members_of_openmls_and_of_mls_rs_share_a_group(network: &Network) -> Result<()> {
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let (anna, boris) =
		tokio::try_join!(Person::new(network, 0, folder.path()), Person::new(network, 1, folder.path()))?;
	let (mut mira, mut nils) = tokio::try_join!(guest(network, 2), guest(network, 3))?;
	let now = network.rpc(0).await?.finalized().await?;
	tokio::try_join!(mira.publish(2, now + 10_000), nils.publish(2, now + 10_000))?;
	boris.publish(2, false, now + 10_000).await?;
	let group: GroupId = found(network, &anna).await?;
	let genesis = anna.genesis;

	// Ours claims one of theirs; theirs one of ours, and one of its own.
	let (claimed, voucher) = claim(&anna.directory, &genesis, mira.person.id, now).await?;
	let adding = async { anna.client.add_claimed(group, &claimed, &voucher).await.map_err(broken) };
	tokio::try_join!(adding, joined(&mut mira))?;
	let mut events = boris.client.events();
	let (claimed, voucher) = claim(&mira.person.directory, &genesis, boris.id, now).await?;
	mira.commit(Some((&claimed, &voucher))).await?;
	let joining = until(&mut events, "joining", |event| matches!(event, Event::Joined { .. }).then_some(()));
	// What it has to post goes out while it reads.
	tokio::try_join!(joining, mira.until("a node to take it", |reader| reader.outbox.is_empty().then_some(())))?;
	let (claimed, voucher) = claim(&mira.person.directory, &genesis, nils.person.id, now).await?;
	mira.commit(Some((&claimed, &voucher))).await?;
	tokio::try_join!(
		joined(&mut nils),
		mira.until("a node to take it", |reader| reader.outbox.is_empty().then_some(()))
	)?;

	let begin = |person: Person| {
		let events = person.client.events();
		Ours { person, events, heard: BTreeSet::new(), state: (0, Vec::new()) }
	};
	let (mut anna, mut boris) = (begin(anna), begin(boris));
	let (first, _) = mira.reader.member.epoch()?;
	let by = |name: &str, epoch: u64| format!("{name} in {epoch}").into_bytes();
	for epoch in first + 1..=first + COMMITS {
		// In turns, from both sides.
		match epoch % 4 {
			0 => anna.person.client.update(group).await.map(|_| ()).map_err(broken)?,
			1 => mira.commit(None).await?,
			2 => boris.person.client.update(group).await.map(|_| ()).map_err(broken)?,
			_ => nils.commit(None).await?,
		}
		tokio::try_join!(
			anna.read(epoch, 0),
			boris.read(epoch, 0),
			read(&mut mira, epoch, 0),
			read(&mut nils, epoch, 0)
		)?;
		let state = (epoch, mira.reader.member.epoch()?.1);
		assert_eq!((&anna.state, &boris.state, nils.reader.member.epoch()?), (&state, &state, state.clone()));

		anna.person.client.send(group, by("anna", epoch)).await.map_err(broken)?;
		boris.person.client.send(group, by("boris", epoch)).await.map_err(broken)?;
		mira.say(&by("mira", epoch)).await?;
		nils.say(&by("nils", epoch)).await?;
		tokio::try_join!(
			anna.read(epoch, 3),
			boris.read(epoch, 3),
			read(&mut mira, epoch, 3),
			read(&mut nils, epoch, 3)
		)?;
		let others = |own: &str| -> BTreeSet<Vec<u8>> {
			["anna", "boris", "mira", "nils"]
				.into_iter()
				.filter(|name| *name != own)
				.map(|name| by(name, epoch))
				.collect()
		};
		assert_eq!(std::mem::take(&mut anna.heard), others("anna"));
		assert_eq!(std::mem::take(&mut boris.heard), others("boris"));
		assert_eq!((heard(&mut mira), heard(&mut nils)), (others("mira"), others("nils")));
	}
	assert_eq!((&mira.reader.skipped, &nils.reader.skipped), (&Vec::new(), &Vec::new()));
	let mut members: Vec<_> = mira.reader.member.seat()?.members();
	let mut people = [anna.person.id, boris.person.id, mira.person.id, nils.person.id].map(|id| id.0.to_vec()).to_vec();
	members.sort();
	people.sort();
	assert_eq!(members, people);
	anna.person.client.close().await;
	boris.person.client.close().await;
	Ok(())
}
