//! Justifications about which the two libraries differ: each difference, and why.

use super::*;
use crate::sdk;
use lockstep_verifier::{
	authorities::Authorities, header::MAX_HEADER_BYTES, justification::MAX_JUSTIFICATION_BYTES, testing::Log,
};

fn only_smoldot(ours: &str) -> Verdicts {
	Verdicts { ours: Err(ours.to_owned()), smoldot: Ok(()) }
}

fn only_ours(smoldot: &str) -> Verdicts {
	Verdicts { ours: Ok(()), smoldot: Err(smoldot.to_owned()) }
}

/// smoldot collects the headers by hash and counts what is left. Honest nodes send each once, and a length that says
/// nothing is a length that an enemy chooses.
#[test]
fn a_header_sent_twice_is_refused_by_us_alone() {
	let scene = Scene::new();
	let twice = scene.last_for(&scene.two, &[&scene.two, &scene.two]);
	assert_eq!(scene.verdicts(&twice), only_smoldot("RepeatedHeader"));
}

/// smoldot sets no limits of its own; the transport does. This crate has no transport.
#[test]
fn what_is_too_long_is_refused_by_us_alone() {
	let scene = Scene::new();
	let above = |bytes: usize| HeaderBuilder::after(&scene.one).log(Log::Other(vec![0; bytes])).encode();
	let long_header = above(MAX_HEADER_BYTES);
	assert_eq!(scene.verdicts(&scene.last_for_unread(&long_header)), only_smoldot("Header"));
	let longer = above(MAX_JUSTIFICATION_BYTES);
	assert_eq!(scene.verdicts(&scene.last_for_unread(&longer)), only_smoldot("TooLong"));
	let fits = above(MAX_HEADER_BYTES - 200);
	assert_eq!(scene.verdicts(&scene.last_for_unread(&fits)), Verdicts::ACCEPTED);
}

impl Scene {
	/// As [`Self::last_for`], of a child of block 1 whose header [`Header::decode`] may refuse.
	fn last_for_unread(&self, header: &[u8]) -> JustificationBuilder {
		let hash = lockstep_primitives::BlockHash(smoldot::header::hash_from_scale_encoded_header(header));
		let mut justification = self.last_for(&self.one, &[header]);
		justification.votes[3] = self.set.vote(3, Target { hash, number: 2 }, ROUND);
		justification
	}
}

/// smoldot refuses every signer who is there twice. Nodes put an equivocation into the justification as evidence, and it
/// counts for every block: to refuse it would let one validator stop every client by voting twice.
#[test]
fn an_equivocation_is_refused_by_smoldot_alone() {
	let scene = Scene::new();
	let (one, two, rival) = (&scene.one[..], &scene.two[..], &scene.rival[..]);
	let beside = scene.votes(one, &[(0, one), (1, one), (2, one), (3, two), (3, rival)], &[two, rival]);
	let needed = scene.votes(one, &[(0, one), (1, one), (2, two), (2, rival)], &[two, rival]);
	for equivocation in [beside, needed] {
		assert_eq!(scene.verdicts(&equivocation), only_ours("DuplicateSignature"));
		assert!(sdk::counts(&equivocation, &scene.set.authorities()), "nodes count it");
	}
	// without the second vote both say the same, and for both it is one vote
	let once = scene.votes(one, &[(0, one), (1, one), (2, two)], &[two]);
	assert_eq!(scene.verdicts(&once), Verdicts::ACCEPTED);
	let too_few = scene.votes(one, &[(0, one), (2, two), (2, rival)], &[two, rival]);
	assert_eq!(scene.verdicts(&too_few), Verdicts::refused("TooLittleWeight", "DuplicateSignature"));
	assert!(!sdk::counts(&too_few, &scene.set.authorities()));
}

/// smoldot counts heads, and GRANDPA weighs them. The runtime gives everybody weight 1, where the two are the same.
#[test]
fn weights_are_weighed_by_us_alone() {
	let scene = Scene::new();
	let weigh = |weights: [u64; 4]| {
		let mut list = scene.set.authorities().as_slice().to_vec();
		list.iter_mut().zip(weights).for_each(|(one, weight)| one.weight = weight);
		AuthoritySet { id: SET, authorities: Authorities::new(list).unwrap() }
	};
	let heavy = weigh([1, 1, 1, 10]);
	let (light, alone) = (scene.by(0..3), scene.by([3]));
	assert_eq!(Verdicts::of(&light.encode(), &heavy), only_smoldot("TooLittleWeight"));
	assert!(!sdk::counts(&light, &heavy.authorities));
	assert_eq!(Verdicts::of(&alone.encode(), &heavy), only_ours("NotEnoughSignatures"));
	assert!(sdk::counts(&alone, &heavy.authorities));
	// equal weights are heads
	let equal = weigh([7; 4]);
	assert_eq!(Verdicts::of(&light.encode(), &equal), Verdicts::ACCEPTED);
	assert_eq!(Verdicts::of(&alone.encode(), &equal), Verdicts::refused("TooLittleWeight", "NotEnoughSignatures"));
}

/// smoldot interprets the digests of the headers on the way from a vote to the block. For this way they mean nothing,
/// nodes do not look at them, and the author of a block chooses what is in them.
#[test]
fn digests_on_the_way_are_interpreted_by_smoldot_alone() {
	let scene = Scene::new();
	let logs = [
		Log::PreRuntime(*b"aura", vec![1, 2, 3]),
		Log::PreRuntime(*b"BABE", vec![4; 100]),
		Log::Seal(vec![9; 3]),
		Log::Grandpa(vec![6]),
	];
	for log in logs {
		let header = HeaderBuilder::after(&scene.one).log(log.clone()).encode();
		assert_eq!(scene.verdicts(&scene.last_for_unread(&header)), only_ours("InvalidFormat"), "{log:?}");
	}
	let unknown = HeaderBuilder::after(&scene.one).log(Log::PreRuntime(*b"what", vec![4; 100])).encode();
	assert_eq!(scene.verdicts(&scene.last_for_unread(&unknown)), Verdicts::ACCEPTED);
}
