//! Links that are planted in a made-up world, in which two people claim each other and create two groups.

use super::{key_package, reading, Constants, Kind, Link, Names, Record, Scan, VALUE};
use codec::{Compact, Encode};
use lockstep_client::{
	directory::{incept, DeviceKeys, RecoveryKeys},
	voucher::{HeldVoucher, VoucherKind},
	Sponsor,
};
use lockstep_primitives::{
	extrinsic::{Append, Founding},
	key_package::{Claim, Publication, SignedPublication, SUITE},
	topic::{group_topic, mailbox_topic},
	Endorsement, EntryHash, EventSignature, GenesisHash, GroupId, IdentityId, OrderingKey,
};
use rand::{Rng, RngCore};
use std::collections::BTreeSet;

const GENESIS: GenesisHash = GenesisHash([7; 32]);

fn noise(length: usize) -> Vec<u8> {
	let mut bytes = vec![0; length];
	rand::thread_rng().fill_bytes(&mut bytes);
	bytes
}

fn random<T: From<[u8; 32]>>() -> T {
	T::from(rand::thread_rng().gen())
}

fn signature() -> [u8; 64] {
	noise(64).try_into().unwrap()
}

fn voucher(kind: VoucherKind) -> HeldVoucher {
	HeldVoucher::issue(&Sponsor::alice(), &GENESIS, kind, 100_000)
}

struct Person {
	id: IdentityId,
	device: DeviceKeys,
	key_package: Vec<u8>,
}

struct Group {
	id: GroupId,
	/// Of the newest epoch.
	key: OrderingKey,
}

/// What an outsider sees.
#[derive(Default)]
struct World(Vec<Record>);

impl World {
	/// Two people who have claimed each other's KeyPackages, and two groups with two commits each and an invitation.
	fn new() -> (Self, [Person; 2], [Group; 2]) {
		let mut world = Self::default();
		let (anna, boris) = (world.person(), world.person());
		let (mut one, mut two) = (world.group(), world.group());
		for (group, target) in [(&mut one, &boris), (&mut two, &anna)] {
			let paid = voucher(VoucherKind::Claim);
			world.claim(target, &paid);
			world.commit(group, noise(300));
			world.commit(group, noise(300));
			world.statement(paid.voucher().key.0, mailbox(&target.key_package), &noise(80));
			world.statement(group.key.0, group_topic(&group.id), &noise(200));
			world.statement(group.key.0, random(), &noise(900));
		}
		(world, [anna, boris], [one, two])
	}

	fn person(&mut self) -> Person {
		let device = DeviceKeys::random();
		let first = incept(&GENESIS, &device, RecoveryKeys::default(), None);
		let paid = voucher(VoucherKind::Register).pay(&GENESIS, &first.order());
		self.extrinsic(&first.to_registration(&paid));
		let key_package = [&b"\0\x01\0\x01"[..], &noise(300)].concat();
		let publication = Publication {
			identity: first.event.identity,
			device: device.current.key(),
			number: 0,
			replace: false,
			lapse: 100_000,
			packages: vec![key_package.clone().try_into().unwrap()].try_into().unwrap(),
			last_resort: None,
		};
		self.extrinsic(&SignedPublication { publication, signature: EventSignature(signature()) }.to_extrinsic());
		Person { id: first.event.identity, device, key_package }
	}

	fn group(&mut self) -> Group {
		let founding = Founding { group: random(), next_key: random(), endorsement: Endorsement(signature()) };
		let paid = voucher(VoucherKind::CreateGroup).pay(&GENESIS, &founding.order());
		self.extrinsic(&founding.to_extrinsic(&paid));
		Group { id: founding.group, key: founding.next_key }
	}

	fn claim(&mut self, target: &Person, with: &HeldVoucher) {
		let claim = Claim { target: target.id, suites: vec![SUITE].try_into().unwrap(), gate: None };
		self.extrinsic(&claim.to_extrinsic(&with.pay(&GENESIS, &claim.order())));
	}

	fn commit(&mut self, group: &mut Group, payload: Vec<u8>) {
		let (parent, endorsement) = (random::<EntryHash>(), Endorsement(signature()));
		group.key = random();
		self.extrinsic(&Append { group: group.id, parent, payload, next_key: group.key, endorsement }.to_extrinsic());
	}

	fn statement(&mut self, signer: [u8; 32], topic: [u8; 32], data: &[u8]) {
		let proof = ([0u8, 1], signature(), signer);
		let data = [&[1], data].concat();
		let statement = (Compact(4u32), proof, (2u8, 0x6a00_0000u64 << 32), (4u8, topic), (8u8, data)).encode();
		self.0.push(reading::statement(&statement));
	}

	fn extrinsic(&mut self, bytes: &[u8]) {
		let name = format!("extrinsic {}", self.0.len());
		let record = reading::extrinsic(&name, bytes);
		assert_ne!(record.kind, Kind::Other, "it is read");
		self.0.push(record);
	}

	fn state(&mut self, key: &[u8], value: &[u8]) {
		let parts = vec![key.to_vec(), value.to_vec()];
		self.0.push(Record { name: "state".into(), kind: Kind::Trace, parts, shown: Vec::new() });
	}
}

fn mailbox(key_package: &[u8]) -> [u8; 32] {
	mailbox_topic(&key_package::reference(key_package))
}

/// What strangers have done before.
fn before() -> Constants {
	let (world, ..) = World::new();
	let mut constants = Constants::default();
	world.0.iter().flat_map(|record| &record.parts).for_each(|part| constants.add(part));
	constants
}

fn names([anna, boris]: &[Person; 2], [one, two]: &[Group; 2]) -> Names {
	let people = [(anna.id.0, "anna"), (boris.id.0, "boris")];
	let groups = [(one.id.0, "group one"), (two.id.0, "group two")];
	people.into_iter().chain(groups).map(|(id, name)| (id, name.to_owned())).collect()
}

/// What is joined in a world after something was planted there.
fn planted(plant: impl FnOnce(&mut World, &[Person; 2], &mut [Group; 2])) -> Vec<BTreeSet<String>> {
	let (mut world, people, mut groups) = World::new();
	plant(&mut world, &people, &mut groups);
	let constants = before();
	let links = Scan::of(&world.0, &constants).links(&names(&people, &groups));
	for Link { joined, path } in &links {
		assert!(path.len() % 2 == 1, "{joined:?}: from record to record");
	}
	links.into_iter().map(|link| link.joined).collect()
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
	names.map(str::to_owned).into()
}

#[test]
fn what_is_public_joins_nobody() {
	let (world, people, groups) = World::new();
	let constants = before();
	let scan = Scan::of(&world.0, &constants);
	assert_eq!(scan.links(&names(&people, &groups)), []);
	assert_eq!(Scan::pseudonyms(&world.0, &constants), []);
	let kinds = |id| scan.around(id).iter().map(|record| record.kind).collect::<Vec<_>>();
	assert_eq!(kinds(&people[1].id.0), [Kind::Register, Kind::Publish, Kind::Claim, Kind::Statement]);
	let group = [Kind::Found, Kind::Append, Kind::Append, Kind::Statement, Kind::Statement];
	assert_eq!(kinds(&groups[0].id.0), group);
}

#[test]
fn a_claim_that_names_the_claimant_is_found() {
	let joined = planted(|world, [anna, boris], _| {
		world.claim(boris, &voucher(VoucherKind::Claim));
		world.0.last_mut().unwrap().parts.push([&b"an event:"[..], &anna.id.0].concat());
	});
	assert_eq!(joined, [set(["anna", "boris"])]);
}

#[test]
fn a_commit_that_shows_a_device_key_is_found() {
	let joined = planted(|world, [_, boris], [one, _]| {
		world.commit(one, [noise(99), boris.device.current.key().0.to_vec(), noise(99)].concat());
	});
	assert_eq!(joined, [set(["boris", "group one"])]);
}

#[test]
fn a_voucher_that_pays_twice_is_found() {
	let joined = planted(|world, [anna, boris], _| {
		let paid = voucher(VoucherKind::Claim);
		world.claim(anna, &paid);
		world.claim(boris, &paid);
	});
	assert_eq!(joined, [set(["anna", "boris"])]);
}

#[test]
fn an_invitation_that_the_group_signs_is_found() {
	let joined = planted(|world, [_, boris], [_, two]| {
		world.statement(two.key.0, mailbox(&boris.key_package), &noise(80));
	});
	assert_eq!(joined, [set(["boris", "group two"])]);
}

#[test]
fn half_an_id_at_an_odd_place_is_found() {
	for at in [1, 7, 13] {
		let joined = planted(|world, [anna, _], [one, _]| {
			world.commit(one, [noise(at), anna.id.0[9..9 + VALUE].to_vec(), noise(3)].concat());
		});
		assert_eq!(joined, [set(["anna", "group one"])], "at {at}");
	}
}

#[test]
fn what_joins_in_two_steps_is_found() {
	let joined = planted(|world, [anna, _], [one, two]| {
		let (middle, other) = (noise(VALUE), noise(VALUE));
		world.state(&anna.device.current.key().0, &middle);
		world.state(&middle, &other);
		world.state(&other, &[one.id.0, two.id.0].concat());
	});
	assert_eq!(joined, [set(["anna", "group one", "group two"])]);
}

#[test]
fn what_was_there_before_joins_nobody_however_long_it_is() {
	let (mut world, people, mut groups) = World::new();
	let (constant, mut constants) = (noise(200), before());
	// In pieces, between which there is something else.
	constants.add(&constant);
	for group in &mut groups {
		world.commit(group, [noise(2), constant[..100].to_vec(), noise(2), constant[100..].to_vec()].concat());
	}
	world.claim(&people[0], &voucher(VoucherKind::Claim));
	world.0.last_mut().unwrap().parts.extend([constant, vec![0; 64], [1, 2].repeat(20)]);
	assert_eq!(Scan::of(&world.0, &constants).links(&names(&people, &groups)), []);
	assert_eq!(Scan::pseudonyms(&world.0, &constants), []);
}

#[test]
fn a_value_that_stands_for_a_committer_is_found_though_it_names_nobody() {
	let (mut world, people, mut groups) = World::new();
	let (constants, pseudonym) = (before(), noise(VALUE));
	let first = world.0.len();
	// Between other bytes in each, so that it is all that they have in common.
	for other in [31, 64] {
		let around = [&noise(usize::from(other))[..], &[other]].concat();
		world.commit(&mut groups[0], [&around[..], &pseudonym, &[other], &around].concat());
	}
	assert_eq!(Scan::of(&world.0, &constants).links(&names(&people, &groups)), []);
	let links = Scan::pseudonyms(&world.0, &constants);
	let commits: BTreeSet<String> = world.0[first..].iter().map(|record| record.name.clone()).collect();
	assert_eq!(links.iter().map(|link| link.joined.clone()).collect::<Vec<_>>(), [commits]);
	assert!(links[0].to_string().contains(&hex::encode(pseudonym)), "{}", links[0]);
}

#[test]
fn a_key_that_signs_for_a_member_is_found() {
	let (mut world, people, groups) = World::new();
	let (constants, own) = (before(), random());
	for _ in 0..2 {
		world.statement(own, group_topic(&groups[0].id), &noise(100));
	}
	assert_eq!(Scan::of(&world.0, &constants).links(&names(&people, &groups)), []);
	let links = Scan::pseudonyms(&world.0, &constants);
	assert_eq!(links.len(), 1, "{links:?}");
}

#[test]
fn an_id_in_digits_is_found() {
	let joined = planted(|world, [anna, _], [one, _]| {
		world.commit(one, format!("by {}", anna.id).into_bytes());
	});
	assert_eq!(joined, [set(["anna", "group one"])]);
}
