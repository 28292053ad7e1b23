//! Justifications: good ones, and one case for each way to make a bad one.

mod differences;
mod random;

use crate::{
	named,
	smoldot_says::{self, Voters},
	Says,
};
use lockstep_verifier::{
	authorities::AuthoritySet,
	justification::{Justification, Target},
	testing::{HeaderBuilder, JustificationBuilder, Validators, World},
	Header, StateRoot,
};

/// The set that judges, and the round of all votes.
const SET: u64 = 3;
const ROUND: u64 = 1;

/// What each library says.
#[derive(Debug, PartialEq, Eq)]
struct Verdicts {
	ours: Says<()>,
	smoldot: Says<()>,
}

impl Verdicts {
	const ACCEPTED: Self = Self { ours: Ok(()), smoldot: Ok(()) };

	fn of(bytes: &[u8], set: &AuthoritySet) -> Self {
		let ours = Justification::decode(bytes).and_then(|justification| justification.verify(set));
		Self { ours: named(ours), smoldot: smoldot_says::justification(bytes, &Voters::from(set)) }
	}

	fn refused(ours: &str, smoldot: &str) -> Self {
		Self { ours: Err(ours.to_owned()), smoldot: Err(smoldot.to_owned()) }
	}
}

fn target(header: &[u8]) -> Target {
	let header = Header::decode(header).unwrap();
	Target { hash: header.hash, number: header.number }
}

/// Four validators, and a small tree of blocks: 1, 2, 3 and 4 one after another, `rival` beside 2, `stranger` beside 1.
struct Scene {
	set: Validators,
	one: Vec<u8>,
	two: Vec<u8>,
	three: Vec<u8>,
	four: Vec<u8>,
	rival: Vec<u8>,
	stranger: Vec<u8>,
}

impl Scene {
	fn new() -> Self {
		let after = |parent: &[u8], seed| {
			let mut header = HeaderBuilder::after(parent);
			header.extrinsics_root = [seed; 32];
			header.encode()
		};
		let zero = HeaderBuilder::genesis(StateRoot([7; 32])).encode();
		let one = after(&zero, 1);
		let two = after(&one, 2);
		let three = after(&two, 3);
		let four = after(&three, 4);
		let (rival, stranger) = (after(&one, 22), after(&zero, 11));
		Self { set: Validators::new(SET, 4), one, two, three, four, rival, stranger }
	}

	/// Some validators vote for block 1.
	fn by(&self, validators: impl IntoIterator<Item = usize>) -> JustificationBuilder {
		self.set.justification_by(validators, &self.one)
	}

	/// All vote for block 1, and then something is done to it.
	fn all_but(&self, change: impl FnOnce(&mut JustificationBuilder)) -> JustificationBuilder {
		let mut justification = self.by(0..4);
		change(&mut justification);
		justification
	}

	/// A block is said to be final; who voted for what, and the headers sent along.
	fn votes(&self, block: &[u8], ballots: &[(usize, &[u8])], headers: &[&[u8]]) -> JustificationBuilder {
		let vote = |(validator, block): &(usize, &[u8])| self.set.vote(*validator, target(block), ROUND);
		JustificationBuilder {
			round: ROUND,
			target: target(block),
			votes: ballots.iter().map(vote).collect(),
			ancestries: headers.iter().map(|header| header.to_vec()).collect(),
		}
	}

	/// The first three vote for block 1, the last for another, and these headers are sent along.
	fn last_for(&self, block: &[u8], headers: &[&[u8]]) -> JustificationBuilder {
		let one = &self.one[..];
		self.votes(one, &[(0, one), (1, one), (2, one), (3, block)], headers)
	}

	/// The vote of one who is in no set.
	fn outsider(&self) -> lockstep_verifier::justification::SignedPrecommit {
		Validators::new(9, 1).with_id(SET).vote(0, target(&self.one), ROUND)
	}

	fn verdicts(&self, justification: &JustificationBuilder) -> Verdicts {
		Verdicts::of(&justification.encode(), &self.set.set())
	}
}

type Make = fn(&Scene) -> JustificationBuilder;

/// What honest nodes make.
const GOOD: &[(&str, Make)] = &[
	("all vote for the block", |s| s.by(0..4)),
	("three of four do", |s| s.by(0..3)),
	("in another order", |s| s.by([3, 1, 0])),
	("one votes for a block above", |s| s.last_for(&s.two, &[&s.two])),
	("one votes for a block three above", |s| s.last_for(&s.four, &[&s.two, &s.three, &s.four])),
	("headers in another order", |s| s.last_for(&s.four, &[&s.four, &s.two, &s.three])),
	("two forks above the block", |s| {
		s.votes(&s.one, &[(0, &s.one), (1, &s.two), (2, &s.two), (3, &s.rival)], &[&s.two, &s.rival])
	}),
	("all vote for different blocks", |s| {
		let ballots: [(usize, &[u8]); 4] = [(0, &s.one), (1, &s.two), (2, &s.three), (3, &s.four)];
		s.votes(&s.two, &ballots, &[&s.two, &s.three, &s.four])
	}),
	("the block is above the lowest vote", |s| {
		s.votes(&s.two, &[(0, &s.one), (1, &s.two), (2, &s.two), (3, &s.three)], &[&s.two, &s.three])
	}),
];

/// What was done, how it is made, and the errors: ours, and smoldot's.
const BAD: &[(&str, Make, &str, &str)] = &[
	("forged signature", |s| s.all_but(|it| it.votes[2].signature[5] ^= 1), "BadSignature", "BadSignature"),
	("no signature", |s| s.all_but(|it| it.votes[0].signature = [0; 64]), "BadSignature", "BadSignature"),
	(
		"signature of another",
		|s| s.all_but(|it| it.votes[0].signature = it.votes[1].signature),
		"BadSignature",
		"BadSignature",
	),
	("signatures for another block", retargeted, "BadSignature", "BadSignature"),
	("wrong set id: the one before", |s| of_set(s, SET - 1), "BadSignature", "BadSignature"),
	("wrong set id: the one after", |s| of_set(s, SET + 1), "BadSignature", "BadSignature"),
	("wrong set id: none", |s| of_set(s, u64::MAX), "BadSignature", "BadSignature"),
	("wrong round", |s| s.all_but(|it| it.round += 1), "BadSignature", "BadSignature"),
	("fewer than two thirds", |s| s.by(0..2), "TooLittleWeight", "NotEnoughSignatures"),
	("nobody votes", |s| s.by([]), "NoVotes", "NotEnoughSignatures"),
	("repeated signer for a third one", |s| s.by([0, 1, 1]), "RepeatedVote", "DuplicateSignature"),
	("repeated signer beside enough", |s| s.by([0, 1, 2, 3, 0]), "RepeatedVote", "DuplicateSignature"),
	("third vote", third_vote, "ThirdVote", "DuplicateSignature"),
	("half of them vote twice", half_twice, "Equivocators", "DuplicateSignature"),
	("unknown signer for a third one", |s| s.all_but(|it| it.votes[1] = s.outsider()), "UnknownSigner", "NotAuthority"),
	("unknown signer beside enough", |s| s.all_but(|it| it.votes.push(s.outsider())), "UnknownSigner", "NotAuthority"),
	("unrelated block", |s| s.last_for(&s.stranger, &[]), "Unconnected", "BadAncestry"),
	("unrelated block, with its header", |s| s.last_for(&s.stranger, &[&s.stranger]), "Unconnected", "BadAncestry"),
	("all for an unrelated block", unrelated, "TooLittleWeight", "TargetMismatch"),
	("fork, and nobody below it", nobody_below, "Unconnected", "BadAncestry"),
	("missing ancestry: all", |s| s.last_for(&s.three, &[]), "Unconnected", "BadAncestry"),
	("missing ancestry: the lower", |s| s.last_for(&s.three, &[&s.three]), "Unconnected", "BadAncestry"),
	("missing ancestry: the higher", |s| s.last_for(&s.three, &[&s.two]), "Unconnected", "BadAncestry"),
	("unused header: above", |s| s.last_for(&s.two, &[&s.two, &s.three]), "UnusedHeaders", "UnusedAncestryEntry"),
	("unused header: the block's", |s| s.last_for(&s.two, &[&s.two, &s.one]), "UnusedHeaders", "UnusedAncestryEntry"),
	("unused header: a fork's", |s| s.last_for(&s.two, &[&s.two, &s.rival]), "UnusedHeaders", "UnusedAncestryEntry"),
	("unused header: a stranger's", |s| s.last_for(&s.one, &[&s.stranger]), "UnusedHeaders", "UnusedAncestryEntry"),
	("a block above is final", |s| up(s, &s.one, 1), "HigherFinal", "TargetMismatch"),
	("a block below is final", |s| up(s, &s.two, 2), "TooLittleWeight", "TargetMismatch"),
	("block with another number", |s| s.all_but(|it| it.target.number += 1), "TooLittleWeight", "TargetMismatch"),
	("vote with another number", |s| numbered(s, &s.two, &[&s.two], 9), "WrongNumber", "BadAncestry"),
	("vote for the block, with another number", |s| numbered(s, &s.one, &[], 9), "WrongNumber", "BadAncestry"),
	("vote with another number, for a block that was passed before", twice_numbered, "WrongNumber", "BadAncestry"),
	("header with another number", skipping, "WrongNumber", "BadAncestry"),
	("vote with number 0", |s| numbered(s, &s.two, &[&s.two], 0), "Unconnected", "BadAncestry"),
];

fn retargeted(s: &Scene) -> JustificationBuilder {
	s.all_but(|it| {
		it.target = target(&s.two);
		it.votes.iter_mut().for_each(|vote| vote.target = target(&s.two));
	})
}

fn of_set(s: &Scene, id: u64) -> JustificationBuilder {
	s.set.with_id(id).justification_by(0..4, &s.one)
}

fn third_vote(s: &Scene) -> JustificationBuilder {
	let ballots: [(usize, &[u8]); 6] = [(0, &s.one), (1, &s.one), (2, &s.one), (3, &s.one), (3, &s.two), (3, &s.three)];
	s.votes(&s.one, &ballots, &[&s.two, &s.three])
}

fn half_twice(s: &Scene) -> JustificationBuilder {
	let ballots: [(usize, &[u8]); 6] = [(0, &s.one), (1, &s.one), (2, &s.one), (3, &s.one), (2, &s.two), (3, &s.two)];
	s.votes(&s.one, &ballots, &[&s.two])
}

fn unrelated(s: &Scene) -> JustificationBuilder {
	s.votes(&s.one, &[0, 1, 2, 3].map(|validator| (validator, &s.stranger[..])), &[])
}

/// Both forks are above block 1, but no vote is for it, so no header may lead there.
fn nobody_below(s: &Scene) -> JustificationBuilder {
	s.votes(&s.one, &[(0, &s.two), (1, &s.two), (2, &s.rival)], &[&s.two, &s.rival])
}

/// The first `below` vote for block 1, the others for block 2.
fn up(s: &Scene, block: &[u8], below: usize) -> JustificationBuilder {
	let ballots: Vec<(usize, &[u8])> = (0..4).map(|at| (at, if at < below { &s.one[..] } else { &s.two })).collect();
	s.votes(block, &ballots, &[&s.two])
}

/// The last vote gives its block a number that it does not have, and signs that.
fn numbered(s: &Scene, block: &[u8], headers: &[&[u8]], number: u32) -> JustificationBuilder {
	let mut justification = s.last_for(block, headers);
	justification.votes[3] = s.set.vote(3, Target { number, ..target(block) }, ROUND);
	justification
}

fn twice_numbered(s: &Scene) -> JustificationBuilder {
	let mut justification = numbered(s, &s.two, &[&s.two], 9);
	justification.votes[2] = s.set.vote(2, target(&s.two), ROUND);
	justification
}

/// A child of block 1 that says to be block 3; the vote for it says block 2, which would fit.
fn skipping(s: &Scene) -> JustificationBuilder {
	let header = HeaderBuilder { number: 3, ..HeaderBuilder::after(&s.one) }.encode();
	numbered(s, &header, &[&header], 2)
}

#[test]
fn both_accept_what_honest_nodes_make() {
	let scene = Scene::new();
	for (name, make) in GOOD {
		assert_eq!(scene.verdicts(&make(&scene)), Verdicts::ACCEPTED, "{name}");
	}
}

#[test]
fn both_refuse_what_nobody_honest_makes_and_for_the_same_reason() {
	let scene = Scene::new();
	for (name, make, ours, smoldot) in BAD {
		assert_eq!(scene.verdicts(&make(&scene)), Verdicts::refused(ours, smoldot), "{name}");
	}
}

#[test]
fn both_judge_by_the_set_in_power_alone() {
	let scene = Scene::new();
	for (name, make) in GOOD {
		let bytes = make(&scene).encode();
		let forged = Verdicts::refused("BadSignature", "BadSignature");
		for id in [0, SET - 1, SET + 1, u64::MAX] {
			assert_eq!(Verdicts::of(&bytes, &scene.set.with_id(id).set()), forged, "{name}, set id {id}");
		}
		let strangers = Validators::new(SET + 1, 4).with_id(SET).set();
		let unknown = Verdicts::refused("UnknownSigner", "NotAuthority");
		assert_eq!(Verdicts::of(&bytes, &strangers), unknown, "{name}, other keys");
		// in a set of seven, four are too few
		let mut larger = scene.set.clone();
		larger.keys.extend(Validators::new(SET + 1, 3).keys);
		let verdicts = Verdicts::of(&bytes, &larger.set());
		assert!(verdicts.ours.is_err() && verdicts.smoldot.is_err(), "{name}, a larger set: {verdicts:?}");
	}
}

/// The thresholds are written differently: `total - (total - 1) / 3` and `total * 2 / 3 + 1`.
#[test]
fn both_need_the_same_number_of_votes_in_sets_of_any_size() {
	let header = Scene::new().one;
	for count in 1..=40 {
		let validators = Validators::new(SET, count);
		let set = validators.set();
		let threshold = set.authorities.threshold() as usize;
		let verdicts = |votes| Verdicts::of(&validators.justification_by(0..votes, &header).encode(), &set);
		assert_eq!(verdicts(threshold), Verdicts::ACCEPTED, "{threshold} of {count}");
		let fewer = verdicts(threshold - 1);
		assert!(fewer.ours.is_err() && fewer.smoldot.is_err(), "one less than {threshold} of {count}: {fewer:?}");
	}
}

#[test]
fn both_refuse_damaged_bytes() {
	let scene = Scene::new();
	let set = scene.set.set();
	let refused = |bytes: &[u8], what: &str| {
		let verdicts = Verdicts::of(bytes, &set);
		assert!(verdicts.ours.is_err() && verdicts.smoldot.is_err(), "{what}: {verdicts:?}");
	};
	let good = scene.last_for(&scene.three, &[&scene.two, &scene.three]).encode();
	assert_eq!(Verdicts::of(&good, &set), Verdicts::ACCEPTED);
	for cut in 0..good.len() {
		refused(&good[..cut], &format!("cut at {cut}"));
	}
	refused(&[&good[..], &[0]].concat(), "longer");
	refused(&[&good[..], &good[..]].concat(), "twice");
	for at in 0..good.len() {
		let mut flipped = good.clone();
		flipped[at] ^= 1 << (at % 8);
		refused(&flipped, &format!("byte {at}"));
	}
}

/// Every block of a chain with hand-overs, judged by the set that was in power and by those that were not.
#[test]
fn both_follow_a_chain_through_its_authority_sets() {
	let (world, file) = World::sample();
	let sets: Vec<_> = world.past.iter().map(|(_, set)| set).chain([&world.validators]).collect();
	assert_eq!(sets.len(), 4);
	for number in 1..=world.newest() {
		let justification = world.link(number).justification;
		for set in &sets {
			let verdicts = Verdicts::of(&justification, &set.set());
			let in_power = set.id == world.judges(number).id;
			assert_eq!((verdicts.ours.is_ok(), verdicts.smoldot.is_ok()), (in_power, in_power), "block {number}");
		}
	}
	// and those in a proof file, which were read from its bytes
	let links = file.links.iter().chain([&file.head]).map(|link| (&link.header, &link.justification));
	let moments = file.moments.iter().filter_map(|one| Some((one.headers.last()?, one.justification.as_ref()?)));
	for (header, justification) in links.chain(moments) {
		let set = world.judges(Header::decode(header).unwrap().number).set();
		assert_eq!(Verdicts::of(justification, &set), Verdicts::ACCEPTED);
	}
	let above = world.votes_above().encode();
	assert_eq!(Verdicts::of(&above, &world.judges(1).set()), Verdicts::ACCEPTED);
}
