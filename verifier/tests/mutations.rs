//! Mutations of a valid proof file. Each is refused, with an error that names the link that broke.

use lockstep_primitives::{EntryHash, GroupId, OrderingKey};
use lockstep_verifier::{
	proof_file::{verify, FileAnchor, Moment, ProofFile, When, MAGIC},
	testing::{HeaderBuilder, Log, Validators, World},
	Header, Link,
};
use proptest::prelude::*;

type Mutation = (&'static str, fn(&mut ProofFile, &World), &'static str);

/// Flips a bit `from_end` bytes before the end.
fn flip(bytes: &mut [u8], from_end: usize) {
	let at = bytes.len() - 1 - from_end;
	bytes[at] ^= 1;
}

/// Positions in a justification of four votes: from the front.
const ROUND: usize = 0;
const TARGET: usize = 8;
const TARGET_NUMBER: usize = 40;
const FIRST_VOTE: usize = 45;
const FIRST_VOTE_NUMBER: usize = FIRST_VOTE + 32;
const FIRST_SIGNATURE: usize = FIRST_VOTE + 36;
const FIRST_SIGNER: usize = FIRST_SIGNATURE + 64;

const MUTATIONS: &[Mutation] = &[
	("genesis", |file, _| file.genesis.0[0] ^= 1, "genesis:"),
	("anchor: header altered", |file, _| anchor(file).0[40] ^= 1, "anchor:"),
	("anchor: node altered", |file, _| flip(&mut anchor(file).1[0], 0), "anchor:"),
	("anchor: node dropped", |file, _| drop(anchor(file).1.pop()), "anchor:"),
	("anchor: node added", |file, _| anchor(file).1.push(vec![1]), "anchor:"),
	("anchor: a checkpoint nobody knows", |file, world| file.anchor = checkpoint(world), "anchor:"),
	("link: header altered", |file, _| flip(&mut file.links[0].header, 0), "link 0:"),
	("link: parent altered", |file, _| file.links[1].header[0] ^= 1, "link 1:"),
	("link: number altered", |file, _| file.links[0].header[32] ^= 0b100, "link 0:"),
	("link: state root altered", |file, _| file.links[2].header[40] ^= 1, "link 2:"),
	("link: round altered", |file, _| file.links[0].justification[ROUND] ^= 1, "link 0:"),
	("link: target altered", |file, _| file.links[1].justification[TARGET] ^= 1, "link 1:"),
	("link: target number altered", |file, _| file.links[1].justification[TARGET_NUMBER] ^= 1, "link 1:"),
	("link: vote altered", |file, _| file.links[2].justification[FIRST_VOTE] ^= 1, "link 2:"),
	("link: vote number altered", |file, _| file.links[2].justification[FIRST_VOTE_NUMBER] ^= 1, "link 2:"),
	("link: signature altered", |file, _| file.links[0].justification[FIRST_SIGNATURE] ^= 1, "link 0:"),
	("link: signer altered", |file, _| file.links[0].justification[FIRST_SIGNER] ^= 1, "link 0:"),
	("link: header added to the votes", |file, _| add_ancestry(&mut file.links[0]), "link 0:"),
	("link: too few votes", |file, world| file.links[1].justification = few(world, 1), "link 1:"),
	("link: justification of another", |file, _| mix(file), "link 0:"),
	("link: first dropped", |file, _| drop(file.links.remove(0)), "link 0:"),
	("link: middle dropped", |file, _| drop(file.links.remove(1)), "link 1:"),
	("link: last dropped", |file, _| drop(file.links.pop()), "head:"),
	("links swapped", |file, _| file.links.swap(0, 1), "link 0:"),
	("link repeated", |file, _| file.links.insert(1, file.links[0].clone()), "link 1:"),
	("link that changes nothing", |file, world| file.links.push(world.link(world.newest() - 1)), "link 3:"),
	("head: header altered", |file, _| flip(&mut file.head.header, 0), "head:"),
	("head: state root altered", |file, _| file.head.header[40] ^= 1, "head:"),
	("head: signature altered", |file, _| file.head.justification[FIRST_SIGNATURE] ^= 1, "head:"),
	("head: too few votes", |file, world| file.head.justification = few_for_head(world), "head:"),
	("head: a fork", |file, world| file.head = fork(world), "head:"),
	("head: signed by an old set", |file, world| file.head = by_old_set(world), "head:"),
	("head: the last link", |file, _| file.head = file.links[2].clone(), "head:"),
	("head: an older block", |file, world| file.head = world.link(world.newest() - 2), "read proof:"),
	("read proof: node altered", |file, _| flip(&mut file.read_proof[1], 0), "read proof:"),
	("read proof: node dropped", |file, _| drop(file.read_proof.pop()), "read proof:"),
	("read proof: node added", |file, _| file.read_proof.push(vec![1]), "read proof:"),
	("read proof: node repeated", |file, _| file.read_proof.push(file.read_proof[0].clone()), "read proof:"),
	("group", |file, _| file.group = GroupId([1; 32]), "read proof:"),
	("from: index altered", |file, _| file.from.length = 1, "entries:"),
	("from: index of the end", |file, _| file.from.length = u64::MAX, "entries:"),
	("from: head altered", |file, _| file.from.hash = EntryHash([1; 32]), "from:"),
	("entries: none", |file, _| file.entries.clear(), "entries:"),
	("entries: none after the end", |file, world| skip_all(file, world), "entries: there are none"),
	("entries: first dropped", |file, _| drop(file.entries.remove(0)), "entries:"),
	("entries: middle dropped", |file, _| drop(file.entries.remove(3)), "entries:"),
	("entries: last dropped", |file, _| drop(file.entries.pop()), "entries:"),
	("entries: repeated", |file, _| file.entries.push(file.entries[5].clone()), "entries:"),
	("entries: swapped", |file, _| file.entries.swap(2, 3), "entries:"),
	("entry: block altered", |file, _| file.entries[2].block += 1, "entries:"),
	("entry: parent altered", |file, _| file.entries[2].body.parent.0[0] ^= 1, "entries:"),
	("entry: payload hash altered", |file, _| file.entries[2].body.payload_hash.0[0] ^= 1, "entries:"),
	("entry: payload length altered", |file, _| file.entries[2].body.payload_len ^= 1, "entries:"),
	("entry: key altered", |file, _| file.entries[2].body.next_key.0[0] ^= 1, "entries:"),
	("entry: endorsement altered", |file, _| file.entries[2].body.endorsement.0[0] ^= 1, "entries:"),
	("entry: payload altered", |file, _| flip(file.entries[2].payload.as_mut().unwrap(), 0), "entries:"),
	("entry: payload of another", |file, _| file.entries[2].payload = file.entries[3].payload.clone(), "entries:"),
	("entry: parent outside the file", |file, world| start_at(file, world, 3), "entry 4:"),
	("moment: no headers", |file, _| file.moments[0].headers.clear(), "moment 0:"),
	("moment: header altered", |file, _| file.moments[1].headers[0][40] ^= 1, "moment 1:"),
	("moment: slot altered", |file, _| alter_slot(&mut file.moments[0].headers[0]), "moment 0:"),
	("moment: header cut", |file, _| file.moments[2].headers[1].truncate(90), "moment 2:"),
	("moment: header dropped", |file, _| drop(file.moments[2].headers.remove(1)), "moment 2:"),
	("moment: last header dropped", |file, _| drop(file.moments[2].headers.pop()), "moment 2:"),
	("moment: of a fork of the head", |file, world| fork_moment(&mut file.moments[2], world), "moment 2:"),
	("moment: justification dropped", |file, _| file.moments[0].justification = None, "moment 0:"),
	("moment: signature altered", |file, _| alter_moment(&mut file.moments[1]), "moment 1:"),
	("moment: justification of another", |file, _| mix_moments(file), "moment 0:"),
	("moment: repeated", |file, _| file.moments.insert(1, file.moments[0].clone()), "moment 1:"),
	("moments swapped", |file, _| file.moments.swap(0, 1), "moment 1:"),
	("moment: of a block without entry", |file, world| file.moments[0] = world.moment(5), "moment 0:"),
	("moment: signed by a later set", |file, world| file.moments[0] = by_later_set(world), "moment 0:"),
	("moment: beyond the head", |file, world| file.moments[2] = beyond(world), "moment 2:"),
];

/// The header and the proof of a genesis anchor.
fn anchor(file: &mut ProofFile) -> (&mut Vec<u8>, &mut Vec<Vec<u8>>) {
	match &mut file.anchor {
		FileAnchor::Genesis { header, proof } => (header, proof),
		FileAnchor::Checkpoint { .. } => unreachable!("the sample starts at the genesis"),
	}
}

fn checkpoint(world: &World) -> FileAnchor {
	let header = Header::decode(world.header(1)).unwrap();
	FileAnchor::Checkpoint { number: 1, hash: header.hash }
}

fn add_ancestry(link: &mut Link) {
	let header = link.header.clone();
	assert_eq!(link.justification.pop(), Some(0));
	link.justification.push(4);
	link.justification.extend(header);
}

fn few(world: &World, link: usize) -> Vec<u8> {
	let (number, validators) = &world.past[link];
	validators.justification_by(0..2, world.header(*number)).encode()
}

fn few_for_head(world: &World) -> Vec<u8> {
	world.validators.justification_by(0..2, world.header(world.newest())).encode()
}

fn mix(file: &mut ProofFile) {
	file.links[0].justification = file.links[1].justification.clone();
}

fn fork(world: &World) -> Link {
	let header = HeaderBuilder::after(world.header(world.newest())).log(Log::Other(vec![1])).encode();
	Link { justification: Validators::new(99, 4).with_id(3).justify(&header), header }
}

fn by_old_set(world: &World) -> Link {
	let header = world.header(world.newest()).to_vec();
	Link { justification: world.past[2].1.justify(&header), header }
}

/// Starts the file at an entry, whatever the parents.
fn start_at(file: &mut ProofFile, world: &World, first: usize) {
	file.entries.drain(..first);
	file.from.length = first as u64;
	file.from.hash = world.log.hashes[first - 1];
	file.moments.clear();
}

fn skip_all(file: &mut ProofFile, world: &World) {
	file.from = world.log.state.head;
	file.entries.clear();
	file.moments.clear();
}

/// Ends at another block of the head's height.
fn fork_moment(moment: &mut Moment, world: &World) {
	let fork = HeaderBuilder::after(world.header(world.newest() - 1)).log(Log::Other(vec![1])).encode();
	assert!(moment.justification.is_none());
	*moment.headers.last_mut().unwrap() = fork;
}

fn alter_slot(header: &mut [u8]) {
	let at = header.windows(4).position(|window| window == b"aura").unwrap();
	header[at + 5] ^= 1;
}

fn alter_moment(moment: &mut Moment) {
	moment.justification.as_mut().unwrap()[FIRST_SIGNATURE] ^= 1;
}

fn mix_moments(file: &mut ProofFile) {
	file.moments[0].justification = file.moments[1].justification.clone();
}

fn by_later_set(world: &World) -> Moment {
	let header = world.header(world.log.entries[1].block).to_vec();
	Moment { justification: Some(world.validators.justify(&header)), headers: vec![header] }
}

fn beyond(world: &World) -> Moment {
	let mut world = world.clone();
	world.block();
	let (first, last) = (world.log.entries[5].block, world.newest());
	let headers = (first..=last).map(|number| world.header(number).to_vec()).collect();
	Moment { headers, justification: Some(world.link(last).justification) }
}

#[test]
fn every_mutation_is_refused_where_it_was_made() {
	let (world, file) = World::sample();
	assert!(file.verify(&world.trust()).is_ok());
	for (name, mutate, expected) in MUTATIONS {
		let mut mutated = file.clone();
		mutate(&mut mutated, &world);
		assert_ne!(mutated, file, "{name}");
		let error = verify(world.genesis, &mutated.to_bytes()).expect_err(name).to_string();
		assert!(error.starts_with(expected), "{name}: {error}");
	}
}

#[test]
fn what_is_no_proof_file_is_called_so() {
	let (world, file) = World::small();
	let good = file.to_bytes();
	let error = |bytes: &[u8]| verify(world.genesis, bytes).unwrap_err().to_string();
	for at in 0..MAGIC.len() {
		let mut other = good.clone();
		other[at] ^= 1;
		assert!(error(&other).starts_with("this is not a proof file"), "byte {at}");
	}
	let mut newer = good.clone();
	newer[MAGIC.len()] = 2;
	assert!(error(&newer).starts_with("the file has version 2"));
	assert!(error(&[&good[..], &[0]].concat()).starts_with("the file is damaged"));
	assert!(error(b"").starts_with("this is not a proof file"));
	for cut in MAGIC.len()..good.len() {
		assert!(error(&good[..cut]).starts_with("the file is damaged"), "cut at {cut}");
	}
}

#[test]
fn no_flipped_bit_is_accepted() {
	let (world, file) = World::small();
	let good = file.to_bytes();
	for at in 0..good.len() {
		let mut flipped = good.clone();
		flipped[at] ^= 1 << (at % 8);
		assert!(verify(world.genesis, &flipped).is_err(), "byte {at} of {}", good.len());
	}
}

/// Whether bytes that are not those of a good file are refused, or are that file without some payloads. A file may
/// leave payloads out, and an empty one is a single byte: `Some` before a length of 0.
fn refused_or_without_payloads(world: &World, good: &ProofFile, bytes: &[u8]) -> bool {
	let Ok(shown) = verify(world.genesis, bytes) else { return true };
	let mut file = ProofFile::from_bytes(bytes).expect("it was verified");
	let left_out = file.entries.iter_mut().zip(&good.entries).filter(|(entry, _)| entry.payload.is_none());
	left_out.for_each(|(entry, whole)| entry.payload.clone_from(&whole.payload));
	let whole = verify(world.genesis, &good.to_bytes()).expect("it is good");
	let same_keys = shown.entries.iter().map(|entry| entry.new_key).eq(whole.entries.iter().map(|entry| entry.new_key));
	file == *good && same_keys
}

#[test]
fn no_byte_can_be_left_out_but_that_of_a_payload() {
	let (world, file) = World::small();
	let good = file.to_bytes();
	let mut accepted = 0;
	for at in 0..good.len() {
		let mut cut = good.clone();
		cut.remove(at);
		assert!(refused_or_without_payloads(&world, &file, &cut), "byte {at} of {}", good.len());
		accepted += usize::from(verify(world.genesis, &cut).is_ok());
	}
	let empty = file.entries.iter().filter(|entry| entry.payload.as_ref().is_some_and(Vec::is_empty)).count();
	assert_eq!(accepted, empty, "the payloads of no bytes, and nothing else");
}

/// A chain whose nodes do not check endorsements: the proof is whole, but an entry is not endorsed.
#[test]
fn an_entry_that_nobody_endorsed() {
	let (mut world, _) = World::sample();
	let mut entry = world.log.entries[5].clone();
	entry.body.parent = world.log.hashes[5];
	entry.body.next_key = OrderingKey([7; 32]);
	world.put_entry(entry);
	let error = lockstep_verifier::build::build(&world.trust(), world.parts(0)).unwrap_err();
	assert!(error.to_string().contains("entry 6: its endorsement does not verify"), "{error}");
}

#[test]
fn a_creation_that_is_none() {
	let (_, file) = World::sample();
	// entry 0 with a payload, and with another parent, in chains that admit them
	let mut with_payload = file.entries[1].clone();
	with_payload.body.parent = file.entries[0].body.parent;
	let mut other_log = file.entries[0].clone();
	other_log.body.parent = EntryHash([1; 32]);
	for entry in [with_payload, other_log] {
		let mut world = World::new(4);
		let log = &mut world.log;
		*log = lockstep_verifier::testing::GroupLog::without_entries(log.genesis, log.group);
		world.put_entry(entry);
		let error = lockstep_verifier::build::build(&world.trust(), world.parts(0)).unwrap_err();
		assert!(error.to_string().contains("entry 0: it is entry 0, but"), "{error}");
	}
}

#[test]
fn a_moment_without_a_time() {
	let mut world = World::new(4);
	let entry = world.log.append(0, b"a commit".to_vec(), world.newest() + 1);
	world.set(
		lockstep_verifier::layout::group_key(&lockstep_verifier::testing::GROUP),
		lockstep_verifier::testing::group_record(&world.log.state),
	);
	let mut header = world.next();
	header.logs.clear();
	let number = world.put(header);
	world.block();
	let mut parts = world.parts(0);
	parts.moments = vec![world.moment(number)];
	let error = lockstep_verifier::build::build(&world.trust(), parts.clone()).unwrap_err();
	assert!(error.to_string().contains("moment 0:"), "{error}");
	parts.moments.clear();
	let file = lockstep_verifier::build::build(&world.trust(), parts).unwrap();
	let rotations = verify(world.genesis, &file).unwrap();
	assert!(matches!(rotations.entries[entry].when, When::Between { after: None, before: Some(_) }));
}

#[test]
fn another_genesis() {
	let (_, file) = World::small();
	let other = World::new(3);
	let error = verify(other.genesis, &file.to_bytes()).unwrap_err().to_string();
	assert!(error.starts_with("genesis:"), "{error}");
	// and a file that claims to be of the right chain
	let mut claims = file;
	claims.genesis = other.genesis;
	let error = verify(other.genesis, &claims.to_bytes()).unwrap_err().to_string();
	assert!(error.starts_with("anchor:"), "{error}");
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

	/// Several changes at once: bytes replaced, cut out and put in. At most, payloads are left out by it.
	#[test]
	fn no_damage_is_accepted(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 1..6)) {
		let (world, file) = World::small();
		let good = file.to_bytes();
		let mut bytes = good.clone();
		for (at, byte, kind) in edits {
			let at = at.index(bytes.len());
			match kind {
				0 => bytes[at] = byte,
				1 => drop(bytes.remove(at)),
				_ => bytes.insert(at, byte),
			}
		}
		prop_assume!(bytes != good);
		prop_assert!(refused_or_without_payloads(&world, &file, &bytes));
	}
}
