//! What a device can publish.

use crate::{mock::*, Event};
use lockstep_primitives::{
	identity::{Action, IdentityRefusal},
	key_package::{testing::Recipe, KeyPackageRefusal as Refusal, Publication, MAX_KEY_PACKAGE, MAX_LIFE, MAX_STOCK},
	IdentityId,
};

const ANNA: u32 = 1;
const BORIS: u32 = 2;

/// A publication of one KeyPackage that is not as it should be.
fn one(recipe: &Recipe, identity: IdentityId) -> Publication {
	let bytes = make(recipe, ANNA).try_into().expect("it is short");
	Publication { packages: vec![bytes].try_into().expect("one fits"), ..publication(identity, ANNA, [], None) }
}

#[track_caller]
fn assert_bad(recipe: &Recipe, identity: IdentityId, refusal: Refusal) {
	assert_refused(&sign(one(recipe, identity), ANNA), refusal);
}

#[test]
fn a_device_publishes_and_replaces() {
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, 0..3, Some(100));
		assert_eq!((left(ANNA), stored(ANNA)), (3, 3));
		let (identity, device) = (anna, key(ANNA));
		assert_eq!(events(), [Event::Published { identity, device, number: 0, packages: 3, last_resort: true }]);
		fill(anna, ANNA, 3..5, None);
		assert_eq!((left(ANNA), stored(ANNA)), (5, 5));
		publish(&sign(Publication { replace: true, ..publication(anna, ANNA, 5..6, None) }, ANNA)).unwrap();
		assert_eq!((left(ANNA), stored(ANNA), stock(ANNA).unwrap().last_resort), (1, 1, None));
		// And takes all of it back.
		publish(&sign(Publication { replace: true, ..publication(anna, ANNA, [], None) }, ANNA)).unwrap();
		assert_eq!((left(ANNA), stored(ANNA)), (0, 0));
		assert_refused(&sign(publication(anna, ANNA, [], None), ANNA), Refusal::Empty);
	});
}

#[test]
fn only_a_device_publishes_and_only_for_its_person() {
	test(|| {
		let (anna, boris) = (person(ANNA), person(BORIS));
		// A publication that somebody else signs.
		assert_refused(&sign(publication(anna, ANNA, 0..1, None), BORIS), Refusal::BadSignature);
		// A device of another person.
		assert_refused(&sign(publication(anna, BORIS, 0..1, None), BORIS), Refusal::UnknownDevice);
		assert_refused(&sign(publication(boris, ANNA, 0..1, None), ANNA), Refusal::UnknownDevice);
		// A person who is not there.
		assert_refused(&sign(publication(IdentityId([9; 32]), ANNA, 0..1, None), ANNA), Refusal::UnknownDevice);
		// On another chain.
		let there = publication(anna, ANNA, 0..1, None);
		let signature = lockstep_primitives::EventSignature(
			sp_core::Pair::sign(&pair(ANNA), &there.signing_payload(&lockstep_primitives::GenesisHash([8; 32]))).0,
		);
		let there = lockstep_primitives::key_package::SignedPublication { publication: there, signature };
		assert_refused(&there, Refusal::BadSignature);
	});
}

#[test]
fn a_key_package_names_the_identity_and_the_device_that_publish_it() {
	test(|| {
		let (anna, boris) = (person(ANNA), person(BORIS));
		let good = recipe(anna, ANNA, 1);
		assert_bad(&Recipe { identity: boris.0.to_vec(), ..good.clone() }, anna, Refusal::WrongCredential);
		assert_bad(&Recipe { identity: anna.0[..31].to_vec(), ..good.clone() }, anna, Refusal::WrongCredential);
		assert_bad(&Recipe { credential_type: 2, ..good.clone() }, anna, Refusal::WrongCredential);
		assert_bad(&Recipe { device: key(BORIS), ..good.clone() }, anna, Refusal::WrongDevice);
		assert_bad(&Recipe { leaf_signed: false, ..good.clone() }, anna, Refusal::BadSignature);
		publish(&sign(one(&good, anna), ANNA)).unwrap();
	});
}

#[test]
fn an_init_key_is_used_once_ever() {
	test(|| {
		let anna = person(ANNA);
		add_device(anna, ANNA, 3);
		fill(anna, ANNA, 0..2, Some(2));
		for number in 0..3 {
			assert_refused(&sign(publication(anna, ANNA, [number], None), ANNA), Refusal::InitKeyUsed);
			assert_refused(&sign(publication(anna, ANNA, [], Some(number)), ANNA), Refusal::InitKeyUsed);
		}
		// In one publication.
		assert_refused(&sign(publication(anna, ANNA, [5, 5], None), ANNA), Refusal::InitKeyUsed);
		assert_refused(&sign(publication(anna, ANNA, [5], Some(5)), ANNA), Refusal::InitKeyUsed);
		// By another device, in a KeyPackage of its own.
		let stolen = Recipe { init: recipe(anna, ANNA, 0).init, ..recipe(anna, 3, 9) };
		let packages = vec![make(&stolen, 3).try_into().unwrap()].try_into().unwrap();
		assert_refused(&sign(Publication { packages, ..publication(anna, 3, [], None) }, 3), Refusal::InitKeyUsed);
		// Another person who copies it keeps nobody from it.
		let boris = person(BORIS);
		let copied = Recipe { init: recipe(anna, ANNA, 20).init, ..recipe(boris, BORIS, 1) };
		let packages = vec![make(&copied, BORIS).try_into().unwrap()].try_into().unwrap();
		publish(&sign(Publication { packages, ..publication(boris, BORIS, [], None) }, BORIS)).unwrap();
		fill(anna, ANNA, 20..21, None);
		// After it was claimed, and after it was replaced.
		claim(&claim_of(anna), 50).unwrap();
		assert_refused(&sign(publication(anna, ANNA, [0], None), ANNA), Refusal::InitKeyUsed);
		let replaced = Publication { replace: true, ..publication(anna, ANNA, [1], None) };
		assert_refused(&sign(replaced, ANNA), Refusal::InitKeyUsed);
		let good = recipe(anna, ANNA, 7);
		assert_bad(&Recipe { init: good.encryption.clone(), ..good }, anna, Refusal::SameKey);
	});
}

#[test]
fn a_key_package_is_as_rfc_9420_has_it() {
	test(|| {
		let anna = person(ANNA);
		let good = recipe(anna, ANNA, 1);
		assert_bad(&Recipe { version: 2, ..good.clone() }, anna, Refusal::Suite);
		for suite in [0, 2, 3, 0x0a0a] {
			assert_bad(&Recipe { suite, ..good.clone() }, anna, Refusal::Suite);
		}
		let malformed = [
			Recipe { init: vec![1; 31], ..good.clone() },
			Recipe { encryption: vec![1; 33], ..good.clone() },
			Recipe { suites: vec![3], ..good.clone() },
			Recipe { source: 2, ..good.clone() },
			// An extension that the leaf does not list, and one twice.
			Recipe { leaf_extensions: vec![(0xf00d, vec![])], ..good.clone() },
			Recipe { leaf_extensions: vec![(0xf10c, vec![]), (0xf10c, vec![1])], ..good.clone() },
			Recipe { extensions: vec![(1, vec![]), (1, vec![])], ..good.clone() },
		];
		for recipe in malformed {
			assert_bad(&recipe, anna, Refusal::Malformed);
		}
		let with = Recipe { leaf_extensions: vec![(0xf10c, vec![1; 70])], extensions: vec![(1, vec![2])], ..good };
		publish(&sign(one(&with, anna), ANNA)).unwrap();
	});
}

/// The chain has no clock that members agree on: a KeyPackage lapses by its block, and members refuse what has another lifetime.
#[test]
fn the_lifetime_in_a_key_package_changes_nothing() {
	test(|| {
		let anna = person(ANNA);
		for (number, lifetime) in [(0, 0), (0, 1), (u64::MAX, 0), (u64::MAX, u64::MAX)].into_iter().enumerate() {
			let recipe = Recipe { lifetime, ..recipe(anna, ANNA, 10 + number as u32) };
			publish(&sign(one(&recipe, anna), ANNA)).unwrap();
			let bytes = make(&recipe, ANNA).try_into().unwrap();
			assert_eq!(claim(&claim_of(anna), 50 + number as u32).unwrap(), [(bytes, false)]);
		}
	});
}

/// Whatever is changed in it, it is not taken, and nothing panics. The declared lengths are among the bytes.
#[test]
fn a_key_package_with_one_wrong_bit_is_refused() {
	test(|| {
		let anna = person(ANNA);
		let good = make(&recipe(anna, ANNA, 1), ANNA);
		let with = |bytes: Vec<u8>| Publication {
			packages: vec![bytes.try_into().unwrap()].try_into().unwrap(),
			..publication(anna, ANNA, [], None)
		};
		for at in 0..good.len() {
			for bit in 0..8 {
				let mut bytes = good.clone();
				bytes[at] ^= 1 << bit;
				assert!(publish(&sign(with(bytes), ANNA)).is_err(), "bit {bit} of byte {at}");
			}
			assert_refused(&sign(with(good[..at].to_vec()), ANNA), Refusal::Malformed);
		}
		assert_refused(&sign(with([good.clone(), vec![0]].concat()), ANNA), Refusal::Malformed);
		for hostile in [vec![0xff; MAX_KEY_PACKAGE as usize], vec![0xbf; 40], vec![0x7f, 0xff], vec![]] {
			assert!(publish(&sign(with(hostile), ANNA)).is_err());
		}
		publish(&sign(with(good), ANNA)).unwrap();
	});
}

/// A length that takes more bytes than it needs says the same in another way (RFC 9420 section 2.1.2).
#[test]
fn there_is_one_form_of_a_key_package() {
	test(|| {
		let anna = person(ANNA);
		let good = make(&recipe(anna, ANNA, 1), ANNA);
		// The length of the init key comes after version and suite.
		let longer = [&good[..4], &[0x40, 0x20], &good[5..]].concat();
		let packages = vec![longer.try_into().unwrap()].try_into().unwrap();
		let publication = Publication { packages, ..publication(anna, ANNA, [], None) };
		assert_refused(&sign(publication, ANNA), Refusal::Malformed);
	});
}

#[test]
fn what_is_published_lapses() {
	test(|| {
		let anna = person(ANNA);
		skip(10);
		for lapse in [0, now() - 1, now() + MAX_LIFE + 1, u32::MAX] {
			assert_refused(
				&sign(Publication { lapse, ..publication(anna, ANNA, 0..1, None) }, ANNA),
				Refusal::BadLapse,
			);
		}
		for (number, lapse) in [now(), now() + MAX_LIFE].into_iter().enumerate() {
			let number = number as u32;
			publish(&sign(Publication { lapse, ..publication(anna, ANNA, [number], None) }, ANNA)).unwrap();
		}
	});
}

#[test]
fn a_publication_counts_once_and_in_its_turn() {
	test(|| {
		let anna = person(ANNA);
		let first = sign(publication(anna, ANNA, 0..1, None), ANNA);
		let early = sign(Publication { number: 1, ..publication(anna, ANNA, 1..2, None) }, ANNA);
		assert_refused(&early, Refusal::BadSequence);
		publish(&first).unwrap();
		assert_refused(&first, Refusal::BadSequence);
		publish(&early).unwrap();
		// To clear a stock needs no new key: only the number keeps it from being replayed.
		let clear = sign(Publication { replace: true, ..publication(anna, ANNA, [], None) }, ANNA);
		publish(&clear).unwrap();
		fill(anna, ANNA, 5..6, None);
		assert_refused(&clear, Refusal::BadSequence);
		// The pool holds one of each number.
		let tags = |publication| validate(publish_call(&sign(publication, ANNA))).unwrap().provides;
		assert_eq!(tags(publication(anna, ANNA, 7..8, None)), tags(publication(anna, ANNA, 8..9, None)));
	});
}

#[test]
fn stocks_and_rates_are_bounded() {
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, 0..MAX_STOCK, Some(1000));
		assert_refused(&sign(publication(anna, ANNA, [200], None), ANNA), Refusal::Full);
		// What is left of the burst, and then one each so many blocks.
		let rest = BURST - MAX_STOCK - 1;
		let replaced = |packages: std::ops::Range<u32>| {
			sign(Publication { replace: true, ..publication(anna, ANNA, packages, None) }, ANNA)
		};
		assert_refused(&replaced(200..201 + rest), Refusal::TooSoon);
		publish(&replaced(200..200 + rest)).unwrap();
		assert_refused(&replaced(300..301), Refusal::TooSoon);
		skip(EVERY - 1);
		assert_refused(&replaced(300..301), Refusal::TooSoon);
		skip(1);
		publish(&replaced(300..301)).unwrap();
		assert_refused(&replaced(301..302), Refusal::TooSoon);
	});
}

/// A new key comes with what is needed to be added by it, or not at all.
#[test]
fn a_rotation_replaces_all_of_it_in_one_step() {
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, 0..5, Some(100));
		let new = ANNA + 1000;
		let event = rotation(anna, ANNA);
		// The old device is none after the event, and the new one none before it.
		let old = sign(publication(anna, ANNA, 5..6, None), ANNA);
		assert_eq!(both(&event, &old).map_err(code), Err(Refusal::UnknownDevice.code()));
		let published = sign(publication(anna, new, 0..1, Some(1)), new);
		assert_refused(&published, Refusal::UnknownDevice);
		// What is not good spoils both.
		let bad = sign(publication(anna, new, [0, 0], None), new);
		assert_eq!(both(&event, &bad).map_err(code), Err(Refusal::InitKeyUsed.code()));
		let mut unsigned = event.clone();
		unsigned.signature.0[0] ^= 1;
		assert_eq!(both(&unsigned, &published).map_err(code), Err(IdentityRefusal::BadSignature.code()));
		let boris = person(BORIS);
		let strange = sign(publication(boris, BORIS, 0..1, None), BORIS);
		assert_eq!(both(&event, &strange).map_err(code), Err(Refusal::UnknownDevice.code()));
		assert_eq!((left(ANNA), left(new)), (5, 0));

		both(&event, &published).unwrap();
		let (package, last_resort) = claim(&claim_of(anna), 50).unwrap().pop().unwrap();
		assert_eq!((package, last_resort), (crate::mock::package(anna, new, 0), false));
		// The old stock is cleared away.
		crate::Pallet::<Test>::tidy(frame_support::weights::Weight::MAX);
		assert_eq!((stock(ANNA), stored(ANNA)), (None, 0));
	});
}

#[test]
fn a_device_that_is_revoked_takes_its_key_packages_with_it() {
	test(|| {
		let anna = person(ANNA);
		add_device(anna, ANNA, 3);
		add_device(anna, 3, 4);
		for device in [ANNA, 3, 4] {
			fill(anna, device, 0..2, Some(100));
		}
		assert_eq!(claim(&claim_of(anna), 50).unwrap().len(), 3);
		let before = sign(publication(anna, 4, 5..6, None), 4);
		record(&next_event(anna, ANNA, Action::RevokeDevice(key(3)), None));
		assert_eq!(claim(&claim_of(anna), 51).unwrap().len(), 1);
		assert_refused(&before, Refusal::UnknownDevice);
		crate::Pallet::<Test>::tidy(frame_support::weights::Weight::MAX);
		assert_eq!((stock(3), stock(4), stored(3), stored(4)), (None, None, 0, 0));
	});
}

/// Bytes in state: names and values.
fn state_size() -> usize {
	let (mut name, mut size) = (Vec::new(), 0);
	while let Some(next) = sp_io::storage::next_key(&name) {
		size += next.len() + sp_io::storage::get(&next).map_or(0, |value| value.len());
		name = next;
	}
	size
}

/// What a device takes with all that it can have, by the longest KeyPackages, and by such as this library makes.
#[test]
fn a_full_stock_takes_less_than_eighty_kilobytes() {
	for (padding, most) in [(None, 58_000), (Some(MAX_KEY_PACKAGE as usize), 80_000)] {
		test(|| {
			let anna = person(ANNA);
			let before = state_size();
			let made = |number| {
				let good = recipe(anna, ANNA, number);
				let padded = |length| make(&Recipe { extensions: vec![(1, vec![0; length])], ..good.clone() }, ANNA);
				let bytes = match padding {
					// The header of an extension, and of its length, which takes two bytes then.
					Some(longest) => padded(longest - padded(64).len() + 64),
					None => make(&good, ANNA),
				};
				lockstep_primitives::key_package::KeyPackageBytes::try_from(bytes).unwrap()
			};
			let packages: Vec<_> = (0..MAX_STOCK).map(made).collect();
			assert!(padding.is_none_or(|longest| packages[0].len() == longest), "{}", packages[0].len());
			let published = Publication {
				packages: packages.try_into().unwrap(),
				last_resort: Some(made(1000)),
				..publication(anna, ANNA, [], None)
			};
			publish(&sign(published, ANNA)).unwrap();
			let size = state_size() - before;
			assert!(size < most, "{size}");
			println!("{padding:?}: {size} bytes");
		});
	}
}
