//! Who takes part, and how they find each other: each is an identity of the directory, registered by a voucher, and each of
//! the devices has KeyPackages there for whoever wants to add its person.

use crate::{
	screen::{EpochLine, Screen},
	verdict::Tally,
};
use futures::future::try_join_all;
use lockstep_client::{voucher::VoucherKind, AuthenticationService, GroupData};
use lockstep_primitives::GroupId;
use lockstep_tests::{
	members::{ADVANCING, JOINING},
	network::VALIDATORS,
	person::{broken, voucher, Enrolled},
	table::short,
	within, Error, Members, Network, Result,
};
use std::time::{Duration, Instant};

/// The members: the devices of all people.
pub const NAMES: [&str; 6] = ["anna", "boris", "boris/phone", "chiara", "dmitri", "elena"];
/// Positions of all members.
pub const ALL: [usize; 6] = [FOUNDER, BORIS, PHONE, CHIARA, DMITRI, ELENA];
/// Who founds the group, and adds the others.
pub const FOUNDER: usize = 0;
/// Who has two devices,
pub const BORIS: usize = 1;
/// and the second of them.
pub const PHONE: usize = 2;
/// Whose device gets another key.
pub const CHIARA: usize = 3;
const DMITRI: usize = 4;
/// Who is removed.
pub const ELENA: usize = 5;

/// The first devices, by which people are registered.
const FIRST: [usize; 5] = [FOUNDER, BORIS, CHIARA, DMITRI, ELENA];
/// Who is added, each with all devices.
const GUESTS: [&[usize]; 4] = [&[BORIS, PHONE], &[CHIARA], &[DMITRI], &[ELENA]];

/// KeyPackages that each device publishes, and for how many blocks.
const STOCK: u32 = 2;
const LIFE: u32 = 10_000;

/// For everybody to be in the directory, or to have KeyPackages there.
const ENROLLING: Duration = Duration::from_secs(180);

/// The people, device by device.
pub struct People {
	/// The devices' clients.
	pub members: Members,
	/// What each device is in the directory, in the order of the members.
	pub enrolled: Vec<Enrolled>,
}

impl People {
	/// Everybody is registered by a voucher and opens a client on each device, which stocks the directory with KeyPackages.
	pub async fn enroll(network: &Network, screen: &Screen) -> Result<Self> {
		let node = |position: usize| position % network.size();
		let enrolling = FIRST.map(|position| Enrolled::new(network, node(position)));
		let mut enrolled = within(ENROLLING, "everybody to be registered", try_join_all(enrolling)).await??;
		screen.say(format!("{} people are registered by vouchers; nobody but the sponsor has an account", FIRST.len()));
		let phone = enrolled[BORIS].with_further_device(network, node(PHONE));
		let phone = within(ENROLLING, "a second device to be added", phone).await??;
		enrolled.insert(PHONE, phone);

		let members = Members::open_people(network, &NAMES, &enrolled).await?;
		for ((member, device), node) in members.iter().zip(&enrolled).zip(VALIDATORS.iter().cycle()) {
			let (name, id) = (member.name(), short(&device.id.0));
			screen.say(format!("{name:<11} is a device of identity {id}, with a store of its own, on {node}'s node"));
		}
		let lapse = network.rpc(0).await?.finalized().await?.saturating_add(LIFE);
		let stocking = members.iter().zip(&enrolled);
		let stocking = stocking.map(|(member, device)| device.stock_up(member.client(), STOCK, false, lapse));
		within(ENROLLING, "every device to stock the directory", try_join_all(stocking)).await??;
		screen.say(format!("each of them has {STOCK} KeyPackages in the directory"));
		Ok(Self { members, enrolled })
	}

	/// The first founds a group of people. It finds each of the others by nothing but the identity, claims KeyPackages by a
	/// voucher, and adds all devices of the person in one commit.
	pub async fn found(&self, network: &Network, screen: &Screen, tally: &mut Tally) -> Result<GroupId> {
		let founder = &self.members[FOUNDER];
		let data = GroupData { authentication: AuthenticationService::Directory, ..GroupData::default() };
		let right = voucher(network, VoucherKind::CreateGroup).await?;
		let start = Instant::now();
		let creating = founder.client().create_group_by_voucher(data, right);
		let group = within(JOINING, "the creation of a group", creating).await?;
		let group = group.map_err(Error::client(founder.name()))?;
		let elapsed = Some(start.elapsed());
		screen.say(format!("{} founded group {group}", founder.name()));
		screen.headings();
		let status = founder.status(group).await?;
		let opening = EpochLine { epoch: 0, entry: status.entry, winner: founder.name(), refused: 0, elapsed };
		screen.epoch(&opening, None, "creates the group, by a voucher");
		for guests in GUESTS {
			self.add(group, guests, network, screen, tally).await?;
		}
		self.members.agree(group, &ALL, ADVANCING).await?;
		let status = founder.status(group).await?;
		let (people, devices) = (status.members.len(), status.devices.len());
		if (people, devices) != (FIRST.len(), ALL.len()) {
			return Err(broken(format!("{people} people with {devices} devices are in the group")));
		}
		Ok(group)
	}

	/// The founder adds one person, whose devices these are.
	async fn add(
		&self,
		group: GroupId,
		guests: &[usize],
		network: &Network,
		screen: &Screen,
		tally: &mut Tally,
	) -> Result<()> {
		let (founder, host) = (&self.members[FOUNDER], &self.enrolled[FOUNDER]);
		let Some(first) = guests.first() else { return Ok(()) };
		let (name, id) = (NAMES[*first], self.enrolled[*first].id);
		let right = voucher(network, VoucherKind::Claim).await?;
		let claimed = host.directory.claim(&right, id, None).await.map_err(broken)?;
		let devices = claimed.packages.len();
		if devices != guests.len() {
			return Err(broken(format!("a claim of {name} gave {devices} KeyPackages for {} devices", guests.len())));
		}
		let start = Instant::now();
		let adding = founder.client().add_claimed(group, &claimed, &right);
		let committed = within(ADVANCING, format!("{name} to be added"), adding).await?;
		let committed = committed.map_err(Error::client(founder.name()))?;
		let elapsed = start.elapsed();
		tally.latencies.push(elapsed.as_secs_f64() * 1000.0);
		let (epoch, entry) = (committed.epoch, committed.entry);
		let line = EpochLine { epoch, entry, winner: founder.name(), refused: 0, elapsed: Some(elapsed) };
		let all = if devices == 1 { String::new() } else { format!(", {devices} devices by one claim") };
		screen.epoch(&line, Some(committed.block), &format!("adds {name}, found as {}{all}", short(&id.0)));
		for guest in guests {
			self.members[*guest].joined(group, JOINING).await?;
		}
		Ok(())
	}
}
