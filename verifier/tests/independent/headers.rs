//! Headers: what both read in them, and what only one of them refuses.

use crate::{
	named,
	smoldot_says::{self, Change, Seen},
	Says,
};
use codec::Encode;
use lockstep_verifier::{
	authorities::{Authorities, Authority},
	header::{SetChange, MAX_HEADER_BYTES},
	testing::{HeaderBuilder, Log, Validators, World},
	Header, StateRoot,
};
use std::collections::BTreeSet;

/// What we read, in the shape of what smoldot reads.
fn ours(bytes: &[u8]) -> Says<Seen> {
	let header = named(Header::decode(bytes))?;
	let change = header.change.map(|change| {
		let (next, delay, forced) = match change {
			SetChange::Scheduled { next, delay } => (next, delay, None),
			SetChange::Forced { next, delay, best_finalized } => (next, delay, Some(best_finalized.into())),
		};
		let next = next.as_slice().iter().map(|one| (one.key, one.weight)).collect();
		Change { next, delay: delay.into(), forced }
	});
	Ok(Seen {
		hash: header.hash.0,
		parent: header.parent.0,
		number: header.number.into(),
		state_root: header.state_root.0,
		extrinsics_root: header.extrinsics_root,
		slot: header.slot,
		change,
		runtime_updated: header.runtime_updated,
	})
}

/// What both see.
fn seen(bytes: &[u8]) -> Seen {
	let seen = ours(bytes).unwrap();
	assert_eq!(smoldot_says::header(bytes).as_ref(), Ok(&seen));
	seen
}

fn block(number: u32) -> HeaderBuilder {
	let parent = lockstep_primitives::BlockHash([1; 32]);
	HeaderBuilder { parent, number, state_root: StateRoot([2; 32]), extrinsics_root: [3; 32], logs: vec![] }
}

/// A header with all that a block of this chain can have in its digest.
fn full() -> HeaderBuilder {
	block(70_000)
		.log(Log::Slot(77))
		.log(Log::Other(vec![1, 2, 3]))
		.log(Log::Scheduled(Validators::new(1, 4).authorities(), 0))
		.log(Log::RuntimeUpdated)
		.log(Log::Seal(vec![9; 64]))
}

#[test]
fn both_read_the_headers_of_a_chain() {
	let (world, _) = World::sample();
	let mut changes = 0;
	for (number, bytes) in (0u64..).zip(&world.headers) {
		let seen = seen(bytes);
		assert_eq!(seen.number, number);
		changes += usize::from(seen.change.is_some());
	}
	assert_eq!(changes, world.past.len(), "each hand-over is announced");
}

#[test]
fn both_read_numbers_of_any_length() {
	for number in [0, 1, 63, 64, 16_383, 16_384, (1 << 30) - 1, 1 << 30, u32::MAX] {
		assert_eq!(seen(&block(number).encode()).number, u64::from(number));
	}
}

#[test]
fn both_read_changes_of_the_authorities() {
	let (one, two) = (Validators::new(1, 4).authorities(), Validators::new(2, 3).authorities());
	let next = |list: &Authorities| -> Vec<_> { list.as_slice().iter().map(|one| (one.key, one.weight)).collect() };
	let weighed = Authority { weight: u64::MAX, ..one.as_slice()[0] };
	let weighed = Authorities::new(vec![weighed]).unwrap();
	for (list, delay) in [(&one, 0), (&two, 5), (&weighed, u32::MAX)] {
		let change = Change { next: next(list), delay: delay.into(), forced: None };
		assert_eq!(seen(&block(1).log(Log::Scheduled(list.clone(), delay)).encode()).change, Some(change));
	}
	// one of each kind, in either order: the forced one counts
	let (scheduled, forced) = (Log::Scheduled(one, 0), Log::Forced(5, two.clone(), 3));
	let change = Some(Change { next: next(&two), delay: 3, forced: Some(5) });
	for logs in [vec![forced.clone()], vec![scheduled.clone(), forced.clone()], vec![forced, scheduled]] {
		assert_eq!(seen(&HeaderBuilder { logs, ..block(1) }.encode()).change, change);
	}
	// an authority is disabled, the set pauses, the set resumes
	for message in [(3u8, 5u64).encode(), (4u8, 5u32).encode(), (5u8, 5u32).encode()] {
		assert_eq!(seen(&block(1).log(Log::Grandpa(message)).encode()).change, None);
	}
	assert!(seen(&full().encode()).runtime_updated);
}

#[test]
fn both_refuse_damaged_headers() {
	let refused = |bytes: &[u8]| (ours(bytes).is_err(), smoldot_says::header(bytes).is_err());
	let good = full().encode();
	for cut in 0..good.len() {
		assert_eq!(refused(&good[..cut]), (true, true), "cut at {cut}");
	}
	assert_eq!(refused(&[&good[..], &[0]].concat()), (true, true), "longer");
	// a number that is not in its shortest form
	for longer in [&[0b0000_0101, 0][..], &[0b0000_0110, 0, 0, 0], &[0b11, 0x70, 0x11, 1, 0]] {
		let mut bytes = block(1).encode();
		bytes.splice(32..33, longer.iter().copied());
		assert_eq!(refused(&bytes), (true, true), "{longer:x?}");
	}
	let next = Validators::new(1, 2).authorities();
	let nobody_weighs = (1u8, vec![([1u8; 32], 0u64)], 0u32).encode();
	let bad = [
		Log::Raw((7u8, b"FRNK", vec![0u8; 8]).encode()),
		Log::Grandpa(vec![]),
		Log::Grandpa(vec![6, 0, 0]),
		Log::Grandpa((1u8, next, 0u32, 0u8).encode()),
		Log::Grandpa((3u8, 5u64, 0u8).encode()),
		Log::Grandpa((1u8, codec::Compact(u32::MAX)).encode()),
		Log::Grandpa(nobody_weighs),
	];
	for log in bad {
		assert_eq!(refused(&block(1).log(log.clone()).encode()), (true, true), "{log:?}");
	}
	assert_eq!(refused(&block(1).log(Log::Slot(7)).log(Log::Slot(7)).encode()), (true, true), "two slots");
}

/// Each bit of a header, flipped: where both read it they read the same, and never what was there before.
#[test]
fn both_read_the_same_in_headers_with_a_flipped_bit() {
	let good = full().encode();
	let before = seen(&good);
	let (mut both, mut only_smoldot, mut only_ours) = (0, BTreeSet::new(), BTreeSet::new());
	for bit in 0..good.len() * 8 {
		let mut bytes = good.clone();
		bytes[bit / 8] ^= 1 << (bit % 8);
		match (ours(&bytes), smoldot_says::header(&bytes)) {
			(Ok(ours), Ok(smoldot)) => {
				assert_eq!(ours, smoldot, "bit {bit}");
				assert_ne!(ours.hash, before.hash, "bit {bit}");
				both += 1;
			}
			(Err(error), Ok(_)) => drop(only_smoldot.insert(error)),
			(Ok(_), Err(error)) => drop(only_ours.insert(error)),
			(Err(_), Err(_)) => {}
		}
	}
	assert!(both > 1_000, "{both}");
	assert!(only_smoldot.is_empty(), "{only_smoldot:?}");
	// Digests that smoldot interprets and nodes do not: what an item was becomes a seal, or a message of Aura's runtime.
	assert_eq!(only_ours, BTreeSet::from(["BadAuraConsensusRefType", "SealIsntLastItem"].map(str::to_owned)));
}

/// smoldot reads one item after the other and leaves it to its caller what they mean together.
#[test]
fn changes_that_cannot_be_are_refused_by_us_alone() {
	let next = Validators::new(1, 4).authorities();
	let one = Authority { key: [1; 32], weight: 1 };
	let scheduled = |list: Vec<Authority>| block(1).log(Log::Grandpa((1u8, list, 0u32).encode()));
	let cases = [
		(block(1).log(Log::Scheduled(next.clone(), 0)).log(Log::Scheduled(next.clone(), 0)), "RepeatedChange"),
		(block(1).log(Log::Forced(1, next.clone(), 0)).log(Log::Forced(1, next, 0)), "RepeatedChange"),
		(scheduled(vec![]), "Authorities"),
		(scheduled(vec![one, one]), "Authorities"),
		(scheduled(vec![one, Authority { key: [2; 32], weight: u64::MAX }]), "Authorities"),
		(
			scheduled(
				(0..1_025u16)
					.map(|n| Authority { key: [n.to_le_bytes(); 16].concat().try_into().unwrap(), weight: 1 })
					.collect(),
			),
			"Authorities",
		),
	];
	for (header, error) in cases {
		let bytes = header.encode();
		assert_eq!(ours(&bytes), Err(error.to_owned()));
		assert!(smoldot_says::header(&bytes).is_ok(), "{error}");
	}
}

/// smoldot takes numbers of 64 bits and headers of any length. This chain's numbers have 32 bits.
#[test]
fn what_is_too_large_is_refused_by_us_alone() {
	let mut large = block(u32::MAX).encode();
	large.splice(32..37, codec::Compact(u64::from(u32::MAX) + 1).encode());
	assert_eq!(ours(&large), Err("Malformed".to_owned()));
	assert_eq!(smoldot_says::header(&large).unwrap().number, 1 << 32);
	let long = block(1).log(Log::Other(vec![0; MAX_HEADER_BYTES])).encode();
	assert_eq!(ours(&long), Err("TooLong".to_owned()));
	assert_eq!(smoldot_says::header(&long).unwrap().number, 1);
}

/// Nodes look for the slot and for GRANDPA's messages, and pass over what else an author put in. smoldot does not, so one
/// author could make a block that smoldot refuses and all nodes have. We follow the nodes.
#[test]
fn what_an_author_adds_is_refused_by_smoldot_alone() {
	let twice = block(1).log(Log::RuntimeUpdated).log(Log::RuntimeUpdated);
	let cases = [
		(block(1).log(Log::PreRuntime(*b"aura", vec![1, 2, 3])), "TooShort"),
		(block(1).log(Log::PreRuntime(*b"BABE", vec![4; 100])), "BadBabePreDigestRefType"),
		(block(1).log(Log::PreRuntime(*b"pow_", vec![1])), "PowIdeologicallyNotSupported"),
		(block(1).log(Log::Seal(vec![9; 63])), "BadAuraSealLength"),
		(block(1).log(Log::Seal(vec![9; 64])).log(Log::Other(vec![1])), "SealIsntLastItem"),
		(twice, "MutipleRuntimeEnvironmentUpdated"),
	];
	for (header, error) in cases {
		let bytes = header.log(Log::Slot(7)).encode();
		let seen = ours(&bytes).unwrap();
		assert_eq!((seen.number, seen.slot), (1, Some(7)));
		assert_eq!(smoldot_says::header(&bytes), Err(error.to_owned()));
	}
}
