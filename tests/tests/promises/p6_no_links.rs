//! P6: nothing that the chain and the nodes keep joins a group with a person, a commit with whoever committed it, or a claim with
//! whoever made it, beyond time.
//!
//! Twenty people register by vouchers and publish KeyPackages; ten of them create a group each by a voucher, claim KeyPackages of
//! all others, with 200 claims in all, and add them with the keys of the claims. Everybody is in all ten groups and talks in each,
//! and some commit. None of their clients has an account.
//!
//! An outsider reads all blocks with their events, the state, and the statements of all nodes, and joins what has 16 bytes in common
//! which were not there before: two strangers have done the same on this chain earlier ([`lockstep_tests::links`]).

use futures::{
	future::{join_all, try_join_all},
	stream, StreamExt, TryStreamExt,
};
use lockstep_client::{
	directory::{incept, Claimed, DeviceKeys, Directory, IdentityId, RecoveryKeys, Stocking},
	voucher::{HeldVoucher, VoucherKind},
	AuthenticationService, Client, Config, Event, GroupData, GroupId, Sponsor, StoreKey, Upkeep,
};
use lockstep_tests::{
	links::{Constants, Kind, Link, Names, Observer, Record, Scan},
	network::Options,
	within, Error, Network, Result,
};
use std::{
	collections::BTreeSet,
	ops::Range,
	path::Path,
	time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinHandle};

const PEOPLE: usize = 20;
const GROUPS: usize = 10;
const CLAIMS: usize = 200;
/// Claims that one person makes at once.
const CLAIMS_AT_ONCE: usize = 5;
/// Where the expiry of a statement is: after the number of its fields, the proof with its two tags, and its own tag.
const STATEMENT_EXPIRY: Range<usize> = 100..108;
/// For whatever is waited for.
const PATIENCE: Duration = Duration::from_secs(120);
/// The block up to which KeyPackages are good: the same for all, since one of its own would mark those of one person.
const LAPSE: u32 = 10_000;

fn broken(error: impl std::fmt::Display) -> Error {
	Error::Broken(error.to_string())
}

/// What a person's client has reported.
#[derive(Clone, Debug, Default)]
struct Noted {
	joined: BTreeSet<GroupId>,
	heard: BTreeSet<(GroupId, Vec<u8>)>,
	trouble: Option<String>,
}

impl Noted {
	fn note(&mut self, event: Event) {
		match event {
			Event::Joined { group, .. } => drop(self.joined.insert(group)),
			Event::Message { group, data, .. } => drop(self.heard.insert((group, data))),
			Event::InvitationFailed { .. }
			| Event::Undelivered { .. }
			| Event::RemovedFromGroup { .. }
			| Event::Desynchronized { .. }
			| Event::Halted { .. }
			| Event::NodeLied { .. }
			| Event::Outdated { .. }
			| Event::Missed { .. } => self.trouble = Some(format!("{event:?}")),
			_ => {}
		}
	}
}

/// Somebody with one device and no account.
struct Person {
	name: String,
	id: IdentityId,
	client: Client,
	directory: Directory,
	noted: watch::Receiver<Noted>,
	recorder: JoinHandle<()>,
}

impl Person {
	/// Registers, and publishes so many KeyPackages.
	async fn new(network: &Network, node: usize, folder: &Path, name: String, packages: usize) -> Result<Self> {
		let node = node % network.size();
		let (genesis, nodes) = (network.genesis().await?, vec![network.url(node)]);
		let directory = Directory::new(nodes.clone(), genesis).map_err(broken)?;
		let device = DeviceKeys::random();
		let first = incept(&genesis, &device, RecoveryKeys::default(), None);
		let paid = voucher(network, VoucherKind::Register).await?;
		let id = directory.register_by_voucher(&paid, &first).await.map_err(Error::client(&name))?.identity();
		let config = Config {
			path: folder.join(&name),
			key: StoreKey::from_bytes([3; 32]),
			nodes,
			identity: id.0.to_vec(),
			signer: *device.current.as_bytes(),
			sponsor: None,
			genesis: Some(genesis),
			checkpoint: None,
			upkeep: Upkeep::default(),
		};
		let client = Client::open(config).await.map_err(Error::client(&name))?;
		let (noting, noted) = watch::channel(Noted::default());
		let mut events = client.events();
		let recorder = tokio::spawn(async move {
			while let Some(event) = events.next().await {
				noting.send_modify(|noted| noted.note(event));
			}
		});
		let key_packages = stream::iter(0..packages).then(|_| client.key_package());
		let key_packages = key_packages.try_collect().await.map_err(Error::client(&name))?;
		let stocking = Stocking { genesis, identity: id, device: &device.current, stock: None };
		let signed = stocking.publish(key_packages, None, LAPSE, false).map_err(broken)?;
		directory.publish(&signed).await.map_err(Error::client(&name))?;
		Ok(Self { name, id, client, directory, noted, recorder })
	}

	async fn create(&self, network: &Network) -> Result<GroupId> {
		let paid = voucher(network, VoucherKind::CreateGroup).await?;
		let data = GroupData { authentication: AuthenticationService::Directory, ..GroupData::default() };
		let created = self.client.create_group_by_voucher(data, paid).await;
		created.map_err(Error::client(&self.name))
	}

	/// Claims KeyPackages of somebody, with a voucher that pays for nothing else.
	async fn claim(&self, network: &Network, target: &Self) -> Result<(Claimed, HeldVoucher)> {
		let paid = voucher(network, VoucherKind::Claim).await?;
		let claimed = self.directory.claim(&paid, target.id, None).await.map_err(Error::client(&self.name))?;
		Ok((claimed, paid))
	}

	/// Claims KeyPackages of all these, and of the last one twice, and adds them.
	async fn invite(&self, network: &Network, group: GroupId, guests: &[&Self]) -> Result<()> {
		let targets = guests.iter().chain(guests.last());
		let claims = stream::iter(targets).map(|target| self.claim(network, target)).buffered(CLAIMS_AT_ONCE);
		let claims: Vec<_> = claims.try_collect().await?;
		let adding = claims.iter().take(guests.len());
		let adding = adding.map(|(claimed, paid)| self.client.add_claimed(group, claimed, paid));
		try_join_all(adding).await.map_err(Error::client(&self.name))?;
		for guest in guests {
			guest.until("joins", |noted| noted.joined.contains(&group)).await?;
		}
		Ok(())
	}

	async fn say(&self, group: GroupId, text: &str) -> Result<()> {
		self.client.send(group, text.as_bytes().to_vec()).await.map_err(Error::client(&self.name))
	}

	async fn hears(&self, group: GroupId, text: &str) -> Result<()> {
		let heard = (group, text.as_bytes().to_vec());
		self.until(&format!("hears {text:?}"), |noted| noted.heard.contains(&heard)).await
	}

	async fn until(&self, what: &str, mut shown: impl FnMut(&Noted) -> bool) -> Result<()> {
		let mut noted = self.noted.clone();
		let looking = noted.wait_for(|noted| noted.trouble.is_some() || shown(noted));
		let what = format!("{} {what}", self.name);
		let shown = within(PATIENCE, &what, looking).await?.map(|noted| noted.trouble.clone());
		match shown {
			Ok(None) => Ok(()),
			Ok(Some(trouble)) => Err(Error::Broken(format!("{what}: {trouble}"))),
			Err(_) => Err(Error::Broken(format!("{what}: its events ended"))),
		}
	}

	async fn close(self) {
		self.client.close().await;
		self.recorder.abort();
	}
}

/// A new voucher of Alice's.
async fn voucher(network: &Network, kind: VoucherKind) -> Result<HeldVoucher> {
	let rpc = network.rpc(0).await?;
	Ok(HeldVoucher::issue(&Sponsor::alice(), &rpc.genesis().await?, kind, rpc.finalized().await?))
}

/// Some say something, and all hear it.
async fn talk(group: GroupId, speakers: &[&Person], all: &[&Person], about: &str) -> Result<()> {
	let text = |speaker: &Person| format!("{}: {about}", speaker.name);
	try_join_all(speakers.iter().map(|speaker| async { speaker.say(group, &text(speaker)).await })).await?;
	for listener in all {
		for speaker in speakers.iter().filter(|speaker| speaker.id != listener.id) {
			listener.hears(group, &text(speaker)).await?;
		}
	}
	Ok(())
}

/// The life of a group: it is created, others are claimed and added, all talk, two commit at once and talk again.
async fn live(network: &Network, founder: &Person, guests: &[&Person], committers: [&Person; 2]) -> Result<GroupId> {
	let group = founder.create(network).await?;
	founder.invite(network, group, guests).await?;
	let all: Vec<&Person> = [founder].into_iter().chain(guests.iter().copied()).collect();
	talk(group, &all, &all, "before").await?;
	let commits = committers
		.map(|person| async { person.client.update(group).await.map_err(Error::client(&person.name)).map(drop) });
	try_join_all(commits).await?;
	talk(group, &committers, &all, "after").await?;
	Ok(group)
}

fn assert_no_links(links: &[Link], what: &str) {
	let shown: Vec<String> = links.iter().map(Link::to_string).collect();
	assert!(links.is_empty(), "{what}:\n{}", shown.join("\n"));
}

fn count(records: &[&Record], kind: Kind) -> usize {
	records.iter().filter(|record| record.kind == kind).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_groups_and_claims_are_not_joined() -> Result<()> {
	let arguments = ["--state-pruning", "archive"].map(str::to_owned).into();
	let start = Instant::now();
	let done = |what: &str| eprintln!("{:4} s  {what}", start.elapsed().as_secs());
	let network = Network::start_with(Options { arguments, ..Options::default() }).await?;
	done("the network runs");
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let mut observer = Observer::new(&network).await?;

	let stranger = |index, name: &str| Person::new(&network, index, folder.path(), name.to_owned(), 3);
	let (first, second) = tokio::try_join!(stranger(0, "a stranger"), stranger(1, "another stranger"))?;
	live(&network, &first, &[&second], [&first, &second]).await?;
	let mut constants = Constants::default();
	observer.look().await?.iter().flat_map(|record| &record.parts).for_each(|part| constants.add(part));
	done("strangers were there");

	let person = |index| Person::new(&network, index, folder.path(), format!("person {index}"), GROUPS + 2);
	let people: Vec<Person> = try_join_all((0..PEOPLE).map(person)).await?;
	done("people are there");
	let group = |index: usize| {
		let (people, network) = (&people, &network);
		async move {
			// Each leaves out itself, and has another one as the last.
			let guests: Vec<&Person> = (1..PEOPLE).map(|after| &people[(index + after) % PEOPLE]).collect();
			live(network, &people[index], &guests, [guests[2], guests[9]]).await
		}
	};
	let groups = try_join_all((0..GROUPS).map(group)).await?;
	done("groups have lived");

	let mut records = observer.look().await?;
	let bytes: usize = records.iter().flat_map(|record| &record.parts).map(Vec::len).sum();
	done(&format!("{} records were read, with {bytes} bytes", records.len()));
	let people_names = people.iter().map(|person| (person.id.0, person.name.clone()));
	let group_names = groups.iter().enumerate().map(|(index, group)| (group.0, format!("group {index}")));
	let mut names: Names = people_names.chain(group_names).collect();
	let scan = Scan::of(&records, &constants);
	assert_no_links(&scan.links(&names), "these must not be joined");
	assert_no_links(&Scan::pseudonyms(&records, &constants), "these have more in common than is shown on purpose");
	// What is too short for the scan, and a client chooses it: an expiry that not all have would mark a statement.
	let expiries = records.iter().filter(|record| record.kind == Kind::Statement);
	let expiries: BTreeSet<&[u8]> = expiries.filter_map(|record| record.parts[0].get(STATEMENT_EXPIRY)).collect();
	assert!((1..=2).contains(&expiries.len()), "one, and another if the day was over: {expiries:?}");
	done("nothing is joined");

	// And it does join what is shown: the scan is not blind.
	let acts: Vec<&Record> = records.iter().filter(|record| record.kind.is_act()).collect();
	assert_eq!((count(&acts, Kind::Claim), count(&acts, Kind::Other)), (CLAIMS, 0));
	let mut joined = 0;
	for (index, person) in people.iter().enumerate() {
		let around = scan.around(&person.id.0);
		let groups = if index < GROUPS { GROUPS - 1 } else { GROUPS };
		assert_eq!((count(&around, Kind::Register), count(&around, Kind::Publish)), (1, 1), "{}", person.name);
		assert!(count(&around, Kind::Claim) >= groups, "{} was claimed", person.name);
		assert!(count(&around, Kind::Statement) >= groups, "{} was invited", person.name);
		joined += around.iter().filter(|record| record.kind.is_act()).count();
	}
	for (index, group) in groups.iter().enumerate() {
		let around = scan.around(&group.0);
		assert_eq!(count(&around, Kind::Found), 1, "group {index}");
		assert!(count(&around, Kind::Append) >= 3, "group {index}: somebody was added, and two have committed");
		assert!(count(&around, Kind::Statement) > PEOPLE, "group {index}: a letter, and what everybody said");
		joined += around.iter().filter(|record| record.kind.is_act()).count();
	}
	assert_eq!(joined, acts.len(), "each act is of one person, or of one group");
	let kinds = [Kind::Register, Kind::Publish, Kind::Found, Kind::Claim, Kind::Append, Kind::Statement];
	let counts = kinds.map(|kind| format!("{} {kind:?}", count(&acts, kind))).join(", ");
	done(&format!("what is public is joined: {counts}"));

	// An invitation that the group signs.
	let newcomer = Person::new(&network, 0, folder.path(), "the newcomer".into(), 1).await?;
	let (claimed, _) = people[0].claim(&network, &newcomer).await?;
	let packages = claimed.packages.iter().map(|package| package.bytes.to_vec()).collect();
	people[0].client.add(groups[0], packages).await.map_err(broken)?;
	newcomer.until("joins", |noted| noted.joined.contains(&groups[0])).await?;
	records.extend(observer.look().await?);
	names.insert(newcomer.id.0, newcomer.name.clone());
	let links = Scan::of(&records, &constants).links(&names);
	let joined: Vec<BTreeSet<String>> = links.iter().map(|link| link.joined.clone()).collect();
	assert_eq!(joined, [BTreeSet::from(["group 0".to_owned(), newcomer.name.clone()])], "{links:?}");
	done(&format!("the planted link was found: {}", links[0]));

	join_all(people.into_iter().chain([first, second, newcomer]).map(Person::close)).await;
	done("all is closed");
	network.finish().await
}
